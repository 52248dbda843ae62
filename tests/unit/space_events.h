/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the table of address spaces share: short ways to send events. */
#ifndef PGF_TESTS_SPACE_EVENTS_H
#define PGF_TESTS_SPACE_EVENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "observe/space.h"

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)

static inline struct pgf_space *space_new(void)
{
	struct pgf_space *space;

	assert_int_equal(pgf_space_new(&space), 0);
	return space;
}

static uint64_t clock_ns = 1;

static inline void apply(struct pgf_space *space, struct pgf_space_event event)
{
	event.time_ns = clock_ns++;
	event.exit_code = -1;
	if (!event.tid)
		event.tid = event.pid;
	assert_int_equal(pgf_space_apply(space, &event), 0);
}

static inline void map_at(struct pgf_space *space, uint32_t pid, uint64_t addr, uint64_t len,
                          uint32_t prot, const char *name)
{
	apply(space, (struct pgf_space_event){.type = PGF_SPACE_MMAP,
	                                      .pid = pid,
	                                      .addr = addr,
	                                      .len = len,
	                                      .prot = prot,
	                                      .flags = MAP_PRIVATE,
	                                      .ino = name[0] == '/' && name[1] != '/' ? 77 : 0,
	                                      .dev = name[0] == '/' && name[1] != '/' ? 5 : 0,
	                                      .name = name});
}

static inline void range_event(struct pgf_space *space, uint32_t type, uint32_t pid, uint64_t addr,
                               uint64_t len, uint32_t prot)
{
	apply(space, (struct pgf_space_event){
	                     .type = type, .pid = pid, .addr = addr, .len = len, .prot = prot});
}

static inline void task_event(struct pgf_space *space, uint32_t type, uint32_t ppid, uint32_t pid,
                              uint32_t tid, const char *name)
{
	apply(space, (struct pgf_space_event){
	                     .type = type, .pid = pid, .tid = tid, .ppid = ppid, .name = name});
}

static inline void assert_range(const struct pgf_map *map, uint64_t start, uint64_t end)
{
	if (!map)
		fail_msg("no mapping");
	else if (map->start != start || map->end != end)
		fail_msg("%llx-%llx instead of %llx-%llx", (unsigned long long)map->start,
		         (unsigned long long)map->end, (unsigned long long)start,
		         (unsigned long long)end);
}

#endif /* PGF_TESTS_SPACE_EVENTS_H */
