/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as /proc/PID/maps. What is accepted must hold together, and must come back the
 * same when it is written as the kernel writes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fault/maps.h"
#include "fault/maptype.h"
#include "text_fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
	if (!holds)
		abort();
}

static size_t line_write(const struct pgf_map_line *l, char *text, size_t room)
{
	int head = snprintf(text, room, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
	                    (unsigned long long)l->start, (unsigned long long)l->end,
	                    l->prot & PROT_READ ? 'r' : '-', l->prot & PROT_WRITE ? 'w' : '-',
	                    l->prot & PROT_EXEC ? 'x' : '-', l->shared ? 's' : 'p',
	                    (unsigned long long)l->pgoff, l->dev >> 20, l->dev & 0xfffff,
	                    (unsigned long long)l->ino);
	size_t len = (size_t)head;

	while (len < 73)
		text[len++] = ' ';
	for (const char *at = l->name; *at; at++) {
		if (*at == '\n') {
			memcpy(text + len, "\\012", 4);
			len += 4;
		} else {
			text[len++] = *at;
		}
	}
	text[len++] = '\n';
	return len;
}

static void line_check(const struct pgf_map_line *l)
{
	static char text[200 + 4 * PGF_MAPS_NAME];
	static struct pgf_map_line again;

	demand(l->start <= l->end);
	demand(!(l->prot & ~(uint32_t)(PROT_READ | PROT_WRITE | PROT_EXEC)));
	demand(l->name_len < sizeof(l->name) && strlen(l->name) == l->name_len);
	demand(!l->deleted || l->name_len > 10);
	demand(!pgf_maps_parse_line(text, line_write(l, text, sizeof(text)), &again));
	demand(again.start == l->start && again.end == l->end && again.pgoff == l->pgoff);
	demand(again.ino == l->ino && again.dev == l->dev && again.prot == l->prot);
	demand(again.shared == l->shared && again.deleted == l->deleted);
	demand(!strcmp(again.name, l->name));
	demand(pgf_map_type_of(l->name, l->dev, l->ino, l->prot,
	                       l->shared ? MAP_SHARED : MAP_PRIVATE,
	                       PGF_FS_UNKNOWN) <= PGF_MAP_SPECIAL);
}

static int on_line(void *ctx, const struct pgf_map_line *l)
{
	++*(size_t *)ctx;
	line_check(l);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pgf_map_line line;
	size_t lines = 0;

	if (!pgf_maps_parse_line((const char *)data, size, &line))
		line_check(&line);
	if (!pgf_maps_read(text_fd(data, size), on_line, &lines))
		demand(lines > 0 || size == 0);
	return 0;
}
