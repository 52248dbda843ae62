/* SPDX-License-Identifier: BSD-2-Clause */
/* Address ranges with names, searched by address: an ELF symbol table, kallsyms, a JIT map. */
#ifndef PGF_SYMBOL_NAMES_H
#define PGF_SYMBOL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pgf_name {
	uint64_t addr;
	uint64_t size; /* 0: up to the next name */
	uint32_t text; /* offset into the text of the table */
	uint32_t rank; /* of two names for one address the higher wins */
};

struct pgf_names {
	struct pgf_name *name;
	char *text;
	size_t count;
	size_t room;
	size_t text_size;
	size_t text_room;
};

#define PGF_NAMES_MAX      (8u << 20)   /* names in one table */
#define PGF_NAMES_TEXT_MAX (512u << 20) /* bytes of text in one table */

/* Copies a name of length bytes. 0, -ENOMEM, -E2BIG when the table is full. */
int pgf_names_add(struct pgf_names *names, uint64_t addr, uint64_t size, const char *text,
                  size_t length, uint32_t rank);
/* To be called once, after the last name and before the first search. */
void pgf_names_sort(struct pgf_names *names);
/* The best name whose range covers addr, or NULL. */
const struct pgf_name *pgf_names_find(const struct pgf_names *names, uint64_t addr);
const char *pgf_names_text(const struct pgf_names *names, const struct pgf_name *name);
void pgf_names_clear(struct pgf_names *names);

#endif /* PGF_SYMBOL_NAMES_H */
