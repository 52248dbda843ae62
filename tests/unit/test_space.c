/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of address spaces: what each kind of event does to it. */
#include <linux/userfaultfd.h>

#include "space_events.h"

/* One process, one event after the other. */

static void a_mapping_is_found(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *map;

	map_at(space, 7, 0x10000, 0x4000, PROT_READ | PROT_EXEC, "/bin/x");
	map = pgf_space_find(space, 7, 0x13fff);
	assert_range(map, 0x10000, 0x14000);
	assert_int_equal(map->pid, 7);
	assert_int_equal(map->prot, PROT_READ | PROT_EXEC | PGF_MAP_PROT_KNOWN);
	assert_int_equal(map->type, PGF_MAP_FILE);
	assert_string_equal(map->name, "/bin/x");
	assert_int_equal(map->dead_ns, 0);
	assert_ptr_equal(pgf_space_map(space, map->id), map);
	assert_null(pgf_space_find(space, 7, 0xffff));
	assert_null(pgf_space_find(space, 7, 0x14000));
	assert_null(pgf_space_find(space, 8, 0x10000));
	assert_null(pgf_space_map(space, 0));
	assert_null(pgf_space_map(space, pgf_space_map_count(space) + 1));
	assert_true(pgf_space_has(space, 7));
	assert_false(pgf_space_has(space, 8));
	pgf_space_free(space);
	pgf_space_free(NULL);
}

static void unmapping_trims_and_splits(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *left, *right;

	map_at(space, 7, 0x10000, 0x10000, RW, "/data");
	left = pgf_space_find(space, 7, 0x10000);
	range_event(space, PGF_SPACE_MUNMAP, 7, 0x14000, 0x1001, 0);
	assert_range(left, 0x10000, 0x14000);
	assert_null(pgf_space_find(space, 7, 0x15fff));
	right = pgf_space_find(space, 7, 0x16000);
	assert_range(right, 0x16000, 0x20000);
	assert_int_equal(right->pgoff, 0x6000);
	assert_true(right->id != left->id);
	range_event(space, PGF_SPACE_MUNMAP, 7, 0, 0x12000, 0);
	assert_range(left, 0x12000, 0x14000);
	assert_int_equal(left->pgoff, 0x2000);
	range_event(space, PGF_SPACE_MUNMAP, 7, 0x12000, 0x2000, 0);
	assert_null(pgf_space_find(space, 7, 0x12000));
	assert_true(left->dead_ns != 0);
	assert_ptr_equal(pgf_space_map(space, left->id), left);
	pgf_space_free(space);
}

static void what_nobody_knew_is_forgotten(void **ctx)
{
	struct pgf_space *space = space_new();

	map_at(space, 7, 0x10000, 0x1000, RW, "//anon");
	map_at(space, 7, 0x20000, 0x1000, RW, "//anon");
	assert_int_equal(pgf_space_map_count(space), 2);
	assert_non_null(pgf_space_map(space, 2));
	range_event(space, PGF_SPACE_MUNMAP, 7, 0, 0x100000, 0);
	assert_null(pgf_space_map(space, 1));
	assert_range(pgf_space_map(space, 2), 0x20000, 0x21000);
	assert_int_equal(pgf_space_map_count(space), 2);
	pgf_space_free(space);
}

/* perf tells of the whole mapping as it is after the kernel merged it. */
static void a_grown_mapping_keeps_its_id(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *map;

	map_at(space, 7, 0x10000, 0x4000, RW, "//anon");
	map = pgf_space_find(space, 7, 0x10000);
	map_at(space, 7, 0xe000, 0x8000, RW, "//anon");
	assert_range(map, 0xe000, 0x16000);
	/* One that only touches it is one of its own: the kernel did not merge it. */
	map_at(space, 7, 0x16000, 0x1000, RW, "//anon");
	map_at(space, 7, 0xd000, 0x1000, RW, "//anon");
	assert_range(map, 0xe000, 0x16000);
	assert_range(pgf_space_find(space, 7, 0x16000), 0x16000, 0x17000);
	assert_range(pgf_space_find(space, 7, 0xd000), 0xd000, 0xe000);
	/* Part of itself is told again. */
	map_at(space, 7, 0xf000, 0x1000, RW, "//anon");
	assert_range(map, 0xe000, 0x16000);
	pgf_space_free(space);
}

static void a_hole_that_fills_joins_both_sides(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *left, *right;

	map_at(space, 7, 0x10000, 0x1000, RW, "//anon");
	map_at(space, 7, 0x12000, 0x1000, RW, "//anon");
	left = pgf_space_find(space, 7, 0x10000);
	right = pgf_space_find(space, 7, 0x12000);
	map_at(space, 7, 0x10000, 0x3000, RW, "//anon");
	assert_ptr_equal(pgf_space_find(space, 7, 0x12000), left);
	assert_range(left, 0x10000, 0x13000);
	assert_true(right->dead_ns != 0);
	pgf_space_free(space);
}

static struct pgf_space_event file_event(uint64_t addr, uint64_t len, uint32_t prot, uint64_t pgoff,
                                         const char *name)
{
	return (struct pgf_space_event){.type = PGF_SPACE_MMAP,
	                                .pid = 7,
	                                .addr = addr,
	                                .len = len,
	                                .prot = prot,
	                                .flags = MAP_PRIVATE,
	                                .pgoff = pgoff,
	                                .ino = 3,
	                                .dev = 4,
	                                .name = name};
}

static void files_are_one_by_their_offsets(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *map;

	apply(space, file_event(0x10000, 0x2000, PROT_READ, 0x5000, "/f"));
	map = pgf_space_find(space, 7, 0x10000);
	apply(space, file_event(0x10000, 0x4000, PROT_READ, 0x5000, "/f"));
	assert_range(map, 0x10000, 0x14000);
	apply(space, file_event(0xf000, 0x5000, PROT_READ, 0x4000, "/f"));
	assert_range(map, 0xf000, 0x14000);
	assert_int_equal(map->pgoff, 0x4000);
	/* Over the middle of itself nothing changes, whatever became of the name. */
	apply(space, file_event(0x11000, 0x1000, PROT_READ, 0x6000, "/f (deleted)"));
	assert_range(map, 0xf000, 0x14000);
	assert_int_equal(map->pgoff, 0x4000);
	/* Another place of the file is another mapping. */
	apply(space, file_event(0x11000, 0x1000, PROT_READ, 0x7000, "/f"));
	assert_range(map, 0xf000, 0x11000);
	assert_range(pgf_space_find(space, 7, 0x11000), 0x11000, 0x12000);
	assert_int_equal(pgf_space_find(space, 7, 0x12000)->pgoff, 0x7000);
	pgf_space_free(space);
}

/*
 * What the loader does to a library: one mapping, a writable one over its end, whose front
 * becomes read-only. The kernel keeps that one apart from the read-only one before it.
 */
static void relro_stands_alone(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *first;

	apply(space, file_event(0x10000, 0x8000, PROT_READ, 0, "/lib"));
	first = pgf_space_find(space, 7, 0x10000);
	apply(space, file_event(0x14000, 0x4000, RW, 0x4000, "/lib"));
	assert_range(first, 0x10000, 0x14000);
	/* As a call ... */
	range_event(space, PGF_SPACE_MPROTECT, 7, 0x14000, 0x2000, PROT_READ);
	assert_range(first, 0x10000, 0x14000);
	assert_range(pgf_space_find(space, 7, 0x14000), 0x14000, 0x16000);
	assert_range(pgf_space_find(space, 7, 0x16000), 0x16000, 0x18000);
	range_event(space, PGF_SPACE_MPROTECT, 7, 0x14000, 0x2000, RW);
	assert_range(pgf_space_find(space, 7, 0x14000), 0x14000, 0x18000);
	/* ... and as perf tells it. */
	apply(space, file_event(0x14000, 0x2000, PROT_READ, 0x4000, "/lib"));
	assert_range(first, 0x10000, 0x14000);
	assert_range(pgf_space_find(space, 7, 0x14000), 0x14000, 0x16000);
	assert_range(pgf_space_find(space, 7, 0x16000), 0x16000, 0x18000);
	pgf_space_free(space);
}

static void protection_splits_and_joins(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *first;

	map_at(space, 7, 0x10000, 0x10000, PROT_NONE, "//anon");
	first = pgf_space_find(space, 7, 0x10000);
	range_event(space, PGF_SPACE_MPROTECT, 7, 0x14000, 0x4000, RW);
	assert_range(first, 0x10000, 0x14000);
	assert_range(pgf_space_find(space, 7, 0x14000), 0x14000, 0x18000);
	assert_int_equal(pgf_space_find(space, 7, 0x14000)->prot, RW | PGF_MAP_PROT_KNOWN);
	assert_range(pgf_space_find(space, 7, 0x18000), 0x18000, 0x20000);
	range_event(space, PGF_SPACE_MPROTECT, 7, 0x14000, 0x4000, PROT_NONE);
	assert_range(first, 0x10000, 0x20000);
	assert_int_equal(first->prot, PGF_MAP_PROT_KNOWN);
	/* The same as perf tells it: a mapping event for the piece. */
	map_at(space, 7, 0x1c000, 0x4000, RW, "//anon");
	assert_range(first, 0x10000, 0x1c000);
	map_at(space, 7, 0x10000, 0x10000, PROT_NONE, "//anon");
	assert_range(first, 0x10000, 0x20000);
	pgf_space_free(space);
}

static void remap(struct pgf_space *space, uint64_t addr, uint64_t len, uint64_t to,
                  uint64_t to_len, uint32_t flags)
{
	apply(space, (struct pgf_space_event){.type = PGF_SPACE_MREMAP,
	                                      .pid = 7,
	                                      .addr = addr,
	                                      .len = len,
	                                      .new_addr = to,
	                                      .new_len = to_len,
	                                      .flags = flags});
}

static void moved_mappings_keep_their_ids(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *map;

	map_at(space, 7, 0x10000, 0x4000, RW, "/f");
	map = pgf_space_find(space, 7, 0x10000);
	remap(space, 0x10000, 0x4000, 0x50000, 0x8000, 0);
	assert_range(map, 0x50000, 0x58000);
	assert_null(pgf_space_find(space, 7, 0x10000));
	remap(space, 0x50000, 0x8000, 0x50000, 0x2000, 0);
	assert_range(map, 0x50000, 0x52000);
	remap(space, 0x50000, 0x2000, 0x50000, 0x3000, 0);
	assert_range(map, 0x50000, 0x53000);
	/* A piece out of the middle. */
	remap(space, 0x51000, 0x1000, 0x90000, 0x1000, 0);
	assert_range(map, 0x50000, 0x51000);
	assert_null(pgf_space_find(space, 7, 0x51000));
	assert_range(pgf_space_find(space, 7, 0x52000), 0x52000, 0x53000);
	assert_range(pgf_space_find(space, 7, 0x90000), 0x90000, 0x91000);
	assert_int_equal(pgf_space_find(space, 7, 0x90000)->pgoff, 0x1000);
	/* The place stays with MREMAP_DONTUNMAP, what lay there goes. */
	remap(space, 0x50000, 0x1000, 0xa0000, 0x1000, MREMAP_DONTUNMAP);
	assert_range(map, 0xa0000, 0xa1000);
	assert_range(pgf_space_find(space, 7, 0x50000), 0x50000, 0x51000);
	assert_true(pgf_space_find(space, 7, 0x50000)->id != map->id);
	/* A second view. */
	remap(space, 0xa0000, 0, 0xb0000, 0x1000, 0);
	assert_range(map, 0xa0000, 0xa1000);
	assert_range(pgf_space_find(space, 7, 0xb0000), 0xb0000, 0xb1000);
	/* What the kernel refuses changes nothing. */
	remap(space, 0xa0000, 0x1000, 0x9f800, 0x1000, 0);
	assert_range(map, 0xa0000, 0xa1000);
	remap(space, 0xff0000, 0x1000, 0xff8000, 0x1000, 0);
	assert_null(pgf_space_find(space, 7, 0xff8000));
	pgf_space_free(space);
}

static void the_break_moves_the_heap(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *heap;

	range_event(space, PGF_SPACE_BRK, 7, 0x20000, 0, 0);
	assert_null(pgf_space_find(space, 7, 0x1ffff));
	range_event(space, PGF_SPACE_BRK, 7, 0x23001, 0, 0);
	heap = pgf_space_find(space, 7, 0x23001);
	assert_range(heap, 0x20000, 0x24000);
	assert_int_equal(heap->type, PGF_MAP_HEAP);
	assert_string_equal(heap->name, "[heap]");
	range_event(space, PGF_SPACE_BRK, 7, 0x21000, 0, 0);
	assert_range(heap, 0x20000, 0x21000);
	range_event(space, PGF_SPACE_BRK, 7, 0x30000, 0, 0);
	assert_range(heap, 0x20000, 0x30000);
	pgf_space_free(space);
}

static void stacks_reach_down(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *stack, *below;
	const uint64_t top = 0x7ffff0000000, mib = 1ull << 20;

	map_at(space, 7, top - 0x21000, 0x21000, RW, "[stack]");
	stack = pgf_space_find(space, 7, top - 1);
	assert_int_equal(stack->type, PGF_MAP_STACK);
	assert_ptr_equal(pgf_space_find(space, 7, top - 0x22000), stack);
	assert_ptr_equal(pgf_space_find(space, 7, top - 8 * mib), stack);
	assert_null(pgf_space_find(space, 7, top - 16 * mib));
	map_at(space, 7, top - 4 * mib, 0x1000, RW, "//anon");
	below = pgf_space_find(space, 7, top - 4 * mib);
	assert_true(below != stack);
	assert_null(pgf_space_find(space, 7, top - 4 * mib - 1));
	assert_ptr_equal(pgf_space_find(space, 7, top - 4 * mib + 0x1000), stack);
	/* Nothing else does. */
	assert_null(pgf_space_find(space, 7, below->start - 1));
	pgf_space_free(space);
}

static void advice_and_registrations(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *map;

	map_at(space, 7, 0x10000, 0x10000, RW, "//anon");
	map = pgf_space_find(space, 7, 0x10000);
	assert_int_equal(map->uffd_known, 0);
	apply(space, (struct pgf_space_event){.type = PGF_SPACE_MADVISE,
	                                      .pid = 7,
	                                      .addr = 0x18000,
	                                      .len = 0x8000,
	                                      .advice = MADV_NOHUGEPAGE});
	assert_int_equal(map->advice_huge, 0);
	assert_int_equal(pgf_space_find(space, 7, 0x18000)->advice_huge, 2);
	apply(space, (struct pgf_space_event){.type = PGF_SPACE_MADVISE,
	                                      .pid = 7,
	                                      .addr = 0x10000,
	                                      .len = 0x1000,
	                                      .advice = MADV_DONTNEED});
	assert_range(map, 0x10000, 0x18000);
	apply(space, (struct pgf_space_event){.type = PGF_SPACE_UFFD,
	                                      .pid = 7,
	                                      .addr = 0x12000,
	                                      .len = 0x2000,
	                                      .flags = UFFDIO_REGISTER_MODE_MISSING});
	assert_int_equal(pgf_space_find(space, 7, 0x12000)->uffd, UFFDIO_REGISTER_MODE_MISSING);
	assert_int_equal(pgf_space_find(space, 7, 0x12000)->uffd_known, 1);
	assert_int_equal(map->uffd_known, 0);
	/* A child has it no more, or the monitor asked for it: that is not known. */
	task_event(space, PGF_SPACE_FORK, 7, 8, 8, NULL);
	assert_int_equal(pgf_space_find(space, 8, 0x12000)->uffd, 0);
	assert_int_equal(pgf_space_find(space, 8, 0x12000)->uffd_known, 0);
	apply(space, (struct pgf_space_event){.type = PGF_SPACE_UFFD, .pid = 7});
	map_at(space, 7, 0x90000, 0x1000, RW, "//anon");
	assert_int_equal(pgf_space_find(space, 7, 0x90000)->uffd_known, 1);
	assert_int_equal(pgf_space_find(space, 7, 0x90000)->uffd, 0);
	pgf_space_free(space);
}

static void senseless_events_do_no_harm(void **ctx)
{
	static const uint64_t numbers[] = {
	        0, 1, 0xfff, 0x1000, 1ull << 63, UINT64_MAX - 4096, UINT64_MAX};
	const size_t count = sizeof(numbers) / sizeof(numbers[0]);
	struct pgf_space *space = space_new();

	for (uint32_t type = 0; type < 20; type++) {
		for (size_t i = 0; i < count * count * count; i++) {
			struct pgf_space_event event = {
			        .type = type,
			        .pid = (uint32_t)(i % 3),
			        .tid = (uint32_t)(i % 5),
			        .ppid = (uint32_t)(i % 2),
			        .addr = numbers[i % count],
			        .len = numbers[i / count % count],
			        .new_addr = numbers[i / count / count],
			        .new_len = numbers[i % count],
			        .flags = UINT32_MAX,
			        .prot = UINT32_MAX,
			        .dev = (uint32_t)(i % 2) << 30,
			        .advice = MADV_HUGEPAGE,
			};

			assert_int_equal(pgf_space_apply(space, &event), 0);
		}
	}
	pgf_space_free(space);
}

/* Processes and threads. */

static void forks_copy(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *mine, *theirs;

	task_event(space, PGF_SPACE_COMM, 0, 7, 7, "parent");
	map_at(space, 7, 0x10000, 0x4000, RW, "/f");
	task_event(space, PGF_SPACE_FORK, 7, 8, 8, NULL);
	mine = pgf_space_find(space, 7, 0x10000);
	theirs = pgf_space_find(space, 8, 0x10000);
	assert_range(theirs, 0x10000, 0x14000);
	assert_int_equal(theirs->pid, 8);
	assert_true(theirs->id != mine->id);
	assert_string_equal(pgf_space_comm(space, 8, 8), "parent");
	range_event(space, PGF_SPACE_MUNMAP, 7, 0x10000, 0x1000, 0);
	assert_range(mine, 0x11000, 0x14000);
	assert_range(theirs, 0x10000, 0x14000);
	pgf_space_free(space);
}

static void exec_clears(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *old;
	uint32_t id;

	task_event(space, PGF_SPACE_COMM, 0, 7, 7, "old");
	task_event(space, PGF_SPACE_FORK, 7, 7, 9, NULL);
	map_at(space, 7, 0x10000, 0x4000, RW, "/old");
	old = pgf_space_find(space, 7, 0x10000);
	id = old->id;
	task_event(space, PGF_SPACE_EXEC, 0, 7, 7, "new");
	assert_null(pgf_space_find(space, 7, 0x10000));
	assert_ptr_equal(pgf_space_map(space, id), old);
	assert_true(old->dead_ns > old->born_ns);
	assert_string_equal(pgf_space_comm(space, 7, 7), "new");
	assert_string_equal(pgf_space_comm(space, 7, 9), "new");
	map_at(space, 7, 0x10000, 0x4000, RW, "/old");
	assert_true(pgf_space_find(space, 7, 0x10000)->id != id);
	pgf_space_free(space);
}

static void the_last_thread_ends_a_process(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *map;
	struct pgf_fault fault = {.pid = 7, .tid = 7, .access.address = 0x10000};

	map_at(space, 7, 0x10000, 0x4000, RW, "/f");
	task_event(space, PGF_SPACE_COMM, 0, 7, 7, "leader");
	task_event(space, PGF_SPACE_FORK, 7, 7, 9, NULL);
	task_event(space, PGF_SPACE_COMM, 0, 7, 9, "a name that is far too long");
	assert_string_equal(pgf_space_comm(space, 7, 9), "a name that is ");
	assert_string_equal(pgf_space_comm(space, 7, 7), "leader");
	assert_string_equal(pgf_space_comm(space, 7, 10), "leader");
	assert_string_equal(pgf_space_comm(space, 6, 6), "?");
	task_event(space, PGF_SPACE_EXIT, 0, 7, 7, NULL);
	map = pgf_space_find(space, 7, 0x10000);
	assert_non_null(map);
	task_event(space, PGF_SPACE_EXIT, 0, 7, 9, NULL);
	assert_null(pgf_space_find(space, 7, 0x10000));
	assert_false(pgf_space_has(space, 7));
	assert_true(map->dead_ns != 0);
	assert_ptr_equal(pgf_space_map(space, map->id), map);
	/* A fault that comes late is still named. */
	pgf_space_offline(space);
	pgf_space_name(space, &fault);
	assert_int_equal(fault.map_id, map->id);
	assert_string_equal(fault.comm, "leader");
	/* The number in use again. */
	task_event(space, PGF_SPACE_FORK, 1, 7, 7, NULL);
	assert_null(pgf_space_find(space, 7, 0x10000));
	assert_string_equal(pgf_space_comm(space, 7, 7), "?");
	pgf_space_free(space);
}

/* After a CLEAR the same mappings come back with the same ids. */
static void cleared_mappings_come_back(void **ctx)
{
	struct pgf_space *space = space_new();
	const struct pgf_map *kept, *gone, *other;

	map_at(space, 7, 0x10000, 0x4000, RW, "/f");
	map_at(space, 7, 0x20000, 0x4000, RW, "//anon");
	map_at(space, 7, 0x30000, 0x4000, RW, "//anon");
	kept = pgf_space_find(space, 7, 0x10000);
	other = pgf_space_find(space, 7, 0x20000);
	gone = pgf_space_find(space, 7, 0x30000);
	task_event(space, PGF_SPACE_CLEAR, 0, 7, 7, NULL);
	assert_null(pgf_space_find(space, 7, 0x10000));
	map_at(space, 7, 0x10000, 0x4000, PROT_READ, "/f");
	map_at(space, 7, 0x1e000, 0x4000, RW, "[anon:arena]");
	map_at(space, 7, 0x30000, 0x4000, RW, "/g");
	assert_ptr_equal(pgf_space_find(space, 7, 0x10000), kept);
	assert_int_equal(kept->prot, PROT_READ | PGF_MAP_PROT_KNOWN);
	assert_int_equal(kept->dead_ns, 0);
	assert_ptr_equal(pgf_space_find(space, 7, 0x20000), other);
	assert_range(other, 0x1e000, 0x22000);
	assert_string_equal(other->name, "[anon:arena]");
	assert_true(pgf_space_find(space, 7, 0x30000) != gone);
	assert_true(gone->dead_ns != 0);
	task_event(space, PGF_SPACE_CLEAR, 0, 7, 7, NULL);
	task_event(space, PGF_SPACE_CLEAR, 0, 7, 7, NULL);
	task_event(space, PGF_SPACE_EXIT, 0, 7, 7, NULL);
	pgf_space_free(space);
}

static void many_processes_come_and_go(void **ctx)
{
	struct pgf_space *space = space_new();

	task_event(space, PGF_SPACE_COMM, 0, 1, 1, "init");
	for (uint64_t i = 0; i < 50; i++)
		map_at(space, 1, 0x10000 + i * 0x10000, 0x1000, RW, "//anon");
	for (uint32_t pid = 2; pid < 3000; pid++) {
		task_event(space, PGF_SPACE_FORK, 1, pid % 1000 + 2, pid % 1000 + 2, NULL);
		assert_non_null(pgf_space_find(space, pid % 1000 + 2, 0x20000));
		if (pid % 3)
			task_event(space, PGF_SPACE_EXEC, 0, pid % 1000 + 2, pid % 1000 + 2, "x");
		if (pid % 7)
			task_event(space, PGF_SPACE_EXIT, 0, pid % 1000 + 2, pid % 1000 + 2, NULL);
	}
	assert_int_equal(pgf_space_map_count(space), 50 + 2998 * 50);
	pgf_space_free(space);
}

static void many_mappings_stay_in_order(void **ctx)
{
	const uint64_t count = 65000;
	struct pgf_space *space = space_new();

	/* In an order that is not theirs. */
	for (uint64_t i = 0; i < count; i++)
		map_at(space, 7, 0x100000 + (i * 48271 % count) * 0x2000, 0x1000, RW, "//anon");
	for (uint64_t i = 0; i < count; i++) {
		assert_range(pgf_space_find(space, 7, 0x100000 + i * 0x2000), 0x100000 + i * 0x2000,
		             0x101000 + i * 0x2000);
		assert_null(pgf_space_find(space, 7, 0x101000 + i * 0x2000));
	}
	pgf_space_free(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_mapping_is_found),
	        cmocka_unit_test(unmapping_trims_and_splits),
	        cmocka_unit_test(what_nobody_knew_is_forgotten),
	        cmocka_unit_test(a_grown_mapping_keeps_its_id),
	        cmocka_unit_test(a_hole_that_fills_joins_both_sides),
	        cmocka_unit_test(files_are_one_by_their_offsets),
	        cmocka_unit_test(relro_stands_alone),
	        cmocka_unit_test(protection_splits_and_joins),
	        cmocka_unit_test(moved_mappings_keep_their_ids),
	        cmocka_unit_test(the_break_moves_the_heap),
	        cmocka_unit_test(stacks_reach_down),
	        cmocka_unit_test(advice_and_registrations),
	        cmocka_unit_test(senseless_events_do_no_harm),
	        cmocka_unit_test(forks_copy),
	        cmocka_unit_test(exec_clears),
	        cmocka_unit_test(the_last_thread_ends_a_process),
	        cmocka_unit_test(cleared_mappings_come_back),
	        cmocka_unit_test(many_processes_come_and_go),
	        cmocka_unit_test(many_mappings_stay_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
