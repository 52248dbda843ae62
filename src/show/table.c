/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "show/escape.h"

#define GAP      2
#define CELL_MAX 16384 /* bytes of escaped text kept in a cell */

struct cell {
	char *text; /* escaped; NULL is "" */
	int width;
};

struct row {
	struct cell cell[PGF_TABLE_COLUMNS];
	enum pgf_colour colour;
};

struct pgf_table {
	const struct pgf_column *column;
	int columns;
	struct row *row;
	size_t rows;
	size_t room;
};

int pgf_table_new(struct pgf_table **out, const struct pgf_column *columns, int count)
{
	struct pgf_table *table;

	*out = NULL;
	if (count < 1 || count > PGF_TABLE_COLUMNS)
		return -EINVAL;
	table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->column = columns;
	table->columns = count;
	*out = table;
	return 0;
}

void pgf_table_free(struct pgf_table *table)
{
	size_t r;
	int c;

	if (!table)
		return;
	for (r = 0; r < table->rows; r++)
		for (c = 0; c < table->columns; c++)
			free(table->row[r].cell[c].text);
	free(table->row);
	free(table);
}

int pgf_table_row(struct pgf_table *table, enum pgf_colour colour)
{
	if (table->rows == table->room) {
		size_t room = table->room ? table->room * 2 : 16;
		struct row *grown = reallocarray(table->row, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		table->row = grown;
		table->room = room;
	}
	table->row[table->rows++] = (struct row){.colour = colour};
	return 0;
}

int pgf_table_set(struct pgf_table *table, int column, const char *text)
{
	struct cell *cell;
	size_t size;
	char *escaped;

	if (table->rows == 0 || column < 0 || column >= table->columns)
		return -EINVAL;
	if (!text)
		return 0;
	cell = &table->row[table->rows - 1].cell[column];
	size = 4 * strnlen(text, CELL_MAX / 4) + 1;
	escaped = malloc(size);
	if (!escaped)
		return -ENOMEM;
	free(cell->text);
	cell->text = escaped;
	cell->width = pgf_escape_terminal(escaped, size, text);
	return 0;
}

int pgf_table_setf(struct pgf_table *table, int column, const char *format, ...)
{
	va_list args;
	char *text;
	int err;

	va_start(args, format);
	err = vasprintf(&text, format, args);
	va_end(args);
	if (err < 0)
		return -ENOMEM;
	err = pgf_table_set(table, column, text);
	free(text);
	return err;
}

/* Copies characters of escaped text until columns are full; returns bytes. */
static size_t take(const char *text, int columns, int *width)
{
	size_t size = strlen(text);
	size_t used = 0;

	*width = 0;
	while (used < size) {
		uint32_t cp = 0;
		int length = pgf_utf8_next(text + used, size - used, &cp);
		int wide = pgf_utf8_width(cp);

		if (length <= 0 || wide < 0 || *width + wide > columns)
			break;
		*width += wide;
		used += (size_t)length;
	}
	return used;
}

int pgf_table_cut(char *buf, size_t size, const char *text, int width)
{
	int whole;
	int head;
	int tail;
	size_t length = take(text, INT32_MAX, &whole);
	size_t front;
	size_t back;

	if (size == 0)
		return 0;
	if (whole > width) {
		front = take(text, width > 0 ? (width - 1) / 2 : 0, &head);
		back = front;
		tail = whole - head;
		/* Skip characters until the rest fits behind the mark. */
		while (back < length && tail > width - head - 1) {
			uint32_t cp = 0;
			int bytes = pgf_utf8_next(text + back, length - back, &cp);

			back += (size_t)bytes;
			tail -= pgf_utf8_width(cp);
		}
		/* A mark that lost its character goes with it. */
		while (back < length) {
			uint32_t cp = 0;
			int bytes = pgf_utf8_next(text + back, length - back, &cp);

			if (pgf_utf8_width(cp) != 0)
				break;
			back += (size_t)bytes;
		}
		if (width > 0 && front + strlen("…") + length - back < size) {
			memcpy(buf, text, front);
			memcpy(buf + front, "…", strlen("…"));
			memcpy(buf + front + strlen("…"), text + back, length - back);
			buf[front + strlen("…") + length - back] = '\0';
			return head + 1 + tail;
		}
		buf[0] = '\0';
		return 0;
	}
	if (length >= size) {
		buf[0] = '\0';
		return 0;
	}
	memcpy(buf, text, length);
	buf[length] = '\0';
	return whole;
}

static int title_width(const struct pgf_column *column)
{
	int width;

	take(column->title, INT32_MAX, &width);
	return width;
}

/* Takes columns from the widest cells that may be cut, loose ones first. */
static void shrink(const struct pgf_table *table, int *width, int excess, bool loose)
{
	while (excess > 0) {
		int widest = -1;
		int c;

		for (c = 0; c < table->columns; c++) {
			const struct pgf_column *column = &table->column[c];

			if (column->loose == loose && column->min && width[c] > column->min &&
			    (widest < 0 || width[c] > width[widest]))
				widest = c;
		}
		if (widest < 0)
			return;
		width[widest]--;
		excess--;
	}
}

static int total_width(const struct pgf_table *table, const int *width)
{
	int total = -GAP;
	int c;

	for (c = 0; c < table->columns; c++)
		total += width[c] + GAP;
	return total;
}

static void find_widths(const struct pgf_table *table, int *width, int limit)
{
	size_t r;
	int c;

	for (c = 0; c < table->columns; c++) {
		width[c] = title_width(&table->column[c]);
		for (r = 0; r < table->rows; r++)
			if (table->row[r].cell[c].width > width[c])
				width[c] = table->row[r].cell[c].width;
		if (table->column[c].max && width[c] > table->column[c].max)
			width[c] = table->column[c].max;
	}
	if (limit <= 0)
		return;
	shrink(table, width, total_width(table, width) - limit, true);
	shrink(table, width, total_width(table, width) - limit, false);
}

static void put_spaces(FILE *out, int count)
{
	if (count > 0)
		fprintf(out, "%*s", count, "");
}

static void put_cell(FILE *out, const struct pgf_column *column, const char *text, int width,
                     bool last)
{
	char buf[CELL_MAX + 8];
	int used = pgf_table_cut(buf, sizeof(buf), text ? text : "", width);

	if (column->align == PGF_RIGHT)
		put_spaces(out, width - used);
	fputs(buf, out);
	if (column->align == PGF_LEFT && !last)
		put_spaces(out, width - used);
	if (!last)
		put_spaces(out, GAP);
}

int pgf_table_write(const struct pgf_table *table, FILE *out, int width, int indent, bool colour)
{
	int wide[PGF_TABLE_COLUMNS] = {0};
	size_t r;
	int c;

	find_widths(table, wide, width > 0 ? width - indent : 0);
	put_spaces(out, indent);
	fputs(pgf_colour_on(colour, PGF_COLOUR_DIM), out);
	for (c = 0; c < table->columns; c++)
		put_cell(out, &table->column[c], table->column[c].title, wide[c],
		         c == table->columns - 1);
	fputs(pgf_colour_off(colour), out);
	putc('\n', out);
	for (r = 0; r < table->rows; r++) {
		const struct row *row = &table->row[r];
		bool on = colour && row->colour != PGF_COLOUR_NONE;
		int last = table->columns - 1;

		/* No blanks at the end of a line. */
		while (last > 0 && !row->cell[last].width)
			last--;
		put_spaces(out, indent);
		fputs(pgf_colour_on(on, row->colour), out);
		for (c = 0; c <= last; c++)
			put_cell(out, &table->column[c], row->cell[c].text, wide[c], c == last);
		fputs(pgf_colour_off(on), out);
		putc('\n', out);
	}
	return ferror(out) ? -EIO : 0;
}
