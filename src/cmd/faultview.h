/* SPDX-License-Identifier: BSD-2-Clause */
/* Single faults, chosen and printed: what `trace` does live and `report --format` later. */
#ifndef PGF_CMD_FAULTVIEW_H
#define PGF_CMD_FAULTVIEW_H

#include "account/stacks.h"
#include "cmd/cmd.h"
#include "show/faultline.h"
#include "show/summary.h"

struct pgf_faultview {
	const struct pgf_options *options; /* the filters */
	struct pgf_space *space;
	struct pgf_symbols *symbols;
	struct pgf_line_opts line;
	FILE *out;
	struct pgf_stackbook *stacks; /* NULL until the first; freed by pgf_faultview_clear() */
	uint64_t shown;
	uint32_t last_pid; /* held already: faults come in bursts of one process */
};

/* Whether --kind, --min-us, --addr and --map let a fault through; map may be NULL. */
bool pgf_faultview_wants(const struct pgf_options *options, const struct pgf_fault *fault,
                         const struct pgf_map *map);
/* Fills view->line from --format, --json and -T, for a kernel release. -EINVAL: complained. */
int pgf_faultview_format(struct pgf_faultview *view, const char *release);
/* What comes before the lines: titles, or the JSON header of run. 0 or -EIO. */
int pgf_faultview_begin(struct pgf_faultview *view, const struct pgf_run *run);
/* Keeps a stack for the faults that come with its id. 0 or -ENOMEM. */
int pgf_faultview_stack(struct pgf_faultview *view, uint32_t stack_id, const uint64_t *ips,
                        size_t count);
/* Prints the line of a fault, and its stack, when it is wanted; map may be NULL. 0 or -EIO. */
int pgf_faultview_fault(struct pgf_faultview *view, const struct pgf_fault *fault,
                        const struct pgf_map *map);
/* Prints the line of a process's end; other events are passed over. 0 or -EIO. */
int pgf_faultview_space(struct pgf_faultview *view, const struct pgf_space_event *event);
/* The closing line, on stderr: the others may feed another program. */
void pgf_faultview_end(struct pgf_faultview *view, const struct pgf_totals *totals,
                       const char *tier);

void pgf_faultview_clear(struct pgf_faultview *view);

#endif /* PGF_CMD_FAULTVIEW_H */
