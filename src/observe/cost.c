/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/cost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define COST_PAGES  512
#define COST_ROUNDS 9

static uint64_t touch_round(size_t page)
{
	struct timespec a, b;
	size_t len = COST_PAGES * page;
	char *area = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return 0;
	madvise(area, len, MADV_NOHUGEPAGE);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (size_t i = 0; i < len; i += page)
		((volatile char *)area)[i] = 1;
	clock_gettime(CLOCK_MONOTONIC, &b);
	munmap(area, len);
	return (uint64_t)(b.tv_sec - a.tv_sec) * 1000000000ull + (uint64_t)b.tv_nsec -
	       (uint64_t)a.tv_nsec;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The median of some rounds, ns a fault. */
static uint64_t touch_median(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t rounds[COST_ROUNDS];

	for (size_t i = 0; i < COST_ROUNDS; i++)
		rounds[i] = touch_round(page);
	qsort(rounds, COST_ROUNDS, sizeof(rounds[0]), compare_u64);
	return rounds[COST_ROUNDS / 2] / COST_PAGES;
}

/* Answers every byte with the cost of a fault at that time. */
static void cost_child(int ask, int answer)
{
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(ask, &c, 1) == 1) {
		uint64_t ns = touch_median();

		if (write(answer, &ns, sizeof(ns)) != (ssize_t)sizeof(ns))
			break;
	}
	_exit(0);
}

static int child_ask(int ask, int answer, uint64_t *ns)
{
	if (write(ask, "?", 1) != 1 || read(answer, ns, sizeof(*ns)) != (ssize_t)sizeof(*ns))
		return -EPIPE;
	return 0;
}

static int sink_drop(void *ctx, const struct pgf_fault *fault)
{
	(void)ctx;
	(void)fault;
	return 0;
}

static int cost_traced(const struct pgf_session_opts *opts, pid_t child, int ask, int answer,
                       uint64_t *ns)
{
	struct pgf_session_opts own = *opts;
	struct pgf_sink sink = {.fault = sink_drop};
	struct pgf_session *session = NULL;
	char err[256];
	int ret;

	memset(&own.target, 0, sizeof(own.target));
	own.target.pids = &child;
	own.target.pid_count = 1;
	own.calls = false; /* they cost calls, not faults, and take long to detach */
	ret = pgf_session_open(&session, &own, &sink, err, sizeof(err));
	if (!ret)
		ret = pgf_session_start(session, err, sizeof(err));
	if (!ret)
		ret = child_ask(ask, answer, ns);
	pgf_session_close(session);
	return ret;
}

int pgf_cost_measure(const struct pgf_session_opts *opts, uint64_t *ns)
{
	uint64_t bare = 0, traced = 0;
	int ask[2], answer[2], ret;
	pid_t child;

	*ns = 0;
	if (pipe(ask))
		return -errno;
	if (pipe(answer)) {
		ret = -errno;
		close(ask[0]);
		close(ask[1]);
		return ret;
	}
	child = fork();
	if (child == 0) {
		close(ask[1]);
		close(answer[0]);
		cost_child(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	ret = child < 0 ? -errno : child_ask(ask[1], answer[0], &bare);
	if (!ret)
		ret = cost_traced(opts, child, ask[1], answer[0], &traced);
	close(ask[1]);
	close(answer[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	if (!ret && traced > bare)
		*ns = traced - bare;
	return ret;
}
