/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The members of JSON objects as tables: one table writes the lines and makes the schema,
 * so the two cannot part.
 */
#ifndef PGF_SHOW_FIELDS_H
#define PGF_SHOW_FIELDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum pgf_field_type {
	PGF_FIELD_TEXT = 0, /* const char *; NULL is null */
	PGF_FIELD_U8 = 1,
	PGF_FIELD_U32 = 2,
	PGF_FIELD_U64 = 3,
	PGF_FIELD_BOOL = 4,
	PGF_FIELD_HEX = 5,    /* uint64_t as "0x..."; JSON numbers lose bits beyond 2^53 */
	PGF_FIELD_ID = 6,     /* uint32_t; 0 is null */
	PGF_FIELD_OBJECT = 7, /* nested: fields, at the same object */
	PGF_FIELD_CUSTOM = 8  /* put writes the value; schema describes it */
};

struct pgf_field {
	const char *name; /* NULL ends a table */
	enum pgf_field_type type;
	size_t offset;
	const char *about; /* one line for the schema; no quotes in it */
	const struct pgf_field *fields;
	void (*put)(FILE *out, const void *object);
	const char *schema; /* of CUSTOM: members of a JSON schema */
};

/* One type of line; every line begins with "type": name. */
struct pgf_line_type {
	const char *name;
	const char *about;
	const struct pgf_field *fields;
};

/* Writes one line. */
void pgf_fields_line(FILE *out, const struct pgf_line_type *type, const void *object);
/* Writes the schema of one type of line as a JSON object. */
void pgf_fields_schema(FILE *out, const struct pgf_line_type *type);

extern const struct pgf_line_type pgf_line_recording;  /* recorded.c */
extern const struct pgf_line_type pgf_line_comparison; /* comparison.c */
extern const struct pgf_line_type pgf_line_difference;
extern const struct pgf_line_type pgf_line_fault; /* faultline.c; object: struct pgf_shown_fault */

#endif /* PGF_SHOW_FIELDS_H */
