/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/naming.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "show/escape.h"

static bool is_unknown_class(unsigned int class)
{
	return class == PGF_CLASS_UNKNOWN || class >= PGF_CLASS_COUNT;
}

char *pgf_naming_kind(char *buf, size_t size, unsigned int kind, unsigned int class)
{
	if (kind != PGF_UNKNOWN)
		snprintf(buf, size, "%s", pgf_kind_label(kind));
	else if (is_unknown_class(class))
		snprintf(buf, size, "?");
	else if (class == PGF_CLASS_FAILED) /* a signal, EFAULT, refused, or no end was seen */
		snprintf(buf, size, "? not served");
	else
		snprintf(buf, size, "? %s", pgf_class_name(class));
	return buf;
}

char *pgf_naming_kind_id(char *buf, size_t size, unsigned int kind, unsigned int class)
{
	if (kind != PGF_UNKNOWN)
		snprintf(buf, size, "%s", pgf_kind_name(kind));
	else if (is_unknown_class(class))
		snprintf(buf, size, "?");
	else
		snprintf(buf, size, "?%s", pgf_class_name(class));
	return buf;
}

char *pgf_naming_kinds(char *buf, size_t size, const struct pgf_row *row)
{
	char name[48];
	size_t used = 0;
	uint32_t i;

	buf[0] = '\0';
	for (i = 0; i < row->kind_count && used < size; i++) {
		const struct pgf_row_kind *kind = &row->kinds[i];

		pgf_naming_kind_id(name, sizeof(name), kind->kind, kind->class);
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "", name);
	}
	return buf;
}

/* What stands behind the last n slashes. */
static const char *last_parts(const char *path, int n)
{
	const char *at = path + strlen(path);

	while (at > path) {
		if (at[-1] == '/' && n-- == 1)
			break;
		at--;
	}
	return *at ? at : path;
}

char *pgf_naming_map(char *buf, size_t size, const char *map, unsigned int type)
{
	if (!map) {
		snprintf(buf, size, "?");
	} else if (!*map || strcmp(map, "//anon") == 0) {
		snprintf(buf, size, "[%s]", pgf_map_type_name(type ? type : PGF_MAP_ANON));
	} else if (map[0] == '/') {
		snprintf(buf, size, "%s", last_parts(map, 1));
	} else {
		snprintf(buf, size, "%s", map);
	}
	return buf;
}

char *pgf_naming_code(char *buf, size_t size, const struct pgf_symbol *symbol, uint64_t ip)
{
	if (symbol && symbol->func)
		snprintf(buf, size, "%s", symbol->func);
	else if (symbol && symbol->path[0] == '/')
		snprintf(buf, size, "%s+0x%" PRIx64, symbol->module, symbol->offset);
	else if (symbol && symbol->module[0] == '[')
		snprintf(buf, size, "%s", symbol->module);
	else if (ip)
		snprintf(buf, size, "0x%" PRIx64, ip);
	else
		snprintf(buf, size, "?");
	return buf;
}

char *pgf_naming_place(char *buf, size_t size, const struct pgf_symbol *symbol)
{
	buf[0] = '\0';
	if (symbol && symbol->file && symbol->line)
		snprintf(buf, size, "%s:%u", last_parts(symbol->file, 2), symbol->line);
	else if (symbol && strcmp(symbol->module, "?") != 0)
		snprintf(buf, size, "%s", symbol->module);
	return buf;
}

char *pgf_naming_row(char *buf, size_t size, const struct pgf_row *row)
{
	char kind[48];
	char map[512];

	switch (row->by) {
	case PGF_BY_KIND:
		return pgf_naming_kind(buf, size, row->kind, row->class);
	case PGF_BY_MAP:
		return pgf_naming_map(buf, size, row->map, row->map_type);
	case PGF_BY_KIND_MAP:
		snprintf(buf, size, "%s: %s",
		         pgf_naming_map(map, sizeof(map), row->map, row->map_type),
		         pgf_naming_kind(kind, sizeof(kind), row->kind, row->class));
		return buf;
	case PGF_BY_PROCESS:
	case PGF_BY_THREAD:
		if (row->pid)
			snprintf(buf, size, "%s", row->comm && *row->comm ? row->comm : "?");
		else
			snprintf(buf, size, "(other)");
		return buf;
	case PGF_BY_CGROUP:
		snprintf(buf, size, "%" PRIu64, row->cgroup);
		return buf;
	case PGF_BY_STACK:
		if (!row->frame_count) {
			snprintf(buf, size, "(no stack)");
			return buf;
		}
		return pgf_naming_code(buf, size, row->symbol, row->ip);
	default:
		return pgf_naming_code(buf, size, row->symbol, row->ip);
	}
}

char *pgf_naming_status(char *buf, size_t size, int status)
{
	buf[0] = '\0';
	if (status < 0)
		return buf;
	if (WIFEXITED(status))
		snprintf(buf, size, "exit %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		snprintf(buf, size, "killed by signal %d", WTERMSIG(status));
	return buf;
}

static void put_text(FILE *out, const char *name, const char *text)
{
	fprintf(out, "\"%s\":", name);
	if (text)
		pgf_escape_json(out, text);
	else
		fputs("null", out);
	putc(',', out);
}

static void put_line(FILE *out, uint32_t line)
{
	if (line)
		fprintf(out, "\"line\":%u", line);
	else
		fputs("\"line\":null", out);
}

void pgf_naming_symbol_json(FILE *out, const struct pgf_symbol *symbol)
{
	uint32_t i;

	if (!symbol) {
		fputs("null", out);
		return;
	}
	putc('{', out);
	put_text(out, "func", symbol->func);
	put_text(out, "file", symbol->file);
	put_line(out, symbol->line);
	putc(',', out);
	put_text(out, "module", symbol->module);
	put_text(out, "path", symbol->path);
	fprintf(out, "\"offset\":%" PRIu64 ",\"exact\":%s,\"inlines\":[", symbol->offset,
	        symbol->exact ? "true" : "false");
	for (i = 0; i < symbol->inline_count; i++) {
		fputs(i ? ",{" : "{", out);
		put_text(out, "func", symbol->inlines[i].func);
		put_text(out, "file", symbol->inlines[i].file);
		put_line(out, symbol->inlines[i].line);
		putc('}', out);
	}
	fputs("]}", out);
}
