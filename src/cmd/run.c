/* SPDX-License-Identifier: BSD-2-Clause */
/* `pgfault run`: the summary of a command, a process, or the machine. */
#include "cmd/cmd.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe/cost.h"
#include "show/json.h"
#include "show/summary.h"
#include "symbol/symbol.h"

static const char usage[] =
        "usage: pgfault run [options] [-- command [args]]\n"
        "\n"
        "Runs a command and shows its page faults: how many, of which kind, how long\n"
        "each takes, in which mappings and which code. Without a command: -p, -a or\n"
        "--cgroup.\n"
        "\n"
        "  -p, --pid PID[,PID]   running processes, with all their threads and children\n"
        "  -a, --all             the whole machine\n"
        "      --cgroup PATH     the tasks below a cgroup v2 directory\n"
        "  -d, --duration SEC    end after SEC seconds\n"
        "      --user NAME       run the command as NAME (under sudo: the caller)\n"
        "      --tier TIER       tracepoint, perf or counters; else the best that works\n"
        "      --ring KIB        buffer of each CPU; what does not fit is counted\n"
        "  -g, --stacks          user stacks too (frame pointers); not with --aggregate\n"
        "      --basic           durations and basic kinds only: cheaper\n"
        "      --aggregate       add up in the kernel, by 2 MiB block: no events to read\n"
        "      --by VIEW         one table: kind map kind-map code process thread cgroup\n"
        "                        discard stack\n"
        "      --sort KEY        time count max p99 major\n"
        "      --top N           rows of a table\n"
        "      --strict          exit 2 when anything was lost\n"
        "      --assert EXPR     exit 3 unless EXPR holds, as in 'major==0'\n"
        "  -o, --output FILE     write there; - is stdout\n"
        "      --json, --csv     for machines; --schema prints the JSON schema\n"
        "      --no-color        no colours (also NO_COLOR)\n"
        "  -h, --help\n"
        "\n"
        "The summary goes to stderr with a command, else to stdout. The command's exit\n"
        "status is passed through.\n";

struct run_sink {
	struct pgf_account *account;
	struct pgf_symbols *symbols;
	struct pgf_space *space;
	struct pgf_fault last_failed; /* what a deadly signal was about */
	const struct pgf_map *last_code;
	const struct pgf_map *last_map;
	uint32_t last_pid; /* held already: faults come in bursts of one process */
};

static void sink_hold(struct run_sink *sink, uint32_t pid)
{
	if (pid == sink->last_pid)
		return;
	sink->last_pid = pid;
	pgf_symbols_hold(sink->symbols, pid);
}

/* Kept, as the process's mappings are gone when its death is reported. */
static void sink_failed(struct run_sink *sink, const struct pgf_fault *fault)
{
	sink->last_failed = *fault;
	sink->last_map = pgf_space_map(sink->space, fault->map_id);
	sink->last_code = fault->flags & PGF_F_NO_IP
	                          ? NULL
	                          : pgf_space_find(sink->space, fault->pid, fault->ip);
}

static int sink_fault(void *ctx, const struct pgf_fault *fault)
{
	struct run_sink *sink = ctx;

	sink_hold(sink, fault->pid);
	if (fault->flags & PGF_F_FAILED)
		sink_failed(sink, fault);
	return pgf_account_fault(sink->account, fault, pgf_space_map(sink->space, fault->map_id));
}

static int sink_cell(void *ctx, const struct pgf_cell *cell)
{
	struct run_sink *sink = ctx;

	sink_hold(sink, cell->fault.pid);
	return pgf_account_cell(sink->account, cell,
	                        pgf_space_map(sink->space, cell->fault.map_id));
}

static int sink_space(void *ctx, const struct pgf_space_event *event)
{
	struct run_sink *sink = ctx;

	return pgf_account_space(sink->account, event);
}

static int sink_stack(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count)
{
	struct run_sink *sink = ctx;

	return pgf_account_stack(sink->account, stack_id, ips, count);
}

int pgf_run_show(FILE *out, const struct pgf_options *o, const struct pgf_run *run)
{
	if (o->json)
		return o->by < 0 ? pgf_json_write(out, run)
		                 : pgf_json_rows(out, run, (enum pgf_by)o->by);
	if (o->csv)
		return pgf_csv_rows(out, run, o->by < 0 ? PGF_BY_KIND : (enum pgf_by)o->by);
	if (o->by >= 0)
		return pgf_summary_table(out, run, (enum pgf_by)o->by);
	return pgf_summary_write(out, run);
}

/* Whether the command has ended: else it goes on untraced, and says so. */
static bool command_ended(struct pgf_session *session)
{
	pid_t child = pgf_session_child(session);

	if (!child)
		return false;
	if (pgf_session_status(session) >= 0)
		return true;
	pgf_complain("process %d goes on untraced", child);
	return false;
}

/* One line on what killed the command, when a fault did. */
static void write_death(FILE *out, const struct run_sink *sink, pid_t child, int status)
{
	const struct pgf_fault *fault = &sink->last_failed;
	struct pgf_symbol_query query = {.ip = fault->ip, .pid = fault->pid};
	char where[256] = "?";

	if (!WIFSIGNALED(status) || WTERMSIG(status) != fault->signo ||
	    fault->pid != (uint32_t)child)
		return;
	if (sink->last_code) {
		query.start = sink->last_code->start;
		query.end = sink->last_code->end;
		query.pgoff = sink->last_code->pgoff;
		query.ino = sink->last_code->ino;
		query.dev = sink->last_code->dev;
		query.path = sink->last_code->name;
	}
	if (!(fault->flags & PGF_F_NO_IP))
		pgf_symbol_text(pgf_symbols_find(sink->symbols, &query), where, sizeof(where));
	fprintf(out, "killed by %s: %s of 0x%llx (%s)",
	        fault->signo == SIGBUS ? "SIGBUS" : "SIGSEGV", pgf_op_name(fault->access.op),
	        (unsigned long long)fault->access.address, pgf_kind_label(fault->kind));
	if (sink->last_map) {
		fputs(" in ", out);
		pgf_print_safe(out, sink->last_map->name);
	}
	fputs(" by ", out);
	pgf_print_safe(out, where);
	fputs("\n\n", out);
}

static int run_report(const struct pgf_options *o, struct pgf_session *session,
                      struct run_sink *sink)
{
	FILE *fallback = o->session.target.argv ? stderr : stdout;
	struct pgf_totals copy = *pgf_session_totals(session), *totals = &copy;
	bool ended = command_ended(session);
	char target[1024];
	struct pgf_run run = {
	        .account = sink->account,
	        .symbols = sink->symbols,
	        .totals = totals,
	        .version = pgf_version_text(),
	        .target = target,
	        .tier = pgf_tier_name(pgf_session_tier(session)),
	        .blind = pgf_tier_blind(pgf_session_tier(session)),
	        .kernel = pgf_kernel_release(),
	        .volume = o->session.volume,
	        .sample_period = 1,
	        .status = ended ? pgf_session_status(session) : -1,
	        .sort = o->sort,
	        .top = o->top,
	};
	FILE *out;
	int ret;

	if (pgf_cost_measure(&o->session, &copy.fault_cost_ns))
		copy.fault_cost_ns = 0;
	pgf_target_text(&o->session.target, target, sizeof(target));
	out = pgf_output_open(o, fallback);
	if (!out)
		return PGF_EXIT_FAILURE;
	run.colour = o->colour && isatty(fileno(out));
	if (ended && !o->json && !o->csv && o->by < 0)
		write_death(out, sink, pgf_session_child(session), run.status);
	ret = pgf_run_show(out, o, &run);
	if (!ret)
		ret = pgf_output_close(out, fallback);
	if (ret) {
		pgf_complain("writing the summary: %s", strerror(-ret));
		return PGF_EXIT_FAILURE;
	}
	return pgf_exit_status(o, totals, sink->account, ended, pgf_session_status(session));
}

static int run_session(const struct pgf_options *o)
{
	struct run_sink ctx = {.account = NULL};
	struct pgf_sink sink = {.ctx = &ctx,
	                        .fault = sink_fault,
	                        .cell = sink_cell,
	                        .space = sink_space,
	                        .stack = sink_stack};
	struct pgf_session *session = NULL;
	struct pgf_account_opts account = {.space = NULL};
	char err[512];
	bool exec_failed;
	int status = PGF_EXIT_FAILURE;

	if (pgf_session_open(&session, &o->session, &sink, err, sizeof(err))) {
		pgf_complain("%s", err);
		return PGF_EXIT_FAILURE;
	}
	ctx.space = account.space = pgf_session_space(session);
	if (pgf_account_new(&ctx.account, &account) || pgf_symbols_new(&ctx.symbols))
		pgf_complain("out of memory");
	else if (!pgf_session_drive(session, o, &exec_failed))
		status = run_report(o, session, &ctx);
	pgf_session_close(session);
	pgf_account_free(ctx.account);
	pgf_symbols_free(ctx.symbols);
	return status;
}

int pgf_cmd_run(int argc, char **argv)
{
	struct pgf_options options;
	int status;

	if (pgf_options_parse(&options,
	                      PGF_OPT_TARGET | PGF_OPT_OUTPUT | PGF_OPT_STACKS | PGF_OPT_VOLUME |
	                              PGF_OPT_TABLE | PGF_OPT_JUDGE | PGF_OPT_SCHEMA,
	                      usage, argc, argv, &status))
		return status;
	if (options.schema)
		return pgf_json_schema(stdout) ? PGF_EXIT_FAILURE : 0;
	options.session.target.pids = options.pids;
	options.session.calls = !options.session.basic;
	pgf_signals_catch();
	if (options.session.tier == PGF_TIER_COUNTERS)
		return pgf_rates_run(&options);
	return run_session(&options);
}
