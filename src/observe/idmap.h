/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table from a number to a number: thread ids, event ids. Not thread-safe.
 */
#ifndef PGF_OBSERVE_IDMAP_H
#define PGF_OBSERVE_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest key is not usable: it marks an empty slot. */
#define PGF_IDMAP_EMPTY UINT64_MAX

struct pgf_idmap_slot {
	uint64_t key;
	uint64_t value;
};

/* All zero is an empty map. */
struct pgf_idmap {
	struct pgf_idmap_slot *slots;
	size_t size; /* a power of two, or 0 */
	size_t used;
};

/* Adds or replaces. Returns 0, -EINVAL for PGF_IDMAP_EMPTY or -ENOMEM. */
int pgf_idmap_put(struct pgf_idmap *map, uint64_t key, uint64_t value);
/* The value's place, valid until the next put or del; NULL when the key is not there. */
uint64_t *pgf_idmap_get(const struct pgf_idmap *map, uint64_t key);
void pgf_idmap_del(struct pgf_idmap *map, uint64_t key);
void pgf_idmap_clear(struct pgf_idmap *map); /* frees; the map is empty and usable */

#endif /* PGF_OBSERVE_IDMAP_H */
