/* SPDX-License-Identifier: BSD-2-Clause */
/* One mapped ELF file: its functions and, when looked up, its source lines. */
#ifndef PGF_SYMBOL_MODULE_H
#define PGF_SYMBOL_MODULE_H

#include "symbol/lines.h"
#include "symbol/locate.h"

struct pgf_module;

/*
 * Reads the file's symbol table. Takes over fd. path names it for the search of its debug
 * file below root (-1: ours). 0, -ENOEXEC, -ENOMEM.
 */
int pgf_module_open(struct pgf_module **out, int fd, const char *path, int root);
/* The same from an image in memory (the vdso), which must outlive it. */
int pgf_module_image(struct pgf_module **out, char *image, size_t size);
void pgf_module_close(struct pgf_module *module); /* accepts NULL */

/*
 * A debug file does not tell where its code stood in the mapped file: takes that from a mapping
 * that is as long as its only executable segment. Without one its code is not found.
 */
void pgf_module_fit(struct pgf_module *module, const struct pgf_symbol_query *query);

/* Translates an offset in the file to the file's own addresses. -ENOENT outside of its code. */
int pgf_module_address(const struct pgf_module *module, uint64_t offset, uint64_t *addr);
/* The function of an address: its name (raw) and entry; NULL when not known. */
const char *pgf_module_function(const struct pgf_module *module, uint64_t addr, uint64_t *start);
/* Source place of an address; 0 or -ENOENT. */
int pgf_module_place(struct pgf_module *module, uint64_t addr, struct pgf_dwarf_place *place);

#endif /* PGF_SYMBOL_MODULE_H */
