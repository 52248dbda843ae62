/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine is set up for: kinds that its settings rule out are not guessed at. */
#include "observe/space_table.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

void pgf_space_machine(struct pgf_space *space)
{
	space->thp = thp_setting();
	/* Faults are named a moment after they happened: what was possible once stays so. */
	if (!numa_hints_off())
		space->numa_seen = true;
	space->impossible = space->numa_seen ? 0 : PGF_SET(PGF_NUMA_HINT) | PGF_SET(PGF_THP_NUMA);
}

void pgf_space_watch_advice(struct pgf_space *space)
{
	space->advice_watched = true;
}
