/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/strings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <pgfault/fault.h>
#include <pgfault/record.h>

#define CHUNK (256u * 1024) /* bytes of text allocated at a time */

struct chunk {
	struct chunk *next;
	char text[];
};

struct text {
	const char *at;
	uint32_t len;
	uint32_t hash;
};

struct pgf_strings {
	struct chunk *chunks;
	size_t chunk_used;
	size_t chunk_size;
	uint64_t bytes;
	struct text *texts;
	uint32_t count;
	uint32_t cap;
	uint32_t *slots; /* hash of ids; NULL until the first lookup */
	size_t slot_count;
};

int pgf_strings_new(struct pgf_strings **out)
{
	struct pgf_strings *strings = calloc(1, sizeof(*strings));

	if (!strings)
		return -ENOMEM;
	strings->cap = 64;
	strings->count = 1;
	strings->texts = calloc(strings->cap, sizeof(*strings->texts));
	if (!strings->texts) {
		free(strings);
		return -ENOMEM;
	}
	*out = strings;
	return 0;
}

void pgf_strings_free(struct pgf_strings *strings)
{
	if (!strings)
		return;
	while (strings->chunks) {
		struct chunk *next = strings->chunks->next;

		free(strings->chunks);
		strings->chunks = next;
	}
	free(strings->texts);
	free(strings->slots);
	free(strings);
}

/* FNV-1a. */
static uint32_t text_hash(const char *text, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)text[i]) * 16777619u;
	return hash;
}

/* A copy that is padded with zeros, so that a comm can be taken out as a block. */
static const char *text_keep(struct pgf_strings *strings, const char *text, size_t len)
{
	size_t size = len + PGF_COMM_LEN;
	char *at;

	if (!strings->chunks || strings->chunk_size - strings->chunk_used < size) {
		size_t room = size > CHUNK ? size : CHUNK;
		struct chunk *chunk = malloc(sizeof(*chunk) + room);

		if (!chunk)
			return NULL;
		chunk->next = strings->chunks;
		strings->chunks = chunk;
		strings->chunk_size = room;
		strings->chunk_used = 0;
	}
	at = strings->chunks->text + strings->chunk_used;
	if (len)
		memcpy(at, text, len);
	memset(at + len, 0, PGF_COMM_LEN);
	strings->chunk_used += size;
	return at;
}

static int text_enter(struct pgf_strings *strings, const char *text, size_t len, uint32_t hash)
{
	if (strings->count >= PGF_RECORD_STRINGS_MAX || strings->bytes + len > PGF_RECORD_TEXT_MAX)
		return -EOVERFLOW;
	if (strings->count == strings->cap) {
		struct text *bigger =
		        reallocarray(strings->texts, strings->cap * 2, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		strings->texts = bigger;
		strings->cap *= 2;
	}
	strings->texts[strings->count].at = text_keep(strings, text, len);
	if (!strings->texts[strings->count].at)
		return -ENOMEM;
	strings->texts[strings->count].len = (uint32_t)len;
	strings->texts[strings->count].hash = hash;
	strings->count++;
	strings->bytes += len;
	return 0;
}

int pgf_strings_append(struct pgf_strings *strings, const char *text, size_t len)
{
	return text_enter(strings, text, len, 0);
}

static void slot_fill(struct pgf_strings *strings, uint32_t id)
{
	size_t slot = strings->texts[id].hash & (strings->slot_count - 1);

	while (strings->slots[slot])
		slot = (slot + 1) & (strings->slot_count - 1);
	strings->slots[slot] = id;
}

static int slots_room(struct pgf_strings *strings)
{
	size_t wanted = strings->slot_count ? strings->slot_count * 2 : 256;
	uint32_t *slots;

	if ((size_t)strings->count * 2 < strings->slot_count)
		return 0;
	slots = calloc(wanted, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(strings->slots);
	strings->slots = slots;
	strings->slot_count = wanted;
	for (uint32_t id = 1; id < strings->count; id++)
		slot_fill(strings, id);
	return 0;
}

int pgf_strings_intern(struct pgf_strings *strings, const char *text, uint32_t *id)
{
	size_t len, slot;
	uint32_t hash;
	int err;

	*id = 0;
	if (!text)
		return 0;
	len = strnlen(text, PGF_RECORD_STRING_MAX);
	hash = text_hash(text, len);
	if (slots_room(strings))
		return -ENOMEM;
	for (slot = hash & (strings->slot_count - 1); strings->slots[slot];
	     slot = (slot + 1) & (strings->slot_count - 1)) {
		const struct text *have = &strings->texts[strings->slots[slot]];

		if (have->hash == hash && have->len == len && memcmp(have->at, text, len) == 0) {
			*id = strings->slots[slot];
			return 0;
		}
	}
	err = text_enter(strings, text, len, hash);
	if (err)
		return err;
	*id = strings->count - 1;
	slot_fill(strings, *id);
	return 0;
}

uint32_t pgf_strings_count(const struct pgf_strings *strings)
{
	return strings->count;
}

const char *pgf_strings_get(const struct pgf_strings *strings, uint32_t id, size_t *len)
{
	if (len)
		*len = strings->texts[id].len;
	return strings->texts[id].at;
}
