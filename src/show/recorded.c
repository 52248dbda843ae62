/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/recorded.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "show/closing.h"
#include "show/escape.h"
#include "show/fields.h"

char *pgf_recorded_when(char *buf, size_t size, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / 1000000000);
	struct tm tm;

	if (!wall_ns || !localtime_r(&seconds, &tm) ||
	    !strftime(buf, size, "%Y-%m-%d %H:%M:%S %z", &tm))
		snprintf(buf, size, "?");
	return buf;
}

char *pgf_recorded_command(char *buf, size_t size, const struct pgf_record_info *info)
{
	size_t used = 0;

	snprintf(buf, size, "?");
	for (size_t at = 0; info->command && at < info->command_size && used < size;) {
		used += (size_t)snprintf(buf + used, size - used, "%s%s", at ? " " : "",
		                         info->command + at);
		at += strlen(info->command + at) + 1;
	}
	return buf;
}

static const char *known(const char *text)
{
	return text && *text ? text : "?";
}

/* perf.data does not tell its writer's version. */
static const char *by_format(const char *format)
{
	return strcmp(format, "perf.data") == 0 ? "perf record" : "?";
}

int pgf_recorded_write(FILE *out, const struct pgf_recorded *r, int width, bool colour)
{
	const struct pgf_record_info *info = r->info;
	char text[2048], command[512], when[40];
	size_t used;

	used = (size_t)snprintf(text, sizeof(text), "%s on %s, Linux %s%s%s, %s tier, by %s",
	                        pgf_recorded_when(when, sizeof(when), r->wall_ns),
	                        known(info->host), known(info->release), *info->machine ? " " : "",
	                        info->machine, known(r->tier),
	                        *info->tool ? info->tool : by_format(r->format));
	if (*info->options && used < sizeof(text)) {
		size_t length = strlen(info->options);

		/* They may end with a blank. */
		while (length && info->options[length - 1] == ' ')
			length--;
		used += (size_t)snprintf(text + used, sizeof(text) - used, " (%.*s)", (int)length,
		                         info->options);
	}
	if (r->with_command && info->command && used < sizeof(text))
		snprintf(text + used, sizeof(text) - used, ": %s",
		         pgf_recorded_command(command, sizeof(command), info));
	pgf_closing_wrap(out, width > 0 ? width : 80, colour, PGF_COLOUR_DIM, "recorded: ", text);
	return ferror(out) ? -EIO : 0;
}

/* JSON. */

static const struct pgf_recorded *recorded_of(const void *object)
{
	return object;
}

static void put_text(FILE *out, const char *text)
{
	if (text && *text)
		pgf_escape_json(out, text);
	else
		fputs("null", out);
}

static void put_number(FILE *out, uint64_t value)
{
	if (value)
		fprintf(out, "%" PRIu64, value);
	else
		fputs("null", out);
}

static void put_when(FILE *out, const void *object)
{
	put_number(out, recorded_of(object)->wall_ns);
}

static void put_host(FILE *out, const void *object)
{
	put_text(out, recorded_of(object)->info->host);
}

static void put_machine(FILE *out, const void *object)
{
	put_text(out, recorded_of(object)->info->machine);
}

static void put_tool(FILE *out, const void *object)
{
	put_text(out, recorded_of(object)->info->tool);
}

static void put_options(FILE *out, const void *object)
{
	put_text(out, recorded_of(object)->info->options);
}

static void put_cpus(FILE *out, const void *object)
{
	put_number(out, recorded_of(object)->info->cpus);
}

static void put_page_size(FILE *out, const void *object)
{
	put_number(out, recorded_of(object)->info->page_size);
}

static void put_command(FILE *out, const void *object)
{
	const struct pgf_record_info *info = recorded_of(object)->info;

	if (!info->command) {
		fputs("null", out);
		return;
	}
	putc('[', out);
	for (size_t at = 0; at < info->command_size;) {
		if (at)
			putc(',', out);
		pgf_escape_json(out, info->command + at);
		at += strlen(info->command + at) + 1;
	}
	putc(']', out);
}

#define PUT(name, put, schema, about)                                                              \
	{                                                                                          \
		name, PGF_FIELD_CUSTOM, 0, about, NULL, put, schema                                \
	}
#define MEMBER(member, type, about)                                                                \
	{                                                                                          \
#member, type, offsetof(struct pgf_recorded, member), about, NULL, NULL, NULL      \
	}
#define NULL_TEXT   "\"type\":[\"string\",\"null\"]"
#define NULL_NUMBER "\"type\":[\"integer\",\"null\"],\"minimum\":0"

static const struct pgf_field recorded_fields[] = {
        MEMBER(file, PGF_FIELD_TEXT, "as it was named"),
        MEMBER(format, PGF_FIELD_TEXT, "pgf or perf.data"),
        PUT("start_wall_ns", put_when, NULL_NUMBER, "since 1970; null: not known"),
        PUT("host", put_host, NULL_TEXT, NULL),
        PUT("machine", put_machine, NULL_TEXT, NULL),
        PUT("cpus", put_cpus, NULL_NUMBER, "online"),
        PUT("page_size", put_page_size, NULL_NUMBER, NULL),
        PUT("tool", put_tool, NULL_TEXT, "that recorded"),
        PUT("options", put_options, NULL_TEXT, "of the tool"),
        PUT("command", put_command, "\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\"}",
            "its arguments"),
        MEMBER(trouble, PGF_FIELD_TEXT, "why not all of it was read; null: it is whole"),
        MEMBER(filtered, PGF_FIELD_BOOL, "not all of its faults are shown"),
        {NULL, PGF_FIELD_TEXT, 0, NULL, NULL, NULL, NULL},
};

const struct pgf_line_type pgf_line_recording = {"recording", "of a report: where it comes from",
                                                 recorded_fields};

int pgf_recorded_json(FILE *out, const struct pgf_recorded *recorded)
{
	pgf_fields_line(out, &pgf_line_recording, recorded);
	return ferror(out) ? -EIO : 0;
}
