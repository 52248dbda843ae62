/* SPDX-License-Identifier: BSD-2-Clause */
/* Names from text files: /proc/kallsyms and the maps that JIT compilers write for perf. */
#ifndef PGF_SYMBOL_TEXTMAP_H
#define PGF_SYMBOL_TEXTMAP_H

#include "symbol/locate.h"
#include "symbol/names.h"

/*
 * Functions of the kernel and its modules, sorted; a module's are named "name\t[module]".
 * 0, -EPERM when the addresses are hidden (kernel.kptr_restrict), -errno.
 */
int pgf_textmap_kernel(struct pgf_names *names);
/*
 * /tmp/perf-PID.map of a process (tools/perf/Documentation/jit-interface.txt): "START SIZE
 * name" in hexadecimal; of two ranges the later wins. Only a regular file of the process's
 * own user or of root is read: /tmp is everyone's. 0, -EPERM, -errno.
 */
int pgf_textmap_jit(struct pgf_names *names, const struct pgf_held *held);

#endif /* PGF_SYMBOL_TEXTMAP_H */
