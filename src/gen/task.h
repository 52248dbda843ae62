/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GEN_TASK_H
#define GEN_TASK_H

#include "gen/gen.h"

/* First argument of an image that a workload executed. */
#define GEN_EXECUTED "--executed"

/* main() of such an image: makes its faults, reports them, executes the next one. */
int gen_executed(int argc, char **argv);

struct gen_worker;
typedef void gen_work(struct gen_worker *w);

/* One thread of a crowd: it works on [base, base + pages) and counts into *task. */
struct gen_worker {
	gen_work *work;
	unsigned char *base;
	size_t pages;
	struct gen_task *task;
	void *shared; /* what the workload gives to all */
};

/*
 * Starts n threads that wait for one another, run work() under the counters of their own
 * task, and end. Returns 0 or -errno; then no thread is left.
 */
int gen_crowd_start(struct gen_worker *workers, unsigned int n);
void gen_crowd_join(void);
/* start and join in one. */
int gen_crowd_run(struct gen_worker *workers, unsigned int n);
/* Allocates r->tasks for n tasks; 0 or -errno. */
int gen_tasks(struct gen_result *r, unsigned int n);
/* Sums the tasks into the result, whose perf and vmstat become unknown. */
void gen_tasks_sum(struct gen_result *r);

#endif /* GEN_TASK_H */
