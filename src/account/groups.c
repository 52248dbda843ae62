/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool groups_reserve(struct pgf_groups *groups, uint32_t count)
{
	uint32_t room = groups->room ? groups->room : 32;
	struct pgf_group *grown;

	while (room < count)
		room *= 2;
	if (room == groups->room)
		return true;
	grown = reallocarray(groups->group, room, sizeof(*grown));
	if (!grown)
		return false;
	memset(grown + groups->room, 0, (room - groups->room) * sizeof(*grown));
	groups->group = grown;
	groups->room = room;
	return true;
}

struct pgf_group *pgf_groups_force(struct pgf_groups *groups, const struct pgf_key *key)
{
	bool added;
	uint32_t number;

	/* Room first: a key without a group must not exist. */
	if (!groups_reserve(groups, groups->keys.count + 1))
		return NULL;
	number = pgf_keys_add(&groups->keys, key, &added);
	return number == PGF_KEYS_NONE ? NULL : &groups->group[number];
}

struct pgf_group *pgf_groups_get(struct pgf_groups *groups, const struct pgf_key *key)
{
	uint32_t number;

	if (groups->keys.count < groups->max)
		return pgf_groups_force(groups, key);
	number = pgf_keys_find(&groups->keys, key);
	return number == PGF_KEYS_NONE ? NULL : &groups->group[number];
}

void pgf_groups_clear(struct pgf_groups *groups)
{
	uint32_t i;

	for (i = 0; i < groups->keys.count; i++)
		pgf_dist_clear(&groups->group[i].dist);
	pgf_keys_clear(&groups->keys);
	free(groups->group);
	groups->group = NULL;
	groups->room = 0;
}

int pgf_group_merge(struct pgf_group *into, const struct pgf_group *from)
{
	int i;

	into->count += from->count;
	into->timed += from->timed;
	into->ns += from->ns;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
	into->major += from->major;
	into->inferred += from->inferred;
	into->failed += from->failed;
	into->unfinished += from->unfinished;
	into->leaves |= from->leaves;
	into->major_ns += from->major_ns;
	for (i = 0; i < PGF_AGAIN_COUNT; i++) {
		into->again[i] += from->again[i];
		into->again_ns[i] += from->again_ns[i];
	}
	return pgf_dist_merge(&into->dist, &from->dist);
}

int pgf_group_stat(const struct pgf_group *group, struct pgf_stat *stat)
{
	static const double share[] = {0.5, 0.9, 0.99};
	uint64_t value[3];
	int err = pgf_dist_quantiles(&group->dist, share, value, 3);
	int i;

	*stat = (struct pgf_stat){
	        .count = group->count,
	        .timed = group->timed,
	        .ns = group->ns,
	        .max_ns = group->max_ns,
	        .major = group->major,
	        .inferred = group->inferred,
	        .failed = group->failed,
	        .unfinished = group->unfinished,
	        .dist_known = group->dist.used > 0,
	};
	stat->major_ns = group->major_ns;
	memcpy(stat->again, group->again, sizeof(stat->again));
	memcpy(stat->again_ns, group->again_ns, sizeof(stat->again_ns));
	/* The middle of the last bucket may lie above everything that was measured. */
	for (i = 0; i < 3; i++)
		if (value[i] > group->max_ns)
			value[i] = group->max_ns;
	stat->p50_ns = value[0];
	stat->p90_ns = value[1];
	stat->p99_ns = value[2];
	return err;
}
