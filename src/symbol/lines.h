/* SPDX-License-Identifier: BSD-2-Clause */
/* Source lines and inlined functions out of DWARF; without libdw nothing is found. */
#ifndef PGF_SYMBOL_LINES_H
#define PGF_SYMBOL_LINES_H

#include <stddef.h>
#include <stdint.h>

#include <libelf.h>

struct pgf_dwarf;

#define PGF_DWARF_INLINES 16

struct pgf_dwarf_call {
	const char *func; /* raw linkage name, or source name */
	const char *file; /* of the call, or NULL */
	uint32_t line;
};

/* What is known of an address; text lives as long as the pgf_dwarf. */
struct pgf_dwarf_place {
	const char *func; /* the function that was compiled; NULL when not known */
	uint64_t start;   /* its entry */
	const char *file;
	uint32_t line;
	uint32_t call_count;
	struct pgf_dwarf_call call[PGF_DWARF_INLINES]; /* innermost first */
};

/*
 * Prepares the debug information of an open ELF file, which must outlive it. trusted:
 * the file belongs to root, so its tables may be as large as they like.
 * 0, -ENOENT without (usable) debug information, -ENOMEM.
 */
int pgf_dwarf_open(struct pgf_dwarf **out, Elf *elf, int trusted);
/* Looks up an address of the file's own numbering. 0 or -ENOENT. */
int pgf_dwarf_find(struct pgf_dwarf *dwarf, uint64_t addr, struct pgf_dwarf_place *place);
void pgf_dwarf_close(struct pgf_dwarf *dwarf); /* accepts NULL */

#endif /* PGF_SYMBOL_LINES_H */
