/* SPDX-License-Identifier: BSD-2-Clause */
/* --strict and --assert: what makes pgfault's own verdict the exit status. */
#include "cmd/cmd.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 40

struct assertion {
	char name[NAME_MAX_LEN];
	char op[3];
	uint64_t value;
};

/* NAME OP NUMBER; NAME is a total or a kind. */
static int assert_parse(const char *text, struct assertion *a)
{
	size_t len = strcspn(text, "=!<> ");
	const char *p = text + len;
	char *end;

	if (len == 0 || len >= sizeof(a->name))
		return -EINVAL;
	memcpy(a->name, text, len);
	a->name[len] = '\0';
	while (*p == ' ')
		p++;
	len = strspn(p, "=!<>");
	if (len == 0 || len > 2)
		return -EINVAL;
	memcpy(a->op, p, len);
	a->op[len] = '\0';
	p += len;
	while (*p == ' ')
		p++;
	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	errno = 0;
	a->value = strtoull(p, &end, 10);
	if (errno || *end)
		return -EINVAL;
	if (strcmp(a->op, "==") && strcmp(a->op, "!=") && strcmp(a->op, "<") &&
	    strcmp(a->op, "<=") && strcmp(a->op, ">") && strcmp(a->op, ">="))
		return -EINVAL;
	return 0;
}

static const char *const total_names[] = {"faults", "minor",      "major",
                                          "failed", "unfinished", "lost"};

int pgf_assert_check(const char *expression)
{
	struct assertion a;
	int ret = assert_parse(expression, &a);

	if (ret)
		return ret;
	for (size_t i = 0; i < sizeof(total_names) / sizeof(total_names[0]); i++)
		if (!strcmp(a.name, total_names[i]))
			return 0;
	return pgf_kind_parse(a.name) < 0 ? -EINVAL : 0;
}

static int total_value(const char *name, const struct pgf_totals *t, uint64_t *value)
{
	if (!strcmp(name, "faults"))
		*value = t->seen;
	else if (!strcmp(name, "minor"))
		*value = t->minor;
	else if (!strcmp(name, "major"))
		*value = t->major;
	else if (!strcmp(name, "failed"))
		*value = t->failed;
	else if (!strcmp(name, "unfinished"))
		*value = t->unfinished;
	else if (!strcmp(name, "lost"))
		*value = t->lost_events + t->lost_detail + t->lost_space + t->lost_stacks;
	else
		return -ENOENT;
	return 0;
}

static int kind_value(const char *name, struct pgf_account *account, uint64_t *value)
{
	int kind = pgf_kind_parse(name), ret;
	struct pgf_rows *rows;

	if (kind < 0)
		return -EINVAL;
	ret = pgf_account_rows(account, PGF_BY_KIND, PGF_SORT_COUNT, 0, NULL, &rows);
	if (ret)
		return ret;
	*value = 0;
	for (size_t i = 0; i < rows->count; i++)
		if (rows->row[i].kind == kind)
			*value += rows->row[i].stat.count;
	pgf_rows_free(rows);
	return 0;
}

int pgf_assert_eval(const char *expression, const struct pgf_totals *totals,
                    struct pgf_account *account, uint64_t *value)
{
	struct assertion a;
	int ret = assert_parse(expression, &a);

	if (ret)
		return ret;
	if (total_value(a.name, totals, value)) {
		ret = kind_value(a.name, account, value);
		if (ret)
			return ret;
	}
	switch (a.op[0]) {
	case '=':
		return *value == a.value;
	case '!':
		return *value != a.value;
	case '<':
		return a.op[1] ? *value <= a.value : *value < a.value;
	default:
		return a.op[1] ? *value >= a.value : *value > a.value;
	}
}

int pgf_exit_status(const struct pgf_options *o, const struct pgf_totals *totals,
                    struct pgf_account *account, bool command_ended, int wait_status)
{
	uint64_t lost = totals->lost_events + totals->lost_detail + totals->lost_space +
	                totals->lost_stacks;
	int status = command_ended ? pgf_exit_of(wait_status) : 0;

	if (o->strict && lost) {
		pgf_complain("--strict: %llu events were lost", (unsigned long long)lost);
		status = PGF_EXIT_LOST;
	}
	for (size_t i = 0; i < o->assert_count; i++) {
		uint64_t value = 0;
		int held = pgf_assert_eval(o->asserts[i], totals, account, &value);

		if (held == 1)
			continue;
		if (held < 0)
			pgf_complain("--assert %s: %s", o->asserts[i], strerror(-held));
		else
			pgf_complain("--assert %s: does not hold, the value is %llu", o->asserts[i],
			             (unsigned long long)value);
		status = PGF_EXIT_ASSERT;
	}
	return status;
}
