/* SPDX-License-Identifier: BSD-2-Clause */
#include "work.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t work_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Of CPU, not of time: waiting for a CPU that others use is not the work's. */
static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double each(uint64_t start_ns, size_t count)
{
	return (double)(cpu_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns) / (double)count;
}

int work_pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return -EINVAL;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

double work_faults(size_t pages)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *area = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                  -1, 0);
	uint64_t start;
	double ns;

	if (area == MAP_FAILED)
		return -1;
	madvise(area, pages * page, MADV_NOHUGEPAGE);
	start = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
	for (size_t i = 0; i < pages; i++)
		((volatile char *)area)[i * page] = 1;
	ns = each(start, pages);
	munmap(area, pages * page);
	return ns;
}

double work_calls(size_t count)
{
	uint64_t start = cpu_ns(CLOCK_THREAD_CPUTIME_ID);

	for (size_t i = 0; i < count; i++)
		syscall(SYS_getppid);
	return each(start, count);
}

double work_advice(size_t count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *area = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start;
	double ns;

	if (area == MAP_FAILED)
		return -1;
	start = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
	for (size_t i = 0; i < count; i++)
		madvise(area, page, MADV_DONTNEED);
	ns = each(start, count);
	munmap(area, page);
	return ns;
}

/* Sends back every byte until the other end is closed. */
static void echo(int in, int out)
{
	char c;

	while (read(in, &c, 1) == 1 && write(out, &c, 1) == 1)
		;
}

/* Both processes' time together, as one of them always waits for the other. */
static double ping(int out, int in, clockid_t other, size_t count)
{
	uint64_t start, theirs;
	char c = 0;

	if (write(out, &c, 1) != 1 || read(in, &c, 1) != 1)
		return -1;
	start = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
	theirs = cpu_ns(other);
	for (size_t i = 0; i < count; i += 2)
		if (write(out, &c, 1) != 1 || read(in, &c, 1) != 1)
			return -1;
	return each(start, count) + (double)(cpu_ns(other) - theirs) / (double)count;
}

static double switches_between(int there[2], int back[2], size_t count)
{
	pid_t child = fork();
	clockid_t clock;
	double ns;

	if (child < 0)
		return -1;
	if (child == 0) {
		close(there[1]);
		close(back[0]);
		echo(there[0], back[1]);
		_exit(0);
	}
	close(there[0]);
	close(back[1]);
	ns = clock_getcpuclockid(child, &clock) ? -1 : ping(there[1], back[0], clock, count);
	close(there[1]);
	close(back[0]);
	waitpid(child, NULL, 0);
	return ns;
}

double work_switches(size_t count)
{
	int there[2], back[2];
	cpu_set_t before;
	double ns;

	if (sched_getaffinity(0, sizeof(before), &before) || work_pin(sched_getcpu()))
		return -1;
	if (pipe(there))
		return -1;
	if (pipe(back)) {
		close(there[0]);
		close(there[1]);
		return -1;
	}
	ns = switches_between(there, back, count);
	sched_setaffinity(0, sizeof(before), &before);
	return ns;
}
