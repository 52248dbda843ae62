/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault/maps.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault/textline.h"

#define DELETED " (deleted)"

static bool range_parse(struct pgf_cursor *cursor, struct pgf_map_line *out)
{
	return pgf_cursor_hex(cursor, &out->start) && pgf_cursor_char(cursor, '-') &&
	       pgf_cursor_hex(cursor, &out->end) && out->start <= out->end;
}

/* Steps over one of two letters; *yes tells which. */
static bool either(struct pgf_cursor *cursor, char set, char clear, bool *yes)
{
	*yes = pgf_cursor_char(cursor, set);
	return *yes || pgf_cursor_char(cursor, clear);
}

static bool prot_parse(struct pgf_cursor *cursor, struct pgf_map_line *out)
{
	bool read, write, exec;

	if (!either(cursor, 'r', '-', &read) || !either(cursor, 'w', '-', &write) ||
	    !either(cursor, 'x', '-', &exec) || !either(cursor, 's', 'p', &out->shared))
		return false;
	out->prot = (read ? PROT_READ : 0u) | (write ? PROT_WRITE : 0u) | (exec ? PROT_EXEC : 0u);
	return true;
}

static bool dev_parse(struct pgf_cursor *cursor, struct pgf_map_line *out)
{
	uint64_t major, minor;

	if (!pgf_cursor_hex(cursor, &major) || !pgf_cursor_char(cursor, ':') ||
	    !pgf_cursor_hex(cursor, &minor) || major > 0xfff || minor > 0xfffff)
		return false;
	out->dev = (uint32_t)(major << 20 | minor);
	return true;
}

static bool name_parse(const struct pgf_cursor *cursor, struct pgf_map_line *out)
{
	const size_t suffix = sizeof(DELETED) - 1;
	size_t len = 0;

	for (const char *at = cursor->at; at < cursor->end; at++) {
		char c = *at;

		if (c == '\0' || len + 1 >= sizeof(out->name))
			return false;
		if (c == '\\' && cursor->end - at >= 4 && !memcmp(at, "\\012", 4)) {
			c = '\n';
			at += 3;
		}
		out->name[len++] = c;
	}
	out->name[len] = '\0';
	out->name_len = len;
	out->deleted = len > suffix && !memcmp(out->name + len - suffix, DELETED, suffix);
	return true;
}

int pgf_maps_parse_line(const char *line, size_t len, struct pgf_map_line *out)
{
	struct pgf_cursor cursor = {.at = line, .end = line + len};

	if (len && line[len - 1] == '\n')
		cursor.end--;
	if (!range_parse(&cursor, out) || !pgf_cursor_char(&cursor, ' ') ||
	    !prot_parse(&cursor, out) || !pgf_cursor_char(&cursor, ' ') ||
	    !pgf_cursor_hex(&cursor, &out->pgoff) || !pgf_cursor_char(&cursor, ' ') ||
	    !dev_parse(&cursor, out) || !pgf_cursor_char(&cursor, ' ') ||
	    !pgf_cursor_dec(&cursor, &out->ino))
		return -EINVAL;
	if (cursor.at < cursor.end && *cursor.at != ' ')
		return -EINVAL;
	/* The name stands in a column of its own; no name begins with a space. */
	while (pgf_cursor_char(&cursor, ' '))
		;
	return name_parse(&cursor, out) ? 0 : -EINVAL;
}

struct reading {
	pgf_maps_fn fn;
	void *ctx;
	struct pgf_map_line line;
};

static int line_read(void *ctx, const char *text, size_t len)
{
	struct reading *reading = ctx;
	int ret = pgf_maps_parse_line(text, len, &reading->line);

	return ret ? ret : reading->fn(reading->ctx, &reading->line);
}

int pgf_maps_read(int fd, pgf_maps_fn fn, void *ctx)
{
	struct reading reading = {.fn = fn, .ctx = ctx};

	return pgf_lines_read(fd, line_read, &reading);
}

int pgf_maps_read_pid(uint32_t pid, pgf_maps_fn fn, void *ctx)
{
	int fd = pgf_proc_open(pid, "maps");
	int ret;

	if (fd < 0)
		return fd;
	ret = pgf_maps_read(fd, fn, ctx);
	close(fd);
	return ret;
}
