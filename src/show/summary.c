/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/summary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "account/advice.h"
#include "show/closing.h"
#include "show/colour.h"
#include "show/escape.h"
#include "show/naming.h"
#include "show/table.h"
#include "show/units.h"

#define TOP_DEFAULT  6
#define KINDS_SHOWN  10
#define ADVICE_SHOWN 4
#define STACKS_SHOWN 3
#define FRAMES_SHOWN 6

static int width_of(const struct pgf_run *run)
{
	return run->width > 0 ? run->width : 80;
}

static size_t top_of(const struct pgf_run *run)
{
	return run->top ? run->top : TOP_DEFAULT;
}

/* The first line: what one came for. */
static void write_first(FILE *out, const struct pgf_run *run, const struct pgf_stat *total)
{
	uint64_t wall = pgf_closing_wall(run);
	char text[16];
	char share[16];

	fputs(pgf_colour_on(run->colour, PGF_COLOUR_BOLD), out);
	if (wall)
		fprintf(out, "%s wall, ", pgf_units_ns(text, sizeof(text), wall));
	fprintf(out, "%s faults", pgf_units_count(text, sizeof(text), total->count));
	if (total->timed) {
		fprintf(out, ", %s in faults", pgf_units_ns(text, sizeof(text), total->ns));
		if (wall)
			fprintf(out, " (%s)",
			        pgf_units_share(share, sizeof(share), total->ns, wall));
	}
	fprintf(out, ", %s major", pgf_units_count(text, sizeof(text), total->major));
	if (total->major_ns)
		fprintf(out, " (%s)", pgf_units_ns(text, sizeof(text), total->major_ns));
	fprintf(out, "%s\n", pgf_colour_off(run->colour));
}

/* The second: of what, and how it ended. */
static void write_second(FILE *out, const struct pgf_run *run)
{
	char status[40];
	char target[4096];
	char cut[4096];
	int room;

	pgf_naming_status(status, sizeof(status), run->status);
	pgf_escape_terminal(target, sizeof(target), run->target);
	room = width_of(run) - (*status ? (int)strlen(status) + 3 : 0);
	pgf_table_cut(cut, sizeof(cut), target, room);
	fprintf(out, "%s%s%s%s%s%s\n", pgf_colour_on(run->colour, PGF_COLOUR_DIM), cut,
	        *status ? " (" : "", status, *status ? ")" : "", pgf_colour_off(run->colour));
	if (run->by_frequency)
		fprintf(out, "%sonly some faults, at a frequency, are in these numbers%s\n",
		        pgf_colour_on(run->colour, PGF_COLOUR_YELLOW), pgf_colour_off(run->colour));
	else if (run->sample_period > 1)
		fprintf(out, "%sonly every %" PRIu64 "th fault is in these numbers%s\n",
		        pgf_colour_on(run->colour, PGF_COLOUR_YELLOW), run->sample_period,
		        pgf_colour_off(run->colour));
}

/* Cells. */

static int set_count(struct pgf_table *table, int column, uint64_t count)
{
	char text[16];

	return pgf_table_set(table, column, pgf_units_count(text, sizeof(text), count));
}

static int set_ns(struct pgf_table *table, int column, uint64_t ns, bool known)
{
	char text[16];

	return pgf_table_set(table, column, known ? pgf_units_ns(text, sizeof(text), ns) : "?");
}

static int set_share(struct pgf_table *table, int column, uint64_t part, uint64_t whole)
{
	char text[16];

	return pgf_table_set(table, column, pgf_units_share(text, sizeof(text), part, whole));
}

static enum pgf_colour row_colour(const struct pgf_row *row)
{
	if (row->class == PGF_CLASS_FAILED)
		return PGF_COLOUR_RED;
	return row->stat.major ? PGF_COLOUR_YELLOW : PGF_COLOUR_NONE;
}

/* The last row: what the limit cut off. */
static int add_rest(struct pgf_table *table, const struct pgf_rows *rows, int count_column,
                    int time_column)
{
	int err;

	if (rows->groups <= rows->count)
		return 0;
	err = pgf_table_row(table, PGF_COLOUR_DIM);
	if (!err)
		err = pgf_table_setf(table, 0, "(%zu more)", rows->groups - rows->count);
	if (!err)
		err = set_count(table, count_column, rows->rest.count);
	if (!err)
		err = set_ns(table, time_column, rows->rest.ns, rows->rest.timed);
	return err;
}

/* Tables. */

static const struct pgf_column kind_columns[] = {
        {.title = "KIND", .min = 10},           {.title = "COUNT", .align = PGF_RIGHT},
        {.title = "TIME", .align = PGF_RIGHT},  {.title = "P50", .align = PGF_RIGHT},
        {.title = "P99", .align = PGF_RIGHT},   {.title = "MAX", .align = PGF_RIGHT},
        {.title = "SHARE", .align = PGF_RIGHT},
};

static int kind_row(struct pgf_table *table, const struct pgf_row *row,
                    const struct pgf_stat *total)
{
	const struct pgf_stat *stat = &row->stat;
	bool timed = stat->timed > 0;
	char name[64];
	char text[16];
	int err = pgf_table_row(table, row_colour(row));

	pgf_naming_kind(name, sizeof(name), row->kind, row->class);
	if (!err && stat->inferred && stat->inferred < stat->count)
		err = pgf_table_setf(table, 0, "%s ~%s", name,
		                     pgf_units_count(text, sizeof(text), stat->inferred));
	else if (!err)
		err = pgf_table_setf(table, 0, "%s%s", name, stat->inferred ? " ~" : "");
	if (!err)
		err = set_count(table, 1, stat->count);
	if (!err)
		err = set_ns(table, 2, stat->ns, timed);
	if (!err)
		err = set_ns(table, 3, stat->p50_ns, stat->dist_known);
	if (!err)
		err = set_ns(table, 4, stat->p99_ns, stat->dist_known);
	if (!err)
		err = set_ns(table, 5, stat->max_ns, timed);
	if (!err)
		err = total->ns ? set_share(table, 6, stat->ns, total->ns)
		                : set_share(table, 6, stat->count, total->count);
	return err;
}

static const struct pgf_column map_columns[] = {
        {.title = "MAPPING", .min = 12},        {.title = "KINDS", .min = 10, .loose = true},
        {.title = "COUNT", .align = PGF_RIGHT}, {.title = "TIME", .align = PGF_RIGHT},
        {.title = "SHARE", .align = PGF_RIGHT}, {.title = "AGAIN", .align = PGF_RIGHT},
};

static int map_row(struct pgf_table *table, const struct pgf_row *row, const struct pgf_stat *total)
{
	char kinds[128];
	char map[4096];
	int err = pgf_table_row(table, row_colour(row));

	if (!err)
		err = pgf_table_set(table, 0,
		                    pgf_naming_map(map, sizeof(map), row->map, row->map_type));
	if (!err)
		err = pgf_table_set(table, 1, pgf_naming_kinds(kinds, sizeof(kinds), row));
	if (!err)
		err = set_count(table, 2, row->stat.count);
	if (!err)
		err = set_ns(table, 3, row->stat.ns, row->stat.timed);
	if (!err)
		err = total->ns ? set_share(table, 4, row->stat.ns, total->ns)
		                : set_share(table, 4, row->stat.count, total->count);
	if (!err && pgf_stat_again(total))
		err = set_count(table, 5, pgf_stat_again(&row->stat));
	return err;
}

static const struct pgf_column code_columns[] = {
        {.title = "CODE", .min = 14},
        {.title = "WHERE", .min = 10, .loose = true},
        {.title = "KINDS", .min = 10, .loose = true},
        {.title = "COUNT", .align = PGF_RIGHT},
        {.title = "TIME", .align = PGF_RIGHT},
};

static int code_row(struct pgf_table *table, const struct pgf_row *row,
                    const struct pgf_stat *total)
{
	char text[4096];
	int err = pgf_table_row(table, row_colour(row));

	if (!err)
		err = pgf_table_set(table, 0,
		                    pgf_naming_code(text, sizeof(text), row->symbol, row->ip));
	if (!err)
		err = pgf_table_set(table, 1, pgf_naming_place(text, sizeof(text), row->symbol));
	if (!err)
		err = pgf_table_set(table, 2, pgf_naming_kinds(text, sizeof(text), row));
	if (!err)
		err = set_count(table, 3, row->stat.count);
	return err ? err : set_ns(table, 4, row->stat.ns, row->stat.timed);
}

/* Any view, by its name. */
static const struct pgf_column plain_columns[] = {
        {.title = "NAME", .min = 12},          {.title = "PID", .align = PGF_RIGHT},
        {.title = "TID", .align = PGF_RIGHT},  {.title = "COUNT", .align = PGF_RIGHT},
        {.title = "TIME", .align = PGF_RIGHT}, {.title = "P99", .align = PGF_RIGHT},
        {.title = "MAX", .align = PGF_RIGHT},  {.title = "MAJOR", .align = PGF_RIGHT},
};

static int set_id(struct pgf_table *table, int column, uint32_t id)
{
	return id ? pgf_table_setf(table, column, "%u", id) : 0;
}

static int plain_row(struct pgf_table *table, const struct pgf_row *row,
                     const struct pgf_stat *total)
{
	char name[4096];
	int err = pgf_table_row(table, row_colour(row));

	if (!err)
		err = pgf_table_set(table, 0, pgf_naming_row(name, sizeof(name), row));
	if (!err)
		err = set_id(table, 1, row->pid);
	if (!err)
		err = set_id(table, 2, row->tid);
	if (!err)
		err = set_count(table, 3, row->stat.count);
	if (!err)
		err = set_ns(table, 4, row->stat.ns, row->stat.timed);
	if (!err)
		err = set_ns(table, 5, row->stat.p99_ns, row->stat.dist_known);
	if (!err)
		err = set_ns(table, 6, row->stat.max_ns, row->stat.timed);
	return err ? err : set_count(table, 7, row->stat.major);
}

/* Calls that gave memory back. */
static const struct pgf_column discard_columns[] = {
        {.title = "CODE", .min = 14},
        {.title = "WHERE", .min = 10, .loose = true},
        {.title = "CALL"},
        {.title = "CALLS", .align = PGF_RIGHT},
        {.title = "BYTES", .align = PGF_RIGHT},
        {.title = "AGAIN", .align = PGF_RIGHT},
};

static int discard_row(struct pgf_table *table, const struct pgf_row *row,
                       const struct pgf_stat *total)
{
	char text[4096];
	int err = pgf_table_row(table, PGF_COLOUR_NONE);

	if (!err)
		err = pgf_table_set(table, 0,
		                    pgf_naming_code(text, sizeof(text), row->symbol, row->ip));
	if (!err)
		err = pgf_table_set(table, 1, pgf_naming_place(text, sizeof(text), row->symbol));
	if (!err)
		err = pgf_table_set(table, 2, pgf_again_name(row->again));
	if (!err)
		err = set_count(table, 3, row->stat.count);
	if (!err)
		err = pgf_table_set(table, 4, pgf_units_bytes(text, sizeof(text), row->bytes));
	return err ? err : set_count(table, 5, pgf_stat_again(&row->stat));
}

/* Stacks: callers stand below, a line each. */
static const struct pgf_column stack_columns[] = {
        {.title = "STACK", .min = 16},
        {.title = "WHERE", .min = 10, .loose = true},
        {.title = "KINDS", .min = 10, .loose = true},
        {.title = "COUNT", .align = PGF_RIGHT},
        {.title = "TIME", .align = PGF_RIGHT},
};

static int frame_row(struct pgf_table *table, const struct pgf_frame *frame)
{
	char text[1024];
	char indented[1024 + 2];
	int err = pgf_table_row(table, PGF_COLOUR_NONE);

	pgf_naming_code(text, sizeof(text), frame->symbol, frame->ip);
	snprintf(indented, sizeof(indented), "  %s", text);
	if (!err)
		err = pgf_table_set(table, 0, indented);
	if (!err)
		err = pgf_table_set(table, 1, pgf_naming_place(text, sizeof(text), frame->symbol));
	return err;
}

static int stack_rows(struct pgf_table *table, const struct pgf_row *row, uint32_t frames)
{
	char text[4096];
	int err = pgf_table_row(table, row_colour(row));
	uint32_t i;

	/* One line says no more than the frame that it would leave out. */
	if (row->frame_count <= frames + 1)
		frames = row->frame_count;
	if (!err)
		err = pgf_table_set(table, 0, pgf_naming_row(text, sizeof(text), row));
	if (!err)
		err = pgf_table_set(table, 1, pgf_naming_place(text, sizeof(text), row->symbol));
	if (!err)
		err = pgf_table_set(table, 2, pgf_naming_kinds(text, sizeof(text), row));
	if (!err)
		err = set_count(table, 3, row->stat.count);
	if (!err)
		err = set_ns(table, 4, row->stat.ns, row->stat.timed);
	for (i = 1; i < frames && !err; i++)
		err = frame_row(table, &row->frames[i]);
	if (!err && frames < row->frame_count)
		err = pgf_table_row(table, PGF_COLOUR_DIM);
	if (!err && frames < row->frame_count)
		err = pgf_table_setf(table, 0, "  … %u more", row->frame_count - frames);
	return err;
}

static int stack_row(struct pgf_table *table, const struct pgf_row *row,
                     const struct pgf_stat *total)
{
	return stack_rows(table, row, FRAMES_SHOWN);
}

static int whole_stack_row(struct pgf_table *table, const struct pgf_row *row,
                           const struct pgf_stat *total)
{
	return stack_rows(table, row, UINT32_MAX - 1);
}

/* How a view is drawn. */
struct drawing {
	const struct pgf_column *columns;
	int count;
	int count_column; /* of COUNT and TIME in the row of the rest; 0: no such row */
	int time_column;
	int (*row)(struct pgf_table *table, const struct pgf_row *row,
	           const struct pgf_stat *total);
};

#define COLUMNS(columns) columns, (int)(sizeof(columns) / sizeof(*(columns)))

/* whole: the view alone, not in a screen of several. */
static struct drawing drawing_of(enum pgf_by by, const struct pgf_stat *total, bool whole)
{
	struct drawing drawing = {COLUMNS(plain_columns), 3, 4, plain_row};

	if (by == PGF_BY_KIND)
		drawing = (struct drawing){COLUMNS(kind_columns), 1, 2, kind_row};
	else if (by == PGF_BY_MAP)
		drawing = (struct drawing){COLUMNS(map_columns), 2, 3, map_row};
	else if (by == PGF_BY_CODE)
		drawing = (struct drawing){COLUMNS(code_columns), 3, 4, code_row};
	else if (by == PGF_BY_DISCARD)
		drawing = (struct drawing){COLUMNS(discard_columns), 0, 0, discard_row};
	else if (by == PGF_BY_STACK)
		drawing = (struct drawing){COLUMNS(stack_columns), 3, 4,
		                           whole ? whole_stack_row : stack_row};
	/* The column of re-faults only where there are some. */
	if (by == PGF_BY_MAP && !pgf_stat_again(total))
		drawing.count--;
	return drawing;
}

static int write_view(FILE *out, const struct pgf_run *run, enum pgf_by by, size_t limit,
                      const struct pgf_stat *total, bool whole)
{
	struct drawing drawing = drawing_of(by, total, whole);
	struct pgf_table *table = NULL;
	struct pgf_rows *rows;
	size_t i;
	int err = pgf_account_rows(run->account, by, run->sort, limit, run->symbols, &rows);

	if (err)
		return err;
	err = pgf_table_new(&table, drawing.columns, drawing.count);
	for (i = 0; i < rows->count && !err; i++)
		err = drawing.row(table, &rows->row[i], total);
	if (!err && drawing.count_column)
		err = add_rest(table, rows, drawing.count_column, drawing.time_column);
	if (!err && rows->count)
		err = pgf_table_write(table, out, width_of(run), 0, run->colour);
	pgf_table_free(table);
	pgf_rows_free(rows);
	return err;
}

static int write_advice(FILE *out, const struct pgf_run *run)
{
	struct pgf_advice advice[PGF_ADVICE_MAX];
	struct pgf_advice_run about = pgf_closing_advice_run(run);
	int count = pgf_advice_find(run->account, &about, advice, PGF_ADVICE_MAX);
	int i;

	if (count <= 0)
		return count;
	putc('\n', out);
	for (i = 0; i < count && i < ADVICE_SHOWN; i++)
		pgf_closing_wrap(out, width_of(run), run->colour, PGF_COLOUR_CYAN, "! ",
		                 advice[i].text);
	if (count > ADVICE_SHOWN)
		fprintf(out, "  (%d more in --json)\n", count - ADVICE_SHOWN);
	return 0;
}

/* Whether any fault is marked as inferred, for the legend. */
static void write_legend(FILE *out, const struct pgf_run *run, const struct pgf_stat *total)
{
	if (total->inferred)
		pgf_closing_wrap(
		        out, width_of(run), run->colour, PGF_COLOUR_DIM, "~ ",
		        "the usual kind of several that fit what was seen; ~N: of N of them");
}

int pgf_summary_write(FILE *out, const struct pgf_run *run)
{
	struct pgf_stat total;
	int err = pgf_account_total(run->account, &total);

	if (err)
		return err;
	write_first(out, run, &total);
	write_second(out, run);
	if (total.count) {
		putc('\n', out);
		err = write_view(out, run, PGF_BY_KIND, KINDS_SHOWN, &total, false);
		write_legend(out, run, &total);
	}
	if (!err && total.count) {
		putc('\n', out);
		err = write_view(out, run, PGF_BY_MAP, top_of(run), &total, false);
	}
	if (!err && total.count) {
		putc('\n', out);
		err = write_view(out, run, PGF_BY_CODE, top_of(run), &total, false);
	}
	if (!err && pgf_account_stacked(run->account)) {
		putc('\n', out);
		err = write_view(out, run, PGF_BY_STACK, run->top ? run->top : STACKS_SHOWN, &total,
		                 false);
	}
	if (!err)
		err = write_advice(out, run);
	if (!err && !run->quiet_closing) {
		putc('\n', out);
		err = pgf_closing_write(out, run, &total);
	}
	if (!err && ferror(out))
		err = -EIO;
	return err;
}

int pgf_summary_table(FILE *out, const struct pgf_run *run, enum pgf_by by)
{
	struct pgf_stat total;
	int err = pgf_account_total(run->account, &total);

	if (!err)
		err = write_view(out, run, by, run->top, &total, true);
	if (!err && ferror(out))
		err = -EIO;
	return err;
}
