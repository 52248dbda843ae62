/* SPDX-License-Identifier: BSD-2-Clause */
/* Holding and releasing real commands. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/spawn.h"

#define NOBODY 65534

static char err[256];

static struct pgf_spawn *hold(char *const *argv)
{
	struct pgf_target target = {.argv = argv};
	struct pgf_spawn *spawn = NULL;

	err[0] = '\0';
	if (pgf_spawn_hold(&spawn, &target, err, sizeof(err)))
		fail_msg("%s", err);
	return spawn;
}

/* The number behind a key of /proc/PID/status, in the given base. */
static uint64_t status_field(pid_t pid, const char *key, int base)
{
	char path[64], line[256];
	uint64_t value = UINT64_MAX;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			value = strtoull(line + strlen(key), NULL, base);
	if (file)
		fclose(file);
	return value;
}

/* What a command wrote, up to its end. */
static void run_and_read(struct pgf_target *target, char *out, size_t size)
{
	struct pgf_spawn *spawn = NULL;
	int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	int ends[2];
	ssize_t got;
	size_t used = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(NULL);
	dup2(ends[1], STDOUT_FILENO);
	err[0] = '\0';
	if (!pgf_spawn_hold(&spawn, target, err, sizeof(err)))
		pgf_spawn_release(spawn, err, sizeof(err));
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(ends[1]);
	while ((got = read(ends[0], out + used, size - 1 - used)) > 0)
		used += (size_t)got;
	out[used] = '\0';
	close(ends[0]);
	assert_string_equal(err, "");
	assert_int_equal(pgf_spawn_wait(spawn), 0);
	assert_int_equal(pgf_spawn_status(spawn), 0);
	pgf_spawn_close(spawn);
}

static void test_status(void **state)
{
	char *argv[] = {"sh", "-c", "exit 23", NULL};
	struct pgf_spawn *spawn = hold(argv);
	struct pollfd end = {.fd = pgf_spawn_fd(spawn), .events = POLLIN};
	uint64_t minor, major;

	assert_false(pgf_spawn_ended(spawn));
	assert_int_equal(pgf_spawn_status(spawn), -1);
	assert_int_equal(pgf_spawn_release(spawn, err, sizeof(err)), 0);
	assert_int_equal(pgf_spawn_release(spawn, err, sizeof(err)), -EALREADY);
	if (end.fd >= 0)
		assert_int_equal(poll(&end, 1, -1), 1);
	assert_int_equal(pgf_spawn_wait(spawn), 0);
	assert_true(pgf_spawn_ended(spawn));
	assert_int_equal(pgf_spawn_status(spawn), 23 << 8);
	pgf_spawn_faults(spawn, &minor, &major);
	assert_true(minor > 0);
	pgf_spawn_close(spawn);
}

static void test_signal_status(void **state)
{
	char *argv[] = {"sh", "-c", "kill -TERM $$", NULL};
	struct pgf_spawn *spawn = hold(argv);

	assert_int_equal(pgf_spawn_release(spawn, err, sizeof(err)), 0);
	assert_int_equal(pgf_spawn_wait(spawn), 0);
	assert_int_equal(pgf_spawn_status(spawn), SIGTERM);
	pgf_spawn_close(spawn);
}

/* Nothing of the command runs before the release. */
static void test_held(void **state)
{
	char path[] = "/tmp/pgf-test-spawn-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	char *argv[] = {"rm", path, NULL};
	struct pgf_spawn *spawn = hold(argv);

	assert_true(fd >= 0);
	usleep(20000);
	assert_int_equal(access(path, F_OK), 0);
	assert_false(pgf_spawn_ended(spawn));
	assert_int_equal(pgf_spawn_release(spawn, err, sizeof(err)), 0);
	assert_int_equal(pgf_spawn_wait(spawn), 0);
	assert_int_equal(access(path, F_OK), -1);
	pgf_spawn_close(spawn);
	close(fd);
}

static void test_exec_error(void **state)
{
	char *missing[] = {"/nonexistent/program", NULL};
	char *directory[] = {"/tmp", NULL};
	char *none[] = {NULL};
	struct pgf_target target = {.argv = none};
	struct pgf_spawn *spawn = hold(missing);

	assert_int_equal(pgf_spawn_release(spawn, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "/nonexistent/program"));
	assert_true(pgf_spawn_ended(spawn));
	pgf_spawn_close(spawn);
	spawn = hold(directory);
	assert_int_equal(pgf_spawn_release(spawn, err, sizeof(err)), -EACCES);
	pgf_spawn_close(spawn);
	assert_int_equal(pgf_spawn_hold(&spawn, &target, err, sizeof(err)), -EINVAL);
}

static void test_close_kills(void **state)
{
	char *argv[] = {"sleep", "1000", NULL};
	struct pgf_spawn *spawn = hold(argv);
	pid_t pid = pgf_spawn_pid(spawn);

	pgf_spawn_close(spawn);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	pgf_spawn_close(NULL);
}

static void test_killed_while_held(void **state)
{
	char *argv[] = {"sleep", "1000", NULL};
	struct pgf_spawn *spawn = hold(argv);

	kill(pgf_spawn_pid(spawn), SIGKILL);
	while (status_field(pgf_spawn_pid(spawn), "Threads:", 10) != UINT64_MAX &&
	       !pgf_spawn_ended(spawn))
		usleep(1000);
	/* No SIGPIPE must come of it. */
	assert_int_equal(pgf_spawn_release(spawn, err, sizeof(err)), -EPIPE);
	assert_int_equal(pgf_spawn_status(spawn), SIGKILL);
	pgf_spawn_close(spawn);
}

/* kill -9 of whoever holds the command leaves nobody behind. */
static void test_holder_dies(void **state)
{
	char *argv[] = {"sleep", "1000", NULL};
	int ends[2];
	pid_t holder, held;
	char c;

	assert_int_equal(pipe(ends), 0);
	holder = fork();
	if (holder == 0) {
		struct pgf_spawn *spawn = hold(argv);

		close(ends[0]);
		held = pgf_spawn_pid(spawn);
		if (write(ends[1], &held, sizeof(held)) != sizeof(held))
			_exit(1);
		pause();
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &held, sizeof(held)), sizeof(held));
	kill(holder, SIGKILL);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	/* The held child has the other end of the pipe: its end is the end of the file. */
	assert_int_equal(read(ends[0], &c, 1), 0);
	close(ends[0]);
}

static void on_signal(int sig)
{
	_exit(77);
}

/* Blocked, caught and ignored signals do not reach the command, nohup's does. */
static void test_signals(void **state)
{
	char *argv[] = {"grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status", NULL};
	struct pgf_target target = {.argv = argv};
	char out[512];
	uint64_t ignored;
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, on_signal);
	run_and_read(&target, out, sizeof(out));
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_non_null(strstr(out, "SigBlk:\t0000000000000000"));
	ignored = strtoull(strstr(out, "SigIgn:") + 7, NULL, 16);
	assert_false(ignored >> (SIGPIPE - 1) & 1);
	assert_true(ignored >> (SIGHUP - 1) & 1);
}

/* While it is held, a signal that we catch kills it instead of running our handler there. */
static void test_handler_while_held(void **state)
{
	char *argv[] = {"true", NULL};
	struct pgf_spawn *spawn;

	signal(SIGUSR1, on_signal);
	spawn = hold(argv);
	signal(SIGUSR1, SIG_DFL);
	kill(pgf_spawn_pid(spawn), SIGUSR1);
	assert_int_equal(pgf_spawn_wait(spawn), 0);
	assert_int_equal(pgf_spawn_status(spawn), SIGUSR1);
	pgf_spawn_close(spawn);
}

static void test_group(void **state)
{
	char *argv[] = {"sleep", "1000", NULL};
	struct pgf_spawn *spawn = hold(argv);

	assert_int_equal(getpgid(pgf_spawn_pid(spawn)), getpgrp());
	pgf_spawn_close(spawn);
}

/* An ignored SIGCHLD would make the kernel throw the status away. */
static void test_child_signal_ignored(void **state)
{
	char *argv[] = {"sh", "-c", "exit 5", NULL};
	struct pgf_spawn *spawn;

	signal(SIGCHLD, SIG_IGN);
	spawn = hold(argv);
	assert_int_equal(pgf_spawn_release(spawn, err, sizeof(err)), 0);
	assert_int_equal(pgf_spawn_wait(spawn), 0);
	assert_int_equal(pgf_spawn_status(spawn), 5 << 8);
	pgf_spawn_close(spawn);
	signal(SIGCHLD, SIG_DFL);
}

/* The command has the descriptors that system(3) would give it, and no other. */
static void test_descriptors(void **state)
{
	char *argv[] = {"sh", "-c", "ls /proc/self/fd | tr '\\n' ' '", NULL};
	char *sleeper[] = {"sleep", "1000", NULL};
	struct pgf_target target = {.argv = argv};
	struct pgf_spawn *other = hold(sleeper);
	char expected[256] = "", out[256];
	FILE *file = popen(argv[2], "re");

	assert_non_null(file);
	assert_non_null(fgets(expected, sizeof(expected), file));
	pclose(file);
	run_and_read(&target, out, sizeof(out));
	pgf_spawn_close(other);
	assert_string_equal(out, expected);
}

static void test_drop(void **state)
{
	char *argv[] = {"sh", "-c", "id -u; id -g; id -G; echo $HOME $USER $LOGNAME", NULL};
	struct pgf_target target = {
	        .argv = argv, .drop = true, .uid = NOBODY, .gid = NOBODY, .user = "nobody"};
	char out[512];

	if (geteuid())
		skip();
	run_and_read(&target, out, sizeof(out));
	assert_non_null(strstr(out, "65534\n65534\n65534\n"));
	assert_non_null(strstr(out, "nobody nobody\n"));
}

static void test_drop_refused(void **state)
{
	char *argv[] = {"true", NULL};
	struct pgf_target target = {.argv = argv, .drop = true, .uid = 0, .gid = 0};
	struct pgf_spawn *spawn = NULL;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
			_exit(98);
		_exit(-pgf_spawn_hold(&spawn, &target, err, sizeof(err)));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_status),
	        cmocka_unit_test(test_signal_status),
	        cmocka_unit_test(test_held),
	        cmocka_unit_test(test_exec_error),
	        cmocka_unit_test(test_close_kills),
	        cmocka_unit_test(test_killed_while_held),
	        cmocka_unit_test(test_holder_dies),
	        cmocka_unit_test(test_signals),
	        cmocka_unit_test(test_handler_while_held),
	        cmocka_unit_test(test_group),
	        cmocka_unit_test(test_child_signal_ignored),
	        cmocka_unit_test(test_descriptors),
	        cmocka_unit_test(test_drop),
	        cmocka_unit_test(test_drop_refused),
	};

	return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
