#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# limit: 240
"""Recordings read: the same numbers as the run had, whatever is cut off, damaged or hostile."""
import csv
import io
import json
import os
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
import time

from tap import (FAULTGEN, PGFAULT, done, equal, json_lines, need_root, of_type, ok, pgfault, rows,
                 skip)

need_root("report")
DIR = tempfile.mkdtemp()
WORK = ["anon-new=1009", "segv-maperr", "kernel-mode", "file-read=211"]


def at(name):
    return os.path.join(DIR, name)


def record(name, *command, options=(), timeout=60):
    p = pgfault("record", "-o", at(name), *options, "--", *command, timeout=timeout)
    if "not built yet" in p.stderr:
        skip("report", "pgfault record is not built yet")
        done()
    return p


def report_json(*args, **kw):
    p = pgfault("report", "--json", *args, **kw)
    return p, json_lines(p.stdout)


def totals(lines):
    found = of_type(lines, "totals")
    return found[-1] if found else {}


def by_kind(lines):
    found = {}
    for r in rows(lines, "kind"):
        name = r["kind"] if r["kind"] != "unknown" else "?" + r["class"]
        found[name] = found.get(name, 0) + r["count"]
    return found


# One execution, seen twice: by a run around the recorder, and by the recording.
p = pgfault("run", "--json", "-o", at("outer.json"), "--", PGFAULT, "record", "-o", at("a.pgf"),
            "--", FAULTGEN, *WORK)
if "not built yet" in p.stderr:
    skip("report", "pgfault record is not built yet")
    done()
# faultgen's own verdict: 0, or 1 when something else made faults in it
ended = p.returncode
ok(ended in (0, 1) and os.path.exists(at("a.pgf")), "faultgen is recorded", p.stderr)
with open(at("outer.json"), encoding="utf-8") as f:
    outer = [r for r in rows(json_lines(f.read()), "process") if r["comm"] == "faultgen"]
p, lines = report_json("-i", at("a.pgf"))
equal(p.returncode, 0, "a whole recording: exit status 0")
equal(p.stderr, "", "and nothing to be said on stderr")
t, process = totals(lines), rows(lines, "process")
ok(len(outer) == 1 and len(process) == 1 and outer[0]["pid"] == process[0]["pid"],
   "one process, the same in the recording and in a run around it", (outer, process))
if outer and process:
    for key in ("major", "failed", "unfinished"):
        equal(process[0][key], outer[0][key], f"recording and run agree: {key}")
    extra = outer[0]["count"] - process[0]["count"]
    ok(0 <= extra <= 100, f"and in all but the faults before exec ({extra})", (outer, process))
ok(t.get("check", {}).get("result") in ("equal", "gup") and t["check"]["difference"] <= 40,
   "the kernel's own counters of the tasks agree with what was recorded", t)
equal(sum(by_kind(lines).values()), t["seen"] + t["failed"] + t["unfinished"],
      "the rows hold every recorded fault")
ok(by_kind(lines).get("anon-new", 0) >= 1009, "kinds come from the recording", by_kind(lines))
equal(t["status"], f"exit {ended}", "how the command ended is told")
header = of_type(lines, "recording")
ok(len(header) == 1 and header[0]["command"] == [FAULTGEN, *WORK] and
   header[0]["host"] == os.uname().nodename and header[0]["trouble"] is None and
   abs(header[0]["start_wall_ns"] / 1e9 - time.time()) < 120,
   "the recording tells when, where and what", header)
functions = {r["symbol"]["func"] for r in rows(lines, "code") if r["symbol"]}
ok("gen_write" in functions, "code has its names", functions)
p = pgfault("report", "-i", at("a.pgf"))
first = p.stdout.splitlines()[0] if p.stdout else ""
ok(first.startswith("recorded: 2") and os.uname().nodename in first, "the first line tells it, too",
   p.stdout)
ok("check: " in p.stdout and f"exit {ended}" in p.stdout, "the summary is that of run", p.stdout)
with open(at("a.pgf"), "rb") as f:
    WHOLE = f.read()
q = subprocess.run([PGFAULT, "report", "-i", "-"], input=WHOLE, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE, timeout=60)
equal(q.stdout.decode(), p.stdout, "a recording that comes through a pipe")
p = pgfault("report", "-i", at("a.pgf"), "-o", at("out"))
ok(p.returncode == 0 and p.stdout == "" and stat.S_IMODE(os.stat(at("out")).st_mode) == 0o600,
   "-o writes a file of mode 0600", p.stderr)
p = subprocess.run(f"'{PGFAULT}' report -i '{at('a.pgf')}' --format table | head -1; "
                   "echo ${PIPESTATUS[0]}", shell=True, executable="/bin/bash", timeout=60,
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
ok("COMM" in p.stdout and p.stderr == "", "a reader that goes away is no error to be told",
   (p.stdout, p.stderr))

# Views and filters.
for view in ("kind", "map", "kind-map", "code", "process", "thread", "cgroup"):
    p = pgfault("report", "-i", at("a.pgf"), "--csv", "--by", view)
    table = list(csv.DictReader(io.StringIO(p.stdout, newline="")))
    equal(sum(int(r["count"]) for r in table), t["faults"], f"--csv --by {view} adds up")
    p = pgfault("report", "-i", at("a.pgf"), "--by", view, "--top", "3", "--sort", "count")
    ok(p.returncode == 0 and p.stdout.startswith("recorded: "), f"--by {view} as text", p.stderr)
kinds = by_kind(lines)
p, some = report_json("-i", at("a.pgf"), "--kind", "anon-new")
equal(by_kind(some), {"anon-new": kinds["anon-new"]}, "--kind")
ok(totals(some)["seen"] == kinds["anon-new"] and of_type(some, "recording")[0]["filtered"] and
   totals(some)["check"]["result"] == "unknown", "and its totals are those of the filter", some[-1])
p, some = report_json("-i", at("a.pgf"), "--map", "*faultgen-file*")
ok(by_kind(some).get("file-read", 0) >= 211 and "anon-new" not in by_kind(some), "--map",
   by_kind(some))
p = pgfault("report", "-i", at("a.pgf"), "--assert", "faults==1", "--strict")
equal(p.returncode, 3, "--assert is judged")

# Single faults, as trace prints them.
p, faults = report_json("-i", at("a.pgf"), "--format", "table")
listed = of_type(faults, "fault")
equal(len(listed), t["faults"], "--json --format table has a line for every fault")
equal(len([f for f in listed if f["kind"] == "anon-new"]), kinds["anon-new"],
      "of the same kinds")
ok(all(a["time_ns"] <= b["time_ns"] + 10**8 for a, b in zip(listed, listed[1:])),
   "in the order of time")
inside = [f for f in listed if f["map"] and
          not int(f["map"]["start"], 16) <= int(f["address"], 16) < int(f["map"]["end"], 16)]
ok(all(f["map"]["map_type"] == "stack" for f in inside),
   "each in the mapping that covers its address", inside[:2])
ok(sum(1 for f in listed if f["map"]) >= t["seen"], "and every served fault has one")
for name, want in (("table", "anon-new"), ("classic", "EXIT_CODE"),
                   ("calls", "called handle_mm_fault"), ("return", "Return value:")):
    p = pgfault("report", "-i", at("a.pgf"), "--format", name, "-T")
    ok(p.returncode == 0 and want in p.stdout and len(p.stdout.splitlines()) >= t["faults"],
       f"--format {name}", p.stdout[:200] + p.stderr)

# Cut off, damaged, without an end.
p = record("storm.pgf", FAULTGEN, "storm", "--seconds", "3", "--threads", "2")
with open(at("storm.pgf"), "rb") as f:
    storm = f.read()
p, lines = report_json("-i", at("storm.pgf"))
everything = totals(lines)["faults"]
ok(everything > 100000, "a storm is recorded in several batches", everything)


def read_bytes(data, *args):
    with open(at("cut.pgf"), "wb") as f:
        f.write(data)
    return report_json("-i", at("cut.pgf"), *args)


before = -1
for percent in (2, 20, 40, 60, 80, 95, 99):
    size = len(storm) * percent // 100
    p, lines = read_bytes(storm[:size])
    seen = totals(lines).get("faults", -1)
    ok(p.returncode == 0 and before <= seen < everything, f"cut at {percent} %: {seen} faults",
       p.stderr)
    ok("at byte" in p.stderr and of_type(lines, "recording")[0]["trouble"],
       f"cut at {percent} %: it says so", p.stderr)
    before = seen
ok(before > 0, "what is whole is shown")
p, lines = read_bytes(storm[:-1])
ok(p.returncode == 0 and totals(lines)["faults"] == everything, "cut by one byte: all faults",
   p.stderr)
p, lines = read_bytes(storm[:len(storm) // 2], "--strict")
equal(p.returncode, 1, "--strict: a recording that is cut off is a failure")
for size in (0, 7, 8, 40):
    p, lines = read_bytes(storm[:size])
    ok(p.returncode == 1 and len(p.stderr.splitlines()) == 1 and "cut.pgf" in p.stderr,
       f"{size} bytes are no recording", p.stderr)
for where in (len(storm) // 3, len(storm) // 2, len(storm) - 60):
    bad = bytearray(storm)
    bad[where] ^= 0x40
    p, lines = read_bytes(bytes(bad))
    ok(p.returncode == 0 and "at byte" in p.stderr and totals(lines)["faults"] <= everything,
       f"a flipped bit at {where}", p.stderr)
    p, lines = read_bytes(bytes(bad), "--strict")
    equal(p.returncode, 1, f"a flipped bit at {where}, --strict")
r = subprocess.Popen([PGFAULT, "record", "-o", at("killed.pgf"), "--", FAULTGEN, "storm",
                      "--seconds", "5"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                     start_new_session=True)
time.sleep(3.5)
r.kill()
r.wait()
try:
    os.killpg(r.pid, signal.SIGKILL)
except ProcessLookupError:
    pass
p, lines = report_json("-i", at("killed.pgf"))
ok(p.returncode == 0 and totals(lines).get("faults", 0) > 100000 and "at byte" in p.stderr,
   "a recorder that was killed leaves what it had", (totals(lines).get("faults"), p.stderr))
ok(totals(lines).get("end_ns", 0) - totals(lines).get("start_ns", 0) > 10**9,
   "and as long as it goes", totals(lines))
for path in ("/etc/passwd", "/dev/null", DIR, at("nothing")):
    p = pgfault("report", "-i", path)
    ok(p.returncode == 1 and path in p.stderr and len(p.stderr.splitlines()) == 1,
       f"{path if path[1:5] != DIR[1:5] else 'a directory, a missing file'}: not a recording",
       p.stderr)
for args in ((), ("-i", at("a.pgf"), at("a.pgf")), ("--compare", at("a.pgf")),
             ("-i", at("a.pgf"), "--format", "x"), ("-i", at("a.pgf"), "-T"),
             ("-i", at("a.pgf"), "--json", "--csv"), ("-p", "1", "-i", at("a.pgf")),
             ("--compare", at("a.pgf"), at("a.pgf"), "--sort", "p99"),
             ("-i", at("a.pgf"), "--format", "table", "--by", "kind")):
    p = pgfault("report", *args)
    ok(p.returncode == 64 and p.stderr, f"usage: report {' '.join(args).replace(DIR, '')}",
       p.stderr)

# Two of them.
record("c.pgf", FAULTGEN, "anon-new=2003", "kernel-mode", "file-read=211")
p = pgfault("report", "--compare", at("a.pgf"), at("c.pgf"), "--json", "--sort", "count")
lines = json_lines(p.stdout)
ok(p.returncode == 0 and [x["type"] for x in lines].count("comparison") == 1, "--compare --json",
   p.stderr)
equal(of_type(lines, "comparison")[0]["differs"], [], "the same tier, kernel and sampling")
differ = {x["name"]: x for x in of_type(lines, "difference")}
got = differ["anon-new"]
equal(got["count_diff"], got["b"]["count"] - got["a"]["count"], "the difference is b - a")
ok(abs(got["count_diff"] - 994) <= 40, f"2003 - 1009 pages: {got['count_diff']}", got)
equal(got["a"]["count"], kinds["anon-new"], "a side has what its report has")
ok(abs(got["count_ratio"] - got["b"]["count"] / got["a"]["count"]) < 1e-4, "the ratio is b / a",
   got)
ok(differ["segv-maperr"]["b"]["count"] == 0 and differ["segv-maperr"]["a"]["count"] >= 131,
   "a kind that one side has not", differ.get("segv-maperr"))
sizes = [abs(x["count_diff"]) for x in of_type(lines, "difference")[:-1]]
equal(sizes, sorted(sizes, reverse=True), "most difference first")
last = of_type(lines, "difference")[-1]
ok(last["by"] == "total" and last["a"]["count"] == t["faults"] and
   last["count_diff"] == sum(x["count_diff"] for x in of_type(lines, "difference")[:-1]),
   "the total adds up", last)
p = pgfault("report", "--compare", at("a.pgf"), at("c.pgf"))
ok("COUNT A" in p.stdout and "anon-new" in p.stdout and "NOT THE SAME" not in p.stdout and
   all(len(line) <= 80 for line in p.stdout.splitlines()), "--compare as text", p.stdout)
for view, want in (("map", FAULTGEN), ("code", "gen_write"), ("kind-map", "anon-new"),
                   ("process", "faultgen")):
    p = pgfault("report", "--compare", at("a.pgf"), at("c.pgf"), "--csv", "--by", view)
    table = list(csv.DictReader(io.StringIO(p.stdout, newline="")))
    ok(any(want in r["name"] for r in table) and
       sum(int(r["count_diff"]) for r in table) == last["count_diff"],
       f"--compare --csv --by {view}", p.stdout[:400])
record("perf.pgf", FAULTGEN, *WORK, options=("--tier", "perf"))
p = pgfault("report", "--compare", at("a.pgf"), at("perf.pgf"))
ok("NOT THE SAME: tiers: tracepoint and perf" in p.stdout, "another tier is told loudly", p.stdout)
p = pgfault("report", "--compare", at("a.pgf"), at("cut.pgf"), "--strict")
ok(p.returncode == 1 and "NOT THE SAME: B is not whole" in p.stdout, "so is a damaged side",
   p.stdout + p.stderr)

# What perf has recorded.
perf = shutil.which("perf")
if not perf:
    skip("perf.data", "perf is not installed")
else:
    q = subprocess.run([perf, "record", "-q", "-e", "page-faults", "-c", "1", "-d", "-o",
                        at("perf.data"), "--", FAULTGEN, "anon-new=1009"], timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    script = subprocess.run([perf, "script", "-i", at("perf.data"), "-F", "comm,addr"],
                            timeout=60, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    p, lines = report_json("-i", at("perf.data"))
    equal(p.returncode, 0, "perf.data is read")
    equal(totals(lines).get("faults"), len(script.stdout.splitlines()),
          "as many faults as perf script has")
    header = of_type(lines, "recording")
    ok(header and header[0]["format"] == "perf.data" and header[0]["start_wall_ns"] is None,
       "what it does not tell is null", header)
    ok(all(r["timed"] == 0 and r["p50_ns"] is None for r in rows(lines, "kind")),
       "no durations are made up")
    ok(any(r["symbol"] and r["symbol"]["func"] == "gen_write" for r in rows(lines, "code")),
       "code has its names")
    p = pgfault("report", "-i", at("perf.data"), "--by", "kind")
    ok(" ? " in p.stdout, "and ? in the table", p.stdout)
    with open(at("perf.data"), "rb") as f:
        cut = f.read()
    start, size = struct.unpack_from("<QQ", cut, 40)  # the records, of the file's header
    cut = cut[:start + size // 2]
    with open(at("cut.data"), "wb") as f:
        f.write(cut)
    p = pgfault("report", "-i", at("cut.data"))
    ok(p.returncode == 0 and "ends too early" in p.stderr, "a perf.data that is cut off is told",
       p.stderr)

# Names of code whose file is gone, or is another one by now.
shutil.copy(FAULTGEN, at("moved"))
record("moved.pgf", at("moved"), "anon-new=1009")
os.rename(at("moved"), at("elsewhere"))
shutil.copy("/bin/true", at("moved"))
p, lines = report_json("-i", at("moved.pgf"))
ours = [r["symbol"] for r in rows(lines, "code") if r["symbol"] and r["symbol"]["path"] == at("moved")]
ok(ours and all(s["func"] is None for s in ours),
   "another program under the recorded path lends no names", ours[:2])
os.unlink(at("moved"))
shutil.copy(at("elsewhere"), at("moved"))
p, lines = report_json("-i", at("moved.pgf"))
ours = [r["symbol"] for r in rows(lines, "code") if r["symbol"] and r["symbol"]["path"] == at("moved")]
ok(any(s["func"] == "gen_write" and s["exact"] for s in ours),
   "a copy with the same build id does", ours[:2])

# Names that a traced program chooses.
PROGRAM = """
import ctypes, mmap, os, sys
ctypes.CDLL(None).prctl(15, os.fsencode(sys.argv[1])[:15] + b"\\0", 0, 0, 0)
with open(os.fsencode(sys.argv[2]), "w+b") as f:
    f.truncate(1 << 20)
    m = mmap.mmap(f.fileno(), 1 << 20)
    for i in range(64):
        m[i * 4096] = 1
"""
for n, name in enumerate((b"\x1b]0;owned\x07x", b"a\nb", b'q"uo\'te,x', b"\xff\xfe",
                          "\u202eevil".encode(), b"=cmd()")):
    path = os.path.join(DIR.encode(), name + str(n).encode())
    subprocess.run([PGFAULT, "record", "-o", at("names.pgf"), "--", "python3", "-c", PROGRAM, name,
                    path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    for args in (("--top", "50"), ("--by", "map"), ("--by", "process"), ("--format", "table"),
                 ("--format", "classic"), ("--format", "calls"),
                 ("--compare", at("names.pgf"), at("a.pgf"), "--by", "map")):
        q = subprocess.run([PGFAULT, "report", *([] if "--compare" in args else
                                                 ["-i", at("names.pgf")]), *args],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        data = q.stdout + q.stderr
        bad = [b for b in data if (b < 32 and b != 10) or b == 127]
        ok(q.returncode == 0 and not bad and b"\xe2\x80\xae" not in data,
           f"name {n}: report {args[0]} {args[1] if args[0] != '--compare' else ''}",
           repr(data[:300]))
    good = True
    for args in (("--json",), ("--json", "--format", "table")):
        q = subprocess.run([PGFAULT, "report", "-i", at("names.pgf"), *args],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        for line in q.stdout.splitlines():
            try:
                json.loads(line.decode("utf-8"))
            except ValueError:
                good = False
    ok(good, f"name {n}: every line is JSON")
    q = subprocess.run([PGFAULT, "report", "-i", at("names.pgf"), "--csv", "--by", "map"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    table = list(csv.reader(io.StringIO(q.stdout.decode("utf-8", "replace"), newline="")))
    ok(len(table) > 3 and len({len(r) for r in table}) == 1, f"name {n}: the CSV holds together",
       table[:3])
shutil.rmtree(DIR, ignore_errors=True)
done()
