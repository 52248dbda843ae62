/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a recording comes from, for the head of a report. */
#ifndef PGF_SHOW_RECORDED_H
#define PGF_SHOW_RECORDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "record/info.h"

/* Nothing in it is owned; texts are unescaped, and empty or NULL when not known. */
struct pgf_recorded {
	const char *file;
	const char *format; /* "pgf", "perf.data" */
	const struct pgf_record_info *info;
	const char *tier;
	const char *trouble; /* why it is not whole; NULL: it is */
	uint64_t wall_ns;    /* CLOCK_REALTIME at its start; 0 */
	bool filtered;       /* not all of its faults are shown */
	bool with_command;   /* name the command in the text */
};

/* "2025-01-31 12:00:00 +0100" in local time, "?" for 0; returns buf. 40 bytes are enough. */
char *pgf_recorded_when(char *buf, size_t size, uint64_t wall_ns);
/* The arguments of a command with blanks between them, "?" without one; returns buf. */
char *pgf_recorded_command(char *buf, size_t size, const struct pgf_record_info *info);
/* One wrapped line of text. 0 or -EIO. */
int pgf_recorded_write(FILE *out, const struct pgf_recorded *recorded, int width, bool colour);
/* One line of JSON. 0 or -EIO. */
int pgf_recorded_json(FILE *out, const struct pgf_recorded *recorded);

#endif /* PGF_SHOW_RECORDED_H */
