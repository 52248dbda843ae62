/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings: each rule with evidence that is just enough, and with a little less. */
#include "account_fixture.h"

#include "account/advice.h"

static void many(struct pgf_account *account, unsigned int kind, uint32_t flags, uint64_t count,
                 uint64_t duration_ns)
{
	uint64_t i;

	for (i = 0; i < count; i++) {
		struct pgf_fault fault =
		        make_fault(kind, (1ull << 40) + ((uint64_t)kind << 32) + i * 4096, i * MS,
		                   duration_ns);

		fault.flags = flags;
		add(account, &fault, kind == PGF_FILE_READ ? &library : &heap);
	}
}

static const struct pgf_advice *find_advice(struct pgf_account *account,
                                            const struct pgf_advice_run *run,
                                            enum pgf_advice_rule rule)
{
	static struct pgf_advice advice[PGF_ADVICE_MAX];
	int count = pgf_advice_find(account, run, advice, PGF_ADVICE_MAX);
	int i;

	assert_true(count >= 0);
	for (i = 1; i < count; i++)
		assert_true(advice[i - 1].weight_ns >= advice[i].weight_ns);
	for (i = 0; i < count; i++)
		if (advice[i].rule == rule)
			return &advice[i];
	return NULL;
}

/* times re-faults of kind after a call of this type (0: after none). */
static void ping_pong(struct pgf_account *account, unsigned int kind, uint32_t type, int times)
{
	const uint64_t page = kind == PGF_FILE_READ ? FILE_PAGE : HEAP_PAGE;
	int i;

	for (i = 0; i <= times; i++) {
		touch(account, kind, page, (uint64_t)(i + 1) * MS);
		if (type == PGF_SPACE_BRK) {
			give_back(account, type, page + 8192, 0);
			give_back(account, type, page, 0);
		} else if (type) {
			give_back(account, type, page, 4096);
		}
	}
}

static bool fires_again(unsigned int kind, uint32_t type, int times, enum pgf_advice_rule rule,
                        const struct pgf_advice_run *run, const char *part)
{
	struct pgf_account *account = open_account(NULL);
	const struct pgf_advice *advice;

	/* Something of the process's calls is seen, but elsewhere. */
	give_back(account, PGF_SPACE_MUNMAP, 0x1000, 4096);
	ping_pong(account, kind, type, times);
	advice = find_advice(account, run, rule);
	if (advice && part)
		assert_non_null(strstr(advice->text, part));
	pgf_account_free(account);
	return advice;
}

static void test_advice_again(void **state)
{
	const struct pgf_advice_run run = {.wall_ns = 1000 * MS};
	const struct pgf_advice_run sampled = {.sampled = true};
	const struct pgf_advice_run lost = {.space_lost = true};

	assert_true(fires_again(PGF_ANON_NEW, PGF_SPACE_MADVISE, 64, PGF_ADVICE_DISCARD, &run,
	                        "64 re-faults, most of [heap], after madvise"));
	assert_false(
	        fires_again(PGF_ANON_NEW, PGF_SPACE_MADVISE, 63, PGF_ADVICE_DISCARD, &run, NULL));
	assert_false(fires_again(PGF_ANON_NEW, PGF_SPACE_MADVISE, 64, PGF_ADVICE_DISCARD, &sampled,
	                         NULL));
	assert_true(fires_again(PGF_ANON_NEW, PGF_SPACE_MUNMAP, 64, PGF_ADVICE_UNMAP, &run,
	                        "M_MMAP_THRESHOLD"));
	assert_false(
	        fires_again(PGF_ANON_NEW, PGF_SPACE_MADVISE, 64, PGF_ADVICE_UNMAP, &run, NULL));
	assert_true(fires_again(PGF_ANON_NEW, PGF_SPACE_BRK, 64, PGF_ADVICE_TRIM, &run,
	                        "M_TRIM_THRESHOLD"));
	assert_false(fires_again(PGF_ANON_NEW, 0, 64, PGF_ADVICE_TRIM, &run, NULL));
	assert_true(fires_again(PGF_FILE_READ, 0, 64, PGF_ADVICE_THRASH, &run,
	                        "/usr/lib/libfoo.so faulted again 64 times"));
	assert_false(fires_again(PGF_FILE_READ, 0, 63, PGF_ADVICE_THRASH, &run, NULL));
	assert_false(fires_again(PGF_FILE_READ, 0, 64, PGF_ADVICE_THRASH, &lost, NULL));
	assert_false(
	        fires_again(PGF_FILE_READ, PGF_SPACE_MADVISE, 64, PGF_ADVICE_THRASH, &run, NULL));
	assert_false(fires_again(PGF_ANON_NEW, 0, 64, PGF_ADVICE_THRASH, &run, NULL));
}

/* Where calls cannot be seen, their absence proves nothing. */
static void test_advice_thrash_needs_calls(void **state)
{
	const struct pgf_advice_run run = {.wall_ns = 1000 * MS};
	struct pgf_account *account = open_account(NULL);

	ping_pong(account, PGF_FILE_READ, 0, 100);
	assert_null(find_advice(account, &run, PGF_ADVICE_THRASH));
	pgf_account_free(account);
}

static bool fires(enum pgf_advice_rule rule, unsigned int kind, uint32_t flags, uint64_t count,
                  uint64_t duration_ns, uint64_t wall_ns)
{
	const struct pgf_advice_run run = {.wall_ns = wall_ns};
	struct pgf_account *account = open_account(NULL);
	const struct pgf_advice *advice;

	/* The rest of the run: 1 ms of faults that no rule minds. */
	many(account, PGF_WP_REUSE, 0, 1000, 1000);
	many(account, kind, flags, count, duration_ns);
	advice = find_advice(account, &run, rule);
	if (advice)
		assert_true(strlen(advice->text) > 20);
	pgf_account_free(account);
	return advice;
}

static void test_advice_by_kind(void **state)
{
	assert_true(fires(PGF_ADVICE_THP_STALL, PGF_THP_NEW, 0, 3, 2 * MS, 0));
	assert_false(fires(PGF_ADVICE_THP_STALL, PGF_THP_NEW, 0, 3, MS / 2, 0));
	assert_false(fires(PGF_ADVICE_THP_STALL, PGF_THP_NEW, PGF_F_INFERRED, 3, 2 * MS, 0));
	assert_true(fires(PGF_ADVICE_MAJOR, PGF_FILE_READ, PGF_F_MAJOR, 16, 100000, 0));
	assert_false(fires(PGF_ADVICE_MAJOR, PGF_FILE_READ, PGF_F_MAJOR, 15, 100000, 0));
	assert_false(fires(PGF_ADVICE_MAJOR, PGF_FILE_READ, 0, 100, 100000, 0));
	assert_true(fires(PGF_ADVICE_SWAP, PGF_SWAP_DEVICE, 0, 16, 50000, 0));
	assert_false(fires(PGF_ADVICE_SWAP, PGF_SWAP_DEVICE, 0, 16, 500, 0));
	assert_false(fires(PGF_ADVICE_SWAP, PGF_SWAP_CACHE, 0, 16, 50000, 0));
	assert_true(fires(PGF_ADVICE_COW, PGF_WP_COPY, 0, 512, 1000, 0));
	assert_false(fires(PGF_ADVICE_COW, PGF_WP_COPY, 0, 511, 1000, 0));
	assert_false(fires(PGF_ADVICE_COW, PGF_WP_COPY, PGF_F_INFERRED, 512, 1000, 0));
	assert_true(fires(PGF_ADVICE_FAILED, PGF_SEGV_ACCERR, PGF_F_FAILED, 64, 1000, 0));
	assert_false(fires(PGF_ADVICE_FAILED, PGF_SEGV_ACCERR, PGF_F_FAILED, 63, 1000, 0));
	assert_true(fires(PGF_ADVICE_NUMA, PGF_NUMA_HINT, 0, 512, 1000, 0));
	assert_false(fires(PGF_ADVICE_NUMA, PGF_NUMA_HINT, 0, 512, 100, 0));
	assert_true(fires(PGF_ADVICE_UFFD, PGF_UFFD_MISSING, 0, 16, 50000, 0));
	assert_false(fires(PGF_ADVICE_UFFD, PGF_UFFD_MISSING, 0, 15, 50000, 0));
	assert_true(fires(PGF_ADVICE_COLD, PGF_ANON_NEW, 0, 4096, 1000, 50 * MS));
	assert_false(fires(PGF_ADVICE_COLD, PGF_ANON_NEW, 0, 4096, 1000, 500 * MS));
	assert_false(fires(PGF_ADVICE_COLD, PGF_ANON_NEW, 0, 4095, 1000, 50 * MS));
}

static void test_advice_names(void **state)
{
	unsigned int i;

	for (i = PGF_ADVICE_DISCARD; i <= PGF_ADVICE_COLD; i++)
		assert_string_not_equal(pgf_advice_name((enum pgf_advice_rule)i), "?");
	assert_string_equal(pgf_advice_name((enum pgf_advice_rule)0), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_advice_again),
	        cmocka_unit_test(test_advice_thrash_needs_calls),
	        cmocka_unit_test(test_advice_by_kind),
	        cmocka_unit_test(test_advice_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
