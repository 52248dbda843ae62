/* SPDX-License-Identifier: BSD-2-Clause */
/* Dense numbers for keys of three words: an open-addressed index, nothing is ever removed. */
#ifndef PGF_ACCOUNT_KEYS_H
#define PGF_ACCOUNT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pgf_key {
	uint64_t a;
	uint64_t b;
	uint64_t c;
};

struct pgf_keys {
	struct pgf_key *key; /* by number */
	uint32_t *slot;      /* number + 1; 0: free */
	uint32_t count;
	uint32_t room;  /* of key */
	uint32_t slots; /* a power of two, at least twice count */
};

#define PGF_KEYS_MAX  (1u << 28)
#define PGF_KEYS_NONE UINT32_MAX

/* The number of a key, PGF_KEYS_NONE when it is not there. */
uint32_t pgf_keys_find(const struct pgf_keys *keys, const struct pgf_key *key);
/* The number of a key, a new one (*added) when it is not there; PGF_KEYS_NONE without memory. */
uint32_t pgf_keys_add(struct pgf_keys *keys, const struct pgf_key *key, bool *added);
void pgf_keys_clear(struct pgf_keys *keys);

static inline uint64_t pgf_key_hash(const struct pgf_key *key)
{
	uint64_t h = key->a * 0x9e3779b97f4a7c15ull;

	h = (h ^ h >> 29 ^ key->b) * 0xbf58476d1ce4e5b9ull;
	h = (h ^ h >> 32 ^ key->c) * 0x94d049bb133111ebull;
	return h ^ h >> 31;
}

#endif /* PGF_ACCOUNT_KEYS_H */
