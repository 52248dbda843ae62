/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen/swapdev.h"
#include "gen/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#define ZRAM_CONTROL  "/sys/class/zram-control/"
#define PRIORITY      (SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK)
#define HEADER_OFFSET 1024 /* the boot block comes first */

/* The header of mkswap(8): version, last page, number of bad pages; then the magic word. */
static int swap_format(int fd, size_t size)
{
	size_t page = gen_page();
	uint32_t header[3] = {1, (uint32_t)(size / page - 1), 0};
	unsigned char *block = calloc(1, page);
	int err = 0;

	if (!block)
		return -ENOMEM;
	memcpy(block + HEADER_OFFSET, header, sizeof(header));
	/* Ten letters at the very end of the page, without a NUL. */
	for (size_t i = 0; i < 10; i++)
		block[page - 10 + i] = (unsigned char)"SWAPSPACE2"[i];
	if (pwrite(fd, block, page, 0) != (ssize_t)page || fsync(fd))
		err = errno ? -errno : -EIO;
	free(block);
	return err;
}

/* A swap file must not have holes. */
static int file_extend(int fd, size_t size)
{
	size_t chunk = 1 << 20;
	unsigned char *block = calloc(1, chunk);
	int err = block ? 0 : -ENOMEM;

	for (size_t at = 0; !err && at < size; at += chunk)
		if (pwrite(fd, block, chunk, (off_t)at) != (ssize_t)chunk)
			err = errno ? -errno : -EIO;
	free(block);
	return err;
}

int gen_swap_file(const struct gen_options *o, struct gen_result *r, size_t size)
{
	char dir[200], path[256];
	int fd, err;

	if (!realpath(o->dir, path) || strlen(path) >= sizeof(dir))
		return gen_fail(r, -ENOENT, o->dir);
	strcpy(dir, path);
	snprintf(path, sizeof(path), "%s/faultgen-swap.%d", dir, getpid());
	err = gen_undo_swap(path);
	if (err)
		return gen_fail(r, err, "journal");
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return gen_fail(r, -errno, path);
	err = file_extend(fd, size);
	if (!err)
		err = swap_format(fd, size);
	close(fd);
	if (err)
		return gen_fail(r, err, path);
	if (swapon(path, PRIORITY))
		return gen_skip(r, "swapon %s: %s", path, strerror(errno));
	return 0;
}

static int text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* Loads the module when the kernel has one and it is not there yet. */
static int zram_load(void)
{
	char *const argv[] = {"modprobe", "zram", NULL};
	char *const envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	pid_t pid;
	int err;

	if (!access(ZRAM_CONTROL "hot_add", F_OK))
		return 0;
	err = gen_undo_module();
	if (err)
		return err;
	if (posix_spawn(&pid, "/sbin/modprobe", NULL, NULL, argv, envp) || gen_reap(pid) ||
	    access(ZRAM_CONTROL "hot_add", F_OK))
		return -ENODEV;
	return 0;
}

/* Reading hot_add makes a device; no signal may come before it is in the journal. */
static int zram_add(unsigned int *id)
{
	int fd = open(ZRAM_CONTROL "hot_add", O_RDONLY | O_CLOEXEC);
	sigset_t all, old;
	char text[16];
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return -errno;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	n = read(fd, text, sizeof(text) - 1);
	if (n > 0) {
		text[n] = '\0';
		*id = (unsigned int)strtoul(text, NULL, 10);
		err = gen_undo_zram(*id);
	} else {
		err = n < 0 ? -errno : -EIO;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fd);
	return err;
}

int gen_swap_zram(struct gen_result *r, size_t size)
{
	char path[64], value[32];
	unsigned int id = 0;
	int fd, err = zram_load();

	if (err)
		return gen_skip(r, "this kernel has no zram");
	err = zram_add(&id);
	if (err)
		return gen_skip(r, "zram hot_add: %s", strerror(-err));
	snprintf(path, sizeof(path), "/sys/block/zram%u/disksize", id);
	snprintf(value, sizeof(value), "%zu", size);
	err = text_write(path, value);
	if (err)
		return gen_fail(r, err, path);
	snprintf(path, sizeof(path), "/dev/zram%u", id);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return gen_fail(r, -errno, path);
	err = swap_format(fd, size);
	close(fd);
	if (err)
		return gen_fail(r, err, path);
	return swapon(path, PRIORITY) ? gen_skip(r, "swapon %s: %s", path, strerror(errno)) : 0;
}
