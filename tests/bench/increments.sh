#!/bin/bash
# What an increment of 30 changed rows costs, side by side with mariadb-backup: to make (wall, CPU,
# size), and five of them to lay onto their base. Alternating, on one server; medians and ratios.
#
#   tests/bench/increments.sh [--data-mb N] [--redo-mb N] [--runs N] [--build DIR] [--keep]
#
# Twice: on an idle server whose changes are all in its files, and with a checkpoint that lies
# --redo-mb of redo before the base. The page cache is dropped before each run where that is allowed.
# Needs: mariadbd, mariadb, mariadb-install-db, mariadb-backup, and a release build.
set -euo pipefail

data_mb=2048 redo_mb=1024 runs=5 build="" keep=""
while (($#)); do
    case $1 in
        --data-mb) data_mb=$2; shift 2 ;;
        --redo-mb) redo_mb=$2; shift 2 ;;
        --runs)    runs=$2; shift 2 ;;
        --build)   build=$2; shift 2 ;;
        --keep)    keep=1; shift ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done
source "$(dirname "$0")/common.sh"

hbk_backup() { run "$1" "$hbk" backup --no-defaults --user=root --socket="$work/s" --target-dir="$2" "${@:3}"; }
mb_backup() {
    run "$1" mariadb-backup --no-defaults --backup --user=root --socket="$work/s" \
        --datadir="$work/data" --target-dir="$2" "${@:3}"
}
size_of() { printf '%s\t%s\n' "$1" "$(du -sk "$2" | cut -f1)" >>"$work/sizes"; }
size() { awk -F'\t' -v l="$1" '$1 == l {print $2}' "$work/sizes" | median; }

change_rows() {  # 30 rows, far apart
    local step=$(($(sql test -e 'SELECT MAX(id) FROM t1') / 31)) i
    for ((i = 1; i <= 30; i++)); do
        echo "UPDATE t$((i % 8 + 1)) SET pad = MD5(RAND()) WHERE id = $((i * step));"
    done | sql test
}

write_back() {  # until a checkpoint has everything
    sql -e 'SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0, GLOBAL innodb_max_dirty_pages_pct = 0'
    for _ in $(seq 600); do
        (($(lsn) - $(status_of Innodb_lsn_last_checkpoint) > 1000)) || return 0
        sleep 0.1
    done
    echo "the server does not come to a checkpoint" >&2
    exit 1
}

increments() {  # increments WHAT AFTER_CHANGE: base, 30 rows, one increment of each kind
    local what=$1 after=$2 i
    rm -rf "$work/b"
    mkdir "$work/b"
    hbk_backup "$what-base-hbk" "$work/b/h0"
    mb_backup "$what-base-mb" "$work/b/m0"
    sleep 3
    change_rows
    $after
    for ((i = 0; i < runs; i++)); do
        hbk_backup "$what-hbk" "$work/b/h1" --incremental-basedir="$work/b/h0"
        hbk_backup "$what-scan" "$work/b/s1" --incremental-basedir="$work/b/h0" \
            --incremental-force-scan
        hbk_backup "$what-trust" "$work/b/t1" --incremental-basedir="$work/b/h0" --trust-file-times
        mb_backup "$what-mb" "$work/b/m1" --incremental-basedir="$work/b/m0"
        size_of "$what-hbk" "$work/b/h1"
        size_of "$what-trust" "$work/b/t1"
        size_of "$what-mb" "$work/b/m1"
        rm -rf "$work"/b/[hstm]1
    done
}

chain() {  # chain WHAT AFTER_CHANGE: five increments, one after another, laid onto the base
    local what=$1 after=$2 i k
    for ((k = 1; k <= 5; k++)); do
        change_rows
        $after
        hbk_backup "$what-chain-hbk" "$work/b/h$k" --incremental-basedir="$work/b/h$((k - 1))"
        mb_backup "$what-chain-mb" "$work/b/m$k" --incremental-basedir="$work/b/m$((k - 1))"
    done
    "$hbk" prepare --target-dir="$work/b/h0" >"$work/h0.log" 2>&1
    mariadb-backup --prepare --target-dir="$work/b/m0" >"$work/m0.log" 2>&1
    for ((i = 0; i < runs; i++)); do
        cp -r --sparse=always "$work/b/h0" "$work/b/p"
        run "$what-prepare-hbk" "$hbk" prepare --target-dir="$work/b/p" \
            --incremental-dir="$work/b/h1" --incremental-dir="$work/b/h2" \
            --incremental-dir="$work/b/h3" --incremental-dir="$work/b/h4" \
            --incremental-dir="$work/b/h5"
        rm -rf "$work/b/p"
        cp -r --sparse=always "$work/b/m0" "$work/b/p"
        # It changes the increments that it lays onto a base.
        for ((k = 1; k <= 5; k++)); do cp -r "$work/b/m$k" "$work/b/q$k"; done
        run "$what-prepare-mb" bash -c 'for k in 1 2 3 4 5; do
            mariadb-backup --prepare --target-dir="$0/p" --incremental-dir="$0/q$k" || exit 1
        done' "$work/b"
        rm -rf "$work"/b/[pq]*
    done
}

line() {  # line WHAT LABEL OTHER FIGURE UNIT
    local a b
    if [[ $4 == size ]]; then
        a=$(size "$2") b=$(size "$3")
    else
        a=$(figure "$2" "$4") b=$(figure "$3" "$4")
    fi
    printf '| %s | %.2f %s | %.2f %s | %s |\n' "$1" "$a" "$5" "$b" "$5" "$(ratio "$a" "$b")"
}

table() {  # table WHAT TITLE
    printf '\n| %s | hbk | mariadb-backup | ratio |\n|---|---|---|---|\n' "$2"
    line "increment, wall" "$1-hbk" "$1-mb" 3 s
    line "increment, CPU" "$1-hbk" "$1-mb" cpu s
    line "increment, size" "$1-hbk" "$1-mb" size KiB
    line "--incremental-force-scan, wall" "$1-scan" "$1-mb" 3 s
    line "--incremental-force-scan, CPU" "$1-scan" "$1-mb" cpu s
    line "--trust-file-times, wall" "$1-trust" "$1-mb" 3 s
    line "--trust-file-times, CPU" "$1-trust" "$1-mb" cpu s
    line "--trust-file-times, size" "$1-trust" "$1-mb" size KiB
    line "five increments onto a base, wall" "$1-prepare-hbk" "$1-prepare-mb" 3 s
    line "five increments onto a base, CPU" "$1-prepare-hbk" "$1-prepare-mb" cpu s
}

keep_pages() { :; }

install_server
start_server "${lazy[@]}"
load_data "$data_mb"
shut_server_down
start_server "${lazy[@]}"
drop_cache
echo "data $(du -sm "$work/data/test" | cut -f1) MiB, $runs runs, page cache $cache, $(nproc) cores"
increments idle write_back
chain idle write_back
table idle "idle server"
sql -e 'SET GLOBAL innodb_max_dirty_pages_pct = 99'
make_redo "$redo_mb"
echo
echo "checkpoint $((($(lsn) - $(status_of Innodb_lsn_last_checkpoint)) >> 20)) MiB before the base"
increments old keep_pages
chain old keep_pages
table old "old checkpoint"
