/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/dist.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fault/bucket.h"

#define COUNT_BITS 48
#define COUNT_MASK ((1ull << COUNT_BITS) - 1)

static uint64_t *find_slot(uint64_t *slot, uint32_t room, uint32_t bucket)
{
	/* Neighbouring buckets are common: they get neighbouring slots. */
	uint32_t i = bucket & (room - 1);

	while (slot[i] && slot[i] >> COUNT_BITS != bucket + 1)
		i = (i + 1) & (room - 1);
	return &slot[i];
}

static int dist_grow(struct pgf_dist *dist)
{
	uint32_t room = dist->room ? dist->room * 2 : 8;
	uint64_t *slot = calloc(room, sizeof(*slot));
	uint32_t i;

	if (!slot)
		return -ENOMEM;
	for (i = 0; i < dist->room; i++)
		if (dist->slot[i])
			*find_slot(slot, room, (uint32_t)(dist->slot[i] >> COUNT_BITS) - 1) =
			        dist->slot[i];
	free(dist->slot);
	dist->slot = slot;
	dist->room = room;
	return 0;
}

int pgf_dist_add(struct pgf_dist *dist, uint32_t bucket, uint64_t count)
{
	uint64_t *slot;

	if (bucket >= PGF_BUCKET_COUNT)
		bucket = PGF_BUCKET_COUNT - 1;
	if (dist->used * 4 >= dist->room * 3) {
		int err = dist_grow(dist);

		if (err)
			return err;
	}
	slot = find_slot(dist->slot, dist->room, bucket);
	if (!*slot) {
		*slot = (uint64_t)(bucket + 1) << COUNT_BITS;
		dist->used++;
	}
	/* Stops at the end of its bits: no run has 2^48 faults. */
	if (count > COUNT_MASK - (*slot & COUNT_MASK))
		*slot |= COUNT_MASK;
	else
		*slot += count;
	return 0;
}

int pgf_dist_merge(struct pgf_dist *into, const struct pgf_dist *from)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < from->room && !err; i++)
		if (from->slot[i])
			err = pgf_dist_add(into, (uint32_t)(from->slot[i] >> COUNT_BITS) - 1,
			                   from->slot[i] & COUNT_MASK);
	return err;
}

static int slot_compare(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;

	return *a < *b ? -1 : *a > *b;
}

int pgf_dist_quantiles(const struct pgf_dist *dist, const double *share, uint64_t *value, int count)
{
	uint64_t *sorted;
	uint64_t total = 0;
	uint64_t below = 0;
	uint32_t used = 0;
	uint32_t i;
	int q = 0;

	memset(value, 0, (size_t)count * sizeof(*value));
	if (!dist->used)
		return 0;
	sorted = malloc(dist->used * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < dist->room; i++) {
		if (!dist->slot[i])
			continue;
		sorted[used++] = dist->slot[i];
		total += dist->slot[i] & COUNT_MASK;
	}
	qsort(sorted, used, sizeof(*sorted), slot_compare);
	for (i = 0; i < used && q < count; i++) {
		below += sorted[i] & COUNT_MASK;
		/* Nearest rank: the first value with at least that share at or below it. */
		while (q < count && (double)below >= ceil(share[q] * (double)total))
			value[q++] = pgf_bucket_mid((uint32_t)(sorted[i] >> COUNT_BITS) - 1);
	}
	free(sorted);
	return 0;
}

void pgf_dist_clear(struct pgf_dist *dist)
{
	free(dist->slot);
	memset(dist, 0, sizeof(*dist));
}
