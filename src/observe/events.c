/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/events.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "observe/idmap.h"

/*
 * A record is published a moment after its time was taken; preemption is off in between,
 * but a virtual CPU may be away for longer.
 */
#define SETTLE_NS 10000000ull

/* No record of ours is longer: a mapping's with the longest path. */
#define RECORD_ROOM 4608

/* Births are told by the kernel after the first round, so that two or three are enough. */
#define SCAN_ROUNDS 64

struct ring_slot {
	struct pgf_ring *ring;
	int anchor; /* an event of our own thread that owns the ring: it never hangs up */
	int cpu;
};

struct opened {
	int fd;
	uint32_t attr;
};

struct pgf_events {
	struct ring_slot *rings;
	size_t ring_count;
	struct opened *open;
	size_t open_count;
	size_t open_room;
	struct perf_event_attr *attrs;
	size_t attr_count;
	struct pgf_idmap ids;     /* event id -> root << 32 | template */
	struct pgf_idmap threads; /* tid -> time from which it is followed on every CPU */
	struct pgf_idmap roots;   /* pids only: tid, CPU and template -> root that is listened to */
	uint64_t *doubles;        /* records of a template that came twice */
	uint64_t foreign;         /* records that are of no event of this set */
	size_t ring_bytes;
	int epoll;
	uint64_t lost;
	bool by_thread;
	bool with_lost; /* the events count what they lost (PERF_FORMAT_LOST, Linux 6.0) */
	bool stopped;
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

uint64_t pgf_events_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
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

/* Reads "0-3,8" and calls the ring maker for each CPU. */
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
		attr->disabled = child > 0 && opts->on_exec;
		attr->enable_on_exec = child > 0 && opts->on_exec;
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
	return pgf_idmap_put(&events->ids, id, value << 32 | attr);
}

static int task_open(struct pgf_events *events, pid_t pid, unsigned long flags)
{
	for (size_t ring = 0; ring < events->ring_count; ring++) {
		for (uint32_t attr = 0; attr < events->attr_count; attr++) {
			int ret = event_open(events, attr, pid, ring, flags);

			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Records. */

struct record_id {
	uint32_t pid, tid;
	uint64_t time;
	uint64_t id;
};

/* Every record but a sample ends with TID, TIME and IDENTIFIER. */
static bool trailer_read(const struct perf_event_header *header, struct record_id *out)
{
	if (header->size < sizeof(*header) + sizeof(*out))
		return false;
	memcpy(out, (const uint8_t *)header + header->size - sizeof(*out), sizeof(*out));
	return true;
}

/* A sample begins with IDENTIFIER, IP when asked for, TID and TIME. */
static bool sample_read(const struct pgf_events *events, const struct perf_event_header *header,
                        struct record_id *out)
{
	uint64_t words[5];
	const uint64_t *value, *rest = words + 1;

	if (header->size < sizeof(*header) + sizeof(words))
		return false;
	memcpy(words, header + 1, sizeof(words));
	out->id = words[0];
	value = pgf_idmap_get(&events->ids, out->id);
	if (value && (events->attrs[(uint32_t)*value].sample_type & PERF_SAMPLE_IP))
		rest++;
	memcpy(out, rest, 2 * sizeof(uint64_t));
	return true;
}

static bool record_read(const struct pgf_events *events, const struct perf_event_header *header,
                        struct record_id *out)
{
	return header->type == PERF_RECORD_SAMPLE ? sample_read(events, header, out)
	                                          : trailer_read(header, out);
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
	if (record->type != PERF_RECORD_FORK || !trailer_read(record, &id) ||
	    record->size < sizeof(*record) + 24 + sizeof(id))
		return 0;
	since = pgf_idmap_get(&births->events->threads, words[3]);
	if (!since || id.time < *since || pgf_idmap_get(&births->events->threads, words[2]))
		return 0;
	births->found = true;
	births->error = pgf_idmap_put(&births->events->threads, words[2], id.time);
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

/* One look at a process's threads. Returns how many are newly followed, or -errno. */
static int threads_scan(struct pgf_events *events, pid_t pid)
{
	struct dirent *entry;
	char path[64];
	int fresh = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while ((entry = readdir(dir))) {
		long tid = strtol(entry->d_name, NULL, 10);
		int ret;

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
		fresh++;
	}
	closedir(dir);
	return fresh;
}

static int pids_open(struct pgf_events *events, const struct pgf_target *target, char *err,
                     size_t err_size)
{
	int fresh = 1;

	for (unsigned int round = 0; fresh > 0 && round < SCAN_ROUNDS; round++) {
		fresh = 0;
		for (size_t i = 0; i < target->pid_count; i++) {
			int ret = threads_scan(events, target->pids[i]);

			if (ret == -ESRCH && round)
				continue; /* it ended meanwhile */
			if (ret == -ESRCH)
				say(err, err_size, "process %d: there is no such process",
				    (int)target->pids[i]);
			else if (ret < 0)
				say_open(err, err_size, ret);
			if (ret < 0)
				return ret;
			fresh += ret;
		}
	}
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
		    "CONFIG_CGROUP_PERF is off): use --pid or the tracepoint tier",
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
	events->attrs = calloc(opts->attr_count, sizeof(*events->attrs));
	events->doubles = calloc(opts->attr_count, sizeof(*events->doubles));
	events->by_thread = child <= 0 && target->pid_count;
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

/*
 * A thread that was born while its parent's events were being opened may have inherited
 * some of them and got its own besides: of each kind and CPU only one is listened to.
 */
static uint64_t root_key(uint32_t tid, uint32_t cpu, uint32_t attr)
{
	return (uint64_t)tid << 32 | (cpu & 0xffffff) << 8 | attr;
}

static int root_check(struct pgf_events *events, const struct pgf_event_record *record,
                      uint32_t root)
{
	uint64_t key = root_key(record->tid, record->cpu, record->attr);
	const uint64_t *chosen = pgf_idmap_get(&events->roots, key);

	if (!chosen)
		return pgf_idmap_put(&events->roots, key, root);
	return *chosen == root ? 0 : -EALREADY;
}

/* A tid may be used again. */
static void roots_forget(struct pgf_events *events, uint32_t tid)
{
	for (size_t i = 0; i < events->ring_count; i++)
		for (uint32_t attr = 0; attr < events->attr_count; attr++)
			pgf_idmap_del(&events->roots,
			              root_key(tid, (uint32_t)events->rings[i].cpu, attr));
}

struct drain_ctx {
	struct pgf_events *events;
	pgf_events_fn fn;
	void *ctx;
	uint32_t cpu;
};

static int drain_record(void *ctx, const struct perf_event_header *header)
{
	struct drain_ctx *drain = ctx;
	struct pgf_events *events = drain->events;
	struct pgf_event_record record = {.header = header, .cpu = drain->cpu};
	const uint64_t *value;
	struct record_id id;
	int ret;

	if (!record_read(events, header, &id) || !(value = pgf_idmap_get(&events->ids, id.id))) {
		events->foreign++;
		return 0;
	}
	record.time_ns = id.time;
	record.pid = id.pid;
	record.tid = id.tid;
	record.attr = (uint32_t)*value;
	if (events->by_thread && header->type != PERF_RECORD_LOST) {
		ret = root_check(events, &record, (uint32_t)(*value >> 32));
		if (ret == -EALREADY) {
			events->doubles[record.attr] += header->type == PERF_RECORD_SAMPLE;
			return 0;
		}
		if (ret)
			return ret;
	}
	ret = drain->fn(drain->ctx, &record);
	if (events->by_thread && header->size >= sizeof(*header) + 16 &&
	    (header->type == PERF_RECORD_EXIT || header->type == PERF_RECORD_FORK))
		roots_forget(events, ((const uint32_t *)(header + 1))[2]);
	return ret;
}

/* What a counter says: how often, and how many of its records were lost. */
struct reading {
	uint64_t value;
	uint64_t lost;
};

static int reading_get(const struct pgf_events *events, int fd, struct reading *out)
{
	ssize_t want = events->with_lost ? sizeof(*out) : sizeof(out->value);

	out->lost = 0;
	return read(fd, out, (size_t)want) == want ? 0 : -EIO;
}

/*
 * LOST records come with the next record that finds room. When there may be none, because
 * a ring was full just now, the events themselves are asked.
 */
static void lost_update(struct pgf_events *events, bool full)
{
	uint64_t told = events->foreign, counted = full && !events->with_lost;
	struct reading reading;

	for (size_t i = 0; i < events->ring_count; i++)
		told += pgf_ring_lost(events->rings[i].ring) +
		        pgf_ring_broken(events->rings[i].ring);
	for (size_t i = 0; full && events->with_lost && i < events->open_count; i++)
		if (reading_get(events, events->open[i].fd, &reading) == 0)
			counted += reading.lost;
	if (told < counted)
		told = counted;
	if (events->lost < told)
		events->lost = told;
}

int pgf_events_drain(struct pgf_events *events, pgf_events_fn fn, void *ctx, uint64_t *watermark_ns)
{
	/* Taken before the rings' heads are read: what is not seen now is younger. */
	uint64_t now = pgf_events_now();
	struct drain_ctx drain = {.events = events, .fn = fn, .ctx = ctx};
	bool full = false;
	int ret = 0;

	for (size_t i = 0; i < events->ring_count && !ret; i++) {
		full |= pgf_ring_pending(events->rings[i].ring) + RECORD_ROOM > events->ring_bytes;
		drain.cpu = (uint32_t)events->rings[i].cpu;
		ret = pgf_ring_drain(events->rings[i].ring, drain_record, &drain);
	}
	lost_update(events, full);
	*watermark_ns = events->stopped ? UINT64_MAX : now - SETTLE_NS;
	return ret;
}

int pgf_events_count(const struct pgf_events *events, size_t attr, uint64_t *count)
{
	*count = 0;
	for (size_t i = 0; i < events->open_count; i++) {
		struct reading reading;

		if (events->open[i].attr != attr)
			continue;
		if (reading_get(events, events->open[i].fd, &reading) < 0)
			return -EIO;
		*count += reading.value;
	}
	*count -= events->doubles[attr] < *count ? events->doubles[attr] : *count;
	return 0;
}

uint64_t pgf_events_lost(const struct pgf_events *events)
{
	return events->lost;
}

size_t pgf_events_ring_bytes(const struct pgf_events *events)
{
	return events->ring_count ? pgf_ring_bytes(events->rings[0].ring) : 0;
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
	pgf_idmap_clear(&events->roots);
	free(events->doubles);
	free(events->open);
	free(events->attrs);
	free(events);
}
