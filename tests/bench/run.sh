#!/bin/bash
# Times a full backup and a prepare side by side with mariadb-backup, on the same server and on
# copies of the same directory, alternating, and prints medians and ratios.
#
#   tests/bench/run.sh [--data-mb N] [--redo-mb N] [--runs N] [--only backup|prepare]
#                      [--tables N] [--build DIR] [--keep]
#
# The data is in 8 tables, or as many as --tables says: one huge table is a case of its own. Beside
# the backups `cp -r` copies the same files. Cache: by how much the machine's page cache grew.
#
# Before each run the page cache is dropped where that is allowed; the first line says so.
# Needs: mariadbd, mariadb, mariadb-install-db, mariadb-backup, and a release build.
set -euo pipefail

data_mb=2048 redo_mb=1024 runs=5 tables=8 build="" keep="" only=""
while (($#)); do
    case $1 in
        --data-mb) data_mb=$2; shift 2 ;;
        --redo-mb) redo_mb=$2; shift 2 ;;
        --runs)    runs=$2; shift 2 ;;
        --build)   build=$2; shift 2 ;;
        --only)    only=$2; shift 2 ;;
        --tables)  tables=$2; shift 2 ;;
        --keep)    keep=1; shift ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done
source "$(dirname "$0")/common.sh"

report() {  # report TITLE LABEL_HBK LABEL_OTHER [NAME_OTHER]
    local column name a b
    printf '%s\n' "$1"
    for column in 3:wall cpu:cpu 6:memory 7:cache; do
        name=${column#*:}
        a=$(figure "$2" "${column%%:*}") b=$(figure "$3" "${column%%:*}")
        awk -v n="$name" -v a="$a" -v b="$b" -v o="${4:-mariadb-backup}" 'BEGIN {
            if (n == "memory" || n == "cache") printf "  %-7s hbk %8.1f MiB   %s %8.1f MiB   ratio %s\n", n, a / 1024, o, b / 1024, (b > 0) ? sprintf("%.2f", a / b) : "-"
            else               printf "  %-7s hbk %8.2f s     %s %8.2f s     ratio %.2f\n", n, a, o, b, a / b }'
    done
}

install_server
start_server "${lazy[@]}"
load_data "$data_mb" "$tables"
# A clean shutdown flushes everything: the first part copies an idle server without redo.
shut_server_down
start_server "${lazy[@]}"
drop_cache
echo "data $(du -sm "$work/data/test" | cut -f1) MiB in $tables tables, $runs runs, page cache $cache, $(nproc) cores"

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
        mkdir "$work/b/c"
        # The log is 4 GiB, whatever is in it.
        run backup-cp find "$work/data" -mindepth 1 -maxdepth 1 ! -name ib_logfile0 \
            -exec cp -r -t "$work/b/c" {} +
        rm -rf "$work/b/c"
    done
    report "full backup, idle server" backup-hbk backup-mb
    report "full backup, idle server, mariadb-backup --parallel=2" backup-hbk backup-mb2
    report "full backup, idle server, and cp -r of the same files" backup-hbk backup-cp "cp -r"
}

bench_prepare() {
    local i
    make_redo "$redo_mb"
    "$hbk" backup --no-defaults --user=root --socket="$work/s" --target-dir="$work/b/full" \
        >"$work/full.log" 2>&1 || { tail -5 "$work/full.log" >&2; exit 1; }
    stop_server
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
