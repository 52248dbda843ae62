/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/block.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "record/bytes.h"

bool pgf_block_head_decode(struct pgf_block_head *head, const uint8_t *data)
{
	head->type = pgf_get_u16(data + 4);
	head->flags = pgf_get_u16(data + 6);
	head->raw_size = pgf_get_u32(data + 8);
	head->stored_size = pgf_get_u32(data + 12);
	head->items = pgf_get_u32(data + 16);
	head->crc = pgf_get_u32(data + 20);
	head->first_ns = pgf_get_u64(data + 24);
	head->last_ns = pgf_get_u64(data + 32);
	head->sequence = pgf_get_u32(data + 40);
	return pgf_get_u32(data) == PGF_BLOCK_MAGIC &&
	       pgf_get_u32(data + 44) == (uint32_t)crc32(0, data, 44) &&
	       head->raw_size <= PGF_RECORD_RAW_MAX && head->stored_size <= PGF_RECORD_RAW_MAX &&
	       head->items > 0 && head->items <= PGF_RECORD_ITEMS_MAX;
}

void pgf_block_buffer_free(struct pgf_block_buffer *buffer)
{
	ZSTD_freeDCtx(buffer->zstd);
	free(buffer->stored);
	free(buffer->raw_mem);
	*buffer = (struct pgf_block_buffer){0};
}

static int buffer_room(uint8_t **data, size_t *cap, size_t size)
{
	if (*cap >= size && *data)
		return 0;
	free(*data);
	*cap = 0;
	*data = malloc(size ? size : 1);
	if (!*data)
		return -ENOMEM;
	*cap = size;
	return 0;
}

static int decompress(const struct pgf_block_head *head, struct pgf_block_buffer *buffer)
{
	size_t n;

	if (head->flags & PGF_BLOCK_F_STORED) {
		buffer->raw = buffer->stored;
		return head->raw_size == head->stored_size ? 0 : -EBADMSG;
	}
	if (!buffer->zstd)
		buffer->zstd = ZSTD_createDCtx();
	if (!buffer->zstd || buffer_room(&buffer->raw_mem, &buffer->raw_cap, head->raw_size))
		return -ENOMEM;
	n = ZSTD_decompressDCtx(buffer->zstd, buffer->raw_mem, head->raw_size, buffer->stored,
	                        head->stored_size);
	buffer->raw = buffer->raw_mem;
	return ZSTD_isError(n) || n != head->raw_size ? -EBADMSG : 0;
}

int pgf_block_read(struct pgf_infile *file, const struct pgf_block_head *head,
                   struct pgf_block_buffer *buffer, enum pgf_damage_reason *reason)
{
	ssize_t n;
	int err;

	if (buffer_room(&buffer->stored, &buffer->stored_cap, head->stored_size))
		return -ENOMEM;
	n = pgf_infile_read(file, buffer->stored, head->stored_size);
	if (n < 0)
		return (int)n;
	if ((size_t)n < head->stored_size) {
		*reason = PGF_DAMAGE_TRUNCATED;
		return -ENODATA;
	}
	if ((uint32_t)crc32(0, buffer->stored, head->stored_size) != head->crc) {
		*reason = PGF_DAMAGE_CHECKSUM;
		return -EBADMSG;
	}
	err = decompress(head, buffer);
	if (err == -EBADMSG)
		*reason = PGF_DAMAGE_CONTENT;
	return err;
}
