#!/bin/bash
# The matrix page size x checksum x kind of table: matrix.sh [--differential | --live] [options]
#
#   tests/integration/matrix.sh --differential             pages equal to mariadb-backup's prepare
#   tests/integration/matrix.sh --live --only=64k          a restored server that follows its source
#
# Prints a table in markdown. Options are those of matrix.cc. HBK_BUILD_DIR: build directory,
# default build/release. HBK_MARIADB_TREES: servers, default build/mariadb, where tests/run.sh puts
# them.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
export HBK_MARIADB_TREES=${HBK_MARIADB_TREES:-$root/build/mariadb}
exec "${HBK_BUILD_DIR:-$root/build/release}/tests/integration/matrix" "$@"
