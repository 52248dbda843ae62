/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX (1u << 20)
#define BUILDS_MAX  (64u << 10)
#define INLINES_MAX 64

/* A symbol and its inlined functions are one block of memory, text included. */
struct pgf_known_symbol {
	uint64_t ip;
	struct pgf_symbol *symbol; /* NULL: free slot */
	uint32_t pid;
};

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *text_put(char **at, const char *text)
{
	char *copy = *at;

	if (!text)
		return NULL;
	*at = stpcpy(copy, text) + 1;
	return copy;
}

static struct pgf_symbol *symbol_copy(const struct pgf_symbol *from)
{
	uint32_t count = from->inline_count < INLINES_MAX ? from->inline_count : INLINES_MAX;
	size_t size = sizeof(*from) + count * sizeof(*from->inlines);
	const char *module = from->module ? from->module : "?";
	const char *path = from->path ? from->path : "";
	struct pgf_symbol_inline *inlines;
	struct pgf_symbol *symbol;
	char *at;

	size += text_size(from->func) + text_size(from->file) + text_size(module) + text_size(path);
	for (uint32_t i = 0; i < count; i++)
		size += text_size(from->inlines[i].func) + text_size(from->inlines[i].file);
	symbol = malloc(size);
	if (!symbol)
		return NULL;
	*symbol = *from;
	inlines = (struct pgf_symbol_inline *)(symbol + 1);
	at = (char *)(inlines + count);
	symbol->func = text_put(&at, from->func);
	symbol->file = text_put(&at, from->file);
	symbol->module = text_put(&at, module);
	symbol->path = text_put(&at, path);
	for (uint32_t i = 0; i < count; i++) {
		inlines[i].func = text_put(&at, from->inlines[i].func);
		inlines[i].file = text_put(&at, from->inlines[i].file);
		inlines[i].line = from->inlines[i].line;
	}
	symbol->inlines = count ? inlines : NULL;
	symbol->inline_count = count;
	return symbol;
}

static struct pgf_known_symbol *slot_find(struct pgf_known_symbol *slot, size_t slots, uint32_t pid,
                                          uint64_t ip)
{
	uint64_t h = (ip ^ (uint64_t)pid << 40) * 0x9e3779b97f4a7c15ull;
	size_t i = (size_t)(h ^ h >> 32) & (slots - 1);

	while (slot[i].symbol && (slot[i].ip != ip || slot[i].pid != pid))
		i = (i + 1) & (slots - 1);
	return &slot[i];
}

/* Half of the slots stay free. */
static int slots_reserve(struct pgf_known *known)
{
	size_t slots = known->slots ? known->slots * 2 : 256;
	struct pgf_known_symbol *grown;

	if (known->symbols * 2 < known->slots)
		return 0;
	grown = calloc(slots, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	for (size_t i = 0; i < known->slots; i++) {
		const struct pgf_known_symbol *old = &known->slot[i];

		if (old->symbol)
			*slot_find(grown, slots, old->pid, old->ip) = *old;
	}
	free(known->slot);
	known->slot = grown;
	known->slots = slots;
	return 0;
}

int pgf_known_add(struct pgf_known *known, uint32_t pid, uint64_t ip,
                  const struct pgf_symbol *symbol)
{
	struct pgf_known_symbol *slot;

	if (known->symbols >= SYMBOLS_MAX)
		return -E2BIG;
	if (slots_reserve(known))
		return -ENOMEM;
	slot = slot_find(known->slot, known->slots, pid, ip);
	/* Somebody may hold the earlier one. */
	if (slot->symbol)
		return 0;
	slot->symbol = symbol_copy(symbol);
	if (!slot->symbol)
		return -ENOMEM;
	slot->ip = ip;
	slot->pid = pid;
	known->symbols++;
	return 0;
}

const struct pgf_symbol *pgf_known_find(const struct pgf_known *known, uint32_t pid, uint64_t ip)
{
	const struct pgf_symbol *symbol;

	if (!known->slots)
		return NULL;
	symbol = slot_find(known->slot, known->slots, pid, ip)->symbol;
	return symbol || !pid ? symbol : slot_find(known->slot, known->slots, 0, ip)->symbol;
}

int pgf_known_build_add(struct pgf_known *known, const struct pgf_known_build *build)
{
	struct pgf_known_build copy = *build;

	if (known->builds >= BUILDS_MAX)
		return -E2BIG;
	if (!build->path || !build->size || build->size > sizeof(build->build))
		return -EINVAL;
	if (known->builds == known->build_room) {
		size_t room = known->build_room ? known->build_room * 2 : 64;
		struct pgf_known_build *grown = reallocarray(known->build, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		known->build = grown;
		known->build_room = room;
	}
	copy.path = strdup(build->path);
	if (!copy.path)
		return -ENOMEM;
	known->build[known->builds++] = copy;
	known->sorted = false;
	return 0;
}

static int build_compare(const void *left, const void *right)
{
	const struct pgf_known_build *a = left, *b = right;

	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	return strcmp(a->path, b->path);
}

const struct pgf_known_build *pgf_known_build_find(struct pgf_known *known,
                                                   const struct pgf_symbol_query *query)
{
	struct pgf_known_build key = {.ino = query->ino, .dev = query->dev};

	if (!known->builds || !query->path)
		return NULL;
	if (!known->sorted)
		qsort(known->build, known->builds, sizeof(*known->build), build_compare);
	known->sorted = true;
	key.path = (char *)(uintptr_t)query->path;
	return bsearch(&key, known->build, known->builds, sizeof(key), build_compare);
}

void pgf_known_clear(struct pgf_known *known)
{
	for (size_t i = 0; i < known->slots; i++)
		free(known->slot[i].symbol);
	for (size_t i = 0; i < known->builds; i++)
		free(known->build[i].path);
	free(known->slot);
	free(known->build);
	*known = (struct pgf_known){0};
}
