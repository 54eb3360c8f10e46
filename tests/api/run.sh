#!/usr/bin/env bash
# Installs a build into a temporary folder and uses it from there, as a stranger would: through
# pkg-config in every dialect of C and C++, shared and static, and through find_package.
#
#   tests/api/run.sh build/release
#
# Closes with "N passed, N failed".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: tests/api/run.sh BUILD-FOLDER}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved" # what is installed can be moved
prefix=$work/moved
pc=$(find "$prefix" -name keratin.pc)
libdir=$(dirname "${pc%/*}")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir

passed=0
failed=0
try() { # try WHAT COMMAND…
    local what=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'failed: %s\n  %s\n' "$what" "$*"
        sed 's/^/  /' "$work/log"
    fi
}
build_and_run() { # build_and_run COMPILER-AND-FLAGS…
    rm -f "$work/a.out"
    "$@" -o "$work/a.out" && "$work/a.out"
}

warnings="-Wall -Wextra -pedantic -Werror -Wshadow -Wconversion"
flags=$(pkg-config --cflags keratin)
libs=$(pkg-config --libs keratin)
# shellcheck disable=SC2086 # lists of words
for std in c99 c11 c2x; do
    for cc in gcc clang; do
        if command -v $cc >/dev/null; then
            try "$cc -std=$std" build_and_run $cc -std=$std $warnings "$here/c_user.c" $flags $libs
        fi
    done
done
# shellcheck disable=SC2086
for cxx in g++ clang++; do
    if command -v $cxx >/dev/null; then
        try "$cxx -std=c++17" \
            build_and_run $cxx -std=c++17 $warnings "$here/cpp_user.cc" $flags $libs
    fi
done
# shellcheck disable=SC2046,SC2086
try "static library" build_and_run "${CC:-cc}" $warnings "$here/c_user.c" $flags \
    "$libdir/libkeratin.a" $(pkg-config --libs libzip zlib libdeflate jansson) -lm -pthread

if [[ -x $prefix/bin/keratin ]]; then
    try "keratin --version" "$prefix/bin/keratin" --version
fi

cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.16)
project(user C)
find_package(Keratin REQUIRED)
add_executable(shared_user ${USER_SOURCE})
target_link_libraries(shared_user Keratin::keratin)
add_executable(static_user ${USER_SOURCE})
target_link_libraries(static_user Keratin::static)
END
find_package_works() {
    cmake -S "$work" -B "$work/build" \
        -DCMAKE_PREFIX_PATH="$prefix" -DUSER_SOURCE="$here/c_user.c" &&
        cmake --build "$work/build" && "$work/build/shared_user" && "$work/build/static_user"
}
try "find_package(Keratin)" find_package_works

echo "$passed passed, $failed failed"
((failed == 0))
