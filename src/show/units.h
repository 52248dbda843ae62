/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers for people: three significant digits and a unit, at most nine columns. */
#ifndef PGF_SHOW_UNITS_H
#define PGF_SHOW_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* All write NUL-terminated text and return buf. 16 bytes are enough. */
char *pgf_units_ns(char *buf, size_t size, uint64_t ns);       /* "999 ns" "1.23 µs" "12.3 s" */
char *pgf_units_count(char *buf, size_t size, uint64_t count); /* "123456" "1.23 M" */
char *pgf_units_bytes(char *buf, size_t size, uint64_t bytes); /* "512 B" "1.23 MiB" */
/* "12.3 %"; "-" when whole is 0; "<0.1 %" for a part that is not 0. */
char *pgf_units_share(char *buf, size_t size, uint64_t part, uint64_t whole);

#endif /* PGF_SHOW_UNITS_H */
