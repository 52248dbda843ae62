/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The decision tree gives the same answers inside the kernel as outside: the same text as a
 * BPF program, run on random inputs and on the golden rows. Writes TAP.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "decide_rows.h"
#include "decide.skel.h"

#define RANDOM_CASES 50000u

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

/* 0 when the kernel agrees, 1 when it does not, -errno when the program could not run. */
static int compare(struct decide_bpf *skel, const struct pgf_state *state,
                   const struct pgf_outcome *outcome)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct decide_bpf__bss *bss = skel->bss;
	pgf_set leaves = pgf_decide(state), rest = pgf_narrow(leaves, state, outcome);
	int err;

	memcpy(&bss->state, state, sizeof(*state));
	memcpy(&bss->outcome, outcome, sizeof(*outcome));
	bss->leaves = bss->rest = 0;
	bss->kind = bss->likely = ~0u;
	err = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.decide), &opts);
	if (err)
		return err < 0 ? err : -err;
	if (bss->leaves == leaves && bss->rest == rest &&
	    bss->kind == (__u32)pgf_settle(leaves, state, outcome) &&
	    bss->likely == (__u32)pgf_set_likely(rest, state, outcome))
		return 0;
	printf("# known %llx yes %llx entry %u level %u, outcome %llx of %llx: "
	       "leaves %llx, in the kernel %llx; rest %llx, in the kernel %llx\n",
	       state->known, state->yes, state->entry, state->level, outcome->yes, outcome->known,
	       leaves, (pgf_set)bss->leaves, rest, (pgf_set)bss->rest);
	return 1;
}

static int compare_random(struct decide_bpf *skel)
{
	__u64 seed = 5;
	int ret = 0;

	for (unsigned int n = 0; n < RANDOM_CASES && !ret; n++) {
		struct pgf_state state = decide_random_state(&seed);
		struct pgf_outcome outcome = decide_random_outcome(&seed);

		ret = compare(skel, &state, &outcome);
	}
	return ret;
}

static int compare_rows(struct decide_bpf *skel)
{
	int ret = 0;

	for (size_t i = 0; i < DECIDE_ROWS && !ret; i++) {
		const struct decide_row *row = &decide_rows[i];
		struct pgf_state all = {.known = ALL_INPUTS, .yes = row->yes}, seen = {0};
		struct pgf_outcome outcome = {.known = SEEN_OUTCOMES | row->outcome,
		                              .yes = row->outcome};

		all.entry = row->entry;
		all.level = row->level;
		seen.known = SEEN_INPUTS;
		seen.yes = row->yes & seen.known;
		ret = compare(skel, &all, &outcome);
		if (!ret)
			ret = compare(skel, &seen, &outcome);
	}
	return ret;
}

static void report(int number, int ret, const char *what, unsigned int cases)
{
	printf("%s %d - %s: %u cases\n", ret ? "not ok" : "ok", number, what, cases);
	if (ret < 0)
		printf("# the program did not run: %s\n", strerror(-ret));
}

int main(void)
{
	struct decide_bpf *skel;
	int rows, any;

	libbpf_set_print(quiet);
	skel = decide_bpf__open_and_load();
	if (!skel && errno == EPERM) {
		printf("1..1\nok 1 - decide_bpf # SKIP bpf() is not permitted here\n");
		return 77;
	}
	if (!skel) {
		printf("1..1\nnot ok 1 - the verifier accepts the tree: %s\n", strerror(errno));
		return 1;
	}
	printf("1..3\nok 1 - the verifier accepts the tree\n");
	rows = compare_rows(skel);
	report(2, rows, "golden rows", 2 * (unsigned int)DECIDE_ROWS);
	any = compare_random(skel);
	report(3, any, "random states and outcomes", RANDOM_CASES);
	decide_bpf__destroy(skel);
	return rows || any;
}
