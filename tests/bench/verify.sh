#!/bin/bash
# Times verify beside plain direct reads of the same files, alternating, and prints medians and the
# ratio.
#
#   tests/bench/verify.sh [--data-mb N] [--redo-mb N] [--runs N] [--parallel N] [--build DIR] [--keep]
#
#   dd        dd iflag=direct bs=1M of each file of more than 1 MiB, one after another: of the small
#             ones it would mostly time the start of dd
#   verify    hbk verify
#   fast      hbk verify --fast
#
# The page cache is dropped before each run, where that is permitted. The record of verify is
# removed. Needs: mariadbd, mariadb, mariadb-install-db, and a release build.
set -euo pipefail

data_mb=1024 redo_mb=0 runs=5 parallel=2 build="" keep=""
while (($#)); do
    case $1 in
        --data-mb)  data_mb=$2; shift 2 ;;
        --redo-mb)  redo_mb=$2; shift 2 ;;
        --runs)     runs=$2; shift 2 ;;
        --parallel) parallel=$2; shift 2 ;;
        --build)    build=$2; shift 2 ;;
        --keep)     keep=1; shift ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done
source "$(dirname "$0")/common.sh"

install_server
start_server "${lazy[@]}"
load_data "$data_mb"
shut_server_down
start_server "${lazy[@]}"
((redo_mb == 0)) || make_redo "$redo_mb"
drop_cache
"$hbk" backup --no-defaults --user=root --socket="$work/s" --parallel="$parallel" \
    --target-dir="$work/b" >"$work/backup.log" 2>&1
shut_server_down
mb=$(du -sm --apparent-size "$work/b" | cut -f1)
echo "backup $mb MiB, $runs runs, page cache $cache, $(nproc) cores, parallel $parallel," \
    "load average $(cut -d' ' -f1 /proc/loadavg)"

read_all() {
    find "$work/b" -type f -size +1M -print0 | sort -z |
        while IFS= read -r -d '' file; do
            dd if="$file" of=/dev/null bs=1M iflag=direct status=none
        done
}
export -f read_all
export work

for ((i = 0; i < runs; i++)); do
    run dd bash -c read_all
    run verify "$hbk" verify --no-defaults --target-dir="$work/b" --parallel="$parallel"
    rm -f "$work/b/hbk_verified.json"
    run fast "$hbk" verify --no-defaults --target-dir="$work/b" --parallel="$parallel" --fast
    rm -f "$work/b/hbk_verified.json"
done

echo
echo "| | wall, s | MiB/s | of dd | CPU, s |"
echo "|---|---|---|---|---|"
for label in dd verify fast; do
    awk -v l="$label" -v s="$(figure "$label" 3)" -v d="$(figure dd 3)" -v c="$(figure "$label" cpu)" \
        -v mb="$mb" 'BEGIN {printf "| %s | %.2f | %.0f | %.2f | %.2f |\n", l, s, mb / s, d / s, c}'
done
