/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings: one line each, with numbers, only where the evidence is exact. No rule fires
 * on an inferred kind or on a sampled run's shares alone.
 */
#ifndef PGF_ACCOUNT_ADVICE_H
#define PGF_ACCOUNT_ADVICE_H

#include "account/account.h"

#define PGF_ADVICE_TEXT 320
#define PGF_ADVICE_MAX  12

enum pgf_advice_rule {
	PGF_ADVICE_DISCARD = 1,   /* madvise/fault ping-pong */
	PGF_ADVICE_UNMAP = 2,     /* munmap/mmap of the same addresses */
	PGF_ADVICE_TRIM = 3,      /* brk/fault ping-pong */
	PGF_ADVICE_THRASH = 4,    /* file pages dropped by reclaim and faulted again */
	PGF_ADVICE_THP_STALL = 5, /* long huge-page faults */
	PGF_ADVICE_MAJOR = 6,     /* time in reads from a device */
	PGF_ADVICE_SWAP = 7,      /* swap-ins */
	PGF_ADVICE_COW = 8,       /* copies after fork */
	PGF_ADVICE_FAILED = 9,    /* caught SIGSEGV or SIGBUS in number */
	PGF_ADVICE_NUMA = 10,     /* time in NUMA hints */
	PGF_ADVICE_UFFD = 11,     /* waits for a user-space handler */
	PGF_ADVICE_COLD = 12      /* first touches dominate the run: preallocate or populate */
};

struct pgf_advice {
	enum pgf_advice_rule rule;
	uint64_t weight_ns;         /* fault time the finding is about; the order of the list */
	char text[PGF_ADVICE_TEXT]; /* unescaped: holds names of mappings */
};

/* What the rules need to know of the run beside its sums. */
struct pgf_advice_run {
	uint64_t wall_ns;            /* 0: not known */
	bool sampled;                /* not every fault came: no rule on re-faults */
	bool space_lost;             /* calls may have been missed: no rule on their absence */
	struct pgf_symbols *symbols; /* may be NULL */
};

/*
 * Writes at most max findings, weightiest first. Returns how many, or -ENOMEM.
 */
int pgf_advice_find(struct pgf_account *account, const struct pgf_advice_run *run,
                    struct pgf_advice *advice, size_t max);
const char *pgf_advice_name(enum pgf_advice_rule rule);

#endif /* PGF_ACCOUNT_ADVICE_H */
