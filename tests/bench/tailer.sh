#!/bin/bash
# What copying the redo log costs, side by side with mariadb-backup: both tools in turn beside the
# same load, on the same server, and medians of the rounds.
#
#   tests/bench/tailer.sh [--log-mb N] [--seconds N] [--rounds N] [--build DIR] [--keep]
#
# Two sessions write redo as fast as the server makes it. A statement on a MyISAM table lasts
# that many seconds, and the tool waits for it before it blocks anything: meanwhile it copies
# nothing but the log. CPU per MiB is that of the whole run, less that of a run without load. With
# a log of 12 MB (--log-mb 12) mariadb-backup may fail: the table says in how many rounds.
# Needs: mariadbd, mariadb, mariadb-install-db, mariadb-backup, and a release build.
set -euo pipefail

log_mb=512 seconds=15 rounds=5 build="" keep=""
while (($#)); do
    case $1 in
        --log-mb)  log_mb=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        --rounds)  rounds=$2; shift 2 ;;
        --build)   build=$2; shift 2 ;;
        --keep)    keep=1; shift ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done
source "$(dirname "$0")/common.sh"

install_server
start_server --innodb-buffer-pool-size=1G --innodb-log-file-size="${log_mb}M" \
    --innodb-flush-log-at-trx-commit=2 --innodb-log-buffer-size=8M
sql test -e "CREATE TABLE slow (id INT) ENGINE=MyISAM;
    CREATE TABLE w1 (id INT PRIMARY KEY, v CHAR(200)) ENGINE=InnoDB;
    INSERT INTO w1 SELECT seq, '' FROM seq_1_to_20000;
    CREATE TABLE w2 LIKE w1; INSERT INTO w2 SELECT * FROM w1;"

writers=()
: >"$work/failed"
begin_load() {
    local t
    for t in 1 2; do
        yes "UPDATE w$t SET v = MD5(RAND());" | sql test >/dev/null 2>&1 &
        writers+=($!)
    done
    sql test -e "INSERT INTO slow SELECT SLEEP($seconds)" >/dev/null 2>&1 &
    writers+=($!)
    sleep 0.3
}
end_load() {
    sql -e "SELECT id FROM information_schema.processlist WHERE info LIKE 'UPDATE w%'" |
        sed 's/.*/KILL &;/' | sql -f >/dev/null 2>&1 || true
    wait "${writers[@]}" 2>/dev/null || true
    writers=()
}

backup() {  # backup LABEL COMMAND...: a line of figures, and how much redo the backup has, or not
    local label=$1
    shift
    if "$measure" "$label" "$work/figures" -- "$@" >"$work/$label.log" 2>&1; then
        echo "$label $(du -sk "$work/b/ib_logfile0" | cut -f1)" >>"$work/redo"
    else
        echo "$label" >>"$work/failed"
        echo "$label failed:" "$(tail -n 3 "$work/$label.log")" >&2
        sed -i '$d' "$work/figures"
    fi
    rm -rf "$work/b"
}
hbk=("$hbk" backup --no-defaults --user=root --socket="$work/s" --target-dir="$work/b")
mb=(mariadb-backup --no-defaults --backup --user=root --socket="$work/s"
    --datadir="$work/data" --target-dir="$work/b")

for ((i = 0; i < rounds; i++)); do
    backup hbk-idle "${hbk[@]}"
    backup mb-idle "${mb[@]}"
    begin_load; backup hbk "${hbk[@]}"; end_load
    begin_load; backup mb "${mb[@]}"; end_load
done

redo_mib() { awk -v l="$1" '$1 == l {print $2 / 1024}' "$work/redo" | median; }
failures() { grep -c "^$1\$" "$work/failed" 2>/dev/null || true; }
per_mib() {  # milliseconds of CPU
    awk -v all="$(figure "$1" cpu)" -v idle="$(figure "$1-idle" cpu)" -v mib="$(redo_mib "$1")" \
        -v idle_mib="$(redo_mib "$1-idle")" 'BEGIN {print (all - idle) * 1000 / (mib - idle_mib)}'
}
echo "log of $log_mb MB, $rounds rounds of $seconds s, $(nproc) cores"
echo
echo '| | hbk | mariadb-backup | ratio |'
echo '|---|---|---|---|'
printf '| rounds that failed | %s | %s | |\n' "$(failures hbk)" "$(failures mb)"
if grep -q '^mb ' "$work/redo"; then
    printf '| redo copied, MiB | %.0f | %.0f | |\n' "$(redo_mib hbk)" "$(redo_mib mb)"
    a=$(per_mib hbk) b=$(per_mib mb)
    printf '| CPU per MiB of redo, ms | %.2f | %.2f | %s |\n' "$a" "$b" "$(ratio "$a" "$b")"
else
    printf '| redo copied, MiB | %.0f | | |\n' "$(redo_mib hbk)"
    printf '| CPU per MiB of redo, ms | %.2f | | |\n' "$(per_mib hbk)"
fi
