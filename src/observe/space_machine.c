/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine is set up for: kinds that its settings rule out are not guessed at. */
#include "observe/space_table.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VMSTAT_MAX 16384

static bool read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	return true;
}

/* The file is missing without CONFIG_NUMA_BALANCING; 0 is off. */
static bool numa_hints_off(void)
{
	char text[32];

	if (!read_text("/proc/sys/kernel/numa_balancing", text, sizeof(text)))
		return access("/proc/sys/kernel/osrelease", R_OK) == 0;
	return text[0] == '0';
}

static uint8_t thp_setting(void)
{
	char text[128];

	if (!read_text("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof(text)))
		return PGF_THP_UNKNOWN;
	if (strstr(text, "[always]"))
		return PGF_THP_ALWAYS;
	if (strstr(text, "[madvise]"))
		return PGF_THP_MADVISE;
	return strstr(text, "[never]") ? PGF_THP_NEVER : PGF_THP_UNKNOWN;
}

/* Hints taken since boot; -1 when the kernel does not count them. */
static long long numa_hints(void)
{
	char *text = malloc(VMSTAT_MAX), *at;
	long long hints = -1;

	if (text && read_text("/proc/vmstat", text, VMSTAT_MAX)) {
		at = strstr(text, "\nnuma_hint_faults ");
		if (at)
			hints = strtoll(at + strlen("\nnuma_hint_faults "), NULL, 10);
	}
	free(text);
	return hints;
}

/*
 * Entries that were marked while balancing was on stay so, and fork copies them: the
 * setting alone rules nothing out, the counter does.
 */
void pgf_space_machine(struct pgf_space *space)
{
	long long hints = numa_hints();

	space->thp = thp_setting();
	if (!space->numa_read)
		space->numa_hints = hints;
	space->numa_read = true;
	if (hints != space->numa_hints || (hints < 0 && !numa_hints_off()))
		space->numa_seen = true;
	/* Faults are named a moment after they happened: what was possible once stays so. */
	space->impossible = space->numa_seen ? 0 : PGF_SET(PGF_NUMA_HINT) | PGF_SET(PGF_THP_NUMA);
}

void pgf_space_watch_advice(struct pgf_space *space)
{
	space->advice_watched = true;
}
