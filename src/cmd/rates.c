/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `pgfault run --tier counters`: what is left when no tracing is allowed. Counters before
 * and after, from /proc: how many faults, not which.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "observe/counters.h"
#include "observe/spawn.h"
#include "show/escape.h"

struct rates {
	struct pgf_counters before; /* of the machine, or of the cgroup */
	struct pgf_counters after;
	uint64_t minor; /* of the target's own tasks */
	uint64_t major;
	bool own; /* minor and major are known */
	double seconds;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int counters_read(const struct pgf_options *o, struct pgf_counters *out)
{
	const char *cgroup = o->session.target.cgroup;
	int ret = cgroup ? pgf_counters_cgroup(cgroup, out) : pgf_counters_machine(out);

	if (ret)
		pgf_complain("%s: %s", cgroup ? cgroup : "/proc/vmstat", strerror(-ret));
	return ret;
}

/* Sums over the -p processes; those that have ended are left out. */
static bool pids_read(const struct pgf_target *t, uint64_t *minor, uint64_t *major)
{
	bool any = false;

	*minor = *major = 0;
	for (size_t i = 0; i < t->pid_count; i++) {
		uint64_t min, maj;

		if (pgf_counters_process(t->pids[i], &min, &maj))
			continue;
		*minor += min;
		*major += maj;
		any = true;
	}
	return any;
}

static bool time_is_up(const struct pgf_options *o, double start)
{
	return pgf_signals_stop() || (o->seconds > 0 && now() - start >= o->seconds);
}

static int command_rates(const struct pgf_options *o, struct rates *r, int *wait_status)
{
	uint64_t min0, maj0;
	struct pgf_spawn *spawn;
	char err[512] = "";
	double start;
	int ret;

	ret = pgf_spawn_hold(&spawn, &o->session.target, err, sizeof(err));
	if (!ret && pgf_counters_process(pgf_spawn_pid(spawn), &min0, &maj0))
		min0 = maj0 = 0;
	if (!ret)
		ret = counters_read(o, &r->before);
	start = now();
	if (!ret)
		ret = pgf_spawn_release(spawn, err, sizeof(err));
	while (!ret && !pgf_spawn_ended(spawn) && !time_is_up(o, start)) {
		struct pollfd pfd = {.fd = pgf_spawn_fd(spawn), .events = POLLIN};

		poll(&pfd, 1, 50);
	}
	r->seconds = now() - start;
	if (!ret)
		ret = counters_read(o, &r->after);
	if (ret && err[0])
		pgf_complain("%s", err);
	if (!ret && pgf_spawn_ended(spawn)) {
		pgf_spawn_faults(spawn, &r->minor, &r->major);
		r->minor -= min0;
		r->major -= maj0;
		r->own = true;
		*wait_status = pgf_spawn_status(spawn);
	}
	pgf_spawn_close(spawn);
	return ret;
}

static int machine_rates(const struct pgf_options *o, struct rates *r)
{
	uint64_t min0 = 0, maj0 = 0, min1, maj1;
	double start = now();
	int ret = counters_read(o, &r->before);

	r->own = pids_read(&o->session.target, &min0, &maj0);
	if (o->session.target.pid_count && !r->own) {
		pgf_complain("-p: no such process");
		return -ESRCH;
	}
	while (!ret && !time_is_up(o, start)) {
		poll(NULL, 0, 50);
		if (!o->session.target.pid_count)
			continue;
		if (!pids_read(&o->session.target, &min1, &maj1))
			break;
		r->minor = min1 > min0 ? min1 - min0 : 0;
		r->major = maj1 > maj0 ? maj1 - maj0 : 0;
	}
	r->seconds = now() - start;
	return ret ? ret : counters_read(o, &r->after);
}

static void write_text(FILE *out, const struct rates *r, const char *source)
{
	if (r->own)
		fprintf(out, "%.3g s wall, %llu faults: %llu minor, %llu major\n\n", r->seconds,
		        (unsigned long long)(r->minor + r->major), (unsigned long long)r->minor,
		        (unsigned long long)r->major);
	else
		fprintf(out, "%.3g s wall\n\n", r->seconds);
	fprintf(out, "%-32s %14s %14s\n", source, "COUNT", "PER SECOND");
	for (size_t i = 0; i < r->after.count; i++) {
		uint64_t old = 0, delta;

		pgf_counters_get(&r->before, r->after.list[i].name, &old);
		if (r->after.list[i].value <= old)
			continue;
		delta = r->after.list[i].value - old;
		fprintf(out, "%-32s %14llu %14.1f\n", r->after.list[i].name,
		        (unsigned long long)delta, (double)delta / r->seconds);
	}
	fprintf(out, "\ntier: counters; cannot see: %s\n", pgf_tier_blind(PGF_TIER_COUNTERS));
}

static void write_json(FILE *out, const struct rates *r)
{
	fprintf(out,
	        "{\"type\":\"rates\",\"seconds\":%.6f,\"own\":%s,\"minor\":%llu,\"major\":%llu",
	        r->seconds, r->own ? "true" : "false", (unsigned long long)r->minor,
	        (unsigned long long)r->major);
	for (size_t i = 0; i < r->after.count; i++) {
		uint64_t old = 0;

		pgf_counters_get(&r->before, r->after.list[i].name, &old);
		fputc(',', out);
		pgf_escape_json(out, r->after.list[i].name);
		fprintf(out, ":%lld", (long long)(r->after.list[i].value - old));
	}
	fputs("}\n", out);
}

int pgf_rates_run(const struct pgf_options *o)
{
	FILE *fallback = o->session.target.argv ? stderr : stdout, *out;
	int status = -1, ret;
	struct rates r;

	memset(&r, 0, sizeof(r));
	if (o->assert_count || o->csv || o->by >= 0) {
		pgf_complain(
		        "--tier counters: --assert, --csv and --by need a tier that sees faults");
		return PGF_EXIT_USAGE;
	}
	ret = o->session.target.argv ? command_rates(o, &r, &status) : machine_rates(o, &r);
	if (ret)
		return PGF_EXIT_FAILURE;
	out = pgf_output_open(o, fallback);
	if (!out)
		return PGF_EXIT_FAILURE;
	if (o->json)
		write_json(out, &r);
	else
		write_text(out, &r,
		           o->session.target.cgroup ? "THE CGROUP (memory.stat)"
		                                    : "THE WHOLE MACHINE (vmstat)");
	if (pgf_output_close(out, fallback))
		return PGF_EXIT_FAILURE;
	return status >= 0 ? pgf_exit_of(status) : 0;
}
