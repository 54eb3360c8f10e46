#!/usr/bin/env python3
"""Checks #include lines against the folder table tools/deps.txt.  Prints file:line: what.

  - a folder of src/ includes only what stands in its row, and the table has no cycle
  - private headers are included by path from src/ ("ir/graph.h"), public ones as <keratin/...>
  - x.c includes its own x.h first
  - public headers include only the C library and each other
  - the command, the examples and tests/e2e include public headers only

*_test.c files may include anything.
"""
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TABLE = "tools/deps.txt"
SUFFIXES = (".c", ".h", ".def", ".cc")
C_LIBRARY = {
    "assert.h", "complex.h", "ctype.h", "errno.h", "fenv.h", "float.h", "inttypes.h", "limits.h",
    "math.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h",
    "string.h", "time.h",
}


class TableError(Exception):
    pass


def read_rows():
    rows = {}
    with open(TABLE, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            folder, colon, allowed = line.partition(":")
            if not colon or folder in rows:
                raise TableError("%s:%d: expected one row `folder: folders`" % (TABLE, number))
            rows[folder] = allowed.split()
    return rows


def below(rows, folder, path=()):
    """All folders that `folder` may include, itself and those of its `x+` and x among them."""
    if folder in path:
        raise TableError("%s: cycle %s" % (TABLE, " -> ".join(path + (folder,))))
    if folder not in rows:
        raise TableError("%s: no row for %s (asked for by %s)" % (TABLE, folder, (path or "?")[-1]))
    out = {folder}
    for item in rows[folder]:
        if item != "public":
            out |= below(rows, item.rstrip("+"), path + (folder,))
    return out


def read_table():
    """Folder -> the set of folders it may include; "public" in the set means nothing else."""
    rows = read_rows()
    table = {}
    for folder, items in rows.items():
        below(rows, folder)  # finds cycles and unknown names
        table[folder] = {folder}
        for item in items:
            table[folder] |= below(rows, item[:-1]) if item.endswith("+") else {item}
    return table


def row_of(table, path):
    """The longest folder of the table that the path stands in."""
    folder = os.path.dirname(path)
    while folder and folder not in table:
        folder = os.path.dirname(folder)
    return folder


def includes(path):
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            found = INCLUDE.match(line)
            if found:
                yield number, found.group(1) == '"', found.group(2)


def check_public_header(path, complain):
    for number, quoted, name in includes(path):
        if quoted:
            complain(number, 'public headers include each other as <keratin/...>, not "%s"' % name)
        elif name.startswith("keratin/"):
            if not os.path.exists("include/" + name):
                complain(number, "<%s> is not in include/" % name)
        elif name not in C_LIBRARY:
            complain(number, "<%s>: neither the C library nor a public header" % name)


def check_private(path, place, table, complain):
    """`place` is the path as the table sees it: from src/ for the library, else from the top."""
    row = row_of(table, place)
    if not row:
        complain(1, "no row in %s for this folder" % TABLE)
        return
    for number, quoted, name in includes(path):
        if not quoted:
            continue
        if os.path.exists(os.path.join("src", name)):
            target = row_of(table, name)
        elif os.path.exists(os.path.join(os.path.dirname(path), name)):
            if path.startswith("src/"):
                complain(number, 'write the path from src/: "%s"' % os.path.relpath(
                    os.path.join(os.path.dirname(path), name), "src"))
            continue
        elif os.path.exists("include/" + name) or name.startswith("keratin/"):
            complain(number, "write <%s>: it is a public header" % name)
            continue
        else:
            complain(number, '"%s" is not in src/' % name)
            continue
        if target not in table[row]:
            allowed = " ".join(sorted(table[row] - {row, "public"})) or "public headers only"
            complain(number, '%s may not include "%s" (allowed: %s)' % (row, name, allowed))


def check_own_header(path, place, complain):
    own = os.path.splitext(place)[0] + ".h"
    if not path.endswith(".c") or not os.path.exists("src/" + own):
        return
    for number, _, name in includes(path):
        if name != own:
            complain(number, 'includes its own header "%s" first' % own)
        return


def check(path, table, complain):
    if path.endswith("_test.c"):
        return
    if path.startswith("include/"):
        check_public_header(path, complain)
    elif path.startswith("src/"):
        check_private(path, path[4:], table, complain)
        check_own_header(path, path[4:], complain)
    elif row_of(table, path):
        check_private(path, path, table, complain)


def tree():
    for top in ("include", "src", "examples", "bench", "tests"):
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                if name.endswith(SUFFIXES):
                    yield os.path.join(folder, name)


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    try:
        table = read_table()
    except TableError as e:
        print(e)
        return 1
    complaints = 0
    paths = list(tree())
    for path in paths:
        def complain(line, text, path=path):
            nonlocal complaints
            complaints += 1
            print("%s:%d: %s" % (path, line, text))
        check(path, table, complain)
    if complaints:
        print("check_deps: %d complaints" % complaints)
        return 1
    print("check_deps: ok (%d files)" % len(paths))
    return 0


if __name__ == "__main__":
    sys.exit(main())
