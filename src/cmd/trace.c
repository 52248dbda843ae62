/* SPDX-License-Identifier: BSD-2-Clause */
/* `pgfault trace`: a line a fault, as it happens. */
#include "cmd/cmd.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/faultview.h"
#include "show/json.h"
#include "symbol/symbol.h"

static const char usage[] =
        "usage: pgfault trace [options] [-- command [args]]\n"
        "\n"
        "Prints a line for every page fault.\n"
        "\n"
        "  -p, --pid PID[,PID]   running processes, with all their threads and children\n"
        "  -a, --all             the whole machine\n"
        "      --cgroup PATH     the tasks below a cgroup v2 directory\n"
        "  -d, --duration SEC    end after SEC seconds\n"
        "      --user NAME       run the command as NAME (under sudo: the caller)\n"
        "      --tier TIER       tracepoint or perf; the best that works otherwise\n"
        "      --ring KIB        buffer of each CPU; what does not fit is counted\n"
        "  -g, --stacks          below each line the user stack (frame pointers)\n"
        "      --basic           durations and basic kinds only: cheaper\n"
        "      --kind K[,K]      only these kinds (`pgfault kinds`)\n"
        "      --min-us N        only faults of N us and more\n"
        "      --addr LOW-HIGH   only addresses in the range (hexadecimal; or LOW+LENGTH)\n"
        "      --map GLOB        only mappings whose name matches\n"
        "      --format F        table, classic, calls, return\n"
        "  -T, --timestamps      seconds since the start in the first column\n"
        "      --strict          exit 2 when anything was lost\n"
        "  -o, --output FILE     write there; - is stdout\n"
        "      --json            for machines; --schema prints the JSON schema\n"
        "      --no-color        no colours (also NO_COLOR)\n"
        "  -h, --help\n"
        "\n"
        "The lines go to stdout. The command's exit status is passed through.\n";

static int trace_fault(void *ctx, const struct pgf_fault *fault)
{
	struct pgf_faultview *view = ctx;

	return pgf_faultview_fault(view, fault, pgf_space_map(view->space, fault->map_id));
}

static int trace_space(void *ctx, const struct pgf_space_event *event)
{
	return pgf_faultview_space(ctx, event);
}

static int trace_stack(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count)
{
	return pgf_faultview_stack(ctx, stack_id, ips, count);
}

static int trace_begin(struct pgf_faultview *t, struct pgf_session *session)
{
	const struct pgf_options *o = t->options;
	char target[1024];
	struct pgf_run run = {
	        .version = pgf_version_text(),
	        .target = target,
	        .tier = pgf_tier_name(pgf_session_tier(session)),
	        .blind = pgf_tier_blind(pgf_session_tier(session)),
	        .kernel = pgf_kernel_release(),
	        .sample_period = 1,
	        .status = -1,
	};

	pgf_target_text(&o->session.target, target, sizeof(target));
	return pgf_faultview_begin(t, &run);
}

static uint64_t trace_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static int trace_session(const struct pgf_options *o, struct pgf_faultview *t)
{
	struct pgf_sink sink = {
	        .ctx = t, .fault = trace_fault, .space = trace_space, .stack = trace_stack};
	struct pgf_session *session = NULL;
	bool exec_failed, ended;
	char err[512];
	int ret, status = PGF_EXIT_FAILURE;

	if (pgf_session_open(&session, &o->session, &sink, err, sizeof(err))) {
		pgf_complain("%s", err);
		return PGF_EXIT_FAILURE;
	}
	t->space = pgf_session_space(session);
	t->line.start_ns = trace_now();
	ret = trace_begin(t, session);
	if (!ret)
		ret = pgf_session_drive(session, o, &exec_failed);
	if (!ret) {
		pgf_faultview_end(t, pgf_session_totals(session),
		                  pgf_tier_name(pgf_session_tier(session)));
		if (o->json) {
			struct pgf_run run = {.totals = pgf_session_totals(session),
			                      .status = pgf_session_status(session)};

			pgf_json_totals(t->out, &run);
		}
		ended = o->session.target.argv && pgf_session_status(session) >= 0;
		status = pgf_exit_status(o, pgf_session_totals(session), NULL, ended,
		                         pgf_session_status(session));
	}
	pgf_session_close(session);
	return status;
}

int pgf_cmd_trace(int argc, char **argv)
{
	struct pgf_options options;
	struct pgf_faultview t = {.options = &options};
	int status, ret;

	if (pgf_options_parse(&options,
	                      PGF_OPT_TARGET | PGF_OPT_OUTPUT | PGF_OPT_STACKS | PGF_OPT_VOLUME |
	                              PGF_OPT_JUDGE | PGF_OPT_FILTER | PGF_OPT_FORMAT |
	                              PGF_OPT_SCHEMA,
	                      usage, argc, argv, &status))
		return status;
	if (options.schema)
		return pgf_json_schema(stdout) ? PGF_EXIT_FAILURE : 0;
	if (options.csv || options.assert_count || options.session.volume == PGF_VOLUME_AGGREGATE) {
		pgf_complain("trace: --csv, --assert and --aggregate are for run and report");
		return PGF_EXIT_USAGE;
	}
	if (pgf_faultview_format(&t, pgf_kernel_release()))
		return PGF_EXIT_USAGE;
	options.session.target.pids = options.pids;
	options.session.calls = !options.session.basic;
	t.out = pgf_output_open(&options, stdout);
	if (!t.out)
		return PGF_EXIT_FAILURE;
	t.line.colour = options.colour && isatty(fileno(t.out));
	pgf_signals_catch();
	signal(SIGPIPE, SIG_DFL); /* `pgfault trace | head` ends quietly; the kernel detaches */
	if (pgf_symbols_new(&t.symbols)) {
		pgf_complain("out of memory");
		return PGF_EXIT_FAILURE;
	}
	status = trace_session(&options, &t);
	pgf_faultview_clear(&t);
	pgf_symbols_free(t.symbols);
	ret = pgf_output_close(t.out, stdout);
	if (ret) {
		pgf_complain("writing: %s", strerror(-ret));
		return PGF_EXIT_FAILURE;
	}
	return status;
}
