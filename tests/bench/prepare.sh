#!/bin/bash
# Times a prepare side by side with mariadb-backup, on copies of the same directory, in turn, and
# prints medians.
#
#   tests/bench/prepare.sh [--data-mb N] [--redo-mb N] [--runs N] [--build DIR] [--keep]
#
# hbk with its default of 256 MB and with 64 MB; mariadb-backup with its default of 96 MB and with
# 4 GB.
# Needs: mariadbd, mariadb, mariadb-install-db, mariadb-backup, and a release build.
set -euo pipefail

data_mb=2048 redo_mb=1536 runs=5 build="" keep=""
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

install_server
start_server "${lazy[@]}"
load_data "$data_mb"
# So that the redo of the loading is behind a checkpoint.
shut_server_down
start_server "${lazy[@]}"
make_redo "$redo_mb"
mkdir "$work/b"
"$hbk" backup --no-defaults --user=root --socket="$work/s" --target-dir="$work/b/full" \
    >"$work/full.log" 2>&1 || { tail -5 "$work/full.log" >&2; exit 1; }
stop_server
rm -rf "$work/data"
redo_mib=$(du -sm "$work/b/full/ib_logfile0" | cut -f1)

case_of() {  # case_of LABEL COMMAND...: on a copy of its own
    cp -r --sparse=always "$work/b/full" "$work/b/p"
    run "$@"
    rm -rf "$work/b/p"
}
for ((i = 0; i < runs; i++)); do
    case_of hbk "$hbk" prepare --target-dir="$work/b/p"
    case_of hbk64 "$hbk" prepare --use-memory=64M --target-dir="$work/b/p"
    case_of mb mariadb-backup --prepare --target-dir="$work/b/p"
    case_of mb4g mariadb-backup --prepare --use-memory=4G --target-dir="$work/b/p"
done
echo "$data_mb MB, $redo_mib MiB of redo to apply, $runs runs; $(machine)"
table "prepare" hbk hbk mb mariadb-backup mb4g 'the same, --use-memory=4G'
table "prepare, little memory" hbk64 'hbk --use-memory=64M' mb mariadb-backup
