/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums by key: the tables behind an account. */
#ifndef PGF_ACCOUNT_GROUPS_H
#define PGF_ACCOUNT_GROUPS_H

#include "account/account.h"
#include "account/dist.h"
#include "account/keys.h"

struct pgf_group {
	uint64_t count;
	uint64_t timed;
	uint64_t ns;
	uint64_t max_ns;
	uint64_t major;
	uint64_t inferred;
	uint64_t failed;
	uint64_t unfinished;
	uint64_t major_ns;
	uint64_t again[PGF_AGAIN_COUNT];
	uint64_t again_ns[PGF_AGAIN_COUNT];
	pgf_set leaves;
	struct pgf_dist dist;
	char comm[PGF_COMM_LEN];
};

struct pgf_groups {
	struct pgf_keys keys;
	struct pgf_group *group; /* by number */
	uint32_t room;
	uint32_t max; /* new keys beyond it are refused */
};

/* The group of a key, made when it is not there; NULL when full or without memory. */
struct pgf_group *pgf_groups_get(struct pgf_groups *groups, const struct pgf_key *key);
/* The same beyond max, for the few keys that take what has no room. */
struct pgf_group *pgf_groups_force(struct pgf_groups *groups, const struct pgf_key *key);
void pgf_groups_clear(struct pgf_groups *groups);
/* Adds the sums and the distribution. 0 or -ENOMEM. */
int pgf_group_merge(struct pgf_group *into, const struct pgf_group *from);
/* Copies sums and computes percentiles. 0 or -ENOMEM. */
int pgf_group_stat(const struct pgf_group *group, struct pgf_stat *stat);

#endif /* PGF_ACCOUNT_GROUPS_H */
