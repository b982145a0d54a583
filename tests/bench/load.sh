#!/bin/bash
# What a server under a write load keeps of its speed while it is backed up, side by side with
# mariadb-backup: both tools in turn, on the same server, under the same load, and medians.
#
#   tests/bench/load.sh [--data-mb N] [--rounds N] [--build DIR] [--keep]
#
# Four sessions write InnoDB tables and one writes MyISAM tables; one commits, and one creates and
# drops a table (under_load.cc says how). They are small; the data that is to be copied lies beside
# them. The row "nothing" is the same load beside `sleep 10`.
# Needs: mariadbd, mariadb, mariadb-install-db, mariadb-backup, and a release build.
set -euo pipefail

data_mb=2048 rounds=5 build="" keep=""
while (($#)); do
    case $1 in
        --data-mb) data_mb=$2; shift 2 ;;
        --rounds)  rounds=$2; shift 2 ;;
        --build)   build=$2; shift 2 ;;
        --keep)    keep=1; shift ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done
source "$(dirname "$0")/common.sh"
find_under_load

options=(--innodb-buffer-pool-size=1G --innodb-log-file-size=1G
    --innodb-flush-log-at-trx-commit=2 --log-bin=binlog --binlog-format=ROW "${watched_stages[@]}")
install_server
start_server "${options[@]}"
load_data "$data_mb"
make_watched_tables 50
shut_server_down
start_server "${options[@]}"
for ((i = 0; i < rounds; i++)); do
    drop_cache
    beside nothing sleep 10
    drop_cache
    beside hbk "$hbk" backup --no-defaults --user=root --socket="$work/s" --target-dir="$work/b"
    drop_cache
    beside mb mariadb-backup --no-defaults --backup --user=root --socket="$work/s" \
        --datadir="$work/data" --target-dir="$work/b"
done

rate_of() {  # rate_of LABEL COLUMN: a second
    awk -F'\t' -v l="$1" -v c="$2" '$1 == l {print $c / $2}' "$work/figures" | median
}
row() {  # row TEXT HBK MB NOTHING
    printf '| %s | %.1f | %.1f | %s | %.1f |\n' "$1" "$2" "$3" "$(ratio "$2" "$3")" "$4"
}
echo "$data_mb MB beside the load, $rounds rounds; $(machine)"
echo
echo '| write load of 4 sessions | hbk | mariadb-backup | ratio | nothing |'
echo '|---|---|---|---|---|'
row 'transactions per second' "$(rate_of hbk 6)" "$(rate_of mb 6)" "$(rate_of nothing 6)"
row 'MyISAM writes per second' "$(rate_of hbk 7)" "$(rate_of mb 7)" "$(rate_of nothing 7)"
for figure in 'whole backup, s:2' 'BLOCK_DDL granted to END, ms:3' 'longest commit, ms:4' \
    'longest DDL, ms:5'; do
    column=${figure##*:}
    row "${figure%:*}" "$(figure hbk "$column")" "$(figure mb "$column")" "$(figure nothing "$column")"
done
