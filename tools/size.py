#!/usr/bin/env python3
"""Lines of .c, .h and .def per folder against tools/budget.txt.

Growth is a decision: a change that needs more than a folder's budget raises the number there.
Tests are counted apart and have no limit; a folder without a row fails like one over its budget.
"""
import os
import sys

BUDGET = "tools/budget.txt"
SUFFIXES = (".c", ".h", ".def")


def lines_of(path):
    with open(path, "rb") as f:
        return f.read().count(b"\n")


def read_budget():
    budget = {}
    with open(BUDGET, encoding="utf-8") as f:
        for line in f:
            words = line.split("#")[0].split()
            if words:
                budget[words[0]] = int(words[1])
    return budget


def row_of(budget, folder):
    while folder and folder not in budget:
        folder = os.path.dirname(folder)
    return folder


def count(budget):
    lines, tests, without_row = dict.fromkeys(budget, 0), 0, {}
    for top in ("include", "src", "tests", "fuzz"):
        for folder, _, names in os.walk(top):
            for name in names:
                if not name.endswith(SUFFIXES):
                    continue
                n = lines_of(os.path.join(folder, name))
                row = row_of(budget, folder)
                if name.endswith("_test.c") or top in ("tests", "fuzz"):
                    tests += n
                elif row:
                    lines[row] += n
                else:
                    without_row[folder] = without_row.get(folder, 0) + n
    return lines, tests, without_row


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    budget = read_budget()
    lines, tests, without_row = count(budget)
    over = 0
    print("%-22s %8s %8s" % ("folder", "lines", "budget"))
    for folder, limit in budget.items():
        if lines[folder] > limit:
            over += 1
        if lines[folder]:
            print("%-22s %8d %8d%s" % (folder, lines[folder], limit,
                                       "  over" if lines[folder] > limit else ""))
    for folder, n in sorted(without_row.items()):
        print("%-22s %8d %8s" % (folder, n, "no row"))
    print("%-22s %8d %8d" % ("total", sum(lines.values()) + sum(without_row.values()),
                             sum(budget.values())))
    print("%-22s %8d" % ("tests", tests))
    return 1 if over or without_row else 0


if __name__ == "__main__":
    sys.exit(main())
