/* SPDX-License-Identifier: BSD-2-Clause */
/* Exit statistics of real tasks beside getrusage, and the counters of /proc. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/counters.h"
#include "observe/taskstats.h"

#define CHILDREN 500
#define THREADS  64
#define NOBODY   65534

struct child {
	pid_t pid;
	struct rusage usage;
	int status;
	int reports;
};

struct watched {
	struct child children[CHILDREN];
	int threads; /* ended threads of our own */
	int different;
};

static void note(void *ctx, const struct pgf_exit_stats *stats)
{
	struct watched *watched = ctx;

	watched->threads += stats->pid == getpid() && stats->tid != getpid();
	for (size_t i = 0; i < CHILDREN; i++) {
		struct child *child = &watched->children[i];

		if (child->pid != stats->tid)
			continue;
		child->reports++;
		if (stats->minflt != (uint64_t)child->usage.ru_minflt ||
		    stats->majflt != (uint64_t)child->usage.ru_majflt || stats->pid != child->pid ||
		    stats->exit_code != child->status || strcmp(stats->comm, "pgf-child") != 0)
			watched->different++;
	}
}

static void touch(size_t pages)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	char *area = mmap(NULL, pages * page_size, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		_exit(99);
	for (size_t i = 0; i < pages; i++)
		((volatile char *)area)[i * page_size] = 1;
	munmap(area, pages * page_size);
}

static void *thread_run(void *arg)
{
	touch(3);
	return NULL;
}

/* Privileges and namespaces of this machine may forbid it: then there is nothing to test. */
static struct pgf_taskstats *open_or_skip(void)
{
	struct pgf_taskstats *stats = NULL;
	int ret = pgf_taskstats_open(&stats);

	if (ret) {
		assert_true(ret == -EPERM || ret == -ENOENT);
		skip();
	}
	return stats;
}

static void test_every_exit(void **state)
{
	static struct watched watched;
	struct pgf_taskstats *stats = open_or_skip();
	struct pollfd readable = {.fd = pgf_taskstats_fd(stats), .events = POLLIN};
	pthread_t threads[THREADS];

	for (int i = 0; i < CHILDREN; i++) {
		struct child *child = &watched.children[i];

		child->pid = fork();
		if (child->pid == 0) {
			prctl(PR_SET_NAME, "pgf-child");
			touch((size_t)(i % 37) + 1);
			if (i % 11 == 0)
				raise(SIGKILL);
			_exit(i % 7);
		}
		assert_int_equal(wait4(child->pid, &child->status, 0, &child->usage), child->pid);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, thread_run, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* A thread is joined before its exit is reported: the last ones may take a while. */
	for (int i = 0; i < 100 && watched.threads < THREADS; i++) {
		poll(&readable, 1, 50);
		assert_int_equal(pgf_taskstats_drain(stats, note, &watched), 0);
	}
	assert_int_equal(pgf_taskstats_overflows(stats), 0);
	assert_int_equal(watched.threads, THREADS);
	assert_int_equal(watched.different, 0);
	for (int i = 0; i < CHILDREN; i++)
		assert_int_equal(watched.children[i].reports, 1);
	pgf_taskstats_close(stats);
}

static int open_status(void)
{
	struct pgf_taskstats *stats = NULL;

	return -pgf_taskstats_open(&stats);
}

static int in_child(int (*prepare)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(prepare() ? 200 : open_status());
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int become_nobody(void)
{
	return setgid(NOBODY) || setuid(NOBODY);
}

static int leave_network(void)
{
	return unshare(CLONE_NEWNET);
}

static void test_refused(void **state)
{
	int ret;

	if (geteuid())
		skip();
	ret = in_child(become_nobody);
	assert_true(ret == EPERM || ret == ENOENT);
	/* There it can be registered, but nothing would ever come. */
	ret = in_child(leave_network);
	assert_true(ret == ENOENT || ret == EPERM || ret == 200);
}

/* The counters of a thread that does nothing else between two readings. */
static void test_counters_task(void **state)
{
	uint64_t min0, maj0, min1, maj1, process_min, process_maj;
	struct rusage before, after;
	pid_t pid = getpid();

	/* Once for the faults of the reading itself. */
	assert_int_equal(pgf_counters_task(pid, gettid(), &min0, &maj0), 0);
	getrusage(RUSAGE_THREAD, &before);
	assert_int_equal(pgf_counters_task(pid, gettid(), &min0, &maj0), 0);
	getrusage(RUSAGE_THREAD, &before);
	touch(137);
	getrusage(RUSAGE_THREAD, &after);
	assert_int_equal(pgf_counters_task(pid, gettid(), &min1, &maj1), 0);
	assert_true(after.ru_minflt - before.ru_minflt >= 1);
	assert_int_equal(min0, before.ru_minflt);
	assert_int_equal(min1, after.ru_minflt);
	assert_int_equal(maj1, after.ru_majflt);
	assert_int_equal(pgf_counters_process(pid, &process_min, &process_maj), 0);
	assert_true(process_min >= min1); /* the ended threads are in it */
}

/* A comm with what ends a comm. */
static void test_counters_comm(void **state)
{
	char old[16] = "";
	uint64_t min, maj;

	prctl(PR_GET_NAME, old);
	prctl(PR_SET_NAME, "a) S 1 (b ) 9 9");
	assert_int_equal(pgf_counters_task(getpid(), gettid(), &min, &maj), 0);
	prctl(PR_SET_NAME, old);
	assert_true(min > 0);
	assert_true(min < 100000000);
	assert_int_equal(pgf_counters_task(getpid(), 0x3fffffff, &min, &maj), -ESRCH);
}

static void test_counters_machine(void **state)
{
	static struct pgf_counters before, after;
	uint64_t v0, v1;

	assert_int_equal(pgf_counters_machine(&before), 0);
	touch(500);
	assert_int_equal(pgf_counters_machine(&after), 0);
	assert_int_equal(pgf_counters_get(&before, "pgfault", &v0), 0);
	assert_int_equal(pgf_counters_get(&after, "pgfault", &v1), 0);
	assert_true(v1 > v0);
	assert_int_equal(pgf_counters_get(&after, "pgmajfault", &v1), 0);
	assert_int_equal(pgf_counters_get(&after, "nr_free_pages", &v1), -ENOENT);
	assert_true(after.time_ns > before.time_ns);
}

static void test_counters_cgroup(void **state)
{
	static struct pgf_counters counters;

	assert_int_equal(pgf_counters_cgroup("/nonexistent", &counters), -ENOENT);
	assert_int_equal(pgf_counters_cgroup("/", &counters), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_every_exit),       cmocka_unit_test(test_refused),
	        cmocka_unit_test(test_counters_task),    cmocka_unit_test(test_counters_comm),
	        cmocka_unit_test(test_counters_machine), cmocka_unit_test(test_counters_cgroup),
	};

	return cmocka_run_group_tests_name("taskstats", tests, NULL, NULL);
}
