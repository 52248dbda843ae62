/* SPDX-License-Identifier: BSD-2-Clause */
/* Device numbers and their file systems: the second half of maptype.h. */
#include "fault/maptype.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fault/textline.h"

struct mount_row {
	uint32_t dev;
	enum pgf_fs fs;
};

struct pgf_mounts {
	struct mount_row *rows;
	size_t count;
	size_t room;
};

static struct mount_row *row_find(const struct pgf_mounts *mounts, uint32_t dev)
{
	for (size_t i = 0; i < mounts->count; i++) {
		if (mounts->rows[i].dev == dev)
			return &mounts->rows[i];
	}
	return NULL;
}

int pgf_mounts_set(struct pgf_mounts *mounts, uint32_t dev, enum pgf_fs fs)
{
	struct mount_row *row = row_find(mounts, dev);

	if (row) {
		row->fs = fs;
		return 0;
	}
	if (mounts->count == mounts->room) {
		size_t room = mounts->room ? mounts->room * 2 : 64;
		struct mount_row *more = realloc(mounts->rows, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		mounts->rows = more;
		mounts->room = room;
	}
	mounts->rows[mounts->count++] = (struct mount_row){.dev = dev, .fs = fs};
	return 0;
}

struct word {
	const char *at;
	size_t len;
};

static bool word_is(const struct word *word, const char *text)
{
	return strlen(text) == word->len && !memcmp(word->at, text, word->len);
}

static bool word_begins(const struct word *word, const char *text)
{
	return word->len >= strlen(text) && !memcmp(word->at, text, strlen(text));
}

static bool word_in(const struct word *word, const char *const *texts)
{
	for (; *texts; texts++) {
		if (word_is(word, *texts))
			return true;
	}
	return false;
}

/* Whether text is one of the comma-separated options. */
static bool option_in(const struct word *options, const char *text)
{
	const char *at = options->at, *end = options->at + options->len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		struct word option = {.at = at, .len = (size_t)((comma ? comma : end) - at)};

		if (word_is(&option, text))
			return true;
		at += option.len + 1;
	}
	return false;
}

/* The part of a mountinfo line that says what the mount is. */
struct mount_line {
	uint32_t dev;
	struct word type;
	struct word source;
	struct word options; /* of the super block */
};

/* Where the medium can, dax by inode is the default and stands in no option. */
static bool may_be_dax(const struct mount_line *line)
{
	if (option_in(&line->options, "dax=never"))
		return false;
	return option_in(&line->options, "dax=inode") || word_is(&line->type, "virtiofs") ||
	       word_begins(&line->source, "/dev/pmem");
}

static enum pgf_fs fs_of(const struct mount_line *line)
{
	static const char *const device[] = {"devtmpfs", "sysfs", "proc", "debugfs", NULL};
	static const char *const disk[] = {"ext4", "xfs", "btrfs", "f2fs", NULL};

	if (word_is(&line->type, "tmpfs"))
		return PGF_FS_SHMEM;
	if (word_is(&line->type, "hugetlbfs"))
		return PGF_FS_HUGETLB;
	if (word_in(&line->type, device))
		return PGF_FS_DEVICE;
	if (option_in(&line->options, "dax") || option_in(&line->options, "dax=always"))
		return PGF_FS_DAX;
	if (may_be_dax(line))
		return PGF_FS_MAYBE_DAX;
	return word_in(&line->type, disk) ? PGF_FS_DISK : PGF_FS_FILE;
}

static bool word_next(struct pgf_cursor *cursor, struct word *word)
{
	pgf_cursor_blanks(cursor);
	word->len = pgf_cursor_word(cursor, &word->at);
	return word->len > 0;
}

/* "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [FIELD...] - TYPE SOURCE OPTIONS" */
static bool mount_parse(struct pgf_cursor *cursor, struct mount_line *line)
{
	uint64_t number, major, minor;
	struct word word;

	if (!pgf_cursor_dec(cursor, &number) || !pgf_cursor_char(cursor, ' ') ||
	    !pgf_cursor_dec(cursor, &number) || !pgf_cursor_char(cursor, ' ') ||
	    !pgf_cursor_dec(cursor, &major) || !pgf_cursor_char(cursor, ':') ||
	    !pgf_cursor_dec(cursor, &minor) || major > 0xfff || minor > 0xfffff)
		return false;
	line->dev = (uint32_t)(major << 20 | minor);
	do {
		if (!word_next(cursor, &word))
			return false;
	} while (!word_is(&word, "-"));
	if (!word_next(cursor, &line->type))
		return false;
	/* An empty source leaves two blanks, and the options stand in its place. */
	word_next(cursor, &line->source);
	if (!word_next(cursor, &line->options))
		line->options = line->source;
	return true;
}

static int mount_read(void *ctx, const char *text, size_t len)
{
	struct pgf_cursor cursor = {.at = text, .end = text + len};
	struct mount_line line;

	if (!mount_parse(&cursor, &line))
		return -EINVAL;
	return pgf_mounts_set(ctx, line.dev, fs_of(&line));
}

int pgf_mounts_add(struct pgf_mounts *mounts, int fd)
{
	return pgf_lines_read(fd, mount_read, mounts);
}

/* The mount behind memfd_create(2) with these flags; a kernel without it adds nothing. */
static int kernel_mount_add(struct pgf_mounts *mounts, unsigned int flags, enum pgf_fs fs)
{
	int fd = memfd_create("pgf-probe", MFD_CLOEXEC | flags);
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return 0;
	if (!fstat(fd, &st))
		ret = pgf_mounts_set(mounts, major(st.st_dev) << 20 | minor(st.st_dev), fs);
	close(fd);
	return ret;
}

static int kernel_mounts_add(struct pgf_mounts *mounts)
{
	/* log2 of the huge page sizes of all architectures (linux/memfd.h). */
	static const unsigned int sizes[] = {16, 19, 20, 21, 23, 24, 25, 28, 29, 30, 31, 34};
	int ret = kernel_mount_add(mounts, 0, PGF_FS_SHMEM);

	for (size_t i = 0; !ret && i < sizeof(sizes) / sizeof(sizes[0]); i++)
		ret = kernel_mount_add(mounts, MFD_HUGETLB | sizes[i] << MFD_HUGE_SHIFT,
		                       PGF_FS_HUGETLB);
	return ret;
}

int pgf_mounts_new(struct pgf_mounts **out)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct pgf_mounts *mounts;
	int ret = -ENOMEM;

	if (fd < 0)
		return -errno;
	mounts = calloc(1, sizeof(*mounts));
	if (mounts)
		ret = pgf_mounts_add(mounts, fd);
	close(fd);
	if (!ret)
		ret = kernel_mounts_add(mounts);
	if (ret) {
		pgf_mounts_free(mounts);
		return ret;
	}
	*out = mounts;
	return 0;
}

void pgf_mounts_free(struct pgf_mounts *mounts)
{
	if (!mounts)
		return;
	free(mounts->rows);
	free(mounts);
}

bool pgf_mounts_fs(const struct pgf_mounts *mounts, uint32_t dev, enum pgf_fs *fs)
{
	const struct mount_row *row = row_find(mounts, dev);

	if (row)
		*fs = row->fs;
	return row != NULL;
}
