/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The string table of a recording: id 0 is "no string", ids from 1 on in the order in
 * which they stand in the file. Not thread-safe.
 */
#ifndef PGF_RECORD_STRINGS_H
#define PGF_RECORD_STRINGS_H

#include <stddef.h>
#include <stdint.h>

struct pgf_strings;

int pgf_strings_new(struct pgf_strings **out); /* 0 or -ENOMEM */
void pgf_strings_free(struct pgf_strings *strings);
/*
 * The id of a text; enters it when it is new. NULL gives 0. Longer ones than
 * PGF_RECORD_STRING_MAX are cut. 0, -ENOMEM, -EOVERFLOW when the table is full.
 */
int pgf_strings_intern(struct pgf_strings *strings, const char *text, uint32_t *id);
/* Appends a text without looking for it. 0, -ENOMEM, -EOVERFLOW. */
int pgf_strings_append(struct pgf_strings *strings, const char *text, size_t len);
/* Ids are below this. */
uint32_t pgf_strings_count(const struct pgf_strings *strings);
/*
 * The text of an id below the count, stable until the table is freed; NULL for 0. *len may
 * be NULL. PGF_COMM_LEN bytes behind its start may always be read.
 */
const char *pgf_strings_get(const struct pgf_strings *strings, uint32_t id, size_t *len);

#endif /* PGF_RECORD_STRINGS_H */
