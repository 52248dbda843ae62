# SPDX-License-Identifier: BSD-2-Clause
"""Line coverage by room, from gcov, against the floors in .ci/coverage.txt."""
import glob
import json
import os
import subprocess

from results import FAIL, PASS, TOP, Case

FLOORS = os.path.join(TOP, ".ci", "coverage.txt")


def reset(directory):
    """Forgets what earlier runs counted."""
    for path in glob.glob(os.path.join(TOP, directory, "**", "*.gcda"), recursive=True):
        os.unlink(path)


def _reports(directory):
    """gcov's JSON objects, one a compiled file of src/ (the unit tests' own code is left out)."""
    notes = sorted(glob.glob(os.path.join(TOP, directory, "src", "**", "*.gcno"), recursive=True))
    if not notes:
        return
    out = subprocess.run(["gcov", "--json-format", "--stdout", *notes], check=True, text=True,
                         cwd=os.path.join(TOP, directory), stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout
    for line in out.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _lines(directory):
    """{path below the tree: {line: whether it ran}}"""
    files = {}
    for report in _reports(directory):
        base = report.get("current_working_directory", "")
        for entry in report["files"]:
            path = os.path.relpath(os.path.realpath(os.path.join(base, entry["file"])), TOP)
            if not path.startswith("src/"):
                continue
            lines = files.setdefault(path, {})
            for line in entry["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, False) or line["count"] > 0
    return files


def _rooms(directory):
    """{room: (lines that ran, lines)}"""
    rooms = {}
    for path, lines in _lines(directory).items():
        room = path.split("/")[1]
        ran, total = rooms.get(room, (0, 0))
        rooms[room] = (ran + sum(lines.values()), total + len(lines))
    return rooms


def _floors():
    with open(FLOORS, encoding="utf-8") as f:
        rows = [line.split() for line in f if line.strip() and not line.startswith("#")]
    return {room: int(percent) for room, percent in rows}


def cases(directory):
    """A test case a room that has a floor; the others are shown only."""
    floors, found, out = _floors(), _rooms(directory), []
    for room, (ran, total) in sorted(found.items()):
        percent = 100 * ran / total if total else 0
        floor = floors.get(room)
        print(f"     src/{room:10} {ran:6} of {total:6} lines, {percent:5.1f} %"
              + (f", floor {floor} %" if floor is not None else ""), flush=True)
        if floor is not None:
            out.append(Case(f"coverage/{room}", PASS if percent >= floor else FAIL,
                            f"{percent:.1f} % of the lines ran, the floor is {floor} %"))
    for room in sorted(set(floors) - set(found)):
        out.append(Case(f"coverage/{room}", FAIL, "has a floor, but no code was built"))
    return out
