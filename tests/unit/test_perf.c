/* SPDX-License-Identifier: BSD-2-Clause */
/* The perf tier on real faults, counted by the kernel beside it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <pgfault/decide.h>
#include "observe/ring.h"
#include "observe/source.h"
#include "observe/spawn.h"

#define NOBODY  65534
#define AREA    ((char *)0x510000000000)
#define PAGES   1013
#define THREADS 8
#define STORM   40000
#define CHAINS  4

static size_t page_size;
static char self_path[4096];

/* The workloads: run in a process of their own, at known addresses. */

static char *area_at(char *at, size_t pages, int prot, int fd)
{
	char *area = mmap(at, pages * page_size, prot,
	                  MAP_PRIVATE | MAP_FIXED_NOREPLACE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (area != at)
		_exit(90);
	madvise(area, pages * page_size, MADV_NOHUGEPAGE);
	madvise(area, pages * page_size, MADV_RANDOM);
	return area;
}

/* Without a sanitizer's own memory, whose faults would be counted too. */
#define PLAIN __attribute__((no_sanitize("address", "undefined")))

PLAIN static void touch(char *area, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		((volatile char *)area)[i * page_size] = 1;
}

static int run_write(void)
{
	touch(area_at(AREA, PAGES, PROT_READ | PROT_WRITE, -1), PAGES);
	return 0;
}

static int run_storm(void)
{
	touch(area_at(AREA, STORM, PROT_READ | PROT_WRITE, -1), STORM);
	return 0;
}

static int run_syscall(void)
{
	char *area = area_at(AREA, PAGES, PROT_READ | PROT_WRITE, -1);
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < PAGES; i++)
		if (read(fd, area + i * page_size, 1) != 1)
			return 91;
	return 0;
}

static sigjmp_buf escape;

static void on_segv(int sig)
{
	siglongjmp(escape, sig);
}

static int run_segv(void)
{
	volatile char *area = area_at(AREA, 1, PROT_NONE, -1);
	volatile int left = 100;

	signal(SIGSEGV, on_segv);
	if (sigsetjmp(escape, 1))
		left--;
	if (left)
		*area = 1;
	return 0;
}

static int run_fork(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			touch(area_at(AREA + (size_t)i * 64 * page_size, 50, PROT_READ | PROT_WRITE,
			              -1),
			      50);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	return 0;
}

static void *thread_touch(void *arg)
{
	touch(arg, 100);
	return NULL;
}

/* Threads that are there when the tier attaches, and more that come later. */
static pthread_barrier_t attached;

static void *thread_early(void *arg)
{
	pthread_t later;

	pthread_barrier_wait(&attached);
	touch(arg, 100);
	pthread_create(&later, NULL, thread_touch, (char *)arg + 100 * page_size);
	pthread_join(later, NULL);
	return NULL;
}

/* Says that it is ready, waits for the word, and says how many faults it counted itself. */
static void attached_child(int ready, int go, int (*work)(int go, int ready))
{
	char c = 'r';

	if (write(ready, &c, 1) != 1)
		_exit(92);
	_exit(work(go, ready));
}

static int go_wait(int go)
{
	char c;

	return read(go, &c, 1) == 1 ? 0 : 93;
}

static int attached_write(int go, int ready)
{
	char *area = area_at(AREA, PAGES, PROT_READ | PROT_WRITE, -1);
	struct rusage before, after;
	long counted[2];

	if (go_wait(go))
		return 93;
	getrusage(RUSAGE_SELF, &after); /* so that its code and the stack are there */
	getrusage(RUSAGE_SELF, &before);
	touch(area, PAGES);
	getrusage(RUSAGE_SELF, &after);
	counted[0] = after.ru_minflt - before.ru_minflt;
	counted[1] = after.ru_majflt - before.ru_majflt;
	return write(ready, counted, sizeof(counted)) == sizeof(counted) ? 0 : 94;
}

PLAIN static void look(const char *area, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		(void)((const volatile char *)area)[i * page_size];
}

static int attached_major(int go, int ready)
{
	char name[] = "/var/tmp/pgf-test-perf-XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);
	struct rusage before, after;
	long counted[2];
	char *area;

	if (fd < 0 || ftruncate(fd, 0))
		return 95;
	unlink(name);
	for (size_t i = 0; i < 64; i++)
		if (pwrite(fd, "x", 1, (off_t)(i * page_size)) != 1)
			return 95;
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	area = area_at(AREA, 64, PROT_READ, fd);
	if (go_wait(go))
		return 93;
	getrusage(RUSAGE_SELF, &after);
	getrusage(RUSAGE_SELF, &before);
	look(area, 64);
	getrusage(RUSAGE_SELF, &after);
	counted[0] = after.ru_minflt - before.ru_minflt;
	counted[1] = after.ru_majflt - before.ru_majflt;
	return write(ready, counted, sizeof(counted)) == sizeof(counted) ? 0 : 94;
}

static int attached_threads(int go, int ready)
{
	pthread_t early[THREADS];
	long counted[2] = {0, 0};
	char *area = area_at(AREA, THREADS * 200, PROT_READ | PROT_WRITE, -1);

	pthread_barrier_init(&attached, NULL, THREADS + 1);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&early[i], NULL, thread_early, area + i * 200 * page_size);
	if (go_wait(go))
		return 93;
	pthread_barrier_wait(&attached);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(early[i], NULL);
	return write(ready, counted, sizeof(counted)) == sizeof(counted) ? 0 : 94;
}

/*
 * Threads that each live until they have started the next one: at any moment of the
 * attaching some are just being born. The last of each chain touches its pages.
 */
static volatile bool chains_end;
static pthread_barrier_t chains_done;

static void *chain_link(void *arg)
{
	pthread_t next;

	if (!chains_end) {
		if (pthread_create(&next, NULL, chain_link, arg))
			_exit(96);
		pthread_detach(next);
		return NULL;
	}
	touch(arg, 100);
	pthread_barrier_wait(&chains_done);
	return NULL;
}

static int attached_chains(int go, int ready)
{
	char *area = area_at(AREA, CHAINS * 100, PROT_READ | PROT_WRITE, -1);
	long counted[2] = {0, 0};

	pthread_barrier_init(&chains_done, NULL, CHAINS + 1);
	for (size_t i = 0; i < CHAINS; i++) {
		pthread_t first;

		pthread_create(&first, NULL, chain_link, area + i * 100 * page_size);
		pthread_detach(first);
	}
	if (go_wait(go))
		return 93;
	chains_end = true;
	pthread_barrier_wait(&chains_done);
	return write(ready, counted, sizeof(counted)) == sizeof(counted) ? 0 : 94;
}

static const struct {
	const char *name;
	int (*run)(void);
} workloads[] = {
        {"write", run_write}, {"storm", run_storm}, {"syscall", run_syscall},
        {"segv", run_segv},   {"fork", run_fork},
};

/* What the tier said. */

struct seen {
	uint64_t completed; /* in the area, like all below */
	uint64_t major;
	uint64_t kernel;
	uint64_t unfinished;
	uint64_t no_duration;
	uint64_t zero_duration;
	uint64_t without_stack;
	uint64_t all; /* completed anywhere */
	uint64_t pages[STORM];
	uint64_t doubled;
	uint32_t stacks;
	uint64_t first_ip[4096]; /* by stack */
	uint64_t wrong_ip;
	struct pgf_totals totals;
};

static int note_fault(void *ctx, const struct pgf_fault *fault)
{
	struct seen *seen = ctx;
	uint64_t page = (fault->access.address - (uintptr_t)AREA) / page_size;

	if (fault->evidence & PGF_O_COMPLETED)
		seen->all++;
	if (fault->access.address < (uintptr_t)AREA || page >= STORM)
		return 0;
	assert_true(fault->evidence_known & PGF_O_COMPLETED);
	assert_int_equal(fault->access.op, PGF_OP_UNKNOWN);
	if (!(fault->evidence & PGF_O_COMPLETED)) {
		assert_true(fault->flags & PGF_F_UNFINISHED);
		seen->unfinished++;
		return 0;
	}
	seen->completed++;
	seen->major += !!(fault->flags & PGF_F_MAJOR);
	seen->kernel += fault->access.mode == PGF_MODE_KERNEL;
	seen->doubled += seen->pages[page]++ > 0;
	seen->no_duration += !!(fault->flags & PGF_F_NO_DURATION);
	seen->zero_duration += fault->duration_ns == 0;
	seen->without_stack += fault->stack_id == 0;
	if (fault->stack_id && fault->stack_id < 4096)
		seen->wrong_ip += seen->first_ip[fault->stack_id] != fault->ip;
	return 0;
}

static int note_stack(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count)
{
	struct seen *seen = ctx;

	assert_int_equal(stack_id, ++seen->stacks);
	assert_true(count > 0);
	if (stack_id < 4096)
		seen->first_ip[stack_id] = ips[0];
	return 0;
}

static void drain(struct pgf_source *source)
{
	uint64_t watermark;

	assert_int_equal(pgf_source_perf.drain(source, &watermark), 0);
}

static struct pgf_source *open_on(const struct pgf_session_opts *opts, pid_t child,
                                  struct seen *seen)
{
	struct pgf_feed feed = {.ctx = seen, .fault = note_fault, .stack = note_stack};
	struct pgf_source *source = NULL;
	char err[256] = "";

	memset(seen, 0, sizeof(*seen));
	if (pgf_source_perf.open(&source, opts, child, &feed, &seen->totals, err, sizeof(err)))
		fail_msg("%s", err);
	return source;
}

/* Runs a workload as a command; drains meanwhile unless it is to lose something. */
static void command(const char *workload, struct pgf_session_opts *opts, bool lazy,
                    struct seen *seen)
{
	char *argv[] = {self_path, (char *)workload, NULL};
	struct pgf_spawn *spawn;
	struct pgf_source *source;
	char err[256] = "";

	opts->target.argv = argv;
	if (pgf_spawn_hold(&spawn, &opts->target, err, sizeof(err)))
		fail_msg("%s", err);
	source = open_on(opts, pgf_spawn_pid(spawn), seen);
	assert_int_equal(pgf_source_perf.start(source), 0);
	if (pgf_spawn_release(spawn, err, sizeof(err)))
		fail_msg("%s", err);
	while (!pgf_spawn_ended(spawn)) {
		if (!lazy)
			drain(source);
		usleep(1000);
	}
	assert_int_equal(pgf_spawn_status(spawn), 0);
	assert_int_equal(pgf_source_perf.stop(source), 0);
	drain(source);
	pgf_source_perf.close(source);
	pgf_spawn_close(spawn);
}

/* Attaches to a process that runs already. counted: its own minor and major faults. */
static void attach(int (*work)(int go, int ready), struct seen *seen, long counted[2])
{
	struct pgf_session_opts opts = {0};
	struct pgf_source *source;
	int ready[2], go[2], status;
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0)
		attached_child(ready[1], go[0], work);
	assert_int_equal(read(ready[0], &c, 1), 1);
	opts.target.pids = &pid;
	opts.target.pid_count = 1;
	source = open_on(&opts, 0, seen);
	assert_int_equal(pgf_source_perf.start(source), 0);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(read(ready[0], counted, 2 * sizeof(long)), 2 * sizeof(long));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(pgf_source_perf.stop(source), 0);
	drain(source);
	pgf_source_perf.close(source);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
}

static struct seen seen;

static void check_clean(void)
{
	assert_int_equal(seen.totals.lost_events, 0);
	assert_int_equal(seen.no_duration, 0);
	assert_int_equal(seen.zero_duration, 0);
	assert_int_equal(seen.doubled, 0);
	assert_true(seen.totals.entered_known);
	assert_int_equal(seen.totals.seen, seen.totals.minor + seen.totals.major);
	assert_int_equal(seen.totals.seen, seen.all);
	assert_int_equal(seen.totals.entered, seen.totals.seen + seen.totals.unfinished);
}

static void test_command(void **state)
{
	struct pgf_session_opts opts = {0};

	command("write", &opts, false, &seen);
	assert_int_equal(seen.completed, PAGES);
	assert_int_equal(seen.unfinished, 0);
	assert_int_equal(seen.kernel, 0);
	check_clean();
}

static void test_children(void **state)
{
	struct pgf_session_opts opts = {0};

	command("fork", &opts, false, &seen);
	assert_int_equal(seen.completed, 20 * 50);
	check_clean();
}

static void test_stacks(void **state)
{
	struct pgf_session_opts opts = {.stacks = true};

	command("write", &opts, false, &seen);
	assert_int_equal(seen.completed, PAGES);
	assert_int_equal(seen.without_stack, 0);
	assert_int_equal(seen.wrong_ip, 0);
	assert_true(seen.stacks > 0);
	check_clean();
}

/* Faults inside system calls are seen when the kernel may be watched, and only then. */
static void test_syscall(void **state)
{
	struct pgf_session_opts opts = {0};

	command("syscall", &opts, false, &seen);
	if (seen.totals.gup_separable) {
		assert_int_equal(seen.completed, PAGES);
		assert_int_equal(seen.kernel, PAGES);
	} else {
		assert_int_equal(seen.completed, 0);
	}
	check_clean();
}

static void test_failed(void **state)
{
	struct pgf_session_opts opts = {0};

	command("segv", &opts, false, &seen);
	assert_int_equal(seen.completed, 0);
	assert_int_equal(seen.unfinished, 100);
	check_clean();
}

/* Too small a ring: all are counted, the shown and the lost make up the whole. */
static void test_losses(void **state)
{
	struct pgf_session_opts opts = {.ring_bytes = 32768};

	command("storm", &opts, true, &seen);
	assert_true(seen.totals.lost_events > 0);
	assert_true(seen.totals.seen >= STORM);
	assert_int_equal(seen.all + seen.totals.lost_events, seen.totals.seen);
	assert_true(seen.completed + seen.totals.lost_events >= STORM);
	/* None of them failed, though for many there is no completion to be seen. */
	assert_int_equal(seen.unfinished, 0);
	assert_int_equal(seen.totals.entered, seen.totals.seen + seen.totals.unfinished);
}

static void test_attach(void **state)
{
	long counted[2];

	attach(attached_write, &seen, counted);
	assert_int_equal(counted[0], PAGES);
	assert_int_equal(seen.completed, counted[0]);
	check_clean();
}

static void test_attach_threads(void **state)
{
	long counted[2];

	attach(attached_threads, &seen, counted);
	assert_int_equal(seen.completed, THREADS * 200);
	check_clean();
}

static void test_attach_chains(void **state)
{
	long counted[2];

	for (int i = 0; i < 5; i++) {
		attach(attached_chains, &seen, counted);
		assert_int_equal(seen.totals.lost_events, 0);
		assert_int_equal(seen.completed, CHAINS * 100);
		assert_int_equal(seen.doubled, 0);
	}
}

/* A workload of our own while everything like it on the machine is watched. */
static void watched_from_outside(struct pgf_session_opts *opts, const char *join, struct seen *out)
{
	struct pgf_source *source = open_on(opts, 0, out);
	int status;
	pid_t pid;

	assert_int_equal(pgf_source_perf.start(source), 0);
	pid = fork();
	if (pid == 0) {
		FILE *procs = join ? fopen(join, "we") : NULL;

		if (join && (!procs || fprintf(procs, "0\n") < 0 || fclose(procs)))
			_exit(97);
		_exit(run_write());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(pgf_source_perf.stop(source), 0);
	drain(source);
	pgf_source_perf.close(source);
}

static void test_all(void **state)
{
	struct pgf_session_opts opts = {.target.all = true};
	struct pgf_feed feed = {0};
	struct pgf_source *source = NULL;
	char err[256] = "";
	int ret = pgf_source_perf.open(&source, &opts, 0, &feed, &seen.totals, err, sizeof(err));

	if (ret) {
		assert_int_equal(ret, -EACCES);
		assert_non_null(strstr(err, "perf_event_paranoid"));
		return;
	}
	pgf_source_perf.close(source);
	watched_from_outside(&opts, NULL, &seen);
	assert_int_equal(seen.completed, PAGES);
}

/* The place where cgroup2 is mounted. */
static bool cgroup_root(char *path, size_t size)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[1024], at[512], type[64];
	bool found = false;

	while (mounts && !found && fgets(line, sizeof(line), mounts))
		found = sscanf(line, "%*s %511s %63s", at, type) == 2 && !strcmp(type, "cgroup2");
	if (mounts)
		fclose(mounts);
	if (found)
		snprintf(path, size, "%s", at);
	return found;
}

static void test_cgroup(void **state)
{
	struct pgf_session_opts opts = {0};
	char root[512], path[600], procs[640];

	if (geteuid() || !cgroup_root(root, sizeof(root)))
		skip();
	snprintf(path, sizeof(path), "%s/pgf-test-perf-%d", root, (int)getpid());
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	if (mkdir(path, 0755))
		skip();
	opts.target.cgroup = path;
	watched_from_outside(&opts, procs, &seen);
	rmdir(path);
	assert_int_equal(seen.completed, PAGES);
	/* Nothing else is in the group. */
	assert_true(seen.all < PAGES + 200);
}

static void test_not_a_cgroup(void **state)
{
	struct pgf_session_opts opts = {.target.cgroup = "/"};
	struct pgf_feed feed = {0};
	struct pgf_source *source = NULL;
	char err[256] = "";

	assert_int_equal(
	        pgf_source_perf.open(&source, &opts, 0, &feed, &seen.totals, err, sizeof(err)),
	        -ENOTSUP);
	assert_non_null(strstr(err, "perf_event controller"));
}

static void test_major(void **state)
{
	long counted[2];

	attach(attached_major, &seen, counted);
	if (!counted[1])
		skip(); /* the file system keeps its pages */
	assert_int_equal(seen.major, counted[1]);
	assert_int_equal(seen.completed, counted[0] + counted[1]);
	check_clean();
}

static void test_no_process(void **state)
{
	struct pgf_session_opts opts = {0};
	struct pgf_feed feed = {0};
	struct pgf_source *source = NULL;
	char err[256] = "";
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	opts.target.pids = &pid;
	opts.target.pid_count = 1;
	assert_int_equal(
	        pgf_source_perf.open(&source, &opts, 0, &feed, &seen.totals, err, sizeof(err)),
	        -ESRCH);
	assert_non_null(strstr(err, "no such process"));
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command),       cmocka_unit_test(test_children),
        cmocka_unit_test(test_stacks),        cmocka_unit_test(test_syscall),
        cmocka_unit_test(test_failed),        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_attach),        cmocka_unit_test(test_attach_threads),
        cmocka_unit_test(test_attach_chains), cmocka_unit_test(test_major),
        cmocka_unit_test(test_no_process),    cmocka_unit_test(test_all),
        cmocka_unit_test(test_cgroup),        cmocka_unit_test(test_not_a_cgroup),
};

/* All of the above once more, without any privilege. */
static int run_as_nobody(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(99);
		/* The change of the user clears it: then even the own children are strangers. */
		prctl(PR_SET_DUMPABLE, 1);
		_exit(cmocka_run_group_tests_name("perf as nobody", tests, NULL, NULL) ? 1 : 0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	return status ? 1 : 0;
}

/* In some containers not even one's own process may be watched: nothing can be tested. */
static bool perf_works(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
	                               .config = PERF_COUNT_SW_DUMMY,
	                               .exclude_kernel = 1,
	                               .disabled = 1};
	int fd = pgf_perf_open(&attr, 0, -1, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int main(int argc, char **argv)
{
	ssize_t len = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);
	int failed;

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; argc == 2 && i < sizeof(workloads) / sizeof(workloads[0]); i++)
		if (!strcmp(argv[1], workloads[i].name))
			return workloads[i].run();
	if (len <= 0)
		return 1;
	if (!perf_works())
		return 77;
	failed = geteuid() == 0 ? run_as_nobody() : 0;
	return cmocka_run_group_tests_name("perf", tests, NULL, NULL) || failed;
}
