/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "observe/idmap.h"

/* Frames that are kept, over all stacks: 256 MB. */
#define FRAMES_MAX (32u << 20)

struct stack {
	size_t first; /* index of frames */
	size_t count;
	uint32_t next; /* another stack of the same hash, its number, or 0 */
};

struct pgf_stacks {
	struct pgf_idmap by_hash; /* -> number of the first stack with this hash */
	struct stack *list;
	size_t count;
	size_t room;
	uint64_t *frames;
	size_t frames_used;
	size_t frames_room;
};

int pgf_stacks_new(struct pgf_stacks **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void pgf_stacks_free(struct pgf_stacks *stacks)
{
	if (!stacks)
		return;
	pgf_idmap_clear(&stacks->by_hash);
	free(stacks->list);
	free(stacks->frames);
	free(stacks);
}

static uint64_t hash_of(const uint64_t *ips, size_t count)
{
	uint64_t hash = count;

	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ ips[i]) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
	}
	return hash == PGF_IDMAP_EMPTY ? 0 : hash;
}

static int room_make(struct pgf_stacks *stacks, size_t frames)
{
	size_t room = stacks->frames_room ? stacks->frames_room : 4096;

	if (stacks->frames_used + frames > FRAMES_MAX)
		return -ENOSPC;
	while (room < stacks->frames_used + frames)
		room *= 2;
	if (room > stacks->frames_room) {
		uint64_t *more = realloc(stacks->frames, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		stacks->frames = more;
		stacks->frames_room = room;
	}
	if (stacks->count == stacks->room) {
		size_t more_room = stacks->room ? stacks->room * 2 : 256;
		struct stack *more = realloc(stacks->list, more_room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		stacks->list = more;
		stacks->room = more_room;
	}
	return 0;
}

int pgf_stacks_intern(struct pgf_stacks *stacks, const uint64_t *ips, size_t count, uint32_t *id,
                      bool *fresh)
{
	uint64_t hash = hash_of(ips, count);
	const uint64_t *first = pgf_idmap_get(&stacks->by_hash, hash);
	uint32_t next = first ? (uint32_t)*first : 0;
	int ret;

	*fresh = false;
	for (*id = next; *id; *id = stacks->list[*id - 1].next) {
		const struct stack *stack = &stacks->list[*id - 1];

		if (stack->count == count &&
		    !memcmp(stacks->frames + stack->first, ips, count * sizeof(*ips)))
			return 0;
	}
	ret = room_make(stacks, count);
	if (!ret)
		ret = pgf_idmap_put(&stacks->by_hash, hash, stacks->count + 1);
	if (ret)
		return ret;
	memcpy(stacks->frames + stacks->frames_used, ips, count * sizeof(*ips));
	stacks->list[stacks->count++] =
	        (struct stack){.first = stacks->frames_used, .count = count, .next = next};
	stacks->frames_used += count;
	*id = (uint32_t)stacks->count;
	*fresh = true;
	return 0;
}

const uint64_t *pgf_stacks_get(const struct pgf_stacks *stacks, uint32_t id, size_t *count)
{
	*count = 0;
	if (!id || id > stacks->count)
		return NULL;
	*count = stacks->list[id - 1].count;
	return stacks->frames + stacks->list[id - 1].first;
}
