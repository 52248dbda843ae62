/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "show/escape.h"
#include "version.h"

void pgf_complain(const char *fmt, ...)
{
	char text[1024], safe[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pgf_escape_terminal(safe, sizeof(safe), text);
	fprintf(stderr, "pgfault: %s\n", safe);
}

void pgf_print_safe(FILE *out, const char *text)
{
	char safe[4096];

	pgf_escape_terminal(safe, sizeof(safe), text);
	fputs(safe, out);
}

FILE *pgf_output_open(const struct pgf_options *o, FILE *fallback)
{
	FILE *out;
	int fd;

	if (!o->output)
		return fallback;
	if (!strcmp(o->output, "-"))
		return stdout;
	fd = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out) {
		pgf_complain("%s: %s: cannot be written to", o->output, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return out;
}

int pgf_output_close(FILE *out, FILE *fallback)
{
	int err = 0;

	if (fflush(out) || ferror(out))
		err = errno ? -errno : -EIO;
	if (out != fallback && out != stdout && fclose(out) && !err)
		err = -errno;
	return err == -EPIPE ? 0 : err;
}

static volatile sig_atomic_t stop_wanted;

static void on_stop(int signo)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	stop_wanted = 1;
	sigaction(signo, &action, NULL);
}

void pgf_signals_catch(void)
{
	struct sigaction action = {.sa_handler = on_stop};

	/* What our caller ignores (nohup, a job in the background) stays ignored. */
	static const int signals[] = {SIGINT, SIGTERM};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction old;

		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

bool pgf_signals_stop(void)
{
	return stop_wanted != 0;
}

int pgf_exit_of(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

const char *pgf_kernel_release(void)
{
	static struct utsname name;

	if (!name.release[0])
		uname(&name);
	return name.release;
}

const char *pgf_version_text(void)
{
	return PGF_RELEASE " (git " PGF_VERSION ")";
}

void pgf_target_text(const struct pgf_target *target, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	if (target->cgroup) {
		snprintf(buf, size, "cgroup %s", target->cgroup);
	} else if (target->all) {
		snprintf(buf, size, "all");
	} else if (target->argv) {
		for (char *const *arg = target->argv; *arg && len < size; arg++)
			len += (size_t)snprintf(buf + len, size - len, "%s%s",
			                        arg == target->argv ? "" : " ", *arg);
	} else {
		for (size_t i = 0; i < target->pid_count && len < size; i++)
			len += (size_t)snprintf(buf + len, size - len, "%s%d", i ? "," : "pid ",
			                        target->pids[i]);
	}
}

static double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* A line that is overwritten, while a person waits for more than two seconds. */
static void progress(double since, bool *shown)
{
	double elapsed = seconds_now() - since;

	if (elapsed < 2 || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\rtracing, %.0f s ...", elapsed);
	*shown = true;
}

int pgf_session_drive(struct pgf_session *session, const struct pgf_options *o, bool *exec_failed)
{
	char err[512] = "";
	double start, last;
	bool shown = false;
	int ret;

	*exec_failed = false;
	ret = pgf_session_start(session, err, sizeof(err));
	if (ret) {
		pgf_complain("%s", err);
		*exec_failed = true;
		return ret;
	}
	start = last = seconds_now();
	do {
		ret = pgf_session_poll(session, 100);
		if (!o->session.target.argv && seconds_now() - last >= 1) {
			last = seconds_now();
			progress(start, &shown);
		}
	} while (ret > 0 && !pgf_signals_stop() &&
	         (o->seconds == 0 || seconds_now() - start < o->seconds));
	if (shown)
		fputs("\r\033[K", stderr);
	if (ret >= 0)
		ret = pgf_session_stop(session);
	if (ret < 0)
		pgf_complain("tracing: %s", strerror(-ret));
	return ret;
}
