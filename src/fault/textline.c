/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault/textline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The longest line of maps is a path of PATH_MAX newlines, each written as four bytes. */
#define LINES_BUFFER (64u << 10)

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static bool cursor_number(struct pgf_cursor *cursor, unsigned int base, uint64_t *value)
{
	const char *at = cursor->at;
	uint64_t sum = 0;

	while (at < cursor->end) {
		unsigned int digit = (unsigned int)digit_value(*at);

		if (digit >= base)
			break;
		if (sum > (UINT64_MAX - digit) / base)
			return false;
		sum = sum * base + digit;
		at++;
	}
	if (at == cursor->at)
		return false;
	cursor->at = at;
	*value = sum;
	return true;
}

bool pgf_cursor_hex(struct pgf_cursor *cursor, uint64_t *value)
{
	return cursor_number(cursor, 16, value);
}

bool pgf_cursor_dec(struct pgf_cursor *cursor, uint64_t *value)
{
	return cursor_number(cursor, 10, value);
}

bool pgf_cursor_char(struct pgf_cursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void pgf_cursor_blanks(struct pgf_cursor *cursor)
{
	while (cursor->at < cursor->end && is_blank(*cursor->at))
		cursor->at++;
}

size_t pgf_cursor_word(struct pgf_cursor *cursor, const char **word)
{
	*word = cursor->at;
	while (cursor->at < cursor->end && !is_blank(*cursor->at))
		cursor->at++;
	return (size_t)(cursor->at - *word);
}

/* Hands over the whole lines of buf[0..*used) and moves the rest to its front. */
static int lines_cut(char *buf, size_t *used, pgf_lines_fn fn, void *ctx)
{
	size_t begin = 0;
	int ret = 0;

	while (!ret) {
		char *newline = memchr(buf + begin, '\n', *used - begin);
		size_t len;

		if (!newline)
			break;
		len = (size_t)(newline - (buf + begin));
		ret = fn(ctx, buf + begin, len);
		begin += len + 1;
	}
	*used -= begin;
	memmove(buf, buf + begin, *used);
	return ret;
}

int pgf_lines_read(int fd, pgf_lines_fn fn, void *ctx)
{
	char *buf = malloc(LINES_BUFFER);
	size_t used = 0;
	int ret = 0;

	if (!buf)
		return -ENOMEM;
	while (!ret) {
		ssize_t n = read(fd, buf + used, LINES_BUFFER - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ret = -errno;
		if (n <= 0)
			break;
		used += (size_t)n;
		ret = lines_cut(buf, &used, fn, ctx);
		if (!ret && used == LINES_BUFFER)
			ret = -EINVAL;
	}
	if (!ret && used)
		ret = fn(ctx, buf, used);
	free(buf);
	return ret;
}

int pgf_proc_open(uint32_t pid, const char *name)
{
	char path[64];
	int fd;

	if (snprintf(path, sizeof(path), "/proc/%u/%s", pid, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ESRCH : -errno;
}
