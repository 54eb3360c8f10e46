#!/usr/bin/env python3
"""Writes docs/corpus.md: what became of every model and weight file of ../shared/corpus (tools/corpus_table.py
[KERATIN]). "loads" means that `keratin check` took it whole; whether the predictions are Keras' is what the tests of
src/saving compare (tests/golden/legacy.npz)."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
HEAD = """# The files of the corpus

Real files from public repositories, Keras 1.2 to 3.15, and what this version does with them. Written by
`tools/corpus_table.py`; not to be edited by hand. *loads*: architecture, weights and, where the file has it, the
optimizer's state. *weights*: no architecture in the file; the values are for `load_weights`.

| file | form | Keras | what happens |
|---|---|---|---|
"""


def run(program, *arguments):
    p = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout, p.stderr


def row(program, path):
    code, out, err = run(program, "info", "--json", path)
    info = json.loads(out) if code == 0 and out.startswith("{") else {}
    form, version = info.get("format", "?"), info.get("keras_version") or ""
    if path.suffix == ".json":
        return None
    code, _, err = run(program, "check", path)
    lines = [x for x in err.strip().splitlines() if x.strip()]
    reason = lines[0].split(": ", 1)[-1] if lines else ""
    for cut in (" in file ", f' "{path}"', str(path)):
        reason = reason.split(cut)[0]
    what = ("weights" if "weights" in form else "loads") if code == 0 else f"refused (exit {code}): {reason}"
    name = str(path.relative_to(CORPUS))
    return f"| {name} | {form} | {version} | {what.replace('|', chr(92) + '|')} |\n", code == 0


def main():
    program = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "release" / "keratin"
    rows = [r for p in sorted([*CORPUS.glob("models/*"), *CORPUS.glob("weights/*")]) if (r := row(program, p))]
    if not rows:
        sys.exit(f"there are no files in {CORPUS}")
    good = sum(ok for _, ok in rows)
    text = HEAD + "".join(r for r, _ in rows) + f"\n{good} of {len(rows)} load.\n"
    (ROOT / "docs" / "corpus.md").write_text(text)
    print(f"docs/corpus.md: {good} of {len(rows)} files load")


if __name__ == "__main__":
    main()
