#!/bin/bash
# How long a backup of many small tables blocks others, side by side with mariadb-backup: both
# tools in turn, on the same server, under the same load, and medians of the rounds.
#
#   tests/bench/many_tables.sh [--tables 50,5000] [--rounds N] [--build DIR] [--keep]
#
# Nine tables of ten are InnoDB, the tenth is MyISAM. Four sessions write the InnoDB tables and one
# the MyISAM tables; one commits, and one creates and drops a table (under_load.cc says how). From
# BLOCK_DDL granted to END is what the server's own clock says of the BACKUP STAGE statements. The
# row "nothing" is the same load beside `sleep 5`: what the machine does by itself.
# Needs: mariadbd, mariadb, mariadb-install-db, mariadb-backup, and a release build.
set -euo pipefail

sizes=50,5000 rounds=5 build="" keep=""
while (($#)); do
    case $1 in
        --tables) sizes=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        --build)  build=$2; shift 2 ;;
        --keep)   keep=1; shift ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done
source "$(dirname "$0")/common.sh"
find_under_load
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -H -n)"

options=(--innodb-buffer-pool-size=512M --innodb-log-file-size=512M
    --innodb-flush-log-at-trx-commit=2 --log-bin=binlog --binlog-format=ROW
    --table-open-cache=10000 --table-definition-cache=10000 "${watched_stages[@]}")

row() {  # row TEXT COLUMN COUNT
    local a b n
    a=$(figure "hbk$3" "$2") b=$(figure "mb$3" "$2") n=$(figure "nothing$3" "$2")
    printf '| %s | %s | %.1f | %.1f | %s | %.1f |\n' "$3" "$1" "$a" "$b" "$(ratio "$a" "$b")" "$n"
}

for count in ${sizes//,/ }; do
    install_server
    start_server "${options[@]}"
    make_watched_tables "$count"
    beside "nothing$count" sleep 5
    for ((i = 0; i < rounds; i++)); do
        beside "hbk$count" "$hbk" backup --no-defaults --user=root --socket="$work/s" \
            --target-dir="$work/b"
        beside "mb$count" mariadb-backup --no-defaults --backup --user=root --socket="$work/s" \
            --datadir="$work/data" --target-dir="$work/b" --open-files-limit=65536
    done
    stop_server
done

echo "$rounds rounds, medians, $(nproc) cores, load average $(cut -d' ' -f1 /proc/loadavg)"
echo
echo '| tables | | hbk | mariadb-backup | ratio | nothing |'
echo '|---|---|---|---|---|---|'
for count in ${sizes//,/ }; do
    row 'BLOCK_DDL granted to END, ms' 3 "$count"
    row 'longest commit, ms' 4 "$count"
    row 'longest DDL, ms' 5 "$count"
    row 'whole backup, s' 2 "$count"
    row 'transactions meanwhile' 6 "$count"
    row 'MyISAM writes meanwhile' 7 "$count"
done
small=${sizes%%,*} large=${sizes##*,}
if [[ $small != "$large" ]]; then
    echo
    echo "BLOCK_DDL granted to END, $large tables to $small tables: hbk" \
        "$(ratio "$(figure "hbk$large" 3)" "$(figure "hbk$small" 3)"), mariadb-backup" \
        "$(ratio "$(figure "mb$large" 3)" "$(figure "mb$small" 3)")"
fi
