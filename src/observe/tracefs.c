/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FORMAT_MAX 16384

static int tracefs_private(void)
{
	int fs, mnt, dir, err;

	fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) {
		err = -errno;
		close(fs);
		return err;
	}
	mnt = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	err = -errno;
	close(fs);
	if (mnt < 0)
		return err;
	dir = openat(mnt, "events", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = -errno;
	close(mnt);
	return dir < 0 ? err : dir;
}

int pgf_tracefs_open(void)
{
	static const char *const places[] = {
	        "/sys/kernel/tracing/events",
	        "/sys/kernel/debug/tracing/events",
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int dir = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (dir >= 0)
			return dir;
		if (errno == EACCES || errno == EPERM)
			return -errno;
	}
	return tracefs_private();
}

/* Reads events/TRACEPOINT/FILE as a string; returns its length or -errno. */
static int tracefs_read(int events, const char *tracepoint, const char *file, char *buf,
                        size_t size)
{
	char path[256];
	size_t len = 0;
	ssize_t n;
	int fd, err;

	if (snprintf(path, sizeof(path), "%s/%s", tracepoint, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(events, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			close(fd);
			return err;
		}
		len += (size_t)n;
	}
	close(fd);
	buf[len] = '\0';
	return (int)len;
}

int pgf_tracefs_id(int events, const char *tracepoint)
{
	char buf[32], *end;
	long id;
	int n = tracefs_read(events, tracepoint, "id", buf, sizeof(buf));

	if (n < 0)
		return n;
	id = strtol(buf, &end, 10);
	return end == buf || id <= 0 || id > 0x7fffffff ? -EINVAL : (int)id;
}

/* Parses "\tfield:TYPE NAME[N];\toffset:O;\tsize:S;..." for the wanted name. */
static int field_in_line(const char *line, const char *field, int *size)
{
	const char *semi = strchr(line, ';'), *name = semi;
	size_t len = strlen(field);
	int offset, bytes;

	if (!semi)
		return -EINVAL;
	while (name > line && name[-1] != ' ' && name[-1] != '*')
		name--;
	if (strncmp(name, field, len) || (name[len] != ';' && name[len] != '['))
		return -ENOENT;
	if (sscanf(semi, ";\toffset:%d;\tsize:%d;", &offset, &bytes) != 2)
		return -EINVAL;
	if (size)
		*size = bytes;
	return offset;
}

int pgf_tracefs_field(int events, const char *tracepoint, const char *field, int *size)
{
	char *buf, *line, *save = NULL;
	int ret;

	buf = malloc(FORMAT_MAX);
	if (!buf)
		return -ENOMEM;
	ret = tracefs_read(events, tracepoint, "format", buf, FORMAT_MAX);
	if (ret < 0)
		goto out;
	ret = -ENOENT;
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "\tfield:", 7))
			continue;
		ret = field_in_line(line, field, size);
		if (ret >= 0)
			break;
		ret = -ENOENT;
	}
out:
	free(buf);
	return ret;
}

int pgf_tracefs_perf_open(int events, const char *tracepoint, int cpu)
{
	struct perf_event_attr attr = {
	        .type = PERF_TYPE_TRACEPOINT,
	        .size = sizeof(attr),
	        .sample_period = 1,
	        .wakeup_events = 1,
	        .disabled = 1,
	};
	int id = pgf_tracefs_id(events, tracepoint), fd;

	if (id < 0)
		return id;
	attr.config = (unsigned int)id;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
