/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of the file: block headers and their payloads, on the reader's side. */
#ifndef PGF_RECORD_BLOCK_H
#define PGF_RECORD_BLOCK_H

#include <stdint.h>

#include <zstd.h>

#include <pgfault/record.h>
#include "record/infile.h"
#include "record/reader.h"

struct pgf_block_head {
	uint64_t first_ns;
	uint64_t last_ns;
	uint32_t raw_size;
	uint32_t stored_size;
	uint32_t items;
	uint32_t crc;
	uint32_t sequence;
	uint16_t type;
	uint16_t flags;
};

/* Buffers of a payload, kept between blocks; zero to begin with. */
struct pgf_block_buffer {
	ZSTD_DCtx *zstd;
	uint8_t *stored;
	size_t stored_cap;
	uint8_t *raw_mem;
	size_t raw_cap;
	const uint8_t *raw; /* the payload, decompressed */
};

/* Takes a header (PGF_BLOCK_HEADER_SIZE bytes) apart; false when it is none. */
bool pgf_block_head_decode(struct pgf_block_head *head, const uint8_t *data);
/*
 * Reads the payload that follows. *reason is set with -ENODATA or -EBADMSG. 0, these, -ENOMEM,
 * -errno.
 */
int pgf_block_read(struct pgf_infile *file, const struct pgf_block_head *head,
                   struct pgf_block_buffer *buffer, enum pgf_damage_reason *reason);
void pgf_block_buffer_free(struct pgf_block_buffer *buffer);

#endif /* PGF_RECORD_BLOCK_H */
