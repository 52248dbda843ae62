/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/infile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SKIP_PART 16384 /* bytes read at a time to be thrown away */

int pgf_infile_take(struct pgf_infile *file, int fd)
{
	struct stat st;
	off_t at;

	*file = (struct pgf_infile){.fd = fd};
	if (fstat(fd, &st)) {
		int err = -errno;

		close(fd);
		file->fd = -1;
		return err;
	}
	at = S_ISREG(st.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
	/* offsets in the file count from its start: in the middle of one it is a stream */
	file->seekable = at == 0;
	return 0;
}

int pgf_infile_open(struct pgf_infile *file, const char *path)
{
	int fd;

	if (strcmp(path, "-") == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : pgf_infile_take(file, fd);
}

void pgf_infile_memory(struct pgf_infile *file, const void *data, size_t size)
{
	*file = (struct pgf_infile){.fd = -1, .data = data, .size = size, .seekable = true};
}

void pgf_infile_close(struct pgf_infile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static ssize_t memory_read(const struct pgf_infile *file, void *data, size_t size, uint64_t offset)
{
	size_t left = offset < file->size ? file->size - (size_t)offset : 0;

	if (size > left)
		size = left;
	if (size)
		memcpy(data, file->data + offset, size);
	return (ssize_t)size;
}

ssize_t pgf_infile_read_at(const struct pgf_infile *file, void *data, size_t size, uint64_t offset)
{
	size_t have = 0;

	if (file->fd < 0)
		return memory_read(file, data, size, offset);
	if (offset > INT64_MAX - size)
		return 0;
	while (have < size) {
		ssize_t n =
		        pread(file->fd, (char *)data + have, size - have, (off_t)(offset + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static ssize_t stream_read(struct pgf_infile *file, void *data, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(file->fd, (char *)data + have, size - have);

		if (n == 0)
			break;
		if (n > 0) {
			have += (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd wait = {.fd = file->fd, .events = POLLIN};

			if (poll(&wait, 1, -1) < 0 && errno != EINTR)
				return -errno;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return (ssize_t)have;
}

ssize_t pgf_infile_read(struct pgf_infile *file, void *data, size_t size)
{
	ssize_t n = file->seekable ? pgf_infile_read_at(file, data, size, file->at)
	                           : stream_read(file, data, size);

	if (n > 0)
		file->at += (uint64_t)n;
	return n;
}

static ssize_t file_size(const struct pgf_infile *file)
{
	struct stat st;

	if (file->fd < 0)
		return (ssize_t)file->size;
	return fstat(file->fd, &st) ? -errno : st.st_size;
}

ssize_t pgf_infile_skip(struct pgf_infile *file, size_t size)
{
	char part[SKIP_PART];
	size_t gone = 0;

	if (file->seekable) {
		ssize_t end = file_size(file);
		uint64_t left;

		if (end < 0)
			return end;
		left = (uint64_t)end > file->at ? (uint64_t)end - file->at : 0;
		gone = size < left ? size : (size_t)left;
		file->at += gone;
		return (ssize_t)gone;
	}
	while (gone < size) {
		size_t want = size - gone < sizeof(part) ? size - gone : sizeof(part);
		ssize_t n = pgf_infile_read(file, part, want);

		if (n < 0)
			return n;
		gone += (size_t)n;
		if ((size_t)n < want)
			break;
	}
	return (ssize_t)gone;
}
