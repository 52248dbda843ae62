/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct pgf_spawn {
	pid_t pid;
	int go;     /* one byte into it lets the child go; closing it ends the child */
	int answer; /* what the child says: an errno as int; end of file at exec */
	int pidfd;
	int status;
	bool released;
	bool ended;
	struct rusage usage;
	char *command;
};

__attribute__((format(printf, 3, 4))) static void say(char *err, size_t size, const char *fmt, ...)
{
	va_list args;

	if (size == 0)
		return;
	va_start(args, fmt);
	vsnprintf(err, size, fmt, args);
	va_end(args);
}

/* The child's side. */

/*
 * What we catch must not run here, and what we ignore for our own sake must not be passed
 * on: exec resets handlers, but not an ignored SIGPIPE. Other ignored signals (nohup)
 * belong to whoever started us.
 */
static void signals_reset(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction action;

		if (sigaction(sig, NULL, &action) < 0)
			continue;
		if (action.sa_handler == SIG_DFL ||
		    (action.sa_handler == SIG_IGN && sig != SIGPIPE))
			continue;
		action = (struct sigaction){.sa_handler = SIG_DFL};
		sigaction(sig, &action, NULL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int user_become(const struct pgf_target *target, const struct passwd *user)
{
	const char *name = target->user ? target->user : user ? user->pw_name : NULL;

	if (name ? initgroups(name, target->gid) : setgroups(1, &target->gid))
		return errno;
	if (setresgid(target->gid, target->gid, target->gid) < 0 ||
	    setresuid(target->uid, target->uid, target->uid) < 0)
		return errno;
	if (user && setenv("HOME", user->pw_dir, 1) < 0)
		return errno;
	if (name && (setenv("USER", name, 1) < 0 || setenv("LOGNAME", name, 1) < 0))
		return errno;
	return 0;
}

static void answer_write(int fd, int code)
{
	while (write(fd, &code, sizeof(code)) < 0 && errno == EINTR)
		;
}

/* Waits for the word to go; ends when the other side has gone. */
static void go_wait(int fd)
{
	ssize_t got;
	char byte;

	do {
		got = read(fd, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got != 1)
		_exit(127);
}

__attribute__((noreturn)) static void child_run(const struct pgf_target *target,
                                                const struct passwd *user, pid_t parent, int go,
                                                int answer)
{
	int code;

	signals_reset();
	code = target->drop ? user_become(target, user) : 0;
	/* After the change of the user, which clears it (commit_creds, kernel/cred.c). */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	answer_write(answer, code);
	if (code)
		_exit(127);
	go_wait(go);
	prctl(PR_SET_PDEATHSIG, 0);
	execvp(target->argv[0], target->argv);
	answer_write(answer, errno);
	_exit(127);
}

/* Our side. */

/* An int from the child; 0 at end of file. */
static int answer_read(int fd, int *code)
{
	ssize_t got;

	*code = 0;
	do {
		got = read(fd, code, sizeof(*code));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	return got == 0 || got == sizeof(*code) ? (int)got : -EIO;
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* With SIGCHLD ignored the kernel would throw the exit status away. */
static void child_signal_keep(void)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
		action = (struct sigaction){.sa_handler = SIG_DFL};
		sigaction(SIGCHLD, &action, NULL);
	}
}

static int child_fork(struct pgf_spawn *spawn, const struct pgf_target *target)
{
	/* Looked up here: the child of a fork should not talk to name services. */
	const struct passwd *user = target->drop ? getpwuid(target->uid) : NULL;
	pid_t parent = getpid();
	int go[2], answer[2];
	int ret;

	/* A socket, because writing to it raises no SIGPIPE when the child has been killed. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go) < 0)
		return -errno;
	if (pipe2(answer, O_CLOEXEC) < 0) {
		ret = -errno;
		close(go[0]);
		close(go[1]);
		return ret;
	}
	fflush(NULL);
	spawn->pid = fork();
	ret = spawn->pid < 0 ? -errno : 0;
	if (spawn->pid == 0) {
		close(go[1]);
		close(answer[0]);
		child_run(target, user, parent, go[0], answer[1]);
	}
	close(go[0]);
	close(answer[1]);
	spawn->go = go[1];
	spawn->answer = answer[0];
	return ret;
}

int pgf_spawn_hold(struct pgf_spawn **out, const struct pgf_target *target, char *err,
                   size_t err_size)
{
	struct pgf_spawn *spawn;
	int ret, code;

	if (!target->argv || !target->argv[0])
		return -EINVAL;
	spawn = calloc(1, sizeof(*spawn));
	if (!spawn)
		return -ENOMEM;
	spawn->go = spawn->answer = spawn->pidfd = -1;
	spawn->pid = -1;
	spawn->status = -1;
	spawn->command = strdup(target->argv[0]);
	child_signal_keep();
	ret = spawn->command ? child_fork(spawn, target) : -ENOMEM;
	if (ret) {
		say(err, err_size, "%s: fork: %s", target->argv[0], strerror(-ret));
		pgf_spawn_close(spawn);
		return ret;
	}
	ret = answer_read(spawn->answer, &code);
	if (ret == 0) /* killed before it could say anything */
		ret = -ECHILD;
	else if (ret > 0)
		ret = -code;
	if (ret) {
		say(err, err_size, "%s: cannot run as uid %u, gid %u: %s", target->argv[0],
		    (unsigned int)target->uid, (unsigned int)target->gid, strerror(-ret));
		pgf_spawn_close(spawn);
		return ret;
	}
	/* Without pidfd (before Linux 5.3) the caller asks pgf_spawn_ended() by time. */
	spawn->pidfd = (int)syscall(SYS_pidfd_open, spawn->pid, 0);
	*out = spawn;
	return 0;
}

pid_t pgf_spawn_pid(const struct pgf_spawn *spawn)
{
	return spawn->pid;
}

int pgf_spawn_release(struct pgf_spawn *spawn, char *err, size_t err_size)
{
	int code = 0;
	int ret;

	if (spawn->released)
		return -EALREADY;
	do {
		ret = (int)send(spawn->go, "g", 1, MSG_NOSIGNAL);
	} while (ret < 0 && errno == EINTR);
	ret = ret < 0 ? -errno : answer_read(spawn->answer, &code);
	if (ret > 0)
		ret = -code;
	fd_close(&spawn->go);
	fd_close(&spawn->answer);
	spawn->released = true;
	if (ret) {
		say(err, err_size, "%s: %s", spawn->command, strerror(-ret));
		pgf_spawn_wait(spawn);
	}
	return ret;
}

int pgf_spawn_fd(const struct pgf_spawn *spawn)
{
	return spawn->pidfd;
}

static int collect(struct pgf_spawn *spawn, int options)
{
	pid_t got;

	if (spawn->ended)
		return 1;
	got = wait4(spawn->pid, &spawn->status, options, &spawn->usage);
	if (got < 0 && errno == EINTR)
		return -EINTR;
	/* ECHILD: somebody else has collected it, so there is nothing more to come. */
	spawn->ended = got != 0;
	return spawn->ended;
}

bool pgf_spawn_ended(struct pgf_spawn *spawn)
{
	return collect(spawn, WNOHANG) == 1;
}

int pgf_spawn_wait(struct pgf_spawn *spawn)
{
	int ret = collect(spawn, 0);

	return ret < 0 ? ret : 0;
}

int pgf_spawn_status(const struct pgf_spawn *spawn)
{
	return spawn->status;
}

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_usec * 1000ull;
}

void pgf_spawn_times(const struct pgf_spawn *spawn, uint64_t *utime_ns, uint64_t *stime_ns)
{
	*utime_ns = timeval_ns(spawn->usage.ru_utime);
	*stime_ns = timeval_ns(spawn->usage.ru_stime);
}

void pgf_spawn_faults(const struct pgf_spawn *spawn, uint64_t *minor, uint64_t *major)
{
	*minor = (uint64_t)spawn->usage.ru_minflt;
	*major = (uint64_t)spawn->usage.ru_majflt;
}

void pgf_spawn_close(struct pgf_spawn *spawn)
{
	if (!spawn)
		return;
	if (spawn->pid > 0 && !spawn->released && !spawn->ended) {
		kill(spawn->pid, SIGKILL);
		while (collect(spawn, 0) == -EINTR)
			;
	}
	fd_close(&spawn->go);
	fd_close(&spawn->answer);
	fd_close(&spawn->pidfd);
	free(spawn->command);
	free(spawn);
}
