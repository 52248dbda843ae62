/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own counters of faults: of a task, the machine, a cgroup. Stateless; safe
 * from any thread.
 */
#ifndef PGF_OBSERVE_COUNTERS_H
#define PGF_OBSERVE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PGF_COUNTER_NAME 40
#define PGF_COUNTERS_MAX 96

struct pgf_counter {
	char name[PGF_COUNTER_NAME]; /* as the kernel spells it */
	uint64_t value;
};

struct pgf_counters {
	uint64_t time_ns; /* CLOCK_MONOTONIC, when reading began */
	size_t count;
	struct pgf_counter list[PGF_COUNTERS_MAX];
};

/*
 * min_flt and maj_flt of one thread (tid of process pid). Returns 0, -ESRCH when there is
 * no such task, or -errno.
 */
int pgf_counters_task(pid_t pid, pid_t tid, uint64_t *minor, uint64_t *major);
/* The same of a whole process, its ended threads included, its children not. */
int pgf_counters_process(pid_t pid, uint64_t *minor, uint64_t *major);
/*
 * What has to do with faults in /proc/vmstat: faults, swapping, refaults, huge pages,
 * migration, reclaim stalls. Returns 0 or -errno.
 */
int pgf_counters_machine(struct pgf_counters *out);
/*
 * The same of memory.stat in a cgroup's directory. Returns 0 or -errno (-ENOENT when the
 * memory controller is not on there).
 */
int pgf_counters_cgroup(const char *path, struct pgf_counters *out);
/* The value of a counter, or -ENOENT when the kernel does not have it. */
int pgf_counters_get(const struct pgf_counters *counters, const char *name, uint64_t *value);

#endif /* PGF_OBSERVE_COUNTERS_H */
