/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text table: columns as wide as their widest cell, cut to the screen. Cells are
 * escaped for the terminal and measured in its columns. Not thread-safe.
 */
#ifndef PGF_SHOW_TABLE_H
#define PGF_SHOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "show/colour.h"

#define PGF_TABLE_COLUMNS 16

enum pgf_align { PGF_LEFT = 0, PGF_RIGHT = 1 };

struct pgf_column {
	const char *title;
	enum pgf_align align;
	int min;    /* columns it keeps when the screen is narrow; 0: never cut */
	int max;    /* 0: as wide as needed */
	bool loose; /* cut before the others */
};

struct pgf_table;

/* columns must outlive the table. Returns 0, -EINVAL, -ENOMEM. */
int pgf_table_new(struct pgf_table **out, const struct pgf_column *columns, int count);
void pgf_table_free(struct pgf_table *table); /* accepts NULL */
/* Adds an empty row in this colour. 0 or -ENOMEM. */
int pgf_table_row(struct pgf_table *table, enum pgf_colour colour);
/* Sets a cell of the last row; text is escaped and copied, NULL is "". 0, -EINVAL, -ENOMEM. */
int pgf_table_set(struct pgf_table *table, int column, const char *text);
/* The same with printf's rules. */
int pgf_table_setf(struct pgf_table *table, int column, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/*
 * Writes titles and rows, at most width columns a line (0: no limit), behind indent
 * spaces. Returns 0, -EIO.
 */
int pgf_table_write(const struct pgf_table *table, FILE *out, int width, int indent, bool colour);
/*
 * Cuts escaped text to width columns with "…" in the middle, into buf. Returns the columns
 * written.
 */
int pgf_table_cut(char *buf, size_t size, const char *text, int width);

#endif /* PGF_SHOW_TABLE_H */
