/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults under disorder: interleaved, raced for, interrupted, cut short. */
#include "gen/task.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RACERS      8
#define CUT_THREADS 4
#define TIMER_US    100

/* What can be done to a page of the mix, as accesses and the fault that each must make. */
static const struct sequence {
	const char *ops;      /* r or w */
	const char *kinds[2]; /* NULL: no fault */
	bool shared;          /* populated before the fork that shares it */
} sequences[] = {
        {"r", {"anon-zero"}, false},
        {"w", {"anon-new"}, false},
        {"rw", {"anon-zero", "wp-copy"}, false},
        {"rr", {"anon-zero", NULL}, false},
        {"wr", {"anon-new", NULL}, false},
        {"w", {"wp-copy"}, true},
        {"rw", {NULL, "wp-copy"}, true},
};

#define SEQUENCES (sizeof(sequences) / sizeof(sequences[0]))

struct access {
	volatile unsigned char *at;
	bool write;
};

struct mix {
	size_t pages;
	unsigned char *chosen; /* by page: index into sequences */
	size_t *order;         /* by access: the page; its n-th appearance is its n-th access */
	size_t accesses;
	struct access *plan;
};

static long long sequence_faults(const struct sequence *s)
{
	return (s->kinds[0] != NULL) + (s->kinds[1] != NULL);
}

/* Chooses sequences until they make exactly n faults, and an order at random. */
static int mix_choose(struct mix *x, long long n, uint64_t *seed)
{
	x->chosen = malloc((size_t)n);
	x->order = calloc((size_t)n * 2, sizeof(*x->order));
	x->plan = calloc((size_t)n * 2, sizeof(*x->plan));
	if (!x->chosen || !x->order || !x->plan)
		return -ENOMEM;
	while (n > 0) {
		unsigned char choice = (unsigned char)(gen_random(seed) % SEQUENCES);

		if (sequence_faults(&sequences[choice]) > n)
			continue;
		n -= sequence_faults(&sequences[choice]);
		for (const char *op = sequences[choice].ops; *op; op++)
			x->order[x->accesses++] = x->pages;
		x->chosen[x->pages++] = choice;
	}
	for (size_t i = x->accesses; i-- > 1;) {
		size_t j = gen_random(seed) % (i + 1), page = x->order[i];

		x->order[i] = x->order[j];
		x->order[j] = page;
	}
	return 0;
}

/* Turns the order into addresses, and notes which fault each access must make. */
static int mix_plan(struct mix *x, struct gen_result *r, unsigned char *base)
{
	unsigned char *done = calloc(x->pages, 1);

	r->steps = calloc((size_t)r->expect, sizeof(*r->steps));
	if (!done || !r->steps) {
		free(done);
		return -ENOMEM;
	}
	for (size_t i = 0; i < x->accesses; i++) {
		size_t page = x->order[i];
		const struct sequence *s = &sequences[x->chosen[page]];
		unsigned int nth = done[page]++;

		x->plan[i].at = base + page * gen_page();
		x->plan[i].write = s->ops[nth] == 'w';
		if (!s->kinds[nth])
			continue;
		gen_kind(r, s->kinds[nth], 1);
		r->steps[r->nsteps++] = (struct gen_step){(uintptr_t)x->plan[i].at, s->kinds[nth]};
	}
	free(done);
	return 0;
}

static __attribute__((noinline)) void mix_access(const struct access *plan, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (plan[i].write)
			*plan[i].at = 1;
		else
			(void)*plan[i].at;
	}
}

static int mix_run(struct mix *x, struct gen_result *r, struct gen_region *g)
{
	struct gen_meter m;
	pid_t child;
	int fd = -1;

	for (size_t page = 0; page < x->pages; page++)
		if (sequences[x->chosen[page]].shared)
			g->base[page * gen_page()] = 1;
	child = gen_hold(&fd);
	if (child < 0)
		return gen_fail(r, child, "fork");
	gen_meter_open(&m);
	mix_access(x->plan, 0);
	gen_meter_start(&m);
	mix_access(x->plan, x->accesses);
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_release(child, fd);
	gen_evidence(r, "pages", (long long)x->pages);
	gen_evidence(r, "accesses", (long long)x->accesses);
	return 0;
}

static int mix(const struct gen_options *o, struct gen_result *r)
{
	struct mix x = {0};
	struct gen_region g = {0};
	uint64_t seed = o->seed;
	int rc = mix_choose(&x, r->expect, &seed);

	if (!rc)
		rc = gen_map_anon(&g, x.pages, r);
	if (!rc)
		rc = mix_plan(&x, r, g.base);
	if (!rc)
		rc = mix_run(&x, r, &g);
	gen_unmap(&g);
	free(x.chosen);
	free(x.order);
	free(x.plan);
	return rc;
}

static void touch_all(struct gen_worker *w)
{
	gen_write(w->base, w->pages, gen_page());
}

/*
 * All threads write all pages. Each page is new once; who finds that another thread was
 * quicker has still taken, and is charged for, a fault.
 */
static int race(const struct gen_options *o, struct gen_result *r)
{
	struct gen_worker workers[RACERS];
	struct gen_region g;
	struct gen_smaps s;
	int err;

	if (gen_tasks(r, RACERS))
		return gen_fail(r, -ENOMEM, "tasks");
	if (gen_map_anon(&g, (size_t)r->expect, r))
		return -ENOMEM;
	for (unsigned int i = 0; i < RACERS; i++) {
		struct gen_task *t = &r->tasks[i];

		t->start = r->start;
		t->end = r->end;
		t->expect = GEN_ANY;
		workers[i] = (struct gen_worker){touch_all, g.base, (size_t)r->expect, t, NULL};
	}
	err = gen_crowd_run(workers, RACERS);
	gen_tasks_sum(r);
	gen_expect(r, GEN_ANY, 0);
	if (!gen_smaps(&g, &s))
		gen_check(r, "rss_pages", s.rss * 1024 / (long long)gen_page(), r->expect);
	gen_check_least(r, "faults", r->min, r->expect);
	gen_check_least(r, "faults_below_limit", RACERS * r->expect - r->min, 0);
	gen_evidence(r, "lost_races", r->min - r->expect);
	gen_unmap(&g);
	return err ? gen_fail(r, err, "pthread_create") : 0;
}

static void storm_work(struct gen_worker *w)
{
	volatile bool *stop = w->shared;
	size_t page = gen_page(), size = w->pages * page;
	long long touched = 0;

	while (!*stop) {
		unsigned char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			break;
		madvise(p, size, MADV_NOHUGEPAGE);
		gen_write(p, w->pages, page);
		munmap(p, size);
		touched += (long long)w->pages;
	}
	w->task->expect = touched;
}

static int storm(const struct gen_options *o, struct gen_result *r)
{
	static struct gen_worker workers[GEN_TASKS_MAX];
	static volatile bool stop;
	struct timespec left = {.tv_sec = o->seconds};
	int err;

	if (gen_tasks(r, o->threads))
		return gen_fail(r, -ENOMEM, "tasks");
	stop = false;
	for (unsigned int i = 0; i < o->threads; i++)
		workers[i] = (struct gen_worker){storm_work, NULL, (size_t)r->expect, &r->tasks[i],
		                                 (void *)&stop};
	err = gen_crowd_start(workers, o->threads);
	if (err)
		return gen_fail(r, err, "pthread_create");
	while (nanosleep(&left, &left) && errno == EINTR)
		;
	stop = true;
	gen_crowd_join();
	gen_tasks_sum(r);
	gen_evidence(r, "pages_a_mapping", r->expect);
	r->expect = 0;
	for (unsigned int i = 0; i < r->ntasks; i++)
		r->expect += r->tasks[i].expect;
	gen_expect(r, r->expect, 0);
	return 0;
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signo)
{
	alarms++;
}

/* A fault is not lost, nor made twice, when a timer interrupts around it. */
static int signals(const struct gen_options *o, struct gen_result *r)
{
	const struct itimerval on = {{0, TIMER_US}, {0, TIMER_US}}, off = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART}, old;
	struct gen_region g;
	struct gen_meter m;

	if (gen_map_anon(&g, (size_t)r->expect, r))
		return -ENOMEM;
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, &old);
	gen_meter_open(&m);
	raise(SIGALRM);
	alarms = 0;
	setitimer(ITIMER_REAL, &on, NULL);
	gen_meter_start(&m);
	gen_write(g.base, (size_t)r->expect, gen_page());
	gen_meter_stop(&m);
	setitimer(ITIMER_REAL, &off, NULL);
	gen_meter_close(&m, r);
	sigaction(SIGALRM, &old, NULL);
	r->signals = alarms;
	gen_check_least(r, "alarms", alarms, 1);
	gen_unmap(&g);
	return 0;
}

static void cut_work(struct gen_worker *w)
{
	volatile long long *made = &w->task->expect;

	w->task->pid = getpid();
	w->task->tid = (pid_t)syscall(SYS_gettid);
	for (size_t i = 0; i < w->pages; i++) {
		w->base[i * gen_page()] = 1;
		*made = (long long)i + 1;
	}
}

static long long cut_made(const struct gen_result *r)
{
	long long made = 0;

	for (unsigned int i = 0; i < r->ntasks; i++)
		made += *(volatile long long *)&r->tasks[i].expect;
	return made;
}

static void cut_child(struct gen_result *r, const struct gen_region *g)
{
	struct gen_worker workers[CUT_THREADS];
	long long enough = r->expect;

	for (unsigned int i = 0; i < CUT_THREADS; i++)
		workers[i] =
		        (struct gen_worker){cut_work, (unsigned char *)r->tasks[i].start,
		                            g->size / gen_page() / CUT_THREADS, &r->tasks[i], NULL};
	if (gen_crowd_start(workers, CUT_THREADS))
		_exit(1);
	while (cut_made(r) < enough)
		;
	_exit(0);
}

/* The process exits while its threads fault: each may have made one more than it could note. */
static int exit_middle(const struct gen_options *o, struct gen_result *r)
{
	size_t each = (size_t)r->expect * 2;
	struct gen_region g;
	struct rusage usage;
	pid_t pid;
	int status;

	if (gen_tasks(r, CUT_THREADS))
		return gen_fail(r, -ENOMEM, "tasks");
	if (gen_map_anon(&g, each * CUT_THREADS, r))
		return -ENOMEM;
	for (unsigned int i = 0; i < CUT_THREADS; i++) {
		r->tasks[i].start = r->start + i * each * gen_page();
		r->tasks[i].end = r->tasks[i].start + each * gen_page();
		r->tasks[i].min = GEN_ANY;
		r->tasks[i].maj = GEN_ANY;
	}
	pid = gen_fork();
	if (!pid)
		cut_child(r, &g);
	gen_unmap(&g);
	if (pid < 0)
		return gen_fail(r, pid, "fork");
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return gen_fail(r, -errno, "wait4");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return gen_fail(r, -ECHILD, "child");
	r->pid = pid;
	r->tid = pid;
	r->min = usage.ru_minflt;
	r->maj = usage.ru_majflt;
	r->perf = GEN_ANY;
	r->perf_user = GEN_ANY;
	r->expect = cut_made(r);
	gen_expect(r, GEN_ANY, 0);
	gen_check_least(r, "minflt_of_process", usage.ru_minflt, r->expect);
	gen_evidence(r, "may_exceed_by", CUT_THREADS);
	gen_note(r, "min and maj are those of the whole process");
	return 0;
}

const struct gen_workload gen_crowd_workloads[] = {
        {"mix", "mix", 1511, "", mix},
        {"race", "anon-new", 1033, "", race},
        {"storm", "anon-new", 17, "", storm},
        {"signals", "anon-new", 5003, "", signals},
        {"exit-middle", "anon-new", 1013, "", exit_middle},
        {NULL, NULL, 0, NULL, NULL},
};
