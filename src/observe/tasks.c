/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/tasks.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "observe/counters.h"
#include "observe/taskstats.h"

enum task_state {
	TASK_FREE = 0,
	TASK_LIVE = 1,
	TASK_EARLY = 2, /* its exit was reported before its fork was read */
	TASK_GONE = 3   /* a removed entry: probing goes on past it */
};

struct task {
	uint32_t tid;
	uint32_t pid;
	uint32_t state;
	int exit_code;     /* GONE, EARLY: wait status, -1 not known */
	uint64_t base_min; /* LIVE: baseline; EARLY: the final counters */
	uint64_t base_maj;
};

struct pgf_tasks {
	struct pgf_taskstats *stats;
	struct task *slots;
	size_t room; /* a power of two */
	size_t used; /* including GONE */
	uint64_t min;
	uint64_t maj;
	uint64_t tasks;
	uint64_t lost;
	uint64_t end_ns; /* tasks born later are not counted; 0: not frozen yet */
};

int pgf_tasks_new(struct pgf_tasks **out)
{
	struct pgf_tasks *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->room = 1024;
	t->slots = calloc(t->room, sizeof(*t->slots));
	if (!t->slots) {
		free(t);
		return -ENOMEM;
	}
	if (pgf_taskstats_open(&t->stats))
		t->stats = NULL;
	*out = t;
	return 0;
}

void pgf_tasks_free(struct pgf_tasks *t)
{
	if (!t)
		return;
	pgf_taskstats_close(t->stats);
	free(t->slots);
	free(t);
}

bool pgf_tasks_exact(const struct pgf_tasks *t)
{
	return t->stats != NULL;
}

static struct task *task_find(struct pgf_tasks *t, uint32_t tid)
{
	for (size_t i = tid * 2654435761u;; i++) {
		struct task *slot = &t->slots[i & (t->room - 1)];

		if (slot->state == TASK_FREE)
			return NULL;
		if (slot->state != TASK_GONE && slot->tid == tid)
			return slot;
	}
}

static struct task *task_place(struct pgf_tasks *t, uint32_t tid)
{
	for (size_t i = tid * 2654435761u;; i++) {
		struct task *slot = &t->slots[i & (t->room - 1)];

		if (slot->state == TASK_FREE) {
			t->used++;
			slot->tid = tid;
			return slot;
		}
	}
}

static int tasks_grow(struct pgf_tasks *t)
{
	struct task *old = t->slots;
	size_t old_room = t->room;

	t->slots = calloc(old_room * 2, sizeof(*t->slots));
	if (!t->slots) {
		t->slots = old;
		return -ENOMEM;
	}
	t->room = old_room * 2;
	t->used = 0;
	for (size_t i = 0; i < old_room; i++)
		if (old[i].state == TASK_LIVE || old[i].state == TASK_EARLY)
			*task_place(t, old[i].tid) = old[i];
	free(old);
	return 0;
}

static struct task *task_add(struct pgf_tasks *t, uint32_t pid, uint32_t tid, enum task_state state)
{
	struct task *task;

	if (t->used * 4 >= t->room * 3 && tasks_grow(t))
		return NULL;
	task = task_place(t, tid);
	task->pid = pid;
	task->state = state;
	task->exit_code = -1;
	task->base_min = 0;
	task->base_maj = 0;
	return task;
}

int pgf_tasks_adopt(struct pgf_tasks *t, uint32_t pid, uint32_t tid)
{
	struct task *task;
	uint64_t min, maj;
	int ret = pgf_counters_task((pid_t)pid, (pid_t)tid, &min, &maj);

	if (ret)
		return ret;
	if (task_find(t, tid))
		return 0;
	task = task_add(t, pid, tid, TASK_LIVE);
	if (!task)
		return -ENOMEM;
	task->base_min = min;
	task->base_maj = maj;
	return 0;
}

int pgf_tasks_adopt_process(struct pgf_tasks *t, uint32_t pid)
{
	char path[64];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!ret && (entry = readdir(dir))) {
		unsigned long tid = strtoul(entry->d_name, NULL, 10);

		if (tid)
			ret = pgf_tasks_adopt(t, pid, (uint32_t)tid);
		if (ret == -ESRCH || ret == -ENOENT)
			ret = 0;
	}
	closedir(dir);
	return ret;
}

void pgf_tasks_rebase(struct pgf_tasks *t)
{
	for (size_t i = 0; i < t->room; i++) {
		struct task *task = &t->slots[i];

		if (task->state == TASK_LIVE)
			pgf_counters_task((pid_t)task->pid, (pid_t)task->tid, &task->base_min,
			                  &task->base_maj);
	}
}

int pgf_tasks_event(struct pgf_tasks *t, const struct pgf_space_event *event)
{
	struct task *task;

	if (event->type != PGF_SPACE_FORK || (t->end_ns && event->time_ns > t->end_ns))
		return 0;
	task = task_find(t, event->tid);
	if (task && task->state == TASK_EARLY) {
		t->min += task->base_min;
		t->maj += task->base_maj;
		t->tasks++;
		task->state = TASK_GONE;
		return 0;
	}
	if (task)
		return 0;
	return task_add(t, event->pid, event->tid, TASK_LIVE) ? 0 : -ENOMEM;
}

static void task_exited(void *ctx, const struct pgf_exit_stats *stats)
{
	struct pgf_tasks *t = ctx;
	struct task *task = task_find(t, (uint32_t)stats->tid);

	if (task)
		task->exit_code = stats->exit_code;
	if (!task) {
		task = task_add(t, (uint32_t)stats->pid, (uint32_t)stats->tid, TASK_EARLY);
		if (!task) {
			t->lost++;
			return;
		}
		task->base_min = stats->minflt;
		task->base_maj = stats->majflt;
		task->exit_code = stats->exit_code;
		return;
	}
	if (task->state == TASK_EARLY) { /* a reused tid of a stranger */
		task->base_min = stats->minflt;
		task->base_maj = stats->majflt;
		return;
	}
	t->min += stats->minflt - task->base_min;
	t->maj += stats->majflt - task->base_maj;
	t->tasks++;
	task->state = TASK_GONE;
}

int pgf_tasks_drain(struct pgf_tasks *t)
{
	if (!t->stats)
		return 0;
	return pgf_taskstats_drain(t->stats, task_exited, t);
}

int pgf_tasks_exit_code(const struct pgf_tasks *t, uint32_t tid)
{
	int code = -1;

	for (size_t i = tid * 2654435761u;; i++) {
		const struct task *task = &t->slots[i & (t->room - 1)];

		if (task->state == TASK_FREE)
			return code;
		if (task->tid == tid)
			code = task->exit_code;
	}
}

int pgf_tasks_baseline(const struct pgf_tasks *t, uint32_t tid, uint64_t *min, uint64_t *maj)
{
	const struct task *task = task_find((struct pgf_tasks *)t, tid);

	if (!task || task->state != TASK_LIVE)
		return -ESRCH;
	*min = task->base_min;
	*maj = task->base_maj;
	return 0;
}

/*
 * A thread that executed a program took its leader's number: its exit was reported under a
 * number that had been reported before.
 */
static bool task_renamed(struct pgf_tasks *t, struct task *task)
{
	struct task *leader = task->tid == task->pid ? NULL : task_find(t, task->pid);

	if (!leader || leader->state != TASK_EARLY)
		return false;
	t->min += leader->base_min - task->base_min;
	t->maj += leader->base_maj - task->base_maj;
	t->tasks++;
	leader->state = TASK_GONE;
	task->state = TASK_GONE;
	return true;
}

/* Takes the counters of tasks that still live; returns how many could not be read. */
static uint64_t tasks_read_live(struct pgf_tasks *t)
{
	uint64_t missed = 0;

	for (size_t i = 0; i < t->room; i++) {
		struct task *task = &t->slots[i];
		uint64_t min, maj;

		if (task->state != TASK_LIVE)
			continue;
		if (pgf_counters_task((pid_t)task->pid, (pid_t)task->tid, &min, &maj)) {
			missed += !task_renamed(t, task);
			continue;
		}
		t->min += min - task->base_min;
		t->maj += maj - task->base_maj;
		t->tasks++;
		task->state = TASK_GONE;
	}
	return missed;
}

void pgf_tasks_freeze(struct pgf_tasks *t, uint64_t end_ns)
{
	t->end_ns = end_ns;
	tasks_read_live(t);
}

void pgf_tasks_finish(struct pgf_tasks *t, struct pgf_totals *totals)
{
	uint64_t missed = tasks_read_live(t);

	/* One that ends right now is in neither place for a moment. */
	for (int i = 0; missed && t->stats && i < 20; i++) {
		struct timespec ts = {.tv_nsec = 5000000};

		nanosleep(&ts, NULL);
		if (pgf_tasks_drain(t))
			break;
		missed = tasks_read_live(t);
	}
	totals->task_min = t->min;
	totals->task_maj = t->maj;
	totals->tasks = t->tasks;
	totals->tasks_missed = missed + t->lost;
	if (t->stats)
		totals->tasks_missed += pgf_taskstats_overflows(t->stats);
	totals->task_known = totals->tasks_missed == 0 && t->tasks > 0;
}
