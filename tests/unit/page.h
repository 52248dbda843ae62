/* SPDX-License-Identifier: BSD-2-Clause */
/* Text written to memory, and its size counted without the code under test. */
#ifndef PGF_TEST_PAGE_H
#define PGF_TEST_PAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
	FILE *out;
	char *text;
	size_t size;
};

static inline void page_open(struct page *page)
{
	page->text = NULL;
	page->out = open_memstream(&page->text, &page->size);
	assert_non_null(page->out);
}

static inline const char *page_text(struct page *page)
{
	assert_int_equal(fflush(page->out), 0);
	return page->text;
}

static inline void page_close(struct page *page)
{
	fclose(page->out);
	free(page->text);
}

/* Widths, counted here without the code under test: of wide characters only pictures occur. */
static inline int ascii_columns(const char *line, size_t length)
{
	int columns = 0;
	size_t i;

	for (i = 0; i < length; i++)
		columns += ((unsigned char)line[i] & 0xc0) != 0x80
		                   ? 1 + ((unsigned char)line[i] >= 0xf0)
		                   : 0;
	return columns;
}

static inline int widest_line(const char *text)
{
	int widest = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");
		int columns = ascii_columns(text, length);

		if (columns > widest)
			widest = columns;
		text += length + (text[length] == '\n');
	}
	return widest;
}

static inline int lines_in(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

#endif /* PGF_TEST_PAGE_H */
