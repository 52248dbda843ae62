/* SPDX-License-Identifier: BSD-2-Clause */
/* `pgfault record`: faults and the events of the address spaces into a .pgf file. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pgfault/record.h>
#include "cmd/codenames.h"
#include "observe/cost.h"
#include "record/info.h"
#include "record/writer.h"

static const char usage[] =
        "usage: pgfault record [options] [-- command [args]]\n"
        "\n"
        "Records every page fault, and the calls that map, unmap and advise memory, for\n"
        "`pgfault report`.\n"
        "\n"
        "  -o, --output FILE     the recording (pgfault.pgf); - is stdout\n"
        "  -p, --pid PID[,PID]   running processes, with all their threads and children\n"
        "  -a, --all             the whole machine\n"
        "      --cgroup PATH     the tasks below a cgroup v2 directory\n"
        "  -d, --duration SEC    end after SEC seconds\n"
        "      --user NAME       run the command as NAME (under sudo: the caller)\n"
        "      --tier TIER       tracepoint or perf; the best that works otherwise\n"
        "      --ring KIB        buffer of each CPU; what does not fit is counted\n"
        "  -g, --stacks          user stacks (frame pointers)\n"
        "      --basic           durations and basic kinds only: cheaper\n"
        "      --strict          exit 2 when anything was lost\n"
        "  -h, --help\n"
        "\n"
        "The command's exit status is passed through.\n";

struct record_sink {
	struct pgf_writer *writer;
	struct pgf_sink file;
	struct pgf_codenames *names;
};

/* A full disk does not stop the command: what could be written stays readable. */
static int written(int ret)
{
	return ret == -ENOMEM ? ret : 0;
}

static int record_fault(void *ctx, const struct pgf_fault *fault)
{
	struct record_sink *r = ctx;
	int ret = pgf_codenames_fault(r->names, fault);

	return ret ? ret : written(r->file.fault(r->file.ctx, fault));
}

static int record_cell(void *ctx, const struct pgf_cell *cell)
{
	struct record_sink *r = ctx;
	int ret = pgf_codenames_fault(r->names, &cell->fault);

	return ret ? ret : written(r->file.cell(r->file.ctx, cell));
}

static int record_space(void *ctx, const struct pgf_space_event *event)
{
	struct record_sink *r = ctx;
	int ret = pgf_codenames_space(r->names, event);

	return ret ? ret : written(r->file.space(r->file.ctx, event));
}

static int record_stack(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count)
{
	struct record_sink *r = ctx;
	int ret = pgf_codenames_stack(r->names, stack_id, ips, count);

	return ret ? ret : written(r->file.stack(r->file.ctx, stack_id, ips, count));
}

static void options_text(const struct pgf_options *o, char *buf, size_t size)
{
	char target[PGF_INFO_TEXT] = "";

	/* A command has a field of its own. */
	if (!o->session.target.argv)
		pgf_target_text(&o->session.target, target, sizeof(target));
	snprintf(buf, size, "%s%s%s%s", o->session.stacks ? "-g " : "",
	         o->session.basic ? "--basic " : "",
	         o->session.volume == PGF_VOLUME_AGGREGATE ? "--aggregate " : "", target);
}

static int writer_open(struct pgf_writer **out, const struct pgf_options *o,
                       struct pgf_session *session, const char *path)
{
	struct pgf_record_info info;
	char *command = NULL;
	int ret;

	pgf_record_info_local(&info);
	snprintf(info.tool, sizeof(info.tool), "pgfault %s", pgf_version_text());
	options_text(o, info.options, sizeof(info.options));
	info.tier = pgf_session_tier(session);
	info.volume = o->session.volume;
	info.content = PGF_CONTENT_CALLS | (o->session.stacks ? PGF_CONTENT_STACKS : 0) |
	               (o->session.basic ? PGF_CONTENT_BASIC : 0);
	if (o->session.target.argv) {
		command = pgf_record_command_join(o->session.target.argv, &info.command_size);
		info.command = command;
	}
	ret = pgf_writer_open(out, path, &info);
	free(command);
	if (ret)
		pgf_complain("%s: %s", path,
		             ret == -ELOOP ? "a symbolic link is not followed; name the file itself"
		                           : strerror(-ret));
	return ret;
}

/* The closing lines on stderr: what there is, what is missing. */
static void record_close(const struct pgf_options *o, const char *path, uint64_t bytes,
                         const struct pgf_totals *t)
{
	uint64_t faults = t->seen + t->failed + t->unfinished;

	(void)o;
	fprintf(stderr, "pgfault: %llu faults, %llu bytes (%.1f a fault) in ",
	        (unsigned long long)faults, (unsigned long long)bytes,
	        faults ? (double)bytes / (double)faults : 0.0);
	pgf_print_safe(stderr, path);
	fprintf(stderr, "; lost: %llu faults, %llu address-space records",
	        (unsigned long long)(t->lost_events + t->lost_detail),
	        (unsigned long long)t->lost_space);
	if (t->lost_stacks)
		fprintf(stderr, ", %llu stacks", (unsigned long long)t->lost_stacks);
	fputc('\n', stderr);
}

static int record_finish(const struct pgf_options *o, struct pgf_session *session,
                         struct record_sink *r, const char *path)
{
	struct pgf_totals totals = *pgf_session_totals(session);
	int status = pgf_session_status(session), ret;
	uint64_t bytes, dropped;

	if (pgf_cost_measure(&o->session, &totals.fault_cost_ns))
		totals.fault_cost_ns = 0;
	/* The first error of the writer comes back from its close. */
	if (!pgf_codenames_write(r->names, r->writer))
		pgf_writer_flush(r->writer);
	dropped = pgf_writer_dropped(r->writer);
	bytes = pgf_writer_size(r->writer);
	ret = pgf_writer_close(r->writer, &totals);
	r->writer = NULL;
	record_close(o, path, bytes, &totals);
	if (ret) {
		pgf_complain("%s: %s: %llu items are missing; what is there can be read", path,
		             strerror(-ret), (unsigned long long)dropped);
		return PGF_EXIT_FAILURE;
	}
	if (pgf_session_child(session) && status < 0)
		pgf_complain("process %d goes on untraced", pgf_session_child(session));
	return pgf_exit_status(o, &totals, NULL, pgf_session_child(session) && status >= 0, status);
}

static int record_session(const struct pgf_options *o, const char *path)
{
	struct record_sink r = {.writer = NULL};
	struct pgf_sink sink = {.ctx = &r,
	                        .fault = record_fault,
	                        .cell = record_cell,
	                        .space = record_space,
	                        .stack = record_stack};
	struct pgf_session *session = NULL;
	bool exec_failed;
	char err[512];
	int status = PGF_EXIT_FAILURE;

	if (pgf_session_open(&session, &o->session, &sink, err, sizeof(err))) {
		pgf_complain("%s", err);
		return PGF_EXIT_FAILURE;
	}
	if (pgf_codenames_new(&r.names, pgf_session_space(session))) {
		pgf_complain("out of memory");
	} else if (!writer_open(&r.writer, o, session, path)) {
		r.file = pgf_writer_sink(r.writer);
		if (!pgf_session_drive(session, o, &exec_failed))
			status = record_finish(o, session, &r, path);
	}
	pgf_writer_close(r.writer, NULL);
	pgf_session_close(session);
	pgf_codenames_free(r.names);
	return status;
}

int pgf_cmd_record(int argc, char **argv)
{
	struct pgf_options options;
	int status;

	if (pgf_options_parse(&options,
	                      PGF_OPT_TARGET | PGF_OPT_OUTPUT | PGF_OPT_STACKS | PGF_OPT_VOLUME |
	                              PGF_OPT_JUDGE,
	                      usage, argc, argv, &status))
		return status;
	if (options.json || options.csv || options.assert_count) {
		pgf_complain("record: --json, --csv and --assert are for `pgfault report`");
		return PGF_EXIT_USAGE;
	}
	options.session.target.pids = options.pids;
	options.session.calls = true;
	if (options.output && !strcmp(options.output, "-") && isatty(STDOUT_FILENO)) {
		pgf_complain("record: -o -: a recording is not for a terminal");
		return PGF_EXIT_USAGE;
	}
	pgf_signals_catch();
	return record_session(&options, options.output ? options.output : "pgfault.pgf");
}
