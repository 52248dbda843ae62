/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reader reads from: a file, a pipe or memory. */
#ifndef PGF_RECORD_INFILE_H
#define PGF_RECORD_INFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pgf_infile {
	int fd; /* -1: memory */
	const uint8_t *data;
	size_t size; /* of the memory */
	bool seekable;
	uint64_t at; /* position of the next read */
};

/* "-" is a duplicate of the standard input. 0 or -errno. */
int pgf_infile_open(struct pgf_infile *file, const char *path);
int pgf_infile_take(struct pgf_infile *file, int fd);
void pgf_infile_memory(struct pgf_infile *file, const void *data, size_t size);
void pgf_infile_close(struct pgf_infile *file);
/* Reads up to size bytes: fewer only at the end. Returns the count or -errno. */
ssize_t pgf_infile_read(struct pgf_infile *file, void *data, size_t size);
/* Reads at an offset and leaves the position; seekable files only. */
ssize_t pgf_infile_read_at(const struct pgf_infile *file, void *data, size_t size, uint64_t offset);
/* Leaves out size bytes. Returns how many there were, or -errno. */
ssize_t pgf_infile_skip(struct pgf_infile *file, size_t size);

#endif /* PGF_RECORD_INFILE_H */
