#!/usr/bin/env python3
"""What the tests reach, by gcov: tools/coverage.py BUILD-FOLDER [PREFIX…]

Lines and branches of each folder under src/; for files that begin with a PREFIX (src/io) also the lines that no test
runs. Branches count every way out of every condition, error paths that only a broken machine takes included."""
import collections
import json
import os
import pathlib
import subprocess
import sys


def files(build):
    """(name, lines, lines that ran, branches, branches taken, lines that did not run) of each source file."""
    for data in sorted(build.glob("CMakeFiles/keratin_objects.dir/src/**/*.gcda")):
        out = subprocess.run(["gcov", "-b", "-j", "-t", data], capture_output=True, cwd=build, check=True).stdout
        for f in json.loads(out)["files"]:
            name = os.path.relpath(os.path.join(build, f["file"]), pathlib.Path(__file__).resolve().parents[1])
            if not name.startswith("src/") or name.endswith(".h"):
                continue
            branches = [b["count"] > 0 for line in f["lines"] for b in line["branches"]]
            missed = [line["line_number"] for line in f["lines"] if not line["count"]]
            yield name, len(f["lines"]), len(f["lines"]) - len(missed), len(branches), sum(branches), missed


def row(name, n, ran, branches, taken):
    return f"{name:36} lines {100 * ran / max(1, n):5.1f} % of {n:6}   branches {100 * taken / max(1, branches):5.1f} % of {branches:6}"


def main():
    build, prefixes = pathlib.Path(sys.argv[1]).resolve(), tuple(sys.argv[2:])
    folders = collections.defaultdict(lambda: [0, 0, 0, 0])
    for name, *counts, missed in files(build):
        for where in (os.path.dirname(name), "all"):
            folders[where] = [a + b for a, b in zip(folders[where], counts)]
        if prefixes and name.startswith(prefixes):
            print(row(name, *counts), *missed[:40])
    if not folders:
        sys.exit(f"coverage: {build} holds no counters: run its tests first")
    for where in sorted(folders, key=lambda w: (w == "all", w)):
        print(row(where, *folders[where]))


if __name__ == "__main__":
    main()
