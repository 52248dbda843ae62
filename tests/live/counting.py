#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# root: no
"""What judges all tests is judged first: crashes, missing points and unlisted skips fail."""
import os
import sys

from tap import done, equal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".ci"))
import results  # noqa: E402

SKIPS = [("t: listed", "known *", "anywhere"), ("t: old", "*", "kernel<2.0"), ("t", "*", "anywhere")]


def counts(text, status, skips=SKIPS):
    return results.count(results.judge(results.from_tap("t", text, status), skips))


equal(counts("1..2\nok 1 - a\nok 2 - b\n", 0), (2, 0, 0), "passes are counted")
equal(counts("1..2\nok 1 - a\nnot ok 2 - b\n", 1), (1, 1, 0), "a failure is counted")
equal(counts("1..1\nok 1 - a\n", 139), (1, 1, 0), "a crash behind the last point fails")
equal(counts("1..3\nok 1 - a\n", 0), (1, 1, 0), "points that are missing fail")
equal(counts("ok 1 - a # SKIP why\n", 0), (0, 1, 0), "a skip that is not listed fails")
equal(counts("ok 1 - listed # SKIP known thing\n", 0), (0, 0, 1), "a listed skip is one")
equal(counts("ok 1 - listed # SKIP other thing\n", 0), (0, 1, 0), "another reason fails")
equal(counts("ok 1 - old # SKIP old\n", 0), (0, 1, 0), "a skip in another place fails")
equal(counts("1..1\nnot ok 1 # SKIP listed\n", 0, [("t: listed", "", "anywhere")]), (0, 0, 1),
      "cmocka's way to skip is understood")
equal(counts("1..1\nok 1 - a\n1..1\nok 1 - a\n", 0), (2, 0, 0), "groups add up")
TWICE = [("t: a", "", results.TWICE)]
equal(counts("ok 1 - a\nnot ok 1 # SKIP a\n", 0, TWICE), (1, 0, 1), "skipped in one run of two")
equal(counts("not ok 1 # SKIP a\nnot ok 1 # SKIP a\n", 0, TWICE), (0, 2, 0), "and in both")
equal(counts("", 0), (1, 0, 0), "without TAP the exit status counts: pass")
equal(counts("", 77), (0, 0, 1), "skip")
equal(counts("", 3), (0, 1, 0), "failure")
equal(counts("", -11), (0, 1, 0), "signal")
equal(counts("1..0 # SKIP nothing here\n", 77), (0, 0, 1), "a whole program may be skipped")
equal(results.exit_status([]), 0, "nothing is no failure")
equal([len(row) for row in results.read_skips()] != [], True, "tests/skips.txt can be read")
done()
