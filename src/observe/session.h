/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tracing session: one source of faults (a tier), its target, and the stream that comes
 * out. Sources hand over complete, named faults in time order; nobody downstream knows
 * which source they came from. One thread owns a session.
 */
#ifndef PGF_OBSERVE_SESSION_H
#define PGF_OBSERVE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <pgfault/fault.h>
#include "observe/space.h"

enum pgf_tier {
	PGF_TIER_AUTO = 0,
	PGF_TIER_KERNEL = 1,
	PGF_TIER_TRACEPOINT = 2,
	PGF_TIER_PERF = 3,
	PGF_TIER_COUNTERS = 4
};

enum pgf_volume {
	PGF_VOLUME_STREAM = 0,   /* every fault by itself */
	PGF_VOLUME_AGGREGATE = 1 /* added up in the kernel where the tier can */
};

struct pgf_target {
	char *const *argv; /* a command, NULL-terminated; or NULL */
	const pid_t *pids; /* running processes; or NULL */
	size_t pid_count;
	bool all;           /* the whole machine */
	const char *cgroup; /* cgroup v2 path: only tasks inside it; or NULL */
	uid_t uid;          /* the command runs as this user ... */
	gid_t gid;
	bool drop;        /* ... when this is set */
	const char *user; /* name for initgroups(), with drop */
};

struct pgf_session_opts {
	struct pgf_target target;
	enum pgf_tier tier;
	enum pgf_volume volume;
	bool stacks;       /* user stacks (frame pointers) */
	bool calls;        /* munmap, mprotect, mremap, madvise, brk too (tracepoint tier) */
	bool basic;        /* leave out the tracepoints inside the window: cheaper, fewer kinds */
	size_t ring_bytes; /* 0: the tier's default; per CPU */
};

/* Faults that fell into one cell of the kernel's aggregation (tracepoint tier). */
struct pgf_cell {
	struct pgf_fault fault; /* a named representative: pid, address (block or last), ip, kind */
	uint64_t count;
	uint64_t ns; /* sum of durations */
	uint64_t max_ns;
	uint32_t bucket; /* pgf_hist bucket of the durations; PGF_CELL_NO_BUCKET in code cells */
	bool code;       /* a cell by ip (true) or by address (false); a fault is in one of each */
};
#define PGF_CELL_NO_BUCKET UINT32_MAX

/* What comes out of a session. Any member may be NULL. Pointers live for the call only. */
struct pgf_sink {
	void *ctx;
	int (*fault)(void *ctx, const struct pgf_fault *fault);
	int (*cell)(void *ctx, const struct pgf_cell *cell);
	/* Events of the address spaces, in time order with the faults. */
	int (*space)(void *ctx, const struct pgf_space_event *event);
	/* A stack seen for the first time; frames innermost first. */
	int (*stack)(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count);
};

/* Min and maj of tasks as the kernel counted them, beside what the session saw. */
struct pgf_totals {
	uint64_t seen; /* completed faults seen: minor + major */
	uint64_t minor;
	uint64_t major;
	uint64_t failed;      /* ended in a signal */
	uint64_t unfinished;  /* entered, no end seen */
	uint64_t nofault;     /* exceptions refused at once (page faults disabled) */
	uint64_t before_exec; /* completed faults of the command's own start, not shown */
	uint64_t entered;     /* PERF_COUNT_SW_PAGE_FAULTS; 0 with entered_known false */
	uint64_t lost_events; /* faults whose event was dropped; counted, not shown in detail */
	uint64_t lost_detail; /* aggregation: counted by kind but without address or code */
	uint64_t lost_stacks; /* faults whose stack found no place */
	uint64_t lost_space;  /* records of the address space that were dropped */
	uint64_t task_min;    /* the tasks' own counters, summed over tasks and cut to the run */
	uint64_t task_maj;
	uint64_t tasks;        /* tasks whose counters are in task_min and task_maj */
	uint64_t tasks_missed; /* tasks that ended without their counters being had */
	bool entered_known;
	bool task_known;    /* task_min and task_maj are complete (tasks_missed == 0) */
	bool task_waited;   /* task_min and task_maj are from wait4: of the tasks waited for */
	bool gup_separable; /* remainder is GUP only; else "kernel-mode or GUP" */
	bool events_dropped_at_exec; /* a set-uid or unreadable program shook off perf's events */
	uint64_t fault_cost_ns; /* what tracing adds to one fault here, measured at the start; 0
	                           unknown */
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t child_utime_ns; /* command only: user and system time of the tree */
	uint64_t child_stime_ns;
};

struct pgf_session;

/*
 * Opens the best tier that works (opts->tier AUTO) or the one asked for, attaches to the
 * target and, for a command, forks it and holds it before exec. Nothing runs yet.
 * On failure returns -errno and writes one line (thing: reason: remedy) into err.
 */
int pgf_session_open(struct pgf_session **out, const struct pgf_session_opts *opts,
                     const struct pgf_sink *sink, char *err, size_t err_size);
/* Lets the command go, or starts recording. -errno; exec errors are reported here. */
int pgf_session_start(struct pgf_session *session, char *err, size_t err_size);
/*
 * Waits up to timeout_ms for events and delivers them. Returns 1 while the target lives,
 * 0 when the command (or every -p process) has ended, -errno; a sink's non-zero return
 * comes back as it is.
 */
int pgf_session_poll(struct pgf_session *session, int timeout_ms);
/* Stops, delivers the rest, fills the totals. */
int pgf_session_stop(struct pgf_session *session);
const struct pgf_totals *pgf_session_totals(const struct pgf_session *session);
struct pgf_space *pgf_session_space(struct pgf_session *session);
enum pgf_tier pgf_session_tier(const struct pgf_session *session);
/* The command's pid, or 0; its wait status, -1 before it has ended. */
pid_t pgf_session_child(const struct pgf_session *session);
int pgf_session_status(const struct pgf_session *session);
/* Kills what is still held, detaches, frees. Accepts NULL. */
void pgf_session_close(struct pgf_session *session);

const char *pgf_tier_name(enum pgf_tier tier);
int pgf_tier_parse(const char *name); /* -EINVAL */
/* What the tier cannot see, for the closing line; a static string. */
const char *pgf_tier_blind(enum pgf_tier tier);
/*
 * Tries a tier for real (a fault must arrive). Returns 0 when it works, else -errno with
 * the reason and the remedy in why.
 */
int pgf_tier_probe(enum pgf_tier tier, char *why, size_t size);

#endif /* PGF_OBSERVE_SESSION_H */
