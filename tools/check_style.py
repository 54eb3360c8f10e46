#!/usr/bin/env python3
"""House style that neither the compiler nor clang-format checks.  Prints file:line: what, why.

In src/ (but not in src/cli and *_test.c): calls that are banned, and raw malloc outside base/mem.c.
In all C files: functions of at most 70 lines, files of at most 800, lines of at most 100 columns, no
`switch` over op kinds, a comment at the top that says what the file is.
In all text files: no tabs, no trailing blanks, a newline at the end.

Exceptions are written into the file, with the reason, and are listed at every run:

    /* kt-check: long, because ... */      the length limits, for the whole file
    /* kt-check: switch, because ... */    the switch on the next line

    tools/check_style.py [FILE...]         without files: the whole tree
"""
import os
import re
import sys

FUNCTION_LINES = 70
FILE_LINES = 800
COLUMNS = 100

C_SUFFIXES = (".c", ".h", ".cc")
TEXT_SUFFIXES = C_SUFFIXES + (
    ".def", ".py", ".sh", ".cmake", ".txt", ".in", ".json", ".yaml", ".md")
# Below tests/golden lies text exactly as Keras prints it.
PRUNED = {"./.git", "./build", "./tests/golden", "./fuzz/corpora"}

BANNED = {
    "strcpy": "no bound; use kt_str or memcpy with a checked size",
    "strncpy": "may leave no terminator; use kt_str or memcpy",
    "strcat": "no bound; use kt_str",
    "sprintf": "no bound; use snprintf or kt_str_addf",
    "vsprintf": "no bound; use kt_vsnprintf",
    "gets": "no bound",
    "strtok": "hidden state; scan with strcspn",
    "atoi": "no errors; use strtol with an end pointer",
    "alloca": "stack use depends on input; use an arena",
    "exit": "a library returns a kt_status",
    "abort": "a library returns a kt_status",
    "printf": "a library does not print; use the text output or the log",
    "vprintf": "a library does not print; use the text output or the log",
    "puts": "a library does not print; use the text output or the log",
    "putchar": "a library does not print; use the text output or the log",
}
LOCALE = "depends on the program's locale; base/locale.h has one that does not"
BANNED.update(dict.fromkeys(
    ("strtod", "strtof", "atof", "sscanf", "vsnprintf", "isalpha", "isalnum", "isspace", "islower",
     "isupper", "tolower", "toupper", "setlocale", "strcoll"), LOCALE))
LOCALE_HOME = "src/base/locale.c"
ALLOCATORS = ("malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "strdup",
              "strndup", "asprintf", "vasprintf")
ALLOCATOR_HOME = "src/base/mem.c"

CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(list(BANNED) + list(ALLOCATORS)))
MARK = re.compile(r"kt-check:\s*(long|switch), because\s+(\S.*)")
OP_SWITCH = re.compile(r"\bswitch\s*\(.*\bop(def|code|_kind|_id)?\b[^,]*\)|\bcase\s+KT_OP_\w+\s*:")
LITERALS = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)


def blank_literals(text):
    """The text with comments and strings turned into blanks, line breaks kept."""
    return LITERALS.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def blank_macros(lines):
    """Preprocessor lines, with those they continue on, turned into empty ones."""
    out, inside = [], False
    for line in lines:
        inside = inside or line.lstrip().startswith("#")
        out.append("" if inside else line)
        inside = inside and line.endswith("\\")
    return out


def functions(lines):
    """Yields (name, first line, last line), from 1. House style makes it easy: a signature starts
    in column 0, its body opens with `) {` at the end of a line, and `}` in column 0 closes it."""
    start, i = None, 0
    while i < len(lines):
        if re.match(r"\w", lines[i]):
            start = i
        if start is not None and re.search(r"\)[\w\s]*\{\s*$", lines[i]):
            head = " ".join(lines[start:i + 1])
            called = re.search(r"(\w+)\s*\(([^()]*)", head)
            if called and not re.search(r"[=;]", head):
                end = next((j for j in range(i + 1, len(lines)) if lines[j].startswith("}")), i)
                name = called.group(1)
                if name == "KT_TEST":
                    name += "(%s)" % called.group(2)
                yield name, start + 1, end + 1
                i, start = end, None
        i += 1


class Checker:
    def __init__(self):
        self.complaints = []
        self.marks = []

    def complain(self, path, line, text):
        self.complaints.append((path, line, text))

    def check_text(self, path, lines):
        tabs_ok = os.path.basename(path) == "Makefile"
        for i, line in enumerate(lines, 1):
            if "\t" in line and not tabs_ok:
                self.complain(path, i, "tab; indent with spaces")
            if line != line.rstrip():
                self.complain(path, i, "CR LF" if line.endswith("\r") else "trailing blank")

    def check_marks(self, path, lines):
        kinds = {}
        for i, line in enumerate(lines, 1):
            found = MARK.search(line)
            if found:
                reason = found.group(2).replace("*/", "").strip()
                self.marks.append("%s:%d: %s, because %s" % (path, i, found.group(1), reason))
                kinds.setdefault(found.group(1), set()).add(i)
        return kinds

    def check_calls(self, path, code):
        for i, line in enumerate(code, 1):
            for found in CALL.finditer(line):
                name = found.group(1)
                if name in BANNED and BANNED[name] == LOCALE and path == LOCALE_HOME:
                    continue
                if name in BANNED:
                    self.complain(path, i, "%s is banned: %s" % (name, BANNED[name]))
                elif path != ALLOCATOR_HOME:
                    self.complain(path, i, "%s outside %s: memory comes from kt_alloc or an arena"
                                  % (name, ALLOCATOR_HOME))

    def check_c(self, path, text, lines):
        marks = self.check_marks(path, lines)
        code = blank_literals(text).split("\n")
        for i, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                self.complain(path, i, "%d columns, at most %d" % (len(line), COLUMNS))
        if not text.lstrip().startswith(("/*", "//")):
            self.complain(path, 1, "no comment at the top: say what the file is, and why")
        plain = blank_macros(code)
        if "long" not in marks:
            if len(lines) > FILE_LINES:
                self.complain(path, FILE_LINES + 1, "%d lines in the file, at most %d"
                              % (len(lines), FILE_LINES))
            for name, first, last in functions(plain):
                if last - first + 1 > FUNCTION_LINES:
                    self.complain(path, first, "%s has %d lines, at most %d"
                                  % (name, last - first + 1, FUNCTION_LINES))
        allowed = marks.get("switch", set())
        for i, line in enumerate(plain, 1):
            if OP_SWITCH.search(line) and not {i, i - 1} & allowed:
                self.complain(path, i, "switch over op kinds: put the difference into the opdef")
        library = path.startswith("src/") and not path.startswith("src/cli/")
        if library and not path.endswith("_test.c"):
            self.check_calls(path, code)

    def check_registry(self, path, lines):
        seen = set()
        for number, line in enumerate(lines, 1):
            if line.startswith("KT_") and line in seen:
                self.complain(path, number, "listed twice")
            seen.add(line)

    def check(self, path):
        with open(path, "rb") as f:
            raw = f.read()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.complain(path, 1, "not UTF-8")
            return
        if not text:
            return
        if not text.endswith("\n"):
            self.complain(path, text.count("\n") + 1, "no newline at the end of the file")
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        self.check_text(path, lines)
        if path.startswith("src/nn/") and path.endswith(".def"):
            self.check_registry(path, lines)
        if path.endswith(C_SUFFIXES):
            self.check_c(path, text, lines)


def tree():
    for folder, folders, names in os.walk("."):
        folders[:] = sorted(d for d in folders if os.path.join(folder, d) not in PRUNED)
        for name in sorted(names):
            if name.endswith(TEXT_SUFFIXES) or name == "Makefile":
                yield os.path.relpath(os.path.join(folder, name))


def main(arguments):
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    checker = Checker()
    paths = [p for p in arguments if p.endswith(TEXT_SUFFIXES)] or list(tree())
    for path in paths:
        checker.check(path)
    for mark in checker.marks:
        print("exception: " + mark)
    for path, line, text in checker.complaints:
        print("%s:%d: %s" % (path, line, text))
    if checker.complaints:
        print("check_style: %d complaints" % len(checker.complaints))
        return 1
    print("check_style: ok (%d files)" % len(paths))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
