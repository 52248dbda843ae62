/* SPDX-License-Identifier: BSD-2-Clause */
/* What tracing costs here: measured, not looked up. */
#ifndef PGF_OBSERVE_COST_H
#define PGF_OBSERVE_COST_H

#include "observe/session.h"

/*
 * Lets a child fault in anonymous pages, by turns untraced and traced with the tier and
 * the options of opts (its target is ignored), and writes the difference of the medians
 * to *ns, 0 when it drowns in noise. Takes about 0.1 s. Returns 0 or -errno.
 */
int pgf_cost_measure(const struct pgf_session_opts *opts, uint64_t *ns);

#endif /* PGF_OBSERVE_COST_H */
