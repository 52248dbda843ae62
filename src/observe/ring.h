/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader of one perf ring buffer. One thread owns a ring.
 */
#ifndef PGF_OBSERVE_RING_H
#define PGF_OBSERVE_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/perf_event.h>

struct pgf_ring;

/*
 * Called for every record, in the order of the ring. The record lies wholly inside valid
 * memory (header->size bytes, at least 8) and lives for the call only. A non-zero return
 * ends the drain; the record counts as read.
 */
typedef int (*pgf_ring_fn)(void *ctx, const struct perf_event_header *record);

/*
 * perf_event_open(2) with close-on-exec. When descriptors run out, the soft limit is
 * raised to the hard one and the call repeated. Returns a descriptor or -errno.
 */
int pgf_perf_open(struct perf_event_attr *attr, pid_t pid, int cpu, unsigned long flags);

/*
 * Maps the ring of event fd; bytes is rounded down to a power of two of pages, at least
 * one page. fd stays the caller's. Returns 0 or -errno: -EPERM when the ring is beyond
 * perf_event_mlock_kb and RLIMIT_MEMLOCK.
 */
int pgf_ring_map(struct pgf_ring **out, int fd, size_t bytes);
/*
 * Reads a ring laid out in memory by somebody else: page as the kernel maps it, data of
 * bytes (a power of two). Both stay the caller's. Returns 0, -EINVAL or -ENOMEM.
 */
int pgf_ring_over(struct pgf_ring **out, struct perf_event_mmap_page *page, void *data,
                  size_t bytes);
/* Reads what is there and gives the room back. Returns 0 or what fn returned. */
int pgf_ring_drain(struct pgf_ring *ring, pgf_ring_fn fn, void *ctx);
/* The same, but leaves all records in the ring. */
int pgf_ring_peek(struct pgf_ring *ring, pgf_ring_fn fn, void *ctx);
/* Bytes that wait to be read. */
size_t pgf_ring_pending(const struct pgf_ring *ring);
/* Records that the kernel dropped, as told by PERF_RECORD_LOST and LOST_SAMPLES. */
uint64_t pgf_ring_lost(const struct pgf_ring *ring);
/* Times that the ring held something that can not be a record; the rest was skipped. */
uint64_t pgf_ring_broken(const struct pgf_ring *ring);
size_t pgf_ring_bytes(const struct pgf_ring *ring);
void pgf_ring_free(struct pgf_ring *ring); /* accepts NULL */

#endif /* PGF_OBSERVE_RING_H */
