/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen/gen.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

#define VMSTAT_SIZE     32768
#define WARM_STACK_SIZE 32768

const char *const gen_vm_names[GEN_VM_COUNT] = {
        "pgfault",
        "pgmajfault",
        "pgreuse",
        "thp_fault_alloc",
        "thp_fault_fallback",
        "thp_zero_page_alloc",
        "thp_split_pmd",
        "pswpin",
        "pswpout",
        "swap_ra",
        "swap_ra_hit",
        "zswpin",
        "zswpout",
        "numa_pte_updates",
        "numa_hint_faults",
        "numa_hint_faults_local",
        "cow_ksm",
        "ksm_swpin_copy",
        "htlb_buddy_alloc_success",
        "pgmigrate_success",
        "allocstall_normal",
        "compact_stall",
        "swpin_zero",
        "pgsteal_direct",
};

static void vmstat_parse(char *text, long long *values)
{
	char *save = NULL;

	for (unsigned int i = 0; i < GEN_VM_COUNT; i++)
		values[i] = GEN_ANY;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *space = strchr(line, ' ');

		if (!space)
			continue;
		*space = '\0';
		for (unsigned int i = 0; i < GEN_VM_COUNT; i++)
			if (!strcmp(line, gen_vm_names[i]))
				values[i] = strtoll(space + 1, NULL, 10);
	}
}

static void vmstat_read(long long *values)
{
	static char text[VMSTAT_SIZE];
	size_t used = 0;
	ssize_t n;
	int fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && used < sizeof(text) - 1 &&
	       (n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	if (fd >= 0)
		close(fd);
	text[used] = '\0';
	vmstat_parse(text, values);
}

static unsigned int vm_index(const char *name)
{
	unsigned int i = 0;

	while (i < GEN_VM_COUNT && strcmp(gen_vm_names[i], name))
		i++;
	return i;
}

long long gen_vm(const struct gen_result *r, const char *name)
{
	unsigned int i = vm_index(name);

	return i < GEN_VM_COUNT ? r->vmstat[i] : GEN_ANY;
}

long long gen_vm_now(const char *name)
{
	long long values[GEN_VM_COUNT];
	unsigned int i = vm_index(name);

	vmstat_read(values);
	return i < GEN_VM_COUNT ? values[i] : GEN_ANY;
}

static int perf_open(bool user_only)
{
	struct perf_event_attr attr = {
	        .type = PERF_TYPE_SOFTWARE,
	        .size = sizeof(attr),
	        .config = PERF_COUNT_SW_PAGE_FAULTS,
	        .exclude_kernel = user_only,
	        .exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void perf_read(const struct gen_meter *m, uint64_t value[2])
{
	if (m->fd_all >= 0 && read(m->fd_all, &value[0], sizeof(value[0])) != sizeof(value[0]))
		value[0] = 0;
	if (m->fd_user >= 0 && read(m->fd_user, &value[1], sizeof(value[1])) != sizeof(value[1]))
		value[1] = 0;
}

static __attribute__((noinline)) void warm_stack(void)
{
	volatile unsigned char room[WARM_STACK_SIZE];

	for (size_t i = 0; i < sizeof(room); i += 1024)
		room[i] = 1;
}

/* A throw-away region takes the faults of the loop's own code, as text is paged in lazily. */
static void warm_loop(void)
{
	size_t page = gen_page();
	unsigned char *p =
	        mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	gen_read(p, 2, page);
	gen_write(p, 4, page);
	munmap(p, 4 * page);
}

/*
 * A fork leaves the thread's own block shared too, and the kernel writes the rseq area in it
 * whenever the thread was preempted: a fault at any time, unless it happens here.
 */
static void warm_thread(void)
{
	*(volatile int *)&errno = 0;
#if __has_include(<sys/rseq.h>)
	if (__rseq_size) {
		char *self = __builtin_thread_pointer();
		volatile struct rseq *area = (volatile struct rseq *)(self + __rseq_offset);

		area->rseq_cs = 0;
	}
#endif
}

void gen_task_start(struct gen_meter *m)
{
	warm_stack();
	warm_loop();
	warm_thread();
	getrusage(RUSAGE_THREAD, &m->after);
	getrusage(RUSAGE_THREAD, &m->before);
	getrusage(RUSAGE_THREAD, &m->before);
}

void gen_task_stop(struct gen_meter *m, struct gen_task *t)
{
	getrusage(RUSAGE_THREAD, &m->after);
	t->pid = getpid();
	t->tid = (pid_t)syscall(SYS_gettid);
	t->min = m->after.ru_minflt - m->before.ru_minflt;
	t->maj = m->after.ru_majflt - m->before.ru_majflt;
}

void gen_meter_open(struct gen_meter *m)
{
	memset(m, 0, sizeof(*m));
	m->fd_all = perf_open(false);
	m->fd_user = perf_open(true);
	gen_meter_start(m);
	gen_meter_stop(m);
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void gen_meter_start(struct gen_meter *m)
{
	m->start_ns = clock_ns();
	vmstat_read(m->vm_before);
	gen_task_start(m);
	perf_read(m, m->perf_before);
	getrusage(RUSAGE_THREAD, &m->before);
}

void gen_meter_stop(struct gen_meter *m)
{
	getrusage(RUSAGE_THREAD, &m->after);
	perf_read(m, m->perf_after);
	vmstat_read(m->vm_after);
	m->stop_ns = clock_ns();
}

void gen_meter_close(struct gen_meter *m, struct gen_result *r)
{
	r->start_ns = m->start_ns;
	r->stop_ns = m->stop_ns;
	r->pid = getpid();
	r->tid = (pid_t)syscall(SYS_gettid);
	r->min = m->after.ru_minflt - m->before.ru_minflt;
	r->maj = m->after.ru_majflt - m->before.ru_majflt;
	r->perf = m->fd_all >= 0 ? (long long)(m->perf_after[0] - m->perf_before[0]) : GEN_ANY;
	r->perf_user =
	        m->fd_user >= 0 ? (long long)(m->perf_after[1] - m->perf_before[1]) : GEN_ANY;
	for (unsigned int i = 0; i < GEN_VM_COUNT; i++)
		r->vmstat[i] =
		        m->vm_before[i] == GEN_ANY ? GEN_ANY : m->vm_after[i] - m->vm_before[i];
	if (m->fd_all >= 0)
		close(m->fd_all);
	if (m->fd_user >= 0)
		close(m->fd_user);
}
