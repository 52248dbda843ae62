/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults that need the right moment or machine: stack growth, KSM, NUMA balancing. */
#include "gen/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define KSM           "/sys/kernel/mm/ksm/"
#define KPF_KSM       21  /* bit of /proc/kpageflags */
#define KSM_TRIES     500 /* of 20 ms */
#define NUMA_SECONDS  15
#define STACK_RESERVE 262144 /* of RLIMIT_STACK, for the program itself */

/* The lowest address of the main thread's stack mapping now. */
static uintptr_t stack_low(uintptr_t *high)
{
	char line[256];
	unsigned long start, end, low = 0;
	FILE *f = fopen("/proc/self/maps", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, "[stack]") && sscanf(line, "%lx-%lx", &start, &end) == 2) {
			low = start;
			*high = end;
		}
	}
	if (f)
		fclose(f);
	return low;
}

static __attribute__((noinline)) void touch_down(volatile unsigned char *top, size_t n, size_t page)
{
	for (size_t i = 1; i <= n; i++)
		*(top - i * page) = 1;
}

/*
 * Each page is just below the mapping, so that each fault extends it. The stack pointer
 * plays no part in that since Linux 5.0.
 */
static int stack_growth(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect, page = gen_page();
	unsigned char room[4096 * 4];
	uintptr_t high = 0, low, after;
	struct rlimit limit;
	struct gen_meter m;

	if (gen_kernel_before(5, 0))
		return gen_skip(r, "this kernel looks at the stack pointer");
	low = stack_low(&high);
	if (!low)
		return gen_fail(r, -ENOENT, "[stack]");
	if (!getrlimit(RLIMIT_STACK, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	    high - low + n * page + STACK_RESERVE > limit.rlim_cur)
		return gen_skip(r, "the stack limit leaves no room for %zu pages", n);
	madvise((void *)low, high - low, MADV_NOHUGEPAGE);
	r->start = low - n * page;
	r->end = low;
	gen_meter_open(&m);
	touch_down(room + sizeof(room), 1, 1);
	gen_meter_start(&m);
	touch_down((unsigned char *)low, n, page);
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	after = stack_low(&high);
	gen_check(r, "grown_pages", (long long)(low - after) / (long long)page, (long long)n);
	return 0;
}

/* How many of the pages the kernel has merged, by /proc/kpageflags. */
static size_t ksm_merged(const struct gen_region *g, size_t n)
{
	uint64_t *map = gen_pagemap(g->base, n), flags;
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	size_t merged = 0;

	for (size_t i = 0; map && fd >= 0 && i < n; i++) {
		off_t at = (off_t)((map[i] & GEN_PM_PFN) * sizeof(flags));

		if (map[i] & GEN_PM_PRESENT &&
		    pread(fd, &flags, sizeof(flags), at) == sizeof(flags))
			merged += flags >> KPF_KSM & 1;
	}
	if (fd >= 0)
		close(fd);
	free(map);
	return merged;
}

static int ksm_start(struct gen_result *r)
{
	int rc = gen_undo_begin(r);

	if (rc)
		return rc;
	if (access(KSM "run", W_OK))
		return gen_skip(r, "this kernel has no KSM");
	/* Absent on older kernels, where there is nothing to switch off. */
	gen_undo_set(KSM "smart_scan", "0");
	gen_undo_set(KSM "advisor_mode", "none");
	rc = gen_undo_set(KSM "sleep_millisecs", "10");
	if (!rc)
		rc = gen_undo_set(KSM "pages_to_scan", "2000");
	if (!rc)
		rc = gen_undo_set(KSM "run", "1");
	return rc ? gen_fail(r, rc, KSM) : 0;
}

static int ksm(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	uint64_t *before, *after;
	struct gen_region g;
	struct gen_meter m;
	long long moved;
	int rc = ksm_start(r);

	if (rc)
		return rc;
	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	memset(g.base, 0xa5, g.size);
	madvise(g.base, g.size, MADV_MERGEABLE);
	for (int i = 0; i < KSM_TRIES && ksm_merged(&g, n) < n; i++)
		usleep(20000);
	if (ksm_merged(&g, n) < n) {
		rc = gen_skip(r, "KSM merged %zu of %zu pages", ksm_merged(&g, n), n);
		gen_unmap(&g);
		return rc;
	}
	/* Nothing may be merged again while the pages are written. */
	gen_undo_set(KSM "run", "0");
	before = gen_pagemap(g.base, n);
	gen_meter_open(&m);
	gen_meter_start(&m);
	gen_write(g.base, n, gen_page());
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	after = gen_pagemap(g.base, n);
	moved = gen_frames_moved(before, after, n);
	if (moved != GEN_ANY)
		gen_check(r, "frames_changed", moved, (long long)n);
	free(before);
	free(after);
	gen_unmap(&g);
	return 0;
}

/* A second user of the memory: a lone thread's local pages are left alone by the scanner. */
static void *idle_main(void *argument)
{
	char byte;

	while (read(*(int *)argument, &byte, 1) < 0 && errno == EINTR)
		;
	return NULL;
}

static bool page_faults(const unsigned char *at)
{
	struct rusage before, after;

	getrusage(RUSAGE_THREAD, &after);
	getrusage(RUSAGE_THREAD, &before);
	gen_read(at, 1, 1);
	getrusage(RUSAGE_THREAD, &after);
	return after.ru_minflt != before.ru_minflt;
}

/*
 * Runs until the scanner, whose work is charged by run time, has protected the sentinel. It
 * walks upwards, so that all pages below it in the mapping are protected then.
 */
static bool numa_scanned(const unsigned char *sentinel)
{
	volatile unsigned long spin = 0;
	time_t end = time(NULL) + NUMA_SECONDS;

	while (time(NULL) < end) {
		while (++spin % 400000)
			;
		if (page_faults(sentinel))
			return true;
	}
	return false;
}

static int numa_settings(struct gen_result *r)
{
	int rc;

	if (access("/proc/sys/kernel/numa_balancing", W_OK) ||
	    gen_vm_now("numa_pte_updates") == GEN_ANY)
		return gen_skip(r, "needs root and a kernel with NUMA balancing");
	rc = gen_undo_begin(r);
	if (!rc)
		rc = gen_undo_set("/proc/sys/kernel/numa_balancing", "1");
	return rc < 0 ? gen_fail(r, rc, "numa_balancing") : rc;
}

static int numa_measure(struct gen_result *r, struct gen_region *g)
{
	size_t n = (size_t)r->expect;
	bool scanned = numa_scanned(g->base + n * gen_page());
	struct gen_meter m;

	/* No more scans: what the scanner has protected stays so until it is touched. */
	gen_undo_set("/proc/sys/kernel/numa_balancing", "0");
	if (!scanned)
		return gen_skip(r, "the NUMA scanner did not protect the pages");
	gen_meter_open(&m);
	gen_meter_start(&m);
	gen_read(g->base, n, gen_page());
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_check_least(r, "numa_hint_faults", gen_vm(r, "numa_hint_faults"), (long long)n);
	return 0;
}

static int numa_hint(const struct gen_options *o, struct gen_result *r)
{
	struct gen_region g;
	pthread_t idle;
	int ends[2], rc;

	/* The last page is the sentinel. */
	if (gen_map_anon(&g, (size_t)r->expect + 1, r))
		return -ENOMEM;
	r->end -= gen_page();
	gen_write(g.base, (size_t)r->expect + 1, gen_page());
	if (pipe2(ends, O_CLOEXEC) || pthread_create(&idle, NULL, idle_main, &ends[0])) {
		gen_unmap(&g);
		return gen_fail(r, -EAGAIN, "pthread_create");
	}
	rc = numa_settings(r);
	if (!rc)
		rc = numa_measure(r, &g);
	close(ends[1]);
	pthread_join(idle, NULL);
	close(ends[0]);
	gen_unmap(&g);
	return rc;
}

const struct gen_workload gen_rare_workloads[] = {
        {"stack-growth", "anon-new", 61, "", stack_growth},
        {"ksm", "wp-copy", 173, "root, KSM", ksm},
        {"numa-hint", "numa-hint", 179, "root, NUMA balancing", numa_hint},
        {NULL, NULL, 0, NULL, NULL},
};
