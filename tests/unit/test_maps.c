/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of maps and the types of mappings, against what the kernel says of them in
 * other ways: the calls that made them, fstat(2), statfs(2), and PROCMAP_QUERY.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fault/maps.h"
#include "fault/maptype.h"

#define PAGE 4096ul

/* include/uapi/linux/fs.h of Linux 6.11: the same facts in binary, name as it is. */
struct map_query {
	uint64_t size, query_flags, query_addr;
	uint64_t start, end, flags, page_size, offset, inode;
	uint32_t dev_major, dev_minor, name_size, build_id_size;
	uint64_t name_addr, build_id_addr;
};
#define MAP_QUERY     _IOWR('f', 17, struct map_query)
#define QUERY_READ    1u
#define QUERY_WRITE   2u
#define QUERY_EXEC    4u
#define QUERY_SHARED  8u
#define QUERY_OR_NEXT 16u

static int parse(const char *text, struct pgf_map_line *line)
{
	return pgf_maps_parse_line(text, strlen(text), line);
}

/* Text. */

static void lines_are_read(void **ctx)
{
	struct pgf_map_line l;

	assert_int_equal(parse("7f00-7fff00 r-xs 00026000 fe:0a 332835        /lib/libc.so.6", &l),
	                 0);
	assert_true(l.start == 0x7f00 && l.end == 0x7fff00);
	assert_int_equal(l.prot, PROT_READ | PROT_EXEC);
	assert_true(l.shared);
	assert_int_equal(l.pgoff, 0x26000);
	assert_int_equal(l.dev, 0xfe << 20 | 0xa);
	assert_int_equal(l.ino, 332835);
	assert_string_equal(l.name, "/lib/libc.so.6");
	assert_false(l.deleted);

	assert_int_equal(parse("0-1000 ---p 0 0:0 0\n", &l), 0);
	assert_int_equal(l.prot, 0);
	assert_false(l.shared);
	assert_string_equal(l.name, "");
	assert_int_equal(l.name_len, 0);

	/* The kernel writes a blank behind the inode of a mapping without a name. */
	assert_int_equal(parse("0-1000 rw-p 00000000 00:00 0 ", &l), 0);
	assert_string_equal(l.name, "");
	assert_int_equal(parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 "
	                       "                 [vsyscall]",
	                       &l),
	                 0);
	assert_true(l.end == 0xffffffffff601000ull);
	assert_string_equal(l.name, "[vsyscall]");
}

static void names_stay_whole(void **ctx)
{
	static const struct {
		const char *text, *name;
		bool deleted;
	} rows[] = {
	        {"/tmp/two words  three", "/tmp/two words  three", false},
	        {"/tmp/blank at end ", "/tmp/blank at end ", false},
	        {"/tmp/a\\012b", "/tmp/a\nb", false},
	        {"/tmp/a\\01", "/tmp/a\\01", false},
	        {"/tmp/a\\013b\\", "/tmp/a\\013b\\", false},
	        {"/tmp/x (deleted)", "/tmp/x (deleted)", true},
	        {"/tmp/x (deleted) ", "/tmp/x (deleted) ", false},
	        {" (deleted)", "(deleted)", false},
	        {"[anon:my heap (deleted)]", "[anon:my heap (deleted)]", false},
	        {"[stack:1234]", "[stack:1234]", false},
	        {"/tmp/\t\x01\xff", "/tmp/\t\x01\xff", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pgf_map_line l;
		char text[256];

		snprintf(text, sizeof(text), "1000-2000 rw-p 00000000 08:01 77    %s\n",
		         rows[i].text);
		assert_int_equal(parse(text, &l), 0);
		assert_string_equal(l.name, rows[i].name);
		assert_int_equal(l.name_len, strlen(rows[i].name));
		assert_int_equal(l.deleted, rows[i].deleted);
	}
}

static void broken_lines_are_refused(void **ctx)
{
	static const char *const rows[] = {
	        "",
	        "\n",
	        " ",
	        "1000-2000",
	        "1000",
	        "-2000 rw-p 0 0:0 0",
	        "2000-1000 rw-p 0 0:0 0",
	        "0x1000-2000 rw-p 0 0:0 0",
	        "1000-2000  rw-p 0 0:0 0",
	        "1000-2000 rwp 0 0:0 0",
	        "1000-2000 wr-p 0 0:0 0",
	        "1000-2000 rw-x 0 0:0 0",
	        "1000-2000 rw-p",
	        "1000-2000 rw-p 0 0:0",
	        "1000-2000 rw-p 0 00 0",
	        "1000-2000 rw-p 0 1000:0 0",
	        "1000-2000 rw-p 0 0:100000 0",
	        "1000-2000 rw-p 0 0:0 x",
	        "1000-2000 rw-p 0 0:0 12/name",
	        "1000-2000 rw-p 0 0:0 18446744073709551616",
	        "1000-10000000000000000 rw-p 0 0:0 0",
	        "-1-2 rw-p 0 0:0 0",
	};
	struct pgf_map_line l;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i], &l) != -EINVAL)
			fail_msg("accepted: %s", rows[i]);
	}
	assert_int_equal(pgf_maps_parse_line("0-1 rw-p 0 0:0 0 /a\0b", 21, &l), -EINVAL);
}

static void long_names_have_an_end(void **ctx)
{
	const char head[] = "1000-2000 rw-p 0 0:0 1 ";
	size_t room = sizeof(head) + PGF_MAPS_NAME + 8, len;
	char *text = malloc(room);
	struct pgf_map_line l;

	assert_non_null(text);
	memcpy(text, head, sizeof(head));
	len = sizeof(head) - 1;
	memset(text + len, '/', PGF_MAPS_NAME);
	assert_int_equal(pgf_maps_parse_line(text, len + PGF_MAPS_NAME - 1, &l), 0);
	assert_int_equal(l.name_len, PGF_MAPS_NAME - 1);
	assert_int_equal(pgf_maps_parse_line(text, len + PGF_MAPS_NAME, &l), -EINVAL);
	free(text);
}

/* The kernel. */

struct lines {
	struct pgf_map_line *at;
	size_t count;
};

static int keep_line(void *ctx, const struct pgf_map_line *line)
{
	struct lines *lines = ctx;

	lines->at[lines->count++] = *line;
	return lines->count == 1024 ? -ENOSPC : 0;
}

/* The array is there before the maps are read, so that reading changes nothing. */
static void lines_read(struct lines *lines)
{
	lines->count = 0;
	assert_int_equal(pgf_maps_read_pid((uint32_t)getpid(), keep_line, lines), 0);
}

static const struct pgf_map_line *line_at(const struct lines *lines, const void *address)
{
	for (size_t i = 0; i < lines->count; i++) {
		if (lines->at[i].start <= (uintptr_t)address &&
		    (uintptr_t)address < lines->at[i].end)
			return &lines->at[i];
	}
	fail_msg("no line covers %p", address);
	return NULL;
}

static int setup(void **ctx)
{
	static struct lines lines;

	lines.at = mmap(NULL, 1024 * sizeof(struct pgf_map_line), PROT_READ | PROT_WRITE,
	                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*ctx = &lines;
	return lines.at == MAP_FAILED ? -1 : 0;
}

static int teardown(void **ctx)
{
	struct lines *lines = *ctx;

	return munmap(lines->at, 1024 * sizeof(struct pgf_map_line));
}

static void same_as_the_query(void **ctx)
{
	struct lines *lines = *ctx;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	struct map_query probe = {.size = sizeof(probe), .query_flags = QUERY_OR_NEXT};
	static char name[8192];
	size_t checked = 0;

	assert_true(fd >= 0);
	if (ioctl(fd, MAP_QUERY, &probe) < 0) {
		close(fd);
		print_message("PROCMAP_QUERY: %s: Linux 6.11 or later has it\n", strerror(errno));
		skip();
	}
	lines_read(lines);
	for (size_t i = 0; i < lines->count; i++) {
		const struct pgf_map_line *l = &lines->at[i];
		struct map_query q = {.size = sizeof(q),
		                      .query_addr = l->start,
		                      .name_addr = (uintptr_t)name,
		                      .name_size = sizeof(name)};

		if (!strcmp(l->name, "[vsyscall]"))
			continue; /* no VMA of the process's own */
		name[0] = '\0';
		assert_int_equal(ioctl(fd, MAP_QUERY, &q), 0);
		assert_true(q.start == l->start && q.end == l->end);
		assert_true(q.offset == l->pgoff && q.inode == l->ino);
		assert_int_equal(q.dev_major << 20 | q.dev_minor, l->dev);
		assert_int_equal(!!(q.flags & QUERY_READ), !!(l->prot & PROT_READ));
		assert_int_equal(!!(q.flags & QUERY_WRITE), !!(l->prot & PROT_WRITE));
		assert_int_equal(!!(q.flags & QUERY_EXEC), !!(l->prot & PROT_EXEC));
		assert_int_equal(!!(q.flags & QUERY_SHARED), l->shared);
		assert_string_equal(name, l->name);
		checked++;
	}
	assert_true(checked > 10);
	close(fd);
}

/* A file in the directory the tests run in, gone from it again when it has been mapped. */
static int file_make(const char *name)
{
	int fd;

	unlink(name); /* of a run that was cut short */
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(16 * PAGE)), 0);
	return fd;
}

static void assert_is_file(const struct pgf_map_line *l, int fd, uint64_t pgoff)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(l->ino, st.st_ino);
	assert_int_equal(l->dev, major(st.st_dev) << 20 | minor(st.st_dev));
	assert_int_equal(l->pgoff, pgoff);
}

static void files_are_told(void **ctx)
{
	static const char name[] = "maps test\nof two lines";
	struct lines *lines = *ctx;
	const struct pgf_map_line *l;
	char path[4096 + sizeof(name)], cwd[4096];
	int fd = file_make(name);
	void *at = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, (off_t)(3 * PAGE));

	assert_true(at != MAP_FAILED);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(path, sizeof(path), "%s/%s", cwd, name);
	lines_read(lines);
	l = line_at(lines, at);
	assert_true(l->start == (uintptr_t)at && l->end == (uintptr_t)at + 4 * PAGE);
	assert_int_equal(l->prot, PROT_READ);
	assert_true(l->shared);
	assert_false(l->deleted);
	assert_is_file(l, fd, 3 * PAGE);
	assert_string_equal(l->name, path);

	assert_int_equal(unlink(name), 0);
	lines_read(lines);
	l = line_at(lines, at);
	assert_true(l->deleted);
	assert_is_file(l, fd, 3 * PAGE);
	assert_int_equal(l->name_len, strlen(path) + strlen(" (deleted)"));
	munmap(at, 4 * PAGE);
	close(fd);
}

static void children_that_are_gone(void **ctx)
{
	struct lines *lines = *ctx;
	pid_t child = fork();
	siginfo_t info;

	assert_true(child >= 0);
	if (!child)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	lines->count = 0;
	assert_int_equal(pgf_maps_read_pid((uint32_t)child, keep_line, lines), 0);
	assert_int_equal(lines->count, 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(pgf_maps_read_pid((uint32_t)child, keep_line, lines), -ESRCH);
}

static int stop_at_two(void *ctx, const struct pgf_map_line *line)
{
	return ++*(int *)ctx == 2 ? 42 : 0;
}

static void the_reader_can_stop(void **ctx)
{
	int seen = 0;

	assert_int_equal(pgf_maps_read_pid((uint32_t)getpid(), stop_at_two, &seen), 42);
	assert_int_equal(seen, 2);
}

/* A text that comes in small pieces, with a last line that lacks its newline. */
static void pieces_make_lines(void **ctx)
{
	static const char text[] = "1000-2000 rw-p 0 0:0 0 /one\n"
	                           "2000-3000 rw-p 0 0:0 0 /two\n"
	                           "3000-4000 rw-p 0 0:0 0 /three";
	struct lines *lines = *ctx;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			if (write(ends[1], text + i, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	lines->count = 0;
	assert_int_equal(pgf_maps_read(ends[0], keep_line, lines), 0);
	assert_int_equal(lines->count, 3);
	assert_string_equal(lines->at[0].name, "/one");
	assert_string_equal(lines->at[2].name, "/three");
	close(ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Types. */

static enum pgf_map_type type_at(struct lines *lines, const struct pgf_mounts *mounts,
                                 const void *address)
{
	const struct pgf_map_line *l;
	enum pgf_fs fs = PGF_FS_UNKNOWN;

	lines_read(lines);
	l = line_at(lines, address);
	if (mounts)
		pgf_mounts_fs(mounts, l->dev, &fs);
	return pgf_map_type_of(l->name, l->dev, l->ino, l->prot,
	                       l->shared ? MAP_SHARED : MAP_PRIVATE, fs);
}

static void *map_file(const char *path, int prot, int flags)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *at;

	assert_true(fd >= 0);
	at = mmap(NULL, PAGE, prot, flags, fd, 0);
	close(fd);
	assert_true(at != MAP_FAILED);
	return at;
}

static void *map_memfd(unsigned int flags, size_t len)
{
	int fd = memfd_create("a name", MFD_CLOEXEC | flags);
	void *at;

	if (fd < 0)
		return MAP_FAILED;
	at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	close(fd);
	return at;
}

static void memory_without_files(void **ctx)
{
	const int rw = PROT_READ | PROT_WRITE;
	struct lines *lines = *ctx;
	void *anon = mmap(NULL, PAGE, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *shared = mmap(NULL, PAGE, rw, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	void *zero = map_file("/dev/zero", rw, MAP_PRIVATE);
	void *zero_shared = map_file("/dev/zero", rw, MAP_SHARED);
	void *memory = map_memfd(0, PAGE);
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600), on_stack = 0;
	void *sysv = shmat(id, NULL, 0);
	char *heap = sbrk(PAGE);

	assert_int_equal(shmctl(id, IPC_RMID, NULL), 0);
	assert_int_equal(type_at(lines, NULL, anon), PGF_MAP_ANON);
	assert_int_equal(type_at(lines, NULL, shared), PGF_MAP_SHMEM);
	assert_int_equal(type_at(lines, NULL, zero), PGF_MAP_ANON);
	assert_int_equal(type_at(lines, NULL, zero_shared), PGF_MAP_SHMEM);
	assert_int_equal(type_at(lines, NULL, memory), PGF_MAP_SHMEM);
	assert_int_equal(type_at(lines, NULL, sysv), PGF_MAP_SHMEM);
	assert_int_equal(type_at(lines, NULL, &on_stack), PGF_MAP_STACK);
	assert_int_equal(type_at(lines, NULL, heap), PGF_MAP_HEAP);
	munmap(anon, PAGE);
	munmap(shared, PAGE);
	munmap(zero, PAGE);
	munmap(zero_shared, PAGE);
	munmap(memory, PAGE);
	shmdt(sysv);
}

static void huge_pages(void **ctx)
{
	const size_t huge = 2ul << 20;
	struct lines *lines = *ctx;
	struct pgf_mounts *mounts;
	void *anon = mmap(NULL, huge, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	void *memory = map_memfd(MFD_HUGETLB, huge);

	if (anon == MAP_FAILED || memory == MAP_FAILED) {
		print_message("hugetlb: %s: the kernel needs CONFIG_HUGETLBFS\n", strerror(errno));
		skip();
	}
	assert_int_equal(pgf_mounts_new(&mounts), 0);
	assert_int_equal(type_at(lines, NULL, anon), PGF_MAP_HUGETLB);
	assert_int_equal(type_at(lines, mounts, anon), PGF_MAP_HUGETLB);
	/* By its name a memfd may be anything. */
	assert_int_equal(type_at(lines, NULL, memory), PGF_MAP_SHMEM);
	assert_int_equal(type_at(lines, mounts, memory), PGF_MAP_HUGETLB);
	pgf_mounts_free(mounts);
	munmap(anon, huge);
	munmap(memory, huge);
}

/* What statfs(2) says of the directory decides what is expected. */
static void assert_dir_type(struct lines *lines, const struct pgf_mounts *mounts, const char *dir)
{
	char path[256];
	struct statfs fs;
	void *at;
	int fd;

	snprintf(path, sizeof(path), "%s/pgf-test-maps-XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0)
		return;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(fstatfs(fd, &fs), 0);
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(at != MAP_FAILED);
	assert_int_equal(type_at(lines, mounts, at),
	                 fs.f_type == TMPFS_MAGIC ? PGF_MAP_SHMEM : PGF_MAP_FILE);
	munmap(at, PAGE);
	close(fd);
}

static void files_by_their_mounts(void **ctx)
{
	struct lines *lines = *ctx;
	struct pgf_mounts *mounts;

	assert_int_equal(pgf_mounts_new(&mounts), 0);
	assert_dir_type(lines, mounts, "/tmp");
	assert_dir_type(lines, mounts, "/dev/shm");
	assert_dir_type(lines, mounts, "/run");
	assert_dir_type(lines, mounts, "/var/tmp");
	assert_dir_type(lines, mounts, ".");
	assert_int_equal(type_at(lines, mounts, (void *)(uintptr_t)files_by_their_mounts),
	                 PGF_MAP_FILE);
	pgf_mounts_free(mounts);
}

static void names_and_flags(void **ctx)
{
	static const struct {
		const char *name;
		uint32_t dev, flags;
		uint64_t ino;
		enum pgf_fs fs;
		enum pgf_map_type type;
	} rows[] = {
	        {"//anon", 0, MAP_PRIVATE, 0, 0, PGF_MAP_ANON},
	        {"//anon", 0, MAP_PRIVATE | MAP_HUGETLB, 0, 0, PGF_MAP_HUGETLB},
	        {NULL, 0, MAP_PRIVATE, 0, 0, PGF_MAP_ANON},
	        {"", 0, MAP_SHARED, 0, 0, PGF_MAP_UNKNOWN},
	        {"", 0, MAP_SHARED | MAP_ANONYMOUS, 0, 0, PGF_MAP_SHMEM},
	        {"[anon:scudo]", 0, MAP_PRIVATE, 0, 0, PGF_MAP_ANON},
	        {"[anon_shmem:x]", 1, MAP_SHARED, 9, 0, PGF_MAP_SHMEM},
	        {"[stack:77]", 0, MAP_PRIVATE, 0, 0, PGF_MAP_STACK},
	        {"[vdso]", 0, MAP_PRIVATE, 0, 0, PGF_MAP_SPECIAL},
	        {"[vvar]", 0, MAP_PRIVATE, 0, 0, PGF_MAP_SPECIAL},
	        {"[vsyscall]", 0, MAP_PRIVATE, 0, 0, PGF_MAP_SPECIAL},
	        {"[uprobes]", 0, MAP_PRIVATE, 0, 0, PGF_MAP_SPECIAL},
	        {"/dev/dri/card0", 6, MAP_SHARED, 5, PGF_FS_DEVICE, PGF_MAP_DEVICE},
	        {"/dev/nvidia0", 6, MAP_SHARED, 5, 0, PGF_MAP_DEVICE},
	        {"/dev/shm/x", 25, MAP_SHARED, 5, 0, PGF_MAP_SHMEM},
	        {"/dev/hugepages/x", 25, MAP_SHARED, 5, 0, PGF_MAP_HUGETLB},
	        {"/mnt/huge/x (deleted)", 25, MAP_SHARED, 5, PGF_FS_HUGETLB, PGF_MAP_HUGETLB},
	        {"anon_inode:kvm-vcpu:0", 15, MAP_SHARED, 5, 0, PGF_MAP_DEVICE},
	        {"socket:[123]", 8, MAP_SHARED, 5, 0, PGF_MAP_DEVICE},
	        {"/pmem/db", 25, MAP_SHARED, 5, PGF_FS_DAX, PGF_MAP_DEVICE},
	        {"/pmem/db", 25, MAP_SHARED, 5, PGF_FS_MAYBE_DAX, PGF_MAP_FILE},
	        /* A program chooses this name, but not the file system. */
	        {"/home/u/[heap]", 25, MAP_PRIVATE, 5, PGF_FS_DISK, PGF_MAP_FILE},
	        {"/memfd:x (deleted)", 25, MAP_PRIVATE, 5, PGF_FS_DISK, PGF_MAP_FILE},
	        {"/home/u/dev/zero", 25, MAP_PRIVATE, 5, 0, PGF_MAP_FILE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(pgf_map_type_of(rows[i].name, rows[i].dev, rows[i].ino, PROT_READ,
		                                 rows[i].flags, rows[i].fs),
		                 rows[i].type);
}

static int text_fd(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void mountinfo_text(void **ctx)
{
	static const char text[] =
	        "22 27 900:21 / /a rw,dax shared:5 - ext4 /dev/vda rw,discard\n"
	        "23 27 901:0 / /b\\040c rw - ext4 /dev/pmem0 rw,dax=always\n"
	        "24 27 902:0 / /d rw master:1 propagate_from:2 - xfs /dev/pmem1 rw,attr2\n"
	        "25 27 903:0 / /e rw - xfs /dev/pmem2 rw,dax=never\n"
	        "26 27 904:0 / /f rw - virtiofs tag rw\n"
	        "27 27 905:0 / /g rw - tmpfs  rw,size=4k\n"
	        "28 27 906:0 / /h rw - hugetlbfs none rw,pagesize=2M\n"
	        "29 27 907:1048575 / /i rw - overlay overlay rw,lowerdir=/x,dax2\n";
	static const struct {
		uint32_t dev;
		enum pgf_fs fs;
	} rows[] = {
	        {900u << 20 | 21, PGF_FS_DISK}, {901u << 20, PGF_FS_DAX},
	        {902u << 20, PGF_FS_MAYBE_DAX}, {903u << 20, PGF_FS_DISK},
	        {904u << 20, PGF_FS_MAYBE_DAX}, {905u << 20, PGF_FS_SHMEM},
	        {906u << 20, PGF_FS_HUGETLB},   {907u << 20 | 1048575, PGF_FS_FILE},
	};
	struct pgf_mounts *mounts;
	enum pgf_fs fs;
	int fd = text_fd(text);

	assert_int_equal(pgf_mounts_new(&mounts), 0);
	assert_int_equal(pgf_mounts_add(mounts, fd), 0);
	close(fd);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(pgf_mounts_fs(mounts, rows[i].dev, &fs));
		assert_int_equal(fs, rows[i].fs);
	}
	assert_false(pgf_mounts_fs(mounts, 999u << 20, &fs));
	fd = text_fd("22 27 900 / /a rw - ext4 /dev/vda rw\n");
	assert_int_equal(pgf_mounts_add(mounts, fd), -EINVAL);
	close(fd);
	fd = text_fd("22 27 900:0 / /a rw ext4 /dev/vda rw\n");
	assert_int_equal(pgf_mounts_add(mounts, fd), -EINVAL);
	close(fd);
	pgf_mounts_free(mounts);
	pgf_mounts_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lines_are_read),
	        cmocka_unit_test(names_stay_whole),
	        cmocka_unit_test(broken_lines_are_refused),
	        cmocka_unit_test(long_names_have_an_end),
	        cmocka_unit_test(same_as_the_query),
	        cmocka_unit_test(files_are_told),
	        cmocka_unit_test(children_that_are_gone),
	        cmocka_unit_test(the_reader_can_stop),
	        cmocka_unit_test(pieces_make_lines),
	        cmocka_unit_test(memory_without_files),
	        cmocka_unit_test(huge_pages),
	        cmocka_unit_test(files_by_their_mounts),
	        cmocka_unit_test(names_and_flags),
	        cmocka_unit_test(mountinfo_text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
