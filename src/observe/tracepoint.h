/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of the tracepoint tier; not for others. */
#ifndef PGF_OBSERVE_TRACEPOINT_H
#define PGF_OBSERVE_TRACEPOINT_H

#include <time.h>

#include "observe/bpf/wire.h"
#include "observe/idmap.h"
#include "observe/source.h"

struct bpf_link;
struct ring_buffer;
struct tracepoint_bpf;

#define PGF_TP_MAX_LINKS 32
#define PGF_TP_STACKS    (PGF_STACKS + PGF_STACKS_MORE)

struct pgf_source {
	struct pgf_feed feed;
	struct pgf_totals *totals;
	struct tracepoint_bpf *skel;
	struct ring_buffer *rings;
	struct bpf_link *links[PGF_TP_MAX_LINKS];
	size_t link_count;
	int *perf_fds;
	size_t perf_count;
	size_t perf_room;
	struct pgf_idmap opened; /* threads of -p that have their events */
	int *counting_fds;       /* PERF_COUNT_SW_PAGE_FAULTS, not sampled */
	size_t counting_count;
	int barrier_outer; /* an update of it waits for running BPF programs */
	int barrier_inner;
	int ncpu;
	uint64_t known; /* PGF_O_* that the attached programs can see */
	uint64_t last_flip_ns;
	uint64_t watermark_ns;
	uint64_t ring_full_seen;
	uint8_t *stack_seen; /* bitmap of stack ids already delivered */
	char *values;        /* per-CPU values of one batch of cells */
	bool aggregate;
	bool stopped;
	bool with_cgroup;
	bool with_calls; /* munmap, madvise and the like are told of */
	uint64_t calls_lost_seen;
	bool fork_fixed; /* sched_process_fork has names of fixed length (up to 6.x) */
	int sink_error;
};

static inline uint64_t pgf_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* tracepoint_cells.c */

/* What a wire record says, as a fault; mapping and kind are named downstream. */
void pgf_tp_fault(const struct pgf_source *s, const struct pgf_wire *e, struct pgf_fault *f);
/* Flips the epoch, waits for running programs, delivers and empties the old cells. */
int pgf_tp_cells_flip(struct pgf_source *s);
/* Makes the map of maps whose update waits for programs. */
int pgf_tp_barrier_make(struct pgf_source *s);
void pgf_tp_barrier_wait(struct pgf_source *s);
/* Room for one batch of cells; -ENOMEM. */
int pgf_tp_cells_init(struct pgf_source *s);
/* The counts that are never lost, summed over CPUs. */
int pgf_tp_counts(const struct pgf_source *s, struct pgf_counts *sum);

#endif /* PGF_OBSERVE_TRACEPOINT_H */
