/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int pgf_outfile_take(struct pgf_outfile *file, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;
	int err;

	*file = (struct pgf_outfile){.fd = fd};
	if (flags < 0 || fstat(fd, &st)) {
		err = -errno;
		close(fd);
		file->fd = -1;
		return err;
	}
	/* pwrite(2) to a descriptor with O_APPEND appends */
	file->regular = S_ISREG(st.st_mode) && !(flags & O_APPEND) && st.st_size == 0 &&
	                lseek(fd, 0, SEEK_CUR) == 0;
	return 0;
}

int pgf_outfile_open(struct pgf_outfile *file, const char *path)
{
	struct stat st;
	int fd, err;

	if (strcmp(path, "-") == 0)
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd < 0)
		return -errno;
	if (strcmp(path, "-") != 0 &&
	    (fstat(fd, &st) || (S_ISREG(st.st_mode) && ftruncate(fd, 0)))) {
		err = -errno;
		close(fd);
		return err;
	}
	return pgf_outfile_take(file, fd);
}

/* Writes all or fails; the standard output may be non-blocking by inheritance. */
static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n > 0) {
			data += n;
			size -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			if (poll(&wait, 1, -1) < 0 && errno != EINTR)
				return -errno;
		} else if (n == 0) {
			return -EIO;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int pgf_outfile_write(struct pgf_outfile *file, const void *data, size_t size)
{
	int err = write_all(file->fd, data, size);

	if (!err) {
		file->size += size;
		return 0;
	}
	/* best effort: a reader stops at a torn block too */
	if (file->regular && ftruncate(file->fd, (off_t)file->size) == 0)
		lseek(file->fd, (off_t)file->size, SEEK_SET);
	return err;
}

int pgf_outfile_patch(struct pgf_outfile *file, uint64_t offset, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = pwrite(file->fd, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

int pgf_outfile_close(struct pgf_outfile *file)
{
	int fd = file->fd;

	file->fd = -1;
	/* the descriptor is gone also after EINTR: close(2) */
	if (fd >= 0 && close(fd) && errno != EINTR)
		return -errno;
	return 0;
}
