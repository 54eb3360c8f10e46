#!/usr/bin/env python3
"""Hostile files: makes hundreds of them, gives each to the command, and compares what it says with what it must.

    tests/hostile/run.py KERATIN [--jobs 2] [--only Z9] [--list] [--keep FOLDER] [--strict-limits]

Every case has the exit code that is required (docs/safety.md says where the list comes from). No run may crash, show
a report of a sanitizer, take longer than its limit of time, or more memory than its file and 64 MiB. Nothing may be
written anywhere, and files that the hostile ones name (a canary, watched by inotify) may not be opened.

With --strict-limits (for a release build) the limits are those of the goal: 1 s, RLIMIT_AS on top. Without, for a
build under sanitizers, eight times the time, and the memory of the sanitizer is left out."""
import argparse
import collections
import concurrent.futures
import ctypes
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import kit  # noqa: E402

REPORTS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehaviorSanitizer")
SANITIZER_EXIT = 99


class Canary:
    """A folder that hostile files name; whoever opens or reads something in it is noticed."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        (folder / "secret.h5").write_bytes(kit.H5(kit.mlp_weights()).bytes())
        (folder / "secret.txt").write_text("the\nsecret\nwords\n")
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        opened, accessed = 0x20, 0x1
        if self.fd < 0 or self.libc.inotify_add_watch(self.fd, str(folder).encode(), opened | accessed) < 0:
            print("hostile: no inotify here: that no other file is opened is not checked")
            self.fd = -1

    def touched(self):
        if self.fd < 0:
            return False
        try:
            return bool(os.read(self.fd, 65536))
        except BlockingIOError:
            return False


class Launchers:
    """Helpers that start the command, one for each thread."""

    def __init__(self, n):
        script = pathlib.Path(__file__).resolve().parent / "launcher.py"
        self.free = queue.Queue()
        for _ in range(n):
            self.free.put(subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

    def run(self, argv, env, seconds, memory):
        """(exit code or "time", text of both streams, seconds, peak KiB)"""
        p = self.free.get()
        try:
            p.stdin.write(json.dumps([argv, env, seconds, memory]) + "\n")
            p.stdin.flush()
            return json.loads(p.stdout.readline())
        finally:
            self.free.put(p)

    def close(self):
        while not self.free.empty():
            p = self.free.get()
            p.stdin.close()
            p.wait()


class Runner:
    def __init__(self, options, folder, launchers):
        self.options, self.folder, self.launchers = options, folder, launchers
        self.seconds = 1.0 if options.strict_limits else 8.0
        self.env = dict(os.environ, KERAS_HOME=str(folder / "keras"), NO_COLOR="1",
                        ASAN_OPTIONS=f"exitcode={SANITIZER_EXIT}:allocator_may_return_null=1:detect_leaks=1:quarantine_size_mb=1",
                        UBSAN_OPTIONS=f"exitcode={SANITIZER_EXIT}:print_stacktrace=1",
                        LSAN_OPTIONS=f"exitcode={SANITIZER_EXIT}")
        self.base = self.baseline()

    def baseline(self):
        """Memory of a run that has nothing to do, in KiB."""
        honest = self.folder / "honest.keras"
        honest.write_bytes(kit.keras_file())
        code, text, _, peak = self.launchers.run([self.options.keratin, "check", str(honest)], self.env, 60, None)
        if code != 0:
            sys.exit(f"hostile: the honest file is not accepted (exit {code}):\n{text}")
        return peak

    def write(self, c):
        folder = self.folder / c.file
        folder.mkdir()
        path = folder / c.file
        if callable(c.data):
            c.data(path)
        else:
            path.write_bytes(c.data)
        for name, data in c.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder, path

    def command(self, c, args, folder, path):
        return [self.options.keratin] + [
            a.replace("{}", str(path)).replace("{folder}", str(folder)) for a in args]

    def check(self, c):
        """What is wrong with a case, an empty list if nothing is."""
        folder, path = self.write(c)
        size = sum(f.stat().st_blocks * 512 for f in folder.rglob("*") if f.is_file())
        before = sorted(str(f) for f in folder.rglob("*"))
        wrong = []
        seconds, longest, most = self.seconds * c.slow, 0, 0
        room = self.base + (size >> 10) + ((64 + c.room) << 10)
        memory = (room << 10) + (2 << 30) if self.options.strict_limits else None
        runs = [(c.args, c.codes)]
        # to look into a file must not harm either; under sanitizers where it reads more than JSON
        if c.args[0] == "check" and (self.options.strict_limits or c.line[0] in "ZHBD"):
            runs.append((("info", "{}"), tuple({*c.codes, 0, 1, 3, 4, 7, 9})))
        for args, codes in runs:
            env = dict(self.env, KERAS_HOME=str(folder / "keras"))
            code, text, used, peak = self.launchers.run(self.command(c, args, folder, path), env, seconds, memory)
            longest, most = max(longest, used), max(most, peak)
            what = f"{args[0]}: "
            if any(r in text for r in REPORTS) or code == SANITIZER_EXIT:
                wrong.append(what + "sanitizer report:\n" + text[:3000])
            elif code not in codes:
                wrong.append(what + f"exit {code}, expected {' or '.join(map(str, codes))}\n    {text.strip()[:500]}")
            elif c.says and args is c.args and c.says not in text:
                wrong.append(what + f"the message lacks {c.says!r}\n    {text.strip()[:500]}")
            elif not isinstance(code, int) or used > seconds:
                wrong.append(what + f"{used:.1f} s, at most {seconds:g}")
            if any(ord(x) < 32 and x not in "\n\t" or x == "\x7f" for x in text):
                wrong.append(what + "control characters reach the terminal")
            if self.options.strict_limits and peak > room:
                wrong.append(what + f"{peak >> 10} MiB, at most {room >> 10}")
            if not self.options.strict_limits and peak > 3 * room + (256 << 10):
                wrong.append(what + f"{peak >> 10} MiB with a sanitizer, at most {(3 * room >> 10) + 256}")
        if sorted(str(f) for f in folder.rglob("*")) != before:
            wrong.append("something was written beside the file")
        if not self.options.keep:
            shutil.rmtree(folder)
        return wrong, longest, most


def load_cases(canary):
    import data_cases
    import graph_cases
    import hdf5_cases
    import json_cases
    import npz_cases
    import text_cases
    import zip_cases
    zip_cases.add()
    json_cases.add()
    graph_cases.add(canary)
    hdf5_cases.add(canary)
    data_cases.add(canary)
    npz_cases.add()
    text_cases.add()
    doubled = [n for n, k in collections.Counter(c.file for c in kit.CASES).items() if k > 1]
    if doubled:
        sys.exit(f"hostile: two cases have one name: {doubled}")
    return kit.CASES


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keratin", type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="cases whose file name begins with this")
    parser.add_argument("--list", action="store_true", help="print names and required codes, run nothing")
    parser.add_argument("--keep", type=pathlib.Path, help="write the files here and keep them")
    parser.add_argument("--strict-limits", action="store_true")
    options = parser.parse_args()
    folder = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="keratin_hostile_"))
    folder.mkdir(parents=True, exist_ok=True)
    launchers = Launchers(0 if options.list else options.jobs)
    try:
        canary = Canary(folder / "canary")
        cases = [c for c in load_cases(str(canary.folder)) if c.file.startswith(options.only)]
        if options.list:
            for c in cases:
                print(c.file, *c.codes)
            return 0
        canary.touched()
        runner = Runner(options, folder, launchers)
        failed, worst, start = 0, (0, ""), time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for c, (wrong, used, peak) in zip(cases, pool.map(runner.check, cases)):
                worst = max(worst, (used / c.slow, c.file))
                if wrong:
                    failed += 1
                    print(f"{c.file}:", *(f"  {w}" for w in wrong), sep="\n")
        if canary.touched():
            failed += 1
            print("a file outside was opened: run with --only to find which case did it")
        print(f"{len(cases)} hostile files in {time.monotonic() - start:.0f} s; the slowest: {worst[1]}, {worst[0]:.2f} s "
              "of its second")
        print(f"{len(cases) - failed} passed, {failed} failed")
        return int(failed > 0)
    finally:
        launchers.close()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
