/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/frames.h"

#include <inttypes.h>

#include "show/escape.h"
#include "show/naming.h"
#include "show/table.h"

#define NAME_MAX_LEN 1024
#define INDENT       8
#define IP_WIDTH     16

/* A cut that is shorter than this shows nothing. */
#define NAME_MIN 16

void pgf_frames_text(FILE *out, const struct pgf_frame *frames, size_t count, int width)
{
	char text[NAME_MAX_LEN], place[512], escaped[4096], cut[4096];
	size_t i;

	for (i = 0; i < count; i++) {
		int room = width - INDENT - IP_WIDTH - 1;

		pgf_naming_code(text, sizeof(text), frames[i].symbol, frames[i].ip);
		pgf_escape_terminal(escaped, sizeof(escaped), text);
		fprintf(out, "%*s%*" PRIx64 " ", INDENT, "", IP_WIDTH, frames[i].ip);
		if (width > 0)
			room -= pgf_table_cut(cut, sizeof(cut), escaped,
			                      room > NAME_MIN ? room : NAME_MIN);
		fputs(width > 0 ? cut : escaped, out);
		pgf_naming_place(place, sizeof(place), frames[i].symbol);
		if (*place && frames[i].symbol->func) {
			pgf_escape_terminal(escaped, sizeof(escaped), place);
			if (width <= 0)
				fprintf(out, " (%s)", escaped);
			else if (room > NAME_MIN) {
				pgf_table_cut(cut, sizeof(cut), escaped, room - 3);
				fprintf(out, " (%s)", cut);
			}
		}
		putc('\n', out);
	}
}

void pgf_frames_json(FILE *out, const struct pgf_frame *frames, size_t count)
{
	size_t i;

	putc('[', out);
	for (i = 0; i < count; i++) {
		if (frames[i].ip)
			fprintf(out, "%s{\"ip\":\"0x%" PRIx64 "\",\"symbol\":", i ? "," : "",
			        frames[i].ip);
		else
			fprintf(out, "%s{\"ip\":null,\"symbol\":", i ? "," : "");
		pgf_naming_symbol_json(out, frames[i].symbol);
		putc('}', out);
	}
	putc(']', out);
}

void pgf_frames_folded(FILE *out, const struct pgf_frame *frames, size_t count)
{
	char text[NAME_MAX_LEN], escaped[4096];
	size_t i;
	char *at;

	if (!count)
		fputs("(no stack)", out);
	for (i = count; i-- > 0;) {
		pgf_naming_code(text, sizeof(text), frames[i].symbol, frames[i].ip);
		pgf_escape_terminal(escaped, sizeof(escaped), text);
		/* A name that holds the separator must not make two frames. */
		for (at = escaped; *at; at++)
			if (*at == ';')
				*at = ':';
		fprintf(out, "%s%s", escaped, i ? ";" : "");
	}
}
