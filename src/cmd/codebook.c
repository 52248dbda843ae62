/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/codebook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX    (1u << 20)
#define INLINES_MAX 16

/* A symbol of the recording with text of its own. */
struct row {
	struct pgf_record_symbol symbol;
	bool around; /* another one was inlined into it */
};

struct pgf_codebook {
	struct pgf_symbols *symbols;
	struct row *row; /* not yet handed on */
	size_t rows;
	size_t room;
};

int pgf_codebook_new(struct pgf_codebook **out, struct pgf_symbols *symbols)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->symbols = symbols;
	return 0;
}

static void rows_clear(struct pgf_codebook *book)
{
	for (size_t i = 0; i < book->rows; i++)
		free((char *)(uintptr_t)book->row[i].symbol.func);
	book->rows = 0;
}

void pgf_codebook_free(struct pgf_codebook *book)
{
	if (!book)
		return;
	rows_clear(book);
	free(book->row);
	free(book);
}

/* All four texts of a symbol in one block, which begins with func. */
static bool texts_copy(struct pgf_record_symbol *symbol)
{
	const char **const texts[] = {&symbol->func, &symbol->file, &symbol->module, &symbol->path};
	size_t size = 1;
	char *at;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		size += *texts[i] ? strlen(*texts[i]) + 1 : 0;
	at = malloc(size);
	if (!at)
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *text = *texts[i];

		if (!text)
			continue;
		*texts[i] = at;
		at = stpcpy(at, text) + 1;
	}
	return true;
}

int pgf_codebook_symbol(struct pgf_codebook *book, const struct pgf_record_symbol *symbol)
{
	struct row row = {.symbol = *symbol};

	/* An address that had no name then has none now: its file may have one. */
	if (!symbol->func || book->rows >= ROWS_MAX)
		return 0;
	if (book->rows == book->room) {
		size_t room = book->room ? book->room * 2 : 256;
		struct row *grown = reallocarray(book->row, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		book->row = grown;
		book->room = room;
	}
	if (!texts_copy(&row.symbol))
		return -ENOMEM;
	book->row[book->rows++] = row;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int pgf_codebook_module(struct pgf_codebook *book, const struct pgf_record_module *module)
{
	uint8_t build[PGF_BUILD_ID_MAX];
	size_t size = 0;
	int ret;

	if (!module->path || !module->build)
		return 0;
	for (const char *at = module->build; *at; at += 2) {
		int high = hex_digit(at[0]), low = high < 0 ? -1 : hex_digit(at[1]);

		if (low < 0 || size == sizeof(build))
			return 0;
		build[size++] = (uint8_t)(high << 4 | low);
	}
	ret = pgf_symbols_build(book->symbols, module->dev, module->ino, module->path, build, size);
	return ret == -ENOMEM ? ret : 0;
}

static int row_compare(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	return a->symbol.id < b->symbol.id ? -1 : a->symbol.id > b->symbol.id;
}

static struct row *row_find(const struct pgf_codebook *book, uint32_t id)
{
	const struct row key = {.symbol = {.id = id}};

	if (!id || !book->rows)
		return NULL;
	return bsearch(&key, book->row, book->rows, sizeof(key), row_compare);
}

/* Each row has the place where its own function was: the call of what was inlined there. */
static int row_hand_on(const struct pgf_codebook *book, const struct row *first)
{
	struct pgf_symbol_inline inlines[INLINES_MAX];
	const struct pgf_record_symbol *at = &first->symbol;
	struct pgf_symbol symbol = {
	        .file = at->file, .line = at->line, .exact = at->exact, .inlines = inlines};
	const struct row *outer;
	int ret;

	while (symbol.inline_count < INLINES_MAX && (outer = row_find(book, at->outer))) {
		inlines[symbol.inline_count++] = (struct pgf_symbol_inline){
		        .func = at->func, .file = outer->symbol.file, .line = outer->symbol.line};
		at = &outer->symbol;
	}
	symbol.func = at->func;
	symbol.offset = at->offset;
	symbol.module = at->module;
	symbol.path = at->path;
	ret = pgf_symbols_preset(book->symbols, first->symbol.pid, first->symbol.addr, &symbol);
	return ret == -ENOMEM ? ret : 0;
}

int pgf_codebook_settle(struct pgf_codebook *book)
{
	int ret = 0;

	if (!book->rows)
		return 0;
	qsort(book->row, book->rows, sizeof(*book->row), row_compare);
	for (size_t i = 0; i < book->rows; i++) {
		struct row *outer = row_find(book, book->row[i].symbol.outer);

		if (outer)
			outer->around = true;
	}
	for (size_t i = 0; i < book->rows && !ret; i++)
		if (!book->row[i].around)
			ret = row_hand_on(book, &book->row[i]);
	rows_clear(book);
	return ret;
}
