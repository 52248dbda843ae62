/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a source (tracepoint.c, perf.c, later kernel.c) gives to session.c. A source
 * delivers raw faults: time, duration, access, ip, pid, tid, cpu, evidence; session.c
 * orders them with the events of the address space, names them, and passes them on.
 */
#ifndef PGF_OBSERVE_SOURCE_H
#define PGF_OBSERVE_SOURCE_H

#include "observe/session.h"

/* What a source calls. Times need not be in order: session.c sorts up to the watermark. */
struct pgf_feed {
	void *ctx;
	int (*fault)(void *ctx, const struct pgf_fault *fault);
	int (*cell)(void *ctx, const struct pgf_cell *cell);
	int (*space)(void *ctx, const struct pgf_space_event *event);
	int (*stack)(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count);
};

struct pgf_source;

struct pgf_source_ops {
	enum pgf_tier tier;
	/*
	 * Opens for the target; for a command, child is the held process. Counts losses and
	 * entries into *totals as they come.
	 */
	int (*open)(struct pgf_source **out, const struct pgf_session_opts *opts, pid_t child,
	            const struct pgf_feed *feed, struct pgf_totals *totals, char *err,
	            size_t err_size);
	/* From here on faults count (for a command: just before it is let go). */
	int (*start)(struct pgf_source *source);
	/* Descriptors to wait on; returns how many were written to fds. */
	size_t (*fds)(struct pgf_source *source, int *fds, size_t size);
	/*
	 * Delivers what is there. *watermark_ns: no event delivered later will be older.
	 */
	int (*drain)(struct pgf_source *source, uint64_t *watermark_ns);
	/* Ends: after it a last drain() delivers all that is left. */
	int (*stop)(struct pgf_source *source);
	void (*close)(struct pgf_source *source);
};

extern const struct pgf_source_ops pgf_source_tracepoint;
extern const struct pgf_source_ops pgf_source_perf;

#endif /* PGF_OBSERVE_SOURCE_H */
