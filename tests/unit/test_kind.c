/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of kinds is complete, and every machine name is the word of the public header
 * (PGF_FAULT_H) in kebab-case: the header is the reference, read as text.
 */
#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pgfault/fault.h>

#define LABEL_COLUMNS 24
#define TEXT_SIZE     1024

/* "STACK_GROWTH" to "stack-growth". */
static void to_kebab(char *word)
{
	for (; *word; word++)
		*word = *word == '_' ? '-' : (char)tolower((unsigned char)*word);
}

/*
 * Hands over each "PREFIXNAME = VALUE" between the line that contains `from` and the next
 * "};", with NAME in kebab-case. Returns how many there were.
 */
static unsigned int header_enum(const char *from, const char *prefix,
                                void (*check)(const char *name, unsigned int value))
{
	FILE *header = fopen(PGF_FAULT_H, "re");
	char line[512], name[128];
	unsigned int count = 0, value;
	int inside = 0;

	assert_non_null(header);
	while (fgets(line, sizeof(line), header)) {
		const char *at = strstr(line, from);

		inside |= at != NULL;
		if (!inside)
			continue;
		for (at = at ? at : line; (at = strstr(at, prefix)); at += strlen(prefix)) {
			if (sscanf(at + strlen(prefix), "%127[A-Z0-9_] = %u", name, &value) != 2)
				continue;
			to_kebab(name);
			check(name, value);
			count++;
		}
		if (strstr(line, "};"))
			break;
	}
	fclose(header);
	return count;
}

static void check_kind_name(const char *name, unsigned int value)
{
	if (value == PGF_KIND_COUNT) {
		assert_string_equal(name, "kind-count");
		return;
	}
	assert_string_equal(pgf_kind_name(value), name);
	assert_int_equal(pgf_kind_parse(name), (int)value);
}

static void names_are_the_headers(void **state)
{
	assert_int_equal(header_enum("enum pgf_kind {", "PGF_", check_kind_name),
	                 PGF_KIND_COUNT + 1);
}

static void check_class_name(const char *name, unsigned int value)
{
	if (value != PGF_CLASS_COUNT)
		assert_string_equal(pgf_class_name(value), name);
}

static void check_cost_name(const char *name, unsigned int value)
{
	if (value != PGF_COST_COUNT)
		assert_string_equal(pgf_cost_name(value), name);
}

static void check_op_name(const char *name, unsigned int value)
{
	assert_string_equal(pgf_op_name(value), value == PGF_OP_UNKNOWN ? "?" : name);
}

static void other_names_are_the_headers(void **state)
{
	assert_int_equal(header_enum("enum pgf_class {", "PGF_CLASS_", check_class_name),
	                 PGF_CLASS_COUNT + 1);
	assert_int_equal(header_enum("enum pgf_cost {", "PGF_COST_", check_cost_name),
	                 PGF_COST_COUNT + 1);
	assert_int_equal(header_enum("enum pgf_op {", "PGF_OP_", check_op_name), 4);
	assert_string_equal(pgf_class_name(PGF_CLASS_COUNT), "unknown");
	assert_string_equal(pgf_class_name(UINT32_MAX), "unknown");
	assert_string_equal(pgf_cost_name(PGF_COST_COUNT), "?");
	assert_string_equal(pgf_op_name(4), "?");
	assert_string_equal(pgf_op_name(UINT32_MAX), "?");
}

static void flag_names_are_the_headers(void **state)
{
	FILE *header = fopen(PGF_FAULT_H, "re");
	char line[512], name[128], text[64];
	unsigned int bit, count = 0;

	assert_non_null(header);
	while (fgets(line, sizeof(line), header)) {
		if (sscanf(line, "#define PGF_F_%127[A-Z_] (1u << %u)", name, &bit) != 2)
			continue;
		to_kebab(name);
		assert_int_equal(pgf_flags_text(1u << bit, text, sizeof(text)), strlen(name));
		assert_string_equal(text, name);
		assert_int_equal(bit, count);
		count++;
	}
	fclose(header);
	assert_int_equal(count, 21);
	assert_int_equal(pgf_flags_text(1u << count, text, sizeof(text)), strlen("0x200000"));
	assert_string_equal(text, "0x200000");
}

static void check_sentence(const char *text)
{
	size_t len;

	assert_non_null(text);
	len = strlen(text);
	assert_true(len >= 10);
	assert_int_equal(text[len - 1], '.');
	assert_null(strstr(text, "  "));
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] == 0xc2) { /* U+00B5, the micro sign */
			i++;
			assert_int_equal((unsigned char)text[i], 0xb5);
			continue;
		}
		assert_true(text[i] >= ' ' && text[i] <= '~');
	}
}

static void rows_are_complete(void **state)
{
	for (unsigned int kind = 0; kind < PGF_KIND_COUNT; kind++) {
		const struct pgf_kind_info *info = pgf_kind_info(kind);

		assert_int_equal(info->kind, kind);
		assert_true(info->class < PGF_CLASS_COUNT);
		assert_true(info->class != PGF_CLASS_UNKNOWN || kind == PGF_UNKNOWN);
		assert_ptr_equal(info->label, pgf_kind_label(kind));
		assert_in_range(strlen(info->label), 1, LABEL_COLUMNS);
		for (const char *at = info->label; *at; at++)
			assert_true(*at >= ' ' && *at <= '~');
		check_sentence(info->does);
		check_sentence(info->costs);
		check_sentence(info->remedy);
		for (unsigned int other = 0; other < kind; other++) {
			assert_string_not_equal(info->name, pgf_kind_name(other));
			assert_string_not_equal(info->label, pgf_kind_label(other));
		}
	}
}

static void unknown_values_are_unknown(void **state)
{
	assert_string_equal(pgf_kind_name(PGF_UNKNOWN), "unknown");
	assert_string_equal(pgf_kind_label(PGF_UNKNOWN), "?");
	assert_ptr_equal(pgf_kind_info(PGF_KIND_COUNT), pgf_kind_info(PGF_UNKNOWN));
	assert_ptr_equal(pgf_kind_info(UINT32_MAX), pgf_kind_info(PGF_UNKNOWN));
	assert_int_equal(pgf_kind_parse(""), -ENOENT);
	assert_int_equal(pgf_kind_parse("anon"), -ENOENT);
	assert_int_equal(pgf_kind_parse("anon-new "), -ENOENT);
	assert_int_equal(pgf_kind_parse("ANON-NEW"), -ENOENT);
}

static void classes_follow_the_tree(void **state)
{
	static const struct {
		enum pgf_class class;
		pgf_set set;
	} tree[] = {
	        {PGF_CLASS_KERNEL, PGF_SET(PGF_KERN_VMALLOC) | PGF_SET(PGF_KERN_SPURIOUS)},
	        {PGF_CLASS_ANON, PGF_SET(PGF_ANON_ZERO) | PGF_SET(PGF_ANON_NEW)},
	        {PGF_CLASS_FILE,
	         PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_COW) | PGF_SET(PGF_FILE_SHARED)},
	        {PGF_CLASS_SHMEM, PGF_SET(PGF_SHMEM)},
	        {PGF_CLASS_SWAP,
	         PGF_SET(PGF_SWAP_DEVICE) | PGF_SET(PGF_SWAP_CACHE) | PGF_SET(PGF_SWAP_ZSWAP)},
	        {PGF_CLASS_NUMA, PGF_SET(PGF_NUMA_HINT)},
	        {PGF_CLASS_WP,
	         PGF_SET(PGF_WP_COPY) | PGF_SET(PGF_WP_REUSE) | PGF_SET(PGF_WP_SHARED)},
	        {PGF_CLASS_THP, PGF_SET(PGF_THP_ZERO) | PGF_SET(PGF_THP_NEW) | PGF_SET(PGF_THP_WP) |
	                                PGF_SET(PGF_THP_NUMA) | PGF_SET(PGF_THP_FILE)},
	        {PGF_CLASS_HUGETLB, PGF_SET(PGF_HUGETLB_NEW) | PGF_SET(PGF_HUGETLB_COW)},
	        {PGF_CLASS_UFFD,
	         PGF_SET(PGF_UFFD_MISSING) | PGF_SET(PGF_UFFD_WP) | PGF_SET(PGF_UFFD_MINOR)},
	        {PGF_CLASS_OTHER, PGF_SET(PGF_MIGRATION_WAIT) | PGF_SET(PGF_DEVICE_PFN) |
	                                  PGF_SET(PGF_DEVICE_PRIVATE) | PGF_SET(PGF_ACCESS_ONLY) |
	                                  PGF_SET(PGF_VSYSCALL)},
	        {PGF_CLASS_FAILED,
	         PGF_SET(PGF_SEGV_MAPERR) | PGF_SET(PGF_SEGV_ACCERR) | PGF_SET(PGF_SEGV_PKUERR) |
	                 PGF_SET(PGF_SEGV_OTHER) | PGF_SET(PGF_BUS_EOF) | PGF_SET(PGF_BUS_HUGETLB) |
	                 PGF_SET(PGF_BUS_POISON) | PGF_SET(PGF_BUS_UFFD) | PGF_SET(PGF_BUS_IO) |
	                 PGF_SET(PGF_OOM) | PGF_SET(PGF_KERN_EFAULT) | PGF_SET(PGF_KERN_OOPS) |
	                 PGF_SET(PGF_NOFAULT) | PGF_SET(PGF_UNFINISHED)},
	};
	pgf_set all = PGF_SET(PGF_UNKNOWN);

	for (size_t i = 0; i < sizeof(tree) / sizeof(tree[0]); i++) {
		assert_int_equal(pgf_set_class(tree[i].set), tree[i].class);
		assert_int_equal(all & tree[i].set, 0);
		all |= tree[i].set;
		for (unsigned int kind = 0; kind < PGF_KIND_COUNT; kind++)
			if (tree[i].set & PGF_SET(kind))
				assert_int_equal(pgf_kind_info(kind)->class, tree[i].class);
	}
	assert_true(all == PGF_SET(PGF_KIND_COUNT) - 1);
}

static void mixed_sets_have_no_class(void **state)
{
	assert_int_equal(pgf_set_class(0), PGF_CLASS_UNKNOWN);
	assert_int_equal(pgf_set_class(PGF_SET(PGF_UNKNOWN)), PGF_CLASS_UNKNOWN);
	assert_int_equal(pgf_set_class(PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_SHMEM)),
	                 PGF_CLASS_UNKNOWN);
	assert_int_equal(pgf_set_class(PGF_SET(PGF_UNKNOWN) | PGF_SET(PGF_ANON_NEW)),
	                 PGF_CLASS_UNKNOWN);
	assert_int_equal(pgf_set_class(PGF_SET(PGF_ANON_NEW) | PGF_SET(63)), PGF_CLASS_UNKNOWN);
	assert_int_equal(pgf_set_class(PGF_SET(63)), PGF_CLASS_UNKNOWN);
	assert_int_equal(pgf_set_class(~(pgf_set)0), PGF_CLASS_UNKNOWN);
}

static void sets_are_written(void **state)
{
	char text[TEXT_SIZE];

	assert_int_equal(pgf_set_text(0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	pgf_set_text(PGF_SET(PGF_ANON_NEW), text, sizeof(text));
	assert_string_equal(text, "anon-new");
	pgf_set_text(PGF_SET(PGF_WP_COPY) | PGF_SET(PGF_ANON_NEW), text, sizeof(text));
	assert_string_equal(text, "anon-new|wp-copy");
	pgf_set_text(PGF_SET(PGF_OOM) | PGF_SET(63), text, sizeof(text));
	assert_string_equal(text, "oom|0x8000000000000000");
	assert_int_equal(pgf_flags_text(0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	pgf_flags_text(PGF_F_MAJOR | PGF_F_IO | PGF_F_SLEPT, text, sizeof(text));
	assert_string_equal(text, "major,io,slept");
	pgf_flags_text(PGF_F_GUP | (1u << 31), text, sizeof(text));
	assert_string_equal(text, "gup,0x80000000");
}

static int set_text(char *buf, size_t size)
{
	return pgf_set_text(~(pgf_set)0, buf, size);
}

static int flags_text(char *buf, size_t size)
{
	return pgf_flags_text(UINT32_MAX, buf, size);
}

/* In every smaller buffer: the same length, a terminated beginning, and not a byte beyond. */
static void check_truncation(int (*text)(char *buf, size_t size))
{
	char whole[TEXT_SIZE], part[TEXT_SIZE];
	int len = text(whole, sizeof(whole));

	assert_in_range(len, 1, sizeof(whole) - 1);
	assert_int_equal(strlen(whole), len);
	assert_int_equal(text(NULL, 0), len);
	for (size_t size = 0; size <= (size_t)len + 1; size++) {
		memset(part, '#', sizeof(part));
		assert_int_equal(text(part, size), len);
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
	check_truncation(set_text);
	check_truncation(flags_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names_are_the_headers),
	        cmocka_unit_test(other_names_are_the_headers),
	        cmocka_unit_test(flag_names_are_the_headers),
	        cmocka_unit_test(rows_are_complete),
	        cmocka_unit_test(unknown_values_are_unknown),
	        cmocka_unit_test(classes_follow_the_tree),
	        cmocka_unit_test(mixed_sets_have_no_class),
	        cmocka_unit_test(sets_are_written),
	        cmocka_unit_test(texts_are_truncated),
	};

	return cmocka_run_group_tests_name("kind", tests, NULL, NULL);
}
