/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/events_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * A thread may be preempted for so long in the middle of a fork: after its events were
 * inherited (or were not there yet), before the child can be seen or its record is written.
 */
#define FORK_NS 20000000ull

/*
 * So threads are looked for until nothing new has come up for that time. Where every
 * thread is replaced by another at once something always does; then this must do.
 */
#define SCAN_NS      100000000ull
#define SCAN_EACH_US 2000

__attribute__((format(printf, 3, 4))) static void say(char *err, size_t size, const char *fmt, ...)
{
	va_list args;

	if (size == 0)
		return;
	va_start(args, fmt);
	vsnprintf(err, size, fmt, args);
	va_end(args);
}

static int paranoid_level(void)
{
	FILE *file = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	int level = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%d", &level) != 1)
		level = 0;
	fclose(file);
	return level;
}

static void say_open(char *err, size_t size, int code)
{
	if (code == -EACCES || code == -EPERM)
		say(err, size,
		    "perf events: not permitted: one's own processes need "
		    "kernel.perf_event_paranoid <= 2 (it is %d), others CAP_PERFMON",
		    paranoid_level());
	else if (code == -EMFILE)
		say(err, size,
		    "perf events: too few descriptors for threads x CPUs: raise the hard limit "
		    "of open files (ulimit -Hn)");
	else if (code == -ENOENT || code == -ENOSYS || code == -EOPNOTSUPP)
		say(err, size, "perf events: this kernel has none (CONFIG_PERF_EVENTS): %s",
		    strerror(-code));
	else
		say(err, size, "perf events: %s", strerror(-code));
}

/* The CPUs of a list such as "0-3,8"; the caller frees *out. */
static int online_cpus(int **out, size_t *count)
{
	FILE *file = fopen("/sys/devices/system/cpu/online", "re");
	size_t used = 0;
	int *cpus = NULL;
	int first, last;

	if (!file)
		return -errno;
	while (fscanf(file, "%d", &first) == 1) {
		int *more;

		last = first;
		if (fscanf(file, "-%d", &last) != 1)
			last = first;
		if (first < 0 || last < first || last - first > 65535)
			break;
		more = realloc(cpus, (used + (size_t)(last - first) + 1) * sizeof(*cpus));
		if (!more) {
			free(cpus);
			fclose(file);
			return -ENOMEM;
		}
		cpus = more;
		while (first <= last)
			cpus[used++] = first++;
		if (fgetc(file) != ',')
			break;
	}
	fclose(file);
	*out = cpus;
	*count = used;
	return used ? 0 : -ENODEV;
}

static int anchor_open(struct pgf_events *events, struct ring_slot *slot)
{
	struct perf_event_attr attr = {
	        .type = PERF_TYPE_SOFTWARE,
	        .config = PERF_COUNT_SW_DUMMY,
	        .disabled = 1,
	        .exclude_kernel = 1,
	        .exclude_hv = 1,
	        .watermark = 1,
	        .wakeup_watermark = (uint32_t)(events->ring_bytes / 4),
	        .use_clockid = 1,
	        .clockid = CLOCK_MONOTONIC,
	};
	int fd = pgf_perf_open(&attr, 0, slot->cpu, 0);

	if (fd < 0)
		return fd;
	slot->anchor = fd;
	return pgf_ring_map(&slot->ring, fd, events->ring_bytes);
}

static void rings_close(struct pgf_events *events)
{
	for (size_t i = 0; i < events->ring_count; i++) {
		pgf_ring_free(events->rings[i].ring);
		if (events->rings[i].anchor >= 0)
			close(events->rings[i].anchor);
	}
	free(events->rings);
	events->rings = NULL;
	events->ring_count = 0;
}

static int rings_open(struct pgf_events *events, const int *cpus, size_t count)
{
	int ret = 0;

	events->rings = calloc(count, sizeof(*events->rings));
	if (!events->rings)
		return -ENOMEM;
	for (size_t i = 0; i < count && !ret; i++) {
		struct ring_slot *slot = &events->rings[events->ring_count];

		*slot = (struct ring_slot){.anchor = -1, .cpu = cpus[i]};
		ret = anchor_open(events, slot);
		if (ret == -ENODEV)
			ret = 0; /* the CPU went offline in between */
		else
			events->ring_count++;
	}
	if (ret)
		rings_close(events);
	return ret;
}

static int rings_fit(struct pgf_events *events, const struct pgf_events_opts *opts, char *err,
                     size_t err_size)
{
	size_t count = 0;
	int *cpus = NULL;
	int ret = online_cpus(&cpus, &count);

	if (ret) {
		say(err, err_size, "/sys/devices/system/cpu/online: %s", strerror(-ret));
		return ret;
	}
	events->ring_bytes = opts->ring_bytes;
	do {
		ret = rings_open(events, cpus, count);
		if (ret != -EPERM && ret != -ENOMEM)
			break;
		events->ring_bytes /= 2;
	} while (events->ring_bytes >= opts->ring_min);
	free(cpus);
	if (ret == -EPERM || ret == -ENOMEM)
		say(err, err_size,
		    "perf rings: no room for %zu kB a CPU: raise kernel.perf_event_mlock_kb or "
		    "RLIMIT_MEMLOCK (ulimit -l)",
		    opts->ring_min / 1024);
	else if (ret)
		say_open(err, err_size, ret);
	return ret;
}

static int poll_open(struct pgf_events *events)
{
	events->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (events->epoll < 0)
		return -errno;
	for (size_t i = 0; i < events->ring_count; i++) {
		struct epoll_event interest = {.events = EPOLLIN};

		if (epoll_ctl(events->epoll, EPOLL_CTL_ADD, events->rings[i].anchor, &interest) < 0)
			return -errno;
	}
	return 0;
}

static void templates_fill(struct pgf_events *events, const struct pgf_target *target, pid_t child,
                           const struct pgf_events_opts *opts)
{
	bool tasks = child > 0 || target->pid_count;

	events->with_lost = true;
	for (size_t i = 0; i < events->attr_count; i++) {
		struct perf_event_attr *attr = &events->attrs[i];

		*attr = opts->attrs[i];
		attr->sample_type |= PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
		attr->sample_id_all = 1;
		attr->use_clockid = 1;
		attr->clockid = CLOCK_MONOTONIC;
		attr->watermark = 1;
		attr->wakeup_watermark = (uint32_t)(events->ring_bytes / 4);
		attr->inherit = tasks;
		attr->read_format = PERF_FORMAT_LOST;
		attr->disabled = 1; /* until they have their ring */
	}
}

static int opened_add(struct pgf_events *events, int fd, uint32_t attr)
{
	if (events->open_count == events->open_room) {
		size_t room = events->open_room ? events->open_room * 2 : 64;
		struct opened *more = realloc(events->open, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		events->open = more;
		events->open_room = room;
	}
	events->open[events->open_count++] = (struct opened){.fd = fd, .attr = attr};
	return 0;
}

/* An older kernel. */
static void lost_forgo(struct pgf_events *events)
{
	events->with_lost = false;
	for (size_t i = 0; i < events->attr_count; i++)
		events->attrs[i].read_format = 0;
}

/* One template on one task (or -1, or a cgroup) and one CPU. */
static int event_open(struct pgf_events *events, uint32_t attr, pid_t pid, size_t ring,
                      unsigned long flags)
{
	const struct ring_slot *slot = &events->rings[ring];
	int fd = pgf_perf_open(&events->attrs[attr], pid, slot->cpu, flags);
	uint64_t id, value;
	int ret;

	if (fd == -EINVAL && events->with_lost) {
		lost_forgo(events);
		fd = pgf_perf_open(&events->attrs[attr], pid, slot->cpu, flags);
	}
	if (fd < 0)
		return fd;
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, slot->anchor) < 0 ||
	    ioctl(fd, PERF_EVENT_IOC_ID, &id) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	ret = opened_add(events, fd, attr);
	if (ret) {
		close(fd);
		return ret;
	}
	value = (flags & PERF_FLAG_PID_CGROUP) ? 0 : (uint32_t)pid;
	ret = pgf_idmap_put(&events->ids, id, value << 32 | attr);
	if (!ret && !events->held && ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
		ret = -errno;
	return ret;
}

/*
 * All templates on all CPUs. Where to begin changes from call to call: when threads are
 * replaced faster than one can be opened, their successors inherit a part each time.
 */
static int task_open(struct pgf_events *events, pid_t pid, unsigned long flags)
{
	size_t count = events->ring_count * events->attr_count;

	for (size_t i = 0; i < count; i++) {
		size_t at = (events->turn + i) % count;
		int ret = event_open(events, (uint32_t)(at % events->attr_count), pid,
		                     at / events->attr_count, flags);

		if (ret) {
			events->turn = at;
			return ret;
		}
	}
	return 0;
}

/* Looking for threads. */

struct births {
	struct pgf_events *events;
	bool found;
	int error;
};

/* A child of a followed thread is followed from its birth: its events are inherited. */
static int birth_note(void *ctx, const struct perf_event_header *record)
{
	struct births *births = ctx;
	const uint32_t *words = (const uint32_t *)(record + 1);
	struct record_id id;
	const uint64_t *since;

	/* { pid, ppid, tid, ptid, time } */
	if (record->type != PERF_RECORD_FORK || !pgf_set_trailer(record, &id) ||
	    record->size < sizeof(*record) + 24 + sizeof(id))
		return 0;
	since = pgf_idmap_get(&births->events->threads, words[3]);
	if (!since || id.time < *since + FORK_NS ||
	    pgf_idmap_get(&births->events->threads, words[2]))
		return 0;
	births->found = true;
	/* Inherited whole, so it counts from the parent's time. */
	births->error = pgf_idmap_put(&births->events->threads, words[2], *since);
	return births->error;
}

static int births_collect(struct pgf_events *events)
{
	struct births births = {.events = events};

	do {
		births.found = false;
		for (size_t i = 0; i < events->ring_count && !births.error; i++)
			pgf_ring_peek(events->rings[i].ring, birth_note, &births);
	} while (births.found && !births.error);
	return births.error;
}

static int thread_follow(struct pgf_events *events, pid_t tid)
{
	int ret = task_open(events, tid, 0);

	if (ret == -ESRCH)
		return 0;
	if (ret)
		return ret;
	return pgf_idmap_put(&events->threads, (uint64_t)tid, pgf_events_now());
}

/* How many threads there are now, from the links of /proc/PID/task. */
static size_t threads_count(DIR *dir)
{
	struct stat st;

	return fstat(dirfd(dir), &st) == 0 && st.st_nlink > 2 ? (size_t)st.st_nlink - 2 : 0;
}

/*
 * One look at a process's threads. Returns 0 when there was nothing new, 1 when there was
 * or the list was not whole (it ends early when a thread ends under it), or -errno.
 */
static int threads_scan(struct pgf_events *events, pid_t pid)
{
	size_t before, after, listed = 0;
	struct dirent *entry;
	char path[64];
	bool fresh = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	before = threads_count(dir);
	while ((entry = readdir(dir))) {
		long tid = strtol(entry->d_name, NULL, 10);
		int ret;

		listed += tid > 0;
		if (tid <= 0 || pgf_idmap_get(&events->threads, (uint64_t)tid))
			continue;
		ret = births_collect(events);
		if (!ret && pgf_idmap_get(&events->threads, (uint64_t)tid))
			continue;
		if (!ret)
			ret = thread_follow(events, (pid_t)tid);
		if (ret) {
			closedir(dir);
			return ret;
		}
		fresh = true;
	}
	after = threads_count(dir);
	closedir(dir);
	return fresh || listed < (before < after ? before : after);
}

static int pids_scan(struct pgf_events *events, const struct pgf_target *target, bool first,
                     char *err, size_t err_size)
{
	int fresh = 0;

	for (size_t i = 0; i < target->pid_count; i++) {
		int ret = threads_scan(events, target->pids[i]);

		if (ret == -ESRCH && !first)
			continue; /* it ended meanwhile */
		if (ret == -ESRCH)
			say(err, err_size, "process %d: there is no such process",
			    (int)target->pids[i]);
		else if (ret < 0)
			say_open(err, err_size, ret);
		if (ret < 0)
			return ret;
		fresh |= ret;
	}
	return fresh;
}

static int pids_open(struct pgf_events *events, const struct pgf_target *target, char *err,
                     size_t err_size)
{
	uint64_t begin = pgf_events_now();
	uint64_t quiet = begin; /* nothing new since then */
	uint64_t now;

	do {
		int ret = pids_scan(events, target, quiet == begin, err, err_size);

		if (ret < 0)
			return ret;
		now = pgf_events_now();
		if (ret)
			quiet = now;
		usleep(SCAN_EACH_US);
	} while (now - quiet < FORK_NS && now - begin < SCAN_NS);
	return 0;
}

static int cgroup_open(struct pgf_events *events, const char *path, bool whole, char *err,
                       size_t err_size)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (dir < 0) {
		ret = -errno;
		say(err, err_size, "%s: %s: give the directory of a cgroup", path, strerror(-ret));
		return ret;
	}
	ret = task_open(events, dir, PERF_FLAG_PID_CGROUP);
	close(dir);
	if ((ret == -EBADF || ret == -EINVAL) && whole)
		ret = task_open(events, -1, 0);
	else if (ret == -EBADF || ret == -EINVAL)
		ret = -ENOTSUP;
	if (ret == -ENOTSUP)
		say(err, err_size,
		    "%s: not in the hierarchy of the perf_event controller (or "
		    "CONFIG_CGROUP_PERF is off): use -p or the tracepoint tier",
		    path);
	else if (ret)
		say_open(err, err_size, ret);
	return ret;
}

static int target_open(struct pgf_events *events, const struct pgf_target *target, pid_t child,
                       const struct pgf_events_opts *opts, char *err, size_t err_size)
{
	int ret;

	if (child <= 0 && target->pid_count)
		return pids_open(events, target, err, err_size);
	if (child <= 0 && target->cgroup)
		return cgroup_open(events, target->cgroup, opts->cgroup_whole, err, err_size);
	ret = task_open(events, child > 0 ? child : -1, 0);
	if (ret)
		say_open(err, err_size, ret);
	return ret;
}

int pgf_events_open(struct pgf_events **out, const struct pgf_target *target, pid_t child,
                    const struct pgf_events_opts *opts, char *err, size_t err_size)
{
	struct pgf_events *events = calloc(1, sizeof(*events));
	int ret;

	if (!events)
		return -ENOMEM;
	events->epoll = -1;
	events->attr_count = opts->attr_count;
	events->attrs = calloc(opts->attr_count + 1, sizeof(*events->attrs));
	events->doubles = calloc(opts->attr_count + 1, sizeof(*events->doubles));
	events->by_thread = child <= 0 && target->pid_count;
	events->held = opts->held && !events->by_thread;
	ret = events->attrs && events->doubles ? 0 : -ENOMEM;
	if (!ret)
		ret = rings_fit(events, opts, err, err_size);
	if (!ret) {
		templates_fill(events, target, child, opts);
		ret = poll_open(events);
	}
	if (!ret)
		ret = target_open(events, target, child, opts, err, err_size);
	if (ret) {
		pgf_events_close(events);
		return ret;
	}
	*out = events;
	return 0;
}

int pgf_events_fd(const struct pgf_events *events)
{
	return events->epoll;
}

size_t pgf_events_rings(const struct pgf_events *events)
{
	return events->ring_count;
}

int pgf_events_start(struct pgf_events *events)
{
	for (size_t i = 0; i < events->open_count; i++)
		if (ioctl(events->open[i].fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
			return -errno;
	return 0;
}

void pgf_events_stop(struct pgf_events *events)
{
	for (size_t i = 0; i < events->open_count; i++)
		ioctl(events->open[i].fd, PERF_EVENT_IOC_DISABLE, 0);
	events->stopped = true;
}

void pgf_events_close(struct pgf_events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < events->open_count; i++)
		close(events->open[i].fd);
	rings_close(events);
	if (events->epoll >= 0)
		close(events->epoll);
	pgf_idmap_clear(&events->ids);
	pgf_idmap_clear(&events->threads);
	free(events->doubles);
	free(events->open);
	free(events->attrs);
	free(events);
}
