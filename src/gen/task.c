/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen/task.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static pthread_t threads[GEN_TASKS_MAX];
static unsigned int thread_count;
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static unsigned int gate_waiting;
static int gate; /* 0 shut, 1 open, -1 go home */

static int gate_wait(void)
{
	int verdict;

	pthread_mutex_lock(&gate_lock);
	gate_waiting++;
	pthread_cond_broadcast(&gate_moved);
	while (!gate)
		pthread_cond_wait(&gate_moved, &gate_lock);
	verdict = gate;
	pthread_mutex_unlock(&gate_lock);
	return verdict;
}

static void *worker_main(void *argument)
{
	struct gen_worker *w = argument;
	struct gen_meter m;

	memset(&m, 0, sizeof(m));
	gen_task_start(&m);
	if (gate_wait() < 0)
		return NULL;
	gen_task_start(&m);
	w->work(w);
	gen_task_stop(&m, w->task);
	return NULL;
}

static void gate_open(unsigned int n, int verdict)
{
	pthread_mutex_lock(&gate_lock);
	while (gate_waiting < n)
		pthread_cond_wait(&gate_moved, &gate_lock);
	gate = verdict;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate_lock);
}

int gen_crowd_start(struct gen_worker *workers, unsigned int n)
{
	int err = 0;

	if (n > GEN_TASKS_MAX)
		return -EINVAL;
	gate = 0;
	gate_waiting = 0;
	for (thread_count = 0; thread_count < n; thread_count++) {
		err = pthread_create(&threads[thread_count], NULL, worker_main,
		                     &workers[thread_count]);
		if (err)
			break;
	}
	gate_open(thread_count, err ? -1 : 1);
	if (err)
		gen_crowd_join();
	return -err;
}

void gen_crowd_join(void)
{
	while (thread_count > 0)
		pthread_join(threads[--thread_count], NULL);
}

int gen_crowd_run(struct gen_worker *workers, unsigned int n)
{
	int err = gen_crowd_start(workers, n);

	gen_crowd_join();
	return err;
}

int gen_tasks(struct gen_result *r, unsigned int n)
{
	if (n > GEN_TASKS_MAX)
		return -EINVAL;
	r->tasks = gen_shared(GEN_TASKS_MAX * sizeof(*r->tasks));
	r->ntasks = r->tasks ? n : 0;
	return r->tasks ? 0 : -ENOMEM;
}

void gen_tasks_sum(struct gen_result *r)
{
	r->pid = r->tasks[0].pid;
	r->tid = r->tasks[0].tid;
	r->min = 0;
	r->maj = 0;
	r->perf = GEN_ANY;
	r->perf_user = GEN_ANY;
	for (unsigned int i = 0; i < r->ntasks; i++) {
		r->min += r->tasks[i].min;
		r->maj += r->tasks[i].maj;
	}
}
