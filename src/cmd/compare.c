/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/faultview.h"
#include "cmd/recording.h"
#include "show/colour.h"
#include "show/comparison.h"
#include "show/naming.h"

#include <pgfault/record.h>

#define DIFFERS_MAX 8
#define NAME_SIZE   4096

/* One recording, added up. */
struct side {
	const struct pgf_options *options;
	struct pgf_recording *recording;
	struct pgf_account *account;
	struct pgf_recorded recorded;
	struct pgf_run run;
	bool filtered;
};

struct joined {
	struct pgf_compared_row *row;
	size_t count;
	size_t room;
};

/* Reading. */

static int side_fault(void *ctx, const struct pgf_fault *fault, const struct pgf_map *map)
{
	const struct side *s = ctx;

	if (s->filtered && !pgf_faultview_wants(s->options, fault, map))
		return 0;
	return pgf_account_fault(s->account, fault, map);
}

static int side_cell(void *ctx, const struct pgf_cell *cell, const struct pgf_map *map)
{
	const struct side *s = ctx;

	if (s->filtered && !pgf_faultview_wants(s->options, &cell->fault, map))
		return 0;
	return pgf_account_cell(s->account, cell, map);
}

static int side_space(void *ctx, const struct pgf_space_event *event)
{
	const struct side *s = ctx;

	return pgf_account_space(s->account, event);
}

static int side_read(struct side *s, const char *path)
{
	const struct pgf_recording_sink sink = {
	        .ctx = s, .fault = side_fault, .cell = side_cell, .space = side_space};
	struct pgf_account_opts account = {.space = NULL};
	int ret = pgf_recording_open(&s->recording, path);

	if (ret)
		return ret;
	account.space = pgf_recording_space(s->recording);
	ret = pgf_account_new(&s->account, &account);
	if (!ret)
		ret = pgf_recording_play(s->recording, &sink);
	if (ret)
		pgf_complain("%s: %s", path, strerror(-ret));
	pgf_recording_describe(s->recording, &s->recorded, &s->run);
	return ret;
}

/* Joining. */

/* What a row is called on both sides: numbers of processes and addresses of code move. */
static void row_names(const struct pgf_row *row, char *name, char *whole, size_t size)
{
	char kind[48], map[512];

	pgf_naming_row(name, size, row);
	snprintf(whole, size, "%s", name);
	switch (row->by) {
	case PGF_BY_KIND:
		pgf_naming_kind_id(name, size, row->kind, row->class);
		snprintf(whole, size, "%s", name);
		break;
	case PGF_BY_MAP:
		snprintf(whole, size, "%s", row->map ? row->map : "?");
		break;
	case PGF_BY_KIND_MAP:
		pgf_naming_kind_id(kind, sizeof(kind), row->kind, row->class);
		snprintf(name, size, "%s: %s", kind,
		         pgf_naming_map(map, sizeof(map), row->map, row->map_type));
		snprintf(whole, size, "%s: %s", kind, row->map ? row->map : "?");
		break;
	case PGF_BY_CODE:
		if (row->symbol && row->symbol->func)
			snprintf(whole, size, "%s (%s)", row->symbol->func, row->symbol->path);
		else if (row->symbol && row->symbol->path[0] == '/')
			snprintf(whole, size, "%s+0x%" PRIx64, row->symbol->path,
			         row->symbol->offset);
		break;
	default:
		break;
	}
}

static int joined_add(struct joined *joined, const struct pgf_row *row, int side)
{
	char name[NAME_SIZE], whole[NAME_SIZE];
	struct pgf_compared_row *fresh;

	if (joined->count == joined->room) {
		size_t room = joined->room ? joined->room * 2 : 64;
		struct pgf_compared_row *grown = reallocarray(joined->row, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		joined->row = grown;
		joined->room = room;
	}
	row_names(row, name, whole, sizeof(name));
	fresh = &joined->row[joined->count];
	*fresh = (struct pgf_compared_row){.name = strdup(name), .whole = strdup(whole)};
	fresh->side[side] = (struct pgf_compared){.count = row->stat.count,
	                                          .timed = row->stat.timed,
	                                          .ns = row->stat.ns,
	                                          .max_ns = row->stat.max_ns,
	                                          .major = row->stat.major};
	joined->count++;
	return fresh->name && fresh->whole ? 0 : -ENOMEM;
}

static void row_free(struct pgf_compared_row *row)
{
	free((char *)(uintptr_t)row->name);
	free((char *)(uintptr_t)row->whole);
}

static void joined_free(struct joined *joined)
{
	for (size_t i = 0; i < joined->count; i++)
		row_free(&joined->row[i]);
	free(joined->row);
}

static void compared_add(struct pgf_compared *into, const struct pgf_compared *from)
{
	into->count += from->count;
	into->timed += from->timed;
	into->ns += from->ns;
	into->major += from->major;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
}

static int by_name(const void *left, const void *right)
{
	const struct pgf_compared_row *a = left, *b = right;

	return strcmp(a->whole, b->whole);
}

/* Rows of one name become one. */
static void joined_merge(struct joined *joined, struct pgf_compared_row *total)
{
	size_t kept = 0;

	if (joined->count)
		qsort(joined->row, joined->count, sizeof(*joined->row), by_name);
	for (size_t i = 0; i < joined->count; i++) {
		struct pgf_compared_row *row = &joined->row[i];
		struct pgf_compared_row *last = kept ? &joined->row[kept - 1] : NULL;

		compared_add(&total->side[0], &row->side[0]);
		compared_add(&total->side[1], &row->side[1]);
		if (!last || strcmp(last->whole, row->whole) != 0) {
			joined->row[kept++] = *row;
			continue;
		}
		compared_add(&last->side[0], &row->side[0]);
		compared_add(&last->side[1], &row->side[1]);
		row_free(row);
	}
	joined->count = kept;
}

static int joined_fill(struct joined *joined, const struct side *sides, enum pgf_by by)
{
	int ret = 0;

	for (int i = 0; i < 2 && !ret; i++) {
		struct pgf_rows *rows;

		ret = pgf_account_rows(sides[i].account, by, PGF_SORT_COUNT, 0,
		                       pgf_recording_symbols(sides[i].recording), &rows);
		if (ret)
			return ret;
		for (size_t k = 0; k < rows->count && !ret; k++)
			ret = joined_add(joined, &rows->row[k], i);
		pgf_rows_free(rows);
	}
	return ret;
}

/* Sorting: most difference first. */

static uint64_t value_of(const struct pgf_compared *side, enum pgf_sort sort)
{
	switch (sort) {
	case PGF_SORT_TIME:
		return side->ns;
	case PGF_SORT_MAX:
		return side->max_ns;
	case PGF_SORT_MAJOR:
		return side->major;
	default:
		return side->count;
	}
}

static uint64_t difference(const struct pgf_compared_row *row, enum pgf_sort sort)
{
	uint64_t a = value_of(&row->side[0], sort), b = value_of(&row->side[1], sort);

	return a > b ? a - b : b - a;
}

static int by_difference(const void *left, const void *right, void *ctx)
{
	const struct pgf_compared_row *a = left, *b = right;
	const enum pgf_sort *sort = ctx;
	uint64_t x = difference(a, *sort), y = difference(b, *sort);

	if (x == y) {
		x = difference(a, PGF_SORT_COUNT);
		y = difference(b, PGF_SORT_COUNT);
	}
	if (x == y)
		return strcmp(a->whole, b->whole);
	return x > y ? -1 : 1;
}

static void joined_sort(struct joined *joined, const struct pgf_compared_row *total,
                        enum pgf_sort sort)
{
	bool timed = total->side[0].timed && total->side[1].timed;

	if (!timed && (sort == PGF_SORT_TIME || sort == PGF_SORT_MAX))
		sort = PGF_SORT_COUNT;
	if (joined->count)
		qsort_r(joined->row, joined->count, sizeof(*joined->row), by_difference, &sort);
}

/* What makes them hard to compare. */

struct differs {
	char text[DIFFERS_MAX][256];
	const char *list[DIFFERS_MAX];
	size_t count;
};

__attribute__((format(printf, 2, 3))) static void differ(struct differs *d, const char *fmt, ...)
{
	va_list args;

	if (d->count == DIFFERS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(d->text[d->count], sizeof(d->text[0]), fmt, args);
	va_end(args);
	d->list[d->count] = d->text[d->count];
	d->count++;
}

static const char *sampling(const struct pgf_run *run, char *buf, size_t size)
{
	if (run->by_frequency)
		snprintf(buf, size, "some faults, at a frequency");
	else if (run->sample_period > 1)
		snprintf(buf, size, "every %" PRIu64 "th fault", run->sample_period);
	else
		snprintf(buf, size, "every fault");
	return buf;
}

static bool is_basic(const struct side *s)
{
	return pgf_recording_info(s->recording)->content & PGF_CONTENT_BASIC;
}

static void differs_find(const struct side *sides, struct differs *d)
{
	const struct pgf_run *a = &sides[0].run, *b = &sides[1].run;
	const char *machine_a = sides[0].recorded.info->machine;
	const char *machine_b = sides[1].recorded.info->machine;
	char one[64], two[64];

	if (strcmp(a->tier, b->tier) != 0)
		differ(d, "tiers: %s and %s: kinds are told by other evidence", a->tier, b->tier);
	if (is_basic(&sides[0]) != is_basic(&sides[1]))
		differ(d, "one was recorded with --basic: its kinds are told by less evidence");
	if (a->volume != b->volume)
		differ(d, "one was added up in the kernel: its mappings are those of 2 MiB blocks");
	if (strcmp(a->kernel ? a->kernel : "?", b->kernel ? b->kernel : "?") != 0)
		differ(d, "kernels: %s and %s", a->kernel ? a->kernel : "?",
		       b->kernel ? b->kernel : "?");
	if (strcmp(machine_a, machine_b) != 0)
		differ(d, "machines: %s and %s", *machine_a ? machine_a : "?",
		       *machine_b ? machine_b : "?");
	sampling(a, one, sizeof(one));
	sampling(b, two, sizeof(two));
	if (strcmp(one, two) != 0)
		differ(d, "sampling: %s and %s: counts and times do not compare", one, two);
	for (int i = 0; i < 2; i++) {
		const struct pgf_totals *t = sides[i].run.totals;
		uint64_t lost = t->lost_events + t->lost_detail;

		if (sides[i].recorded.trouble)
			differ(d, "%c is not whole: %s", "AB"[i], sides[i].recorded.trouble);
		if (lost)
			differ(d, "%c has lost %" PRIu64 " faults", "AB"[i], lost);
	}
}

/* Showing. */

static int comparison_show(FILE *out, const struct pgf_options *o, const struct pgf_comparison *c)
{
	if (o->json)
		return pgf_comparison_json(out, c);
	if (!o->csv)
		return pgf_comparison_write(out, c);
	for (size_t i = 0; i < c->differ_count; i++)
		pgf_complain("not the same: %s", c->differs[i]);
	return pgf_comparison_csv(out, c);
}

static int comparison_write(const struct pgf_options *o, const struct side *sides,
                            const struct differs *differs, struct joined *joined)
{
	struct pgf_comparison c = {
	        .recorded = {&sides[0].recorded, &sides[1].recorded},
	        .run = {&sides[0].run, &sides[1].run},
	        .by = o->by < 0 ? PGF_BY_KIND : (enum pgf_by)o->by,
	        .differs = differs->list,
	        .differ_count = differs->count,
	        .total = {.name = "total", .whole = "total"},
	};
	int ret = joined_fill(joined, sides, c.by);
	FILE *out;

	if (ret) {
		pgf_complain("%s", strerror(-ret));
		return ret;
	}
	joined_merge(joined, &c.total);
	joined_sort(joined, &c.total, o->sort);
	c.row = joined->row;
	c.groups = joined->count;
	c.count = o->top && o->top < c.groups ? o->top : c.groups;
	out = pgf_output_open(o, stdout);
	if (!out)
		return -EIO;
	c.colour = o->colour && isatty(fileno(out));
	c.width = isatty(fileno(out)) ? pgf_colour_columns(out, 80) : 80;
	ret = comparison_show(out, o, &c);
	if (!ret)
		ret = pgf_output_close(out, stdout);
	if (ret)
		pgf_complain("writing: %s", strerror(-ret));
	return ret;
}

static int sides_compare(const struct pgf_options *o, struct side *sides)
{
	struct differs differs = {.count = 0};
	struct joined joined = {.count = 0};
	bool lost = false, trouble = false;
	int ret;

	for (int i = 0; i < 2; i++) {
		const struct pgf_totals *t = pgf_recording_totals(sides[i].recording);

		lost = lost || t->lost_events || t->lost_detail || t->lost_space || t->lost_stacks;
		trouble = trouble || sides[i].recorded.trouble;
	}
	differs_find(sides, &differs);
	ret = comparison_write(o, sides, &differs, &joined);
	joined_free(&joined);
	if (ret || (trouble && o->strict))
		return PGF_EXIT_FAILURE;
	return lost && o->strict ? PGF_EXIT_LOST : 0;
}

static bool is_misused(const struct pgf_options *o)
{
	if (o->by == PGF_BY_DISCARD || o->by == PGF_BY_STACK)
		pgf_complain("report: --compare has no --by %s", pgf_by_name((unsigned int)o->by));
	else if (o->sort == PGF_SORT_P99 || o->sort == PGF_SORT_AGAIN)
		pgf_complain("report: --compare sorts by time, count, max or major");
	else
		return false;
	return true;
}

int pgf_compare(const struct pgf_options *o)
{
	bool filtered = o->kinds || o->min_us > 0 || o->addr_high || o->map_glob;
	struct side sides[2] = {{.options = o, .filtered = filtered},
	                        {.options = o, .filtered = filtered}};
	int status = PGF_EXIT_FAILURE;

	if (is_misused(o))
		return PGF_EXIT_USAGE;
	if (!side_read(&sides[0], o->operands[0]) && !side_read(&sides[1], o->operands[1]))
		status = sides_compare(o, sides);
	for (int i = 0; i < 2; i++) {
		pgf_account_free(sides[i].account);
		pgf_recording_close(sides[i].recording);
	}
	return status;
}
