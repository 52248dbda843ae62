/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults that end in a signal: counted by perf, never as minor or major. */
#include "gen/trap.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* 6.13 */
#endif

static int segv_maperr(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	gen_trap_expect(r);
	munmap(g.base, g.size);
	gen_trap_run(r, SIGSEGV, SEGV_MAPERR, false, gen_trap_write, g.base, n);
	gen_unmap(&g);
	return 0;
}

static int segv_accerr(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	gen_trap_expect(r);
	mprotect(g.base, g.size, PROT_READ);
	gen_trap_run(r, SIGSEGV, SEGV_ACCERR, false, gen_trap_write, g.base, n);
	gen_unmap(&g);
	return 0;
}

/* As garbage collectors and just-in-time compilers do: the handler lifts the protection. */
static int segv_repair(const struct gen_options *o, struct gen_result *r)
{
	long long n = r->expect;
	struct gen_region g;

	if (gen_map_anon(&g, (size_t)n, r))
		return -ENOMEM;
	gen_expect(r, 2 * n, 0);
	r->expect_sum = n;
	gen_kind(r, "segv-accerr", n);
	gen_kind(r, "anon-new", n);
	mprotect(g.base, g.size, PROT_READ);
	gen_trap_run(r, SIGSEGV, SEGV_ACCERR, true, gen_trap_write, g.base, (size_t)n);
	gen_unmap(&g);
	return 0;
}

static int segv_guard(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	if (madvise(g.base, g.size, MADV_GUARD_INSTALL)) {
		gen_unmap(&g);
		return gen_skip(r, "this kernel has no MADV_GUARD_INSTALL (6.13)");
	}
	gen_trap_expect(r);
	gen_trap_run(r, SIGSEGV, SEGV_MAPERR, false, gen_trap_write, g.base, n);
	gen_unmap(&g);
	return 0;
}

/* x86 maps an absent page before it finds out that it may not be executed. */
static int exec_nx(const struct gen_options *o, struct gen_result *r)
{
#ifdef __x86_64__
	long long n = r->expect;
	struct gen_region g;

	if (gen_map_anon(&g, (size_t)n, r))
		return -ENOMEM;
	gen_expect(r, 2 * n, 0);
	r->expect_sum = n;
	gen_kind(r, "anon-zero", n);
	gen_kind(r, "segv-accerr", n);
	gen_trap_run(r, SIGSEGV, SEGV_ACCERR, false, gen_trap_call, g.base, (size_t)n);
	gen_unmap(&g);
	return 0;
#else
	return gen_skip(r, "built from the rules of x86-64");
#endif
}

static int bus_eof(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;
	int fd = gen_file(o, r, n);
	int err;

	if (fd < 0)
		return fd == GEN_FILE_SKIP ? GEN_SKIP : fd;
	err = gen_map(&g, n * gen_page(), 0, PROT_READ, MAP_SHARED, fd);
	if (!err && ftruncate(fd, 0))
		err = -errno;
	close(fd);
	if (err)
		return gen_fail(r, err, "mmap");
	gen_mark(r, &g);
	gen_trap_expect(r);
	gen_trap_run(r, SIGBUS, BUS_ADRERR, false, gen_trap_read, g.base, n);
	gen_unmap(&g);
	return 0;
}

/* Protection keys. */
static int pkey(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;
	int key = pkey_alloc(0, 0);

	if (key < 0)
		return gen_skip(r, "no protection keys: %s", strerror(errno));
	if (gen_map_anon(&g, n, r)) {
		pkey_free(key);
		return -ENOMEM;
	}
	gen_trap_expect(r);
	pkey_mprotect(g.base, g.size, PROT_READ | PROT_WRITE, key);
	/* The kernel gives a handler its default rights; the loop's are set by the thread. */
	pkey_set(key, PKEY_DISABLE_ACCESS);
	gen_trap_run(r, SIGSEGV, SEGV_PKUERR, false, gen_trap_read, g.base, n);
	pkey_set(key, 0);
	gen_unmap(&g);
	pkey_free(key);
	return 0;
}

/*
 * Reserves what the pool still has to give, so that a mapping without a reservation meets an
 * empty pool. The mapping is never touched. Returns its size, 0 when nothing was left.
 */
static size_t pool_drain(void **at, size_t huge)
{
	size_t left = gen_meminfo("HugePages_Free:") - gen_meminfo("HugePages_Rsvd:");
	size_t size = left * huge;

	if (!size)
		return 0;
	*at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
	           -1, 0);
	return *at == MAP_FAILED ? 0 : size;
}

/* Nothing reserved at mmap: the fault itself finds out that there is no page. */
static int bus_hugetlb(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect, huge = gen_meminfo("Hugepagesize:"), drained;
	struct gen_region g;
	void *drain = NULL;
	int err;

	if (!huge)
		return gen_skip(r, "this kernel has no huge pages");
	err = gen_map(&g, (n * gen_page() + huge - 1) / huge * huge, huge, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1);
	if (err)
		return gen_skip(r, "mmap with MAP_HUGETLB: %s", strerror(-err));
	gen_mark(r, &g);
	gen_trap_expect(r);
	drained = pool_drain(&drain, huge);
	gen_trap_run(r, SIGBUS, BUS_ADRERR, false, gen_trap_write, g.base, n);
	if (drained)
		munmap(drain, drained);
	gen_unmap(&g);
	return 0;
}

const struct gen_workload gen_signal_workloads[] = {
        {"segv-maperr", "segv-maperr", 131, "", segv_maperr},
        {"segv-accerr", "segv-accerr", 137, "", segv_accerr},
        {"segv-repair", "segv-accerr", 139, "", segv_repair},
        {"segv-guard", "segv-maperr", 149, "Linux 6.13", segv_guard},
        {"exec-nx", "segv-accerr", 109, "x86-64", exec_nx},
        {"pkey", "segv-pkuerr", 103, "protection keys", pkey},
        {"bus-eof", "bus-eof", 127, "--dir on a disk file system", bus_eof},
        {"bus-hugetlb", "bus-hugetlb", 113, "", bus_hugetlb},
        {NULL, NULL, 0, NULL, NULL},
};
