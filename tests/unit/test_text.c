/* SPDX-License-Identifier: BSD-2-Clause */
/* Text made safe and fitting: escapes, units, tables, colour. */
#include "page.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <unistd.h>

#include "show/colour.h"
#include "show/escape.h"
#include "show/table.h"
#include "show/units.h"

/* Escapes. */

static void assert_terminal(const char *text, const char *expected, int columns)
{
	char buf[256];

	assert_int_equal(pgf_escape_terminal(buf, sizeof(buf), text), columns);
	assert_string_equal(buf, expected);
}

static void test_terminal_controls(void **state)
{
	int c;

	for (c = 1; c < 256; c++) {
		char text[2] = {(char)c, '\0'};
		char expected[8];

		if (c >= 0x20 && c < 0x7f)
			snprintf(expected, sizeof(expected), "%c", c);
		else if (c == '\n' || c == '\t')
			snprintf(expected, sizeof(expected), "\\%c", c == '\n' ? 'n' : 't');
		else
			snprintf(expected, sizeof(expected), "\\x%02x", c);
		assert_terminal(text, expected, (int)strlen(expected));
	}
	/* C1 controls, which some terminals obey as two bytes of UTF-8 too. */
	for (c = 0x80; c < 0xa0; c++) {
		char text[3] = {(char)0xc2, (char)c, '\0'};
		char expected[16];

		snprintf(expected, sizeof(expected), "\\xc2\\x%02x", c);
		assert_terminal(text, expected, 8);
	}
}

static void test_terminal_utf8(void **state)
{
	assert_terminal("", "", 0);
	assert_terminal(NULL, "", 0);
	assert_terminal("grün", "grün", 4);
	assert_terminal("漢字", "漢字", 4);
	assert_terminal("e\xcc\x81", "e\xcc\x81", 1);
	assert_terminal("\xcc\x81", "\\xcc\\x81", 8);
	assert_terminal("\xe2\x80\xae", "\\xe2\\x80\\xae", 12); /* right-to-left override */
	assert_terminal("\xe2\x80\x8b", "\\xe2\\x80\\x8b", 12); /* zero-width space */
	assert_terminal("\xef\xbb\xbf", "\\xef\\xbb\\xbf", 12); /* byte order mark */
	assert_terminal("\xc0\xaf", "\\xc0\\xaf", 8);           /* overlong */
	assert_terminal("\xed\xa0\x80", "\\xed\\xa0\\x80", 12); /* surrogate */
	assert_terminal("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", 16);
	assert_terminal("a\xe2\x82", "a\\xe2\\x82", 9); /* cut short */
}

static void test_terminal_never_cuts_an_escape(void **state)
{
	char buf[6];

	assert_int_equal(pgf_escape_terminal(buf, sizeof(buf), "ab\x1b\x1b"), 2);
	assert_string_equal(buf, "ab");
	assert_int_equal(pgf_escape_terminal(buf, sizeof(buf), "abc漢x"), 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(pgf_escape_terminal(buf, 0, "abc"), 0);
}

static void test_json_escape_round_trip(void **state)
{
	char text[256];
	struct page page;
	json_object *parsed;
	int c;

	for (c = 1; c < 0x80; c++)
		text[c - 1] = (char)c;
	text[0x7f] = '\0';
	page_open(&page);
	pgf_escape_json(page.out, text);
	parsed = json_tokener_parse(page_text(&page));
	assert_non_null(parsed);
	assert_string_equal(json_object_get_string(parsed), text);
	for (c = 0; page.text[c]; c++)
		assert_true((unsigned char)page.text[c] >= 0x20 && page.text[c] != 0x7f);
	json_object_put(parsed);
	page_close(&page);
}

static void assert_json(const char *text, const char *expected)
{
	struct page page;

	page_open(&page);
	pgf_escape_json(page.out, text);
	assert_string_equal(page_text(&page), expected);
	page_close(&page);
}

static void test_json_escape(void **state)
{
	assert_json(NULL, "\"\"");
	assert_json("a\"b\\c\n", "\"a\\\"b\\\\c\\n\"");
	assert_json("\x1b\x7f", "\"\\u001b\\u007f\"");
	assert_json("\xff", "\"\xef\xbf\xbd\"");
	assert_json("a\xc0\xaf", "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_json("漢", "\"漢\"");
	assert_json("</script>", "\"\\u003c/script>\"");
	assert_json("\xe2\x80\xa8", "\"\\u2028\"");
}

static void test_html_escape(void **state)
{
	struct page page;

	page_open(&page);
	pgf_escape_html(page.out, "<a href=\"x\" onclick='y'>&amp;\x1b\xff漢\n");
	assert_string_equal(page_text(&page),
	                    "&lt;a href=&quot;x&quot; onclick=&#39;y&#39;&gt;&amp;amp;"
	                    "\xef\xbf\xbd\xef\xbf\xbd漢\n");
	page_close(&page);
}

static void assert_csv(const char *text, const char *expected)
{
	struct page page;

	page_open(&page);
	pgf_escape_csv(page.out, text);
	assert_string_equal(page_text(&page), expected);
	page_close(&page);
}

static void test_csv_escape(void **state)
{
	assert_csv("plain text", "plain text");
	assert_csv(NULL, "");
	assert_csv("", "");
	assert_csv("a,b", "\"a,b\"");
	assert_csv("say \"hi\"", "\"say \"\"hi\"\"\"");
	assert_csv("two\nlines", "\"two\nlines\"");
	assert_csv("=1+1", "\"'=1+1\"");
	assert_csv("-x", "\"'-x\"");
	assert_csv("\x1b[0m", "\\x1b[0m");
}

/* Numbers. */

static void assert_ns(uint64_t ns, const char *expected)
{
	char buf[16];

	assert_string_equal(pgf_units_ns(buf, sizeof(buf), ns), expected);
}

static void assert_count(uint64_t count, const char *expected)
{
	char buf[16];

	assert_string_equal(pgf_units_count(buf, sizeof(buf), count), expected);
}

static void assert_share(uint64_t part, uint64_t whole, const char *expected)
{
	char buf[16];

	assert_string_equal(pgf_units_share(buf, sizeof(buf), part, whole), expected);
}

static void test_units(void **state)
{
	char buf[16];

	assert_ns(0, "0 ns");
	assert_ns(999, "999 ns");
	assert_ns(1000, "1.00 µs");
	assert_ns(1234, "1.23 µs");
	assert_ns(12345, "12.3 µs");
	assert_ns(123456, "123 µs");
	assert_ns(999499, "999 µs");
	assert_ns(999500, "1.00 ms");
	assert_ns(34000000, "34.0 ms");
	assert_ns(1500000000, "1.50 s");
	assert_ns(99960000000ull, "100 s");
	assert_ns(12345000000000ull, "12345 s");
	assert_count(0, "0");
	assert_count(999999, "999999");
	assert_count(1000000, "1.00 M");
	assert_count(1234567, "1.23 M");
	assert_count(999600000, "1.00 G");
	assert_count(UINT64_MAX, "18.4 E");
	assert_share(1, 8, "12.5 %");
	assert_share(8, 8, "100 %");
	assert_share(0, 8, "0.0 %");
	assert_share(1, 1000000, "<0.1 %");
	assert_share(1, 0, "-");
	assert_string_equal(pgf_units_bytes(buf, sizeof(buf), 1023), "1023 B");
	assert_string_equal(pgf_units_bytes(buf, sizeof(buf), 1536), "1.50 KiB");
	assert_string_equal(pgf_units_bytes(buf, sizeof(buf), UINT64_MAX), "16.0 EiB");
}

static void assert_cut(const char *text, int width, const char *expected)
{
	char buf[64];

	assert_int_equal(pgf_table_cut(buf, sizeof(buf), text, width),
	                 ascii_columns(expected, strlen(expected)));
	assert_string_equal(buf, expected);
}

static void test_cut_in_the_middle(void **state)
{
	char buf[64];

	assert_cut("abcdefghij", 10, "abcdefghij");
	assert_cut("abcdefghij", 9, "abcd…ghij");
	assert_cut("abcdefghij", 8, "abc…ghij");
	assert_cut("abcdefghij", 2, "…j");
	assert_cut("abcdefghij", 1, "…");
	assert_cut("abcdefghij", 0, "");
	assert_cut("", 5, "");
	/* Wide characters leave a column free rather than take one too many. */
	assert_int_equal(pgf_table_cut(buf, sizeof(buf), "漢字漢字漢字", 6), 5);
	assert_string_equal(buf, "漢…字");
}

static void test_table(void **state)
{
	static const struct pgf_column columns[] = {
	        {.title = "NAME", .min = 6},
	        {.title = "N", .align = PGF_RIGHT},
	};
	struct pgf_table *table;
	struct page page;

	assert_int_equal(pgf_table_new(&table, columns, 2), 0);
	assert_int_equal(pgf_table_set(table, 0, "no row yet"), -EINVAL);
	assert_int_equal(pgf_table_row(table, PGF_COLOUR_RED), 0);
	assert_int_equal(pgf_table_set(table, 0, "short"), 0);
	assert_int_equal(pgf_table_setf(table, 1, "%d", 7), 0);
	assert_int_equal(pgf_table_row(table, PGF_COLOUR_NONE), 0);
	assert_int_equal(pgf_table_set(table, 0, "a very long name\n"), 0);
	assert_int_equal(pgf_table_set(table, 1, "1234"), 0);
	assert_int_equal(pgf_table_set(table, 2, "x"), -EINVAL);
	page_open(&page);
	assert_int_equal(pgf_table_write(table, page.out, 0, 1, false), 0);
	assert_string_equal(page_text(&page), " NAME                   N\n"
	                                      " short                  7\n"
	                                      " a very long name\\n  1234\n");
	page_close(&page);
	page_open(&page);
	assert_int_equal(pgf_table_write(table, page.out, 17, 0, false), 0);
	assert_string_equal(page_text(&page), "NAME            N\n"
	                                      "short           7\n"
	                                      "a ver…ame\\n  1234\n");
	page_close(&page);
	page_open(&page);
	assert_int_equal(pgf_table_write(table, page.out, 0, 0, true), 0);
	assert_non_null(strstr(page_text(&page), "\033[1;31mshort"));
	page_close(&page);
	pgf_table_free(table);
	pgf_table_free(NULL);
}

static void test_colour(void **state)
{
	struct page page;

	page_open(&page);
	assert_false(pgf_colour_wanted(page.out, false));
	page_close(&page);
	assert_string_equal(pgf_colour_on(false, PGF_COLOUR_RED), "");
	assert_string_equal(pgf_colour_off(false), "");
	assert_string_equal(pgf_colour_on(true, PGF_COLOUR_BOLD), "\033[1m");
}

/* A terminal says yes, until the user says no. */
static void test_colour_on_terminal(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	FILE *terminal = NULL;
	int slave = -1;

	/* Not as the controlling terminal: its end would hang up on this test. */
	if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)
		slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave >= 0)
		terminal = fdopen(slave, "r+");
	if (!terminal)
		skip();
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	assert_true(pgf_colour_wanted(terminal, false));
	assert_false(pgf_colour_wanted(terminal, true));
	setenv("NO_COLOR", "1", 1);
	assert_false(pgf_colour_wanted(terminal, false));
	setenv("NO_COLOR", "", 1);
	assert_true(pgf_colour_wanted(terminal, false));
	setenv("TERM", "dumb", 1);
	assert_false(pgf_colour_wanted(terminal, false));
	setenv("COLUMNS", "100", 1);
	assert_int_equal(pgf_colour_columns(terminal, 80), 100);
	setenv("COLUMNS", "abc", 1);
	assert_true(pgf_colour_columns(terminal, 80) >= 40);
	unsetenv("COLUMNS");
	fclose(terminal);
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_terminal_controls),
	        cmocka_unit_test(test_terminal_utf8),
	        cmocka_unit_test(test_terminal_never_cuts_an_escape),
	        cmocka_unit_test(test_json_escape_round_trip),
	        cmocka_unit_test(test_json_escape),
	        cmocka_unit_test(test_html_escape),
	        cmocka_unit_test(test_csv_escape),
	        cmocka_unit_test(test_units),
	        cmocka_unit_test(test_cut_in_the_middle),
	        cmocka_unit_test(test_table),
	        cmocka_unit_test(test_colour),
	        cmocka_unit_test(test_colour_on_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
