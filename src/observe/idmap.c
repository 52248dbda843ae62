/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/idmap.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SIZE 64

/* Fibonacci hashing: ids are mostly consecutive, the multiplication spreads them. */
static size_t home(const struct pgf_idmap *map, uint64_t key)
{
	return (size_t)((key * 0x9e3779b97f4a7c15ull) >> 20) & (map->size - 1);
}

/* The slot of key, or the empty one where it belongs. */
static struct pgf_idmap_slot *slot_of(const struct pgf_idmap *map, uint64_t key)
{
	size_t i = home(map, key);

	while (map->slots[i].key != PGF_IDMAP_EMPTY && map->slots[i].key != key)
		i = (i + 1) & (map->size - 1);
	return &map->slots[i];
}

static int grow(struct pgf_idmap *map)
{
	struct pgf_idmap bigger = {.size = map->size ? map->size * 2 : FIRST_SIZE};

	bigger.slots = malloc(bigger.size * sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < bigger.size; i++)
		bigger.slots[i].key = PGF_IDMAP_EMPTY;
	for (size_t i = 0; i < map->size; i++) {
		if (map->slots[i].key != PGF_IDMAP_EMPTY)
			*slot_of(&bigger, map->slots[i].key) = map->slots[i];
	}
	free(map->slots);
	map->slots = bigger.slots;
	map->size = bigger.size;
	return 0;
}

int pgf_idmap_put(struct pgf_idmap *map, uint64_t key, uint64_t value)
{
	struct pgf_idmap_slot *slot;

	if (key == PGF_IDMAP_EMPTY)
		return -EINVAL;
	if (map->used + 1 > map->size / 4 * 3 && grow(map) < 0)
		return -ENOMEM;
	slot = slot_of(map, key);
	map->used += slot->key == PGF_IDMAP_EMPTY;
	slot->key = key;
	slot->value = value;
	return 0;
}

uint64_t *pgf_idmap_get(const struct pgf_idmap *map, uint64_t key)
{
	struct pgf_idmap_slot *slot;

	if (map->size == 0 || key == PGF_IDMAP_EMPTY)
		return NULL;
	slot = slot_of(map, key);
	return slot->key == key ? &slot->value : NULL;
}

void pgf_idmap_del(struct pgf_idmap *map, uint64_t key)
{
	size_t hole, i;

	if (!pgf_idmap_get(map, key))
		return;
	hole = i = (size_t)(slot_of(map, key) - map->slots);
	map->used--;
	/* Entries behind the hole move up unless they would pass their own home. */
	for (;;) {
		size_t want;

		i = (i + 1) & (map->size - 1);
		if (map->slots[i].key == PGF_IDMAP_EMPTY)
			break;
		want = home(map, map->slots[i].key);
		if (((i - want) & (map->size - 1)) < ((i - hole) & (map->size - 1)))
			continue;
		map->slots[hole] = map->slots[i];
		hole = i;
	}
	map->slots[hole].key = PGF_IDMAP_EMPTY;
}

void pgf_idmap_clear(struct pgf_idmap *map)
{
	free(map->slots);
	*map = (struct pgf_idmap){0};
}
