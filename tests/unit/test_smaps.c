/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser of smaps: texts, and entries that the kernel writes after known calls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fault/smaps.h"

#define PAGE 4096ul

static int field(const char *text, struct pgf_smaps *smaps)
{
	return pgf_smaps_parse_field(text, strlen(text), smaps);
}

static void fields_are_read(void **ctx)
{
	struct pgf_smaps s;

	pgf_smaps_clear(&s);
	assert_int_equal(s.pkey, -1);
	assert_int_equal(s.thp_eligible, -1);
	assert_int_equal(field("Rss:                1340 kB\n", &s), 0);
	assert_int_equal(field("Swap: 0 kB", &s), 0);
	assert_int_equal(field("THPeligible:           1", &s), 0);
	assert_int_equal(field("ProtectionKey:         5\n", &s), 0);
	assert_int_equal(field("VmFlags: rd wr mr mw me ac sd \n", &s), 0);
	assert_int_equal(s.bytes[PGF_SMAPS_RSS], 1340 * 1024);
	assert_int_equal(s.known, 1ull << PGF_SMAPS_RSS | 1ull << PGF_SMAPS_SWAP);
	assert_int_equal(s.thp_eligible, 1);
	assert_int_equal(s.pkey, 5);
	assert_true(s.vma_known);
	assert_int_equal(s.vma, PGF_VMA_RD | PGF_VMA_WR | PGF_VMA_MR | PGF_VMA_MW | PGF_VMA_ME |
	                                PGF_VMA_AC | PGF_VMA_SD);
	assert_int_equal(s.unknown, 0);
}

static void later_kernels_are_counted(void **ctx)
{
	struct pgf_smaps s;

	pgf_smaps_clear(&s);
	assert_int_equal(field("Telepathic:   12 kB", &s), 0);
	assert_int_equal(field("Mood: good", &s), 0);
	assert_int_equal(field("VmFlags: rd zz ?? rdwr", &s), 0);
	assert_int_equal(s.unknown, 2);
	assert_int_equal(s.unknown_vma, 3);
	assert_int_equal(s.vma, PGF_VMA_RD);
	assert_int_equal(s.known, 0);
}

static void broken_fields_are_refused(void **ctx)
{
	static const char *const rows[] = {
	        "",
	        "Rss",
	        ": 1 kB",
	        "Rss: kB",
	        "Rss: 1",
	        "Rss: 1 MB",
	        "Rss: 1 kB x",
	        "Rss: -1 kB",
	        "Rss: 18014398509481984 kB",
	        "Rss: 18446744073709551616 kB",
	        "THPeligible: 2",
	        "THPeligible: 1 kB",
	        "ProtectionKey: 2147483648",
	        "R ss: 1 kB",
	};
	struct pgf_smaps s;

	pgf_smaps_clear(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (field(rows[i], &s) != -EINVAL)
			fail_msg("accepted: %s", rows[i]);
	}
	assert_int_equal(s.known, 0);
	assert_int_equal(field("Rss: 18014398509481983 kB", &s), 0);
	assert_true(s.bytes[PGF_SMAPS_RSS] == 18014398509481983ull * 1024);
}

/* Each pair of letters sets a bit of its own, and is written for this bit. */
static void letters_go_both_ways(void **ctx)
{
	static const char all[] = "rd wr ex sh mr mw me ms gd pf dw lo io sr rr dc de ac nr ht sf "
	                          "nl ar wf dd sd mm hg nh mg um uw ui mp ss sl dp lf bt mt gu";
	char text[256], line[256];
	struct pgf_smaps s;

	pgf_smaps_clear(&s);
	snprintf(line, sizeof(line), "VmFlags: %s", all);
	assert_int_equal(field(line, &s), 0);
	assert_int_equal(s.unknown_vma, 0);
	assert_true(s.vma == (1ull << PGF_VMA_COUNT) - 1);
	assert_int_equal(pgf_vma_text(s.vma, text, sizeof(text)), (int)sizeof(all) - 1);
	assert_string_equal(text, all);
	assert_int_equal(pgf_vma_text(PGF_VMA_GD | PGF_VMA_UI, text, sizeof(text)), 5);
	assert_string_equal(text, "gd ui");
	assert_int_equal(pgf_vma_text(PGF_VMA_HT | PGF_VMA_UM, text, 4), 5);
	assert_true(strlen(text) < 4);
	assert_int_equal(pgf_vma_text(0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(pgf_vma_text(PGF_VMA_RD, NULL, 0), 2);
}

static void field_names_end(void **ctx)
{
	for (unsigned int i = 0; i < PGF_SMAPS_FIELD_COUNT; i++)
		assert_non_null(pgf_smaps_field_name(i));
	assert_null(pgf_smaps_field_name(PGF_SMAPS_FIELD_COUNT));
	assert_string_equal(pgf_smaps_field_name(PGF_SMAPS_SWAP_PSS), "SwapPss");
}

/* The kernel. */

struct wanted {
	uintptr_t address;
	bool found;
	size_t entries;
	struct pgf_map_line line;
	struct pgf_smaps smaps;
};

static int note(void *ctx, const struct pgf_map_line *line, const struct pgf_smaps *smaps)
{
	struct wanted *w = ctx;

	w->entries++;
	if (line->start <= w->address && w->address < line->end) {
		w->line = *line;
		w->smaps = *smaps;
		w->found = true;
	}
	return 0;
}

static void read_at(struct wanted *w, const void *address)
{
	memset(w, 0, sizeof(*w));
	w->address = (uintptr_t)address;
	assert_int_equal(pgf_smaps_read_pid((uint32_t)getpid(), note, w), 0);
	assert_true(w->found);
	/* What this kernel writes is known, but for what later kernels may add. */
	assert_true(w->smaps.vma_known);
	assert_int_equal(w->smaps.bytes[PGF_SMAPS_SIZE], w->line.end - w->line.start);
}

static void *map(size_t pages, int prot, int flags)
{
	void *at = mmap(NULL, pages * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static void resident_pages_are_told(void **ctx)
{
	char *at = map(64, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	struct wanted w;

	/* Apart from its neighbours, so that it has an entry of its own. */
	assert_int_equal(madvise(at, 64 * PAGE, MADV_DONTDUMP), 0);
	assert_int_equal(madvise(at, 64 * PAGE, MADV_NOHUGEPAGE), 0);
	for (int i = 0; i < 23; i++)
		at[(size_t)i * PAGE] = 1;
	read_at(&w, at);
	assert_int_equal(w.smaps.bytes[PGF_SMAPS_RSS], 23 * PAGE);
	assert_int_equal(w.smaps.bytes[PGF_SMAPS_ANONYMOUS], 23 * PAGE);
	assert_int_equal(w.smaps.bytes[PGF_SMAPS_PRIVATE_DIRTY], 23 * PAGE);
	assert_int_equal(w.smaps.bytes[PGF_SMAPS_KERNEL_PAGE_SIZE], PAGE);
	assert_int_equal(w.smaps.bytes[PGF_SMAPS_SHARED_CLEAN], 0);
	assert_true(w.smaps.vma & PGF_VMA_DD);
	assert_true(w.smaps.vma & PGF_VMA_NH);
	assert_int_equal(w.smaps.thp_eligible, 0);
	assert_true(w.entries > 5);
	munmap(at, 64 * PAGE);
}

static void flags_follow_the_calls(void **ctx)
{
	static const struct {
		int advice;
		uint64_t bit;
	} rows[] = {
	        {MADV_SEQUENTIAL, PGF_VMA_SR}, {MADV_RANDOM, PGF_VMA_RR},
	        {MADV_DONTFORK, PGF_VMA_DC},   {MADV_WIPEONFORK, PGF_VMA_WF},
	        {MADV_HUGEPAGE, PGF_VMA_HG},   {MADV_MERGEABLE, PGF_VMA_MG},
	};
	struct wanted w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *at = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);

		read_at(&w, at);
		assert_false(w.smaps.vma & rows[i].bit);
		if (!madvise(at, 4 * PAGE, rows[i].advice)) {
			read_at(&w, at);
			assert_true(w.smaps.vma & rows[i].bit);
		} else {
			assert_int_equal(errno, EINVAL); /* left out of this kernel */
		}
		munmap(at, 4 * PAGE);
	}
}

static void kinds_of_mappings_differ(void **ctx)
{
	const uint64_t usual = PGF_VMA_RD | PGF_VMA_WR | PGF_VMA_MR | PGF_VMA_MW | PGF_VMA_ME;
	char *shared = map(1, PROT_READ | PROT_WRITE, MAP_SHARED);
	char *none = map(1, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
	char *stack = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);
	struct wanted w;

	read_at(&w, shared);
	assert_int_equal(w.smaps.vma & (usual | PGF_VMA_SH | PGF_VMA_MS),
	                 usual | PGF_VMA_SH | PGF_VMA_MS);
	read_at(&w, none);
	assert_int_equal(w.smaps.vma & (PGF_VMA_RD | PGF_VMA_WR | PGF_VMA_EX), 0);
	assert_int_equal(w.line.prot, 0);
	read_at(&w, stack);
	assert_true(w.smaps.vma & PGF_VMA_GD);
	/* The sanitizers make mlock(3) do nothing. */
	assert_int_equal(syscall(SYS_mlock, shared, PAGE), 0);
	read_at(&w, shared);
	assert_true(w.smaps.vma & PGF_VMA_LO);
	assert_int_equal(w.smaps.bytes[PGF_SMAPS_LOCKED], PAGE);
	munmap(shared, PAGE);
	munmap(none, PAGE);
	munmap(stack, 4 * PAGE);
}

static void registrations_are_told(void **ctx)
{
	char *at = map(2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.range = {.start = (uintptr_t)at, .len = 2 * PAGE},
	                              .mode = UFFDIO_REGISTER_MODE_MISSING};
	struct wanted w;
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0) {
		munmap(at, 2 * PAGE);
		print_message("userfaultfd: %s: needs CONFIG_USERFAULTFD\n", strerror(errno));
		skip();
	}
	assert_int_equal(ioctl(fd, UFFDIO_API, &api), 0);
	assert_int_equal(ioctl(fd, UFFDIO_REGISTER, &reg), 0);
	read_at(&w, at);
	assert_int_equal(w.smaps.vma & (PGF_VMA_UM | PGF_VMA_UW | PGF_VMA_UI), PGF_VMA_UM);
	close(fd);
	munmap(at, 2 * PAGE);
}

static void huge_pages_are_told(void **ctx)
{
	const size_t huge = 2ul << 20;
	void *at = mmap(NULL, huge, PROT_READ | PROT_WRITE,
	                MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	struct wanted w;

	if (at == MAP_FAILED) {
		print_message("hugetlb: %s: the kernel needs CONFIG_HUGETLBFS\n", strerror(errno));
		skip();
	}
	read_at(&w, at);
	assert_true(w.smaps.vma & PGF_VMA_HT);
	assert_int_equal(w.smaps.bytes[PGF_SMAPS_KERNEL_PAGE_SIZE], huge);
	munmap(at, huge);
}

/* The sums of all entries are those of smaps_rollup, which the kernel adds up by itself. */
struct sums {
	uint64_t bytes[PGF_SMAPS_FIELD_COUNT];
	size_t entries;
};

static int add(void *ctx, const struct pgf_map_line *line, const struct pgf_smaps *smaps)
{
	struct sums *sums = ctx;

	for (int i = 0; i < PGF_SMAPS_FIELD_COUNT; i++)
		sums->bytes[i] += smaps->bytes[i];
	sums->entries++;
	return 0;
}

static int sums_of(pid_t pid, const char *name, struct sums *sums)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	memset(sums, 0, sizeof(*sums));
	if (fd < 0)
		return -errno;
	ret = pgf_smaps_read(fd, add, sums);
	close(fd);
	return ret;
}

/* Of a child that stands still. What it shares with others may change, so not these. */
static void sums_are_the_rollup(void **ctx)
{
	static const enum pgf_smaps_field steady[] = {
	        PGF_SMAPS_RSS,        PGF_SMAPS_ANONYMOUS, PGF_SMAPS_LAZY_FREE, PGF_SMAPS_ANON_HUGE,
	        PGF_SMAPS_SHMEM_HUGE, PGF_SMAPS_FILE_HUGE, PGF_SMAPS_SWAP,      PGF_SMAPS_LOCKED,
	};
	struct sums entries, rollup;
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(sums_of(child, "smaps", &entries), 0);
	assert_int_equal(sums_of(child, "smaps_rollup", &rollup), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(rollup.entries, 1);
	assert_true(entries.entries > 5);
	for (size_t i = 0; i < sizeof(steady) / sizeof(steady[0]); i++)
		assert_int_equal(entries.bytes[steady[i]], rollup.bytes[steady[i]]);
	assert_true(rollup.bytes[PGF_SMAPS_RSS] > 0);
}

static void orphans_are_refused(void **ctx)
{
	int ends[2];
	struct sums sums = {0};

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "Rss: 1 kB\n", 10), 10);
	close(ends[1]);
	assert_int_equal(pgf_smaps_read(ends[0], add, &sums), -EINVAL);
	assert_int_equal(sums.entries, 0);
	close(ends[0]);
	assert_int_equal(pgf_smaps_read_pid(0x7fffffff, add, &sums), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(fields_are_read),
	        cmocka_unit_test(later_kernels_are_counted),
	        cmocka_unit_test(broken_fields_are_refused),
	        cmocka_unit_test(letters_go_both_ways),
	        cmocka_unit_test(field_names_end),
	        cmocka_unit_test(resident_pages_are_told),
	        cmocka_unit_test(flags_follow_the_calls),
	        cmocka_unit_test(kinds_of_mappings_differ),
	        cmocka_unit_test(registrations_are_told),
	        cmocka_unit_test(huge_pages_are_told),
	        cmocka_unit_test(sums_are_the_rollup),
	        cmocka_unit_test(orphans_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
