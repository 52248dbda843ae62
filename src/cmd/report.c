/* SPDX-License-Identifier: BSD-2-Clause */
/* `pgfault report`: what `pgfault record` has written, as run or trace would have shown it. */
#include "cmd/cmd.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cmd/compare.h"
#include "cmd/faultview.h"
#include "cmd/recording.h"
#include "show/closing.h"
#include "show/colour.h"
#include "show/json.h"
#include "show/units.h"

static const char usage[] =
        "usage: pgfault report [options] -i FILE\n"
        "       pgfault report [options] --compare A B\n"
        "\n"
        "Shows a recording as `pgfault run` would have shown it, or two beside each other.\n"
        "\n"
        "  -i, --input FILE      of `pgfault record` (- is stdin) or `perf record -d -e\n"
        "                        page-faults[,minor-faults,major-faults] -c 1`\n"
        "      --compare A B     two recordings, kind by kind or as --by says\n"
        "      --by VIEW         one table: kind map kind-map code process thread cgroup\n"
        "                        discard stack\n"
        "      --sort KEY        time count max p99 major again; of --compare: by how much it\n"
        "                        differs\n"
        "      --top N           rows of a table\n"
        "      --kind K[,K]      only these kinds (`pgfault kinds`)\n"
        "      --min-us N        only faults of N us and more\n"
        "      --addr LOW-HIGH   only addresses in the range (hexadecimal; or LOW+LENGTH)\n"
        "      --map GLOB        only mappings whose name matches\n"
        "      --format F        a line a fault, as `pgfault trace`: table, classic, calls,\n"
        "                        return; with --json as JSON\n"
        "  -T, --timestamps      with --format: seconds since the start\n"
        "      --strict          exit 1 when not all could be read, 2 when anything was lost\n"
        "      --assert EXPR     exit 3 unless EXPR holds, as in 'major==0'\n"
        "  -o, --output FILE     write there; - is stdout\n"
        "      --json, --csv     for machines; --schema prints the JSON schema\n"
        "      --no-color        no colours (also NO_COLOR)\n"
        "  -h, --help\n";

struct report {
	const struct pgf_options *options;
	struct pgf_recording *recording;
	struct pgf_account *account; /* of a summary */
	struct pgf_faultview view;   /* of single faults */
	bool filtered;
	uint64_t all;     /* faults in the recording */
	uint32_t command; /* pid of the command: the first that called exec; 0 none yet */
	int status;       /* its wait status, -1 not known */
};

/* The summary. */

static int report_fault(void *ctx, const struct pgf_fault *fault, const struct pgf_map *map)
{
	struct report *r = ctx;

	r->all++;
	if (r->filtered && !pgf_faultview_wants(r->options, fault, map))
		return 0;
	return pgf_account_fault(r->account, fault, map);
}

static int report_cell(void *ctx, const struct pgf_cell *cell, const struct pgf_map *map)
{
	struct report *r = ctx;

	if (!cell->code)
		r->all += cell->count;
	if (r->filtered && !pgf_faultview_wants(r->options, &cell->fault, map))
		return 0;
	return pgf_account_cell(r->account, cell, map);
}

/* How the command ended stands in the stream, where the kernel has told it. */
static void status_follow(struct report *r, const struct pgf_space_event *event)
{
	if (event->type == PGF_SPACE_EXEC && !r->command)
		r->command = event->pid;
	if (event->type == PGF_SPACE_EXIT && event->pid == r->command && event->tid == r->command &&
	    event->exit_code >= 0)
		r->status = event->exit_code;
}

static int status_of(const struct report *r)
{
	return pgf_recording_info(r->recording)->command ? r->status : -1;
}

static int report_space(void *ctx, const struct pgf_space_event *event)
{
	struct report *r = ctx;

	status_follow(r, event);
	return pgf_account_space(r->account, event);
}

static int report_stack(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count)
{
	const struct report *r = ctx;

	return pgf_account_stack(r->account, stack_id, ips, count);
}

/* Of the faults that the filters let through; what was lost is not known to be one of them. */
static int totals_filter(struct report *r, struct pgf_totals *totals)
{
	struct pgf_stat stat;
	int ret = pgf_account_total(r->account, &stat);

	if (ret)
		return ret;
	totals->seen = stat.count - stat.failed - stat.unfinished;
	totals->major = stat.major;
	totals->minor = totals->seen - stat.major;
	totals->failed = stat.failed;
	totals->unfinished = stat.unfinished;
	totals->task_known = false;
	totals->entered_known = false;
	return 0;
}

/* In the place of the cross-check, which counts all faults. */
static void filter_tell(FILE *out, const struct report *r, const struct pgf_run *run)
{
	const struct pgf_totals *totals = run->totals;
	uint64_t lost = totals->lost_events + totals->lost_detail + totals->lost_space +
	                totals->lost_stacks;
	char text[160], of[16], shown[16];

	snprintf(text, sizeof(text), "%s of the %s recorded faults are in these numbers",
	         pgf_units_count(shown, sizeof(shown),
	                         totals->seen + totals->failed + totals->unfinished),
	         pgf_units_count(of, sizeof(of), r->all));
	putc('\n', out);
	pgf_closing_wrap(out, run->width, run->colour, PGF_COLOUR_YELLOW, "filter: ", text);
	snprintf(text, sizeof(text), "%llu events of the recording", (unsigned long long)lost);
	if (lost)
		pgf_closing_wrap(out, run->width, run->colour, PGF_COLOUR_RED, "LOST: ", text);
}

static int report_show(FILE *out, const struct report *r, struct pgf_recorded *recorded,
                       struct pgf_run *run)
{
	const struct pgf_options *o = r->options;
	int ret;

	if (o->csv || (o->json && o->by >= 0))
		return pgf_run_show(out, o, run);
	if (o->json) {
		ret = pgf_run_show(out, o, run);
		return ret ? ret : pgf_recorded_json(out, recorded);
	}
	recorded->with_command = o->by >= 0;
	ret = pgf_recorded_write(out, recorded, run->width, run->colour);
	if (!ret)
		ret = pgf_run_show(out, o, run);
	if (!ret && r->filtered)
		filter_tell(out, r, run);
	return ret;
}

static int report_write(struct report *r, FILE *out)
{
	const struct pgf_options *o = r->options;
	struct pgf_recorded recorded;
	struct pgf_totals totals = *pgf_recording_totals(r->recording);
	struct pgf_run run;
	int ret = 0;

	pgf_recording_describe(r->recording, &recorded, &run);
	if (r->filtered)
		ret = totals_filter(r, &totals);
	recorded.filtered = r->filtered;
	run.totals = &totals;
	run.account = r->account;
	run.status = status_of(r);
	run.sort = o->sort;
	run.top = o->top;
	run.colour = o->colour && isatty(fileno(out));
	run.width = 80;
	run.quiet_closing = r->filtered;
	return ret ? ret : report_show(out, r, &recorded, &run);
}

static int report_summary(struct report *r, FILE *out)
{
	const struct pgf_recording_sink sink = {.ctx = r,
	                                        .fault = report_fault,
	                                        .cell = report_cell,
	                                        .space = report_space,
	                                        .stack = report_stack};
	const struct pgf_account_opts account = {.space = pgf_recording_space(r->recording)};
	int ret = pgf_account_new(&r->account, &account);

	if (!ret)
		ret = pgf_recording_play(r->recording, &sink);
	return ret ? ret : report_write(r, out);
}

/* Single faults. */

static int line_fault(void *ctx, const struct pgf_fault *fault, const struct pgf_map *map)
{
	struct report *r = ctx;

	return pgf_faultview_fault(&r->view, fault, map);
}

static int line_space(void *ctx, const struct pgf_space_event *event)
{
	struct report *r = ctx;

	status_follow(r, event);
	return pgf_faultview_space(&r->view, event);
}

static int line_stack(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count)
{
	struct report *r = ctx;

	return pgf_faultview_stack(&r->view, stack_id, ips, count);
}

static int lines_begin(struct report *r, FILE *out)
{
	const struct pgf_record_info *info = pgf_recording_info(r->recording);
	struct pgf_faultview *view = &r->view;
	struct pgf_recorded recorded;
	struct pgf_run run;
	int ret;

	*view = (struct pgf_faultview){.options = r->options,
	                               .space = pgf_recording_space(r->recording),
	                               .symbols = pgf_recording_symbols(r->recording),
	                               .out = out};
	ret = pgf_faultview_format(view, info->release);
	if (ret)
		return ret;
	view->line.start_ns = info->start_ns;
	view->line.colour = r->options->colour && isatty(fileno(out));
	view->line.vm_fault_known = info->tier == PGF_TIER_KERNEL;
	pgf_recording_describe(r->recording, &recorded, &run);
	return pgf_faultview_begin(view, &run);
}

static int lines_end(struct report *r, FILE *out)
{
	struct pgf_recorded recorded;
	struct pgf_run run;
	int ret;

	pgf_recording_describe(r->recording, &recorded, &run);
	pgf_faultview_end(&r->view, pgf_recording_totals(r->recording), run.tier);
	if (r->view.line.format != PGF_LINE_JSON)
		return 0;
	recorded.filtered = r->filtered;
	run.status = status_of(r);
	ret = pgf_recorded_json(out, &recorded);
	return ret ? ret : pgf_json_totals(out, &run);
}

static int report_lines(struct report *r, FILE *out)
{
	const struct pgf_recording_sink sink = {.ctx = r,
	                                        .quiet = isatty(fileno(out)),
	                                        .fault = line_fault,
	                                        .space = line_space,
	                                        .stack = line_stack};
	int ret = pgf_recording_names(r->recording);

	if (!ret)
		ret = lines_begin(r, out);
	if (!ret)
		ret = pgf_recording_play(r->recording, &sink);
	if (!ret)
		ret = lines_end(r, out);
	pgf_faultview_clear(&r->view);
	return ret;
}

/* Both. */

/* Sums of the kernel cannot be told apart by what is single in a fault. */
static bool is_refused(const struct report *r)
{
	const struct pgf_options *o = r->options;

	if (pgf_recording_info(r->recording)->volume != PGF_VOLUME_AGGREGATE)
		return false;
	if (!o->format && !o->min_us && !o->addr_high && !o->map_glob)
		return false;
	pgf_complain("%s: was added up in the kernel (--aggregate): it holds no single faults for "
	             "--format, --min-us, --addr or --map",
	             o->input);
	return true;
}

static int report_status(const struct report *r)
{
	const struct pgf_options *o = r->options;
	int status = pgf_exit_status(o, pgf_recording_totals(r->recording), r->account, false, 0);

	return o->strict && pgf_recording_trouble(r->recording) ? PGF_EXIT_FAILURE : status;
}

static int report_file(struct report *r)
{
	const struct pgf_options *o = r->options;
	FILE *out;
	int ret;

	if (is_refused(r))
		return PGF_EXIT_FAILURE;
	out = pgf_output_open(o, stdout);
	if (!out)
		return PGF_EXIT_FAILURE;
	ret = o->format ? report_lines(r, out) : report_summary(r, out);
	if (!ret)
		ret = pgf_output_close(out, stdout);
	if (ret) {
		pgf_complain("%s: %s", o->input, strerror(-ret));
		return PGF_EXIT_FAILURE;
	}
	return report_status(r);
}

static bool is_misused(const struct pgf_options *o)
{
	const char *wrong = NULL;

	if (o->compare && (o->input || o->operand_count != 2))
		wrong = "--compare takes two recordings, and no -i";
	else if (o->compare && (o->format || o->assert_count))
		wrong = "--format and --assert are not for --compare";
	else if (!o->compare && o->operand_count)
		wrong = "a recording is named with -i";
	else if (!o->compare && !o->input)
		wrong = "give -i FILE, or --compare A B";
	else if (o->timestamps && !o->format)
		wrong = "-T is for --format";
	else if (o->format && pgf_line_format_parse(o->format) < 0)
		wrong = "--format: give table, classic, calls or return";
	else if (o->format && (o->csv || o->by >= 0 || o->assert_count))
		wrong = "--csv, --by and --assert are not for --format";
	if (wrong)
		pgf_complain("report: %s", wrong);
	return wrong;
}

int pgf_cmd_report(int argc, char **argv)
{
	struct pgf_options options;
	struct report report = {.options = &options, .status = -1};
	int status;

	if (pgf_options_parse(&options,
	                      PGF_OPT_INPUT | PGF_OPT_OUTPUT | PGF_OPT_TABLE | PGF_OPT_JUDGE |
	                              PGF_OPT_FILTER | PGF_OPT_FORMAT | PGF_OPT_SCHEMA,
	                      usage, argc, argv, &status))
		return status;
	if (options.schema)
		return pgf_json_schema(stdout) ? PGF_EXIT_FAILURE : 0;
	if (is_misused(&options))
		return PGF_EXIT_USAGE;
	signal(SIGPIPE, SIG_DFL); /* `pgfault report | head` ends quietly */
	if (options.compare)
		return pgf_compare(&options);
	if (pgf_recording_open(&report.recording, options.input))
		return PGF_EXIT_FAILURE;
	report.filtered =
	        options.kinds || options.min_us > 0 || options.addr_high || options.map_glob;
	status = report_file(&report);
	pgf_account_free(report.account);
	pgf_recording_close(report.recording);
	return status;
}
