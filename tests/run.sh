#!/bin/bash
# All tests: installs what is missing, builds the release preset, runs ctest.
#
#   bash tests/run.sh                        everything
#   bash tests/run.sh -L 'unit|lint'         some labels: unit, lint, fuzz, integration
#   bash tests/run.sh -R live_backup         some names, as ctest -R
#   bash tests/run.sh --sanitizers           before that, unit and fuzz tests under asan and ubsan
#
# Servers of other series are fetched into build/mariadb where that can be done (servers.sh), or
# taken from HBK_MARIADB_TREES=DIR, with 10.5, 10.11 and 11.8 in it.
#
# The last line is "N passed, N failed"; exit code 0 if none failed.
set -euo pipefail

cd "$(dirname "$0")/.."
source tests/packages.sh
source tests/servers.sh

with_sanitizers=no
wants_servers=yes
selection=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -L | -R)
      selection+=("$1" "${2:?$1 needs a value}")
      [[ $1 == -R || $2 == *integration* ]] || wants_servers=no
      shift 2
      ;;
    --sanitizers)
      with_sanitizers=yes
      shift
      ;;
    *)
      sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
      exit 2
      ;;
  esac
done

elapsed() { printf '%d min %02d s' $((SECONDS / 60)) $((SECONDS % 60)); }

passed=0
failed=0
skipped=0
# Counts of a JUnit file of ctest, whose own summary counts a skipped test as passed.
count_results() {
  local head
  head=$(tr '\n' ' ' <"$1" | grep -o '<testsuite [^>]*>')
  attribute() { sed -n "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" <<<"$head"; }
  local tests failures skips
  tests=$(attribute tests)
  failures=$(attribute failures)
  skips=$(($(attribute skipped) + $(attribute disabled)))
  failed=$((failed + failures))
  skipped=$((skipped + skips))
  passed=$((passed + tests - failures - skips))
  # gtest writes the reason of a skipped test into the line below.
  grep -A 1 ': Skipped$' "$1" | grep -v -e ': Skipped$' -e '^--$' | sort | uniq -c |
    sed 's/^ *\([0-9]*\) /skipped \1: /' || true
}

# Fetched while the compiler works; what it says is shown when the tests need them.
servers_pid=
fetch_servers() {
  [[ -z ${HBK_MARIADB_TREES:-} ]] || return 0
  mkdir -p build
  get_servers build/mariadb >build/servers.log 2>&1 </dev/null &
  servers_pid=$!
}

await_servers() {
  [[ -n $servers_pid ]] || return 0
  wait "$servers_pid" || true
  servers_pid=
  cat build/servers.log
  export HBK_MARIADB_TREES=$PWD/build/mariadb
}

build_and_test() {
  local preset=$1
  shift
  echo "== $preset: build ($(elapsed))"
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" -- --quiet
  echo "== $preset: test ($(elapsed))"
  local results=$PWD/build/$preset/test-results.xml
  rm -f "$results"
  local listed
  listed=$(ctest --preset "$preset" -N "$@")
  if [[ $listed == *integration/* ]]; then await_servers; fi
  # Twice as many as cores: tests with servers mostly wait, and those that do not lock each other out.
  ctest --preset "$preset" --parallel "$((2 * $(nproc)))" --output-junit "$results" "$@" || true
  count_results "$results"
}

install_packages build server test
[[ $wants_servers == no ]] || fetch_servers
if [[ $with_sanitizers == yes ]]; then
  install_packages sanitizer
  build_and_test asan
fi
build_and_test release "${selection[@]}"

echo
echo "took $(elapsed)${skipped:+, $skipped skipped}"
echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
