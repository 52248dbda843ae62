/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results of handle_mm_fault: literal values of each generation, and of the running kernel
 * whatever its own type information (BTF) says.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include <pgfault/fault.h>

static void releases_have_a_generation(void **state)
{
	static const struct {
		const char *release;
		int abi;
	} cases[] = {
	        {"2.4.20", PGF_VMF_2_4},
	        {"2.4.0-test9", PGF_VMF_2_4},
	        {"2.6.12", PGF_VMF_2_4},
	        {"2.6.23", PGF_VMF_4_9},
	        {"2.6.32-754.el6.x86_64", PGF_VMF_4_9},
	        {"3.10.0-1160.el7.x86_64", PGF_VMF_4_9},
	        {"4.9.0-19-amd64", PGF_VMF_4_9},
	        {"4.9.337", PGF_VMF_4_9},
	        {"4.10.0", PGF_VMF_5_0},
	        {"5.0.0", PGF_VMF_5_0},
	        {"5.4.0-150-generic", PGF_VMF_5_0},
	        {"5.9.16", PGF_VMF_5_0},
	        {"5.10.0-31-amd64", PGF_VMF_5_10},
	        {"5.15.0+", PGF_VMF_5_10},
	        {"6.0.19", PGF_VMF_5_10},
	        {"6.1", PGF_VMF_6_1},
	        {"6.1.0-56-amd64", PGF_VMF_6_1},
	        {"6.11.2", PGF_VMF_6_1},
	        {"6.12", PGF_VMF_6_12},
	        {"6.12-rc1", PGF_VMF_6_12},
	        {"6.18.44-fc", PGF_VMF_6_12},
	        {"7.2.13", PGF_VMF_6_12},
	        {"10.0", PGF_VMF_6_12},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(pgf_vmf_abi(cases[i].release), cases[i].abi);
}

static void malformed_releases_have_none(void **state)
{
	static const char *const cases[] = {
	        "",
	        "6",
	        "6.",
	        ".1",
	        "6.x",
	        "6.1.",
	        "6.1.x",
	        "v6.1",
	        " 6.1",
	        "-6.1",
	        "6.1rc2",
	        "6..1",
	        "linux",
	        "6,1",
	        "6.1.0abc",
	        "+6.1",
	        "2.2.26",
	        "1.0",
	        "2.6.18-8",
	        "2.6.13",
	        "2.6.22",
	        "4294967302.1",
	        "6.99999999999",
	        "18446744073709551622.1",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(pgf_vmf_abi(cases[i]), -EINVAL);
	assert_int_equal(pgf_vmf_abi(NULL), -EINVAL);
}

static void results_are_named(void **state)
{
	static const struct {
		enum pgf_vmf_abi abi;
		int result;
		const char *text;
	} cases[] = {
	        {PGF_VMF_2_4, 0, "0 (SIGBUS)"},
	        {PGF_VMF_2_4, 1, "1 (minor)"},
	        {PGF_VMF_2_4, 2, "2 (major)"},
	        {PGF_VMF_2_4, -1, "-1 (OOM)"},
	        {PGF_VMF_2_4, 3, "3"},
	        {PGF_VMF_2_4, -2, "-2"},
	        {PGF_VMF_2_4, INT_MIN, "-2147483648"},
	        {PGF_VMF_4_9, 0, "0 (minor)"},
	        {PGF_VMF_4_9, 0x1000, "DAX_LOCKED"},
	        {PGF_VMF_4_9, 0x2000, "0x2000"},
	        {PGF_VMF_4_9, 0x40, "SIGSEGV"},
	        {PGF_VMF_4_9, 0x20, "HWPOISON_LARGE"},
	        {PGF_VMF_4_9, 0x1020, "HWPOISON_LARGE|HINDEX(1)"},
	        {PGF_VMF_5_0, 0x1020, "HWPOISON_LARGE|HINDEX(1)"},
	        {PGF_VMF_5_0, 0x1000, "DONE_COW"},
	        {PGF_VMF_5_0, 0x2000, "NEEDDSYNC"},
	        {PGF_VMF_5_0, 0x4000, "0x4000"},
	        {PGF_VMF_5_10, 0, "0 (minor)"},
	        {PGF_VMF_5_10, 256, "NOPAGE"},
	        {PGF_VMF_5_10, 512, "LOCKED"},
	        {PGF_VMF_5_10, 1032, "RETRY|WRITE"},
	        {PGF_VMF_5_10, 0x10020, "HWPOISON_LARGE|HINDEX(1)"},
	        {PGF_VMF_5_10, 0xf0020, "HWPOISON_LARGE|HINDEX(15)"},
	        {PGF_VMF_5_10, 0x4000, "0x4000"},
	        {PGF_VMF_5_10, 0x20000, "0x20000"},
	        {PGF_VMF_6_1, 0x4000, "COMPLETED"},
	        {PGF_VMF_6_1, 8, "WRITE"},
	        {PGF_VMF_6_12, 8, "0x8"},
	        {PGF_VMF_6_12, 1, "OOM"},
	        {PGF_VMF_6_12, 2, "SIGBUS"},
	        {PGF_VMF_6_12, 4, "MAJOR"},
	        {PGF_VMF_6_12, 0x10, "HWPOISON"},
	        {PGF_VMF_6_12, 0x800, "FALLBACK"},
	        {PGF_VMF_6_12, 0x404, "RETRY|MAJOR"},
	        {PGF_VMF_6_12, 0x40000404, "RETRY|MAJOR|0x40000000"},
	        {PGF_VMF_6_12, -14, "-14"},
	        {(enum pgf_vmf_abi)99, 0, "0x0"},
	        {(enum pgf_vmf_abi) - EINVAL, 0x404, "0x404"},
	};
	char text[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int len = pgf_vmf_text(cases[i].abi, cases[i].result, text, sizeof(text));

		assert_string_equal(text, cases[i].text);
		assert_int_equal(len, strlen(text));
	}
}

/* Every bit of the kernel's own enum has its name, and no bit has one that is not in it. */
static void names_are_this_kernels(void **state)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const struct btf_type *type;
	const struct btf_enum *item;
	unsigned int hindex = 0, named = 0;
	struct utsname uts;
	char text[256], hex[16];
	int id, abi;

	if (!btf)
		skip();
	id = btf__find_by_name_kind(btf, "vm_fault_reason", BTF_KIND_ENUM);
	assert_true(id > 0);
	assert_int_equal(uname(&uts), 0);
	abi = pgf_vmf_abi(uts.release);
	assert_true(abi >= 0);
	type = btf__type_by_id(btf, (__u32)id);
	item = btf_enum(type);
	for (unsigned int i = 0; i < btf_vlen(type); i++, item++) {
		const char *name = btf__name_by_offset(btf, item->name_off);

		if (!strcmp(name, "VM_FAULT_HINDEX_MASK")) {
			hindex = (unsigned int)item->val;
			continue;
		}
		pgf_vmf_text((enum pgf_vmf_abi)abi, item->val, text, sizeof(text));
		assert_int_equal(strncmp(name, "VM_FAULT_", 9), 0);
		assert_string_equal(text, name + 9);
		named |= (unsigned int)item->val;
	}
	assert_true(named & 1);
	for (unsigned int bit = 1; bit < 1u << 31; bit <<= 1) {
		pgf_vmf_text((enum pgf_vmf_abi)abi, (int)bit, text, sizeof(text));
		snprintf(hex, sizeof(hex), "0x%x", bit);
		assert_int_equal(!strcmp(text, hex), !(bit & named));
	}
	pgf_vmf_text((enum pgf_vmf_abi)abi, (int)(0x20 | hindex), text, sizeof(text));
	assert_string_equal(text, "HWPOISON_LARGE|HINDEX(15)");
	btf__free(btf);
}

static void check_truncation(enum pgf_vmf_abi abi, int result)
{
	char whole[256], part[256];
	int len = pgf_vmf_text(abi, result, whole, sizeof(whole));

	assert_in_range(len, 1, sizeof(whole) - 1);
	assert_int_equal(pgf_vmf_text(abi, result, NULL, 0), len);
	for (size_t size = 0; size <= (size_t)len + 1; size++) {
		memset(part, '#', sizeof(part));
		assert_int_equal(pgf_vmf_text(abi, result, part, size), len);
		if (size) {
			assert_memory_equal(part, whole, size - 1);
			assert_int_equal(part[size - 1], '\0');
		}
		for (size_t i = size; i < sizeof(part); i++)
			assert_int_equal(part[i], '#');
	}
}

static void texts_are_truncated(void **state)
{
	check_truncation(PGF_VMF_2_4, 1);
	check_truncation(PGF_VMF_2_4, 77);
	check_truncation(PGF_VMF_6_12, 0);
	check_truncation(PGF_VMF_6_12, -14);
	check_truncation(PGF_VMF_6_1, 0x7fffffff);
	check_truncation((enum pgf_vmf_abi)99, 0x404);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(releases_have_a_generation),
	        cmocka_unit_test(malformed_releases_have_none),
	        cmocka_unit_test(results_are_named),
	        cmocka_unit_test(names_are_this_kernels),
	        cmocka_unit_test(texts_are_truncated),
	};

	return cmocka_run_group_tests_name("vmfault", tests, NULL, NULL);
}
