#!/bin/bash
# Times a full backup and a prepare side by side with mariadb-backup, on the same server and on
# copies of the same directory, alternating, and prints medians and ratios.
#
#   tests/bench/run.sh [--data-mb N] [--redo-mb N] [--runs N] [--only backup|prepare]
#                      [--build DIR] [--keep]
#
# Before each run the page cache is dropped where that is allowed; the first line says so.
# Needs: mariadbd, mariadb, mariadb-install-db, mariadb-backup, and a release build.
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
data_mb=2048 redo_mb=1024 runs=5 build=$here/build/release keep= only= writers=()
while (($#)); do
    case $1 in
        --data-mb) data_mb=$2; shift 2 ;;
        --redo-mb) redo_mb=$2; shift 2 ;;
        --runs)    runs=$2; shift 2 ;;
        --build)   build=$2; shift 2 ;;
        --only)    only=$2; shift 2 ;;
        --keep)    keep=1; shift ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done
hbk=$build/hbk measure=$(find "$build" -name measure -type f -perm -u+x -print -quit)
[[ -x $hbk && -x $measure ]] || { echo "no release build in $build" >&2; exit 2; }
PATH=$PATH:/usr/sbin

work=$(mktemp -d "${TMPDIR:-/tmp}/hbk-bench.XXXXXX")
server=
cleanup() {
    [[ -z $server ]] || kill -9 "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    if [[ -n $keep ]]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

sql() { mariadb --no-defaults -u root -S "$work/s" -N -B "$@"; }

# Everything that was changed stays in memory: the redo of the second part is still to be applied.
start_server() {
    mariadbd --no-defaults --user="$(id -un)" --datadir="$work/data" --socket="$work/s" \
        --pid-file="$work/pid" --skip-networking --innodb-buffer-pool-size=4G \
        --innodb-log-file-size=4G --innodb-log-buffer-size=64M \
        --innodb-flush-log-at-trx-commit=2 \
        --innodb-max-dirty-pages-pct=99 --innodb-max-dirty-pages-pct-lwm=0 \
        --innodb-adaptive-flushing=OFF >"$work/server.log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        sql -e 'SELECT 1' >/dev/null 2>&1 && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    tail -5 "$work/server.log" >&2
    echo "the server did not start" >&2
    exit 1
}

drop_cache() {
    sync
    echo 3 2>/dev/null >/proc/sys/vm/drop_caches || cache="warm (may not be dropped here)"
}

lsn() { sql -e "SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'" | cut -f2; }

# 8 tables of compact rows with a secondary index and a filler that does not shrink.
load_data() {
    local rows=$((data_mb * 1024 * 1024 / 8 / 260)) t
    for t in 1 2 3 4 5 6 7 8; do
        sql test -e "CREATE TABLE t$t (id INT PRIMARY KEY AUTO_INCREMENT, k INT NOT NULL,
                         c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, KEY (k)) ENGINE=InnoDB;
            INSERT INTO t$t (k, c, pad)
                SELECT FLOOR(RAND(seq) * $rows), REPEAT(MD5(seq), 3), MD5(seq * 7)
                FROM seq_1_to_$rows"
    done
}

# Updates all over the tables, by two sessions, until that much redo lies between checkpoint and end.
make_redo() {
    local begin rows t range=20000 updates
    begin=$(lsn)
    rows=$(sql test -e 'SELECT MAX(id) FROM t1')
    while (($(lsn) - begin < redo_mb * 1024 * 1024)); do
        for updates in "1 2 3 4" "5 6 7 8"; do
            for t in $updates; do
                from=$((RANDOM * 32768 % (rows - range)))
                echo "UPDATE t$t SET k = FLOOR(RAND() * $rows), pad = MD5(RAND())
                      WHERE id BETWEEN $from AND $((from + range));"
            done | sql test &
            writers+=($!)
        done
        wait "${writers[@]}"
        writers=()
    done
}

run() {  # run LABEL COMMAND...
    local label=$1
    shift
    drop_cache
    "$measure" "$label" "$work/figures" -- "$@" >"$work/$label.log" 2>&1 ||
        { tail -5 "$work/$label.log" >&2; echo "$label failed" >&2; exit 1; }
}

median() { sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
figure() { awk -F'\t' -v l="$1" -v c="$2" '$1 == l {print (c == "cpu") ? $4 + $5 : $c}' "$work/figures" | median; }

report() {  # report TITLE LABEL_HBK LABEL_OTHER
    local column name a b
    printf '%s\n' "$1"
    for column in 3:wall cpu:cpu 6:memory; do
        name=${column#*:}
        a=$(figure "$2" "${column%%:*}") b=$(figure "$3" "${column%%:*}")
        awk -v n="$name" -v a="$a" -v b="$b" 'BEGIN {
            if (n == "memory") printf "  %-7s hbk %8.1f MiB   mariadb-backup %8.1f MiB   ratio %.2f\n", n, a / 1024, b / 1024, a / b
            else               printf "  %-7s hbk %8.2f s     mariadb-backup %8.2f s     ratio %.2f\n", n, a, b, a / b }'
    done
}

cache="dropped before each run"
mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$work/data" \
    --auth-root-authentication-method=normal >"$work/install.log" 2>&1
start_server
load_data
# A clean shutdown flushes everything: the first part copies an idle server without redo.
kill "$server"; wait "$server" || true
start_server
drop_cache
echo "data $(du -sm "$work/data/test" | cut -f1) MiB, $runs runs, page cache $cache, $(nproc) cores"

mkdir "$work/b"

bench_backup() {
    local i
    for ((i = 0; i < runs; i++)); do
        run backup-hbk "$hbk" backup --no-defaults --user=root --socket="$work/s" --target-dir="$work/b/h"
        rm -rf "$work/b/h"
        run backup-mb mariadb-backup --no-defaults --backup --user=root --socket="$work/s" \
            --datadir="$work/data" --target-dir="$work/b/m"
        rm -rf "$work/b/m"
        run backup-mb2 mariadb-backup --no-defaults --backup --parallel=2 --user=root \
            --socket="$work/s" --datadir="$work/data" --target-dir="$work/b/m"
        rm -rf "$work/b/m"
    done
    report "full backup, idle server" backup-hbk backup-mb
    report "full backup, idle server, mariadb-backup --parallel=2" backup-hbk backup-mb2
}

bench_prepare() {
    local i
    make_redo
    "$hbk" backup --no-defaults --user=root --socket="$work/s" --target-dir="$work/b/full" \
        >"$work/full.log" 2>&1 || { tail -5 "$work/full.log" >&2; exit 1; }
    kill -9 "$server"; wait "$server" 2>/dev/null || true
    server=
    rm -rf "$work/data"
    echo "redo to apply: $(du -sm "$work/b/full/ib_logfile0" | cut -f1) MiB"
    for ((i = 0; i < runs; i++)); do
        cp -r --sparse=always "$work/b/full" "$work/b/p"
        run prepare-hbk "$hbk" prepare --target-dir="$work/b/p"
        rm -rf "$work/b/p"
        cp -r --sparse=always "$work/b/full" "$work/b/p"
        run prepare-mb mariadb-backup --prepare --target-dir="$work/b/p"
        rm -rf "$work/b/p"
        cp -r --sparse=always "$work/b/full" "$work/b/p"
        run prepare-mb4g mariadb-backup --prepare --use-memory=4G --target-dir="$work/b/p"
        rm -rf "$work/b/p"
    done
    report "prepare, memory as each takes it (hbk 256M, mariadb-backup 96M)" prepare-hbk prepare-mb
    report "prepare, hbk 256M, mariadb-backup 4G" prepare-hbk prepare-mb4g
}

[[ $only == prepare ]] || bench_backup
[[ $only == backup ]] || bench_prepare
