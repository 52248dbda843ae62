/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PGF_SYMBOL_DEMANGLE_H
#define PGF_SYMBOL_DEMANGLE_H

/*
 * The readable form of a C++ or Rust symbol as malloc'ed text, or NULL when the name is
 * not mangled, cannot be demangled here, or is so repetitive that its text could explode.
 */
char *pgf_demangle(const char *name);

#endif /* PGF_SYMBOL_DEMANGLE_H */
