/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults handed to user space: a handler thread serves them and counts its messages. */
#include "gen/trap.h"
#include "gen/uffd_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The handler's side of one region. */
struct pager {
	int fd, stop;
	pthread_t thread;
	struct gen_region *g;
	void *page;              /* what missing pages are copied from */
	long long messages, odd; /* odd: of another kind than expected */
	uint64_t want;           /* UFFD_PAGEFAULT_FLAG_WP, _MINOR or 0 */
	int err;
};

/* Kernel-mode faults need privilege; without it, only those of user mode are handed over. */
static int uffd_open(bool kernel_too)
{
	int flags = O_CLOEXEC | O_NONBLOCK;
	int fd = (int)syscall(SYS_userfaultfd, flags);
	int dev;

	if (fd < 0 && !kernel_too)
		fd = (int)syscall(SYS_userfaultfd, flags | UFFD_USER_MODE_ONLY);
	if (fd >= 0)
		return fd;
	dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return -EPERM;
	fd = ioctl(dev, USERFAULTFD_IOC_NEW, flags);
	close(dev);
	return fd < 0 ? -EPERM : fd;
}

/* Opens a userfaultfd with the features and registers the region; 0, GEN_SKIP or -errno. */
static int pager_register(struct pager *p, struct gen_result *r, struct gen_region *g,
                          uint64_t features, uint64_t mode, bool kernel_too)
{
	struct uffdio_api api = {.api = UFFD_API, .features = features};
	struct uffdio_register reg = {.range = {(uintptr_t)g->base, g->size}, .mode = mode};
	int err;

	memset(p, 0, sizeof(*p));
	p->g = g;
	p->stop = -1;
	p->fd = uffd_open(kernel_too);
	if (p->fd < 0)
		return gen_skip(r, "userfaultfd: %s", strerror(-p->fd));
	if (ioctl(p->fd, UFFDIO_API, &api)) {
		close(p->fd);
		return gen_skip(r, "this kernel's userfaultfd lacks the feature");
	}
	if (ioctl(p->fd, UFFDIO_REGISTER, &reg)) {
		err = -errno;
		close(p->fd);
		return gen_fail(r, err, "UFFDIO_REGISTER");
	}
	return 0;
}

static int page_serve(struct pager *p, uint64_t address)
{
	uint64_t page = gen_page();

	if (p->want == UFFD_PAGEFAULT_FLAG_WP) {
		struct uffdio_writeprotect wp = {.range = {address, page}};

		return ioctl(p->fd, UFFDIO_WRITEPROTECT, &wp);
	}
	if (p->want == UFFD_PAGEFAULT_FLAG_MINOR) {
		struct uffdio_continue go = {.range = {address, page}};

		return ioctl(p->fd, UFFDIO_CONTINUE, &go);
	}
	struct uffdio_copy copy = {.dst = address, .src = (uintptr_t)p->page, .len = page};

	return ioctl(p->fd, UFFDIO_COPY, &copy);
}

static void message_serve(struct pager *p)
{
	struct uffd_msg msg;
	uint64_t flags;

	if (read(p->fd, &msg, sizeof(msg)) != sizeof(msg))
		return;
	if (msg.event != UFFD_EVENT_PAGEFAULT) {
		p->odd++;
		return;
	}
	p->messages++;
	flags = msg.arg.pagefault.flags;
	if ((flags & (UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_MINOR)) != p->want)
		p->odd++;
	if (page_serve(p, msg.arg.pagefault.address & ~((uint64_t)gen_page() - 1))) {
		struct uffdio_range range = {(uintptr_t)p->g->base, p->g->size};

		/* Nobody may sleep for ever: without the registration the kernel serves. */
		p->err = -errno;
		ioctl(p->fd, UFFDIO_UNREGISTER, &range);
	}
}

static void *pager_main(void *argument)
{
	struct pager *p = argument;
	struct pollfd fds[2] = {{.fd = p->fd, .events = POLLIN}, {.fd = p->stop, .events = POLLIN}};

	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[1].revents)
			break;
		if (fds[0].revents & POLLIN)
			message_serve(p);
	}
	return NULL;
}

static int pager_start(struct pager *p, uint64_t want)
{
	int err;

	p->want = want;
	p->stop = eventfd(0, EFD_CLOEXEC);
	p->page = mmap(NULL, gen_page(), PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p->stop < 0 || p->page == MAP_FAILED)
		return -ENOMEM;
	memset(p->page, 0x5a, gen_page());
	err = pthread_create(&p->thread, NULL, pager_main, p);
	return -err;
}

static void pager_stop(struct pager *p, struct gen_result *r)
{
	const uint64_t one = 1;

	if (write(p->stop, &one, sizeof(one)) == sizeof(one))
		pthread_join(p->thread, NULL);
	close(p->stop);
	munmap(p->page, gen_page());
	if (p->err)
		gen_fail(r, p->err, "handler");
	gen_check(r, "messages", p->messages, r->expect);
	gen_check(r, "other_messages", p->odd, 0);
}

/* Touches the registered region under the meter while the handler serves it. */
static int pager_run(struct pager *p, struct gen_result *r, uint64_t want, bool write, bool kernel)
{
	size_t n = (size_t)r->expect;
	ssize_t got = (ssize_t)p->g->size;
	struct gen_meter m;
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int err = zero < 0 ? -errno : pager_start(p, want);

	if (err)
		return gen_fail(r, err, "handler thread");
	/* Without the per-VMA lock, the retry after the wake makes the fault a major one. */
	if (gen_kernel_before(6, 12))
		r->expect_maj = GEN_ANY;
	if (kernel) {
		r->mode = "kernel";
		r->expect_user = 0;
		r->expect_maj = r->expect;
	}
	gen_meter_open(&m);
	gen_meter_start(&m);
	if (kernel)
		got = read(zero, p->g->base, p->g->size);
	else if (write)
		gen_write(p->g->base, n, gen_page());
	else
		gen_read(p->g->base, n, gen_page());
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	pager_stop(p, r);
	close(p->fd);
	close(zero);
	gen_check(r, "bytes_left", (long long)p->g->size - got, 0);
	return p->err;
}

static int missing(struct gen_result *r, bool kernel)
{
	struct gen_region g;
	struct pager p;
	int rc;

	if (gen_map_anon(&g, (size_t)r->expect, r))
		return -ENOMEM;
	rc = pager_register(&p, r, &g, 0, UFFDIO_REGISTER_MODE_MISSING, kernel);
	if (!rc)
		rc = pager_run(&p, r, 0, false, kernel);
	gen_unmap(&g);
	return rc;
}

static int uffd_missing(const struct gen_options *o, struct gen_result *r)
{
	return missing(r, false);
}

static int uffd_kernel(const struct gen_options *o, struct gen_result *r)
{
	return missing(r, true);
}

static int uffd_wp(const struct gen_options *o, struct gen_result *r)
{
	struct uffdio_writeprotect wp = {.mode = UFFDIO_WRITEPROTECT_MODE_WP};
	struct gen_region g;
	struct pager p;
	int rc;

	if (gen_map_anon(&g, (size_t)r->expect, r))
		return -ENOMEM;
	gen_write(g.base, (size_t)r->expect, gen_page());
	rc = pager_register(&p, r, &g, UFFD_FEATURE_PAGEFAULT_FLAG_WP, UFFDIO_REGISTER_MODE_WP,
	                    false);
	wp.range = (struct uffdio_range){(uintptr_t)g.base, g.size};
	if (!rc && ioctl(p.fd, UFFDIO_WRITEPROTECT, &wp)) {
		rc = gen_fail(r, -errno, "UFFDIO_WRITEPROTECT");
		close(p.fd);
	}
	if (!rc)
		rc = pager_run(&p, r, UFFD_PAGEFAULT_FLAG_WP, true, false);
	gen_unmap(&g);
	return rc;
}

/* The pages are in the memfd already, but not in the tables of this mapping. */
static int uffd_minor(const struct gen_options *o, struct gen_result *r)
{
	size_t n = (size_t)r->expect, size = n * gen_page();
	int fd = memfd_create("faultgen", MFD_CLOEXEC);
	struct gen_region g, alias;
	struct pager p;
	int rc = fd < 0 || ftruncate(fd, (off_t)size) ? -errno : 0;

	if (!rc)
		rc = gen_map(&alias, size, 0, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	if (!rc) {
		gen_write(alias.base, n, gen_page());
		gen_unmap(&alias);
		rc = gen_map(&g, size, 0, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	}
	if (fd >= 0)
		close(fd);
	if (rc)
		return gen_fail(r, rc, "memfd");
	gen_mark(r, &g);
	rc = pager_register(&p, r, &g, UFFD_FEATURE_MINOR_SHMEM, UFFDIO_REGISTER_MODE_MINOR, false);
	if (!rc)
		rc = pager_run(&p, r, UFFD_PAGEFAULT_FLAG_MINOR, false, false);
	gen_unmap(&g);
	return rc;
}

/* No handler: the fault becomes a signal in the thread that took it. */
static int uffd_sigbus(const struct gen_options *o, struct gen_result *r)
{
	struct gen_region g;
	struct pager p;
	int rc;

	if (gen_map_anon(&g, (size_t)r->expect, r))
		return -ENOMEM;
	rc = pager_register(&p, r, &g, UFFD_FEATURE_SIGBUS, UFFDIO_REGISTER_MODE_MISSING, false);
	if (!rc) {
		gen_trap_expect(r);
		gen_trap_run(r, SIGBUS, BUS_ADRERR, false, gen_trap_read, g.base,
		             (size_t)r->expect);
		close(p.fd);
	}
	gen_unmap(&g);
	return rc;
}

static int uffd_poison(const struct gen_options *o, struct gen_result *r)
{
	struct uffdio_poison poison;
	struct gen_region g;
	struct pager p;
	int rc;

	if (gen_map_anon(&g, (size_t)r->expect, r))
		return -ENOMEM;
	rc = pager_register(&p, r, &g, UFFD_FEATURE_POISON, UFFDIO_REGISTER_MODE_MISSING, false);
	memset(&poison, 0, sizeof(poison));
	poison.range = (struct uffdio_range){(uintptr_t)g.base, g.size};
	if (!rc && ioctl(p.fd, UFFDIO_POISON, &poison)) {
		rc = gen_fail(r, -errno, "UFFDIO_POISON");
		close(p.fd);
	}
	if (!rc) {
		gen_trap_expect(r);
		/* BUS_MCEERR_AR, or BUS_ADRERR without CONFIG_MEMORY_FAILURE. */
		gen_trap_run(r, SIGBUS, GEN_TRAP_ANY_CODE, false, gen_trap_read, g.base,
		             (size_t)r->expect);
		close(p.fd);
	}
	gen_unmap(&g);
	return rc;
}

const struct gen_workload gen_uffd_workloads[] = {
        {"uffd-missing", "uffd-missing", 251, "", uffd_missing},
        {"uffd-kernel", "uffd-missing", 61, "root", uffd_kernel},
        {"uffd-wp", "uffd-wp", 241, "", uffd_wp},
        {"uffd-minor", "uffd-minor", 239, "", uffd_minor},
        {"uffd-sigbus", "bus-uffd", 59, "", uffd_sigbus},
        {"uffd-poison", "bus-poison", 67, "Linux 6.6", uffd_poison},
        {NULL, NULL, 0, NULL, NULL},
};
