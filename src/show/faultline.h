/* SPDX-License-Identifier: BSD-2-Clause */
/* One line a fault, for `trace`. */
#ifndef PGF_SHOW_FAULTLINE_H
#define PGF_SHOW_FAULTLINE_H

#include <stdbool.h>
#include <stdio.h>

#include "account/account.h"
#include "observe/space.h"
#include "symbol/symbol.h"

enum pgf_line_format {
	PGF_LINE_TABLE = 0,
	PGF_LINE_CLASSIC = 1, /* PID EXIT_CODE COMM DURATION_NS */
	PGF_LINE_CALLS = 2,   /* pid: N, comm: X called handle_mm_fault */
	PGF_LINE_RETURN = 3,  /* Return value: N */
	PGF_LINE_JSON = 4
};

struct pgf_line_opts {
	enum pgf_line_format format;
	bool timestamps;     /* a first column: seconds since start_ns */
	bool vm_fault_known; /* the tier delivers handle_mm_fault's result */
	int vmf_abi;         /* enum pgf_vmf_abi, for the names of its bits; < 0: not known */
	uint64_t start_ns;
	bool colour;
	int width; /* columns for PGF_LINE_TABLE; 0: no limit */
};

/* The header row; nothing for CALLS, RETURN and JSON (pgf_json_header() writes that). 0, -EIO. */
int pgf_faultline_header(FILE *out, const struct pgf_line_opts *opts);
/* map and symbol may be NULL. 0 or -EIO. */
int pgf_faultline_write(FILE *out, const struct pgf_line_opts *opts, const struct pgf_fault *fault,
                        const struct pgf_map *map, const struct pgf_symbol *symbol);
/*
 * The same with count frames of its stack, innermost first: below the line of PGF_LINE_TABLE, a
 * member of PGF_LINE_JSON. frames NULL: not known. 0 or -EIO.
 */
int pgf_faultline_stacked(FILE *out, const struct pgf_line_opts *opts,
                          const struct pgf_fault *fault, const struct pgf_map *map,
                          const struct pgf_symbol *symbol, const struct pgf_frame *frames,
                          size_t count);
/*
 * A line for the end of a process, PGF_LINE_TABLE only: its exit code or signal, of the wait
 * status. 0 or -EIO.
 */
int pgf_faultline_exit(FILE *out, const struct pgf_line_opts *opts,
                       const struct pgf_space_event *event, const char *comm);
/* -EINVAL */
int pgf_line_format_parse(const char *name);

#endif /* PGF_SHOW_FAULTLINE_H */
