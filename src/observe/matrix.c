/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/matrix.h"

#include <string.h>

#define EXACT    PGF_GRADE_EXACT
#define INFERRED PGF_GRADE_INFERRED
#define UNKNOWN  PGF_GRADE_UNKNOWN
#define COUNTED  PGF_GRADE_COUNTED
#define UNSEEN   PGF_GRADE_UNSEEN

static const struct pgf_matrix_row matrix[] = {
        {"anon-zero", INFERRED, UNKNOWN},
        {"anon-new", EXACT, UNKNOWN},
        {"zero-write", EXACT, UNKNOWN},
        {"cow", EXACT, UNKNOWN},
        {"cow-child", EXACT, UNKNOWN},
        {"reuse", INFERRED, UNKNOWN},
        {"file-read", EXACT, UNKNOWN},
        {"file-around", EXACT, UNKNOWN},
        {"file-major", EXACT, UNKNOWN},
        {"file-cow", EXACT, UNKNOWN},
        {"file-cow-mapped", EXACT, UNKNOWN},
        {"file-shared", EXACT, UNKNOWN},
        {"file-mkwrite", INFERRED, UNKNOWN},
        {"shmem", EXACT, UNKNOWN},
        {"shmem-read", EXACT, UNKNOWN},
        {"shmem-anon", EXACT, UNKNOWN},
        {"segv-maperr", EXACT, UNKNOWN},
        {"segv-accerr", EXACT, UNKNOWN},
        {"segv-repair", EXACT, UNKNOWN},
        {"segv-guard", EXACT, UNKNOWN},
        {"exec-nx", EXACT, UNKNOWN},
        {"pkey", EXACT, UNKNOWN},
        {"bus-eof", INFERRED, UNKNOWN},
        {"bus-hugetlb", INFERRED, UNKNOWN},
        {"kernel-mode", EXACT, UNSEEN},
        {"kernel-file", EXACT, UNSEEN},
        {"gup-populate", COUNTED, COUNTED},
        {"gup-read", COUNTED, COUNTED},
        {"gup-vm-readv", COUNTED, COUNTED},
        {"futex-nofault", INFERRED, UNSEEN},
        {"efault", UNKNOWN, UNSEEN},
        {"threads", EXACT, UNKNOWN},
        {"manythreads", EXACT, UNKNOWN},
        {"children", EXACT, UNKNOWN},
        {"vfork", EXACT, UNKNOWN},
        {"exec", EXACT, UNKNOWN},
        {"execstorm", EXACT, UNKNOWN},
        {"mix", INFERRED, UNKNOWN},
        {"race", EXACT, UNKNOWN},
        {"signals", EXACT, UNKNOWN},
        {"exit-middle", EXACT, UNKNOWN},
        {"thp-new", EXACT, UNKNOWN},
        {"thp-zero", UNKNOWN, UNKNOWN},
        {"thp-wp", EXACT, UNKNOWN},
        {"thp-cow", UNKNOWN, UNKNOWN},
        {"thp-reuse", UNKNOWN, UNKNOWN},
        {"hugetlb", INFERRED, UNKNOWN},
        {"hugetlb-cow", INFERRED, UNKNOWN},
        {"uffd-missing", INFERRED, UNKNOWN},
        {"uffd-kernel", INFERRED, UNSEEN},
        {"uffd-wp", INFERRED, UNKNOWN},
        {"uffd-minor", INFERRED, UNKNOWN},
        {"uffd-sigbus", UNKNOWN, UNKNOWN},
        {"uffd-poison", UNKNOWN, UNKNOWN},
        {"swap-device", INFERRED, UNKNOWN},
        {"swap-cache", EXACT, UNKNOWN},
        {"zswap", INFERRED, UNKNOWN},
        {"stack-growth", EXACT, UNKNOWN},
        {"ksm", EXACT, UNKNOWN},
        {"numa-hint", UNKNOWN, UNKNOWN},
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
	static const char *const names[] = {"untested", "exact",   "inferred",
	                                    "?",        "counted", "unseen"};

	return (unsigned int)grade < sizeof(names) / sizeof(names[0]) ? names[grade] : "?";
}
