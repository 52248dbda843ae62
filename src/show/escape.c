/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/escape.h"

#include <stdbool.h>
#include <string.h>

struct span {
	uint32_t first;
	uint32_t last;
};

/* Invisible, reordering or private characters: a name must not hide behind them. */
static const struct span hidden[] = {
        {0x0000, 0x001f},   {0x007f, 0x009f},    {0x00ad, 0x00ad}, {0x034f, 0x034f},
        {0x061c, 0x061c},   {0x115f, 0x1160},    {0x17b4, 0x17b5}, {0x180b, 0x180f},
        {0x200b, 0x200f},   {0x2028, 0x202e},    {0x2060, 0x206f}, {0x3164, 0x3164},
        {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},    {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
        {0xffa0, 0xffa0},   {0xfff0, 0xfffb},    {0xfffe, 0xffff}, {0x1bca0, 0x1bca3},
        {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
};

/* Combining marks: drawn over the character before them. */
static const struct span combining[] = {
        {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x05bf, 0x05bf}, {0x05c1, 0x05c2},
        {0x05c4, 0x05c5}, {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0670, 0x0670}, {0x06d6, 0x06dc},
        {0x06df, 0x06e4}, {0x06e7, 0x06e8}, {0x06ea, 0x06ed}, {0x0730, 0x074a}, {0x0900, 0x0902},
        {0x093a, 0x093a}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d}, {0x0e31, 0x0e31},
        {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1ace}, {0x1dc0, 0x1dff}, {0x20d0, 0x20f0},
        {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe20, 0xfe2f},
};

/* Two columns: the East Asian wide and fullwidth blocks, and pictures. */
static const struct span wide[] = {
        {0x1100, 0x115e},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},
        {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26a1, 0x26a1},   {0x26bd, 0x26be},
        {0x26d4, 0x26d4},   {0x2705, 0x2705},   {0x274c, 0x274e},   {0x2753, 0x2757},
        {0x2795, 0x2797},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2e80, 0x303e},
        {0x3041, 0x3163},   {0x3165, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
        {0xa000, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
        {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18cff},
        {0x1b000, 0x1b2ff}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e},
        {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f64f}, {0x1f680, 0x1f6ff},
        {0x1f7e0, 0x1f7eb}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

#define COUNT(spans) (sizeof(spans) / sizeof(*(spans)))

static bool is_in(const struct span *spans, size_t count, uint32_t cp)
{
	size_t i;

	for (i = 0; i < count && spans[i].first <= cp; i++)
		if (cp <= spans[i].last)
			return true;
	return false;
}

int pgf_utf8_width(uint32_t cp)
{
	if (cp >= 0x20 && cp < 0x7f)
		return 1;
	if (cp > 0x10ffff || is_in(hidden, COUNT(hidden), cp))
		return -1;
	if (is_in(combining, COUNT(combining), cp))
		return 0;
	return is_in(wide, COUNT(wide), cp) ? 2 : 1;
}

int pgf_utf8_next(const char *text, size_t size, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *byte = (const unsigned char *)text;
	int length;
	int i;

	if (size == 0)
		return 0;
	if (byte[0] < 0x80) {
		*cp = byte[0];
		return 1;
	}
	length = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
	if (byte[0] < 0xc2 || byte[0] > 0xf4 || (size_t)length > size)
		return -1;
	*cp = byte[0] & (0x7fu >> length);
	for (i = 1; i < length; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return -1;
		*cp = *cp << 6 | (byte[i] & 0x3f);
	}
	if (*cp < least[length] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return -1;
	return length;
}

/* The escape of one byte, NUL-terminated; returns its length. */
static int escape_byte(char out[5], unsigned char byte)
{
	static const char digit[] = "0123456789abcdef";

	if (byte == '\n' || byte == '\t') {
		out[0] = '\\';
		out[1] = byte == '\n' ? 'n' : 't';
		out[2] = '\0';
		return 2;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = digit[byte >> 4];
	out[3] = digit[byte & 15];
	out[4] = '\0';
	return 4;
}

int pgf_escape_terminal(char *buf, size_t size, const char *text)
{
	size_t left = text ? strlen(text) : 0;
	size_t used = 0;
	int columns = 0;
	bool base = false; /* a mark needs a character to stand on */

	if (size == 0)
		return 0;
	while (left > 0) {
		uint32_t cp;
		int length = pgf_utf8_next(text, left, &cp);
		int width = length > 0 ? pgf_utf8_width(cp) : -1;
		char escape[5];

		if (width < 0 || (width == 0 && !base)) {
			width = escape_byte(escape, (unsigned char)*text);
			if (used + (size_t)width >= size)
				break;
			memcpy(buf + used, escape, (size_t)width);
			used += (size_t)width;
			length = 1;
			base = false;
		} else {
			if (used + (size_t)length >= size)
				break;
			memcpy(buf + used, text, (size_t)length);
			used += (size_t)length;
			base = true;
		}
		columns += width;
		text += length;
		left -= (size_t)length;
	}
	buf[used] = '\0';
	return columns;
}

/* One character for a document in UTF-8: escaped by special, or as it is, or U+FFFD. */
static void put_text(FILE *out, const char *text, bool (*special)(FILE *, uint32_t))
{
	size_t left = text ? strlen(text) : 0;

	while (left > 0) {
		uint32_t cp = 0xfffd;
		int length = pgf_utf8_next(text, left, &cp);

		if (length < 0) {
			length = 1;
			fputs("\xef\xbf\xbd", out);
		} else if (!special(out, cp)) {
			fwrite(text, 1, (size_t)length, out);
		}
		text += length;
		left -= (size_t)length;
	}
}

static bool special_json(FILE *out, uint32_t cp)
{
	switch (cp) {
	case '"':
		fputs("\\\"", out);
		return true;
	case '\\':
		fputs("\\\\", out);
		return true;
	case '\n':
		fputs("\\n", out);
		return true;
	case '\t':
		fputs("\\t", out);
		return true;
	case '\r':
		fputs("\\r", out);
		return true;
	default:
		break;
	}
	/* Beside the controls: what ends a line in JavaScript, and a script in HTML. */
	if (cp >= 0x20 && cp != '<' && (cp < 0x7f || cp > 0x9f) && cp != 0x2028 && cp != 0x2029)
		return false;
	fprintf(out, "\\u%04x", cp);
	return true;
}

void pgf_escape_json(FILE *out, const char *text)
{
	putc('"', out);
	put_text(out, text, special_json);
	putc('"', out);
}

static bool special_html(FILE *out, uint32_t cp)
{
	switch (cp) {
	case '&':
		fputs("&amp;", out);
		return true;
	case '<':
		fputs("&lt;", out);
		return true;
	case '>':
		fputs("&gt;", out);
		return true;
	case '"':
		fputs("&quot;", out);
		return true;
	case '\'':
		fputs("&#39;", out);
		return true;
	default:
		break;
	}
	/* HTML has no way to write a control character. */
	if ((cp >= 0x20 || cp == '\n' || cp == '\t') && (cp < 0x7f || cp > 0x9f))
		return false;
	fputs("\xef\xbf\xbd", out);
	return true;
}

void pgf_escape_html(FILE *out, const char *text)
{
	put_text(out, text, special_html);
}

static bool special_csv(FILE *out, uint32_t cp)
{
	char escape[5];

	if (cp == '"') {
		fputs("\"\"", out);
		return true;
	}
	if ((cp >= 0x20 || cp == '\n' || cp == '\r' || cp == '\t') && (cp < 0x7f || cp > 0x9f))
		return false;
	escape_byte(escape, (unsigned char)cp);
	fputs(escape, out);
	return true;
}

void pgf_escape_csv(FILE *out, const char *text)
{
	/* A spreadsheet takes a field that begins so for a formula. */
	bool formula = text && *text && strchr("=+-@\t\r", *text);

	if (text && !formula && !strpbrk(text, ",\"\r\n")) {
		put_text(out, text, special_csv);
		return;
	}
	if (!text)
		return;
	putc('"', out);
	if (formula)
		putc('\'', out);
	put_text(out, text, special_csv);
	putc('"', out);
}
