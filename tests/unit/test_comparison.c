/* SPDX-License-Identifier: BSD-2-Clause */
/* What is written of recordings: where one comes from, and two beside each other. */
#include "page.h"

#include <errno.h>
#include <json-c/json.h>
#include <time.h>

#include "show/comparison.h"
#include "show/recorded.h"

/* Nothing a terminal would obey. */
#define HOSTILE "\x1b]0;owned\x07\x1b[2J\xff\"<script>\r\n\t,=cmd \xe2\x80\xae"

/* 2009-02-13 23:31:30 UTC */
#define WALL_NS 1234567890000000000ull

static const char command[] = "cc\0-c\0a b.c";

static const struct pgf_record_info info_known = {
        .host = "build",
        .release = "6.18.0",
        .machine = "x86_64",
        .tool = "pgfault 0.1.0",
        .options = "-g --basic ",
        .command = command,
        .command_size = sizeof(command),
        .cpus = 8,
        .page_size = 4096,
};
static const struct pgf_record_info info_nothing = {.host = ""};
static const struct pgf_record_info info_hostile = {
        .host = HOSTILE, .release = HOSTILE, .tool = HOSTILE, .options = HOSTILE};

static void assert_no_controls(const char *text)
{
	for (const char *at = text; *at; at++)
		assert_true(*at == '\n' || (unsigned char)*at >= 32);
}

/* On a terminal those that turn the direction of text round do harm, too. */
static void assert_harmless(const char *text)
{
	assert_no_controls(text);
	assert_null(strstr(text, "\xe2\x80\xae"));
}

static void test_when(void **state)
{
	char text[40];

	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(pgf_recorded_when(text, sizeof(text), WALL_NS),
	                    "2009-02-13 23:31:30 +0000");
	assert_string_equal(pgf_recorded_when(text, sizeof(text), 0), "?");
}

static void test_command(void **state)
{
	char text[40], small[6];

	assert_string_equal(pgf_recorded_command(text, sizeof(text), &info_known), "cc -c a b.c");
	assert_string_equal(pgf_recorded_command(small, sizeof(small), &info_known), "cc -c");
	assert_string_equal(pgf_recorded_command(text, sizeof(text), &info_nothing), "?");
}

static void test_recorded_text(void **state)
{
	struct pgf_recorded recorded = {.file = "a.pgf",
	                                .format = "pgf",
	                                .info = &info_known,
	                                .tier = "perf",
	                                .wall_ns = WALL_NS,
	                                .with_command = true};
	struct page page;

	page_open(&page);
	assert_int_equal(pgf_recorded_write(page.out, &recorded, 200, false), 0);
	assert_string_equal(
	        page_text(&page),
	        "recorded: 2009-02-13 23:31:30 +0000 on build, Linux 6.18.0 x86_64, perf "
	        "tier, by pgfault 0.1.0 (-g --basic): cc -c a b.c\n");
	page_close(&page);

	recorded = (struct pgf_recorded){
	        .file = "p", .format = "perf.data", .info = &info_nothing, .tier = "?"};
	page_open(&page);
	assert_int_equal(pgf_recorded_write(page.out, &recorded, 0, false), 0);
	assert_string_equal(page_text(&page),
	                    "recorded: ? on ?, Linux ?, ? tier, by perf record\n");
	page_close(&page);

	recorded = (struct pgf_recorded){
	        .file = "x", .format = "pgf", .info = &info_hostile, .tier = "perf"};
	page_open(&page);
	assert_int_equal(pgf_recorded_write(page.out, &recorded, 80, false), 0);
	assert_harmless(page_text(&page));
	assert_true(widest_line(page_text(&page)) <= 80);
	page_close(&page);
}

static json_object *member(json_object *object, const char *name)
{
	json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, name, &value));
	return value;
}

static json_object *line_parse(const char *text, int number)
{
	json_object *object;
	char *line;

	while (number--)
		text = strchr(text, '\n') + 1;
	line = strndup(text, strcspn(text, "\n"));
	assert_non_null(line);
	object = json_tokener_parse(line);
	assert_non_null(object);
	free(line);
	return object;
}

static void test_recorded_json(void **state)
{
	struct pgf_recorded recorded = {.file = HOSTILE,
	                                .format = "pgf",
	                                .info = &info_known,
	                                .tier = "perf",
	                                .trouble = "truncated",
	                                .wall_ns = WALL_NS,
	                                .filtered = true};
	json_object *object;
	struct page page;

	page_open(&page);
	assert_int_equal(pgf_recorded_json(page.out, &recorded), 0);
	recorded.info = &info_nothing;
	recorded.wall_ns = 0;
	recorded.trouble = NULL;
	assert_int_equal(pgf_recorded_json(page.out, &recorded), 0);
	assert_no_controls(page_text(&page));
	object = line_parse(page_text(&page), 0);
	assert_string_equal(json_object_get_string(member(object, "type")), "recording");
	assert_true((uint64_t)json_object_get_int64(member(object, "start_wall_ns")) == WALL_NS);
	assert_string_equal(json_object_get_string(member(object, "host")), "build");
	assert_int_equal(json_object_array_length(member(object, "command")), 3);
	assert_string_equal(
	        json_object_get_string(json_object_array_get_idx(member(object, "command"), 2)),
	        "a b.c");
	assert_int_equal(json_object_get_int(member(object, "cpus")), 8);
	assert_string_equal(json_object_get_string(member(object, "trouble")), "truncated");
	assert_true(json_object_get_boolean(member(object, "filtered")));
	json_object_put(object);
	object = line_parse(page_text(&page), 1);
	assert_null(member(object, "start_wall_ns"));
	assert_null(member(object, "host"));
	assert_null(member(object, "command"));
	assert_null(member(object, "cpus"));
	assert_null(member(object, "trouble"));
	json_object_put(object);
	page_close(&page);
}

/* Two recordings. */

struct fixture {
	struct pgf_recorded recorded[2];
	struct pgf_run run[2];
	const char *differs[2];
	struct pgf_compared_row row[5];
	struct pgf_comparison comparison;
};

static struct pgf_compared side(uint64_t count, uint64_t timed, uint64_t ns)
{
	return (struct pgf_compared){.count = count, .timed = timed, .ns = ns, .major = count / 2};
}

static void fixture_make(struct fixture *f)
{
	*f = (struct fixture){.differs = {"tiers: perf and ?", HOSTILE}};
	for (int i = 0; i < 2; i++) {
		f->recorded[i] = (struct pgf_recorded){.file = i ? HOSTILE : "a.pgf",
		                                       .format = "pgf",
		                                       .info = i ? &info_hostile : &info_known,
		                                       .tier = "perf",
		                                       .wall_ns = i ? 0 : WALL_NS};
		f->run[i] = (struct pgf_run){.version = "0.1",
		                             .target = i ? HOSTILE : "cc -c a b.c",
		                             .tier = "perf",
		                             .kernel = i ? NULL : "6.18.0"};
	}
	f->row[0] = (struct pgf_compared_row){
	        "anon-new", "anon-new", {side(1000, 1000, 2000), side(2500, 2500, 500)}};
	f->row[1] = (struct pgf_compared_row){"only-a", "only-a", {side(7, 7, 700), side(0, 0, 0)}};
	f->row[2] = (struct pgf_compared_row){"only-b", "only-b", {side(0, 0, 0), side(9, 9, 900)}};
	f->row[3] = (struct pgf_compared_row){HOSTILE, HOSTILE, {side(5, 5, 50), side(5, 5, 50)}};
	f->row[4] =
	        (struct pgf_compared_row){"untimed", "untimed", {side(4, 0, 0), side(6, 6, 60)}};
	f->comparison = (struct pgf_comparison){
	        .recorded = {&f->recorded[0], &f->recorded[1]},
	        .run = {&f->run[0], &f->run[1]},
	        .by = PGF_BY_KIND_MAP,
	        .differs = f->differs,
	        .differ_count = 2,
	        .row = f->row,
	        .count = 5,
	        .groups = 8,
	        .total = {"total", "total", {side(1016, 1012, 2750), side(2520, 2520, 1510)}},
	        .width = 80,
	};
}

/* The words of the line that begins with name. */
static void assert_line(const char *text, const char *name, const char *words)
{
	char found[256] = "", wanted[256], *save = NULL, *word;
	const char *at = strstr(text, name);

	assert_non_null(at);
	snprintf(wanted, sizeof(wanted), "%.*s", (int)strcspn(at, "\n"), at);
	for (word = strtok_r(wanted, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		strcat(found, *found ? " " : "");
		strcat(found, word);
	}
	assert_string_equal(found, words);
}

static void test_text(void **state)
{
	struct fixture f;
	struct page page;
	const char *text;

	fixture_make(&f);
	page_open(&page);
	assert_int_equal(pgf_comparison_write(page.out, &f.comparison), 0);
	text = page_text(&page);
	assert_harmless(text);
	assert_true(widest_line(text) <= 80);
	assert_non_null(strstr(text, "A: a.pgf: 2009-02-13 23:31:30 +0000 on build, Linux 6.18.0"));
	assert_non_null(strstr(text, "NOT THE SAME: tiers: perf and ?\n"));
	assert_non_null(strstr(text, "KIND-MAP"));
	assert_line(text, "anon-new ",
	            "anon-new 1000 2500 +1500 2.50 2.00 µs 500 ns -1.50 µs 0.25");
	assert_line(text, "only-a ", "only-a 7 0 -7 gone 700 ns 0 ns -700 ns gone");
	assert_line(text, "only-b ", "only-b 0 9 +9 new 0 ns 900 ns +900 ns new");
	/* A difference to what is not known is not known. */
	assert_line(text, "untimed ", "untimed 4 6 +2 1.50 ? 60 ns");
	assert_line(text, "total ", "total 1016 2520 +1504 2.48 2.75 µs 1.51 µs -1.24 µs 0.55");
	assert_non_null(strstr(text, "(3 more)"));
	page_close(&page);
}

static void test_json(void **state)
{
	struct fixture f;
	struct page page;
	json_object *object;

	fixture_make(&f);
	page_open(&page);
	assert_int_equal(pgf_comparison_json(page.out, &f.comparison), 0);
	assert_int_equal(lines_in(page_text(&page)), 7);
	assert_no_controls(page_text(&page));
	object = line_parse(page_text(&page), 0);
	assert_string_equal(json_object_get_string(member(object, "type")), "comparison");
	assert_string_equal(json_object_get_string(member(object, "by")), "kind-map");
	assert_int_equal(json_object_array_length(member(object, "differs")), 2);
	assert_string_equal(json_object_get_string(member(member(object, "a"), "kernel")),
	                    "6.18.0");
	assert_null(member(member(object, "b"), "kernel"));
	assert_null(member(member(object, "b"), "start_wall_ns"));
	json_object_put(object);
	object = line_parse(page_text(&page), 1);
	assert_string_equal(json_object_get_string(member(object, "name")), "anon-new");
	assert_int_equal(json_object_get_int(member(member(object, "a"), "count")), 1000);
	assert_int_equal(json_object_get_int(member(member(object, "b"), "ns")), 500);
	assert_int_equal(json_object_get_int(member(object, "count_diff")), 1500);
	assert_int_equal(json_object_get_int(member(object, "ns_diff")), -1500);
	assert_true(json_object_get_double(member(object, "ns_ratio")) == 0.25);
	json_object_put(object);
	object = line_parse(page_text(&page), 3);
	assert_null(member(object, "count_ratio"));
	assert_int_equal(json_object_get_int(member(object, "ns_diff")), 900);
	json_object_put(object);
	object = line_parse(page_text(&page), 5);
	assert_null(member(member(object, "a"), "ns"));
	assert_null(member(object, "ns_diff"));
	assert_null(member(object, "ns_ratio"));
	json_object_put(object);
	object = line_parse(page_text(&page), 6);
	assert_string_equal(json_object_get_string(member(object, "by")), "total");
	json_object_put(object);
	page_close(&page);
}

static void test_csv(void **state)
{
	struct fixture f;
	struct page page;
	const char *text;

	fixture_make(&f);
	page_open(&page);
	assert_int_equal(pgf_comparison_csv(page.out, &f.comparison), 0);
	text = page_text(&page);
	assert_non_null(strstr(text, "\r\nkind-map,anon-new,1000,2500,1500,2.5,2000,500,-1500,0.25,"
	                             "500,1250\r\n"));
	assert_non_null(strstr(text, "\r\nkind-map,only-b,0,9,9,,0,900,900,,0,4\r\n"));
	assert_non_null(strstr(text, "\r\nkind-map,untimed,4,6,2,1.5,,60,,,2,3\r\n"));
	page_close(&page);
}

static void test_write_errors(void **state)
{
	struct fixture f;
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		skip();
	fixture_make(&f);
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(pgf_comparison_write(full, &f.comparison), -EIO);
	assert_int_equal(pgf_comparison_json(full, &f.comparison), -EIO);
	assert_int_equal(pgf_comparison_csv(full, &f.comparison), -EIO);
	assert_int_equal(pgf_recorded_write(full, &f.recorded[0], 80, false), -EIO);
	assert_int_equal(pgf_recorded_json(full, &f.recorded[0]), -EIO);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_when),          cmocka_unit_test(test_command),
	        cmocka_unit_test(test_recorded_text), cmocka_unit_test(test_recorded_json),
	        cmocka_unit_test(test_text),          cmocka_unit_test(test_json),
	        cmocka_unit_test(test_csv),           cmocka_unit_test(test_write_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
