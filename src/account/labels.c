/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/labels.h"

#include <stdlib.h>
#include <string.h>

#define LABELS_MAX (64u << 10)
#define SEEN_MAX   (16u << 20) /* map ids remembered */
#define PROBES_MAX 16

static uint64_t text_hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ull;
	return h;
}

static bool labels_reserve(struct pgf_labels *labels)
{
	uint32_t room = labels->room ? labels->room * 2 : 64;
	struct pgf_label *grown;

	if (labels->keys.count < labels->room)
		return true;
	grown = reallocarray(labels->label, room, sizeof(*grown));
	if (!grown)
		return false;
	memset(grown + labels->room, 0, (room - labels->room) * sizeof(*grown));
	labels->label = grown;
	labels->room = room;
	return true;
}

/* Number 0: the mapping is not known. */
static bool add_first(struct pgf_labels *labels)
{
	const struct pgf_key first = {0, 0, UINT64_MAX};
	bool added;

	return labels->keys.count ||
	       (labels_reserve(labels) && pgf_keys_add(&labels->keys, &first, &added) == 0);
}

uint32_t pgf_labels_add(struct pgf_labels *labels, const char *text, uint8_t type)
{
	struct pgf_key key = {.a = text_hash(text), .c = type};
	bool added;

	if (!add_first(labels))
		return PGF_KEYS_NONE;
	/* Two names may share a hash: the next probe is another key. */
	for (key.b = 0; key.b < PROBES_MAX; key.b++) {
		uint32_t number = pgf_keys_find(&labels->keys, &key);
		char *copy;

		if (number != PGF_KEYS_NONE) {
			if (strcmp(labels->label[number].text, text) == 0)
				return number;
			continue;
		}
		if (labels->keys.count >= LABELS_MAX)
			return 0;
		copy = strdup(text);
		if (!copy || !labels_reserve(labels)) {
			free(copy);
			return PGF_KEYS_NONE;
		}
		number = pgf_keys_add(&labels->keys, &key, &added);
		if (number == PGF_KEYS_NONE) {
			free(copy);
			return number;
		}
		labels->label[number] = (struct pgf_label){copy, type};
		return number;
	}
	return 0;
}

static bool seen_reserve(struct pgf_labels *labels, uint32_t id)
{
	uint32_t room = labels->seen_room ? labels->seen_room : 256;
	void *grown;

	if (id < labels->seen_room)
		return true;
	while (room <= id)
		room *= 2;
	grown = reallocarray(labels->seen, room, sizeof(*labels->seen));
	if (!grown)
		return false;
	labels->seen = grown;
	memset(labels->seen + labels->seen_room, 0,
	       (room - labels->seen_room) * sizeof(*labels->seen));
	labels->seen_room = room;
	return true;
}

uint32_t pgf_labels_map(struct pgf_labels *labels, const struct pgf_map *map)
{
	uint32_t number;

	if (!map)
		return add_first(labels) ? 0 : PGF_KEYS_NONE;
	if (map->id >= SEEN_MAX)
		return pgf_labels_add(labels, map->name, map->type);
	if (!seen_reserve(labels, map->id))
		return PGF_KEYS_NONE;
	/* A mapping can be renamed: prctl(PR_SET_VMA_ANON_NAME). */
	if (labels->seen[map->id].text == map->name && labels->seen[map->id].type == map->type)
		return labels->seen[map->id].label;
	number = pgf_labels_add(labels, map->name, map->type);
	if (number == PGF_KEYS_NONE)
		return number;
	labels->seen[map->id].text = map->name;
	labels->seen[map->id].type = map->type;
	labels->seen[map->id].label = number;
	return number;
}

const struct pgf_label *pgf_labels_get(const struct pgf_labels *labels, uint32_t number)
{
	static const struct pgf_label unknown;

	return number < labels->keys.count ? &labels->label[number] : &unknown;
}

void pgf_labels_clear(struct pgf_labels *labels)
{
	uint32_t i;

	for (i = 0; i < labels->keys.count; i++)
		free(labels->label[i].text);
	free(labels->label);
	free(labels->seen);
	pgf_keys_clear(&labels->keys);
	memset(labels, 0, sizeof(*labels));
}
