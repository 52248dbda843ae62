/* SPDX-License-Identifier: BSD-2-Clause */
/* faultgen: makes page faults of chosen kinds and says exactly how many. */
#include "gen/report.h"
#include "gen/task.h"
#include "gen/undo.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE 64
#define COUNT_MAX  1000000ULL

static const struct gen_workload *const tables[] = {
        gen_anon_workloads,   gen_file_workloads, gen_shmem_workloads, gen_signal_workloads,
        gen_kernel_workloads, gen_task_workloads, gen_crowd_workloads, gen_huge_workloads,
        gen_uffd_workloads,   gen_swap_workloads, gen_rare_workloads,
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static void usage(FILE *out)
{
	fputs("usage: faultgen [OPTION]... WORKLOAD[=COUNT]...\n"
	      "       faultgen --list\n"
	      "Makes page faults of known kinds and numbers; the workload \"all\" is every one.\n\n"
	      "  --json FILE   write one JSON object a workload to FILE, - for standard output\n"
	      "  --seed N      seed of what is random (default 1)\n"
	      "  --dir DIR     directory for test and swap files (default /var/tmp)\n"
	      "  --seconds N   how long storm runs (default 2)\n"
	      "  --threads N   threads of storm (default 4)\n"
	      "  --list        list the workloads\n"
	      "  --help        this text\n\n"
	      "Exit status: 0, 1 when an expectation was not met, 64 for wrong usage.\n",
	      out);
}

static void list(void)
{
	printf("%-16s %-14s %6s  %s\n", "WORKLOAD", "KIND", "FAULTS", "NEEDS");
	for (size_t t = 0; t < TABLES; t++)
		for (const struct gen_workload *w = tables[t]; w->name; w++)
			printf("%-16s %-14s %6u  %s\n", w->name, w->kind, w->count, w->needs);
}

static const struct gen_workload *find(const char *name, size_t length)
{
	for (size_t t = 0; t < TABLES; t++)
		for (const struct gen_workload *w = tables[t]; w->name; w++)
			if (strlen(w->name) == length && !strncmp(w->name, name, length))
				return w;
	return NULL;
}

static int parse_number(const char *text, unsigned long long max, unsigned long long *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return errno || end == text || *end || text[0] == '-' || *value > max ? -EINVAL : 0;
}

static int parse_workload(const char *arg, const struct gen_workload **w, unsigned long long *n)
{
	size_t length = strcspn(arg, "=");

	*w = find(arg, length);
	if (!*w)
		return -ENOENT;
	*n = (*w)->count;
	if (arg[length] == '=' && (parse_number(arg + length + 1, COUNT_MAX, n) || !*n))
		return -EINVAL;
	return 0;
}

/* Runs one workload and reports it; false when an expectation was not met. */
static bool run_one(const struct gen_workload *w, unsigned long long n, const struct gen_options *o,
                    FILE *json)
{
	static struct gen_result r;
	bool exact = true;
	int rc;

	memset(&r, 0, sizeof(r));
	r.workload = w->name;
	r.kind = w->kind;
	r.mode = "user";
	r.expect = (long long)n;
	gen_expect(&r, r.expect, 0);
	rc = w->run(o, &r);
	gen_undo_all();
	if (rc < 0 && !r.error[0])
		gen_fail(&r, rc, w->name);
	if (!rc) {
		if (!r.nkinds)
			gen_kind(&r, r.kind, r.expect);
		exact = gen_judge(&r);
	}
	if (json) {
		gen_report_json(json, &r, exact);
		fflush(json);
	}
	if (!json) {
		gen_report_text(stdout, &r, exact);
		fflush(stdout);
	}
	if (!exact)
		fprintf(stderr, "faultgen: %s: %s\n", r.workload, r.mismatch);
	if (rc < 0)
		fprintf(stderr, "faultgen: %s: %s\n", r.workload, r.error);
	gen_result_free(&r);
	return exact && rc >= 0;
}

static bool run_all(const struct gen_options *o, FILE *json)
{
	bool good = true;

	for (size_t t = 0; t < TABLES; t++)
		for (const struct gen_workload *w = tables[t]; w->name; w++)
			good &= run_one(w, w->count, o, json);
	return good;
}

static int check_arguments(int argc, char **argv)
{
	for (int i = optind; i < argc; i++) {
		const struct gen_workload *w;
		unsigned long long n;
		int err;

		if (!strcmp(argv[i], "all"))
			continue;
		err = parse_workload(argv[i], &w, &n);
		if (err) {
			fprintf(stderr, "faultgen: %s: %s\n", argv[i],
			        err == -ENOENT ? "no such workload (see --list)"
			                       : "the count is a number from 1 to 1000000");
			return err;
		}
	}
	return 0;
}

static bool run_arguments(int argc, char **argv, const struct gen_options *o, FILE *json)
{
	bool good = true;

	for (int i = optind; i < argc; i++) {
		const struct gen_workload *w;
		unsigned long long n;

		if (!strcmp(argv[i], "all"))
			good &= run_all(o, json);
		else if (!parse_workload(argv[i], &w, &n))
			good &= run_one(w, n, o, json);
	}
	return good;
}

int main(int argc, char **argv)
{
	enum { OPT_JSON = 256, OPT_SEED, OPT_DIR, OPT_SECONDS, OPT_THREADS, OPT_LIST, OPT_HELP };
	static const struct option longs[] = {
	        {"json", required_argument, NULL, OPT_JSON},
	        {"seed", required_argument, NULL, OPT_SEED},
	        {"dir", required_argument, NULL, OPT_DIR},
	        {"seconds", required_argument, NULL, OPT_SECONDS},
	        {"threads", required_argument, NULL, OPT_THREADS},
	        {"list", no_argument, NULL, OPT_LIST},
	        {"help", no_argument, NULL, OPT_HELP},
	        {NULL, 0, NULL, 0},
	};
	struct gen_options o = {.dir = "/var/tmp", .seed = 1, .seconds = 2, .threads = 4};
	const char *path = NULL;
	unsigned long long n = 0;
	FILE *json = NULL;
	bool good;
	int c;

	/* An image that a workload executed does its share and leaves. */
	if (argc > 1 && !strcmp(argv[1], GEN_EXECUTED))
		return gen_executed(argc, argv);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case OPT_JSON:
			path = optarg;
			break;
		case OPT_SEED:
			if (parse_number(optarg, ~0ULL, &n))
				goto wrong;
			o.seed = n;
			break;
		case OPT_DIR:
			o.dir = optarg;
			break;
		case OPT_SECONDS:
			if (parse_number(optarg, 86400, &n) || !n)
				goto wrong;
			o.seconds = (unsigned int)n;
			break;
		case OPT_THREADS:
			if (parse_number(optarg, GEN_TASKS_MAX, &n) || !n)
				goto wrong;
			o.threads = (unsigned int)n;
			break;
		case OPT_LIST:
			list();
			return 0;
		case OPT_HELP:
			usage(stdout);
			return 0;
		default:
			goto wrong;
		}
	}
	if (optind == argc || check_arguments(argc, argv))
		goto wrong;
	if (path) {
		json = strcmp(path, "-") ? fopen(path, "we") : stdout;
		if (!json) {
			fprintf(stderr, "faultgen: %s: %s\n", path, strerror(errno));
			return 1;
		}
	}
	gen_undo_signals();
	gen_undo_stale();
	good = run_arguments(argc, argv, &o, json);
	if (json && fclose(json)) {
		fprintf(stderr, "faultgen: %s: %s\n", path, strerror(errno));
		return 1;
	}
	return good ? 0 : 1;
wrong:
	usage(stderr);
	return EXIT_USAGE;
}
