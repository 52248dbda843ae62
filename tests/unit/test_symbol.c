/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for code addresses, checked against this very program and the kernel's own lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "symbol/demangle.h"
#include "symbol_fixture.h"

/* Tests. */

static inline __attribute__((always_inline)) void inlined_place(struct place *place)
{
	place->line = __LINE__ + 1;
	place->ip = return_address();
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void caller_of_inlined(struct place *place)
{
	place->call_line = __LINE__ + 1;
	inlined_place(place);
	__asm__ volatile("" ::: "memory");
}

static void test_own_function(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	const struct pgf_symbol *symbol;
	struct mapping mapping;
	struct place place;
	char text[128];
	char expected[128];

	known_place(&place);
	find_mapping(place.ip, &mapping);
	symbol = pgf_symbols_find(symbols, &mapping.query);
	assert_known_place(symbol, &place);
	assert_true(symbol->exact);
	assert_int_equal(symbol->inline_count, 0);
	assert_int_equal(symbol->offset, place.ip - (uint64_t)known_place);
	assert_string_equal(symbol->path, mapping.name);
	assert_string_equal(symbol->module, last_part(mapping.name));
	/* The second time it comes out of the cache. */
	assert_ptr_equal(pgf_symbols_find(symbols, &mapping.query), symbol);
	pgf_symbol_text(symbol, text, sizeof(text));
	snprintf(expected, sizeof(expected), "known_place+0x%" PRIx64, symbol->offset);
	assert_string_equal(text, expected);
	pgf_symbols_free(symbols);
}

static void test_inlined_function(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	const struct pgf_symbol *symbol;
	struct mapping mapping;
	struct place place;

	caller_of_inlined(&place);
	find_mapping(place.ip, &mapping);
	symbol = pgf_symbols_find(symbols, &mapping.query);
	assert_string_equal(symbol->func, "caller_of_inlined");
	assert_int_equal(symbol->line, place.line);
	assert_int_equal(symbol->inline_count, 1);
	assert_string_equal(symbol->inlines[0].func, "inlined_place");
	assert_int_equal(symbol->inlines[0].line, place.call_line);
	pgf_symbols_free(symbols);
}

static void test_libc_function(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	const struct pgf_symbol *symbol;
	struct mapping mapping;
	void *address = dlsym(RTLD_DEFAULT, "getppid");

	assert_non_null(address);
	find_mapping((uint64_t)address, &mapping);
	symbol = pgf_symbols_find(symbols, &mapping.query);
	assert_non_null(symbol->func);
	/* With debug symbols installed an alias may be found. */
	assert_non_null(strstr(symbol->func, "getppid"));
	assert_int_equal(symbol->offset, 0);
	assert_int_equal(strncmp(symbol->module, "libc", 4), 0);
	pgf_symbols_free(symbols);
}

static void test_vdso(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	void *vdso = dlopen("linux-vdso.so.1", RTLD_NOLOAD | RTLD_LAZY);
	void *address = vdso ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
	const struct pgf_symbol *symbol;
	struct mapping mapping;

	if (!address) {
		pgf_symbols_free(symbols);
		skip();
	}
	find_mapping((uint64_t)address, &mapping);
	assert_string_equal(mapping.name, "[vdso]");
	symbol = pgf_symbols_find(symbols, &mapping.query);
	assert_string_equal(symbol->module, "[vdso]");
	assert_non_null(symbol->func);
	assert_non_null(strstr(symbol->func, "clock_gettime"));
	pgf_symbols_free(symbols);
}

static void test_kernel(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	struct pgf_symbol_query query = {.ip = 0xffffffff81000010ull};
	const struct pgf_symbol *symbol;
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512];
	char name[256] = "";
	uint64_t address = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		uint64_t at;
		char type;
		char found[256];

		if (sscanf(line, "%" SCNx64 " %c %255s", &at, &type, found) == 3 && type == 'T' &&
		    strcmp(found, "handle_mm_fault") == 0) {
			address = at;
			strcpy(name, found);
		}
	}
	fclose(file);
	if (address)
		query.ip = address + 4;
	symbol = pgf_symbols_find(symbols, &query);
	assert_string_equal(symbol->module, "[kernel]");
	if (address) {
		assert_string_equal(symbol->func, name);
		assert_int_equal(symbol->offset, 4);
	} else {
		assert_null(symbol->func);
		assert_int_equal(symbol->offset, query.ip);
	}
	pgf_symbols_free(symbols);
}

static void test_deleted_file(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	char directory[64];
	char path[128];
	struct mapping mapping;
	struct place place;
	uint64_t offset;
	size_t size;
	char *at;

	if (geteuid() != 0) {
		/* /proc/PID/map_files needs CAP_CHECKPOINT_RESTORE. */
		pgf_symbols_free(symbols);
		skip();
	}
	known_place(&place);
	offset = file_offset(&place);
	make_directory(directory);
	snprintf(path, sizeof(path), "%s/program", directory);
	copy_file("/proc/self/exe", path);
	at = map_file(path, &size);
	unlink(path);
	find_mapping((uint64_t)at + offset, &mapping);
	assert_non_null(strstr(mapping.name, " (deleted)"));
	assert_known_place(pgf_symbols_find(symbols, &mapping.query), &place);
	munmap(at, size);
	rmdir(directory);
	pgf_symbols_free(symbols);
}

/* Another file under the name of the mapped one must not lend it its names. */
static void test_replaced_file(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	const struct pgf_symbol *symbol;
	char directory[64];
	char path[128];
	struct mapping mapping;
	struct place place;
	uint64_t offset;
	size_t size;
	char *at;

	known_place(&place);
	offset = file_offset(&place);
	make_directory(directory);
	snprintf(path, sizeof(path), "%s/program", directory);
	copy_file("/proc/self/exe", path);
	at = map_file(path, &size);
	find_mapping((uint64_t)at + offset, &mapping);
	munmap(at, size);
	/* The old inode must stay taken, or the new file may get its number. */
	snprintf(mapping.name, sizeof(mapping.name), "%s", path);
	rename(path, strcat(strcpy((char[160]){0}, path), ".old"));
	copy_file("/proc/self/exe", path);
	mapping.query.pid = 0;
	symbol = pgf_symbols_find(symbols, &mapping.query);
	assert_null(symbol->func);
	assert_false(symbol->exact);
	assert_string_equal(symbol->module, "program");
	assert_int_equal(symbol->offset, offset);
	unlink(path);
	unlink(strcat(path, ".old"));
	rmdir(directory);
	pgf_symbols_free(symbols);
}

static void test_separate_debug_file(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	const struct pgf_symbol *symbol;
	char directory[64];
	char command[1024];
	char path[128];
	struct mapping mapping;
	struct place place;
	uint64_t offset;
	size_t size;
	char *at;

	known_place(&place);
	offset = file_offset(&place);
	make_directory(directory);
	snprintf(path, sizeof(path), "%s/program", directory);
	copy_file("/proc/self/exe", path);
	snprintf(command, sizeof(command),
	         "cd %s && objcopy --only-keep-debug program program.debug 2>/dev/null && "
	         "objcopy --strip-all --remove-section=.note.gnu.build-id "
	         "--add-gnu-debuglink=program.debug program 2>/dev/null",
	         directory);
	if (system(command) != 0) {
		pgf_symbols_free(symbols);
		skip();
	}
	at = map_file(path, &size);
	find_mapping((uint64_t)at + offset, &mapping);
	symbol = pgf_symbols_find(symbols, &mapping.query);
	assert_known_place(symbol, &place);
	munmap(at, size);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
	pgf_symbols_free(symbols);
}

/* JIT maps. */

static void test_jit(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	struct pgf_symbol_query query = {.pid = (uint32_t)getpid()};
	const struct pgf_symbol *symbol;
	char path[64];

	write_jit_map(path, getpid());
	query.ip = 0x10000012;
	symbol = pgf_symbols_find(symbols, &query);
	assert_string_equal(symbol->func, "first(int, char)");
	assert_int_equal(symbol->offset, 0x12);
	assert_string_equal(symbol->module, "[jit]");
	query.ip = 0x10000210;
	assert_string_equal(pgf_symbols_find(symbols, &query)->func, "new name\x1b[31m");
	/* Beyond a range, and in a line that is not finished. */
	query.ip = 0x10000100;
	assert_null(pgf_symbols_find(symbols, &query)->func);
	query.ip = 0x10000310;
	assert_null(pgf_symbols_find(symbols, &query)->func);
	unlink(path);
	pgf_symbols_free(symbols);
}

static void assert_no_jit(pid_t pid)
{
	struct pgf_symbols *symbols = open_symbols();
	struct pgf_symbol_query query = {.pid = (uint32_t)pid, .ip = 0x10000012};
	const struct pgf_symbol *symbol = pgf_symbols_find(symbols, &query);

	assert_null(symbol->func);
	assert_int_equal(symbol->offset, query.ip);
	pgf_symbols_free(symbols);
}

static void test_jit_of_others(void **state)
{
	char path[64];
	char real[80];

	write_jit_map(path, getpid());
	snprintf(real, sizeof(real), "%s.real", path);
	assert_int_equal(rename(path, real), 0);
	assert_int_equal(symlink(real, path), 0);
	assert_no_jit(getpid());
	unlink(path);
	unlink(real);
	if (geteuid() != 0)
		return;
	write_jit_map(path, getpid());
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_no_jit(getpid());
	unlink(path);
}

/* The map of a process that was held stays readable after its end. */
static void test_jit_of_the_dead(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	struct pgf_symbol_query query = {.ip = 0x10000012};
	char path[64];
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		pause();
		_exit(0);
	}
	write_jit_map(path, pid);
	if (geteuid() == 0)
		assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(pgf_symbols_hold(symbols, (uint32_t)pid), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(pgf_symbols_hold(symbols, (uint32_t)pid), 0);
	query.pid = (uint32_t)pid;
	assert_string_equal(pgf_symbols_find(symbols, &query)->func, "first(int, char)");
	unlink(path);
	pgf_symbols_free(symbols);
}

static void test_unknown(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	struct pgf_symbol_query query = {.ip = 0x1234};
	const struct pgf_symbol *symbol = pgf_symbols_find(symbols, &query);
	char text[32];

	assert_null(symbol->func);
	assert_null(symbol->file);
	assert_string_equal(symbol->module, "?");
	pgf_symbol_text(symbol, text, sizeof(text));
	assert_string_equal(text, "0x1234");
	pgf_symbols_free(symbols);
	pgf_symbols_free(NULL);
}

/* Hostile files. */

static void test_pipe_does_not_block(void **state)
{
	struct pgf_symbols *symbols = open_symbols();
	char directory[64];
	char path[128];
	struct pgf_symbol_query query = {
	        .ip = 0x1000, .start = 0x1000, .end = 0x2000, .path = path};

	make_directory(directory);
	snprintf(path, sizeof(path), "%s/pipe", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	assert_null(pgf_symbols_find(symbols, &query)->func);
	alarm(0);
	unlink(path);
	rmdir(directory);
	pgf_symbols_free(symbols);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Broken copies of this program: in a child, where a crash is seen. */
static void lookup_broken(const char *path, const struct place *place, uint64_t offset)
{
	struct pgf_symbols *symbols = open_symbols();
	struct pgf_symbol_query query = {
	        .start = 0x10000, .end = 0x10000000, .path = path, .ip = 0x10000 + offset};
	int i;

	for (i = 0; i < 8; i++) {
		pgf_symbols_find(symbols, &query);
		query.ip += 97;
	}
	pgf_symbols_free(symbols);
}

static void break_file(char *bytes, size_t size, uint32_t *seed, int round)
{
	int changes = 1 + round % 24;
	const Elf64_Ehdr *ehdr = (const void *)bytes;

	while (changes-- > 0) {
		size_t at = next_random(seed) % size;

		/* Headers and tables are where a reader trusts a file. */
		if (round % 3 == 0)
			at = next_random(seed) % 2048;
		else if (round % 3 == 1 && ehdr->e_shoff < size)
			at = ehdr->e_shoff + next_random(seed) % (size - ehdr->e_shoff);
		bytes[at] = (char)next_random(seed);
	}
}

static void test_broken_files(void **state)
{
	char directory[64];
	char path[128];
	struct place place;
	uint64_t offset;
	uint32_t seed = 23;
	int round;
	size_t size;
	char *whole;
	char *bytes;

	known_place(&place);
	offset = file_offset(&place);
	whole = map_file("/proc/self/exe", &size);
	bytes = malloc(size);
	assert_non_null(bytes);
	make_directory(directory);
	snprintf(path, sizeof(path), "%s/broken", directory);
	for (round = 0; round < 200; round++) {
		size_t length = round % 7 == 6 ? size / 2 + next_random(&seed) % (size / 2) : size;
		FILE *file = fopen(path, "we");
		int status;
		pid_t pid;

		memcpy(bytes, whole, size);
		break_file(bytes, size, &seed, round);
		assert_non_null(file);
		assert_int_equal(fwrite(bytes, 1, length, file), length);
		fclose(file);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			alarm(20);
			lookup_broken(path, &place, offset);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	unlink(path);
	rmdir(directory);
	free(bytes);
	munmap(whole, size);
}

/* Build ids: the one in memory against the one in the file. */

struct note {
	const uint8_t *build;
	size_t size;
};

static int find_note(struct dl_phdr_info *info, size_t size, void *data)
{
	struct note *note = data;
	int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		const char *at = (const char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		const char *end = at + info->dlpi_phdr[i].p_memsz;

		if (info->dlpi_phdr[i].p_type != PT_NOTE)
			continue;
		while (at + sizeof(ElfW(Nhdr)) < end) {
			const ElfW(Nhdr) *header = (const void *)at;
			const char *name = at + sizeof(*header);
			const char *desc = name + ((header->n_namesz + 3) & ~3u);

			if (header->n_type == NT_GNU_BUILD_ID && strcmp(name, "GNU") == 0) {
				note->build = (const uint8_t *)desc;
				note->size = header->n_descsz;
				return 1;
			}
			at = desc + ((header->n_descsz + 3) & ~3u);
		}
	}
	return 1; /* the first object is the program */
}

static void test_build_id(void **state)
{
	struct note note = {0};
	uint8_t found[PGF_BUILD_ID_MAX];

	dl_iterate_phdr(find_note, &note);
	if (!note.build) {
		assert_int_equal(pgf_build_id_path("/proc/self/exe", found, sizeof(found)),
		                 -ENOENT);
		return;
	}
	assert_int_equal(pgf_build_id_path("/proc/self/exe", found, sizeof(found)), note.size);
	assert_memory_equal(found, note.build, note.size);
	assert_int_equal(pgf_build_id_path("/proc/self/exe", found, note.size - 1), -E2BIG);
	assert_int_equal(pgf_build_id_path("/etc/passwd", found, sizeof(found)), -ENOEXEC);
	assert_int_equal(pgf_build_id_path("/nonexistent", found, sizeof(found)), -ENOENT);
}

static void assert_demangled(const char *raw, const char *expected)
{
	char *text = pgf_demangle(raw);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void test_demangle(void **state)
{
	assert_null(pgf_demangle("main"));
	assert_null(pgf_demangle("_Znonsense"));
	assert_null(pgf_demangle(""));
	assert_demangled("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE",
	                 "core::fmt::Formatter::pad");
	assert_demangled("_ZN42_$LT$str$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE",
	                 "<str as core::fmt::Display>::fmt");
	/* Text that doubles with every reference. */
	assert_null(pgf_demangle("_Z1fFvvEFS_S_EFS0_S0_EFS1_S1_EFS2_S2_EFS3_S3_EFS4_S4_EFS5_S5_E"
	                         "FS6_S6_EFS7_S7_EFS8_S8_EFS9_S9_EFSA_SA_EFSB_SB_EFSC_SC_EFSD_SD_E"
	                         "FSE_SE_EFSF_SF_EFSG_SG_EFSH_SH_EFSI_SI_EFSJ_SJ_EFSK_SK_E"));
	if (!dlopen("libstdc++.so.6", RTLD_LAZY) && !dlopen("libc++abi.so.1", RTLD_LAZY))
		return;
	assert_demangled("_ZN3foo3barEi", "foo::bar(int)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_own_function),
	        cmocka_unit_test(test_inlined_function),
	        cmocka_unit_test(test_libc_function),
	        cmocka_unit_test(test_vdso),
	        cmocka_unit_test(test_kernel),
	        cmocka_unit_test(test_deleted_file),
	        cmocka_unit_test(test_replaced_file),
	        cmocka_unit_test(test_separate_debug_file),
	        cmocka_unit_test(test_jit),
	        cmocka_unit_test(test_jit_of_others),
	        cmocka_unit_test(test_jit_of_the_dead),
	        cmocka_unit_test(test_unknown),
	        cmocka_unit_test(test_pipe_does_not_block),
	        cmocka_unit_test(test_broken_files),
	        cmocka_unit_test(test_build_id),
	        cmocka_unit_test(test_demangle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
