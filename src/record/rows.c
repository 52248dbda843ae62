/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int out_room(struct pgf_rows_out *out, size_t n)
{
	size_t slots = 64;

	if (out->cap >= n)
		return 0;
	pgf_rows_out_free(out);
	while (slots < n * 2)
		slots *= 2;
	out->values = calloc(n, sizeof(*out->values));
	out->lengths = calloc(n, sizeof(*out->lengths));
	out->key_item = calloc(n, sizeof(*out->key_item));
	out->slots = calloc(slots, sizeof(*out->slots));
	if (!out->values || !out->lengths || !out->key_item || !out->slots)
		return -ENOMEM;
	for (int g = 1; g < PGF_GROUP_COUNT; g++) {
		out->group_item[g] = calloc(n, sizeof(uint32_t));
		out->group_first[g] = calloc(n, sizeof(uint32_t));
		if (!out->group_item[g] || !out->group_first[g])
			return -ENOMEM;
	}
	out->cap = n;
	return 0;
}

void pgf_rows_out_free(struct pgf_rows_out *out)
{
	free(out->values);
	free(out->lengths);
	free(out->key_item);
	free(out->slots);
	for (int g = 0; g < PGF_GROUP_COUNT; g++) {
		free(out->group_item[g]);
		free(out->group_first[g]);
	}
	*out = (struct pgf_rows_out){0};
}

static const void *row_at(const struct pgf_layout *layout, const void *rows, size_t i)
{
	return (const char *)rows + i * layout->row_size;
}

static uint64_t group_hash(const struct pgf_layout *layout, unsigned int group, const void *row)
{
	uint64_t hash = 0;

	for (size_t f = 0; f < layout->count; f++) {
		if (layout->fields[f].group == group) {
			hash ^= pgf_field_load(&layout->fields[f], row);
			hash *= 0x9e3779b97f4a7c15ull;
			hash ^= hash >> 29;
		}
	}
	return hash;
}

static bool group_same(const struct pgf_layout *layout, unsigned int group, const void *a,
                       const void *b)
{
	for (size_t f = 0; f < layout->count; f++) {
		const struct pgf_field *field = &layout->fields[f];

		if (field->group == group && pgf_field_load(field, a) != pgf_field_load(field, b))
			return false;
	}
	return true;
}

/* Gives every row the number of its group. */
static void group_number(struct pgf_rows_out *out, const struct pgf_layout *layout,
                         unsigned int group, const void *rows, size_t n, struct pgf_index *key)
{
	uint32_t *item = out->group_item[group], *first = out->group_first[group];
	size_t slots = 64;

	while (slots < n * 2)
		slots *= 2;
	memset(out->slots, 0, slots * sizeof(*out->slots));
	*key = (struct pgf_index){.item = item};
	for (size_t i = 0; i < n; i++) {
		const void *row = row_at(layout, rows, i);
		size_t slot;

		if (i > 0 && group_same(layout, group, row, row_at(layout, rows, i - 1))) {
			item[i] = item[i - 1];
			continue;
		}
		slot = group_hash(layout, group, row) & (slots - 1);
		while (out->slots[slot] &&
		       !group_same(layout, group, row,
		                   row_at(layout, rows, first[out->slots[slot] - 1])))
			slot = (slot + 1) & (slots - 1);
		if (!out->slots[slot]) {
			first[key->count] = (uint32_t)i;
			out->slots[slot] = ++key->count;
		}
		item[i] = out->slots[slot] - 1;
	}
}

static void group_encode(struct pgf_rows_out *out, struct pgf_encoder *enc,
                         const struct pgf_layout *layout, unsigned int group, const void *rows,
                         size_t n, struct pgf_index *key)
{
	group_number(out, layout, group, rows, n, key);
	pgf_encoder_index(enc, group == PGF_GROUP_TASK ? PGF_COL_TASK : PGF_COL_SHAPE, key, n);
	for (size_t f = 0; f < layout->count; f++) {
		const struct pgf_field *field = &layout->fields[f];

		if (field->group != group)
			continue;
		for (uint32_t k = 0; k < key->count; k++)
			out->values[k] = pgf_field_load(
			        field, row_at(layout, rows, out->group_first[group][k]));
		pgf_encoder_by(enc, field->tag, out->values, n, key);
	}
}

static bool has_group(const struct pgf_layout *layout, unsigned int group)
{
	for (size_t f = 0; f < layout->count; f++) {
		if (layout->fields[f].group == group)
			return true;
	}
	return false;
}

/* The state of pgf_rows_encode() between two columns. */
struct keys {
	struct pgf_index group[PGF_GROUP_COUNT];
	struct pgf_index last; /* of the last PGF_WAY_KEY */
	uint16_t length_tag;
};

/* Encodes one column out of out->values. */
static void field_encode(struct pgf_rows_out *out, struct pgf_encoder *enc,
                         const struct pgf_field *field, size_t n, struct keys *keys)
{
	switch (field->way) {
	case PGF_WAY_LIST:
		pgf_encoder_list(enc, field->tag, out->values, n);
		break;
	case PGF_WAY_STEPS:
		pgf_encoder_steps(enc, field->tag, out->values, n);
		break;
	case PGF_WAY_KEY:
		keys->last = (struct pgf_index){.item = out->key_item};
		pgf_encoder_values(enc, field->tag, out->values, n, &keys->last);
		break;
	case PGF_WAY_KEYED:
		pgf_encoder_keyed(enc, field->tag, out->values, n, &keys->last);
		break;
	case PGF_WAY_LENGTH:
		memcpy(out->lengths, out->values, n * sizeof(*out->values));
		keys->length_tag = field->tag;
		pgf_encoder_values(enc, field->tag, out->values, n, NULL);
		break;
	case PGF_WAY_SPANS:
		pgf_encoder_spans(enc, field->tag, out->values, n, &keys->group[PGF_GROUP_TASK],
		                  out->lengths, keys->length_tag);
		break;
	default:
		pgf_encoder_values(enc, field->tag, out->values, n, NULL);
		break;
	}
}

int pgf_rows_encode(struct pgf_rows_out *out, struct pgf_encoder *enc,
                    const struct pgf_layout *layout, const void *rows, size_t n)
{
	struct keys keys = {0};

	if (out_room(out, n))
		return -ENOMEM;
	for (unsigned int g = 1; g < PGF_GROUP_COUNT; g++) {
		if (has_group(layout, g))
			group_encode(out, enc, layout, g, rows, n, &keys.group[g]);
	}
	for (size_t f = 0; f < layout->count; f++) {
		const struct pgf_field *field = &layout->fields[f];

		if (field->group != PGF_GROUP_NONE)
			continue;
		for (size_t i = 0; i < n; i++)
			out->values[i] = pgf_field_load(field, row_at(layout, rows, i));
		field_encode(out, enc, field, n, &keys);
	}
	return 0;
}

void pgf_rows_in_free(struct pgf_rows_in *in)
{
	free(in->forms);
	*in = (struct pgf_rows_in){0};
}

/* The largest value of a column. */
static uint64_t column_top(const struct pgf_column *column)
{
	uint64_t top = 0;

	switch (column->form) {
	case PGF_FORM_CONST:
		return column->constant;
	case PGF_FORM_VALUES:
		for (uint32_t i = 0; i < column->items; i++)
			top = column->values[i] > top ? column->values[i] : top;
		return top;
	case PGF_FORM_LOOKUP:
		for (uint32_t i = 0; column->table && i < column->table_len; i++)
			top = column->table[i] > top ? column->table[i] : top;
		return column->table ? top : column->table_len;
	case PGF_FORM_BYTES:
		break;
	}
	return UINT64_MAX;
}

static bool column_fits(const struct pgf_column *column, const struct pgf_field *field,
                        uint32_t items, uint32_t strings)
{
	uint64_t limit = field->size == 8 ? UINT64_MAX : (1ull << 8 * field->size) - 1;

	if (column->items != items || column->form == PGF_FORM_BYTES)
		return false;
	if (field->boolean)
		return column_top(column) <= 1;
	if (field->string)
		return column_top(column) < strings;
	return field->size == 8 || column_top(column) <= limit;
}

static void field_store(const struct pgf_field *field, uint8_t *row, uint64_t value)
{
	uint8_t *at = row + field->offset;
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	switch (field->size) {
	case 1:
		memcpy(at, &u8, sizeof(u8));
		break;
	case 2:
		memcpy(at, &u16, sizeof(u16));
		break;
	case 4:
		memcpy(at, &u32, sizeof(u32));
		break;
	default:
		memcpy(at, &value, sizeof(value));
		break;
	}
}

/* The key that the most columns follow, so that most of a row is one copy; NULL: there is none. */
static const struct pgf_column *common_key(const struct pgf_layout *layout,
                                           const struct pgf_columns *columns)
{
	const struct pgf_column *best = NULL;
	size_t best_hits = 1;

	for (uint32_t c = 0; c < columns->count; c++) {
		const struct pgf_column *column = &columns->column[c];
		size_t hits = 0;

		if (column->form != PGF_FORM_LOOKUP || column->index != column->index_mem)
			continue;
		for (size_t f = 0; f < layout->count; f++) {
			const struct pgf_column *other =
			        pgf_columns_find(columns, layout->fields[f].tag);

			hits += other && other->form == PGF_FORM_LOOKUP &&
			        other->index == column->index;
		}
		if (hits > best_hits) {
			best = column;
			best_hits = hits;
		}
	}
	return best;
}

static int forms_room(struct pgf_rows_in *in, size_t count)
{
	size_t size = count * in->layout->row_size;

	if (in->forms_cap < size) {
		free(in->forms);
		in->forms_cap = 0;
		in->forms = malloc(size);
		if (!in->forms)
			return -ENOMEM;
		in->forms_cap = size;
	}
	memset(in->forms, 0, size);
	return 0;
}

int pgf_rows_prepare(struct pgf_rows_in *in, const struct pgf_layout *layout,
                     const struct pgf_columns *columns, uint32_t items, uint32_t strings)
{
	const struct pgf_column *key = common_key(layout, columns);
	size_t forms = key ? key->table_len : 1;

	in->layout = layout;
	in->items = items;
	in->rest_count = 0;
	in->form_index = key ? key->index : NULL;
	if (layout->count > PGF_ROWS_FIELDS_MAX || forms > items)
		return -EBADMSG;
	if (forms_room(in, forms))
		return -ENOMEM;
	for (size_t f = 0; f < layout->count; f++) {
		const struct pgf_field *field = &layout->fields[f];
		const struct pgf_column *column = pgf_columns_find(columns, field->tag);
		bool follows;

		if (!column)
			continue;
		if (!column_fits(column, field, items, strings))
			return -EBADMSG;
		follows = key && column->form == PGF_FORM_LOOKUP && column->index == key->index;
		if (!follows && column->form != PGF_FORM_CONST) {
			in->rest_field[in->rest_count] = field;
			in->rest[in->rest_count++] = column;
			continue;
		}
		for (size_t k = 0; k < forms; k++)
			field_store(field, in->forms + k * layout->row_size,
			            !follows        ? column->constant
			            : column->table ? column->table[k]
			                            : k);
	}
	return 0;
}

#define SPREAD(type, value)                                                                        \
	for (uint32_t i = from; i < from + n; i++, at += stride) {                                 \
		type member = (type)(value);                                                       \
                                                                                                   \
		memcpy(at, &member, sizeof(member));                                               \
	}                                                                                          \
	break

#define SPREAD_SIZES(value)                                                                        \
	switch (field->size) {                                                                     \
	case 1:                                                                                    \
		SPREAD(uint8_t, value);                                                            \
	case 2:                                                                                    \
		SPREAD(uint16_t, value);                                                           \
	case 4:                                                                                    \
		SPREAD(uint32_t, value);                                                           \
	default:                                                                                   \
		SPREAD(uint64_t, value);                                                           \
	}

static void column_spread(const struct pgf_column *column, const struct pgf_field *field,
                          uint32_t from, uint32_t n, uint8_t *rows, size_t stride)
{
	uint8_t *at = rows + field->offset;

	if (column->form == PGF_FORM_VALUES) {
		SPREAD_SIZES(column->values[i])
	} else if (column->table) {
		SPREAD_SIZES(column->table[column->index[i]])
	} else {
		SPREAD_SIZES(column->index[i])
	}
}

void pgf_rows_fill(const struct pgf_rows_in *in, uint32_t from, uint32_t n, void *rows)
{
	size_t stride = in->layout->row_size;
	uint8_t *at = rows;

	for (uint32_t i = 0; i < n; i++, at += stride)
		memcpy(at, in->forms + (in->form_index ? in->form_index[from + i] : 0) * stride,
		       stride);
	for (size_t c = 0; c < in->rest_count; c++)
		column_spread(in->rest[c], in->rest_field[c], from, n, rows, stride);
}
