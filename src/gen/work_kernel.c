/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on user addresses that the kernel takes itself, or serves without an exception. */
#include "gen/gen.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22 /* 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

static void expect_kernel(struct gen_result *r)
{
	r->mode = "kernel";
	r->expect_user = 0;
}

/* get_user_pages has no registers to show to perf: min_flt only. */
static void expect_gup(struct gen_result *r)
{
	r->mode = "gup";
	r->expect_perf = 0;
	r->expect_user = 0;
}

static int read_into(struct gen_result *r, int fd)
{
	size_t n = (size_t)r->expect, size = n * gen_page();
	struct gen_region g;
	struct gen_meter m;
	ssize_t got;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	expect_kernel(r);
	gen_meter_open(&m);
	gen_meter_start(&m);
	got = read(fd, g.base, size);
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_check(r, "bytes_read", got, (long long)size);
	gen_unmap(&g);
	return 0;
}

static int kernel_mode(const struct gen_options *o, struct gen_result *r)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return gen_fail(r, -errno, "/dev/zero");
	rc = read_into(r, fd);
	close(fd);
	return rc;
}

static int kernel_file(const struct gen_options *o, struct gen_result *r)
{
	int fd = gen_file(o, r, (size_t)r->expect);
	int rc;

	if (fd < 0)
		return fd == GEN_FILE_SKIP ? GEN_SKIP : fd;
	rc = read_into(r, fd);
	close(fd);
	return rc;
}

static int populate(struct gen_result *r, int advice)
{
	struct gen_region g;
	struct gen_meter m;
	int rc, err;

	if (gen_map_anon(&g, (size_t)r->expect, r))
		return -ENOMEM;
	expect_gup(r);
	gen_meter_open(&m);
	gen_meter_start(&m);
	rc = madvise(g.base, g.size, advice);
	err = errno;
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_unmap(&g);
	if (rc && err == EINVAL)
		return gen_skip(r, "this kernel has no MADV_POPULATE (5.14)");
	return rc ? gen_fail(r, -err, "madvise") : 0;
}

static int gup_populate(const struct gen_options *o, struct gen_result *r)
{
	return populate(r, MADV_POPULATE_WRITE);
}

static int gup_populate_read(const struct gen_options *o, struct gen_result *r)
{
	return populate(r, MADV_POPULATE_READ);
}

/* The reader is charged for the pages of the process it reads, which never touched them. */
static int gup_vm_readv(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect, size = n * gen_page();
	struct gen_region there, here;
	struct iovec local, remote;
	struct gen_meter m;
	ssize_t got;
	pid_t child;
	int fd = -1, rc = 0;

	if (gen_map(&here, size, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1))
		return gen_fail(r, -ENOMEM, "mmap");
	gen_write(here.base, n, gen_page());
	if (gen_map_anon(&there, n, r)) {
		gen_unmap(&here);
		return -ENOMEM;
	}
	child = gen_hold(&fd);
	if (child < 0) {
		rc = gen_fail(r, child, "fork");
		goto out;
	}
	/* The fork left the local buffer read-only: let it be written once more first. */
	gen_write(here.base, n, gen_page());
	local = (struct iovec){here.base, size};
	remote = (struct iovec){there.base, size};
	expect_gup(r);
	gen_meter_open(&m);
	gen_meter_start(&m);
	got = process_vm_readv(child, &local, 1, &remote, 1, 0);
	if (got < 0)
		rc = -errno;
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_release(child, fd);
	gen_note(r, "the addresses are those of process %d", child);
	if (rc == -EPERM || rc == -ENOSYS)
		rc = gen_skip(r, "process_vm_readv: %s", strerror(-rc));
	else if (rc)
		rc = gen_fail(r, rc, "process_vm_readv");
	else
		gen_check(r, "bytes_read", got, (long long)size);
out:
	gen_unmap(&there);
	gen_unmap(&here);
	return rc;
}

static __attribute__((noinline)) long futex_mismatch(unsigned char *base, size_t n)
{
	long refused = 0;

	for (size_t i = 0; i < n; i++)
		refused += syscall(SYS_futex, base + i * gen_page(), FUTEX_WAIT_PRIVATE, 1, NULL) &&
		           errno == EAGAIN;
	return refused;
}

/*
 * The futex word is first read with page faults disabled, which fails without being
 * counted, then again with them enabled: two exceptions a page, one fault.
 */
static int futex_nofault(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;
	struct gen_meter m;
	uint32_t word[64];
	long refused;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	expect_kernel(r);
	gen_kind(r, "anon-zero", r->expect);
	gen_kind(r, "nofault", r->expect);
	memset(word, 0, sizeof(word));
	gen_meter_open(&m);
	futex_mismatch((unsigned char *)word, 1);
	gen_meter_start(&m);
	refused = futex_mismatch(g.base, n);
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_check(r, "eagain", refused, (long long)n);
	gen_note(r, "exceptions tracepoints see %zu entries", 2 * n);
	gen_unmap(&g);
	return 0;
}

static __attribute__((noinline)) long getcpu_into(unsigned char *base, size_t n)
{
	long refused = 0;

	for (size_t i = 0; i < n; i++)
		refused +=
		        syscall(SYS_getcpu, base + i * gen_page(), NULL, NULL) && errno == EFAULT;
	return refused;
}

/* getcpu(2) stores one word: one exception a call, where a copy may try again by bytes. */
static int efault(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect;
	struct gen_region g;
	struct gen_meter m;
	unsigned int word;
	long refused;

	if (gen_map_anon(&g, n, r))
		return -ENOMEM;
	mprotect(g.base, g.size, PROT_NONE);
	expect_kernel(r);
	r->expect_sum = 0;
	gen_meter_open(&m);
	getcpu_into((unsigned char *)&word, 1);
	gen_meter_start(&m);
	refused = getcpu_into(g.base, n);
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	gen_check(r, "efault", refused, (long long)n);
	gen_unmap(&g);
	return 0;
}

const struct gen_workload gen_kernel_workloads[] = {
        {"kernel-mode", "anon-new", 1019, "", kernel_mode},
        {"kernel-file", "anon-new", 311, "--dir on a disk file system", kernel_file},
        {"gup-populate", "anon-new", 1021, "Linux 5.14", gup_populate},
        {"gup-read", "anon-zero", 1031, "Linux 5.14", gup_populate_read},
        {"gup-vm-readv", "anon-zero", 257, "", gup_vm_readv},
        {"futex-nofault", "anon-zero", 199, "", futex_nofault},
        {"efault", "kern-efault", 193, "", efault},
        {NULL, NULL, 0, NULL, NULL},
};
