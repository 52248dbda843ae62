/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault/hist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault/bucket.h"

#define OCTAVES (PGF_BUCKET_COUNT / PGF_BUCKET_SUB)

struct octave {
	uint64_t count[PGF_BUCKET_SUB];
};

struct pgf_hist {
	uint64_t count;
	uint64_t sum;
	uint64_t min;
	uint64_t max;
	struct octave *octaves[OCTAVES]; /* NULL while no value falls into it */
};

int pgf_hist_new(struct pgf_hist **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void pgf_hist_reset(struct pgf_hist *hist)
{
	for (size_t i = 0; i < OCTAVES; i++)
		free(hist->octaves[i]);
	memset(hist, 0, sizeof(*hist));
}

void pgf_hist_free(struct pgf_hist *hist)
{
	if (!hist)
		return;
	pgf_hist_reset(hist);
	free(hist);
}

static uint64_t sum_of(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t product_of(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static int octave_need(struct pgf_hist *hist, size_t index)
{
	if (!hist->octaves[index])
		hist->octaves[index] = calloc(1, sizeof(struct octave));
	return hist->octaves[index] ? 0 : -ENOMEM;
}

static void totals_add(struct pgf_hist *hist, uint64_t count, uint64_t sum, uint64_t min,
                       uint64_t max)
{
	if (!hist->count || min < hist->min)
		hist->min = min;
	if (max > hist->max)
		hist->max = max;
	hist->count = sum_of(hist->count, count);
	hist->sum = sum_of(hist->sum, sum);
}

static int bucket_add(struct pgf_hist *hist, uint32_t bucket, uint64_t count, uint64_t sum,
                      uint64_t min, uint64_t max)
{
	uint64_t *slot;

	if (!count)
		return 0;
	if (octave_need(hist, bucket / PGF_BUCKET_SUB))
		return -ENOMEM;
	slot = &hist->octaves[bucket / PGF_BUCKET_SUB]->count[bucket % PGF_BUCKET_SUB];
	*slot = sum_of(*slot, count);
	totals_add(hist, count, sum, min, max);
	return 0;
}

int pgf_hist_add(struct pgf_hist *hist, uint64_t value, uint64_t count)
{
	return bucket_add(hist, pgf_bucket(value), count, product_of(value, count), value, value);
}

int pgf_hist_add_bucket(struct pgf_hist *hist, uint32_t bucket, uint64_t count, uint64_t sum,
                        uint64_t max)
{
	if (bucket >= PGF_BUCKET_COUNT || (count && pgf_bucket(max) != bucket))
		return -EINVAL;
	return bucket_add(hist, bucket, count, sum, pgf_bucket_low(bucket), max);
}

int pgf_hist_merge(struct pgf_hist *to, const struct pgf_hist *from)
{
	if (!from->count)
		return 0;
	for (size_t i = 0; i < OCTAVES; i++) {
		if (from->octaves[i] && octave_need(to, i))
			return -ENOMEM;
	}
	for (size_t i = 0; i < OCTAVES; i++) {
		for (size_t k = 0; from->octaves[i] && k < PGF_BUCKET_SUB; k++)
			to->octaves[i]->count[k] =
			        sum_of(to->octaves[i]->count[k], from->octaves[i]->count[k]);
	}
	totals_add(to, from->count, from->sum, from->min, from->max);
	return 0;
}

uint64_t pgf_hist_count(const struct pgf_hist *hist)
{
	return hist->count;
}

uint64_t pgf_hist_sum(const struct pgf_hist *hist)
{
	return hist->sum;
}

uint64_t pgf_hist_min(const struct pgf_hist *hist)
{
	return hist->min;
}

uint64_t pgf_hist_max(const struct pgf_hist *hist)
{
	return hist->max;
}

uint64_t pgf_hist_at(const struct pgf_hist *hist, uint32_t bucket)
{
	const struct octave *octave;

	if (bucket >= PGF_BUCKET_COUNT)
		return 0;
	octave = hist->octaves[bucket / PGF_BUCKET_SUB];
	return octave ? octave->count[bucket % PGF_BUCKET_SUB] : 0;
}

/* ceil(q * count), from 1 to count. */
static uint64_t rank_of(double q, uint64_t count)
{
	double exact = q * (double)count;
	uint64_t rank;

	if (!(exact > 1))
		return 1;
	if (exact >= (double)count)
		return count;
	rank = (uint64_t)exact;
	return (double)rank < exact ? rank + 1 : rank;
}

static uint64_t within(const struct pgf_hist *hist, uint64_t value)
{
	if (value < hist->min)
		return hist->min;
	return value > hist->max ? hist->max : value;
}

uint64_t pgf_hist_quantile(const struct pgf_hist *hist, double q)
{
	uint64_t rank, passed = 0;

	if (!hist->count)
		return 0;
	rank = rank_of(q, hist->count);
	for (size_t i = 0; i < OCTAVES; i++) {
		for (size_t k = 0; hist->octaves[i] && k < PGF_BUCKET_SUB; k++) {
			passed = sum_of(passed, hist->octaves[i]->count[k]);
			if (passed >= rank)
				return within(hist,
				              pgf_bucket_mid((uint32_t)(i * PGF_BUCKET_SUB + k)));
		}
	}
	return hist->max;
}

size_t pgf_hist_bytes(const struct pgf_hist *hist)
{
	size_t bytes = sizeof(*hist);

	for (size_t i = 0; i < OCTAVES; i++)
		bytes += hist->octaves[i] ? sizeof(struct octave) : 0;
	return bytes;
}
