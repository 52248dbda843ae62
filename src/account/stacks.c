/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MAX   (1u << 20) /* stacks of a book */
#define PAIRS_MAX (1u << 20) /* stacks of all processes */

/* Several ids may stand for equal stacks: these are kept once. */
struct pgf_stackbook {
	struct pgf_keys ids; /* -> index of number */
	struct pgf_stacks *stacks;
	uint32_t *number; /* of stacks */
	uint32_t room;
};

/* Room for one more in a list that is parallel to keys. */
static bool reserve(uint32_t **list, uint32_t *room, uint32_t count)
{
	uint32_t wanted = *room ? *room * 2 : 256;
	uint32_t *grown;

	if (count < *room)
		return true;
	grown = reallocarray(*list, wanted, sizeof(*grown));
	if (!grown)
		return false;
	*list = grown;
	*room = wanted;
	return true;
}

int pgf_stackbook_new(struct pgf_stackbook **out)
{
	struct pgf_stackbook *book = calloc(1, sizeof(*book));

	*out = NULL;
	if (!book)
		return -ENOMEM;
	if (pgf_stacks_new(&book->stacks)) {
		free(book);
		return -ENOMEM;
	}
	*out = book;
	return 0;
}

void pgf_stackbook_free(struct pgf_stackbook *book)
{
	if (!book)
		return;
	pgf_keys_clear(&book->ids);
	pgf_stacks_free(book->stacks);
	free(book->number);
	free(book);
}

int pgf_stackbook_add(struct pgf_stackbook *book, uint32_t id, const uint64_t *ips, size_t count)
{
	const struct pgf_key key = {.a = id};
	uint32_t number, index;
	bool added;
	int err;

	if (pgf_keys_find(&book->ids, &key) != PGF_KEYS_NONE)
		return 0;
	if (book->ids.count >= IDS_MAX)
		return -ENOSPC;
	if (!reserve(&book->number, &book->room, book->ids.count))
		return -ENOMEM;
	err = pgf_stacks_intern(book->stacks, ips,
	                        count < PGF_STACK_DEPTH ? count : PGF_STACK_DEPTH, &number, &added);
	if (err)
		return err;
	index = pgf_keys_add(&book->ids, &key, &added);
	if (index == PGF_KEYS_NONE)
		return -ENOMEM;
	book->number[index] = number;
	return 0;
}

const uint64_t *pgf_stackbook_get(const struct pgf_stackbook *book, uint32_t id, size_t *count)
{
	const struct pgf_key key = {.a = id};
	uint32_t index = pgf_keys_find(&book->ids, &key);

	*count = 0;
	return index == PGF_KEYS_NONE ? NULL
	                              : pgf_stacks_get(book->stacks, book->number[index], count);
}

/* Interns the codes of a stack: its number, 0, or PGF_KEYS_NONE. */
static uint32_t list_make(struct pgf_callers *callers, struct pgf_codes *codes, uint32_t process,
                          uint32_t pid, uint32_t stack_id)
{
	uint64_t list[PGF_STACK_DEPTH];
	size_t count, i;
	const uint64_t *ips = pgf_stackbook_get(callers->book, stack_id, &count);
	uint32_t number;
	bool fresh;
	int err;

	if (!ips || !count)
		return 0;
	for (i = 0; i < count; i++) {
		uint32_t code = pgf_codes_add(codes, process, pid, pgf_stack_place(ips, i));

		if (code == PGF_KEYS_NONE)
			return PGF_KEYS_NONE;
		list[i] = code;
	}
	if (!callers->lists && pgf_stacks_new(&callers->lists))
		return PGF_KEYS_NONE;
	err = pgf_stacks_intern(callers->lists, list, count, &number, &fresh);
	if (err)
		return err == -ENOSPC ? 0 : PGF_KEYS_NONE;
	return number;
}

uint32_t pgf_callers_list(struct pgf_callers *callers, struct pgf_codes *codes, uint32_t process,
                          uint32_t pid, uint32_t stack_id)
{
	const struct pgf_key key = {.a = (uint64_t)process << 32 | stack_id};
	uint32_t index, list;
	bool added;

	if (!callers->book || !stack_id)
		return 0;
	if (callers->last_pair == key.a)
		return callers->last_list;
	index = pgf_keys_find(&callers->pairs, &key);
	if (index == PGF_KEYS_NONE) {
		if (callers->pairs.count >= PAIRS_MAX)
			return 0;
		list = list_make(callers, codes, process, pid, stack_id);
		/* What is not there yet may still come. */
		if (list == 0 || list == PGF_KEYS_NONE)
			return list;
		if (!reserve(&callers->list_of, &callers->room, callers->pairs.count))
			return PGF_KEYS_NONE;
		index = pgf_keys_add(&callers->pairs, &key, &added);
		if (index == PGF_KEYS_NONE)
			return PGF_KEYS_NONE;
		callers->list_of[index] = list;
	}
	callers->last_pair = key.a;
	callers->last_list = callers->list_of[index];
	return callers->last_list;
}

const uint64_t *pgf_callers_codes(const struct pgf_callers *callers, uint32_t list, size_t *count)
{
	*count = 0;
	return callers->lists && list ? pgf_stacks_get(callers->lists, list, count) : NULL;
}

void pgf_callers_clear(struct pgf_callers *callers)
{
	pgf_stackbook_free(callers->book);
	pgf_stacks_free(callers->lists);
	pgf_keys_clear(&callers->pairs);
	free(callers->list_of);
	memset(callers, 0, sizeof(*callers));
}
