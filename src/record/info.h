/* SPDX-License-Identifier: BSD-2-Clause */
/* The file header: under which circumstances a recording was made. */
#ifndef PGF_RECORD_INFO_H
#define PGF_RECORD_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/bytes.h"

#define PGF_INFO_TEXT 256 /* bytes with the closing NUL; longer texts are cut */

struct pgf_record_info {
	char host[PGF_INFO_TEXT];
	char release[PGF_INFO_TEXT]; /* of the kernel */
	char machine[PGF_INFO_TEXT]; /* "x86_64" */
	char tool[PGF_INFO_TEXT];    /* "pgfault 0.1.0" */
	char options[PGF_INFO_TEXT]; /* "--tier perf -g" */
	const char *command;         /* arguments, each closed by a NUL; NULL: no command */
	size_t command_size;         /* bytes, with the NULs */
	uint64_t page_size;          /* bytes */
	uint64_t cpus;               /* online */
	uint64_t tier;               /* enum pgf_tier */
	uint64_t volume;             /* enum pgf_volume */
	uint64_t sample_period;      /* one fault in so many is recorded; 1: every one */
	uint64_t clock;              /* clockid of all times */
	uint64_t anchor_clock_ns;    /* that clock ... */
	uint64_t anchor_wall_ns;     /* ... and CLOCK_REALTIME at the same moment */
	uint64_t start_ns;
	uint64_t content; /* PGF_CONTENT_* */
};

/*
 * Fills what this machine knows: host, release, machine, page size, CPUs, CLOCK_MONOTONIC
 * with its anchor and start; sample period 1. The rest is zero.
 */
void pgf_record_info_local(struct pgf_record_info *info);
/*
 * Puts an argument vector (NULL-terminated) into one allocated block for command; the
 * caller frees it. Returns NULL without memory.
 */
char *pgf_record_command_join(char *const *argv, size_t *size);

/* Appends the whole file header. flags: PGF_RECORD_F_*. 0, -ENOMEM, -E2BIG. */
int pgf_record_info_encode(struct pgf_bytes *out, const struct pgf_record_info *info,
                           uint32_t flags);
/*
 * The size of the whole header, from its fixed part (PGF_RECORD_HEADER_SIZE bytes).
 * -EBADMSG when it is not a recording, -EPROTONOSUPPORT for another major version.
 */
int pgf_record_header_size(const uint8_t *fixed, uint32_t *size);
/*
 * Decodes a header of that size. info->command points into data. Unknown fields are
 * skipped; a text that is not closed by a NUL is. 0 or -EBADMSG.
 */
int pgf_record_info_decode(struct pgf_record_info *info, const uint8_t *data, uint32_t size);

#endif /* PGF_RECORD_INFO_H */
