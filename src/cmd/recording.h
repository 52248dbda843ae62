/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording (.pgf or perf.data) played back: its address spaces are followed, the names of its
 * code are taken over, and its faults come with their mapping. Nothing of what runs now is
 * looked at. Not thread-safe.
 */
#ifndef PGF_CMD_RECORDING_H
#define PGF_CMD_RECORDING_H

#include "cmd/cmd.h"
#include "record/info.h"
#include "show/recorded.h"
#include "show/summary.h"

struct pgf_recording;

/* What comes out; NULL members are left out. A result that is not 0 ends the playing. */
struct pgf_recording_sink {
	void *ctx;
	bool quiet; /* no progress line: the terminal is being printed to */
	int (*fault)(void *ctx, const struct pgf_fault *fault, const struct pgf_map *map);
	int (*cell)(void *ctx, const struct pgf_cell *cell, const struct pgf_map *map);
	int (*space)(void *ctx, const struct pgf_space_event *event);
	int (*stack)(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count);
};

/* "-" is the standard input. 0, or -errno after complaining. */
int pgf_recording_open(struct pgf_recording **out, const char *path);
void pgf_recording_close(struct pgf_recording *recording); /* accepts NULL */

const struct pgf_record_info *pgf_recording_info(const struct pgf_recording *recording);
/* Both are for replay only, and belong to the recording. */
struct pgf_space *pgf_recording_space(struct pgf_recording *recording);
struct pgf_symbols *pgf_recording_symbols(struct pgf_recording *recording);

/*
 * Reads the names of code that stand behind the faults before play; a recording that comes
 * through a pipe gives them as far as it has. 0 or -errno after complaining.
 */
int pgf_recording_names(struct pgf_recording *recording);
/*
 * Plays everything that is whole; once. What is damaged or missing is told on stderr, and does
 * not count as an error. 0, a sink's result as it is, -ENOMEM, or -errno of reading.
 */
int pgf_recording_play(struct pgf_recording *recording, const struct pgf_recording_sink *sink);

/* After play: why it is not whole, NULL when it is. */
const char *pgf_recording_trouble(const struct pgf_recording *recording);
/* After play: of the session, or sums over what there is. */
const struct pgf_totals *pgf_recording_totals(const struct pgf_recording *recording);

/* The recording as the writers want it; after play with totals. Valid while it is open. */
void pgf_recording_describe(const struct pgf_recording *recording, struct pgf_recorded *recorded,
                            struct pgf_run *run);

#endif /* PGF_CMD_RECORDING_H */
