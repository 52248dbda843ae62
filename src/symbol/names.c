/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How far back a search looks for an outer range that covers the address. */
#define LOOK_BACK 64

static int names_grow(struct pgf_names *names, size_t length)
{
	if (names->count == names->room) {
		size_t room = names->room ? names->room * 2 : 1024;
		struct pgf_name *grown = reallocarray(names->name, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		names->name = grown;
		names->room = room;
	}
	if (names->text_size + length + 1 > names->text_room) {
		size_t room = names->text_room ? names->text_room * 2 : 65536;
		char *grown;

		while (room < names->text_size + length + 1)
			room *= 2;
		grown = realloc(names->text, room);
		if (!grown)
			return -ENOMEM;
		names->text = grown;
		names->text_room = room;
	}
	return 0;
}

int pgf_names_add(struct pgf_names *names, uint64_t addr, uint64_t size, const char *text,
                  size_t length, uint32_t rank)
{
	int err;

	if (names->count >= PGF_NAMES_MAX || length > PGF_NAMES_TEXT_MAX - names->text_size)
		return -E2BIG;
	err = names_grow(names, length);
	if (err)
		return err;
	names->name[names->count++] = (struct pgf_name){
	        .addr = addr, .size = size, .text = (uint32_t)names->text_size, .rank = rank};
	memcpy(names->text + names->text_size, text, length);
	names->text[names->text_size + length] = '\0';
	names->text_size += length + 1;
	return 0;
}

static int name_compare(const void *left, const void *right)
{
	const struct pgf_name *a = left;
	const struct pgf_name *b = right;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->text < b->text ? -1 : a->text > b->text;
}

void pgf_names_sort(struct pgf_names *names)
{
	if (names->count > 1)
		qsort(names->name, names->count, sizeof(*names->name), name_compare);
}

const struct pgf_name *pgf_names_find(const struct pgf_names *names, uint64_t addr)
{
	size_t low = 0;
	size_t high = names->count;
	size_t steps;
	const struct pgf_name *open = NULL;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->name[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	for (steps = 0; low > 0 && steps < LOOK_BACK; steps++) {
		const struct pgf_name *name = &names->name[--low];

		if (addr - name->addr < name->size)
			return name;
		/* Without a size it ends where the next one begins, or a covering range does. */
		if (name->size == 0 && steps == 0)
			open = name;
	}
	return open;
}

const char *pgf_names_text(const struct pgf_names *names, const struct pgf_name *name)
{
	return names->text + name->text;
}

void pgf_names_clear(struct pgf_names *names)
{
	free(names->name);
	free(names->text);
	memset(names, 0, sizeof(*names));
}
