/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `pgfault selftest`: has faultgen make known faults, traces it, and compares. What is
 * expected comes from how the faults were made and from the kernel's own counters.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe/matrix.h"
#include "show/escape.h"

static const char usage[] =
        "usage: pgfault selftest [options] [WORKLOAD...]\n"
        "\n"
        "Makes a known number of faults of each kind, sees them with a tier, and compares\n"
        "kind by kind with what was made.\n"
        "\n"
        "      --tier TIER     tracepoint or perf; the best that works otherwise\n"
        "      --list          what can be made here\n"
        "      --seed N        of the mixed workloads\n"
        "      --json          a line a workload\n"
        "  -o, --output FILE   write there; - is stdout\n"
        "  -h, --help\n"
        "\n"
        "Exit status 0 when all were seen as docs/tiers.md says, 1 when one was not.\n";

#define MAX_FAULTS 4000000

struct seen_fault {
	uint64_t time_ns;
	uint64_t address;
	pgf_set leaves;
	uint32_t pid;
	uint32_t flags;
	uint8_t kind;
	bool used; /* matched with a fault that was made */
};

struct seen {
	struct seen_fault *faults;
	size_t count;
	size_t room;
};

/* One object of faultgen's report. */
struct made {
	struct json_object *object;
	const char *workload;
	const char *kind;
	const char *skipped;
	uint64_t expect;
	uint64_t start_ns; /* the measured part; 0: not known */
	uint64_t stop_ns;
	uint64_t slack; /* faults that may come on top: the task was killed inside one */
	pgf_set beside; /* other kinds that were made in the same place */
	bool gup;
	bool exact; /* the kernel's counters agree that this was made */
};

struct verdict {
	enum pgf_grade grade;
	uint64_t named;    /* of the kind that was made */
	uint64_t inferred; /* of these, inferred */
	uint64_t possible; /* "?", and the kind is among the possible ones */
	uint64_t denied; /* "?" without the kind, or another kind: a lie when faults are missing */
	bool ok;
};

static int seen_add(void *ctx, const struct pgf_fault *fault)
{
	struct seen *seen = ctx;

	if (seen->count == seen->room) {
		size_t room = seen->room ? seen->room * 2 : 4096;
		struct seen_fault *more;

		if (seen->room >= MAX_FAULTS)
			return -E2BIG;
		more = realloc(seen->faults, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		seen->faults = more;
		seen->room = room;
	}
	seen->faults[seen->count++] = (struct seen_fault){
	        .time_ns = fault->time_ns,
	        .address = fault->access.address,
	        .leaves = fault->leaves,
	        .pid = fault->pid,
	        .flags = fault->flags,
	        .kind = fault->kind,
	};
	return 0;
}

/* faultgen stands beside pgfault, in libexec, or where the build put it. */
static int faultgen_path(char *buf, size_t size)
{
	static const char *const places[] = {"faultgen", "../libexec/pgfault/faultgen",
	                                     "../libexec/faultgen", "../gen/faultgen"};
	char self[4096], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return -ENOENT;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (snprintf(buf, size, "%s/%s", self, places[i]) < (int)size && !access(buf, X_OK))
			return 0;
	}
	return -ENOENT;
}

static const char *json_text(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value)
	                                                      : NULL;
}

static uint64_t json_number(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return 0;
	if (json_object_is_type(value, json_type_string))
		return strtoull(json_object_get_string(value), NULL, 0);
	return (uint64_t)json_object_get_int64(value);
}

static bool json_flag(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) && json_object_get_boolean(value);
}

/* The kinds that the workload makes besides its own, and those that losers of races get. */
static pgf_set made_beside(struct json_object *object)
{
	struct json_object *kinds, *evidence, *value;
	pgf_set set = 0;

	if (json_object_object_get_ex(object, "kinds", &kinds)) {
		json_object_object_foreach (kinds, name, count) {
			int kind = pgf_kind_parse(name);

			(void)count;
			if (kind > 0)
				set |= PGF_SET(kind);
		}
	}
	if (json_object_object_get_ex(object, "evidence", &evidence) &&
	    json_object_object_get_ex(evidence, "lost_races", &value))
		set |= PGF_SET(PGF_ACCESS_ONLY);
	return set;
}

static void made_read(struct json_object *object, struct made *made)
{
	const char *mode = json_text(object, "mode");
	struct json_object *evidence;

	made->object = object;
	made->workload = json_text(object, "workload");
	made->kind = json_text(object, "kind");
	made->skipped = json_text(object, "skipped");
	made->expect = json_number(object, "expect");
	made->start_ns = json_number(object, "start_ns");
	made->stop_ns = json_number(object, "stop_ns");
	made->gup = mode && !strcmp(mode, "gup");
	made->exact = json_flag(object, "exact");
	made->beside = made_beside(object);
	made->slack = 0;
	if (json_object_object_get_ex(object, "evidence", &evidence))
		made->slack = json_number(evidence, "may_exceed_by");
}

/* One fault against the kind that was made there. */
static void verdict_one(const struct seen_fault *f, int kind, pgf_set beside, struct verdict *v)
{
	if (f->kind == kind) {
		v->named++;
		v->inferred += (f->flags & PGF_F_INFERRED) != 0;
	} else if (f->kind == PGF_UNKNOWN && f->leaves & PGF_SET(kind)) {
		v->possible++;
	} else if (!((f->kind ? PGF_SET(f->kind) : f->leaves) & beside & ~PGF_SET(kind))) {
		v->denied++;
	}
}

/* The faults of one address range (of one process, when pid is given). */
static void verdict_range(const struct seen *seen, const struct made *made, uint64_t start,
                          uint64_t end, uint32_t pid, int kind, struct verdict *v)
{
	for (size_t i = 0; i < seen->count; i++) {
		const struct seen_fault *f = &seen->faults[i];

		if (f->address < start || f->address >= end || (pid && f->pid != pid))
			continue;
		if (made->start_ns && (f->time_ns < made->start_ns || f->time_ns > made->stop_ns))
			continue;
		verdict_one(f, kind, made->beside, v);
	}
}

/*
 * A workload of several tasks names a range for each of them; tasks that share one are
 * judged together.
 */
static void verdict_tasks(const struct seen *seen, const struct made *made,
                          struct json_object *tasks, int kind, struct verdict *v)
{
	uint64_t last_low = 0, last_high = 0;

	for (size_t i = 0; i < json_object_array_length(tasks); i++) {
		struct json_object *task = json_object_array_get_idx(tasks, i);
		uint64_t low = json_number(task, "start"), high = json_number(task, "end");

		if (i && low == last_low && high == last_high)
			continue;
		last_low = low;
		last_high = high;
		verdict_range(seen, made, low, high, (uint32_t)json_number(task, "pid"), kind, v);
	}
}

static int compare_time(const void *a, const void *b)
{
	const struct seen_fault *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/* An interleaved workload names every fault: the next one seen on that page must be it. */
static void verdict_steps(struct seen *seen, const struct made *made, struct json_object *steps,
                          struct verdict *v)
{
	size_t from = 0;

	qsort(seen->faults, seen->count, sizeof(*seen->faults), compare_time);
	while (from < seen->count && seen->faults[from].time_ns < made->start_ns)
		from++;
	for (size_t i = 0; i < json_object_array_length(steps); i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);
		uint64_t page = strtoull(json_object_get_string(json_object_array_get_idx(step, 0)),
		                         NULL, 0) &
		                ~0xfffull;
		int kind =
		        pgf_kind_parse(json_object_get_string(json_object_array_get_idx(step, 1)));
		size_t at = from;

		while (at < seen->count &&
		       (seen->faults[at].used || (seen->faults[at].address & ~0xfffull) != page))
			at++;
		if (at == seen->count || kind < 0) {
			v->denied++;
			continue;
		}
		seen->faults[at].used = true;
		verdict_one(&seen->faults[at], kind, 0, v);
		while (from < seen->count && seen->faults[from].used)
			from++;
	}
}

static void verdict_gup(const struct pgf_totals *t, const struct made *made, struct verdict *v)
{
	uint64_t tasks = t->task_min + t->task_maj;
	uint64_t remainder = tasks > t->seen ? tasks - t->seen : 0;

	v->grade = PGF_GRADE_COUNTED;
	v->named = remainder;
	v->ok = t->task_known && remainder >= made->expect;
}

/* What the tier should know: without privileges, perf does not see kernel-mode faults. */
static enum pgf_grade grade_wanted(const char *workload, enum pgf_tier tier,
                                   const struct pgf_totals *totals)
{
	enum pgf_grade want = pgf_matrix_grade(workload, tier);

	return want == PGF_GRADE_UNSEEN && totals->gup_separable ? PGF_GRADE_UNKNOWN : want;
}

static void verdict_grade(const struct made *made, uint64_t expect, struct verdict *v)
{
	bool all = v->named >= expect && v->named <= expect + made->slack;

	if (v->denied)
		v->grade = PGF_GRADE_UNTESTED;
	else if (v->named + v->possible == 0)
		v->grade = PGF_GRADE_UNSEEN;
	else if (all && v->inferred == 0)
		v->grade = PGF_GRADE_EXACT;
	else if (all)
		v->grade = PGF_GRADE_INFERRED;
	else if (v->named + v->possible >= expect &&
	         (v->named + v->possible <= expect + made->slack ||
	          made->beside & PGF_SET(PGF_ACCESS_ONLY)))
		v->grade = PGF_GRADE_UNKNOWN;
}

static void verdict_make(struct seen *seen, const struct pgf_totals *totals,
                         const struct made *made, enum pgf_tier tier, struct verdict *v)
{
	int kind = made->kind ? pgf_kind_parse(made->kind) : -1;
	enum pgf_grade want = grade_wanted(made->workload, tier, totals);
	struct json_object *list;
	uint64_t expect = made->expect;

	memset(v, 0, sizeof(*v));
	if (made->gup) {
		verdict_gup(totals, made, v);
		v->ok = v->ok && want == PGF_GRADE_COUNTED;
		return;
	}
	if (json_object_object_get_ex(made->object, "faults", &list)) {
		verdict_steps(seen, made, list, v);
		expect = json_object_array_length(list);
	} else if (kind < 0) {
		return;
	} else if (json_object_object_get_ex(made->object, "tasks", &list)) {
		verdict_tasks(seen, made, list, kind, v);
	} else {
		verdict_range(seen, made, json_number(made->object, "start"),
		              json_number(made->object, "end"), 0, kind, v);
	}
	verdict_grade(made, expect, v);
	v->ok = made->exact && v->grade != PGF_GRADE_UNTESTED && v->grade == want;
}

static void show_text(FILE *out, const struct made *made, const struct verdict *v,
                      enum pgf_grade want)
{
	char name[64], reason[256];

	pgf_escape_terminal(name, sizeof(name), made->workload ? made->workload : "?");
	if (made->skipped) {
		pgf_escape_terminal(reason, sizeof(reason), made->skipped);
		fprintf(out, "skip  %-20s %s\n", name, reason);
		return;
	}
	fprintf(out, "%-5s %-20s made %6llu  named %6llu  inferred %6llu  ? %6llu  %s",
	        v->ok ? "ok" : "FAIL", name, (unsigned long long)made->expect,
	        (unsigned long long)v->named, (unsigned long long)v->inferred,
	        (unsigned long long)v->possible, pgf_grade_name(v->grade));
	if (!v->ok)
		fprintf(out, ", should be %s (%llu others%s)", pgf_grade_name(want),
		        (unsigned long long)v->denied, made->exact ? "" : "; not made exactly");
	fputc('\n', out);
}

static void show_json(FILE *out, const struct made *made, const struct verdict *v,
                      enum pgf_grade want)
{
	fputs("{\"type\":\"selftest\",\"workload\":", out);
	pgf_escape_json(out, made->workload);
	if (made->skipped) {
		fputs(",\"skipped\":", out);
		pgf_escape_json(out, made->skipped);
		fputs("}\n", out);
		return;
	}
	fputs(",\"kind\":", out);
	pgf_escape_json(out, made->kind);
	fprintf(out,
	        ",\"made\":%llu,\"named\":%llu,\"inferred\":%llu,\"possible\":%llu,\"denied\":%llu,"
	        "\"grade\":\"%s\",\"wanted\":\"%s\",\"ok\":%s}\n",
	        (unsigned long long)made->expect, (unsigned long long)v->named,
	        (unsigned long long)v->inferred, (unsigned long long)v->possible,
	        (unsigned long long)v->denied, pgf_grade_name(v->grade), pgf_grade_name(want),
	        v->ok ? "true" : "false");
}

struct score {
	unsigned int passed, failed, skipped;
};

/* Judges every object of the report of one traced run of faultgen. */
static int report_judge(FILE *out, const struct pgf_options *o, const char *path,
                        struct pgf_session *session, struct seen *seen, struct score *score)
{
	enum pgf_tier tier = pgf_session_tier(session);
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t room = 0, objects = 0;

	if (!in)
		return -errno;
	while (getline(&line, &room, in) > 0) {
		struct json_object *object = json_tokener_parse(line);
		struct verdict v = {.ok = false};
		struct made made;

		if (!object)
			continue;
		made_read(object, &made);
		if (made.workload) {
			objects++;
			if (made.skipped)
				score->skipped++;
			else
				verdict_make(seen, pgf_session_totals(session), &made, tier, &v);
			if (!made.skipped && v.ok)
				score->passed++;
			else if (!made.skipped)
				score->failed++;
			(o->json ? show_json : show_text)(
			        out, &made, &v,
			        grade_wanted(made.workload, tier, pgf_session_totals(session)));
		}
		json_object_put(object);
	}
	free(line);
	fclose(in);
	return objects ? 0 : -ENODATA;
}

static int workload_run(FILE *out, const struct pgf_options *o, const char *generator,
                        const char *workload, struct score *score)
{
	char report[] = "/tmp/pgfault-selftest-XXXXXX", seed[32], err[512];
	char *argv[] = {(char *)generator, (char *)workload, "--seed", seed,
	                "--json",          report,           NULL};
	struct pgf_session_opts opts = o->session;
	struct seen seen = {.faults = NULL};
	struct pgf_sink sink = {.ctx = &seen, .fault = seen_add};
	struct pgf_session *session = NULL;
	bool exec_failed;
	int fd, ret;

	fd = mkostemp(report, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)o->seed);
	opts.target.argv = argv;
	opts.calls = true;
	ret = pgf_session_open(&session, &opts, &sink, err, sizeof(err));
	if (ret)
		pgf_complain("%s", err);
	else
		ret = pgf_session_drive(session, o, &exec_failed);
	if (!ret)
		ret = report_judge(out, o, report, session, &seen, score);
	if (ret == -ENODATA) {
		pgf_complain("selftest: %s: faultgen reported nothing (exit status %d)", workload,
		             pgf_exit_of(pgf_session_status(session)));
		score->failed++;
		ret = 0;
	}
	if (ret)
		pgf_complain("selftest: %s: %s", workload, strerror(ret < 0 ? -ret : ret));
	pgf_session_close(session);
	free(seen.faults);
	unlink(report);
	return ret;
}

static int workloads_run(const struct pgf_options *o, const char *generator)
{
	struct score score = {0, 0, 0};
	FILE *out = pgf_output_open(o, stdout);
	int ret = 0;

	if (!out)
		return PGF_EXIT_FAILURE;
	if (o->operand_count) {
		for (int i = 0; !ret && i < o->operand_count && !pgf_signals_stop(); i++)
			ret = workload_run(out, o, generator, o->operands[i], &score);
	} else {
		for (const struct pgf_matrix_row *row = pgf_matrix();
		     !ret && row->workload && !pgf_signals_stop(); row++)
			ret = workload_run(out, o, generator, row->workload, &score);
	}
	if (!o->json)
		fprintf(out, "%u passed, %u failed, %u skipped\n", score.passed, score.failed,
		        score.skipped);
	if (pgf_output_close(out, stdout) || ret || score.failed)
		return PGF_EXIT_FAILURE;
	return score.passed ? 0 : PGF_EXIT_FAILURE;
}

int pgf_cmd_selftest(int argc, char **argv)
{
	struct pgf_options options;
	char generator[4200];
	int status;

	if (pgf_options_parse(&options, PGF_OPT_WORKLOAD | PGF_OPT_OUTPUT | PGF_OPT_TIER, usage,
	                      argc, argv, &status))
		return status;
	if (faultgen_path(generator, sizeof(generator))) {
		pgf_complain(
		        "selftest: faultgen is missing: it is installed beside pgfault; build or "
		        "install it again");
		return PGF_EXIT_FAILURE;
	}
	if (options.list) {
		execl(generator, generator, "--list", (char *)NULL);
		pgf_complain("%s: %s", generator, strerror(errno));
		return PGF_EXIT_FAILURE;
	}
	if (!options.seed_given)
		options.seed = 1;
	pgf_signals_catch();
	return workloads_run(&options, generator);
}
