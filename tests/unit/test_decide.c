/* SPDX-License-Identifier: BSD-2-Clause */
/* The decision tree: every leaf, the golden rows, and what holds for any input at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "decide_rows.h"

#define RANDOM_STATES 2000000u
#define MASKS_A_ROW   20000u
#define KINDS         (PGF_SET(PGF_KIND_COUNT) - 1)

static struct pgf_state state_of(__u64 yes, unsigned int entry, unsigned int level)
{
	struct pgf_state state = {.known = ALL_INPUTS, .yes = yes};

	state.entry = (__u8)entry;
	state.level = (__u8)level;
	return state;
}

static const char *text(pgf_set set)
{
	static char buf[2][512];
	static unsigned int turn;
	char *out = buf[turn++ & 1];

	pgf_set_text(set, out, sizeof(buf[0]));
	return out;
}

static void expect(const char *name, const char *what, pgf_set want, pgf_set got)
{
	if (want != got)
		fail_msg("%s, %s: want %s, got %s", name, what, text(want), text(got));
}

/* The order of checks at the entry of the handler, and of access_error(). */
static void test_entry_checks(void **unused)
{
	static const struct {
		const char *name;
		__u64 yes;
		enum pgf_kind kind;
	} rows[] = {
	        {"no mapping", BARE, PGF_SEGV_MAPERR},
	        {"no mapping, key", BARE | PGF_S_PK, PGF_SEGV_MAPERR},
	        {"no mapping, kernel", PGF_S_FIXUP, PGF_KERN_EFAULT},
	        {"no mapping, kernel bug", 0, PGF_KERN_OOPS},
	        {"reserved bits, user", ANON | PGF_S_RSVD, PGF_SEGV_OTHER},
	        {"reserved bits, kernel", KERNEL | PGF_S_RSVD, PGF_KERN_OOPS},
	        {"kernel jumps to user code", KERNEL | PGF_S_EXEC, PGF_KERN_OOPS},
	        {"reserved bits before disabled", KERNEL | PGF_S_RSVD | PGF_S_NOFAULT,
	         PGF_KERN_OOPS},
	        {"disabled before mapping", PGF_S_FIXUP | PGF_S_NOFAULT, PGF_NOFAULT},
	        {"disabled, no fix-up", PGF_S_NOFAULT, PGF_KERN_OOPS},
	        {"key before rights", RO | PGF_S_PK | W, PGF_SEGV_PKUERR},
	        {"key before enclave", ANON | PGF_S_PK | PGF_S_SGX, PGF_SEGV_PKUERR},
	        {"key, kernel", KERNEL | PGF_S_PK, PGF_KERN_EFAULT},
	        {"shadow-stack access elsewhere", ANON | PGF_S_SHSTK, PGF_SEGV_OTHER},
	        {"shadow stack, read-only", RO | PGF_S_SHSTK | PGF_S_VM_SHSTK, PGF_SEGV_OTHER},
	        {"write to read-only, kernel", (RO | W) & ~PGF_S_USER_MODE, PGF_KERN_EFAULT},
	        {"PROT_NONE", BARE | PGF_S_VMA | PGF_S_ANON, PGF_SEGV_ACCERR},
	        {"PROT_READ only, read", RO | PGF_S_ANON, PGF_ANON_ZERO},
	        {"PROT_WRITE only, read", BARE | PGF_S_VMA | PGF_S_ANON | PGF_S_VM_WRITE,
	         PGF_ANON_ZERO},
	        {"PROT_EXEC only, read", BARE | PGF_S_VMA | PGF_S_ANON | PGF_S_VM_EXEC,
	         PGF_ANON_ZERO},
	        {"exec of unpopulated NX populates", ANON | PGF_S_EXEC, PGF_ANON_ZERO},
	        {"exec of populated NX", ANON | PGF_S_EXEC | PGF_S_PRESENT, PGF_SEGV_ACCERR},
	        {"read of present", ANON | PGF_S_PRESENT, PGF_SEGV_ACCERR},
	        {"shared without operations", ANON | PGF_S_VM_SHARED, PGF_BUS_IO},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pgf_state state = state_of(rows[i].yes, AT(NONE, PTE));

		expect(rows[i].name, "decide", PGF_SET(rows[i].kind), pgf_decide(&state));
	}
}

static void test_kernel_addresses(void **unused)
{
	static const struct {
		const char *name;
		__u64 yes;
		enum pgf_entry entry;
		enum pgf_kind kind;
	} rows[] = {
	        {"user, not present", PGF_S_USER_MODE, PGF_ENTRY_NONE, PGF_SEGV_MAPERR},
	        {"user, present", PGF_S_USER_MODE | PGF_S_PRESENT, PGF_ENTRY_PRESENT,
	         PGF_SEGV_MAPERR},
	        {"user, present and writable",
	         PGF_S_USER_MODE | PGF_S_PRESENT | W | PGF_S_ENTRY_WRITE, PGF_ENTRY_PRESENT,
	         PGF_SEGV_MAPERR},
	        {"user, 2.4.0", PGF_S_USER_MODE | PGF_S_VMALLOC, PGF_ENTRY_NONE, PGF_KERN_VMALLOC},
	        {"kernel, tables to copy", PGF_S_VMALLOC, PGF_ENTRY_NONE, PGF_KERN_VMALLOC},
	        {"kernel, nothing there", 0, PGF_ENTRY_NONE, PGF_KERN_OOPS},
	        {"kernel, nothing there, fix-up", PGF_S_FIXUP, PGF_ENTRY_NONE, PGF_KERN_EFAULT},
	        {"kernel, stale TLB", PGF_S_PRESENT | W | PGF_S_ENTRY_WRITE, PGF_ENTRY_PRESENT,
	         PGF_KERN_SPURIOUS},
	        {"kernel, stale TLB, exec", PGF_S_PRESENT | PGF_S_EXEC | PGF_S_VM_EXEC,
	         PGF_ENTRY_PRESENT, PGF_KERN_SPURIOUS},
	        {"kernel, write to read-only", PGF_S_PRESENT | W, PGF_ENTRY_PRESENT, PGF_KERN_OOPS},
	        {"kernel, entry gone", PGF_S_PRESENT | W | PGF_S_ENTRY_WRITE, PGF_ENTRY_NONE,
	         PGF_KERN_OOPS},
	        {"vsyscall, read", PGF_S_USER_MODE | PGF_S_VSYSCALL, PGF_ENTRY_NONE,
	         PGF_SEGV_MAPERR},
	        {"vsyscall, call", PGF_S_USER_MODE | PGF_S_VSYSCALL | PGF_S_EXEC, PGF_ENTRY_NONE,
	         PGF_VSYSCALL},
	        {"vsyscall, kernel", PGF_S_VSYSCALL | PGF_S_FIXUP, PGF_ENTRY_NONE, PGF_KERN_EFAULT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pgf_state state =
		        state_of(rows[i].yes | PGF_S_KERNEL_ADDR, rows[i].entry, PGF_LEVEL_PTE);

		expect(rows[i].name, "decide", PGF_SET(rows[i].kind), pgf_decide(&state));
	}
}

/* Where the order of the checks below handle_mm_fault() decides. */
static void test_served_checks(void **unused)
{
	static const struct {
		const char *name;
		__u64 yes;
		enum pgf_entry entry;
		enum pgf_level level;
		enum pgf_kind kind;
	} rows[] = {
	        {"uffd before a huge page", ANON | W | PGF_S_THP | PGF_S_UFFD_MISSING,
	         AT(NONE, PMD), PGF_UFFD_MISSING},
	        {"huge page where a table stands", ANON | W | PGF_S_THP, AT(NONE, PTE),
	         PGF_ANON_NEW},
	        {"huge page above the PMD", ANON | W | PGF_S_THP, AT(NONE, PUD), PGF_THP_NEW},
	        {"files cannot be missing to uffd", USER | PGF_S_UFFD_MISSING, AT(NONE, PTE),
	         PGF_FILE_READ},
	        {"huge file, private write", USER | W | PGF_S_THP, AT(NONE, PMD), PGF_FILE_COW},
	        {"huge file, shared write", SHARED | W | PGF_S_THP, AT(NONE, PMD), PGF_THP_FILE},
	        {"shmem beyond the end before uffd", SHM | PGF_S_BEYOND_EOF | PGF_S_UFFD_MISSING,
	         AT(NONE, PTE), PGF_BUS_EOF},
	        {"swapped shmem is minor to uffd", SHM | PGF_S_SHMEM_SWAP | PGF_S_UFFD_MINOR,
	         AT(NONE, PTE), PGF_UFFD_MINOR},
	        {"a hole is not minor to uffd", SHM | PGF_S_UFFD_MINOR, AT(NONE, PTE), PGF_SHMEM},
	        {"uffd before a full tmpfs", SHM | PGF_S_UFFD_MISSING | PGF_S_POOL_EMPTY,
	         AT(NONE, PTE), PGF_UFFD_MISSING},
	        {"a full tmpfs has cached pages", SHM | PGF_S_CACHED | PGF_S_POOL_EMPTY,
	         AT(NONE, PTE), PGF_SHMEM},
	        {"uffd-wp marker is a missing page", SHM | W | PGF_S_UFFD_WP | PGF_S_ENTRY_UFFDWP,
	         AT(UFFDWP_MARKER, PTE), PGF_SHMEM},
	        {"uffd-wp before reuse",
	         ANON | WP | PGF_S_PAGE_ANON | PGF_S_REUSE | PGF_S_UFFD_WP | PGF_S_ENTRY_UFFDWP,
	         AT(PRESENT, PTE), PGF_UFFD_WP},
	        {"uffd-wp of a mapping no longer registered",
	         ANON | WP | PGF_S_PAGE_ANON | PGF_S_REUSE | PGF_S_ENTRY_UFFDWP, AT(PRESENT, PTE),
	         PGF_WP_REUSE},
	        {"uffd-wp, asynchronous",
	         ANON | WP | PGF_S_UFFD_WP | PGF_S_UFFD_ASYNC | PGF_S_ENTRY_UFFDWP,
	         AT(PRESENT, PTE), PGF_WP_COPY},
	        {"uffd-wp of a huge page", ANON | WP | PGF_S_UFFD_WP | PGF_S_ENTRY_UFFDWP,
	         AT(PRESENT, PMD), PGF_UFFD_WP},
	        {"uffd-wp, user-mode only, by the kernel",
	         KERNEL | PGF_S_ANON | WP | PGF_S_UFFD_WP | PGF_S_ENTRY_UFFDWP | PGF_S_UFFD_SIGBUS,
	         AT(PRESENT, PTE), PGF_KERN_EFAULT},
	        {"zero page is never reused",
	         ANON | WP | PGF_S_ENTRY_ZERO | PGF_S_PAGE_ANON | PGF_S_REUSE, AT(PRESENT, PTE),
	         PGF_WP_COPY},
	        {"file page is never reused", USER | WP | PGF_S_REUSE, AT(PRESENT, PTE),
	         PGF_WP_COPY},
	        {"shared pfn", SHARED | WP | PGF_S_DEVICE, AT(PRESENT, PTE), PGF_DEVICE_PFN},
	        {"huge dax", SHARED | WP | PGF_S_DEVICE, AT(PRESENT, PMD), PGF_DEVICE_PFN},
	        {"dax beyond the end", SHARED | PGF_S_DEVICE | PGF_S_BEYOND_EOF, AT(NONE, PTE),
	         PGF_BUS_EOF},
	        {"read of a good entry", ANON, AT(PRESENT, PTE), PGF_ACCESS_ONLY},
	        {"swap cache before zswap", ANON | PGF_S_SWAP_CACHED | PGF_S_ZSWAPPED,
	         AT(SWAP, PTE), PGF_SWAP_CACHE},
	        {"bad entry", ANON, AT(BAD, PTE), PGF_BUS_IO},
	        {"hugetlb beyond the end", HTLB | PGF_S_BEYOND_EOF, AT(NONE, PMD), PGF_BUS_EOF},
	        {"hugetlb missing to uffd before the pool",
	         HTLB | PGF_S_UFFD_MISSING | PGF_S_POOL_EMPTY, AT(NONE, PMD), PGF_UFFD_MISSING},
	        {"hugetlb minor to uffd", HTLB | PGF_S_CACHED | PGF_S_UFFD_MINOR, AT(NONE, PMD),
	         PGF_UFFD_MINOR},
	        {"hugetlb cached, pool empty", HTLB | PGF_S_CACHED | PGF_S_POOL_EMPTY,
	         AT(NONE, PMD), PGF_HUGETLB_NEW},
	        {"hugetlb copy, pool empty", HTLB | WP | PGF_S_POOL_EMPTY, AT(PRESENT, PMD),
	         PGF_BUS_HUGETLB},
	        {"hugetlb reuse, pool empty", HTLB | WP | PGF_S_POOL_EMPTY | PGF_S_REUSE,
	         AT(PRESENT, PMD), PGF_HUGETLB_COW},
	        {"hugetlb, shared, pool empty", HTLB | PGF_S_VM_SHARED | WP | PGF_S_POOL_EMPTY,
	         AT(PRESENT, PMD), PGF_HUGETLB_COW},
	        {"hugetlb poison, by the kernel", KERNEL | PGF_S_HUGETLB, AT(POISON, PMD),
	         PGF_KERN_EFAULT},
	        {"hugetlb migration", HTLB, AT(MIGRATION, PMD), PGF_MIGRATION_WAIT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pgf_state state = state_of(rows[i].yes, rows[i].entry, rows[i].level);

		expect(rows[i].name, "decide", PGF_SET(rows[i].kind), pgf_decide(&state));
	}
}

/* With everything known the tree alone names the kind, and the evidence agrees. */
static void test_rows_known(void **unused)
{
	for (size_t i = 0; i < DECIDE_ROWS; i++) {
		const struct decide_row *row = &decide_rows[i];
		struct pgf_state state = state_of(row->yes, row->entry, row->level);
		struct pgf_outcome outcome = {.known = SEEN_OUTCOMES | row->outcome,
		                              .yes = row->outcome};
		pgf_set leaves = pgf_decide(&state), rest;

		expect(row->name, "decide", PGF_SET(row->decided), leaves);
		rest = pgf_narrow(leaves, &state, &outcome);
		if (row->kind == PGF_UNFINISHED || row->kind == PGF_OOM)
			assert_true(rest & PGF_SET(row->kind));
		else
			expect(row->name, "settle", PGF_SET(row->kind),
			       PGF_SET(pgf_settle(leaves, &state, &outcome)));
	}
}

/* What the tracepoint tier knows of a small mapping, or of one with room for huge pages. */
static struct pgf_state seen_of(const struct decide_row *row)
{
	struct pgf_state state = {0};

	state.known = SEEN_INPUTS | row->watch;
	if (row->yes & PGF_S_USER_MODE)
		state.known |= PGF_S_NOFAULT;
	if (!(row->yes & (PGF_S_THP | PGF_S_HUGETLB)) && row->level == PGF_LEVEL_PTE) {
		state.known |= PGF_S_THP;
		state.level = PGF_LEVEL_PTE;
	}
	state.yes = row->yes & state.known;
	return state;
}

static void row_seen(const struct decide_row *row)
{
	struct pgf_state state = seen_of(row);
	struct pgf_outcome outcome = {.known = SEEN_OUTCOMES, .yes = row->outcome & SEEN_OUTCOMES};
	pgf_set rest = pgf_narrow(pgf_decide(&state), &state, &outcome);
	enum pgf_kind likely = pgf_set_likely(rest, &state, &outcome);

	if (!(rest & PGF_SET(row->kind)))
		fail_msg("%s: %s is not in %s", row->name, text(PGF_SET(row->kind)), text(rest));
	switch (row->sure) {
	case EXACT:
		expect(row->name, "seen", PGF_SET(row->kind), rest);
		break;
	case INFERRED:
		assert_int_equal(pgf_set_kind(rest), PGF_UNKNOWN);
		expect(row->name, "likely", PGF_SET(row->kind), PGF_SET(likely));
		break;
	case OPEN:
		expect(row->name, "likely", PGF_SET(PGF_UNKNOWN), PGF_SET(likely));
		break;
	case WRONG:
		expect(row->name, "likely", PGF_SET(row->shown), PGF_SET(likely));
		break;
	}
}

static void test_rows_seen(void **unused)
{
	for (size_t i = 0; i < DECIDE_ROWS; i++)
		row_seen(&decide_rows[i]);
}

/* The perf tier: completed, major or not, and a mapping; that names nothing but failures. */
static void test_rows_perf(void **unused)
{
	const __u64 inputs = PGF_S_USER_MODE | PGF_S_KERNEL_ADDR | PGF_S_VMA | PGF_S_VM_READ |
	                     PGF_S_VM_WRITE | PGF_S_VM_EXEC | PGF_S_VM_SHARED | PGF_S_ANON |
	                     PGF_S_SHMEM | PGF_S_HUGETLB | PGF_S_DEVICE;

	for (size_t i = 0; i < DECIDE_ROWS; i++) {
		const struct decide_row *row = &decide_rows[i];
		struct pgf_state state = {.known = inputs, .yes = row->yes & inputs};
		struct pgf_outcome outcome = {.known = PGF_O_COMPLETED | PGF_O_MAJOR};
		pgf_set rest;

		outcome.yes = row->outcome & outcome.known;
		if (!(outcome.yes & PGF_O_COMPLETED))
			continue;
		rest = pgf_narrow(pgf_decide(&state), &state, &outcome);
		if (!(rest & PGF_SET(row->kind)))
			fail_msg("%s: not in %s", row->name, text(rest));
		expect(row->name, "likely", PGF_SET(PGF_UNKNOWN),
		       PGF_SET(pgf_set_likely(rest, &state, &outcome)));
	}
}

/* Whatever is not known, the kind stays in the set. */
static void test_rows_masked(void **unused)
{
	__u64 seed = 7, cases = 0;

	for (size_t i = 0; i < DECIDE_ROWS; i++) {
		const struct decide_row *row = &decide_rows[i];

		if (row->kind != row->decided)
			continue;
		for (unsigned int n = 0; n < MASKS_A_ROW; n++, cases++) {
			struct pgf_state state = state_of(row->yes, row->entry, row->level);
			struct pgf_outcome outcome;
			__u64 dice = decide_random(&seed);
			pgf_set rest;

			state.known &= decide_random(&seed) | row->watch;
			state.yes &= state.known;
			if (dice & 1)
				state.entry = PGF_ENTRY_UNKNOWN;
			if (dice & 2)
				state.level = PGF_LEVEL_UNKNOWN;
			/* Reclaim that nobody sees spoils the counters. */
			outcome.known = SEEN_OUTCOMES & (decide_random(&seed) | PGF_O_RECLAIM);
			outcome.yes = row->outcome & outcome.known;
			rest = pgf_narrow(pgf_decide(&state), &state, &outcome);
			if (!(rest & PGF_SET(row->kind)))
				fail_msg("%s: %s is not in %s (known %llx, outcome %llx)",
				         row->name, text(PGF_SET(row->kind)), text(rest),
				         state.known, outcome.known);
		}
	}
	print_message("masked rows: %llu cases\n", cases);
}

/* Every kind is the end of some row or of some check. */
static void test_every_leaf(void **unused)
{
	pgf_set reached = PGF_SET(PGF_UNKNOWN);
	__u64 seed = 3;

	for (size_t i = 0; i < DECIDE_ROWS; i++)
		reached |= PGF_SET(decide_rows[i].kind);
	for (unsigned int n = 0; n < RANDOM_STATES / 10; n++) {
		struct pgf_state state = decide_random_state(&seed);

		state.known = ALL_INPUTS;
		reached |= pgf_decide(&state);
	}
	expect("all kinds", "reached", KINDS, reached);
}

/* Makes one thing unknown; false when it was. */
static bool forget(struct pgf_state *state, unsigned int which)
{
	__u64 bit;

	if (which == 64) {
		state->entry = PGF_ENTRY_UNKNOWN;
		return true;
	}
	if (which == 65) {
		state->level = PGF_LEVEL_UNKNOWN;
		return true;
	}
	bit = 1ull << which;
	if (!(state->known & bit))
		return false;
	state->known &= ~bit;
	state->yes &= ~bit;
	return true;
}

static void test_any_state(void **unused)
{
	__u64 seed = 1, pairs = 0, singles = 0;

	for (unsigned int n = 0; n < RANDOM_STATES; n++) {
		struct pgf_state state = decide_random_state(&seed), less = state, all = state;
		pgf_set set = pgf_decide(&state), wide;

		if (!set || set & ~KINDS || set & PGF_SET(PGF_UNKNOWN))
			fail_msg("not a set: %llx", set);
		if (forget(&less, (unsigned int)(decide_random(&seed) % 66))) {
			pairs++;
			wide = pgf_decide(&less);
			if (set & ~wide)
				fail_msg("%s is not within %s: known %llx yes %llx %u %u",
				         text(set), text(wide), less.known, less.yes, less.entry,
				         less.level);
		}
		all.known = ALL_INPUTS;
		all.entry = (__u8)(1 + decide_random(&seed) % PGF_ENTRY_BAD);
		all.level = (__u8)(1 + decide_random(&seed) % PGF_LEVEL_PUD);
		set = pgf_decide(&all);
		if (pgf_set_kind(set) == PGF_UNKNOWN)
			fail_msg("all is known, but %s: yes %llx %u %u", text(set), all.yes,
			         all.entry, all.level);
		singles++;
	}
	print_message("states: %u, pairs: %llu, fully known: %llu\n", RANDOM_STATES, pairs,
	              singles);
}

/* Any evidence: the rest is part of the set or of what it may turn into, and never nothing. */
static void test_any_outcome(void **unused)
{
	const struct pgf_outcome nothing = {0};
	__u64 seed = 2, contradicted = 0, turned = 0;

	for (unsigned int n = 0; n < RANDOM_STATES; n++) {
		struct pgf_state state = decide_random_state(&seed);
		struct pgf_outcome outcome = decide_random_outcome(&seed);
		pgf_set set = pgf_decide(&state), rest = pgf_narrow(set, &state, &outcome);
		pgf_set ends = PGF_SET(PGF_OOM) | PGF_SET(PGF_UNFINISHED);
		pgf_set allowed = set | ends | pgf_evidence_turn(set, &outcome);
		enum pgf_kind likely = pgf_set_likely(rest, &state, &outcome);

		if (rest == PGF_SET(PGF_UNKNOWN))
			contradicted++;
		else if (!rest || rest & ~allowed)
			fail_msg("%s is not within %s", text(rest), text(allowed));
		else if (rest & ~set)
			turned++;
		if (likely != PGF_UNKNOWN && !(rest & PGF_SET(likely)))
			fail_msg("likely %s is not in %s", text(PGF_SET(likely)), text(rest));
		if (pgf_set_kind(set) != PGF_UNKNOWN)
			expect("no evidence", "narrow", set, pgf_narrow(set, &state, &nothing));
	}
	print_message("outcomes: %u, contradicted: %llu, turned: %llu\n", RANDOM_STATES,
	              contradicted, turned);
}

static void test_contradictions(void **unused)
{
	struct pgf_state state = state_of(ANON, AT(NONE, PTE));
	struct pgf_outcome segv = {.known = SEEN_OUTCOMES, .yes = MAPERR};
	struct pgf_outcome done = {.known = SEEN_OUTCOMES, .yes = DONE};
	struct pgf_outcome both = {.known = SEEN_OUTCOMES, .yes = DONE | MAPERR};
	pgf_set unknown = PGF_SET(PGF_UNKNOWN);

	expect("served", "SIGSEGV", unknown, pgf_narrow(pgf_decide(&state), &state, &segv));
	state = state_of(RO | PGF_S_ANON | W, AT(NONE, PTE));
	expect("denied", "completed", unknown, pgf_narrow(pgf_decide(&state), &state, &done));
	expect("denied", "both", unknown, pgf_narrow(pgf_decide(&state), &state, &both));
}

static void test_set_kind(void **unused)
{
	for (unsigned int kind = 0; kind < 64; kind++)
		assert_int_equal(pgf_set_kind(PGF_SET(kind)), kind);
	assert_int_equal(pgf_set_kind(0), PGF_UNKNOWN);
	assert_int_equal(pgf_set_kind(PGF_SET(3) | PGF_SET(60)), PGF_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_entry_checks),   cmocka_unit_test(test_kernel_addresses),
	        cmocka_unit_test(test_served_checks),  cmocka_unit_test(test_rows_known),
	        cmocka_unit_test(test_rows_seen),      cmocka_unit_test(test_rows_perf),
	        cmocka_unit_test(test_rows_masked),    cmocka_unit_test(test_every_leaf),
	        cmocka_unit_test(test_any_state),      cmocka_unit_test(test_any_outcome),
	        cmocka_unit_test(test_contradictions), cmocka_unit_test(test_set_kind),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
