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

/* One of these was seen; none of these was, and each could have been: 0 or 1. */
#define PGF_SAW(o, bits)    pgf_any((o)->known &(o)->yes &(bits))
#define PGF_MISSED(o, bits) (1 ^ pgf_any((~(o)->known | (o)->yes) & (bits)))
/* An input that is known to hold, or not to. */
#define PGF_IS(s, bit)   pgf_any((s)->known &(s)->yes &(bit))
#define PGF_ISNT(s, bit) pgf_any((s)->known & ~(s)->yes & (bit))

#define PGF_DROP(set, when, kinds) ((set) & ~PGF_WHEN(when, kinds))
#define PGF_KEEP(set, when, kinds) ((set)&PGF_PICK(when, kinds, ~(pgf_set)0))

/* The signals that si_code stands for. */
PGF_TREE pgf_set pgf_evidence_signal(pgf_set leaves, const struct pgf_state *s,
                                     const struct pgf_outcome *o)
{
	/* A signal inside a kernel-mode fault is about what the kernel was doing. */
	pgf_set allowed = PGF_WHEN(PGF_MAYN(s, PGF_S_USER_MODE), PGF_REFUSED);
	/* Poison is ADRERR on kernels without CONFIG_MEMORY_FAILURE. */
	pgf_set bus = PGF_PICK(PGF_SAW(o, PGF_O_MCEERR), PGF_SET(PGF_BUS_POISON), PGF_BUSES);
	__u64 no_code = PGF_MISSED(o, PGF_O_MAPERR | PGF_O_ACCERR | PGF_O_PKUERR);
	__u64 no_idea = 1 ^ (no_code | PGF_SAW(o, PGF_O_MAPERR | PGF_O_ACCERR | PGF_O_PKUERR));
	pgf_set segv = PGF_WHEN(PGF_SAW(o, PGF_O_MAPERR), PGF_SET(PGF_SEGV_MAPERR)) |
	               PGF_WHEN(PGF_SAW(o, PGF_O_ACCERR),
	                        PGF_SET(PGF_SEGV_ACCERR) | PGF_SET(PGF_SEGV_OTHER)) |
	               PGF_WHEN(PGF_SAW(o, PGF_O_PKUERR), PGF_SET(PGF_SEGV_PKUERR)) |
	               PGF_WHEN(no_code, PGF_SET(PGF_SEGV_OTHER)) | PGF_WHEN(no_idea, PGF_SEGVS);

	return leaves & (allowed | PGF_PICK(PGF_SAW(o, PGF_O_SIGBUS), bus, segv));
}

/* No completion was seen where it would have been, and no signal. */
PGF_TREE pgf_set pgf_evidence_open(pgf_set leaves, const struct pgf_state *s,
                                   const struct pgf_outcome *o)
{
	pgf_set rest = leaves & PGF_UNCOUNTED;
	/* The kernel's own accesses get EFAULT when memory is short. */
	__u64 excluded = PGF_MISSED(o, PGF_O_OOM) | PGF_MISSED(o, PGF_O_FAILED);
	__u64 oom = PGF_MAY(s, PGF_S_USER_MODE) & (1 ^ excluded);
	pgf_set more = PGF_WHEN(1 ^ PGF_SAW(o, PGF_O_FAILED), PGF_SET(PGF_UNFINISHED)) |
	               PGF_WHEN(oom, PGF_SET(PGF_OOM));

	rest = PGF_DROP(rest, PGF_MISSED(o, PGF_O_SIGSEGV), PGF_SEGVS);
	rest = PGF_DROP(rest, PGF_MISSED(o, PGF_O_SIGBUS), PGF_BUSES);
	return rest | PGF_WHEN(pgf_any(leaves & PGF_SERVED) | (1 ^ pgf_any(rest)), more);
}

PGF_TREE pgf_set pgf_evidence_end(pgf_set leaves, const struct pgf_state *s,
                                  const struct pgf_outcome *o)
{
	__u64 done = PGF_SAW(o, PGF_O_COMPLETED | PGF_O_MAJOR);
	__u64 signal = PGF_SAW(o, PGF_O_SIGSEGV | PGF_O_SIGBUS);
	__u64 open = PGF_MISSED(o, PGF_O_COMPLETED) & (1 ^ done);
	pgf_set rest;

	leaves = PGF_KEEP(leaves, done, PGF_SERVED);
	rest = PGF_PICK(signal, pgf_evidence_signal(leaves, s, o),
	                PGF_PICK(open, pgf_evidence_open(leaves, s, o), leaves));
	return PGF_PICK(PGF_SAW(o, PGF_O_OOM) & (1 ^ done), PGF_SET(PGF_OOM), rest);
}

PGF_TREE pgf_set pgf_evidence_major(pgf_set leaves, const struct pgf_outcome *o)
{
	__u64 major = PGF_SAW(o, PGF_O_MAJOR);
	/* A hit in the swap cache is major only by a wait for the page and a retry. */
	__u64 no_wait = PGF_MISSED(o, PGF_O_RETRY) | PGF_SAW(o, PGF_O_BIO);

	leaves = PGF_DROP(leaves, major, PGF_NEVER_MAJOR);
	leaves = PGF_DROP(leaves, major & no_wait, PGF_SET(PGF_SWAP_CACHE));
	return PGF_DROP(leaves, PGF_MISSED(o, PGF_O_MAJOR), PGF_READS);
}

PGF_TREE pgf_set pgf_evidence_huge(pgf_set leaves, const struct pgf_outcome *o)
{
	__u64 huge = PGF_SAW(o, PGF_O_ALLOC_PMD), none = PGF_MISSED(o, PGF_O_ALLOC_PMD);

	leaves = PGF_DROP(leaves, huge, PGF_SWAPS | PGF_SET(PGF_WP_COPY));
	/* A huge page that could not be charged is followed by a small zeroed one. */
	leaves = PGF_DROP(leaves, huge & PGF_MISSED(o, PGF_O_ALLOC_ZERO), PGF_SET(PGF_ANON_NEW));
	leaves = PGF_DROP(leaves, none, PGF_SET(PGF_THP_NEW));
	/* The huge zero page is allocated once, then only mapped. */
	return PGF_DROP(leaves, none & PGF_SAW(o, PGF_O_ALLOC), PGF_SET(PGF_THP_ZERO));
}

PGF_TREE pgf_set pgf_evidence_alloc(pgf_set leaves, const struct pgf_state *s,
                                    const struct pgf_outcome *o)
{
	__u64 page = PGF_SAW(o, PGF_O_ALLOC | PGF_O_ALLOC_PMD);
	__u64 no_handler = 1 ^ (PGF_IS(s, PGF_S_UFFD_WP) | PGF_SAW(o, PGF_O_UFFD));
	__u64 no_copy = PGF_ISNT(s, PGF_S_WRITE) | PGF_IS(s, PGF_S_VM_SHARED);

	leaves = PGF_DROP(leaves, PGF_MISSED(o, PGF_O_ALLOC),
	                  PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_FILE_COW) | PGF_SET(PGF_WP_COPY) |
	                          PGF_SET(PGF_THP_NEW) | PGF_READS);
	leaves = pgf_evidence_huge(leaves, o);
	leaves = PGF_DROP(leaves, page,
	                  PGF_SET(PGF_ANON_ZERO) | PGF_SET(PGF_WP_REUSE) |
	                          PGF_SET(PGF_MIGRATION_WAIT));
	leaves = PGF_DROP(leaves, page & PGF_IS(s, PGF_S_PRESENT), PGF_SET(PGF_ACCESS_ONLY));
	leaves = PGF_DROP(leaves, page & no_handler, PGF_SET(PGF_UFFD_WP));
	/* A hint allocates to migrate; a hit in the swap cache to copy for a private write. */
	leaves = PGF_DROP(leaves, page & PGF_MISSED(o, PGF_O_MIGRATE),
	                  PGF_SET(PGF_NUMA_HINT) | PGF_SET(PGF_THP_NUMA));
	return PGF_DROP(leaves, page & no_copy, PGF_SET(PGF_SWAP_CACHE));
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
	pgf_set always = PGF_UNCOUNTED | PGF_WHEN(PGF_SAW(o, PGF_O_UFFD), PGF_UFFDS) |
	                 PGF_WHEN(PGF_IS(s, PGF_S_UFFD_MISSING), PGF_SET(PGF_UFFD_MISSING)) |
	                 PGF_WHEN(PGF_IS(s, PGF_S_UFFD_MINOR), PGF_SET(PGF_UFFD_MINOR)) |
	                 PGF_WHEN(PGF_IS(s, PGF_S_UFFD_WP), PGF_SET(PGF_UFFD_WP));

	leaves = PGF_KEEP(leaves, PGF_SAW(o, PGF_O_RSS_ANON), always | PGF_CHANGES_ANON);
	leaves = PGF_KEEP(leaves, PGF_SAW(o, PGF_O_RSS_FILE), always | PGF_CHANGES_FILE);
	leaves = PGF_KEEP(leaves, PGF_SAW(o, PGF_O_RSS_SHMEM), always | PGF_CHANGES_SHMEM);
	return PGF_KEEP(leaves, PGF_SAW(o, PGF_O_RSS_SWAP), always | PGF_SWAPS);
}

/* A counter did not change: what would have changed it. A lost race changes nothing. */
PGF_TREE pgf_set pgf_evidence_rss_same(pgf_set leaves, const struct pgf_state *s,
                                       const struct pgf_outcome *o)
{
	__u64 not_read = 1 ^ PGF_SAW(o, PGF_O_MAJOR | PGF_O_BIO | PGF_O_SWAPIN | PGF_O_ZSWAP);
	__u64 not_walked = 1 ^ PGF_SAW(o, PGF_O_MAP_PAGES | PGF_O_FILEMAP);
	/* Swapped shmem pages do not count as swap of the task. */
	__u64 no_shmem = PGF_ISNT(s, PGF_S_SHMEM) | PGF_MISSED(o, PGF_O_RSS_SHMEM | PGF_O_RSS_ANON);

	leaves = PGF_DROP(leaves, PGF_MISSED(o, PGF_O_RSS_ANON),
	                  PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_FILE_COW) | PGF_SET(PGF_THP_NEW));
	leaves = PGF_DROP(leaves, not_walked & PGF_MISSED(o, PGF_O_RSS_FILE),
	                  PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_SHARED));
	leaves = PGF_DROP(leaves, not_walked & PGF_MISSED(o, PGF_O_RSS_SHMEM), PGF_SET(PGF_SHMEM));
	leaves = PGF_DROP(leaves, not_walked & PGF_MISSED(o, PGF_O_RSS_FILE | PGF_O_RSS_SHMEM),
	                  PGF_SET(PGF_THP_FILE));
	return PGF_DROP(leaves, not_read & no_shmem & PGF_MISSED(o, PGF_O_RSS_SWAP), PGF_SWAPS);
}

/* Functions of the handler that were seen to run, or not to. */
PGF_TREE pgf_set pgf_evidence_path(pgf_set leaves, const struct pgf_outcome *o)
{
	leaves = PGF_KEEP(leaves, PGF_SAW(o, PGF_O_FILEMAP),
	                  PGF_UNCOUNTED | PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_COW) |
	                          PGF_SET(PGF_FILE_SHARED) | PGF_SET(PGF_THP_FILE));
	leaves = PGF_KEEP(leaves, PGF_SAW(o, PGF_O_MAP_PAGES),
	                  PGF_UNCOUNTED | PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_SHMEM) |
	                          PGF_SET(PGF_THP_FILE) | PGF_SET(PGF_DEVICE_PFN) | PGF_SWAPS);
	/* A page that comes from swap may then turn out to be write-protected. */
	leaves = PGF_KEEP(leaves, PGF_SAW(o, PGF_O_UFFD), PGF_UNCOUNTED | PGF_UFFDS | PGF_SWAPS);
	leaves = PGF_DROP(leaves, PGF_MISSED(o, PGF_O_UFFD), PGF_UFFDS | PGF_SET(PGF_BUS_UFFD));
	leaves = PGF_KEEP(leaves, PGF_SAW(o, PGF_O_ZSWAP), PGF_UNCOUNTED | PGF_SET(PGF_SWAP_ZSWAP));
	leaves = PGF_DROP(leaves, PGF_MISSED(o, PGF_O_ZSWAP), PGF_SET(PGF_SWAP_ZSWAP));
	/* Who waits for a handler or a migration sleeps. */
	leaves = PGF_DROP(leaves, PGF_MISSED(o, PGF_O_SLEPT),
	                  PGF_UFFDS | PGF_SET(PGF_MIGRATION_WAIT));
	leaves = PGF_KEEP(leaves, PGF_SAW(o, PGF_O_SWAPIN), PGF_UNCOUNTED | PGF_READS);
	return PGF_DROP(leaves, PGF_MISSED(o, PGF_O_SWAPIN), PGF_READS);
}

/*
 * What the error code says of an entry that nobody read. The entry may have changed on
 * the way to the handler: so this never takes the last member.
 */
PGF_TREE pgf_set pgf_evidence_entry(pgf_set leaves, const struct pgf_state *s)
{
	__u64 unread = 1 ^ pgf_any(s->entry);
	pgf_set rest = PGF_DROP(leaves, unread & PGF_IS(s, PGF_S_PRESENT), PGF_NEEDS_ABSENT);

	rest = PGF_DROP(rest, unread & PGF_ISNT(s, PGF_S_PRESENT), PGF_NEEDS_PRESENT);
	return PGF_PICK(pgf_any(rest), rest, leaves);
}

/* Reclaim inside the fault unmaps, writes out and compresses pages: that is not the fault's. */
PGF_TREE struct pgf_outcome pgf_evidence_trust(const struct pgf_outcome *o)
{
	struct pgf_outcome trusted = {.known = o->known, .yes = o->known & o->yes};
	__u64 reclaim = PGF_SAW(o, PGF_O_RECLAIM);
	__u64 page = PGF_SAW(o, PGF_O_ALLOC_ZERO | PGF_O_ALLOC_PMD);
	__u64 spoilt = PGF_WHEN(reclaim, PGF_O_RSS_ANON | PGF_O_RSS_FILE | PGF_O_RSS_SHMEM |
	                                         PGF_O_RSS_SWAP | PGF_O_BIO) |
	               PGF_WHEN(reclaim & (1 ^ page), PGF_O_ALLOC);

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
	__u64 served = pgf_any(leaves & PGF_SERVED);
	__u64 pool = pgf_any(leaves & (PGF_SET(PGF_HUGETLB_NEW) | PGF_SET(PGF_HUGETLB_COW)));
	pgf_set more =
	        PGF_WHEN(served, PGF_SET(PGF_ACCESS_ONLY)) |
	        PGF_WHEN(served & PGF_SAW(o, PGF_O_MCEERR), PGF_SET(PGF_BUS_POISON)) |
	        PGF_WHEN(pgf_any(leaves & PGF_HAS_IO), PGF_SET(PGF_BUS_IO)) |
	        PGF_WHEN(pgf_any(leaves & PGF_SET(PGF_THP_NEW)), PGF_SET(PGF_ANON_NEW)) |
	        PGF_WHEN(pgf_any(leaves & PGF_SET(PGF_THP_ZERO)), PGF_SET(PGF_ANON_ZERO)) |
	        PGF_WHEN(pgf_any(leaves & PGF_SET(PGF_THP_FILE)),
	                 PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_SHARED) | PGF_SET(PGF_SHMEM)) |
	        PGF_WHEN(pgf_any(leaves & PGF_SWAPS), PGF_SWAPS) |
	        PGF_WHEN(pgf_any(leaves & PGF_UFFDS), PGF_SET(PGF_BUS_UFFD)) |
	        PGF_WHEN(pool, PGF_SET(PGF_BUS_HUGETLB)) |
	        PGF_WHEN(pgf_any(leaves & PGF_SET(PGF_VSYSCALL)), PGF_SET(PGF_SEGV_MAPERR));

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
	if (!leaves || (leaves & (leaves - 1)))
		return PGF_UNKNOWN;
	/* The place of the only bit, digit by digit. */
	return (enum pgf_kind)(pgf_any(leaves & 0xaaaaaaaaaaaaaaaaull) |
	                       pgf_any(leaves & 0xccccccccccccccccull) << 1 |
	                       pgf_any(leaves & 0xf0f0f0f0f0f0f0f0ull) << 2 |
	                       pgf_any(leaves & 0xff00ff00ff00ff00ull) << 3 |
	                       pgf_any(leaves & 0xffff0000ffff0000ull) << 4 |
	                       pgf_any(leaves & 0xffffffff00000000ull) << 5);
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
	if (PGF_IS(s, PGF_S_UFFD_SIGBUS))
		return PGF_BUS_UFFD;
	/* In anonymous memory: userfaultfd refused, or its handler said poison. */
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

/* Whether a huge entry may have been split or kept, and nothing tells. */
PGF_TREE bool pgf_likely_split(pgf_set leaves, const struct pgf_state *s)
{
	return PGF_IS(s, PGF_S_THP) && (leaves & PGF_SET(PGF_THP_WP));
}

/* A page was allocated, and it is not one of a file. */
PGF_TREE enum pgf_kind pgf_likely_alloc(pgf_set leaves, const struct pgf_state *s,
                                        const struct pgf_outcome *o)
{
	if (PGF_IS(s, PGF_S_PRESENT) && PGF_SAW(o, PGF_O_ALLOC_PMD))
		return PGF_THP_WP;
	if (PGF_IS(s, PGF_S_PRESENT))
		return pgf_likely_split(leaves, s) ? PGF_UNKNOWN : PGF_WP_COPY;
	if (PGF_ISNT(s, PGF_S_WRITE))
		return PGF_SAW(o, PGF_O_ALLOC_PMD) ? PGF_THP_ZERO : PGF_UNKNOWN;
	if (leaves & PGF_SET(PGF_FILE_COW))
		return PGF_FILE_COW;
	if (PGF_SAW(o, PGF_O_ALLOC_PMD) && PGF_MISSED(o, PGF_O_ALLOC_ZERO))
		return PGF_THP_NEW;
	return PGF_ANON_NEW;
}

/* No page was allocated. */
PGF_TREE enum pgf_kind pgf_likely_quiet(pgf_set leaves, const struct pgf_state *s)
{
	if (pgf_likely_split(leaves, s))
		return PGF_UNKNOWN;
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

/* The fault that a handler of userfaultfd gets, when one is known to stand there. */
PGF_TREE pgf_set pgf_likely_handed(pgf_set leaves, const struct pgf_state *s)
{
	pgf_set handed = (PGF_IS(s, PGF_S_UFFD_MISSING) ? PGF_SET(PGF_UFFD_MISSING) : 0) |
	                 (PGF_IS(s, PGF_S_UFFD_WP) ? PGF_SET(PGF_UFFD_WP) : 0) |
	                 (PGF_IS(s, PGF_S_UFFD_MINOR) ? PGF_SET(PGF_UFFD_MINOR) : 0);

	return leaves & handed;
}

PGF_TREE enum pgf_kind pgf_likely_served(pgf_set leaves, const struct pgf_state *s,
                                         const struct pgf_outcome *o)
{
	pgf_set handed = pgf_likely_handed(leaves, s);

	if (!(o->known & PGF_O_ALLOC) || !PGF_SAW(o, PGF_O_COMPLETED))
		return PGF_UNKNOWN;
	if (handed)
		return PGF_SAW(o, PGF_O_SLEPT) ? pgf_set_kind(handed) : PGF_UNKNOWN;
	if (PGF_SAW(o, PGF_O_RSS_SWAP) || (PGF_SAW(o, PGF_O_MAJOR) && (leaves & PGF_READS)))
		return pgf_likely_swap(o);
	if (PGF_SAW(o, PGF_O_RSS_SHMEM) && PGF_ISNT(s, PGF_S_PRESENT))
		return PGF_SHMEM;
	if (PGF_SAW(o, PGF_O_RSS_FILE | PGF_O_MAP_PAGES | PGF_O_FILEMAP))
		return pgf_likely_file(s);
	if (PGF_SAW(o, PGF_O_ALLOC))
		return pgf_likely_alloc(leaves, s, o);
	return pgf_likely_quiet(leaves, s);
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
