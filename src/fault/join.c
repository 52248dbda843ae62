/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault/join.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void join_raw(struct pgf_join *join, const char *text)
{
	size_t len = strlen(text), room;

	if (join->len + 1 < join->size) {
		room = join->size - 1 - join->len;
		if (room > len)
			room = len;
		memcpy(join->buf + join->len, text, room);
		join->buf[join->len + room] = '\0';
	}
	join->len += len;
}

void pgf_join_begin(struct pgf_join *join, char *buf, size_t size, const char *separator)
{
	*join = (struct pgf_join){.buf = buf, .size = size, .separator = separator};
	if (size)
		buf[0] = '\0';
}

void pgf_join_add(struct pgf_join *join, const char *part)
{
	if (join->len)
		join_raw(join, join->separator);
	join_raw(join, part);
}

void pgf_join_hex(struct pgf_join *join, uint64_t value)
{
	char text[2 + 16 + 1];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	pgf_join_add(join, text);
}

int pgf_join_end(const struct pgf_join *join)
{
	return (int)join->len;
}
