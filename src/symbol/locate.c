/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/locate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <gelf.h>
#include <libelf.h>

static int open_in(int root, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags, .resolve = RESOLVE_IN_ROOT};
	long fd;

	if (root < 0) {
		fd = open(path, (int)flags);
		return fd < 0 ? -errno : (int)fd;
	}
	/* Linux 5.6; without it a link in a foreign root could lead into ours: do without. */
	fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

/* A readable descriptor for the inode behind an O_PATH one; takes that over. */
static int reopen(int path_fd, uint64_t max)
{
	char name[32];
	struct stat st;
	int fd;

	if (fstat(path_fd, &st) < 0) {
		fd = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		fd = -EINVAL;
	} else if ((uint64_t)st.st_size > max) {
		fd = -EFBIG;
	} else {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			fd = -errno;
	}
	close(path_fd);
	return fd;
}

int pgf_locate_regular(int root, const char *path, uint64_t max, bool follow)
{
	int fd = open_in(root, path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));

	return fd < 0 ? fd : reopen(fd, max);
}

int pgf_locate_hold(struct pgf_held *held, uint32_t pid)
{
	char path[64];
	char line[256];
	FILE *status;

	*held = (struct pgf_held){.pid = pid, .inner_pid = pid, .uid = (uid_t)-1, .root = -1};
	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	status = fopen(path, "re");
	if (!status)
		return errno == ENOENT ? -ESRCH : -errno;
	while (fgets(line, sizeof(line), status)) {
		unsigned int real;
		unsigned int effective;
		const char *last;

		if (sscanf(line, "Uid: %u %u", &real, &effective) == 2)
			held->uid = effective;
		if (strncmp(line, "NSpid:", 6) == 0) {
			last = strrchr(line, '\t');
			if (last)
				held->inner_pid = (uint32_t)strtoul(last + 1, NULL, 10);
		}
	}
	fclose(status);
	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	held->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

/*
 * 1: the inode that was mapped; 0: may be it; -ESTALE: is another one. btrfs and overlayfs
 * show another device in stat(2) than in /proc/PID/maps, so a different device alone is no proof.
 */
static int check_identity(int fd, const struct pgf_symbol_query *query)
{
	uint8_t build[PGF_BUILD_ID_MAX];
	struct stat st;
	int size;

	if (query->build && query->build_size) {
		size = pgf_build_id(fd, build, sizeof(build));
		/* A file without one is another file. */
		return size > 0 && (size_t)size == query->build_size &&
		                       !memcmp(build, query->build, query->build_size)
		               ? 1
		               : -ESTALE;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	if (query->ino == 0)
		return 0;
	if (st.st_ino != query->ino)
		return -ESTALE;
	return (major(st.st_dev) << 20 | minor(st.st_dev)) == query->dev;
}

static int open_checked(int root, const char *path, const struct pgf_symbol_query *query,
                        bool follow, bool *exact)
{
	int fd = pgf_locate_regular(root, path, PGF_FILE_MAX, follow);
	int same;

	if (fd < 0)
		return fd;
	same = check_identity(fd, query);
	if (same < 0) {
		close(fd);
		return same;
	}
	*exact = same == 1;
	return fd;
}

/* Links of a living process lead to the inode itself, deleted or not. */
static int open_by_proc(const struct pgf_symbol_query *query, bool *exact)
{
	char path[96];
	int fd;

	if (query->pid == 0 || query->ino == 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, query->pid,
	         query->start, query->end);
	fd = open_checked(-1, path, query, true, exact);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%u/exe", query->pid);
	return open_checked(-1, path, query, true, exact);
}

int pgf_locate_mapped(const struct pgf_symbol_query *query, const struct pgf_held *held,
                      bool *exact)
{
	int fd;
	int err = -ENOENT;

	*exact = false;
	if (!query->path || query->path[0] != '/')
		return -ENOENT;
	if (held && held->root >= 0) {
		fd = open_checked(held->root, query->path, query, false, exact);
		if (fd >= 0)
			return fd;
		err = fd;
	}
	fd = open_checked(-1, query->path, query, false, exact);
	if (fd >= 0)
		return fd;
	if (fd != -ENOENT)
		err = fd;
	fd = open_by_proc(query, exact);
	return fd >= 0 ? fd : err;
}

int pgf_locate_build(int root, const uint8_t *build, size_t size)
{
	uint8_t found[PGF_BUILD_ID_MAX];
	char path[64 + 2 * PGF_BUILD_ID_MAX];
	int length;
	int fd;
	size_t i;

	if (size < 2 || size > PGF_BUILD_ID_MAX)
		return -ENOENT;
	length = snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%02x/", build[0]);
	for (i = 1; i < size; i++)
		length += snprintf(path + length, sizeof(path) - (size_t)length, "%02x", build[i]);
	snprintf(path + length, sizeof(path) - (size_t)length, ".debug");
	fd = pgf_locate_regular(root, path, PGF_FILE_MAX, true);
	if (fd < 0)
		return -ENOENT;
	if (pgf_build_id(fd, found, sizeof(found)) != (int)size || memcmp(found, build, size)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

/* CRC-32 as in .gnu_debuglink (gdb manual, "Separate Debug Files"): the one of IEEE 802.3. */
static bool crc_matches(int fd, uint32_t wanted)
{
	static uint32_t table[256];
	uint8_t buf[65536];
	uint32_t crc = ~0u;
	uint32_t i;
	ssize_t got;
	off_t at = 0;

	for (i = 0; i < 256 && !table[255]; i++) {
		uint32_t value = i;
		int bit;

		for (bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
		table[i] = value;
	}
	while ((got = pread(fd, buf, sizeof(buf), at)) > 0) {
		ssize_t k;

		for (k = 0; k < got; k++)
			crc = crc >> 8 ^ table[(crc ^ buf[k]) & 0xff];
		at += got;
	}
	return got == 0 && ~crc == wanted;
}

/* The name and CRC of .gnu_debuglink: a NUL-terminated name, padded to 4 bytes, and a word. */
static bool read_debuglink(Elf *elf, char *name, size_t size, uint32_t *crc)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		const char *title;
		const Elf_Data *data;
		size_t length;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		title = elf_strptr(elf, names, shdr.sh_name);
		if (!title || strcmp(title, ".gnu_debuglink") != 0 || shdr.sh_size > PATH_MAX)
			continue;
		data = elf_rawdata(scn, NULL);
		if (!data || !data->d_buf || data->d_size < 8)
			return false;
		length = strnlen(data->d_buf, data->d_size);
		if (length == 0 || length >= size || ((length + 4) & ~3ul) + 4 > data->d_size)
			return false;
		memcpy(name, data->d_buf, length + 1);
		memcpy(crc, (const char *)data->d_buf + ((length + 4) & ~3ul), 4);
		return !strchr(name, '/') && strcmp(name, "..") != 0;
	}
	return false;
}

static int open_debuglink(int root, const char *path, const char *name, uint32_t crc)
{
	static const char *const forms[] = {"%.*s/.debug/%s", "/usr/lib/debug%.*s/%s", "%.*s/%s"};
	const char *slash = strrchr(path, '/');
	char candidate[PATH_MAX];
	size_t i;

	if (!slash || strcmp(slash + 1, name) == 0)
		return -ENOENT;
	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		int length;
		int fd;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		length = snprintf(candidate, sizeof(candidate), forms[i], (int)(slash - path), path,
		                  name);
#pragma GCC diagnostic pop
		if (length < 0 || (size_t)length >= sizeof(candidate))
			continue;
		fd = pgf_locate_regular(root, candidate, PGF_FILE_MAX, true);
		if (fd < 0)
			continue;
		if (crc_matches(fd, crc))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

int pgf_locate_debug(Elf *elf, const char *path, int root)
{
	char name[NAME_MAX + 1];
	const void *build;
	uint32_t crc;
	int fd = -ENOENT;
	ssize_t size = pgf_build_id_elf(elf, &build);

	if (size > 0 && root >= 0)
		fd = pgf_locate_build(root, build, (size_t)size);
	if (size > 0 && fd < 0)
		fd = pgf_locate_build(-1, build, (size_t)size);
	if (fd >= 0 || !path || path[0] != '/' || !read_debuglink(elf, name, sizeof(name), &crc))
		return fd;
	if (root >= 0)
		fd = open_debuglink(root, path, name, crc);
	return fd >= 0 ? fd : open_debuglink(-1, path, name, crc);
}
