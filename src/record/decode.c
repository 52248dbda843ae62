/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PART 1024 /* items decoded at a time, so that they stay in the first cache */

void pgf_columns_free(struct pgf_columns *columns)
{
	for (size_t i = 0; i < PGF_RECORD_COLUMNS_MAX; i++) {
		free(columns->column[i].values_mem);
		free(columns->column[i].index_mem);
		free(columns->column[i].table_mem);
	}
	*columns = (struct pgf_columns){0};
}

const struct pgf_column *pgf_columns_find(const struct pgf_columns *columns, uint16_t tag)
{
	for (uint32_t i = 0; i < columns->count; i++) {
		if (columns->column[i].tag == tag)
			return &columns->column[i];
	}
	return NULL;
}

static int memory_room(void **memory, size_t *cap, size_t n, size_t size)
{
	void *bigger;

	if (*cap >= n)
		return 0;
	bigger = reallocarray(*memory, n, size);
	if (!bigger)
		return -ENOMEM;
	*memory = bigger;
	*cap = n;
	return 0;
}

static int values_room(struct pgf_column *column, size_t n)
{
	int err =
	        memory_room((void **)&column->values_mem, &column->values_cap, n, sizeof(uint64_t));

	column->values = column->values_mem;
	column->form = PGF_FORM_VALUES;
	return err;
}

/* A table of so many varints needs at least as many bytes: the bound of its memory. */
static int table_open(struct pgf_column *column, struct pgf_cursor *in)
{
	uint64_t count = pgf_cursor_varint(in);

	if (in->bad || count == 0 || count > (size_t)(in->end - in->at))
		return -EBADMSG;
	column->table_len = (uint32_t)count;
	if (memory_room((void **)&column->table_mem, &column->table_cap, count, sizeof(uint64_t)))
		return -ENOMEM;
	column->table = column->table_mem;
	return 0;
}

static int decode_varints(struct pgf_column *column, struct pgf_cursor *in)
{
	if (column->items > (size_t)(in->end - in->at))
		return -EBADMSG;
	if (values_room(column, column->items))
		return -ENOMEM;
	for (uint32_t i = 0; i < column->items; i++)
		column->values[i] = pgf_cursor_varint(in);
	return in->bad ? -EBADMSG : 0;
}

static int decode_delta(struct pgf_column *column, struct pgf_cursor *in)
{
	uint64_t last = 0;
	int err = decode_varints(column, in);

	for (uint32_t i = 0; !err && i < column->items; i++) {
		last += pgf_unzigzag(column->values[i]);
		column->values[i] = last;
	}
	return err;
}

/* Joins the planes of the items [from, from + n). */
static void planes_join(uint64_t *restrict values, const uint8_t *restrict planes,
                        unsigned int width, size_t stride, size_t n)
{
	if (width == 0) {
		memset(values, 0, n * sizeof(*values));
		return;
	}
	for (size_t i = 0; i < n; i++)
		values[i] = planes[i];
	for (unsigned int k = 1; k < width; k++) {
		const uint8_t *plane = planes + k * stride;

		for (size_t i = 0; i < n; i++)
			values[i] |= (uint64_t)plane[i] << 8 * k;
	}
}

static int decode_planes(struct pgf_column *column, struct pgf_cursor *in)
{
	unsigned int width = pgf_cursor_u8(in);
	uint64_t exceptions = pgf_cursor_varint(in);
	struct pgf_cursor list = *in;
	const uint8_t *planes;
	uint64_t at = 0;

	if (in->bad || width > 8 || exceptions > column->items)
		return -EBADMSG;
	for (uint64_t i = 0; i < exceptions * 2; i++)
		pgf_cursor_varint(in);
	planes = pgf_cursor_take(in, (size_t)width * column->items);
	if (in->bad || !planes)
		return -EBADMSG;
	if (values_room(column, column->items))
		return -ENOMEM;
	for (size_t from = 0; from < column->items; from += PART) {
		size_t left = column->items - from;

		planes_join(column->values + from, planes + from, width, column->items,
		            left < PART ? left : PART);
	}
	for (uint64_t i = 0; i < exceptions; i++) {
		uint64_t gap = pgf_cursor_varint(&list);

		if (gap >= column->items - at)
			return -EBADMSG;
		at += gap;
		column->values[at] = pgf_cursor_varint(&list);
	}
	return 0;
}

static int decode_delta_planes(struct pgf_column *column, struct pgf_cursor *in)
{
	uint64_t last = pgf_cursor_varint(in);
	int err = decode_planes(column, in);

	for (uint32_t i = 0; !err && i < column->items; i++) {
		last += pgf_unzigzag(column->values[i]);
		column->values[i] = last;
	}
	return err;
}

static int decode_key_planes(struct pgf_column *column, struct pgf_cursor *in,
                             const struct pgf_column *key)
{
	uint64_t first = pgf_cursor_varint(in);
	uint64_t *last;
	int err;

	if (!key || key->form != PGF_FORM_LOOKUP || key->items != column->items)
		return -EBADMSG;
	err = decode_planes(column, in);
	if (err)
		return err;
	if (memory_room((void **)&column->table_mem, &column->table_cap, key->table_len,
	                sizeof(uint64_t)))
		return -ENOMEM;
	last = column->table_mem;
	for (uint32_t k = 0; k < key->table_len; k++)
		last[k] = first;
	for (uint32_t i = 0; i < column->items; i++) {
		uint64_t *mine = &last[key->index[i]];

		*mine += pgf_unzigzag(column->values[i]);
		column->values[i] = *mine;
	}
	return 0;
}

/* key and length may be NULL: one chain, and spans without a length. */
static int decode_spans(struct pgf_column *column, struct pgf_cursor *in,
                        const struct pgf_column *key, const struct pgf_column *length)
{
	uint64_t first = pgf_cursor_varint(in);
	size_t keys = key ? key->table_len : 1;
	int err;

	if ((key && (key->form != PGF_FORM_LOOKUP || key->items != column->items)) ||
	    (length && (length->form == PGF_FORM_BYTES || length->items != column->items)))
		return -EBADMSG;
	err = decode_planes(column, in);
	if (err)
		return err;
	if (memory_room((void **)&column->table_mem, &column->table_cap, keys, sizeof(uint64_t)))
		return -ENOMEM;
	for (size_t k = 0; k < keys; k++)
		column->table_mem[k] = first;
	for (uint32_t i = 0; i < column->items; i++) {
		uint64_t *end = &column->table_mem[key ? key->index[i] : 0];

		column->values[i] = *end + pgf_unzigzag(column->values[i]);
		*end = column->values[i] + pgf_column_get(length, i);
	}
	return 0;
}

/* Reads index planes; each index is below *limit, or gives *limit when that is 0. */
static int decode_index(struct pgf_column *column, struct pgf_cursor *in, uint32_t limit)
{
	unsigned int width = pgf_cursor_u8(in);
	const uint8_t *planes;
	uint32_t top = 0;

	if (in->bad || width > 3)
		return -EBADMSG;
	planes = pgf_cursor_take(in, (size_t)width * column->items);
	if (!planes)
		return -EBADMSG;
	if (memory_room((void **)&column->index_mem, &column->index_cap, column->items,
	                sizeof(uint32_t)))
		return -ENOMEM;
	memset(column->index_mem, 0, column->items * sizeof(uint32_t));
	for (unsigned int k = 0; k < width; k++) {
		const uint8_t *plane = planes + (size_t)k * column->items;

		for (uint32_t i = 0; i < column->items; i++)
			column->index_mem[i] |= (uint32_t)plane[i] << 8 * k;
	}
	for (uint32_t i = 0; i < column->items; i++)
		top = column->index_mem[i] > top ? column->index_mem[i] : top;
	if (limit && top >= limit)
		return -EBADMSG;
	if (top >= PGF_RECORD_ITEMS_MAX)
		return -EBADMSG;
	column->table_len = limit ? limit : top + 1;
	column->index = column->index_mem;
	column->form = PGF_FORM_LOOKUP;
	return 0;
}

static int decode_dict(struct pgf_column *column, struct pgf_cursor *in)
{
	uint64_t last = 0;
	int err = table_open(column, in);

	if (err)
		return err;
	for (uint32_t i = 0; i < column->table_len; i++) {
		last += pgf_unzigzag(pgf_cursor_varint(in));
		column->table[i] = last;
	}
	if (in->bad)
		return -EBADMSG;
	return decode_index(column, in, column->table_len);
}

static int decode_by(struct pgf_column *column, struct pgf_cursor *in, const struct pgf_column *key)
{
	int err = table_open(column, in);

	if (err)
		return err;
	if (!key || key->form != PGF_FORM_LOOKUP || key->items != column->items ||
	    key->table_len > column->table_len)
		return -EBADMSG;
	for (uint32_t i = 0; i < column->table_len; i++)
		column->table[i] = pgf_cursor_varint(in);
	column->index = key->index;
	column->form = PGF_FORM_LOOKUP;
	return in->bad ? -EBADMSG : 0;
}

/* -ENOTSUP: a coding of a later version. */
static int column_decode(struct pgf_column *column, unsigned int coding, struct pgf_cursor *in,
                         const struct pgf_column *key, const struct pgf_column *length)
{
	switch (coding) {
	case PGF_CODING_CONST:
		column->constant = pgf_cursor_varint(in);
		return in->bad ? -EBADMSG : 0;
	case PGF_CODING_VARINT:
		return decode_varints(column, in);
	case PGF_CODING_DELTA:
		return decode_delta(column, in);
	case PGF_CODING_PLANES:
		return decode_planes(column, in);
	case PGF_CODING_DELTA_PLANES:
		return decode_delta_planes(column, in);
	case PGF_CODING_KEY_PLANES:
		return decode_key_planes(column, in, key);
	case PGF_CODING_DICT:
		return decode_dict(column, in);
	case PGF_CODING_BY:
		return decode_by(column, in, key);
	case PGF_CODING_BYTES:
		column->bytes = pgf_cursor_take(in, column->items);
		column->form = PGF_FORM_BYTES;
		return column->bytes ? 0 : -EBADMSG;
	case PGF_CODING_INDEX:
		return decode_index(column, in, 0);
	case PGF_CODING_SPANS:
		return decode_spans(column, in, key, length);
	default:
		return -ENOTSUP;
	}
}

/*
 * Whether the column may have so many items. Few bytes must not ask for much memory: beyond
 * the block's own count an item takes a byte, and all columns share one budget.
 */
static bool items_plausible(unsigned int coding, uint32_t items, uint32_t length, uint32_t block,
                            uint64_t *budget)
{
	if (items == 0)
		return false;
	if (coding == PGF_CODING_CONST)
		return true;
	if (coding == PGF_CODING_BYTES)
		return items == length;
	if ((items > block && items > length) || items > *budget)
		return false;
	*budget -= items;
	return true;
}

/* The columns that one refers to stand before it; one that was left out takes it along. */
static int references_find(const struct pgf_columns *columns, const uint8_t *header,
                           const struct pgf_column **key, const struct pgf_column **length)
{
	uint16_t key_tag = pgf_get_u16(header + 4), length_tag = pgf_get_u16(header + 6);

	*key = key_tag ? pgf_columns_find(columns, key_tag) : NULL;
	*length = length_tag ? pgf_columns_find(columns, length_tag) : NULL;
	return (key_tag && !*key) || (length_tag && !*length) ? -ENOTSUP : 0;
}

int pgf_columns_decode(struct pgf_columns *columns, const uint8_t *data, size_t size,
                       uint32_t items)
{
	struct pgf_cursor in = {.at = data, .end = data + size};
	uint64_t budget = PGF_RECORD_VALUES_MAX;

	columns->count = 0;
	while (in.at < in.end) {
		const uint8_t *header = pgf_cursor_take(&in, PGF_COLUMN_HEADER_SIZE);
		const struct pgf_column *key, *length;
		struct pgf_column *column;
		struct pgf_cursor body;
		int err;

		if (!header || columns->count == PGF_RECORD_COLUMNS_MAX)
			return -EBADMSG;
		body.at = pgf_cursor_take(&in, pgf_get_u32(header + 12));
		if (!body.at)
			return -EBADMSG;
		body.end = in.at;
		body.bad = false;
		column = &columns->column[columns->count];
		column->tag = pgf_get_u16(header);
		column->items = pgf_get_u32(header + 8);
		column->form = PGF_FORM_CONST;
		column->constant = 0;
		column->table = NULL;
		column->table_len = 0;
		if (!items_plausible(header[2], column->items, pgf_get_u32(header + 12), items,
		                     &budget) ||
		    pgf_columns_find(columns, column->tag))
			return -EBADMSG;
		err = references_find(columns, header, &key, &length);
		if (!err)
			err = column_decode(column, header[2], &body, key, length);
		if (err == -ENOTSUP)
			continue;
		if (err)
			return err;
		columns->count++;
	}
	return 0;
}
