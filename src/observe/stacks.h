/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers for call stacks: equal stacks get the same one. Not thread-safe.
 */
#ifndef PGF_OBSERVE_STACKS_H
#define PGF_OBSERVE_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pgf_stacks;

int pgf_stacks_new(struct pgf_stacks **out);     /* 0 or -ENOMEM */
void pgf_stacks_free(struct pgf_stacks *stacks); /* accepts NULL */
/*
 * The number (from 1) of a stack; *fresh tells whether it is seen for the first time.
 * Returns 0, -ENOMEM, or -ENOSPC when there are too many different ones.
 */
int pgf_stacks_intern(struct pgf_stacks *stacks, const uint64_t *ips, size_t count, uint32_t *id,
                      bool *fresh);
/* The frames of a number, until the next intern; NULL with *count 0 for one not given. */
const uint64_t *pgf_stacks_get(const struct pgf_stacks *stacks, uint32_t id, size_t *count);

#endif /* PGF_OBSERVE_STACKS_H */
