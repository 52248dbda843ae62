/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/colour.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MIN 40
#define COLUMNS_MAX 1000

bool pgf_colour_wanted(FILE *out, bool off)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (off || (no_color && *no_color) || !term || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fileno(out)) == 1;
}

static int bounded(long columns)
{
	if (columns < COLUMNS_MIN)
		return COLUMNS_MIN;
	return columns > COLUMNS_MAX ? COLUMNS_MAX : (int)columns;
}

int pgf_colour_columns(FILE *out, int fallback)
{
	const char *text = getenv("COLUMNS");
	struct winsize size;
	char *end;
	long columns;

	if (text && *text) {
		columns = strtol(text, &end, 10);
		if (!*end && columns > 0)
			return bounded(columns);
	}
	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return bounded(size.ws_col);
	return fallback;
}

const char *pgf_colour_on(bool on, enum pgf_colour colour)
{
	static const char *const code[] = {
	        [PGF_COLOUR_NONE] = "",           [PGF_COLOUR_BOLD] = "\033[1m",
	        [PGF_COLOUR_DIM] = "\033[2m",     [PGF_COLOUR_RED] = "\033[1;31m",
	        [PGF_COLOUR_YELLOW] = "\033[33m", [PGF_COLOUR_GREEN] = "\033[32m",
	        [PGF_COLOUR_CYAN] = "\033[36m",
	};

	if (!on || (unsigned int)colour >= sizeof(code) / sizeof(*code))
		return "";
	return code[colour];
}

const char *pgf_colour_off(bool on)
{
	return on ? "\033[0m" : "";
}
