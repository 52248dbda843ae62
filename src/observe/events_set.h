/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What events.c (opening) and events_read.c (reading) share.
 */
#ifndef PGF_OBSERVE_EVENTS_SET_H
#define PGF_OBSERVE_EVENTS_SET_H

#include "observe/events.h"
#include "observe/idmap.h"

/*
 * Records of one occurrence, one behind the other: a thread that was born while its
 * parent's events were being opened may have inherited some and got its own besides.
 */
struct run {
	uint32_t type;
	uint32_t attr;
	uint32_t root;
	uint64_t time;
	uint64_t key[3]; /* what the records have in common */
};

struct ring_slot {
	struct pgf_ring *ring;
	struct run run;
	int anchor; /* an event of our own thread that owns the ring: it never hangs up */
	int cpu;
};

struct opened {
	int fd;
	uint32_t attr;
};

struct pgf_events {
	struct ring_slot *rings;
	size_t ring_count;
	struct opened *open;
	size_t open_count;
	size_t open_room;
	struct perf_event_attr *attrs;
	size_t attr_count;
	struct pgf_idmap ids;     /* event id -> root << 32 | template */
	struct pgf_idmap threads; /* tid -> time from which it is followed on every CPU */
	uint64_t *doubles;        /* records of a template that came twice */
	uint64_t foreign;         /* records that can not be told: see sample_is_ours() */
	uint64_t drained_ns;      /* begin of the drain before the last */
	uint64_t draining_ns;     /* begin of the last, or current, one */
	uint64_t lossy_ns;        /* its end when it found losses, else 0 */
	size_t ring_bytes;
	size_t turn; /* where the next thread's opening begins */
	int epoll;
	uint64_t lost;
	bool by_thread;
	bool held;
	bool with_lost; /* the events count what they lost (PERF_FORMAT_LOST, Linux 6.0) */
	bool stopped;
};

struct record_id {
	uint32_t pid, tid;
	uint64_t time;
	uint64_t id;
};

/* Every record but a sample ends with TID, TIME and IDENTIFIER. False when too short. */
bool pgf_set_trailer(const struct perf_event_header *header, struct record_id *out);

#endif /* PGF_OBSERVE_EVENTS_SET_H */
