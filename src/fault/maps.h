/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of /proc/PID/maps (proc_pid_maps(5)). Reentrant; nothing is kept between calls.
 */
#ifndef PGF_FAULT_MAPS_H
#define PGF_FAULT_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* PATH_MAX, and room for " (deleted)" behind it. */
#define PGF_MAPS_NAME 4112

struct pgf_map_line {
	uint64_t start;
	uint64_t end;
	uint64_t pgoff; /* file offset, bytes; 0 without a file */
	uint64_t ino;
	uint32_t dev;    /* major << 20 | minor */
	uint32_t prot;   /* PROT_* */
	bool shared;     /* MAP_SHARED, also when no write was ever allowed */
	bool deleted;    /* the name ends in " (deleted)", which stays part of it */
	size_t name_len; /* bytes, without the closing NUL */
	/*
	 * As the kernel tells it, "" without one, "\012" turned back into a newline. A name
	 * that holds these four characters itself looks the same: the kernel does not escape
	 * the backslash (show_map_vma, fs/proc/task_mmu.c, 6.18). Chosen by the traced
	 * program: escape it.
	 */
	char name[PGF_MAPS_NAME];
};

/*
 * Parses one line of len bytes; a newline at its end is not part of it. Returns 0, or
 * -EINVAL with *out undefined.
 */
int pgf_maps_parse_line(const char *line, size_t len, struct pgf_map_line *out);

/* Called for each line; *line lives for the call only. A non-zero return ends the reading. */
typedef int (*pgf_maps_fn)(void *ctx, const struct pgf_map_line *line);

/*
 * Reads from fd to its end. Returns 0, what fn returned, -EINVAL for a line that is none,
 * -ENOMEM, or -errno of read(2). The kernel keeps single lines whole, not the whole file:
 * mappings that change meanwhile may come twice or not at all.
 */
int pgf_maps_read(int fd, pgf_maps_fn fn, void *ctx);
/* The same for /proc/PID/maps; -ESRCH when there is no such process, -EACCES when hidden. */
int pgf_maps_read_pid(uint32_t pid, pgf_maps_fn fn, void *ctx);

#endif /* PGF_FAULT_MAPS_H */
