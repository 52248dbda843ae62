#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Filters, views, orders and formats show what they say, and no more."""
import csv
import io
import json
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile

from tap import (FAULTGEN, PGFAULT, done, equal, json_lines, need_root, of_type, ok, pgfault, rows,
                 run_json)

need_root("options")
WORK = [FAULTGEN, "anon-new=1009", "cow=97", "segv-maperr=31"]
AREA, PAGES = 0x7e0000000000, 64
FIXED = f"""
import ctypes
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long]
at = libc.mmap({AREA}, {PAGES} * 4096, 3, 0x100022, -1, 0)  # private, anonymous, not replacing
assert at == {AREA}
libc.madvise(ctypes.c_void_p(at), {PAGES} * 4096, 15)  # no huge pages
for i in range({PAGES}):
    ctypes.memset(at + i * 4096, 1, 1)
"""


def traced(*args, command=None):
    """Fault lines of pgfault trace --json, and the last line of its standard error."""
    p = pgfault("trace", "--json", *args, "--", *(command or WORK))
    equal(p.returncode, 0, f"trace {' '.join(args)}: exit status 0")
    return of_type(json_lines(p.stdout), "fault"), p.stderr.strip().splitlines()[-1]


def lines_of(*args):
    """Lines of pgfault trace, apart from those of the command."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as f:
        pgfault("trace", *args, "-o", f.name, "--", *WORK)
        return f.read().splitlines()


def shown(line):
    found = re.search(r"(\d+) of (\d+) faults shown", line)
    return tuple(map(int, found.groups())) if found else (0, 0)


# Filters.
faults, last = traced()
kinds = {f["kind"] for f in faults}
ok({"anon-new", "wp-copy", "segv-maperr"} <= kinds, "without a filter all kinds come", kinds)
equal(shown(last), (len(faults), len(faults)), "and the last line counts them")
faults, last = traced("--kind", "wp-copy,segv-maperr")
equal({f["kind"] for f in faults}, {"wp-copy", "segv-maperr"}, "--kind shows these kinds only")
ok(len(faults) >= 97 + 31 and shown(last)[0] == len(faults) < shown(last)[1], "and all of them",
   last)
faults, last = traced("--min-us", "3.5")
ok(faults and min(f["duration_ns"] for f in faults) >= 3500, "--min-us shows the slow ones only")
ok(shown(last)[0] < shown(last)[1], "and counts the others", last)
faults, _ = traced("--map", "*/libc.so*")
ok(faults and all("/libc.so" in f["map"]["name"] for f in faults), "--map shows these mappings only")
for text in (f"{AREA:x}+{16 * 4096:x}", f"0x{AREA:x}-0x{AREA + 16 * 4096:x}"):
    faults, _ = traced("--addr", text, command=["python3", "-c", FIXED])
    equal(sorted(int(f["address"], 16) for f in faults),
          [AREA + i * 4096 for i in range(16)], f"--addr {text} shows these 16 pages")

# Lines.
table = lines_of("-T")
equal(table[0].split(), ["TIME", "PID", "TID", "COMM", "ADDRESS", "AC", "KIND", "END", "NS", "CODE"],
      "trace has a header")
times = [float(line.split()[0]) for line in table[1:]]
ok(len(times) > 1000 and min(times) >= 0 and max(times) < 60, "-T: seconds since the start")
ends = {line.split()[7] for line in table[1:] if len(line.split()) > 7}
ok({"min", "sig"} <= ends <= {"min", "maj", "sig", "?", "code"}, "END is min, maj, sig or ?", ends)
access = {line.split()[5] for line in table[1:] if line.split()[7] == "sig"}
ok(access and all(re.fullmatch(r"[rwx][uk]", a) for a in access), "AC is access and mode", access)
for name, form in (("classic", r"\d+ +0 +faultgen +(\d+|\?)"),
                   ("calls", r"pid: \d+, comm: faultgen called handle_mm_fault"),
                   ("return", r"Return value: \?")):
    lines = lines_of("--format", name)
    lines = lines[1:] if name == "classic" else lines
    odd = [line for line in lines if not re.fullmatch(form, line)]
    ok(len(lines) > 1000 and not odd, f"--format {name}: a line a fault", odd[:3])

# Views, orders, sums: run and report draw them alike, and a recording is read faster.
p, lines = run_json(["--by", "code", "--sort", "count"], WORK)
equal({r["by"] for r in of_type(lines, "row")}, {"code"}, "run --by shows one view")
counts = [r["count"] for r in rows(lines, "code")]
ok(sum(counts) >= 1009 + 97 + 31 and counts == sorted(counts, reverse=True), "run --sort", counts)
recording = os.path.join(tempfile.mkdtemp(), "run.pgf")
p = pgfault("record", "-o", recording, "--", *WORK)
equal(p.returncode, 0, "a recording is made")
for view in ("kind", "map", "kind-map", "code", "process", "thread", "cgroup"):
    lines = json_lines(pgfault("report", "-i", recording, "--json", "--by", view).stdout)
    equal({r["by"] for r in of_type(lines, "row")}, {view}, f"--by {view}: no other rows")
    total = sum(r["count"] for r in rows(lines, view))
    ok(total >= 1009 + 97 + 31, f"--by {view}: all faults are in it", total)
for key, field in (("time", "ns"), ("count", "count"), ("max", "max_ns"), ("p99", "p99_ns"),
                   ("major", "major")):
    lines = json_lines(pgfault("report", "-i", recording, "--json", "--by", "map", "--sort",
                               key).stdout)
    values = [r[field] for r in rows(lines, "map")]
    ok(len(values) > 2 and values == sorted(values, reverse=True), f"--sort {key}", values)
table = pgfault("run", "--by", "map", "--top", "2", "--", "true").stderr.splitlines()
ok(len(table) == 4 and "more)" in table[3], "--top 2: a heading, two rows and the rest", table)
p, lines = run_json(["--aggregate"], WORK)
made = {r["kind"]: r["count"] for r in rows(lines, "kind")}
ok(made.get("anon-new", 0) >= 1009 and made.get("segv-maperr", 0) >= 31,
   "--aggregate keeps kinds and numbers", made)
p, lines = run_json(["--basic"], WORK)
ok(rows(lines, "kind") and {r["kind"] for r in rows(lines, "kind")} 
      <= {"unknown", "segv-maperr", "segv-accerr"},
   "--basic names no kinds but failures", rows(lines, "kind"))
p, lines = run_json(["-g"], WORK)
equal(p.returncode, 0, "-g: the run succeeds")

# For programs.
p = pgfault("run", "--csv", "--by", "map", "-o", "-", "--", "true")
table = list(csv.DictReader(io.StringIO(p.stdout)))
ok(table and all(None not in row and int(row["count"]) > 0 for row in table), "--csv is a table",
   p.stdout)
for verb in ("run", "trace"):
    schema = json.loads(pgfault(verb, "--schema").stdout)
    allowed = {}
    for line in schema["oneOf"]:
        allowed[line["properties"]["type"]["const"]] = set(line["properties"])
    p = pgfault(verb, "--json", "-o", "-", "--", "true")
    lines = json_lines(p.stdout)
    odd = [line for line in lines if set(line) - allowed.get(line["type"], set())]
    ok(lines and not odd, f"{verb} --schema describes every line of --json", odd[:2])
lines = json_lines(pgfault("kinds", "--json").stdout)
ok(len(lines) >= 45 and all(k["does"] and k["costs"] and k["remedy"] for k in lines),
   "kinds: what each does, costs, and what helps")
text = pgfault("kinds").stdout
equal([k["name"] for k in lines if k["value"] and f"\n{k['name']} (" not in "\n" + text], [],
      "kinds names all of them for people, too")
lines = json_lines(pgfault("doctor", "--json").stdout)
equal({x["tier"]: x["works"] for x in of_type(lines, "tier")},
      {"kernel": False, "tracepoint": True, "perf": True, "counters": True},
      "doctor: what works here")
text = pgfault("doctor").stdout
equal(sorted(x["name"] for x in of_type(lines, "setting") if x["name"] not in text), [],
      "doctor shows the same settings to people")
listed = pgfault("selftest", "--list").stdout
direct = subprocess.run([FAULTGEN, "--list"], stdout=subprocess.PIPE, text=True).stdout
equal(listed, direct, "selftest --list is what faultgen can make")
p = pgfault("selftest", "--seed", "7", "--json", "mix")
ok(of_type(json_lines(p.stdout), "selftest")[0]["ok"], "selftest --seed: a mix is seen", p.stdout)
equal(re.fullmatch(r"pgfault \d+\.\d+\.\d+ \(git \S+\)\n", pgfault("--version").stdout) is not None, True,
      "--version")

# Whose command it is.
p = pgfault("run", "-o", "/dev/null", "--user", "nobody", "--", "id", "-un")
equal(p.stdout, "nobody\n", "--user runs the command as somebody else")
p = pgfault("run", "-o", "/dev/null", "--", "id", "-u",
            env={**os.environ, "SUDO_UID": "65534", "SUDO_GID": "65534", "SUDO_USER": "nobody"})
equal(p.stdout, "65534\n", "under sudo it is the caller")
p = pgfault("run", "-o", "/dev/null", "--", "id", "-u",
            env={**os.environ, "SUDO_UID": "65534x", "SUDO_GID": "65534"})
equal((p.returncode, p.stdout), (64, ""), "and never root because of a strange SUDO_UID")


def on_terminal(*args, **env):
    """What pgfault writes to a terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(PGFAULT, [PGFAULT, *args], {**os.environ, **env})
    out = b""
    while select.select([fd], [], [], 60)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        out += data
    os.waitpid(pid, 0)
    os.close(fd)
    return out


os.environ.pop("NO_COLOR", None)
ok(b"\x1b[" in on_terminal("run", "--", "true"), "a terminal gets colours")
ok(b"\x1b[" not in on_terminal("run", "--no-color", "--", "true"), "--no-color: none")
ok(b"\x1b[" not in on_terminal("run", "--", "true", NO_COLOR="1"), "NO_COLOR: none")
with tempfile.TemporaryDirectory() as d:
    out = os.path.join(d, "summary")
    p = pgfault("run", "-o", out, "--", "true")
    with open(out, encoding="utf-8") as f:
        text = f.read()
    ok(max(len(line) for line in text.splitlines()) <= 80, "a summary is 80 columns wide", text)
    labels = [label for label in ("tier:", "lost:", "cost:", "check:") if f"\n{label}" not in text]
    equal(labels, [], "it closes with tier, losses, cost and cross-check")
shutil.rmtree(os.path.dirname(recording))
done()
