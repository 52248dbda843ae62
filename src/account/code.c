/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/code.h"

#include <stdlib.h>
#include <string.h>

#define OWN_CODE (1ull << 63) /* in the third word of the key */

static bool codes_reserve(struct pgf_codes *codes)
{
	uint32_t room = codes->room ? codes->room * 2 : 64;
	struct pgf_code *grown;

	if (codes->keys.count < codes->room)
		return true;
	grown = reallocarray(codes->code, room, sizeof(*grown));
	if (!grown)
		return false;
	memset(grown + codes->room, 0, (room - codes->room) * sizeof(*grown));
	codes->code = grown;
	codes->room = room;
	return true;
}

static bool is_kernel(uint64_t ip)
{
	return ip >> 63;
}

static struct pgf_key code_key(const struct pgf_map *map, uint32_t process, uint64_t ip)
{
	if (is_kernel(ip))
		return (struct pgf_key){.a = ip, .c = OWN_CODE};
	if (map && map->ino)
		return (struct pgf_key){ip - map->start + map->pgoff, map->ino, map->dev};
	return (struct pgf_key){ip, process, OWN_CODE};
}

static uint32_t add(struct pgf_codes *codes, uint32_t process, uint32_t pid, uint64_t ip,
                    const struct pgf_map *map)
{
	const struct pgf_key none = {.c = UINT64_MAX};
	struct pgf_key key = code_key(map, process, ip);
	struct pgf_code *code;
	uint32_t number = pgf_keys_find(&codes->keys, &key);
	bool added;

	if (number != PGF_KEYS_NONE)
		return number;
	if (!codes->keys.count &&
	    (!codes_reserve(codes) || pgf_keys_add(&codes->keys, &none, &added) != 0))
		return PGF_KEYS_NONE;
	if (ip == 0 || codes->keys.count >= codes->max)
		return 0;
	if (!codes_reserve(codes))
		return PGF_KEYS_NONE;
	number = pgf_keys_add(&codes->keys, &key, &added);
	if (number == PGF_KEYS_NONE)
		return number;
	code = &codes->code[number];
	*code = (struct pgf_code){.ip = ip, .own = !is_kernel(ip) && !(map && map->ino)};
	if (!is_kernel(ip))
		code->pid = pid;
	if (map) {
		code->start = map->start;
		code->end = map->end;
		code->pgoff = map->pgoff;
		code->ino = map->ino;
		code->dev = map->dev;
		code->label = pgf_labels_map(codes->labels, map);
		if (code->label == PGF_KEYS_NONE)
			code->label = 0;
	}
	return number;
}

uint32_t pgf_codes_add(struct pgf_codes *codes, uint32_t process, uint32_t pid, uint64_t ip)
{
	struct pgf_code_seen *seen;
	const struct pgf_map *map = NULL;
	uint64_t h = (ip ^ (uint64_t)process << 40) * 0x9e3779b97f4a7c15ull;

	seen = &codes->seen[h >> 40 & (PGF_CODES_SEEN - 1)];
	/* A mapping that died may have left its addresses to another file. */
	if (seen->ip == ip && ip && seen->process == process &&
	    (is_kernel(ip) || (seen->map && !seen->map->dead_ns)))
		return seen->code;
	if (ip && !is_kernel(ip) && codes->space)
		map = pgf_space_find(codes->space, pid, ip);
	*seen = (struct pgf_code_seen){ip, map, process, add(codes, process, pid, ip, map)};
	return seen->code;
}

const struct pgf_symbol *pgf_codes_symbol(const struct pgf_codes *codes, uint32_t number,
                                          struct pgf_symbols *symbols)
{
	const struct pgf_code *code;
	struct pgf_symbol_query query;

	if (number == 0 || number >= codes->keys.count || !symbols)
		return NULL;
	code = &codes->code[number];
	query = (struct pgf_symbol_query){
	        .ip = code->ip,
	        .start = code->start,
	        .end = code->end,
	        .pgoff = code->pgoff,
	        .ino = code->ino,
	        .dev = code->dev,
	        .pid = code->pid,
	        .path = pgf_labels_get(codes->labels, code->label)->text,
	};
	return pgf_symbols_find(symbols, &query);
}

void pgf_codes_clear(struct pgf_codes *codes)
{
	pgf_keys_clear(&codes->keys);
	free(codes->code);
	codes->code = NULL;
	codes->room = 0;
}
