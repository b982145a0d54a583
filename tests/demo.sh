#!/bin/bash
# The main job on a server of its own: backup under load, prepare, copy-back, a second server on
# the result, its tables compared with the source's. Exit code 0 only if all of them are equal.
#
#   bash tests/demo.sh
#
# Installs missing Debian packages when run as root, builds build/release/hbk if needed. Everything
# else happens in a temporary directory, which is removed (HBK_KEEP=1 keeps it); an installed
# server is neither used nor touched.
set -euo pipefail

cd "$(dirname "$0")/.."
source tests/packages.sh
hbk=$PWD/build/release/hbk

say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# --- servers ------------------------------------------------------------------------------------

dir=
server_pids=()
clean_up() {
  local code=$?
  for pid in "${server_pids[@]}"; do
    kill -KILL "$pid" 2>/dev/null || true
  done
  wait 2>/dev/null || true
  if [[ -n $dir && ($code -ne 0 || ${HBK_KEEP:-0} == 1) ]]; then
    echo "kept: $dir" >&2
  else
    rm -rf "$dir"
  fi
}
trap clean_up EXIT

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

as_root=()
[[ $EUID -ne 0 ]] || as_root=(--user=root)

# start_server NAME DATADIR OPTION...: returns when it answers on $dir/NAME.sock.
start_server() {
  local name=$1 data=$2
  shift 2
  # It must not survive this script, however that ends.
  setpriv --pdeathsig KILL mariadbd --no-defaults "${as_root[@]}" --datadir="$data" \
    --socket="$dir/$name.sock" --pid-file="$dir/$name.pid" --log-error="$dir/$name.log" \
    --tmpdir="$dir" --bind-address=127.0.0.1 --skip-name-resolve "$@" >/dev/null 2>&1 &
  server_pids+=($!)
  for ((i = 0; i < 600; ++i)); do
    sql "$name" 'SELECT 1' >/dev/null 2>&1 && return
    kill -0 "${server_pids[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 15 "$dir/$name.log" >&2
  fail "server '$name' did not start"
}

# sql NAME STATEMENT: rows without headings.
sql() {
  mariadb --no-defaults --socket="$dir/$1.sock" --user=root --batch --skip-column-names \
    --execute "$2"
}

# --- the steps ----------------------------------------------------------------------------------

build() {
  install_packages build server
  if [[ ! -x $hbk ]]; then
    say "building $hbk"
  fi
  { cmake --preset release && cmake --build --preset release --target hbk; } \
    >"$dir/build.log" 2>&1 || fail "the build: $(tail -n 15 "$dir/build.log")"
}

make_source() {
  # --force: on a machine whose own name does not resolve, too.
  mariadb-install-db --no-defaults "${as_root[@]}" --datadir="$dir/source" --force \
    --auth-root-authentication-method=normal --skip-test-db >"$dir/install.log" 2>&1 ||
    fail "mariadb-install-db: $(tail -n 5 "$dir/install.log")"
  port=$(free_port)
  start_server source "$dir/source" --port="$port" --server-id=1 --log-bin=binlog \
    --binlog-format=ROW
  mariadb --no-defaults --socket="$dir/source.sock" --user=root <tests/demo.sql
}

# Writes until it is stopped. The procedure goes on after a deadlock; not every one gets to its
# handler.
write_orders() {
  local log=$dir/writer.$BASHPID.log
  for _ in {1..10}; do
    sql source 'CALL shop.work()' 2>"$log" && return
    grep -qE 'ERROR (1213|1205)' "$log" || break
  done
  cat "$log" >&2
  return 1
}

start_writers() {
  for _ in 1 2; do
    write_orders &
    writers+=($!)
  done
}

stop_writers() {
  sql source 'UPDATE shop.control SET is_stopping = 1'
  wait "${writers[@]}" || fail "a writer ended with an error"
}

last_order() { sql "$1" 'SELECT MAX(id) FROM shop.orders'; }

# run_hbk COMMAND OPTION...: shows what matters of its output.
run_hbk() {
  local log=$dir/$1.log
  "$hbk" "$1" --no-defaults "${@:2}" >"$log" 2>&1 || fail "hbk $1: $(tail -n 5 "$log")"
  [[ $(tail -n 1 "$log") == *'completed OK!' ]] || fail "hbk $1 did not say 'completed OK!'"
  grep -E 'server released|redo log copied|done \(|completed OK!' "$log" |
    sed -E 's/^[0-9-]+ [0-9:]+ //; s/^/            /'
}

# The restored server follows the source from the recorded position, so that in the end both must
# be equal: it lacks nothing before that position, and has nothing from after it.
follow_source() {
  local file position rest
  read -r file position rest <"$dir/backup/xtrabackup_binlog_info"
  say "restored server follows the source from the recorded position, $file $position"
  sql restored "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$port,
    MASTER_USER='replica', MASTER_PASSWORD='replica', MASTER_USE_GTID=no,
    MASTER_LOG_FILE='$file', MASTER_LOG_POS=$position; START SLAVE"
}

wait_for_replica() {
  local file position rest
  read -r file position rest < <(sql source 'SHOW MASTER STATUS')
  local result
  result=$(sql restored "SELECT MASTER_POS_WAIT('$file', $position, 120)")
  if [[ ! $result =~ ^[0-9]+$ ]]; then
    sql restored 'SHOW SLAVE STATUS\G' | grep -E 'Last_.*Error:' >&2 || true
    fail "the restored server cannot follow the source"
  fi
}

compare_tables() {
  local table expected actual verdict differences=0
  printf '        %-22s %10s %14s %14s\n' table rows source restored
  while read -r table; do
    expected=$(sql source "CHECKSUM TABLE $table EXTENDED" | cut -f 2)
    actual=$(sql restored "CHECKSUM TABLE $table EXTENDED" | cut -f 2)
    verdict=equal
    [[ $expected == "$actual" && $expected != NULL ]] || verdict=DIFFERENT
    [[ $(sql restored "CHECK TABLE $table EXTENDED" | tail -n 1) == *OK ]] || verdict=DAMAGED
    [[ $verdict == equal ]] || differences=$((differences + 1))
    printf '        %-22s %10s %14s %14s  %s\n' "$table" \
      "$(sql restored "SELECT COUNT(*) FROM $table")" "$expected" "$actual" "$verdict"
  done < <(sql source "SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables
    WHERE table_schema = 'shop' AND table_type = 'BASE TABLE' ORDER BY 1")
  [[ $differences -eq 0 ]] || fail "$differences tables differ"
}

# --- the demonstration --------------------------------------------------------------------------

writers=()
dir=$(mktemp -d "${TMPDIR:-/tmp}/hbk-demo-XXXXXX")
build
say "$("$hbk" --version | head -n 1); server: $(mariadbd --no-defaults --version |
  sed -E 's/.*Ver ([^ ]*).*/\1/')"
make_source
say "server with $(du -sm "$dir/source" | cut -f 1) MB of data runs; two sessions write"
start_writers
sleep 1
before=$(last_order source)

say "hbk backup, of the running server"
run_hbk backup --user=root --socket="$dir/source.sock" --target-dir="$dir/backup"
say "$(($(last_order source) - before)) orders came in meanwhile"
say "hbk prepare, without a server"
run_hbk prepare --target-dir="$dir/backup"
say "hbk copy-back, into an empty directory"
mkdir "$dir/restored"
run_hbk copy-back --target-dir="$dir/backup" --datadir="$dir/restored"

start_server restored "$dir/restored" --port="$(free_port)" --server-id=2 --relay-log=relay
say "second server runs on it: last order $(last_order restored), sum of all accounts \
$(sql restored 'SELECT SUM(balance) FROM shop.accounts') (must be 100000)"
[[ $(sql restored 'SELECT SUM(balance) FROM shop.accounts') == 100000 ]] ||
  fail "the backup is not of one moment"
follow_source
stop_writers
wait_for_replica
say "writers stopped, both servers at the same position; tables compared:"
compare_tables
say "all equal. The demonstration took $SECONDS s."
