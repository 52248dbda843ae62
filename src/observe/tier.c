/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe/counters.h"

static const struct tier_row {
	enum pgf_tier tier;
	const char *name;
	const char *blind;
} tiers[] = {
        {PGF_TIER_AUTO, "auto", ""},
        {PGF_TIER_KERNEL, "kernel", ""},
        {PGF_TIER_TRACEPOINT, "tracepoint",
         "the page-table entry, VM_FAULT bits, addresses of GUP faults, zswap, userfaultfd waits"},
        {PGF_TIER_PERF, "perf",
         "read or write, signals, what was allocated, GUP faults: kinds come from the mapping"},
        {PGF_TIER_COUNTERS, "counters", "single faults: rates only"},
};

static const struct tier_row *tier_row(enum pgf_tier tier)
{
	for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++)
		if (tiers[i].tier == tier)
			return &tiers[i];
	return &tiers[0];
}

const char *pgf_tier_name(enum pgf_tier tier)
{
	return tier_row(tier)->name;
}

const char *pgf_tier_blind(enum pgf_tier tier)
{
	return tier_row(tier)->blind;
}

int pgf_tier_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++)
		if (!strcmp(tiers[i].name, name))
			return (int)tiers[i].tier;
	return -EINVAL;
}

/* Touches a known page in a process of its own, so that there is a fault to be seen. */
#define PROBE_PAGES 3

static int probe_fault(void *ctx, const struct pgf_fault *fault)
{
	uint64_t *hits = ctx;
	uint64_t start = hits[1];

	if (fault->access.address >= start &&
	    fault->access.address < start + PROBE_PAGES * (uint64_t)sysconf(_SC_PAGESIZE))
		hits[0]++;
	return 0;
}

static void probe_child(char *area, int go)
{
	char c;

	if (read(go, &c, 1) == 1)
		for (long i = 0; i < PROBE_PAGES; i++)
			((volatile char *)area)[i * sysconf(_SC_PAGESIZE)] = 1;
	_exit(0);
}

static int probe_run(enum pgf_tier tier, pid_t child, int go, uint64_t *hits, char *why,
                     size_t size)
{
	struct pgf_session_opts opts = {.tier = tier, .ring_bytes = 65536};
	struct pgf_sink sink = {.ctx = hits, .fault = probe_fault};
	struct pgf_session *session = NULL;
	int ret;

	opts.target.pids = &child;
	opts.target.pid_count = 1;
	ret = pgf_session_open(&session, &opts, &sink, why, size);
	if (!ret)
		ret = pgf_session_start(session, why, size);
	if (!ret && write(go, "x", 1) != 1)
		ret = -errno;
	for (int i = 0; !ret && i < 200; i++) {
		ret = pgf_session_poll(session, 10);
		if (ret <= 0)
			break;
		ret = 0;
	}
	if (!ret)
		ret = pgf_session_stop(session);
	pgf_session_close(session);
	return ret;
}

/* One more page of one's own has to be counted. */
static int probe_counters(char *why, size_t size)
{
	uint64_t min0, min1, maj;
	int ret = pgf_counters_process(getpid(), &min0, &maj);
	char *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	*(volatile char *)page = 1;
	if (!ret)
		ret = pgf_counters_process(getpid(), &min1, &maj);
	munmap(page, 1);
	if (ret)
		snprintf(why, size, "/proc/%d/stat: %s: mount /proc", getpid(), strerror(-ret));
	else if (min1 <= min0)
		return -ENODATA;
	return ret;
}

int pgf_tier_probe(enum pgf_tier tier, char *why, size_t size)
{
	size_t len = PROBE_PAGES * (size_t)sysconf(_SC_PAGESIZE);
	uint64_t hits[2] = {0, 0};
	int go[2], ret;
	char *area;
	pid_t child;

	if (size)
		why[0] = '\0';
	if (tier == PGF_TIER_COUNTERS)
		return probe_counters(why, size);
	area = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	madvise(area, len, MADV_NOHUGEPAGE);
	hits[1] = (uint64_t)(uintptr_t)area;
	if (pipe(go)) {
		ret = -errno;
		munmap(area, len);
		return ret;
	}
	child = fork();
	if (child == 0) {
		close(go[1]);
		probe_child(area, go[0]);
	}
	ret = child < 0 ? -errno : probe_run(tier, child, go[1], hits, why, size);
	close(go[0]);
	close(go[1]);
	if (child > 0)
		waitpid(child, NULL, 0);
	munmap(area, len);
	if (!ret && hits[0] != PROBE_PAGES) {
		snprintf(why, size,
		         "%s: %llu of %d test faults arrived: is pgfault inside a PID "
		         "namespace, or are rings too small?",
		         pgf_tier_name(tier), (unsigned long long)hits[0], PROBE_PAGES);
		return -ENODATA;
	}
	return ret;
}
