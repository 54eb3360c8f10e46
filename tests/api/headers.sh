#!/usr/bin/env bash
# Every header compiles alone: public ones in each dialect that users have, private ones in C11.
#
# A private header that is meant to be included into something (a template) says so:
#     /* kt-check: not alone, because ... */
set -euo pipefail
cd "$(dirname "$0")/../.."

warnings=(-Wall -Wextra -pedantic -Werror -Wshadow -Wconversion)
failed=0
n=0
alone() { # alone COMPILER-AND-FLAGS… HEADER
    local header=${*: -1}
    n=$((n + 1))
    "${@:1:$#-1}" -fsyntax-only -include "$header" /dev/null || {
        echo "$header: does not compile alone with: ${*:1:$#-1}"
        failed=$((failed + 1))
    }
}

mapfile -t public < <(find include -name '*.h' | sort)
for header in "${public[@]}"; do
    for std in c99 c11 c2x; do
        for cc in gcc clang; do
            if command -v $cc >/dev/null; then
                alone $cc -x c -std=$std "${warnings[@]}" -Iinclude "$header"
            fi
        done
    done
    for cxx in g++ clang++; do
        if command -v $cxx >/dev/null; then
            alone $cxx -x c++ -std=c++17 "${warnings[@]}" -Iinclude "$header"
        fi
    done
done

mapfile -t private < <(find src tests/testing -name '*.h' | sort |
    xargs -r grep -L 'kt-check: not alone, because')
for header in "${private[@]}"; do
    alone "${CC:-cc}" -x c -std=c11 -Wall -Wextra -Werror -Wno-unused-function \
        -D_GNU_SOURCE -DKT_ISA=portable -Iinclude -Isrc -Itests "$header"
done

if ((failed)); then
    echo "headers: $failed of $n compilations failed"
    exit 1
fi
echo "headers: ok (${#public[@]} public, ${#private[@]} private)"
