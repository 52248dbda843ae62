/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "observe/meta.h"
#include "observe/queue.h"
#include "observe/source.h"
#include "observe/spawn.h"
#include "observe/tasks.h"

/* How long faults may lie in a ring: rings hold 100 ms of the fastest faults. */
#define LOOK_MS  20
#define POLL_MAX 64

struct pgf_session {
	struct pgf_sink sink;
	struct pgf_totals totals;
	struct pgf_totals early; /* the command's own start, before its exec */
	const struct pgf_source_ops *ops;
	struct pgf_source *source;
	struct pgf_meta *meta;
	struct pgf_space *space;
	struct pgf_queue *queue;
	struct pgf_tasks *tasks;
	struct pgf_spawn *spawn;
	int *pidfds;
	size_t pidfd_count;
	pid_t child;
	uint64_t base_min; /* the child's counters when it was let go */
	uint64_t base_maj;
	bool exec_seen;
	bool started;
	bool stopped;
	bool failed_space; /* an event of the address space could not be kept */
	int tap_error;     /* of the sink, for an event that the table made itself */
};

static uint64_t session_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* What comes from the source and from the records: into the queue. */

static int feed_fault(void *ctx, const struct pgf_fault *fault)
{
	struct pgf_session *s = ctx;

	return pgf_queue_fault(s->queue, fault);
}

static int feed_cell(void *ctx, const struct pgf_cell *cell)
{
	struct pgf_session *s = ctx;

	return pgf_queue_cell(s->queue, cell);
}

static int feed_space(void *ctx, const struct pgf_space_event *event)
{
	struct pgf_session *s = ctx;
	int ret = pgf_tasks_event(s->tasks, event);

	return ret ? ret : pgf_queue_space(s->queue, event);
}

static int feed_stack(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count)
{
	struct pgf_session *s = ctx;

	return s->sink.stack ? s->sink.stack(s->sink.ctx, stack_id, ips, count) : 0;
}

/* What leaves the queue, in order: named, and on to the sink. */

static void early_count(struct pgf_session *s, uint32_t flags, uint64_t major, uint64_t n)
{
	if (flags & PGF_F_FAILED)
		s->early.failed += n;
	else if (flags & PGF_F_UNFINISHED)
		s->early.unfinished += n;
	else if (major)
		s->early.major += n;
	else
		s->early.minor += n;
}

static bool is_early(const struct pgf_session *s, const struct pgf_fault *fault)
{
	return s->child > 0 && !s->exec_seen && fault->pid == (uint32_t)s->child;
}

static int out_fault(void *ctx, struct pgf_fault *fault)
{
	struct pgf_session *s = ctx;

	if (is_early(s, fault)) {
		early_count(s, fault->flags, fault->flags & PGF_F_MAJOR, 1);
		return 0;
	}
	pgf_space_name(s->space, fault);
	return s->sink.fault ? s->sink.fault(s->sink.ctx, fault) : 0;
}

static int out_cell(void *ctx, struct pgf_cell *cell)
{
	struct pgf_session *s = ctx;

	if (is_early(s, &cell->fault)) {
		if (!cell->code)
			early_count(s, cell->fault.flags, cell->fault.flags & PGF_F_MAJOR,
			            cell->count);
		return 0;
	}
	pgf_space_name(s->space, &cell->fault);
	return s->sink.cell ? s->sink.cell(s->sink.ctx, cell) : 0;
}

static int out_space(void *ctx, const struct pgf_space_event *event)
{
	struct pgf_session *s = ctx;

	if (event->type == PGF_SPACE_EXEC && event->pid == (uint32_t)s->child)
		s->exec_seen = true;
	if (pgf_space_apply(s->space, event))
		s->failed_space = true;
	if (!s->sink.space)
		return 0;
	if (event->type == PGF_SPACE_EXIT && event->exit_code < 0) {
		struct pgf_space_event told = *event;

		told.exit_code = pgf_tasks_exit_code(s->tasks, event->tid);
		return s->sink.space(s->sink.ctx, &told);
	}
	return s->sink.space(s->sink.ctx, event);
}

/* Mappings that the table read from /proc itself: a recording needs them, too. */
static void tap_space(void *ctx, const struct pgf_space_event *event)
{
	struct pgf_session *s = ctx;

	if (s->sink.space && !s->tap_error)
		s->tap_error = s->sink.space(s->sink.ctx, event);
}

/* Opening. */

static const struct pgf_source_ops *const tier_order[] = {
        &pgf_source_tracepoint,
        &pgf_source_perf,
};
#define TIER_ORDER (sizeof(tier_order) / sizeof(tier_order[0]))

static int not_built(enum pgf_tier tier, char *err, size_t err_size)
{
	if (tier == PGF_TIER_COUNTERS)
		snprintf(err, err_size,
		         "--tier counters: sees rates, not faults: only `pgfault run` can use it");
	else
		snprintf(err, err_size, "--tier %s: not built yet; use tracepoint or perf",
		         pgf_tier_name(tier));
	return -ENOSYS;
}

static int source_open(struct pgf_session *s, const struct pgf_session_opts *opts, char *err,
                       size_t err_size)
{
	struct pgf_feed feed = {.ctx = s,
	                        .fault = feed_fault,
	                        .cell = feed_cell,
	                        .space = feed_space,
	                        .stack = feed_stack};
	char best[512] = ""; /* why the better tier did not work, should none */
	int ret = -ENOSYS;

	for (size_t i = 0; i < TIER_ORDER; i++) {
		const struct pgf_source_ops *ops = tier_order[i];

		if (opts->tier != PGF_TIER_AUTO && opts->tier != ops->tier)
			continue;
		memset(&s->totals, 0, sizeof(s->totals));
		if (err_size)
			err[0] = '\0';
		ret = ops->open(&s->source, opts, s->child, &feed, &s->totals, err, err_size);
		if (!ret) {
			s->ops = ops;
			return 0;
		}
		if (ret == -ESRCH)
			return ret;
		if (!best[0])
			snprintf(best, sizeof(best), "%s", err);
	}
	snprintf(err, err_size, "%s", best);
	return ret;
}

static int meta_open(struct pgf_session *s, const struct pgf_session_opts *opts, char *err,
                     size_t err_size)
{
	struct pgf_feed feed = {.ctx = s, .space = feed_space};

	return pgf_meta_open(&s->meta, &opts->target, s->child, &feed, &s->totals, err, err_size);
}

static int pids_watch(struct pgf_session *s, const struct pgf_target *target, char *err,
                      size_t err_size)
{
	if (!target->pid_count)
		return 0;
	s->pidfds = calloc(target->pid_count, sizeof(*s->pidfds));
	if (!s->pidfds)
		return -ENOMEM;
	for (size_t i = 0; i < target->pid_count; i++) {
		int fd = (int)syscall(SYS_pidfd_open, target->pids[i], 0);
		int ret = fd < 0 ? -errno
		                 : pgf_tasks_adopt_process(s->tasks, (uint32_t)target->pids[i]);

		if (fd >= 0)
			s->pidfds[s->pidfd_count++] = fd;
		if (ret) {
			snprintf(err, err_size, "-p %d: %s%s", target->pids[i], strerror(-ret),
			         ret == -EINVAL ? ": give the process id, not a thread's" : "");
			return ret;
		}
	}
	return 0;
}

/* Names of what runs already, for targets that are not listed one by one. */
static int comms_read(struct pgf_session *s, const struct pgf_target *target)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	if (!target->all && !target->cgroup)
		return 0;
	dir = opendir("/proc");
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir))) {
		char path[64], comm[PGF_COMM_LEN + 1];
		unsigned long pid = strtoul(entry->d_name, NULL, 10);
		struct pgf_space_event event = {
		        .type = PGF_SPACE_COMM, .pid = (uint32_t)pid, .tid = (uint32_t)pid};
		ssize_t n = -1;
		int fd;

		if (!pid || pid > UINT32_MAX)
			continue;
		snprintf(path, sizeof(path), "/proc/%lu/comm", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			n = read(fd, comm, sizeof(comm) - 1);
			close(fd);
		}
		if (n <= 0)
			continue;
		comm[n - 1] = '\0'; /* the kernel ends it with a newline */
		event.name = comm;
		event.time_ns = session_now();
		ret = feed_space(s, &event);
	}
	closedir(dir);
	return ret;
}

/* From its exec on, all calls of a command are told of, so what is not told is not there. */
static int calls_watch(struct pgf_session *s, const struct pgf_session_opts *opts)
{
	struct pgf_space_event event = {.type = PGF_SPACE_UFFD,
	                                .pid = (uint32_t)s->child,
	                                .tid = (uint32_t)s->child,
	                                .time_ns = session_now()};

	if (!s->child || !opts->calls || opts->volume == PGF_VOLUME_AGGREGATE ||
	    s->ops->tier != PGF_TIER_TRACEPOINT)
		return 0;
	pgf_space_watch_advice(s->space);
	return feed_space(s, &event);
}

static int command_hold(struct pgf_session *s, const struct pgf_target *target, char *err,
                        size_t err_size)
{
	int ret;

	if (!target->argv)
		return 0;
	ret = pgf_spawn_hold(&s->spawn, target, err, err_size);
	if (ret)
		return ret;
	s->child = pgf_spawn_pid(s->spawn);
	return pgf_tasks_adopt(s->tasks, (uint32_t)s->child, (uint32_t)s->child);
}

static int cgroup_check(const char *path, char *err, size_t err_size)
{
	struct statfs fs;

	if (!path)
		return 0;
	if (statfs(path, &fs)) {
		snprintf(err, err_size, "--cgroup %s: %s", path, strerror(errno));
		return -errno;
	}
	if (fs.f_type != CGROUP2_SUPER_MAGIC) {
		snprintf(err, err_size, "--cgroup %s: not a directory of cgroup v2", path);
		return -EINVAL;
	}
	return 0;
}

int pgf_session_open(struct pgf_session **out, const struct pgf_session_opts *opts,
                     const struct pgf_sink *sink, char *err, size_t err_size)
{
	struct pgf_session *s;
	int ret;

	if (err_size)
		err[0] = '\0';
	ret = cgroup_check(opts->target.cgroup, err, err_size);
	if (ret)
		return ret;
	if (opts->tier == PGF_TIER_KERNEL || opts->tier == PGF_TIER_COUNTERS)
		return not_built(opts->tier, err, err_size);
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->sink = *sink;
	ret = pgf_space_new(&s->space);
	if (!ret) {
		pgf_space_tap(s->space, tap_space, s);
		ret = pgf_queue_new(&s->queue);
	}
	if (!ret)
		ret = pgf_tasks_new(&s->tasks);
	if (!ret)
		ret = command_hold(s, &opts->target, err, err_size);
	if (!ret)
		ret = pids_watch(s, &opts->target, err, err_size);
	if (!ret)
		ret = source_open(s, opts, err, err_size);
	if (!ret)
		ret = meta_open(s, opts, err, err_size);
	if (!ret)
		ret = comms_read(s, &opts->target);
	if (!ret)
		ret = calls_watch(s, opts);
	if (ret) {
		if (err_size && !err[0])
			snprintf(err, err_size, "session: %s", strerror(-ret));
		pgf_session_close(s);
		return ret;
	}
	*out = s;
	return 0;
}

int pgf_session_start(struct pgf_session *s, char *err, size_t err_size)
{
	int ret;

	pgf_tasks_rebase(s->tasks);
	if (s->spawn)
		pgf_tasks_baseline(s->tasks, (uint32_t)s->child, &s->base_min, &s->base_maj);
	ret = s->ops->start(s->source);
	if (ret) {
		snprintf(err, err_size, "%s tier: start: %s", pgf_tier_name(s->ops->tier),
		         strerror(-ret));
		return ret;
	}
	s->started = true;
	s->totals.start_ns = session_now();
	if (!s->spawn)
		return 0;
	return pgf_spawn_release(s->spawn, err, err_size);
}

/* Running. */

static int session_drain(struct pgf_session *s, bool last)
{
	struct pgf_queue_out out = {
	        .ctx = s, .fault = out_fault, .cell = out_cell, .space = out_space};
	uint64_t source_mark = 0, meta_mark = 0;
	int ret;

	/*
	 * The source first: a mapping's record is older than the faults in it, so the
	 * records of all faults read here are there when they are read next.
	 */
	pgf_space_machine(s->space);
	ret = s->ops->drain(s->source, &source_mark);
	if (!ret)
		ret = pgf_meta_drain(s->meta, &meta_mark);
	/* The records hold back what is younger than their watermark. */
	for (int i = 0; !ret && last && meta_mark < s->totals.end_ns && i < 20; i++) {
		usleep(2000);
		ret = pgf_meta_drain(s->meta, &meta_mark);
	}
	if (!ret)
		ret = pgf_tasks_drain(s->tasks);
	if (ret)
		return ret;
	if (meta_mark < source_mark)
		source_mark = meta_mark;
	ret = pgf_queue_flush(s->queue, last ? UINT64_MAX : source_mark, &out);
	return ret ? ret : s->tap_error;
}

static bool pids_live(struct pgf_session *s)
{
	bool live = false;

	for (size_t i = 0; i < s->pidfd_count; i++) {
		struct pollfd pfd = {.fd = s->pidfds[i], .events = POLLIN};

		if (poll(&pfd, 1, 0) == 0)
			live = true;
	}
	return live;
}

static bool target_lives(struct pgf_session *s)
{
	if (s->spawn)
		return !pgf_spawn_ended(s->spawn);
	return s->pidfd_count ? pids_live(s) : true;
}

/* Sleeps until the target ends, a source asks to be read, or it is time to look. */
static int session_wait(struct pgf_session *s, int timeout_ms)
{
	struct pollfd pfds[POLL_MAX];
	int fds[POLL_MAX];
	size_t n = 0;

	if (s->spawn)
		fds[n++] = pgf_spawn_fd(s->spawn);
	else if (s->pidfd_count == 1)
		fds[n++] = s->pidfds[0];
	n += s->ops->fds(s->source, fds + n, POLL_MAX - n);
	for (size_t i = 0; i < n; i++)
		pfds[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	if (timeout_ms < 0 || timeout_ms > LOOK_MS)
		timeout_ms = LOOK_MS;
	return poll(pfds, n, timeout_ms) < 0 && errno != EINTR ? -errno : 0;
}

int pgf_session_poll(struct pgf_session *s, int timeout_ms)
{
	int ret = session_wait(s, timeout_ms);
	bool live;

	if (ret)
		return ret;
	live = target_lives(s);
	ret = session_drain(s, false);
	return ret ? ret : live;
}

/* Without exit statistics: what wait4 tells of the command and of the children it waited for. */
static void tasks_waited(struct pgf_session *s)
{
	struct pgf_totals *t = &s->totals;
	uint64_t min, maj;

	/* Of a machine or a cgroup, only tasks born inside the run are known. */
	if (!s->spawn && !s->pidfd_count) {
		t->task_known = false;
		t->task_min = t->task_maj = t->tasks = t->tasks_missed = 0;
		return;
	}
	if (t->task_known || pgf_tasks_exact(s->tasks) || !s->spawn || !pgf_spawn_ended(s->spawn))
		return;
	pgf_spawn_faults(s->spawn, &min, &maj);
	t->task_min = min - s->base_min;
	t->task_maj = maj - s->base_maj;
	t->task_waited = true;
	t->task_known = true;
}

int pgf_session_stop(struct pgf_session *s)
{
	struct pgf_totals *t = &s->totals;
	int ret;

	if (s->stopped)
		return 0;
	s->stopped = true;
	t->end_ns = session_now();
	ret = s->ops->stop(s->source);
	pgf_tasks_freeze(s->tasks, t->end_ns);
	if (!ret)
		ret = session_drain(s, true);
	pgf_tasks_finish(s->tasks, t);
	tasks_waited(s);
	t->before_exec = s->early.minor + s->early.major;
	t->minor -= s->early.minor;
	t->major -= s->early.major;
	t->seen -= t->before_exec;
	t->failed -= s->early.failed;
	t->unfinished -= s->early.unfinished;
	/* The tasks' counters, too, start at the exec. */
	t->task_min -= s->early.minor;
	t->task_maj -= s->early.major;
	t->entered -= t->entered_known ? t->before_exec + s->early.failed + s->early.unfinished : 0;
	if (s->spawn)
		pgf_spawn_times(s->spawn, &t->child_utime_ns, &t->child_stime_ns);
	if (!ret && s->failed_space)
		ret = -ENOMEM;
	return ret;
}

const struct pgf_totals *pgf_session_totals(const struct pgf_session *s)
{
	return &s->totals;
}

struct pgf_space *pgf_session_space(struct pgf_session *s)
{
	return s->space;
}

enum pgf_tier pgf_session_tier(const struct pgf_session *s)
{
	return s->ops->tier;
}

pid_t pgf_session_child(const struct pgf_session *s)
{
	return s->child;
}

int pgf_session_status(const struct pgf_session *s)
{
	if (!s->spawn)
		return 0;
	return pgf_spawn_ended(s->spawn) ? pgf_spawn_status(s->spawn) : -1;
}

void pgf_session_close(struct pgf_session *s)
{
	if (!s)
		return;
	if (s->source)
		s->ops->close(s->source);
	pgf_meta_close(s->meta);
	pgf_spawn_close(s->spawn);
	for (size_t i = 0; i < s->pidfd_count; i++)
		close(s->pidfds[i]);
	free(s->pidfds);
	pgf_tasks_free(s->tasks);
	pgf_queue_free(s->queue);
	pgf_space_free(s->space);
	free(s);
}
