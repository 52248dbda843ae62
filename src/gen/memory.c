/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen/gen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

size_t gen_page(void)
{
	static size_t page;

	if (!page)
		page = (size_t)sysconf(_SC_PAGESIZE);
	return page;
}

int gen_map(struct gen_region *g, size_t size, size_t align, int prot, int flags, int fd)
{
	size_t page = gen_page();
	uintptr_t at;

	memset(g, 0, sizeof(*g));
	if (!align)
		align = page;
	if (size > SIZE_MAX / 4 || align > SIZE_MAX / 4)
		return -EINVAL;
	g->outer_size = size + align + 2 * page;
	g->outer = mmap(NULL, g->outer_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
	                -1, 0);
	if (g->outer == MAP_FAILED) {
		g->outer = NULL;
		return -errno;
	}
	at = ((uintptr_t)g->outer + page + align - 1) & ~(uintptr_t)(align - 1);
	g->size = size;
	g->base = mmap((void *)at, size, prot, flags | MAP_FIXED, fd, 0);
	if (g->base == MAP_FAILED) {
		int err = -errno;

		gen_unmap(g);
		return err;
	}
	/* A kernel without huge pages says EINVAL, which is as good. */
	madvise(g->base, size, MADV_NOHUGEPAGE);
	return 0;
}

void gen_unmap(struct gen_region *g)
{
	if (g->outer)
		munmap(g->outer, g->outer_size);
	memset(g, 0, sizeof(*g));
}

void gen_mark(struct gen_result *r, const struct gen_region *g)
{
	r->start = (uintptr_t)g->base;
	r->end = r->start + g->size;
}

int gen_map_anon(struct gen_region *g, size_t n, struct gen_result *r)
{
	int err = gen_map(g, n * gen_page(), 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                  -1);

	if (err)
		return gen_fail(r, err, "mmap");
	gen_mark(r, g);
	return 0;
}

__attribute__((noinline)) void gen_write(volatile unsigned char *p, size_t n, size_t stride)
{
	for (size_t i = 0; i < n; i++)
		p[i * stride] = (unsigned char)(i | 1);
}

__attribute__((noinline)) void gen_read(const volatile unsigned char *p, size_t n, size_t stride)
{
	for (size_t i = 0; i < n; i++)
		(void)p[i * stride];
}

size_t gen_meminfo(const char *field)
{
	size_t length = strlen(field), value = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, field, length)) {
			value = strtoull(line + length, NULL, 10);
			if (strstr(line, " kB"))
				value *= 1024;
		}
	}
	if (f)
		fclose(f);
	return value;
}

uint64_t gen_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void gen_fill(unsigned char *p, size_t size, uint64_t seed)
{
	for (size_t i = 0; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t)) {
		uint64_t word = gen_random(&seed);

		memcpy(p + i, &word, sizeof(word));
	}
}

static void smaps_line(const char *line, struct gen_smaps *s)
{
	static const struct {
		const char *name;
		size_t offset;
	} fields[] = {
	        {"Rss:", offsetof(struct gen_smaps, rss)},
	        {"Anonymous:", offsetof(struct gen_smaps, anon)},
	        {"Swap:", offsetof(struct gen_smaps, swap)},
	        {"AnonHugePages:", offsetof(struct gen_smaps, huge)},
	        {"Private_Hugetlb:", offsetof(struct gen_smaps, hugetlb)},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t length = strlen(fields[i].name);

		if (!strncmp(line, fields[i].name, length))
			*(long long *)((char *)s + fields[i].offset) +=
			        strtoll(line + length, NULL, 10);
	}
}

int gen_smaps(const struct gen_region *g, struct gen_smaps *s)
{
	uintptr_t low = (uintptr_t)g->base, high = low + g->size;
	bool inside = false;
	char *line = NULL;
	size_t room = 0;
	FILE *f = fopen("/proc/self/smaps", "re");

	memset(s, 0, sizeof(*s));
	if (!f)
		return -errno;
	while (getline(&line, &room, f) > 0) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start >= low && end <= high;
		else if (inside)
			smaps_line(line, s);
	}
	free(line);
	fclose(f);
	return 0;
}

uint64_t *gen_pagemap(const void *base, size_t n)
{
	uint64_t *map = calloc(n, sizeof(*map));
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t at = (off_t)((uintptr_t)base / gen_page() * sizeof(*map));
	ssize_t want = (ssize_t)(n * sizeof(*map));

	if (!map || fd < 0 || pread(fd, map, (size_t)want, at) != want) {
		free(map);
		map = NULL;
	}
	if (fd >= 0)
		close(fd);
	return map;
}

size_t gen_pagemap_count(const uint64_t *map, size_t n, uint64_t bits)
{
	size_t count = 0;

	for (size_t i = 0; map && i < n; i++)
		count += (map[i] & bits) == bits;
	return count;
}

long long gen_frames_moved(const uint64_t *before, const uint64_t *after, size_t n)
{
	long long moved = 0;

	if (!before || !after || !(before[0] & GEN_PM_PFN))
		return GEN_ANY;
	for (size_t i = 0; i < n; i++)
		moved += (before[i] & GEN_PM_PFN) != (after[i] & GEN_PM_PFN);
	return moved;
}

bool gen_kernel_before(int major, int minor)
{
	struct utsname u;
	int have_major = 0, have_minor = 0;

	if (uname(&u) || sscanf(u.release, "%d.%d", &have_major, &have_minor) != 2)
		return false;
	return have_major < major || (have_major == major && have_minor < minor);
}

void *gen_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	memset(p, 0, size);
	return p;
}
