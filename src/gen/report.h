/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GEN_REPORT_H
#define GEN_REPORT_H

#include "gen/gen.h"

#include <stdio.h>

/* Writes the result as one JSON object on one line. */
void gen_report_json(FILE *out, const struct gen_result *r, bool exact);
/* Writes the result as one line for people. */
void gen_report_text(FILE *out, const struct gen_result *r, bool exact);

#endif /* GEN_REPORT_H */
