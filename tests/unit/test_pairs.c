/* SPDX-License-Identifier: BSD-2-Clause */
/* Merging and pairing on sequences that real faults bring too seldom: moves and losses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pgfault/decide.h>
#include "observe/idmap.h"
#include "observe/merge.h"
#include "observe/pairs.h"
#include "observe/stacks.h"

struct got {
	struct pgf_fault list[16];
	size_t count;
};

static int note(void *ctx, const struct pgf_fault *fault)
{
	struct got *got = ctx;

	assert_true(got->count < 16);
	got->list[got->count++] = *fault;
	return 0;
}

static struct got got;
static struct pgf_pairs *pairs;

static int setup(void **state)
{
	memset(&got, 0, sizeof(got));
	return pgf_pairs_new(&pairs, note, &got);
}

static int teardown(void **state)
{
	pgf_pairs_free(pairs);
	return 0;
}

static void add(uint8_t type, uint32_t tid, uint64_t time_ns, uint64_t address)
{
	struct pgf_sample sample = {.type = type,
	                            .pid = 7,
	                            .tid = tid,
	                            .time_ns = time_ns,
	                            .address = address,
	                            .ip = 0x400000 + time_ns,
	                            .mode = PGF_MODE_USER};

	assert_int_equal(pgf_pairs_add(pairs, &sample), 0);
}

static void test_pair(void **state)
{
	add(PGF_SAMPLE_ENTRY, 1, 100, 0x1000);
	add(PGF_SAMPLE_ENTRY, 2, 110, 0x1000);
	add(PGF_SAMPLE_MAJOR, 2, 150, 0x1000);
	add(PGF_SAMPLE_MINOR, 1, 170, 0x1000);
	assert_int_equal(got.count, 2);
	assert_int_equal(got.list[0].tid, 2);
	assert_int_equal(got.list[0].time_ns, 110);
	assert_int_equal(got.list[0].duration_ns, 40);
	assert_int_equal(got.list[0].ip, 0x400000 + 110);
	assert_int_equal(got.list[0].flags, PGF_F_MAJOR);
	assert_int_equal(got.list[0].evidence, PGF_O_COMPLETED | PGF_O_MAJOR);
	assert_int_equal(got.list[1].duration_ns, 70);
	assert_int_equal(got.list[1].flags, 0);
	assert_int_equal(got.list[1].evidence, PGF_O_COMPLETED);
	assert_int_equal(got.list[1].evidence_known, PGF_O_COMPLETED | PGF_O_MAJOR);
}

static void check_unfinished(const struct pgf_fault *fault, uint64_t time_ns)
{
	assert_int_equal(fault->time_ns, time_ns);
	assert_int_equal(fault->duration_ns, 0);
	assert_int_equal(fault->flags, PGF_F_UNFINISHED | PGF_F_NO_DURATION);
	assert_int_equal(fault->evidence_known, PGF_O_COMPLETED);
	assert_int_equal(fault->evidence, 0);
}

static void test_unfinished(void **state)
{
	add(PGF_SAMPLE_ENTRY, 1, 100, 0x1000);
	add(PGF_SAMPLE_ENTRY, 1, 200, 0x1000);
	add(PGF_SAMPLE_EXIT, 1, 300, 0);
	add(PGF_SAMPLE_ENTRY, 2, 400, 0x2000);
	assert_int_equal(got.count, 2);
	assert_int_equal(pgf_pairs_end(pairs), 0);
	assert_int_equal(got.count, 3);
	check_unfinished(&got.list[0], 100);
	check_unfinished(&got.list[1], 200);
	check_unfinished(&got.list[2], 400);
	assert_int_equal(pgf_pairs_counts(pairs)->unfinished, 3);
	assert_int_equal(pgf_pairs_counts(pairs)->uncertain, 0);
}

/* A tid that is used again does not complete its predecessor's fault. */
static void test_reused_tid(void **state)
{
	add(PGF_SAMPLE_ENTRY, 1, 100, 0x1000);
	add(PGF_SAMPLE_EXIT, 1, 200, 0);
	add(PGF_SAMPLE_MINOR, 1, 300, 0x1000);
	assert_int_equal(got.count, 2);
	assert_int_equal(got.list[1].time_ns, 300);
	assert_int_equal(got.list[1].flags, PGF_F_NO_DURATION);
}

static void test_lost_entry(void **state)
{
	add(PGF_SAMPLE_ENTRY, 1, 100, 0x1000);
	add(PGF_SAMPLE_MINOR, 1, 200, 0x5000);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.list[0].access.address, 0x5000);
	assert_int_equal(got.list[0].flags, PGF_F_NO_DURATION);
	add(PGF_SAMPLE_MINOR, 1, 300, 0x1000);
	assert_int_equal(got.count, 2);
	assert_int_equal(got.list[1].duration_ns, 200);
}

/* Where something may be missing, an open entry proves nothing. */
static void test_lost_completion(void **state)
{
	pgf_pairs_lossy(pairs, 140, 160);
	add(PGF_SAMPLE_ENTRY, 1, 100, 0x1000);
	add(PGF_SAMPLE_ENTRY, 2, 170, 0x1000);
	add(PGF_SAMPLE_ENTRY, 1, 200, 0x2000);
	assert_int_equal(got.count, 0);
	assert_int_equal(pgf_pairs_counts(pairs)->uncertain, 1);
	add(PGF_SAMPLE_ENTRY, 2, 210, 0x2000);
	add(PGF_SAMPLE_ENTRY, 1, 300, 0x3000);
	assert_int_equal(got.count, 2);
	check_unfinished(&got.list[0], 170);
	check_unfinished(&got.list[1], 200);
	/* Spans that touch are one; what lies between two others is safe. */
	pgf_pairs_lossy(pairs, 350, 400);
	pgf_pairs_lossy(pairs, 400, 450);
	pgf_pairs_lossy(pairs, 700, 800);
	add(PGF_SAMPLE_EXIT, 1, 340, 0);
	assert_int_equal(got.count, 3);
	add(PGF_SAMPLE_ENTRY, 3, 460, 0x1000);
	add(PGF_SAMPLE_EXIT, 3, 690, 0);
	assert_int_equal(got.count, 4);
	add(PGF_SAMPLE_ENTRY, 4, 690, 0x1000);
	add(PGF_SAMPLE_EXIT, 4, 1000, 0);
	add(PGF_SAMPLE_ENTRY, 5, 900, 0x1000);
	assert_int_equal(pgf_pairs_end(pairs), 0);
	assert_int_equal(got.count, 5);
	check_unfinished(&got.list[4], 900);
	assert_int_equal(pgf_pairs_counts(pairs)->uncertain, 3); /* threads 1, 2 and 4 */
}

struct order {
	uint64_t times[4096];
	size_t count;
};

static int note_order(void *ctx, const struct pgf_sample *sample)
{
	struct order *order = ctx;

	order->times[order->count++] = sample->time_ns;
	return 0;
}

static void test_merge(void **state)
{
	static struct order order;
	struct pgf_merge *merge;
	uint64_t next[5] = {0};
	size_t added = 0;

	srand(1);
	assert_int_equal(pgf_merge_new(&merge, 5), 0);
	for (uint64_t watermark = 100; watermark <= 2000; watermark += 100) {
		for (size_t ring = 0; ring < 5; ring++) {
			/* Some run ahead of the watermark, one is mostly idle. */
			uint64_t until = watermark + (uint64_t)(rand() % 150);

			for (; next[ring] < until; added++) {
				struct pgf_sample sample = {.time_ns = next[ring]};

				assert_int_equal(pgf_merge_add(merge, ring, &sample), 0);
				next[ring] += 1 + (uint64_t)(rand() % (ring == 4 ? 500 : 12));
			}
		}
		assert_int_equal(pgf_merge_flush(merge, watermark, note_order, &order), 0);
		assert_true(order.times[order.count - 1] <= watermark);
	}
	assert_true(order.count < added);
	assert_int_equal(pgf_merge_flush(merge, UINT64_MAX, note_order, &order), 0);
	assert_int_equal(order.count, added);
	for (size_t i = 1; i < order.count; i++)
		assert_true(order.times[i - 1] <= order.times[i]);
	pgf_merge_free(merge);
}

/* Against a plain array. */
static void test_idmap(void **state)
{
	static uint64_t plain[512]; /* value + 1, or 0 */
	struct pgf_idmap map = {0};

	srand(2);
	for (int i = 0; i < 100000; i++) {
		uint64_t key = (uint64_t)(rand() % 512) << 40;
		uint64_t *value = pgf_idmap_get(&map, key);

		if (plain[key >> 40]) {
			assert_non_null(value);
			assert_int_equal(*value, plain[key >> 40] - 1);
		} else {
			assert_null(value);
		}
		if (rand() % 2) {
			assert_int_equal(pgf_idmap_put(&map, key, (uint64_t)i), 0);
			plain[key >> 40] = (uint64_t)i + 1;
		} else {
			pgf_idmap_del(&map, key);
			plain[key >> 40] = 0;
		}
	}
	assert_int_equal(pgf_idmap_put(&map, PGF_IDMAP_EMPTY, 1), -EINVAL);
	pgf_idmap_clear(&map);
	assert_null(pgf_idmap_get(&map, 0));
}

static void test_stacks(void **state)
{
	struct pgf_stacks *stacks;
	uint32_t id, again;
	bool fresh;

	assert_int_equal(pgf_stacks_new(&stacks), 0);
	for (uint64_t i = 0; i < 3000; i++) {
		uint64_t ips[3] = {i / 100, i % 100, 5};

		assert_int_equal(pgf_stacks_intern(stacks, ips, 3, &id, &fresh), 0);
		assert_true(fresh);
		assert_int_equal(id, 2 * i + 1);
		assert_int_equal(pgf_stacks_intern(stacks, ips, 3, &again, &fresh), 0);
		assert_false(fresh);
		assert_int_equal(again, id);
		assert_int_equal(pgf_stacks_intern(stacks, ips, 2, &again, &fresh), 0);
		assert_true(fresh);
	}
	pgf_stacks_free(stacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_pair, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_unfinished, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_reused_tid, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_lost_entry, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_lost_completion, setup, teardown),
	        cmocka_unit_test(test_merge),
	        cmocka_unit_test(test_idmap),
	        cmocka_unit_test(test_stacks),
	};

	return cmocka_run_group_tests_name("pairs", tests, NULL, NULL);
}
