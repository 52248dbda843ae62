/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen/trap.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

/* What the handler saw, and how the faulting loop goes on. */
static struct {
	sigjmp_buf back;
	volatile uintptr_t address; /* the access being made */
	int code;                   /* the si_code it must have */
	long long seen, wrong;
	bool repair; /* make the page writable and return, rather than jump back */
} trap;

static void on_trap(int signo, siginfo_t *info, void *context)
{
	trap.seen++;
	if (trap.code == GEN_TRAP_ANY_CODE)
		trap.code = info->si_code;
	if (info->si_code != trap.code || (uintptr_t)info->si_addr != trap.address)
		trap.wrong++;
	if (trap.repair)
		mprotect((void *)trap.address, gen_page(), PROT_READ | PROT_WRITE);
	else
		siglongjmp(trap.back, 1);
}

void gen_trap_write(unsigned char *base, size_t n)
{
	for (volatile size_t i = 0; i < n; i++) {
		trap.address = (uintptr_t)base + i * gen_page();
		if (!sigsetjmp(trap.back, 0))
			*(volatile unsigned char *)trap.address = 1;
	}
}

void gen_trap_read(unsigned char *base, size_t n)
{
	for (volatile size_t i = 0; i < n; i++) {
		trap.address = (uintptr_t)base + i * gen_page();
		if (!sigsetjmp(trap.back, 0))
			(void)*(volatile unsigned char *)trap.address;
	}
}

void gen_trap_call(unsigned char *base, size_t n)
{
	for (volatile size_t i = 0; i < n; i++) {
		trap.address = (uintptr_t)base + i * gen_page();
		if (!sigsetjmp(trap.back, 0))
			((void (*)(void))trap.address)();
	}
}

/* The handler, its frame and its code are warmed by a fault of the same outcome elsewhere. */
static void trap_warm(int signo)
{
	struct gen_region g;
	bool repair = trap.repair;
	int code = trap.code;

	if (signo == SIGSEGV &&
	    !gen_map(&g, gen_page(), 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1)) {
		trap.code = SEGV_ACCERR;
		gen_trap_write(g.base, 1);
		gen_unmap(&g);
	}
	if (signo == SIGBUS) {
		/* The loop alone, then the handler by hand. */
		unsigned char place[1];

		trap.address = (uintptr_t)place;
		if (!sigsetjmp(trap.back, 0))
			raise(signo);
	}
	trap.code = code;
	trap.repair = repair;
	trap.seen = 0;
	trap.wrong = 0;
}

/* Runs the loop over n pages under the meter with a handler for signo. */
void gen_trap_run(struct gen_result *r, int signo, int code, bool repair,
                  void (*loop)(unsigned char *, size_t), unsigned char *base, size_t n)
{
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
	struct sigaction old;
	struct gen_meter m;

	sigemptyset(&action.sa_mask);
	sigaction(signo, &action, &old);
	memset(&trap, 0, sizeof(trap));
	trap.code = code;
	trap.repair = repair;
	gen_meter_open(&m);
	trap_warm(signo);
	gen_meter_start(&m);
	loop(base, n);
	gen_meter_stop(&m);
	gen_meter_close(&m, r);
	sigaction(signo, &old, NULL);
	r->signals = trap.seen;
	gen_evidence(r, "signo", signo);
	gen_evidence(r, "si_code", trap.code);
	gen_check(r, "signals", trap.seen, (long long)n);
	gen_check(r, "wrong_siginfo", trap.wrong, 0);
}

void gen_trap_expect(struct gen_result *r)
{
	r->expect_sum = 0;
}
