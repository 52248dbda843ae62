/* SPDX-License-Identifier: BSD-2-Clause */
/* The file behind a writer: whole pieces or nothing. */
#ifndef PGF_RECORD_OUTFILE_H
#define PGF_RECORD_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pgf_outfile {
	int fd;
	bool regular;  /* can be cut back and patched */
	uint64_t size; /* bytes written in whole pieces */
};

/* "-" is a duplicate of the standard output. 0 or -errno. */
int pgf_outfile_open(struct pgf_outfile *file, const char *path);
/* Takes over fd. A regular file that is neither empty nor at its start is used as a stream. */
int pgf_outfile_take(struct pgf_outfile *file, int fd);
/* Writes all of it, or (regular files) leaves the file as it was. 0 or -errno. */
int pgf_outfile_write(struct pgf_outfile *file, const void *data, size_t size);
/* Overwrites bytes of a regular file. 0 or -errno. */
int pgf_outfile_patch(struct pgf_outfile *file, uint64_t offset, const void *data, size_t size);
/* 0 or -errno: some file systems report a failed write only here. */
int pgf_outfile_close(struct pgf_outfile *file);

#endif /* PGF_RECORD_OUTFILE_H */
