#!/bin/bash
# All benchmarks one after another: one page of Markdown on stdout. It takes about an hour on two
# cores; nothing else should run beside it.
#
#   tests/bench/run.sh [--runs N] [--data-mb N] [--only PART,...] [--build DIR]
#
# Parts: backup, huge, small, load, locks, tailer, prepare, increments, storage,
# verify. docs/benchmarks.md has the figures of such runs, and what they mean.
set -euo pipefail

runs=5 data_mb=2048 build="" only=backup,huge,small,load,locks,tailer,prepare,increments,storage,verify
while (($#)); do
    case $1 in
        --runs)    runs=$2; shift 2 ;;
        --data-mb) data_mb=$2; shift 2 ;;
        --only)    only=$2; shift 2 ;;
        --build)   build=$2; shift 2 ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done
here=$(dirname "$0")
same=(${build:+--build "$build"})

part() {  # part NAME TITLE SCRIPT OPTION...
    [[ ,$only, == *,$1,* ]] || return 0
    printf '\n## %s\n\n`%s`\n\n' "$2" "tests/bench/$3 ${*:4}"
    "$here/$3" "${@:4}" "${same[@]}"
}
part backup "Full backup" backup.sh --data-mb "$data_mb" --runs "$runs"
part huge "Full backup of one huge table" backup.sh --data-mb "$data_mb" --tables 1 --runs "$runs"
part small "Small tables and partitions" small_tables.sh --runs "$runs"
part load "Under a write load" load.sh --data-mb "$data_mb" --rounds "$runs"
part locks "What others feel of the locks" many_tables.sh --rounds "$runs"
part tailer "Copying the redo log" tailer.sh --rounds "$runs"
part tailer "Copying a small redo log" tailer.sh --log-mb 12 --rounds "$runs"
part prepare "Prepare" prepare.sh --data-mb "$data_mb" --runs "$runs"
part increments "Increments" increments.sh --data-mb "$data_mb" --runs "$runs"
part storage "Compression and encryption" storage.sh --data-mb "$data_mb" --runs "$runs"
part verify "Verify" verify.sh --data-mb "$data_mb" --runs "$runs"
