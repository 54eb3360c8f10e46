#!/usr/bin/env bash
# Runs the fuzz targets of build/fuzz, some at a time, and prints what each did.
#
#   fuzz/run.sh SECONDS [JOBS [TARGET…]]
#
# What was learned stays in build/fuzzing/TARGET (and is read again), findings in
# build/fuzzing/found/. Exit 1 if there is a finding: mend it, then put it beside the seeds as
# fuzz/corpora/TARGET/found_WHAT.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-30}
jobs=${2:-2}
shift $(($# < 2 ? $# : 2))
out=build/fuzzing
mkdir -p "$out/found"
python3 fuzz/dictionaries.py "$out"
targets=("$@")
if ((${#targets[@]} == 0)); then
    for program in build/fuzz/fuzz/*; do targets+=("$(basename "$program")"); done
fi
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:quarantine_size_mb=16
export UBSAN_OPTIONS=print_stacktrace=1

one() { # one SECONDS TARGET
    local seconds=$1 name=$2 out=build/fuzzing rc=0 log
    log=$out/$name.log
    mkdir -p "$out/$name"
    build/fuzz/fuzz/"$name" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 \
        -max_len=65536 -print_final_stats=1 -dict="$out/$name.dict" \
        -artifact_prefix="$out/found/$name-" "$out/$name" fuzz/corpora/"$name" \
        >"$log" 2>&1 </dev/null || rc=$?
    printf '%-12s %12s runs %6s inputs kept  %s\n' "$name" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
        "$(find "$out/$name" -type f | wc -l)" \
        "$( ((rc == 0)) && echo ok || echo "FOUND SOMETHING (exit $rc): $log")"
    if ((rc)); then grep -aE -A 12 'ERROR|runtime error|not true|SUMMARY' "$log" | head -40; fi
    return "$rc"
}
export -f one

rc=0
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I {} bash -c 'one "$1" "$2" || exit 1' - \
    "$seconds" {} || rc=1
exit "$rc"
