/* SPDX-License-Identifier: BSD-2-Clause */
/* Two recordings beside each other, row by row. */
#ifndef PGF_SHOW_COMPARISON_H
#define PGF_SHOW_COMPARISON_H

#include "show/recorded.h"
#include "show/summary.h"

/* What one side has in a row. */
struct pgf_compared {
	uint64_t count;
	uint64_t timed; /* of them with a known duration */
	uint64_t ns;
	uint64_t max_ns;
	uint64_t major;
};

struct pgf_compared_row {
	const char *name;  /* for people, unescaped */
	const char *whole; /* for machines: with its path or type, unescaped */
	struct pgf_compared side[2];
};

/* Nothing in it is owned. */
struct pgf_comparison {
	const struct pgf_recorded *recorded[2];
	const struct pgf_run *run[2];
	enum pgf_by by;
	const char *const *differs; /* sentences: what makes the two hard to compare */
	size_t differ_count;
	const struct pgf_compared_row *row; /* in the order to be shown */
	size_t count;
	size_t groups; /* before the limit */
	struct pgf_compared_row total;
	int width;
	bool colour;
};

/* Each returns 0, -EIO or -ENOMEM. The CSV does not tell what differs. */
int pgf_comparison_write(FILE *out, const struct pgf_comparison *comparison);
int pgf_comparison_json(FILE *out, const struct pgf_comparison *comparison);
int pgf_comparison_csv(FILE *out, const struct pgf_comparison *comparison);

#endif /* PGF_SHOW_COMPARISON_H */
