#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# root: no
# limit: 240
"""What README, manual pages and documents say: files exist, commands run, and docs/coverage.md
has a row, with a test, for everything that they name."""
import glob
import os
import re
import shlex
import subprocess
import tempfile

from tap import FAULTGEN, PGFAULT, done, equal, ok, pgfault, skip

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Capitals that are no columns, settings or signals: abbreviations, and names of files.
PLAIN = {"ASSERTIONS", "BPF", "BSD", "CHANGELOG", "CONTRIBUTING", "CPU", "GPL", "JIT", "LICENSE", "OUTPUT"}


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return f.read()


def names(pattern):
    return sorted(os.path.relpath(p, TOP) for p in glob.glob(os.path.join(TOP, pattern)))


README = read("README.md")
DEMO = re.search(r"<!-- demo -->\n```\n(.*)```\n<!-- /demo -->", README, re.S).group(1)
PROSE = README.replace(DEMO, "")
MANUAL = "\n".join(re.sub(r"^# .*$", "", read(p), flags=re.M)
                   for p in names("man/*.scd") + names("man/*.in"))
TITLES = set(re.findall(r'\.title = "(\w+)"', read("src/show/summary.c")))


# What is named, and by which command it is shown and by which test proved.

def named():
    """Options, columns, words in bold, manual pages, paths: all that needs a row."""
    text = MANUAL + PROSE
    found = set(re.findall(r"\*(--[a-z][a-z-]+)\*", MANUAL))
    found |= set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PROSE))
    found |= set(re.findall(r"\*([a-z][a-z0-9-]*)\*(?!\()", MANUAL))
    found |= {f"{name}({section})" for name, section in
              re.findall(r"\b([a-z][\w-]*)\*?\((\d)\)", text)}
    found |= {p.rstrip("_") for p in re.findall(r"/proc/[\w/]*\w", text)}
    found |= set(re.findall(r"(?<![\w_<-])[A-Z][A-Z0-9_]{2,}\b",
                            re.sub(r"(?<!\w)_[A-Z][^_\n]*_(?!\w)", "", MANUAL) + PROSE)) - PLAIN
    return found | TITLES


def coverage_rows():
    """(terms, commands, tests) of each row: | `term`, ... | `command` | `tests/...` text |"""
    for line in read("docs", "coverage.md").splitlines():
        cells = line.split("|")[1:-1]
        if len(cells) == 3 and "`" in cells[0]:
            yield [re.findall(r"`([^`]+)`", cell) for cell in cells] + [cells[2]]


def proof_missing(cell):
    """Tests of a cell, `path` or `path: text`, that are not there or do not say the text."""
    missing = []
    for proof in re.findall(r"`([^`]+)`", cell):
        path, _, text = proof.partition(": ")
        if not os.path.isfile(os.path.join(TOP, path)) or text not in read(path):
            missing.append(proof)
    return missing


rows = list(coverage_rows())
terms = [term for row in rows for term in row[0]]
equal(sorted(named() - set(terms)), [], "docs/coverage.md has a row for all that is named")
equal(sorted(set(terms) - named()), [], "and none for what is not")
equal(sorted(t for t in set(terms) if terms.count(t) > 1), [], "and no two for one")
equal([row[0][0] for row in rows if not row[1]], [], "each row tells a command")
equal([row[0][0] for row in rows if not row[2]], [], "each row tells a test")
equal([p for row in rows for p in proof_missing(row[3])], [], "the tests are there")
floors = {line.split()[0] for line in read(".ci", "coverage.txt").splitlines()
          if line.strip() and not line.startswith("#")}
rooms = {os.path.basename(p) for p in names("src/*") if os.path.isdir(os.path.join(TOP, p))}
live = set(re.findall(r"^- `src/(\w+)`", read("docs", "coverage.md"), re.M))
equal((sorted(rooms - floors - live), sorted((floors | live) - rooms), sorted(floors & live)),
      ([], [], []), "each room has a floor of line coverage, or is told to be tested live")

# The text.
texts = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"] + names("docs/*.md")
missing = [f"{p}: {f}" for p in texts for f in
           re.findall(r"(?<![\w/.-])((?:docs/)?[a-zA-Z-]+\.md|(?:tests|src|docs|bench|\.ci)/[\w./-]*\w)",
                      read(p))
           if not os.path.exists(os.path.join(TOP, f)) and
           not os.path.exists(os.path.join(TOP, "docs", f)) and "NAME" not in f and "NOUN" not in f]
equal(missing, [], "files that the documents name exist")
equal([p for p in names("docs/*.md") if p not in README], [], "README names every document")
ok(DEMO.count("\n") > 20 and max(map(len, DEMO.splitlines())) <= 80, "the demo is 80 columns wide")
heads = {word for line in DEMO.splitlines() if line.isupper() for word in line.split()}
ok({"KIND", "MAPPING", "CODE"} <= heads <= TITLES, "it has the tables of today", heads - TITLES)


# The commands.

def commands(path):
    """Commands of a document: indented lines, and text in back quotes, that call pgfault."""
    text = read(path)
    found = re.findall(r"^    (pgfault .*)$", text, re.M)
    return found + [c for c in re.findall(r"`(pgfault [^`\n]+)`", text) if "…" not in c]


def options_unknown(command):
    words = shlex.split(command.split(" -- ")[0])
    if len(words) < 2 or words[1].startswith("-"):
        return []
    shown = pgfault(words[1], "--help").stdout
    return [w for w in words[2:] if re.match(r"--?[a-zA-Z]", w) and
            not re.search(rf"(?<![\w-]){re.escape(w)}\b", shown)]


everything = sorted({c for p in texts for c in commands(p)})
ok(len(everything) > 25, "the documents hold commands", everything)
equal([(c, options_unknown(c)) for c in everything if options_unknown(c)], [],
      "their options are those of the program")
if os.geteuid() != 0:
    skip("commands of README run", "needs root")
    done()


def made_real(command, sleeper, group):
    """The command with things of this machine in the place of examples."""
    for example, real in (("./program", f"{FAULTGEN} anon-new=23"), ("1234", str(sleeper.pid)),
                          ("-d 10", "-d 0.3"), ("./run.pgf", "run.pgf"),
                          ("/sys/fs/cgroup/system.slice/redis.service", group or "")):
        command = command.replace(example, real)
    if " -p " in command and " -d " not in command:
        command += " -d 0.3"
    return shlex.split(command)


def cgroup_v2():
    with open("/proc/self/mounts", encoding="utf-8") as f:
        found = [line.split()[1] for line in f if line.split()[2] == "cgroup2"]
    return found[0] if found else None


sleeper = subprocess.Popen(["sleep", "300"])
equal(subprocess.run([FAULTGEN, "--list"], stdout=subprocess.DEVNULL).returncode, 0, "faultgen runs")
with tempfile.TemporaryDirectory() as work:
    for name in ("after.pgf", "run.pgf"):
        pgfault("record", "-o", name, "--", "true", cwd=work)
    for command in re.findall(r"^    (pgfault .*)$", README, re.M):
        argv = made_real(command, sleeper, cgroup_v2())
        if argv[1] == "selftest":
            argv.append("anon-new")
        if "--cgroup" in argv and not cgroup_v2():
            continue
        p = subprocess.run([PGFAULT, *argv[1:]], cwd=work, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, errors="replace", timeout=60)
        equal((p.returncode, "usage" in p.stderr), (0, False), f"README: {command}")
sleeper.kill()
sleeper.wait()
done()
