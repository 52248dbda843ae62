/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of a disk file: hot, cold, private and shared. */
#include "gen/gen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define WINDOW_MAX  512 /* pages: fault-around never leaves a page table */
#define EVICT_TRIES 20

struct file_map {
	int fd;
	struct gen_region g;
};

static void file_close(struct file_map *f)
{
	gen_unmap(&f->g);
	close(f->fd);
}

/* Maps a new hot file of n pages; 0, GEN_SKIP or -errno. */
static int file_open(struct file_map *f, const struct gen_options *o, struct gen_result *r,
                     size_t n, size_t align, int prot, int flags)
{
	int err;

	f->fd = gen_file(o, r, n);
	if (f->fd < 0)
		return f->fd == GEN_FILE_SKIP ? GEN_SKIP : f->fd;
	err = gen_map(&f->g, n * gen_page(), align, prot, flags, f->fd);
	if (err) {
		close(f->fd);
		return gen_fail(r, err, "mmap");
	}
	gen_mark(r, &f->g);
	return 0;
}

/*
 * How many pages one read fault maps, seen by making one: fault_around_bytes itself is
 * in debugfs, which few may read.
 */
static long long window_measure(const struct gen_options *o, struct gen_result *r)
{
	struct file_map f;
	uint64_t *map;
	long long pages = 0;
	int rc = file_open(&f, o, r, WINDOW_MAX, WINDOW_MAX * gen_page(), PROT_READ, MAP_SHARED);

	if (rc)
		return rc == GEN_SKIP ? GEN_FILE_SKIP : rc;
	gen_read(f.g.base, 1, gen_page());
	map = gen_pagemap(f.g.base, WINDOW_MAX);
	while (map && pages < WINDOW_MAX && map[pages] & GEN_PM_PRESENT)
		pages++;
	free(map);
	file_close(&f);
	return pages ? pages : gen_fail(r, -EIO, "pagemap");
}

/* Reads n windows of a hot file, one page of each or all; every window is one fault. */
static int read_windows(const struct gen_options *o, struct gen_result *r, bool all)
{
	size_t n = (size_t)r->expect, page = gen_page(), window;
	long long measured = window_measure(o, r);
	struct gen_smaps s;
	struct gen_meter m;
	struct file_map f;
	int rc;

	if (measured < 0)
		return measured == GEN_FILE_SKIP ? GEN_SKIP : (int)measured;
	window = (size_t)measured;
	rc = file_open(&f, o, r, n * window, WINDOW_MAX * page, PROT_READ, MAP_SHARED);
	if (rc)
		return rc;
	gen_meter_open(&m);
	gen_meter_start(&m);
	gen_read(f.g.base, all ? n * window : n, all ? page : window * page);
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_evidence(r, "window_pages", measured);
	if (!gen_smaps(&f.g, &s))
		gen_check(r, "rss_pages", s.rss * 1024 / (long long)page, (long long)(n * window));
	file_close(&f);
	return 0;
}

static int file_read(const struct gen_options *o, struct gen_result *r)
{
	return read_windows(o, r, false);
}

static int file_around(const struct gen_options *o, struct gen_result *r)
{
	return read_windows(o, r, true);
}

static size_t cached_pages(const struct file_map *f, size_t n)
{
	unsigned char *in = calloc(n, 1);
	size_t count = n;

	if (in && !mincore(f->g.base, f->g.size, in)) {
		count = 0;
		for (size_t i = 0; i < n; i++)
			count += in[i] & 1;
	}
	free(in);
	return count;
}

/* A page in a per-CPU LRU batch survives one DONTNEED, not several. */
static bool file_evict(const struct file_map *f, size_t n)
{
	for (int i = 0; i < EVICT_TRIES; i++) {
		fsync(f->fd);
		posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
		if (!cached_pages(f, n))
			return true;
		usleep(10000);
	}
	return false;
}

static int file_major(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_meter m;
	struct file_map f;
	int rc = file_open(&f, o, r, n, 0, PROT_READ, MAP_SHARED);

	if (rc)
		return rc;
	/* Without it the first fault would read, and map, the neighbours too. */
	madvise(f.g.base, f.g.size, MADV_RANDOM);
	if (!file_evict(&f, n)) {
		file_close(&f);
		return gen_skip(r, "the page cache of %s does not let go of a file", o->dir);
	}
	r->expect_maj = r->expect;
	gen_meter_open(&m);
	gen_meter_start(&m);
	gen_read(f.g.base, n, gen_page());
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_check_least(r, "pgmajfault", gen_vm(r, "pgmajfault"), (long long)n);
	file_close(&f);
	return 0;
}

static long long anon_pages(const struct gen_region *g)
{
	struct gen_smaps s;

	return gen_smaps(g, &s) ? GEN_ANY : s.anon * 1024 / (long long)gen_page();
}

/* Writes a mapping of a hot file, after reading it when `mapped`. */
static int file_write(const struct gen_options *o, struct gen_result *r, int flags, bool mapped)
{
	size_t n = (size_t)r->expect;
	struct gen_meter m;
	struct file_map f;
	int rc = file_open(&f, o, r, n, 0, PROT_READ | PROT_WRITE, flags);

	if (rc)
		return rc;
	/* 5.x drops mmap_lock to throttle the writer, and may count the retry as major. */
	if (flags == MAP_SHARED && gen_kernel_before(6, 1))
		r->expect_maj = GEN_ANY;
	if (mapped)
		gen_read(f.g.base, n, gen_page());
	gen_meter_open(&m);
	gen_meter_start(&m);
	gen_write(f.g.base, n, gen_page());
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_check(r, "anon_pages", anon_pages(&f.g), flags == MAP_PRIVATE ? (long long)n : 0);
	file_close(&f);
	return 0;
}

static int file_cow(const struct gen_options *o, struct gen_result *r)
{
	return file_write(o, r, MAP_PRIVATE, false);
}

static int file_cow_mapped(const struct gen_options *o, struct gen_result *r)
{
	return file_write(o, r, MAP_PRIVATE, true);
}

static int file_shared(const struct gen_options *o, struct gen_result *r)
{
	return file_write(o, r, MAP_SHARED, false);
}

static int file_mkwrite(const struct gen_options *o, struct gen_result *r)
{
	return file_write(o, r, MAP_SHARED, true);
}

#define NEEDS_DISK "--dir on a disk file system"

const struct gen_workload gen_file_workloads[] = {
        {"file-read", "file-read", 53, NEEDS_DISK, file_read},
        {"file-around", "file-read", 47, NEEDS_DISK, file_around},
        {"file-major", "file-read", 101, NEEDS_DISK, file_major},
        {"file-cow", "file-cow", 211, NEEDS_DISK, file_cow},
        {"file-cow-mapped", "wp-copy", 223, NEEDS_DISK, file_cow_mapped},
        {"file-shared", "file-shared", 227, NEEDS_DISK, file_shared},
        {"file-mkwrite", "wp-shared", 229, NEEDS_DISK, file_mkwrite},
        {NULL, NULL, 0, NULL, NULL},
};
