/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of code out of a recording: chains of inlined functions, build ids, hostile senders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/codebook.h"

struct book {
	struct pgf_symbols *symbols;
	struct pgf_codebook *book;
};

static struct book book_open(void)
{
	struct book b;

	assert_int_equal(pgf_symbols_new(&b.symbols), 0);
	pgf_symbols_offline(b.symbols, 0);
	assert_int_equal(pgf_codebook_new(&b.book, b.symbols), 0);
	return b;
}

static void book_close(struct book *b)
{
	pgf_codebook_free(b->book);
	pgf_symbols_free(b->symbols);
}

static const struct pgf_symbol *symbol_at(struct book *b, uint32_t pid, uint64_t ip)
{
	const struct pgf_symbol_query query = {.ip = ip, .pid = pid};

	return pgf_symbols_find(b->symbols, &query);
}

static void give(struct book *b, const struct pgf_record_symbol *symbol)
{
	assert_int_equal(pgf_codebook_symbol(b->book, symbol), 0);
}

static void test_plain(void **state)
{
	struct book b = book_open();
	char func[] = "jitted";
	const struct pgf_symbol *symbol;

	give(&b, &(struct pgf_record_symbol){.id = 1,
	                                     .pid = 5,
	                                     .addr = 0x1000,
	                                     .offset = 16,
	                                     .func = func,
	                                     .module = "[jit]",
	                                     .exact = true});
	memset(func, 'x', sizeof(func) - 1);
	assert_null(symbol_at(&b, 5, 0x1000)->func);
	assert_int_equal(pgf_codebook_settle(b.book), 0);
	symbol = symbol_at(&b, 5, 0x1000);
	assert_string_equal(symbol->func, "jitted");
	assert_string_equal(symbol->module, "[jit]");
	assert_int_equal(symbol->offset, 16);
	assert_int_equal(symbol->inline_count, 0);
	assert_true(symbol->exact);
	assert_null(symbol_at(&b, 6, 0x1000)->func);
	/* More of them may come later. */
	give(&b, &(struct pgf_record_symbol){.id = 1, .addr = ~0ull - 15, .func = "in_kernel"});
	assert_int_equal(pgf_codebook_settle(b.book), 0);
	assert_string_equal(symbol_at(&b, 77, ~0ull - 15)->func, "in_kernel");
	book_close(&b);
}

/* inner was inlined into middle, that into outer: file and line are where each one was. */
static void test_inlined(void **state)
{
	struct book b = book_open();
	const struct pgf_symbol *symbol;

	give(&b, &(struct pgf_record_symbol){.id = 30,
	                                     .pid = 5,
	                                     .addr = 0x1000,
	                                     .offset = 99,
	                                     .line = 3,
	                                     .func = "outer",
	                                     .file = "outer.c",
	                                     .module = "program",
	                                     .path = "/bin/program"});
	give(&b, &(struct pgf_record_symbol){.id = 10,
	                                     .outer = 20,
	                                     .pid = 5,
	                                     .addr = 0x1000,
	                                     .line = 1,
	                                     .func = "inner",
	                                     .file = "inner.c"});
	give(&b, &(struct pgf_record_symbol){.id = 20,
	                                     .outer = 30,
	                                     .pid = 5,
	                                     .addr = 0x1000,
	                                     .line = 2,
	                                     .func = "middle",
	                                     .file = "middle.c"});
	assert_int_equal(pgf_codebook_settle(b.book), 0);
	symbol = symbol_at(&b, 5, 0x1000);
	assert_string_equal(symbol->func, "outer");
	assert_int_equal(symbol->offset, 99);
	assert_string_equal(symbol->path, "/bin/program");
	assert_string_equal(symbol->file, "inner.c");
	assert_int_equal(symbol->line, 1);
	assert_int_equal(symbol->inline_count, 2);
	assert_string_equal(symbol->inlines[0].func, "inner");
	assert_string_equal(symbol->inlines[0].file, "middle.c");
	assert_int_equal(symbol->inlines[0].line, 2);
	assert_string_equal(symbol->inlines[1].func, "middle");
	assert_string_equal(symbol->inlines[1].file, "outer.c");
	assert_int_equal(symbol->inlines[1].line, 3);
	book_close(&b);
}

/* A recording may say anything. */
static void test_hostile(void **state)
{
	struct book b = book_open();

	give(&b, &(struct pgf_record_symbol){.id = 1, .outer = 1, .addr = 0x1, .func = "self"});
	give(&b, &(struct pgf_record_symbol){.id = 2, .outer = 3, .addr = 0x2, .func = "two"});
	give(&b, &(struct pgf_record_symbol){.id = 3, .outer = 2, .addr = 0x3, .func = "three"});
	give(&b, &(struct pgf_record_symbol){.id = 4, .outer = 3, .addr = 0x4, .func = "four"});
	give(&b, &(struct pgf_record_symbol){.id = 5, .outer = 99, .addr = 0x5, .func = "lost"});
	give(&b, &(struct pgf_record_symbol){.id = 5, .addr = 0x6, .func = "twice"});
	give(&b, &(struct pgf_record_symbol){.id = 6, .addr = 0x7});
	assert_int_equal(pgf_codebook_settle(b.book), 0);
	assert_true(symbol_at(&b, 0, 0x4)->inline_count > 0);
	assert_string_equal(symbol_at(&b, 0, 0x5)->func, "lost");
	assert_string_equal(symbol_at(&b, 0, 0x6)->func, "twice");
	assert_null(symbol_at(&b, 0, 0x7)->func);
	assert_int_equal(pgf_codebook_settle(b.book), 0);
	book_close(&b);
}

/* This program under another inode: only a right build id makes its names come out. */
static bool is_named(const char *build)
{
	struct book b = book_open();
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	struct pgf_symbol_query query = {
	        .start = 0x10000, .end = 0x10000 + (64ull << 20), .ino = 1, .dev = 1, .path = path};
	bool named = false;

	assert_true(n > 0);
	path[n] = '\0';
	assert_int_equal(pgf_codebook_module(b.book, &(struct pgf_record_module){.ino = 1,
	                                                                         .dev = 1,
	                                                                         .path = path,
	                                                                         .build = build}),
	                 0);
	for (uint64_t at = 0; at < 1u << 20 && !named; at += 16) {
		query.ip = query.start + at;
		named = pgf_symbols_find(b.symbols, &query)->func;
	}
	book_close(&b);
	return named;
}

static void test_modules(void **state)
{
	uint8_t build[PGF_BUILD_ID_MAX];
	char hex[2 * PGF_BUILD_ID_MAX + 64] = "";
	int size = pgf_build_id_path("/proc/self/exe", build, sizeof(build));

	if (size <= 0)
		skip();
	for (int i = 0; i < size; i++)
		snprintf(hex + (size_t)i * 2, 3, "%02x", build[i]);
	assert_true(is_named(hex));
	assert_false(is_named(NULL));
	assert_false(is_named(""));
	assert_false(is_named("xyz"));
	hex[0] = hex[0] == '0' ? '1' : '0';
	assert_false(is_named(hex));
	hex[2 * size - 1] = '\0'; /* half a byte */
	assert_false(is_named(hex));
	memset(hex, 'a', sizeof(hex) - 1); /* longer than any */
	hex[sizeof(hex) - 1] = '\0';
	assert_false(is_named(hex));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_plain),
	        cmocka_unit_test(test_inlined),
	        cmocka_unit_test(test_hostile),
	        cmocka_unit_test(test_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
