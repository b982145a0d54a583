# Sourced by the benchmarks: a server of their own, data, redo, runs with their figures.
#
# Sets here, work and server; the caller has set build. Everything lies in a temporary directory,
# which is removed at the end (kept with keep=1).
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${build:-$here/build/release}
hbk=$build/hbk
measure=$(find "$build" -name measure -type f -perm -u+x -print -quit)
[[ -x $hbk && -x $measure ]] || { echo "no release build in $build" >&2; exit 2; }
PATH=$PATH:/usr/sbin

work=$(mktemp -d "${TMPDIR:-/tmp}/hbk-bench.XXXXXX")
server=
stop_server() {
    [[ -z $server ]] || kill -9 "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    server=
}
cleanup() {
    stop_server
    if [[ -n ${keep:-} ]]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

sql() { mariadb --no-defaults -u root -S "$work/s" -N -B "$@"; }

install_server() {
    rm -rf "$work/data"
    mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$work/data" \
        --auth-root-authentication-method=normal --force >"$work/install.log" 2>&1
}

start_server() {  # start_server OPTION...
    mariadbd --no-defaults --user="$(id -un)" --datadir="$work/data" --socket="$work/s" \
        --pid-file="$work/pid" --skip-networking "$@" >"$work/server.log" 2>&1 &
    server=$!
    for _ in $(seq 600); do
        sql -e 'SELECT 1' >/dev/null 2>&1 && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    tail -5 "$work/server.log" >&2
    echo "the server did not start" >&2
    exit 1
}

# Everything that was changed stays in memory, and its redo in the log.
lazy=(--innodb-buffer-pool-size=4G --innodb-log-file-size=4G --innodb-log-buffer-size=64M
    --innodb-flush-log-at-trx-commit=2 --innodb-max-dirty-pages-pct=99
    --innodb-max-dirty-pages-pct-lwm=0 --innodb-adaptive-flushing=OFF)

shut_server_down() {
    kill "$server"
    wait "$server" || true
    server=
}

cache="dropped before each run"
drop_cache() {
    sync
    echo 3 2>/dev/null >/proc/sys/vm/drop_caches || cache="warm (may not be dropped here)"
}

status_of() { sql -e "SHOW GLOBAL STATUS LIKE '$1'" | cut -f2; }
lsn() { status_of Innodb_lsn_current; }

# Tables of compact rows with a secondary index and a filler that does not shrink.
load_data() {  # load_data MIB [TABLES]
    local tables=${2:-8} t
    local rows=$(($1 * 1024 * 1024 / tables / 260))
    for ((t = 1; t <= tables; t++)); do
        sql test -e "CREATE TABLE t$t (id INT PRIMARY KEY AUTO_INCREMENT, k INT NOT NULL,
                         c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, KEY (k)) ENGINE=InnoDB;
            INSERT INTO t$t (k, c, pad)
                SELECT FLOOR(RAND(seq) * $rows), REPEAT(MD5(seq), 3), MD5(seq * 7)
                FROM seq_1_to_$rows"
    done
}

# Updates all over the tables, by two sessions, until that much redo has been written.
make_redo() {  # make_redo MIB
    local begin rows t range=20000 updates writers=()
    begin=$(lsn)
    rows=$(sql test -e 'SELECT MAX(id) FROM t1')
    while (($(lsn) - begin < $1 * 1024 * 1024)); do
        for updates in "1 2 3 4" "5 6 7 8"; do
            for t in $updates; do
                from=$((RANDOM * 32768 % (rows - range)))
                echo "UPDATE t$t SET k = FLOOR(RAND() * $rows), pad = MD5(RAND())
                      WHERE id BETWEEN $from AND $((from + range));"
            done | sql test &
            writers+=($!)
        done
        wait "${writers[@]}"
        writers=()
    done
}

run() {  # run LABEL COMMAND...: a line of figures
    local label=$1
    shift
    drop_cache
    "$measure" "$label" "$work/figures" -- "$@" >"$work/$label.log" 2>&1 ||
        { tail -5 "$work/$label.log" >&2; echo "$label failed" >&2; exit 1; }
}

median() { sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
# figure LABEL COLUMN: the median; "cpu" is user and system together.
figure() { awk -F'\t' -v l="$1" -v c="$2" '$1 == l {print (c == "cpu") ? $4 + $5 : $c}' "$work/figures" | median; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {print (b > 0) ? sprintf("%.3g", a / b) : "-"}'; }
