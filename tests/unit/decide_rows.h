/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Faults whose kind is known, with all that a kernel knows of them before, and what the
 * tracepoints of Linux 6.18 showed inside their windows (one provoked fault a row; rows
 * that cannot be provoked there follow the source of 6.12). And random inputs.
 */
#ifndef PGF_TEST_DECIDE_ROWS_H
#define PGF_TEST_DECIDE_ROWS_H

#include <pgfault/decide.h>

#define ALL_INPUTS   (((1ull << 31) - 1) | (((1ull << 43) - 1) & ~((1ull << 32) - 1)))
#define ALL_OUTCOMES ((1ull << 32) - 1)

/* What the tracepoint tier knows: of the access and the mapping, and of the window. */
#define SEEN_INPUTS                                                                                \
	(PGF_S_KERNEL_ADDR | PGF_S_USER_MODE | PGF_S_WRITE | PGF_S_EXEC | PGF_S_PRESENT |          \
	 PGF_S_RSVD | PGF_S_PK | PGF_S_SHSTK | PGF_S_SGX | PGF_S_VSYSCALL | PGF_S_VMA |            \
	 PGF_S_VM_READ | PGF_S_VM_WRITE | PGF_S_VM_EXEC | PGF_S_VM_SHARED | PGF_S_ANON |           \
	 PGF_S_SHMEM | PGF_S_HUGETLB | PGF_S_DEVICE)
#define SEEN_OUTCOMES                                                                              \
	(PGF_O_COMPLETED | PGF_O_MAJOR | PGF_O_ALLOC | PGF_O_ALLOC_ZERO | PGF_O_ALLOC_PMD |        \
	 PGF_O_ALLOC_LARGE | PGF_O_RSS_ANON | PGF_O_RSS_FILE | PGF_O_RSS_SHMEM | PGF_O_RSS_SWAP |  \
	 PGF_O_MAP_PAGES | PGF_O_FILEMAP | PGF_O_CACHE_ADD | PGF_O_BIO | PGF_O_MIGRATE |           \
	 PGF_O_RECLAIM | PGF_O_COMPACT | PGF_O_LOCK_WAIT | PGF_O_SLEPT | PGF_O_SIGSEGV |           \
	 PGF_O_SIGBUS | PGF_O_MAPERR | PGF_O_ACCERR | PGF_O_PKUERR | PGF_O_ADRERR | PGF_O_MCEERR)

/* How sure the tracepoint tier can be. */
enum sure { EXACT, INFERRED, OPEN, WRONG };

struct decide_row {
	const char *name;
	__u64 yes; /* PGF_S_*: all others are known not to hold */
	__u8 entry;
	__u8 level;
	__u8 decided; /* the kind before the fault is served */
	__u8 kind;    /* the kind in the end */
	__u64 outcome;
	enum sure sure;
	__u8 shown;  /* what the tier shows when that is WRONG, and may be */
	__u64 watch; /* more PGF_S_* the tier knows, and the masks leave alone */
};

#define KERNEL (PGF_S_VMA | PGF_S_VM_READ | PGF_S_VM_WRITE | PGF_S_FIXUP | PGF_S_HUGE_ZERO)
#define USER   (KERNEL | PGF_S_USER_MODE)
#define BARE   (PGF_S_USER_MODE | PGF_S_FIXUP | PGF_S_HUGE_ZERO)
#define RO     (BARE | PGF_S_VMA | PGF_S_VM_READ)
#define ANON   (USER | PGF_S_ANON)
#define SHARED (USER | PGF_S_VM_SHARED | PGF_S_MKWRITE)
#define SHM    (USER | PGF_S_VM_SHARED | PGF_S_SHMEM)
#define HTLB   (USER | PGF_S_HUGETLB)
#define W      PGF_S_WRITE
#define WP     (PGF_S_WRITE | PGF_S_PRESENT)

#define DONE   PGF_O_COMPLETED
#define MAJOR  (PGF_O_COMPLETED | PGF_O_MAJOR)
#define SLEPT  PGF_O_SLEPT
#define PAGE   PGF_O_ALLOC
#define ZEROED (PGF_O_ALLOC | PGF_O_ALLOC_ZERO)
#define HUGE   (PGF_O_ALLOC | PGF_O_ALLOC_PMD)
#define MAPERR (PGF_O_SIGSEGV | PGF_O_MAPERR)
#define ACCERR (PGF_O_SIGSEGV | PGF_O_ACCERR)
#define ADRERR (PGF_O_SIGBUS | PGF_O_ADRERR)

#define AT(entry, level)  PGF_ENTRY_##entry, PGF_LEVEL_##level
#define IS(kind)          PGF_##kind, PGF_##kind
#define TURNS(kind, into) PGF_##kind, PGF_##into
#define NOTHING           0, 0

static const struct decide_row decide_rows[] = {
        /* Anonymous. */
        {"anon read", ANON, AT(NONE, PTE), IS(ANON_ZERO), DONE, INFERRED, NOTHING},
        {"anon write", ANON | W, AT(NONE, PTE), IS(ANON_NEW), DONE | ZEROED | PGF_O_RSS_ANON, EXACT,
         NOTHING},
        {"anon write by read(2)", KERNEL | PGF_S_ANON | W, AT(NONE, PTE), IS(ANON_NEW),
         DONE | ZEROED | PGF_O_RSS_ANON, EXACT, NOTHING},
        {"anon mTHP", ANON | W, AT(NONE, PTE), IS(ANON_NEW),
         DONE | PAGE | PGF_O_ALLOC_LARGE | PGF_O_RSS_ANON, EXACT, NOTHING},
        {"anon write, race lost", ANON | W, AT(NONE, PTE), TURNS(ANON_NEW, ACCESS_ONLY),
         DONE | ZEROED, OPEN, NOTHING},
        {"shadow stack push", ANON | PGF_S_SHSTK | PGF_S_VM_SHSTK, AT(NONE, PTE), IS(ANON_NEW),
         DONE | ZEROED | PGF_O_RSS_ANON, EXACT, NOTHING},
        /* Write-protected. */
        {"write over zero page", ANON | WP | PGF_S_ENTRY_ZERO, AT(PRESENT, PTE), IS(WP_COPY),
         DONE | ZEROED | PGF_O_RSS_ANON, EXACT, NOTHING},
        {"copy after fork", ANON | WP | PGF_S_PAGE_ANON, AT(PRESENT, PTE), IS(WP_COPY), DONE | PAGE,
         EXACT, NOTHING},
        {"reuse, child gone", ANON | WP | PGF_S_PAGE_ANON | PGF_S_REUSE, AT(PRESENT, PTE),
         IS(WP_REUSE), DONE, INFERRED, NOTHING},
        {"private file, write after read", USER | WP, AT(PRESENT, PTE), IS(WP_COPY),
         DONE | PAGE | PGF_O_RSS_FILE | PGF_O_RSS_ANON, EXACT, NOTHING},
        {"private memfd, write after read", USER | WP | PGF_S_SHMEM, AT(PRESENT, PTE), IS(WP_COPY),
         DONE | PAGE | PGF_O_RSS_SHMEM | PGF_O_RSS_ANON, EXACT, NOTHING},
        {"shared file, write after read", SHARED | WP, AT(PRESENT, PTE), IS(WP_SHARED), DONE,
         INFERRED, NOTHING},
        {"private pfn mapping, write", USER | WP | PGF_S_DEVICE, AT(PRESENT, PTE), IS(WP_COPY),
         DONE | PAGE | PGF_O_RSS_ANON, EXACT, NOTHING},
        /* Files. */
        {"file read, cached", USER | PGF_S_CACHED, AT(NONE, PTE), IS(FILE_READ),
         DONE | PGF_O_MAP_PAGES | PGF_O_RSS_FILE, EXACT, NOTHING},
        {"file read, cold", USER, AT(NONE, PTE), IS(FILE_READ),
         MAJOR | SLEPT | PAGE | PGF_O_FILEMAP | PGF_O_CACHE_ADD | PGF_O_BIO | PGF_O_MAP_PAGES |
                 PGF_O_RSS_FILE,
         EXACT, NOTHING},
        {"private file, first write", USER | W | PGF_S_CACHED, AT(NONE, PTE), IS(FILE_COW),
         DONE | PAGE | PGF_O_FILEMAP | PGF_O_RSS_ANON, EXACT, NOTHING},
        {"shared file, first write", SHARED | W | PGF_S_CACHED, AT(NONE, PTE), IS(FILE_SHARED),
         DONE | PGF_O_FILEMAP | PGF_O_RSS_FILE, EXACT, NOTHING},
        {"file read, reclaim inside", USER, AT(NONE, PTE), IS(FILE_READ),
         MAJOR | PAGE | PGF_O_FILEMAP | PGF_O_BIO | PGF_O_RECLAIM | PGF_O_RSS_FILE |
                 PGF_O_RSS_ANON | PGF_O_RSS_SWAP,
         EXACT, NOTHING},
        /* Shared memory. */
        {"shmem read of a hole", SHM, AT(NONE, PTE), IS(SHMEM), DONE | PAGE | PGF_O_RSS_SHMEM,
         EXACT, NOTHING},
        {"shmem write of a hole", SHM | W, AT(NONE, PTE), IS(SHMEM), DONE | PAGE | PGF_O_RSS_SHMEM,
         EXACT, NOTHING},
        {"shmem, cached", SHM | PGF_S_CACHED, AT(NONE, PTE), IS(SHMEM),
         DONE | PGF_O_MAP_PAGES | PGF_O_RSS_SHMEM, INFERRED, NOTHING},
        {"private memfd, first write", USER | W | PGF_S_SHMEM | PGF_S_CACHED, AT(NONE, PTE),
         IS(FILE_COW), DONE | PAGE | PGF_O_RSS_ANON, INFERRED, NOTHING},
        {"shmem swap-in", SHM | PGF_S_SHMEM_SWAP, AT(NONE, PTE), IS(SWAP_DEVICE),
         MAJOR | PAGE | PGF_O_BIO | PGF_O_RSS_SHMEM, INFERRED, NOTHING},
        {"shmem swap-in with fault-around", SHM | PGF_S_SHMEM_SWAP, AT(NONE, PTE), IS(SWAP_DEVICE),
         MAJOR | PAGE | PGF_O_BIO | PGF_O_RSS_SHMEM | PGF_O_MAP_PAGES, INFERRED, NOTHING},
        /* Swap. */
        {"swap-in read, zram", ANON, AT(SWAP, PTE), IS(SWAP_DEVICE),
         MAJOR | PAGE | PGF_O_BIO | PGF_O_RSS_ANON | PGF_O_RSS_SWAP, INFERRED, NOTHING},
        {"swap-in write, no zswap here", ANON | W, AT(SWAP, PTE), IS(SWAP_DEVICE),
         MAJOR | PAGE | PGF_O_BIO | PGF_O_RSS_ANON | PGF_O_RSS_SWAP, EXACT, 0, PGF_S_ZSWAPPED},
        {"swap-in, zero-filled, no zswap here", ANON, AT(SWAP, PTE), IS(SWAP_DEVICE),
         MAJOR | PAGE | PGF_O_RSS_ANON | PGF_O_RSS_SWAP, EXACT, 0, PGF_S_ZSWAPPED},
        {"swap-in, zswap", ANON | PGF_S_ZSWAPPED, AT(SWAP, PTE), IS(SWAP_ZSWAP),
         MAJOR | PAGE | PGF_O_RSS_ANON | PGF_O_RSS_SWAP, INFERRED, NOTHING},
        {"swap-in, swap cache", ANON | PGF_S_SWAP_CACHED, AT(SWAP, PTE), IS(SWAP_CACHE),
         DONE | PGF_O_RSS_ANON | PGF_O_RSS_SWAP, EXACT, NOTHING},
        {"swap-in write, swap cache, copied", ANON | W | PGF_S_SWAP_CACHED, AT(SWAP, PTE),
         IS(SWAP_CACHE), DONE | PAGE | PGF_O_RSS_ANON | PGF_O_RSS_SWAP, EXACT, NOTHING},
        {"swap-in, found in the cache after all", ANON, AT(SWAP, PTE),
         TURNS(SWAP_DEVICE, SWAP_CACHE), DONE | PGF_O_RSS_ANON | PGF_O_RSS_SWAP, EXACT, NOTHING},
        /* Huge pages. */
        {"huge zero page, first use", ANON | PGF_S_THP, AT(NONE, PMD), IS(THP_ZERO),
         DONE | HUGE | ZEROED, INFERRED, NOTHING},
        {"huge zero page", ANON | PGF_S_THP, AT(NONE, PMD), IS(THP_ZERO), DONE, WRONG,
         PGF_ANON_ZERO, 0},
        {"huge page", ANON | W | PGF_S_THP, AT(NONE, PMD), IS(THP_NEW),
         DONE | HUGE | PGF_O_RSS_ANON, EXACT, NOTHING},
        {"huge page on a read", (ANON | PGF_S_THP) & ~PGF_S_HUGE_ZERO, AT(NONE, PMD), IS(THP_NEW),
         DONE | HUGE | PGF_O_RSS_ANON, EXACT, NOTHING},
        {"huge page, none to be had", ANON | W | PGF_S_THP, AT(NONE, PMD), TURNS(THP_NEW, ANON_NEW),
         DONE | ZEROED | PGF_O_RSS_ANON, EXACT, NOTHING},
        {"write over huge zero page", ANON | WP | PGF_S_THP | PGF_S_ENTRY_ZERO, AT(PRESENT, PMD),
         IS(THP_WP), DONE | HUGE | PGF_O_RSS_ANON, EXACT, NOTHING},
        {"huge page shared with a child", ANON | WP | PGF_S_THP | PGF_S_PAGE_ANON, AT(PRESENT, PMD),
         IS(THP_WP), DONE | PAGE, WRONG, PGF_WP_COPY, 0},
        {"huge page, child gone", ANON | WP | PGF_S_THP | PGF_S_PAGE_ANON | PGF_S_REUSE,
         AT(PRESENT, PMD), IS(THP_WP), DONE, WRONG, PGF_WP_REUSE, 0},
        {"huge file page", USER | PGF_S_THP | PGF_S_CACHED, AT(NONE, PMD), IS(THP_FILE),
         DONE | PGF_O_MAP_PAGES | PGF_O_RSS_FILE, WRONG, PGF_FILE_READ, 0},
        {"huge NUMA hint", ANON | PGF_S_THP, AT(PROTNONE, PMD), IS(THP_NUMA),
         DONE | HUGE | PGF_O_MIGRATE, WRONG, PGF_THP_ZERO, 0},
        /* hugetlb */
        {"hugetlb", HTLB | W, AT(NONE, PMD), IS(HUGETLB_NEW), DONE, INFERRED, NOTHING},
        {"hugetlb copy", HTLB | WP, AT(PRESENT, PMD), IS(HUGETLB_COW), DONE, INFERRED, NOTHING},
        {"hugetlb, pool empty", HTLB | W | PGF_S_POOL_EMPTY, AT(NONE, PMD), IS(BUS_HUGETLB), ADRERR,
         INFERRED, NOTHING},
        /* userfaultfd */
        {"uffd missing read", ANON | PGF_S_UFFD_MISSING, AT(NONE, PTE), IS(UFFD_MISSING),
         DONE | SLEPT, WRONG, PGF_ANON_ZERO, 0},
        {"uffd missing read, watched", ANON | PGF_S_UFFD_MISSING, AT(NONE, PTE), IS(UFFD_MISSING),
         DONE | SLEPT, INFERRED, 0, PGF_S_UFFD_MISSING},
        {"uffd missing write", ANON | W | PGF_S_UFFD_MISSING, AT(NONE, PTE), IS(UFFD_MISSING),
         DONE | SLEPT | ZEROED, OPEN, NOTHING},
        {"uffd wp over zero page, watched",
         ANON | WP | PGF_S_ENTRY_ZERO | PGF_S_ENTRY_UFFDWP | PGF_S_UFFD_WP, AT(PRESENT, PTE),
         IS(UFFD_WP), DONE | SLEPT | ZEROED | PGF_O_RSS_ANON, INFERRED, 0, PGF_S_UFFD_WP},
        {"uffd wp", ANON | WP | PGF_S_PAGE_ANON | PGF_S_ENTRY_UFFDWP | PGF_S_UFFD_WP,
         AT(PRESENT, PTE), IS(UFFD_WP), DONE | SLEPT, WRONG, PGF_WP_REUSE, 0},
        {"uffd minor", SHM | PGF_S_CACHED | PGF_S_UFFD_MINOR, AT(NONE, PTE), IS(UFFD_MINOR),
         DONE | SLEPT, OPEN, NOTHING},
        {"uffd, FEATURE_SIGBUS", ANON | PGF_S_UFFD_MISSING | PGF_S_UFFD_SIGBUS, AT(NONE, PTE),
         IS(BUS_UFFD), ADRERR, OPEN, NOTHING},
        {"uffd, nobody to handle it", ANON | PGF_S_UFFD_MISSING, AT(NONE, PTE),
         TURNS(UFFD_MISSING, BUS_UFFD), ADRERR, OPEN, NOTHING},
        /* Others. */
        {"NUMA hint, local", ANON, AT(PROTNONE, PTE), IS(NUMA_HINT), DONE, WRONG, PGF_ANON_ZERO, 0},
        {"NUMA hint, migrated", ANON | W, AT(PROTNONE, PTE), IS(NUMA_HINT),
         DONE | PAGE | PGF_O_MIGRATE, WRONG, PGF_UNKNOWN, 0},
        {"migration", ANON | W, AT(MIGRATION, PTE), IS(MIGRATION_WAIT), DONE | SLEPT, OPEN,
         NOTHING},
        {"device private", ANON | W, AT(DEVICE_PRIVATE, PTE), IS(DEVICE_PRIVATE),
         DONE | PAGE | PGF_O_MIGRATE, WRONG, PGF_UNKNOWN, 0},
        {"dax", SHARED | W | PGF_S_DEVICE, AT(NONE, PTE), IS(DEVICE_PFN), DONE, OPEN, NOTHING},
        {"other thread was first", ANON | W | PGF_S_ENTRY_WRITE, AT(PRESENT, PTE), IS(ACCESS_ONLY),
         DONE, OPEN, NOTHING},
        /* Signals. */
        {"hole", BARE, AT(NONE, PMD), IS(SEGV_MAPERR), MAPERR, EXACT, NOTHING},
        {"guard marker", ANON | W, AT(GUARD, PTE), IS(SEGV_MAPERR), MAPERR, EXACT, NOTHING},
        {"write to read-only", RO | PGF_S_ANON | W, AT(NONE, PTE), IS(SEGV_ACCERR), ACCERR, EXACT,
         NOTHING},
        {"exec of NX", ANON | PGF_S_PRESENT | PGF_S_EXEC, AT(PRESENT, PTE), IS(SEGV_ACCERR), ACCERR,
         EXACT, NOTHING},
        {"protection key", ANON | PGF_S_PK, AT(NONE, PTE), IS(SEGV_PKUERR),
         PGF_O_SIGSEGV | PGF_O_PKUERR, EXACT, NOTHING},
        {"enclave", ANON | PGF_S_SGX, AT(PRESENT, PTE), IS(SEGV_OTHER), ACCERR, EXACT, NOTHING},
        {"kernel address, user mode", BARE | PGF_S_KERNEL_ADDR | PGF_S_PRESENT, AT(PRESENT, PMD),
         IS(SEGV_MAPERR), MAPERR, EXACT, NOTHING},
        {"beyond the end of the file", USER | PGF_S_BEYOND_EOF, AT(NONE, PTE), IS(BUS_EOF), ADRERR,
         INFERRED, NOTHING},
        {"read error", USER, AT(NONE, PTE), TURNS(FILE_READ, BUS_IO), ADRERR, WRONG, PGF_BUS_EOF,
         0},
        {"tmpfs full", SHM | W | PGF_S_POOL_EMPTY, AT(NONE, PTE), IS(BUS_IO), ADRERR, WRONG,
         PGF_BUS_EOF, 0},
        {"poison", ANON, AT(POISON, PTE), IS(BUS_POISON), PGF_O_SIGBUS | PGF_O_MCEERR, EXACT,
         NOTHING},
        {"poison in a page to copy", ANON | WP | PGF_S_PAGE_ANON, AT(PRESENT, PTE),
         TURNS(WP_COPY, BUS_POISON), PGF_O_SIGBUS | PGF_O_MCEERR, EXACT, NOTHING},
        /* No end was seen. */
        {"EFAULT", PGF_S_FIXUP, AT(NONE, PMD), IS(KERN_EFAULT), 0, OPEN, 0, PGF_S_FIXUP},
        {"page faults disabled", KERNEL | PGF_S_ANON | PGF_S_NOFAULT, AT(NONE, PTE), IS(NOFAULT), 0,
         OPEN, NOTHING},
        {"out of memory", ANON | W, AT(NONE, PTE), TURNS(ANON_NEW, OOM), PGF_O_OOM, OPEN, NOTHING},
        {"killed", USER, AT(NONE, PTE), TURNS(FILE_READ, UNFINISHED), PGF_O_FILEMAP | PGF_O_BIO,
         OPEN, NOTHING},
        {"vsyscall call", BARE | PGF_S_KERNEL_ADDR | PGF_S_VSYSCALL | PGF_S_EXEC, AT(NONE, PMD),
         IS(VSYSCALL), 0, EXACT, NOTHING},
        {"vsyscall=none", BARE | PGF_S_KERNEL_ADDR | PGF_S_VSYSCALL | PGF_S_EXEC, AT(NONE, PMD),
         TURNS(VSYSCALL, SEGV_MAPERR), MAPERR, EXACT, NOTHING},
};

#define DECIDE_ROWS (sizeof(decide_rows) / sizeof(decide_rows[0]))

/* splitmix64: the same numbers everywhere. */
static inline __u64 decide_random(__u64 *seed)
{
	__u64 z = (*seed += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Any state, sense or nonsense: a quarter of the inputs is unknown; entry and level too far. */
static inline struct pgf_state decide_random_state(__u64 *seed)
{
	struct pgf_state state = {0};

	state.known = (decide_random(seed) | decide_random(seed)) & ALL_INPUTS;
	state.yes = decide_random(seed) & state.known;
	state.entry = (__u8)(decide_random(seed) % (PGF_ENTRY_BAD + 2));
	state.level = (__u8)(decide_random(seed) % (PGF_LEVEL_PUD + 2));
	return state;
}

static inline struct pgf_outcome decide_random_outcome(__u64 *seed)
{
	struct pgf_outcome outcome = {0};

	outcome.known = decide_random(seed) & decide_random(seed) & ALL_OUTCOMES;
	outcome.yes = decide_random(seed) & decide_random(seed) & outcome.known;
	return outcome;
}

#endif /* PGF_TEST_DECIDE_ROWS_H */
