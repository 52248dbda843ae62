/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of code that a recording holds, handed to a symbol table: what code was called when it
 * was there, and the build ids of mapped files. Not thread-safe.
 */
#ifndef PGF_CMD_CODEBOOK_H
#define PGF_CMD_CODEBOOK_H

#include "record/items.h"
#include "symbol/symbol.h"

struct pgf_codebook;

/* symbols is not owned. 0 or -ENOMEM. */
int pgf_codebook_new(struct pgf_codebook **out, struct pgf_symbols *symbols);
void pgf_codebook_free(struct pgf_codebook *book); /* accepts NULL */
/* Collects a symbol; names a sender did not know are left out. 0 or -ENOMEM. */
int pgf_codebook_symbol(struct pgf_codebook *book, const struct pgf_record_symbol *symbol);
/* Hands a build id on; one that is none is left out. 0 or -ENOMEM. */
int pgf_codebook_module(struct pgf_codebook *book, const struct pgf_record_module *module);
/*
 * Hands the symbols on that were collected since the last call: those that were inlined with
 * the chain of functions around them. Cheap without new ones. 0 or -ENOMEM.
 */
int pgf_codebook_settle(struct pgf_codebook *book);

#endif /* PGF_CMD_CODEBOOK_H */
