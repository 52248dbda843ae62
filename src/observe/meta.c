/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/meta.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault/maps.h"
#include "observe/events.h"
#include "observe/idmap.h"

/* Of perf_event_mlock_kb (516 by default) a CPU, the rest is left to the faults. */
#define RING_BYTES      (128u << 10)
#define RING_BYTES_ROOT (512u << 10)
#define RING_BYTES_MIN  (16u << 10)

struct ended {
	uint64_t time_ns;
	uint32_t tid;
};

struct pgf_meta {
	struct pgf_events *events;
	struct pgf_feed feed;
	struct pgf_totals *totals;
	uint64_t lost_told;
	bool by_task;
	struct pgf_idmap exec_ns; /* tid -> its last exec */
	struct pgf_idmap mmap_ns; /* tid -> its last mapping */
	struct ended *ended;      /* exits to be judged when all that came before is seen */
	size_t ended_count;
	size_t ended_room;
};

/* Payloads of include/uapi/linux/perf_event.h, behind the header. */
struct mmap2_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t maj, min;
	uint64_t ino, generation;
	uint32_t prot, flags;
	char name[];
};

struct comm_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	char comm[];
};

struct task_record {
	struct perf_event_header header;
	uint32_t pid, ppid, tid, ptid;
	uint64_t time;
};

static int send(struct pgf_meta *meta, const struct pgf_space_event *event)
{
	return meta->feed.space ? meta->feed.space(meta->feed.ctx, event) : 0;
}

/* Whether a string that begins at offset ends inside the record. */
static bool string_ends(const struct perf_event_header *header, size_t offset)
{
	return header->size > offset &&
	       memchr((const char *)header + offset, '\0', header->size - offset);
}

static int mmap_send(struct pgf_meta *meta, const struct pgf_event_record *record)
{
	const struct mmap2_record *map = (const struct mmap2_record *)record->header;
	struct pgf_space_event event = {
	        .type = PGF_SPACE_MMAP,
	        .time_ns = record->time_ns,
	        .exit_code = -1,
	};

	if (!string_ends(record->header, sizeof(*map)))
		return 0;
	event.pid = map->pid;
	event.tid = map->tid;
	event.addr = map->addr;
	event.len = map->len;
	event.ino = map->ino;
	event.dev = map->maj << 20 | (map->min & 0xfffff);
	event.prot = map->prot;
	event.flags = map->flags;
	event.name = map->name;
	/* Without a file the kernel's number is a page index of the address. */
	if (map->ino || map->maj || map->min)
		event.pgoff = map->pgoff;
	if (meta->by_task && pgf_idmap_put(&meta->mmap_ns, map->tid, record->time_ns) < 0)
		return -ENOMEM;
	return send(meta, &event);
}

static int comm_send(struct pgf_meta *meta, const struct pgf_event_record *record)
{
	const struct comm_record *comm = (const struct comm_record *)record->header;
	bool exec = record->header->misc & PERF_RECORD_MISC_COMM_EXEC;
	struct pgf_space_event event = {
	        .type = exec ? PGF_SPACE_EXEC : PGF_SPACE_COMM,
	        .time_ns = record->time_ns,
	        .exit_code = -1,
	};

	if (!string_ends(record->header, sizeof(*comm)))
		return 0;
	event.pid = comm->pid;
	event.tid = comm->tid;
	event.name = comm->comm;
	if (exec && meta->by_task && pgf_idmap_put(&meta->exec_ns, comm->tid, record->time_ns) < 0)
		return -ENOMEM;
	return send(meta, &event);
}

static int ended_add(struct pgf_meta *meta, uint32_t tid, uint64_t time_ns)
{
	if (meta->ended_count == meta->ended_room) {
		size_t room = meta->ended_room ? meta->ended_room * 2 : 64;
		struct ended *more = realloc(meta->ended, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		meta->ended = more;
		meta->ended_room = room;
	}
	meta->ended[meta->ended_count++] = (struct ended){.time_ns = time_ns, .tid = tid};
	return 0;
}

static int task_send(struct pgf_meta *meta, const struct pgf_event_record *record)
{
	const struct task_record *task = (const struct task_record *)record->header;
	bool fork = record->header->type == PERF_RECORD_FORK;
	struct pgf_space_event event = {
	        .type = fork ? PGF_SPACE_FORK : PGF_SPACE_EXIT,
	        .time_ns = record->time_ns,
	        .exit_code = -1,
	};

	if (record->header->size < sizeof(*task))
		return 0;
	event.pid = task->pid;
	event.tid = task->tid;
	event.ppid = task->ppid;
	if (!fork && meta->by_task && ended_add(meta, task->tid, record->time_ns) < 0)
		return -ENOMEM;
	return send(meta, &event);
}

static int record_send(void *ctx, const struct pgf_event_record *record)
{
	struct pgf_meta *meta = ctx;

	switch (record->header->type) {
	case PERF_RECORD_MMAP2:
		return mmap_send(meta, record);
	case PERF_RECORD_COMM:
		return comm_send(meta, record);
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		return task_send(meta, record);
	default:
		return 0;
	}
}

/*
 * When a program is set-uid or not readable, the kernel takes the events off the task at
 * exec, which looks like an exit: one that comes after the exec and before the first
 * mapping of the new program (begin_new_exec, fs/exec.c).
 */
static bool ended_by_exec(const struct pgf_meta *meta, const struct ended *ended)
{
	const uint64_t *exec = pgf_idmap_get(&meta->exec_ns, ended->tid);
	const uint64_t *map = pgf_idmap_get(&meta->mmap_ns, ended->tid);

	return exec && *exec <= ended->time_ns && !(map && *map > *exec);
}

static void ended_judge(struct pgf_meta *meta, uint64_t watermark_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < meta->ended_count; i++) {
		const struct ended *ended = &meta->ended[i];

		if (ended->time_ns > watermark_ns) {
			meta->ended[kept++] = *ended;
			continue;
		}
		if (ended_by_exec(meta, ended))
			meta->totals->events_dropped_at_exec = true;
		pgf_idmap_del(&meta->exec_ns, ended->tid);
		pgf_idmap_del(&meta->mmap_ns, ended->tid);
	}
	meta->ended_count = kept;
}

/* What was there before: /proc/PID/maps and the names of the threads. */

struct snapshot {
	struct pgf_meta *meta;
	uint64_t time_ns;
	uint32_t pid;
};

static int snapshot_map(void *ctx, const struct pgf_map_line *line)
{
	struct snapshot *snapshot = ctx;
	struct pgf_space_event event = {
	        .type = PGF_SPACE_MMAP,
	        .time_ns = snapshot->time_ns,
	        .pid = snapshot->pid,
	        .tid = snapshot->pid,
	        .addr = line->start,
	        .len = line->end - line->start,
	        .pgoff = line->pgoff,
	        .ino = line->ino,
	        .dev = line->dev,
	        .prot = line->prot,
	        .flags = line->shared ? MAP_SHARED : MAP_PRIVATE,
	        .exit_code = -1,
	        .name = line->name[0] ? line->name : "//anon",
	};

	return send(snapshot->meta, &event);
}

static int snapshot_comm(const struct snapshot *snapshot, long tid)
{
	struct pgf_space_event event = {
	        .type = PGF_SPACE_COMM,
	        .time_ns = snapshot->time_ns,
	        .pid = snapshot->pid,
	        .tid = (uint32_t)tid,
	        .exit_code = -1,
	};
	char path[64], comm[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/task/%ld/comm", snapshot->pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0; /* the thread has ended */
	got = read(fd, comm, sizeof(comm) - 1);
	close(fd);
	if (got <= 0)
		return 0;
	comm[got] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	event.name = comm;
	return send(snapshot->meta, &event);
}

static int snapshot_comms(const struct snapshot *snapshot)
{
	struct dirent *entry;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/task", snapshot->pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		long tid = strtol(entry->d_name, NULL, 10);

		if (tid > 0)
			ret = snapshot_comm(snapshot, tid);
	}
	closedir(dir);
	return ret;
}

/*
 * Stamped with the time before the reading begins: records of changes made meanwhile are
 * younger and are applied on top, which brings the same end whether the file showed them
 * or not.
 */
static int snapshot_send(struct pgf_meta *meta, pid_t pid, char *err, size_t err_size)
{
	struct snapshot snapshot = {
	        .meta = meta, .time_ns = pgf_events_now(), .pid = (uint32_t)pid};
	struct pgf_space_event clear = {
	        .type = PGF_SPACE_CLEAR,
	        .time_ns = snapshot.time_ns,
	        .pid = snapshot.pid,
	        .tid = snapshot.pid,
	        .exit_code = -1,
	};
	int ret = send(meta, &clear);

	if (!ret)
		ret = pgf_maps_read_pid(snapshot.pid, snapshot_map, &snapshot);
	if (ret)
		snprintf(err, err_size, "/proc/%d/maps: %s", (int)pid,
		         ret < 0 ? strerror(-ret) : "not delivered");
	return ret ? ret : snapshot_comms(&snapshot);
}

int pgf_meta_open(struct pgf_meta **out, const struct pgf_target *target, pid_t child,
                  const struct pgf_feed *feed, struct pgf_totals *totals, char *err,
                  size_t err_size)
{
	/* A dummy counts nothing, so exclude_kernel costs nothing and needs no privilege. */
	const struct perf_event_attr attr = {
	        .type = PERF_TYPE_SOFTWARE,
	        .config = PERF_COUNT_SW_DUMMY,
	        .exclude_kernel = 1,
	        .exclude_hv = 1,
	        .mmap = 1,
	        .mmap_data = 1,
	        .mmap2 = 1,
	        .comm = 1,
	        .comm_exec = 1,
	        .task = 1,
	};
	const struct pgf_events_opts opts = {
	        .attrs = &attr,
	        .attr_count = 1,
	        .ring_bytes = geteuid() ? RING_BYTES : RING_BYTES_ROOT,
	        .ring_min = RING_BYTES_MIN,
	        .cgroup_whole = true,
	};
	struct pgf_meta *meta = calloc(1, sizeof(*meta));
	int ret;

	if (!meta)
		return -ENOMEM;
	meta->feed = *feed;
	meta->totals = totals;
	meta->by_task = child > 0 || target->pid_count;
	ret = pgf_events_open(&meta->events, target, child, &opts, err, err_size);
	for (size_t i = 0; !ret && child <= 0 && i < target->pid_count; i++)
		ret = snapshot_send(meta, target->pids[i], err, err_size);
	if (ret) {
		pgf_meta_close(meta);
		return ret;
	}
	*out = meta;
	return 0;
}

size_t pgf_meta_fds(struct pgf_meta *meta, int *fds, size_t size)
{
	if (size == 0)
		return 0;
	fds[0] = pgf_events_fd(meta->events);
	return 1;
}

int pgf_meta_drain(struct pgf_meta *meta, uint64_t *watermark_ns)
{
	int ret = pgf_events_drain(meta->events, record_send, meta, watermark_ns);
	uint64_t lost = pgf_events_lost(meta->events);

	meta->totals->lost_space += lost - meta->lost_told;
	meta->lost_told = lost;
	ended_judge(meta, *watermark_ns);
	return ret;
}

void pgf_meta_close(struct pgf_meta *meta)
{
	if (!meta)
		return;
	pgf_events_close(meta->events);
	pgf_idmap_clear(&meta->exec_ns);
	pgf_idmap_clear(&meta->mmap_ns);
	free(meta->ended);
	free(meta);
}
