/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of traced programs made safe for a terminal, JSON, HTML and CSV. All writers
 * take NUL-terminated text (NULL counts as "") and leave errors to ferror().
 */
#ifndef PGF_SHOW_ESCAPE_H
#define PGF_SHOW_ESCAPE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * One UTF-8 character at text: its code point into *cp, its length returned; 0 at the end
 * of size bytes, -1 when the bytes there are no valid UTF-8 (overlong, surrogate, > U+10FFFF).
 */
int pgf_utf8_next(const char *text, size_t size, uint32_t *cp);
/* Columns a code point takes on a terminal: 0, 1 or 2; -1 when it must not be printed raw. */
int pgf_utf8_width(uint32_t cp);

/*
 * Terminal: printable UTF-8 stays; C0 controls become \xNN (tab, newline: \t, \n), C1,
 * bidirectional and other invisible controls and invalid bytes \xNN of their bytes, a
 * backslash stays. Writes whole escapes only into buf (NUL-terminated); returns the
 * columns of what was written.
 */
int pgf_escape_terminal(char *buf, size_t size, const char *text);
/* JSON string with its quotes; invalid bytes become U+FFFD. */
void pgf_escape_json(FILE *out, const char *text);
/* Text and double-quoted attributes of HTML; invalid bytes become U+FFFD. */
void pgf_escape_html(FILE *out, const char *text);
/* One field by RFC 4180, quoted when needed; a leading = + - @ is quoted with ' before it. */
void pgf_escape_csv(FILE *out, const char *text);

#endif /* PGF_SHOW_ESCAPE_H */
