/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the columns of one block apart. Nothing in the payload is believed: every count is
 * checked against the block's items or the bytes that are there before memory is asked for.
 * Not thread-safe. Memory is kept for the next block.
 */
#ifndef PGF_RECORD_DECODE_H
#define PGF_RECORD_DECODE_H

#include <pgfault/record.h>
#include "record/bytes.h"

enum pgf_form {
	PGF_FORM_CONST = 0,  /* constant */
	PGF_FORM_VALUES = 1, /* values[item] */
	PGF_FORM_LOOKUP = 2, /* table[index[item]], or index[item] itself without a table */
	PGF_FORM_BYTES = 3   /* bytes[0 .. items) */
};

struct pgf_column {
	uint16_t tag;
	enum pgf_form form;
	uint32_t items;
	uint64_t constant;
	uint64_t *values;
	const uint32_t *index; /* each below table_len */
	uint64_t *table;
	uint32_t table_len;
	const uint8_t *bytes; /* inside the payload */
	/* memory behind the members above, kept between blocks */
	uint64_t *values_mem;
	uint32_t *index_mem;
	uint64_t *table_mem;
	size_t values_cap;
	size_t index_cap;
	size_t table_cap;
};

struct pgf_columns {
	struct pgf_column column[PGF_RECORD_COLUMNS_MAX];
	uint32_t count;
};

/*
 * Decodes a decompressed payload of a block with `items` items, which must live as long
 * as the columns are used. Columns of an unknown coding are left out. 0, -EBADMSG when it
 * contradicts itself, -ENOMEM.
 */
int pgf_columns_decode(struct pgf_columns *columns, const uint8_t *data, size_t size,
                       uint32_t items);
void pgf_columns_free(struct pgf_columns *columns);
/* The column with this tag, or NULL: then it is zero throughout. */
const struct pgf_column *pgf_columns_find(const struct pgf_columns *columns, uint16_t tag);

/* The value of one item; column may be NULL. */
static inline uint64_t pgf_column_get(const struct pgf_column *column, uint32_t item)
{
	if (!column)
		return 0;
	switch (column->form) {
	case PGF_FORM_VALUES:
		return column->values[item];
	case PGF_FORM_LOOKUP:
		return column->table ? column->table[column->index[item]] : column->index[item];
	case PGF_FORM_CONST:
		return column->constant;
	case PGF_FORM_BYTES:
		break;
	}
	return 0;
}

#endif /* PGF_RECORD_DECODE_H */
