/* SPDX-License-Identifier: BSD-2-Clause */
/* What is written of a run: the summary, JSON, CSV and lines of faults. */
#include "page.h"

#include <errno.h>
#include <json-c/json.h>

#include "show/faultline.h"
#include "show/json.h"
#include "show/summary.h"

/* Nothing a terminal would obey, in every place a program can put it. */
#define HOSTILE                                                                                    \
	"\x1b]0;owned\x07\x1b[2J\xff\xfe\"<script>\r\n\t,=cmd|'/c'!A0 "                            \
	"\xe2\x80\xae\xf0\x9f\x98\x80"

/* A run. */

struct run_fixture {
	struct pgf_account *account;
	struct pgf_totals totals;
	struct pgf_run run;
};

static void add_faults(struct run_fixture *fixture, unsigned int kind, uint32_t flags, int count,
                       const struct pgf_map *map)
{
	int i;

	for (i = 0; i < count; i++) {
		struct pgf_fault fault = {
		        .time_ns = (uint64_t)i * 1000000,
		        .duration_ns = 1000 + (uint64_t)i * 37,
		        .pid = 12,
		        .tid = 12 + (uint32_t)i % 3,
		        .kind = (uint8_t)kind,
		        .leaves = PGF_SET(kind),
		        .flags = flags,
		        .ip = 0x400000 + kind * 16,
		};

		snprintf(fault.comm, sizeof(fault.comm), "%s", "a\x1b[31m,\"b");
		fault.access.address = (1ull << 40) + ((uint64_t)kind << 32) + (uint64_t)i * 4096;
		assert_int_equal(pgf_account_fault(fixture->account, &fault, map), 0);
	}
}

static void fixture_open(struct run_fixture *fixture)
{
	static const struct pgf_map hostile = {
	        .id = 1,
	        .type = PGF_MAP_FILE,
	        .name = "/tmp/" HOSTILE HOSTILE HOSTILE HOSTILE HOSTILE HOSTILE,
	};
	static const struct pgf_map heap = {.id = 2, .type = PGF_MAP_HEAP, .name = "[heap]"};

	memset(fixture, 0, sizeof(*fixture));
	assert_int_equal(pgf_account_new(&fixture->account, NULL), 0);
	add_faults(fixture, PGF_ANON_NEW, 0, 900, &heap);
	add_faults(fixture, PGF_FILE_READ, PGF_F_MAJOR, 90, &hostile);
	add_faults(fixture, PGF_SEGV_MAPERR, PGF_F_FAILED, 10, NULL);
	add_faults(fixture, PGF_UNKNOWN, PGF_F_INFERRED, 5, &hostile);
	fixture->totals = (struct pgf_totals){
	        .seen = 995,
	        .minor = 905,
	        .major = 90,
	        .failed = 10,
	        .task_min = 905,
	        .task_maj = 90,
	        .tasks = 1,
	        .task_known = true,
	        .start_ns = 1000,
	        .end_ns = 2000001000,
	        .fault_cost_ns = 500,
	};
	fixture->run = (struct pgf_run){
	        .account = fixture->account,
	        .totals = &fixture->totals,
	        .version = "0.1.0",
	        .target = "./program " HOSTILE HOSTILE HOSTILE HOSTILE,
	        .tier = "tracepoint",
	        .blind = "guest faults, and much more that takes a rather long line to say in full "
	                 "so that it must be broken somewhere",
	        .kernel = "6.18.0",
	        .sample_period = 1,
	        .status = 11,
	};
}

static void fixture_close(struct run_fixture *fixture)
{
	pgf_account_free(fixture->account);
}

static void assert_plain(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;

	for (; *byte; byte++)
		assert_true(*byte == '\n' || (*byte >= 0x20 && *byte != 0x7f));
	assert_null(strstr(text, "\xe2\x80\xae"));
}

static void test_summary(void **state)
{
	struct run_fixture fixture;
	struct page page;
	const char *text;

	fixture_open(&fixture);
	page_open(&page);
	assert_int_equal(pgf_summary_write(page.out, &fixture.run), 0);
	text = page_text(&page);
	assert_true(strncmp(text, "2.00 s wall, 1005 faults, ", 26) == 0);
	assert_non_null(strstr(text, ", 90 major ("));
	assert_non_null(strstr(text, "(killed by signal 11)"));
	assert_non_null(strstr(text, pgf_kind_label(PGF_ANON_NEW)));
	assert_non_null(strstr(text, "[heap]"));
	assert_non_null(strstr(text, "lost: nothing"));
	assert_non_null(strstr(text, "check: 995 seen = min + maj"));
	assert_null(strstr(text, "CHECK FAILED"));
	assert_null(strstr(text, "LOST"));
	assert_plain(text);
	assert_in_range(widest_line(text), 40, 80);
	assert_true(lines_in(text) <= 42);
	page_close(&page);

	page_open(&page);
	fixture.run.width = 64;
	assert_int_equal(pgf_summary_write(page.out, &fixture.run), 0);
	/* The first line is one sentence; all else obeys. */
	text = strchr(page_text(&page), '\n') + 1;
	assert_in_range(widest_line(text), 40, 64);
	page_close(&page);
	fixture_close(&fixture);
}

static void test_summary_of_nothing(void **state)
{
	struct run_fixture fixture = {0};
	struct page page;

	assert_int_equal(pgf_account_new(&fixture.account, NULL), 0);
	fixture.run = (struct pgf_run){.account = fixture.account, .target = "x", .status = -1};
	page_open(&page);
	assert_int_equal(pgf_summary_write(page.out, &fixture.run), 0);
	assert_int_equal(strncmp(page_text(&page), "0 faults, 0 major\n", 18), 0);
	page_close(&page);
	fixture_close(&fixture);
}

static void test_summary_says_what_is_missing(void **state)
{
	struct run_fixture fixture;
	struct page page;
	const char *text;

	fixture_open(&fixture);
	fixture.totals.lost_events = 3;
	fixture.totals.lost_detail = 4;
	fixture.totals.lost_space = 5;
	fixture.totals.seen += 3;
	fixture.totals.task_min += 3;
	fixture.run.sample_period = 8;
	page_open(&page);
	assert_int_equal(pgf_summary_write(page.out, &fixture.run), 0);
	text = page_text(&page);
	assert_non_null(strstr(text, "only every 8th fault"));
	assert_non_null(strstr(text, "LOST: 3 faults"));
	assert_non_null(strstr(text, "LOST: address or code of 4 faults"));
	assert_non_null(strstr(text, "LOST: 5 records of mappings"));
	assert_null(strstr(text, "lost: nothing"));
	page_close(&page);
	fixture_close(&fixture);
}

static struct pgf_crosscheck check_of(const struct run_fixture *fixture)
{
	struct pgf_crosscheck check;

	pgf_crosscheck(&fixture->run, &check);
	return check;
}

static void test_crosscheck(void **state)
{
	struct run_fixture fixture;
	struct page page;

	fixture_open(&fixture);
	assert_int_equal(check_of(&fixture).check, PGF_CHECK_EQUAL);
	assert_int_equal(check_of(&fixture).difference, 0);
	/* GUP faults are in the tasks' counters only. */
	fixture.totals.task_min += 4;
	assert_int_equal(check_of(&fixture).check, PGF_CHECK_GUP);
	assert_int_equal(check_of(&fixture).difference, 4);
	/* More seen than counted cannot be. */
	fixture.totals.task_min -= 11;
	assert_int_equal(check_of(&fixture).check, PGF_CHECK_EXCESS);
	assert_int_equal(check_of(&fixture).difference, 7);
	page_open(&page);
	fixture.run.width = 300;
	assert_int_equal(pgf_summary_write(page.out, &fixture.run), 0);
	assert_non_null(strstr(page_text(&page), "CHECK FAILED: 995 faults seen"));
	assert_non_null(strstr(page.text, "7 too many"));
	page_close(&page);
	fixture.totals.task_known = false;
	assert_int_equal(check_of(&fixture).check, PGF_CHECK_UNKNOWN);
	/* What was lost explains a difference of the tables, and nothing else does. */
	fixture.totals.task_known = true;
	fixture.totals.seen += 6;
	fixture.totals.task_min = 911;
	assert_int_equal(check_of(&fixture).check, PGF_CHECK_ACCOUNT);
	assert_int_equal(check_of(&fixture).difference, 6);
	fixture.totals.lost_events = 6;
	assert_int_equal(check_of(&fixture).check, PGF_CHECK_EQUAL);
	fixture.totals.seen = 990;
	assert_int_equal(check_of(&fixture).check, PGF_CHECK_ACCOUNT);
	fixture.run.totals = NULL;
	assert_int_equal(check_of(&fixture).check, PGF_CHECK_UNKNOWN);
	fixture_close(&fixture);
}

static void test_tables_of_all_views(void **state)
{
	struct run_fixture fixture;
	unsigned int by;

	fixture_open(&fixture);
	for (by = 0; by < PGF_BY_COUNT; by++) {
		struct page page;

		page_open(&page);
		assert_int_equal(pgf_summary_table(page.out, &fixture.run, (enum pgf_by)by), 0);
		assert_plain(page_text(&page));
		assert_true(widest_line(page.text) <= 80);
		if (by != PGF_BY_DISCARD && by != PGF_BY_STACK)
			assert_true(lines_in(page.text) >= 2);
		page_close(&page);
	}
	fixture_close(&fixture);
}

/* JSON. */

static json_object *parse_line(const char **at)
{
	size_t length = strcspn(*at, "\n");
	struct json_tokener *tokener = json_tokener_new();
	json_object *object;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, *at, (int)length);
	assert_int_equal(json_tokener_get_error(tokener), json_tokener_success);
	assert_non_null(object);
	json_tokener_free(tokener);
	*at += length + 1;
	return object;
}

static json_object *get(json_object *object, const char *name)
{
	json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, name, &value));
	return value;
}

/* Whether a value is of the type that a schema states: a name or a list of names. */
static bool is_type(json_object *value, json_object *type)
{
	static const struct {
		const char *name;
		enum json_type type;
	} types[] = {{"null", json_type_null},     {"boolean", json_type_boolean},
	             {"integer", json_type_int},   {"string", json_type_string},
	             {"object", json_type_object}, {"array", json_type_array}};
	size_t i;

	if (json_object_get_type(type) == json_type_array) {
		for (i = 0; i < json_object_array_length(type); i++)
			if (is_type(value, json_object_array_get_idx(type, i)))
				return true;
		return false;
	}
	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].name, json_object_get_string(type)) == 0)
			return json_object_get_type(value) == types[i].type;
	return false;
}

/* Every member is in the schema, of its type; every required one is there. */
static void assert_object(json_object *object, json_object *schema)
{
	json_object *properties = NULL;
	json_object *required = NULL;
	size_t i;

	if (!json_object_object_get_ex(schema, "properties", &properties))
		return;
	json_object_object_foreach (object, name, value) {
		json_object *member = get(properties, name);
		json_object *type = NULL;

		if (json_object_object_get_ex(member, "const", &type)) {
			assert_string_equal(json_object_get_string(value),
			                    json_object_get_string(type));
			continue;
		}
		assert_true(is_type(value, get(member, "type")));
		if (json_object_get_type(value) == json_type_object)
			assert_object(value, member);
	}
	if (!json_object_object_get_ex(schema, "required", &required))
		return;
	for (i = 0; i < json_object_array_length(required); i++)
		get(object, json_object_get_string(json_object_array_get_idx(required, i)));
}

static json_object *read_schema(void)
{
	struct page page;
	json_object *schema;
	const char *at;

	page_open(&page);
	assert_int_equal(pgf_json_schema(page.out), 0);
	at = page_text(&page);
	schema = parse_line(&at);
	page_close(&page);
	return schema;
}

static void assert_line(json_object *line, json_object *schema)
{
	const char *type = json_object_get_string(get(line, "type"));
	json_object *all = get(schema, "oneOf");
	size_t i;

	for (i = 0; i < json_object_array_length(all); i++) {
		json_object *one = json_object_array_get_idx(all, i);

		if (strcmp(json_object_get_string(get(one, "title")), type) == 0) {
			assert_object(line, one);
			return;
		}
	}
	fail_msg("no schema for %s", type);
}

static void test_json(void **state)
{
	json_object *schema = read_schema();
	struct run_fixture fixture;
	uint64_t counted = 0;
	struct page page;
	const char *last = "";
	const char *at;
	int lines = 0;

	fixture_open(&fixture);
	page_open(&page);
	assert_int_equal(pgf_json_write(page.out, &fixture.run), 0);
	at = page_text(&page);
	assert_int_equal(
	        strncmp(at, "{\"type\":\"header\",\"pgfault\":\"0.1.0\",\"version\":1,", 46), 0);
	while (*at) {
		json_object *line = parse_line(&at);

		assert_line(line, schema);
		last = json_object_get_string(get(line, "type"));
		last = strcmp(last, "totals") == 0 ? "totals" : "another";
		if (strcmp(json_object_get_string(get(line, "type")), "row") == 0 &&
		    strcmp(json_object_get_string(get(line, "by")), "kind") == 0)
			counted += json_object_get_uint64(get(line, "count"));
		if (strcmp(last, "totals") == 0) {
			json_object *check = get(line, "check");

			assert_string_equal(json_object_get_string(get(check, "result")), "equal");
			assert_int_equal(json_object_get_uint64(get(line, "faults")), 1005);
		}
		json_object_put(line);
		lines++;
	}
	assert_string_equal(last, "totals");
	assert_int_equal(counted, 1005);
	assert_true(lines > 10);
	page_close(&page);
	json_object_put(schema);
	fixture_close(&fixture);
}

/* RFC 4180: fields of one record, counted by its rules. */
static int csv_fields(const char **at)
{
	int fields = 1;
	bool quoted = false;

	for (; **at; (*at)++) {
		if (**at == '"')
			quoted = !quoted;
		else if (**at == ',' && !quoted)
			fields++;
		else if (**at == '\r' && (*at)[1] == '\n' && !quoted)
			break;
	}
	assert_false(quoted);
	assert_int_equal(strncmp(*at, "\r\n", 2), 0);
	*at += 2;
	return fields;
}

static void test_csv(void **state)
{
	struct run_fixture fixture;
	unsigned int by;

	fixture_open(&fixture);
	for (by = 0; by < PGF_BY_COUNT; by++) {
		struct page page;
		const char *at;
		int fields;

		if (by == PGF_BY_STACK) /* folded, not in columns */
			continue;
		page_open(&page);
		assert_int_equal(pgf_csv_rows(page.out, &fixture.run, (enum pgf_by)by), 0);
		at = page_text(&page);
		assert_int_equal(strncmp(at, "by,kind,map,", 12), 0);
		fields = csv_fields(&at);
		while (*at)
			assert_int_equal(csv_fields(&at), fields);
		page_close(&page);
	}
	fixture_close(&fixture);
}

/* Lines of faults. */

static const struct pgf_fault one_fault = {
        .time_ns = 3500000000,
        .duration_ns = 2200,
        .pid = 123,
        .tid = 124,
        .kind = PGF_ANON_NEW,
        .leaves = PGF_SET(PGF_ANON_NEW),
        .ip = 0x401234,
        .vm_fault = 1032,
        .access = {.address = 0x7f0000001000, .op = PGF_OP_WRITE, .mode = PGF_MODE_USER},
        .comm = "work\x1b[1m",
};

static char *line_of(struct pgf_line_opts opts, const struct pgf_fault *fault)
{
	static char text[8192];
	struct page page;

	page_open(&page);
	assert_int_equal(pgf_faultline_write(page.out, &opts, fault, NULL, NULL), 0);
	snprintf(text, sizeof(text), "%s", page_text(&page));
	page_close(&page);
	return text;
}

static char *header_of(struct pgf_line_opts opts)
{
	static char text[256];
	struct page page;

	page_open(&page);
	assert_int_equal(pgf_faultline_header(page.out, &opts), 0);
	snprintf(text, sizeof(text), "%s", page_text(&page));
	page_close(&page);
	return text;
}

static void test_line_classic(void **state)
{
	struct pgf_line_opts opts = {.format = PGF_LINE_CLASSIC, .vm_fault_known = true};
	unsigned int pid;
	unsigned int code;
	unsigned int ns;
	char name[4][32];
	char comm[64];

	assert_int_equal(
	        sscanf(header_of(opts), "%31s %31s %31s %31s", name[0], name[1], name[2], name[3]),
	        4);
	assert_string_equal(name[0], "PID");
	assert_string_equal(name[1], "EXIT_CODE");
	assert_string_equal(name[2], "COMM");
	assert_string_equal(name[3], "DURATION_NS");
	assert_int_equal(sscanf(line_of(opts, &one_fault), "%u %u %63s %u", &pid, &code, comm, &ns),
	                 4);
	assert_int_equal(pid, 123);
	assert_int_equal(code, 0);
	assert_string_equal(comm, "work\\x1b[1m");
	assert_int_equal(ns, 2200);
}

static void test_line_calls_and_return(void **state)
{
	struct pgf_line_opts opts = {.format = PGF_LINE_CALLS, .vmf_abi = PGF_VMF_5_10};
	struct pgf_fault fault = one_fault;
	char expected[128];
	char bits[64];

	assert_string_equal(line_of(opts, &one_fault),
	                    "pid: 123, comm: work\\x1b[1m called handle_mm_fault\n");
	opts.format = PGF_LINE_RETURN;
	assert_string_equal(line_of(opts, &one_fault), "Return value: ?\n");
	opts.vm_fault_known = true;
	pgf_vmf_text(PGF_VMF_5_10, 1032, bits, sizeof(bits));
	snprintf(expected, sizeof(expected), "Return value: 1032 (%s)\n", bits);
	assert_string_equal(line_of(opts, &one_fault), expected);
	opts.vmf_abi = -1;
	assert_string_equal(line_of(opts, &one_fault), "Return value: 1032\n");
	fault.flags = PGF_F_UNFINISHED;
	assert_string_equal(line_of(opts, &fault), "Return value: ?\n");
}

static void test_line_table(void **state)
{
	struct pgf_line_opts opts = {.timestamps = true, .start_ns = 1000000000};
	struct pgf_fault fault = one_fault;
	const char *line = line_of(opts, &fault);

	assert_int_equal(strncmp(line, "    2.500000     123     124 work", 33), 0);
	assert_non_null(strstr(line, " 7f0000001000 wu anon-new "));
	assert_non_null(strstr(line, " min      2200 0x401234\n"));
	fault.kind = PGF_UNKNOWN;
	fault.leaves = PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_COW);
	fault.flags = PGF_F_MAJOR | PGF_F_NO_DURATION | PGF_F_NO_IP;
	fault.access.op = PGF_OP_UNKNOWN;
	line = line_of(opts, &fault);
	assert_non_null(strstr(line, " ?u ?file "));
	assert_non_null(strstr(line, " maj         ? ?\n"));
	opts.timestamps = false;
	opts.width = 100;
	snprintf(fault.comm, sizeof(fault.comm), "\x1b\x1b\x1b\x1b\x1b");
	assert_true(widest_line(line_of(opts, &fault)) <= 100);
	assert_true(widest_line(header_of(opts)) <= 80);
}

static void test_line_json(void **state)
{
	static const struct pgf_symbol_inline inner = {.func = "in\"ner", .file = "a.h", .line = 3};
	static const struct pgf_symbol symbol = {.func = "outer",
	                                         .file = "/src/a.c",
	                                         .module = "prog",
	                                         .path = "/bin/prog",
	                                         .line = 9,
	                                         .inline_count = 1,
	                                         .inlines = &inner,
	                                         .offset = 18,
	                                         .exact = true};
	static const struct pgf_map map = {
	        .start = 0x1000, .end = 0x2000, .type = PGF_MAP_FILE, .name = HOSTILE};
	const struct pgf_line_opts opts = {.format = PGF_LINE_JSON};
	json_object *schema = read_schema();
	json_object *line;
	struct page page;
	const char *at;

	page_open(&page);
	assert_int_equal(pgf_faultline_write(page.out, &opts, &one_fault, &map, &symbol), 0);
	assert_int_equal(pgf_faultline_write(page.out, &opts, &one_fault, NULL, NULL), 0);
	at = page_text(&page);
	assert_int_equal(lines_in(at), 2);
	line = parse_line(&at);
	assert_line(line, schema);
	assert_string_equal(json_object_get_string(get(line, "kind")), "anon-new");
	assert_string_equal(json_object_get_string(get(line, "address")), "0x7f0000001000");
	assert_string_equal(json_object_get_string(get(get(line, "symbol"), "func")), "outer");
	assert_null(get(line, "vm_fault"));
	json_object_put(line);
	line = parse_line(&at);
	assert_line(line, schema);
	assert_null(get(line, "symbol"));
	assert_null(get(line, "map"));
	json_object_put(line);
	json_object_put(schema);
	page_close(&page);
}

static void test_line_formats(void **state)
{
	assert_int_equal(pgf_line_format_parse("classic"), PGF_LINE_CLASSIC);
	assert_int_equal(pgf_line_format_parse("json"), PGF_LINE_JSON);
	assert_int_equal(pgf_line_format_parse("nonsense"), -EINVAL);
}

/* A full disk is an error, not silence. */
static void test_write_errors(void **state)
{
	struct run_fixture fixture;
	FILE *full = fopen("/dev/full", "we");

	assert_non_null(full);
	fixture_open(&fixture);
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(pgf_summary_write(full, &fixture.run), -EIO);
	assert_int_equal(pgf_json_write(full, &fixture.run), -EIO);
	assert_int_equal(pgf_csv_rows(full, &fixture.run, PGF_BY_KIND), -EIO);
	fclose(full);
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_summary),
	        cmocka_unit_test(test_summary_of_nothing),
	        cmocka_unit_test(test_summary_says_what_is_missing),
	        cmocka_unit_test(test_crosscheck),
	        cmocka_unit_test(test_tables_of_all_views),
	        cmocka_unit_test(test_json),
	        cmocka_unit_test(test_csv),
	        cmocka_unit_test(test_line_classic),
	        cmocka_unit_test(test_line_calls_and_return),
	        cmocka_unit_test(test_line_table),
	        cmocka_unit_test(test_line_json),
	        cmocka_unit_test(test_line_formats),
	        cmocka_unit_test(test_write_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
