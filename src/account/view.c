/* SPDX-License-Identifier: BSD-2-Clause */
/* Views: groups of the tables added up by what one asks for, sorted, and named. */
#include "account/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How many of the hottest addresses are looked up and merged by function. */
#define SYMBOL_ROWS_MIN 512
#define SYMBOL_ROWS_MAX 8192

/* A view while it is being made. */
struct view {
	struct pgf_account *account;
	const struct pgf_groups *from;
	enum pgf_by by;
	enum pgf_sort sort;
	struct pgf_symbols *symbols;
	struct pgf_groups sums; /* by what is asked for */
	uint32_t *sum_of;       /* group of from -> group of sums; PGF_KEYS_NONE: left out */
	struct pgf_row *row;    /* by group of sums */
};

static uint32_t key_process(const struct pgf_key *key)
{
	return (uint32_t)(key->a >> 32);
}

static uint32_t key_what(const struct pgf_key *key)
{
	return (uint32_t)key->c & 0xff;
}

static uint32_t key_label(const struct pgf_key *key)
{
	return (uint32_t)(key->c >> 8);
}

static uint32_t row_of(const struct pgf_account *account, uint32_t process)
{
	return process ? account->process[process].row : 0;
}

static struct pgf_key view_key(const struct view *view, const struct pgf_key *key)
{
	uint32_t process;

	switch (view->by) {
	case PGF_BY_KIND:
		return (struct pgf_key){.a = key_what(key)};
	case PGF_BY_MAP:
		return (struct pgf_key){.a = key_label(key)};
	case PGF_BY_KIND_MAP:
		return (struct pgf_key){.a = key_label(key), .b = key_what(key)};
	case PGF_BY_PROCESS:
		return (struct pgf_key){.a = row_of(view->account, key_process(key))};
	case PGF_BY_THREAD:
		process = row_of(view->account, key_process(key));
		return (struct pgf_key){.a = process, .b = (uint32_t)key->a};
	case PGF_BY_CGROUP:
		return (struct pgf_key){.a = key->b};
	case PGF_BY_CODE:
	case PGF_BY_STACK:
		return (struct pgf_key){.a = key->a};
	case PGF_BY_DISCARD:
	case PGF_BY_COUNT:
		break;
	}
	return (struct pgf_key){.a = key->a, .b = key->b};
}

/* Whether a group of sums stands for this thread of the process: its comm is the best name. */
static bool is_leader(const struct view *view, const struct pgf_key *key)
{
	uint32_t process = key_process(key);

	return process && (uint32_t)key->a == view->account->process[process].pid;
}

static int add_up(struct view *view)
{
	const struct pgf_groups *from = view->from;
	uint32_t i;

	view->sums.max = UINT32_MAX;
	view->sum_of = calloc(from->keys.count + 1, sizeof(*view->sum_of));
	if (!view->sum_of)
		return -ENOMEM;
	for (i = 0; i < from->keys.count; i++) {
		const struct pgf_key *key = &from->keys.key[i];
		struct pgf_key wanted = view_key(view, key);
		struct pgf_group *sum = pgf_groups_get(&view->sums, &wanted);
		int err;

		if (!sum)
			return -ENOMEM;
		view->sum_of[i] = (uint32_t)(sum - view->sums.group);
		if (from == &view->account->data && (!sum->comm[0] || is_leader(view, key)))
			memcpy(sum->comm, from->group[i].comm, sizeof(sum->comm));
		err = pgf_group_merge(sum, &from->group[i]);
		if (err)
			return err;
	}
	return 0;
}

static void set_what(struct pgf_row *row, uint32_t what)
{
	row->kind = what < PGF_WHAT_UNKNOWN ? (uint8_t)what : PGF_UNKNOWN;
	row->class = (uint8_t)(what < PGF_WHAT_UNKNOWN ? pgf_kind_info(what)->class
	                                               : what - PGF_WHAT_UNKNOWN);
}

static void set_label(const struct pgf_account *account, struct pgf_row *row, uint32_t number)
{
	const struct pgf_label *label = pgf_labels_get(&account->labels, number);

	row->map = label->text;
	row->map_type = label->type;
}

static void set_code(const struct pgf_account *account, struct pgf_row *row, uint32_t number)
{
	const struct pgf_code *code = &account->codes.code[number];

	if (number == 0 || number >= account->codes.keys.count)
		return;
	row->ip = code->ip;
	row->pid = code->own ? code->pid : 0;
}

static void set_names(const struct view *view, struct pgf_row *row, const struct pgf_key *key)
{
	const struct pgf_account *account = view->account;
	const uint64_t *codes;
	size_t count;

	switch (view->by) {
	case PGF_BY_KIND:
		set_what(row, (uint32_t)key->a);
		break;
	case PGF_BY_KIND_MAP:
		set_what(row, (uint32_t)key->b);
		set_label(account, row, (uint32_t)key->a);
		break;
	case PGF_BY_MAP:
		set_label(account, row, (uint32_t)key->a);
		break;
	case PGF_BY_PROCESS:
	case PGF_BY_THREAD:
		row->pid = key->a ? account->process[key->a].pid : 0;
		row->tid = (uint32_t)key->b;
		break;
	case PGF_BY_CGROUP:
		row->cgroup = key->a;
		break;
	case PGF_BY_DISCARD:
		row->again = (uint8_t)key->b;
		set_code(account, row, (uint32_t)key->a);
		break;
	case PGF_BY_CODE:
		set_code(account, row, (uint32_t)key->a);
		break;
	case PGF_BY_STACK:
		codes = pgf_callers_codes(&account->callers, (uint32_t)key->a, &count);
		if (codes)
			set_code(account, row, (uint32_t)codes[0]);
		break;
	case PGF_BY_COUNT:
		break;
	}
}

/* One group of sums as a row; comm points into the group. */
static int fill_row(const struct view *view, struct pgf_row *row, const struct pgf_key *key,
                    const struct pgf_group *sum)
{
	int err = pgf_group_stat(sum, &row->stat);

	row->by = (uint8_t)view->by;
	if (view->by == PGF_BY_KIND || view->by == PGF_BY_KIND_MAP)
		row->leaves = sum->leaves;
	if (view->by == PGF_BY_DISCARD) {
		row->bytes = sum->ns;
		row->stat.ns = 0;
	}
	set_names(view, row, key);
	return err;
}

static int fill_rows(struct view *view)
{
	uint32_t i;
	int err = 0;

	free(view->row);
	view->row = calloc(view->sums.keys.count + 1, sizeof(*view->row));
	if (!view->row)
		return -ENOMEM;
	for (i = 0; i < view->sums.keys.count && !err; i++)
		err = fill_row(view, &view->row[i], &view->sums.keys.key[i], &view->sums.group[i]);
	return err;
}

static uint64_t sort_value(const struct pgf_row *row, enum pgf_sort sort)
{
	switch (sort) {
	case PGF_SORT_TIME:
		return row->stat.ns;
	case PGF_SORT_COUNT:
		return row->stat.count;
	case PGF_SORT_MAX:
		return row->stat.max_ns;
	case PGF_SORT_P99:
		return row->stat.p99_ns;
	case PGF_SORT_MAJOR:
		return row->stat.major;
	case PGF_SORT_AGAIN:
		return pgf_stat_again(&row->stat);
	}
	return 0;
}

static int compare_names(const struct pgf_row *a, const struct pgf_row *b)
{
	int names = strcmp(a->map ? a->map : "", b->map ? b->map : "");

	if (names)
		return names;
	if (a->map_type != b->map_type)
		return a->map_type < b->map_type ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	if (a->ip != b->ip)
		return a->ip < b->ip ? -1 : 1;
	return a->cgroup < b->cgroup ? -1 : a->cgroup > b->cgroup;
}

struct ordered {
	const struct pgf_row *row;
	uint64_t value;
};

static int compare_rows(const void *left, const void *right)
{
	const struct ordered *a = left;
	const struct ordered *b = right;

	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	if (a->row->stat.count != b->row->stat.count)
		return a->row->stat.count > b->row->stat.count ? -1 : 1;
	if (a->row->stat.ns != b->row->stat.ns)
		return a->row->stat.ns > b->row->stat.ns ? -1 : 1;
	return compare_names(a->row, b->row);
}

/* The numbers of the groups of sums, first the ones to be shown first; NULL without memory. */
static uint32_t *order(const struct view *view)
{
	uint32_t count = view->sums.keys.count;
	struct ordered *sorted = calloc(count + 1, sizeof(*sorted));
	uint32_t *order_of = calloc(count + 1, sizeof(*order_of));
	uint32_t i;

	if (sorted && order_of) {
		for (i = 0; i < count; i++)
			sorted[i] = (struct ordered){&view->row[i],
			                             sort_value(&view->row[i], view->sort)};
		qsort(sorted, count, sizeof(*sorted), compare_rows);
		for (i = 0; i < count; i++)
			order_of[i] = (uint32_t)(sorted[i].row - view->row);
	} else {
		free(order_of);
		order_of = NULL;
	}
	free(sorted);
	return order_of;
}

/* The functions by which groups are merged. */
struct functions {
	struct pgf_labels labels;
	struct pgf_stacks *stacks; /* of numbers of functions; PGF_BY_STACK only */
};

#define MERGED (1ull << 63) /* beside the numbers of codes and of their lists */

/* The number of a code's function; the code's own when it has no name. */
static bool function_of(const struct view *view, struct functions *functions, uint32_t code,
                        const struct pgf_symbol **symbol, uint64_t *function)
{
	uint32_t path, func;

	*function = code;
	*symbol = pgf_codes_symbol(&view->account->codes, code, view->symbols);
	if (!*symbol || !(*symbol)->func)
		return true;
	/* The path keeps equal names of two files apart, the function those of one. */
	path = pgf_labels_add(&functions->labels, (*symbol)->path, 1);
	func = pgf_labels_add(&functions->labels, (*symbol)->func, 0);
	if (path == PGF_KEYS_NONE || func == PGF_KEYS_NONE)
		return false;
	/* Without room for more names every address is its own. */
	if (path && func)
		*function = MERGED | (uint64_t)path << 32 | func;
	return true;
}

/* The number of the functions of a list of codes; the list's own when there are too many. */
static bool functions_of(const struct view *view, struct functions *functions, uint32_t list,
                         uint64_t *number)
{
	uint64_t names[PGF_STACK_DEPTH];
	const struct pgf_symbol *symbol;
	size_t count, i;
	const uint64_t *codes = pgf_callers_codes(&view->account->callers, list, &count);
	uint32_t found;
	bool fresh;
	int err;

	*number = list;
	if (!codes)
		return true;
	for (i = 0; i < count; i++)
		if (!function_of(view, functions, (uint32_t)codes[i], &symbol, &names[i]))
			return false;
	if (!functions->stacks && pgf_stacks_new(&functions->stacks))
		return false;
	err = pgf_stacks_intern(functions->stacks, names, count, &found, &fresh);
	if (!err)
		*number = MERGED | found;
	return !err || err == -ENOSPC;
}

/* The key under which a group is merged. */
static bool merge_key(const struct view *view, struct functions *functions,
                      const struct pgf_key *old, const struct pgf_symbol **symbol,
                      struct pgf_key *key)
{
	*key = *old;
	if (view->by == PGF_BY_STACK)
		return functions_of(view, functions, (uint32_t)old->a, &key->a);
	return function_of(view, functions, (uint32_t)old->a, symbol, &key->a);
}

/* Merges the hottest groups by function. The rows of the result stand for the hottest. */
static int merge_functions(struct view *view, size_t limit)
{
	struct pgf_groups merged = {.max = UINT32_MAX};
	struct functions functions = {.stacks = NULL};
	uint32_t count = view->sums.keys.count;
	uint32_t *order_of = order(view);
	uint32_t *sum_of = calloc(count + 1, sizeof(*sum_of));
	uint32_t *hottest = calloc(count + 1, sizeof(*hottest));
	const struct pgf_symbol **symbol = calloc(count + 1, sizeof(struct pgf_symbol *));
	size_t named = limit ? limit * 4 : SYMBOL_ROWS_MAX;
	uint32_t i;
	int err = order_of && sum_of && hottest && symbol ? 0 : -ENOMEM;

	if (named < SYMBOL_ROWS_MIN)
		named = SYMBOL_ROWS_MIN;
	for (i = 0; i < count && !err; i++) {
		uint32_t old = order_of[i];
		uint32_t before = merged.keys.count;
		const struct pgf_symbol *found = NULL;
		struct pgf_group *sum;
		struct pgf_key key;

		key = view->sums.keys.key[old];
		if (i < named &&
		    !merge_key(view, &functions, &view->sums.keys.key[old], &found, &key)) {
			err = -ENOMEM;
			break;
		}
		sum = pgf_groups_get(&merged, &key);
		if (!sum) {
			err = -ENOMEM;
			break;
		}
		sum_of[old] = (uint32_t)(sum - merged.group);
		if (merged.keys.count > before) {
			hottest[sum_of[old]] = old;
			symbol[sum_of[old]] = found;
		}
		err = pgf_group_merge(sum, &view->sums.group[old]);
	}
	if (!err) {
		for (i = 0; i < view->from->keys.count; i++)
			view->sum_of[i] = sum_of[view->sum_of[i]];
		/* From here on a group is known by its hottest one, and not looked up. */
		for (i = 0; i < merged.keys.count; i++)
			hottest[i] = (uint32_t)view->sums.keys.key[hottest[i]].a;
		pgf_groups_clear(&view->sums);
		view->sums = merged;
		for (i = 0; i < merged.keys.count; i++)
			view->sums.keys.key[i] = (struct pgf_key){.a = hottest[i]};
		err = fill_rows(view);
		for (i = 0; i < merged.keys.count && !err; i++)
			view->row[i].symbol = symbol[i];
	} else {
		pgf_groups_clear(&merged);
	}
	pgf_labels_clear(&functions.labels);
	pgf_stacks_free(functions.stacks);
	free(order_of);
	free(sum_of);
	free(hottest);
	free(symbol);
	return err;
}

/* Adds the most frequent kinds to the rows that are shown. */
static int add_kinds(const struct view *view, struct pgf_rows *rows, const uint32_t *row_index)
{
	uint64_t(*count)[PGF_WHAT_COUNT] = calloc(rows->count + 1, sizeof(*count));
	uint32_t i;
	size_t r;

	if (!count)
		return -ENOMEM;
	for (i = 0; i < view->from->keys.count; i++) {
		uint32_t row = row_index[view->sum_of[i]];

		if (row != PGF_KEYS_NONE)
			count[row][key_what(&view->from->keys.key[i])] +=
			        view->from->group[i].count;
	}
	for (r = 0; r < rows->count; r++) {
		struct pgf_row *row = &rows->row[r];

		while (row->kind_count < PGF_ROW_KINDS) {
			struct pgf_row best = {0};
			uint32_t what = 0;

			for (i = 1; i < PGF_WHAT_COUNT; i++)
				if (count[r][i] > count[r][what])
					what = i;
			if (!count[r][what])
				break;
			set_what(&best, what);
			row->kinds[row->kind_count++] =
			        (struct pgf_row_kind){best.kind, best.class, count[r][what]};
			count[r][what] = 0;
		}
	}
	free(count);
	return 0;
}

static void add_rest(struct pgf_stat *rest, const struct pgf_stat *stat)
{
	int i;

	rest->count += stat->count;
	rest->timed += stat->timed;
	rest->ns += stat->ns;
	if (stat->max_ns > rest->max_ns)
		rest->max_ns = stat->max_ns;
	rest->major += stat->major;
	rest->inferred += stat->inferred;
	rest->failed += stat->failed;
	rest->unfinished += stat->unfinished;
	rest->major_ns += stat->major_ns;
	for (i = 0; i < PGF_AGAIN_COUNT; i++) {
		rest->again[i] += stat->again[i];
		rest->again_ns[i] += stat->again_ns[i];
	}
}

/* The comm belongs to the view's groups, which go: the rows keep theirs behind them. */
static void keep_comm(struct pgf_rows *rows, size_t index, const struct pgf_group *sum)
{
	char *comms = (char *)&rows->row[rows->count];

	memcpy(comms + index * PGF_COMM_LEN, sum->comm, PGF_COMM_LEN);
	comms[index * PGF_COMM_LEN + PGF_COMM_LEN - 1] = '\0';
	rows->row[index].comm = comms + index * PGF_COMM_LEN;
}

static void set_frames(const struct view *view, struct pgf_row *row, struct pgf_frame *frames,
                       const uint64_t *codes, size_t count)
{
	const struct pgf_codes *all = &view->account->codes;
	size_t i;

	for (i = 0; i < count; i++) {
		uint32_t code = (uint32_t)codes[i];

		if (code == 0 || code >= all->keys.count)
			continue;
		frames[i].ip = all->code[code].ip + (i > 0);
		frames[i].symbol = pgf_codes_symbol(all, code, view->symbols);
	}
	row->frames = frames;
	row->frame_count = (uint32_t)count;
	if (count) {
		row->ip = frames[0].ip;
		row->symbol = frames[0].symbol;
	}
}

/* Names the stacks of the rows that are shown. */
static int add_frames(const struct view *view, struct pgf_rows *rows, const uint32_t *order_of)
{
	const struct pgf_callers *callers = &view->account->callers;
	size_t total = 0, count, r;

	for (r = 0; r < rows->count; r++) {
		pgf_callers_codes(callers, (uint32_t)view->sums.keys.key[order_of[r]].a, &count);
		total += count;
	}
	rows->frames = calloc(total + 1, sizeof(*rows->frames));
	if (!rows->frames)
		return -ENOMEM;
	total = 0;
	for (r = 0; r < rows->count; r++) {
		const struct pgf_key *key = &view->sums.keys.key[order_of[r]];
		const uint64_t *codes = pgf_callers_codes(callers, (uint32_t)key->a, &count);

		set_frames(view, &rows->row[r], rows->frames + total, codes, count);
		total += count;
	}
	return 0;
}

static int cut(struct view *view, size_t limit, struct pgf_rows *rows)
{
	uint32_t count = view->sums.keys.count;
	uint32_t *order_of = order(view);
	uint32_t *row_index = calloc(count + 1, sizeof(*row_index));
	uint32_t i;
	int err = -ENOMEM;

	rows->groups = count;
	rows->count = limit && limit < count ? limit : count;
	rows->row = calloc(rows->count + 1, sizeof(*rows->row) + PGF_COMM_LEN);
	if (order_of && row_index && rows->row) {
		for (i = 0; i < count; i++) {
			uint32_t sum = order_of[i];

			row_index[sum] = i < rows->count ? i : PGF_KEYS_NONE;
			if (i >= rows->count) {
				add_rest(&rows->rest, &view->row[sum].stat);
				continue;
			}
			rows->row[i] = view->row[sum];
			if (view->by == PGF_BY_DISCARD)
				rows->row[i].symbol = pgf_codes_symbol(
				        &view->account->codes, (uint32_t)view->sums.keys.key[sum].a,
				        view->symbols);
			if (view->by == PGF_BY_PROCESS || view->by == PGF_BY_THREAD)
				keep_comm(rows, i, &view->sums.group[sum]);
		}
		err = view->by == PGF_BY_DISCARD ? 0 : add_kinds(view, rows, row_index);
		if (!err && view->by == PGF_BY_STACK)
			err = add_frames(view, rows, order_of);
	}
	free(order_of);
	free(row_index);
	return err;
}

static const struct pgf_groups *table_of(const struct pgf_account *account, enum pgf_by by)
{
	if (by == PGF_BY_CODE)
		return &account->code;
	if (by == PGF_BY_STACK)
		return &account->stack;
	return by == PGF_BY_DISCARD ? &account->site : &account->data;
}

int pgf_account_rows(struct pgf_account *account, enum pgf_by by, enum pgf_sort sort, size_t limit,
                     struct pgf_symbols *symbols, struct pgf_rows **out)
{
	struct view view = {
	        .account = account,
	        .by = by,
	        .sort = sort,
	        .symbols = symbols,
	};
	struct pgf_rows *rows;
	int err;

	*out = NULL;
	if ((unsigned int)by >= PGF_BY_COUNT || (unsigned int)sort > PGF_SORT_AGAIN)
		return -EINVAL;
	rows = calloc(1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	view.from = table_of(account, by);
	err = add_up(&view);
	if (!err)
		err = fill_rows(&view);
	if (!err && (by == PGF_BY_CODE || by == PGF_BY_STACK) && symbols)
		err = merge_functions(&view, limit);
	if (!err)
		err = cut(&view, limit, rows);
	free(view.row);
	free(view.sum_of);
	pgf_groups_clear(&view.sums);
	if (err) {
		pgf_rows_free(rows);
		return err;
	}
	*out = rows;
	return 0;
}

void pgf_rows_free(struct pgf_rows *rows)
{
	if (!rows)
		return;
	free(rows->frames);
	free(rows->row);
	free(rows);
}

int pgf_account_total(struct pgf_account *account, struct pgf_stat *stat)
{
	struct pgf_group sum = {0};
	uint32_t i;
	int err = 0;

	memset(stat, 0, sizeof(*stat));
	for (i = 0; i < account->data.keys.count && !err; i++)
		err = pgf_group_merge(&sum, &account->data.group[i]);
	if (!err)
		err = pgf_group_stat(&sum, stat);
	pgf_dist_clear(&sum.dist);
	return err;
}
