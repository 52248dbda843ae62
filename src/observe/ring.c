/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A record's size is a __u16, so no record is longer. */
#define RECORD_MAX 65536

/* Room is given back to the kernel every so many records, not only at the end. */
#define RELEASE_EVERY 64

struct pgf_ring {
	struct perf_event_mmap_page *page;
	uint8_t *data;
	uint64_t mask;
	uint8_t *scratch; /* a record that wraps around the end is put together here */
	void *base;       /* what was mapped; NULL for a ring in foreign memory */
	size_t base_size;
	uint64_t lost;
	uint64_t broken;
};

static int nofile_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	if (limit.rlim_cur >= limit.rlim_max)
		return -EMFILE;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int pgf_perf_open(struct perf_event_attr *attr, pid_t pid, int cpu, unsigned long flags)
{
	unsigned long all = flags | PERF_FLAG_FD_CLOEXEC;
	long fd;

	attr->size = sizeof(*attr);
	fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, all);
	if (fd < 0 && errno == EMFILE) {
		if (nofile_raise() < 0)
			return -EMFILE;
		fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, all);
	}
	return fd < 0 ? -errno : (int)fd;
}

int pgf_ring_over(struct pgf_ring **out, struct perf_event_mmap_page *page, void *data,
                  size_t bytes)
{
	struct pgf_ring *ring;

	if (bytes < sizeof(struct perf_event_header) || (bytes & (bytes - 1)))
		return -EINVAL;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	ring->scratch = malloc(RECORD_MAX);
	if (!ring->scratch) {
		free(ring);
		return -ENOMEM;
	}
	ring->page = page;
	ring->data = data;
	ring->mask = bytes - 1;
	*out = ring;
	return 0;
}

int pgf_ring_map(struct pgf_ring **out, int fd, size_t bytes)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	size_t data_size = page_size;
	size_t base_size;
	void *base;
	int err;

	while (data_size <= bytes / 2)
		data_size *= 2;
	base_size = data_size + page_size;
	base = mmap(NULL, base_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	err = pgf_ring_over(out, base, (uint8_t *)base + page_size, data_size);
	if (err) {
		munmap(base, base_size);
		return err;
	}
	(*out)->base = base;
	(*out)->base_size = base_size;
	return 0;
}

void pgf_ring_free(struct pgf_ring *ring)
{
	if (!ring)
		return;
	if (ring->base)
		munmap(ring->base, ring->base_size);
	free(ring->scratch);
	free(ring);
}

/* Copies len bytes that start at position pos, around the end when need be. */
static void ring_copy(const struct pgf_ring *ring, uint64_t pos, void *to, size_t len)
{
	size_t start = (size_t)(pos & ring->mask);
	size_t first = (size_t)ring->mask + 1 - start;

	if (first > len)
		first = len;
	memcpy(to, ring->data + start, first);
	memcpy((uint8_t *)to + first, ring->data, len - first);
}

/*
 * The record at tail, put together if it wraps; NULL when what stands there can not be
 * one. The kernel writes records at multiples of 8, so a whole one is aligned in place.
 */
static const struct perf_event_header *ring_record(struct pgf_ring *ring, uint64_t tail,
                                                   uint64_t head)
{
	uint64_t left = head - tail;
	size_t start = (size_t)(tail & ring->mask);
	struct perf_event_header header;

	if (left < sizeof(header) || left > ring->mask + 1 || (tail & 7))
		return NULL;
	ring_copy(ring, tail, &header, sizeof(header));
	if (header.size < sizeof(header) || header.size > left || (header.size & 7))
		return NULL;
	if (start + header.size <= ring->mask + 1)
		return (const struct perf_event_header *)(ring->data + start);
	ring_copy(ring, tail, ring->scratch, header.size);
	return (const struct perf_event_header *)ring->scratch;
}

/* { header, id, lost } for LOST and { header, lost } for LOST_SAMPLES. */
static uint64_t record_lost(const struct perf_event_header *record)
{
	const uint64_t *words = (const uint64_t *)(record + 1);
	size_t count = (record->size - sizeof(*record)) / sizeof(*words);

	if (record->type == PERF_RECORD_LOST)
		return count >= 2 ? words[1] : 0;
	if (record->type == PERF_RECORD_LOST_SAMPLES)
		return count >= 1 ? words[0] : 0;
	return 0;
}

static int ring_walk(struct pgf_ring *ring, pgf_ring_fn fn, void *ctx, bool consume)
{
	/* Pairs with the kernel's barrier before it publishes data_head (perf_event.h). */
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail;
	unsigned int unreleased = 0;
	int ret = 0;

	while (tail != head && !ret) {
		const struct perf_event_header *record = ring_record(ring, tail, head);

		if (!record) {
			ring->broken += consume;
			tail = head;
			break;
		}
		if (consume)
			ring->lost += record_lost(record);
		ret = fn(ctx, record);
		tail += record->size;
		if (consume && ++unreleased == RELEASE_EVERY) {
			/* All reads of the record come before the kernel may overwrite it. */
			__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
			unreleased = 0;
		}
	}
	if (consume)
		__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
	return ret;
}

int pgf_ring_drain(struct pgf_ring *ring, pgf_ring_fn fn, void *ctx)
{
	return ring_walk(ring, fn, ctx, true);
}

int pgf_ring_peek(struct pgf_ring *ring, pgf_ring_fn fn, void *ctx)
{
	return ring_walk(ring, fn, ctx, false);
}

size_t pgf_ring_pending(const struct pgf_ring *ring)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);

	return (size_t)(head - ring->page->data_tail);
}

uint64_t pgf_ring_lost(const struct pgf_ring *ring)
{
	return ring->lost;
}

uint64_t pgf_ring_broken(const struct pgf_ring *ring)
{
	return ring->broken;
}

size_t pgf_ring_bytes(const struct pgf_ring *ring)
{
	return (size_t)ring->mask + 1;
}
