/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BITS 45
#define PAGE_MASK ((1ull << PAGE_BITS) - 1)
#define TIME_BITS 14

#define ZERO_KINDS (PGF_SET(PGF_ANON_ZERO) | PGF_SET(PGF_THP_ZERO))
#define FILL_KINDS                                                                                 \
	(ZERO_KINDS | PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_FILE_READ) | PGF_SET(PGF_FILE_COW) |     \
	 PGF_SET(PGF_FILE_SHARED) | PGF_SET(PGF_SHMEM) | PGF_SET(PGF_SWAP_DEVICE) |                \
	 PGF_SET(PGF_SWAP_CACHE) | PGF_SET(PGF_SWAP_ZSWAP) | PGF_SET(PGF_THP_NEW) |                \
	 PGF_SET(PGF_THP_FILE) | PGF_SET(PGF_HUGETLB_NEW) | PGF_SET(PGF_UFFD_MISSING))

bool pgf_pages_is_fill(pgf_set set)
{
	return set && !(set & ~FILL_KINDS);
}

static uint64_t page_key(uint32_t process, uint64_t address)
{
	return (uint64_t)process << (PAGE_BITS + 1) | (address >> 12 & PAGE_MASK) << 1;
}

static size_t first_slot(size_t slots, uint64_t key)
{
	uint64_t h = (key & ~1ull) * 0x9e3779b97f4a7c15ull;

	return (h ^ h >> 32) & (slots - 1);
}

void pgf_pages_prefetch(const struct pgf_pages *pages, uint32_t process, uint64_t address)
{
	if (pages->slots)
		__builtin_prefetch(
		        &pages->slot[first_slot(pages->slots, page_key(process, address))]);
}

static struct pgf_page *find_slot(struct pgf_page *slot, size_t slots, uint64_t key)
{
	size_t i = first_slot(slots, key);

	while (slot[i].key && (slot[i].key ^ key) > 1)
		i = (i + 1) & (slots - 1);
	return &slot[i];
}

static bool is_dead(const struct pgf_pages *pages, uint64_t key)
{
	uint64_t process = key >> (PAGE_BITS + 1);

	return process < pages->dead_room && pages->dead[process];
}

/* Rebuilds without the pages of dead processes, larger when that is not enough. */
static int pages_grow(struct pgf_pages *pages)
{
	size_t slots = pages->slots;
	size_t alive = 0;
	struct pgf_page *slot;
	size_t i;

	for (i = 0; i < pages->slots; i++)
		alive += pages->slot[i].key && !is_dead(pages, pages->slot[i].key);
	pages->dead_new = false;
	if (slots == 0)
		slots = 1024;
	while (alive * 2 >= slots && slots < pages->max)
		slots *= 2;
	if (slots == pages->slots && alive == pages->used)
		return -ENOSPC;
	slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	for (i = 0; i < pages->slots; i++)
		if (pages->slot[i].key && !is_dead(pages, pages->slot[i].key))
			*find_slot(slot, slots, pages->slot[i].key) = pages->slot[i];
	free(pages->slot);
	pages->slot = slot;
	pages->slots = slots;
	pages->used = alive;
	return 0;
}

static bool is_full(const struct pgf_pages *pages)
{
	return pages->used * 4 >= pages->slots * 3;
}

/* What removed the page after stamp; a call that names itself is preferred to a new mapping. */
static void find_discard(const struct pgf_discards *discards, uint64_t address, uint32_t stamp,
                         struct pgf_again_found *found)
{
	uint32_t back;

	for (back = 1; discards && back <= PGF_DISCARDS && back <= discards->count; back++) {
		const struct pgf_discard *discard =
		        &discards->ring[(discards->count - back) % PGF_DISCARDS];

		if (discard->stamp <= stamp)
			return;
		if (address < discard->start || address >= discard->end)
			continue;
		found->again = true;
		found->how = discard->again;
		found->site = discard->site;
		if (discard->again != PGF_AGAIN_REMAP)
			return;
	}
	/* All that is remembered came later: what removed the page may have been pushed out. */
	if (!found->again && discards && discards->count > PGF_DISCARDS && back > PGF_DISCARDS)
		found->how = PGF_AGAIN_UNTOLD;
}

static void judge(const struct pgf_page *page, const struct pgf_discards *discards,
                  uint64_t address, pgf_set set, uint64_t start_ns, struct pgf_again_found *found)
{
	uint32_t start = (uint32_t)(start_ns >> TIME_BITS);

	find_discard(discards, address, page->stamp, found);
	if (found->again)
		return;
	/* The first write to the zero page takes nothing back. */
	if (page->key & 1 && set & ~ZERO_KINDS)
		return;
	/* Two threads may bring one page in at the same time. */
	if ((int32_t)(start - page->time) <= 0)
		return;
	found->again = true;
}

int pgf_pages_fill(struct pgf_pages *pages, uint32_t process, uint64_t address, pgf_set set,
                   uint64_t start_ns, uint64_t end_ns, const struct pgf_discards *discards,
                   struct pgf_again_found *found)
{
	uint64_t key = page_key(process, address) | ((set & ZERO_KINDS) != 0);
	struct pgf_page *page;

	*found = (struct pgf_again_found){.how = PGF_AGAIN_UNSEEN, .site = UINT32_MAX};
	if (process == 0 || process > PGF_PAGES_PROCESS_MAX || address >> 12 > PAGE_MASK)
		return -ENOSPC;
	if (!pages->slots || (is_full(pages) && (pages->slots < pages->max || pages->dead_new))) {
		int err = pages_grow(pages);

		if (err && (err != -ENOSPC || !pages->slots))
			return err;
	}
	page = find_slot(pages->slot, pages->slots, key);
	if (page->key)
		judge(page, discards, address, set, start_ns, found);
	else if (is_full(pages))
		return -ENOSPC;
	else
		pages->used++;
	page->key = key;
	page->stamp = pages->stamp;
	page->time = (uint32_t)(end_ns >> TIME_BITS);
	return 0;
}

void pgf_pages_discard(struct pgf_pages *pages, struct pgf_discards *discards, uint64_t start,
                       uint64_t end, enum pgf_again again, uint32_t site)
{
	discards->ring[discards->count++ % PGF_DISCARDS] =
	        (struct pgf_discard){start, end, ++pages->stamp, site, (uint8_t)again};
}

int pgf_pages_forget(struct pgf_pages *pages, uint32_t process)
{
	if (process >= pages->dead_room) {
		uint32_t room = pages->dead_room ? pages->dead_room : 64;
		bool *grown;

		while (room <= process)
			room *= 2;
		grown = reallocarray(pages->dead, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		memset(grown + pages->dead_room, 0, (room - pages->dead_room) * sizeof(*grown));
		pages->dead = grown;
		pages->dead_room = room;
	}
	pages->dead[process] = true;
	pages->dead_new = true;
	return 0;
}

void pgf_pages_clear(struct pgf_pages *pages)
{
	free(pages->slot);
	free(pages->dead);
	memset(pages, 0, sizeof(*pages));
}
