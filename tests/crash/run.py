#!/usr/bin/env python3
"""Saving when things go wrong: killed at random moments, and on a disk that is full, read-only or gone.

    tests/crash/run.py KERATIN [--kills 200] [--seed N]

Kills: `keratin convert` saves over a file that is there and gets SIGKILL after a random time. Then the file must be
the old one or the new one to the byte, must load, and at most one hidden file may lie beside it; the next save must
take that away. Full disk: in a mount namespace of its own with a tmpfs of 2 MiB, where that is permitted."""
import argparse
import copy
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "hostile"))
import kit  # noqa: E402

failures, checks = [], []


def check(ok, what):
    checks.append(what)
    if not ok:
        failures.append(what)
        print(f"FAILED: {what}")


def model(units, value):
    """Input (5,), Dense(units), Dense(2): a .keras file of 28 bytes for each unit."""
    config = copy.deepcopy(kit.mlp_config())
    config["config"]["layers"][1]["config"]["units"] = units
    raw = {shape: kit.struct.pack("<f", value) * kit.math.prod(shape) for shape in ((5, units), (units,), (units, 2), (2,))}
    tree = {"dense": kit.Group({"vars": kit.Group({str(i): kit.Data(s, raw[s]) for i, s in enumerate(((5, units), (units,)))})}),
            "dense_1": kit.Group({"vars": kit.Group({str(i): kit.Data(s, raw[s]) for i, s in enumerate(((units, 2), (2,)))})})}
    return kit.keras_file(config, kit.H5(kit.mlp_weights(**tree)).bytes())


def run(keratin, *args):
    return subprocess.run([keratin, *map(str, args)], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def must(keratin, *args):
    r = run(keratin, *args)
    if r.returncode:
        sys.exit(f"crash: {' '.join(map(str, args))}: exit {r.returncode}\n{r.stderr}")


def litter(target):
    return [f for f in target.parent.iterdir() if f != target]


def kills(keratin, folder, n, suffix):
    """n kills while the target changes between two models."""
    place = folder / f"kill_{suffix}"
    place.mkdir()
    target, whole, sources = place / f"target.{suffix}", [], []
    duration = 0
    for i in range(2):
        source, out = folder / f"source_{i}.keras", folder / f"whole_{i}.{suffix}"
        source.write_bytes(model(40000, i + 1.0))
        start = time.monotonic()
        must(keratin, "convert", source, out, "--force")
        duration = time.monotonic() - start
        whole.append(out.read_bytes())
        sources.append(source)
    shutil.copy(folder / f"whole_0.{suffix}", target)
    halves = changed = killed = 0
    for i in range(n):
        old = target.read_bytes()
        p = subprocess.Popen([keratin, "convert", sources[(i + 1) % 2], target, "--force"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 1.1) * duration)
        p.send_signal(signal.SIGKILL)
        killed += p.wait() == -signal.SIGKILL
        now = target.read_bytes()
        check(now in (old, whole[(i + 1) % 2]), f"{suffix}, kill {i}: the file is neither the old nor the new one")
        changed += now != old
        left = litter(target)
        halves += len(left)
        check(len(left) <= 1, f"{suffix}, kill {i}: {len(left)} files beside it")
        if i % 10 == 0:
            check(run(keratin, "check", target).returncode == 0, f"{suffix}, kill {i}: the file does not load")
    must(keratin, "convert", sources[0], target, "--force")
    check(target.read_bytes() == whole[0], f"{suffix}: the save after all of it is not whole")
    check(not litter(target), f"{suffix}: a save left {litter(target)}")
    print(f"{suffix}: {n} runs, {killed} killed before their end, {halves} of them while writing, {changed} files changed")
    check(killed >= n // 4, f"{suffix}: too few runs were killed")
    check(halves > 0, f"{suffix}: no run was killed while it wrote")


def no_space(keratin, disk):
    """Inside the namespace: `disk` holds 2 MiB."""
    small, large = disk.parent / "small.keras", disk.parent / "large.keras"
    small.write_bytes(model(2000, 1.0))
    large.write_bytes(model(150000, 2.0))  # 4 MB
    for suffix in ("keras", "h5"):
        target = disk / f"m.{suffix}"
        must(keratin, "convert", small, target)
        old = target.read_bytes()
        for i in range(3):
            r = run(keratin, "convert", large, target, "--force")
            check(r.returncode == 6, f"full disk, {suffix}: exit {r.returncode}, expected 6: {r.stderr[:200]}")
            check("no space" in r.stderr, f"full disk, {suffix}: the message does not say so: {r.stderr[:200]}")
            check(target.read_bytes() == old, f"full disk, {suffix}: the old file changed")
            check(not litter(target), f"full disk, {suffix}: left {litter(target)}")
        must(keratin, "convert", small, target, "--force")
        target.unlink()
    x = disk.parent / "x.npy"
    x.write_bytes(kit.npy_of((200000, 5)))
    for out in ("y.npy", "y.npz"):
        r = run(keratin, "predict", small, "--x", x, "-o", disk / out)  # 1.6 MB fit, half of it twice
        target = disk / out
        check(r.returncode in (0, 6), f"full disk, {out}: exit {r.returncode}: {r.stderr[:200]}")
        check(target.exists() == (r.returncode == 0), f"full disk, {out}: half a file")
        check(not [f for f in disk.iterdir() if f != target], f"full disk, {out}: left something")
        if target.exists():
            r = run(keratin, "predict", small, "--x", x, "-o", target, "--force")
            check(r.returncode == 6, f"full disk, {out} twice: exit {r.returncode}: {r.stderr[:200]}")
            check([f.name for f in disk.iterdir()] == [out], f"full disk, {out} twice: left something")
            target.unlink()
    target = disk / "m.keras"
    must(keratin, "convert", small, target)
    old = target.read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    r = run(keratin, "convert", small, target, "--force")
    check(r.returncode == 5, f"read-only: exit {r.returncode}, expected 5: {r.stderr[:200]}")
    check(target.read_bytes() == old and not litter(target), "read-only: something changed")
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


def vanished(keratin, folder):
    small = folder / "small_too.keras"
    small.write_bytes(model(10, 1.0))
    r = run(keratin, "convert", small, folder / "nowhere" / "m.keras")
    check(r.returncode == 5, f"no such folder: exit {r.returncode}, expected 5")


def full_disk(keratin, folder):
    disk = folder / "disk"
    disk.mkdir()
    script = f'mount -t tmpfs -o size=2m keratin "{disk}" && exec "{sys.executable}" "{__file__}" "{keratin}" --inside "{disk}"'
    if subprocess.run(["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size=2m keratin "{disk}"'], capture_output=True).returncode:
        print("crash: mounting in a namespace is not permitted here, the full disk was not tried")
        return
    check(subprocess.run(["unshare", "-m", "sh", "-c", script]).returncode == 0, "full disk: see above")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keratin", type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--inside", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        no_space(options.keratin, options.inside)
        return int(bool(failures))
    random.seed(options.seed)
    print(f"crash: --seed {options.seed}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="keratin_crash_", dir=os.environ.get("TMPDIR")))
    try:
        for suffix in ("keras", "h5"):
            kills(options.keratin, folder, options.kills // 2, suffix)
        vanished(options.keratin, folder)
        full_disk(options.keratin, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(checks) - len(failures)} passed, {len(failures)} failed")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
