#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# limit: 300
"""30 s of faults on all CPUs: no count is lost, whatever happens to the detail."""
import json
import os
import tempfile

from tap import FAULTGEN, done, equal, need_root, of_type, ok, rows, run_json

need_root("storm")
seconds = os.environ.get("STORM_SECONDS", "30")
threads = str(os.cpu_count() or 2)
for args in ([], ["--aggregate"]):
    name = " ".join(["run", *args])
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "made")
        p, lines = run_json(args, [FAULTGEN, "storm", "--seconds", seconds, "--threads", threads,
                                   "--json", out], timeout=200)
        made = json.loads(open(out, encoding="utf-8").readline())
    t = of_type(lines, "totals")[-1]
    excess = made["min"] + made["maj"] - made["expect"]
    ok(p.returncode == 0 or 0 < excess <= made["expect"] // 10000,
       f"{name}: the storm ends well ({excess} faults more than touched pages)", p.stderr)
    ok(made["expect"] > 100000, f"{name}: {made['expect']} faults were made", made)
    gup = t["task_min"] + t["task_maj"] - t["seen"]
    ok(t["task_known"] and 0 <= gup <= 100,
       f"{name}: seen = the tasks' own counters, 0 lost counts (remainder {gup})", t)
    kinds = rows(lines, "kind")
    total = sum(r["count"] for r in kinds)
    equal(total + t["lost"]["detail"], t["seen"] + t["failed"] + t["unfinished"],
          f"{name}: rows and lost detail add up to the faults")
done()
