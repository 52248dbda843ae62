#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# limit: 300
"""What was seen against counters that pgfault does not own: getrusage, perf stat, faultgen."""
import json
import os
import re
import subprocess
import tempfile

from tap import FAULTGEN, done, equal, need_root, of_type, ok, rows, run_json, skip

need_root("crosscheck")
TOUCH = """
import mmap, resource
before = resource.getrusage(resource.RUSAGE_SELF)
m = mmap.mmap(-1, 4097 * 4096)
for i in range(4097):
    m[i * 4096] = 1
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_minflt, after.ru_majflt)
"""


def totals(lines):
    found = of_type(lines, "totals")
    return found[-1] if found else {}


for tier in ("tracepoint", "perf"):
    with tempfile.TemporaryDirectory() as d:
        p, lines = run_json(["--tier", tier], ["python3", "-c", TOUCH])
    t = totals(lines)
    equal(p.returncode, 0, f"{tier}: a run of python3 succeeds")
    ok(t, f"{tier}: the totals are there", p.stderr)
    if not t:
        continue
    ok(t["seen"] >= 4097, f"{tier}: at least the 4097 touched pages are seen", t)
    equal(t["lost"]["events"], 0, f"{tier}: no event was lost")
    equal(t["task_known"], True, f"{tier}: the tasks' own counters are known")
    gup = t["task_min"] + t["task_maj"] - t["seen"]
    ok(0 <= gup <= 40, f"{tier}: seen + GUP = the tasks' min + maj, GUP is small: {gup}", t)

# perf stat counts hardware faults in user range by itself, beside pgfault, on the same run.
with tempfile.TemporaryDirectory() as d:
    out = os.path.join(d, "stat")
    p, lines = run_json([], ["perf", "stat", "-x,", "-o", out, "-e",
                             "page-faults,minor-faults,major-faults", "--", FAULTGEN, "anon-new",
                             "kernel-mode", "segv-maperr"])
    stat = {}
    with open(out, encoding="utf-8") as f:
        for line in f:
            fields = line.split(",")
            if len(fields) > 2 and fields[0].isdigit():
                stat[fields[2]] = int(fields[0])
t = totals(lines)
by_process = [r for r in rows(lines, "process") if r.get("comm") == "faultgen"]
ok(stat.get("page-faults", 0) > 2000, "perf stat has counted", stat)
ok(t and t["failed"] in (131, 132), "131 made SIGSEGVs, and one to warm up, are failed faults", t)
ok(t and t["seen"] >= stat.get("minor-faults", 0) + stat.get("major-faults", 0),
   "pgfault saw what perf stat counted, and perf's own faults", (t, stat))

# A fault that no exception is taken for is in the tasks' counters only.
with tempfile.TemporaryDirectory() as d:
    out = os.path.join(d, "made")
    p, lines = run_json([], [FAULTGEN, "gup-populate", "--json", out])
    made = json.loads(open(out, encoding="utf-8").readline())
t = totals(lines)
gup = t["task_min"] + t["task_maj"] - t["seen"]
ok(made["expect"] <= gup <= made["expect"] + 40,
   f"{made['expect']} populated pages are the remainder of the cross-check: {gup}", t)

# A tree of processes, with grandchildren that nobody waits for.
SCRIPT = "for i in 1 2 3 4 5 6 7 8; do (sh -c 'ls / >/dev/null' & ); done; sleep 0.3; true"
p, lines = run_json([], ["sh", "-c", SCRIPT])
t = totals(lines)
ok(t and t["task_known"] and t["tasks"] >= 17, "every process of a tree is accounted for", t)
gup = t["task_min"] + t["task_maj"] - t["seen"]
ok(0 <= gup <= 15 * t["tasks"], f"and the sums agree: remainder {gup}", t)
done()
