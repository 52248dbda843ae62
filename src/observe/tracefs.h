/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracepoint ids and formats from tracefs, mounted or not: when it is mounted nowhere, a
 * private mount that only this process can reach is used (fsopen(2), root).
 */
#ifndef PGF_OBSERVE_TRACEFS_H
#define PGF_OBSERVE_TRACEFS_H

#include <stddef.h>

/* Returns a directory descriptor of tracefs' events, or -errno (-ENOENT: not to be had). */
int pgf_tracefs_open(void);
/* The id of "group/name", or -errno. */
int pgf_tracefs_id(int events, const char *tracepoint);
/*
 * The offset of a field in the record of "group/name", or -errno; *size gets the field's
 * size in bytes unless it is NULL.
 */
int pgf_tracefs_field(int events, const char *tracepoint, const char *field, int *size);
/* Opens the tracepoint as a perf event of one CPU to hang a BPF program on; fd or -errno. */
int pgf_tracefs_perf_open(int events, const char *tracepoint, int cpu);

#endif /* PGF_OBSERVE_TRACEFS_H */
