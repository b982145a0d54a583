#!/bin/bash
# Times a full backup of many small tables, and of one table of many partitions, of an idle server
# side by side with mariadb-backup: in turn, and medians.
#
#   tests/bench/small_tables.sh [--tables N] [--partitions N] [--runs N] [--build DIR] [--keep]
#
# A table has at most 8,192 partitions, and mariadb-backup needs a file descriptor for each file.
# How long others are blocked meanwhile: many_tables.sh.
# Needs: mariadbd, mariadb, mariadb-install-db, mariadb-backup, and a release build.
set -euo pipefail

tables=5000 partitions=8000 runs=5 build="" keep=""
while (($#)); do
    case $1 in
        --tables)     tables=$2; shift 2 ;;
        --partitions) partitions=$2; shift 2 ;;
        --runs)       runs=$2; shift 2 ;;
        --build)      build=$2; shift 2 ;;
        --keep)       keep=1; shift ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done
source "$(dirname "$0")/common.sh"
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -H -n)"

make_tables() {
    local i
    for ((i = 0; i < tables; i++)); do
        echo "CREATE TABLE i$i (id INT PRIMARY KEY AUTO_INCREMENT, k INT, v VARCHAR(200), KEY (k))
              ENGINE=InnoDB; INSERT INTO i$i (k, v) VALUES (1, 'first');"
    done | sql test
}
make_partitions() {
    sql test -e "CREATE TABLE p (id INT PRIMARY KEY, v VARCHAR(200)) ENGINE=InnoDB
                     PARTITION BY HASH (id) PARTITIONS $partitions;
                 INSERT INTO p SELECT seq, 'first' FROM seq_1_to_$partitions"
}

# ext4 passes over inodes that were freed in the last minutes, at a cost: what was made is removed
# when all has been measured.
put_aside() {
    mkdir -p "$work/old"
    mv "$work/b" "$(mktemp -d -p "$work/old")"
}

case_of() {  # case_of WHAT MAKE
    local what=$1 i
    install_server
    start_server "${lazy[@]}" --table-open-cache=30000 --table-definition-cache=30000
    "$2"
    shut_server_down
    start_server "${lazy[@]}"
    for ((i = 0; i < runs; i++)); do
        run "$what-hbk" "$hbk" backup --no-defaults --user=root --socket="$work/s" \
            --target-dir="$work/b"
        put_aside
        run "$what-mb" mariadb-backup --no-defaults --backup --user=root --socket="$work/s" \
            --datadir="$work/data" --target-dir="$work/b" --open-files-limit=65536
        put_aside
    done
    stop_server
    rm -rf "$work/old"
}
case_of tables make_tables
case_of partitions make_partitions
echo "$runs runs; $(machine)"
table "$tables small tables" tables-hbk hbk tables-mb mariadb-backup
echo
echo "Stages of the last run: $(grep 'server released' "$work/tables-hbk.log" | sed 's/.*(\(.*\))/\1/')"
table "$partitions partitions" partitions-hbk hbk partitions-mb mariadb-backup
echo
echo "Stages of the last run: $(grep 'server released' "$work/partitions-hbk.log" | sed 's/.*(\(.*\))/\1/')"
