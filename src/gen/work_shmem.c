/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared memory: a hole read or written allocates a page, there is no zero page. */
#include "gen/gen.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static int shmem_touch(struct gen_result *r, struct gen_region *g, bool write)
{
	size_t n = (size_t)r->expect;
	struct gen_smaps s;
	struct gen_meter m;

	gen_mark(r, g);
	/* 5.10 throttles the writer of shared memory too: see file_write(). */
	if (write && gen_kernel_before(6, 1))
		r->expect_maj = GEN_ANY;
	gen_meter_open(&m);
	gen_meter_start(&m);
	if (write)
		gen_write(g->base, n, gen_page());
	else
		gen_read(g->base, n, gen_page());
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	if (!gen_smaps(g, &s))
		gen_check(r, "rss_pages", s.rss * 1024 / (long long)gen_page(), (long long)n);
	gen_unmap(g);
	return 0;
}

static int memfd_touch(struct gen_result *r, bool write)
{
	size_t size = (size_t)r->expect * gen_page();
	struct gen_region g;
	int fd = memfd_create("faultgen", MFD_CLOEXEC);
	int err;

	if (fd < 0)
		return gen_fail(r, -errno, "memfd_create");
	err = ftruncate(fd, (off_t)size) ? -errno : 0;
	if (!err)
		err = gen_map(&g, size, 0, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	close(fd);
	return err ? gen_fail(r, err, "memfd") : shmem_touch(r, &g, write);
}

static int shmem_write(const struct gen_options *o, struct gen_result *r)
{
	return memfd_touch(r, true);
}

static int shmem_read(const struct gen_options *o, struct gen_result *r)
{
	return memfd_touch(r, false);
}

static int shmem_anon(const struct gen_options *o, struct gen_result *r)
{
	struct gen_region g;
	int err = gen_map(&g, (size_t)r->expect * gen_page(), 0, PROT_READ | PROT_WRITE,
	                  MAP_SHARED | MAP_ANONYMOUS, -1);

	return err ? gen_fail(r, err, "mmap") : shmem_touch(r, &g, true);
}

const struct gen_workload gen_shmem_workloads[] = {
        {"shmem", "shmem", 401, "", shmem_write},
        {"shmem-read", "shmem", 397, "", shmem_read},
        {"shmem-anon", "shmem", 389, "", shmem_anon},
        {NULL, NULL, 0, NULL, NULL},
};
