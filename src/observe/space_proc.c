/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes, threads and names of a space table. */
#include "observe/space_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Names. */

static uint64_t text_hash(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ull;
	return hash ^ hash >> 32;
}

static char **name_slot(char **names, size_t room, const char *text)
{
	size_t i = text_hash(text) & (room - 1);

	while (names[i] && strcmp(names[i], text))
		i = (i + 1) & (room - 1);
	return &names[i];
}

static int names_grow(struct pgf_space *space)
{
	size_t room = space->name_room ? space->name_room * 2 : 256;
	char **names = calloc(room, sizeof(char *));

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < space->name_room; i++) {
		if (space->names[i])
			*name_slot(names, room, space->names[i]) = space->names[i];
	}
	free(space->names);
	space->names = names;
	space->name_room = room;
	return 0;
}

const char *pgf_name_intern(struct pgf_space *space, const char *text)
{
	char **slot;

	if (space->name_count * 2 >= space->name_room && names_grow(space))
		return NULL;
	slot = name_slot(space->names, space->name_room, text);
	if (!*slot) {
		*slot = strdup(text);
		if (*slot)
			space->name_count++;
	}
	return *slot;
}

/* Processes and threads. */

static void *pointer_get(const struct pgf_idmap *map, uint32_t key)
{
	const uint64_t *value = pgf_idmap_get(map, key);

	return value ? (void *)(uintptr_t)*value : NULL;
}

struct pgf_proc *pgf_proc_get(struct pgf_space *space, uint32_t pid, bool make)
{
	struct pgf_proc *proc;

	if (space->last && space->last->pid == pid)
		return space->last;
	proc = pointer_get(&space->procs, pid);
	if (!proc && make) {
		proc = calloc(1, sizeof(*proc));
		if (!proc)
			return NULL;
		proc->pid = pid;
		if (pgf_idmap_put(&space->procs, pid, (uintptr_t)proc)) {
			free(proc);
			return NULL;
		}
	}
	if (proc)
		space->last = proc;
	return proc;
}

static void comm_copy(char *to, const char *comm)
{
	size_t len = strnlen(comm, PGF_COMM_LEN - 1);

	memset(to, 0, PGF_COMM_LEN);
	memcpy(to, comm, len);
}

struct pgf_thread *pgf_thread_get(const struct pgf_space *space, uint32_t tid)
{
	return pointer_get(&space->threads, tid);
}

void pgf_thread_drop(struct pgf_space *space, struct pgf_thread *thread)
{
	if (thread->prev)
		thread->prev->next = thread->next;
	else
		thread->proc->threads = thread->next;
	if (thread->next)
		thread->next->prev = thread->prev;
	pgf_idmap_del(&space->threads, thread->tid);
	free(thread);
}

static void threads_drop(struct pgf_space *space, struct pgf_proc *proc)
{
	struct pgf_thread *thread = proc->threads;

	proc->threads = NULL;
	while (thread) {
		struct pgf_thread *next = thread->next;

		pgf_idmap_del(&space->threads, thread->tid);
		free(thread);
		thread = next;
	}
}

int pgf_proc_thread(struct pgf_space *space, struct pgf_proc *proc, uint32_t tid, const char *comm)
{
	struct pgf_thread *thread = pgf_thread_get(space, tid);

	if (thread && thread->proc != proc) {
		/* The number is in use again, and the end of its last bearer was not seen. */
		pgf_thread_drop(space, thread);
		thread = NULL;
	}
	if (!thread) {
		thread = calloc(1, sizeof(*thread));
		if (!thread)
			return -ENOMEM;
		thread->tid = tid;
		thread->proc = proc;
		if (pgf_idmap_put(&space->threads, tid, (uintptr_t)thread)) {
			free(thread);
			return -ENOMEM;
		}
		thread->next = proc->threads;
		if (thread->next)
			thread->next->prev = thread;
		proc->threads = thread;
	}
	comm_copy(thread->comm, comm);
	if (tid == proc->pid)
		comm_copy(proc->comm, comm);
	return 0;
}

int pgf_proc_end(struct pgf_space *space, struct pgf_proc *proc, uint64_t time_ns)
{
	uint32_t *slot = &space->late[space->late_next++ % PGF_SPACE_LATE];
	struct pgf_proc *oldest = *slot ? pointer_get(&space->procs, *slot) : NULL;

	if (oldest && oldest->dead && oldest != proc)
		pgf_past_forget(space, oldest);
	*slot = proc->pid;
	threads_drop(space, proc);
	proc->dead = true;
	return pgf_ranges_retire(space, proc, time_ns);
}

struct pgf_proc *pgf_proc_alive(struct pgf_space *space, uint32_t pid)
{
	struct pgf_proc *proc = pgf_proc_get(space, pid, true);

	if (!proc)
		return NULL;
	proc->known = true;
	proc->dead = false;
	return proc;
}

int pgf_proc_reset(struct pgf_space *space, struct pgf_proc *proc, uint64_t time_ns)
{
	int ret = 0;

	threads_drop(space, proc);
	if (proc->live.count)
		ret = pgf_ranges_retire(space, proc, time_ns);
	pgf_past_forget(space, proc);
	proc->leader_gone = false;
	proc->uffd_watched = false;
	proc->brk = 0;
	proc->last_read_ns = 0;
	proc->comm[0] = '\0';
	return ret;
}

static void proc_free(struct pgf_space *space, struct pgf_proc *proc)
{
	threads_drop(space, proc);
	free(proc->live.at);
	free(proc->past);
	free(proc);
}

void pgf_procs_free(struct pgf_space *space)
{
	for (size_t i = 0; i < space->procs.size; i++) {
		const struct pgf_idmap_slot *slot = &space->procs.slots[i];

		if (slot->key != PGF_IDMAP_EMPTY)
			proc_free(space, (struct pgf_proc *)(uintptr_t)slot->value);
	}
	pgf_idmap_clear(&space->procs);
	pgf_idmap_clear(&space->threads);
}

void pgf_names_free(struct pgf_space *space)
{
	for (size_t i = 0; i < space->name_room; i++)
		free(space->names[i]);
	free(space->names);
}
