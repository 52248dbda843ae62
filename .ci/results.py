# SPDX-License-Identifier: BSD-2-Clause
"""Test cases: counted from TAP, and their skips judged by tests/skips.txt."""
import fnmatch
import os
import re
import shutil

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIPS = os.path.join(TOP, "tests", "skips.txt")

PASS, FAIL, SKIP = "pass", "fail", "skip"
STATUS_SKIP = 77

_POINT = re.compile(r"(not )?ok\b\s*(\d+)?\s*(.*)")
_DIRECTIVE = re.compile(r"(.*?)#\s*SKIP\b\S*\s*(.*)", re.IGNORECASE)
_PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*SKIP\b\S*\s*(.*))?$", re.IGNORECASE)


class Case:
    """One test case: name, PASS, FAIL or SKIP, and the reason or detail of the latter two."""

    def __init__(self, name, status, reason=""):
        self.name, self.status, self.reason = name, status, reason


def _point(line):
    """(status, name, reason) of a TAP test line, else None."""
    match = _POINT.match(line)
    if not match:
        return None
    failed, text = match.group(1), match.group(3)
    if text.startswith("- "):
        text = text[2:]
    skip = _DIRECTIVE.match(text)
    if skip:
        # cmocka writes "not ok 2 # SKIP name": the name stands where others give a reason.
        name = skip.group(1).strip()
        return (SKIP, name, skip.group(2)) if name else (SKIP, skip.group(2), "")
    return FAIL if failed else PASS, text.strip(), ""


def from_tap(name, text, returncode):
    """The cases of one test program: from its TAP lines, or one from its exit status."""
    cases, plan, points = [], 0, 0
    for line in text.splitlines():
        header = _PLAN.match(line)
        if header:
            plan += int(header.group(1))
            if header.group(1) == "0":
                cases.append(Case(name, SKIP, header.group(2) or ""))
            continue
        point = _point(line)
        if not point:
            continue
        points += 1
        cases.append(Case(f"{name}: {point[1]}", point[0], point[2]))
    if not cases:
        last = (text.strip().splitlines() or [""])[-1]
        if returncode == STATUS_SKIP:
            return [Case(name, SKIP, last)]
        if returncode == 0:
            return [Case(name, PASS)]
        return [Case(name, FAIL, f"exit status {returncode}")]
    if plan and plan != points:
        cases.append(Case(f"{name}: plan", FAIL, f"{plan} test points announced, {points} made, "
                          f"exit status {returncode}"))
    if returncode not in (0, STATUS_SKIP) and not any(c.status == FAIL for c in cases):
        cases.append(Case(f"{name}: exit", FAIL, f"exit status {returncode}"))
    return cases


def _cpu_flags():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
            for line in f:
                if line.startswith("flags"):
                    return line.split(":", 1)[1].split()
    except OSError:
        pass
    return []


# For a test that runs as root and as nobody: its other run in the same program has passed.
TWICE = "passed-otherwise"

# Where a skip may happen: the third column of tests/skips.txt, beside kernel<X.Y.
PLACES = {
    "anywhere": lambda: True,
    "not-root": lambda: os.geteuid() != 0,
    "no-pkeys": lambda: "ospke" not in _cpu_flags(),
    "no-clang-14": lambda: not shutil.which("clang-format-14"),
}


def _version(text):
    return tuple(int(n) for n in re.findall(r"\d+", text)[:2])


def _place(name):
    """The test of a place's name, or None when there is no such place."""
    if name == TWICE:
        return lambda: True
    older = re.fullmatch(r"kernel<(\d+\.\d+)", name)
    if older:
        return lambda: _version(os.uname().release) < _version(older.group(1))
    return PLACES.get(name)


def read_skips(path=SKIPS):
    """The allowed skips: a list of (name pattern, reason pattern, place)."""
    rows = []
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            row = tuple(part.strip() for part in line.split("|"))
            if len(row) != 3 or not _place(row[2]):
                raise ValueError(f"{path}:{number}: want name | reason | one of "
                                 f"kernel<X.Y, {TWICE}, {', '.join(PLACES)}")
            rows.append(row)
    return rows


def judge(cases, skips):
    """A skip that no row of the list allows here becomes a failure."""
    passed = {c.name for c in cases if c.status == PASS}
    for case in cases:
        if case.status != SKIP:
            continue
        if not any(fnmatch.fnmatchcase(case.name, name) and
                   fnmatch.fnmatchcase(case.reason, reason) and
                   (case.name in passed if place == TWICE else _place(place)())
                   for name, reason, place in skips):
            case.status = FAIL
            case.reason = f"skipped, and tests/skips.txt does not allow it: {case.reason}"
    return cases


def count(cases):
    """(passed, failed, skipped)"""
    return tuple(sum(c.status == s for c in cases) for s in (PASS, FAIL, SKIP))


def exit_status(cases):
    """0, 1, or 77 when nothing but skips was there."""
    passed, failed, skipped = count(cases)
    if failed:
        return 1
    return STATUS_SKIP if skipped and not passed else 0


def write(path, cases):
    """Cases as lines of three fields, for another program."""
    with open(path, "w", encoding="utf-8") as f:
        for c in cases:
            fields = (c.status, c.name, c.reason)
            f.write("\t".join(re.sub(r"[\t\n\r]", " ", x) for x in fields) + "\n")


def read(path):
    with open(path, encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    return [Case(name, status, reason) for status, name, reason in rows]
