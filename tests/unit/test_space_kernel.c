/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of address spaces against the kernel: the same calls go to both, and
 * /proc/PID/maps tells what is right.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fault/maps.h"
#include "space_events.h"

#define WINDOW 64u

struct world {
	struct pgf_space *space;
	uint8_t *base;
	int fd;
	struct stat st;
	uint64_t random;
	uint32_t moves;
	struct pgf_map_line lines[2048];
	size_t count;
};

static uint32_t roll(struct world *w, uint32_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (uint32_t)(w->random >> 33) % below;
}

static int keep_line(void *ctx, const struct pgf_map_line *line)
{
	struct world *w = ctx;

	w->lines[w->count++] = *line;
	return w->count == sizeof(w->lines) / sizeof(w->lines[0]) ? -ENOSPC : 0;
}

static const struct pgf_map_line *line_at(const struct world *w, uint64_t address)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->lines[i].start <= address && address < w->lines[i].end)
			return &w->lines[i];
	}
	return NULL;
}

static void assert_same(const struct pgf_map *map, const struct pgf_map_line *line,
                        uint64_t address)
{
	if (!map != !line)
		fail_msg("%llx: %s", (unsigned long long)address,
		         line ? "a mapping is missing" : "a mapping too many");
	if (!map || !line)
		return;
	assert_int_equal(map->prot, line->prot | PGF_MAP_PROT_KNOWN);
	assert_int_equal(map->flags & (MAP_SHARED | MAP_PRIVATE),
	                 line->shared ? MAP_SHARED : MAP_PRIVATE);
	assert_int_equal(map->ino, line->ino);
	assert_int_equal(map->dev, line->dev);
	if (line->ino)
		assert_int_equal(map->pgoff + (address - map->start),
		                 line->pgoff + (address - line->start));
}

static void world_compare(struct world *w)
{
	w->count = 0;
	assert_int_equal(pgf_maps_read_pid((uint32_t)getpid(), keep_line, w), 0);
	for (uint32_t i = 0; i < WINDOW; i++) {
		uint64_t address = (uintptr_t)w->base + i * PAGE;

		assert_same(pgf_space_find(w->space, 7, address), line_at(w, address), address);
	}
}

static uint32_t roll_prot(struct world *w)
{
	static const uint32_t prots[] = {PROT_NONE, PROT_READ, RW, PROT_READ | PROT_EXEC};

	return prots[roll(w, 4)];
}

static void step_mmap(struct world *w, uint32_t from, uint32_t pages)
{
	bool file = roll(w, 2), shared = roll(w, 2);
	uint32_t prot = roll_prot(w);
	uint64_t pgoff = file ? roll(w, 16) * PAGE : 0;
	uint8_t *at = w->base + from * PAGE;
	int flags = MAP_FIXED | (file && shared ? MAP_SHARED : MAP_PRIVATE) |
	            (file ? 0 : MAP_ANONYMOUS);

	assert_ptr_equal(mmap(at, pages * PAGE, (int)prot, flags, file ? w->fd : -1, (off_t)pgoff),
	                 at);
	apply(w->space, (struct pgf_space_event){
	                        .type = PGF_SPACE_MMAP,
	                        .pid = 7,
	                        .addr = (uintptr_t)at,
	                        .len = pages * PAGE,
	                        .prot = prot,
	                        .flags = (uint32_t)flags,
	                        .pgoff = pgoff,
	                        .ino = file ? w->st.st_ino : 0,
	                        .dev = file ? major(w->st.st_dev) << 20 | minor(w->st.st_dev) : 0,
	                        .name = file ? "/memfd:w (deleted)" : "//anon"});
}

static void step_mprotect(struct world *w, uint32_t from, uint32_t pages)
{
	uint32_t prot = roll_prot(w);
	uint8_t *at = w->base + from * PAGE;

	/* Over a hole it fails half-way, which no event tells. */
	for (uint32_t i = 0; i < pages; i++) {
		if (!pgf_space_find(w->space, 7, (uintptr_t)at + i * PAGE))
			return;
	}
	assert_int_equal(mprotect(at, pages * PAGE, (int)prot), 0);
	range_event(w->space, PGF_SPACE_MPROTECT, 7, (uintptr_t)at, pages * PAGE, prot);
}

static void step_munmap(struct world *w, uint32_t from, uint32_t pages)
{
	uint8_t *at = w->base + from * PAGE;

	assert_int_equal(munmap(at, pages * PAGE), 0);
	range_event(w->space, PGF_SPACE_MUNMAP, 7, (uintptr_t)at, pages * PAGE, 0);
}

/* What the kernel has now, after a call that may have failed half-way. */
static void world_again(struct world *w)
{
	uint64_t start = (uintptr_t)w->base, end = start + WINDOW * PAGE;

	w->count = 0;
	assert_int_equal(pgf_maps_read_pid((uint32_t)getpid(), keep_line, w), 0);
	task_event(w->space, PGF_SPACE_CLEAR, 0, 7, 7, NULL);
	for (size_t i = 0; i < w->count; i++) {
		const struct pgf_map_line *l = &w->lines[i];

		if (l->start < start || l->end > end)
			continue;
		apply(w->space,
		      (struct pgf_space_event){.type = PGF_SPACE_MMAP,
		                               .pid = 7,
		                               .addr = l->start,
		                               .len = l->end - l->start,
		                               .prot = l->prot,
		                               .flags = l->shared ? MAP_SHARED : MAP_PRIVATE,
		                               .pgoff = l->pgoff,
		                               .ino = l->ino,
		                               .dev = l->dev,
		                               .name = l->name});
	}
}

static void step_mremap(struct world *w, uint32_t from, uint32_t pages)
{
	uint32_t to = roll(w, WINDOW), to_pages = roll(w, 2) ? pages : 1 + roll(w, WINDOW - to);
	uint8_t *at = w->base + from * PAGE, *target = w->base + to * PAGE;

	if (to + to_pages > WINDOW)
		return;
	if (mremap(at, pages * PAGE, to_pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) ==
	    MAP_FAILED) {
		world_again(w);
		return;
	}
	w->moves++;
	apply(w->space, (struct pgf_space_event){.type = PGF_SPACE_MREMAP,
	                                         .pid = 7,
	                                         .addr = (uintptr_t)at,
	                                         .len = pages * PAGE,
	                                         .new_addr = (uintptr_t)target,
	                                         .new_len = to_pages * PAGE});
}

static void step_madvise(struct world *w, uint32_t from, uint32_t pages)
{
	int advice = roll(w, 2) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
	uint8_t *at = w->base + from * PAGE;

	if (madvise(at, pages * PAGE, advice))
		return;
	apply(w->space, (struct pgf_space_event){.type = PGF_SPACE_MADVISE,
	                                         .pid = 7,
	                                         .addr = (uintptr_t)at,
	                                         .len = pages * PAGE,
	                                         .advice = advice});
}

static void same_as_the_kernel(void **ctx)
{
	void (*const steps[])(struct world *, uint32_t, uint32_t) = {
	        step_mmap, step_mmap, step_munmap, step_mprotect, step_mremap, step_madvise};
	struct world *w = mmap(NULL, sizeof(*w), RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(w != MAP_FAILED);
	w->space = space_new();
	w->random = 0x9e3779b97f4a7c15ull;
	w->fd = memfd_create("w", MFD_CLOEXEC);
	assert_int_equal(ftruncate(w->fd, (off_t)(256 * PAGE)), 0);
	assert_int_equal(fstat(w->fd, &w->st), 0);
	/* Room that nothing else gets, also while it is unmapped: far from where mmap looks. */
	w->base = mmap((void *)(uintptr_t)0x200000000000, WINDOW * PAGE, PROT_NONE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_ptr_equal(w->base, (void *)(uintptr_t)0x200000000000);
	map_at(w->space, 7, (uintptr_t)w->base, WINDOW * PAGE, PROT_NONE, "//anon");
	for (int i = 0; i < 3000; i++) {
		uint32_t from = roll(w, WINDOW), pages = 1 + roll(w, WINDOW - from);

		if (roll(w, 2))
			pages = 1 + pages / 8;
		steps[roll(w, sizeof(steps) / sizeof(steps[0]))](w, from, pages);
		if (i % 4 == 0)
			world_compare(w);
	}
	world_compare(w);
	assert_true(w->moves > 20);
	munmap(w->base, WINDOW * PAGE);
	close(w->fd);
	pgf_space_free(w->space);
	munmap(w, sizeof(*w));
}

/* Reading /proc. */

struct told {
	size_t clears;
	size_t maps;
	size_t comms;
};

static void note_told(void *ctx, const struct pgf_space_event *event)
{
	struct told *told = ctx;

	told->clears += event->type == PGF_SPACE_CLEAR;
	told->maps += event->type == PGF_SPACE_MMAP;
	told->comms += event->type == PGF_SPACE_COMM;
}

/* A child that has made its mappings and stands still. */
static pid_t child_make(uint64_t *shared)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		uint8_t *at = mmap(NULL, 16 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		prctl(PR_SET_NAME, "a child");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		madvise(at, 16 * PAGE, MADV_NOHUGEPAGE);
		shared[0] = (uintptr_t)at;
		shared[1] = (uintptr_t)mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		/* Last, or it would be filled again. */
		munmap(at + 4 * PAGE, PAGE);
		shared[2] = (uintptr_t)&at;
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	return child;
}

static void child_end(pid_t child)
{
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static uint64_t *shared_page(void)
{
	uint64_t *page = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(page != MAP_FAILED);
	return page;
}

static void proc_fills_the_table(void **ctx)
{
	uint64_t *shared = shared_page();
	pid_t child = child_make(shared);
	uint32_t pid = (uint32_t)child;
	struct pgf_space *space = space_new();
	struct told told = {0};
	const struct pgf_map *map;
	struct world *w = calloc(1, sizeof(*w));
	uint32_t id;

	assert_non_null(w);
	pgf_space_tap(space, note_told, &told);
	assert_int_equal(pgf_space_read_proc(space, pid, 5), 0);
	assert_int_equal(pgf_maps_read_pid(pid, keep_line, w), 0);
	assert_int_equal(told.clears, 1);
	assert_int_equal(told.maps, w->count);
	assert_int_equal(told.comms, 1);
	assert_true(pgf_space_has(space, pid));
	assert_string_equal(pgf_space_comm(space, pid, pid), "a child");
	for (size_t i = 0; i < w->count; i++) {
		assert_same(pgf_space_find(space, pid, w->lines[i].start), &w->lines[i],
		            w->lines[i].start);
		assert_same(pgf_space_find(space, pid, w->lines[i].end - 1), &w->lines[i],
		            w->lines[i].end - 1);
	}
	map = pgf_space_find(space, pid, shared[0]);
	assert_range(map, shared[0], shared[0] + 4 * PAGE);
	assert_int_equal(map->type, PGF_MAP_ANON);
	assert_string_equal(map->name, "[anon]");
	assert_int_equal(map->advice_huge, 2);
	assert_int_equal(map->born_ns, 5);
	assert_null(pgf_space_find(space, pid, shared[0] + 4 * PAGE));
	assert_int_equal(pgf_space_find(space, pid, shared[1])->type, PGF_MAP_SHMEM);
	assert_int_equal(pgf_space_find(space, pid, shared[2])->type, PGF_MAP_STACK);
	id = map->id;
	assert_int_equal(pgf_space_read_proc(space, pid, 6), 0);
	assert_int_equal(pgf_space_find(space, pid, shared[0])->id, id);
	assert_int_equal(pgf_space_map(space, id)->dead_ns, 0);
	child_end(child);
	assert_int_equal(pgf_space_read_proc(space, pid, 7), -ESRCH);
	assert_non_null(pgf_space_find(space, pid, shared[0]));
	free(w);
	munmap(shared, PAGE);
	pgf_space_free(space);
}

static struct pgf_space *replay;

static void replay_event(void *ctx, const struct pgf_space_event *event)
{
	(void)ctx;
	assert_int_equal(pgf_space_apply(replay, event), 0);
}

static void replayed_events_make_the_same_table(void **ctx)
{
	uint64_t *shared = shared_page();
	pid_t child = child_make(shared);
	struct pgf_space *space = space_new();

	replay = space_new();
	pgf_space_offline(replay);
	pgf_space_tap(space, replay_event, NULL);
	assert_int_equal(pgf_space_read_proc(space, (uint32_t)child, 5), 0);
	child_end(child);
	assert_int_equal(pgf_space_map_count(space), pgf_space_map_count(replay));
	for (uint32_t id = 1; id <= pgf_space_map_count(space); id++) {
		const struct pgf_map *a = pgf_space_map(space, id);
		const struct pgf_map *b = pgf_space_map(replay, id);

		assert_int_equal(!a, !b);
		if (!a)
			continue;
		assert_range(b, a->start, a->end);
		assert_int_equal(a->prot, b->prot);
		assert_string_equal(a->name, b->name);
	}
	pgf_space_free(space);
	pgf_space_free(replay);
	munmap(shared, PAGE);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static void a_miss_looks_into_proc(void **ctx)
{
	uint64_t *shared = shared_page(), begin = now_ns();
	pid_t child = child_make(shared);
	struct pgf_space *space = space_new();
	struct told told = {0};
	struct pgf_fault fault = {
	        .pid = (uint32_t)child, .tid = (uint32_t)child, .access.address = shared[0]};

	pgf_space_tap(space, note_told, &told);
	pgf_space_name(space, &fault);
	assert_int_equal(told.comms, 1);
	assert_range(pgf_space_map(space, fault.map_id), shared[0], shared[0] + 4 * PAGE);
	assert_string_equal(fault.comm, "a child");
	fault.access.address = shared[0] + 4 * PAGE;
	for (int i = 0; i < 100; i++)
		pgf_space_name(space, &fault);
	assert_int_equal(fault.map_id, 0);
	assert_true(told.comms <= 1 + (now_ns() - begin) / 100000000);
	/* What is not of this machine is not looked up on it. */
	pgf_space_free(space);
	space = space_new();
	told.maps = 0;
	pgf_space_tap(space, note_told, &told);
	pgf_space_offline(space);
	fault.access.address = shared[0];
	pgf_space_name(space, &fault);
	assert_int_equal(fault.map_id, 0);
	assert_int_equal(told.maps, 0);
	assert_false(pgf_space_has(space, (uint32_t)child));
	child_end(child);
	pgf_space_free(space);
	munmap(shared, PAGE);
}

/* Faults are named some time after they happened: what has gone since was there then. */
static void a_miss_takes_nothing_away(void **ctx)
{
	uint64_t *shared = shared_page();
	pid_t child = child_make(shared);
	uint32_t pid = (uint32_t)child;
	struct pgf_space *space = space_new();
	struct pgf_fault fault = {.pid = pid, .tid = pid, .access.address = shared[0]};
	const struct pgf_map *gone, *other, *grown;
	const uint64_t at = shared[0];

	/* Unmapped since; mapped otherwise since; grown since at both ends. */
	map_at(space, pid, at + 4 * PAGE, PAGE, RW, "//anon");
	map_at(space, pid, at + 6 * PAGE, PAGE, PROT_READ, "/file");
	map_at(space, pid, at + 2 * PAGE, PAGE, RW, "//anon");
	gone = pgf_space_find(space, pid, at + 4 * PAGE);
	other = pgf_space_find(space, pid, at + 6 * PAGE);
	grown = pgf_space_find(space, pid, at + 2 * PAGE);
	pgf_space_name(space, &fault);
	assert_int_equal(fault.map_id, grown->id);
	assert_range(grown, at, at + 4 * PAGE);
	assert_range(gone, at + 4 * PAGE, at + 5 * PAGE);
	assert_int_equal(gone->dead_ns, 0);
	assert_range(other, at + 6 * PAGE, at + 7 * PAGE);
	assert_ptr_equal(pgf_space_find(space, pid, at + 6 * PAGE), other);
	assert_range(pgf_space_find(space, pid, at + 5 * PAGE), at + 5 * PAGE, at + 6 * PAGE);
	assert_range(pgf_space_find(space, pid, at + 7 * PAGE), at + 7 * PAGE, at + 16 * PAGE);
	child_end(child);
	pgf_space_free(space);
	munmap(shared, PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(same_as_the_kernel),
	        cmocka_unit_test(proc_fills_the_table),
	        cmocka_unit_test(replayed_events_make_the_same_table),
	        cmocka_unit_test(a_miss_looks_into_proc),
	        cmocka_unit_test(a_miss_takes_nothing_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
