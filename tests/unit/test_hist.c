/* SPDX-License-Identifier: BSD-2-Clause */
/* The histogram against sorted arrays of the very values that went in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault/bucket.h"
#include "fault/hist.h"

#define VALUES 20000

static uint64_t state = 0x243f6a8885a308d3ull;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Over all magnitudes: as many values of 3 bits as of 60. */
static uint64_t next_value(void)
{
	return next_random() >> (next_random() % 64);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static struct pgf_hist *hist_new(void)
{
	struct pgf_hist *hist;

	assert_int_equal(pgf_hist_new(&hist), 0);
	return hist;
}

static void buckets_hold_their_values(void **ctx)
{
	for (int i = 0; i < VALUES; i++) {
		uint64_t value = next_value();
		uint32_t bucket = pgf_bucket(value);

		assert_true(bucket < PGF_BUCKET_COUNT);
		assert_true(pgf_bucket_low(bucket) <= value);
		if (bucket + 1 < PGF_BUCKET_COUNT)
			assert_true(value < pgf_bucket_low(bucket + 1));
	}
	assert_int_equal(pgf_bucket(UINT64_MAX), PGF_BUCKET_COUNT - 1);
	assert_int_equal(pgf_bucket(0), 0);
}

static void empty_is_zero(void **ctx)
{
	struct pgf_hist *hist = hist_new();

	assert_int_equal(pgf_hist_count(hist), 0);
	assert_int_equal(pgf_hist_sum(hist), 0);
	assert_int_equal(pgf_hist_min(hist), 0);
	assert_int_equal(pgf_hist_max(hist), 0);
	assert_int_equal(pgf_hist_quantile(hist, 0.5), 0);
	assert_int_equal(pgf_hist_add(hist, 77, 0), 0);
	assert_int_equal(pgf_hist_count(hist), 0);
	assert_int_equal(pgf_hist_min(hist), 0);
	pgf_hist_free(hist);
	pgf_hist_free(NULL);
}

static void assert_near(uint64_t estimate, uint64_t truth)
{
	uint64_t off = estimate > truth ? estimate - truth : truth - estimate;

	if ((double)off > 0.016 * (double)truth)
		fail_msg("%llu is more than 1.6 %% off %llu", (unsigned long long)estimate,
		         (unsigned long long)truth);
}

static void quantiles_are_near(void **ctx)
{
	static const double quantiles[] = {0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999};
	struct pgf_hist *hist = hist_new();
	uint64_t *values = malloc(VALUES * sizeof(*values));

	assert_non_null(values);
	for (int i = 0; i < VALUES; i++) {
		values[i] = next_value();
		assert_int_equal(pgf_hist_add(hist, values[i], 1), 0);
	}
	qsort(values, VALUES, sizeof(*values), by_value);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		size_t rank = (size_t)(quantiles[i] * VALUES);

		assert_near(pgf_hist_quantile(hist, quantiles[i]), values[rank ? rank - 1 : 0]);
	}
	assert_int_equal(pgf_hist_min(hist), values[0]);
	assert_int_equal(pgf_hist_max(hist), values[VALUES - 1]);
	assert_near(pgf_hist_quantile(hist, 1), values[VALUES - 1]);
	assert_near(pgf_hist_quantile(hist, 7), values[VALUES - 1]);
	assert_near(pgf_hist_quantile(hist, -1), values[0]);
	free(values);
	pgf_hist_free(hist);
}

static void ranks_are_exact_for_small_values(void **ctx)
{
	struct pgf_hist *hist = hist_new();

	for (uint64_t v = 1; v <= 10; v++)
		assert_int_equal(pgf_hist_add(hist, v, 1), 0);
	assert_int_equal(pgf_hist_quantile(hist, 0.5), 5);
	assert_int_equal(pgf_hist_quantile(hist, 0.51), 6);
	assert_int_equal(pgf_hist_quantile(hist, 0.9), 9);
	assert_int_equal(pgf_hist_quantile(hist, 1), 10);
	assert_int_equal(pgf_hist_sum(hist), 55);
	pgf_hist_free(hist);
}

static void counts_weigh(void **ctx)
{
	struct pgf_hist *hist = hist_new();

	assert_int_equal(pgf_hist_add(hist, 3, 999), 0);
	assert_int_equal(pgf_hist_add(hist, 20, 1), 0);
	assert_int_equal(pgf_hist_quantile(hist, 0.999), 3);
	assert_int_equal(pgf_hist_quantile(hist, 0.9999), 20);
	assert_int_equal(pgf_hist_count(hist), 1000);
	assert_int_equal(pgf_hist_sum(hist), 3017);
	assert_int_equal(pgf_hist_at(hist, 3), 999);
	assert_int_equal(pgf_hist_at(hist, PGF_BUCKET_COUNT), 0);
	pgf_hist_free(hist);
}

static void merging_is_adding(void **ctx)
{
	struct pgf_hist *a = hist_new(), *b = hist_new(), *all = hist_new();

	for (int i = 0; i < VALUES; i++) {
		uint64_t value = next_value() >> 20;

		assert_int_equal(pgf_hist_add(i % 3 ? a : b, value, 1), 0);
		assert_int_equal(pgf_hist_add(all, value, 1), 0);
	}
	assert_int_equal(pgf_hist_merge(a, b), 0);
	assert_int_equal(pgf_hist_count(a), pgf_hist_count(all));
	assert_int_equal(pgf_hist_sum(a), pgf_hist_sum(all));
	assert_int_equal(pgf_hist_min(a), pgf_hist_min(all));
	assert_int_equal(pgf_hist_max(a), pgf_hist_max(all));
	for (uint32_t i = 0; i < PGF_BUCKET_COUNT; i++)
		assert_int_equal(pgf_hist_at(a, i), pgf_hist_at(all, i));
	pgf_hist_reset(b);
	assert_int_equal(pgf_hist_merge(a, b), 0);
	assert_int_equal(pgf_hist_min(a), pgf_hist_min(all));
	assert_int_equal(pgf_hist_merge(b, a), 0);
	assert_int_equal(pgf_hist_min(b), pgf_hist_min(all));
	pgf_hist_free(a);
	pgf_hist_free(b);
	pgf_hist_free(all);
}

static void buckets_can_be_added(void **ctx)
{
	struct pgf_hist *hist = hist_new();
	uint32_t bucket = pgf_bucket(1000);

	assert_int_equal(pgf_hist_add_bucket(hist, bucket, 5, 4990, 1002), 0);
	assert_int_equal(pgf_hist_count(hist), 5);
	assert_int_equal(pgf_hist_sum(hist), 4990);
	assert_int_equal(pgf_hist_max(hist), 1002);
	assert_int_equal(pgf_bucket(pgf_hist_min(hist)), bucket);
	assert_near(pgf_hist_quantile(hist, 0.5), 1000);
	assert_int_equal(pgf_hist_add_bucket(hist, PGF_BUCKET_COUNT, 1, 1, 1), -EINVAL);
	assert_int_equal(pgf_hist_add_bucket(hist, bucket, 1, 1, 9999), -EINVAL);
	assert_int_equal(pgf_hist_count(hist), 5);
	pgf_hist_free(hist);
}

static void sums_do_not_wrap(void **ctx)
{
	struct pgf_hist *hist = hist_new();

	assert_int_equal(pgf_hist_add(hist, UINT64_MAX, 2), 0);
	assert_true(pgf_hist_sum(hist) == UINT64_MAX);
	assert_int_equal(pgf_hist_add(hist, 1, UINT64_MAX), 0);
	assert_true(pgf_hist_count(hist) == UINT64_MAX);
	assert_true(pgf_hist_sum(hist) == UINT64_MAX);
	assert_int_equal(pgf_hist_quantile(hist, 0.5), 1);
	pgf_hist_free(hist);
}

static void memory_follows_the_octaves(void **ctx)
{
	struct pgf_hist *hist = hist_new();
	size_t empty = pgf_hist_bytes(hist);

	/* Latencies from 1 µs to 1 ms lie in 10 octaves. */
	for (uint64_t v = 1024; v < 1048576; v += 7)
		assert_int_equal(pgf_hist_add(hist, v, 1), 0);
	assert_true(empty < 1024);
	assert_int_equal(pgf_hist_bytes(hist) - empty, 10 * 32 * sizeof(uint64_t));
	pgf_hist_reset(hist);
	assert_int_equal(pgf_hist_bytes(hist), empty);
	assert_int_equal(pgf_hist_max(hist), 0);
	pgf_hist_free(hist);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(buckets_hold_their_values),
	        cmocka_unit_test(empty_is_zero),
	        cmocka_unit_test(quantiles_are_near),
	        cmocka_unit_test(ranks_are_exact_for_small_values),
	        cmocka_unit_test(counts_weigh),
	        cmocka_unit_test(merging_is_adding),
	        cmocka_unit_test(buckets_can_be_added),
	        cmocka_unit_test(sums_do_not_wrap),
	        cmocka_unit_test(memory_follows_the_octaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
