/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kind of memory a mapping is, from its name and flags, and from the file system that
 * its device number stands for.
 */
#ifndef PGF_FAULT_MAPTYPE_H
#define PGF_FAULT_MAPTYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/space.h"

/* What the file system behind a device number does with a fault. */
enum pgf_fs {
	PGF_FS_UNKNOWN = 0,
	PGF_FS_DISK = 1,  /* page cache with write-back: shared writes go through page_mkwrite */
	PGF_FS_FILE = 2,  /* page cache, no more is known of it */
	PGF_FS_SHMEM = 3, /* tmpfs, memfd, System V, shared anonymous */
	PGF_FS_HUGETLB = 4,
	PGF_FS_DEVICE = 5,   /* devtmpfs, sysfs and the like: the driver's own fault handler */
	PGF_FS_DAX = 6,      /* mounted with dax: no page cache */
	PGF_FS_MAYBE_DAX = 7 /* may hold files with and without dax */
};

/* Device numbers and their file systems. Not thread-safe. */
struct pgf_mounts;

/*
 * Reads /proc/self/mountinfo (proc_pid_mountinfo(5)), and asks the kernel for the device
 * numbers of its own mounts behind memfd_create(2), which stand in no mountinfo. Returns 0,
 * -ENOMEM or -errno.
 */
int pgf_mounts_new(struct pgf_mounts **out);
/* Adds the mounts of another mountinfo, such as that of a container. 0, -EINVAL or -errno. */
int pgf_mounts_add(struct pgf_mounts *mounts, int fd);
/* Adds or replaces one. Returns 0 or -ENOMEM. */
int pgf_mounts_set(struct pgf_mounts *mounts, uint32_t dev, enum pgf_fs fs);
/* The file system of dev (major << 20 | minor). False when dev is in no mountinfo. */
bool pgf_mounts_fs(const struct pgf_mounts *mounts, uint32_t dev, enum pgf_fs *fs);
void pgf_mounts_free(struct pgf_mounts *mounts); /* accepts NULL */

/*
 * The type by what maps and perf's mmap2 records tell: name (NULL counts as ""), device,
 * inode, PROT_* and MAP_* bits. A file of a tmpfs can not be told from others by its name,
 * nor can a file on dax: give fs, or PGF_FS_UNKNOWN and take PGF_MAP_FILE with care.
 */
enum pgf_map_type pgf_map_type_of(const char *name, uint32_t dev, uint64_t ino, uint32_t prot,
                                  uint32_t mapflags, enum pgf_fs fs);

#endif /* PGF_FAULT_MAPTYPE_H */
