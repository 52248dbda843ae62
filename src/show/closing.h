/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines that close a summary: what is not known, what was lost, whether it adds up. */
#ifndef PGF_SHOW_CLOSING_H
#define PGF_SHOW_CLOSING_H

#include "account/advice.h"
#include "show/colour.h"
#include "show/summary.h"

/* Length of the run in ns; 0 when not known. */
uint64_t pgf_closing_wall(const struct pgf_run *run);
/* 0 or -EIO. */
int pgf_closing_write(FILE *out, const struct pgf_run *run, const struct pgf_stat *total);
/*
 * Writes unescaped text escaped, broken at spaces to width columns, behind mark; lines after
 * the first are indented.
 */
void pgf_closing_wrap(FILE *out, int width, bool colour, enum pgf_colour as, const char *mark,
                      const char *text);
/* What the advice needs to know of the run. */
struct pgf_advice_run pgf_closing_advice_run(const struct pgf_run *run);

#endif /* PGF_SHOW_CLOSING_H */
