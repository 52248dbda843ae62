/* SPDX-License-Identifier: BSD-2-Clause */
/* Address-space records of real processes, as root and without privileges. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
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
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/meta.h"
#include "observe/ring.h"
#include "observe/spawn.h"

#define NOBODY     65534
#define AREA       ((char *)0x510000000000)
#define CHANGED    ((char *)0x520000000000)
#define EVENTS_MAX 65536
#define UNREADABLE "PGF_TEST_UNREADABLE"

struct seen {
	struct pgf_space_event event;
	char name[64];
};

struct seen_all {
	struct seen list[EVENTS_MAX];
	size_t count;
};

static int note(void *ctx, const struct pgf_space_event *event)
{
	struct seen_all *all = ctx;
	struct seen *seen;

	if (all->count == EVENTS_MAX)
		return -ENOMEM;
	seen = &all->list[all->count++];
	seen->event = *event;
	snprintf(seen->name, sizeof(seen->name), "%s", event->name ? event->name : "");
	return 0;
}

static const struct seen *find(const struct seen_all *all, uint32_t type, uint32_t pid,
                               const char *name)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct seen *seen = &all->list[i];

		if (seen->event.type == type && seen->event.pid == pid &&
		    (!name || !strcmp(seen->name, name)))
			return seen;
	}
	return NULL;
}

static const struct seen *find_at(const struct seen_all *all, uint32_t pid, uint64_t addr)
{
	for (size_t i = all->count; i > 0; i--) {
		const struct seen *seen = &all->list[i - 1];

		if (seen->event.type == PGF_SPACE_MMAP && seen->event.pid == pid &&
		    addr >= seen->event.addr && addr - seen->event.addr < seen->event.len)
			return seen;
	}
	return NULL;
}

static void drain(struct pgf_meta *meta)
{
	uint64_t watermark;

	assert_int_equal(pgf_meta_drain(meta, &watermark), 0);
}

/* What a program named by argv does, watched from its hold to its end. */
static void watch_command(char *const *argv, struct seen_all *all, struct pgf_totals *totals,
                          pid_t *pid)
{
	struct pgf_target target = {.argv = argv};
	struct pgf_feed feed = {.ctx = all, .space = note};
	struct pgf_spawn *spawn;
	struct pgf_meta *meta;
	char err[256] = "";

	memset(totals, 0, sizeof(*totals));
	all->count = 0;
	assert_int_equal(pgf_spawn_hold(&spawn, &target, err, sizeof(err)), 0);
	*pid = pgf_spawn_pid(spawn);
	if (pgf_meta_open(&meta, &target, *pid, &feed, totals, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(pgf_spawn_release(spawn, err, sizeof(err)), 0);
	assert_int_equal(pgf_spawn_wait(spawn), 0);
	usleep(20000); /* older than the watermark's distance */
	drain(meta);
	pgf_meta_close(meta);
	pgf_spawn_close(spawn);
}

static void test_command(void **state)
{
	static struct seen_all all;
	char *argv[] = {"/bin/sh", "-c", "/bin/true; exit 3", NULL};
	const struct seen *map;
	struct pgf_totals totals;
	uint32_t grandchild = 0;
	struct stat st;
	pid_t pid;

	watch_command(argv, &all, &totals, &pid);
	assert_non_null(find(&all, PGF_SPACE_EXEC, (uint32_t)pid, "sh"));
	assert_non_null(find(&all, PGF_SPACE_MMAP, (uint32_t)pid, "[stack]"));
	assert_non_null(find(&all, PGF_SPACE_EXIT, (uint32_t)pid, NULL));
	for (size_t i = 0, forks = 0; i < all.count; i++) {
		if (all.list[i].event.type != PGF_SPACE_FORK)
			continue;
		assert_int_equal(++forks, 1);
		assert_int_equal(all.list[i].event.ppid, pid);
		grandchild = all.list[i].event.pid;
	}
	assert_non_null(find(&all, PGF_SPACE_EXEC, grandchild, "true"));
	assert_non_null(find(&all, PGF_SPACE_EXIT, grandchild, NULL));
	assert_int_equal(stat("/bin/true", &st), 0);
	for (size_t i = 0, files = 0; i < all.count || !files; i++) {
		assert_true(i < all.count);
		map = &all.list[i];
		if (map->event.type != PGF_SPACE_MMAP || map->event.pid != grandchild ||
		    map->event.ino != st.st_ino)
			continue;
		assert_true(map->event.flags & MAP_PRIVATE);
		assert_true(map->event.prot & PROT_READ);
		files++;
	}
	assert_int_equal(totals.lost_space, 0);
	assert_false(totals.events_dropped_at_exec);
}

/* A mapping of each kind, made before or after the attaching. */
static void map_all(char *at, size_t page, int fd)
{
	static const struct {
		int prot;
		int flags;
		bool file;
	} kinds[] = {
	        {PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, false},
	        {PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, false},
	        {PROT_READ, MAP_PRIVATE, true},
	        {PROT_READ | PROT_WRITE, MAP_SHARED, true},
	        {PROT_READ | PROT_EXEC, MAP_PRIVATE, true},
	        {PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, false},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (mmap(at + i * 16 * page, 2 * page, kinds[i].prot,
		         kinds[i].flags | MAP_FIXED_NOREPLACE, kinds[i].file ? fd : -1,
		         kinds[i].file ? (off_t)page : 0) == MAP_FAILED)
			_exit(90);
}

static void check_maps(const struct seen_all *all, uint32_t pid, const char *at, size_t page,
                       const struct stat *st)
{
	static const struct {
		uint32_t prot;
		uint32_t flags;
		bool file;
	} kinds[] = {
	        {PROT_READ | PROT_WRITE, MAP_PRIVATE, false},
	        {PROT_READ | PROT_WRITE, MAP_SHARED, false},
	        {PROT_READ, MAP_PRIVATE, true},
	        {PROT_READ | PROT_WRITE, MAP_SHARED, true},
	        {PROT_READ | PROT_EXEC, MAP_PRIVATE, true},
	        {0, MAP_PRIVATE, false},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t addr = (uintptr_t)at + i * 16 * page;
		const struct seen *map = find_at(all, pid, addr);

		assert_non_null(map);
		assert_int_equal(map->event.addr, addr);
		assert_int_equal(map->event.len, 2 * page);
		assert_int_equal(map->event.prot, kinds[i].prot);
		assert_int_equal(map->event.flags & (MAP_SHARED | MAP_PRIVATE), kinds[i].flags);
		assert_int_equal(map->event.pgoff, kinds[i].file ? page : 0);
		if (!kinds[i].file)
			continue;
		assert_int_equal(map->event.ino, st->st_ino);
		assert_int_equal(map->event.dev, major(st->st_dev) << 20 | minor(st->st_dev));
	}
}

/* What was mapped before comes from /proc/PID/maps, what is mapped later from the ring. */
static void test_attach(void **state)
{
	static struct seen_all all;
	struct pgf_feed feed = {.ctx = &all, .space = note};
	struct pgf_target target = {0};
	struct pgf_totals totals = {0};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char name[] = "/var/tmp/pgf-test-meta-XXXXXX", err[256] = "";
	int fd = mkostemp(name, O_CLOEXEC);
	struct pgf_meta *meta;
	int ready[2], go[2], status;
	struct stat st;
	uint32_t clears = 0;
	pid_t pid;
	char c;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(4 * page)), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		map_all(AREA, page, fd);
		prctl(PR_SET_NAME, "pgf-before");
		if (write(ready[1], "r", 1) != 1 || read(go[0], &c, 1) != 1)
			_exit(91);
		map_all(CHANGED, page, fd);
		prctl(PR_SET_NAME, "pgf-after");
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	target.pids = &pid;
	target.pid_count = 1;
	all.count = 0;
	if (pgf_meta_open(&meta, &target, 0, &feed, &totals, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(all.list[0].event.type, PGF_SPACE_CLEAR);
	check_maps(&all, (uint32_t)pid, AREA, page, &st);
	assert_non_null(find(&all, PGF_SPACE_COMM, (uint32_t)pid, "pgf-before"));
	assert_null(find_at(&all, (uint32_t)pid, (uintptr_t)CHANGED));
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	drain(meta);
	check_maps(&all, (uint32_t)pid, CHANGED, page, &st);
	assert_non_null(find(&all, PGF_SPACE_COMM, (uint32_t)pid, "pgf-after"));
	assert_non_null(find(&all, PGF_SPACE_EXIT, (uint32_t)pid, NULL));
	for (size_t i = 0; i < all.count; i++)
		clears += all.list[i].event.type == PGF_SPACE_CLEAR;
	assert_int_equal(clears, 1);
	assert_int_equal(totals.lost_space, 0);
	pgf_meta_close(meta);
	unlink(name);
	close(fd);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
}

/* More records than a ring holds, and nobody reads: the last of them are not forgotten. */
static void test_losses(void **state)
{
	static struct seen_all all;
	char *argv[] = {"/bin/sh", "-c",
	                "i=0; while [ $i -lt 150 ]; do /bin/true; i=$((i+1)); done", NULL};
	struct pgf_totals totals;
	struct rlimit old, none = {0, 0};
	pid_t pid;

	if (geteuid() == 0)
		skip(); /* the rings of root hold them all */
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &old), 0);
	none.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &none);
	watch_command(argv, &all, &totals, &pid);
	setrlimit(RLIMIT_MEMLOCK, &old);
	assert_true(totals.lost_space > 0);
}

/* A program that one may run but not read: the kernel takes the events off it. */
static void test_unreadable(void **state)
{
	static struct seen_all all;
	char *argv[] = {getenv(UNREADABLE), NULL};
	struct pgf_totals totals;
	pid_t pid;

	if (!argv[0])
		skip();
	watch_command(argv, &all, &totals, &pid);
	assert_non_null(find(&all, PGF_SPACE_EXEC, (uint32_t)pid, NULL));
	assert_true(totals.events_dropped_at_exec);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_attach),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_unreadable),
};

static bool file_copy(const char *from, const char *to, mode_t mode)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good = in >= 0 && out >= 0;
	char buf[4096];
	ssize_t got;

	while (good && (got = read(in, buf, sizeof(buf))) != 0)
		good = got > 0 && write(out, buf, (size_t)got) == got;
	good = good && fchmod(out, mode) == 0;
	close(in);
	close(out);
	return good;
}

/* All of them without any privilege, with a program that nobody may not read. */
static int run_as_nobody(void)
{
	char dir[] = "/tmp/pgf-test-meta-XXXXXX", path[64];
	int status = 1;
	pid_t pid;

	if (!mkdtemp(dir) || chmod(dir, 0755))
		return 1;
	snprintf(path, sizeof(path), "%s/unreadable", dir);
	if (file_copy("/bin/true", path, 0711))
		setenv(UNREADABLE, path, 1);
	pid = fork();
	if (pid == 0) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(99);
		/* The change of the user clears it: then even the own children are strangers. */
		prctl(PR_SET_DUMPABLE, 1);
		_exit(cmocka_run_group_tests_name("meta as nobody", tests, NULL, NULL) ? 1 : 0);
	}
	if (pid > 0 && waitpid(pid, &status, 0) != pid)
		status = 1;
	unsetenv(UNREADABLE);
	unlink(path);
	rmdir(dir);
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

int main(void)
{
	int failed;

	if (!perf_works())
		return 77;
	failed = geteuid() == 0 ? run_as_nobody() : 0;
	return cmocka_run_group_tests_name("meta", tests, NULL, NULL) || failed;
}
