/* SPDX-License-Identifier: BSD-2-Clause */
/* Built where libdw is missing. */
#include "symbol/lines.h"

#include <errno.h>

int pgf_dwarf_open(struct pgf_dwarf **out, Elf *elf, int trusted)
{
	*out = NULL;
	return -ENOENT;
}

int pgf_dwarf_find(struct pgf_dwarf *dwarf, uint64_t addr, struct pgf_dwarf_place *place)
{
	return -ENOENT;
}

void pgf_dwarf_close(struct pgf_dwarf *dwarf)
{
}
