/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/matrix.h"

#include <string.h>

#define EXACT    PGF_GRADE_EXACT
#define INFERRED PGF_GRADE_INFERRED
#define UNKNOWN  PGF_GRADE_UNKNOWN
#define COUNTED  PGF_GRADE_COUNTED

static const struct pgf_matrix_row matrix[] = {
	{"anon-zero", INFERRED, UNKNOWN},
	{"anon-new", EXACT, UNKNOWN},
	{NULL, PGF_GRADE_UNTESTED, PGF_GRADE_UNTESTED},
};

const struct pgf_matrix_row *pgf_matrix(void)
{
	return matrix;
}

enum pgf_grade pgf_matrix_grade(const char *workload, enum pgf_tier tier)
{
	for (const struct pgf_matrix_row *row = matrix; workload && row->workload; row++)
		if (!strcmp(row->workload, workload))
			return tier == PGF_TIER_PERF ? row->perf : row->tracepoint;
	return PGF_GRADE_UNTESTED;
}

const char *pgf_grade_name(enum pgf_grade grade)
{
	static const char *const names[] = {"untested", "exact", "inferred", "?", "counted"};

	return (unsigned int)grade < sizeof(names) / sizeof(names[0]) ? names[grade] : "?";
}
