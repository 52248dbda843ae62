/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of perf events on a target: per CPU with inherit for a held command, threads x
 * CPUs with inherit for running processes, per CPU for the machine or a cgroup. All
 * events of one CPU write into one ring. One thread owns a set.
 */
#ifndef PGF_OBSERVE_EVENTS_H
#define PGF_OBSERVE_EVENTS_H

#include "observe/ring.h"
#include "observe/session.h"

struct pgf_events;

/*
 * What all events of the set have in common, set by pgf_events_open(): times are
 * CLOCK_MONOTONIC, every record begins (samples) or ends (others) with TID, TIME and
 * IDENTIFIER; inherit follows from the target.
 */
struct pgf_events_opts {
	const struct perf_event_attr *attrs; /* templates; without any, the rings only */
	size_t attr_count;
	size_t ring_bytes; /* wanted for each CPU; halved until the budget allows it */
	size_t ring_min;   /* ... but not below */
	bool held;         /* off until pgf_events_start(), except for pids */
	bool cgroup_whole; /* the machine will do when a cgroup can not be filtered */
};

/* A record, with the part that all have in common already read. */
struct pgf_event_record {
	const struct perf_event_header *header; /* lives for the call only */
	uint64_t time_ns;
	uint32_t pid; /* the task that ran, which for FORK is the parent */
	uint32_t tid;
	uint32_t attr; /* index of the template */
	uint32_t cpu;
	uint32_t ring; /* 0 .. pgf_events_rings() - 1 */
};

/* A non-zero return ends the drain. */
typedef int (*pgf_events_fn)(void *ctx, const struct pgf_event_record *record);

/*
 * Opens all or nothing. For pids: every thread that exists when the call returns is
 * followed from some moment before that, and so are its later children; one of the
 * templates must have task = 1. Returns 0 or -errno with a line in err.
 */
int pgf_events_open(struct pgf_events **out, const struct pgf_target *target, pid_t child,
                    const struct pgf_events_opts *opts, char *err, size_t err_size);
size_t pgf_events_rings(const struct pgf_events *events);
/* Turns held events on. 0 or -errno. */
int pgf_events_start(struct pgf_events *events);
/* A descriptor that is readable when a ring has filled to a quarter. */
int pgf_events_fd(const struct pgf_events *events);
/*
 * Delivers all records, ring by ring, except those about losses. No record that comes
 * later is older than *watermark_ns (UINT64_MAX after pgf_events_stop()). Returns 0 or
 * what fn returned.
 */
int pgf_events_drain(struct pgf_events *events, pgf_events_fn fn, void *ctx,
                     uint64_t *watermark_ns);
/* Whether records that were due in [*from_ns, *to_ns] were dropped, as of the last drain. */
bool pgf_events_lossy(const struct pgf_events *events, uint64_t *from_ns, uint64_t *to_ns);
/* How often the events of a template occurred, children included. 0 or -EIO. */
int pgf_events_count(const struct pgf_events *events, size_t attr, uint64_t *count);
/* Records that were dropped up to the last drain, over all rings. */
uint64_t pgf_events_lost(const struct pgf_events *events);
/* Turns all events off. */
void pgf_events_stop(struct pgf_events *events);
void pgf_events_close(struct pgf_events *events); /* accepts NULL */

/* CLOCK_MONOTONIC, ns: the clock of all events. */
uint64_t pgf_events_now(void);

#endif /* PGF_OBSERVE_EVENTS_H */
