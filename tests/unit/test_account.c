/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums, views and re-faults of an account. */
#include "account_fixture.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "fault/bucket.h"

static const struct pgf_map library_of_other = {.id = 3,
                                                .pid = PID + 1,
                                                .start = FILE_PAGE * 2,
                                                .end = FILE_PAGE * 2 + (1 << 30),
                                                .type = PGF_MAP_FILE,
                                                .ino = 7,
                                                .dev = 8,
                                                .name = "/usr/lib/libfoo.so"};

static const struct pgf_row *row_of_kind(const struct pgf_rows *rows, unsigned int kind)
{
	size_t i;

	for (i = 0; i < rows->count; i++)
		if (rows->row[i].kind == kind)
			return &rows->row[i];
	return NULL;
}

/* Sums. */

static void test_empty(void **state)
{
	struct pgf_account *account = open_account(NULL);
	unsigned int by;

	for (by = 0; by < PGF_BY_COUNT; by++) {
		struct pgf_rows *rows = rows_of(account, (enum pgf_by)by);

		assert_int_equal(rows->count, 0);
		assert_int_equal(rows->groups, 0);
		pgf_rows_free(rows);
	}
	assert_int_equal(total_of(account).count, 0);
	assert_false(total_of(account).dist_known);
	pgf_account_free(account);
	pgf_account_free(NULL);
	pgf_rows_free(NULL);
}

static void test_sums_by_kind(void **state)
{
	struct pgf_account *account = open_account(NULL);
	struct pgf_fault fault = make_fault(PGF_ANON_NEW, HEAP_PAGE, 1000, 500);
	const struct pgf_row *row;
	struct pgf_rows *rows;

	add(account, &fault, &heap);
	fault = make_fault(PGF_ANON_NEW, HEAP_PAGE + 4096, 2000, 1500);
	fault.flags = PGF_F_INFERRED;
	add(account, &fault, &heap);
	fault = make_fault(PGF_FILE_READ, FILE_PAGE, 3000, 90000);
	fault.flags = PGF_F_MAJOR;
	add(account, &fault, &library);
	fault = make_fault(PGF_SEGV_MAPERR, 0x10, 4000, 700);
	fault.flags = PGF_F_FAILED;
	add(account, &fault, NULL);
	fault = make_fault(PGF_UNFINISHED, FILE_PAGE, 5000, 0);
	fault.flags = PGF_F_UNFINISHED | PGF_F_NO_DURATION;
	add(account, &fault, &library);

	rows = rows_of(account, PGF_BY_KIND);
	assert_int_equal(rows->count, 4);
	row = row_of_kind(rows, PGF_ANON_NEW);
	assert_non_null(row);
	assert_ptr_equal(row, &rows->row[0]);
	assert_int_equal(row->class, PGF_CLASS_ANON);
	assert_int_equal(row->stat.count, 2);
	assert_int_equal(row->stat.ns, 2000);
	assert_int_equal(row->stat.max_ns, 1500);
	assert_int_equal(row->stat.inferred, 1);
	row = row_of_kind(rows, PGF_FILE_READ);
	assert_int_equal(row->stat.major, 1);
	assert_int_equal(row->stat.major_ns, 90000);
	assert_int_equal(row_of_kind(rows, PGF_SEGV_MAPERR)->stat.failed, 1);
	row = row_of_kind(rows, PGF_UNFINISHED);
	assert_int_equal(row->stat.unfinished, 1);
	assert_int_equal(row->stat.timed, 0);
	assert_false(row->stat.dist_known);
	pgf_rows_free(rows);

	assert_int_equal(total_of(account).count, 5);
	assert_int_equal(total_of(account).ns, 92700);
	assert_int_equal(total_of(account).max_ns, 90000);
	pgf_account_free(account);
}

static void test_unknown_split_by_class(void **state)
{
	struct pgf_account *account = open_account(NULL);
	struct pgf_fault fault = make_fault(PGF_UNKNOWN, HEAP_PAGE, 1, 1);
	struct pgf_rows *rows;
	int i;

	fault.leaves = PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_ANON_ZERO);
	for (i = 0; i < 3; i++)
		add(account, &fault, &heap);
	fault.leaves = PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_COW);
	for (i = 0; i < 2; i++)
		add(account, &fault, &library);
	fault.leaves = PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_ANON_NEW);
	add(account, &fault, NULL);
	rows = rows_of(account, PGF_BY_KIND);
	assert_int_equal(rows->count, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(rows->row[i].kind, PGF_UNKNOWN);
	assert_int_equal(rows->row[0].class, PGF_CLASS_ANON);
	assert_int_equal(rows->row[0].stat.count, 3);
	assert_true(rows->row[0].leaves == (PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_ANON_ZERO)));
	assert_int_equal(rows->row[1].class, PGF_CLASS_FILE);
	assert_int_equal(rows->row[1].stat.count, 2);
	assert_int_equal(rows->row[2].class, PGF_CLASS_UNKNOWN);
	pgf_rows_free(rows);
	pgf_account_free(account);
}

static int compare_u64(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;

	return *a < *b ? -1 : *a > *b;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 4;
}

static void assert_near(uint64_t value, uint64_t truth)
{
	double error = (double)value - (double)truth;

	assert_true(error <= 0.016 * (double)truth + 1 && error >= -0.016 * (double)truth - 1);
}

static void test_percentiles(void **state)
{
	struct pgf_account *account = open_account(NULL);
	static uint64_t values[9973];
	uint32_t seed = 5;
	size_t i;
	struct pgf_stat stat;
	const size_t n = sizeof(values) / sizeof(*values);

	for (i = 0; i < n; i++) {
		struct pgf_fault fault;

		values[i] = 200 + next_random(&seed) % (1u << (8 + next_random(&seed) % 18));
		fault = make_fault(i % 3 ? PGF_ANON_NEW : PGF_FILE_READ, i << 12, i, values[i]);
		fault.tid = PID + (uint32_t)(i % 5);
		add(account, &fault, i % 2 ? &heap : &library);
	}
	qsort(values, n, sizeof(*values), compare_u64);
	stat = total_of(account);
	assert_true(stat.dist_known);
	assert_int_equal(stat.max_ns, values[n - 1]);
	/* Nearest rank: the value at ceil(share * n). */
	assert_near(stat.p50_ns, values[(n * 50 + 99) / 100 - 1]);
	assert_near(stat.p90_ns, values[(n * 90 + 99) / 100 - 1]);
	assert_near(stat.p99_ns, values[(n * 99 + 99) / 100 - 1]);
	pgf_account_free(account);
}

static void test_views(void **state)
{
	struct pgf_account *account = open_account(NULL);
	struct pgf_fault fault = make_fault(PGF_ANON_NEW, HEAP_PAGE, 1, 100);
	struct pgf_rows *rows;

	fault.cgroup = 11;
	add(account, &fault, &heap);
	fault.tid = PID + 7;
	strcpy(fault.comm, "thread");
	add(account, &fault, &heap);
	fault = make_fault(PGF_FILE_READ, FILE_PAGE, 2, 300);
	fault.pid = PID + 1;
	fault.tid = PID + 1;
	strcpy(fault.comm, "other");
	add(account, &fault, &library_of_other);

	rows = rows_of(account, PGF_BY_PROCESS);
	assert_int_equal(rows->count, 2);
	assert_int_equal(rows->row[0].pid, PID);
	assert_string_equal(rows->row[0].comm, "worker");
	assert_int_equal(rows->row[0].stat.count, 2);
	assert_string_equal(rows->row[1].comm, "other");
	pgf_rows_free(rows);

	rows = rows_of(account, PGF_BY_THREAD);
	assert_int_equal(rows->count, 3);
	pgf_rows_free(rows);

	rows = rows_of(account, PGF_BY_CGROUP);
	assert_int_equal(rows->count, 2);
	assert_int_equal(rows->row[0].cgroup, 11);
	assert_int_equal(rows->row[0].stat.count, 2);
	pgf_rows_free(rows);

	rows = rows_of(account, PGF_BY_MAP);
	assert_int_equal(rows->count, 2);
	assert_string_equal(rows->row[0].map, "[heap]");
	assert_int_equal(rows->row[0].map_type, PGF_MAP_HEAP);
	assert_int_equal(rows->row[0].kind_count, 1);
	assert_int_equal(rows->row[0].kinds[0].kind, PGF_ANON_NEW);
	assert_int_equal(rows->row[0].kinds[0].count, 2);
	pgf_rows_free(rows);

	rows = rows_of(account, PGF_BY_KIND_MAP);
	assert_int_equal(rows->count, 2);
	assert_string_equal(rows->row[1].map, "/usr/lib/libfoo.so");
	assert_int_equal(rows->row[1].kind, PGF_FILE_READ);
	pgf_rows_free(rows);
	pgf_account_free(account);
}

/* The same file in two processes is one mapping row; ids and addresses do not matter. */
static void test_map_rows_by_name(void **state)
{
	struct pgf_account *account = open_account(NULL);
	struct pgf_fault fault = make_fault(PGF_FILE_READ, FILE_PAGE, 1, 100);
	struct pgf_map renamed = heap;
	struct pgf_rows *rows;

	add(account, &fault, &library);
	fault.pid = PID + 1;
	add(account, &fault, &library_of_other);
	rows = rows_of(account, PGF_BY_MAP);
	assert_int_equal(rows->count, 1);
	assert_int_equal(rows->row[0].stat.count, 2);
	pgf_rows_free(rows);

	/* A mapping that gets another name is counted under it from then on. */
	add(account, &fault, &renamed);
	renamed.name = "[anon:pool]";
	renamed.type = PGF_MAP_ANON;
	add(account, &fault, &renamed);
	rows = rows_of(account, PGF_BY_MAP);
	assert_int_equal(rows->count, 3);
	pgf_rows_free(rows);
	pgf_account_free(account);
}

static void test_sort_and_limit(void **state)
{
	struct pgf_account *account = open_account(NULL);
	static const uint64_t duration[] = {9000, 100, 3000};
	static const int times[] = {1, 50, 2};
	static const unsigned int kind[] = {PGF_THP_NEW, PGF_ANON_NEW, PGF_FILE_READ};
	struct pgf_rows *rows;
	int k;
	int i;

	for (k = 0; k < 3; k++)
		for (i = 0; i < times[k]; i++) {
			struct pgf_fault fault = make_fault(kind[k], 0x1000, 1, duration[k]);

			if (kind[k] == PGF_FILE_READ)
				fault.flags = PGF_F_MAJOR;
			add(account, &fault, &heap);
		}
	assert_int_equal(pgf_account_rows(account, PGF_BY_KIND, PGF_SORT_TIME, 1, NULL, &rows), 0);
	assert_int_equal(rows->count, 1);
	assert_int_equal(rows->groups, 3);
	assert_int_equal(rows->row[0].kind, PGF_THP_NEW);
	assert_int_equal(rows->rest.count, 52);
	assert_int_equal(rows->rest.ns, 50 * 100 + 2 * 3000);
	assert_int_equal(rows->rest.max_ns, 3000);
	pgf_rows_free(rows);
	assert_int_equal(pgf_account_rows(account, PGF_BY_KIND, PGF_SORT_COUNT, 0, NULL, &rows), 0);
	assert_int_equal(rows->row[0].kind, PGF_ANON_NEW);
	assert_int_equal(rows->rest.count, 0);
	pgf_rows_free(rows);
	assert_int_equal(pgf_account_rows(account, PGF_BY_KIND, PGF_SORT_MAJOR, 0, NULL, &rows), 0);
	assert_int_equal(rows->row[0].kind, PGF_FILE_READ);
	pgf_rows_free(rows);
	assert_int_equal(pgf_account_rows(account, PGF_BY_KIND, PGF_SORT_MAX, 0, NULL, &rows), 0);
	assert_int_equal(rows->row[0].kind, PGF_THP_NEW);
	pgf_rows_free(rows);
	assert_int_equal(pgf_account_rows(account, PGF_BY_KIND, PGF_SORT_P99, 0, NULL, &rows), 0);
	assert_int_equal(rows->row[2].kind, PGF_ANON_NEW);
	pgf_rows_free(rows);
	assert_int_equal(pgf_account_rows(account, PGF_BY_COUNT, PGF_SORT_P99, 0, NULL, &rows),
	                 -EINVAL);
	pgf_account_free(account);
}

/* Faults one by one, and the same faults added up as the kernel does: the same account. */

static void add_as_cells(struct pgf_account *account, const struct pgf_fault *faults, size_t count,
                         const struct pgf_map *const *maps)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct pgf_cell cell = {
		        .fault = faults[i],
		        .count = 1,
		        .ns = faults[i].duration_ns,
		        .max_ns = faults[i].duration_ns,
		        .bucket = pgf_bucket(faults[i].duration_ns),
		};
		size_t k = i + 1;

		/* Runs of the same thing in the same bucket share a cell. */
		while (k < count && faults[k].kind == faults[i].kind && maps[k] == maps[i] &&
		       faults[k].ip == faults[i].ip && faults[k].flags == faults[i].flags &&
		       pgf_bucket(faults[k].duration_ns) == cell.bucket) {
			cell.count++;
			cell.ns += faults[k].duration_ns;
			if (faults[k].duration_ns > cell.max_ns)
				cell.max_ns = faults[k].duration_ns;
			k++;
		}
		assert_int_equal(pgf_account_cell(account, &cell, maps[i]), 0);
		cell.code = true;
		cell.bucket = PGF_CELL_NO_BUCKET;
		assert_int_equal(pgf_account_cell(account, &cell, NULL), 0);
		i = k - 1;
	}
}

static void assert_same_view(struct pgf_account *one, struct pgf_account *two, enum pgf_by by)
{
	struct pgf_rows *left = rows_of(one, by);
	struct pgf_rows *right = rows_of(two, by);
	size_t i;

	assert_int_equal(left->count, right->count);
	assert_true(left->count > 1);
	for (i = 0; i < left->count; i++) {
		const struct pgf_row *a = &left->row[i];
		const struct pgf_row *b = &right->row[i];

		assert_int_equal(a->kind, b->kind);
		assert_string_equal(a->map ? a->map : "", b->map ? b->map : "");
		assert_int_equal(a->ip, b->ip);
		assert_int_equal(a->stat.count, b->stat.count);
		assert_int_equal(a->stat.timed, b->stat.timed);
		assert_int_equal(a->stat.ns, b->stat.ns);
		assert_int_equal(a->stat.max_ns, b->stat.max_ns);
		assert_int_equal(a->stat.major, b->stat.major);
		assert_int_equal(a->stat.failed, b->stat.failed);
		if (by == PGF_BY_CODE)
			continue;
		assert_int_equal(a->stat.p50_ns, b->stat.p50_ns);
		assert_int_equal(a->stat.p99_ns, b->stat.p99_ns);
	}
	pgf_rows_free(left);
	pgf_rows_free(right);
}

static void test_cells_equal_faults(void **state)
{
	static const unsigned int kinds[] = {PGF_ANON_NEW, PGF_FILE_READ, PGF_WP_COPY,
	                                     PGF_SEGV_ACCERR};
	struct pgf_account *streamed = open_account(NULL);
	struct pgf_account *added_up = open_account(NULL);
	static struct pgf_fault faults[5000];
	static const struct pgf_map *maps[5000];
	uint32_t seed = 3;
	size_t i;

	for (i = 0; i < 5000; i++) {
		unsigned int kind = kinds[next_random(&seed) % 4];

		faults[i] = make_fault(kind, 0x1000, i, 100 + next_random(&seed) % 40);
		faults[i].ip = 0x400000 + next_random(&seed) % 4;
		if (kind == PGF_SEGV_ACCERR)
			faults[i].flags |= PGF_F_FAILED;
		else if (next_random(&seed) % 10 == 0)
			faults[i].flags |= PGF_F_MAJOR;
		maps[i] = kind == PGF_FILE_READ ? &library : &heap;
		add(streamed, &faults[i], maps[i]);
	}
	add_as_cells(added_up, faults, 5000, maps);
	assert_same_view(streamed, added_up, PGF_BY_KIND);
	assert_same_view(streamed, added_up, PGF_BY_MAP);
	assert_same_view(streamed, added_up, PGF_BY_KIND_MAP);
	assert_same_view(streamed, added_up, PGF_BY_CODE);
	assert_int_equal(total_of(added_up).count, 5000);
	assert_true(pgf_account_streamed(streamed));
	assert_false(pgf_account_streamed(added_up));
	pgf_account_free(streamed);
	pgf_account_free(added_up);
}

static void test_full_tables_keep_sums(void **state)
{
	const struct pgf_account_opts opts = {.group_max = 64};
	struct pgf_account *account = open_account(&opts);
	struct pgf_account_loss loss;
	struct pgf_rows *rows;
	uint32_t i;

	for (i = 0; i < 1000; i++) {
		struct pgf_fault fault = make_fault(PGF_ANON_NEW, 0x1000, 1, 10);

		fault.tid = PID + i;
		fault.ip = 0x400000 + i;
		add(account, &fault, &heap);
	}
	assert_int_equal(total_of(account).count, 1000);
	rows = rows_of(account, PGF_BY_MAP);
	assert_int_equal(rows->count, 1);
	assert_int_equal(rows->row[0].stat.count, 1000);
	pgf_rows_free(rows);
	rows = rows_of(account, PGF_BY_THREAD);
	assert_int_equal(rows->count, 65);
	assert_int_equal(rows->row[0].pid, 0);
	assert_int_equal(rows->row[0].stat.count, 1000 - 64);
	pgf_rows_free(rows);
	pgf_account_loss(account, &loss);
	assert_true(loss.ungrouped >= 1000 - 64);
	pgf_account_free(account);
}

/* Code. */

static void test_code_is_shared_between_processes(void **state)
{
	struct pgf_account_opts opts = {0};
	struct pgf_account *account;
	struct pgf_rows *rows;
	uint32_t i;

	assert_int_equal(pgf_space_new(&opts.space), 0);
	account = open_account(&opts);
	for (i = 0; i < 3; i++) {
		const uint64_t base = 0x7f0000000000ull + i * 0x100000;
		const struct pgf_space_event event = {
		        .type = PGF_SPACE_MMAP,
		        .time_ns = 1,
		        .pid = PID + i,
		        .tid = PID + i,
		        .addr = base,
		        .len = 0x10000,
		        .pgoff = 0x2000,
		        .ino = 99,
		        .dev = 3,
		        .prot = PROT_READ | PROT_EXEC | PGF_MAP_PROT_KNOWN,
		        .flags = MAP_PRIVATE,
		        .name = "/nonexistent/program",
		};
		struct pgf_fault fault = make_fault(PGF_ANON_NEW, 0x1000, 2, 10);

		assert_int_equal(pgf_space_apply(opts.space, &event), 0);
		fault.pid = PID + i;
		fault.ip = base + 0x123;
		add(account, &fault, &heap);
		/* Code outside of files is each process's own. */
		fault.ip = 0x10000;
		add(account, &fault, &heap);
	}
	rows = rows_of(account, PGF_BY_CODE);
	assert_int_equal(rows->count, 4);
	assert_int_equal(rows->row[0].stat.count, 3);
	assert_int_equal(rows->row[0].pid, 0);
	assert_int_equal(rows->row[1].ip, 0x10000);
	assert_int_equal(rows->row[1].pid, PID);
	pgf_rows_free(rows);
	pgf_account_free(account);
	pgf_space_free(opts.space);
}

/* Two instructions of one function are one row once symbols are asked for. */
static void test_code_is_merged_by_function(void **state)
{
	struct pgf_account_opts opts = {0};
	struct pgf_symbols *symbols;
	struct pgf_account *account;
	struct pgf_rows *rows;
	int i;

	assert_int_equal(pgf_space_new(&opts.space), 0);
	assert_int_equal(pgf_space_read_proc(opts.space, (uint32_t)getpid(), 1), 0);
	assert_int_equal(pgf_symbols_new(&symbols), 0);
	account = open_account(&opts);
	for (i = 0; i < 4; i++) {
		struct pgf_fault fault = make_fault(PGF_ANON_NEW, 0x1000, 2, 10);

		fault.pid = (uint32_t)getpid();
		fault.ip = (uint64_t)test_code_is_merged_by_function + (i == 3 ? 8 : 4);
		add(account, &fault, &heap);
	}
	rows = rows_of(account, PGF_BY_CODE);
	assert_int_equal(rows->count, 2);
	pgf_rows_free(rows);
	assert_int_equal(pgf_account_rows(account, PGF_BY_CODE, PGF_SORT_COUNT, 5, symbols, &rows),
	                 0);
	assert_int_equal(rows->count, 1);
	assert_int_equal(rows->row[0].stat.count, 4);
	assert_non_null(rows->row[0].symbol);
	assert_string_equal(rows->row[0].symbol->func, "test_code_is_merged_by_function");
	/* The hottest address stands for the row. */
	assert_int_equal(rows->row[0].symbol->offset, 4);
	assert_int_equal(rows->row[0].kinds[0].kind, PGF_ANON_NEW);
	assert_int_equal(rows->row[0].kinds[0].count, 4);
	pgf_rows_free(rows);
	pgf_account_free(account);
	pgf_symbols_free(symbols);
	pgf_space_free(opts.space);
}

/* Re-faults. */

static void test_again_after_madvise(void **state)
{
	struct pgf_account *account = open_account(NULL);
	struct pgf_rows *rows;

	touch(account, PGF_ANON_NEW, HEAP_PAGE, 1 * MS);
	touch(account, PGF_ANON_NEW, HEAP_PAGE + 4096, 2 * MS);
	give_back(account, PGF_SPACE_MADVISE, HEAP_PAGE, 4096);
	touch(account, PGF_ANON_NEW, HEAP_PAGE, 3 * MS);
	assert_int_equal(total_of(account).again[PGF_AGAIN_MADVISE], 1);
	assert_int_equal(total_of(account).again_ns[PGF_AGAIN_MADVISE], 2000);
	assert_int_equal(total_of(account).count, 3);
	/* One discard explains one re-fault. */
	touch(account, PGF_ANON_NEW, HEAP_PAGE, 4 * MS);
	assert_int_equal(total_of(account).again[PGF_AGAIN_MADVISE], 1);
	assert_int_equal(total_of(account).again[PGF_AGAIN_UNSEEN], 1);
	rows = rows_of(account, PGF_BY_DISCARD);
	assert_int_equal(rows->count, 1);
	assert_int_equal(rows->row[0].ip, 0x402000);
	assert_int_equal(rows->row[0].again, PGF_AGAIN_MADVISE);
	assert_int_equal(rows->row[0].stat.count, 1);
	assert_int_equal(rows->row[0].bytes, 4096);
	assert_int_equal(rows->row[0].stat.again[PGF_AGAIN_MADVISE], 1);
	pgf_rows_free(rows);
	rows = rows_of(account, PGF_BY_MAP);
	assert_int_equal(pgf_stat_again(&rows->row[0].stat), 2);
	pgf_rows_free(rows);
	rows = rows_of(account, PGF_BY_CODE);
	assert_int_equal(pgf_stat_again(&rows->row[0].stat), 2);
	pgf_rows_free(rows);
	pgf_account_free(account);
}

static void test_again_other_ways(void **state)
{
	struct pgf_account *account = open_account(NULL);
	struct pgf_space_event event = {.type = PGF_SPACE_BRK, .pid = PID, .tid = PID};

	touch(account, PGF_ANON_NEW, HEAP_PAGE, 1 * MS);
	give_back(account, PGF_SPACE_MUNMAP, HEAP_PAGE, 4096);
	give_back(account, PGF_SPACE_MMAP, HEAP_PAGE, 4096);
	touch(account, PGF_ANON_NEW, HEAP_PAGE, 2 * MS);
	assert_int_equal(total_of(account).again[PGF_AGAIN_UNMAP], 1);

	event.addr = HEAP_PAGE + 8192;
	assert_int_equal(pgf_account_space(account, &event), 0);
	event.addr = HEAP_PAGE;
	assert_int_equal(pgf_account_space(account, &event), 0);
	event.addr = HEAP_PAGE + 8192;
	assert_int_equal(pgf_account_space(account, &event), 0);
	touch(account, PGF_ANON_NEW, HEAP_PAGE, 3 * MS);
	assert_int_equal(total_of(account).again[PGF_AGAIN_BRK], 1);

	/* A new mapping over the old one is another page, not the same one again. */
	give_back(account, PGF_SPACE_MMAP, HEAP_PAGE, 4096);
	touch(account, PGF_ANON_NEW, HEAP_PAGE, 4 * MS);
	assert_int_equal(total_of(account).again[PGF_AGAIN_REMAP], 1);
	{
		struct pgf_stat stat = total_of(account);

		assert_int_equal(pgf_stat_again(&stat), 2);
	}
	pgf_account_free(account);
}

static void test_not_again(void **state)
{
	struct pgf_account *account = open_account(NULL);
	const struct pgf_space_event exec = {
	        .type = PGF_SPACE_EXEC, .pid = PID, .tid = PID, .name = "next"};
	struct pgf_fault fault;
	struct pgf_stat stat;

	/* The first write to the zero page. */
	touch(account, PGF_ANON_ZERO, HEAP_PAGE, 1 * MS);
	touch(account, PGF_ANON_NEW, HEAP_PAGE, 2 * MS);
	/* Copying a page that is there. */
	touch(account, PGF_FILE_READ, FILE_PAGE, 3 * MS);
	touch(account, PGF_WP_COPY, FILE_PAGE, 4 * MS);
	/* Two threads at the same time. */
	touch(account, PGF_FILE_READ, FILE_PAGE + 4096, 5 * MS);
	touch(account, PGF_FILE_READ, FILE_PAGE + 4096, 5 * MS + 1000);
	/* Advice that takes nothing away. */
	touch(account, PGF_ANON_NEW, HEAP_PAGE + 8192, 6 * MS);
	/* A kind that was only inferred, and one that never ended. */
	fault = make_fault(PGF_ANON_NEW, HEAP_PAGE + 8192, 7 * MS, 10);
	fault.flags = PGF_F_INFERRED;
	add(account, &fault, &heap);
	fault.flags = PGF_F_UNFINISHED;
	add(account, &fault, &heap);
	/* Another process, and another program in this one. */
	fault = make_fault(PGF_ANON_NEW, HEAP_PAGE, 8 * MS, 10);
	fault.pid = PID + 1;
	add(account, &fault, &heap);
	assert_int_equal(pgf_account_space(account, &exec), 0);
	touch(account, PGF_ANON_NEW, HEAP_PAGE, 9 * MS);
	stat = total_of(account);
	assert_int_equal(pgf_stat_again(&stat), 0);
	/* Yet exec does not split the process's row. */
	{
		struct pgf_rows *rows = rows_of(account, PGF_BY_PROCESS);

		assert_int_equal(rows->count, 2);
		pgf_rows_free(rows);
	}
	pgf_account_free(account);
}

static void test_again_untold(void **state)
{
	struct pgf_account *account = open_account(NULL);
	int i;

	touch(account, PGF_ANON_NEW, HEAP_PAGE, 1 * MS);
	give_back(account, PGF_SPACE_MADVISE, HEAP_PAGE, 4096);
	for (i = 0; i < 1000; i++)
		give_back(account, PGF_SPACE_MADVISE, HEAP_PAGE + (1 << 20), 4096);
	touch(account, PGF_ANON_NEW, HEAP_PAGE, 2 * MS);
	assert_int_equal(total_of(account).again[PGF_AGAIN_UNTOLD], 1);
	assert_int_equal(total_of(account).again[PGF_AGAIN_UNSEEN], 0);
	pgf_account_free(account);
}

static void test_page_memory_is_bounded(void **state)
{
	const struct pgf_account_opts opts = {.page_max = 1024};
	struct pgf_account *account = open_account(&opts);
	const struct pgf_space_event exit = {.type = PGF_SPACE_EXIT, .pid = PID, .tid = PID};
	struct pgf_account_loss loss;
	uint64_t i;

	for (i = 0; i < 10000; i++)
		touch(account, PGF_ANON_NEW, HEAP_PAGE + i * 4096, i * MS);
	pgf_account_loss(account, &loss);
	assert_int_equal(loss.pages, 10000 - 768);
	assert_int_equal(total_of(account).count, 10000);
	/* The pages of a process that ended make room. */
	assert_int_equal(pgf_account_space(account, &exit), 0);
	for (i = 0; i < 700; i++) {
		struct pgf_fault fault = make_fault(PGF_ANON_NEW, HEAP_PAGE + i * 4096, 1, 1);

		fault.pid = PID + 1;
		add(account, &fault, &heap);
	}
	pgf_account_loss(account, &loss);
	assert_int_equal(loss.pages, 10000 - 768);
	pgf_account_free(account);
}

static void test_names(void **state)
{
	unsigned int i;

	for (i = 0; i < PGF_BY_COUNT; i++)
		assert_int_equal(pgf_by_parse(pgf_by_name(i)), i);
	assert_null(pgf_by_name(PGF_BY_COUNT));
	assert_int_equal(pgf_by_parse("nothing"), -EINVAL);
	for (i = 0; i <= PGF_SORT_AGAIN; i++)
		assert_int_equal(pgf_sort_parse(pgf_sort_name(i)), i);
	assert_int_equal(pgf_sort_parse(""), -EINVAL);
	for (i = 0; i < PGF_AGAIN_COUNT; i++)
		assert_non_null(pgf_again_name(i));
	for (i = 0; i <= PGF_MAP_SPECIAL; i++)
		assert_non_null(pgf_map_type_name(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_empty),
	        cmocka_unit_test(test_sums_by_kind),
	        cmocka_unit_test(test_unknown_split_by_class),
	        cmocka_unit_test(test_percentiles),
	        cmocka_unit_test(test_views),
	        cmocka_unit_test(test_map_rows_by_name),
	        cmocka_unit_test(test_sort_and_limit),
	        cmocka_unit_test(test_cells_equal_faults),
	        cmocka_unit_test(test_full_tables_keep_sums),
	        cmocka_unit_test(test_code_is_shared_between_processes),
	        cmocka_unit_test(test_code_is_merged_by_function),
	        cmocka_unit_test(test_again_after_madvise),
	        cmocka_unit_test(test_again_other_ways),
	        cmocka_unit_test(test_not_again),
	        cmocka_unit_test(test_again_untold),
	        cmocka_unit_test(test_page_memory_is_bounded),
	        cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
