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

# table TITLE LABEL NAME [LABEL NAME]...: what the runs of each label cost, and the ratio of the
# first to each of the others.
table() {
    local title=$1 labels=() names=() row name column unit scale i a b
    shift
    while (($#)); do labels+=("$1") names+=("$2"); shift 2; done
    printf '\n| %s | %s |' "$title" "${names[0]}"
    for ((i = 1; i < ${#names[@]}; i++)); do printf ' %s | ratio |' "${names[i]}"; done
    printf '\n|---|---|'
    for ((i = 1; i < ${#names[@]}; i++)); do printf -- '---|---|'; done
    printf '\n'
    for row in wall:3:s:1 user:4:s:1 system:5:s:1 'user and system:cpu:s:1' \
        'peak memory:6:MiB:1024' 'page cache, growth:7:MiB:1024' 'read from disk:8:MiB:1024' \
        'written to disk:9:MiB:1024'; do
        IFS=: read -r name column unit scale <<<"$row"
        a=$(figure "${labels[0]}" "$column")
        printf '| %s, %s | %s |' "$name" "$unit" "$(scaled "$a" "$scale")"
        for ((i = 1; i < ${#labels[@]}; i++)); do
            b=$(figure "${labels[i]}" "$column")
            printf ' %s | %s |' "$(scaled "$b" "$scale")" "$(ratio "$a" "$b")"
        done
        printf '\n'
    done
}
scaled() { awk -v a="$1" -v s="$2" 'BEGIN {printf (s == 1) ? "%.2f" : "%.0f", a / s}'; }

# MiB/s of plain direct reads and writes of 1 GiB: what the disk gives just now.
disk_speed() {
    local file=$work/disk
    rate() { "$@" 2>&1 | awk -v b=1024 '/copied/ {for (i = 1; i <= NF; i++) if ($i == "s,") printf "%.0f", b / $(i - 1)}'; }
    dd if=/dev/urandom of="$file" bs=4M count=256 oflag=direct status=none
    printf 'direct reads %s MiB/s, direct writes %s MiB/s' \
        "$(rate dd if="$file" of=/dev/null bs=4M iflag=direct)" \
        "$(rate dd if=/dev/zero of="$file" bs=4M count=256 oflag=direct conv=notrunc,fsync)"
    rm "$file"
}

machine() {  # a line about it
    local memory
    memory=$(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo)
    echo "$(nproc) cores, $memory GiB of memory, $(disk_speed), page cache $cache," \
        "load average $(cut -d' ' -f1 /proc/loadavg)"
}

# So that the server notes how long the BACKUP STAGE statements held what.
watched_stages=(--performance-schema=ON
    '--performance-schema-instrument=%=OFF'
    '--performance-schema-instrument=statement/abstract/%=ON'
    '--performance-schema-instrument=statement/com/%=ON'
    --performance-schema-instrument=statement/sql/backup=ON
    --performance-schema-consumer-events-statements-current=ON
    --performance-schema-consumer-events-statements-history-long=ON)

# What under_load.cc wants: nine tables of ten are InnoDB, the tenth is MyISAM.
make_watched_tables() {  # make_watched_tables COUNT
    local myisam=$(($1 / 10)) i
    local columns='(id INT PRIMARY KEY AUTO_INCREMENT, k INT NOT NULL, v VARCHAR(200), KEY (k))'
    {
        echo 'CREATE DATABASE watch; CREATE TABLE watch.tick (id INT PRIMARY KEY, n INT) ENGINE=InnoDB;'
        echo 'INSERT INTO watch.tick VALUES (1, 0); CREATE DATABASE many; USE many;'
        for ((i = 0; i < $1 - myisam; i++)); do
            echo "CREATE TABLE i$i $columns ENGINE=InnoDB; INSERT INTO i$i (k, v) VALUES (1, 'first');"
        done
        for ((i = 0; i < myisam; i++)); do
            echo "CREATE TABLE m$i $columns ENGINE=MyISAM; INSERT INTO m$i (k, v) VALUES (1, 'first');"
        done
    } | sql
}

find_under_load() {
    under_load=$(find "$build" -name under_load -type f -perm -u+x -print -quit)
    [[ -x $under_load ]] || { echo "no under_load in $build" >&2; exit 2; }
}
beside() {  # beside LABEL COMMAND...: a line of what the load felt
    local label=$1
    shift
    "$under_load" "$label" "$work/figures" "$work/s" -- "$@"
    rm -rf "$work/b"
}

