/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault/maptype.h"

#include <string.h>
#include <sys/mman.h>

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

struct prefix_type {
	const char *prefix;
	enum pgf_map_type type;
};

static enum pgf_map_type by_prefix(const char *name, const struct prefix_type *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (begins(name, rows[i].prefix))
			return rows[i].type;
	}
	return PGF_MAP_UNKNOWN;
}

/* "[name]" is the kernel's own: paths begin with a slash. Any other one is special. */
static enum pgf_map_type by_bracket(const char *name)
{
	static const struct prefix_type rows[] = {
	        {"[heap]", PGF_MAP_HEAP},   {"[stack]", PGF_MAP_STACK},
	        {"[stack:", PGF_MAP_STACK}, {"[anon:", PGF_MAP_ANON},
	        {"[anon]", PGF_MAP_ANON},   {"[anon_shmem:", PGF_MAP_SHMEM},
	        {"[", PGF_MAP_SPECIAL},
	};

	return by_prefix(name, rows, sizeof(rows) / sizeof(rows[0]));
}

/* Files without a place in any directory; memfd with MFD_HUGETLB looks like shmem here. */
static enum pgf_map_type by_pseudo_file(const char *name)
{
	static const struct prefix_type rows[] = {
	        {"/memfd:", PGF_MAP_SHMEM},          {"/SYSV", PGF_MAP_SHMEM},
	        {"/anon_hugepage", PGF_MAP_HUGETLB}, {"anon_inode:", PGF_MAP_DEVICE},
	        {"socket:[", PGF_MAP_DEVICE},        {"/dmabuf:", PGF_MAP_DEVICE},
	        {"/dev/shm/", PGF_MAP_SHMEM},        {"/dev/hugepages/", PGF_MAP_HUGETLB},
	        {"/dev/", PGF_MAP_DEVICE},
	};

	return by_prefix(name, rows, sizeof(rows) / sizeof(rows[0]));
}

/*
 * A private mapping of /dev/zero is plain anonymous memory (mmap_zero_private,
 * drivers/char/mem.c, 6.18); a shared one is a deleted file of the kernel's own tmpfs.
 */
static enum pgf_map_type by_zero(uint32_t mapflags)
{
	if (mapflags & MAP_SHARED)
		return PGF_MAP_SHMEM;
	return mapflags & MAP_PRIVATE ? PGF_MAP_ANON : PGF_MAP_UNKNOWN;
}

static enum pgf_map_type by_fs(enum pgf_fs fs)
{
	switch (fs) {
	case PGF_FS_DISK:
	case PGF_FS_FILE:
	case PGF_FS_MAYBE_DAX:
		return PGF_MAP_FILE;
	case PGF_FS_SHMEM:
		return PGF_MAP_SHMEM;
	case PGF_FS_HUGETLB:
		return PGF_MAP_HUGETLB;
	case PGF_FS_DEVICE:
	case PGF_FS_DAX:
		return PGF_MAP_DEVICE;
	case PGF_FS_UNKNOWN:
		break;
	}
	return PGF_MAP_UNKNOWN;
}

/* Without a file or a name: memory. What is shared must say that it is. */
static enum pgf_map_type by_nothing(uint32_t mapflags)
{
	if (!(mapflags & MAP_SHARED))
		return PGF_MAP_ANON;
	return mapflags & MAP_ANONYMOUS ? PGF_MAP_SHMEM : PGF_MAP_UNKNOWN;
}

enum pgf_map_type pgf_map_type_of(const char *name, uint32_t dev, uint64_t ino, uint32_t prot,
                                  uint32_t mapflags, enum pgf_fs fs)
{
	enum pgf_map_type type;

	(void)prot;
	if (!name)
		name = "";
	if (mapflags & MAP_HUGETLB)
		return PGF_MAP_HUGETLB;
	if (!strcmp(name, "/dev/zero") || !strcmp(name, "/dev/zero (deleted)"))
		return by_zero(mapflags);
	if (*name == '[')
		return by_bracket(name);
	if (!strcmp(name, "//anon") || (!*name && !dev && !ino))
		return by_nothing(mapflags);
	type = by_fs(fs);
	if (type == PGF_MAP_UNKNOWN)
		type = by_pseudo_file(name);
	if (type != PGF_MAP_UNKNOWN)
		return type;
	return ino || *name == '/' ? PGF_MAP_FILE : PGF_MAP_UNKNOWN;
}
