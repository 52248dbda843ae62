/* SPDX-License-Identifier: BSD-2-Clause */
/* Names faults: what is known of the access, its mapping and its window, through decide.h. */
#include "observe/space_table.h"

#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <pgfault/decide.h>

#define READ_EVERY_NS 100000000ull

/* User space ends below these: with four levels of tables, and with any number of them. */
#define USER_END_4 ((1ull << 47) - 4096)
#define KERNEL_BIT (1ull << 63)

#define VSYSCALL_PAGE 0xffffffffff600000ull

/* The state. */

static void set(struct pgf_state *state, uint64_t bit, bool yes)
{
	state->known |= bit;
	state->yes = yes ? state->yes | bit : state->yes & ~bit;
}

static void state_from_code(struct pgf_state *state, const struct pgf_access *access)
{
	static const struct {
		uint32_t code;
		uint64_t bit;
	} rows[] = {
	        {PGF_EC_PRESENT, PGF_S_PRESENT}, {PGF_EC_WRITE, PGF_S_WRITE},
	        {PGF_EC_USER, PGF_S_USER_MODE},  {PGF_EC_FETCH, PGF_S_EXEC},
	        {PGF_EC_RSVD, PGF_S_RSVD},       {PGF_EC_PK, PGF_S_PK},
	        {PGF_EC_SHSTK, PGF_S_SHSTK},     {PGF_EC_SGX, PGF_S_SGX},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (access->known & rows[i].code)
			set(state, rows[i].bit, access->bits & rows[i].code);
	}
}

static void state_from_access(struct pgf_state *state, const struct pgf_access *access)
{
	state_from_code(state, access);
	if (access->op != PGF_OP_UNKNOWN) {
		set(state, PGF_S_WRITE, access->op == PGF_OP_WRITE);
		set(state, PGF_S_EXEC, access->op == PGF_OP_EXEC);
	}
	if (access->mode != PGF_MODE_UNKNOWN)
		set(state, PGF_S_USER_MODE, access->mode == PGF_MODE_USER);
	if (access->address < USER_END_4)
		set(state, PGF_S_KERNEL_ADDR, false);
	else if (access->address & KERNEL_BIT)
		set(state, PGF_S_KERNEL_ADDR, true);
	if ((access->address & ~0xfffull) != VSYSCALL_PAGE)
		set(state, PGF_S_VSYSCALL, false);
	set(state, PGF_S_FIXUP, true);
	/* Page faults are disabled by kernel code only. */
	if (access->mode == PGF_MODE_USER)
		set(state, PGF_S_NOFAULT, false);
}

/* A PMD-sized page needs its whole range inside the mapping; no PMD is below 2 MiB. */
static bool huge_fits(const struct pgf_map *map, uint64_t address)
{
	uint64_t size = 2ull << 20, start = address & ~(size - 1);

	return start >= map->start && map->end - start >= size;
}

static void state_from_type(struct pgf_state *state, const struct pgf_space_map *map)
{
	bool anon = map->map.type == PGF_MAP_ANON || map->map.type == PGF_MAP_HEAP ||
	            map->map.type == PGF_MAP_STACK;

	switch (map->map.type) {
	case PGF_MAP_UNKNOWN:
		return;
	case PGF_MAP_SPECIAL:
		/* [vdso], [vvar]: pages of the kernel's own, behind operations of their own. */
		set(state, PGF_S_ANON, false);
		set(state, PGF_S_SHMEM, false);
		set(state, PGF_S_HUGETLB, false);
		return;
	case PGF_MAP_FILE:
		/* A file of an unknown device may well be on tmpfs or dax. */
		set(state, PGF_S_ANON, false);
		set(state, PGF_S_HUGETLB, false);
		if (map->fs != PGF_FS_UNKNOWN)
			set(state, PGF_S_SHMEM, false);
		if (map->fs == PGF_FS_DISK || map->fs == PGF_FS_FILE)
			set(state, PGF_S_DEVICE, false);
		break;
	default:
		set(state, PGF_S_ANON, anon);
		set(state, PGF_S_SHMEM, map->map.type == PGF_MAP_SHMEM);
		set(state, PGF_S_HUGETLB, map->map.type == PGF_MAP_HUGETLB);
		set(state, PGF_S_DEVICE, map->map.type == PGF_MAP_DEVICE);
		break;
	}
	/* File systems with write-back are told of the first write to each clean page. */
	if (map->fs == PGF_FS_DISK && map->map.type == PGF_MAP_FILE)
		set(state, PGF_S_MKWRITE, map->map.flags & MAP_SHARED);
}

static void state_from_uffd(struct pgf_state *state, const struct pgf_space_map *map)
{
	const struct pgf_map *m = &map->map;
	uint64_t yes = 0;

	if (m->uffd & UFFDIO_REGISTER_MODE_MISSING)
		yes |= PGF_S_UFFD_MISSING;
	if (m->uffd & UFFDIO_REGISTER_MODE_WP)
		yes |= PGF_S_UFFD_WP;
	if (m->uffd & UFFDIO_REGISTER_MODE_MINOR)
		yes |= PGF_S_UFFD_MINOR;
	state->known |= yes;
	state->yes |= yes;
	if (m->uffd_known)
		state->known |= PGF_S_UFFD_MISSING | PGF_S_UFFD_WP | PGF_S_UFFD_MINOR;
	/*
	 * Ordinary files can be registered for asynchronous write-protection only
	 * (vma_can_userfault, include/linux/userfaultfd_k.h, 6.18).
	 */
	if (m->type == PGF_MAP_FILE && map->fs != PGF_FS_UNKNOWN && !yes) {
		set(state, PGF_S_UFFD_MISSING, false);
		set(state, PGF_S_UFFD_MINOR, false);
		set(state, PGF_S_UFFD_ASYNC, true);
	}
}

/* Whether a huge page may come here; elsewhere than in anonymous memory nothing is known. */
static void state_from_thp(struct pgf_state *state, const struct pgf_space *space,
                           const struct pgf_map *map, uint64_t address)
{
	bool anon = map->type == PGF_MAP_ANON || map->type == PGF_MAP_HEAP;

	if (map->advice_huge == 2 || !huge_fits(map, address) ||
	    (anon && space->thp == PGF_THP_NEVER) ||
	    (anon && space->thp == PGF_THP_MADVISE && space->advice_watched && !map->advice_huge))
		set(state, PGF_S_THP, false);
	else if (anon && (space->thp == PGF_THP_ALWAYS ||
	                  (space->thp == PGF_THP_MADVISE && map->advice_huge == 1)))
		set(state, PGF_S_THP, true);
}

static void state_from_map(struct pgf_state *state, const struct pgf_space *space,
                           const struct pgf_space_map *map, const struct pgf_fault *fault)
{
	const struct pgf_map *m = &map->map;

	if (fault->access.address >= m->start || fault->evidence & PGF_O_COMPLETED)
		set(state, PGF_S_VMA, true);
	if (m->prot & PGF_MAP_PROT_KNOWN) {
		set(state, PGF_S_VM_READ, m->prot & PROT_READ);
		set(state, PGF_S_VM_WRITE, m->prot & PROT_WRITE);
		set(state, PGF_S_VM_EXEC, m->prot & PROT_EXEC);
	}
	if (m->flags & (MAP_SHARED | MAP_PRIVATE))
		set(state, PGF_S_VM_SHARED, m->flags & MAP_SHARED);
	state_from_type(state, map);
	state_from_uffd(state, map);
	state_from_thp(state, space, m, fault->access.address);
	/* An access that was served in a mapping that is not writable was no write. */
	if (fault->evidence & PGF_O_COMPLETED && !(state->known & PGF_S_WRITE) &&
	    m->prot & PGF_MAP_PROT_KNOWN && !(m->prot & PROT_WRITE))
		set(state, PGF_S_WRITE, false);
	/* Neither is there an older one: the kernel splits huge entries where mappings end. */
	if (m->type != PGF_MAP_HUGETLB && !huge_fits(m, fault->access.address))
		state->level = PGF_LEVEL_PTE;
}

/* The window. */

static const struct {
	uint64_t evidence;
	uint32_t flag;
} evidence_flags[] = {
        {PGF_O_MAJOR, PGF_F_MAJOR},
        {PGF_O_CACHE_ADD, PGF_F_CACHE_MISS},
        {PGF_O_BIO, PGF_F_IO},
        {PGF_O_RECLAIM, PGF_F_RECLAIM},
        {PGF_O_COMPACT, PGF_F_COMPACT},
        {PGF_O_MIGRATE, PGF_F_MIGRATED},
        {PGF_O_MAP_PAGES, PGF_F_FAULT_AROUND},
        {PGF_O_ALLOC_LARGE, PGF_F_LARGE},
        {PGF_O_LOCK_WAIT, PGF_F_LOCK_WAIT},
        {PGF_O_SLEPT, PGF_F_SLEPT},
        {PGF_O_RETRY, PGF_F_RETRY},
        {PGF_O_SIGSEGV | PGF_O_SIGBUS | PGF_O_FAILED | PGF_O_OOM, PGF_F_FAILED},
};

static void flags_from_evidence(struct pgf_fault *fault)
{
	for (size_t i = 0; i < sizeof(evidence_flags) / sizeof(evidence_flags[0]); i++) {
		if (fault->evidence & evidence_flags[i].evidence)
			fault->flags |= evidence_flags[i].flag;
	}
}

/* perf tells of a growth inside the fault that caused it; other tiers leave it to us. */
static bool is_growth(const struct pgf_space_map *map, const struct pgf_fault *fault)
{
	uint64_t address = fault->access.address;

	if (map->map.type != PGF_MAP_STACK && !(map->map.flags & MAP_GROWSDOWN))
		return false;
	if (!(fault->evidence & PGF_O_COMPLETED))
		return false;
	if (address < map->map.start)
		return true;
	return map->grown_ns && address < map->grown_from && map->grown_ns >= fault->time_ns &&
	       map->grown_ns - fault->time_ns <= fault->duration_ns;
}

/* The mapping. */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* Looks into /proc for a process whose mapping is missing, but not for each of its faults. */
static bool read_again(struct pgf_space *space, struct pgf_proc *proc, uint64_t time_ns)
{
	uint64_t now = now_ns();

	if (proc->last_read_ns && now - proc->last_read_ns < READ_EVERY_NS)
		return false;
	proc->last_read_ns = now;
	return pgf_space_read(space, proc->pid, time_ns, false) == 0;
}

static struct pgf_space_map *map_of(struct pgf_space *space, const struct pgf_fault *fault)
{
	uint64_t address = fault->access.address;
	struct pgf_proc *proc;
	struct pgf_space_map *map;

	if (!fault->pid || address & KERNEL_BIT)
		return NULL;
	proc = pgf_proc_get(space, fault->pid, !space->offline);
	if (!proc)
		return NULL;
	map = pgf_ranges_reach(&proc->live, address);
	if (!map && proc->dead)
		return pgf_past_at(proc, address);
	if (!map && !space->offline && read_again(space, proc, fault->time_ns))
		map = pgf_ranges_reach(&proc->live, address);
	return map;
}

static void comm_fill(struct pgf_space *space, struct pgf_fault *fault)
{
	const char *comm = pgf_space_comm(space, fault->pid, fault->tid);

	if (fault->comm[0] && !strcmp(comm, "?"))
		return;
	memset(fault->comm, 0, sizeof(fault->comm));
	memcpy(fault->comm, comm, strnlen(comm, sizeof(fault->comm) - 1));
}

/* The kind. */

static pgf_set leaves_of(const struct pgf_space *space, const struct pgf_state *state,
                         const struct pgf_outcome *outcome)
{
	pgf_set leaves = pgf_narrow(pgf_decide(state), state, outcome);

	return leaves & ~space->impossible ? leaves & ~space->impossible : leaves;
}

static void kind_settle(const struct pgf_space *space, struct pgf_fault *fault,
                        const struct pgf_space_map *map)
{
	const struct pgf_outcome outcome = {.known = fault->evidence_known | fault->evidence,
	                                    .yes = fault->evidence};
	struct pgf_state access = {0}, state;
	enum pgf_kind kind;

	state_from_access(&access, &fault->access);
	state = access;
	if (map)
		state_from_map(&state, space, map, fault);
	fault->leaves = leaves_of(space, &state, &outcome);
	/* What was seen is right, so what was thought of the mapping is not: it is old. */
	if (map && fault->leaves == PGF_SET(PGF_UNKNOWN)) {
		state = access;
		fault->leaves = leaves_of(space, &state, &outcome);
	}
	kind = pgf_set_kind(fault->leaves);
	if (kind == PGF_UNKNOWN) {
		kind = pgf_set_likely(fault->leaves, &state, &outcome);
		/* With NUMA balancing on, hints are as usual as zero pages. */
		if (space->numa_seen && fault->leaves & PGF_SET(PGF_NUMA_HINT))
			kind = PGF_UNKNOWN;
		if (kind != PGF_UNKNOWN)
			fault->flags |= PGF_F_INFERRED;
	}
	fault->kind = (uint8_t)kind;
}

void pgf_space_name(struct pgf_space *space, struct pgf_fault *fault)
{
	struct pgf_space_map *map = map_of(space, fault);

	comm_fill(space, fault);
	fault->map_id = map ? pgf_space_tell(map)->id : 0;
	flags_from_evidence(fault);
	if (map && is_growth(map, fault))
		fault->flags |= PGF_F_STACK_GROWTH;
	kind_settle(space, fault, map);
}
