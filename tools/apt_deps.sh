#!/bin/sh
# Installs the Debian packages that the named jobs still miss; says nothing when none is missing.
#
#   tools/apt_deps.sh build data      what `make demo` and `make test` need
#   tools/apt_deps.sh check ci        the tools of `make check` and of .ci/run
#
# What is there is found by trying it (a compiler may come from anywhere), so no root and no Debian
# is needed when nothing is missing.
set -eu

missing=""
need() { # need PACKAGE COMMAND…: the package is missing unless the command succeeds
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

compiles() { # a C compiler with its library's headers, and make
    work=$(mktemp -d)
    echo 'int main(void) { return 0; }' >"$work/a.c"
    echo '#include <pthread.h>' >>"$work/a.c"
    result=0
    { "${CC:-cc}" -o "$work/a" "$work/a.c" && command -v make; } || result=1
    rm -rf "$work"
    return $result
}
sanitizer_runtime() { # clang's own run-time library, for fuzzing and sanitizers
    work=$(mktemp -d)
    echo 'int main(void) { return 0; }' >"$work/a.c"
    result=0
    clang -fsanitize=address -o "$work/a" "$work/a.c" || result=1
    rm -rf "$work"
    return $result
}
clang_format_14() { clang-format-14 --version || clang-format --version | grep -q 'version 14\.'; }

for job in "$@"; do
    case $job in
    build)
        need build-essential compiles
        need cmake command -v cmake
        need pkg-config command -v pkg-config
        need libzip-dev pkg-config --exists libzip
        need zlib1g-dev pkg-config --exists zlib
        need libdeflate-dev pkg-config --exists libdeflate
        need libjansson-dev pkg-config --exists jansson
        need libcmocka-dev pkg-config --exists cmocka
        ;;
    data)
        need dataset-fashion-mnist test -s \
            /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
        ;;
    check)
        need python3 command -v python3
        need binutils command -v objdump
        need clang-format-14 clang_format_14
        ;;
    ci)
        need g++ command -v c++
        need clang command -v clang
        need python3-venv python3 -c 'import ensurepip, venv'
        need libclang-rt-14-dev sanitizer_runtime
        need strace command -v strace
        need locales test -r /usr/share/i18n/locales/de_DE
        ;;
    *)
        echo "apt_deps.sh: unknown job $job (build, data, check, ci)" >&2
        exit 2
        ;;
    esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Missing here (Debian's names):$missing. Please install them, then run this again." >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=sudo
else
    echo "Missing packages. As root: apt-get install$missing" >&2
    exit 1
fi
echo "Installing with apt-get:$missing"
log=$(mktemp)
# shellcheck disable=SC2086 # a list of words
if ! {
    $as_root apt-get update &&
        $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends $missing
} >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    echo "apt-get could not install:$missing" >&2
    exit 1
fi
rm -f "$log"
