/* SPDX-License-Identifier: BSD-2-Clause */
/* Each sort of evidence alone: what it rules out, and what it must leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pgfault/decide.h>

struct evidence_row {
	const char *name;
	pgf_set leaves;
	__u64 is;   /* PGF_S_* known to hold */
	__u64 isnt; /* PGF_S_* known not to */
	__u64 saw;  /* PGF_O_* seen */
	__u64 missed;
	pgf_set want; /* the rest; or the one likely kind */
};

#define K(kind) PGF_SET(PGF_##kind)
#define S(bit)  PGF_S_##bit
#define O(bit)  PGF_O_##bit

#define SEGVS (K(SEGV_MAPERR) | K(SEGV_ACCERR) | K(SEGV_PKUERR) | K(SEGV_OTHER))
#define BUSES (K(BUS_EOF) | K(BUS_HUGETLB) | K(BUS_POISON) | K(BUS_UFFD) | K(BUS_IO))
#define CODES (O(MAPERR) | O(ACCERR) | O(PKUERR))
#define READS (K(SWAP_DEVICE) | K(SWAP_ZSWAP))
#define SWAPS (READS | K(SWAP_CACHE))
#define UFFDS (K(UFFD_MISSING) | K(UFFD_WP) | K(UFFD_MINOR))
#define NUMA  (K(NUMA_HINT) | K(THP_NUMA))
#define ENDS  (K(UNFINISHED) | K(OOM))
#define OPEN  (K(ANON_NEW) | K(BUS_EOF) | K(SEGV_MAPERR))
#define DONE  O(COMPLETED)

static struct pgf_state state_of(const struct evidence_row *row)
{
	return (struct pgf_state){.known = row->is | row->isnt, .yes = row->is};
}

static struct pgf_outcome outcome_of(const struct evidence_row *row)
{
	return (struct pgf_outcome){.known = row->saw | row->missed, .yes = row->saw};
}

static void expect(const struct evidence_row *row, pgf_set got)
{
	char want_text[512], got_text[512];

	if (row->want == got)
		return;
	pgf_set_text(row->want, want_text, sizeof(want_text));
	pgf_set_text(got, got_text, sizeof(got_text));
	fail_msg("%s: want %s, got %s", row->name, want_text, got_text);
}

static void narrow_all(const struct evidence_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct pgf_state state = state_of(&rows[i]);
		struct pgf_outcome outcome = outcome_of(&rows[i]);

		expect(&rows[i], pgf_narrow(rows[i].leaves, &state, &outcome));
	}
}

static void likely_all(const struct evidence_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct pgf_state state = state_of(&rows[i]);
		struct pgf_outcome outcome = outcome_of(&rows[i]);

		expect(&rows[i], PGF_SET(pgf_set_likely(rows[i].leaves, &state, &outcome)));
	}
}

#define NARROW(rows) narrow_all(rows, sizeof(rows) / sizeof((rows)[0]))
#define LIKELY(rows) likely_all(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_signals(void **unused)
{
	static const struct evidence_row rows[] = {
	        {"SEGV, code not known", SEGVS | BUSES | K(ANON_NEW), S(USER_MODE), 0, O(SIGSEGV),
	         0, SEGVS},
	        {"SEGV, another code", SEGVS | BUSES, S(USER_MODE), 0, O(SIGSEGV), CODES,
	         K(SEGV_OTHER)},
	        {"MAPERR", SEGVS | BUSES, S(USER_MODE), 0, O(SIGSEGV) | O(MAPERR),
	         O(ACCERR) | O(PKUERR), K(SEGV_MAPERR)},
	        {"ACCERR", SEGVS | BUSES, S(USER_MODE), 0, O(SIGSEGV) | O(ACCERR),
	         O(MAPERR) | O(PKUERR), K(SEGV_ACCERR) | K(SEGV_OTHER)},
	        {"PKUERR", SEGVS | BUSES, S(USER_MODE), 0, O(SIGSEGV) | O(PKUERR),
	         O(MAPERR) | O(ACCERR), K(SEGV_PKUERR)},
	        {"ADRERR", SEGVS | BUSES, S(USER_MODE), 0, O(SIGBUS) | O(ADRERR), CODES | O(MCEERR),
	         BUSES},
	        {"MCEERR", SEGVS | BUSES, S(USER_MODE), 0, O(SIGBUS) | O(MCEERR), CODES,
	         K(BUS_POISON)},
	        {"signal about the kernel's access", K(KERN_EFAULT) | K(ANON_NEW), 0, S(USER_MODE),
	         O(SIGSEGV), CODES, K(KERN_EFAULT)},
	        {"signal, user mode", K(KERN_EFAULT) | K(SEGV_MAPERR), S(USER_MODE), 0,
	         O(SIGSEGV) | O(MAPERR), 0, K(SEGV_MAPERR)},
	        {"poison on the way", K(WP_COPY), 0, 0, O(SIGBUS) | O(MCEERR), 0, K(BUS_POISON)},
	        {"no poison on the way", K(ANON_NEW), 0, 0, O(SIGBUS) | O(ADRERR), O(MCEERR),
	         K(UNKNOWN)},
	        {"pool emptied on the way", K(HUGETLB_NEW), S(HUGETLB), 0, O(SIGBUS) | O(ADRERR), 0,
	         K(BUS_HUGETLB)},
	};

	NARROW(rows);
}

static void test_open(void **unused)
{
	static const struct evidence_row rows[] = {
	        {"completed", OPEN, 0, 0, DONE, 0, K(ANON_NEW)},
	        {"major is completed", OPEN | K(FILE_READ), 0, 0, O(MAJOR), DONE, K(FILE_READ)},
	        {"no end, nothing else known", OPEN, 0, 0, 0, DONE,
	         K(BUS_EOF) | K(SEGV_MAPERR) | ENDS},
	        {"no end, no SIGSEGV", OPEN, 0, 0, 0, DONE | O(SIGSEGV), K(BUS_EOF) | ENDS},
	        {"no end, no SIGBUS", OPEN, 0, 0, 0, DONE | O(SIGBUS), K(SEGV_MAPERR) | ENDS},
	        {"no end, no OOM", K(ANON_NEW), 0, 0, 0, DONE | O(OOM), K(UNFINISHED)},
	        {"no end, no failure", K(ANON_NEW), 0, 0, 0, DONE | O(FAILED), K(UNFINISHED)},
	        {"no end, failure", K(ANON_NEW), 0, 0, O(FAILED), DONE, K(OOM)},
	        {"no end, kernel mode", K(ANON_NEW) | K(KERN_EFAULT) | K(NOFAULT), 0, S(USER_MODE),
	         0, DONE, K(KERN_EFAULT) | K(NOFAULT) | K(UNFINISHED)},
	        {"no end to a failure", K(KERN_EFAULT), 0, S(USER_MODE), 0, DONE, K(KERN_EFAULT)},
	        {"signal not seen", K(SEGV_MAPERR), S(USER_MODE), 0, 0, DONE | O(SIGSEGV), ENDS},
	        {"out of memory", OPEN, 0, 0, O(OOM), DONE, K(OOM)},
	        {"out of memory, and completed", OPEN, 0, 0, O(OOM) | DONE, 0, K(ANON_NEW)},
	        {"nothing known", OPEN, 0, 0, 0, 0, OPEN},
	};

	NARROW(rows);
}

static void test_major(void **unused)
{
	static const struct evidence_row rows[] = {
	        {"major", SWAPS | K(ANON_NEW) | K(NUMA_HINT) | K(FILE_READ), 0, 0, O(MAJOR), 0,
	         SWAPS | K(FILE_READ)},
	        {"major, no retry", SWAPS, 0, 0, O(MAJOR), O(RETRY), READS},
	        {"major, read by this thread", SWAPS, 0, 0, O(MAJOR) | O(BIO), 0, READS},
	        {"minor", SWAPS, 0, 0, DONE, O(MAJOR), K(SWAP_CACHE)},
	        {"minor, read ahead", SWAPS, 0, 0, DONE | O(BIO), O(MAJOR), K(SWAP_CACHE)},
	};

	NARROW(rows);
}

static void test_alloc(void **unused)
{
	static const struct evidence_row rows[] = {
	        {"no page", K(ANON_ZERO) | K(ANON_NEW) | K(FILE_COW) | K(WP_COPY) | SWAPS, 0, 0, 0,
	         O(ALLOC), K(ANON_ZERO) | K(SWAP_CACHE)},
	        {"a page", K(ANON_ZERO) | K(ANON_NEW) | K(WP_REUSE) | K(MIGRATION_WAIT) | SWAPS, 0,
	         0, O(ALLOC), 0, K(ANON_NEW) | SWAPS},
	        {"a page for a read", SWAPS | K(ANON_NEW), 0, S(WRITE), O(ALLOC), 0,
	         READS | K(ANON_NEW)},
	        {"a page for a shared mapping", SWAPS | K(SHMEM), S(VM_SHARED), 0, O(ALLOC), 0,
	         READS | K(SHMEM)},
	        {"a page, present before", K(ACCESS_ONLY) | K(WP_COPY), S(PRESENT), 0, O(ALLOC), 0,
	         K(WP_COPY)},
	        {"a page, not present before", K(ACCESS_ONLY) | K(ANON_NEW), 0, S(PRESENT),
	         O(ALLOC), 0, K(ACCESS_ONLY) | K(ANON_NEW)},
	        {"a page, nothing migrated", NUMA | K(ANON_NEW), 0, 0, O(ALLOC), O(MIGRATE),
	         K(ANON_NEW)},
	        {"a page, migrated", NUMA | K(ANON_NEW), 0, 0, O(ALLOC) | O(MIGRATE), 0,
	         NUMA | K(ANON_NEW)},
	        {"a copy, no handler known", K(UFFD_WP) | K(WP_COPY), 0, 0, O(ALLOC), 0,
	         K(WP_COPY)},
	        {"a copy, handler known", K(UFFD_WP) | K(WP_COPY), S(UFFD_WP), 0, O(ALLOC), 0,
	         K(UFFD_WP) | K(WP_COPY)},
	        {"a copy, handler seen", K(UFFD_WP) | K(WP_COPY), 0, 0, O(ALLOC) | O(UFFD), 0,
	         K(UFFD_WP)},
	        {"huge page", K(THP_NEW) | K(ANON_NEW) | K(WP_COPY) | SWAPS, 0, 0,
	         O(ALLOC) | O(ALLOC_PMD), O(ALLOC_ZERO), K(THP_NEW)},
	        {"huge page, zeroing not known", K(THP_NEW) | K(ANON_NEW), 0, 0,
	         O(ALLOC) | O(ALLOC_PMD), 0, K(THP_NEW) | K(ANON_NEW)},
	        {"huge page, then a small one", K(THP_NEW) | K(ANON_NEW), 0, 0,
	         O(ALLOC) | O(ALLOC_PMD) | O(ALLOC_ZERO), 0, K(THP_NEW) | K(ANON_NEW)},
	        {"no huge page", K(THP_NEW) | K(THP_ZERO) | K(THP_WP), 0, 0, 0, O(ALLOC_PMD),
	         K(THP_ZERO) | K(THP_WP)},
	        {"a page, no huge page", K(THP_NEW) | K(THP_ZERO) | K(THP_WP), 0, 0, O(ALLOC),
	         O(ALLOC_PMD), K(THP_WP)},
	        {"reclaim allocates", K(ANON_ZERO) | K(ANON_NEW), 0, 0, O(ALLOC) | O(RECLAIM), 0,
	         K(ANON_ZERO) | K(ANON_NEW)},
	        {"reclaim does not zero", K(ANON_ZERO) | K(ANON_NEW), 0, 0,
	         O(ALLOC) | O(ALLOC_ZERO) | O(RECLAIM), 0, K(ANON_NEW)},
	        {"reclaim allocates no huge page", K(ANON_ZERO) | K(THP_ZERO), 0, 0,
	         O(ALLOC) | O(ALLOC_PMD) | O(RECLAIM), 0, K(THP_ZERO)},
	};

	NARROW(rows);
}

static void test_counters(void **unused)
{
	static const struct evidence_row rows[] = {
	        {"ANON", UFFDS | K(ANON_NEW) | K(ANON_ZERO), 0, 0, O(RSS_ANON), 0, K(ANON_NEW)},
	        {"ANON, missing handler", UFFDS | K(ANON_NEW), S(UFFD_MISSING), 0, O(RSS_ANON), 0,
	         K(UFFD_MISSING) | K(ANON_NEW)},
	        {"ANON, minor handler", UFFDS | K(ANON_NEW), S(UFFD_MINOR), 0, O(RSS_ANON), 0,
	         K(UFFD_MINOR) | K(ANON_NEW)},
	        {"ANON, wp handler", UFFDS | K(WP_COPY), S(UFFD_WP), 0, O(RSS_ANON), 0,
	         K(UFFD_WP) | K(WP_COPY)},
	        {"ANON, handler seen", UFFDS | K(ANON_NEW), 0, 0, O(RSS_ANON) | O(UFFD), 0, UFFDS},
	        {"FILE", K(FILE_READ) | K(ANON_ZERO) | K(SHMEM), 0, 0, O(RSS_FILE), 0,
	         K(FILE_READ)},
	        {"FILE and ANON", K(FILE_READ) | K(FILE_COW) | K(WP_COPY), 0, 0,
	         O(RSS_FILE) | O(RSS_ANON), 0, K(WP_COPY)},
	        {"SHMEM", K(FILE_READ) | K(SHMEM) | SWAPS, 0, 0, O(RSS_SHMEM), 0, K(SHMEM) | SWAPS},
	        {"SWAP", K(ANON_NEW) | SWAPS, 0, 0, O(RSS_SWAP), 0, SWAPS},
	        {"reclaim changes all", K(ANON_ZERO) | SWAPS, 0, 0,
	         O(RSS_SWAP) | O(RSS_ANON) | O(RSS_FILE) | O(RSS_SHMEM) | O(RECLAIM), 0,
	         K(ANON_ZERO) | SWAPS},
	        {"no ANON", K(ANON_NEW) | K(FILE_COW) | K(THP_NEW) | K(WP_COPY), 0, 0, 0,
	         O(RSS_ANON), K(WP_COPY)},
	        {"no FILE", K(FILE_READ) | K(FILE_SHARED) | K(THP_FILE), 0, 0, 0, O(RSS_FILE),
	         K(THP_FILE)},
	        {"no FILE, but filemap ran", K(FILE_READ) | K(ACCESS_ONLY), 0, 0, O(FILEMAP),
	         O(RSS_FILE), K(FILE_READ)},
	        {"no FILE, but fault-around ran", K(FILE_READ) | K(ACCESS_ONLY), 0, 0, O(MAP_PAGES),
	         O(RSS_FILE), K(FILE_READ)},
	        {"no SHMEM", K(SHMEM) | K(THP_FILE), 0, 0, 0, O(RSS_SHMEM), K(THP_FILE)},
	        {"no SHMEM, but fault-around ran", K(SHMEM) | K(ACCESS_ONLY), 0, 0, O(MAP_PAGES),
	         O(RSS_SHMEM), K(SHMEM)},
	        {"neither FILE nor SHMEM", K(THP_FILE) | K(ACCESS_ONLY), 0, 0, 0,
	         O(RSS_FILE) | O(RSS_SHMEM), K(ACCESS_ONLY)},
	        {"neither, but fault-around ran", K(THP_FILE) | K(ACCESS_ONLY), 0, 0, O(MAP_PAGES),
	         O(RSS_FILE) | O(RSS_SHMEM), K(THP_FILE)},
	        {"no SWAP, perhaps shmem", SWAPS | K(SHMEM), 0, 0, 0, O(RSS_SWAP),
	         SWAPS | K(SHMEM)},
	        {"no SWAP, not shmem", SWAPS | K(ACCESS_ONLY), 0, S(SHMEM), 0, O(RSS_SWAP),
	         K(ACCESS_ONLY)},
	        {"no SWAP, no counter at all", SWAPS | K(ACCESS_ONLY), 0, 0, 0,
	         O(RSS_SWAP) | O(RSS_SHMEM) | O(RSS_ANON), K(ACCESS_ONLY)},
	        {"no SWAP, but a read: a lost race", SWAPS | K(ACCESS_ONLY), 0, S(SHMEM), O(BIO),
	         O(RSS_SWAP), SWAPS | K(ACCESS_ONLY)},
	        {"no SWAP, but major: a lost race", SWAPS | K(ACCESS_ONLY), 0, S(SHMEM), O(MAJOR),
	         O(RSS_SWAP), SWAPS | K(ACCESS_ONLY)},
	};

	NARROW(rows);
}

static void test_path(void **unused)
{
	static const struct evidence_row rows[] = {
	        {"filemap", K(FILE_COW) | K(SHMEM) | K(WP_COPY), 0, 0, O(FILEMAP), 0, K(FILE_COW)},
	        {"fault-around", K(SHMEM) | K(FILE_COW) | K(ANON_ZERO), 0, 0, O(MAP_PAGES), 0,
	         K(SHMEM)},
	        {"handler ran", UFFDS | SWAPS | K(ANON_NEW) | K(BUS_UFFD), 0, 0, O(UFFD), 0,
	         UFFDS | SWAPS | K(BUS_UFFD)},
	        {"no handler ran", UFFDS | K(ANON_NEW) | K(BUS_UFFD), 0, 0, 0, O(UFFD),
	         K(ANON_NEW)},
	        {"did not sleep", UFFDS | K(MIGRATION_WAIT) | K(ANON_NEW), 0, 0, 0, O(SLEPT),
	         K(ANON_NEW)},
	        {"slept", UFFDS | K(ANON_NEW), 0, 0, O(SLEPT), 0, UFFDS | K(ANON_NEW)},
	        {"zswap", SWAPS, 0, 0, O(ZSWAP), 0, K(SWAP_ZSWAP)},
	        {"no zswap", SWAPS, 0, 0, 0, O(ZSWAP), SWAPS & ~K(SWAP_ZSWAP)},
	        {"slot read", SWAPS, 0, 0, O(SWAPIN), 0, READS},
	        {"no slot read", SWAPS, 0, 0, 0, O(SWAPIN), K(SWAP_CACHE)},
	        {"killed while it read", K(SWAP_DEVICE), 0, S(USER_MODE),
	         O(SWAPIN) | O(ZSWAP) | O(FILEMAP) | O(UFFD), DONE, K(UNFINISHED)},
	        {"present", K(WP_COPY) | K(ANON_NEW) | K(ACCESS_ONLY), S(PRESENT), 0, 0, 0,
	         K(WP_COPY) | K(ACCESS_ONLY)},
	        {"not present", K(WP_COPY) | K(ANON_NEW) | K(ACCESS_ONLY), 0, S(PRESENT), 0, 0,
	         K(ANON_NEW) | K(ACCESS_ONLY)},
	        {"present, but changed on the way", K(SWAP_CACHE), S(PRESENT), 0, 0, 0,
	         K(SWAP_CACHE)},
	        {"not present, but changed on the way", K(WP_COPY), 0, S(PRESENT), 0, 0,
	         K(WP_COPY)},
	};

	NARROW(rows);
}

static void test_likely_bus(void **unused)
{
	static const struct evidence_row rows[] = {
	        {"hugetlb", BUSES, S(HUGETLB), S(ANON), O(SIGBUS), 0, K(BUS_HUGETLB)},
	        {"anonymous: uffd or poison", BUSES, S(ANON), 0, O(SIGBUS), 0, K(UNKNOWN)},
	        {"anonymous, FEATURE_SIGBUS", BUSES, S(ANON) | S(UFFD_SIGBUS), 0, O(SIGBUS), 0,
	         K(BUS_UFFD)},
	        {"file", BUSES, 0, S(ANON), O(SIGBUS), 0, K(BUS_EOF)},
	        {"mapping not known", BUSES, 0, 0, O(SIGBUS), 0, K(UNKNOWN)},
	        {"not in the set", K(BUS_IO) | K(BUS_POISON), 0, S(ANON), O(SIGBUS), 0, K(UNKNOWN)},
	};

	LIKELY(rows);
}

static void test_likely_swap(void **unused)
{
	static const struct evidence_row rows[] = {
	        {"device", READS, 0, 0, DONE | O(MAJOR) | O(BIO) | O(ALLOC), 0, K(SWAP_DEVICE)},
	        {"zswap", READS, 0, 0, DONE | O(MAJOR) | O(ALLOC), O(BIO), K(SWAP_ZSWAP)},
	        {"major, reads not known", READS, 0, 0, DONE | O(MAJOR) | O(ALLOC), 0, K(UNKNOWN)},
	        {"major or not is not known", SWAPS, 0, 0, DONE | O(RSS_SWAP) | O(BIO), O(ALLOC),
	         K(UNKNOWN)},
	        {"nothing read, major or not is not known", SWAPS, 0, 0, DONE | O(RSS_SWAP),
	         O(BIO) | O(ALLOC), K(UNKNOWN)},
	        {"not major", SWAPS, 0, 0, DONE | O(RSS_SWAP), O(MAJOR) | O(ALLOC), K(SWAP_CACHE)},
	        {"not swap", K(ANON_ZERO) | READS, S(ANON), S(WRITE), DONE, O(MAJOR) | O(ALLOC),
	         K(ANON_ZERO)},
	        {"reads of reclaim", READS, 0, 0, DONE | O(MAJOR) | O(BIO) | O(RECLAIM), O(ALLOC),
	         K(UNKNOWN)},
	};

	LIKELY(rows);
}

static void test_likely_page(void **unused)
{
	static const struct evidence_row rows[] = {
	        {"copy", K(WP_COPY) | K(THP_WP), S(PRESENT), 0, DONE | O(ALLOC), O(ALLOC_PMD),
	         K(WP_COPY)},
	        {"copy, where huge pages are", K(WP_COPY) | K(THP_WP), S(PRESENT) | S(THP), 0,
	         DONE | O(ALLOC), O(ALLOC_PMD), K(UNKNOWN)},
	        {"huge copy", K(WP_SHARED) | K(THP_WP), S(PRESENT) | S(THP), 0,
	         DONE | O(ALLOC) | O(ALLOC_PMD), 0, K(THP_WP)},
	        {"first huge zero page", K(THP_ZERO) | K(NUMA_HINT), 0, S(WRITE),
	         DONE | O(ALLOC) | O(ALLOC_PMD), 0, K(THP_ZERO)},
	        {"a page for a read", K(THP_ZERO) | K(NUMA_HINT), 0, S(WRITE), DONE | O(ALLOC),
	         O(ALLOC_PMD), K(UNKNOWN)},
	        {"copy of a file", K(FILE_COW) | K(SWAP_CACHE), S(WRITE), 0, DONE | O(ALLOC), 0,
	         K(FILE_COW)},
	        {"huge page", K(THP_NEW) | K(ANON_NEW), S(WRITE), 0, DONE | O(ALLOC) | O(ALLOC_PMD),
	         O(ALLOC_ZERO), K(THP_NEW)},
	        {"huge page, then a small one", K(THP_NEW) | K(ANON_NEW), S(WRITE), 0,
	         DONE | O(ALLOC) | O(ALLOC_PMD) | O(ALLOC_ZERO), 0, K(ANON_NEW)},
	        {"small page", K(THP_NEW) | K(ANON_NEW), S(WRITE), 0, DONE | O(ALLOC),
	         O(ALLOC_PMD) | O(ALLOC_ZERO), K(ANON_NEW)},
	        {"shmem", K(SHMEM) | K(SWAP_CACHE), 0, S(PRESENT), DONE | O(RSS_SHMEM), O(ALLOC),
	         K(SHMEM)},
	        {"shmem, present before", K(SHMEM) | K(WP_COPY), S(PRESENT), 0,
	         DONE | O(RSS_SHMEM) | O(ALLOC), O(ALLOC_PMD), K(WP_COPY)},
	        {"file", K(FILE_READ) | K(THP_FILE), 0, S(PRESENT) | S(WRITE), DONE | O(RSS_FILE),
	         O(ALLOC), K(FILE_READ)},
	        {"file, fault-around", K(FILE_READ) | K(THP_FILE), 0, S(WRITE), DONE | O(MAP_PAGES),
	         O(ALLOC), K(FILE_READ)},
	        {"file, shared write", K(FILE_SHARED) | K(FILE_COW), S(WRITE) | S(VM_SHARED), 0,
	         DONE | O(FILEMAP), O(ALLOC), K(FILE_SHARED)},
	        {"file, private write", K(FILE_SHARED) | K(FILE_COW), S(WRITE), S(VM_SHARED),
	         DONE | O(FILEMAP) | O(ALLOC), 0, K(FILE_COW)},
	        {"file, present before", K(WP_COPY) | K(FILE_COW), S(WRITE) | S(PRESENT), 0,
	         DONE | O(RSS_FILE) | O(ALLOC), 0, K(WP_COPY)},
	};

	LIKELY(rows);
}

static void test_likely_quiet(void **unused)
{
	static const struct evidence_row rows[] = {
	        {"zero page", K(ANON_ZERO) | K(NUMA_HINT), S(ANON), S(WRITE), DONE, O(ALLOC),
	         K(ANON_ZERO)},
	        {"zero page, where huge pages are", K(ANON_ZERO) | K(THP_ZERO), S(ANON) | S(THP),
	         S(WRITE), DONE, O(ALLOC), K(UNKNOWN)},
	        {"a write", K(ANON_ZERO) | K(NUMA_HINT), S(ANON) | S(WRITE), 0, DONE, O(ALLOC),
	         K(UNKNOWN)},
	        {"not known to be anonymous", K(ANON_ZERO) | K(NUMA_HINT), 0, S(WRITE), DONE,
	         O(ALLOC), K(UNKNOWN)},
	        {"reuse", K(WP_REUSE) | K(ACCESS_ONLY), S(PRESENT), S(VM_SHARED), DONE, O(ALLOC),
	         K(WP_REUSE)},
	        {"reuse or shared", K(WP_REUSE) | K(WP_SHARED), S(PRESENT), 0, DONE, O(ALLOC),
	         K(UNKNOWN)},
	        {"reuse, where huge pages are", K(WP_REUSE) | K(THP_WP), S(PRESENT) | S(THP),
	         S(VM_SHARED), DONE, O(ALLOC), K(UNKNOWN)},
	        {"shared", K(WP_SHARED) | K(ACCESS_ONLY), S(PRESENT) | S(VM_SHARED), 0, DONE,
	         O(ALLOC), K(WP_SHARED)},
	        {"hugetlb", K(HUGETLB_NEW) | K(ACCESS_ONLY), S(HUGETLB), S(PRESENT), DONE, O(ALLOC),
	         K(HUGETLB_NEW)},
	        {"hugetlb copy", K(HUGETLB_COW) | K(WP_REUSE), S(HUGETLB) | S(PRESENT),
	         S(VM_SHARED), DONE, O(ALLOC), K(HUGETLB_COW)},
	        {"not completed", K(ANON_ZERO) | K(NUMA_HINT), S(ANON), S(WRITE), 0, O(ALLOC),
	         K(UNKNOWN)},
	        {"pages not known", K(ANON_ZERO) | K(NUMA_HINT), S(ANON), S(WRITE), DONE, 0,
	         K(UNKNOWN)},
	        {"missing handler, slept", K(ANON_ZERO) | K(UFFD_MISSING),
	         S(ANON) | S(UFFD_MISSING), S(WRITE), DONE | O(SLEPT), O(ALLOC), K(UFFD_MISSING)},
	        {"missing handler", K(ANON_ZERO) | K(UFFD_MISSING), S(ANON) | S(UFFD_MISSING),
	         S(WRITE), DONE, O(ALLOC), K(UNKNOWN)},
	        {"wp handler, slept", K(WP_REUSE) | K(UFFD_WP), S(PRESENT) | S(UFFD_WP),
	         S(VM_SHARED), DONE | O(SLEPT), O(ALLOC), K(UFFD_WP)},
	        {"minor handler, slept", K(SHMEM) | K(UFFD_MINOR), S(UFFD_MINOR), S(ANON),
	         DONE | O(SLEPT), O(ALLOC), K(UFFD_MINOR)},
	        {"handler for other faults", K(ANON_ZERO) | K(NUMA_HINT), S(ANON) | S(UFFD_WP),
	         S(WRITE), DONE, O(ALLOC), K(ANON_ZERO)},
	};

	LIKELY(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_signals),     cmocka_unit_test(test_open),
	        cmocka_unit_test(test_major),       cmocka_unit_test(test_alloc),
	        cmocka_unit_test(test_counters),    cmocka_unit_test(test_path),
	        cmocka_unit_test(test_likely_bus),  cmocka_unit_test(test_likely_swap),
	        cmocka_unit_test(test_likely_page), cmocka_unit_test(test_likely_quiet),
	};

	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
