#!/bin/bash
# Live backups with random seeds, one line a run: campaign.sh [RUNS] [options]
#
#   tests/integration/campaign.sh 20                        half of them with a log that wraps
#   tests/integration/campaign.sh 10 --log=small --tool=mariadb-backup
#
# Options are those of live_backup_campaign.cc. HBK_BUILD_DIR: build directory, default
# build/release. HBK_MARIADB_TREES: servers for --server, default build/mariadb.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
export HBK_MARIADB_TREES=${HBK_MARIADB_TREES:-$root/build/mariadb}
build_dir=${HBK_BUILD_DIR:-$root/build/release}
runs=20
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  runs=$1
  shift
fi
exec "$build_dir/tests/integration/live_backup_campaign" "--runs=$runs" "$@"
