/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A distribution of durations over the buckets of fault/bucket.h that keeps only the
 * buckets in use: thousands of groups have one each.
 */
#ifndef PGF_ACCOUNT_DIST_H
#define PGF_ACCOUNT_DIST_H

#include <stdint.h>

struct pgf_dist {
	uint64_t *slot; /* bucket + 1 in the upper 16 bits, count below; 0: free */
	uint32_t used;
	uint32_t room; /* a power of two */
};

/* Begins to load what pgf_dist_add() will look at. */
static inline void pgf_dist_prefetch(const struct pgf_dist *dist, uint32_t bucket)
{
	if (dist->room)
		__builtin_prefetch(&dist->slot[bucket & (dist->room - 1)]);
}
/* 0 or -ENOMEM. */
int pgf_dist_add(struct pgf_dist *dist, uint32_t bucket, uint64_t count);
int pgf_dist_merge(struct pgf_dist *into, const struct pgf_dist *from);
/*
 * The values below which the shares (0..1, rising) of all durations lie, each within 1.6 %;
 * all 0 when the distribution is empty. 0 or -ENOMEM.
 */
int pgf_dist_quantiles(const struct pgf_dist *dist, const double *share, uint64_t *value,
                       int count);
void pgf_dist_clear(struct pgf_dist *dist);

#endif /* PGF_ACCOUNT_DIST_H */
