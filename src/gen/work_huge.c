/* SPDX-License-Identifier: BSD-2-Clause */
/* Huge pages: transparent ones and those of hugetlb. */
#include "gen/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define THP "/sys/kernel/mm/transparent_hugepage/"

static bool file_holds(const char *path, const char *word)
{
	char text[128];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	return strstr(text, word) != NULL;
}

static size_t thp_size(void)
{
	char text[32];
	int fd = open(THP "hpage_pmd_size", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strtoull(text, NULL, 10);
}

/* Makes the settings such that madvise alone decides; 0, GEN_SKIP or -errno. */
static int thp_allow(struct gen_result *r, bool zero_page)
{
	bool never = file_holds(THP "enabled", "[never]");
	bool no_zero = zero_page && file_holds(THP "use_zero_page", "0");
	int rc;

	if (!thp_size())
		return gen_skip(r, "this kernel has no transparent huge pages");
	if (!never && !no_zero)
		return 0;
	rc = gen_undo_begin(r);
	if (!rc && never)
		rc = gen_undo_set(THP "enabled", "madvise");
	if (!rc && no_zero)
		rc = gen_undo_set(THP "use_zero_page", "1");
	return rc < 0 ? gen_fail(r, rc, THP) : rc;
}

/* Maps n huge pages' worth of anonymous memory that asks for them. */
static int thp_map(struct gen_region *g, struct gen_result *r, bool zero_page)
{
	size_t huge = thp_size();
	int rc = thp_allow(r, zero_page);

	if (rc)
		return rc;
	rc = gen_map(g, (size_t)r->expect * huge, huge, PROT_READ | PROT_WRITE,
	             MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (rc)
		return gen_fail(r, rc, "mmap");
	gen_mark(r, g);
	madvise(g->base, g->size, MADV_HUGEPAGE);
	return 0;
}

/* Ends a workload; memory too fragmented for huge pages is a reason to skip, not a failure. */
static int thp_end(struct gen_result *r, struct gen_region *g, bool huge)
{
	gen_unmap(g);
	return huge ? 0 : gen_skip(r, "the kernel had no huge page to give");
}

static bool all_huge(const struct gen_region *g)
{
	struct gen_smaps s;

	return !gen_smaps(g, &s) && s.huge * 1024 == (long long)g->size;
}

static void touch_huge(struct gen_result *r, struct gen_region *g, bool write)
{
	size_t huge = thp_size();
	struct gen_meter m;

	gen_meter_open(&m);
	gen_meter_start(&m);
	if (write)
		gen_write(g->base, (size_t)r->expect, huge);
	else
		gen_read(g->base, (size_t)r->expect, huge);
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
}

static int thp_new(const struct gen_options *o, struct gen_result *r)
{
	struct gen_region g;
	int rc = thp_map(&g, r, false);
	bool huge;

	if (rc)
		return rc;
	touch_huge(r, &g, true);
	huge = all_huge(&g);
	gen_check_least(r, "thp_fault_alloc", gen_vm(r, "thp_fault_alloc"), huge ? r->expect : 0);
	return thp_end(r, &g, huge);
}

/* The huge zero page fills the whole range: all of it is present, none of it is resident. */
static bool all_zero(struct gen_result *r, const struct gen_region *g)
{
	size_t pages = g->size / gen_page();
	uint64_t *map = gen_pagemap(g->base, pages);
	size_t present = gen_pagemap_count(map, pages, GEN_PM_PRESENT);
	struct gen_smaps s;

	free(map);
	gen_evidence(r, "present_pages", (long long)present);
	return present == pages && !gen_smaps(g, &s) && !s.rss;
}

static int thp_zero(const struct gen_options *o, struct gen_result *r)
{
	struct gen_region g;
	int rc = thp_map(&g, r, true);

	if (rc)
		return rc;
	touch_huge(r, &g, false);
	return thp_end(r, &g, all_zero(r, &g));
}

static int thp_wp(const struct gen_options *o, struct gen_result *r)
{
	struct gen_region g;
	struct gen_smaps s;
	int rc = thp_map(&g, r, true);
	bool zero;

	if (rc)
		return rc;
	gen_read(g.base, (size_t)r->expect, thp_size());
	zero = all_zero(r, &g);
	touch_huge(r, &g, true);
	if (!gen_smaps(&g, &s))
		gen_evidence(r, "rss_pages", s.rss * 1024 / (long long)gen_page());
	gen_note(r, "5.10 to 6.12 split the huge zero page, others allocate a huge one");
	return thp_end(r, &g, zero);
}

/* Writes once to each huge page that a fork shared, while the child lives or after it. */
static int thp_forked(struct gen_result *r, bool alive)
{
	struct gen_region g;
	int rc = thp_map(&g, r, false);
	bool huge;
	pid_t child;
	int fd = -1;

	if (rc)
		return rc;
	gen_write(g.base, (size_t)r->expect, thp_size());
	huge = all_huge(&g);
	child = gen_hold(&fd);
	if (child < 0) {
		gen_unmap(&g);
		return gen_fail(r, child, "fork");
	}
	if (!alive)
		gen_release(child, fd);
	touch_huge(r, &g, true);
	gen_evidence(r, "still_huge", all_huge(&g));
	if (alive) {
		gen_release(child, fd);
		gen_note(r, "since 5.10 the entry is split and one small page copied");
	}
	return thp_end(r, &g, huge);
}

static int thp_cow(const struct gen_options *o, struct gen_result *r)
{
	return thp_forked(r, true);
}

static int thp_reuse(const struct gen_options *o, struct gen_result *r)
{
	return thp_forked(r, false);
}

/* Grows the pool until `pages` are free for this process; 0, GEN_SKIP or -errno. */
static int pool_grow(struct gen_result *r, size_t pages)
{
	size_t total = gen_meminfo("HugePages_Total:"), free_pages;
	char value[32];
	int rc;

	free_pages = gen_meminfo("HugePages_Free:") - gen_meminfo("HugePages_Rsvd:");
	if (!gen_meminfo("Hugepagesize:"))
		return gen_skip(r, "this kernel has no huge pages");
	if (free_pages >= pages)
		return 0;
	rc = gen_undo_begin(r);
	snprintf(value, sizeof(value), "%zu", total + pages - free_pages);
	if (!rc)
		rc = gen_undo_set("/proc/sys/vm/nr_hugepages", value);
	if (rc)
		return rc < 0 ? gen_fail(r, rc, "nr_hugepages") : rc;
	free_pages = gen_meminfo("HugePages_Free:") - gen_meminfo("HugePages_Rsvd:");
	return free_pages < pages ? gen_skip(r, "the kernel gave only %zu huge pages", free_pages)
	                          : 0;
}

static int hugetlb_map(struct gen_region *g, struct gen_result *r, size_t pool)
{
	size_t huge = gen_meminfo("Hugepagesize:");
	int rc = pool_grow(r, pool);

	if (rc)
		return rc;
	rc = gen_map(g, (size_t)r->expect * huge, huge, PROT_READ | PROT_WRITE,
	             MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	if (rc)
		return gen_fail(r, rc, "mmap with MAP_HUGETLB");
	gen_mark(r, g);
	return 0;
}

static void hugetlb_write(struct gen_result *r, struct gen_region *g)
{
	size_t huge = g->size / (size_t)r->expect;
	struct gen_smaps s;
	struct gen_meter m;

	gen_meter_open(&m);
	gen_meter_start(&m);
	gen_write(g->base, (size_t)r->expect, huge);
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	if (!gen_smaps(g, &s)) {
		gen_check(r, "hugetlb_kb", s.hugetlb, (long long)g->size / 1024);
		gen_check(r, "rss_pages", s.rss, 0);
	}
}

static int hugetlb(const struct gen_options *o, struct gen_result *r)
{
	struct gen_region g;
	int rc = hugetlb_map(&g, r, (size_t)r->expect);

	if (rc)
		return rc;
	hugetlb_write(r, &g);
	gen_unmap(&g);
	return 0;
}

static int hugetlb_cow(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	uint64_t *before, *after;
	struct gen_region g;
	int rc = hugetlb_map(&g, r, 2 * n), fd = -1;
	long long moved;
	size_t pages;
	pid_t child;

	if (rc)
		return rc;
	pages = g.size / gen_page();
	gen_write(g.base, n, g.size / n);
	child = gen_hold(&fd);
	if (child < 0) {
		gen_unmap(&g);
		return gen_fail(r, child, "fork");
	}
	before = gen_pagemap(g.base, pages);
	hugetlb_write(r, &g);
	after = gen_pagemap(g.base, pages);
	moved = gen_frames_moved(before, after, pages);
	if (moved != GEN_ANY)
		gen_check(r, "frames_changed", moved, (long long)pages);
	free(before);
	free(after);
	gen_release(child, fd);
	gen_unmap(&g);
	return 0;
}

const struct gen_workload gen_huge_workloads[] = {
        {"thp-new", "thp-new", 7, "free huge pages", thp_new},
        {"thp-zero", "thp-zero", 11, "", thp_zero},
        {"thp-wp", "thp-wp", 5, "", thp_wp},
        {"thp-cow", "thp-wp", 3, "free huge pages", thp_cow},
        {"thp-reuse", "thp-wp", 13, "free huge pages", thp_reuse},
        {"hugetlb", "hugetlb-new", 7, "root, or a pool of huge pages", hugetlb},
        {"hugetlb-cow", "hugetlb-cow", 5, "root, or a pool of huge pages", hugetlb_cow},
        {NULL, NULL, 0, NULL, NULL},
};
