/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The results of handle_mm_fault by kernel generation (include/linux/mm.h of 2.4.20, 4.9 and
 * 5.0, include/linux/mm_types.h of 5.10, 6.1 and 6.12).
 */
#include <pgfault/fault.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "fault/join.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HWPOISON_LARGE 0x20u

/* From high to low: what led to the end stands first. */
static const struct {
	unsigned int bit;
	const char *name;
	enum pgf_vmf_abi first, last;
} results[] = {
        {0x4000, "COMPLETED", PGF_VMF_6_1, PGF_VMF_6_12},
        {0x2000, "NEEDDSYNC", PGF_VMF_5_0, PGF_VMF_6_12},
        {0x1000, "DONE_COW", PGF_VMF_5_0, PGF_VMF_6_12},
        {0x1000, "DAX_LOCKED", PGF_VMF_4_9, PGF_VMF_4_9},
        {0x0800, "FALLBACK", PGF_VMF_4_9, PGF_VMF_6_12},
        {0x0400, "RETRY", PGF_VMF_4_9, PGF_VMF_6_12},
        {0x0200, "LOCKED", PGF_VMF_4_9, PGF_VMF_6_12},
        {0x0100, "NOPAGE", PGF_VMF_4_9, PGF_VMF_6_12},
        {0x0040, "SIGSEGV", PGF_VMF_4_9, PGF_VMF_6_12},
        {HWPOISON_LARGE, "HWPOISON_LARGE", PGF_VMF_4_9, PGF_VMF_6_12},
        {0x0010, "HWPOISON", PGF_VMF_4_9, PGF_VMF_6_12},
        {0x0008, "WRITE", PGF_VMF_4_9, PGF_VMF_6_1},
        {0x0004, "MAJOR", PGF_VMF_4_9, PGF_VMF_6_12},
        {0x0002, "SIGBUS", PGF_VMF_4_9, PGF_VMF_6_12},
        {0x0001, "OOM", PGF_VMF_4_9, PGF_VMF_6_12},
};

/*
 * The first release of each numbering; a release between two takes the lower one. Two rows
 * are not the first kernel of a generation but of its numbers: 2.6.23 brought the bits, 4.10
 * renamed bit 12. The values of 2.6.13 to 2.6.22 have no names here.
 */
static const struct {
	unsigned int version[3];
	int abi;
} generations[] = {
        {{6, 12, 0}, PGF_VMF_6_12}, {{6, 1, 0}, PGF_VMF_6_1},  {{5, 10, 0}, PGF_VMF_5_10},
        {{4, 10, 0}, PGF_VMF_5_0},  {{2, 6, 23}, PGF_VMF_4_9}, {{2, 6, 13}, -EINVAL},
        {{2, 4, 0}, PGF_VMF_2_4},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *number_parse(const char *at, unsigned int *value)
{
	if (!is_digit(*at))
		return NULL;
	for (*value = 0; is_digit(*at); at++) {
		*value = *value * 10 + (unsigned int)(*at - '0');
		if (*value > 0xffff)
			return NULL;
	}
	return at;
}

/* MAJOR.MINOR or MAJOR.MINOR.PATCH, then nothing or a suffix that begins with no letter. */
static bool release_parse(const char *release, unsigned int version[3])
{
	const char *at = number_parse(release, &version[0]);

	if (!at || *at != '.')
		return false;
	at = number_parse(at + 1, &version[1]);
	if (at && *at == '.')
		at = number_parse(at + 1, &version[2]);
	return at && !is_letter(*at);
}

static bool version_reached(const unsigned int version[3], const unsigned int first[3])
{
	for (int i = 0; i < 3; i++)
		if (version[i] != first[i])
			return version[i] > first[i];
	return true;
}

int pgf_vmf_abi(const char *release)
{
	unsigned int version[3] = {0};

	if (!release || !release_parse(release, version))
		return -EINVAL;
	for (size_t i = 0; i < COUNT(generations); i++)
		if (version_reached(version, generations[i].version))
			return generations[i].abi;
	return -EINVAL;
}

static int number_text(int result, const char *meaning, char *buf, size_t size)
{
	if (meaning)
		return snprintf(buf, size, "%d (%s)", result, meaning);
	return snprintf(buf, size, "%d", result);
}

static int text_2_4(int result, char *buf, size_t size)
{
	static const char *const meanings[] = {"OOM", "SIGBUS", "minor", "major"};
	const char *meaning = result >= -1 && result <= 2 ? meanings[result + 1] : NULL;

	return number_text(result, meaning, buf, size);
}

/* With HWPOISON_LARGE, four bits above tell which size of huge page: its index. */
static unsigned int hindex_shift(enum pgf_vmf_abi abi)
{
	return abi <= PGF_VMF_5_0 ? 12 : 16;
}

int pgf_vmf_text(enum pgf_vmf_abi abi, int result, char *buf, size_t size)
{
	unsigned int rest = (unsigned int)result, index = 0;
	char hindex[sizeof("HINDEX(15)")];
	struct pgf_join join;

	if ((unsigned int)abi > PGF_VMF_6_12)
		return snprintf(buf, size, "0x%x", rest);
	if (abi == PGF_VMF_2_4)
		return text_2_4(result, buf, size);
	if (result <= 0) /* a negative number is no set of bits */
		return number_text(result, result ? NULL : "minor", buf, size);
	if (rest & HWPOISON_LARGE) {
		index = rest >> hindex_shift(abi) & 0xf;
		rest &= ~(0xfu << hindex_shift(abi));
	}
	pgf_join_begin(&join, buf, size, "|");
	for (size_t i = 0; i < COUNT(results); i++) {
		if (!(rest & results[i].bit) || abi < results[i].first || abi > results[i].last)
			continue;
		pgf_join_add(&join, results[i].name);
		rest &= ~results[i].bit;
	}
	if (index) {
		snprintf(hindex, sizeof(hindex), "HINDEX(%u)", index);
		pgf_join_add(&join, hindex);
	}
	if (rest)
		pgf_join_hex(&join, rest);
	return pgf_join_end(&join);
}
