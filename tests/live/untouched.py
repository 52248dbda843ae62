#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# limit: 300
"""A traced program behaves as an untraced one, and a killed tracer leaves nothing behind."""
import os
import re
import signal
import subprocess
import time

from tap import FAULTGEN, PGFAULT, done, equal, need_root, ok, skip

need_root("untouched")


def bpf_objects():
    """Ids of loaded BPF programs, from the kernel."""
    out = subprocess.run(["bpftool", "prog", "list"], stdout=subprocess.PIPE, text=True).stdout
    return set(re.findall(r"^(\d+):", out, re.M))


def stopped():
    """Pids of processes named faultgen or sleep that are stopped or traced."""
    out = subprocess.run(["ps", "-eo", "pid,stat,comm"], stdout=subprocess.PIPE, text=True).stdout
    return [line for line in out.splitlines()
            if re.search(r"\s[Tt]\S*\s+(faultgen|sleep)", line)]


listed = subprocess.run([FAULTGEN, "--list"], stdout=subprocess.PIPE, text=True).stdout
for workload in ("signals", "vfork", "execstorm", "manythreads", "exit-middle"):
    if not re.search(rf"^\s*{workload}\b", listed, re.M):
        skip(f"{workload} behaves the same", "faultgen does not make it")
        continue
    bare = subprocess.run([FAULTGEN, workload], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60)
    for tier in ("tracepoint", "perf"):
        traced = subprocess.run([PGFAULT, "run", "--tier", tier, "-o", "/dev/null", "--",
                                 FAULTGEN, workload],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        equal(traced.returncode, bare.returncode, f"{workload}: same exit status, {tier} tier")

for tier in ("tracepoint", "perf"):
    before = bpf_objects()
    p = subprocess.Popen([PGFAULT, "run", "--tier", tier, "-o", "/dev/null", "--", "sleep", "3"])
    time.sleep(1.5)
    during = bpf_objects()
    if tier == "tracepoint":
        ok(during - before, "BPF programs are loaded while tracing", (before, during))
    p.send_signal(signal.SIGKILL)
    p.wait()
    for _ in range(50):
        if not bpf_objects() - before:
            break
        time.sleep(0.1)
    ok(not bpf_objects() - before, f"kill -9 leaves no BPF program ({tier})",
       bpf_objects() - before)
    ok(not stopped(), f"kill -9 leaves no stopped child ({tier})", stopped())

# Killed while the command is still held: the command must never run.
for delay in (0.0, 0.01, 0.02, 0.05):
    p = subprocess.Popen([PGFAULT, "run", "-o", "/dev/null", "--", "sleep", "30"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    p.kill()
    p.wait()
time.sleep(0.3)
out = subprocess.run(["ps", "-eo", "ppid,stat,comm"], stdout=subprocess.PIPE, text=True).stdout
out = "\n".join(line for line in out.splitlines() if re.match(r"\s*1\s+[^Z]\S*\s+pgfault$", line))
ok(not out, "no held copy of pgfault survives its killed parent", out)

p = subprocess.Popen([PGFAULT, "run", "-o", "-", "-a", "-d", "30"], stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True)
time.sleep(1)
p.send_signal(signal.SIGINT)
out, err = p.communicate(timeout=20)
equal(p.returncode, 0, "SIGINT ends -a with exit status 0")
ok("fault" in out, "and prints the summary", out + err)
done()
