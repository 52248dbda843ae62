/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parsers of /proc texts share: cursors over a line, and lines out of a file. */
#ifndef PGF_FAULT_TEXTLINE_H
#define PGF_FAULT_TEXTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left of a line. */
struct pgf_cursor {
	const char *at;
	const char *end;
};

/* Numbers without sign or prefix, at least one digit. False (and no step) otherwise or on
 * overflow of 64 bits. */
bool pgf_cursor_hex(struct pgf_cursor *cursor, uint64_t *value);
bool pgf_cursor_dec(struct pgf_cursor *cursor, uint64_t *value);
/* Steps over one character when it is c. */
bool pgf_cursor_char(struct pgf_cursor *cursor, char c);
/* Steps over blanks (spaces and tabs). */
void pgf_cursor_blanks(struct pgf_cursor *cursor);
/* The characters up to the next blank or the end; 0 at the end. */
size_t pgf_cursor_word(struct pgf_cursor *cursor, const char **word);

/* A line without its newline; lives for the call only. A non-zero return ends the reading. */
typedef int (*pgf_lines_fn)(void *ctx, const char *line, size_t len);

/*
 * Cuts what fd gives into lines (the last one may lack its newline). Returns 0, what fn
 * returned, -EINVAL for a line beyond 64 KiB, -ENOMEM, or -errno of read(2).
 */
int pgf_lines_read(int fd, pgf_lines_fn fn, void *ctx);
/* Opens /proc/PID/NAME for reading. A descriptor, -ESRCH when there is none, or -errno. */
int pgf_proc_open(uint32_t pid, const char *name);

#endif /* PGF_FAULT_TEXTLINE_H */
