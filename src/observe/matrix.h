/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each tier knows of each kind, as docs/tiers.md says it and the selftest proves it.
 */
#ifndef PGF_OBSERVE_MATRIX_H
#define PGF_OBSERVE_MATRIX_H

#include "observe/session.h"

enum pgf_grade {
	PGF_GRADE_UNTESTED = 0,
	PGF_GRADE_EXACT = 1,    /* observed: the kind, and no other, for every fault */
	PGF_GRADE_INFERRED = 2, /* the usual one of several that fit the evidence */
	PGF_GRADE_UNKNOWN = 3,  /* "?"; the set of possible kinds contains the true one */
	PGF_GRADE_COUNTED = 4,  /* no event at all: only in the tasks' own counters (GUP) */
	PGF_GRADE_UNSEEN = 5    /* a kernel-mode fault, and the tier sees user mode only */
};

struct pgf_matrix_row {
	const char *workload; /* of faultgen */
	enum pgf_grade tracepoint;
	enum pgf_grade perf;
};

/* The rows, ended by a NULL workload; a static table. */
const struct pgf_matrix_row *pgf_matrix(void);
/* The grade of a workload in a tier; PGF_GRADE_UNTESTED when there is no row. */
enum pgf_grade pgf_matrix_grade(const char *workload, enum pgf_tier tier);
const char *pgf_grade_name(enum pgf_grade grade);

#endif /* PGF_OBSERVE_MATRIX_H */
