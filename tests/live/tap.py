# SPDX-License-Identifier: BSD-2-Clause
"""TAP and the few things that live tests share."""
import json
import os
import subprocess
import sys
import tempfile

PGFAULT = os.environ.get("PGFAULT", "build/src/cmd/pgfault")
FAULTGEN = os.environ.get("FAULTGEN", "build/src/gen/faultgen")

_count = 0
_failed = 0


def ok(condition, name, detail=""):
    """One test point; detail is printed when it fails."""
    global _count, _failed
    _count += 1
    print(f"{'ok' if condition else 'not ok'} {_count} - {name}", flush=True)
    if not condition:
        _failed += 1
        for line in str(detail).splitlines()[:40]:
            print(f"# {line}", flush=True)
    return bool(condition)


def equal(got, want, name):
    return ok(got == want, name, f"got {got!r}, want {want!r}")


def skip(name, reason):
    global _count
    _count += 1
    print(f"ok {_count} - {name} # SKIP {reason}", flush=True)


def done():
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed else 0)


def pgfault(*args, timeout=120, **kw):
    """Runs pgfault; returns the finished process with text output."""
    return subprocess.run([PGFAULT, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace", timeout=timeout, **kw)


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def run_json(args, command=None, timeout=120, **kw):
    """pgfault run --json into a file; returns (process, lines)."""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "out.json")
        p = pgfault("run", "--json", "-o", path, *args, *(["--", *command] if command else []),
                    timeout=timeout, **kw)
        try:
            with open(path, encoding="utf-8") as f:
                return p, json_lines(f.read())
        except FileNotFoundError:
            return p, []


def of_type(lines, kind):
    return [line for line in lines if line.get("type") == kind]


def rows(lines, by):
    """The rows of one view."""
    return [line for line in lines if line.get("type") == "row" and line.get("by") == by]


def need_root(name):
    if os.geteuid() != 0:
        skip(name, "needs root")
        done()
