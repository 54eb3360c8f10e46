#!/usr/bin/env bash
# clang-format over the tree, with the one version that decides (others format differently).
#
#   cmake/clang_format.sh --check   fails on files that would change
#   cmake/clang_format.sh --fix     changes them
set -euo pipefail
cd "$(dirname "$0")/.."
version=14

for tool in clang-format-$version clang-format none; do
    if [[ $tool == none ]]; then
        echo "clang-format: not checked, install it: apt-get install clang-format-$version"
        [[ $1 == --check ]] # not installed is no reason to fail a check; CI installs it
        exit
    fi
    case $("$tool" --version 2>/dev/null) in *"version $version."*) break ;; esac
done

case $1 in
--check) mode=(--dry-run -Werror) ;;
--fix) mode=(-i) ;;
*)
    echo "usage: clang_format.sh --check|--fix" >&2
    exit 2
    ;;
esac
folders=()
for folder in include src tests examples fuzz; do
    if [[ -d $folder ]]; then folders+=("$folder"); fi
done
find "${folders[@]}" \( -name '*.[ch]' -o -name '*.cc' \) -print0 |
    xargs -0 "$tool" --style=file "${mode[@]}"
if [[ $1 == --check ]]; then echo "clang-format: ok"; fi
