/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a file of `perf record -d -e page-faults[,minor-faults,major-faults] -c 1` as the
 * stream that a session would have delivered. With all three events each fault has its
 * duration (page-faults fires at the entry of the handler, the others at its end); with
 * fewer it has none. One thread owns it.
 */
#ifndef PGF_RECORD_PERFDATA_H
#define PGF_RECORD_PERFDATA_H

#include "observe/session.h"
#include "record/info.h"

struct pgf_perfdata;

/*
 * Reads the whole file into memory. Returns 0, or -errno with a line (reason, remedy) in
 * err: -EBADMSG (damaged, or no perf.data), -EOPNOTSUPP (written to a pipe, or compressed),
 * -ENOMSG (no page faults in it), -EINVAL (recorded without addresses).
 */
int pgf_perfdata_open(struct pgf_perfdata **out, const char *path, char *err, size_t err_size);
void pgf_perfdata_close(struct pgf_perfdata *perf); /* accepts NULL */
/* What the file tells of its machine; sample_period 0: sampled by frequency. */
const struct pgf_record_info *pgf_perfdata_info(const struct pgf_perfdata *perf);
/*
 * Delivers the stream in order of time; once. Mappings, forks and exits come as events;
 * faults are named by them alone. Records after a damaged one are left out: -EBADMSG, as when
 * the file ends too early. 0, -ENOMEM, or a sink's result.
 */
int pgf_perfdata_run(struct pgf_perfdata *perf, const struct pgf_sink *sink);
/* After run: what was seen and lost. The tasks' own counters are not known. */
const struct pgf_totals *pgf_perfdata_totals(const struct pgf_perfdata *perf);

#endif /* PGF_RECORD_PERFDATA_H */
