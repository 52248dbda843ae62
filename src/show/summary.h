/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen at the end of a run: what matters first, what is not known last. */
#ifndef PGF_SHOW_SUMMARY_H
#define PGF_SHOW_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "account/account.h"
#include "observe/session.h"

/* A run as the writers of summary, JSON and CSV want it; nothing in it is owned by them. */
struct pgf_run {
	struct pgf_account *account;
	struct pgf_symbols *symbols;     /* NULL: no names for code */
	const struct pgf_totals *totals; /* NULL: not known (an old recording) */
	const char *version;             /* of pgfault */
	const char *target;              /* command line, "pid 12,13", "all"; unescaped */
	const char *tier;                /* pgf_tier_name() */
	const char *blind;               /* pgf_tier_blind() */
	const char *kernel;              /* release; NULL when not known */
	enum pgf_volume volume;
	uint64_t sample_period; /* 1 or 0: every fault; N: every Nth */
	bool by_frequency;      /* only some faults, without a fixed period */
	int status;             /* wait status of the command, -1: none */
	enum pgf_sort sort;
	size_t top; /* rows of the tables of mappings and code; 0: 6 in text, all in JSON and CSV */
	int width;  /* columns, text only; 0: 80 */
	bool colour;
	bool quiet_closing; /* leave out the closing lines (they are in another document) */
};

/* What the tasks' own counters say against what was seen. */
enum pgf_check {
	PGF_CHECK_UNKNOWN = 0, /* the tasks' counters are not (all) known */
	PGF_CHECK_EQUAL = 1,   /* seen = min + maj */
	PGF_CHECK_GUP = 2,     /* min + maj is more: faults without an exception */
	PGF_CHECK_EXCESS = 3,  /* more was seen than counted: wrong, say so */
	PGF_CHECK_ACCOUNT = 4  /* the rows do not add up to what was seen: wrong, say so */
};

struct pgf_crosscheck {
	enum pgf_check check;
	uint64_t tasks;      /* their min + maj */
	uint64_t seen;       /* completed faults seen, dropped events included */
	uint64_t rows;       /* completed faults in the rows */
	uint64_t difference; /* between the two that differ */
};

void pgf_crosscheck(const struct pgf_run *run, struct pgf_crosscheck *check);

/* Writes the screen. Returns 0, -EIO, -ENOMEM. */
int pgf_summary_write(FILE *out, const struct pgf_run *run);
/* One view as a table, for --by; limit rows run->top. 0, -EIO, -ENOMEM, -EINVAL. */
int pgf_summary_table(FILE *out, const struct pgf_run *run, enum pgf_by by);

#endif /* PGF_SHOW_SUMMARY_H */
