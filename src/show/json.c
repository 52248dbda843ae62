/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "account/advice.h"
#include "show/closing.h"
#include "show/escape.h"
#include "show/fields.h"
#include "show/frames.h"
#include "show/naming.h"

#define TEXT(s, m, a)                                                                              \
	{                                                                                          \
#m, PGF_FIELD_TEXT, offsetof(struct s, m), a, NULL, NULL, NULL                     \
	}
#define U64(s, m, a)                                                                               \
	{                                                                                          \
#m, PGF_FIELD_U64, offsetof(struct s, m), a, NULL, NULL, NULL                      \
	}
#define BOOL(s, m, a)                                                                              \
	{                                                                                          \
#m, PGF_FIELD_BOOL, offsetof(struct s, m), a, NULL, NULL, NULL                     \
	}
#define ID(s, m, a)                                                                                \
	{                                                                                          \
#m, PGF_FIELD_ID, offsetof(struct s, m), a, NULL, NULL, NULL                       \
	}
#define CUSTOM(n, p, schema, a)                                                                    \
	{                                                                                          \
		n, PGF_FIELD_CUSTOM, 0, a, NULL, p, schema                                         \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, PGF_FIELD_TEXT, 0, NULL, NULL, NULL, NULL                                    \
	}

#define NULLABLE_TEXT "\"type\":[\"string\",\"null\"]"
#define NULLABLE_NS   "\"type\":[\"integer\",\"null\"],\"minimum\":0"
#define TEXTS         "\"type\":\"array\",\"items\":{\"type\":\"string\"}"

/* The header. */

struct header {
	const char *pgfault;
	const char *target;
	const char *tier;
	const char *blind;
	const char *kernel;
	const char *volume;
	uint64_t version;
	uint64_t sample_period;
};

static const struct pgf_field header_fields[] = {
        TEXT(header, pgfault, "version of the program"),
        U64(header, version, "of this format; members are only ever added within one"),
        TEXT(header, target, "what was traced"),
        TEXT(header, kernel, "release"),
        TEXT(header, tier, "source of the faults"),
        TEXT(header, blind, "what the source cannot see"),
        TEXT(header, volume,
             "stream: every fault came by itself; aggregate: added up in the kernel"),
        U64(header, sample_period, "1: every fault; N: every Nth; 0: some, at a frequency"),
        END,
};

static const struct pgf_line_type line_header = {"header", "first line", header_fields};

int pgf_json_header(FILE *out, const struct pgf_run *run)
{
	const struct header header = {
	        .pgfault = run->version,
	        .target = run->target,
	        .tier = run->tier,
	        .blind = run->blind,
	        .kernel = run->kernel,
	        .volume = run->volume == PGF_VOLUME_AGGREGATE ? "aggregate" : "stream",
	        .version = PGF_JSON_VERSION,
	        .sample_period = run->by_frequency || run->sample_period ? run->sample_period : 1,
	};

	pgf_fields_line(out, &line_header, &header);
	return ferror(out) ? -EIO : 0;
}

/* Rows. */

static void put_text(FILE *out, const char *text)
{
	if (text)
		pgf_escape_json(out, text);
	else
		fputs("null", out);
}

static void put_by(FILE *out, const void *object)
{
	put_text(out, pgf_by_name(((const struct pgf_row *)object)->by));
}

static bool has_kind(const struct pgf_row *row)
{
	return row->by == PGF_BY_KIND || row->by == PGF_BY_KIND_MAP;
}

static void put_kind(FILE *out, const void *object)
{
	const struct pgf_row *row = object;

	put_text(out, has_kind(row) ? pgf_kind_name(row->kind) : NULL);
}

static void put_class(FILE *out, const void *object)
{
	const struct pgf_row *row = object;

	put_text(out, has_kind(row) ? pgf_class_name(row->class) : NULL);
}

static void put_leaves(FILE *out, const void *object)
{
	const struct pgf_row *row = object;
	const char *separator = "";
	unsigned int kind;

	putc('[', out);
	for (kind = 0; kind < PGF_KIND_COUNT; kind++) {
		if (!(row->leaves & PGF_SET(kind)))
			continue;
		fputs(separator, out);
		pgf_escape_json(out, pgf_kind_name(kind));
		separator = ",";
	}
	putc(']', out);
}

static void put_map_type(FILE *out, const void *object)
{
	const struct pgf_row *row = object;
	bool has_map = row->by == PGF_BY_MAP || row->by == PGF_BY_KIND_MAP;

	put_text(out, has_map ? pgf_map_type_name(row->map_type) : NULL);
}

static void put_call(FILE *out, const void *object)
{
	const struct pgf_row *row = object;

	put_text(out, row->by == PGF_BY_DISCARD ? pgf_again_name(row->again) : NULL);
}

static void put_hex_or_null(FILE *out, uint64_t value)
{
	if (value)
		fprintf(out, "\"0x%" PRIx64 "\"", value);
	else
		fputs("null", out);
}

static void put_ip(FILE *out, const void *object)
{
	put_hex_or_null(out, ((const struct pgf_row *)object)->ip);
}

static void put_symbol(FILE *out, const void *object)
{
	const struct pgf_row *row = object;

	pgf_naming_symbol_json(out, row->symbol);
}

static void put_kinds(FILE *out, const void *object)
{
	const struct pgf_row *row = object;
	char name[48];
	uint32_t i;

	putc('[', out);
	for (i = 0; i < row->kind_count; i++) {
		const struct pgf_row_kind *kind = &row->kinds[i];

		fprintf(out, "%s{\"kind\":", i ? "," : "");
		pgf_escape_json(out,
		                pgf_naming_kind_id(name, sizeof(name), kind->kind, kind->class));
		fprintf(out, ",\"count\":%" PRIu64 "}", kind->count);
	}
	putc(']', out);
}

static void put_frames(FILE *out, const void *object)
{
	const struct pgf_row *row = object;

	if (row->by == PGF_BY_STACK)
		pgf_frames_json(out, row->frames, row->frame_count);
	else
		fputs("null", out);
}

static void put_quantile(FILE *out, const struct pgf_row *row, uint64_t ns)
{
	if (row->stat.dist_known)
		fprintf(out, "%" PRIu64, ns);
	else
		fputs("null", out);
}

static void put_p50(FILE *out, const void *object)
{
	put_quantile(out, object, ((const struct pgf_row *)object)->stat.p50_ns);
}

static void put_p90(FILE *out, const void *object)
{
	put_quantile(out, object, ((const struct pgf_row *)object)->stat.p90_ns);
}

static void put_p99(FILE *out, const void *object)
{
	put_quantile(out, object, ((const struct pgf_row *)object)->stat.p99_ns);
}

static void put_again(FILE *out, const void *object)
{
	const struct pgf_row *row = object;
	int i;

	putc('{', out);
	for (i = 0; i < PGF_AGAIN_COUNT; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", pgf_again_name((unsigned int)i),
		        row->stat.again[i]);
	putc('}', out);
}

#define STAT(m, a)                                                                                 \
	{                                                                                          \
#m, PGF_FIELD_U64, offsetof(struct pgf_row, stat.m), a, NULL, NULL, NULL           \
	}

static const struct pgf_field row_fields[] = {
        CUSTOM("by", put_by, "\"type\":\"string\"", "the view"),
        CUSTOM("kind", put_kind, NULLABLE_TEXT, "unknown: the evidence singles none out"),
        CUSTOM("class", put_class, NULLABLE_TEXT, "of the kind, or of all that are possible"),
        CUSTOM("leaves", put_leaves, TEXTS, "all kinds that were possible in the row"),
        TEXT(pgf_row, map, "name of the mapping"),
        CUSTOM("map_type", put_map_type, NULLABLE_TEXT, NULL),
        ID(pgf_row, pid, NULL),
        ID(pgf_row, tid, NULL),
        TEXT(pgf_row, comm, NULL),
        U64(pgf_row, cgroup, "cgroup v2 id, 0: none"),
        CUSTOM("ip", put_ip, NULLABLE_TEXT, "hottest address of the row"),
        CUSTOM("symbol", put_symbol, PGF_NAMING_SYMBOL_SCHEMA, "of ip"),
        CUSTOM("call", put_call, NULLABLE_TEXT, "what gave memory back; count is calls"),
        U64(pgf_row, bytes, "given back in all calls"),
        CUSTOM("kinds", put_kinds,
               "\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"kind\":{"
               "\"type\":\"string\"},\"count\":{\"type\":\"integer\"}},\"required\":[\"kind\","
               "\"count\"]}",
               "most frequent kinds, most first; a leading ? names a class"),
        CUSTOM("frames", put_frames, PGF_FRAMES_SCHEMA,
               "by stack: innermost first; symbols of callers are those of the call"),
        STAT(count, "faults"),
        STAT(timed, "faults with a known duration"),
        STAT(ns, "sum of known durations"),
        STAT(max_ns, "longest"),
        CUSTOM("p50_ns", put_p50, NULLABLE_NS, "within 1.6 %; null: not known"),
        CUSTOM("p90_ns", put_p90, NULLABLE_NS, NULL),
        CUSTOM("p99_ns", put_p99, NULLABLE_NS, NULL),
        STAT(major, "counted as maj_flt"),
        STAT(major_ns, "part of ns"),
        STAT(inferred, "kind inferred, not observed"),
        STAT(failed, "ended in a signal or EFAULT"),
        STAT(unfinished, "no end seen"),
        CUSTOM("again", put_again,
               "\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}",
               "re-faults, by what had removed the page"),
        END,
};

static const struct pgf_line_type line_row = {"row", "one row of a view", row_fields};

int pgf_json_rows(FILE *out, const struct pgf_run *run, enum pgf_by by)
{
	struct pgf_rows *rows;
	size_t i;
	int err = pgf_account_rows(run->account, by, run->sort, run->top, run->symbols, &rows);

	if (err)
		return err;
	for (i = 0; i < rows->count; i++)
		pgf_fields_line(out, &line_row, &rows->row[i]);
	pgf_rows_free(rows);
	return ferror(out) ? -EIO : 0;
}

/* Findings. */

struct finding {
	const char *rule;
	const char *text;
	uint64_t weight_ns;
};

static const struct pgf_field advice_fields[] = {
        TEXT(finding, rule, "which rule found it"),
        U64(finding, weight_ns, "fault time it is about"),
        TEXT(finding, text, NULL),
        END,
};

static const struct pgf_line_type line_advice = {"advice", "one finding", advice_fields};

int pgf_json_advice(FILE *out, const struct pgf_run *run)
{
	struct pgf_advice advice[PGF_ADVICE_MAX];
	struct pgf_advice_run about = pgf_closing_advice_run(run);
	int count = pgf_advice_find(run->account, &about, advice, PGF_ADVICE_MAX);
	int i;

	for (i = 0; i < count; i++) {
		const struct finding finding = {pgf_advice_name(advice[i].rule), advice[i].text,
		                                advice[i].weight_ns};

		pgf_fields_line(out, &line_advice, &finding);
	}
	if (count < 0)
		return count;
	return ferror(out) ? -EIO : 0;
}

/* Totals. */

struct closing {
	struct pgf_totals totals;
	struct pgf_account_loss loss;
	struct pgf_stat stat;
	struct pgf_crosscheck check;
	const char *check_name;
	bool totals_known;
	int status;
};

#define TOTAL(m, a)                                                                                \
	{                                                                                          \
#m, PGF_FIELD_U64, offsetof(struct closing, totals.m), a, NULL, NULL, NULL         \
	}
#define TRUTH(m, a)                                                                                \
	{                                                                                          \
#m, PGF_FIELD_BOOL, offsetof(struct closing, totals.m), a, NULL, NULL, NULL        \
	}
#define FROM(base, m) offsetof(struct base, m)

static const struct pgf_field loss_fields[] = {
        {"events", PGF_FIELD_U64, FROM(closing, totals.lost_events), "faults in no table", NULL,
         NULL, NULL},
        {"detail", PGF_FIELD_U64, FROM(closing, totals.lost_detail),
         "faults without address or code", NULL, NULL, NULL},
        {"space", PGF_FIELD_U64, FROM(closing, totals.lost_space), "records of mappings", NULL,
         NULL, NULL},
        {"stacks", PGF_FIELD_U64, FROM(closing, totals.lost_stacks),
         "faults whose stack found no place", NULL, NULL, NULL},
        {"unlisted", PGF_FIELD_U64, FROM(closing, loss.stacks),
         "faults whose stack was one too many", NULL, NULL, NULL},
        {"ungrouped", PGF_FIELD_U64, FROM(closing, loss.ungrouped),
         "faults in the sums without process or code", NULL, NULL, NULL},
        {"pages", PGF_FIELD_U64, FROM(closing, loss.pages), "pages not remembered for re-faults",
         NULL, NULL, NULL},
        END,
};

static const struct pgf_field check_fields[] = {
        {"result", PGF_FIELD_TEXT, FROM(closing, check_name),
         "equal, gup, excess (wrong), account (wrong) or unknown", NULL, NULL, NULL},
        {"seen", PGF_FIELD_U64, FROM(closing, check.seen), "completed faults seen", NULL, NULL,
         NULL},
        {"rows", PGF_FIELD_U64, FROM(closing, check.rows), "completed faults in the rows", NULL,
         NULL, NULL},
        {"tasks", PGF_FIELD_U64, FROM(closing, check.tasks), "min + maj of the tasks", NULL, NULL,
         NULL},
        {"difference", PGF_FIELD_U64, FROM(closing, check.difference),
         "between the two that differ", NULL, NULL, NULL},
        END,
};

static void put_status(FILE *out, const void *object)
{
	const struct closing *closing = object;
	char text[40];

	put_text(out, closing->status < 0 ? NULL
	                                  : pgf_naming_status(text, sizeof(text), closing->status));
}

static const struct pgf_field totals_fields[] = {
        {"known", PGF_FIELD_BOOL, FROM(closing, totals_known), "false: the rest is 0", NULL, NULL,
         NULL},
        CUSTOM("status", put_status, NULLABLE_TEXT, "how the command ended"),
        TOTAL(start_ns, "CLOCK_MONOTONIC"),
        TOTAL(end_ns, "CLOCK_MONOTONIC"),
        {"faults", PGF_FIELD_U64, FROM(closing, stat.count), "in the rows", NULL, NULL, NULL},
        {"fault_ns", PGF_FIELD_U64, FROM(closing, stat.ns), "sum of known durations", NULL, NULL,
         NULL},
        TOTAL(seen, "completed faults seen"),
        TOTAL(minor, NULL),
        TOTAL(major, NULL),
        TOTAL(failed, "ended in a signal"),
        TOTAL(unfinished, "entered, no end seen"),
        TOTAL(nofault, "refused at once: page faults disabled"),
        TOTAL(before_exec, "of the command's own start, not shown"),
        TRUTH(entered_known, NULL),
        TOTAL(entered, "PERF_COUNT_SW_PAGE_FAULTS"),
        TRUTH(task_known, "task_min and task_maj are complete"),
        TOTAL(task_min, "the tasks' own counters"),
        TOTAL(task_maj, NULL),
        TOTAL(tasks, NULL),
        TOTAL(tasks_missed, NULL),
        TRUTH(gup_separable, "a surplus of the tasks is get_user_pages only"),
        TOTAL(child_utime_ns, NULL),
        TOTAL(child_stime_ns, NULL),
        TOTAL(fault_cost_ns, "what tracing adds to one fault, 0: not measured"),
        {"lost", PGF_FIELD_OBJECT, 0, "losses", loss_fields, NULL, NULL},
        {"check", PGF_FIELD_OBJECT, 0, "cross-check", check_fields, NULL, NULL},
        END,
};

static const struct pgf_line_type line_totals = {"totals", "last line", totals_fields};

int pgf_json_totals(FILE *out, const struct pgf_run *run)
{
	static const char *const names[] = {
	        [PGF_CHECK_UNKNOWN] = "unknown", [PGF_CHECK_EQUAL] = "equal",
	        [PGF_CHECK_GUP] = "gup",         [PGF_CHECK_EXCESS] = "excess",
	        [PGF_CHECK_ACCOUNT] = "account",
	};
	struct closing closing = {.status = run->status, .totals_known = run->totals};

	if (run->totals)
		closing.totals = *run->totals;
	if (run->account) {
		int err = pgf_account_total(run->account, &closing.stat);

		if (err)
			return err;
		pgf_account_loss(run->account, &closing.loss);
	}
	pgf_crosscheck(run, &closing.check);
	closing.check_name = names[closing.check.check];
	pgf_fields_line(out, &line_totals, &closing);
	return ferror(out) ? -EIO : 0;
}

int pgf_json_write(FILE *out, const struct pgf_run *run)
{
	unsigned int by;
	int err = pgf_json_header(out, run);

	for (by = 0; by < PGF_BY_COUNT && !err; by++)
		err = pgf_json_rows(out, run, (enum pgf_by)by);
	if (!err)
		err = pgf_json_advice(out, run);
	return err ? err : pgf_json_totals(out, run);
}

int pgf_json_schema(FILE *out)
{
	static const struct pgf_line_type *const lines[] = {
	        &line_header,         &pgf_line_recording,  &line_row,
	        &line_advice,         &pgf_line_fault,      &line_totals,
	        &pgf_line_comparison, &pgf_line_difference,
	};
	size_t i;

	fputs("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"pgfault\","
	      "\"description\":\"One line of pgfault's JSON\",\"oneOf\":[",
	      out);
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (i)
			putc(',', out);
		pgf_fields_schema(out, lines[i]);
	}
	fputs("]}\n", out);
	return ferror(out) ? -EIO : 0;
}
