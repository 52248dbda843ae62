#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# limit: 200
"""Attaching to what runs: -p with threads, several -p, -a, --cgroup, -d, signals, containers."""
import os
import signal
import subprocess
import time

from tap import FAULTGEN, PGFAULT, done, equal, need_root, of_type, ok, pgfault, rows, run_json, skip

need_root("attach")
STORM = [FAULTGEN, "storm", "--seconds", "6", "--threads", "2"]


def storm():
    p = subprocess.Popen(STORM, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    return p


for tier in ("tracepoint", "perf"):
    s = storm()
    p, lines = run_json(["--tier", tier, "-p", str(s.pid), "-d", "1"])
    alive = s.poll() is None
    t = of_type(lines, "totals")[-1] if of_type(lines, "totals") else {}
    equal(p.returncode, 0, f"-p with -d, {tier}")
    ok(t.get("seen", 0) > 1000, f"-p sees the threads of a running process, {tier}", (t, p.stderr))
    ok(alive, f"and leaves it running, {tier}")
    if t.get("task_known") and tier == "tracepoint":
        gup = t["task_min"] + t["task_maj"] - t["seen"]
        ok(abs(gup) <= max(1000, t["seen"] // 20), f"-p: near the tasks' counters ({gup})", t)
    s.kill()
    s.wait()

a, b = storm(), storm()
p, lines = run_json(["-p", f"{a.pid},{b.pid}", "-d", "1"])
pids = {r["pid"] for r in rows(lines, "process") if r.get("count", 0) > 100}
ok(pids == {a.pid, b.pid}, "-p A,B sees both processes and no other", pids)
p, lines = run_json(["-a", "-d", "1"])
pids = {r["pid"] for r in rows(lines, "process")}
ok({a.pid, b.pid} <= pids, "-a sees both among others", pids)
a.kill(), b.kill(), a.wait(), b.wait()

s = storm()
start = time.time()
p = subprocess.Popen([PGFAULT, "run", "-o", "-", "-p", str(s.pid)], stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True)
s.wait()
out, err = p.communicate(timeout=30)
equal(p.returncode, 0, "-p ends when its process ends")
ok(" faults" in out, "with a summary", out + err)

p = subprocess.Popen([PGFAULT, "run", "--", "sleep", "20"], stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True)
time.sleep(1)
child = subprocess.run(["pgrep", "-P", str(p.pid), "-x", "sleep"], stdout=subprocess.PIPE,
                       text=True).stdout.split()
p.send_signal(signal.SIGTERM)
out, err = p.communicate(timeout=20)
equal(p.returncode, 0, "SIGTERM to pgfault: summary and exit status 0")
ok("goes on untraced" in err and " faults" in err, "and it says that the command goes on", err)
ok(child and os.path.exists(f"/proc/{child[0]}"), "which it does")
if child:
    os.kill(int(child[0]), signal.SIGKILL)

# A PID namespace of its own: the process sees itself as 1, pgfault sees the real one.
p, lines = run_json([], ["unshare", "--pid", "--fork", "--mount-proc", FAULTGEN, "anon-new"])
found = [r for r in rows(lines, "kind") if r["kind"] == "anon-new"]
ok(found and found[0]["count"] >= 1009, "a command in a PID namespace is followed", found)

for root in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
    if os.path.exists(os.path.join(root, "cgroup.procs")) and \
            os.path.exists(os.path.join(root, "cgroup.controllers")):
        group = os.path.join(root, f"pgfault-test-{os.getpid()}")
        os.mkdir(group)
        try:
            inside, outside = storm(), storm()
            with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as f:
                f.write(str(inside.pid))
            p, lines = run_json(["--cgroup", group, "-d", "1"])
            pids = {r["pid"] for r in rows(lines, "process")}
            equal(pids, {inside.pid}, "--cgroup sees its own tasks only")
            inside.kill(), outside.kill(), inside.wait(), outside.wait()
        finally:
            time.sleep(0.2)
            os.rmdir(group)
        break
else:
    skip("--cgroup sees its own tasks only", "no cgroup v2 hierarchy is mounted")
done()
