/* SPDX-License-Identifier: BSD-2-Clause */
/* Test files whose page-cache state is known. */
#include "gen/gen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

/* f_type of the disk file systems whose fault behaviour is known; statfs(2). */
static const struct {
	unsigned long magic;
	const char *name;
} disk_types[] = {
        {0xef53, "ext4"},
        {0x58465342, "xfs"},
        {0x9123683e, "btrfs"},
        {0xf2f52010, "f2fs"},
};

static bool on_disk(int fd, unsigned long *magic)
{
	struct statfs s;

	*magic = 0;
	if (fstatfs(fd, &s))
		return false;
	*magic = (unsigned long)s.f_type & 0xffffffffUL;
	for (size_t i = 0; i < sizeof(disk_types) / sizeof(disk_types[0]); i++)
		if (disk_types[i].magic == *magic)
			return true;
	return false;
}

/*
 * One page a call, the odd ones first: file systems with large folios choose their size by
 * the length of a write, and a page between two present ones stays small.
 */
static int fill_pages(int fd, size_t n)
{
	size_t page = gen_page();
	unsigned char *data = malloc(page);
	int err = data ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < 2 * n; i++) {
		size_t at = i < n ? i : i - n;

		if ((i < n) != (at % 2 == 1))
			continue;
		gen_fill(data, page, at + 1);
		if (pwrite(fd, data, page, (off_t)(at * page)) != (ssize_t)page)
			err = errno ? -errno : -EIO;
	}
	free(data);
	if (!err && fsync(fd))
		err = -errno;
	return err;
}

int gen_file(const struct gen_options *o, struct gen_result *r, size_t n)
{
	char path[512];
	unsigned long magic;
	int fd, err;

	if (snprintf(path, sizeof(path), "%s/faultgen-file.XXXXXX", o->dir) >= (int)sizeof(path))
		return gen_fail(r, -ENAMETOOLONG, o->dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return gen_fail(r, -errno, path);
	unlink(path);
	if (!on_disk(fd, &magic)) {
		close(fd);
		gen_skip(r, "%s is not on ext4, xfs, btrfs or f2fs (type 0x%lx): see --dir", o->dir,
		         magic);
		return GEN_FILE_SKIP;
	}
	err = fill_pages(fd, n);
	if (err) {
		close(fd);
		return gen_fail(r, err, path);
	}
	return fd;
}
