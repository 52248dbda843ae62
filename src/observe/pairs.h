/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pairs the entry of a fault with its completion: both are samples of the same thread
 * with the same address, the first before the second, whatever CPU they come from.
 * Not thread-safe.
 */
#ifndef PGF_OBSERVE_PAIRS_H
#define PGF_OBSERVE_PAIRS_H

#include <stdbool.h>

#include <pgfault/fault.h>
#include "observe/merge.h"

/* What became of the samples. */
struct pgf_pairs_counts {
	uint64_t minor; /* delivered, those without an entry included */
	uint64_t major;
	uint64_t unfinished; /* entries delivered without a completion */
	uint64_t uncertain;  /* entries not delivered: the completion may have been dropped */
};

typedef int (*pgf_pairs_fn)(void *ctx, const struct pgf_fault *fault);

struct pgf_pairs;

/* fn gets every fault; a non-zero return comes back from the call that led to it. */
int pgf_pairs_new(struct pgf_pairs **out, pgf_pairs_fn fn, void *ctx);
void pgf_pairs_free(struct pgf_pairs *pairs); /* accepts NULL */
/* The next sample in order of time. 0, -ENOMEM or what fn returned. */
int pgf_pairs_add(struct pgf_pairs *pairs, const struct pgf_sample *sample);
/*
 * Samples with a time in [from_ns, to_ns] may be missing. To be told before what comes
 * after from_ns is added, and in order.
 */
void pgf_pairs_lossy(struct pgf_pairs *pairs, uint64_t from_ns, uint64_t to_ns);
/* Nothing more comes: ends what is open. 0 or what fn returned. */
int pgf_pairs_end(struct pgf_pairs *pairs);
const struct pgf_pairs_counts *pgf_pairs_counts(const struct pgf_pairs *pairs);

#endif /* PGF_OBSERVE_PAIRS_H */
