#!/bin/bash
# Times compressed, and compressed and encrypted, backups side by side with the pipelines that are
# used with mariadb-backup, on the same idle server, alternating, and prints medians and ratios.
#
#   tests/bench/storage.sh [--data-mb N] [--runs N] [--parallel N] [--build DIR] [--keep]
#
#   --compress             mariadb-backup --stream=mbstream | zstd -3 -T2
#   --compress --encrypt   mariadb-backup --stream=mbstream | zstd -3 -T2 | openssl aes-256-ctr
#   --stream=hbk, both     the same as the second
#
# The pipelines end in a file on the same disk. Memory is that of the largest process.
# Needs: mariadbd, mariadb, mariadb-install-db, mariadb-backup, zstd, openssl, and a release build.
set -euo pipefail

data_mb=2048 runs=5 parallel=2 build="" keep=""
while (($#)); do
    case $1 in
        --data-mb)  data_mb=$2; shift 2 ;;
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
drop_cache
echo "data $(du -sm "$work/data/test" | cut -f1) MiB, $runs runs, page cache $cache, $(nproc) cores," \
    "parallel $parallel, load average $(cut -d' ' -f1 /proc/loadavg)"

export HBK_ENCRYPT_KEY
HBK_ENCRYPT_KEY=$(openssl rand -hex 32)
key=$(openssl rand -hex 32) iv=$(openssl rand -hex 16)
hbk_backup=("$hbk" backup --no-defaults --user=root --socket="$work/s" --parallel="$parallel")
other="mariadb-backup --no-defaults --backup --user=root --socket='$work/s' --parallel=$parallel"
other+=" --datadir='$work/data' --stream=mbstream --target-dir='$work/b' 2>'$work/mb.log'"
other+=" | zstd -q -3 -T2"
mkdir "$work/b"

# piped LABEL SCRIPT: what it writes is $work/b/archive.
piped() { run "$1" bash -c "set -o pipefail; $2 > '$work/b/archive'"; }
note_size() { echo "$1 $(du -sk "$work/b" | cut -f1)" >>"$work/sizes"; find "$work/b" -mindepth 1 -delete; }

for ((i = 0; i < runs; i++)); do
    run zstd-hbk "${hbk_backup[@]}" --compress --target-dir="$work/b/h"
    note_size zstd-hbk
    piped zstd-mb "$other"
    note_size zstd-mb
    run sealed-hbk "${hbk_backup[@]}" --compress --encrypt --target-dir="$work/b/h"
    note_size sealed-hbk
    piped sealed-mb "$other | openssl enc -aes-256-ctr -K $key -iv $iv"
    note_size sealed-mb
    piped stream-hbk "$(printf "'%s' " "${hbk_backup[@]}") --compress --encrypt --stream=hbk"
    note_size stream-hbk
done

size() { awk -v l="$1" '$1 == l {print $2 / 1024}' "$work/sizes" | median; }
row() {  # row TITLE WHAT HBK OTHER
    printf '| %s | %s | %.2f | %.2f | %s |\n' "$1" "$2" "$3" "$4" "$(ratio "$3" "$4")"
}
report() {  # report TITLE LABEL_HBK LABEL_OTHER
    row "$1" "wall, s" "$(figure "$2" 3)" "$(figure "$3" 3)"
    row "$1" "CPU, s" "$(figure "$2" cpu)" "$(figure "$3" cpu)"
    row "$1" "size, MiB" "$(size "$2")" "$(size "$3")"
    row "$1" "memory, MiB" "$(awk -v k="$(figure "$2" 6)" 'BEGIN {print k / 1024}')" \
        "$(awk -v k="$(figure "$3" 6)" 'BEGIN {print k / 1024}')"
}

echo
echo "| | | hbk | pipeline | ratio |"
echo "|---|---|---|---|---|"
report "--compress" zstd-hbk zstd-mb
report "--compress --encrypt" sealed-hbk sealed-mb
report "the same, --stream=hbk" stream-hbk sealed-mb
