/* SPDX-License-Identifier: BSD-2-Clause */
/* Little-endian integers and varints: a buffer that grows, and a cursor that never overruns. */
#ifndef PGF_RECORD_BYTES_H
#define PGF_RECORD_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends remember a failed allocation, so that callers ask once, at the end. */
struct pgf_bytes {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool failed;
};

void pgf_bytes_free(struct pgf_bytes *bytes);
/* Room for `size` more bytes at data + len; NULL when there is no memory. */
uint8_t *pgf_bytes_room(struct pgf_bytes *bytes, size_t size);
void pgf_bytes_put(struct pgf_bytes *bytes, const void *data, size_t size);
void pgf_bytes_put_u8(struct pgf_bytes *bytes, uint8_t value);
void pgf_bytes_put_u16(struct pgf_bytes *bytes, uint16_t value);
void pgf_bytes_put_u32(struct pgf_bytes *bytes, uint32_t value);
void pgf_bytes_put_u64(struct pgf_bytes *bytes, uint64_t value);
void pgf_bytes_put_varint(struct pgf_bytes *bytes, uint64_t value);

/* Reads past the end set bad and give 0. */
struct pgf_cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

uint64_t pgf_cursor_varint(struct pgf_cursor *cursor);
uint8_t pgf_cursor_u8(struct pgf_cursor *cursor);
/* The next `size` bytes, or NULL when there are fewer. */
const uint8_t *pgf_cursor_take(struct pgf_cursor *cursor, size_t size);

static inline uint16_t pgf_get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t pgf_get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t pgf_get_u64(const uint8_t *p)
{
	return (uint64_t)pgf_get_u32(p) | (uint64_t)pgf_get_u32(p + 4) << 32;
}

static inline void pgf_set_u16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static inline void pgf_set_u32(uint8_t *p, uint32_t value)
{
	pgf_set_u16(p, (uint16_t)value);
	pgf_set_u16(p + 2, (uint16_t)(value >> 16));
}

static inline void pgf_set_u64(uint8_t *p, uint64_t value)
{
	pgf_set_u32(p, (uint32_t)value);
	pgf_set_u32(p + 4, (uint32_t)(value >> 32));
}

/* Small numbers of both signs become small numbers. */
static inline uint64_t pgf_zigzag(uint64_t delta)
{
	return (delta << 1) ^ (0 - (delta >> 63));
}

static inline uint64_t pgf_unzigzag(uint64_t code)
{
	return (code >> 1) ^ (0 - (code & 1));
}

#endif /* PGF_RECORD_BYTES_H */
