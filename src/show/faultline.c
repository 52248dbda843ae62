/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/faultline.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "account/account.h"
#include "show/colour.h"
#include "show/escape.h"
#include "show/fields.h"
#include "show/frames.h"
#include "show/naming.h"
#include "show/table.h"

#define COMM_WIDTH 12
#define KIND_WIDTH 14

/* A fault with all that a line needs. */
struct pgf_shown_fault {
	const struct pgf_line_opts *opts;
	const struct pgf_fault *fault;
	const struct pgf_map *map;
	const struct pgf_symbol *symbol;
	const struct pgf_frame *frames; /* NULL: not known */
	size_t frame_count;
};

int pgf_line_format_parse(const char *name)
{
	static const char *const names[] = {
	        [PGF_LINE_TABLE] = "table", [PGF_LINE_CLASSIC] = "classic",
	        [PGF_LINE_CALLS] = "calls", [PGF_LINE_RETURN] = "return",
	        [PGF_LINE_JSON] = "json",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

/* Text. */

static void put_padded(FILE *out, const char *text, int width)
{
	char escaped[4 * PGF_COMM_LEN + 256];
	char cut[4 * PGF_COMM_LEN + 256];
	int used;

	pgf_escape_terminal(escaped, sizeof(escaped), text);
	used = pgf_table_cut(cut, sizeof(cut), escaped, width);
	fprintf(out, "%s%*s ", cut, width - used, "");
}

/* "w" write, "r" read, "x" fetch, then "u" user or "k" kernel mode; "?" where not known. */
static void access_text(char text[3], const struct pgf_access *access)
{
	static const char op[] = {'?', 'r', 'w', 'x'};
	static const char mode[] = {'?', 'u', 'k'};

	text[0] = access->op < sizeof(op) ? op[access->op] : '?';
	text[1] = access->mode < sizeof(mode) ? mode[access->mode] : '?';
	text[2] = '\0';
}

static const char *end_text(const struct pgf_fault *fault)
{
	if (fault->flags & PGF_F_FAILED)
		return "sig";
	if (fault->flags & PGF_F_UNFINISHED)
		return "?";
	return fault->flags & PGF_F_MAJOR ? "maj" : "min";
}

static bool has_duration(const struct pgf_fault *fault)
{
	return !(fault->flags & (PGF_F_NO_DURATION | PGF_F_UNFINISHED));
}

static void kind_text(char *buf, size_t size, const struct pgf_fault *fault,
                      const struct pgf_map *map)
{
	pgf_naming_kind_id(buf, size, fault->kind, pgf_account_class(fault, map));
	if (fault->flags & PGF_F_INFERRED)
		strncat(buf, "~", size - strlen(buf) - 1);
}

static void write_time(FILE *out, const struct pgf_line_opts *opts, const struct pgf_fault *fault)
{
	uint64_t ns = fault->time_ns > opts->start_ns ? fault->time_ns - opts->start_ns : 0;

	if (opts->timestamps)
		fprintf(out, "%5" PRIu64 ".%06" PRIu64 " ", ns / 1000000000, ns / 1000 % 1000000);
}

static void write_table(FILE *out, const struct pgf_shown_fault *shown)
{
	const struct pgf_fault *fault = shown->fault;
	int taken = (shown->opts->timestamps ? 13 : 0) + 75;
	char access[3];
	char kind[64];
	char text[1024];
	char code[4096];
	char place[512];

	write_time(out, shown->opts, fault);
	access_text(access, &fault->access);
	kind_text(kind, sizeof(kind), fault, shown->map);
	fprintf(out, "%7u %7u ", fault->pid, fault->tid);
	put_padded(out, fault->comm, COMM_WIDTH);
	fprintf(out, "%12" PRIx64 " %-2s ", (uint64_t)fault->access.address, access);
	put_padded(out, kind, KIND_WIDTH);
	fprintf(out, "%-3s ", end_text(fault));
	if (has_duration(fault))
		fprintf(out, "%9" PRIu64 " ", (uint64_t)fault->duration_ns);
	else
		fprintf(out, "%9s ", "?");
	pgf_naming_code(text, sizeof(text), shown->symbol,
	                fault->flags & PGF_F_NO_IP ? 0 : fault->ip);
	pgf_naming_place(place, sizeof(place), shown->symbol);
	if (*place && shown->symbol->func) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, " (%s)", place);
	}
	pgf_escape_terminal(code, sizeof(code), text);
	if (shown->opts->width > 0) {
		char cut[4096];
		int room = shown->opts->width - taken;

		pgf_table_cut(cut, sizeof(cut), code, room > 6 ? room : 6);
		fprintf(out, "%s\n", cut);
	} else {
		fprintf(out, "%s\n", code);
	}
}

/*
 * PID EXIT_CODE COMM DURATION_NS. The exit code is that of the task so far, and a task that
 * takes a fault has not ended.
 */
static void write_classic(FILE *out, const struct pgf_shown_fault *shown)
{
	const struct pgf_fault *fault = shown->fault;
	char comm[4 * PGF_COMM_LEN + 1];
	char duration[24] = "?";

	if (has_duration(fault))
		snprintf(duration, sizeof(duration), "%" PRIu64, (uint64_t)fault->duration_ns);
	pgf_escape_terminal(comm, sizeof(comm), fault->comm);
	write_time(out, shown->opts, fault);
	fprintf(out, "%-7u %-9d %-16s %s\n", fault->pid, 0, comm, duration);
}

static void write_calls(FILE *out, const struct pgf_shown_fault *shown)
{
	char comm[4 * PGF_COMM_LEN + 1];

	pgf_escape_terminal(comm, sizeof(comm), shown->fault->comm);
	write_time(out, shown->opts, shown->fault);
	fprintf(out, "pid: %u, comm: %s called handle_mm_fault\n", shown->fault->pid, comm);
}

static void write_return(FILE *out, const struct pgf_shown_fault *shown)
{
	const struct pgf_fault *fault = shown->fault;
	char bits[256];

	write_time(out, shown->opts, fault);
	if (!shown->opts->vm_fault_known || fault->flags & PGF_F_UNFINISHED) {
		fputs("Return value: ?\n", out);
		return;
	}
	fprintf(out, "Return value: %u", fault->vm_fault);
	if (shown->opts->vmf_abi >= 0) {
		pgf_vmf_text((enum pgf_vmf_abi)shown->opts->vmf_abi, (int)fault->vm_fault, bits,
		             sizeof(bits));
		fprintf(out, " (%s)", bits);
	}
	putc('\n', out);
}

/* JSON. */

static const struct pgf_fault *fault_of(const void *object)
{
	return ((const struct pgf_shown_fault *)object)->fault;
}

static void put_time(FILE *out, const void *object)
{
	fprintf(out, "%" PRIu64, (uint64_t)fault_of(object)->time_ns);
}

static void put_duration(FILE *out, const void *object)
{
	if (has_duration(fault_of(object)))
		fprintf(out, "%" PRIu64, (uint64_t)fault_of(object)->duration_ns);
	else
		fputs("null", out);
}

static void put_pid(FILE *out, const void *object)
{
	fprintf(out, "%u", fault_of(object)->pid);
}

static void put_tid(FILE *out, const void *object)
{
	fprintf(out, "%u", fault_of(object)->tid);
}

static void put_cpu(FILE *out, const void *object)
{
	fprintf(out, "%u", fault_of(object)->cpu);
}

static void put_cgroup(FILE *out, const void *object)
{
	fprintf(out, "%" PRIu64, (uint64_t)fault_of(object)->cgroup);
}

static void put_comm(FILE *out, const void *object)
{
	char comm[PGF_COMM_LEN + 1];

	memcpy(comm, fault_of(object)->comm, PGF_COMM_LEN);
	comm[PGF_COMM_LEN] = '\0';
	pgf_escape_json(out, comm);
}

static void put_hex(FILE *out, uint64_t value, bool known)
{
	if (known)
		fprintf(out, "\"0x%" PRIx64 "\"", value);
	else
		fputs("null", out);
}

static void put_address(FILE *out, const void *object)
{
	put_hex(out, fault_of(object)->access.address, true);
}

static void put_ip(FILE *out, const void *object)
{
	const struct pgf_fault *fault = fault_of(object);

	put_hex(out, fault->ip, fault->ip && !(fault->flags & PGF_F_NO_IP));
}

static void put_symbol(FILE *out, const void *object)
{
	pgf_naming_symbol_json(out, ((const struct pgf_shown_fault *)object)->symbol);
}

static void put_op(FILE *out, const void *object)
{
	pgf_escape_json(out, pgf_op_name(fault_of(object)->access.op));
}

static void put_mode(FILE *out, const void *object)
{
	static const char *const mode[] = {"unknown", "user", "kernel"};
	unsigned int value = fault_of(object)->access.mode;

	pgf_escape_json(out, mode[value < 3 ? value : 0]);
}

static void put_code(FILE *out, const void *object)
{
	const struct pgf_access *access = &fault_of(object)->access;

	put_hex(out, access->raw, access->known);
}

static void put_kind(FILE *out, const void *object)
{
	pgf_escape_json(out, pgf_kind_name(fault_of(object)->kind));
}

/* Names separated by sep, as an array. */
static void put_list(FILE *out, char *text, const char *sep)
{
	const char *separator = "";
	char *rest = NULL;
	char *name;

	putc('[', out);
	for (name = strtok_r(text, sep, &rest); name; name = strtok_r(NULL, sep, &rest)) {
		fputs(separator, out);
		pgf_escape_json(out, name);
		separator = ",";
	}
	putc(']', out);
}

static void put_leaves(FILE *out, const void *object)
{
	char text[1024];

	pgf_set_text(fault_of(object)->leaves, text, sizeof(text));
	put_list(out, text, "|");
}

static void put_flags(FILE *out, const void *object)
{
	char text[512];

	pgf_flags_text(fault_of(object)->flags, text, sizeof(text));
	put_list(out, text, ",");
}

static void put_end(FILE *out, const void *object)
{
	const struct pgf_fault *fault = fault_of(object);
	const char *end = end_text(fault);

	pgf_escape_json(out, *end == '?' ? "unfinished" : *end == 's' ? "failed" : end);
}

static void put_vm_fault(FILE *out, const void *object)
{
	const struct pgf_shown_fault *shown = object;

	if (shown->opts->vm_fault_known)
		fprintf(out, "%u", shown->fault->vm_fault);
	else
		fputs("null", out);
}

static void put_signal(FILE *out, const void *object)
{
	const struct pgf_fault *fault = fault_of(object);

	if (fault->signo)
		fprintf(out, "%u", fault->signo);
	else
		fputs("null", out);
}

static void put_map(FILE *out, const void *object)
{
	const struct pgf_map *map = ((const struct pgf_shown_fault *)object)->map;

	if (!map) {
		fputs("null", out);
		return;
	}
	fputs("{\"name\":", out);
	pgf_escape_json(out, map->name);
	fprintf(out,
	        ",\"map_type\":\"%s\",\"start\":\"0x%" PRIx64 "\",\"end\":\"0x%" PRIx64
	        "\",\"pgoff\":%" PRIu64 "}",
	        pgf_map_type_name(map->type), map->start, map->end, map->pgoff);
}

static void put_stack(FILE *out, const void *object)
{
	const struct pgf_shown_fault *shown = object;

	if (shown->frames)
		pgf_frames_json(out, shown->frames, shown->frame_count);
	else
		fputs("null", out);
}

#define PUT(name, put, schema, about)                                                              \
	{                                                                                          \
		name, PGF_FIELD_CUSTOM, 0, about, NULL, put, schema                                \
	}
#define INTEGER  "\"type\":\"integer\",\"minimum\":0"
#define NULL_INT "\"type\":[\"integer\",\"null\"],\"minimum\":0"
#define STRING   "\"type\":\"string\""
#define NULL_HEX "\"type\":[\"string\",\"null\"],\"pattern\":\"^0x[0-9a-f]+$\""
#define STRINGS  "\"type\":\"array\",\"items\":{\"type\":\"string\"}"

static const struct pgf_field fault_fields[] = {
        PUT("time_ns", put_time, INTEGER, "entry, CLOCK_MONOTONIC"),
        PUT("duration_ns", put_duration, NULL_INT, "null: not known"),
        PUT("pid", put_pid, INTEGER, NULL),
        PUT("tid", put_tid, INTEGER, NULL),
        PUT("cpu", put_cpu, INTEGER, NULL),
        PUT("comm", put_comm, STRING, NULL),
        PUT("cgroup", put_cgroup, INTEGER, "cgroup v2 id, 0: not known"),
        PUT("address", put_address, "\"type\":\"string\",\"pattern\":\"^0x[0-9a-f]+$\"", NULL),
        PUT("ip", put_ip, NULL_HEX, NULL),
        PUT("symbol", put_symbol, PGF_NAMING_SYMBOL_SCHEMA, "of ip"),
        PUT("op", put_op, STRING, NULL),
        PUT("mode", put_mode, STRING, NULL),
        PUT("error_code", put_code, NULL_HEX, "as the hardware gave it"),
        PUT("kind", put_kind, STRING, "unknown: the evidence singles none out"),
        PUT("leaves", put_leaves, STRINGS, "all kinds that the evidence allows"),
        PUT("end", put_end, STRING, "min, maj, failed or unfinished"),
        PUT("flags", put_flags, STRINGS, NULL),
        PUT("vm_fault", put_vm_fault, NULL_INT, "result of handle_mm_fault"),
        PUT("signal", put_signal, NULL_INT, "sent inside the fault"),
        PUT("map", put_map,
            "\"type\":[\"object\",\"null\"],\"properties\":{\"name\":{\"type\":\"string\"},"
            "\"map_type\":{\"type\":\"string\"},\"start\":{\"type\":\"string\"},\"end\":{"
            "\"type\":\"string\"},\"pgoff\":{\"type\":\"integer\"}}",
            "mapping of the address"),
        PUT("stack", put_stack, PGF_FRAMES_SCHEMA,
            "innermost first; symbols of callers are those of the call; null: not known"),
        {NULL, PGF_FIELD_TEXT, 0, NULL, NULL, NULL, NULL},
};

const struct pgf_line_type pgf_line_fault = {"fault", "one fault", fault_fields};

int pgf_faultline_header(FILE *out, const struct pgf_line_opts *opts)
{
	if (opts->format != PGF_LINE_TABLE && opts->format != PGF_LINE_CLASSIC)
		return 0;
	fputs(pgf_colour_on(opts->colour, PGF_COLOUR_DIM), out);
	if (opts->timestamps)
		fprintf(out, "%12s ", "TIME");
	if (opts->format == PGF_LINE_CLASSIC)
		fprintf(out, "%-7s %-9s %-16s %s", "PID", "EXIT_CODE", "COMM", "DURATION_NS");
	else
		fprintf(out, "%7s %7s %-*s %12s %-2s %-*s %-3s %9s %s", "PID", "TID", COMM_WIDTH,
		        "COMM", "ADDRESS", "AC", KIND_WIDTH, "KIND", "END", "NS", "CODE");
	fprintf(out, "%s\n", pgf_colour_off(opts->colour));
	return ferror(out) ? -EIO : 0;
}

int pgf_faultline_write(FILE *out, const struct pgf_line_opts *opts, const struct pgf_fault *fault,
                        const struct pgf_map *map, const struct pgf_symbol *symbol)
{
	return pgf_faultline_stacked(out, opts, fault, map, symbol, NULL, 0);
}

int pgf_faultline_stacked(FILE *out, const struct pgf_line_opts *opts,
                          const struct pgf_fault *fault, const struct pgf_map *map,
                          const struct pgf_symbol *symbol, const struct pgf_frame *frames,
                          size_t count)
{
	const struct pgf_shown_fault shown = {opts, fault, map, symbol, frames, count};

	switch (opts->format) {
	case PGF_LINE_TABLE:
		write_table(out, &shown);
		if (frames)
			pgf_frames_text(out, frames, count, opts->width);
		break;
	case PGF_LINE_CLASSIC:
		write_classic(out, &shown);
		break;
	case PGF_LINE_CALLS:
		write_calls(out, &shown);
		break;
	case PGF_LINE_RETURN:
		write_return(out, &shown);
		break;
	case PGF_LINE_JSON:
		pgf_fields_line(out, &pgf_line_fault, &shown);
		break;
	}
	return ferror(out) ? -EIO : 0;
}

int pgf_faultline_exit(FILE *out, const struct pgf_line_opts *opts,
                       const struct pgf_space_event *event, const char *comm)
{
	const struct pgf_fault at = {.time_ns = event->time_ns};
	int status = event->exit_code;
	char name[4 * PGF_COMM_LEN + 1];

	if (opts->format != PGF_LINE_TABLE || status < 0)
		return 0;
	pgf_escape_terminal(name, sizeof(name), comm);
	write_time(out, opts, &at);
	fprintf(out, "%7u %7u %-16s ", event->pid, event->tid, name);
	if (WIFSIGNALED(status))
		fprintf(out, "ended by signal %d\n", WTERMSIG(status));
	else
		fprintf(out, "ended with exit code %d\n", WEXITSTATUS(status));
	return ferror(out) ? -EIO : 0;
}
