/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults named out of an address space and what was seen of them. */
#include <pgfault/decide.h>
#include "space_events.h"

static struct pgf_fault fault_at(uint64_t address, uint32_t code)
{
	struct pgf_fault fault = {.pid = 7, .tid = 7, .time_ns = clock_ns, .duration_ns = 1000};

	assert_int_equal(pgf_access_decode(&fault.access, PGF_ARCH_X86_64, code), 0);
	fault.access.address = address;
	fault.evidence_known = PGF_O_COMPLETED | PGF_O_MAJOR;
	return fault;
}

static struct pgf_space *named_space(void)
{
	struct pgf_space *space = space_new();

	pgf_space_offline(space);
	task_event(space, PGF_SPACE_COMM, 0, 7, 7, "prog");
	map_at(space, 7, 0x10000, 0x10000, RW, "//anon");
	map_at(space, 7, 0x20000, 0x10000, PROT_READ, "/f");
	map_at(space, 7, 0x7ff00000, 0x10000, RW, "[stack]");
	return space;
}

#define CODE_WRITE 6 /* user, write, not present */
#define CODE_READ  4

static void evidence_becomes_flags(void **ctx)
{
	static const struct {
		uint64_t evidence;
		uint32_t flag;
	} rows[] = {
	        {PGF_O_MAJOR, PGF_F_MAJOR},
	        {PGF_O_CACHE_ADD, PGF_F_CACHE_MISS},
	        {PGF_O_BIO, PGF_F_IO},
	        {PGF_O_RECLAIM, PGF_F_RECLAIM},
	        {PGF_O_COMPACT, PGF_F_COMPACT},
	        {PGF_O_MIGRATE, PGF_F_MIGRATED},
	        {PGF_O_MAP_PAGES, PGF_F_FAULT_AROUND},
	        {PGF_O_ALLOC_LARGE, PGF_F_LARGE},
	        {PGF_O_LOCK_WAIT, PGF_F_LOCK_WAIT},
	        {PGF_O_SLEPT, PGF_F_SLEPT},
	        {PGF_O_SIGSEGV, PGF_F_FAILED},
	        {PGF_O_SIGBUS, PGF_F_FAILED},
	        {PGF_O_FAILED, PGF_F_FAILED},
	        {PGF_O_RETRY, PGF_F_RETRY},
	};
	const uint32_t by_kind = PGF_F_INFERRED;
	struct pgf_space *space = named_space();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pgf_fault fault = fault_at(0x10000, CODE_WRITE);

		fault.evidence = rows[i].evidence;
		fault.evidence_known = rows[i].evidence;
		fault.flags = PGF_F_UNFINISHED;
		pgf_space_name(space, &fault);
		assert_int_equal(fault.flags & ~by_kind, rows[i].flag | PGF_F_UNFINISHED);
	}
	pgf_space_free(space);
}

/* What the tracepoint tier sees on a kernel of today. */
#define SEEN_BY_TRACEPOINTS                                                                        \
	(PGF_O_COMPLETED | PGF_O_MAJOR | PGF_O_ALLOC | PGF_O_ALLOC_ZERO | PGF_O_ALLOC_PMD |        \
	 PGF_O_ALLOC_LARGE | PGF_O_RSS_ANON | PGF_O_RSS_FILE | PGF_O_RSS_SHMEM | PGF_O_RSS_SWAP |  \
	 PGF_O_MAP_PAGES | PGF_O_FILEMAP | PGF_O_CACHE_ADD | PGF_O_BIO | PGF_O_MIGRATE |           \
	 PGF_O_RECLAIM | PGF_O_COMPACT | PGF_O_LOCK_WAIT | PGF_O_SIGSEGV | PGF_O_SIGBUS)

static struct pgf_fault served_fault(uint64_t address, uint32_t code, uint64_t evidence)
{
	struct pgf_fault fault = fault_at(address, code);

	fault.evidence = PGF_O_COMPLETED | evidence;
	fault.evidence_known = SEEN_BY_TRACEPOINTS;
	return fault;
}

static void faults_are_named(void **ctx)
{
	struct pgf_space *space = named_space();
	struct pgf_fault fault;

	fault = served_fault(0x12345, CODE_WRITE, PGF_O_ALLOC | PGF_O_ALLOC_ZERO | PGF_O_RSS_ANON);
	pgf_space_name(space, &fault);
	assert_int_equal(fault.kind, PGF_ANON_NEW);
	assert_int_equal(fault.leaves, PGF_SET(PGF_ANON_NEW));
	assert_int_equal(fault.flags, 0);
	assert_string_equal(fault.comm, "prog");
	assert_range(pgf_space_map(space, fault.map_id), 0x10000, 0x20000);

	fault = served_fault(0x22345, CODE_READ, PGF_O_MAP_PAGES | PGF_O_RSS_FILE);
	pgf_space_name(space, &fault);
	assert_int_equal(fault.kind, PGF_FILE_READ);
	assert_true(fault.flags & PGF_F_FAULT_AROUND);
	pgf_space_free(space);
}

static void what_is_likely_is_inferred(void **ctx)
{
	struct pgf_space *space = named_space();
	/* A handler of userfaultfd that serves a page looks like the zero page. */
	struct pgf_fault fault = served_fault(0x12345, CODE_READ, 0);

	pgf_space_name(space, &fault);
	assert_int_equal(fault.kind, PGF_ANON_ZERO);
	assert_true(fault.leaves & PGF_SET(PGF_UFFD_MISSING));
	assert_true(fault.flags & PGF_F_INFERRED);
	/* Where none stands, there is none. */
	apply(space, (struct pgf_space_event){
	                     .type = PGF_SPACE_UFFD, .pid = 7, .addr = 0x10000, .len = 0x10000});
	fault = served_fault(0x12345, CODE_READ, 0);
	pgf_space_name(space, &fault);
	assert_int_equal(fault.kind, PGF_ANON_ZERO);
	assert_false(fault.leaves & PGF_SET(PGF_UFFD_MISSING));
	/* No mapping of 64 kB holds a huge page. */
	assert_false(fault.leaves & PGF_SET(PGF_THP_ZERO));
	pgf_space_free(space);
}

/* perf tells of the address and the end only. */
static void little_evidence_leaves_a_set(void **ctx)
{
	struct pgf_space *space = named_space();
	struct pgf_fault fault = {.pid = 7,
	                          .tid = 7,
	                          .access = {.address = 0x12345, .mode = PGF_MODE_USER},
	                          .evidence = PGF_O_COMPLETED,
	                          .evidence_known = PGF_O_COMPLETED | PGF_O_MAJOR};

	pgf_space_name(space, &fault);
	assert_int_equal(fault.kind, PGF_UNKNOWN);
	assert_true(fault.leaves & PGF_SET(PGF_ANON_NEW));
	assert_true(fault.leaves & PGF_SET(PGF_ANON_ZERO));
	assert_false(fault.leaves & (PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_THP_NEW) |
	                             PGF_SET(PGF_HUGETLB_NEW) | PGF_SET(PGF_SEGV_MAPERR)));
	pgf_space_free(space);
}

static void what_is_certain_is_not_inferred(void **ctx)
{
	struct pgf_space *space = named_space();
	struct pgf_fault fault = fault_at(0x22345, CODE_WRITE);

	fault.evidence_known = 0;
	pgf_space_name(space, &fault);
	assert_int_equal(fault.kind, PGF_SEGV_ACCERR);
	assert_int_equal(fault.leaves, PGF_SET(PGF_SEGV_ACCERR));
	assert_false(fault.flags & PGF_F_INFERRED);
	pgf_space_free(space);
}

/* A write that was served in a mapping that was read-only when it was last heard of. */
static void what_was_seen_beats_the_mapping(void **ctx)
{
	struct pgf_space *space = named_space();
	struct pgf_fault fault = fault_at(0x22345, CODE_WRITE);

	fault.evidence = PGF_O_COMPLETED;
	pgf_space_name(space, &fault);
	assert_false(fault.leaves & PGF_SET(PGF_SEGV_ACCERR));
	assert_false(fault.leaves & PGF_SET(PGF_UNKNOWN));
	assert_true(fault.map_id != 0);
	pgf_space_free(space);
}

static void unknown_stays_unknown(void **ctx)
{
	struct pgf_space *space = named_space();
	struct pgf_fault fault = fault_at(0x60000, CODE_WRITE);

	fault.evidence_known = 0;
	pgf_space_name(space, &fault);
	assert_int_equal(fault.map_id, 0);
	assert_true(fault.leaves & PGF_SET(PGF_SEGV_MAPERR));
	assert_true(fault.leaves & PGF_SET(PGF_ANON_NEW));
	fault = fault_at(0xffff888000001000, 5);
	pgf_space_name(space, &fault);
	assert_int_equal(fault.kind, PGF_SEGV_MAPERR);
	assert_int_equal(fault.map_id, 0);
	fault = (struct pgf_fault){.pid = 99, .tid = 99, .comm = "told"};
	pgf_space_name(space, &fault);
	assert_string_equal(fault.comm, "told");
	assert_int_equal(fault.kind, PGF_UNKNOWN);
	pgf_space_free(space);
}

static void stacks_that_grow_are_flagged(void **ctx)
{
	struct pgf_space *space = named_space();
	struct pgf_fault fault = fault_at(0x7feff000, CODE_WRITE);
	uint32_t id;

	/* The growth was not told: only that the access succeeded. */
	fault.evidence = PGF_O_COMPLETED;
	pgf_space_name(space, &fault);
	id = fault.map_id;
	assert_int_equal(pgf_space_map(space, id)->type, PGF_MAP_STACK);
	assert_true(fault.flags & PGF_F_STACK_GROWTH);
	/* It did not. */
	fault = fault_at(0x7feff000, CODE_WRITE);
	pgf_space_name(space, &fault);
	assert_int_equal(fault.map_id, id);
	assert_false(fault.flags & PGF_F_STACK_GROWTH);
	/* It was told inside the fault, as perf does. */
	fault = fault_at(0x7fefe000, CODE_WRITE);
	fault.evidence = PGF_O_COMPLETED;
	map_at(space, 7, 0x7fefe000, 0x12000, RW, "[stack]");
	pgf_space_name(space, &fault);
	assert_int_equal(fault.map_id, id);
	assert_true(fault.flags & PGF_F_STACK_GROWTH);
	/* The next one finds it grown. */
	clock_ns += 5000;
	fault = fault_at(0x7fefe800, CODE_WRITE);
	fault.evidence = PGF_O_COMPLETED;
	pgf_space_name(space, &fault);
	assert_false(fault.flags & PGF_F_STACK_GROWTH);
	pgf_space_free(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(evidence_becomes_flags),
	        cmocka_unit_test(faults_are_named),
	        cmocka_unit_test(what_is_likely_is_inferred),
	        cmocka_unit_test(little_evidence_leaves_a_set),
	        cmocka_unit_test(what_is_certain_is_not_inferred),
	        cmocka_unit_test(what_was_seen_beats_the_mapping),
	        cmocka_unit_test(unknown_stays_unknown),
	        cmocka_unit_test(stacks_that_grow_are_flagged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
