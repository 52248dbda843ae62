/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The decision tree of the page-fault handler as two pure functions.
 *
 * pgf_decide() takes what is known before a fault is served and returns the kinds that
 * are possible; pgf_settle() takes what happened and names the kind. The same text is
 * compiled into BPF programs, the model and the address explanation: no loops without a
 * bound, no libc, no pointers to anybody's structures.
 *
 * Every input is yes, no or unknown: a bit in `known` and one in `yes` (yes is a subset
 * of known). A caller sets only what it observed.
 */
#ifndef PGFAULT_DECIDE_H
#define PGFAULT_DECIDE_H

#include <pgfault/fault.h>

/* Inputs of pgf_decide(): the access. */
#define PGF_S_KERNEL_ADDR (1ull << 0) /* address beyond user space */
#define PGF_S_USER_MODE   (1ull << 1)
#define PGF_S_WRITE       (1ull << 2)
#define PGF_S_EXEC        (1ull << 3)
#define PGF_S_PRESENT     (1ull << 4) /* P of x86's error code; not an arm access-flag fault */
#define PGF_S_RSVD        (1ull << 5)
#define PGF_S_PK          (1ull << 6) /* PK of the error code, or PKRU denies the key */
#define PGF_S_SHSTK       (1ull << 7)
#define PGF_S_SGX         (1ull << 8)
#define PGF_S_NOFAULT     (1ull << 9)  /* page faults disabled, interrupt, or no mm */
#define PGF_S_VSYSCALL    (1ull << 10) /* the vsyscall page */
/*
 * The kernel's instruction has an exception-table entry. Whoever cannot look says yes: a
 * kernel that touches user memory without one has a bug.
 */
#define PGF_S_FIXUP (1ull << 11)
/*
 * The mapping. VM_READ, VM_WRITE and VM_EXEC are judged by the rules of x86 since 5.0;
 * another rule that denies the access is passed as none of the three.
 */
#define PGF_S_VMA       (1ull << 12) /* a mapping covers the address, or a stack can grow to it */
#define PGF_S_VM_READ   (1ull << 13)
#define PGF_S_VM_WRITE  (1ull << 14)
#define PGF_S_VM_EXEC   (1ull << 15)
#define PGF_S_VM_SHARED (1ull << 16) /* VM_MAYSHARE: MAP_SHARED */
#define PGF_S_ANON      (1ull << 17) /* vma_is_anonymous: no vm_ops */
#define PGF_S_SHMEM     (1ull << 18)
#define PGF_S_HUGETLB   (1ull << 19)
#define PGF_S_DEVICE    (1ull << 20) /* DAX, PFNMAP or MIXEDMAP mapping of a driver */
/* vm_ops->page_mkwrite, or dirty tracking by write-protection. */
#define PGF_S_MKWRITE      (1ull << 21)
#define PGF_S_UFFD_MISSING (1ull << 22) /* registered with userfaultfd, mode missing */
#define PGF_S_UFFD_WP      (1ull << 23)
#define PGF_S_UFFD_MINOR   (1ull << 24)
#define PGF_S_UFFD_ASYNC   (1ull << 25) /* WP_ASYNC: the kernel resolves wp faults */
/* FEATURE_SIGBUS, or a kernel access to a user-mode-only fd. */
#define PGF_S_UFFD_SIGBUS (1ull << 26)
#define PGF_S_THP         (1ull << 27) /* a PMD-sized page is allowed and fits here */
#define PGF_S_VM_SHSTK    (1ull << 28) /* a shadow stack; asked for shadow-stack accesses only */
#define PGF_S_HUGE_ZERO   (1ull << 29) /* use_zero_page: a huge read maps the huge zero page */
#define PGF_S_VMALLOC     (1ull << 30) /* kernel address: the reference table has what is missing */
/* The page. */
#define PGF_S_ENTRY_WRITE  (1ull << 32) /* the entry is writable */
#define PGF_S_ENTRY_ZERO   (1ull << 33) /* it maps the (huge) zero page */
#define PGF_S_ENTRY_UFFDWP (1ull << 34)
#define PGF_S_PAGE_ANON    (1ull << 35) /* the mapped page is anonymous */
#define PGF_S_REUSE        (1ull << 36) /* the kernel's reuse rule holds: no copy needed */
#define PGF_S_CACHED       (1ull << 37) /* the page is in the page cache (file, shmem, hugetlb) */
#define PGF_S_SWAP_CACHED  (1ull << 38)
#define PGF_S_ZSWAPPED     (1ull << 39)
#define PGF_S_BEYOND_EOF   (1ull << 40)
#define PGF_S_POOL_EMPTY   (1ull << 41) /* hugetlb: no free page; tmpfs: full */
#define PGF_S_SHMEM_SWAP   (1ull << 42) /* shmem: the page is swapped out */

/* The page-table entry as found. */
enum pgf_entry {
	PGF_ENTRY_UNKNOWN = 0,
	PGF_ENTRY_NONE = 1,
	PGF_ENTRY_PRESENT = 2,
	PGF_ENTRY_PROTNONE = 3, /* PROT_NONE bits: NUMA hint when the mapping is accessible */
	PGF_ENTRY_SWAP = 4,
	PGF_ENTRY_MIGRATION = 5,
	PGF_ENTRY_DEVICE_PRIVATE = 6,
	PGF_ENTRY_POISON = 7, /* hwpoison entry or poison marker */
	PGF_ENTRY_GUARD = 8,  /* guard marker */
	PGF_ENTRY_UFFDWP_MARKER = 9,
	PGF_ENTRY_BAD = 10
};

enum pgf_level { PGF_LEVEL_UNKNOWN = 0, PGF_LEVEL_PTE = 1, PGF_LEVEL_PMD = 2, PGF_LEVEL_PUD = 3 };

struct pgf_state {
	__u64 known; /* PGF_S_* that are known */
	__u64 yes;   /* PGF_S_* that hold; subset of known */
	__u8 entry;  /* enum pgf_entry */
	__u8 level;  /* enum pgf_level at which the entry stands */
	__u8 pad[6];
};

/* What was seen inside the fault window. */
#define PGF_O_COMPLETED   (1ull << 0) /* min or maj was counted */
#define PGF_O_MAJOR       (1ull << 1)
#define PGF_O_ALLOC       (1ull << 2) /* a data page (movable or highmem) was allocated */
#define PGF_O_ALLOC_ZERO  (1ull << 3) /* ... with __GFP_ZERO, or cleared by the handler */
#define PGF_O_ALLOC_PMD   (1ull << 4) /* ... of PMD order */
#define PGF_O_ALLOC_LARGE (1ull << 5) /* ... of an order between 0 and PMD */
#define PGF_O_RSS_ANON    (1ull << 6) /* the task's counter changed */
#define PGF_O_RSS_FILE    (1ull << 7)
#define PGF_O_RSS_SHMEM   (1ull << 8)
#define PGF_O_RSS_SWAP    (1ull << 9)
#define PGF_O_MAP_PAGES   (1ull << 10) /* fault-around mapped pages */
#define PGF_O_FILEMAP     (1ull << 11) /* filemap_fault ran */
#define PGF_O_CACHE_ADD   (1ull << 12) /* a page was added to the page cache */
#define PGF_O_BIO         (1ull << 13) /* this thread queued block I/O */
#define PGF_O_MIGRATE     (1ull << 14)
#define PGF_O_RECLAIM     (1ull << 15)
#define PGF_O_COMPACT     (1ull << 16)
#define PGF_O_LOCK_WAIT   (1ull << 17) /* waited for mmap_lock */
#define PGF_O_SIGSEGV     (1ull << 18) /* a synchronous SIGSEGV was generated inside the window */
#define PGF_O_SIGBUS      (1ull << 19)
#define PGF_O_MAPERR      (1ull << 20) /* si_code of that signal */
#define PGF_O_ACCERR      (1ull << 21)
#define PGF_O_PKUERR      (1ull << 22)
#define PGF_O_ADRERR      (1ull << 23)
#define PGF_O_MCEERR      (1ull << 24)
#define PGF_O_SLEPT       (1ull << 25) /* the thread was switched out */
#define PGF_O_RETRY       (1ull << 26)
#define PGF_O_FAILED      (1ull << 27) /* VM_FAULT_ERROR, or EFAULT was seen */
#define PGF_O_OOM         (1ull << 28)
#define PGF_O_UFFD        (1ull << 29) /* handle_userfault ran */
#define PGF_O_ZSWAP       (1ull << 30) /* zswap_load served it */
#define PGF_O_SWAPIN      (1ull << 31) /* a swap slot was read (device or zswap), not the swap cache */

struct pgf_outcome {
	__u64 known; /* PGF_O_* that the source could have seen */
	__u64 yes;   /* PGF_O_* seen; subset of known */
};

/*
 * The kinds that are possible for a fault in this state. Never empty. Unknown inputs only
 * widen the set: for every completion of the unknown bits the result is a subset.
 */
static inline pgf_set pgf_decide(const struct pgf_state *state);

/*
 * Narrows a set by what happened. Returns the remaining set, never empty. It may hold what
 * no state foretells: PGF_UNFINISHED and PGF_OOM where no completion was seen and, when the
 * evidence excludes the whole set, what a member can turn into (a lost race, a huge page
 * that was not to be had, an I/O error). Evidence that contradicts that too returns
 * PGF_SET(PGF_UNKNOWN). A source that reports only some changes of a counter (rss_stat
 * before 6.2 reports every 64th fault) must not call that counter known.
 */
static inline pgf_set pgf_narrow(pgf_set leaves, const struct pgf_state *state,
                                 const struct pgf_outcome *outcome);

/* The kind of a set with one member, else PGF_UNKNOWN. */
static inline enum pgf_kind pgf_set_kind(pgf_set leaves);

/* pgf_narrow() and pgf_set_kind() in one: names the kind, or PGF_UNKNOWN. */
static inline enum pgf_kind pgf_settle(pgf_set leaves, const struct pgf_state *state,
                                       const struct pgf_outcome *outcome);

/*
 * The usual member of a set with several, to be shown as inferred (PGF_F_INFERRED), or
 * PGF_UNKNOWN when the evidence makes none of them the usual one. leaves is what
 * pgf_narrow() returned for the same state and outcome.
 */
static inline enum pgf_kind pgf_set_likely(pgf_set leaves, const struct pgf_state *state,
                                           const struct pgf_outcome *outcome);

#include <pgfault/decide_tree.h>
#include <pgfault/decide_evidence.h>

#endif /* PGFAULT_DECIDE_H */
