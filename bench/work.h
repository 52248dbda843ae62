/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Things a program does that tracing page faults may make dearer, each timed by itself.
 * The works return nanoseconds of CPU for one of what they do (interrupts that come meanwhile
 * are in them, waiting for a CPU is not), or a negative number when they could not.
 */
#ifndef PGF_BENCH_WORK_H
#define PGF_BENCH_WORK_H

#include <stddef.h>
#include <stdint.h>

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t work_now_ns(void);

/* Keeps the calling thread on one CPU: 0 or -errno. */
int work_pin(int cpu);

/* First writes to pages of new anonymous memory, small pages only. */
double work_faults(size_t pages);

/* System calls that no mode of pgfault asks about: getppid(2). */
double work_calls(size_t count);

/* System calls that pgfault records: madvise(2) with nothing to discard. */
double work_advice(size_t count);

/* Switches between two processes on one CPU, by a byte through a pipe; count is even. */
double work_switches(size_t count);

#endif /* PGF_BENCH_WORK_H */
