// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* The decision tree as the verifier and the kernel's compiler see it: one case a run. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include <pgfault/decide.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct pgf_state state;
struct pgf_outcome outcome;
pgf_set leaves;
pgf_set rest;
__u32 kind;
__u32 likely;

SEC("raw_tp/sys_enter")
int decide(void *ctx)
{
	struct pgf_state s = state;
	struct pgf_outcome o = outcome;

	leaves = pgf_decide(&s);
	rest = pgf_narrow(leaves, &s, &o);
	kind = pgf_settle(leaves, &s, &o);
	likely = pgf_set_likely(rest, &s, &o);
	return 0;
}
