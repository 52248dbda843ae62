/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mappings of one process as a sorted array: what mmap, munmap, mprotect, mremap and
 * fork do to it.
 */
#include "observe/space_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAP_ID_FLAGS (MAP_SHARED | MAP_PRIVATE | MAP_HUGETLB)

/* Mappings. */

static bool has_file(const struct pgf_map *map)
{
	return map->ino || map->dev;
}

void pgf_range_account(struct pgf_space_map *map)
{
	if (has_file(&map->map) && map->map.prot & PROT_WRITE && !(map->map.flags & MAP_SHARED))
		map->accounted = true;
}

static void map_forget(struct pgf_space *space, struct pgf_space_map *map)
{
	space->maps[map->map.id - 1] = NULL;
	free(map);
}

static void map_end(struct pgf_space_map *map, uint64_t time_ns)
{
	map->map.dead_ns = time_ns ? time_ns : 1;
}

static void map_die(struct pgf_space *space, struct pgf_space_map *map, uint64_t time_ns)
{
	map_end(map, time_ns);
	if (!map->told)
		map_forget(space, map);
}

/* A new mapping like this one, with an id of its own. */
static struct pgf_space_map *map_make(struct pgf_space *space, const struct pgf_space_map *like)
{
	struct pgf_space_map *map;

	if (space->map_count == space->map_room) {
		uint32_t room = space->map_room ? space->map_room * 2 : 256;
		struct pgf_space_map **more;

		if (room <= space->map_room)
			return NULL;
		more = realloc(space->maps, room * sizeof(struct pgf_space_map *));
		if (!more)
			return NULL;
		space->maps = more;
		space->map_room = room;
	}
	map = malloc(sizeof(*map));
	if (!map)
		return NULL;
	*map = *like;
	map->told = false;
	space->maps[space->map_count++] = map;
	map->map.id = space->map_count;
	return map;
}

static void map_trim_front(struct pgf_space_map *map, uint64_t start)
{
	if (has_file(&map->map))
		map->map.pgoff += start - map->map.start;
	map->map.start = start;
}

/* The array. */

static int ranges_reserve(struct pgf_ranges *ranges, size_t more)
{
	size_t room = ranges->room ? ranges->room : 32;
	struct pgf_space_map **at;

	if (ranges->count + more <= ranges->room)
		return 0;
	while (room < ranges->count + more)
		room *= 2;
	at = realloc(ranges->at, room * sizeof(struct pgf_space_map *));
	if (!at)
		return -ENOMEM;
	ranges->at = at;
	ranges->room = room;
	return 0;
}

/* There is room. */
static void ranges_put(struct pgf_ranges *ranges, size_t index, struct pgf_space_map *map)
{
	memmove(ranges->at + index + 1, ranges->at + index,
	        (ranges->count - index) * sizeof(struct pgf_space_map *));
	ranges->at[index] = map;
	ranges->count++;
}

static void ranges_cut(struct pgf_ranges *ranges, size_t from, size_t to)
{
	memmove(ranges->at + from, ranges->at + to,
	        (ranges->count - to) * sizeof(struct pgf_space_map *));
	ranges->count -= to - from;
}

size_t pgf_ranges_seek(const struct pgf_ranges *ranges, uint64_t address)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ranges->at[mid]->map.end > address)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct pgf_space_map *pgf_ranges_at(const struct pgf_ranges *ranges, uint64_t address)
{
	size_t i = pgf_ranges_seek(ranges, address);

	return i < ranges->count && ranges->at[i]->map.start <= address ? ranges->at[i] : NULL;
}

struct pgf_space_map *pgf_ranges_reach(const struct pgf_ranges *ranges, uint64_t address)
{
	size_t i = pgf_ranges_seek(ranges, address);
	struct pgf_space_map *map;

	if (i == ranges->count)
		return NULL;
	map = ranges->at[i];
	if (map->map.start <= address)
		return map;
	if (map->map.type != PGF_MAP_STACK && !(map->map.flags & MAP_GROWSDOWN))
		return NULL;
	return map->map.start - address <= PGF_STACK_REACH ? map : NULL;
}

/* Whether the kernel would have made one mapping of two that touch. */
static bool can_join(const struct pgf_space_map *left, const struct pgf_space_map *right)
{
	const struct pgf_map *a = &left->map, *b = &right->map;

	if (left->accounted != right->accounted)
		return false;
	if (a->end != b->start || a->name != b->name || a->type != b->type || a->dev != b->dev ||
	    a->ino != b->ino || a->prot != b->prot || a->flags != b->flags || a->uffd != b->uffd ||
	    a->uffd_known != b->uffd_known || a->advice_huge != b->advice_huge)
		return false;
	return !has_file(a) || a->pgoff + (a->end - a->start) == b->pgoff;
}

/* Joins index with the next one, which ends. */
static bool join_next(struct pgf_space *space, struct pgf_ranges *ranges, size_t index,
                      uint64_t time_ns)
{
	struct pgf_space_map *map, *next;

	if (index + 1 >= ranges->count)
		return false;
	map = ranges->at[index];
	next = ranges->at[index + 1];
	if (!can_join(map, next))
		return false;
	map->map.end = next->map.end;
	ranges_cut(ranges, index + 1, index + 2);
	map_die(space, next, time_ns);
	return true;
}

/* Joins what can be joined among the mappings that touch [start, end]. */
static void join_all(struct pgf_space *space, struct pgf_ranges *ranges, uint64_t start,
                     uint64_t end, uint64_t time_ns)
{
	size_t i = pgf_ranges_seek(ranges, start ? start - 1 : 0);

	while (i + 1 < ranges->count && ranges->at[i]->map.start < end) {
		if (ranges->at[i]->map.end > end)
			return;
		if (!join_next(space, ranges, i, time_ns))
			i++;
	}
}

/* The part of a mapping behind address becomes a mapping of its own. */
static int split_at(struct pgf_space *space, struct pgf_ranges *ranges, uint64_t address)
{
	size_t i = pgf_ranges_seek(ranges, address);
	struct pgf_space_map *map, *rest;

	if (i == ranges->count || ranges->at[i]->map.start >= address)
		return 0;
	map = ranges->at[i];
	if (ranges_reserve(ranges, 1))
		return -ENOMEM;
	rest = map_make(space, map);
	if (!rest)
		return -ENOMEM;
	map_trim_front(rest, address);
	map->map.end = address;
	ranges_put(ranges, i + 1, rest);
	return 0;
}

/*
 * Takes everything out of [start, end): mappings wholly inside end, others are trimmed.
 * keep (may be NULL) is taken out whole, but lives on. *index: where a mapping of this
 * range has its place.
 */
static int carve(struct pgf_space *space, struct pgf_ranges *ranges, uint64_t start, uint64_t end,
                 const struct pgf_space_map *keep, uint64_t time_ns, size_t *index)
{
	size_t i = pgf_ranges_seek(ranges, start), j;

	if (i < ranges->count && ranges->at[i]->map.start < start && ranges->at[i] != keep) {
		if (ranges->at[i]->map.end > end && split_at(space, ranges, end))
			return -ENOMEM;
		ranges->at[i]->map.end = start;
		i++;
	}
	for (j = i; j < ranges->count && ranges->at[j]->map.end <= end; j++) {
		if (ranges->at[j] != keep)
			map_die(space, ranges->at[j], time_ns);
	}
	if (j < ranges->count && ranges->at[j]->map.start < end)
		map_trim_front(ranges->at[j], end);
	ranges_cut(ranges, i, j);
	*index = i;
	return 0;
}

/* mmap. */

static bool name_is_plain(const char *name)
{
	return !strcmp(name, "[anon]");
}

/* Whether a wish may be about this very mapping, seen again, moved in its bounds or protection. */
static bool is_like(const struct pgf_space_map *map, const struct pgf_wish *wish)
{
	const struct pgf_map *m = &map->map;

	if (m->dev != wish->dev || m->ino != wish->ino || (m->flags ^ wish->flags) & MAP_ID_FLAGS)
		return false;
	if (has_file(m))
		return m->pgoff - m->start == wish->pgoff - wish->start;
	if (m->name == wish->name)
		return true;
	/* perf does not tell the names that prctl(PR_SET_VMA) gives; maps does. */
	return m->type == PGF_MAP_ANON && wish->type == PGF_MAP_ANON &&
	       (name_is_plain(m->name) || name_is_plain(wish->name));
}

/*
 * The mapping that lives on in the wish, or NULL. One that reaches out of the wish and is
 * the same in all else is one with it: the wish is widened.
 */
static struct pgf_space_map *heir_find(const struct pgf_ranges *ranges, struct pgf_wish *wish)
{
	for (size_t i = pgf_ranges_seek(ranges, wish->start);
	     i < ranges->count && ranges->at[i]->map.start < wish->end; i++) {
		struct pgf_space_map *map = ranges->at[i];
		bool inside = map->map.start >= wish->start && map->map.end <= wish->end;

		if (!is_like(map, wish) || (!inside && map->map.prot != wish->prot))
			continue;
		if (map->map.start < wish->start) {
			if (has_file(&map->map))
				wish->pgoff -= wish->start - map->map.start;
			wish->start = map->map.start;
		}
		if (map->map.end > wish->end)
			wish->end = map->map.end;
		return map;
	}
	return NULL;
}

bool pgf_ranges_agree(const struct pgf_ranges *ranges, const struct pgf_wish *wish)
{
	for (size_t i = pgf_ranges_seek(ranges, wish->start);
	     i < ranges->count && ranges->at[i]->map.start < wish->end; i++) {
		if (!is_like(ranges->at[i], wish) || ranges->at[i]->map.prot != wish->prot)
			return false;
	}
	return true;
}

static size_t past_seek(const struct pgf_proc *proc, uint64_t address)
{
	size_t low = 0, high = proc->past_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (proc->past[mid].end > address)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* The mapping that was put aside and now comes back, or NULL. */
static struct pgf_space_map *heir_from_past(const struct pgf_proc *proc,
                                            const struct pgf_wish *wish)
{
	for (size_t i = past_seek(proc, wish->start);
	     i < proc->past_count && proc->past[i].start < wish->end; i++) {
		struct pgf_space_map *map = proc->past[i].map;

		if (map->map.dead_ns && is_like(map, wish)) {
			/* The past names it, too, so that it must not be freed at its end. */
			map->told = true;
			map->map.dead_ns = 0;
			map->map.start = wish->start;
			return map;
		}
	}
	return NULL;
}

static void heir_update(struct pgf_space_map *map, const struct pgf_wish *wish)
{
	struct pgf_map *m = &map->map;

	if (wish->start < m->start) {
		map->grown_ns = wish->time_ns;
		map->grown_from = m->start;
	}
	m->start = wish->start;
	m->end = wish->end;
	m->pgoff = wish->pgoff;
	m->prot = wish->prot;
	m->flags = wish->flags | (m->flags & MAP_GROWSDOWN);
	if (!name_is_plain(wish->name))
		m->name = wish->name;
	if (m->type == PGF_MAP_UNKNOWN || wish->type != PGF_MAP_UNKNOWN)
		m->type = wish->type;
	if (wish->fs != PGF_FS_UNKNOWN)
		map->fs = wish->fs;
	pgf_range_account(map);
}

static struct pgf_space_map *map_from_wish(struct pgf_space *space, uint32_t pid,
                                           const struct pgf_wish *wish)
{
	const struct pgf_space_map fresh = {
	        .map = {.pid = pid,
	                .start = wish->start,
	                .end = wish->end,
	                .pgoff = wish->pgoff,
	                .ino = wish->ino,
	                .born_ns = wish->time_ns,
	                .dev = wish->dev,
	                .prot = wish->prot,
	                .flags = wish->flags,
	                .type = wish->type,
	                .uffd_known = wish->uffd_known,
	                .name = wish->name},
	        .fs = wish->fs,
	};

	struct pgf_space_map *map = map_make(space, &fresh);

	if (map)
		pgf_range_account(map);
	return map;
}

int pgf_ranges_map(struct pgf_space *space, struct pgf_proc *proc, const struct pgf_wish *wish)
{
	struct pgf_ranges *live = &proc->live;
	struct pgf_wish want = *wish;
	struct pgf_space_map *map;
	size_t index;
	int ret;

	/* One for the wish, one for the far side of a mapping that it falls into. */
	ret = ranges_reserve(live, 2);
	if (ret)
		return ret;
	map = heir_find(live, &want);
	ret = carve(space, live, want.start, want.end, map, want.time_ns, &index);
	if (ret)
		return ret;
	if (!map)
		map = heir_from_past(proc, &want);
	if (!map)
		map = map_from_wish(space, proc->pid, &want);
	if (!map)
		return -ENOMEM;
	heir_update(map, &want);
	/* Nothing is joined here: perf and /proc tell of mappings as the kernel joined them. */
	ranges_put(live, index, map);
	return 0;
}

/* The other calls. */

int pgf_ranges_unmap(struct pgf_space *space, struct pgf_proc *proc, uint64_t start, uint64_t end,
                     uint64_t time_ns)
{
	size_t index;

	return carve(space, &proc->live, start, end, NULL, time_ns, &index);
}

int pgf_ranges_change(struct pgf_space *space, struct pgf_proc *proc,
                      const struct pgf_space_event *event, pgf_piece_fn fn)
{
	struct pgf_ranges *live = &proc->live;
	uint64_t start = event->addr, end = event->addr + event->len;
	int ret = split_at(space, live, start);

	if (!ret)
		ret = split_at(space, live, end);
	if (ret)
		return ret;
	for (size_t i = pgf_ranges_seek(live, start);
	     i < live->count && live->at[i]->map.start < end; i++)
		fn(live->at[i], event);
	join_all(space, live, start, end, event->time_ns);
	return 0;
}

/* mremap: it takes registrations away, unless the monitor asked for the event; so: unknown. */
static void uffd_lost(struct pgf_map *map)
{
	if (map->uffd)
		map->uffd_known = 0;
	map->uffd = 0;
}

static int resize(struct pgf_space *space, struct pgf_proc *proc,
                  const struct pgf_space_event *event)
{
	struct pgf_ranges *live = &proc->live;
	uint64_t old_end = event->addr + event->len, new_end = event->addr + event->new_len;
	struct pgf_space_map *map;
	int ret;

	if (new_end <= old_end)
		return pgf_ranges_unmap(space, proc, new_end, old_end, event->time_ns);
	map = pgf_ranges_at(live, old_end - 1);
	if (!map)
		return 0;
	ret = split_at(space, live, old_end);
	if (!ret)
		ret = pgf_ranges_unmap(space, proc, old_end, new_end, event->time_ns);
	if (ret)
		return ret;
	map->map.end = new_end;
	join_all(space, live, event->addr, new_end, event->time_ns);
	return 0;
}

/* What stays behind a mapping that was moved with MREMAP_DONTUNMAP. */
static int leave_behind(struct pgf_space *space, struct pgf_ranges *ranges, size_t from, size_t to,
                        uint64_t time_ns)
{
	for (size_t i = from; i < to; i++) {
		struct pgf_space_map *map = map_make(space, ranges->at[i]);

		if (!map)
			return -ENOMEM;
		map->map.born_ns = time_ns;
		/* The array's place takes the new one; the caller holds the old one. */
		ranges->at[i] = map;
	}
	return 0;
}

/*
 * Puts pieces that were cut out of [addr, addr + len) to their new places. Each takes the
 * place of what lay there; a hole between them does not (remap_move, mm/mremap.c, 6.17).
 */
static int put_moved(struct pgf_space *space, struct pgf_proc *proc, struct pgf_space_map **pieces,
                     size_t count, const struct pgf_space_event *event)
{
	uint64_t end = event->new_addr + event->new_len;
	bool longer = event->new_len > event->len;
	int ret = 0;

	for (size_t i = 0; i < count; i++) {
		struct pgf_map *m = &pieces[i]->map;
		uint64_t start = event->new_addr + (m->start - event->addr);
		uint64_t stop = start + (m->end - m->start);
		size_t index;

		if (ret || start >= end) {
			map_die(space, pieces[i], event->time_ns);
			continue;
		}
		m->start = start;
		m->end = stop > end || (longer && i + 1 == count) ? end : stop;
		uffd_lost(m);
		ret = ranges_reserve(&proc->live, 2);
		if (!ret)
			ret = carve(space, &proc->live, m->start, m->end, NULL, event->time_ns,
			            &index);
		if (!ret)
			ranges_put(&proc->live, index, pieces[i]);
		else
			map_die(space, pieces[i], event->time_ns);
	}
	join_all(space, &proc->live, event->new_addr, end, event->time_ns);
	return ret;
}

/* An old length of 0 makes a second view of a shared mapping (mremap(2)). */
static int duplicate(struct pgf_space *space, struct pgf_proc *proc,
                     const struct pgf_space_event *event)
{
	struct pgf_space_map *from = pgf_ranges_at(&proc->live, event->addr);
	struct pgf_space_map like;
	struct pgf_space_map *map;
	size_t index;
	int ret;

	if (!from)
		return 0;
	like = *from;
	map_trim_front(&like, event->addr);
	like.map.start = event->new_addr;
	like.map.end = event->new_addr + event->new_len;
	like.map.born_ns = event->time_ns;
	uffd_lost(&like.map);
	ret = ranges_reserve(&proc->live, 2);
	if (!ret)
		ret = carve(space, &proc->live, like.map.start, like.map.end, NULL, event->time_ns,
		            &index);
	if (ret)
		return ret;
	map = map_make(space, &like);
	if (!map)
		return -ENOMEM;
	ranges_put(&proc->live, index, map);
	return 0;
}

int pgf_ranges_move(struct pgf_space *space, struct pgf_proc *proc,
                    const struct pgf_space_event *event, bool keep)
{
	struct pgf_ranges *live = &proc->live;
	uint64_t start = event->addr, end = event->addr + event->len;
	struct pgf_space_map **pieces;
	size_t from, to;
	int ret;

	if (event->new_addr == event->addr)
		return event->len ? resize(space, proc, event) : 0;
	/* The kernel refuses a new place that overlaps the old one. */
	if (event->new_addr < end && event->new_addr + event->new_len > start)
		return 0;
	if (!event->len)
		return duplicate(space, proc, event);
	ret = split_at(space, live, start);
	if (!ret)
		ret = split_at(space, live, end);
	if (ret)
		return ret;
	from = pgf_ranges_seek(live, start);
	for (to = from; to < live->count && live->at[to]->map.start < end; to++)
		;
	if (from == to)
		return 0;
	pieces = malloc((to - from) * sizeof(struct pgf_space_map *));
	if (!pieces)
		return -ENOMEM;
	memcpy(pieces, live->at + from, (to - from) * sizeof(struct pgf_space_map *));
	if (!keep)
		ranges_cut(live, from, to);
	else
		ret = leave_behind(space, live, from, to, event->time_ns);
	if (!ret)
		ret = put_moved(space, proc, pieces, to - from, event);
	free(pieces);
	return ret;
}

int pgf_ranges_copy(struct pgf_space *space, const struct pgf_proc *from, struct pgf_proc *to,
                    uint64_t time_ns)
{
	int ret = ranges_reserve(&to->live, from->live.count);

	for (size_t i = 0; !ret && i < from->live.count; i++) {
		struct pgf_space_map *map = map_make(space, from->live.at[i]);

		if (!map)
			return -ENOMEM;
		map->map.pid = to->pid;
		map->map.born_ns = time_ns;
		/* A child has no registrations, unless the monitor asked for forks. */
		uffd_lost(&map->map);
		to->live.at[to->live.count++] = map;
	}
	return ret;
}

/* The past. */

int pgf_ranges_retire(struct pgf_space *space, struct pgf_proc *proc, uint64_t time_ns)
{
	struct pgf_ranges *live = &proc->live;

	pgf_past_forget(space, proc);
	if (!live->count)
		return 0;
	proc->past = malloc(live->count * sizeof(*proc->past));
	for (size_t i = 0; i < live->count; i++) {
		struct pgf_space_map *map = live->at[i];

		if (!proc->past) {
			map_die(space, map, time_ns);
			continue;
		}
		map_end(map, time_ns);
		proc->past[i] =
		        (struct pgf_past){.start = map->map.start, .end = map->map.end, .map = map};
	}
	proc->past_count = proc->past ? live->count : 0;
	live->count = 0;
	return proc->past ? 0 : -ENOMEM;
}

struct pgf_space_map *pgf_past_at(const struct pgf_proc *proc, uint64_t address)
{
	size_t i = past_seek(proc, address);

	if (i < proc->past_count && proc->past[i].start <= address)
		return proc->past[i].map;
	return NULL;
}

void pgf_past_forget(struct pgf_space *space, struct pgf_proc *proc)
{
	for (size_t i = 0; i < proc->past_count; i++) {
		struct pgf_space_map *map = proc->past[i].map;

		if (map->map.dead_ns && !map->told)
			map_forget(space, map);
	}
	free(proc->past);
	proc->past = NULL;
	proc->past_count = 0;
}
