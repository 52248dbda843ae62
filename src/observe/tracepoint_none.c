/* SPDX-License-Identifier: BSD-2-Clause */
/* The tracepoint tier of a build without BPF: it only says so. */
#include "observe/source.h"

#include <errno.h>
#include <stdio.h>

static int none_open(struct pgf_source **out, const struct pgf_session_opts *opts, pid_t child,
                     const struct pgf_feed *feed, struct pgf_totals *totals, char *err,
                     size_t err_size)
{
	snprintf(err, err_size,
	         "tracepoint: this pgfault was built without BPF: use --tier perf, or build "
	         "with -Dbpf=enabled");
	return -ENOTSUP;
}

const struct pgf_source_ops pgf_source_tracepoint = {
        .tier = PGF_TIER_TRACEPOINT,
        .open = none_open,
};
