/* SPDX-License-Identifier: BSD-2-Clause */
/* The same numbers for machines: JSON, one object a line, and CSV. */
#ifndef PGF_SHOW_JSON_H
#define PGF_SHOW_JSON_H

#include <stdio.h>

#include "show/summary.h"

#define PGF_JSON_VERSION 1

/* The header line; account and totals of run may be NULL. 0 or -EIO. */
int pgf_json_header(FILE *out, const struct pgf_run *run);
/* One line a row of a view. 0, -EIO, -ENOMEM, -EINVAL. */
int pgf_json_rows(FILE *out, const struct pgf_run *run, enum pgf_by by);
/* Findings, one a line. 0, -EIO, -ENOMEM. */
int pgf_json_advice(FILE *out, const struct pgf_run *run);
/* Totals with losses and cross-check: the last line. 0 or -EIO. */
int pgf_json_totals(FILE *out, const struct pgf_run *run);
/* Header, all views, findings, totals. 0, -EIO, -ENOMEM. */
int pgf_json_write(FILE *out, const struct pgf_run *run);
/* The JSON schema of every line, one document. 0 or -EIO. */
int pgf_json_schema(FILE *out);

/*
 * A view as CSV with a title line; PGF_BY_STACK as folded stacks instead: functions outermost
 * first with ';' between them, a blank, the number of faults. 0, -EIO, -ENOMEM, -EINVAL.
 */
int pgf_csv_rows(FILE *out, const struct pgf_run *run, enum pgf_by by);

#endif /* PGF_SHOW_JSON_H */
