/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between rows and columns: the writer turns an array of rows into columns, the reader
 * fills rows from columns. Not thread-safe.
 */
#ifndef PGF_RECORD_ROWS_H
#define PGF_RECORD_ROWS_H

#include "record/decode.h"
#include "record/encode.h"
#include "record/layout.h"

/* Memory of the writer's side, kept between blocks; zero to begin with. */
struct pgf_rows_out {
	uint64_t *values;
	uint64_t *lengths;                      /* of the last PGF_WAY_LENGTH */
	uint32_t *key_item;                     /* of the last PGF_WAY_KEY */
	uint32_t *group_item[PGF_GROUP_COUNT];  /* group of each row */
	uint32_t *group_first[PGF_GROUP_COUNT]; /* a row of each group */
	uint32_t *slots;
	size_t cap; /* rows that there is room for */
};

/* Adds the columns of n rows (n > 0) to the encoder's block. 0 or -ENOMEM. */
int pgf_rows_encode(struct pgf_rows_out *out, struct pgf_encoder *enc,
                    const struct pgf_layout *layout, const void *rows, size_t n);
void pgf_rows_out_free(struct pgf_rows_out *out);

#define PGF_ROWS_FIELDS_MAX 64

/* What one block needs to be filled from; memory is kept between blocks; zero to begin with. */
struct pgf_rows_in {
	const struct pgf_layout *layout;
	uint32_t items;
	const uint32_t *form_index; /* the key that most columns follow ... */
	uint8_t *forms;             /* ... and a row for each of its values */
	size_t forms_cap;
	const struct pgf_field *rest_field[PGF_ROWS_FIELDS_MAX];
	const struct pgf_column *rest[PGF_ROWS_FIELDS_MAX]; /* columns outside of it */
	size_t rest_count;
};

/*
 * Prepares for a block of `items` rows. strings: size of the string table, which every id
 * must be below. 0, -EBADMSG when a column has another length or values too large for its
 * member, -ENOMEM.
 */
int pgf_rows_prepare(struct pgf_rows_in *in, const struct pgf_layout *layout,
                     const struct pgf_columns *columns, uint32_t items, uint32_t strings);
/* Fills n rows from `from` on; members without a column are zero. */
void pgf_rows_fill(const struct pgf_rows_in *in, uint32_t from, uint32_t n, void *rows);
void pgf_rows_in_free(struct pgf_rows_in *in);

#endif /* PGF_RECORD_ROWS_H */
