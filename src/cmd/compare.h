/* SPDX-License-Identifier: BSD-2-Clause */
/* `pgfault report --compare`: two recordings beside each other. */
#ifndef PGF_CMD_COMPARE_H
#define PGF_CMD_COMPARE_H

#include "cmd/cmd.h"

/* The two operands of options. Returns the exit status. */
int pgf_compare(const struct pgf_options *options);

#endif /* PGF_CMD_COMPARE_H */
