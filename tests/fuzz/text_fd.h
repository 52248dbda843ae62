/* SPDX-License-Identifier: BSD-2-Clause */
/* A file with given contents, for fuzzers of what reads descriptors. */
#ifndef PGF_TESTS_TEXT_FD_H
#define PGF_TESTS_TEXT_FD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The same descriptor each time, at its beginning. */
static inline int text_fd(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) ||
	    write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

#endif /* PGF_TESTS_TEXT_FD_H */
