/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault/smaps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault/textline.h"

static const char *const field_names[PGF_SMAPS_FIELD_COUNT] = {
        [PGF_SMAPS_SIZE] = "Size",
        [PGF_SMAPS_KERNEL_PAGE_SIZE] = "KernelPageSize",
        [PGF_SMAPS_MMU_PAGE_SIZE] = "MMUPageSize",
        [PGF_SMAPS_RSS] = "Rss",
        [PGF_SMAPS_PSS] = "Pss",
        [PGF_SMAPS_PSS_DIRTY] = "Pss_Dirty",
        [PGF_SMAPS_PSS_ANON] = "Pss_Anon",
        [PGF_SMAPS_PSS_FILE] = "Pss_File",
        [PGF_SMAPS_PSS_SHMEM] = "Pss_Shmem",
        [PGF_SMAPS_SHARED_CLEAN] = "Shared_Clean",
        [PGF_SMAPS_SHARED_DIRTY] = "Shared_Dirty",
        [PGF_SMAPS_PRIVATE_CLEAN] = "Private_Clean",
        [PGF_SMAPS_PRIVATE_DIRTY] = "Private_Dirty",
        [PGF_SMAPS_REFERENCED] = "Referenced",
        [PGF_SMAPS_ANONYMOUS] = "Anonymous",
        [PGF_SMAPS_KSM] = "KSM",
        [PGF_SMAPS_LAZY_FREE] = "LazyFree",
        [PGF_SMAPS_ANON_HUGE] = "AnonHugePages",
        [PGF_SMAPS_SHMEM_HUGE] = "ShmemPmdMapped",
        [PGF_SMAPS_FILE_HUGE] = "FilePmdMapped",
        [PGF_SMAPS_SHARED_HUGETLB] = "Shared_Hugetlb",
        [PGF_SMAPS_PRIVATE_HUGETLB] = "Private_Hugetlb",
        [PGF_SMAPS_SWAP] = "Swap",
        [PGF_SMAPS_SWAP_PSS] = "SwapPss",
        [PGF_SMAPS_LOCKED] = "Locked",
};

/* In the order of the PGF_VMA_* bits. */
static const char vma_letters[PGF_VMA_COUNT][3] = {
        "rd", "wr", "ex", "sh", "mr", "mw", "me", "ms", "gd", "pf", "dw", "lo", "io", "sr",
        "rr", "dc", "de", "ac", "nr", "ht", "sf", "nl", "ar", "wf", "dd", "sd", "mm", "hg",
        "nh", "mg", "um", "uw", "ui", "mp", "ss", "sl", "dp", "lf", "bt", "mt", "gu",
};

void pgf_smaps_clear(struct pgf_smaps *smaps)
{
	memset(smaps, 0, sizeof(*smaps));
	smaps->pkey = -1;
	smaps->thp_eligible = -1;
}

const char *pgf_smaps_field_name(unsigned int field)
{
	return field < PGF_SMAPS_FIELD_COUNT ? field_names[field] : NULL;
}

static bool word_is(const char *word, size_t len, const char *text)
{
	return strlen(text) == len && !memcmp(word, text, len);
}

static void vma_parse(struct pgf_cursor *cursor, struct pgf_smaps *smaps)
{
	const char *word;
	size_t len;

	smaps->vma_known = true;
	for (;;) {
		unsigned int bit = 0;

		pgf_cursor_blanks(cursor);
		len = pgf_cursor_word(cursor, &word);
		if (!len)
			return;
		while (bit < PGF_VMA_COUNT && !word_is(word, len, vma_letters[bit]))
			bit++;
		if (bit < PGF_VMA_COUNT)
			smaps->vma |= 1ull << bit;
		else
			smaps->unknown_vma++;
	}
}

static bool number_parse(struct pgf_cursor *cursor, uint64_t *value)
{
	pgf_cursor_blanks(cursor);
	if (!pgf_cursor_dec(cursor, value))
		return false;
	pgf_cursor_blanks(cursor);
	return true;
}

static int kilobytes_parse(struct pgf_cursor *cursor, uint64_t *bytes)
{
	const char *unit;
	uint64_t value;
	size_t len;

	if (!number_parse(cursor, &value) || value > UINT64_MAX / 1024)
		return -EINVAL;
	len = pgf_cursor_word(cursor, &unit);
	if (!word_is(unit, len, "kB"))
		return -EINVAL;
	pgf_cursor_blanks(cursor);
	if (cursor->at != cursor->end)
		return -EINVAL;
	*bytes = value * 1024;
	return 0;
}

static int small_parse(struct pgf_cursor *cursor, uint64_t max, uint64_t *value)
{
	if (!number_parse(cursor, value) || cursor->at != cursor->end || *value > max)
		return -EINVAL;
	return 0;
}

static int value_parse(const char *name, size_t len, struct pgf_cursor *cursor,
                       struct pgf_smaps *smaps)
{
	uint64_t value;
	int ret;

	for (unsigned int field = 0; field < PGF_SMAPS_FIELD_COUNT; field++) {
		if (!word_is(name, len, field_names[field]))
			continue;
		ret = kilobytes_parse(cursor, &value);
		if (ret)
			return ret;
		smaps->bytes[field] = value;
		smaps->known |= 1ull << field;
		return 0;
	}
	if (word_is(name, len, "VmFlags")) {
		vma_parse(cursor, smaps);
	} else if (word_is(name, len, "THPeligible")) {
		ret = small_parse(cursor, 1, &value);
		if (ret)
			return ret;
		smaps->thp_eligible = (int8_t)value;
	} else if (word_is(name, len, "ProtectionKey")) {
		ret = small_parse(cursor, INT32_MAX, &value);
		if (ret)
			return ret;
		smaps->pkey = (int32_t)value;
	} else {
		smaps->unknown++;
	}
	return 0;
}

int pgf_smaps_parse_field(const char *line, size_t len, struct pgf_smaps *smaps)
{
	struct pgf_cursor cursor = {.at = line, .end = line + len};
	const char *colon;

	if (len && line[len - 1] == '\n')
		cursor.end--;
	colon = memchr(line, ':', (size_t)(cursor.end - line));
	if (!colon || colon == line)
		return -EINVAL;
	for (const char *at = line; at < colon; at++) {
		if (*at == ' ' || *at == '\t' || *at == '\0')
			return -EINVAL;
	}
	cursor.at = colon + 1;
	return value_parse(line, (size_t)(colon - line), &cursor, smaps);
}

int pgf_vma_text(uint64_t vma, char *buf, size_t size)
{
	size_t len = 0;

	if (size)
		buf[0] = '\0';
	for (unsigned int bit = 0; bit < PGF_VMA_COUNT; bit++) {
		if (!(vma & (1ull << bit)))
			continue;
		if (len && len + 1 < size)
			memcpy(buf + len, " ", 2);
		len += len ? 1 : 0;
		if (len + 2 < size)
			memcpy(buf + len, vma_letters[bit], 3);
		len += 2;
	}
	return (int)len;
}

struct reading {
	pgf_smaps_fn fn;
	void *ctx;
	struct pgf_map_line line;
	struct pgf_smaps smaps;
	bool open; /* an entry has begun and is not handed over yet */
};

static int entry_end(struct reading *reading)
{
	if (!reading->open)
		return 0;
	reading->open = false;
	return reading->fn(reading->ctx, &reading->line, &reading->smaps);
}

/* A field's name begins with a capital letter, a mapping's line with a hexadecimal digit below. */
static bool line_is_field(const char *text, size_t len)
{
	return len && *text >= 'A' && *text <= 'Z';
}

static int line_read(void *ctx, const char *text, size_t len)
{
	struct reading *reading = ctx;
	int ret;

	if (line_is_field(text, len)) {
		if (!reading->open)
			return -EINVAL;
		return pgf_smaps_parse_field(text, len, &reading->smaps);
	}
	ret = entry_end(reading);
	if (ret)
		return ret;
	pgf_smaps_clear(&reading->smaps);
	ret = pgf_maps_parse_line(text, len, &reading->line);
	reading->open = !ret;
	return ret;
}

int pgf_smaps_read(int fd, pgf_smaps_fn fn, void *ctx)
{
	struct reading reading = {.fn = fn, .ctx = ctx};
	int ret = pgf_lines_read(fd, line_read, &reading);

	return ret ? ret : entry_end(&reading);
}

int pgf_smaps_read_pid(uint32_t pid, pgf_smaps_fn fn, void *ctx)
{
	int fd = pgf_proc_open(pid, "smaps");
	int ret;

	if (fd < 0)
		return fd;
	ret = pgf_smaps_read(fd, fn, ctx);
	close(fd);
	return ret;
}
