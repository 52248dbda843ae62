/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen/gen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int gen_skip(struct gen_result *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->skipped, sizeof(r->skipped), format, ap);
	va_end(ap);
	return GEN_SKIP;
}

int gen_fail(struct gen_result *r, int err, const char *what)
{
	snprintf(r->error, sizeof(r->error), "%s: %s", what, strerror(-err));
	return err;
}

void gen_note(struct gen_result *r, const char *format, ...)
{
	size_t used = strlen(r->notes);
	va_list ap;

	if (used && used + 3 < sizeof(r->notes)) {
		memcpy(r->notes + used, "; ", 3);
		used += 2;
	}
	va_start(ap, format);
	vsnprintf(r->notes + used, sizeof(r->notes) - used, format, ap);
	va_end(ap);
}

void gen_expect(struct gen_result *r, long long n, long long maj)
{
	r->expect_sum = n;
	r->expect_maj = maj;
	r->expect_perf = n;
	r->expect_user = n;
}

void gen_kind(struct gen_result *r, const char *kind, long long n)
{
	for (unsigned int i = 0; i < r->nkinds; i++) {
		if (!strcmp(r->kinds[i].name, kind)) {
			r->kinds[i].value += n;
			return;
		}
	}
	if (r->nkinds < GEN_KINDS_MAX)
		r->kinds[r->nkinds++] = (struct gen_count){kind, n};
}

void gen_evidence(struct gen_result *r, const char *name, long long value)
{
	if (r->nevidence < GEN_EVIDENCE_MAX)
		r->evidence[r->nevidence++] = (struct gen_count){name, value};
}

static void mismatch(struct gen_result *r, const char *name, long long got, const char *relation,
                     long long want)
{
	size_t used = strlen(r->mismatch);

	snprintf(r->mismatch + used, sizeof(r->mismatch) - used, "%s%s is %lld, expected %s%lld",
	         used ? "; " : "", name, got, relation, want);
}

void gen_check(struct gen_result *r, const char *name, long long got, long long want)
{
	gen_evidence(r, name, got);
	if (got != want)
		mismatch(r, name, got, "", want);
}

void gen_check_least(struct gen_result *r, const char *name, long long got, long long low)
{
	gen_evidence(r, name, got);
	if (got < low)
		mismatch(r, name, got, "at least ", low);
}

static void judge_one(struct gen_result *r, const char *name, long long got, long long want)
{
	if (want != GEN_ANY && got != want)
		mismatch(r, name, got, "", want);
}

bool gen_judge(struct gen_result *r)
{
	judge_one(r, "min+maj", r->min + r->maj, r->expect_sum);
	judge_one(r, "maj", r->maj, r->expect_maj);
	if (r->perf != GEN_ANY)
		judge_one(r, "perf", r->perf, r->expect_perf);
	if (r->perf_user != GEN_ANY)
		judge_one(r, "perf_user", r->perf_user, r->expect_user);
	for (unsigned int i = 0; i < r->ntasks; i++) {
		const struct gen_task *t = &r->tasks[i];

		if (t->expect != GEN_ANY && t->min != GEN_ANY && t->min + t->maj != t->expect)
			mismatch(r, "min+maj of a task", t->min + t->maj, "", t->expect);
	}
	return !r->mismatch[0];
}

void gen_result_free(struct gen_result *r)
{
	if (r->tasks)
		munmap(r->tasks, GEN_TASKS_MAX * sizeof(*r->tasks));
	free(r->steps);
	r->tasks = NULL;
	r->steps = NULL;
}
