/* SPDX-License-Identifier: BSD-2-Clause */
/* `pgfault kinds`: what each kind of fault is, costs, and what one can do about it. */
#include "cmd/cmd.h"

#include <string.h>

#include "show/escape.h"

static const char usage[] =
        "usage: pgfault kinds [--json] [-o FILE]\n"
        "\n"
        "Prints every kind of page fault: what the kernel does, what it costs, and what\n"
        "one can do about it.\n";

/* Fills lines of at most 78 columns; the first one has its own head. */
static void write_wrapped(FILE *out, const char *head, const char *text)
{
	size_t column = 0;

	column += (size_t)fprintf(out, "  %-9s", head);
	while (*text) {
		size_t len = strcspn(text, " ");

		if (column + len + 1 > 78) {
			fprintf(out, "\n%11s", "");
			column = 11;
		}
		fprintf(out, "%.*s", (int)len, text);
		column += len;
		text += len;
		while (*text == ' ')
			text++;
		if (*text) {
			fputc(' ', out);
			column++;
		}
	}
	fputc('\n', out);
}

static void write_text(FILE *out)
{
	for (unsigned int kind = 1; kind < PGF_KIND_COUNT; kind++) {
		const struct pgf_kind_info *info = pgf_kind_info(kind);

		fprintf(out, "%s (%s)\n", info->name, info->label);
		write_wrapped(out, "does", info->does);
		write_wrapped(out, "costs", info->costs);
		write_wrapped(out, "remedy", info->remedy);
		fputc('\n', out);
	}
}

static void write_json(FILE *out)
{
	for (unsigned int kind = 0; kind < PGF_KIND_COUNT; kind++) {
		const struct pgf_kind_info *info = pgf_kind_info(kind);

		fprintf(out, "{\"type\":\"kind\",\"value\":%u,\"name\":", kind);
		pgf_escape_json(out, info->name);
		fputs(",\"class\":", out);
		pgf_escape_json(out, pgf_class_name(info->class));
		fputs(",\"label\":", out);
		pgf_escape_json(out, info->label);
		fputs(",\"does\":", out);
		pgf_escape_json(out, info->does);
		fputs(",\"costs\":", out);
		pgf_escape_json(out, info->costs);
		fputs(",\"remedy\":", out);
		pgf_escape_json(out, info->remedy);
		fputs("}\n", out);
	}
}

int pgf_cmd_kinds(int argc, char **argv)
{
	struct pgf_options options;
	FILE *out;
	int status;

	if (pgf_options_parse(&options, PGF_OPT_OUTPUT, usage, argc, argv, &status))
		return status;
	out = pgf_output_open(&options, stdout);
	if (!out)
		return PGF_EXIT_FAILURE;
	if (options.json)
		write_json(out);
	else
		write_text(out);
	return pgf_output_close(out, stdout) ? PGF_EXIT_FAILURE : 0;
}
