/* SPDX-License-Identifier: BSD-2-Clause */
/* The generator: its vocabulary, its judgement, its witness, and what it puts back. */
#include "gen/undo.h"
#include "pgfault/fault.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGE_CLUSTER "/proc/sys/vm/page-cluster"

static const char *faultgen; /* path of the program, by the build */

/* Runs faultgen with the arguments; its standard output is malloc'ed. Returns the wait status. */
static int run(char *const argv[], char **output, struct rusage *usage)
{
	size_t used = 0, room = 1 << 20;
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	*output = calloc(1, room);
	assert_non_null(*output);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execv(faultgen, argv);
		_exit(127);
	}
	close(ends[1]);
	while ((n = read(ends[0], *output + used, room - 1 - used)) > 0)
		used += (size_t)n;
	close(ends[0]);
	assert_int_equal(wait4(pid, &status, 0, usage), pid);
	return status;
}

static bool is_prime(unsigned int n)
{
	for (unsigned int d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return n > 1;
}

/* Every kind that it names is one of the vocabulary, and every default count a prime. */
static void test_list(void **state)
{
	char *const argv[] = {"faultgen", "--list", NULL};
	struct rusage usage;
	char *output, *save = NULL;
	unsigned int lines = 0;

	assert_int_equal(run(argv, &output, &usage), 0);
	strtok_r(output, "\n", &save);
	for (char *line = strtok_r(NULL, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[32], kind[32];
		unsigned int count;

		assert_int_equal(sscanf(line, "%31s %31s %u", name, kind, &count), 3);
		if (strcmp(kind, "mix"))
			assert_true(pgf_kind_parse(kind) > 0);
		if (!is_prime(count))
			fail_msg("%s: %u is not a prime", name, count);
		lines++;
	}
	assert_true(lines >= 50);
	free(output);
}

/* The kinds inside the JSON too: the lists, and the single faults of the mix. */
static void test_json_kinds(void **state)
{
	char *const argv[] = {"faultgen",      "--json",          "-",         "mix=211",
	                      "segv-repair=7", "futex-nofault=7", "exec-nx=7", NULL};
	struct rusage usage;
	char *output, *at;
	unsigned int kinds = 0;

	assert_int_equal(run(argv, &output, &usage), 0);
	for (at = output; (at = strstr(at, "\",\"")) != NULL; at++) {
		char kind[32];

		/* A pair ["0x...","kind"] of the mix. */
		if (sscanf(at, "\",\"%31[a-z-]\"]", kind) == 1 && at[3 + strlen(kind) + 1] == ']') {
			assert_true(pgf_kind_parse(kind) > 0);
			kinds++;
		}
	}
	assert_int_equal(kinds, 211);
	for (at = output; (at = strstr(at, "\"kinds\":{")) != NULL; at++) {
		char *end = strchr(at, '}');

		for (char *name = at + 9; name < end; name = strchr(name, ',') + 1) {
			char kind[32];

			assert_int_equal(sscanf(name, "\"%31[a-z-]\"", kind), 1);
			assert_true(pgf_kind_parse(kind) > 0);
			if (!strchr(name, ',') || strchr(name, ',') > end)
				break;
		}
	}
	free(output);
}

/* Another process's view of the same faults: what wait4(2) charges grows by as many. */
static void test_witness(void **state)
{
	char *const few[] = {"faultgen", "anon-new=3", NULL};
	char *const many[] = {"faultgen", "anon-new=100003", NULL};
	struct rusage small, big;
	char *output;

	assert_int_equal(run(few, &output, &small), 0);
	free(output);
	assert_int_equal(run(many, &output, &big), 0);
	free(output);
	/* Start-up differs by a few faults with the layout of the address space. */
	assert_in_range(big.ru_minflt - small.ru_minflt, 100000 - 64, 100000 + 64);
}

static void test_usage(void **state)
{
	char *const none[] = {"faultgen", NULL};
	char *const unknown[] = {"faultgen", "no-such-workload", NULL};
	char *const zero[] = {"faultgen", "anon-new=0", NULL};
	char *const negative[] = {"faultgen", "anon-new=-1", NULL};
	char *const *const wrong[] = {none, unknown, zero, negative};
	struct rusage usage;
	char *output;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int status = run(wrong[i], &output, &usage);

		free(output);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 64);
	}
}

static void test_skip_is_said(void **state)
{
	char *const argv[] = {"faultgen", "--json", "-", "--dir", "/dev/shm", "file-major", NULL};
	struct rusage usage;
	char *output;

	if (access("/dev/shm", W_OK))
		skip();
	assert_int_equal(run(argv, &output, &usage), 0);
	assert_non_null(strstr(output, "\"skipped\":\"/dev/shm is not on"));
	assert_null(strstr(output, "\"exact\""));
	free(output);
}

static void test_judge(void **state)
{
	struct gen_task task = {.expect = 3, .min = 2};
	struct gen_result r = {.expect = 5, .min = 4, .maj = 1, .perf = 5, .perf_user = GEN_ANY};

	gen_expect(&r, 5, 1);
	assert_true(gen_judge(&r));
	r.expect_maj = 0;
	assert_false(gen_judge(&r));
	assert_string_equal(r.mismatch, "maj is 1, expected 0");

	r.mismatch[0] = '\0';
	r.expect_maj = GEN_ANY;
	assert_true(gen_judge(&r));
	r.perf = 6;
	assert_false(gen_judge(&r));

	r.mismatch[0] = '\0';
	r.perf = GEN_ANY;
	assert_true(gen_judge(&r));
	gen_check(&r, "frames_changed", 4, 5);
	assert_false(gen_judge(&r));

	r.mismatch[0] = '\0';
	gen_check_least(&r, "pswpin", 5, 5);
	assert_true(gen_judge(&r));
	r.tasks = &task;
	r.ntasks = 1;
	assert_false(gen_judge(&r));
}

static void read_setting(char *value, int size)
{
	FILE *f = fopen(PAGE_CLUSTER, "re");

	assert_non_null(f);
	assert_non_null(fgets(value, size, f));
	fclose(f);
}

/* A generator killed between the change and its end leaves a journal for the next one. */
static void test_killed(void **state)
{
	char before[32], between[32], after[32];
	struct gen_result r;
	int status;
	pid_t pid;

	if (geteuid() || access(PAGE_CLUSTER, W_OK))
		skip();
	memset(&r, 0, sizeof(r));
	read_setting(before, sizeof(before));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!gen_undo_begin(&r) &&
		    !gen_undo_set(PAGE_CLUSTER, before[0] == '5' ? "6" : "5"))
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	read_setting(between, sizeof(between));
	/* Waits for the lock, unlike gen_undo_stale(): another generator may be running. */
	assert_int_equal(gen_undo_begin(&r), 0);
	read_setting(after, sizeof(after));
	gen_undo_all();
	assert_string_not_equal(before, between);
	assert_string_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_list),         cmocka_unit_test(test_json_kinds),
	        cmocka_unit_test(test_witness),      cmocka_unit_test(test_usage),
	        cmocka_unit_test(test_skip_is_said), cmocka_unit_test(test_judge),
	        cmocka_unit_test(test_killed),
	};

	faultgen = getenv("FAULTGEN");
	if (!faultgen) {
		fprintf(stderr, "FAULTGEN must name the program\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
