/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/closing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "show/escape.h"
#include "show/table.h"
#include "show/units.h"

#define TEXT_MAX 2048

uint64_t pgf_closing_wall(const struct pgf_run *run)
{
	const struct pgf_totals *totals = run->totals;

	return totals && totals->end_ns > totals->start_ns ? totals->end_ns - totals->start_ns : 0;
}

struct pgf_advice_run pgf_closing_advice_run(const struct pgf_run *run)
{
	const struct pgf_totals *totals = run->totals;

	return (struct pgf_advice_run){
	        .wall_ns = pgf_closing_wall(run),
	        .sampled = run->sample_period > 1 || run->by_frequency,
	        .space_lost = !totals || totals->lost_space || totals->lost_events,
	        .symbols = run->symbols,
	};
}

/* The columns of a word, and its bytes. */
static int word_columns(const char *text, size_t *length)
{
	size_t size = strlen(text);
	int columns = 0;

	*length = 0;
	while (*length < size && text[*length] != ' ') {
		uint32_t cp = 0;
		int bytes = pgf_utf8_next(text + *length, size - *length, &cp);

		columns += pgf_utf8_width(cp);
		*length += (size_t)bytes;
	}
	return columns;
}

void pgf_closing_wrap(FILE *out, int width, bool colour, enum pgf_colour as, const char *mark,
                      const char *text)
{
	char escaped[4 * TEXT_MAX];
	char word[4 * TEXT_MAX];
	const char *at = escaped;
	int indent = (int)strlen(mark);
	int used = indent;
	bool first = true;

	pgf_escape_terminal(escaped, sizeof(escaped), text);
	fprintf(out, "%s%s%s", pgf_colour_on(colour, as), mark, pgf_colour_off(colour));
	while (*at) {
		size_t length;
		int columns = word_columns(at, &length);

		/* A word longer than a line is cut, not broken: it is a name. */
		memcpy(word, at, length);
		word[length] = '\0';
		if (columns > width - indent) {
			char cut[4 * TEXT_MAX];

			columns = pgf_table_cut(cut, sizeof(cut), word, width - indent);
			memcpy(word, cut, strlen(cut) + 1);
		}
		if (!first && used + 1 + columns > width) {
			fprintf(out, "\n%*s", indent, "");
			used = indent;
			first = true;
		}
		used += fprintf(out, "%s%s", first ? "" : " ", word) < 0 ? 0 : columns + !first;
		first = false;
		at += length;
		while (*at == ' ')
			at++;
	}
	putc('\n', out);
}

static void line(FILE *out, const struct pgf_run *run, enum pgf_colour colour, const char *mark,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void line(FILE *out, const struct pgf_run *run, enum pgf_colour colour, const char *mark,
                 const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pgf_closing_wrap(out, run->width > 0 ? run->width : 80, run->colour, colour, mark, text);
}

void pgf_crosscheck(const struct pgf_run *run, struct pgf_crosscheck *check)
{
	const struct pgf_totals *totals = run->totals;
	struct pgf_stat total = {0};

	memset(check, 0, sizeof(*check));
	if (!totals || !run->account || pgf_account_total(run->account, &total) != 0)
		return;
	check->rows = total.count - total.failed - total.unfinished;
	check->seen = totals->seen;
	check->tasks = totals->task_min + totals->task_maj;
	if (run->sample_period <= 1 &&
	    (check->rows > check->seen ||
	     check->seen - check->rows > totals->lost_events + totals->lost_detail)) {
		check->check = PGF_CHECK_ACCOUNT;
		check->difference = check->rows > check->seen ? check->rows - check->seen
		                                              : check->seen - check->rows;
		return;
	}
	if (!totals->task_known)
		return;
	/* wait4 leaves out what nobody waited for: fewer than seen proves nothing. */
	if (totals->task_waited && check->seen > check->tasks)
		return;
	check->check = PGF_CHECK_EQUAL;
	if (check->tasks > check->seen)
		check->check = PGF_CHECK_GUP;
	else if (check->seen > check->tasks)
		check->check = PGF_CHECK_EXCESS;
	check->difference = check->tasks > check->seen ? check->tasks - check->seen
	                                               : check->seen - check->tasks;
}

static void write_check(FILE *out, const struct pgf_run *run)
{
	const struct pgf_totals *totals = run->totals;
	struct pgf_crosscheck check;
	char tail[128];

	pgf_crosscheck(run, &check);
	snprintf(tail, sizeof(tail),
	         "%" PRIu64 " failed, %" PRIu64 " unfinished, %" PRIu64 " refused", totals->failed,
	         totals->unfinished, totals->nofault);
	switch (check.check) {
	case PGF_CHECK_EQUAL:
		line(out, run, PGF_COLOUR_GREEN,
		     "check: ", "%" PRIu64 " seen = min + maj of the tasks; %s", check.seen, tail);
		break;
	case PGF_CHECK_GUP:
		line(out, run, PGF_COLOUR_GREEN, "check: ",
		     "%" PRIu64 " seen + %" PRIu64 " %s = %" PRIu64 " min + maj of the tasks%s; %s",
		     check.seen, check.difference,
		     totals->gup_separable ? "by get_user_pages"
		                           : "in kernel mode or by get_user_pages",
		     check.tasks, totals->task_waited ? " waited for" : "", tail);
		break;
	case PGF_CHECK_EXCESS:
		line(out, run, PGF_COLOUR_RED, "CHECK FAILED: ",
		     "%" PRIu64 " faults seen, but the tasks counted %" PRIu64
		     " (min + maj): %" PRIu64 " too many; do not trust these numbers; %s",
		     check.seen, check.tasks, check.difference, tail);
		break;
	case PGF_CHECK_ACCOUNT:
		line(out, run, PGF_COLOUR_RED, "CHECK FAILED: ",
		     "the tables hold %" PRIu64 " completed faults, but %" PRIu64
		     " were seen: %" PRIu64 " %s; do not trust these numbers; %s",
		     check.rows, check.seen, check.difference,
		     check.rows > check.seen ? "too many" : "missing", tail);
		break;
	case PGF_CHECK_UNKNOWN:
		if (totals->tasks_missed)
			line(out, run, PGF_COLOUR_YELLOW, "check: ",
			     "not possible: the min + maj of %" PRIu64
			     " tasks are not known (of %" PRIu64 " they are); %" PRIu64 " seen, %s",
			     totals->tasks_missed, totals->tasks, check.seen, tail);
		else
			line(out, run, PGF_COLOUR_YELLOW, "check: ",
			     "not possible: no complete counters of these tasks to compare with; "
			     "%" PRIu64 " seen, %s",
			     check.seen, tail);
		break;
	}
}

static void write_losses(FILE *out, const struct pgf_run *run)
{
	const struct pgf_totals *totals = run->totals;
	struct pgf_account_loss loss;

	pgf_account_loss(run->account, &loss);
	if (totals->lost_events)
		line(out, run, PGF_COLOUR_RED,
		     "LOST: ", "%" PRIu64 " faults were counted but are in no table",
		     totals->lost_events);
	if (totals->lost_detail)
		line(out, run, PGF_COLOUR_RED, "LOST: ", "address or code of %" PRIu64 " faults",
		     totals->lost_detail);
	if (totals->lost_space)
		line(out, run, PGF_COLOUR_RED,
		     "LOST: ", "%" PRIu64 " records of mappings: names may be missing or wrong",
		     totals->lost_space);
	if (totals->lost_stacks || loss.stacks)
		line(out, run, PGF_COLOUR_RED,
		     "LOST: ", "the stacks of %" PRIu64 " faults: they are under (no stack)",
		     totals->lost_stacks + loss.stacks);
	if (loss.ungrouped)
		line(out, run, PGF_COLOUR_RED, "LOST: ",
		     "%" PRIu64 " faults are in the sums without process or code: table full",
		     loss.ungrouped);
	if (loss.pages)
		line(out, run, PGF_COLOUR_YELLOW, "note: ",
		     "re-faults are undercounted: %" PRIu64 " pages were too many to remember",
		     loss.pages);
	if (!totals->lost_events && !totals->lost_detail && !totals->lost_space &&
	    !loss.ungrouped && !totals->lost_stacks && !loss.stacks)
		line(out, run, PGF_COLOUR_DIM, "lost: ", "nothing");
}

static void write_cost(FILE *out, const struct pgf_run *run, const struct pgf_stat *total)
{
	const struct pgf_totals *totals = run->totals;
	uint64_t wall = pgf_closing_wall(run);
	uint64_t faults = totals->entered_known && totals->entered > total->count ? totals->entered
	                                                                          : total->count;
	char one[16];
	char all[16];
	char share[16];

	if (!totals->fault_cost_ns) {
		line(out, run, PGF_COLOUR_DIM, "cost: ", "of tracing not measured");
		return;
	}
	line(out, run, PGF_COLOUR_DIM,
	     "cost: ", "tracing adds about %s to a fault here: %s in all, %s of the wall time",
	     pgf_units_ns(one, sizeof(one), totals->fault_cost_ns),
	     pgf_units_ns(all, sizeof(all), totals->fault_cost_ns * faults),
	     pgf_units_share(share, sizeof(share), totals->fault_cost_ns * faults, wall));
}

int pgf_closing_write(FILE *out, const struct pgf_run *run, const struct pgf_stat *total)
{
	line(out, run, PGF_COLOUR_DIM, "tier: ", "%s%s%s%s", run->tier ? run->tier : "?",
	     run->volume == PGF_VOLUME_AGGREGATE ? ", added up in the kernel" : "",
	     run->blind && *run->blind ? "; cannot see: " : "", run->blind ? run->blind : "");
	if (run->totals) {
		write_losses(out, run);
		write_cost(out, run, total);
		write_check(out, run);
	}
	return ferror(out) ? -EIO : 0;
}
