#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A traced program chooses its name, its paths and its mappings: none of it reaches the
terminal or breaks a format."""
import json
import os
import shutil
import subprocess
import tempfile

from tap import PGFAULT, done, equal, need_root, of_type, ok, pgfault, run_json

need_root("hostile input")
NAMES = ["\x1b]0;owned\x07x", "a\nb", 'q"uo\'te,x', "<b>&amp;", "\xff\xfe".encode("latin-1"),
         "tab\tx", "\u202eevil", "=cmd()"]
PROGRAM = """
import ctypes, mmap, os, sys
libc = ctypes.CDLL(None)
libc.prctl(15, os.fsencode(sys.argv[1])[:15] + b"\\0", 0, 0, 0)
with open(os.fsencode(sys.argv[2]), "w+b") as f:
    f.truncate(1 << 20)
    m = mmap.mmap(f.fileno(), 1 << 20)
    for i in range(64):
        m[i * 4096] = 1
"""


def clean(data, what):
    bad = [b for b in data if (b < 32 and b != 10) or b == 127]
    ok(not bad, f"{what}: no control characters", repr(data[:400]))


with tempfile.TemporaryDirectory() as d:
    for n, name in enumerate(NAMES):
        raw = name if isinstance(name, bytes) else name.encode()
        path = os.path.join(d.encode(), raw.replace(b"/", b"_") + str(n).encode())
        command = ["python3", "-c", PROGRAM, raw, path]
        p = subprocess.run([PGFAULT.encode(), b"run", b"--top", b"50", b"-o", b"-", b"--",
                            *[c if isinstance(c, bytes) else c.encode() for c in command]],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        equal(p.returncode, 0, f"name {n}: the run succeeds")
        clean(p.stdout, f"name {n}: run")
        p = subprocess.run([PGFAULT.encode(), b"trace", b"--",
                            *[c if isinstance(c, bytes) else c.encode() for c in command]],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        clean(p.stdout, f"name {n}: trace")
        p = subprocess.run([PGFAULT.encode(), b"trace", b"--json", b"--",
                            *[c if isinstance(c, bytes) else c.encode() for c in command]],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        good = True
        for line in p.stdout.splitlines():
            try:
                json.loads(line.decode("utf-8"))
            except ValueError:
                good = False
        ok(good and len(p.stdout.splitlines()) > 50, f"name {n}: every line is JSON")
    target = os.path.join(d, "victim")
    open(target, "w", encoding="ascii").close()
    link = os.path.join(d, "link")
    os.symlink(target, link)
    p = pgfault("run", "-o", link, "--", "true")
    ok(p.returncode == 1 and os.path.getsize(target) == 0, "-o does not follow a symbolic link",
       p.stderr)
    out = os.path.join(d, "new")
    pgfault("run", "-o", out, "--", "true")
    equal(os.stat(out).st_mode & 0o777, 0o600, "-o makes files that others cannot read")
done()
