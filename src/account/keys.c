/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/keys.h"

#include <stdlib.h>
#include <string.h>

static bool key_equal(const struct pgf_key *left, const struct pgf_key *right)
{
	return left->a == right->a && left->b == right->b && left->c == right->c;
}

static uint32_t *find_slot(const struct pgf_keys *keys, const struct pgf_key *key)
{
	uint32_t i = (uint32_t)pgf_key_hash(key) & (keys->slots - 1);

	while (keys->slot[i] && !key_equal(&keys->key[keys->slot[i] - 1], key))
		i = (i + 1) & (keys->slots - 1);
	return &keys->slot[i];
}

static bool keys_grow(struct pgf_keys *keys)
{
	uint32_t slots = keys->slots ? keys->slots * 2 : 64;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	struct pgf_key *key = reallocarray(keys->key, slots / 2, sizeof(*key));
	uint32_t i;

	if (key)
		keys->key = key;
	if (!slot || !key) {
		free(slot);
		return false;
	}
	free(keys->slot);
	keys->slot = slot;
	keys->slots = slots;
	keys->room = slots / 2;
	for (i = 0; i < keys->count; i++)
		*find_slot(keys, &keys->key[i]) = i + 1;
	return true;
}

uint32_t pgf_keys_find(const struct pgf_keys *keys, const struct pgf_key *key)
{
	/* 0 - 1 wraps to PGF_KEYS_NONE. */
	return keys->slots ? *find_slot(keys, key) - 1 : PGF_KEYS_NONE;
}

uint32_t pgf_keys_add(struct pgf_keys *keys, const struct pgf_key *key, bool *added)
{
	uint32_t *slot;

	*added = false;
	if (keys->count == keys->room) {
		uint32_t known = pgf_keys_find(keys, key);

		if (known != PGF_KEYS_NONE)
			return known;
		if (keys->count >= PGF_KEYS_MAX || !keys_grow(keys))
			return PGF_KEYS_NONE;
	}
	slot = find_slot(keys, key);
	if (*slot)
		return *slot - 1;
	keys->key[keys->count] = *key;
	*slot = ++keys->count;
	*added = true;
	return keys->count - 1;
}

void pgf_keys_clear(struct pgf_keys *keys)
{
	free(keys->key);
	free(keys->slot);
	memset(keys, 0, sizeof(*keys));
}
