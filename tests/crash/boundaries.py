#!/usr/bin/env python3
"""Saves that end between any two system calls, calls that fail, and power cuts. Needs strace.

    tests/crash/boundaries.py KERATIN [--states 10000] [--seed N]

1. Killed at every call: a save over an old file is killed as each of its system calls begins, one run for each call.
   The file is the old or the new one to the byte, and the next save leaves nothing beside it.
2. Every call fails once (EIO; ENOSPC for writes; EINTR must not matter): exit 6 and the old file, or success and the
   new one, and nothing beside it.
3. Power cuts: the calls of a run that saves again and again (model_checkpoint) are replayed in a model of a disk, which
   is cut at a random moment: pages that were not synced are there, old, or zero, names that were not synced are there
   or not, in their order. The file must be whole, and not older than the newest one whose save had ended."""
import argparse
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "hostile"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import kit  # noqa: E402
from run import check, checks, failures, litter, model, must  # noqa: E402

CALLS = "openat,write,pwrite64,fsync,fdatasync,ftruncate,rename,unlink,close,flock,fcntl,fchmod,newfstatat,fstat"
LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
PAGE = 4096


def traced(keratin, args, log, *options):
    return subprocess.run(["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={CALLS}", *options, keratin, *map(str, args),
                           "--threads", "1"], capture_output=True, text=True, stdin=subprocess.DEVNULL).returncode


def calls_of_save(log, target):
    """(name, which of that name) of the calls from the making of the new file to the end."""
    seen, wanted, begun = {}, [], False
    for line in log.read_text(errors="replace").splitlines():
        m = LINE.match(line)
        if not m:
            continue
        name = m.group(1)
        seen[name] = seen.get(name, 0) + 1
        begun = begun or (name == "openat" and f".{target.name}." in m.group(2) and "O_EXCL" in m.group(2))
        if begun:
            wanted.append((name, seen[name]))
    return wanted


def every_call(keratin, folder, suffix):
    place, log = folder / f"calls_{suffix}", folder / "log"
    place.mkdir()
    old, new, target = folder / f"old.{suffix}", folder / f"new.{suffix}", place / f"target.{suffix}"
    for file, value in ((old, 1.0), (new, 2.0)):
        source = folder / "source.keras"
        source.write_bytes(model(300, value))
        must(keratin, "convert", source, file, "--force")
    line = ["convert", folder / "source.keras", target, "--force"]
    shutil.copy(old, target)
    check(traced(keratin, line, log) == 0 and target.read_bytes() == new.read_bytes(), f"{suffix}: the save under strace")
    calls = calls_of_save(log, target)
    check(len(calls) > 10 and {"write", "fsync", "rename"} <= {c for c, _ in calls}, f"{suffix}: calls {calls}")
    for name, k in calls:
        for what in ("signal=KILL", "error=EIO", "error=ENOSPC", "error=EINTR"):
            if what.endswith("ENOSPC") and name != "write" or what.endswith("EINTR") and name not in ("write", "close"):
                continue
            shutil.copy(old, target)
            code = traced(keratin, line, log, "-e", f"inject={name}:{what}:when={k}")
            now, where = target.read_bytes(), f"{suffix}, {name} {k}, {what}"
            check(now in (old.read_bytes(), new.read_bytes()), f"{where}: neither the old nor the new file")
            if what != "signal=KILL":
                check(code in (0, 5, 6), f"{where}: exit {code}")
                check(code or now == new.read_bytes(), f"{where}: said to be saved")
                check(not litter(target) or name == "unlink", f"{where}: left {litter(target)}")
                check(not what.endswith("EINTR") or code == 0, f"{where}: exit {code}")
            elif litter(target):
                check(len(litter(target)) == 1, f"{where}: left {litter(target)}")
                must(keratin, *line)
                check(not litter(target), f"{where}: the next save left {litter(target)}")
    print(f"{suffix}: {len(calls)} calls, each killed and failed")


# Power cuts ---------------------------------------------------------------------------------------------------------

class Inode:
    def __init__(self, data=b""):
        self.now, self.synced = bytearray(data), bytes(data)

    def sync(self):
        self.synced = bytes(self.now)

    def after_cut(self):
        """Each page is the synced one, the newest one, or zeros if it was never synced."""
        data = bytearray()
        for at in range(0, max(len(self.now), len(self.synced)), PAGE):
            new, old = bytes(self.now[at:at + PAGE]), self.synced[at:at + PAGE]
            data += random.choice((new, old or bytes(len(new))))
        return bytes(data)


class Disk:
    """Names and contents, as the process sees them and as far as they are safe."""

    def __init__(self, target, data):
        self.target, self.fds, self.names = target, {}, {target: Inode(data)}
        self.safe, self.pending = dict(self.names), []
        self.wholes, self.ended = [data], 0  # contents of completed saves; the newest that must survive

    def call(self, name, args, result):
        first = args.split(",")[0]
        fd = int(first) if first.isdigit() else None
        if name == "openat" and result >= 0:
            path = re.search(r'"([^"]*)"', args).group(1)
            path = bytes.fromhex(path.replace("\\x", "")).decode()
            if "O_CREAT" in args:
                self.names[path] = Inode()
                self.pending.append(("name", path, self.names[path]))
            self.fds[result] = self.names.get(path, path)
        elif name in ("write", "pwrite64") and isinstance(self.fds.get(fd), Inode):
            data = bytes.fromhex(re.search(r'"([^"]*)"', args).group(1).replace("\\x", ""))
            assert len(data) == result
            self.fds[fd].now += data
        elif name == "fsync" and isinstance(self.fds.get(fd), Inode):
            self.fds[fd].sync()
        elif name == "fsync" and fd in self.fds:
            for op in self.pending:
                self.apply(self.safe, op)
            self.pending = []
            self.ended = len(self.wholes) - 1
        elif name == "rename" and result == 0:
            a, b = (bytes.fromhex(p.replace("\\x", "")).decode() for p in re.findall(r'"([^"]*)"', args))
            self.names[b] = self.names.pop(a)
            self.pending.append(("rename", a, b))
            if b == self.target:
                self.wholes.append(bytes(self.names[b].now))
        elif name == "close":
            self.fds.pop(fd, None)

    @staticmethod
    def apply(names, op):
        if op[0] == "name":
            names[op[1]] = op[2]
        elif op[1] in names:
            names[op[2]] = names.pop(op[1])

    def cut(self):
        names = dict(self.safe)
        for op in self.pending[:random.randint(0, len(self.pending))]:
            self.apply(names, op)
        return names[self.target].after_cut() if self.target in names else None


def power_cuts(keratin, folder, n):
    place, log = folder / "power", folder / "log"
    place.mkdir()
    source, target = place / "m.keras", place / "target.keras"
    source.write_bytes(model(3000, 1.0))
    must(keratin, "convert", source, target)
    old = target.read_bytes()
    (place / "x.npy").write_bytes(kit.npy_of((64, 5)))
    (place / "y.npy").write_bytes(kit.npy_of((64, 2)))
    code = traced(keratin, ["fit", source, "--x", place / "x.npy", "--y", place / "y.npy", "--loss", "mse", "--epochs", "5", "--quiet",
                            "--callback", f'model_checkpoint:filepath="{target}"'], log, "-xx", "-s", "1000000")
    check(code == 0, f"power: fit: exit {code}")
    calls = []
    for line in log.read_text(errors="replace").splitlines():
        m = LINE.match(line)
        if m:
            calls.append((m.group(1), m.group(2), int(m.group(3))))
    moments = sorted(random.randrange(len(calls) + 1) for _ in range(n))
    disk, done, older, lost = Disk(str(target), old), 0, 0, 0
    for moment in moments:
        while done < moment:
            disk.call(*calls[done])
            done += 1
        found = disk.cut()
        lost += found not in disk.wholes[disk.ended:]
        older += found in disk.wholes[:-1]
    for c in calls[done:]:
        disk.call(*c)
    check(lost == 0, f"power: {lost} of {n} states hold no whole file, or one that is too old")
    check(len(disk.wholes) == 6 and disk.wholes[-1] == target.read_bytes(), f"power: {len(disk.wholes) - 1} saves were seen")
    check(disk.cut() == disk.wholes[-1], "power: what was said to be saved is not safe")
    check(older > 0, "power: no state held an older file")
    print(f"power: {n} states of {len(calls)} calls and 5 saves, {older} with an older file, {lost} with none")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keratin", type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--states", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    if not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode:
        print("boundaries: no strace here (or it may not trace): nothing was tried")
        return 0
    random.seed(options.seed)
    print(f"boundaries: --seed {options.seed}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="keratin_boundaries_"))
    try:
        for suffix in ("keras", "h5", "weights.h5", "json"):
            every_call(options.keratin, folder, suffix)
        power_cuts(options.keratin, folder, options.states)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(checks) - len(failures)} passed, {len(failures)} failed")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
