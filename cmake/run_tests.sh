#!/usr/bin/env bash
# Runs ctest in a build folder and closes with "N passed, N failed", which counts single tests.
#
#   cmake/run_tests.sh build/release -L short
#
# ctest counts executables and each holds dozens of tests, so the numbers come from cmocka's closing
# lines in ctest's log. An executable without such a line (an example, a crash) counts as one.
set -euo pipefail

build=$1
shift
log=$build/Testing/Temporary/LastTest.log
rm -f "$log"
if [ -d ../shared/keras-home ]; then export KERAS_HOME=${KERAS_HOME:-$PWD/../shared/keras-home}; fi

rc=0
ctest --test-dir "$build" --output-on-failure --no-tests=error -j "${JOBS:-$(nproc)}" "$@" || rc=$?

# shellcheck disable=SC2016 # awk's own dollars
count='
/^\[  PASSED  \] [0-9]+ test/ { passed = $4 }
/^\[  FAILED  \] [0-9]+ test/ { failed = $4 }
/^Test Passed\./              { ok = 1 }
/^".*" end time:/ {
    if (ok && passed + failed == 0) passed = 1
    if (!ok && failed == 0) failed = 1
    all_passed += passed
    all_failed += failed
    passed = failed = ok = 0
}
END {
    if (rc != 0 && all_failed == 0) all_failed = 1
    printf "%d passed, %d failed\n", all_passed, all_failed
}'
touch "$log" 2>/dev/null || log=/dev/null
awk -v rc="$rc" "$count" "$log"
exit "$rc"
