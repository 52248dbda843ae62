/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The matrix kind x tier: docs/tiers.md and pgf_matrix() say the same, both hold every
 * workload that faultgen makes, and the document names every kind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pgfault/fault.h>
#include "observe/matrix.h"

#define ROWS_MAX  128
#define CELLS_MAX 8
#define TEXT_MAX  128

/* A row of the table in docs/tiers.md: | `workload` | `kind` | tracepoint | perf | why | */
struct doc_row {
	char workload[TEXT_MAX];
	char kind[TEXT_MAX];
	char tracepoint[TEXT_MAX];
	char perf[TEXT_MAX];
};

static struct doc_row rows[ROWS_MAX];
static size_t row_count;
static char document[1 << 16];

static void file_read(const char *path)
{
	FILE *in = fopen(path, "re");
	size_t length;

	assert_non_null(in);
	length = fread(document, 1, sizeof(document) - 1, in);
	assert_true(length > 0 && feof(in));
	fclose(in);
	document[length] = '\0';
}

/* The text between two bars, without the spaces and the back quotes around it. */
static void cell_copy(char *out, const char *from, size_t length)
{
	while (length && strchr(" `", *from)) {
		from++;
		length--;
	}
	while (length && strchr(" `", from[length - 1]))
		length--;
	assert_true(length < TEXT_MAX);
	memcpy(out, from, length);
	out[length] = '\0';
}

/* Reads the rows below the heading "| workload |", up to the first line that is none. */
static void rows_read(const char *text)
{
	const char *line = strstr(text, "\n| workload |");

	assert_non_null(line);
	line = strchr(line + 1, '\n') + 1;
	line = strchr(line, '\n') + 1; /* the rule below the heading */
	while (*line == '|') {
		char *cells[] = {rows[row_count].workload, rows[row_count].kind,
		                 rows[row_count].tracepoint, rows[row_count].perf};
		const char *at = line + 1;

		for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
			size_t length = strcspn(at, "|\n");

			assert_int_equal(at[length], '|');
			cell_copy(cells[i], at, length);
			at += length + 1;
		}
		row_count++;
		assert_true(row_count < ROWS_MAX);
		line = strchr(line, '\n');
		assert_non_null(line);
		line++;
	}
	assert_true(row_count > 0);
}

static int setup(void **state)
{
	(void)state;
	file_read(PGF_TIERS_MD);
	rows_read(document);
	return 0;
}

static const struct doc_row *row_find(const char *workload)
{
	for (size_t i = 0; i < row_count; i++)
		if (!strcmp(rows[i].workload, workload))
			return &rows[i];
	return NULL;
}

static void test_document_has_matrix(void **state)
{
	size_t matrix_rows = 0, wrong = 0;

	(void)state;
	for (const struct pgf_matrix_row *row = pgf_matrix(); row->workload; row++) {
		const struct doc_row *doc = row_find(row->workload);

		matrix_rows++;
		if (!doc) {
			print_error("docs/tiers.md has no row %s\n", row->workload);
			wrong++;
			continue;
		}
		if (strcmp(doc->tracepoint, pgf_grade_name(row->tracepoint)) != 0 ||
		    strcmp(doc->perf, pgf_grade_name(row->perf)) != 0) {
			print_error("%s: docs/tiers.md says %s, %s; the matrix says %s, %s\n",
			            row->workload, doc->tracepoint, doc->perf,
			            pgf_grade_name(row->tracepoint), pgf_grade_name(row->perf));
			wrong++;
		}
	}
	assert_true(matrix_rows > 0);
	assert_int_equal(wrong, 0);
	assert_int_equal(row_count, matrix_rows);
}

static void test_document_has_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < row_count; i++) {
		if (pgf_matrix_grade(rows[i].workload, PGF_TIER_TRACEPOINT) == PGF_GRADE_UNTESTED)
			fail_msg("docs/tiers.md: %s is not in the matrix", rows[i].workload);
		if (row_find(rows[i].workload) != &rows[i])
			fail_msg("docs/tiers.md: %s is there twice", rows[i].workload);
	}
}

/* `faultgen --list` is a heading, then lines that begin with workload and kind. */
static void test_every_workload(void **state)
{
	const char *generator = getenv("FAULTGEN");
	char command[4096], line[512], workload[TEXT_MAX], kind[TEXT_MAX];
	size_t listed = 0, wrong = 0;
	FILE *list;

	(void)state;
	assert_non_null(generator);
	snprintf(command, sizeof(command), "'%s' --list", generator);
	list = popen(command, "re");
	assert_non_null(list);
	while (fgets(line, sizeof(line), list)) {
		const struct doc_row *doc;

		if (sscanf(line, "%127s %127s", workload, kind) != 2 || !strcmp(kind, "KIND"))
			continue;
		listed++;
		doc = row_find(workload);
		/* storm has no number: it runs for a time, and the tasks may be killed. */
		if (!strcmp(workload, "storm") || (doc && !strcmp(doc->kind, kind)))
			continue;
		print_error("%s makes %s; docs/tiers.md has %s\n", workload, kind,
		            doc ? doc->kind : "no row");
		wrong++;
	}
	assert_int_equal(pclose(list), 0);
	assert_true(listed > 0);
	assert_int_equal(wrong, 0);
}

static void test_every_kind(void **state)
{
	(void)state;
	for (unsigned int kind = 1; kind < PGF_KIND_COUNT; kind++) {
		char quoted[TEXT_MAX];

		snprintf(quoted, sizeof(quoted), "`%s`", pgf_kind_name(kind));
		if (!strstr(document, quoted))
			fail_msg("docs/tiers.md does not name %s", quoted);
	}
}

static void test_every_grade(void **state)
{
	(void)state;
	for (int grade = PGF_GRADE_EXACT; grade <= PGF_GRADE_UNSEEN; grade++) {
		char bold[TEXT_MAX];

		snprintf(bold, sizeof(bold), "**%s**", pgf_grade_name((enum pgf_grade)grade));
		if (!strstr(document, bold))
			fail_msg("docs/tiers.md does not explain %s", bold);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_document_has_matrix),
	        cmocka_unit_test(test_document_has_no_more),
	        cmocka_unit_test(test_every_workload),
	        cmocka_unit_test(test_every_kind),
	        cmocka_unit_test(test_every_grade),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
