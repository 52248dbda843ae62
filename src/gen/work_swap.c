/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages brought back from swap: from the device, from the swap cache, from zswap. */
#include "gen/swapdev.h"
#include "gen/undo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21 /* 5.4 */
#endif

#define ZSWAP         "/sys/module/zswap/parameters/"
#define PAGEOUT_TRIES 50
#define SWAP_SPARE    64 /* pages of the area beyond those needed */

/* A region whose pages are all swapped out, and which of them the swap cache still holds. */
struct swapped {
	struct gen_region g;
	size_t pages;
	unsigned char *cached; /* as of mincore(2), which looks into the swap cache */
};

/* Half noise: neither all zero, nor too dense for a compressor to keep. */
static void fill_pages(unsigned char *base, size_t n)
{
	size_t page = gen_page();

	for (size_t i = 0; i < n; i++) {
		memset(base + i * page, 0, page);
		gen_fill(base + i * page, page / 2, i + 1);
	}
}

static bool all_swapped(const struct swapped *s)
{
	uint64_t *map = gen_pagemap(s->g.base, s->pages);
	size_t count = gen_pagemap_count(map, s->pages, GEN_PM_SWAP);

	free(map);
	return count == s->pages;
}

/* Without readahead, one fault brings back one page. */
static int swap_settings(struct gen_result *r, bool zswap)
{
	int err = gen_undo_begin(r);

	if (err)
		return err;
	err = gen_undo_set("/proc/sys/vm/page-cluster", "0");
	if (err)
		return gen_fail(r, err, "page-cluster");
	err = gen_undo_set(ZSWAP "enabled", zswap ? "Y" : "N");
	if (err && zswap)
		return gen_skip(r, "this kernel cannot enable zswap");
	return 0;
}

static int swap_out(struct swapped *s, struct gen_result *r, size_t pages)
{
	if (gen_map_anon(&s->g, pages, r))
		return -ENOMEM;
	s->pages = pages;
	s->cached = calloc(pages, 1);
	if (!s->cached)
		return gen_fail(r, -ENOMEM, "calloc");
	fill_pages(s->g.base, pages);
	/* A page in the LRU batch of another CPU stays at the first try. */
	for (int i = 0; i < PAGEOUT_TRIES && !all_swapped(s); i++) {
		if (madvise(s->g.base, s->g.size, MADV_PAGEOUT))
			return gen_skip(r, "this kernel has no MADV_PAGEOUT (5.4)");
		usleep(2000);
	}
	if (!all_swapped(s))
		return gen_skip(r, "the kernel did not swap all pages out");
	if (mincore(s->g.base, s->g.size, s->cached))
		return gen_fail(r, -errno, "mincore");
	return 0;
}

static void swap_end(struct swapped *s)
{
	gen_unmap(&s->g);
	free(s->cached);
}

/* The first n pages that are, or are not, in the swap cache; how many there are. */
static size_t choose(const struct swapped *s, bool cached, unsigned char **list, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < s->pages && found < n; i++)
		if ((s->cached[i] & 1) == cached)
			list[found++] = s->g.base + i * gen_page();
	return found;
}

static __attribute__((noinline)) void read_list(unsigned char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)*(volatile unsigned char *)list[i];
}

/* Reads r->expect pages of the wanted state back under the meter. */
static int swap_in(struct swapped *s, struct gen_result *r, bool cached)
{
	size_t n = (size_t)r->expect, found;
	unsigned char **list = calloc(n, sizeof(*list));
	struct gen_smaps before, after;
	struct gen_meter m;

	if (!list)
		return gen_fail(r, -ENOMEM, "calloc");
	found = choose(s, cached, list, n);
	if (found < n) {
		free(list);
		return gen_skip(r, "only %zu of %zu swapped pages are %s the swap cache", found,
		                s->pages, cached ? "in" : "not in");
	}
	r->expect_maj = cached ? 0 : r->expect;
	gen_smaps(&s->g, &before);
	gen_meter_open(&m);
	gen_meter_start(&m);
	read_list(list, n);
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_smaps(&s->g, &after);
	gen_check(r, "swapped_in_pages", (before.swap - after.swap) * 1024 / (long long)gen_page(),
	          (long long)n);
	gen_evidence(r, "pages_swapped", (long long)s->pages);
	free(list);
	return 0;
}

static int swap_device(const struct gen_options *o, struct gen_result *r)
{
	size_t pages = (size_t)r->expect;
	struct swapped s = {0};
	int rc = swap_settings(r, false);

	if (!rc)
		rc = gen_swap_zram(r, (pages + SWAP_SPARE) * gen_page());
	if (!rc)
		rc = swap_out(&s, r, pages);
	if (!rc)
		rc = swap_in(&s, r, false);
	if (!rc)
		gen_check_least(r, "pswpin", gen_vm(r, "pswpin"), r->expect);
	swap_end(&s);
	return rc;
}

/*
 * A page written to a disk stays in the swap cache when the write ends after reclaim has
 * looked at it. Some do not, so twice as many are swapped out as are touched.
 */
static int swap_cache(const struct gen_options *o, struct gen_result *r)
{
	size_t pages = 2 * (size_t)r->expect;
	struct swapped s = {0};
	int rc = swap_settings(r, false);

	if (!rc)
		rc = gen_swap_file(o, r, (pages + SWAP_SPARE) * gen_page());
	if (!rc)
		rc = swap_out(&s, r, pages);
	if (!rc)
		rc = swap_in(&s, r, true);
	if (!rc)
		gen_evidence(r, "pgmajfault", gen_vm(r, "pgmajfault"));
	swap_end(&s);
	return rc;
}

static int zswap(const struct gen_options *o, struct gen_result *r)
{
	size_t pages = (size_t)r->expect;
	struct swapped s = {0};
	int rc = swap_settings(r, true);

	if (!rc)
		rc = gen_swap_file(o, r, (pages + SWAP_SPARE) * gen_page());
	if (!rc)
		rc = swap_out(&s, r, pages);
	if (!rc)
		rc = swap_in(&s, r, false);
	if (!rc)
		gen_check_least(r, "zswpin", gen_vm(r, "zswpin"), r->expect);
	swap_end(&s);
	return rc;
}

const struct gen_workload gen_swap_workloads[] = {
        {"swap-device", "swap-device", 307, "root, zram", swap_device},
        {"swap-cache", "swap-cache", 101, "root, --dir on a disk file system", swap_cache},
        {"zswap", "swap-zswap", 193, "root, zswap, --dir on a disk file system", zswap},
        {NULL, NULL, 0, NULL, NULL},
};
