#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command's own exit status comes through, and pgfault's verdicts have their own."""
from tap import done, equal, need_root, ok, pgfault

need_root("exit status")
for code in (0, 1, 2, 3, 42, 127, 255):
    p = pgfault("run", "-o", "/dev/null", "--", "sh", "-c", f"exit {code}")
    equal(p.returncode, code, f"exit {code} is passed through")
for name, number in (("KILL", 9), ("SEGV", 11), ("TERM", 15)):
    p = pgfault("run", "-o", "/dev/null", "--", "sh", "-c", f"kill -{name} $$")
    equal(p.returncode, 128 + number, f"death by SIG{name} is 128+{number}")
p = pgfault("run", "--", "python3", "-c", "import ctypes; ctypes.string_at(16)")
equal(p.returncode, 139, "a program that reads from address 16 dies")
ok("killed by SIGSEGV: read of 0x10" in p.stderr, "and run says of what", p.stderr)
p = pgfault("run", "-o", "/dev/null", "--", "/nonexistent/program")
equal(p.returncode, 1, "a command that cannot be executed: 1")
ok("/nonexistent/program" in p.stderr and "No such file" in p.stderr, "and says why", p.stderr)
for args in (("run",), ("run", "--nonsense"), ("run", "-p", "x"), ("run", "-p", "1", "--", "true"),
             ("run", "--tier", "x", "--", "true"), ("nonsense",), (),
             ("run", "--assert", "foo==1", "--", "true"), ("run", "--top", "0", "--", "true"),
             ("run", "-d", "-1", "--", "true"), ("trace", "--addr", "zz", "--", "true"),
             ("trace", "--kind", "nonsense", "--", "true"), ("run", "--min-us", "3", "--", "true")):
    p = pgfault(*args)
    equal(p.returncode, 64, f"usage error: {' '.join(args) or '(nothing)'}")
    ok(len(p.stderr) > 10 and "\n" in p.stderr, "and says what is wrong", p.stderr)
p = pgfault("run", "-o", "/dev/null", "--assert", "major<=1000000", "--", "true")
equal(p.returncode, 0, "--assert that holds")
p = pgfault("run", "-o", "/dev/null", "--assert", "faults==0", "--", "sh", "-c", "exit 5")
equal(p.returncode, 3, "--assert that does not hold wins over the command's own status")
ok("faults==0" in p.stderr, "and is named", p.stderr)
p = pgfault("run", "-o", "/dev/null", "--strict", "--", "sh", "-c", "exit 5")
equal(p.returncode, 5, "--strict without losses leaves the command's own status")
p = pgfault("run", "--tier", "kernel", "--", "true")
ok(p.returncode == 1 and "not built yet" in p.stderr, "--tier kernel is refused by name", p.stderr)
p = pgfault("trace", "--tier", "counters", "--", "true")
ok(p.returncode == 1 and "rates" in p.stderr, "trace --tier counters is refused", p.stderr)
p = pgfault("run", "--tier", "counters", "--", "sh", "-c", "exit 7")
equal(p.returncode, 7, "run --tier counters passes the exit status through")
ok(" minor" in p.stderr and "pgfault" in p.stderr, "and shows rates", p.stderr)
p = pgfault("run", "-p", "999999999")
equal(p.returncode, 1, "-p of a process that does not exist")
p = pgfault("run", "-o", "/nonexistent/x", "--", "true")
equal(p.returncode, 1, "-o that cannot be written")
done()
