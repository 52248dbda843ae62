/* SPDX-License-Identifier: BSD-2-Clause */
/* A text put together from parts in a buffer that may be too small, as snprintf does. */
#ifndef PGF_FAULT_JOIN_H
#define PGF_FAULT_JOIN_H

#include <stddef.h>
#include <stdint.h>

/* On the caller's stack; the buffer is NUL-terminated after every call unless size is 0. */
struct pgf_join {
	char *buf;
	size_t size; /* bytes, with the NUL */
	size_t len;  /* what the whole text has, even beyond size */
	const char *separator;
};

/* Begins an empty text; separator stands between parts. buf may be NULL when size is 0. */
void pgf_join_begin(struct pgf_join *join, char *buf, size_t size, const char *separator);
/* Adds one part. */
void pgf_join_add(struct pgf_join *join, const char *part);
/* Adds one part, value in hexadecimal with 0x: bits that have no name. */
void pgf_join_hex(struct pgf_join *join, uint64_t value);
/* The length of the whole text. */
int pgf_join_end(const struct pgf_join *join);

#endif /* PGF_FAULT_JOIN_H */
