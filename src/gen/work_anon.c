/* SPDX-License-Identifier: BSD-2-Clause */
/* Anonymous memory: zero page, new page, and the three fates of a write-protected one. */
#include "gen/gen.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_rss(struct gen_result *r, const struct gen_region *g, long long pages)
{
	struct gen_smaps s;

	if (!gen_smaps(g, &s))
		gen_check(r, "rss_pages", s.rss * 1024 / (long long)gen_page(), pages);
}

static int anon_zero(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;
	struct gen_meter m;
	uint64_t *map;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	gen_meter_open(&m);
	gen_meter_start(&m);
	gen_read(g.base, n, gen_page());
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	check_rss(r, &g, 0);
	map = gen_pagemap(g.base, n);
	if (map)
		gen_check(r, "present", (long long)gen_pagemap_count(map, n, GEN_PM_PRESENT),
		          (long long)n);
	free(map);
	gen_unmap(&g);
	return 0;
}

static int anon_new(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;
	struct gen_meter m;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	gen_meter_open(&m);
	gen_meter_start(&m);
	gen_write(g.base, n, gen_page());
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	check_rss(r, &g, (long long)n);
	gen_unmap(&g);
	return 0;
}

/* Writes every page of g under the meter; moved says how many pages must change frame. */
static void write_protected(struct gen_result *r, struct gen_region *g, long long moved)
{
	size_t n = g->size / gen_page();
	uint64_t *before, *after;
	struct gen_meter m;
	long long got;

	before = gen_pagemap(g->base, n);
	gen_meter_open(&m);
	gen_meter_start(&m);
	gen_write(g->base, n, gen_page());
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	after = gen_pagemap(g->base, n);
	got = gen_frames_moved(before, after, n);
	if (got != GEN_ANY)
		gen_check(r, "frames_changed", got, moved);
	free(before);
	free(after);
}

static int zero_write(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	gen_read(g.base, n, gen_page());
	write_protected(r, &g, (long long)n);
	check_rss(r, &g, (long long)n);
	gen_unmap(&g);
	return 0;
}

static int cow(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;
	pid_t child;
	int fd = -1;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	gen_write(g.base, n, gen_page());
	child = gen_hold(&fd);
	if (child < 0) {
		gen_unmap(&g);
		return gen_fail(r, child, "fork");
	}
	write_protected(r, &g, (long long)n);
	gen_release(child, fd);
	gen_unmap(&g);
	return 0;
}

static int cow_child(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_result *shared = gen_shared(sizeof(*shared));
	struct gen_region g;
	pid_t child;
	int rc = 0;

	if (!shared)
		return gen_fail(r, -ENOMEM, "mmap");
	if (gen_map_anon(&g, n, r)) {
		munmap(shared, sizeof(*shared));
		return -ENOMEM;
	}
	gen_write(g.base, n, gen_page());
	*shared = *r;
	child = gen_fork();
	if (!child) {
		write_protected(shared, &g, (long long)n);
		_exit(0);
	}
	if (child < 0)
		rc = gen_fail(r, child, "fork");
	else if (gen_reap(child))
		rc = gen_fail(r, -ECHILD, "child");
	else
		*r = *shared;
	munmap(shared, sizeof(*shared));
	gen_unmap(&g);
	return rc;
}

/*
 * Kernels up to 5.10 copy a page that a per-CPU LRU batch still refers to. A batch is
 * flushed by the pages that follow it, on the same CPU.
 */
static void lru_flush(void)
{
	size_t page = gen_page(), pages = 128;
	void *p = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	               0);

	if (p == MAP_FAILED)
		return;
	madvise(p, pages * page, MADV_NOHUGEPAGE);
	gen_write(p, pages, page);
	munmap(p, pages * page);
}

static int reuse(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;
	cpu_set_t one, old;
	pid_t child;
	int fd = -1;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	sched_getaffinity(0, sizeof(old), &old);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	gen_write(g.base, n, gen_page());
	lru_flush();
	sched_setaffinity(0, sizeof(old), &old);
	child = gen_hold(&fd);
	if (child < 0) {
		gen_unmap(&g);
		return gen_fail(r, child, "fork");
	}
	/* Once it is reaped, its address space is gone and the pages have one owner again. */
	gen_release(child, fd);
	write_protected(r, &g, 0);
	gen_unmap(&g);
	return 0;
}

const struct gen_workload gen_anon_workloads[] = {
        {"anon-zero", "anon-zero", 1013, "", anon_zero},
        {"anon-new", "anon-new", 1009, "", anon_new},
        {"zero-write", "wp-copy", 503, "", zero_write},
        {"cow", "wp-copy", 499, "", cow},
        {"cow-child", "wp-copy", 491, "", cow_child},
        {"reuse", "wp-reuse", 487, "", reuse},
        {NULL, NULL, 0, NULL, NULL},
};
