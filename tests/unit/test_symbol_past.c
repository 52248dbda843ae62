/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for the code of a recording: what was found out then, and nothing of what runs now. */
#include "symbol_fixture.h"

#include <errno.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* What somebody else has found out. */

static void test_preset(void **state)
{
	const struct pgf_symbol_inline inlines[] = {{.func = "inner", .file = "a.c", .line = 3}};
	char func[] = "recorded";
	const struct pgf_symbol given = {.func = func,
	                                 .file = "b.c",
	                                 .module = "[jit]",
	                                 .path = "[jit]",
	                                 .line = 7,
	                                 .offset = 5,
	                                 .inlines = inlines,
	                                 .inline_count = 1};
	const struct pgf_symbol other = {.func = "other"};
	struct pgf_symbols *symbols = open_symbols();
	const struct pgf_symbol *symbol;
	struct mapping mapping;
	struct place place;

	known_place(&place);
	find_mapping(place.ip, &mapping);
	assert_int_equal(pgf_symbols_preset(symbols, mapping.query.pid, place.ip, &given), 0);
	assert_int_equal(pgf_symbols_preset(symbols, mapping.query.pid, place.ip, &other), 0);
	memset(func, 'x', sizeof(func) - 1);
	symbol = pgf_symbols_find(symbols, &mapping.query);
	assert_string_equal(symbol->func, "recorded");
	assert_string_equal(symbol->file, "b.c");
	assert_string_equal(symbol->module, "[jit]");
	assert_int_equal(symbol->line, 7);
	assert_int_equal(symbol->offset, 5);
	assert_int_equal(symbol->inline_count, 1);
	assert_string_equal(symbol->inlines[0].func, "inner");
	assert_string_equal(symbol->inlines[0].file, "a.c");
	assert_int_equal(symbol->inlines[0].line, 3);
	/* Another process has its own code at that address. */
	mapping.query.pid = 1;
	assert_known_place(pgf_symbols_find(symbols, &mapping.query), &place);
	/* Everybody's: 0. What is not given is not made up. */
	assert_int_equal(pgf_symbols_preset(symbols, 0, ~0ull - 9, &other), 0);
	mapping.query = (struct pgf_symbol_query){.ip = ~0ull - 9, .pid = 77};
	symbol = pgf_symbols_find(symbols, &mapping.query);
	assert_string_equal(symbol->func, "other");
	assert_null(symbol->file);
	assert_string_equal(symbol->module, "?");
	pgf_symbols_free(symbols);
}

static void test_preset_many(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	char name[32];

	for (uint32_t i = 1; i <= 5000; i++) {
		const struct pgf_symbol symbol = {.func = name, .module = "m", .path = "/m"};

		snprintf(name, sizeof(name), "f%u", i);
		assert_int_equal(pgf_symbols_preset(symbols, i % 7, i * 16, &symbol), 0);
	}
	for (uint32_t i = 1; i <= 5000; i++) {
		const struct pgf_symbol_query query = {.ip = i * 16, .pid = i % 7};

		snprintf(name, sizeof(name), "f%u", i);
		assert_string_equal(pgf_symbols_find(symbols, &query)->func, name);
	}
	pgf_symbols_free(symbols);
}

/* Files as they lie in a directory of ours; a mapping of one that may be gone. */
struct program {
	char directory[64];
	char path[128];
	struct mapping mapping;
	struct place place;
	uint8_t build[PGF_BUILD_ID_MAX];
	int build_size;
};

static void make_program(struct program *program)
{
	uint64_t offset;
	size_t size;
	char *at;

	known_place(&program->place);
	offset = file_offset(&program->place);
	make_directory(program->directory);
	snprintf(program->path, sizeof(program->path), "%s/program", program->directory);
	copy_file("/proc/self/exe", program->path);
	program->build_size =
	        pgf_build_id_path(program->path, program->build, sizeof(program->build));
	at = map_file(program->path, &size);
	find_mapping((uint64_t)at + offset, &program->mapping);
	munmap(at, size);
	program->mapping.query.path = program->mapping.name;
}

static void drop_program(struct program *program)
{
	unlink(program->path);
	rmdir(program->directory);
}

static int tell_build(struct pgf_symbols *symbols, const struct program *program)
{
	const struct pgf_symbol_query *query = &program->mapping.query;

	return pgf_symbols_build(symbols, query->dev, query->ino, query->path, program->build,
	                         (size_t)program->build_size);
}

static void test_build_wins_over_inode(void **state)
{
	struct program program = {.build_size = 0};
	struct pgf_symbols *symbols;
	const struct pgf_symbol *symbol;

	make_program(&program);
	if (program.build_size <= 0) {
		drop_program(&program);
		skip();
	}
	program.mapping.query.pid = 0;
	program.mapping.query.ino += 1000000;
	symbols = open_symbols();
	assert_null(pgf_symbols_find(symbols, &program.mapping.query)->func);
	pgf_symbols_free(symbols);

	symbols = open_symbols();
	assert_int_equal(tell_build(symbols, &program), 0);
	symbol = pgf_symbols_find(symbols, &program.mapping.query);
	assert_known_place(symbol, &program.place);
	assert_true(symbol->exact);
	pgf_symbols_free(symbols);

	/* The same inode with other contents. */
	program.mapping.query.ino -= 1000000;
	program.build[0] ^= 1;
	symbols = open_symbols();
	assert_int_equal(tell_build(symbols, &program), 0);
	assert_null(pgf_symbols_find(symbols, &program.mapping.query)->func);
	assert_int_equal(pgf_symbols_build(symbols, 0, 0, "/x", program.build, 0), -EINVAL);
	assert_int_equal(pgf_symbols_build(symbols, 0, 0, "/x", program.build, 65), -EINVAL);
	pgf_symbols_free(symbols);
	drop_program(&program);
}

/* Of a recording, an inode proves something only when nothing has changed since. */
static void test_offline_file(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	struct program program = {.build_size = 0};
	const struct pgf_symbol *symbol;
	struct stat st;
	uint64_t wall;

	make_program(&program);
	assert_int_equal(stat(program.path, &st), 0);
	wall = (uint64_t)st.st_ctim.tv_sec * 1000000000ull + (uint64_t)st.st_ctim.tv_nsec;
	pgf_symbols_offline(symbols, wall);
	symbol = pgf_symbols_find(symbols, &program.mapping.query);
	assert_known_place(symbol, &program.place);
	assert_true(symbol->exact);
	pgf_symbols_free(symbols);

	symbols = open_symbols();
	pgf_symbols_offline(symbols, wall - 1);
	symbol = pgf_symbols_find(symbols, &program.mapping.query);
	assert_null(symbol->func);
	assert_false(symbol->exact);
	assert_string_equal(symbol->module, "program");
	pgf_symbols_free(symbols);

	symbols = open_symbols();
	pgf_symbols_offline(symbols, UINT64_MAX);
	program.mapping.query.ino = 0; /* a name alone */
	assert_null(pgf_symbols_find(symbols, &program.mapping.query)->func);
	pgf_symbols_free(symbols);
	drop_program(&program);
}

/* What runs now under the recorded numbers is somebody else. */
static void test_offline_looks_at_nobody(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	struct pgf_symbol_query query = {.ip = 0x10000012, .pid = (uint32_t)getpid()};
	const struct pgf_symbol *symbol;
	char path[64];

	write_jit_map(path, getpid());
	assert_string_equal(pgf_symbols_find(symbols, &query)->module, "[jit]");
	pgf_symbols_free(symbols);
	symbols = open_symbols();
	pgf_symbols_offline(symbols, UINT64_MAX);
	assert_int_equal(pgf_symbols_hold(symbols, (uint32_t)getpid()), 0);
	symbol = pgf_symbols_find(symbols, &query);
	unlink(path);
	assert_null(symbol->func);
	assert_string_equal(symbol->module, "?");
	query = (struct pgf_symbol_query){.ip = UINT64_MAX - 0xfffff, .pid = (uint32_t)getpid()};
	symbol = pgf_symbols_find(symbols, &query);
	assert_null(symbol->func);
	assert_string_equal(symbol->module, "[kernel]");
	if (vdso) {
		struct mapping mapping;

		find_mapping(vdso, &mapping);
		symbol = pgf_symbols_find(symbols, &mapping.query);
		assert_null(symbol->func);
		assert_string_equal(symbol->module, "[vdso]");
	}
	pgf_symbols_free(symbols);
}

/* Changes what this process sees below /usr/lib/debug: runs in a child of its own. */
static int find_by_debug_file(const struct program *program)
{
	struct pgf_symbols *symbols;
	const struct pgf_symbol *symbol;
	struct pgf_symbol_query query = program->mapping.query;
	char hex[2 * PGF_BUILD_ID_MAX + 1];
	char command[1024];
	bool good;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/usr/lib/debug", "tmpfs", 0, NULL))
		return 77;
	for (int i = 0; i < program->build_size; i++)
		snprintf(hex + (size_t)i * 2, 3, "%02x", program->build[i]);
	snprintf(command, sizeof(command),
	         "mkdir -p /usr/lib/debug/.build-id/%.2s && objcopy --only-keep-debug %s "
	         "/usr/lib/debug/.build-id/%.2s/%s.debug 2>/dev/null && rm %s",
	         hex, program->path, hex, hex + 2, program->path);
	if (system(command) != 0 || pgf_symbols_new(&symbols))
		return 77;
	pgf_symbols_offline(symbols, 0);
	good = tell_build(symbols, program) == 0;
	symbol = pgf_symbols_find(symbols, &query);
	good = good && symbol->func && !strcmp(symbol->func, "known_place") && symbol->exact &&
	       symbol->line == (uint32_t)program->place.line;
	pgf_symbols_free(symbols);
	return good ? 0 : 1;
}

static void test_build_by_debug_file(void **state)
{
	struct program program = {.build_size = 0};
	struct mapping own;
	int status = -1;
	pid_t pid;

	make_program(&program);
	/* As the loader maps it: the code's segment by itself. */
	find_mapping(program.place.ip, &own);
	program.mapping.query.start = own.query.start;
	program.mapping.query.end = own.query.end;
	program.mapping.query.pgoff = own.query.pgoff;
	program.mapping.query.ip = program.place.ip;
	pid = program.build_size > 0 && geteuid() == 0 ? fork() : -1;
	if (pid == 0)
		_exit(find_by_debug_file(&program));
	if (pid > 0)
		assert_int_equal(waitpid(pid, &status, 0), pid);
	drop_program(&program);
	if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 77))
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_preset),
	        cmocka_unit_test(test_preset_many),
	        cmocka_unit_test(test_build_wins_over_inode),
	        cmocka_unit_test(test_offline_file),
	        cmocka_unit_test(test_offline_looks_at_nobody),
	        cmocka_unit_test(test_build_by_debug_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
