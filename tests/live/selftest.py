#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# limit: 600
"""Every kind of fault that this kernel can make, seen by the tracepoint tier (as root) and by
the perf tier (as an unprivileged user), graded as docs/tiers.md says."""
import os
import subprocess

from tap import PGFAULT, done, json_lines, need_root, ok, skip


def tier(name, prefix):
    p = subprocess.run([*prefix, PGFAULT, "selftest", "--tier", name, "--json"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=500)
    lines = [line for line in json_lines(p.stdout) if line.get("type") == "selftest"]
    for line in lines:
        label = f"selftest {name} {line['workload']}"
        if "skipped" in line:
            skip(label, line["skipped"])
        else:
            ok(line["ok"], f"{label}: {line['made']} {line['kind']}, {line['wanted']}", line)
    ok(len(lines) >= 10, f"selftest {name}: workloads were run", p.stderr)


need_root("selftest")
tier("tracepoint", [])
tier("perf", ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"])
done()
