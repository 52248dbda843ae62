/* SPDX-License-Identifier: BSD-2-Clause */
/* Code whose function and line are known, and files that hold it. */
#ifndef PGF_TEST_SYMBOL_FIXTURE_H
#define PGF_TEST_SYMBOL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/symbol.h"

#define NAME_MAX_ 4096

/* Code whose function and line are known. */

struct place {
	uint64_t ip;
	int line;
	int call_line; /* where it was inlined */
};

static __attribute__((noinline)) uint64_t return_address(void)
{
	__asm__ volatile("");
	/* The last byte of the call: still on its line. */
	return (uint64_t)__builtin_return_address(0) - 1;
}

static __attribute__((noinline)) void known_place(struct place *place)
{
	place->line = __LINE__ + 1;
	place->ip = return_address();
	__asm__ volatile("" ::: "memory");
}

/* The kernel's word on what maps an address. */

struct mapping {
	struct pgf_symbol_query query;
	char name[NAME_MAX_];
};

static inline void find_mapping(uint64_t ip, struct mapping *mapping)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[NAME_MAX_ + 128];
	bool found = false;

	assert_non_null(maps);
	memset(mapping, 0, sizeof(*mapping));
	while (!found && fgets(line, sizeof(line), maps)) {
		unsigned int major_number;
		unsigned int minor_number;
		int at = 0;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64 " %n",
		           &mapping->query.start, &mapping->query.end, &mapping->query.pgoff,
		           &major_number, &minor_number, &mapping->query.ino, &at) < 6)
			continue;
		found = ip >= mapping->query.start && ip < mapping->query.end;
		line[strcspn(line, "\n")] = '\0';
		snprintf(mapping->name, sizeof(mapping->name), "%s", line + at);
		mapping->query.dev = major_number << 20 | minor_number;
	}
	fclose(maps);
	assert_true(found);
	mapping->query.ip = ip;
	mapping->query.pid = (uint32_t)getpid();
	mapping->query.path = mapping->name;
}

static inline struct pgf_symbols *open_symbols(void)
{
	struct pgf_symbols *symbols;

	assert_int_equal(pgf_symbols_new(&symbols), 0);
	return symbols;
}

static inline const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static inline void assert_known_place(const struct pgf_symbol *symbol, const struct place *place)
{
	assert_non_null(symbol->func);
	assert_string_equal(symbol->func, "known_place");
	assert_non_null(symbol->file);
	assert_string_equal(last_part(symbol->file), last_part(__FILE__));
	assert_int_equal(symbol->line, place->line);
}

/* Files. */

static inline void make_directory(char path[64])
{
	strcpy(path, "/tmp/pgf-symbol-XXXXXX");
	assert_non_null(mkdtemp(path));
}

static inline void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char buf[65536];
	ssize_t got;

	assert_true(in >= 0 && out >= 0);
	while ((got = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)got), got);
	close(in);
	assert_int_equal(close(out), 0);
}

/* Maps a whole file in one piece, as executable. */
static inline char *map_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *at;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	at = mmap(NULL, *size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	close(fd);
	return at;
}

/* Where in its file the code of a place lies. */
static inline uint64_t file_offset(const struct place *place)
{
	struct mapping own;

	find_mapping(place->ip, &own);
	return place->ip - own.query.start + own.query.pgoff;
}

/* JIT maps. */

static inline void write_jit_map(char path[64], pid_t pid)
{
	FILE *map;
	int fd;

	snprintf(path, 64, "/tmp/perf-%d.map", pid);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	map = fdopen(fd, "w");
	fputs("10000000 100 first(int, char)\n"
	      "10000200 40 old\n"
	      "not a line\n"
	      "10000200 40 new name\x1b[31m\n"
	      "10000300 40 half",
	      map);
	fclose(map);
}

#endif /* PGF_TEST_SYMBOL_FIXTURE_H */
