/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel tells at the end of every task of the machine (generic netlink
 * TASKSTATS, Documentation/accounting/taskstats.rst). One thread owns a listener.
 */
#ifndef PGF_OBSERVE_TASKSTATS_H
#define PGF_OBSERVE_TASKSTATS_H

#include <stdint.h>
#include <sys/types.h>

#define PGF_EXIT_COMM 32

/* The accounting of one ended thread. */
struct pgf_exit_stats {
	pid_t pid; /* thread group; 0 when the kernel does not say (before Linux 5.18) */
	pid_t tid;
	uint64_t minflt;
	uint64_t majflt;
	uint64_t utime_ns;
	uint64_t stime_ns;
	int exit_code; /* wait status */
	char comm[PGF_EXIT_COMM];
};

struct pgf_taskstats;

/*
 * Listens from now on. Returns 0 or -errno: -EPERM without CAP_NET_ADMIN or inside a
 * user or PID namespace, -ENOENT without CONFIG_TASKSTATS or inside a net namespace.
 */
int pgf_taskstats_open(struct pgf_taskstats **out);
/* Readable when there is something to drain. */
int pgf_taskstats_fd(const struct pgf_taskstats *stats);
/* Calls fn for every exit that has been reported. Never waits. 0 or -errno. */
int pgf_taskstats_drain(struct pgf_taskstats *stats,
                        void (*fn)(void *ctx, const struct pgf_exit_stats *stats), void *ctx);
/* How often the socket overflowed; each time an unknown number of exits was lost. */
uint64_t pgf_taskstats_overflows(const struct pgf_taskstats *stats);
void pgf_taskstats_close(struct pgf_taskstats *stats); /* accepts NULL */

#endif /* PGF_OBSERVE_TASKSTATS_H */
