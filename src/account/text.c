/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/account.h"

#include <errno.h>
#include <string.h>

static const char *const by_names[PGF_BY_COUNT] = {
        [PGF_BY_KIND] = "kind",     [PGF_BY_MAP] = "map",         [PGF_BY_KIND_MAP] = "kind-map",
        [PGF_BY_CODE] = "code",     [PGF_BY_PROCESS] = "process", [PGF_BY_THREAD] = "thread",
        [PGF_BY_CGROUP] = "cgroup", [PGF_BY_DISCARD] = "discard", [PGF_BY_STACK] = "stack",
};

static const char *const sort_names[] = {
        [PGF_SORT_TIME] = "time", [PGF_SORT_COUNT] = "count", [PGF_SORT_MAX] = "max",
        [PGF_SORT_P99] = "p99",   [PGF_SORT_MAJOR] = "major", [PGF_SORT_AGAIN] = "again",
};

static const char *const again_names[PGF_AGAIN_COUNT] = {
        [PGF_AGAIN_UNSEEN] = "unseen", [PGF_AGAIN_MADVISE] = "madvise",
        [PGF_AGAIN_UNMAP] = "munmap",  [PGF_AGAIN_BRK] = "brk",
        [PGF_AGAIN_REMAP] = "remap",   [PGF_AGAIN_UNTOLD] = "untold",
};

static const char *const map_type_names[] = {
        [PGF_MAP_UNKNOWN] = "unknown", [PGF_MAP_ANON] = "anon",     [PGF_MAP_HEAP] = "heap",
        [PGF_MAP_STACK] = "stack",     [PGF_MAP_FILE] = "file",     [PGF_MAP_SHMEM] = "shmem",
        [PGF_MAP_HUGETLB] = "hugetlb", [PGF_MAP_DEVICE] = "device", [PGF_MAP_SPECIAL] = "special",
};

#define COUNT(names) (sizeof(names) / sizeof(*(names)))

static const char *name_of(const char *const *names, size_t count, unsigned int value)
{
	return value < count ? names[value] : NULL;
}

static int parse(const char *const *names, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

const char *pgf_by_name(unsigned int by)
{
	return name_of(by_names, COUNT(by_names), by);
}

int pgf_by_parse(const char *name)
{
	return parse(by_names, COUNT(by_names), name);
}

const char *pgf_sort_name(unsigned int sort)
{
	return name_of(sort_names, COUNT(sort_names), sort);
}

int pgf_sort_parse(const char *name)
{
	return parse(sort_names, COUNT(sort_names), name);
}

const char *pgf_again_name(unsigned int again)
{
	return name_of(again_names, COUNT(again_names), again);
}

const char *pgf_map_type_name(unsigned int type)
{
	return name_of(map_type_names, COUNT(map_type_names), type);
}

uint64_t pgf_stat_again(const struct pgf_stat *stat)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < PGF_AGAIN_COUNT; i++)
		if (i != PGF_AGAIN_REMAP)
			sum += stat->again[i];
	return sum;
}
