/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events of the address spaces from perf's own records: mmap2, fork, exit, comm and
 * exec of the target's tasks, through a dummy software event. Works without privileges
 * for one's own processes, and needs no BPF. munmap, mremap and madvise are not among them.
 */
#ifndef PGF_OBSERVE_META_H
#define PGF_OBSERVE_META_H

#include "observe/source.h"

struct pgf_meta;

/*
 * Opens the records for the target: per CPU with inherit for a held command (child), per
 * CPU for all and cgroup, threads x CPUs for pids. Enabled from the start. For pids it
 * then sends CLEAR and MMAP events made from /proc/PID/maps, so that nothing falls
 * between. Returns 0, or -errno with a line in err.
 */
int pgf_meta_open(struct pgf_meta **out, const struct pgf_target *target, pid_t child,
                  const struct pgf_feed *feed, struct pgf_totals *totals, char *err,
                  size_t err_size);
size_t pgf_meta_fds(struct pgf_meta *meta, int *fds, size_t size);
/* Delivers what is there; no later event will be older than *watermark_ns. */
int pgf_meta_drain(struct pgf_meta *meta, uint64_t *watermark_ns);
void pgf_meta_close(struct pgf_meta *meta); /* accepts NULL */

#endif /* PGF_OBSERVE_META_H */
