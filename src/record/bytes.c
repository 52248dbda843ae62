/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/bytes.h"

#include <stdlib.h>
#include <string.h>

#define VARINT_MAX 10 /* bytes of a 64-bit varint */

void pgf_bytes_free(struct pgf_bytes *bytes)
{
	if (!bytes)
		return;
	free(bytes->data);
	*bytes = (struct pgf_bytes){0};
}

uint8_t *pgf_bytes_room(struct pgf_bytes *bytes, size_t size)
{
	size_t cap = bytes->cap ? bytes->cap : 256;
	uint8_t *data;

	if (bytes->failed)
		return NULL;
	if (bytes->cap - bytes->len >= size && bytes->data)
		return bytes->data + bytes->len;
	if (size > SIZE_MAX / 4 || bytes->len > SIZE_MAX / 4) {
		bytes->failed = true;
		return NULL;
	}
	while (cap - bytes->len < size)
		cap *= 2;
	data = realloc(bytes->data, cap);
	if (!data) {
		bytes->failed = true;
		return NULL;
	}
	bytes->data = data;
	bytes->cap = cap;
	return data + bytes->len;
}

void pgf_bytes_put(struct pgf_bytes *bytes, const void *data, size_t size)
{
	uint8_t *room = pgf_bytes_room(bytes, size);

	if (!room)
		return;
	if (size)
		memcpy(room, data, size);
	bytes->len += size;
}

void pgf_bytes_put_u8(struct pgf_bytes *bytes, uint8_t value)
{
	pgf_bytes_put(bytes, &value, 1);
}

void pgf_bytes_put_u16(struct pgf_bytes *bytes, uint16_t value)
{
	uint8_t raw[2];

	pgf_set_u16(raw, value);
	pgf_bytes_put(bytes, raw, sizeof(raw));
}

void pgf_bytes_put_u32(struct pgf_bytes *bytes, uint32_t value)
{
	uint8_t raw[4];

	pgf_set_u32(raw, value);
	pgf_bytes_put(bytes, raw, sizeof(raw));
}

void pgf_bytes_put_u64(struct pgf_bytes *bytes, uint64_t value)
{
	uint8_t raw[8];

	pgf_set_u64(raw, value);
	pgf_bytes_put(bytes, raw, sizeof(raw));
}

void pgf_bytes_put_varint(struct pgf_bytes *bytes, uint64_t value)
{
	uint8_t *room = pgf_bytes_room(bytes, VARINT_MAX);
	size_t n = 0;

	if (!room)
		return;
	while (value >= 0x80) {
		room[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	room[n++] = (uint8_t)value;
	bytes->len += n;
}

uint64_t pgf_cursor_varint(struct pgf_cursor *cursor)
{
	uint64_t value = 0;
	unsigned int shift = 0;

	while (cursor->at < cursor->end) {
		uint8_t byte = *cursor->at++;

		/* the tenth byte holds one bit */
		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
		shift += 7;
	}
	cursor->bad = true;
	return 0;
}

uint8_t pgf_cursor_u8(struct pgf_cursor *cursor)
{
	if (cursor->at >= cursor->end) {
		cursor->bad = true;
		return 0;
	}
	return *cursor->at++;
}

const uint8_t *pgf_cursor_take(struct pgf_cursor *cursor, size_t size)
{
	const uint8_t *at = cursor->at;

	if ((size_t)(cursor->end - at) < size) {
		cursor->bad = true;
		return NULL;
	}
	cursor->at += size;
	return at;
}
