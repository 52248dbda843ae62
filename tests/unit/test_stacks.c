/* SPDX-License-Identifier: BSD-2-Clause */
/* Call stacks: kept, grouped, merged, named and shown. */
#include "account_fixture.h"

#include "account/stacks.h"
#include "page.h"
#include "show/faultline.h"
#include "show/frames.h"
#include "show/json.h"
#include "show/summary.h"
#include "symbol/symbol.h"

#define OTHER (PID + 1)
#define LEAF  0x401000ull
#define ONE   0x402000ull
#define TWO   0x403000ull
#define MAIN  0x404000ull

static const uint64_t through_one[] = {LEAF, ONE, MAIN};
static const uint64_t through_two[] = {LEAF, TWO, MAIN};
/* The same functions, other instructions. */
static const uint64_t through_one_again[] = {LEAF + 2, ONE + 2, MAIN};

static void stack_add(struct pgf_account *account, uint32_t id, const uint64_t *ips, size_t count)
{
	assert_int_equal(pgf_account_stack(account, id, ips, count), 0);
}

static void faults_add(struct pgf_account *account, uint32_t pid, uint32_t id, unsigned int kind,
                       uint64_t ns, int count)
{
	struct pgf_fault fault = make_fault(kind, HEAP_PAGE, 1000, ns);

	fault.pid = fault.tid = pid;
	fault.stack_id = id;
	while (count-- > 0) {
		fault.access.address += 4096;
		add(account, &fault, &heap);
	}
}

/* A function's name at an address, in every process. */
static void name_add(struct pgf_symbols *symbols, uint64_t ip, const char *func)
{
	const struct pgf_symbol symbol = {
	        .func = func, .module = "program", .path = "/bin/program", .offset = ip & 0xfff};

	assert_int_equal(pgf_symbols_preset(symbols, PID, ip, &symbol), 0);
	assert_int_equal(pgf_symbols_preset(symbols, OTHER, ip, &symbol), 0);
}

/* Callers are named by the call, which ends one byte before the return address. */
static struct pgf_symbols *open_symbols(void)
{
	struct pgf_symbols *symbols;

	assert_int_equal(pgf_symbols_new(&symbols), 0);
	name_add(symbols, LEAF, "leaf");
	name_add(symbols, LEAF + 2, "leaf");
	name_add(symbols, LEAF - 1, "before_leaf");
	name_add(symbols, ONE - 1, "one");
	name_add(symbols, ONE + 2 - 1, "one");
	name_add(symbols, ONE, "behind_one");
	name_add(symbols, TWO - 1, "two;\n\x1b[2J");
	name_add(symbols, MAIN - 1, "main");
	return symbols;
}

static struct pgf_rows *named_rows(struct pgf_account *account, size_t limit,
                                   struct pgf_symbols *symbols)
{
	struct pgf_rows *rows;

	assert_int_equal(
	        pgf_account_rows(account, PGF_BY_STACK, PGF_SORT_COUNT, limit, symbols, &rows), 0);
	return rows;
}

static void assert_frames(const struct pgf_row *row, const uint64_t *ips, size_t count)
{
	size_t i;

	assert_int_equal(row->frame_count, count);
	for (i = 0; i < count; i++)
		assert_int_equal(row->frames[i].ip, ips[i]);
}

/* The book. */

static void test_book(void **state)
{
	struct pgf_stackbook *book;
	uint64_t deep[PGF_STACK_DEPTH + 10];
	const uint64_t *ips;
	size_t count, i;

	for (i = 0; i < sizeof(deep) / sizeof(*deep); i++)
		deep[i] = i + 1;
	assert_int_equal(pgf_stackbook_new(&book), 0);
	assert_null(pgf_stackbook_get(book, 1, &count));
	assert_int_equal(pgf_stackbook_add(book, 1, through_one, 3), 0);
	assert_int_equal(pgf_stackbook_add(book, 4000000000u, through_two, 3), 0);
	assert_int_equal(pgf_stackbook_add(book, 1, through_two, 3), 0);
	assert_int_equal(pgf_stackbook_add(book, 7, deep, sizeof(deep) / sizeof(*deep)), 0);
	ips = pgf_stackbook_get(book, 1, &count);
	assert_int_equal(count, 3);
	assert_memory_equal(ips, through_one, sizeof(through_one));
	ips = pgf_stackbook_get(book, 4000000000u, &count);
	assert_int_equal(count, 3);
	assert_memory_equal(ips, through_two, sizeof(through_two));
	assert_non_null(pgf_stackbook_get(book, 7, &count));
	assert_int_equal(count, PGF_STACK_DEPTH);
	assert_null(pgf_stackbook_get(book, 2, &count));
	assert_int_equal(count, 0);
	pgf_stackbook_free(book);
	pgf_stackbook_free(NULL);
}

/* Sums. */

static void test_sums_by_stack(void **state)
{
	struct pgf_account *account = open_account(NULL);
	struct pgf_account_loss loss;
	struct pgf_rows *rows;

	assert_false(pgf_account_stacked(account));
	faults_add(account, PID, 0, PGF_ANON_NEW, 100, 2);
	stack_add(account, 1, through_one, 3);
	assert_true(pgf_account_stacked(account));
	stack_add(account, 2, through_two, 3);
	faults_add(account, PID, 1, PGF_ANON_NEW, 100, 7);
	faults_add(account, PID, 1, PGF_WP_COPY, 900, 2);
	faults_add(account, PID, 2, PGF_ANON_NEW, 50, 5);
	faults_add(account, PID, 0, PGF_ANON_NEW, 10, 1);
	faults_add(account, PID, 99, PGF_ANON_NEW, 10, 1);

	rows = rows_of(account, PGF_BY_STACK);
	assert_int_equal(rows->count, 3);
	assert_int_equal(rows->row[0].stat.count, 9);
	assert_int_equal(rows->row[0].stat.ns, 2500);
	assert_int_equal(rows->row[0].stat.max_ns, 900);
	assert_int_equal(rows->row[0].kind_count, 2);
	assert_int_equal(rows->row[0].kinds[0].kind, PGF_ANON_NEW);
	assert_int_equal(rows->row[0].kinds[0].count, 7);
	assert_int_equal(rows->row[0].kinds[1].kind, PGF_WP_COPY);
	assert_int_equal(rows->row[0].kinds[1].count, 2);
	assert_frames(&rows->row[0], through_one, 3);
	assert_null(rows->row[0].frames[0].symbol);
	assert_int_equal(rows->row[1].stat.count, 5);
	assert_frames(&rows->row[1], through_two, 3);
	/* Without a stack: before the first one came, with none, with one that never came. */
	assert_int_equal(rows->row[2].stat.count, 4);
	assert_int_equal(rows->row[2].stat.ns, 220);
	assert_int_equal(rows->row[2].frame_count, 0);
	pgf_rows_free(rows);
	pgf_account_loss(account, &loss);
	assert_int_equal(loss.stacks, 1);
	assert_int_equal(total_of(account).count, 18);
	pgf_account_free(account);
}

/* A cell of the code side counts once, as a fault without a stack. */
static void test_cells(void **state)
{
	struct pgf_account *account = open_account(NULL);
	struct pgf_cell cell = {.fault = make_fault(PGF_ANON_NEW, HEAP_PAGE, 1, 1),
	                        .count = 6,
	                        .ns = 60,
	                        .max_ns = 11,
	                        .bucket = PGF_CELL_NO_BUCKET};
	struct pgf_rows *rows;

	stack_add(account, 1, through_one, 3);
	assert_int_equal(pgf_account_cell(account, &cell, &heap), 0);
	cell.code = true;
	assert_int_equal(pgf_account_cell(account, &cell, &heap), 0);
	rows = rows_of(account, PGF_BY_STACK);
	assert_int_equal(rows->count, 1);
	assert_int_equal(rows->row[0].stat.count, 6);
	assert_int_equal(rows->row[0].stat.max_ns, 11);
	assert_int_equal(rows->row[0].frame_count, 0);
	pgf_rows_free(rows);
	pgf_account_free(account);
}

static void map_program(struct pgf_space *space, uint32_t pid, uint64_t start)
{
	const struct pgf_space_event event = {
	        .time_ns = 1,
	        .type = PGF_SPACE_MMAP,
	        .pid = pid,
	        .tid = pid,
	        .addr = start,
	        .len = 0x10000,
	        .ino = 77,
	        .dev = 8,
	        .prot = PROT_READ | PROT_EXEC,
	        .name = "/nonexistent/program",
	};

	assert_int_equal(pgf_space_apply(space, &event), 0);
}

/* One program at two addresses: one way through its file. */
static void test_processes_are_merged(void **state)
{
	const uint64_t moved[] = {LEAF + 0x100000, ONE + 0x100000, MAIN + 0x100000};
	struct pgf_account_opts opts = {.space = NULL};
	struct pgf_account *account;
	struct pgf_rows *rows;

	assert_int_equal(pgf_space_new(&opts.space), 0);
	pgf_space_offline(opts.space);
	map_program(opts.space, PID, 0x400000);
	map_program(opts.space, OTHER, 0x500000);
	account = open_account(&opts);
	stack_add(account, 1, through_one, 3);
	stack_add(account, 2, moved, 3);
	faults_add(account, PID, 1, PGF_ANON_NEW, 100, 4);
	faults_add(account, OTHER, 2, PGF_ANON_NEW, 100, 3);
	/* The other's addresses mean nothing in this process. */
	faults_add(account, PID, 2, PGF_ANON_NEW, 100, 1);
	rows = rows_of(account, PGF_BY_STACK);
	assert_int_equal(rows->count, 2);
	assert_int_equal(rows->row[0].stat.count, 7);
	assert_frames(&rows->row[0], through_one, 3);
	assert_int_equal(rows->row[1].stat.count, 1);
	assert_frames(&rows->row[1], moved, 3);
	pgf_rows_free(rows);
	pgf_account_free(account);
	pgf_space_free(opts.space);
}

/* After exec the same addresses are other code. */
static void test_exec(void **state)
{
	const struct pgf_space_event exec = {.type = PGF_SPACE_EXEC, .pid = PID, .tid = PID};
	struct pgf_account *account = open_account(NULL);
	struct pgf_rows *rows;

	stack_add(account, 1, through_one, 3);
	faults_add(account, PID, 1, PGF_ANON_NEW, 100, 2);
	assert_int_equal(pgf_account_space(account, &exec), 0);
	faults_add(account, PID, 1, PGF_ANON_NEW, 100, 3);
	rows = rows_of(account, PGF_BY_STACK);
	assert_int_equal(rows->count, 2);
	assert_int_equal(rows->row[0].stat.count, 3);
	assert_int_equal(rows->row[1].stat.count, 2);
	pgf_rows_free(rows);
	pgf_account_free(account);
}

/* What is shown. */

static struct pgf_account *open_named(void)
{
	struct pgf_account *account = open_account(NULL);

	stack_add(account, 1, through_one, 3);
	stack_add(account, 2, through_two, 3);
	stack_add(account, 3, through_one_again, 3);
	faults_add(account, PID, 1, PGF_ANON_NEW, 100, 4);
	faults_add(account, PID, 2, PGF_ANON_NEW, 100, 5);
	faults_add(account, OTHER, 3, PGF_ANON_NEW, 100, 3);
	faults_add(account, OTHER, 0, PGF_ANON_NEW, 100, 1);
	return account;
}

static void test_merged_by_function(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	struct pgf_account *account = open_named();
	struct pgf_rows *rows = named_rows(account, 2, symbols);

	assert_int_equal(rows->groups, 3);
	assert_int_equal(rows->count, 2);
	assert_int_equal(rows->rest.count, 1);
	assert_int_equal(rows->row[0].stat.count, 7);
	assert_frames(&rows->row[0], through_one, 3);
	assert_string_equal(rows->row[0].frames[0].symbol->func, "leaf");
	assert_string_equal(rows->row[0].frames[1].symbol->func, "one");
	assert_string_equal(rows->row[0].frames[2].symbol->func, "main");
	assert_int_equal(rows->row[0].kinds[0].count, 7);
	assert_int_equal(rows->row[1].stat.count, 5);
	assert_int_equal(rows->row[1].frame_count, 3);
	pgf_rows_free(rows);
	pgf_account_free(account);
	pgf_symbols_free(symbols);
}

static void test_folded(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	struct pgf_account *account = open_named();
	const struct pgf_run run = {
	        .account = account, .symbols = symbols, .sort = PGF_SORT_COUNT, .status = -1};
	struct page page;

	page_open(&page);
	assert_int_equal(pgf_csv_rows(page.out, &run, PGF_BY_STACK), 0);
	assert_string_equal(page_text(&page), "main;one;leaf 7\n"
	                                      "main;two:\\n\\x1b[2J;leaf 5\n"
	                                      "(no stack) 1\n");
	page_close(&page);
	pgf_account_free(account);
	pgf_symbols_free(symbols);
}

static void test_json_rows(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	struct pgf_account *account = open_named();
	const struct pgf_run run = {
	        .account = account, .symbols = symbols, .sort = PGF_SORT_COUNT, .top = 1};
	struct page page;

	page_open(&page);
	assert_int_equal(pgf_json_rows(page.out, &run, PGF_BY_STACK), 0);
	assert_non_null(strstr(page_text(&page),
	                       "\"frames\":[{\"ip\":\"0x401000\",\"symbol\":{\"func\":\"leaf\""));
	assert_non_null(strstr(page.text, "},{\"ip\":\"0x402000\",\"symbol\":{\"func\":\"one\""));
	assert_non_null(strstr(page.text, "},{\"ip\":\"0x404000\",\"symbol\":{\"func\":\"main\""));
	assert_int_equal(lines_in(page.text), 1);
	page_close(&page);
	page_open(&page);
	assert_int_equal(pgf_json_rows(page.out, &run, PGF_BY_KIND), 0);
	assert_non_null(strstr(page_text(&page), "\"frames\":null"));
	page_close(&page);
	pgf_account_free(account);
	pgf_symbols_free(symbols);
}

/* Lines of the text from the one that begins with title on. */
static const char *from_line(const char *text, const char *title)
{
	while (*text && strncmp(text, title, strlen(title)) != 0) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return *text ? text : NULL;
}

static void test_screen(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	struct pgf_account *account = open_account(NULL);
	const struct pgf_run run = {.account = account,
	                            .symbols = symbols,
	                            .target = "x",
	                            .sort = PGF_SORT_COUNT,
	                            .status = -1};
	uint64_t deep[20];
	const char *at;
	struct page page;
	size_t i;

	deep[0] = LEAF;
	for (i = 1; i < 20; i++)
		deep[i] = ONE;
	faults_add(account, PID, 0, PGF_ANON_NEW, 100, 1);
	page_open(&page);
	assert_int_equal(pgf_summary_write(page.out, &run), 0);
	assert_null(from_line(page_text(&page), "STACK "));
	page_close(&page);

	stack_add(account, 1, deep, 20);
	faults_add(account, PID, 1, PGF_ANON_NEW, 100, 6);
	page_open(&page);
	assert_int_equal(pgf_summary_write(page.out, &run), 0);
	at = from_line(page_text(&page), "STACK ");
	assert_non_null(at);
	assert_true(widest_line(page.text) <= 80);
	at = from_line(at, "leaf ");
	assert_non_null(at);
	for (i = 1; i < 6; i++) {
		at = strchr(at, '\n') + 1;
		assert_int_equal(strncmp(at, "  one ", 6), 0);
	}
	at = strchr(at, '\n') + 1;
	assert_int_equal(strncmp(at, "  … 14 more\n", strlen("  … 14 more\n")), 0);
	assert_non_null(from_line(at, "(no stack) "));
	page_close(&page);

	page_open(&page);
	assert_int_equal(pgf_summary_table(page.out, &run, PGF_BY_STACK), 0);
	assert_int_equal(lines_in(page_text(&page)), 1 + 20 + 1);
	page_close(&page);
	pgf_account_free(account);
	pgf_symbols_free(symbols);
}

static void test_line(void **state)
{
	const struct pgf_symbol leaf = {.func = "le\x1b"
	                                        "af",
	                                .module = "p",
	                                .path = "/p"};
	const struct pgf_frame frames[] = {{LEAF, &leaf}, {MAIN, NULL}};
	const struct pgf_fault fault = make_fault(PGF_ANON_NEW, HEAP_PAGE, 1, 1);
	struct pgf_line_opts opts = {.format = PGF_LINE_TABLE, .vmf_abi = -1};
	struct page page;
	const char *second;

	page_open(&page);
	assert_int_equal(pgf_faultline_stacked(page.out, &opts, &fault, NULL, NULL, frames, 2), 0);
	second = strchr(page_text(&page), '\n') + 1;
	assert_string_equal(second, "                  401000 le\\x1baf (p)\n"
	                            "                  404000 0x404000\n");
	page_close(&page);
	opts.format = PGF_LINE_JSON;
	page_open(&page);
	assert_int_equal(pgf_faultline_stacked(page.out, &opts, &fault, NULL, NULL, frames, 2), 0);
	assert_non_null(strstr(page_text(&page), "\"stack\":[{\"ip\":\"0x401000\",\"symbol\":{"));
	assert_non_null(strstr(page.text, "{\"ip\":\"0x404000\",\"symbol\":null}]"));
	page_close(&page);
	page_open(&page);
	assert_int_equal(pgf_faultline_write(page.out, &opts, &fault, NULL, NULL), 0);
	assert_non_null(strstr(page_text(&page), "\"stack\":null"));
	page_close(&page);
	opts.format = PGF_LINE_CLASSIC;
	page_open(&page);
	assert_int_equal(pgf_faultline_stacked(page.out, &opts, &fault, NULL, NULL, frames, 2), 0);
	assert_int_equal(lines_in(page_text(&page)), 1);
	page_close(&page);
}

static void test_losses_are_told(void **state)
{
	struct pgf_account *account = open_named();
	struct pgf_totals totals = {.seen = 13, .lost_stacks = 2};
	const struct pgf_run run = {
	        .account = account, .totals = &totals, .target = "x", .status = -1, .width = 200};
	struct page page;

	faults_add(account, PID, 99, PGF_ANON_NEW, 10, 1);
	page_open(&page);
	assert_int_equal(pgf_summary_write(page.out, &run), 0);
	assert_non_null(strstr(page_text(&page), "LOST: the stacks of 3 faults"));
	assert_null(strstr(page.text, "lost: nothing"));
	page_close(&page);
	page_open(&page);
	assert_int_equal(pgf_json_totals(page.out, &run), 0);
	assert_non_null(strstr(page_text(&page), "\"stacks\":2,\"unlisted\":1"));
	page_close(&page);
	pgf_account_free(account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_book),
	        cmocka_unit_test(test_sums_by_stack),
	        cmocka_unit_test(test_cells),
	        cmocka_unit_test(test_processes_are_merged),
	        cmocka_unit_test(test_exec),
	        cmocka_unit_test(test_merged_by_function),
	        cmocka_unit_test(test_folded),
	        cmocka_unit_test(test_json_rows),
	        cmocka_unit_test(test_screen),
	        cmocka_unit_test(test_line),
	        cmocka_unit_test(test_losses_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
