#!/usr/bin/env python3
"""Documentation that can be checked.  Prints file:line: what.

  - every ```c block of README.md and docs/*.md compiles as C11 with -Wall -Wextra -Werror
  - so does every example (indented by five) in the comments of include/keratin/*.h
  - every KT_API declaration has a comment: right above, or above the group it stands in (a group ends
    at a blank line)
  - every relative link in a *.md of the top folder and of docs/ leads to a file
  - docs/keras-map.md is what tools/keras_map.py would write

An example is a program if it has a main(); what else stands at file scope (static, typedef, #…) stays there,
and the rest becomes the body of a function. That function has the variables of PRELUDE, so that an example
may say kt_model_fit(m, x, y) without making them; an expression without a semicolon gets one.

    tools/check_docs.py
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import keras_map  # noqa: E402

FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Iinclude"]
# An example shows one line of many: what it makes is not used.
FRAGMENT_FLAGS = ["-Wno-unused-variable", "-Wno-unused-function", "-Wno-unused-value",
                  "-Wno-unused-parameter", "-Wno-unused-result", "-Wno-unused-but-set-variable"]
PRELUDE = """#include <keratin/keratin.h>
#include <keratin/sys/layer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern kt_model *m, *model, *other, *base;
extern kt_layer *l, *layer;
extern kt_tensor *x, *y, *x_val, *y_val, *some;
extern kt_sym *a, *b;
extern kt_optimizer *opt;
extern kt_schedule *sched;
extern kt_loss *bce, *cce;
extern double factor;
extern int n_in, units;
extern int state;
kt_hook stop_at_99;
kt_generator_fn next_batch;
kt_lr_function halve_every_ten;
"""
PRELUDE_OF = {
    "include/keratin/data.h": "extern kt_splits d;\n",
    "include/keratin/utils.h": "extern kt_splits d;\n",
    "include/keratin/sequences.h": "extern kt_text_splits d;\n",
    "include/keratin/schedules.h": "extern kt_schedule *s;\n",
    "include/keratin/sys/layer.h": "extern struct { kt_var *w; } *s;\n",
}
FILE_SCOPE = re.compile(r"(?:static|typedef|extern)\b|#|\w[\w ]*\**\w+\([^;]*\{$")


class Example:
    """Text of an example and the file and line where it begins."""

    def __init__(self, path, line, text):
        self.path, self.line, self.text = path, line, text
        self.is_program = bool(re.search(r"^int main\(", text, re.M))

    def parts(self):
        """(lines at file scope, lines of the function), each as (line number, text)."""
        outside, inside, depth, is_open, preprocessor = [], [], 0, False, False
        for number, line in enumerate(self.text.split("\n"), self.line):
            if not is_open and FILE_SCOPE.match(line):
                is_open, depth, preprocessor = True, 0, line.startswith("#")
            (outside if is_open else inside).append((number, line))
            code = re.sub(r"//.*|/\*.*?\*/", "", line).rstrip()
            depth += code.count("{") - code.count("}")
            if preprocessor:
                is_open = is_open and line.endswith("\\")
            elif is_open and depth == 0 and code.endswith((";", "}")):
                is_open = False
        return outside, inside

    def function(self, number):
        """As C, with #line so that the compiler names the place in the document."""
        outside, inside = self.parts()
        out = []
        last = 0
        for at, line in outside:
            if at != last + 1:
                out.append('#line %d "%s"' % (at, self.path))
            out.append(line)
            last = at
        code = [line for _, line in inside if line.strip()]
        if not code:
            return out
        out.append("void example_%d(void) {" % number)
        out.append('#line %d "%s"' % (inside[0][0], self.path))
        bare = re.sub(r"//[^\n]*|/\*.*?\*/", "", "\n".join(code), flags=re.DOTALL).rstrip()
        out += [line for _, line in inside]
        if not bare.endswith((";", "}")) or bare.endswith("})"):
            out.append(";")
        return out + ["}"]


def blocks_of_markdown(path):
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and line.strip() == "```c":
            start = number
        elif start is not None and line.strip() == "```":
            yield Example(path, start + 1, "\n".join(lines[start:number - 1]))
            start = None


def examples_of_header(path):
    """Runs of lines ` *     code` after a blank line of a comment, blank lines within them."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    start, run = 0, []
    for number, line in enumerate(lines, 1):
        code = re.match(r" \*     (.*)", line)
        if code and (run or (lines[number - 2] == " *" and code.group(1)[:1] != " ")):
            start = start or number
            run.append(code.group(1))
        elif run and line == " *" and re.match(r" \*     ", lines[number]):
            run.append("")
        elif run:
            yield Example(path, start, "\n".join(run))
            start, run = 0, []


def compile_text(text, flags, complaints):
    compiler = os.environ.get("CC", "cc").split()
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "example.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write(text)
        done = subprocess.run(compiler + FLAGS + flags + ["-c", "-o", source + ".o", source],
                              stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        complaints.append(done.stderr.replace(source, "example").rstrip())


def each_expression(example):
    """Some examples are several expressions, one a line: then each is a statement of its own."""
    lines = example.text.split("\n")
    if len(lines) > 1 and not any(line.rstrip().endswith((";", "{", "}", ",", "(", "\\"))
                                  or line.startswith("#") for line in lines):
        return [Example(example.path, example.line + i, line) for i, line in enumerate(lines) if line]
    return [example]


def check_examples(complaints):
    n = 0
    for path in ["README.md"] + sorted(glob.glob("docs/*.md")):
        for example in blocks_of_markdown(path):
            n += 1
            if example.is_program:
                compile_text('#line %d "%s"\n%s\n' % (example.line, path, example.text), [],
                             complaints)
            else:
                compile_text(PRELUDE + "\n".join(example.function(0)) + "\n", FRAGMENT_FLAGS,
                             complaints)
    for path in headers():
        text = [PRELUDE + PRELUDE_OF.get(path, "")]
        for example in examples_of_header(path):
            for part in each_expression(example):
                n += 1
                text += part.function(n)
        compile_text("\n".join(text) + "\n", FRAGMENT_FLAGS, complaints)
    return n


def headers():
    return sorted(glob.glob("include/keratin/**/*.h", recursive=True))


def check_comments(complaints):
    n = 0
    for path in headers():
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        commented = False
        for number, line in enumerate(lines, 1):
            if not line:
                commented = False
            commented = commented or line.startswith("/*")
            if line.startswith("KT_API"):
                n += 1
                if not commented:
                    complaints.append("%s:%d: no comment: %s" % (path, number, line))
    return n


def check_links(complaints):
    for path in sorted(glob.glob("*.md") + glob.glob("docs/*.md")):
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", line):
                    if not os.path.exists(os.path.join(os.path.dirname(path), target)):
                        complaints.append("%s:%d: no such file: %s" % (path, number, target))


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    complaints = []
    examples = check_examples(complaints)
    declarations = check_comments(complaints)
    check_links(complaints)
    stale = keras_map.check()
    if stale:
        complaints.append(stale)
    for complaint in complaints:
        print(complaint)
    if complaints:
        print("check_docs: %d complaints" % len(complaints))
        return 1
    print("check_docs: ok (%d examples, %d declarations)" % (examples, declarations))
    return 0


if __name__ == "__main__":
    sys.exit(main())
