/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen/report.h"

#include <inttypes.h>

static void put_text(FILE *out, const char *name, const char *text)
{
	fprintf(out, ",\"%s\":\"", name);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p < 0x20 || *p >= 0x7f)
			fprintf(out, "\\u%04x", *p);
		else
			fputc(*p, out);
	}
	fputc('"', out);
}

/* GEN_ANY, "not known", is null. */
static void put_number(FILE *out, const char *name, long long value)
{
	if (value == GEN_ANY)
		fprintf(out, ",\"%s\":null", name);
	else
		fprintf(out, ",\"%s\":%lld", name, value);
}

static void put_counts(FILE *out, const char *name, const struct gen_count *counts, unsigned int n)
{
	fprintf(out, ",\"%s\":{", name);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s\"%s\":%lld", i ? "," : "", counts[i].name, counts[i].value);
	fputc('}', out);
}

static void put_vmstat(FILE *out, const struct gen_result *r)
{
	const char *comma = "";

	fputs(",\"vmstat\":{", out);
	for (unsigned int i = 0; i < GEN_VM_COUNT; i++) {
		if (r->vmstat[i] <= 0)
			continue;
		fprintf(out, "%s\"%s\":%lld", comma, gen_vm_names[i], r->vmstat[i]);
		comma = ",";
	}
	fputc('}', out);
}

static void put_tasks(FILE *out, const struct gen_result *r)
{
	fputs(",\"tasks\":[", out);
	for (unsigned int i = 0; i < r->ntasks; i++) {
		const struct gen_task *t = &r->tasks[i];

		fprintf(out,
		        "%s{\"pid\":%d,\"tid\":%d,\"start\":\"0x%" PRIx64 "\",\"end\":\"0x%" PRIx64
		        "\"",
		        i ? "," : "", t->pid, t->tid, t->start, t->end);
		put_number(out, "expect", t->expect);
		put_number(out, "min", t->min);
		put_number(out, "maj", t->maj);
		fputc('}', out);
	}
	fputc(']', out);
}

static void put_steps(FILE *out, const struct gen_result *r)
{
	fputs(",\"faults\":[", out);
	for (size_t i = 0; i < r->nsteps; i++)
		fprintf(out, "%s[\"0x%" PRIx64 "\",\"%s\"]", i ? "," : "", r->steps[i].address,
		        r->steps[i].kind);
	fputc(']', out);
}

void gen_report_json(FILE *out, const struct gen_result *r, bool exact)
{
	fprintf(out, "{\"workload\":\"%s\",\"kind\":\"%s\"", r->workload, r->kind);
	if (r->skipped[0] || r->error[0]) {
		put_text(out, r->error[0] ? "error" : "skipped",
		         r->error[0] ? r->error : r->skipped);
		fputs("}\n", out);
		return;
	}
	put_text(out, "mode", r->mode);
	put_number(out, "expect", r->expect);
	put_number(out, "expect_sum", r->expect_sum);
	put_number(out, "expect_maj", r->expect_maj);
	put_number(out, "expect_perf", r->expect_perf);
	put_number(out, "expect_perf_user", r->expect_user);
	fprintf(out,
	        ",\"pid\":%d,\"tid\":%d,\"start\":\"0x%" PRIx64 "\",\"end\":\"0x%" PRIx64
	        "\",\"min\":%lld,\"maj\":%lld",
	        r->pid, r->tid, r->start, r->end, r->min, r->maj);
	if (r->start_ns)
		fprintf(out, ",\"start_ns\":%" PRIu64 ",\"stop_ns\":%" PRIu64, r->start_ns,
		        r->stop_ns);
	put_number(out, "perf", r->perf);
	put_number(out, "perf_user", r->perf_user);
	fprintf(out, ",\"signals\":%lld,\"exact\":%s", r->signals, exact ? "true" : "false");
	put_counts(out, "kinds", r->kinds, r->nkinds);
	put_counts(out, "evidence", r->evidence, r->nevidence);
	put_vmstat(out, r);
	if (r->ntasks)
		put_tasks(out, r);
	if (r->nsteps)
		put_steps(out, r);
	put_text(out, "notes", r->notes);
	if (!exact)
		put_text(out, "mismatch", r->mismatch);
	fputs("}\n", out);
}

void gen_report_text(FILE *out, const struct gen_result *r, bool exact)
{
	fprintf(out, "%-16s %-14s ", r->workload, r->kind);
	if (r->error[0])
		fprintf(out, "failed: %s\n", r->error);
	else if (r->skipped[0])
		fprintf(out, "skipped: %s\n", r->skipped);
	else
		fprintf(out, "%6lld expected %6lld min %5lld maj %5lld signals  %s\n", r->expect,
		        r->min, r->maj, r->signals, exact ? "exact" : "NOT EXACT");
}
