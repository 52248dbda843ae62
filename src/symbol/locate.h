/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens files as a traced process sees them, without being led astray by it: only regular
 * files, only the inode or build id that was mapped, never a symbolic link out of its root.
 */
#ifndef PGF_SYMBOL_LOCATE_H
#define PGF_SYMBOL_LOCATE_H

#include "symbol/build_id.h"
#include "symbol/symbol.h"

#define PGF_FILE_MAX (2ull << 30) /* larger ELF files are left alone, bytes */

/* What is remembered of a process. */
struct pgf_held {
	uint32_t pid;
	uint32_t inner_pid; /* pid inside its own namespace */
	uint32_t reads;     /* how often it was asked for */
	uid_t uid;
	int root; /* O_PATH descriptor of its root directory */
};

/* Fills *held of a living process; root is the caller's to close. 0, -ESRCH, -errno. */
int pgf_locate_hold(struct pgf_held *held, uint32_t pid);
/*
 * Opens the file that query's mapping maps, for reading. held may be NULL. Returns a
 * descriptor (*exact: proved to be the one), -ESTALE when another file is there, -EFBIG, -errno.
 */
int pgf_locate_mapped(const struct pgf_symbol_query *query, const struct pgf_held *held,
                      bool *exact);
/*
 * Opens a regular file of at most max bytes below a root directory (-1: ours), following
 * symbolic links inside it when follow. A descriptor or -errno.
 */
int pgf_locate_regular(int root, const char *path, uint64_t max, bool follow);
/*
 * Opens the separate debug file of an ELF file by build id or .gnu_debuglink; path is the
 * name of the file, root as above. A descriptor, -ENOENT.
 */
int pgf_locate_debug(Elf *elf, const char *path, int root);
/* The debug file with this build id below /usr/lib/debug. A descriptor, -ENOENT. */
int pgf_locate_build(int root, const uint8_t *build, size_t size);

#endif /* PGF_SYMBOL_LOCATE_H */
