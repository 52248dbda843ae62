# SPDX-License-Identifier: BSD-2-Clause
"""What the benchmarks share: where things are, how often, on what machine, and tables."""
import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import typing

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
NAME = os.path.basename(sys.argv[0])

# What is shown of peers that are not installed: their Debian packages.
PACKAGES = {"perf": "linux-perf", "bpftrace": "bpftrace", "redis-server": "redis-server",
            "redis-benchmark": "redis-tools", "redis-cli": "redis-tools", "cc": "gcc",
            "python3": "python3"}

TRACING = {"anon_inode:[perf_event]", "anon_inode:bpf_link"}


def fail(text):
    sys.exit(f"{NAME}: {text}")


def arguments(doc, repeats):
    """A parser with what all benchmarks take."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--repeats", type=positive, default=repeats,
                   help=f"how often all of them take their turn ({repeats})")
    p.add_argument("--build", default=os.path.join(TOP, "build"),
                   help="the build directory (build)")
    return p


def positive(text):
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("give a number above 0")
    return value


def built(build, path):
    """The path of a program of the build directory."""
    path = os.path.join(build, path)
    if not os.access(path, os.X_OK):
        fail(f"{path}: not there; build with `./do build`, or give --build DIR")
    return path


def pgfault(build):
    return built(build, "src/cmd/pgfault")


def need_root(why):
    if os.geteuid() != 0:
        fail(f"run as root: {why}")


def have(program):
    """Whether a peer is installed; says so when it is not."""
    if shutil.which(program):
        return True
    print(f"without {program}: it is not installed (package {PACKAGES.get(program, program)})")
    return False


def cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
            for line in f:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return os.uname().machine


def machine():
    """One line on where the figures come from."""
    cpus = len(os.sched_getaffinity(0))
    return (f"{cpus} CPU{'s' if cpus > 1 else ''} ({cpu_name()}), Linux {os.uname().release}, "
            f"load {os.getloadavg()[0]:.1f}")


def turns(contestants, repeats):
    """All contestants, repeats times; each time another one is first."""
    for i in range(repeats):
        k = i % len(contestants)
        yield from contestants[k:] + contestants[:k]


def median(values):
    return statistics.median(values)


def spread(values, digits=0):
    return f"{min(values):.{digits}f}-{max(values):.{digits}f}"


def table(head, rows, left=1):
    """Aligned columns, the first `left` ones to the left."""
    widths = [max(len(str(r[i])) for r in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(str(c).ljust(w) if i < left else str(c).rjust(w)
                        for i, (c, w) in enumerate(zip(row, widths))).rstrip())


def workdir():
    return tempfile.TemporaryDirectory(prefix="pgfault-bench-")


class Done(typing.NamedTuple):
    """A command that has ended."""
    status: int      # None: it could not be started, or took too long
    out: str
    err: str
    seconds: float = 0
    cpu: float = 0   # seconds, without its children
    rss_mib: float = 0


def own_cpu(pid):
    """User and system seconds of a process, to 10 ms: what wait4 tells has children in it."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(command, timeout=300, stdout=None, **kw):
    """Runs a command to its end; its output is kept unless stdout says where it goes."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        try:
            p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout or out,
                                 stderr=err, **kw)
        except OSError as e:
            return Done(None, "", str(e))
        late = threading.Timer(timeout, p.kill)
        late.start()
        os.waitid(os.P_PID, p.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.monotonic() - start
        late.cancel()
        cpu = own_cpu(p.pid)
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        text = []
        for f in (out, err):
            f.seek(0)
            text.append(f.read().decode(errors="replace"))
        if seconds >= timeout:
            return Done(None, text[0], f"took longer than {timeout} s")
        return Done(p.returncode, *text, seconds, cpu, used.ru_maxrss / 1024)


def tracers(own=()):
    """Commands of processes other than our own that have perf events or BPF links open."""
    found = set()
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or int(pid) in own:
            continue
        try:
            with os.scandir(f"/proc/{pid}/fd") as fds:
                traces = any(os.readlink(fd.path) in TRACING for fd in fds)
            if traces:
                with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as f:
                    found.add(f.read().strip())
        except OSError:
            continue
    return found


class Quiet:
    """Keeps away from times at which others trace on this machine: everybody pays for that."""

    PATIENCE_S = 60  # in all, on waiting and on doing again

    def __init__(self):
        self.patience = self.PATIENCE_S
        self.disturbed = 0
        self.all = 0
        self.who = set()

    def measure(self, work, own=()):
        """What work() returns, tried again where somebody else traced before or after it."""
        self.all += 1
        while True:
            start = time.monotonic()
            while tracers(own) and time.monotonic() - start < self.patience:
                time.sleep(0.1)
            began = time.monotonic()
            value = work()
            others = tracers(own)
            if not others:
                self.patience -= began - start
                return value
            self.who |= others
            self.patience -= time.monotonic() - start
            if self.patience <= 0:
                self.disturbed += 1
                return value

    def show(self):
        if self.disturbed:
            print(f"disturbed: {self.disturbed} of {self.all} measurements, by other tracers: "
                  f"{', '.join(sorted(self.who))}")


class Failures:
    """What went wrong, told once at the end with its last words."""

    def __init__(self):
        self.told = {}

    def add(self, name, done):
        words = [line for line in (done.err or done.out).splitlines() if line.strip()]
        how = "" if done.status is None else f"exit status {done.status}: "
        self.told.setdefault(name, how + (words[-1].strip() if words else "no output"))

    def show(self):
        for name, words in self.told.items():
            print(f"failed: {name}: {words}")


class Idle:
    """A process that does nothing, as a target to attach to."""

    def __enter__(self):
        self.process = subprocess.Popen(["sleep", "3600"], stdin=subprocess.DEVNULL)
        return self.process.pid

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def open_files(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


class Attached:
    """A tracer, started and waited for until it opens no more descriptors for a while."""

    QUIET_S = 0.4

    def __init__(self, command):
        self.command = command
        self.error = ""

    def __enter__(self):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.log)
        count, since = 0, time.monotonic()
        while time.monotonic() - since < self.QUIET_S or count < 6:
            if self.process.poll() is not None or time.monotonic() - since > 20:
                self.log.seek(0)
                self.error = self.log.read().decode(errors="replace") or "it does not attach"
                break
            now = open_files(self.process.pid)
            if now != count:
                count, since = now, time.monotonic()
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
