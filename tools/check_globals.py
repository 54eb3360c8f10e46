#!/usr/bin/env python3
"""Checks the symbols of a built library.

  - writable data in libkeratin.a stands in tools/globals.txt, each with its reason
  - libkeratin.so exports only kt_ names, and each of them stands in a public header

    tools/check_globals.py build/release
"""
import glob
import os
import re
import subprocess
import sys

ALLOWED = "tools/globals.txt"
# nm calls a constant table of pointers "d", because the loader fills it in: objdump knows the
# section, and .data.rel.ro is read-only once the program runs.
WRITABLE = re.compile(r"^(\.data(?!\.rel\.ro)|\.bss|\.tdata|\.tbss|\*COM\*)")


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def writable_symbols(archive):
    """The set of (object file, symbol); gcc's suffix of static locals (`.0`) is taken off.

    Compound literals at file scope (`.attrs = &(softmax_attrs){1}` in samples) count as constant:
    they have no name, and the tables that hold them point to const."""
    symbols, member = set(), "?"
    for line in run("objdump", "-t", archive).splitlines():
        if ":     file format" in line:
            member = line.split(":")[0]
            continue
        # address, flags (7 columns), section, tab, size and name
        found = re.match(r"^[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+ +(?:\.hidden )?(\S+)$", line)
        if found and "d" not in found.group(1) and WRITABLE.match(found.group(2)):
            symbols.add((member, re.sub(r"\.\d+$", "", found.group(3))))
    return sorted(s for s in symbols if s[1] not in ("__compound_literal", ".compoundliteral"))


def read_allowed():
    allowed = {}
    with open(ALLOWED, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            words = line.split("#")[0].split(None, 2)
            if not words:
                continue
            if len(words) < 3:
                sys.exit("%s:%d: expected: file symbol reason" % (ALLOWED, number))
            allowed[(words[0], words[1])] = number
    return allowed


def check_writable(build):
    archive = os.path.join(build, "libkeratin.a")
    allowed = read_allowed()
    used, bad = set(), 0
    for member, symbol in writable_symbols(archive):
        source = re.sub(r"\.o$", "", member)
        keys = {k for k in allowed if k[1] == symbol and os.path.basename(k[0]) == source}
        used |= keys
        if not keys:
            bad += 1
            print("%s: writable global `%s`: make it const, or say in %s why it must be"
                  % (source, symbol, ALLOWED))
    for path, symbol in sorted(set(allowed) - used):
        line = allowed[(path, symbol)]
        print("%s:%d: `%s` of %s is gone: remove the line" % (ALLOWED, line, symbol, path))
        bad += 1
    return bad


def check_exports(build):
    library = os.path.join(build, "libkeratin.so")
    if not os.path.exists(library):
        return 0
    declared = ""
    for path in glob.glob("include/keratin/**/*.h", recursive=True):
        with open(path, encoding="utf-8") as f:
            declared += f.read()
    names = set(re.findall(r"\bkt_\w+", declared))
    bad = 0
    for line in run("nm", "-D", "--defined-only", library).splitlines():
        symbol = line.split()[-1].split("@")[0]
        if not symbol.startswith("kt_"):
            bad += 1
            print("libkeratin.so exports `%s`: only kt_ names may be exported" % symbol)
        elif symbol not in names:
            bad += 1
            print("libkeratin.so exports `%s`, which no public header declares" % symbol)
    return bad


def main(arguments):
    if len(arguments) != 1:
        sys.exit("usage: tools/check_globals.py BUILD-FOLDER")
    build = os.path.abspath(arguments[0])
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    bad = check_writable(build) + check_exports(build)
    print("check_globals: " + ("%d complaints" % bad if bad else "ok"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
