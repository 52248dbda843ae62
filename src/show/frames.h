/* SPDX-License-Identifier: BSD-2-Clause */
/* Call stacks, innermost frame first: under a line of text, as JSON, folded for flame graphs. */
#ifndef PGF_SHOW_FRAMES_H
#define PGF_SHOW_FRAMES_H

#include <stddef.h>
#include <stdio.h>

#include "account/account.h"

/* A line a frame: its address, name and module, cut to width columns (0: no limit). */
void pgf_frames_text(FILE *out, const struct pgf_frame *frames, size_t count, int width);
/* An array of objects with ip and symbol. */
void pgf_frames_json(FILE *out, const struct pgf_frame *frames, size_t count);
/* Its schema: members of a JSON schema; null stands for no stack. */
#define PGF_FRAMES_SCHEMA                                                                          \
	"\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"object\",\"properties\":{\"ip\":{"    \
	"\"type\":[\"string\",\"null\"]},\"symbol\":{" PGF_NAMING_SYMBOL_SCHEMA                    \
	"}},\"required\":[\"ip\",\"symbol\"]}"
/* Names outermost first with ';' between them: what flamegraph.pl reads before the number. */
void pgf_frames_folded(FILE *out, const struct pgf_frame *frames, size_t count);

#endif /* PGF_SHOW_FRAMES_H */
