#!/bin/bash
# Times a full backup of an idle server side by side with mariadb-backup, with `cp -r` of the same
# files, and with plain direct I/O of the same bytes: in turn, and medians.
#
# hbk ends when all is on the disk. mariadb-backup and `cp -r` end when it is in the page cache, so
# they are timed with `sync -f` behind them as well.
#
#   tests/bench/backup.sh [--data-mb N] [--tables N] [--runs N] [--build DIR] [--keep]
#
# The data is in 8 tables, or as many as --tables says: one huge table is a case of its own.
# Needs: mariadbd, mariadb, mariadb-install-db, mariadb-backup, and a release build.
set -euo pipefail

data_mb=2048 runs=5 tables=8 build="" keep=""
while (($#)); do
    case $1 in
        --data-mb) data_mb=$2; shift 2 ;;
        --tables)  tables=$2; shift 2 ;;
        --runs)    runs=$2; shift 2 ;;
        --build)   build=$2; shift 2 ;;
        --keep)    keep=1; shift ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done
source "$(dirname "$0")/common.sh"

install_server
start_server "${lazy[@]}"
load_data "$data_mb" "$tables"
# A clean shutdown writes everything back: there is next to no redo.
shut_server_down
start_server "${lazy[@]}"
mkdir "$work/b"

# The log is 4 GiB, whatever is in it.
copy_files="find '$work/data' -mindepth 1 -maxdepth 1 ! -name ib_logfile0 -exec cp -r -t '$work/b' {} +"
# Two at a time, of 4 MiB each; what is smaller than that is nothing.
direct="find '$work/data' -name '*.ibd' -size +4M -o -name ibdata1 -o -name 'undo0*' | xargs -P2 -I{} \
    sh -c 'dd if={} of=$work/b/\$(basename {}) bs=4M iflag=direct oflag=direct status=none'"

case_of() {  # case_of LABEL COMMAND...
    run "$@"
    rm -rf "$work/b"
    mkdir "$work/b"
}
mb=(mariadb-backup --no-defaults --backup --user=root --socket="$work/s" --datadir="$work/data"
    --target-dir="$work/b/m")
for ((i = 0; i < runs; i++)); do
    case_of hbk "$hbk" backup --no-defaults --user=root --socket="$work/s" --target-dir="$work/b/h"
    grep 'server released' "$work/hbk.log" >>"$work/stages"
    case_of mb "${mb[@]}"
    case_of mb2 "${mb[@]}" --parallel=2
    case_of mbsync bash -c '"$@" && sync -f "$0"' "$work" "${mb[@]}" --parallel=2
    case_of cp bash -c "$copy_files"
    case_of cpsync bash -c "$copy_files && sync -f '$work'"
    case_of direct bash -c "$direct"
done
echo "$(du -sm "$work/data/test" | cut -f1) MiB in $tables tables, $runs runs; $(machine)"
table "full backup, $tables tables" hbk hbk mb mariadb-backup mb2 'the same, --parallel=2' \
    mbsync 'and sync' cp 'cp -r' cpsync 'and sync' direct 'plain direct I/O'
echo
echo "Stages of the last run: $(tail -1 "$work/stages" | sed 's/.*(\(.*\))/\1/')"
