/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PGF_SYMBOL_BUILD_ID_H
#define PGF_SYMBOL_BUILD_ID_H

#include <sys/types.h>

#include <libelf.h>

/* The GNU build id of an open ELF file, owned by it. Its length or -ENOENT. */
ssize_t pgf_build_id_elf(Elf *elf, const void **build);

#endif /* PGF_SYMBOL_BUILD_ID_H */
