#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# limit: 300
"""Call stacks: a program touches known numbers of pages by known ways through its functions."""
import os
import shutil
import subprocess
import tempfile

from tap import done, equal, json_lines, need_root, of_type, ok, pgfault, rows, run_json, skip

need_root("stacks")
if not shutil.which("gcc"):
    skip("stacks", "needs gcc")
    done()

ONE, TWO, WAYS = 700, 300, 1024
SOURCE = f"""
#include <sys/mman.h>
#define NOINLINE __attribute__((noinline))
#define STAY __asm__ volatile("" ::: "memory")
static volatile char *area;
/* A function that calls none has no frame: its caller would be missing. */
NOINLINE volatile char *page_at(long page) {{ return area + page * 4096; }}
NOINLINE void way_leaf(long from, long pages)
{{
	for (long i = 0; i < pages; i++)
		*page_at(from + i) = 1;
	STAY;
}}
NOINLINE void way_mid(long from, long pages) {{ way_leaf(from, pages); STAY; }}
NOINLINE void way_one(void) {{ way_mid(0, {ONE}); STAY; }}
NOINLINE void way_two(void) {{ way_mid({ONE}, {TWO}); STAY; }}
NOINLINE void tree_leaf(long page) {{ *page_at(page) = 1; STAY; }}
NOINLINE void tree_one(long path, int depth);
NOINLINE void tree_two(long path, int depth);
NOINLINE void tree_next(long path, int depth)
{{
	if (!depth)
		tree_leaf({ONE} + {TWO} + path);
	else if (path >> (depth - 1) & 1)
		tree_one(path, depth - 1);
	else
		tree_two(path, depth - 1);
	STAY;
}}
NOINLINE void tree_one(long path, int depth) {{ tree_next(path, depth); STAY; }}
NOINLINE void tree_two(long path, int depth) {{ tree_next(path, depth); STAY; }}
int main(int argc, char **argv)
{{
	long pages = {ONE} + {TWO} + {WAYS};

	(void)argv;
	area = mmap(0, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED || madvise((void *)area, pages * 4096, MADV_NOHUGEPAGE))
		return 1;
	if (argc == 1) {{
		way_one();
		way_two();
	}} else {{
		for (long path = 0; path < {WAYS}; path++)
			tree_next(path, 10);
	}}
	return 0;
}}
"""
WAY_ONE = ["way_leaf", "way_mid", "way_one", "main"]
WAY_TWO = ["way_leaf", "way_mid", "way_two", "main"]
# What libc does before main is not built with frame pointers: only what main calls is known.
FLAGS = ["-fno-omit-frame-pointer", "-fno-optimize-sibling-calls"]


def build(directory, level):
    source = os.path.join(directory, "ways.c")
    program = os.path.join(directory, "ways" + level)
    with open(source, "w", encoding="ascii") as f:
        f.write(SOURCE)
    subprocess.run(["gcc", level, *FLAGS, "-o", program, source], check=True)
    return program


def names(frames):
    return [(f["symbol"] or {}).get("func") for f in frames or []]


def ways(found):
    """Faults by way of those rows that lead through main, named down to it."""
    counts = {}
    for row in found:
        way = names(row["frames"])
        if "main" in way:
            way = tuple(way[:way.index("main") + 1])
            counts[way] = counts.get(way, 0) + row["count"]
    return counts


def check_ways(found, what):
    counts = ways(found)
    equal(counts.get(tuple(WAY_ONE)), ONE, f"{what}: {ONE} pages are touched by way_one")
    equal(counts.get(tuple(WAY_TWO)), TWO, f"{what}: {TWO} pages are touched by way_two")
    others = {w: n for w, n in counts.items() if w[0] == "way_leaf"}
    equal(sum(others.values()), ONE + TWO, f"{what}: and by no other way")


def check_run(program, tier, what):
    p, lines = run_json(["-g", "--tier", tier, "--by", "stack"], [program])
    equal(p.returncode, 0, f"{what}: run -g succeeds")
    check_ways(rows(lines, "stack"), f"{what}: run -g")
    p, lines = run_json(["-g", "--tier", tier], [program])
    stacks = rows(lines, "stack")
    total = (of_type(lines, "totals") or [{}])[-1]
    equal(sum(r["count"] for r in stacks), total.get("faults"),
          f"{what}: the stacks hold every fault")
    no_stack = sum(r["count"] for r in stacks if not r["frames"])
    lost = total["lost"]["stacks"] + total["lost"]["events"] + total["unfinished"]
    ok(no_stack <= lost, f"{what}: what has no stack was lost or had no end: {no_stack}", total)


def check_text(program, tier):
    p = pgfault("run", "-g", "--tier", tier, "--", program)
    lines = [line.split() for line in p.stderr.splitlines()]
    at = next((i for i, words in enumerate(lines) if words[:2] == ["STACK", "WHERE"]), None)
    ok(at is not None, f"{tier}: the summary has a table of stacks", p.stderr)
    if at is not None:
        equal([words[0] for words in lines[at + 1:at + 5]], WAY_ONE,
              f"{tier}: and begins with the way that costs most, innermost first")
        ok(str(ONE) in lines[at + 1], f"{tier}: with its number of faults", p.stderr)


def check_folded(output, what):
    """The lines that flamegraph.pl reads: names outermost first, a blank, a number."""
    counts = {}
    for line in output.splitlines():
        way, _, count = line.rpartition(" ")
        way = way.split(";")
        if "main" in way:
            way = tuple(reversed(way[len(way) - 1 - way[::-1].index("main"):]))
            counts[way] = counts.get(way, 0) + int(count)
    equal((counts.get(tuple(WAY_ONE)), counts.get(tuple(WAY_TWO))), (ONE, TWO),
          f"{what}: --csv is folded stacks")


def check_trace(program, tier):
    p = pgfault("trace", "-g", "--tier", tier, "--", program)
    text = p.stdout.splitlines()
    # A line of a fault begins with two numbers, one of a frame with an address.
    seen = {}
    way = None
    for line in [*text, "1 1"]:
        words = line.split()
        if len(words) > 1 and words[0].isdigit() and words[1].isdigit():
            if way and "main" in way:
                key = tuple(way[:way.index("main") + 1])
                seen[key] = seen.get(key, 0) + 1
            way = []
        elif way is not None and line.startswith(" ") and len(words) > 1:
            way.append(words[1])
    equal((seen.get(tuple(WAY_ONE)), seen.get(tuple(WAY_TWO))), (ONE, TWO),
          f"{tier}: trace -g has the stack below each line")
    p = pgfault("trace", "-g", "--json", "--tier", tier, "--", program)
    faults = of_type(json_lines(p.stdout), "fault")
    one = [f for f in faults if names(f["stack"])[:4] == WAY_ONE]
    two = [f for f in faults if names(f["stack"])[:4] == WAY_TWO]
    equal((len(one), len(two)), (ONE, TWO), f"{tier}: trace -g --json has it as a member")
    ok(one and all(f["stack"][0]["ip"] == f["ip"] for f in one),
       f"{tier}: whose first address is that of the fault", one[:1])
    p = pgfault("trace", "--json", "--tier", tier, "--", program)
    faults = of_type(json_lines(p.stdout), "fault")
    ok(faults and all(f["stack"] is None for f in faults), f"{tier}: without -g there is none")


def check_record(program, tier, directory):
    path = os.path.join(directory, tier + ".pgf")
    p = pgfault("record", "-g", "--tier", tier, "-o", path, "--", program)
    equal(p.returncode, 0, f"{tier}: record -g succeeds")
    p = pgfault("report", "-i", path, "--by", "stack", "--json")
    check_ways(rows(json_lines(p.stdout), "stack"), f"{tier}: report")
    p = pgfault("report", "-i", path, "--by", "stack", "--csv")
    check_folded(p.stdout, f"{tier}: report")
    p = pgfault("report", "-i", path, "--format", "table", "--json")
    one = [f for f in of_type(json_lines(p.stdout), "fault") if names(f["stack"])[:4] == WAY_ONE]
    equal(len(one), ONE, f"{tier}: report --format has the stacks of single faults")


def check_many(program):
    """More ways than a hash without chains has room for without a second try."""
    p, lines = run_json(["-g", "--tier", "tracepoint"], [program, "many"])
    total = (of_type(lines, "totals") or [{}])[-1]
    found = ways([r for r in rows(lines, "stack") if names(r["frames"])[:1] == ["tree_leaf"]])
    lost = total["lost"]["stacks"]
    ok(lost <= 8, f"of {WAYS} ways hardly one is lost: {lost}", total)
    ok(WAYS - lost <= len(found) <= WAYS, f"all others are told apart: {len(found)}", p.stderr)
    ok(all(n == 1 for n in found.values()), "each with its one fault")
    touched = [r["count"] for r in rows(lines, "code")
               if (r["symbol"] or {}).get("func") == "tree_leaf"]
    equal(touched, [WAYS], "which are as many as its code has")


with tempfile.TemporaryDirectory() as d:
    os.chmod(d, 0o755)
    programs = {level: build(d, level) for level in ("-O0", "-O1")}
    for tier in ("tracepoint", "perf"):
        for level, program in programs.items():
            check_run(program, tier, f"{tier} {level}")
        check_text(programs["-O1"], tier)
        check_trace(programs["-O1"], tier)
        check_record(programs["-O1"], tier, d)
    check_many(programs["-O1"])

for verb in ("run", "record"):
    p = pgfault(verb, "-g", "--aggregate", "--", "true")
    equal(p.returncode, 64, f"{verb} -g --aggregate is a wrong usage")
    ok("-g and --aggregate" in p.stderr, "and says so", p.stderr)
done()
