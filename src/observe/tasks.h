/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The independent witness: min_flt and maj_flt of every traced task as the kernel itself
 * counted them, taken at each task's exit (taskstats) or from /proc while it lives.
 * wait4 is no substitute: it misses auto-reaped grandchildren. Not thread-safe.
 */
#ifndef PGF_OBSERVE_TASKS_H
#define PGF_OBSERVE_TASKS_H

#include "observe/session.h"

struct pgf_tasks;

/* Opens the exit statistics when it may. Returns 0 or -ENOMEM. */
int pgf_tasks_new(struct pgf_tasks **out);
void pgf_tasks_free(struct pgf_tasks *tasks); /* accepts NULL */
/* Whether exits are reported by the kernel (needs CAP_NET_ADMIN outside containers). */
bool pgf_tasks_exact(const struct pgf_tasks *tasks);
/* A task that runs already: its counters so far are its baseline. 0, -ESRCH, -ENOMEM. */
int pgf_tasks_adopt(struct pgf_tasks *tasks, uint32_t pid, uint32_t tid);
/* Every thread of a running process; 0 or -errno. */
int pgf_tasks_adopt_process(struct pgf_tasks *tasks, uint32_t pid);
/* What living tasks have counted so far becomes their baseline: tracing begins now. */
void pgf_tasks_rebase(struct pgf_tasks *tasks);
/* Tracing ends now: what living tasks have counted so far is what counts of them. */
void pgf_tasks_freeze(struct pgf_tasks *tasks, uint64_t end_ns);
/* Looks at forks; the rest is ignored. 0 or -ENOMEM. */
int pgf_tasks_event(struct pgf_tasks *tasks, const struct pgf_space_event *event);
/* Takes what the kernel reported. 0 or -errno. */
int pgf_tasks_drain(struct pgf_tasks *tasks);
/* A task's counters when tracing began; -ESRCH when it is not among them (any more). */
int pgf_tasks_baseline(const struct pgf_tasks *tasks, uint32_t tid, uint64_t *min, uint64_t *maj);
/* The wait status of a task that has ended, -1 when it was not reported. */
int pgf_tasks_exit_code(const struct pgf_tasks *tasks, uint32_t tid);
/* Reads the counters of tasks that still live and writes task_* of *totals. */
void pgf_tasks_finish(struct pgf_tasks *tasks, struct pgf_totals *totals);

#endif /* PGF_OBSERVE_TASKS_H */
