/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The tree: the body of pgf_decide(); include decide.h.
 *
 * A test of an input that is not known follows both branches, so a set only ever shrinks
 * as more becomes known. One function is one station of the kernel's path, in its order
 * of checks (arch/x86/mm/fault.c, mm/memory.c, mm/huge_memory.c, mm/hugetlb.c, mm/shmem.c,
 * Linux 5.0 to 7.2).
 */
#ifndef PGFAULT_DECIDE_TREE_H
#define PGFAULT_DECIDE_TREE_H

#include <pgfault/decide.h>

#define PGF_TREE static inline __attribute__((unused))

/* The verifier follows a path once per call site: big stations are functions of their own. */
#ifdef __bpf__
#define PGF_STATION static __attribute__((unused, noinline))
#else
#define PGF_STATION PGF_TREE
#endif

#ifdef __bpf__
/*
 * The verifier follows every branch, but not every number: so choices are sums in BPF, and
 * the compiler is kept from making branches of them. (Masks of all ones would not do: the
 * verifier of 6.18 follows both values of those.)
 */
#define PGF_OPAQUE(x) __asm__("" : "+r"(x))

/* 1 when some bit of x is set, else 0. */
PGF_TREE __u64 pgf_any(__u64 x)
{
	__u64 negative = -x;

	PGF_OPAQUE(negative);
	x = (x | negative) >> 63;
	PGF_OPAQUE(x);
	return x;
}

#define PGF_PICK(yes, then, otherwise) ((yes) * (then) | (1 ^ (yes)) * (otherwise))
#else
PGF_TREE __u64 pgf_any(__u64 x)
{
	return x != 0;
}

#define PGF_PICK(yes, then, otherwise) ((yes) ? (then) : (otherwise))
#endif

/* set when yes (which is 0 or 1), else the empty set. */
#define PGF_WHEN(yes, set) PGF_PICK(yes, set, (pgf_set)0)

/* Whether an input may hold, and whether it may not: both when it is not known. */
#define PGF_MAY(s, bit)  pgf_any((~(s)->known | (s)->yes) & (bit))
#define PGF_MAYN(s, bit) pgf_any(~((s)->known & (s)->yes) & (bit))

/* The union of the branches that are open; outside BPF a closed one is not evaluated. */
#define PGF_EITHER(s, bit, then, otherwise)                                                        \
	(PGF_WHEN(PGF_MAY(s, bit), then) | PGF_WHEN(PGF_MAYN(s, bit), otherwise))

/* A shadow-stack access counts as a write, whatever W says. */
#define PGF_WRITING(s, then, otherwise)                                                            \
	(PGF_WHEN(PGF_MAY(s, PGF_S_WRITE | PGF_S_SHSTK), then) |                                   \
	 PGF_WHEN(PGF_MAYN(s, PGF_S_WRITE) & PGF_MAYN(s, PGF_S_SHSTK), otherwise))

/* An access that cannot be served: a signal for user code, a fix-up or an oops for the kernel. */
PGF_TREE pgf_set pgf_tree_fail(const struct pgf_state *s, enum pgf_kind kind)
{
	return PGF_EITHER(
	        s, PGF_S_USER_MODE, PGF_SET(kind),
	        PGF_EITHER(s, PGF_S_FIXUP, PGF_SET(PGF_KERN_EFAULT), PGF_SET(PGF_KERN_OOPS)));
}

/* handle_userfault(): a message and a wait, or SIGBUS. */
PGF_TREE pgf_set pgf_tree_uffd(const struct pgf_state *s, enum pgf_kind kind)
{
	return PGF_EITHER(s, PGF_S_UFFD_SIGBUS, pgf_tree_fail(s, PGF_BUS_UFFD), PGF_SET(kind));
}

/* do_anonymous_page() */
PGF_TREE pgf_set pgf_tree_anon_pte(const struct pgf_state *s)
{
	return PGF_EITHER(
	        s, PGF_S_VM_SHARED, pgf_tree_fail(s, PGF_BUS_IO),
	        PGF_EITHER(s, PGF_S_UFFD_MISSING, pgf_tree_uffd(s, PGF_UFFD_MISSING),
	                   PGF_WRITING(s, PGF_SET(PGF_ANON_NEW), PGF_SET(PGF_ANON_ZERO))));
}

/* do_huge_pmd_anonymous_page() */
PGF_TREE pgf_set pgf_tree_anon_pmd(const struct pgf_state *s)
{
	return PGF_EITHER(s, PGF_S_UFFD_MISSING, pgf_tree_uffd(s, PGF_UFFD_MISSING),
	                  PGF_WRITING(s, PGF_SET(PGF_THP_NEW),
	                              PGF_EITHER(s, PGF_S_HUGE_ZERO, PGF_SET(PGF_THP_ZERO),
	                                         PGF_SET(PGF_THP_NEW))));
}

/* Whether the page that is missing can come as a huge one: only where no table stands yet. */
PGF_TREE pgf_set pgf_tree_size(const struct pgf_state *s, pgf_set huge, pgf_set small)
{
	if (s->level == PGF_LEVEL_PTE)
		return small;
	if (s->level == PGF_LEVEL_PMD || s->level == PGF_LEVEL_PUD)
		return PGF_EITHER(s, PGF_S_THP, huge, small);
	return small | PGF_EITHER(s, PGF_S_THP, huge, 0);
}

/* A slot of swap is read: swap cache, zswap, device, in this order. */
PGF_TREE pgf_set pgf_tree_swap(const struct pgf_state *s)
{
	return PGF_EITHER(
	        s, PGF_S_SWAP_CACHED, PGF_SET(PGF_SWAP_CACHE),
	        PGF_EITHER(s, PGF_S_ZSWAPPED, PGF_SET(PGF_SWAP_ZSWAP), PGF_SET(PGF_SWAP_DEVICE)));
}

/* What a page of a file that can be had becomes: private copy, or mapped. */
PGF_TREE pgf_set pgf_tree_file_map(const struct pgf_state *s, pgf_set read, pgf_set shared)
{
	return PGF_WRITING(s,
	                   PGF_EITHER(s, PGF_S_VM_SHARED,
	                              pgf_tree_size(s, PGF_SET(PGF_THP_FILE), shared),
	                              PGF_SET(PGF_FILE_COW)),
	                   pgf_tree_size(s, PGF_SET(PGF_THP_FILE), read));
}

PGF_TREE pgf_set pgf_tree_shmem_map(const struct pgf_state *s)
{
	return pgf_tree_file_map(s, PGF_SET(PGF_SHMEM), PGF_SET(PGF_SHMEM));
}

PGF_TREE pgf_set pgf_tree_shmem_hole(const struct pgf_state *s)
{
	return PGF_EITHER(s, PGF_S_UFFD_MISSING, pgf_tree_uffd(s, PGF_UFFD_MISSING),
	                  PGF_EITHER(s, PGF_S_POOL_EMPTY, pgf_tree_fail(s, PGF_BUS_IO),
	                             pgf_tree_shmem_map(s)));
}

/* shmem_fault(): a page or a swap entry in the mapping is a minor fault for userfaultfd. */
PGF_TREE pgf_set pgf_tree_shmem_minor(const struct pgf_state *s, pgf_set otherwise)
{
	return PGF_EITHER(s, PGF_S_UFFD_MINOR, pgf_tree_uffd(s, PGF_UFFD_MINOR), otherwise);
}

PGF_STATION pgf_set pgf_tree_shmem(const struct pgf_state *s)
{
	return PGF_EITHER(s, PGF_S_BEYOND_EOF, pgf_tree_fail(s, PGF_BUS_EOF),
	                  PGF_EITHER(s, PGF_S_SHMEM_SWAP, pgf_tree_shmem_minor(s, pgf_tree_swap(s)),
	                             PGF_EITHER(s, PGF_S_CACHED,
	                                        pgf_tree_shmem_minor(s, pgf_tree_shmem_map(s)),
	                                        pgf_tree_shmem_hole(s))));
}

/* do_fault() of a file or a driver */
PGF_STATION pgf_set pgf_tree_file(const struct pgf_state *s)
{
	return PGF_EITHER(
	        s, PGF_S_BEYOND_EOF, pgf_tree_fail(s, PGF_BUS_EOF),
	        PGF_EITHER(s, PGF_S_DEVICE, PGF_SET(PGF_DEVICE_PFN),
	                   pgf_tree_file_map(s, PGF_SET(PGF_FILE_READ), PGF_SET(PGF_FILE_SHARED))));
}

/* No entry: do_pte_missing(), or its huge sister. */
PGF_STATION pgf_set pgf_tree_missing(const struct pgf_state *s)
{
	return PGF_EITHER(s, PGF_S_ANON,
	                  pgf_tree_size(s, pgf_tree_anon_pmd(s), pgf_tree_anon_pte(s)),
	                  PGF_EITHER(s, PGF_S_SHMEM, pgf_tree_shmem(s), pgf_tree_file(s)));
}

/* do_wp_page() of a private mapping: reuse or copy. */
PGF_TREE pgf_set pgf_tree_wp_private(const struct pgf_state *s)
{
	return PGF_EITHER(
	        s, PGF_S_ENTRY_ZERO, PGF_SET(PGF_WP_COPY),
	        PGF_EITHER(s, PGF_S_PAGE_ANON,
	                   PGF_EITHER(s, PGF_S_REUSE, PGF_SET(PGF_WP_REUSE), PGF_SET(PGF_WP_COPY)),
	                   PGF_SET(PGF_WP_COPY)));
}

PGF_TREE pgf_set pgf_tree_wp_pte(const struct pgf_state *s)
{
	return PGF_EITHER(
	        s, PGF_S_VM_SHARED,
	        PGF_EITHER(s, PGF_S_DEVICE, PGF_SET(PGF_DEVICE_PFN), PGF_SET(PGF_WP_SHARED)),
	        pgf_tree_wp_private(s));
}

PGF_TREE pgf_set pgf_tree_wp_huge(const struct pgf_state *s)
{
	return PGF_EITHER(s, PGF_S_DEVICE, PGF_SET(PGF_DEVICE_PFN), PGF_SET(PGF_THP_WP));
}

PGF_TREE pgf_set pgf_tree_wp_hugetlb(const struct pgf_state *s)
{
	return PGF_EITHER(
	        s, PGF_S_VM_SHARED, PGF_SET(PGF_HUGETLB_COW),
	        PGF_EITHER(s, PGF_S_REUSE, PGF_SET(PGF_HUGETLB_COW),
	                   PGF_EITHER(s, PGF_S_POOL_EMPTY, pgf_tree_fail(s, PGF_BUS_HUGETLB),
	                              PGF_SET(PGF_HUGETLB_COW))));
}

/* A write to a read-only entry: userfaultfd first, then as the entry is. */
PGF_TREE pgf_set pgf_tree_wp_uffd(const struct pgf_state *s, pgf_set otherwise)
{
	return PGF_EITHER(s, PGF_S_ENTRY_UFFDWP,
	                  PGF_EITHER(s, PGF_S_UFFD_WP,
	                             PGF_EITHER(s, PGF_S_UFFD_ASYNC, otherwise,
	                                        pgf_tree_uffd(s, PGF_UFFD_WP)),
	                             otherwise),
	                  otherwise);
}

PGF_TREE pgf_set pgf_tree_good(const struct pgf_state *s, pgf_set wp)
{
	return PGF_WRITING(s, PGF_EITHER(s, PGF_S_ENTRY_WRITE, PGF_SET(PGF_ACCESS_ONLY), wp),
	                   PGF_SET(PGF_ACCESS_ONLY));
}

PGF_STATION pgf_set pgf_tree_present(const struct pgf_state *s)
{
	pgf_set small = 0, huge = 0;

	if (s->level != PGF_LEVEL_PMD && s->level != PGF_LEVEL_PUD)
		small = pgf_tree_wp_uffd(s, pgf_tree_wp_pte(s));
	if (s->level != PGF_LEVEL_PTE)
		huge = pgf_tree_wp_uffd(s, pgf_tree_wp_huge(s));
	return pgf_tree_good(s, small | huge);
}

PGF_TREE pgf_set pgf_tree_numa(const struct pgf_state *s)
{
	if (s->level == PGF_LEVEL_PTE)
		return PGF_SET(PGF_NUMA_HINT);
	if (s->level == PGF_LEVEL_PMD || s->level == PGF_LEVEL_PUD)
		return PGF_SET(PGF_THP_NUMA);
	return PGF_SET(PGF_NUMA_HINT) | PGF_SET(PGF_THP_NUMA);
}

/* Entries that mean the same in every mapping. */
PGF_TREE pgf_set pgf_tree_special(const struct pgf_state *s, unsigned int entry)
{
	switch (entry) {
	case PGF_ENTRY_MIGRATION:
		return PGF_SET(PGF_MIGRATION_WAIT);
	case PGF_ENTRY_POISON:
		return pgf_tree_fail(s, PGF_BUS_POISON);
	case PGF_ENTRY_GUARD:
		return pgf_tree_fail(s, PGF_SEGV_MAPERR);
	default:
		return pgf_tree_fail(s, PGF_BUS_IO);
	}
}

PGF_TREE pgf_set pgf_tree_specials(const struct pgf_state *s)
{
	return pgf_tree_special(s, PGF_ENTRY_MIGRATION) | pgf_tree_special(s, PGF_ENTRY_POISON) |
	       pgf_tree_special(s, PGF_ENTRY_GUARD) | pgf_tree_special(s, PGF_ENTRY_BAD);
}

/* handle_pte_fault() and what stands before it for huge entries */
PGF_STATION pgf_set pgf_tree_entry(const struct pgf_state *s)
{
	switch (s->entry) {
	case PGF_ENTRY_NONE:
	case PGF_ENTRY_UFFDWP_MARKER:
		return pgf_tree_missing(s);
	case PGF_ENTRY_PRESENT:
		return pgf_tree_present(s);
	case PGF_ENTRY_PROTNONE:
		return pgf_tree_numa(s);
	case PGF_ENTRY_SWAP:
		return pgf_tree_swap(s);
	case PGF_ENTRY_DEVICE_PRIVATE:
		return PGF_SET(PGF_DEVICE_PRIVATE);
	case PGF_ENTRY_MIGRATION:
	case PGF_ENTRY_POISON:
	case PGF_ENTRY_GUARD:
	case PGF_ENTRY_BAD:
		return pgf_tree_special(s, s->entry);
	default:
		return pgf_tree_missing(s) | pgf_tree_present(s) | pgf_tree_numa(s) |
		       pgf_tree_swap(s) | PGF_SET(PGF_DEVICE_PRIVATE) | pgf_tree_specials(s);
	}
}

PGF_TREE pgf_set pgf_tree_hugetlb_missing(const struct pgf_state *s)
{
	return PGF_EITHER(
	        s, PGF_S_BEYOND_EOF, pgf_tree_fail(s, PGF_BUS_EOF),
	        PGF_EITHER(s, PGF_S_CACHED,
	                   PGF_EITHER(s, PGF_S_UFFD_MINOR, pgf_tree_uffd(s, PGF_UFFD_MINOR),
	                              PGF_SET(PGF_HUGETLB_NEW)),
	                   PGF_EITHER(s, PGF_S_UFFD_MISSING, pgf_tree_uffd(s, PGF_UFFD_MISSING),
	                              PGF_EITHER(s, PGF_S_POOL_EMPTY,
	                                         pgf_tree_fail(s, PGF_BUS_HUGETLB),
	                                         PGF_SET(PGF_HUGETLB_NEW)))));
}

/* hugetlb_fault(): hugetlb pages are never swapped and never scanned for NUMA hints. */
PGF_STATION pgf_set pgf_tree_hugetlb(const struct pgf_state *s)
{
	switch (s->entry) {
	case PGF_ENTRY_NONE:
	case PGF_ENTRY_UFFDWP_MARKER:
		return pgf_tree_hugetlb_missing(s);
	case PGF_ENTRY_PRESENT:
	case PGF_ENTRY_PROTNONE:
		return pgf_tree_good(s, pgf_tree_wp_uffd(s, pgf_tree_wp_hugetlb(s)));
	case PGF_ENTRY_MIGRATION:
	case PGF_ENTRY_POISON:
	case PGF_ENTRY_GUARD:
	case PGF_ENTRY_SWAP:
	case PGF_ENTRY_DEVICE_PRIVATE:
	case PGF_ENTRY_BAD:
		return pgf_tree_special(s, s->entry);
	default:
		return pgf_tree_hugetlb_missing(s) |
		       pgf_tree_good(s, pgf_tree_wp_uffd(s, pgf_tree_wp_hugetlb(s))) |
		       pgf_tree_specials(s);
	}
}

PGF_TREE pgf_set pgf_tree_handle_mm_fault(const struct pgf_state *s)
{
	return PGF_EITHER(s, PGF_S_HUGETLB, pgf_tree_hugetlb(s), pgf_tree_entry(s));
}

/* access_error(), after the checks of keys, enclaves and shadow stacks */
PGF_TREE pgf_set pgf_tree_rights(const struct pgf_state *s, pgf_set served)
{
	pgf_set denied = pgf_tree_fail(s, PGF_SEGV_ACCERR);
	pgf_set readable = PGF_EITHER(s, PGF_S_VM_READ, served,
	                              PGF_EITHER(s, PGF_S_VM_WRITE, served,
	                                         PGF_EITHER(s, PGF_S_VM_EXEC, served, denied)));

	return PGF_EITHER(s, PGF_S_WRITE, PGF_EITHER(s, PGF_S_VM_WRITE, served, denied),
	                  PGF_EITHER(s, PGF_S_PRESENT, denied, readable));
}

PGF_TREE pgf_set pgf_tree_shadow(const struct pgf_state *s, pgf_set served)
{
	pgf_set denied = pgf_tree_fail(s, PGF_SEGV_OTHER);

	return PGF_EITHER(s, PGF_S_VM_SHSTK, PGF_EITHER(s, PGF_S_VM_WRITE, served, denied), denied);
}

/* access_error() in its order, then handle_mm_fault() */
PGF_STATION pgf_set pgf_tree_mapping(const struct pgf_state *s)
{
	pgf_set served;

	served = pgf_tree_handle_mm_fault(s);
	return PGF_EITHER(
	        s, PGF_S_VMA,
	        PGF_EITHER(s, PGF_S_PK, pgf_tree_fail(s, PGF_SEGV_PKUERR),
	                   PGF_EITHER(s, PGF_S_SGX, pgf_tree_fail(s, PGF_SEGV_OTHER),
	                              PGF_EITHER(s, PGF_S_SHSTK, pgf_tree_shadow(s, served),
	                                         pgf_tree_rights(s, served)))),
	        pgf_tree_fail(s, PGF_SEGV_MAPERR));
}

/* A user address: what the entry code refuses before it looks for a mapping. */
PGF_STATION pgf_set pgf_tree_user_address(const struct pgf_state *s)
{
	pgf_set mapping = pgf_tree_mapping(s);
	pgf_set off = PGF_EITHER(s, PGF_S_FIXUP, PGF_SET(PGF_NOFAULT), PGF_SET(PGF_KERN_OOPS));
	pgf_set user = PGF_EITHER(s, PGF_S_RSVD, PGF_SET(PGF_SEGV_OTHER), mapping);
	pgf_set kernel = PGF_EITHER(s, PGF_S_RSVD, PGF_SET(PGF_KERN_OOPS),
	                            PGF_EITHER(s, PGF_S_EXEC, PGF_SET(PGF_KERN_OOPS),
	                                       PGF_EITHER(s, PGF_S_NOFAULT, off, mapping)));

	return PGF_EITHER(s, PGF_S_USER_MODE, user, kernel);
}

/* spurious_kernel_fault(): the entry allows what was refused. */
PGF_TREE pgf_set pgf_tree_spurious(const struct pgf_state *s, pgf_set bad)
{
	pgf_set good = PGF_SET(PGF_KERN_SPURIOUS);
	pgf_set allowed =
	        PGF_EITHER(s, PGF_S_WRITE, PGF_EITHER(s, PGF_S_ENTRY_WRITE, good, bad),
	                   PGF_EITHER(s, PGF_S_EXEC, PGF_EITHER(s, PGF_S_VM_EXEC, good, bad), bad));

	if (s->entry == PGF_ENTRY_PRESENT)
		return allowed;
	if (s->entry > PGF_ENTRY_UNKNOWN && s->entry <= PGF_ENTRY_BAD)
		return bad;
	return allowed | bad;
}

/* do_kern_addr_fault(); the vsyscall page is not one of its addresses. */
PGF_TREE pgf_set pgf_tree_kernel_address(const struct pgf_state *s)
{
	pgf_set bad = pgf_tree_fail(s, PGF_SEGV_MAPERR);

	return PGF_EITHER(s, PGF_S_PRESENT,
	                  PGF_EITHER(s, PGF_S_USER_MODE, bad, pgf_tree_spurious(s, bad)),
	                  PGF_EITHER(s, PGF_S_VMALLOC, PGF_SET(PGF_KERN_VMALLOC), bad));
}

/* Only calls into the vsyscall page are emulated. */
PGF_TREE pgf_set pgf_tree_vsyscall(const struct pgf_state *s)
{
	pgf_set bad = pgf_tree_fail(s, PGF_SEGV_MAPERR);

	return PGF_EITHER(s, PGF_S_USER_MODE, PGF_EITHER(s, PGF_S_EXEC, PGF_SET(PGF_VSYSCALL), bad),
	                  bad);
}

static inline __attribute__((unused)) pgf_set pgf_decide(const struct pgf_state *state)
{
	return PGF_EITHER(state, PGF_S_KERNEL_ADDR,
	                  PGF_EITHER(state, PGF_S_VSYSCALL, pgf_tree_vsyscall(state),
	                             pgf_tree_kernel_address(state)),
	                  pgf_tree_user_address(state));
}

#endif /* PGFAULT_DECIDE_TREE_H */
