/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf.data files made by perf itself; what perf script makes of them is the measure.
 * Without perf, or where it may not record, the test is skipped (77).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <pgfault/record.h>
#include "record/perfdata.h"

static char dir[] = "/tmp/pgf-perf-XXXXXX";
static char all_data[PATH_MAX];   /* the three events of a fault */
static char entry_data[PATH_MAX]; /* page-faults alone, of two processes */
static char stack_data[PATH_MAX];
static char plain_data[PATH_MAX]; /* without addresses */

/* Runs a shell command; returns its exit status. */
static int shell(const char *format, const char *file)
{
	char command[PATH_MAX + 512];
	int status;

	snprintf(command, sizeof(command), format, file);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct seen {
	uint64_t faults;
	uint64_t minor;
	uint64_t major;
	uint64_t timed;
	uint64_t user;
	uint64_t addresses; /* sums */
	uint64_t ips;
	uint64_t last_end;
	uint64_t mapped; /* faults whose mapping is known */
	uint64_t execs;
	uint64_t maps;
	uint64_t exits;
	uint64_t stacks;
	uint64_t stacked; /* faults with a stack */
	uint32_t stack_max;
	bool comm_ls;
	bool libc;
};

static int see_fault(void *ctx, const struct pgf_fault *fault)
{
	struct seen *seen = ctx;
	bool timed = !(fault->flags & PGF_F_NO_DURATION);

	/* in the order of their ends */
	assert_true(fault->flags & PGF_F_UNFINISHED ||
	            fault->time_ns + fault->duration_ns >= seen->last_end);
	if (!(fault->flags & PGF_F_UNFINISHED))
		seen->last_end = fault->time_ns + fault->duration_ns;
	seen->faults++;
	seen->timed += timed;
	if (timed)
		assert_true(fault->duration_ns > 0 && fault->duration_ns < 60000000000ull);
	else
		assert_int_equal(fault->duration_ns, 0);
	if (fault->flags & PGF_F_MAJOR)
		seen->major++;
	else if (timed)
		seen->minor++;
	seen->user += fault->access.mode == PGF_MODE_USER;
	seen->addresses += fault->access.address;
	seen->ips += fault->ip;
	seen->mapped += fault->map_id != 0;
	seen->comm_ls |= strcmp(fault->comm, "ls") == 0;
	assert_true(fault->stack_id <= seen->stack_max);
	seen->stacked += fault->stack_id != 0;
	return 0;
}

static int see_space(void *ctx, const struct pgf_space_event *event)
{
	struct seen *seen = ctx;

	seen->execs += event->type == PGF_SPACE_EXEC;
	seen->maps += event->type == PGF_SPACE_MMAP;
	seen->exits += event->type == PGF_SPACE_EXIT;
	if (event->type == PGF_SPACE_MMAP && strstr(event->name, "/libc")) {
		struct stat st;

		seen->libc = true;
		assert_int_equal(stat(event->name, &st), 0);
		assert_int_equal(event->ino, st.st_ino);
	}
	return 0;
}

static int see_stack(void *ctx, uint32_t id, const uint64_t *ips, size_t count)
{
	struct seen *seen = ctx;

	/* numbered as they come, and no marks of the context among the frames */
	assert_int_equal(id, ++seen->stack_max);
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++)
		assert_true(ips[i] < UINT64_MAX - 4095);
	seen->stacks++;
	return 0;
}

static struct pgf_perfdata *convert(const char *path, struct seen *seen)
{
	const struct pgf_sink sink = {
	        .ctx = seen, .fault = see_fault, .space = see_space, .stack = see_stack};
	struct pgf_perfdata *perf;
	char err[256] = "";

	memset(seen, 0, sizeof(*seen));
	if (pgf_perfdata_open(&perf, path, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(pgf_perfdata_run(perf, &sink), 0);
	return perf;
}

/* What perf script says of one event: samples, sums of addresses and of ips. */
struct script {
	uint64_t count;
	uint64_t addresses;
	uint64_t ips;
};

static struct script script(const char *path, const char *event)
{
	char command[PATH_MAX + 256], name[64];
	struct script sum = {.count = 0};
	uint64_t address, ip;
	FILE *pipe;

	snprintf(command, sizeof(command), "perf script -i %s -F event,addr,ip -G 2>/dev/null",
	         path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while (fscanf(pipe, " %63[^:]%*[:uk] %lx %lx%*[^\n]", name, &address, &ip) == 3) {
		if (strcmp(name, event) != 0)
			continue;
		sum.count++;
		sum.addresses += address;
		sum.ips += ip;
	}
	assert_int_equal(pclose(pipe), 0);
	return sum;
}

static void test_three_events(void **state)
{
	struct script entries = script(all_data, "page-faults");
	struct script minor = script(all_data, "minor-faults");
	struct script major = script(all_data, "major-faults");
	const struct pgf_record_info *info;
	const struct pgf_totals *totals;
	struct pgf_perfdata *perf;
	struct utsname name;
	struct seen seen;

	perf = convert(all_data, &seen);
	totals = pgf_perfdata_totals(perf);
	info = pgf_perfdata_info(perf);
	assert_true(entries.count > 50 && minor.count > 50);
	assert_int_equal(totals->minor, minor.count);
	assert_int_equal(totals->major, major.count);
	assert_int_equal(totals->seen, minor.count + major.count);
	assert_int_equal(totals->entered, entries.count);
	assert_int_equal(totals->lost_events, 0);
	assert_int_equal(seen.faults, totals->seen + totals->unfinished);
	assert_int_equal(seen.major, major.count);
	assert_int_equal(seen.minor, minor.count);
	assert_int_equal(seen.addresses, entries.addresses);
	assert_int_equal(seen.ips, entries.ips);
	assert_true(seen.timed == totals->seen);
	assert_true(seen.comm_ls && seen.libc);
	assert_true(seen.execs > 0 && seen.exits > 0 && seen.maps > 5);
	assert_true(seen.mapped > seen.faults / 2);
	assert_int_equal(info->sample_period, 1);
	assert_int_equal(info->clock, CLOCK_MONOTONIC);
	assert_int_equal(uname(&name), 0);
	assert_string_equal(info->release, name.release);
	assert_string_equal(info->host, name.nodename);
	assert_string_equal(info->machine, name.machine);
	pgf_perfdata_close(perf);
}

static void test_entries_alone(void **state)
{
	struct script entries = script(entry_data, "page-faults");
	struct pgf_perfdata *perf;
	struct seen seen;

	perf = convert(entry_data, &seen);
	assert_true(entries.count > 100);
	assert_int_equal(seen.faults, entries.count);
	assert_int_equal(seen.addresses, entries.addresses);
	assert_int_equal(seen.ips, entries.ips);
	assert_int_equal(seen.timed, 0);
	assert_int_equal(pgf_perfdata_totals(perf)->seen, entries.count);
	/* the shell and its two children; each runs a program */
	assert_true(seen.execs >= 3 && seen.exits >= 3);
	pgf_perfdata_close(perf);
}

static void test_stacks(void **state)
{
	struct pgf_perfdata *perf;
	struct seen seen;

	perf = convert(stack_data, &seen);
	assert_true(seen.stacks > 3 && seen.stacked > 50);
	assert_true(pgf_perfdata_info(perf)->content & PGF_CONTENT_STACKS);
	pgf_perfdata_close(perf);
}

static void expect_open(const char *path, int want, const char *text)
{
	struct pgf_perfdata *perf = NULL;
	char err[256] = "";

	assert_int_equal(pgf_perfdata_open(&perf, path, err, sizeof(err)), want);
	if (!strstr(err, text))
		fail_msg("\"%s\" is not in \"%s\"", text, err);
}

static void test_refused(void **state)
{
	expect_open(plain_data, -EINVAL, "perf record -d");
	expect_open("/proc/self/exe", -EBADMSG, "not a perf.data file");
	expect_open("/nonexistent", -ENOENT, "/nonexistent");
	expect_open("/dev/null", -ESPIPE, "regular files");
	pgf_perfdata_close(NULL);
}

static int count_only(void *ctx, const struct pgf_fault *fault)
{
	++*(uint64_t *)ctx;
	return 0;
}

/* Cut or damaged anywhere: refused, or read as far as it goes. */
static void test_damaged(void **state)
{
	char path[PATH_MAX];
	uint64_t whole = script(entry_data, "page-faults").count, most = 0;
	uint8_t data[65536];
	int in = open(entry_data, O_RDONLY | O_CLOEXEC), out;
	ssize_t size = read(in, data, sizeof(data));
	uint64_t seed = 1;

	assert_true(size > 4096);
	close(in);
	snprintf(path, sizeof(path), "%s/damaged", dir);
	for (int round = 0; round < 400; round++) {
		struct pgf_perfdata *perf = NULL;
		uint64_t faults = 0;
		const struct pgf_sink sink = {.ctx = &faults, .fault = count_only};
		size_t at, keep = (size_t)size;
		uint8_t before;
		char err[256];

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		at = (seed >> 33) % (size_t)(round % 4 ? size : 1024);
		before = data[at];
		if (round % 2)
			data[at] ^= (uint8_t)(1u << (seed >> 29) % 8);
		else
			keep = at;
		out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_int_equal(write(out, data, keep), keep);
		close(out);
		data[at] = before;
		if (pgf_perfdata_open(&perf, path, err, sizeof(err)) == 0) {
			int ret = pgf_perfdata_run(perf, &sink);

			assert_true(ret == 0 || ret == -EBADMSG);
			/* one bit makes a sample of a record at most */
			assert_true(faults <= whole + 1);
			most = faults > most ? faults : most;
		}
		pgf_perfdata_close(perf);
	}
	assert_true(most > 0);
	unlink(path);
}

static int teardown(void **state)
{
	unlink(all_data);
	unlink(entry_data);
	unlink(stack_data);
	unlink(plain_data);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_three_events), cmocka_unit_test(test_entries_alone),
	        cmocka_unit_test(test_stacks),       cmocka_unit_test(test_refused),
	        cmocka_unit_test(test_damaged),
	};

	if (shell("command -v perf >/dev/null 2>&1", "") || !mkdtemp(dir)) {
		printf("skipped: no perf\n");
		return 77;
	}
	snprintf(all_data, sizeof(all_data), "%s/all.data", dir);
	snprintf(entry_data, sizeof(entry_data), "%s/entry.data", dir);
	snprintf(stack_data, sizeof(stack_data), "%s/stack.data", dir);
	snprintf(plain_data, sizeof(plain_data), "%s/plain.data", dir);
	if (shell("perf record -q --clockid mono -e page-faults,minor-faults,major-faults -c 1 -d "
	          "-o %s -- ls -l / >/dev/null 2>&1",
	          all_data) ||
	    shell("perf record -q -e page-faults -c 1 -d -o %s -- "
	          "sh -c 'ls / | cat' >/dev/null 2>&1",
	          entry_data) ||
	    shell("perf record -q -g -e page-faults -c 1 -d -o %s -- ls >/dev/null 2>&1",
	          stack_data) ||
	    shell("perf record -q -e page-faults -c 1 -o %s -- ls >/dev/null 2>&1", plain_data)) {
		teardown(NULL);
		printf("skipped: perf may not record page faults here\n");
		return 77;
	}
	return cmocka_run_group_tests_name("perfdata", tests, NULL, teardown);
}
