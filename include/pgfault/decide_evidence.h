/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The evidence: what was seen inside a fault window rules kinds out. The bodies of
 * pgf_narrow(), pgf_settle() and pgf_set_likely(); include decide.h.
 *
 * One function is one sort of evidence. Only what was seen, or could have been seen and
 * was not, rules anything out.
 */
#ifndef PGFAULT_DECIDE_EVIDENCE_H
#define PGFAULT_DECIDE_EVIDENCE_H

#include <stdbool.h>

#include <pgfault/decide_tree.h>

/* Sets of kinds, for the evidence. */
#define PGF_SWAPS (PGF_SET(PGF_SWAP_DEVICE) | PGF_SET(PGF_SWAP_CACHE) | PGF_SET(PGF_SWAP_ZSWAP))
#define PGF_READS (PGF_SET(PGF_SWAP_DEVICE) | PGF_SET(PGF_SWAP_ZSWAP))
#define PGF_UFFDS (PGF_SET(PGF_UFFD_MISSING) | PGF_SET(PGF_UFFD_WP) | PGF_SET(PGF_UFFD_MINOR))
#define PGF_SEGVS                                                                                  \
	(PGF_SET(PGF_SEGV_MAPERR) | PGF_SET(PGF_SEGV_ACCERR) | PGF_SET(PGF_SEGV_PKUERR) |          \
	 PGF_SET(PGF_SEGV_OTHER))
#define PGF_BUSES                                                                                  \
	(PGF_SET(PGF_BUS_EOF) | PGF_SET(PGF_BUS_HUGETLB) | PGF_SET(PGF_BUS_POISON) |               \
	 PGF_SET(PGF_BUS_UFFD) | PGF_SET(PGF_BUS_IO))
#define PGF_REFUSED (PGF_SET(PGF_KERN_EFAULT) | PGF_SET(PGF_KERN_OOPS) | PGF_SET(PGF_NOFAULT))
/* Kinds that min_flt and maj_flt do not count, and all others. */
#define PGF_UNCOUNTED                                                                              \
	(PGF_SEGVS | PGF_BUSES | PGF_REFUSED | PGF_SET(PGF_OOM) | PGF_SET(PGF_UNFINISHED) |        \
	 PGF_SET(PGF_KERN_VMALLOC) | PGF_SET(PGF_KERN_SPURIOUS) | PGF_SET(PGF_VSYSCALL))
#define PGF_SERVED ((PGF_SET(PGF_KIND_COUNT) - 1) & ~PGF_SET(PGF_UNKNOWN) & ~PGF_UNCOUNTED)
/* Never major: nothing on their way waits with the lock dropped. */
#define PGF_NEVER_MAJOR                                                                            \
	(PGF_SET(PGF_ANON_ZERO) | PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_NUMA_HINT) |                 \
	 PGF_SET(PGF_WP_COPY) | PGF_SET(PGF_WP_REUSE) | PGF_SET(PGF_THP_ZERO) |                    \
	 PGF_SET(PGF_THP_NEW) | PGF_SET(PGF_THP_WP) | PGF_SET(PGF_THP_NUMA) |                      \
	 PGF_SET(PGF_HUGETLB_NEW) | PGF_SET(PGF_HUGETLB_COW) | PGF_SET(PGF_MIGRATION_WAIT))
/* Kinds whose entry is present and readable, and kinds whose entry is not. */
#define PGF_NEEDS_PRESENT                                                                          \
	(PGF_SET(PGF_WP_COPY) | PGF_SET(PGF_WP_REUSE) | PGF_SET(PGF_WP_SHARED) |                   \
	 PGF_SET(PGF_THP_WP) | PGF_SET(PGF_HUGETLB_COW) | PGF_SET(PGF_UFFD_WP))
#define PGF_NEEDS_ABSENT                                                                           \
	(PGF_SERVED & ~PGF_NEEDS_PRESENT & ~PGF_SET(PGF_ACCESS_ONLY) & ~PGF_SET(PGF_DEVICE_PFN))

/* Kinds that read pages, or make room for them. */
#define PGF_HAS_IO                                                                                 \
	(PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_COW) | PGF_SET(PGF_FILE_SHARED) |               \
	 PGF_SET(PGF_SHMEM) | PGF_SET(PGF_THP_FILE) | PGF_SET(PGF_WP_SHARED) |                     \
	 PGF_SET(PGF_DEVICE_PFN) | PGF_SWAPS)

/* One of these was seen; none of these was, and each could have been. */
#define PGF_SAW(o, bits)    (((o)->known & (o)->yes & (bits)) != 0)
#define PGF_MISSED(o, bits) (((o)->known & ~(o)->yes & (bits)) == (bits))
/* An input that is known to hold, or not to. */
#define PGF_IS(s, bit)   (((s)->known & (s)->yes & (bit)) != 0)
#define PGF_ISNT(s, bit) (((s)->known & ~(s)->yes & (bit)) != 0)

/* The signals that si_code stands for. */
PGF_TREE pgf_set pgf_evidence_signal(pgf_set leaves, const struct pgf_state *s,
                                     const struct pgf_outcome *o)
{
	pgf_set allowed = 0;

	/* A signal inside a kernel-mode fault is about what the kernel was doing. */
	if (PGF_MAYN(s, PGF_S_USER_MODE))
		allowed = PGF_REFUSED;
	if (PGF_SAW(o, PGF_O_MAPERR))
		allowed |= PGF_SET(PGF_SEGV_MAPERR);
	else if (PGF_SAW(o, PGF_O_ACCERR))
		allowed |= PGF_SET(PGF_SEGV_ACCERR) | PGF_SET(PGF_SEGV_OTHER);
	else if (PGF_SAW(o, PGF_O_PKUERR))
		allowed |= PGF_SET(PGF_SEGV_PKUERR);
	else if (PGF_SAW(o, PGF_O_MCEERR))
		allowed |= PGF_SET(PGF_BUS_POISON);
	else if (PGF_SAW(o, PGF_O_SIGBUS))
		allowed |= PGF_BUSES; /* poison too: without CONFIG_MEMORY_FAILURE it is ADRERR */
	else if (PGF_MISSED(o, PGF_O_MAPERR | PGF_O_ACCERR | PGF_O_PKUERR))
		allowed |= PGF_SET(PGF_SEGV_OTHER);
	else
		allowed |= PGF_SEGVS;
	return leaves & allowed;
}

/* No completion was seen where it would have been, and no signal. */
PGF_TREE pgf_set pgf_evidence_open(pgf_set leaves, const struct pgf_state *s,
                                   const struct pgf_outcome *o)
{
	pgf_set rest = leaves & PGF_UNCOUNTED;

	if (PGF_MISSED(o, PGF_O_SIGSEGV))
		rest &= ~PGF_SEGVS;
	if (PGF_MISSED(o, PGF_O_SIGBUS))
		rest &= ~PGF_BUSES;
	if (!(leaves & PGF_SERVED) && rest)
		return rest;
	if (!PGF_SAW(o, PGF_O_FAILED))
		rest |= PGF_SET(PGF_UNFINISHED);
	/* The kernel's own accesses get EFAULT when memory is short. */
	if (PGF_MAY(s, PGF_S_USER_MODE) && !PGF_MISSED(o, PGF_O_OOM) &&
	    !PGF_MISSED(o, PGF_O_FAILED))
		rest |= PGF_SET(PGF_OOM);
	return rest;
}

PGF_TREE pgf_set pgf_evidence_end(pgf_set leaves, const struct pgf_state *s,
                                  const struct pgf_outcome *o)
{
	if (PGF_SAW(o, PGF_O_COMPLETED | PGF_O_MAJOR))
		leaves &= PGF_SERVED;
	else if (PGF_SAW(o, PGF_O_OOM))
		return PGF_SET(PGF_OOM);
	if (PGF_SAW(o, PGF_O_SIGSEGV | PGF_O_SIGBUS))
		return pgf_evidence_signal(leaves, s, o);
	if (PGF_MISSED(o, PGF_O_COMPLETED))
		return pgf_evidence_open(leaves, s, o);
	return leaves;
}

PGF_TREE pgf_set pgf_evidence_major(pgf_set leaves, const struct pgf_outcome *o)
{
	if (PGF_SAW(o, PGF_O_MAJOR)) {
		leaves &= ~PGF_NEVER_MAJOR;
		/* A hit in the swap cache is major only by a wait for the page and a retry. */
		if (PGF_MISSED(o, PGF_O_RETRY) || PGF_SAW(o, PGF_O_BIO))
			leaves &= ~PGF_SET(PGF_SWAP_CACHE);
	} else if (PGF_MISSED(o, PGF_O_MAJOR)) {
		leaves &= ~PGF_READS;
	}
	return leaves;
}

PGF_TREE pgf_set pgf_evidence_huge(pgf_set leaves, const struct pgf_outcome *o)
{
	if (PGF_SAW(o, PGF_O_ALLOC_PMD)) {
		leaves &= ~(PGF_SWAPS | PGF_SET(PGF_WP_COPY));
		/* A huge page that could not be charged is followed by a small zeroed one. */
		if (PGF_MISSED(o, PGF_O_ALLOC_ZERO))
			leaves &= ~PGF_SET(PGF_ANON_NEW);
	} else if (PGF_MISSED(o, PGF_O_ALLOC_PMD)) {
		leaves &= ~PGF_SET(PGF_THP_NEW);
		/* The huge zero page is allocated once, then only mapped. */
		if (PGF_SAW(o, PGF_O_ALLOC))
			leaves &= ~PGF_SET(PGF_THP_ZERO);
	}
	return leaves;
}

PGF_TREE pgf_set pgf_evidence_alloc(pgf_set leaves, const struct pgf_state *s,
                                    const struct pgf_outcome *o)
{
	if (PGF_MISSED(o, PGF_O_ALLOC))
		return leaves & ~(PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_FILE_COW) |
		                  PGF_SET(PGF_WP_COPY) | PGF_SET(PGF_THP_NEW) | PGF_READS);
	leaves = pgf_evidence_huge(leaves, o);
	if (!PGF_SAW(o, PGF_O_ALLOC | PGF_O_ALLOC_PMD))
		return leaves;
	leaves &= ~(PGF_SET(PGF_ANON_ZERO) | PGF_SET(PGF_WP_REUSE) | PGF_SET(PGF_MIGRATION_WAIT));
	if (PGF_IS(s, PGF_S_PRESENT))
		leaves &= ~PGF_SET(PGF_ACCESS_ONLY);
	if (!PGF_IS(s, PGF_S_UFFD_WP) && !PGF_SAW(o, PGF_O_UFFD))
		leaves &= ~PGF_SET(PGF_UFFD_WP);
	/* A hint allocates to migrate; a hit in the swap cache to copy for a private write. */
	if (PGF_MISSED(o, PGF_O_MIGRATE))
		leaves &= ~(PGF_SET(PGF_NUMA_HINT) | PGF_SET(PGF_THP_NUMA));
	if (PGF_ISNT(s, PGF_S_WRITE) || PGF_IS(s, PGF_S_VM_SHARED))
		leaves &= ~PGF_SET(PGF_SWAP_CACHE);
	return leaves;
}

/* The kinds that change each counter. */
#define PGF_CHANGES_ANON                                                                           \
	(PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_FILE_COW) | PGF_SET(PGF_WP_COPY) |                    \
	 PGF_SET(PGF_THP_NEW) | PGF_SET(PGF_THP_WP) | PGF_SWAPS)
#define PGF_CHANGES_FILE                                                                           \
	(PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_SHARED) | PGF_SET(PGF_THP_FILE) |               \
	 PGF_SET(PGF_WP_COPY) | PGF_SET(PGF_THP_WP) | PGF_SET(PGF_DEVICE_PFN))
#define PGF_CHANGES_SHMEM                                                                          \
	(PGF_SET(PGF_SHMEM) | PGF_SET(PGF_THP_FILE) | PGF_SET(PGF_WP_COPY) | PGF_SET(PGF_THP_WP) | \
	 PGF_SWAPS)

/*
 * A counter changed. A waiter that userfaultfd woke may map a page itself; where no
 * handler is known to stand, the fault is named after what was mapped.
 */
PGF_TREE pgf_set pgf_evidence_rss(pgf_set leaves, const struct pgf_state *s,
                                  const struct pgf_outcome *o)
{
	pgf_set always = PGF_UNCOUNTED;

	if (PGF_IS(s, PGF_S_UFFD_MISSING) || PGF_SAW(o, PGF_O_UFFD))
		always |= PGF_SET(PGF_UFFD_MISSING);
	if (PGF_IS(s, PGF_S_UFFD_MINOR) || PGF_SAW(o, PGF_O_UFFD))
		always |= PGF_SET(PGF_UFFD_MINOR);
	if (PGF_IS(s, PGF_S_UFFD_WP) || PGF_SAW(o, PGF_O_UFFD))
		always |= PGF_SET(PGF_UFFD_WP);
	if (PGF_SAW(o, PGF_O_RSS_ANON))
		leaves &= always | PGF_CHANGES_ANON;
	if (PGF_SAW(o, PGF_O_RSS_FILE))
		leaves &= always | PGF_CHANGES_FILE;
	if (PGF_SAW(o, PGF_O_RSS_SHMEM))
		leaves &= always | PGF_CHANGES_SHMEM;
	if (PGF_SAW(o, PGF_O_RSS_SWAP))
		leaves &= always | PGF_SWAPS;
	return leaves;
}

/* A counter did not change: what would have changed it. A lost race changes nothing. */
PGF_TREE pgf_set pgf_evidence_rss_same(pgf_set leaves, const struct pgf_state *s,
                                       const struct pgf_outcome *o)
{
	bool read = PGF_SAW(o, PGF_O_MAJOR | PGF_O_BIO | PGF_O_SWAPIN | PGF_O_ZSWAP);
	bool walked = PGF_SAW(o, PGF_O_MAP_PAGES | PGF_O_FILEMAP);

	if (PGF_MISSED(o, PGF_O_RSS_ANON))
		leaves &= ~(PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_FILE_COW) | PGF_SET(PGF_THP_NEW));
	if (PGF_MISSED(o, PGF_O_RSS_FILE) && !walked)
		leaves &= ~(PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_SHARED));
	if (PGF_MISSED(o, PGF_O_RSS_SHMEM) && !walked)
		leaves &= ~PGF_SET(PGF_SHMEM);
	if (PGF_MISSED(o, PGF_O_RSS_FILE | PGF_O_RSS_SHMEM) && !walked)
		leaves &= ~PGF_SET(PGF_THP_FILE);
	/* Swapped shmem pages do not count as swap of the task. */
	if (!read && PGF_MISSED(o, PGF_O_RSS_SWAP) &&
	    (PGF_ISNT(s, PGF_S_SHMEM) || PGF_MISSED(o, PGF_O_RSS_SHMEM | PGF_O_RSS_ANON)))
		leaves &= ~PGF_SWAPS;
	return leaves;
}

/* Functions of the handler that were seen to run, or not to. */
PGF_TREE pgf_set pgf_evidence_path(pgf_set leaves, const struct pgf_outcome *o)
{
	if (PGF_SAW(o, PGF_O_FILEMAP))
		leaves &= PGF_UNCOUNTED | PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_COW) |
		          PGF_SET(PGF_FILE_SHARED) | PGF_SET(PGF_THP_FILE);
	if (PGF_SAW(o, PGF_O_MAP_PAGES))
		leaves &= PGF_UNCOUNTED | PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_SHMEM) |
		          PGF_SET(PGF_THP_FILE) | PGF_SET(PGF_DEVICE_PFN) | PGF_SWAPS;
	/* A page that comes from swap may then turn out to be write-protected. */
	if (PGF_SAW(o, PGF_O_UFFD))
		leaves &= PGF_UNCOUNTED | PGF_UFFDS | PGF_SWAPS;
	else if (PGF_MISSED(o, PGF_O_UFFD))
		leaves &= ~(PGF_UFFDS | PGF_SET(PGF_BUS_UFFD));
	if (PGF_SAW(o, PGF_O_ZSWAP))
		leaves &= PGF_UNCOUNTED | PGF_SET(PGF_SWAP_ZSWAP);
	else if (PGF_MISSED(o, PGF_O_ZSWAP))
		leaves &= ~PGF_SET(PGF_SWAP_ZSWAP);
	if (PGF_SAW(o, PGF_O_SWAPIN))
		leaves &= PGF_UNCOUNTED | PGF_READS;
	else if (PGF_MISSED(o, PGF_O_SWAPIN))
		leaves &= ~PGF_READS;
	return leaves;
}

/*
 * What the error code says of an entry that nobody read. The entry may have changed on
 * the way to the handler: so this never takes the last member.
 */
PGF_TREE pgf_set pgf_evidence_entry(pgf_set leaves, const struct pgf_state *s)
{
	pgf_set rest = leaves;

	if (s->entry == PGF_ENTRY_UNKNOWN && PGF_IS(s, PGF_S_PRESENT))
		rest &= ~PGF_NEEDS_ABSENT;
	else if (s->entry == PGF_ENTRY_UNKNOWN && PGF_ISNT(s, PGF_S_PRESENT))
		rest &= ~PGF_NEEDS_PRESENT;
	return rest ? rest : leaves;
}

/* Reclaim inside the fault unmaps, writes out and compresses pages: that is not the fault's. */
PGF_TREE struct pgf_outcome pgf_evidence_trust(const struct pgf_outcome *o)
{
	struct pgf_outcome trusted = {.known = o->known, .yes = o->known & o->yes};
	__u64 spoilt =
	        PGF_O_RSS_ANON | PGF_O_RSS_FILE | PGF_O_RSS_SHMEM | PGF_O_RSS_SWAP | PGF_O_BIO;

	if (!(trusted.yes & PGF_O_RECLAIM))
		return trusted;
	if (!(trusted.yes & (PGF_O_ALLOC_ZERO | PGF_O_ALLOC_PMD)))
		spoilt |= PGF_O_ALLOC;
	trusted.known &= ~(trusted.yes & spoilt);
	trusted.yes &= ~spoilt;
	return trusted;
}

PGF_STATION pgf_set pgf_evidence(pgf_set leaves, const struct pgf_state *s,
                                 const struct pgf_outcome *o)
{
	leaves = pgf_evidence_end(leaves, s, o);
	leaves = pgf_evidence_major(leaves, o);
	leaves = pgf_evidence_alloc(leaves, s, o);
	leaves = pgf_evidence_rss(leaves, s, o);
	leaves = pgf_evidence_rss_same(leaves, s, o);
	leaves = pgf_evidence_path(leaves, o);
	return pgf_evidence_entry(leaves, s);
}

/*
 * What a kind may turn into on the way: no state foretells a failed allocation, a lost
 * race or an I/O error.
 */
PGF_TREE pgf_set pgf_evidence_turn(pgf_set leaves, const struct pgf_outcome *o)
{
	pgf_set more = 0;

	if (leaves & PGF_SERVED)
		more |= PGF_SET(PGF_ACCESS_ONLY);
	if ((leaves & PGF_SERVED) && PGF_SAW(o, PGF_O_MCEERR))
		more |= PGF_SET(PGF_BUS_POISON);
	if (leaves & PGF_HAS_IO)
		more |= PGF_SET(PGF_BUS_IO);
	if (leaves & PGF_SET(PGF_THP_NEW))
		more |= PGF_SET(PGF_ANON_NEW);
	if (leaves & PGF_SET(PGF_THP_ZERO))
		more |= PGF_SET(PGF_ANON_ZERO);
	if (leaves & PGF_SET(PGF_THP_FILE))
		more |= PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_SHARED) | PGF_SET(PGF_SHMEM);
	if (leaves & PGF_SWAPS)
		more |= PGF_SWAPS;
	if (leaves & PGF_UFFDS)
		more |= PGF_SET(PGF_BUS_UFFD);
	if (leaves & (PGF_SET(PGF_HUGETLB_NEW) | PGF_SET(PGF_HUGETLB_COW)))
		more |= PGF_SET(PGF_BUS_HUGETLB);
	if (leaves & PGF_SET(PGF_VSYSCALL))
		more |= PGF_SET(PGF_SEGV_MAPERR);
	return more & ~leaves;
}

static inline __attribute__((unused)) pgf_set
pgf_narrow(pgf_set leaves, const struct pgf_state *state, const struct pgf_outcome *outcome)
{
	struct pgf_outcome trusted = pgf_evidence_trust(outcome);
	pgf_set rest = pgf_evidence(leaves, state, &trusted);

	if (!rest)
		rest = pgf_evidence(pgf_evidence_turn(leaves, &trusted), state, &trusted);
	return rest ? rest : PGF_SET(PGF_UNKNOWN);
}

static inline __attribute__((unused)) enum pgf_kind pgf_set_kind(pgf_set leaves)
{
	unsigned int kind = 0;

	if (!leaves || (leaves & (leaves - 1)))
		return PGF_UNKNOWN;
	for (unsigned int step = 32; step; step >>= 1) {
		if (leaves >> step) {
			leaves >>= step;
			kind += step;
		}
	}
	return (enum pgf_kind)kind;
}

static inline __attribute__((unused)) enum pgf_kind
pgf_settle(pgf_set leaves, const struct pgf_state *state, const struct pgf_outcome *outcome)
{
	return pgf_set_kind(pgf_narrow(leaves, state, outcome));
}

PGF_TREE enum pgf_kind pgf_likely_bus(const struct pgf_state *s)
{
	if (PGF_IS(s, PGF_S_HUGETLB))
		return PGF_BUS_HUGETLB;
	if (PGF_IS(s, PGF_S_ANON))
		return PGF_BUS_UFFD;
	return PGF_ISNT(s, PGF_S_ANON) ? PGF_BUS_EOF : PGF_UNKNOWN;
}

PGF_TREE enum pgf_kind pgf_likely_swap(const struct pgf_outcome *o)
{
	if (PGF_MISSED(o, PGF_O_MAJOR))
		return PGF_SWAP_CACHE;
	if (PGF_SAW(o, PGF_O_MAJOR) && PGF_SAW(o, PGF_O_BIO))
		return PGF_SWAP_DEVICE;
	if (PGF_SAW(o, PGF_O_MAJOR) && PGF_MISSED(o, PGF_O_BIO))
		return PGF_SWAP_ZSWAP;
	return PGF_UNKNOWN;
}

/* A page was allocated, and it is not one of a file. */
PGF_TREE enum pgf_kind pgf_likely_alloc(pgf_set leaves, const struct pgf_state *s,
                                        const struct pgf_outcome *o)
{
	if (PGF_IS(s, PGF_S_PRESENT))
		return PGF_SAW(o, PGF_O_ALLOC_PMD) ? PGF_THP_WP : PGF_WP_COPY;
	if (PGF_ISNT(s, PGF_S_WRITE))
		return PGF_SAW(o, PGF_O_ALLOC_PMD) ? PGF_THP_ZERO : PGF_UNKNOWN;
	if (leaves & PGF_SET(PGF_FILE_COW))
		return PGF_FILE_COW;
	if (PGF_SAW(o, PGF_O_ALLOC_PMD) && PGF_MISSED(o, PGF_O_ALLOC_ZERO))
		return PGF_THP_NEW;
	return PGF_ANON_NEW;
}

/* No page was allocated. */
PGF_TREE enum pgf_kind pgf_likely_quiet(const struct pgf_state *s)
{
	if (PGF_IS(s, PGF_S_PRESENT)) {
		if (PGF_IS(s, PGF_S_HUGETLB))
			return PGF_HUGETLB_COW;
		if (PGF_IS(s, PGF_S_VM_SHARED))
			return PGF_WP_SHARED;
		return PGF_ISNT(s, PGF_S_VM_SHARED) ? PGF_WP_REUSE : PGF_UNKNOWN;
	}
	if (PGF_IS(s, PGF_S_HUGETLB))
		return PGF_HUGETLB_NEW;
	if (PGF_ISNT(s, PGF_S_WRITE) && PGF_IS(s, PGF_S_ANON) && !PGF_IS(s, PGF_S_THP))
		return PGF_ANON_ZERO;
	return PGF_UNKNOWN;
}

PGF_TREE enum pgf_kind pgf_likely_file(const struct pgf_state *s)
{
	if (PGF_IS(s, PGF_S_PRESENT))
		return PGF_WP_COPY;
	if (PGF_ISNT(s, PGF_S_WRITE))
		return PGF_FILE_READ;
	return PGF_IS(s, PGF_S_VM_SHARED) ? PGF_FILE_SHARED : PGF_FILE_COW;
}

/* Where a handler of userfaultfd is known to stand, nothing else is more usual. */
PGF_TREE bool pgf_likely_none(pgf_set leaves, const struct pgf_state *s)
{
	return (PGF_IS(s, PGF_S_UFFD_MISSING) && (leaves & PGF_SET(PGF_UFFD_MISSING))) ||
	       (PGF_IS(s, PGF_S_UFFD_WP) && (leaves & PGF_SET(PGF_UFFD_WP))) ||
	       (PGF_IS(s, PGF_S_UFFD_MINOR) && (leaves & PGF_SET(PGF_UFFD_MINOR)));
}

PGF_TREE enum pgf_kind pgf_likely_served(pgf_set leaves, const struct pgf_state *s,
                                         const struct pgf_outcome *o)
{
	if (!(o->known & PGF_O_ALLOC) || !PGF_SAW(o, PGF_O_COMPLETED) || pgf_likely_none(leaves, s))
		return PGF_UNKNOWN;
	if (PGF_SAW(o, PGF_O_RSS_SWAP) || (PGF_SAW(o, PGF_O_MAJOR) && (leaves & PGF_READS)))
		return pgf_likely_swap(o);
	if (PGF_SAW(o, PGF_O_RSS_SHMEM) && PGF_ISNT(s, PGF_S_PRESENT))
		return PGF_SHMEM;
	if (PGF_SAW(o, PGF_O_RSS_FILE | PGF_O_MAP_PAGES | PGF_O_FILEMAP))
		return pgf_likely_file(s);
	if (PGF_SAW(o, PGF_O_ALLOC))
		return pgf_likely_alloc(leaves, s, o);
	return pgf_likely_quiet(s);
}

static inline __attribute__((unused)) enum pgf_kind
pgf_set_likely(pgf_set leaves, const struct pgf_state *state, const struct pgf_outcome *outcome)
{
	struct pgf_outcome trusted = pgf_evidence_trust(outcome);
	enum pgf_kind kind = pgf_set_kind(leaves);

	if (kind)
		return kind;
	if (PGF_SAW(&trusted, PGF_O_SIGBUS))
		kind = pgf_likely_bus(state);
	else
		kind = pgf_likely_served(leaves, state, &trusted);
	return leaves & PGF_SET(kind) ? kind : PGF_UNKNOWN;
}

#endif /* PGFAULT_DECIDE_EVIDENCE_H */
