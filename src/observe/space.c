/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of address spaces: its processes and threads, and what events do to them. */
#include "observe/space_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault/textline.h"

#define PROT_BITS ((uint32_t)(PROT_READ | PROT_WRITE | PROT_EXEC))

/* Types. */

/* A device number that was not met before: perhaps a mount of the process's own. */
static enum pgf_fs fs_learn(struct pgf_space *space, uint32_t pid, uint32_t dev)
{
	enum pgf_fs fs;
	int fd;

	fd = pgf_proc_open(pid, "mountinfo");
	if (fd < 0)
		return PGF_FS_UNKNOWN;
	if (pgf_mounts_add(space->mounts, fd)) {
		close(fd);
		return PGF_FS_UNKNOWN;
	}
	close(fd);
	if (!pgf_mounts_fs(space->mounts, dev, &fs))
		pgf_mounts_set(space->mounts, dev, fs);
	return fs;
}

static enum pgf_fs fs_of(struct pgf_space *space, uint32_t pid, uint32_t dev)
{
	enum pgf_fs fs = PGF_FS_UNKNOWN;

	if (!dev || space->offline)
		return fs;
	if (!space->mounts && pgf_mounts_new(&space->mounts))
		return fs;
	return pgf_mounts_fs(space->mounts, dev, &fs) ? fs : fs_learn(space, pid, dev);
}

/* MAP_* bits as a mapping keeps them. */
static uint32_t flags_of(uint32_t flags)
{
	uint32_t kept = flags & (uint32_t)(MAP_HUGETLB | MAP_GROWSDOWN | MAP_LOCKED);

	/* MAP_SHARED_VALIDATE has both bits. */
	if (flags & MAP_SHARED)
		return kept | MAP_SHARED;
	return kept | (flags & MAP_PRIVATE);
}

/* Events. */

bool pgf_wish_make(struct pgf_space *space, const struct pgf_proc *proc,
                   const struct pgf_space_event *event, struct pgf_wish *wish)
{
	const char *name = event->name ? event->name : "";
	enum pgf_map_type type;
	enum pgf_fs fs = fs_of(space, event->pid, event->dev);

	type = pgf_map_type_of(name, event->dev, event->ino, event->prot, event->flags, fs);
	if (type == PGF_MAP_ANON && (!*name || !strcmp(name, "//anon")))
		name = "[anon]";
	*wish = (struct pgf_wish){
	        .start = event->addr,
	        .end = event->addr + event->len,
	        .pgoff = event->dev || event->ino ? event->pgoff : 0,
	        .ino = event->ino,
	        .time_ns = event->time_ns,
	        .dev = event->dev,
	        .prot = (event->prot & PROT_BITS) | PGF_MAP_PROT_KNOWN,
	        .flags = flags_of(event->flags),
	        .name = pgf_name_intern(space, name),
	        .type = (uint8_t)type,
	        .fs = (uint8_t)fs,
	        .uffd_known = proc->uffd_watched,
	};
	return wish->name != NULL;
}

static int mmap_event(struct pgf_space *space, struct pgf_proc *proc,
                      const struct pgf_space_event *event)
{
	struct pgf_wish wish;

	if (!pgf_wish_make(space, proc, event, &wish))
		return -ENOMEM;
	return pgf_ranges_map(space, proc, &wish);
}

static void piece_protect(struct pgf_space_map *piece, const struct pgf_space_event *event)
{
	piece->map.prot = (event->prot & PROT_BITS) | PGF_MAP_PROT_KNOWN;
	pgf_range_account(piece);
}

static void piece_advise(struct pgf_space_map *piece, const struct pgf_space_event *event)
{
	piece->map.advice_huge = event->advice == MADV_HUGEPAGE ? 1 : 2;
}

static void piece_lock(struct pgf_space_map *piece, const struct pgf_space_event *event)
{
	(void)event;
	piece->map.flags |= MAP_LOCKED;
}

static void piece_register(struct pgf_space_map *piece, const struct pgf_space_event *event)
{
	piece->map.uffd = (uint8_t)event->flags;
	piece->map.uffd_known = 1;
}

static int uffd_event(struct pgf_space *space, struct pgf_proc *proc,
                      const struct pgf_space_event *event)
{
	if (event->len)
		return pgf_ranges_change(space, proc, event, piece_register);
	proc->uffd_watched = true;
	return 0;
}

static int brk_event(struct pgf_space *space, struct pgf_proc *proc,
                     const struct pgf_space_event *event)
{
	const struct pgf_ranges *live = &proc->live;
	struct pgf_space_event change = *event;
	uint64_t start = proc->brk, old = start;

	for (size_t i = 0; i < live->count; i++) {
		if (live->at[i]->map.type == PGF_MAP_HEAP) {
			start = live->at[i]->map.start;
			old = live->at[i]->map.end;
		}
	}
	proc->brk = event->addr;
	if (!old || old == event->addr)
		return 0;
	if (event->addr < old)
		return pgf_ranges_unmap(space, proc, event->addr, old, event->time_ns);
	change.type = PGF_SPACE_MMAP;
	change.addr = start;
	change.len = event->addr - start;
	change.prot = PROT_READ | PROT_WRITE;
	change.flags = MAP_PRIVATE;
	change.pgoff = change.ino = change.dev = 0;
	change.name = "[heap]";
	return mmap_event(space, proc, &change);
}

static int fork_event(struct pgf_space *space, const struct pgf_space_event *event)
{
	struct pgf_proc *parent = pgf_proc_get(space, event->ppid, true);
	struct pgf_proc *child;
	int ret;

	if (!parent)
		return -ENOMEM;
	if (event->pid == event->ppid)
		return pgf_proc_thread(space, parent, event->tid, parent->comm);
	child = pgf_proc_alive(space, event->pid);
	if (!child)
		return -ENOMEM;
	ret = pgf_proc_reset(space, child, event->time_ns);
	child->uffd_watched = parent->uffd_watched;
	child->brk = parent->brk;
	if (!ret)
		ret = pgf_proc_thread(space, child, event->tid, parent->comm);
	return ret ? ret : pgf_ranges_copy(space, parent, child, event->time_ns);
}

static int exec_event(struct pgf_space *space, struct pgf_proc *proc,
                      const struct pgf_space_event *event)
{
	bool watched = proc->uffd_watched;
	char comm[PGF_COMM_LEN];
	int ret;

	memcpy(comm, proc->comm, sizeof(comm));
	ret = pgf_proc_reset(space, proc, event->time_ns);
	proc->uffd_watched = watched;
	/* exec leaves one thread, with the number of the process. */
	return ret ? ret
	           : pgf_proc_thread(space, proc, event->pid, event->name ? event->name : comm);
}

static int exit_event(struct pgf_space *space, const struct pgf_space_event *event)
{
	struct pgf_proc *proc = pgf_proc_get(space, event->pid, false);
	struct pgf_thread *thread = pgf_thread_get(space, event->tid);

	if (!proc || proc->dead)
		return 0;
	if (thread && thread->proc == proc)
		pgf_thread_drop(space, thread);
	if (event->tid == event->pid)
		proc->leader_gone = true;
	if (!proc->leader_gone || proc->threads)
		return 0;
	return pgf_proc_end(space, proc, event->time_ns);
}

static int comm_event(struct pgf_space *space, struct pgf_proc *proc,
                      const struct pgf_space_event *event)
{
	return event->name ? pgf_proc_thread(space, proc, event->tid, event->name) : 0;
}

/* Rounds to whole pages, as the calls do. False for a range that no address space has. */
static bool range_round(uint64_t *addr, uint64_t *len)
{
	uint64_t mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;
	uint64_t start = *addr & ~mask, end;

	if (__builtin_add_overflow(*addr, *len, &end) || end > UINT64_MAX - mask)
		return false;
	end = (end + mask) & ~mask;
	*addr = start;
	*len = end - start;
	return true;
}

static int range_apply(struct pgf_space *space, struct pgf_proc *proc,
                       struct pgf_space_event *event)
{
	bool moves = event->type == PGF_SPACE_MREMAP;
	bool empty_ok = moves || event->type == PGF_SPACE_UFFD;

	if (!range_round(&event->addr, &event->len) || (!event->len && !empty_ok))
		return 0;
	if (moves && (!range_round(&event->new_addr, &event->new_len) || !event->new_len))
		return 0;
	switch (event->type) {
	case PGF_SPACE_MMAP:
		return mmap_event(space, proc, event);
	case PGF_SPACE_MUNMAP:
		return pgf_ranges_unmap(space, proc, event->addr, event->addr + event->len,
		                        event->time_ns);
	case PGF_SPACE_MPROTECT:
		return pgf_ranges_change(space, proc, event, piece_protect);
	case PGF_SPACE_MREMAP:
		return pgf_ranges_move(space, proc, event, event->flags & MREMAP_DONTUNMAP);
	case PGF_SPACE_MLOCK:
		return pgf_ranges_change(space, proc, event, piece_lock);
	case PGF_SPACE_UFFD:
		return uffd_event(space, proc, event);
	case PGF_SPACE_MADVISE:
		if (event->advice != MADV_HUGEPAGE && event->advice != MADV_NOHUGEPAGE)
			return 0;
		return pgf_ranges_change(space, proc, event, piece_advise);
	default:
		return 0;
	}
}

static int brk_apply(struct pgf_space *space, struct pgf_proc *proc, struct pgf_space_event *event)
{
	/* The break is any byte; the heap ends with its page. */
	event->len = 0;
	if (!range_round(&event->addr, &event->len))
		return 0;
	event->addr += event->len;
	return brk_event(space, proc, event);
}

int pgf_space_apply(struct pgf_space *space, const struct pgf_space_event *event)
{
	struct pgf_space_event copy = *event;
	struct pgf_proc *proc;

	if (event->type == PGF_SPACE_EXIT)
		return exit_event(space, event);
	if (event->type == PGF_SPACE_FORK)
		return fork_event(space, event);
	if (!event->type || event->type > PGF_SPACE_CLEAR)
		return 0;
	proc = pgf_proc_alive(space, event->pid);
	if (!proc)
		return -ENOMEM;
	switch (event->type) {
	case PGF_SPACE_EXEC:
		return exec_event(space, proc, event);
	case PGF_SPACE_COMM:
		return comm_event(space, proc, event);
	case PGF_SPACE_CLEAR:
		return pgf_ranges_retire(space, proc, event->time_ns);
	case PGF_SPACE_BRK:
		return brk_apply(space, proc, &copy);
	default:
		return range_apply(space, proc, &copy);
	}
}

/* The table. */

int pgf_space_new(struct pgf_space **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void pgf_space_free(struct pgf_space *space)
{
	if (!space)
		return;
	pgf_procs_free(space);
	pgf_names_free(space);
	for (uint32_t i = 0; i < space->map_count; i++)
		free(space->maps[i]);
	pgf_mounts_free(space->mounts);
	free(space->maps);
	free(space);
}

const struct pgf_map *pgf_space_tell(struct pgf_space_map *map)
{
	if (!map)
		return NULL;
	map->told = true;
	return &map->map;
}

const struct pgf_map *pgf_space_find(struct pgf_space *space, uint32_t pid, uint64_t address)
{
	struct pgf_proc *proc = pgf_proc_get(space, pid, false);

	return proc ? pgf_space_tell(pgf_ranges_reach(&proc->live, address)) : NULL;
}

const struct pgf_map *pgf_space_map(struct pgf_space *space, uint32_t id)
{
	return id && id <= space->map_count ? pgf_space_tell(space->maps[id - 1]) : NULL;
}

uint32_t pgf_space_map_count(const struct pgf_space *space)
{
	return space->map_count;
}

const char *pgf_space_comm(struct pgf_space *space, uint32_t pid, uint32_t tid)
{
	const struct pgf_proc *proc = pgf_proc_get(space, pid, false);
	const struct pgf_thread *thread = pgf_thread_get(space, tid);

	if (proc && thread && thread->proc == proc && thread->comm[0])
		return thread->comm;
	return proc && proc->comm[0] ? proc->comm : "?";
}

bool pgf_space_has(struct pgf_space *space, uint32_t pid)
{
	const struct pgf_proc *proc = pgf_proc_get(space, pid, false);

	return proc && proc->known && !proc->dead;
}

void pgf_space_offline(struct pgf_space *space)
{
	space->offline = true;
}

void pgf_space_tap(struct pgf_space *space, pgf_space_tap_fn fn, void *ctx)
{
	space->tap = fn;
	space->tap_ctx = ctx;
}
