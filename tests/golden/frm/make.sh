#!/usr/bin/env bash
# Makes the definitions in this directory: with a server of its own, from the directory of a MariaDB
# that has the plugins (docs/testing.md, "Tests with servers").
#
#   tests/golden/frm/make.sh build/mariadb/10.11
set -euo pipefail

tree=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap '[[ -z ${server:-} ]] || { kill "$server" && wait "$server"; } 2>/dev/null; rm -rf "$work"' EXIT

"$tree/bin/mariadb-install-db" --no-defaults --datadir="$work/data" --skip-test-db \
  --auth-root-authentication-method=normal ${UID:+--user="$(id -un)"} >/dev/null 2>&1
plugins=()
for name in ha_rocksdb ha_federatedx ha_archive ha_blackhole; do
  plugins+=("--plugin-load-add=$name")
done
"$tree/bin/mariadbd" --no-defaults --user="$(id -un)" --datadir="$work/data" \
  --socket="$work/s" --skip-networking --pid-file="$work/pid" "${plugins[@]}" \
  >"$work/log" 2>&1 &
server=$!
sql() { "$tree/bin/mariadb" --no-defaults -uroot --socket="$work/s" "$@"; }
for ((i = 0; i < 300; i++)); do
  sql -e 'SELECT 1' >/dev/null 2>&1 && break
  sleep 0.2
done

# file name, and the rest of CREATE
tables=(
  "innodb|TABLE x (id INT PRIMARY KEY, b VARCHAR(20) DEFAULT 'x', KEY k (b) COMMENT 'of a key') COMMENT='of a table' ENGINE=InnoDB"
  "innodb_attributes|TABLE x (id INT PRIMARY KEY, g GEOMETRY NOT NULL, v INT AS (id+1) VIRTUAL, d VARCHAR(300) CHECK (d<>''), SPATIAL KEY (g)) PAGE_COMPRESSED=1 ENGINE=InnoDB WITH SYSTEM VERSIONING"
  "innodb_partitions|TABLE x (id INT) ENGINE=InnoDB PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)"
  "aria|TABLE x (id INT) ENGINE=Aria"
  "myisam|TABLE x (id INT, b TEXT) ENGINE=MyISAM"
  "csv|TABLE x (id INT NOT NULL) ENGINE=CSV"
  "memory|TABLE x (id INT) ENGINE=MEMORY"
  "merge|TABLE x (id INT) ENGINE=MERGE"
  "blackhole|TABLE x (id INT) ENGINE=BLACKHOLE"
  "rocksdb|TABLE x (id INT PRIMARY KEY, b INT) ENGINE=ROCKSDB"
  "rocksdb_subpartitions|TABLE x (id INT, b INT) ENGINE=ROCKSDB PARTITION BY RANGE (id) SUBPARTITION BY HASH (b) SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN (3))"
  "federated|TABLE x (id INT PRIMARY KEY) ENGINE=FEDERATED CONNECTION='s/x'"
  "sequence|SEQUENCE x"
  "view|VIEW x AS SELECT 1 AS a"
)
sql -e "CREATE DATABASE d;
  CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'root', SOCKET '$work/s', DATABASE 'd')"
for entry in "${tables[@]}"; do
  name=${entry%%|*}
  rm -f "$here/$name.frm"
  # FEDERATED looks at the table that it leads to.
  [[ $name != federated ]] || sql d -e 'CREATE TABLE f (id INT PRIMARY KEY)'
  statement=${entry#*|}
  [[ $name != federated ]] || statement=${statement/"'s/x'"/"'s/f'"}
  sql d -e "CREATE $statement"
  cp "$work/data/d/x.frm" "$here/$name.frm"
  case ${entry#*|} in
    VIEW*) sql d -e 'DROP VIEW x' ;;
    SEQUENCE*) sql d -e 'DROP SEQUENCE x' ;;
    *) sql d -e 'DROP TABLE x' ;;
  esac
done
chmod 644 "$here"/*.frm
echo "$(sql -Ne 'SELECT VERSION()'): ${#tables[@]} definitions"
