/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/textmap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JIT_MAP_MAX (256ull << 20) /* bytes */

int pgf_textmap_kernel(struct pgf_names *names)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	bool seen = false;
	int err = 0;

	if (!file)
		return -errno;
	while (!err && (length = getline(&line, &room, file)) > 0) {
		char *at;
		uint64_t addr = strtoull(line, &at, 16);

		if (line[length - 1] == '\n')
			line[--length] = '\0';
		if (at[0] != ' ' || !at[1] || at[2] != ' ' || !strchr("tTwW", at[1]))
			continue;
		if (addr == 0)
			continue;
		seen = true;
		at += 3;
		err = pgf_names_add(names, addr, 0, at, strlen(at), at[-2] == 'T');
	}
	free(line);
	fclose(file);
	if (err == -ENOMEM || !seen) {
		pgf_names_clear(names);
		return err == -ENOMEM ? err : -EPERM;
	}
	pgf_names_sort(names);
	return 0;
}

static int parse_jit(struct pgf_names *names, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	uint32_t rank = 0;
	uint64_t bytes = 0;
	int err = 0;

	/* The compiler may still be writing: stop at the bound, ignore a last half line. */
	while (!err && bytes < JIT_MAP_MAX && (length = getline(&line, &room, file)) > 0) {
		uint64_t addr;
		uint64_t size;
		char *at;

		bytes += (uint64_t)length;
		if (line[length - 1] != '\n')
			break;
		line[--length] = '\0';
		addr = strtoull(line, &at, 16);
		if (at == line || *at != ' ')
			continue;
		size = strtoull(at, &at, 16);
		if (*at != ' ' || size == 0 || addr + size < addr)
			continue;
		at++;
		err = pgf_names_add(names, addr, size, at, (size_t)(line + length - at), rank++);
	}
	free(line);
	if (err == -ENOMEM)
		return err;
	pgf_names_sort(names);
	return 0;
}

static int open_jit(int root, uint32_t pid, uid_t owner)
{
	char path[48];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/tmp/perf-%u.map", pid);
	fd = pgf_locate_regular(root, path, JIT_MAP_MAX, false);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || (st.st_uid != owner && st.st_uid != 0)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

int pgf_textmap_jit(struct pgf_names *names, const struct pgf_held *held)
{
	FILE *file;
	int fd = -ENOENT;
	int err;

	if (held->root >= 0)
		fd = open_jit(held->root, held->inner_pid, held->uid);
	if (fd == -ENOENT || fd == -ENOSYS)
		fd = open_jit(-1, held->pid, held->uid);
	if (fd < 0)
		return fd;
	file = fdopen(fd, "r");
	if (!file) {
		err = -errno;
		close(fd);
		return err;
	}
	err = parse_jit(names, file);
	fclose(file);
	if (err)
		pgf_names_clear(names);
	return err;
}
