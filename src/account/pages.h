/* SPDX-License-Identifier: BSD-2-Clause */
/* Which pages have faulted in before, and what became of them: the memory behind re-faults. */
#ifndef PGF_ACCOUNT_PAGES_H
#define PGF_ACCOUNT_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pgfault/fault.h>
#include "account/account.h"

#define PGF_PAGES_PROCESS_MAX ((1u << 18) - 1)

/* A page that was filled; all in 16 bytes. */
struct pgf_page {
	uint64_t key;   /* process : 18, page number : 45, may be the zero page : 1; 0: free */
	uint32_t stamp; /* number of the last discard before */
	uint32_t time;  /* end of the fault, units of 2^14 ns */
};

/* One call that gave memory back. */
struct pgf_discard {
	uint64_t start;
	uint64_t end; /* exclusive */
	uint32_t stamp;
	uint32_t site; /* the caller's, for the row it belongs to */
	uint8_t again; /* enum pgf_again */
};

#define PGF_DISCARDS 256 /* remembered for a process; the latest stay */

struct pgf_discards {
	struct pgf_discard ring[PGF_DISCARDS];
	uint32_t count; /* ever added */
};

struct pgf_pages {
	struct pgf_page *slot;
	size_t slots; /* a power of two */
	size_t used;
	size_t max;
	uint32_t stamp;
	bool *dead; /* by process: its pages may be forgotten */
	uint32_t dead_room;
	bool dead_new; /* processes died since the table was cleaned last */
};

/* What the memory says of a fault. */
struct pgf_again_found {
	bool again;
	uint8_t how;   /* enum pgf_again */
	uint32_t site; /* of the discard; UINT32_MAX without one */
};

/* Whether every kind in the set brings a page in (so that a second time means it had gone). */
bool pgf_pages_is_fill(pgf_set set);
/* Begins to load what pgf_pages_fill() will look at: it waits for memory most of its time. */
void pgf_pages_prefetch(const struct pgf_pages *pages, uint32_t process, uint64_t address);
/*
 * Notes that process (1..PGF_PAGES_PROCESS_MAX) filled the page at address between start_ns and
 * end_ns, by one of set; discards (may be NULL) are those of the process. Tells whether it
 * had been there before. 0, -ENOMEM, -ENOSPC when the page cannot be remembered.
 */
int pgf_pages_fill(struct pgf_pages *pages, uint32_t process, uint64_t address, pgf_set set,
                   uint64_t start_ns, uint64_t end_ns, const struct pgf_discards *discards,
                   struct pgf_again_found *found);
/* Adds a discard to those of a process. */
void pgf_pages_discard(struct pgf_pages *pages, struct pgf_discards *discards, uint64_t start,
                       uint64_t end, enum pgf_again again, uint32_t site);
/* The process is gone: its pages need no memory any more. 0 or -ENOMEM. */
int pgf_pages_forget(struct pgf_pages *pages, uint32_t process);
void pgf_pages_clear(struct pgf_pages *pages);

#endif /* PGF_ACCOUNT_PAGES_H */
