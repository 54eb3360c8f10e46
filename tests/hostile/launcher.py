#!/usr/bin/env python3
"""Starts programs for run.py and measures them. A process of its own, because the peak memory that the system counts
for a child begins with that of its parent, and run.py holds large files.

One JSON list a line on stdin: [argv, environment, seconds, address space or null]. One a line on stdout: [exit code
or "time", text, seconds, peak KiB]."""
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time


def limits(seconds, memory):
    def apply():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    return apply


def run(argv, env, seconds, memory):
    deadline = time.monotonic() + 30 * seconds  # of the wall; processor time is limited by the system
    with tempfile.TemporaryFile() as out:
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env,
                             preexec_fn=limits(seconds, memory))
        pid = 0
        while not pid:
            if time.monotonic() > deadline:
                os.kill(p.pid, signal.SIGKILL)  # p.kill() would take the exit status
            time.sleep(0.002)
            pid, status, usage = os.wait4(p.pid, os.WNOHANG)
        p.returncode = 0
        out.seek(0)
        text = out.read(100000).decode(errors="replace")
    code = os.waitstatus_to_exitcode(status)
    return ["time" if code in (-9, -24) else code, text, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]


for line in sys.stdin:
    print(json.dumps(run(*json.loads(line))), flush=True)
