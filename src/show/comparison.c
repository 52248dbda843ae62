/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/comparison.h"

#include <errno.h>
#include <inttypes.h>

#include "show/closing.h"
#include "show/escape.h"
#include "show/fields.h"
#include "show/json.h"
#include "show/table.h"
#include "show/units.h"

/* Both sides know all durations of what they have. */
static bool is_timed(const struct pgf_compared_row *row)
{
	return (row->side[0].timed || !row->side[0].count) &&
	       (row->side[1].timed || !row->side[1].count);
}

/* Text. */

static char *ratio_text(char *buf, size_t size, uint64_t a, uint64_t b)
{
	double ratio = a ? (double)b / (double)a : 0;

	if (a == b)
		snprintf(buf, size, "=");
	else if (!a)
		snprintf(buf, size, "new");
	else if (!b)
		snprintf(buf, size, "gone");
	else if (ratio > 999)
		snprintf(buf, size, ">999");
	else
		snprintf(buf, size, "%.*f", ratio < 9.995 ? 2 : ratio < 99.95 ? 1 : 0, ratio);
	return buf;
}

typedef char *(*units_fn)(char *buf, size_t size, uint64_t value);

static int set_difference(struct pgf_table *table, int column, uint64_t a, uint64_t b,
                          units_fn units)
{
	char text[16];

	if (a == b)
		return pgf_table_set(table, column, "0");
	return pgf_table_setf(table, column, "%s%s", b > a ? "+" : "-",
	                      units(text, sizeof(text), b > a ? b - a : a - b));
}

/* Four columns: a, b, difference, ratio. */
static int set_four(struct pgf_table *table, int column, const uint64_t value[2],
                    const bool known[2], units_fn units)
{
	char text[16];
	int err = 0;

	for (int i = 0; i < 2 && !err; i++)
		err = pgf_table_set(table, column + i,
		                    known[i] ? units(text, sizeof(text), value[i]) : "?");
	if (err || !known[0] || !known[1])
		return err;
	err = set_difference(table, column + 2, value[0], value[1], units);
	if (err)
		return err;
	return pgf_table_set(table, column + 3, ratio_text(text, sizeof(text), value[0], value[1]));
}

static const struct pgf_column text_columns[] = {
        {.title = "", .min = 10},
        {.title = "COUNT A", .align = PGF_RIGHT},
        {.title = "COUNT B", .align = PGF_RIGHT},
        {.title = "B - A", .align = PGF_RIGHT},
        {.title = "B/A", .align = PGF_RIGHT},
        {.title = "TIME A", .align = PGF_RIGHT},
        {.title = "TIME B", .align = PGF_RIGHT},
        {.title = "B - A", .align = PGF_RIGHT},
        {.title = "B/A", .align = PGF_RIGHT},
};
#define TEXT_COLUMNS ((int)(sizeof(text_columns) / sizeof(*text_columns)))

static int text_row(struct pgf_table *table, const struct pgf_compared_row *row,
                    enum pgf_colour colour)
{
	const uint64_t count[2] = {row->side[0].count, row->side[1].count};
	const uint64_t ns[2] = {row->side[0].ns, row->side[1].ns};
	const bool counted[2] = {true, true};
	const bool timed[2] = {row->side[0].timed || !count[0], row->side[1].timed || !count[1]};
	int err = pgf_table_row(table, colour);

	if (!err)
		err = pgf_table_set(table, 0, row->name);
	if (!err)
		err = set_four(table, 1, count, counted, pgf_units_count);
	return err ? err : set_four(table, 5, ns, timed, pgf_units_ns);
}

/* The titles name the view; the table wants them to outlive it. */
static void columns_make(struct pgf_column columns[], char *title, size_t size, enum pgf_by by)
{
	size_t used;

	for (int i = 0; i < TEXT_COLUMNS; i++)
		columns[i] = text_columns[i];
	snprintf(title, size, "%s", pgf_by_name(by));
	for (used = 0; title[used]; used++)
		if (title[used] >= 'a' && title[used] <= 'z')
			title[used] = (char)(title[used] - 'a' + 'A');
	columns[0].title = title;
}

static int write_table(FILE *out, const struct pgf_comparison *c)
{
	struct pgf_column columns[TEXT_COLUMNS];
	struct pgf_table *table;
	char title[16];
	int err;

	columns_make(columns, title, sizeof(title), c->by);
	err = pgf_table_new(&table, columns, TEXT_COLUMNS);
	for (size_t i = 0; i < c->count && !err; i++)
		err = text_row(table, &c->row[i], PGF_COLOUR_NONE);
	if (!err && c->groups > c->count) {
		err = pgf_table_row(table, PGF_COLOUR_DIM);
		if (!err)
			err = pgf_table_setf(table, 0, "(%zu more)", c->groups - c->count);
	}
	if (!err)
		err = text_row(table, &c->total, PGF_COLOUR_BOLD);
	if (!err)
		err = pgf_table_write(table, out, c->width, 0, c->colour);
	pgf_table_free(table);
	return err;
}

static void write_side(FILE *out, const struct pgf_comparison *c, int side)
{
	const struct pgf_recorded *r = c->recorded[side];
	char text[2048], when[40];

	snprintf(text, sizeof(text), "%s: %s on %s, Linux %s, %s tier: %s", r->file,
	         pgf_recorded_when(when, sizeof(when), r->wall_ns),
	         *r->info->host ? r->info->host : "?",
	         c->run[side]->kernel ? c->run[side]->kernel : "?", c->run[side]->tier,
	         c->run[side]->target);
	pgf_closing_wrap(out, c->width, c->colour, PGF_COLOUR_DIM, side ? "B: " : "A: ", text);
}

int pgf_comparison_write(FILE *out, const struct pgf_comparison *c)
{
	int err;

	write_side(out, c, 0);
	write_side(out, c, 1);
	for (size_t i = 0; i < c->differ_count; i++)
		pgf_closing_wrap(out, c->width, c->colour, PGF_COLOUR_RED,
		                 "NOT THE SAME: ", c->differs[i]);
	putc('\n', out);
	err = write_table(out, c);
	return !err && ferror(out) ? -EIO : err;
}

/* JSON. */

static const struct pgf_comparison *comparison_of(const void *object)
{
	return object;
}

static void put_side(FILE *out, const struct pgf_comparison *c, int side)
{
	const struct pgf_recorded *r = c->recorded[side];
	const struct pgf_run *run = c->run[side];

	fputs("{\"file\":", out);
	pgf_escape_json(out, r->file);
	fputs(",\"target\":", out);
	pgf_escape_json(out, run->target);
	fputs(",\"kernel\":", out);
	if (run->kernel)
		pgf_escape_json(out, run->kernel);
	else
		fputs("null", out);
	fputs(",\"tier\":", out);
	pgf_escape_json(out, run->tier);
	if (r->wall_ns)
		fprintf(out, ",\"start_wall_ns\":%" PRIu64, r->wall_ns);
	else
		fputs(",\"start_wall_ns\":null", out);
	fputs(",\"trouble\":", out);
	if (r->trouble)
		pgf_escape_json(out, r->trouble);
	else
		fputs("null", out);
	putc('}', out);
}

static void put_a(FILE *out, const void *object)
{
	put_side(out, object, 0);
}

static void put_b(FILE *out, const void *object)
{
	put_side(out, object, 1);
}

static void put_by(FILE *out, const void *object)
{
	pgf_escape_json(out, pgf_by_name(comparison_of(object)->by));
}

static void put_version(FILE *out, const void *object)
{
	fprintf(out, "%d", PGF_JSON_VERSION);
}

static void put_program(FILE *out, const void *object)
{
	pgf_escape_json(out, comparison_of(object)->run[0]->version);
}

static void put_differs(FILE *out, const void *object)
{
	const struct pgf_comparison *c = object;

	putc('[', out);
	for (size_t i = 0; i < c->differ_count; i++) {
		if (i)
			putc(',', out);
		pgf_escape_json(out, c->differs[i]);
	}
	putc(']', out);
}

#define PUT(name, put, schema, about)                                                              \
	{                                                                                          \
		name, PGF_FIELD_CUSTOM, 0, about, NULL, put, schema                                \
	}
#define STRING "\"type\":\"string\""
#define SIDE                                                                                       \
	"\"type\":\"object\",\"properties\":{\"file\":{\"type\":\"string\"},\"target\":{"          \
	"\"type\":\"string\"},\"kernel\":{\"type\":[\"string\",\"null\"]},\"tier\":{\"type\":"     \
	"\"string\"},\"start_wall_ns\":{\"type\":[\"integer\",\"null\"]},\"trouble\":{\"type\":["  \
	"\"string\",\"null\"]}}"

static const struct pgf_field comparison_fields[] = {
        PUT("pgfault", put_program, STRING, "version of the program"),
        PUT("version", put_version, "\"type\":\"integer\"", "of this format"),
        PUT("by", put_by, STRING, "the view"),
        PUT("a", put_a, SIDE, "the first recording"),
        PUT("b", put_b, SIDE, "the second one"),
        PUT("differs", put_differs, "\"type\":\"array\",\"items\":{\"type\":\"string\"}",
            "what makes the two hard to compare"),
        {NULL, PGF_FIELD_TEXT, 0, NULL, NULL, NULL, NULL},
};

const struct pgf_line_type pgf_line_comparison = {"comparison", "first line of report --compare",
                                                  comparison_fields};

/* One row, as JSON and CSV have it. */

struct difference {
	const struct pgf_compared_row *row;
	enum pgf_by by;
	bool total;
};

static const struct difference *difference_of(const void *object)
{
	return object;
}

static void put_row_by(FILE *out, const void *object)
{
	const struct difference *d = object;

	pgf_escape_json(out, d->total ? "total" : pgf_by_name(d->by));
}

static void put_row_name(FILE *out, const void *object)
{
	pgf_escape_json(out, difference_of(object)->row->whole);
}

static void put_values(FILE *out, const struct pgf_compared *side)
{
	fprintf(out, "{\"count\":%" PRIu64 ",\"major\":%" PRIu64, side->count, side->major);
	if (side->timed || !side->count)
		fprintf(out, ",\"ns\":%" PRIu64 ",\"max_ns\":%" PRIu64 "}", side->ns, side->max_ns);
	else
		fputs(",\"ns\":null,\"max_ns\":null}", out);
}

static void put_row_a(FILE *out, const void *object)
{
	put_values(out, &difference_of(object)->row->side[0]);
}

static void put_row_b(FILE *out, const void *object)
{
	put_values(out, &difference_of(object)->row->side[1]);
}

static void put_signed(FILE *out, uint64_t a, uint64_t b)
{
	fprintf(out, "%s%" PRIu64, b < a ? "-" : "", b < a ? a - b : b - a);
}

/* Nothing without a denominator. */
static void put_ratio(FILE *out, uint64_t a, uint64_t b, const char *none)
{
	if (a)
		fprintf(out, "%.6g", (double)b / (double)a);
	else
		fputs(none, out);
}

static void put_count_diff(FILE *out, const void *object)
{
	const struct pgf_compared *side = difference_of(object)->row->side;

	put_signed(out, side[0].count, side[1].count);
}

static void put_count_ratio(FILE *out, const void *object)
{
	const struct pgf_compared *side = difference_of(object)->row->side;

	put_ratio(out, side[0].count, side[1].count, "null");
}

static void put_ns_diff(FILE *out, const void *object)
{
	const struct pgf_compared_row *row = difference_of(object)->row;

	if (is_timed(row))
		put_signed(out, row->side[0].ns, row->side[1].ns);
	else
		fputs("null", out);
}

static void put_ns_ratio(FILE *out, const void *object)
{
	const struct pgf_compared_row *row = difference_of(object)->row;

	if (is_timed(row))
		put_ratio(out, row->side[0].ns, row->side[1].ns, "null");
	else
		fputs("null", out);
}

#define VALUES                                                                                     \
	"\"type\":\"object\",\"properties\":{\"count\":{\"type\":\"integer\"},\"major\":{"         \
	"\"type\":\"integer\"},\"ns\":{\"type\":[\"integer\",\"null\"]},\"max_ns\":{\"type\":["    \
	"\"integer\",\"null\"]}}"
#define NULL_INTEGER "\"type\":[\"integer\",\"null\"]"
#define NULL_NUMBER  "\"type\":[\"number\",\"null\"]"

static const struct pgf_field difference_fields[] = {
        PUT("by", put_row_by, STRING, "the view, or total"),
        PUT("name", put_row_name, STRING, "kind, mapping, code, ..."),
        PUT("a", put_row_a, VALUES, "ns null: durations are not known"),
        PUT("b", put_row_b, VALUES, NULL),
        PUT("count_diff", put_count_diff, "\"type\":\"integer\"", "b - a"),
        PUT("count_ratio", put_count_ratio, NULL_NUMBER, "b / a; null: a is 0"),
        PUT("ns_diff", put_ns_diff, NULL_INTEGER, NULL),
        PUT("ns_ratio", put_ns_ratio, NULL_NUMBER, NULL),
        {NULL, PGF_FIELD_TEXT, 0, NULL, NULL, NULL, NULL},
};

const struct pgf_line_type pgf_line_difference = {
        "difference", "one row of report --compare; the last one is the total", difference_fields};

int pgf_comparison_json(FILE *out, const struct pgf_comparison *c)
{
	struct difference difference = {.by = c->by};

	pgf_fields_line(out, &pgf_line_comparison, c);
	for (size_t i = 0; i < c->count; i++) {
		difference.row = &c->row[i];
		pgf_fields_line(out, &pgf_line_difference, &difference);
	}
	difference.row = &c->total;
	difference.total = true;
	pgf_fields_line(out, &pgf_line_difference, &difference);
	return ferror(out) ? -EIO : 0;
}

/* CSV. */

static void csv_number(FILE *out, uint64_t value, bool known, const char *end)
{
	if (known)
		fprintf(out, "%" PRIu64, value);
	fputs(end, out);
}

static void csv_row(FILE *out, const struct pgf_compared_row *row, const char *by)
{
	const struct pgf_compared *a = &row->side[0], *b = &row->side[1];

	fprintf(out, "%s,", by);
	pgf_escape_csv(out, row->whole);
	fprintf(out, ",%" PRIu64 ",%" PRIu64 ",", a->count, b->count);
	put_signed(out, a->count, b->count);
	putc(',', out);
	put_ratio(out, a->count, b->count, "");
	putc(',', out);
	csv_number(out, a->ns, a->timed || !a->count, ",");
	csv_number(out, b->ns, b->timed || !b->count, ",");
	if (is_timed(row))
		put_signed(out, a->ns, b->ns);
	putc(',', out);
	if (is_timed(row))
		put_ratio(out, a->ns, b->ns, "");
	fprintf(out, ",%" PRIu64 ",%" PRIu64 "\r\n", a->major, b->major);
}

int pgf_comparison_csv(FILE *out, const struct pgf_comparison *c)
{
	fputs("by,name,count_a,count_b,count_diff,count_ratio,ns_a,ns_b,ns_diff,ns_ratio,major_a,"
	      "major_b\r\n",
	      out);
	for (size_t i = 0; i < c->count; i++)
		csv_row(out, &c->row[i], pgf_by_name(c->by));
	return ferror(out) ? -EIO : 0;
}
