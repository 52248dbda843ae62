/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the columns of one block and compresses them. Columns that are zero throughout
 * are left out. A failed allocation is remembered and reported by pgf_encoder_pack().
 * Not thread-safe.
 */
#ifndef PGF_RECORD_ENCODE_H
#define PGF_RECORD_ENCODE_H

#include <pgfault/record.h>
#include "record/bytes.h"

struct pgf_encoder;

/* Index of each item into a list of distinct values or of groups; a key for other columns. */
struct pgf_index {
	uint32_t *item; /* one an item */
	uint32_t count; /* of the list; 1 or less: of no use as a key */
	uint16_t tag;   /* the column that was written for it; 0: none was */
};

int pgf_encoder_new(struct pgf_encoder **out); /* 0 or -ENOMEM */
void pgf_encoder_free(struct pgf_encoder *enc);
/* Forgets all columns. */
void pgf_encoder_reset(struct pgf_encoder *enc);

/* Few or small values: varints. */
void pgf_encoder_list(struct pgf_encoder *enc, uint16_t tag, const uint64_t *values, size_t n);
/* Values that grow or lie near each other: differences. */
void pgf_encoder_steps(struct pgf_encoder *enc, uint16_t tag, const uint64_t *values, size_t n);
/*
 * Any values: a dictionary when they repeat, else byte planes. index may be NULL; else it
 * has room for n items, and is filled (tag 0 when no dictionary was written).
 */
void pgf_encoder_values(struct pgf_encoder *enc, uint16_t tag, const uint64_t *values, size_t n,
                        struct pgf_index *index);
/* Differences from the item before with the same key, which must have been written. */
void pgf_encoder_keyed(struct pgf_encoder *enc, uint16_t tag, const uint64_t *values, size_t n,
                       const struct pgf_index *key);
/*
 * Starts of spans: difference from the end of the span before with the same key (of any,
 * when the key was not written). lengths is the column that was written as length_tag.
 */
void pgf_encoder_spans(struct pgf_encoder *enc, uint16_t tag, const uint64_t *starts, size_t n,
                       const struct pgf_index *key, const uint64_t *lengths, uint16_t length_tag);
/* A key column by itself; sets key->tag. */
void pgf_encoder_index(struct pgf_encoder *enc, uint16_t tag, struct pgf_index *key, size_t n);
/* One value for each index of the key; n items. */
void pgf_encoder_by(struct pgf_encoder *enc, uint16_t tag, const uint64_t *table, size_t n,
                    const struct pgf_index *key);
void pgf_encoder_bytes(struct pgf_encoder *enc, uint16_t tag, const void *data, size_t n);

/*
 * Appends the compressed columns to out. *raw_size: before compression; *flags:
 * PGF_BLOCK_F_STORED when compression gained nothing. 0, -ENOMEM, -EFBIG.
 */
int pgf_encoder_pack(struct pgf_encoder *enc, struct pgf_bytes *out, uint32_t *raw_size,
                     uint16_t *flags);

#endif /* PGF_RECORD_ENCODE_H */
