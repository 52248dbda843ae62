/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers for places in code: the same instruction of the same file in every process is one. */
#ifndef PGF_ACCOUNT_CODE_H
#define PGF_ACCOUNT_CODE_H

#include "account/keys.h"
#include "account/labels.h"
#include "observe/space.h"
#include "symbol/symbol.h"

/* Where it was first met: enough to find its symbol later, when the process is gone. */
struct pgf_code {
	uint64_t ip;
	uint64_t start;
	uint64_t end;
	uint64_t pgoff;
	uint64_t ino;
	uint32_t dev;
	uint32_t pid;   /* 0 for kernel code */
	uint32_t label; /* of the mapping; 0: none is known */
	bool own;       /* not in a file: another process's code at this address is another */
};

struct pgf_code_seen {
	uint64_t ip;
	const struct pgf_map *map;
	uint32_t process;
	uint32_t code;
};

#define PGF_CODES_SEEN 8192

struct pgf_codes {
	struct pgf_keys keys;
	struct pgf_code *code; /* by number; 0: not known */
	uint32_t room;
	uint32_t max;
	struct pgf_labels *labels; /* not owned */
	struct pgf_space *space;   /* not owned; may be NULL */
	struct pgf_code_seen seen[PGF_CODES_SEEN];
};

/*
 * The number of the code at ip; process tells one life of pid from the next. PGF_KEYS_NONE
 * without memory, 0 for ip 0 and when the table is full.
 */
uint32_t pgf_codes_add(struct pgf_codes *codes, uint32_t process, uint32_t pid, uint64_t ip);
/* The symbol of a code; NULL for 0. */
const struct pgf_symbol *pgf_codes_symbol(const struct pgf_codes *codes, uint32_t number,
                                          struct pgf_symbols *symbols);
void pgf_codes_clear(struct pgf_codes *codes);

#endif /* PGF_ACCOUNT_CODE_H */
