/* SPDX-License-Identifier: BSD-2-Clause */
/* How rows are called: unescaped text for tables and machines. */
#ifndef PGF_SHOW_NAMING_H
#define PGF_SHOW_NAMING_H

#include <stdio.h>

#include "account/account.h"

/* All write NUL-terminated text into buf and return buf. */

/* People: "anonymous, new page", "? anon", "?". */
char *pgf_naming_kind(char *buf, size_t size, unsigned int kind, unsigned int class);
/* Machines: "anon-new", "?anon", "?". */
char *pgf_naming_kind_id(char *buf, size_t size, unsigned int kind, unsigned int class);
/* The kinds of a row by frequency: "anon-new, wp-copy". */
char *pgf_naming_kinds(char *buf, size_t size, const struct pgf_row *row);
/* "[heap]", "libfoo.so", "[anon]": the last part of a path; "?" when not known. */
char *pgf_naming_map(char *buf, size_t size, const char *map, unsigned int type);
/* "function", "libfoo.so+0x123", "0x7f…" or "?". */
char *pgf_naming_code(char *buf, size_t size, const struct pgf_symbol *symbol, uint64_t ip);
/* "dir/file.c:12", else the module, else "". */
char *pgf_naming_place(char *buf, size_t size, const struct pgf_symbol *symbol);
/* The whole name of a row, by its view. */
char *pgf_naming_row(char *buf, size_t size, const struct pgf_row *row);
/* "exit 0", "killed by signal 11"; "" for -1. */
char *pgf_naming_status(char *buf, size_t size, int status);

/* A symbol as a JSON object, null without one. */
void pgf_naming_symbol_json(FILE *out, const struct pgf_symbol *symbol);
/* Its schema: members of a JSON schema. */
#define PGF_NAMING_SYMBOL_SCHEMA                                                                   \
	"\"type\":[\"object\",\"null\"],\"properties\":{\"func\":{\"type\":[\"string\",\"null\"]}" \
	","                                                                                        \
	"\"file\":{\"type\":[\"string\",\"null\"]},\"line\":{\"type\":[\"integer\",\"null\"]},"    \
	"\"module\":{\"type\":\"string\"},\"path\":{\"type\":\"string\"},\"offset\":{\"type\":"    \
	"\"integer\"},\"exact\":{\"type\":\"boolean\"},\"inlines\":{\"type\":\"array\",\"items\":" \
	"{"                                                                                        \
	"\"type\":\"object\"}}},\"required\":[\"func\",\"file\",\"line\",\"module\",\"path\","     \
	"\"offset\",\"exact\",\"inlines\"]"

#endif /* PGF_SHOW_NAMING_H */
