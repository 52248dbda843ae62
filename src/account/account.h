/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adds faults up: by kind, mapping, code, process, thread, cgroup. Two tables hold all sums,
 * one for the side of the data (who, where, which kind) and one for the side of the code
 * (which instruction, which kind), as a pgf_cell belongs to one of the two; every view is
 * grouped out of them when asked for. Not thread-safe: one thread owns an account.
 */
#ifndef PGF_ACCOUNT_ACCOUNT_H
#define PGF_ACCOUNT_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pgfault/fault.h>
#include "observe/session.h"
#include "observe/space.h"
#include "symbol/symbol.h"

struct pgf_account;

struct pgf_account_opts {
	/* Finds the mapping of an ip; NULL: code is grouped by bare address. Not owned. */
	struct pgf_space *space;
	size_t group_max; /* bound of each of the two tables, groups; 0: 1 Mi */
	size_t page_max;  /* bound of the pages remembered for re-faults; 0: 8 Mi (16 bytes each) */
};

/* How a page that faults in again had gone away. */
enum pgf_again {
	PGF_AGAIN_UNSEEN = 0,  /* no call of the process was seen: reclaim, or not traced */
	PGF_AGAIN_MADVISE = 1, /* MADV_DONTNEED, FREE, REMOVE, PAGEOUT */
	PGF_AGAIN_UNMAP = 2,   /* munmap, and mapped again */
	PGF_AGAIN_BRK = 3,     /* the break was lowered, and raised again */
	PGF_AGAIN_REMAP = 4,   /* a new mapping over the old address was seen */
	PGF_AGAIN_UNTOLD = 5,  /* too many calls came in between to tell */
	PGF_AGAIN_COUNT = 6
};

/* The sums of one group of faults. */
struct pgf_stat {
	uint64_t count;
	uint64_t timed; /* faults whose duration is known: ns, max_ns and p*_ns are about these */
	uint64_t ns;
	uint64_t max_ns;
	uint64_t p50_ns; /* within 1.6 %; 0 with dist_known false */
	uint64_t p90_ns;
	uint64_t p99_ns;
	uint64_t major;
	uint64_t inferred; /* kind inferred, not observed */
	uint64_t failed;
	uint64_t unfinished;
	uint64_t major_ns;                  /* part of ns */
	uint64_t again[PGF_AGAIN_COUNT];    /* re-faults, by what had removed the page */
	uint64_t again_ns[PGF_AGAIN_COUNT]; /* part of ns */
	bool dist_known;                    /* percentiles are known */
};

enum pgf_by {
	PGF_BY_KIND = 0,
	PGF_BY_MAP = 1,
	PGF_BY_KIND_MAP = 2,
	PGF_BY_CODE = 3,
	PGF_BY_PROCESS = 4,
	PGF_BY_THREAD = 5,
	PGF_BY_CGROUP = 6,
	PGF_BY_DISCARD = 7, /* calls that gave memory back: count is calls, again the re-faults */
	PGF_BY_STACK = 8,   /* ways through the code, callers included */
	PGF_BY_COUNT = 9
};

enum pgf_sort {
	PGF_SORT_TIME = 0,
	PGF_SORT_COUNT = 1,
	PGF_SORT_MAX = 2,
	PGF_SORT_P99 = 3,
	PGF_SORT_MAJOR = 4,
	PGF_SORT_AGAIN = 5
};

#define PGF_ROW_KINDS 3

struct pgf_row_kind {
	uint8_t kind;  /* enum pgf_kind */
	uint8_t class; /* enum pgf_class: of the leaves when kind is PGF_UNKNOWN */
	uint64_t count;
};

/* One function of a stack. */
struct pgf_frame {
	uint64_t ip;                     /* 0 not known */
	const struct pgf_symbol *symbol; /* of the call; NULL without symbols or ip */
};

/* A row of a view; members that the view does not group by are 0 or NULL. */
struct pgf_row {
	uint8_t by;       /* enum pgf_by */
	uint8_t kind;     /* KIND, KIND_MAP */
	uint8_t class;    /* KIND, KIND_MAP: enum pgf_class, also for unknown kinds */
	uint8_t map_type; /* MAP, KIND_MAP: enum pgf_map_type */
	uint8_t again;    /* DISCARD: enum pgf_again, which call */
	pgf_set leaves;   /* KIND, KIND_MAP: all kinds that the evidence allowed in the row */
	const char *map;  /* MAP, KIND_MAP: name of the mapping; NULL when none is known */
	uint32_t pid;     /* PROCESS, THREAD; CODE and DISCARD when the code is one process's own */
	uint32_t tid;     /* THREAD */
	const char *comm; /* PROCESS, THREAD */
	uint64_t cgroup;  /* CGROUP */
	uint64_t ip;      /* CODE, DISCARD, STACK: the hottest address of the row; 0 not known */
	const struct pgf_symbol
	        *symbol; /* CODE, DISCARD, STACK: of ip; NULL without symbols or ip */
	uint64_t bytes;  /* DISCARD: given back in all calls */
	const struct pgf_frame *frames; /* STACK: innermost first; of one of the merged stacks */
	uint32_t frame_count;           /* STACK: 0: faults whose stack is not known */
	uint32_t kind_count;            /* entries in kinds */
	struct pgf_row_kind kinds[PGF_ROW_KINDS]; /* the most frequent ones, most first */
	struct pgf_stat stat;
};

/* A view. Text in it belongs to the account, its space and its symbols. */
struct pgf_rows {
	struct pgf_row *row;
	size_t count;
	size_t groups;            /* before the limit */
	struct pgf_stat rest;     /* of the groups beyond the limit; no percentiles */
	struct pgf_frame *frames; /* of all rows */
};

/* What was left out, to be told. */
struct pgf_account_loss {
	uint64_t ungrouped; /* faults added up without code or without process: table was full */
	uint64_t pages;     /* faulted pages not remembered for re-faults: table was full */
	uint64_t stacks;    /* faults whose stack came but could not be kept: too many */
};

/* opts may be NULL. Returns 0 or -ENOMEM. */
int pgf_account_new(struct pgf_account **out, const struct pgf_account_opts *opts);
void pgf_account_free(struct pgf_account *account); /* accepts NULL */
/* Adds one fault; map covers its address, or NULL. Returns 0 or -ENOMEM. */
int pgf_account_fault(struct pgf_account *account, const struct pgf_fault *fault,
                      const struct pgf_map *map);
/* Adds a cell; map covers the address of its representative, or NULL. Returns 0 or -ENOMEM. */
int pgf_account_cell(struct pgf_account *account, const struct pgf_cell *cell,
                     const struct pgf_map *map);
/* Follows an event of the address spaces, in time order with the faults. 0 or -ENOMEM. */
int pgf_account_space(struct pgf_account *account, const struct pgf_space_event *event);

/* Keeps a stack, before the first fault with its id; frames innermost first. 0 or -ENOMEM. */
int pgf_account_stack(struct pgf_account *account, uint32_t stack_id, const uint64_t *ips,
                      size_t count);

/*
 * The class of a fault whose kind is not known: the one that all possible kinds share, else
 * what the mapping says; map may be NULL.
 */
enum pgf_class pgf_account_class(const struct pgf_fault *fault, const struct pgf_map *map);

/* The sums over everything. 0 or -ENOMEM. */
int pgf_account_total(struct pgf_account *account, struct pgf_stat *stat);
void pgf_account_loss(const struct pgf_account *account, struct pgf_account_loss *loss);
/* Whether re-faults can be told: single faults came, not cells. */
bool pgf_account_streamed(const struct pgf_account *account);
/* Whether stacks came: PGF_BY_STACK has rows then. */
bool pgf_account_stacked(const struct pgf_account *account);
/* Whether calls that give memory back can be seen in this run (an munmap or madvise came). */
bool pgf_account_sees_calls(const struct pgf_account *account);
/*
 * Groups, sorts (most first; ties by name or number) and cuts to limit rows (0: all).
 * symbols (may be NULL) is asked for code only: the hottest addresses are merged by
 * function, the hottest stacks by their functions. Returns 0 with a view to be freed, -EINVAL,
 * -ENOMEM.
 */
int pgf_account_rows(struct pgf_account *account, enum pgf_by by, enum pgf_sort sort, size_t limit,
                     struct pgf_symbols *symbols, struct pgf_rows **out);
void pgf_rows_free(struct pgf_rows *rows); /* accepts NULL */

/* "kind", "map", ...; NULL for an unknown value. The parsers return -EINVAL. */
const char *pgf_by_name(unsigned int by);
int pgf_by_parse(const char *name);
const char *pgf_sort_name(unsigned int sort);
int pgf_sort_parse(const char *name);
const char *pgf_again_name(unsigned int again);
/* "anon", "heap", "file", ... of enum pgf_map_type. */
const char *pgf_map_type_name(unsigned int type);
/* All re-faults of a stat; pages of a new mapping at an old address are none. */
uint64_t pgf_stat_again(const struct pgf_stat *stat);

#endif /* PGF_ACCOUNT_ACCOUNT_H */
