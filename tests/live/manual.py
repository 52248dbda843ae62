#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# root: no
"""Help, manual pages and completions name the same options, and the program takes them."""
import glob
import os
import re
import subprocess

from tap import done, equal, ok, pgfault

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VALUES = {"--ring": "64", 
    "--pid": "1", "--cgroup": "x", "--duration": "1", "--user": "root", "--tier": "perf",
    "--by": "kind", "--sort": "time", "--top": "1", "--assert": "major==0", "--output": "x",
    "--input": "x", "--kind": "anon-new", "--min-us": "1", "--addr": "1-2", "--map": "x",
    "--format": "table", "--seed": "1",
}
SECTIONS = ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "OUTPUT", "OVERHEAD", "PERMISSIONS",
            "EXIT STATUS", "EXAMPLES", "SEE ALSO")
NOT_BUILT = "not built yet"


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return f.read()


def page(name):
    """The source of a manual page with its parts put in."""
    return re.sub(r"^@([a-z]+)@$", lambda m: read("man", m.group(1) + ".in"),
                  read("man", name + ".1.scd"), flags=re.M)


def page_options(text):
    """{long option: (short option or None, whether it takes a value)} of OPTIONS."""
    section = re.search(r"^# OPTIONS$(.*?)^# ", text, re.M | re.S)
    rows = re.findall(r"^(?:\*(-\w)\*, )?\*(--[a-z-]+)\*(.*)$", section.group(1) if section else "",
                      re.M)
    return {long: (short or None, "_" in rest) for short, long, rest in rows}


def words(text):
    """Long options that a text names."""
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def bash_completes(verb, typed):
    """What bash offers behind `pgfault VERB`."""
    script = ('. "$1"; COMP_WORDS=(pgfault "$2" "$3"); COMP_CWORD=2; _pgfault; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    out = subprocess.run(["bash", "-c", script, "bash", "completions/pgfault.bash", verb, typed],
                         cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return set(out.stdout.split())


def taken(verb, options):
    """The options of the manual that the program refuses."""
    refused = []
    for long, (short, valued) in options.items():
        value = [VALUES[long]] if valued and long in VALUES else []
        refused += [o for o in filter(None, (short, long))
                    if pgfault(verb, o, *value, "--help").returncode != 0]
    return refused


def check_verb(verb, shown):
    text = page(f"pgfault-{verb}")
    options = page_options(text)
    named = {long for long, (short, _) in options.items()
             if long in words(shown) or short and re.search(rf"{short}\b", shown)}
    equal((named | {"--help"}, words(shown) - set(options)), (set(options), set()),
          f"{verb}: help and manual name the same options")
    equal(taken(verb, options), [], f"{verb}: the options of the manual are taken")
    equal(words(" ".join(bash_completes(verb, "--"))), set(options), f"{verb}: bash completes them")
    fish, zsh = read("completions", "pgfault.fish"), read("completions", "_pgfault")
    equal([o for o in options if not re.search(rf"-l {o[2:]}\b", fish) or o not in zsh], [],
          f"{verb}: fish and zsh know them")
    equal([s for s in SECTIONS if not re.search(rf"^# {s}$", text, re.M)], [],
          f"{verb}: the manual has all sections")


listed = re.findall(r"^  ([a-z]+) ", pgfault("--help").stdout, re.M)
ok(len(listed) >= 5, "commands are listed", listed)
pages = {os.path.basename(p)[len("pgfault-"):-len(".1.scd")]
         for p in glob.glob(os.path.join(TOP, "man", "pgfault-*.1.scd"))}
equal(pages, set(listed), "every command has a manual page, and every page a command")
main_page = page("pgfault")
offered = subprocess.run(
    ["bash", "-c", ". completions/pgfault.bash; COMP_WORDS=(pgfault ''); COMP_CWORD=1; _pgfault; "
     'printf "%s\\n" "${COMPREPLY[@]}"'], cwd=TOP, stdout=subprocess.PIPE, text=True).stdout.split()
equal([v for v in listed if f"*{v}*\n" not in main_page], [], "pgfault(1) names every command")
equal(sorted(set(listed) - set(offered)), [], "bash completes every command")
for verb in listed:
    p = pgfault(verb, "--help")
    if NOT_BUILT in p.stderr:
        equal(p.returncode, 64, f"{verb}: refused by name")
        continue
    equal(p.returncode, 0, f"{verb} --help")
    check_verb(verb, p.stdout)
done()
