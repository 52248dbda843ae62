/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/fields.h"

#include <inttypes.h>
#include <stdbool.h>

#include "show/escape.h"

static void put_fields(FILE *out, const struct pgf_field *field, const void *object, bool first);

static void put_value(FILE *out, const struct pgf_field *field, const void *object)
{
	const char *at = (const char *)object + field->offset;
	const char *text;
	uint32_t id;

	switch (field->type) {
	case PGF_FIELD_TEXT:
		text = *(const char *const *)(const void *)at;
		if (text)
			pgf_escape_json(out, text);
		else
			fputs("null", out);
		break;
	case PGF_FIELD_U8:
		fprintf(out, "%u", *(const uint8_t *)at);
		break;
	case PGF_FIELD_U32:
		fprintf(out, "%" PRIu32, *(const uint32_t *)(const void *)at);
		break;
	case PGF_FIELD_U64:
		fprintf(out, "%" PRIu64, *(const uint64_t *)(const void *)at);
		break;
	case PGF_FIELD_BOOL:
		fputs(*(const bool *)at ? "true" : "false", out);
		break;
	case PGF_FIELD_HEX:
		fprintf(out, "\"0x%" PRIx64 "\"", *(const uint64_t *)(const void *)at);
		break;
	case PGF_FIELD_ID:
		id = *(const uint32_t *)(const void *)at;
		if (id)
			fprintf(out, "%" PRIu32, id);
		else
			fputs("null", out);
		break;
	case PGF_FIELD_OBJECT:
		putc('{', out);
		put_fields(out, field->fields, at, true);
		putc('}', out);
		break;
	case PGF_FIELD_CUSTOM:
		field->put(out, object);
		break;
	}
}

static void put_fields(FILE *out, const struct pgf_field *field, const void *object, bool first)
{
	for (; field->name; field++) {
		fprintf(out, "%s\"%s\":", first ? "" : ",", field->name);
		put_value(out, field, object);
		first = false;
	}
}

void pgf_fields_line(FILE *out, const struct pgf_line_type *type, const void *object)
{
	fprintf(out, "{\"type\":\"%s\"", type->name);
	put_fields(out, type->fields, object, false);
	fputs("}\n", out);
}

static void put_properties(FILE *out, const struct pgf_field *fields, const char *line_type);

static void put_schema(FILE *out, const struct pgf_field *field)
{
	static const char *const schema[] = {
	        [PGF_FIELD_TEXT] = "\"type\":[\"string\",\"null\"]",
	        [PGF_FIELD_U8] = "\"type\":\"integer\",\"minimum\":0",
	        [PGF_FIELD_U32] = "\"type\":\"integer\",\"minimum\":0",
	        [PGF_FIELD_U64] = "\"type\":\"integer\",\"minimum\":0",
	        [PGF_FIELD_BOOL] = "\"type\":\"boolean\"",
	        [PGF_FIELD_HEX] = "\"type\":\"string\",\"pattern\":\"^0x[0-9a-f]+$\"",
	        [PGF_FIELD_ID] = "\"type\":[\"integer\",\"null\"],\"minimum\":1",
	};

	fprintf(out, "\"%s\":{", field->name);
	if (field->type == PGF_FIELD_OBJECT)
		put_properties(out, field->fields, NULL);
	else
		fputs(field->type == PGF_FIELD_CUSTOM ? field->schema : schema[field->type], out);
	if (field->about)
		fprintf(out, ",\"description\":\"%s\"", field->about);
	putc('}', out);
}

/* Lines and their objects carry all their members always; new ones may come. */
static void put_properties(FILE *out, const struct pgf_field *fields, const char *line_type)
{
	const struct pgf_field *field;

	fputs("\"type\":\"object\",\"properties\":{", out);
	if (line_type)
		fprintf(out, "\"type\":{\"const\":\"%s\"}%s", line_type, fields->name ? "," : "");
	for (field = fields; field->name; field++) {
		put_schema(out, field);
		if (field[1].name)
			putc(',', out);
	}
	fputs("},\"required\":[", out);
	if (line_type)
		fprintf(out, "\"type\"%s", fields->name ? "," : "");
	for (field = fields; field->name; field++)
		fprintf(out, "\"%s\"%s", field->name, field[1].name ? "," : "");
	putc(']', out);
}

void pgf_fields_schema(FILE *out, const struct pgf_line_type *type)
{
	fprintf(out, "{\"title\":\"%s\",\"description\":\"%s\",", type->name, type->about);
	put_properties(out, type->fields, type->name);
	putc('}', out);
}
