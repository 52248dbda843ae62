/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc tells of an address space, as events into the table. */
#include "observe/space_table.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault/smaps.h"
#include "fault/textline.h"

/*
 * Above this much resident memory smaps is left out: the kernel walks every page for it
 * (about 8 ms a GiB) and holds up the process's own calls meanwhile.
 */
#define SMAPS_RESIDENT_MAX (1ull << 30)

struct gathered {
	struct pgf_space *space;
	struct pgf_space_event *events;
	size_t count;
	size_t room;
	uint32_t pid;
	uint64_t time_ns;
};

static int gather(struct gathered *all, const struct pgf_space_event *event)
{
	struct pgf_space_event *slot;

	if (all->count == all->room) {
		size_t room = all->room ? all->room * 2 : 128;
		struct pgf_space_event *more = realloc(all->events, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		all->events = more;
		all->room = room;
	}
	slot = &all->events[all->count++];
	*slot = *event;
	slot->pid = slot->tid = all->pid;
	slot->time_ns = all->time_ns;
	slot->exit_code = -1;
	return 0;
}

static uint32_t flags_of(uint64_t vma)
{
	return (vma & PGF_VMA_GD ? MAP_GROWSDOWN : 0u) | (vma & PGF_VMA_LO ? MAP_LOCKED : 0u) |
	       (vma & PGF_VMA_HT ? MAP_HUGETLB : 0u);
}

static int gather_line(struct gathered *all, const struct pgf_map_line *line, uint64_t vma)
{
	struct pgf_space_event event = {
	        .type = PGF_SPACE_MMAP,
	        .addr = line->start,
	        .len = line->end - line->start,
	        .pgoff = line->pgoff,
	        .ino = line->ino,
	        .dev = line->dev,
	        .prot = line->prot,
	        .flags = (line->shared ? MAP_SHARED : MAP_PRIVATE) | flags_of(vma),
	        .name = pgf_name_intern(all->space, line->name),
	};

	return event.name ? gather(all, &event) : -ENOMEM;
}

static int gather_advice(struct gathered *all, const struct pgf_map_line *line, uint64_t vma)
{
	struct pgf_space_event event = {
	        .type = PGF_SPACE_MADVISE,
	        .addr = line->start,
	        .len = line->end - line->start,
	        .advice = vma & PGF_VMA_HG ? MADV_HUGEPAGE : MADV_NOHUGEPAGE,
	};

	return vma & (PGF_VMA_HG | PGF_VMA_NH) ? gather(all, &event) : 0;
}

static int gather_uffd(struct gathered *all, const struct pgf_map_line *line, uint64_t vma)
{
	struct pgf_space_event event = {
	        .type = PGF_SPACE_UFFD,
	        .addr = line->start,
	        .len = line->end - line->start,
	        .flags = (vma & PGF_VMA_UM ? UFFDIO_REGISTER_MODE_MISSING : 0u) |
	                 (vma & PGF_VMA_UW ? UFFDIO_REGISTER_MODE_WP : 0u) |
	                 (vma & PGF_VMA_UI ? UFFDIO_REGISTER_MODE_MINOR : 0u),
	};

	return event.flags ? gather(all, &event) : 0;
}

static int on_map(void *ctx, const struct pgf_map_line *line)
{
	return gather_line(ctx, line, 0);
}

static int on_entry(void *ctx, const struct pgf_map_line *line, const struct pgf_smaps *smaps)
{
	int ret = gather_line(ctx, line, smaps->vma);

	if (!ret)
		ret = gather_advice(ctx, line, smaps->vma);
	return ret ? ret : gather_uffd(ctx, line, smaps->vma);
}

/* One line of a small file of /proc, without its newline. */
static int text_read(uint32_t pid, const char *name, char *buf, size_t size)
{
	int fd = pgf_proc_open(pid, name);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

static bool smaps_is_cheap(uint32_t pid)
{
	uint64_t total, resident;
	char text[128];

	if (text_read(pid, "statm", text, sizeof(text)) ||
	    sscanf(text, "%" SCNu64 " %" SCNu64, &total, &resident) != 2)
		return false;
	return resident <= SMAPS_RESIDENT_MAX / (uint64_t)sysconf(_SC_PAGESIZE);
}

static int maps_gather(struct gathered *all, bool deep)
{
	int ret;

	if (deep && smaps_is_cheap(all->pid))
		ret = pgf_smaps_read_pid(all->pid, on_entry, all);
	else
		ret = pgf_maps_read_pid(all->pid, on_map, all);
	if (ret)
		return ret;
	/* A zombie, or a kernel thread: there is no address space. */
	return all->count ? 0 : -ESRCH;
}

static int emit(struct pgf_space *space, const struct pgf_space_event *event)
{
	int ret = pgf_space_apply(space, event);

	if (!ret && space->tap)
		space->tap(space->tap_ctx, event);
	return ret;
}

/* The events put the address space in the place of what the table has. */
static int replace(struct pgf_space *space, const struct gathered *all)
{
	struct pgf_space_event clear = {.type = PGF_SPACE_CLEAR,
	                                .pid = all->pid,
	                                .tid = all->pid,
	                                .time_ns = all->time_ns,
	                                .exit_code = -1};
	int ret = emit(space, &clear);

	for (size_t i = 0; !ret && i < all->count; i++)
		ret = emit(space, &all->events[i]);
	return ret;
}

/* Adds the parts of a mapping that lie where the table has nothing. */
static int fill_gaps(struct pgf_space *space, const struct pgf_proc *proc,
                     const struct pgf_space_event *event)
{
	uint64_t at = event->addr, end = event->addr + event->len;
	int ret = 0;

	while (!ret && at < end) {
		size_t i = pgf_ranges_seek(&proc->live, at);
		const struct pgf_map *next = i < proc->live.count ? &proc->live.at[i]->map : NULL;
		struct pgf_space_event part = *event;
		uint64_t stop = next && next->start < end ? next->start : end;

		if (stop > at) {
			part.addr = at;
			part.len = stop - at;
			part.pgoff += at - event->addr;
			ret = emit(space, &part);
			at = stop;
		} else {
			at = next->end;
		}
	}
	return ret;
}

/*
 * The table may stand some time behind /proc: what it has was right for the faults that
 * are named now, also where it has gone since. So only what it lacks is added.
 */
static int fill(struct pgf_space *space, const struct gathered *all)
{
	struct pgf_proc *proc = pgf_proc_alive(space, all->pid);
	int ret = proc ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < all->count; i++) {
		const struct pgf_space_event *event = &all->events[i];
		struct pgf_wish wish;

		if (!pgf_wish_make(space, proc, event, &wish))
			return -ENOMEM;
		if (pgf_ranges_agree(&proc->live, &wish))
			ret = emit(space, event);
		else
			ret = fill_gaps(space, proc, event);
	}
	return ret;
}

static int maps_read(struct pgf_space *space, uint32_t pid, uint64_t time_ns, bool deep)
{
	struct gathered all = {.space = space, .pid = pid, .time_ns = time_ns};
	int ret = maps_gather(&all, deep);

	if (!ret)
		ret = deep ? replace(space, &all) : fill(space, &all);
	free(all.events);
	return ret;
}

static int comm_read(struct pgf_space *space, uint32_t pid, uint32_t tid, uint64_t time_ns)
{
	char name[32], text[64];
	struct pgf_space_event event = {
	        .type = PGF_SPACE_COMM,
	        .time_ns = time_ns,
	        .pid = pid,
	        .tid = tid,
	        .exit_code = -1,
	        .name = text,
	};

	snprintf(name, sizeof(name), "task/%u/comm", tid);
	/* A thread that ended meanwhile needs no name. */
	return text_read(pid, name, text, sizeof(text)) ? 0 : emit(space, &event);
}

static int comms_read(struct pgf_space *space, uint32_t pid, uint64_t time_ns)
{
	struct dirent *entry;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!ret && (entry = readdir(dir))) {
		unsigned long tid = strtoul(entry->d_name, NULL, 10);

		if (tid && tid <= INT32_MAX)
			ret = comm_read(space, pid, (uint32_t)tid, time_ns);
	}
	closedir(dir);
	return ret;
}

int pgf_space_read(struct pgf_space *space, uint32_t pid, uint64_t time_ns, bool deep)
{
	int ret = maps_read(space, pid, time_ns, deep);

	if (ret)
		return ret;
	return deep ? comms_read(space, pid, time_ns) : comm_read(space, pid, pid, time_ns);
}

int pgf_space_read_proc(struct pgf_space *space, uint32_t pid, uint64_t time_ns)
{
	return pgf_space_read(space, pid, time_ns, true);
}
