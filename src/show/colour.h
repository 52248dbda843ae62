/* SPDX-License-Identifier: BSD-2-Clause */
/* Colour, where it is wanted: https://no-color.org and terminals only. */
#ifndef PGF_SHOW_COLOUR_H
#define PGF_SHOW_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

enum pgf_colour {
	PGF_COLOUR_NONE = 0,
	PGF_COLOUR_BOLD = 1,
	PGF_COLOUR_DIM = 2,
	PGF_COLOUR_RED = 3,
	PGF_COLOUR_YELLOW = 4,
	PGF_COLOUR_GREEN = 5,
	PGF_COLOUR_CYAN = 6
};

/* off: the user said --no-color. NO_COLOR (not empty), TERM=dumb and pipes say no too. */
bool pgf_colour_wanted(FILE *out, bool off);
/* Columns of the terminal behind out, or fallback; COLUMNS is honoured. */
int pgf_colour_columns(FILE *out, int fallback);
/* The escape sequence when on, else "". */
const char *pgf_colour_on(bool on, enum pgf_colour colour);
const char *pgf_colour_off(bool on);

#endif /* PGF_SHOW_COLOUR_H */
