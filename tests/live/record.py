#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# limit: 200
"""Recording: exact losses, a full disk, private files, both tiers."""
import json
import os
import stat
import subprocess
import tempfile

from tap import FAULTGEN, PGFAULT, done, equal, json_lines, need_root, of_type, ok, pgfault, rows

need_root("record")


def report(path):
    p = pgfault("report", "-i", path, "--json")
    lines = json_lines(p.stdout)
    return p, lines, (of_type(lines, "totals") or [{}])[-1]


with tempfile.TemporaryDirectory() as d:
    # seen + lost = the tasks' own counters, whatever the rings could hold.
    for tier in ("tracepoint", "perf"):
        for ring in ([], ["--ring", "16"]):
            name = f"{tier} {' '.join(ring)}".strip()
            path, made = os.path.join(d, "f.pgf"), os.path.join(d, "made")
            p = pgfault("record", "--tier", tier, *ring, "-o", path, "--", FAULTGEN, "storm",
                        "--seconds", "3", "--json", made)
            equal(p.returncode, 0, f"record {name}: a storm is recorded")
            equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, f"record {name}: the file is private")
            with open(made, encoding="utf-8") as f:
                want = json.loads(f.readline())["expect"]
            p, lines, t = report(path)
            equal(p.returncode, 0, f"record {name}: the recording is whole")
            held = sum(r["count"] - r["failed"] - r["unfinished"] for r in rows(lines, "kind"))
            lost = t["lost"]["events"] + t["lost"]["detail"]
            equal(held + lost, t["seen"], f"record {name}: rows + lost = seen ({lost} lost)")
            gup = t["task_min"] + t["task_maj"] - t["seen"]
            ok(t["task_known"] and 0 <= gup <= 100 and t["seen"] >= want,
               f"record {name}: seen = the tasks' counters (remainder {gup})", t)
            if ring and tier == "perf":
                ok(lost > 0, f"record {name}: a ring that is too small loses, and says so", t)

    # A full disk: a clear error, the command untouched, and what is there can be read.
    disk = os.path.join(d, "disk")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], check=True)
    try:
        path = os.path.join(disk, "f.pgf")
        p = pgfault("record", "-o", path, "--", FAULTGEN, "storm", "--seconds", "3")
        equal(p.returncode, 1, "a full disk: exit status 1")
        ok("No space left" in p.stderr, "and says so", p.stderr)
        p, lines, t = report(path)
        equal(p.returncode, 0, "the file can be read up to its last whole batch")
        ok(p.stderr.strip(), "with a notice", p.stderr)
        p = pgfault("report", "--strict", "-i", path)
        equal(p.returncode, 1, "which --strict does not accept")
    finally:
        subprocess.run(["umount", disk], check=True)

    link = os.path.join(d, "link")
    os.symlink("/etc/hostname", link)
    p = pgfault("record", "-o", link, "--", "true")
    ok(p.returncode == 1 and "symbolic link" in p.stderr, "-o does not follow a symbolic link",
       p.stderr)
    out = subprocess.run(f"'{PGFAULT}' record -o - -- true 2>/dev/null | '{PGFAULT}' report -i - --json",
                         shell=True, stdout=subprocess.PIPE, text=True)
    ok(of_type(json_lines(out.stdout), "totals"), "a recording through a pipe is read", out.stdout)
done()
