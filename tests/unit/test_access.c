/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error codes: literal register values of the architecture manuals, and on x86-64 codes that
 * this processor gave for accesses the test made itself.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include <pgfault/fault.h>

struct code_case {
	uint64_t raw;
	uint32_t bits;
	uint8_t op;
	uint8_t mode;
	uint8_t level;
	const char *text;
};

static void check_cases(enum pgf_arch arch, const struct code_case *cases, size_t count)
{
	char text[256];

	for (size_t i = 0; i < count; i++) {
		struct pgf_access access;
		int len;

		memset(&access, 0xff, sizeof(access));
		access.address = 0x7f0012345678;
		assert_int_equal(pgf_access_decode(&access, arch, cases[i].raw), 0);
		assert_true(access.address == 0x7f0012345678);
		assert_true(access.raw == cases[i].raw);
		assert_int_equal(access.arch, arch);
		assert_int_equal(access.bits, cases[i].bits);
		assert_int_equal(access.bits & ~access.known, 0);
		assert_int_equal(access.op, cases[i].op);
		assert_int_equal(access.mode, cases[i].mode);
		assert_int_equal(access.level, cases[i].level);
		assert_int_equal(access.pad, 0);
		len = pgf_access_text(&access, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
		assert_int_equal(len, strlen(text));
	}
}

#define CHECK(arch, cases) check_cases(arch, cases, sizeof(cases) / sizeof((cases)[0]))

#define READ   PGF_OP_READ
#define WRITE  PGF_OP_WRITE
#define EXEC   PGF_OP_EXEC
#define USER   PGF_MODE_USER
#define KERNEL PGF_MODE_KERNEL

/* Intel SDM vol. 3A, figure "Page-Fault Error Code"; AMD APM vol. 2 for bit 31. */
static void x86_64_codes(void **state)
{
	static const struct code_case cases[] = {
	        {0x0, 0, READ, KERNEL, 0, "read, not present, kernel"},
	        {0x2, PGF_EC_WRITE, WRITE, KERNEL, 0, "write, not present, kernel"},
	        {0x4, PGF_EC_USER, READ, USER, 0, "read, not present, user"},
	        {0x5, PGF_EC_USER | PGF_EC_PRESENT, READ, USER, 0, "read, present, user"},
	        {0x6, PGF_EC_USER | PGF_EC_WRITE, WRITE, USER, 0, "write, not present, user"},
	        {0x7, PGF_EC_USER | PGF_EC_WRITE | PGF_EC_PRESENT, WRITE, USER, 0,
	         "write, present, user"},
	        {0x9, PGF_EC_PRESENT | PGF_EC_RSVD, READ, KERNEL, 0,
	         "read, present, kernel, reserved bit"},
	        {0x14, PGF_EC_USER | PGF_EC_FETCH, EXEC, USER, 0, "exec, not present, user"},
	        {0x15, PGF_EC_USER | PGF_EC_FETCH | PGF_EC_PRESENT, EXEC, USER, 0,
	         "exec, present, user"},
	        {0x25, PGF_EC_USER | PGF_EC_PRESENT | PGF_EC_PK, READ, USER, 0,
	         "read, present, user, protection key"},
	        {0x47, PGF_EC_USER | PGF_EC_WRITE | PGF_EC_PRESENT | PGF_EC_SHSTK, WRITE, USER, 0,
	         "write, present, user, shadow stack"},
	        {0x8007, PGF_EC_USER | PGF_EC_WRITE | PGF_EC_PRESENT | PGF_EC_SGX, WRITE, USER, 0,
	         "write, present, user, SGX"},
	        {0x80000007, PGF_EC_USER | PGF_EC_WRITE | PGF_EC_PRESENT | PGF_EC_RMP, WRITE, USER,
	         0, "write, present, user, RMP violation"},
	        {0x84, PGF_EC_USER | PGF_EC_OTHER, READ, USER, 0,
	         "read, not present, user, unknown code, 0x84"},
	        {0x100000006, PGF_EC_USER | PGF_EC_WRITE | PGF_EC_OTHER, WRITE, USER, 0,
	         "write, not present, user, unknown code, 0x100000006"},
	};

	CHECK(PGF_ARCH_X86_64, cases);
}

static void i386_codes(void **state)
{
	static const struct code_case cases[] = {
	        {0, 0, READ, KERNEL, 0, "read, not present, kernel"},
	        {4, PGF_EC_USER, READ, USER, 0, "read, not present, user"},
	        {6, PGF_EC_USER | PGF_EC_WRITE, WRITE, USER, 0, "write, not present, user"},
	        {7, PGF_EC_USER | PGF_EC_WRITE | PGF_EC_PRESENT, WRITE, USER, 0,
	         "write, present, user"},
	        {0x15, PGF_EC_USER | PGF_EC_PRESENT | PGF_EC_OTHER, READ, USER, 0,
	         "read, present, user, unknown code, 0x15"},
	};
	struct pgf_access access = {0};

	CHECK(PGF_ARCH_I386_24, cases);
	assert_int_equal(pgf_access_decode(&access, PGF_ARCH_I386_24, 4), 0);
	assert_int_equal(access.known & PGF_EC_FETCH, 0);
}

/* ARM DDI 0406C, table "Short-descriptor format FSR encodings"; WnR bit 11, CM bit 13. */
static void arm_short_codes(void **state)
{
	static const struct code_case cases[] = {
	        {0x001, PGF_EC_ALIGN, READ, 0, 0, "read, alignment"},
	        {0x801, PGF_EC_ALIGN | PGF_EC_WRITE, WRITE, 0, 0, "write, alignment"},
	        {0x003, PGF_EC_PRESENT | PGF_EC_AF, READ, 0, 1,
	         "read, present, access flag, level 1"},
	        {0x005, 0, READ, 0, 1, "read, not present, level 1"},
	        {0x006, PGF_EC_PRESENT | PGF_EC_AF, READ, 0, 2,
	         "read, present, access flag, level 2"},
	        {0x007, 0, READ, 0, 2, "read, not present, level 2"},
	        {0x017, 0, READ, 0, 2, "read, not present, level 2"}, /* domain 1 */
	        {0x807, PGF_EC_WRITE, WRITE, 0, 2, "write, not present, level 2"},
	        {0x008, PGF_EC_EXTERNAL, READ, 0, 0, "read, external abort"},
	        {0x009, PGF_EC_PRESENT | PGF_EC_DOMAIN, READ, 0, 1,
	         "read, present, domain, level 1"},
	        {0x00b, PGF_EC_PRESENT | PGF_EC_DOMAIN, READ, 0, 2,
	         "read, present, domain, level 2"},
	        {0x00c, PGF_EC_EXTERNAL, READ, 0, 1, "read, external abort, level 1"},
	        {0x00e, PGF_EC_EXTERNAL, READ, 0, 2, "read, external abort, level 2"},
	        {0x80d, PGF_EC_PRESENT | PGF_EC_WRITE, WRITE, 0, 1, "write, present, level 1"},
	        {0x80f, PGF_EC_PRESENT | PGF_EC_WRITE, WRITE, 0, 2, "write, present, level 2"},
	        {0x406, PGF_EC_EXTERNAL, READ, 0, 0, "read, external abort"},
	        {0x408, PGF_EC_EXTERNAL, READ, 0, 0, "read, external abort"},
	        {0x409, PGF_EC_EXTERNAL, READ, 0, 0, "read, external abort"},
	        {0x40c, PGF_EC_EXTERNAL, READ, 0, 1, "read, external abort, level 1"},
	        {0x40e, PGF_EC_EXTERNAL, READ, 0, 2, "read, external abort, level 2"},
	        {0x2807, PGF_EC_CM, READ, 0, 2, "read, not present, cache maintenance, level 2"},
	        {0x004, PGF_EC_CM, READ, 0, 0, "read, cache maintenance"},
	        {0x002, PGF_EC_OTHER, READ, 0, 0, "read, unknown code, 0x2"},
	        {0x80000007, PGF_EC_FETCH, EXEC, 0, 2, "exec, not present, level 2"},
	        {0x8000000d, PGF_EC_FETCH | PGF_EC_PRESENT, EXEC, 0, 1, "exec, present, level 1"},
	        {0x80000807, PGF_EC_FETCH, EXEC, 0, 2, "exec, not present, level 2"},
	};

	CHECK(PGF_ARCH_ARM, cases);
}

/* ARM DDI 0406C, table "Long-descriptor format FSR encodings": bit 9 set, STATUS[5:0]. */
static void arm_long_codes(void **state)
{
	static const struct code_case cases[] = {
	        {0x205, 0, READ, 0, 1, "read, not present, level 1"},
	        {0xa07, PGF_EC_WRITE, WRITE, 0, 3, "write, not present, level 3"},
	        {0x20b, PGF_EC_PRESENT | PGF_EC_AF, READ, 0, 3,
	         "read, present, access flag, level 3"},
	        {0xa0f, PGF_EC_PRESENT | PGF_EC_WRITE, WRITE, 0, 3, "write, present, level 3"},
	        {0x210, PGF_EC_EXTERNAL, READ, 0, 0, "read, external abort"},
	        {0x211, PGF_EC_EXTERNAL, READ, 0, 0, "read, external abort"},
	        {0x215, PGF_EC_EXTERNAL, READ, 0, 1, "read, external abort, level 1"},
	        {0x219, PGF_EC_EXTERNAL, READ, 0, 0, "read, external abort"},
	        {0x221, PGF_EC_ALIGN, READ, 0, 0, "read, alignment"},
	        {0x222, PGF_EC_OTHER, READ, 0, 0, "read, unknown code, 0x222"},
	        {0x2a07, PGF_EC_CM, READ, 0, 3, "read, not present, cache maintenance, level 3"},
	        {0x8000020f, PGF_EC_FETCH | PGF_EC_PRESENT, EXEC, 0, 3, "exec, present, level 3"},
	};
	struct pgf_access access = {0};

	CHECK(PGF_ARCH_ARM, cases);
	assert_int_equal(pgf_access_decode(&access, PGF_ARCH_ARM, 0x205), 0);
	assert_int_equal(access.known & PGF_EC_USER, 0);
	assert_int_equal(access.known & PGF_EC_PRESENT, PGF_EC_PRESENT);
	assert_int_equal(pgf_access_decode(&access, PGF_ARCH_ARM, 0x221), 0);
	assert_int_equal(access.known & PGF_EC_PRESENT, 0);
}

/* ARM DDI 0487, ESR_EL1: EC [31:26], IL bit 25; ISS of data and instruction aborts. */
static void arm64_codes(void **state)
{
	static const struct code_case cases[] = {
	        {0x92000004, PGF_EC_USER, READ, USER, 0, "read, not present, user"},
	        {0x92000005, PGF_EC_USER, READ, USER, 1, "read, not present, user, level 1"},
	        {0x92000007, PGF_EC_USER, READ, USER, 3, "read, not present, user, level 3"},
	        {0x92000047, PGF_EC_USER | PGF_EC_WRITE, WRITE, USER, 3,
	         "write, not present, user, level 3"},
	        {0x9200004f, PGF_EC_USER | PGF_EC_WRITE | PGF_EC_PRESENT, WRITE, USER, 3,
	         "write, present, user, level 3"},
	        {0x9200000b, PGF_EC_USER | PGF_EC_PRESENT | PGF_EC_AF, READ, USER, 3,
	         "read, present, user, access flag, level 3"},
	        {0x92000021, PGF_EC_USER | PGF_EC_ALIGN, READ, USER, 0, "read, user, alignment"},
	        {0x92000010, PGF_EC_USER | PGF_EC_EXTERNAL, READ, USER, 0,
	         "read, user, external abort"},
	        {0x92000016, PGF_EC_USER | PGF_EC_EXTERNAL, READ, USER, 2,
	         "read, user, external abort, level 2"},
	        {0x92000011, PGF_EC_USER | PGF_EC_PRESENT | PGF_EC_TAG, READ, USER, 0,
	         "read, present, user, tag check"},
	        {0x92000147, PGF_EC_USER | PGF_EC_CM, READ, USER, 3,
	         "read, not present, user, cache maintenance, level 3"},
	        {0x92000087, PGF_EC_USER | PGF_EC_S1PTW, READ, USER, 3,
	         "read, not present, user, stage-1 walk, level 3"},
	        {0x9200002b, PGF_EC_USER, READ, USER, 0, "read, not present, user"},
	        {0x92000000, PGF_EC_USER | PGF_EC_OTHER, READ, USER, 0,
	         "read, user, unknown code, 0x92000000"}, /* address size */
	        {0x92000075, PGF_EC_USER | PGF_EC_OTHER, 0, USER, 0,
	         "user, unknown code, 0x92000075"}, /* atomic, WnR undefined */
	        {0x400920000cf, PGF_EC_USER | PGF_EC_WRITE | PGF_EC_PRESENT | PGF_EC_S1PTW, WRITE,
	         USER, 3, "write, present, user, stage-1 walk, level 3"},
	        {0x409200000f, PGF_EC_USER | PGF_EC_PRESENT | PGF_EC_PK, READ, USER, 3,
	         "read, present, user, protection key, level 3"},
	        {0x1009200004f, PGF_EC_USER | PGF_EC_PRESENT | PGF_EC_WRITE | PGF_EC_SHSTK, WRITE,
	         USER, 3, "write, present, user, shadow stack, level 3"},
	        {0x96000046, PGF_EC_WRITE, WRITE, KERNEL, 2, "write, not present, kernel, level 2"},
	        {0x82000006, PGF_EC_USER | PGF_EC_FETCH, EXEC, USER, 2,
	         "exec, not present, user, level 2"},
	        {0x8200000f, PGF_EC_USER | PGF_EC_FETCH | PGF_EC_PRESENT, EXEC, USER, 3,
	         "exec, present, user, level 3"},
	        {0x8600000d, PGF_EC_FETCH | PGF_EC_PRESENT, EXEC, KERNEL, 1,
	         "exec, present, kernel, level 1"},
	        {0xf2000000, PGF_EC_OTHER, 0, 0, 0, "unknown code, 0xf2000000"}, /* BRK */
	};

	CHECK(PGF_ARCH_ARM64, cases);
}

static void unknown_architectures_change_nothing(void **state)
{
	struct pgf_access access, before;

	memset(&access, 0x5a, sizeof(access));
	before = access;
	assert_int_equal(pgf_access_decode(&access, PGF_ARCH_UNKNOWN, 6), -EINVAL);
	assert_int_equal(pgf_access_decode(&access, (enum pgf_arch)99, 6), -EINVAL);
	assert_memory_equal(&access, &before, sizeof(access));
}

static void what_is_not_known_is_not_said(void **state)
{
	struct pgf_access access = {0};
	char text[64];

	pgf_access_text(&access, text, sizeof(text));
	assert_string_equal(text, "?");
	access.mode = PGF_MODE_USER;
	pgf_access_text(&access, text, sizeof(text));
	assert_string_equal(text, "user");
	access.op = PGF_OP_WRITE;
	pgf_access_text(&access, text, sizeof(text));
	assert_string_equal(text, "write, user");
	access.op = access.mode = access.level = 255;
	pgf_access_text(&access, text, sizeof(text));
	assert_string_equal(text, "?");
}

static void texts_are_truncated(void **state)
{
	struct pgf_access access = {0};
	char whole[512], part[512];
	int len;

	access.bits = access.known = UINT32_MAX;
	access.raw = UINT64_MAX;
	access.op = PGF_OP_WRITE;
	access.mode = PGF_MODE_KERNEL;
	access.level = 3;
	len = pgf_access_text(&access, whole, sizeof(whole));
	assert_in_range(len, 100, sizeof(whole) - 1);
	assert_int_equal(pgf_access_text(&access, NULL, 0), len);
	for (size_t size = 0; size <= (size_t)len + 1; size++) {
		memset(part, '#', sizeof(part));
		assert_int_equal(pgf_access_text(&access, part, size), len);
		if (size) {
			assert_memory_equal(part, whole, size - 1);
			assert_int_equal(part[size - 1], '\0');
		}
		for (size_t i = size; i < sizeof(part); i++)
			assert_int_equal(part[i], '#');
	}
}

#ifdef __x86_64__
static sigjmp_buf escape;
static volatile uint64_t seen_code;

static void on_segv(int signo, siginfo_t *info, void *context)
{
	const ucontext_t *user = context;

	seen_code = (uint64_t)user->uc_mcontext.gregs[REG_ERR];
	siglongjmp(escape, 1);
}

/* What the processor itself says about an access at an address; true when it faulted. */
static bool provoke(void *address, enum pgf_op op, struct pgf_access *access)
{
	if (sigsetjmp(escape, 1))
		return !pgf_access_decode(access, PGF_ARCH_X86_64, seen_code);
	if (op == PGF_OP_READ)
		(void)*(volatile char *)address;
	else if (op == PGF_OP_WRITE)
		*(volatile char *)address = 1;
	else
		((void (*)(void))address)();
	return false;
}

static void codes_are_this_processors(void **state)
{
	struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO}, old;
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pgf_access access = {0};

	assert_true(page != MAP_FAILED);
	assert_int_equal(munmap(page + 4096, 4096), 0);
	*page = (char)0xc3; /* return, should it ever be executed */
	assert_int_equal(sigaction(SIGSEGV, &action, &old), 0);

	assert_true(provoke(page + 4096, PGF_OP_READ, &access));
	assert_int_equal(access.op, PGF_OP_READ);
	assert_int_equal(access.mode, PGF_MODE_USER);
	assert_int_equal(access.bits, PGF_EC_USER);
	assert_true(provoke(page + 4096, PGF_OP_WRITE, &access));
	assert_int_equal(access.op, PGF_OP_WRITE);
	assert_int_equal(access.bits, PGF_EC_USER | PGF_EC_WRITE);
	assert_true(provoke(page, PGF_OP_EXEC, &access));
	assert_int_equal(access.op, PGF_OP_EXEC);
	assert_int_equal(access.bits, PGF_EC_USER | PGF_EC_PRESENT | PGF_EC_FETCH);
	assert_int_equal(mprotect(page, 4096, PROT_READ), 0);
	assert_true(provoke(page, PGF_OP_WRITE, &access));
	assert_int_equal(access.op, PGF_OP_WRITE);
	assert_int_equal(access.bits, PGF_EC_USER | PGF_EC_PRESENT | PGF_EC_WRITE);

	assert_int_equal(sigaction(SIGSEGV, &old, NULL), 0);
	munmap(page, 4096);
}
#else
static void codes_are_this_processors(void **state)
{
	skip();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(x86_64_codes),
	        cmocka_unit_test(i386_codes),
	        cmocka_unit_test(arm_short_codes),
	        cmocka_unit_test(arm_long_codes),
	        cmocka_unit_test(arm64_codes),
	        cmocka_unit_test(unknown_architectures_change_nothing),
	        cmocka_unit_test(what_is_not_known_is_not_said),
	        cmocka_unit_test(codes_are_this_processors),
	        cmocka_unit_test(texts_are_truncated),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
