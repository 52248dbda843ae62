/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops whose every access ends in a signal, and the handler that counts and checks them. */
#ifndef GEN_TRAP_H
#define GEN_TRAP_H

#include "gen/gen.h"

#define GEN_TRAP_ANY_CODE 0 /* the si_code depends on the kernel's configuration */

/* Access n pages from base, one by one. */
void gen_trap_write(unsigned char *base, size_t n);
void gen_trap_read(unsigned char *base, size_t n);
/* Jumps to each page. */
void gen_trap_call(unsigned char *base, size_t n);
/*
 * Runs loop(base, n) under the meter. Each of the n accesses must raise signo with si_code
 * code at its own address; the handler leaves it, or makes the page writable when repair.
 */
void gen_trap_run(struct gen_result *r, int signo, int code, bool repair,
                  void (*loop)(unsigned char *, size_t), unsigned char *base, size_t n);
/* Failed faults: perf counts them, the task does not. */
void gen_trap_expect(struct gen_result *r);

#endif /* GEN_TRAP_H */
