/* SPDX-License-Identifier: BSD-2-Clause */
/* New anonymous pages, touched by many tasks: threads, children, executed images. */
#include "gen/task.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define THREADS      8
#define MANY_THREADS 200
#define CHILDREN     7
#define IMAGE_FAULTS 7 /* of execstorm: few, as the execs are the storm */
#define STACK_SIZE   262144

/* The part of n that task i of count gets: all differ by at most one. */
static size_t share(size_t n, unsigned int i, unsigned int count)
{
	return n / count + (i < n % count);
}

/* Cuts the region into one part a task, in address order. */
static void tasks_cut(struct gen_result *r, const struct gen_region *g)
{
	size_t n = g->size / gen_page(), at = 0;

	for (unsigned int i = 0; i < r->ntasks; i++) {
		struct gen_task *t = &r->tasks[i];

		t->expect = (long long)share(n, i, r->ntasks);
		t->start = (uintptr_t)g->base + at * gen_page();
		at += (size_t)t->expect;
		t->end = (uintptr_t)g->base + at * gen_page();
	}
}

static void touch_own(struct gen_worker *w)
{
	gen_write(w->base, w->pages, gen_page());
}

static int run_threads(struct gen_result *r, unsigned int count)
{
	static struct gen_worker workers[GEN_TASKS_MAX];
	struct gen_region g;
	int err;

	if (gen_tasks(r, count))
		return gen_fail(r, -ENOMEM, "tasks");
	if (gen_map_anon(&g, (size_t)r->expect, r))
		return -ENOMEM;
	tasks_cut(r, &g);
	for (unsigned int i = 0; i < count; i++) {
		struct gen_task *t = &r->tasks[i];

		workers[i] = (struct gen_worker){touch_own, (unsigned char *)t->start,
		                                 (size_t)t->expect, t, NULL};
	}
	err = gen_crowd_run(workers, count);
	gen_tasks_sum(r);
	gen_unmap(&g);
	return err ? gen_fail(r, err, "pthread_create") : 0;
}

static int threads(const struct gen_options *o, struct gen_result *r)
{
	return run_threads(r, THREADS);
}

static int manythreads(const struct gen_options *o, struct gen_result *r)
{
	return run_threads(r, MANY_THREADS);
}

static void task_touch(struct gen_task *t)
{
	/* Read here: a child has to fault shared memory in again. */
	unsigned char *base = (unsigned char *)t->start;
	size_t n = (size_t)t->expect;
	struct gen_meter m;

	memset(&m, 0, sizeof(m));
	gen_task_start(&m);
	gen_write(base, n, gen_page());
	gen_task_stop(&m, t);
}

static int children(const struct gen_options *o, struct gen_result *r)
{
	pid_t pids[CHILDREN];
	struct gen_region g;
	int rc = 0;

	if (gen_tasks(r, CHILDREN))
		return gen_fail(r, -ENOMEM, "tasks");
	if (gen_map_anon(&g, (size_t)r->expect, r))
		return -ENOMEM;
	tasks_cut(r, &g);
	for (unsigned int i = 0; i < CHILDREN; i++) {
		pids[i] = gen_fork();
		if (!pids[i]) {
			task_touch(&r->tasks[i]);
			_exit(0);
		}
	}
	for (unsigned int i = 0; i < CHILDREN; i++)
		if (pids[i] < 0 || gen_reap(pids[i]))
			rc = gen_fail(r, pids[i] < 0 ? pids[i] : -ECHILD, "child");
	gen_tasks_sum(r);
	gen_unmap(&g);
	return rc;
}

static int vfork_main(void *argument)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	task_touch(argument);
	_exit(0);
}

/* The child borrows the parent's memory, which has the pages afterwards; the child paid. */
static int vfork_touch(const struct gen_options *o, struct gen_result *r)
{
	struct gen_region g, stack;
	struct gen_smaps s;
	pid_t pid;
	int rc = 0;

	if (gen_tasks(r, 1))
		return gen_fail(r, -ENOMEM, "tasks");
	if (gen_map(&stack, STACK_SIZE, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1))
		return gen_fail(r, -ENOMEM, "mmap");
	if (gen_map_anon(&g, (size_t)r->expect, r)) {
		gen_unmap(&stack);
		return -ENOMEM;
	}
	tasks_cut(r, &g);
	/* What vfork() is, with a stack of the child's own. */
	pid = clone(vfork_main, stack.base + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD,
	            r->tasks);
	if (pid < 0)
		rc = gen_fail(r, -errno, "clone");
	else if (gen_reap(pid))
		rc = gen_fail(r, -ECHILD, "child");
	gen_tasks_sum(r);
	if (!gen_smaps(&g, &s))
		gen_check(r, "rss_pages", s.rss * 1024 / (long long)gen_page(), r->expect);
	gen_unmap(&g);
	gen_unmap(&stack);
	return rc;
}

/* Arguments of an executed image: pipe, faults an image, faults left. */
static void image_execute(int fd, long long each, long long left)
{
	char fd_text[16], each_text[32], left_text[32];
	char *const argv[] = {"faultgen", GEN_EXECUTED, fd_text, each_text, left_text, NULL};

	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	snprintf(each_text, sizeof(each_text), "%lld", each);
	snprintf(left_text, sizeof(left_text), "%lld", left);
	execv("/proc/self/exe", argv);
	_exit(127);
}

int gen_executed(int argc, char **argv)
{
	struct gen_task t;
	struct gen_region g;
	long long each, left;
	int fd;

	if (argc != 5)
		return 64;
	fd = atoi(argv[2]);
	each = strtoll(argv[3], NULL, 10);
	left = strtoll(argv[4], NULL, 10);
	memset(&t, 0, sizeof(t));
	t.expect = left < each ? left : each;
	if (t.expect <= 0 || gen_map(&g, (size_t)t.expect * gen_page(), 0, PROT_READ | PROT_WRITE,
	                             MAP_PRIVATE | MAP_ANONYMOUS, -1))
		return 1;
	t.start = (uintptr_t)g.base;
	t.end = t.start + g.size;
	task_touch(&t);
	if (write(fd, &t, sizeof(t)) != sizeof(t))
		return 1;
	if (left > each)
		image_execute(fd, each, left - each);
	return 0;
}

/* Runs a chain of images, each of which makes `each` of the faults. */
static int run_images(struct gen_result *r, long long each)
{
	unsigned int images = (unsigned int)((r->expect + each - 1) / each), i = 0;
	int ends[2], rc = 0;
	pid_t pid;

	if (gen_tasks(r, images))
		return gen_fail(r, -ENOMEM, "tasks");
	if (pipe(ends))
		return gen_fail(r, -errno, "pipe");
	pid = gen_fork();
	if (!pid) {
		close(ends[0]);
		image_execute(ends[1], each, r->expect);
	}
	close(ends[1]);
	while (pid > 0 && i < images &&
	       read(ends[0], &r->tasks[i], sizeof(r->tasks[i])) == sizeof(r->tasks[i]))
		i++;
	close(ends[0]);
	if (pid < 0)
		rc = gen_fail(r, pid, "fork");
	else if (gen_reap(pid) || i != images)
		rc = gen_fail(r, -ECHILD, "executed image");
	gen_tasks_sum(r);
	r->start = r->tasks[0].start;
	r->end = r->tasks[0].end;
	if (images > 1)
		gen_note(r, "%u images of one process, each with its own addresses", images);
	return rc;
}

static int exec_image(const struct gen_options *o, struct gen_result *r)
{
	return run_images(r, r->expect);
}

static int execstorm(const struct gen_options *o, struct gen_result *r)
{
	long long least = (r->expect + GEN_TASKS_MAX - 1) / GEN_TASKS_MAX;

	return run_images(r, least > IMAGE_FAULTS ? least : IMAGE_FAULTS);
}

const struct gen_workload gen_task_workloads[] = {
        {"threads", "anon-new", 2003, "", threads},
        {"manythreads", "anon-new", 2011, "", manythreads},
        {"children", "anon-new", 997, "", children},
        {"vfork", "anon-new", 167, "", vfork_touch},
        {"exec", "anon-new", 331, "", exec_image},
        {"execstorm", "anon-new", 373, "", execstorm},
        {NULL, NULL, 0, NULL, NULL},
};
