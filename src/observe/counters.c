/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Longer than any /proc/PID/stat: 52 numbers and a comm of at most 64 bytes. */
#define STAT_MAX 2048

/* Parts of names that are worth keeping. */
static const char *const begins[] = {
        "pgfault",   "pgmajfault", "swp",       "zswp",        "workingset_refault",
        "pgpg",      "pgmigrate",  "compact_",  "allocstall",  "numa_hint",
        "thp_fault", "thp_file_",  "thp_zero_", "thp_swp",     "pgscan_d",
        "pgsteal_d", "htlb_",      "oom_kill",  "numa_pages_", "pswp",
};

static int stat_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got;
	int ret = 0;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	got = read(fd, buf, size - 1);
	if (got < 0)
		ret = -errno;
	else
		buf[got] = '\0';
	close(fd);
	return ret;
}

/* Fields 10 and 12 of proc_pid_stat(5); the comm may hold spaces and parentheses. */
static int stat_faults(const char *path, uint64_t *minor, uint64_t *major)
{
	char buf[STAT_MAX];
	const char *rest;
	int ret = stat_read(path, buf, sizeof(buf));

	if (ret)
		return ret;
	rest = strrchr(buf, ')');
	if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64,
	                    minor, major) != 2)
		return -EPROTO;
	return 0;
}

int pgf_counters_task(pid_t pid, pid_t tid, uint64_t *minor, uint64_t *major)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	return stat_faults(path, minor, major);
}

int pgf_counters_process(pid_t pid, uint64_t *minor, uint64_t *major)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return stat_faults(path, minor, major);
}

static bool wanted(const char *name)
{
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static int table_read(FILE *file, struct pgf_counters *out)
{
	struct timespec now;
	char name[128];
	uint64_t value;

	clock_gettime(CLOCK_MONOTONIC, &now);
	out->time_ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
	out->count = 0;
	while (fscanf(file, "%127s %" SCNu64, name, &value) == 2) {
		struct pgf_counter *counter = &out->list[out->count];

		if (!wanted(name) || strlen(name) >= sizeof(counter->name))
			continue;
		if (out->count == PGF_COUNTERS_MAX)
			return -E2BIG;
		memcpy(counter->name, name, strlen(name) + 1);
		counter->value = value;
		out->count++;
	}
	if (ferror(file))
		return -EIO;
	return out->count ? 0 : -EPROTO;
}

int pgf_counters_machine(struct pgf_counters *out)
{
	FILE *file = fopen("/proc/vmstat", "re");
	int ret;

	if (!file)
		return -errno;
	ret = table_read(file, out);
	fclose(file);
	return ret;
}

int pgf_counters_cgroup(const char *path, struct pgf_counters *out)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FILE *file;
	int fd, ret;

	if (dir < 0)
		return -errno;
	fd = openat(dir, "memory.stat", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ret = -errno;
	close(dir);
	if (fd < 0)
		return ret;
	file = fdopen(fd, "r");
	if (!file) {
		ret = -errno;
		close(fd);
		return ret;
	}
	ret = table_read(file, out);
	fclose(file);
	return ret;
}

int pgf_counters_get(const struct pgf_counters *counters, const char *name, uint64_t *value)
{
	for (size_t i = 0; i < counters->count; i++) {
		if (!strcmp(counters->list[i].name, name)) {
			*value = counters->list[i].value;
			return 0;
		}
	}
	return -ENOENT;
}
