/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What somebody else has found out before: symbols of code that may be gone, and the build
 * ids of mapped files. Everything is copied. Not thread-safe.
 */
#ifndef PGF_SYMBOL_KNOWN_H
#define PGF_SYMBOL_KNOWN_H

#include "symbol/symbol.h"

struct pgf_known_build {
	uint64_t ino;
	uint32_t dev;
	uint32_t size; /* of build, bytes */
	uint8_t build[PGF_BUILD_ID_MAX];
	char *path;
};

struct pgf_known_symbol; /* known.c */

/* All zero is an empty table. */
struct pgf_known {
	struct pgf_known_symbol *slot;
	size_t slots; /* a power of two */
	size_t symbols;
	struct pgf_known_build *build; /* sorted once it is asked */
	size_t builds;
	size_t build_room;
	bool sorted;
};

/* The symbol of ip in pid (0: everywhere); the first one stays. 0, -ENOMEM, -E2BIG. */
int pgf_known_add(struct pgf_known *known, uint32_t pid, uint64_t ip,
                  const struct pgf_symbol *symbol);
/* The symbol that was added for pid, or for every process; NULL. */
const struct pgf_symbol *pgf_known_find(const struct pgf_known *known, uint32_t pid, uint64_t ip);
/* The build id of a mapped file. 0, -ENOMEM, -EINVAL, -E2BIG. */
int pgf_known_build_add(struct pgf_known *known, const struct pgf_known_build *build);
/* The build id of the file that query's mapping maps, or NULL. */
const struct pgf_known_build *pgf_known_build_find(struct pgf_known *known,
                                                   const struct pgf_symbol_query *query);
void pgf_known_clear(struct pgf_known *known);

#endif /* PGF_SYMBOL_KNOWN_H */
