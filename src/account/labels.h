/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers for names of mappings, together with their types; 0 is "not known". */
#ifndef PGF_ACCOUNT_LABELS_H
#define PGF_ACCOUNT_LABELS_H

#include "account/keys.h"
#include "observe/space.h"

struct pgf_label {
	char *text;
	uint8_t type; /* enum pgf_map_type */
};

struct pgf_labels {
	struct pgf_keys keys;
	struct pgf_label *label; /* by number */
	uint32_t room;
	struct {
		const char *text;
		uint32_t label;
		uint8_t type;
	} * seen; /* by map id: what it was called last */
	uint32_t seen_room;
};

/* The number of a name; PGF_KEYS_NONE without memory. Beyond 64 Ki names all are 0. */
uint32_t pgf_labels_add(struct pgf_labels *labels, const char *text, uint8_t type);
/* The number of a mapping's name and type; map may be NULL. */
uint32_t pgf_labels_map(struct pgf_labels *labels, const struct pgf_map *map);
const struct pgf_label *pgf_labels_get(const struct pgf_labels *labels, uint32_t number);
void pgf_labels_clear(struct pgf_labels *labels);

#endif /* PGF_ACCOUNT_LABELS_H */
