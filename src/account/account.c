/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fault/bucket.h"

#define GROUPS_DEFAULT (1u << 20)
#define PAGES_DEFAULT  (8u << 20)
#define SITES_MAX      (64u << 10)

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

int pgf_account_new(struct pgf_account **out, const struct pgf_account_opts *opts)
{
	struct pgf_account *account = calloc(1, sizeof(*account));
	size_t groups = opts && opts->group_max ? opts->group_max : GROUPS_DEFAULT;
	size_t pages = opts && opts->page_max ? opts->page_max : PAGES_DEFAULT;

	*out = NULL;
	if (!account)
		return -ENOMEM;
	if (groups > PGF_KEYS_MAX / 2)
		groups = PGF_KEYS_MAX / 2;
	account->data.max = (uint32_t)groups;
	account->code.max = (uint32_t)groups;
	account->stack.max = (uint32_t)groups;
	account->site.max = SITES_MAX;
	account->codes.max = (uint32_t)groups;
	account->codes.labels = &account->labels;
	account->codes.space = opts ? opts->space : NULL;
	/* A power of two: three quarters of it are used. */
	account->pages.max = 1024;
	while (account->pages.max < pages)
		account->pages.max *= 2;
	*out = account;
	return 0;
}

void pgf_account_free(struct pgf_account *account)
{
	uint32_t i;

	if (!account)
		return;
	for (i = 1; i <= account->processes; i++)
		free(account->process[i].discards);
	free(account->process);
	free(account->alive);
	pgf_keys_clear(&account->pids);
	pgf_groups_clear(&account->data);
	pgf_groups_clear(&account->code);
	pgf_groups_clear(&account->stack);
	pgf_groups_clear(&account->site);
	pgf_labels_clear(&account->labels);
	pgf_codes_clear(&account->codes);
	pgf_callers_clear(&account->callers);
	pgf_pages_clear(&account->pages);
	free(account);
}

/* Processes. */

/* Where the present life of pid is noted; NULL without memory. */
static uint32_t *alive_slot(struct pgf_account *account, uint32_t pid)
{
	const struct pgf_key key = {.a = pid};
	uint32_t index;
	bool added;

	if (account->pids.count == account->alive_room) {
		uint32_t room = account->alive_room ? account->alive_room * 2 : 64;
		uint32_t *grown = reallocarray(account->alive, room, sizeof(*grown));

		if (!grown)
			return NULL;
		memset(grown + account->alive_room, 0,
		       (room - account->alive_room) * sizeof(*grown));
		account->alive = grown;
		account->alive_room = room;
	}
	index = pgf_keys_add(&account->pids, &key, &added);
	return index == PGF_KEYS_NONE ? NULL : &account->alive[index];
}

/* A new life for pid, in row (0: one of its own); 0 without memory. */
static uint32_t process_begin(struct pgf_account *account, uint32_t pid, uint32_t row)
{
	uint32_t *slot = alive_slot(account, pid);

	if (!slot)
		return 0;
	if (account->processes + 2 > account->process_room) {
		uint32_t room = account->process_room ? account->process_room * 2 : 64;
		struct pgf_process *grown = reallocarray(account->process, room, sizeof(*grown));

		if (!grown)
			return 0;
		account->process = grown;
		account->process_room = room;
	}
	*slot = ++account->processes;
	account->process[*slot] = (struct pgf_process){.pid = pid, .row = row ? row : *slot};
	account->last_process = 0;
	return *slot;
}

static uint32_t process_find(struct pgf_account *account, uint32_t pid)
{
	uint32_t *slot;

	if (account->last_process && account->last_pid == pid)
		return account->last_process;
	slot = alive_slot(account, pid);
	if (!slot)
		return 0;
	account->last_process = *slot ? *slot : process_begin(account, pid, 0);
	account->last_pid = pid;
	return account->last_process;
}

/* Ends the present life of pid; returns the row it was in, 0 when there was none. */
static uint32_t process_end(struct pgf_account *account, uint32_t pid)
{
	const struct pgf_key key = {.a = pid};
	uint32_t index = pgf_keys_find(&account->pids, &key);
	struct pgf_process *process;
	uint32_t number;

	if (index == PGF_KEYS_NONE || !account->alive[index])
		return 0;
	number = account->alive[index];
	process = &account->process[number];
	account->alive[index] = 0;
	account->last_process = 0;
	free(process->discards);
	process->discards = NULL;
	pgf_pages_forget(&account->pages, number);
	return process->row;
}

/* Faults. */

enum pgf_class pgf_account_class(const struct pgf_fault *fault, const struct pgf_map *map)
{
	enum pgf_class class = pgf_set_class(fault->leaves);

	if (class != PGF_CLASS_UNKNOWN || !map || fault->flags & (PGF_F_FAILED | PGF_F_UNFINISHED))
		return class;
	switch (map->type) {
	case PGF_MAP_ANON:
	case PGF_MAP_HEAP:
	case PGF_MAP_STACK:
		return PGF_CLASS_ANON;
	case PGF_MAP_FILE:
		return PGF_CLASS_FILE;
	case PGF_MAP_SHMEM:
		return PGF_CLASS_SHMEM;
	case PGF_MAP_HUGETLB:
		return PGF_CLASS_HUGETLB;
	default:
		return PGF_CLASS_UNKNOWN;
	}
}

static uint32_t what_of(const struct pgf_fault *fault, const struct pgf_map *map)
{
	if (fault->kind != PGF_UNKNOWN && fault->kind < PGF_WHAT_UNKNOWN)
		return fault->kind;
	return PGF_WHAT_UNKNOWN + (uint32_t)pgf_account_class(fault, map);
}

/* One fault or one cell, ready to be added. */
struct amount {
	const struct pgf_fault *fault;
	uint64_t count;
	uint64_t ns;
	uint64_t max_ns;
	uint32_t bucket; /* PGF_CELL_NO_BUCKET: not known */
	bool timed;
	const struct pgf_again_found *again; /* NULL: not asked */
};

static int group_add(struct pgf_group *group, const struct amount *amount)
{
	uint32_t flags = amount->fault->flags;

	group->count += amount->count;
	group->leaves |= amount->fault->leaves;
	if (flags & PGF_F_MAJOR)
		group->major += amount->count;
	if (flags & PGF_F_INFERRED)
		group->inferred += amount->count;
	if (flags & PGF_F_FAILED)
		group->failed += amount->count;
	if (flags & PGF_F_UNFINISHED)
		group->unfinished += amount->count;
	if (amount->again && amount->again->again)
		group->again[amount->again->how] += amount->count;
	if (!amount->timed)
		return 0;
	group->timed += amount->count;
	group->ns += amount->ns;
	if (flags & PGF_F_MAJOR)
		group->major_ns += amount->ns;
	if (amount->again && amount->again->again)
		group->again_ns[amount->again->how] += amount->ns;
	if (amount->max_ns > group->max_ns)
		group->max_ns = amount->max_ns;
	if (amount->bucket == PGF_CELL_NO_BUCKET)
		return 0;
	return pgf_dist_add(&group->dist, amount->bucket, amount->count);
}

/* The group on the side of the data; NULL without memory. */
static struct pgf_group *data_group(struct pgf_account *account, const struct amount *amount,
                                    uint32_t process, const struct pgf_map *map)
{
	const struct pgf_fault *fault = amount->fault;
	uint32_t label = pgf_labels_map(&account->labels, map);
	struct pgf_key key = {
	        .a = (uint64_t)process << 32 | fault->tid,
	        .b = fault->cgroup,
	        .c = (uint64_t)label << 8 | what_of(fault, map),
	};
	struct pgf_group *group;

	if (label == PGF_KEYS_NONE)
		return NULL;
	group = pgf_groups_get(&account->data, &key);
	if (!group) {
		/* Full: keep where and what, give up who. */
		key.a = 0;
		key.b = 0;
		group = pgf_groups_force(&account->data, &key);
		account->loss.ungrouped += amount->count;
	}
	if (group)
		memcpy(group->comm, fault->comm, sizeof(group->comm));
	return group;
}

/* The group on the side of the code; NULL without memory. */
static struct pgf_group *code_group(struct pgf_account *account, const struct amount *amount,
                                    uint32_t process, const struct pgf_map *map)
{
	const struct pgf_fault *fault = amount->fault;
	struct pgf_key key = {.c = what_of(fault, map)};
	struct pgf_group *group;

	if (fault->ip && !(fault->flags & PGF_F_NO_IP))
		key.a = pgf_codes_add(&account->codes, process, fault->pid, fault->ip);
	if (key.a == PGF_KEYS_NONE)
		return NULL;
	group = pgf_groups_get(&account->code, &key);
	if (!group) {
		key.a = 0;
		group = pgf_groups_force(&account->code, &key);
		account->loss.ungrouped += amount->count;
	}
	return group;
}

/* The group of the stack; NULL without memory. */
static struct pgf_group *stack_group(struct pgf_account *account, const struct amount *amount,
                                     uint32_t process, const struct pgf_map *map)
{
	const struct pgf_fault *fault = amount->fault;
	struct pgf_key key = {.c = what_of(fault, map)};
	struct pgf_group *group;

	key.a = pgf_callers_list(&account->callers, &account->codes, process, fault->pid,
	                         fault->stack_id);
	if (key.a == PGF_KEYS_NONE)
		return NULL;
	group = pgf_groups_get(&account->stack, &key);
	if (!key.a && fault->stack_id)
		account->loss.stacks += amount->count;
	if (!group) {
		account->loss.stacks += key.a ? amount->count : 0;
		key.a = 0;
		group = pgf_groups_force(&account->stack, &key);
	}
	return group;
}

/* The first stack: what came before it had none. */
static int stacks_begin(struct pgf_account *account)
{
	uint32_t i;
	int err = pgf_stackbook_new(&account->callers.book);

	for (i = 0; i < account->code.keys.count && !err; i++) {
		const struct pgf_key key = {.c = account->code.keys.key[i].c};
		struct pgf_group *group = pgf_groups_force(&account->stack, &key);

		err = group ? pgf_group_merge(group, &account->code.group[i]) : -ENOMEM;
	}
	return err;
}

int pgf_account_stack(struct pgf_account *account, uint32_t stack_id, const uint64_t *ips,
                      size_t count)
{
	int err = account->callers.book ? 0 : stacks_begin(account);

	if (!err)
		err = pgf_stackbook_add(account->callers.book, stack_id, ips, count);
	return err == -ENOSPC ? 0 : err;
}

bool pgf_account_stacked(const struct pgf_account *account)
{
	return account->callers.book != NULL;
}

/* Whether the page had been there before. */
static int find_again(struct pgf_account *account, const struct pgf_fault *fault, uint32_t process,
                      struct pgf_again_found *found)
{
	const uint32_t unsure = PGF_F_FAILED | PGF_F_UNFINISHED | PGF_F_INFERRED;
	pgf_set set = fault->leaves ? fault->leaves : PGF_SET(fault->kind);
	int err;

	*found = (struct pgf_again_found){.site = UINT32_MAX};
	if (fault->flags & unsure || !pgf_pages_is_fill(set))
		return 0;
	err = pgf_pages_fill(&account->pages, process, fault->access.address, set, fault->time_ns,
	                     fault->time_ns + fault->duration_ns,
	                     account->process[process].discards, found);
	if (err == -ENOSPC) {
		account->loss.pages++;
		return 0;
	}
	if (!err && found->again && found->site < account->site.keys.count)
		account->site.group[found->site].again[found->how]++;
	return err;
}

int pgf_account_fault(struct pgf_account *account, const struct pgf_fault *fault,
                      const struct pgf_map *map)
{
	struct pgf_again_found again;
	struct amount amount = {
	        .fault = fault,
	        .count = 1,
	        .ns = fault->duration_ns,
	        .max_ns = fault->duration_ns,
	        .bucket = pgf_bucket(fault->duration_ns),
	        .timed = !(fault->flags & (PGF_F_NO_DURATION | PGF_F_UNFINISHED)),
	        .again = &again,
	};
	uint32_t process = process_find(account, fault->pid);
	struct pgf_group *data;
	struct pgf_group *code;
	struct pgf_group *stack = NULL;
	int err;

	if (!process)
		return -ENOMEM;
	account->streamed = true;
	/* All lookups first: their cache misses overlap. */
	pgf_pages_prefetch(&account->pages, process, fault->access.address);
	data = data_group(account, &amount, process, map);
	code = code_group(account, &amount, process, map);
	if (account->callers.book)
		stack = stack_group(account, &amount, process, map);
	if (!data || !code || (account->callers.book && !stack))
		return -ENOMEM;
	pgf_dist_prefetch(&data->dist, amount.bucket);
	pgf_dist_prefetch(&code->dist, amount.bucket);
	err = find_again(account, fault, process, &again);
	if (!err)
		err = group_add(data, &amount);
	if (!err && stack)
		err = group_add(stack, &amount);
	return err ? err : group_add(code, &amount);
}

int pgf_account_cell(struct pgf_account *account, const struct pgf_cell *cell,
                     const struct pgf_map *map)
{
	const struct amount amount = {
	        .fault = &cell->fault,
	        .count = cell->count,
	        .ns = cell->ns,
	        .max_ns = cell->max_ns,
	        .bucket = cell->bucket,
	        .timed = !(cell->fault.flags & (PGF_F_NO_DURATION | PGF_F_UNFINISHED)),
	};
	uint32_t process = process_find(account, cell->fault.pid);
	struct pgf_group *group;

	if (!process)
		return -ENOMEM;
	/* A cell has no stack; its faults are in two cells, and here once. */
	if (cell->code && account->callers.book) {
		group = stack_group(account, &amount, process, map);
		if (!group || group_add(group, &amount))
			return -ENOMEM;
	}
	group = cell->code ? code_group(account, &amount, process, map)
	                   : data_group(account, &amount, process, map);
	return group ? group_add(group, &amount) : -ENOMEM;
}

/* Events of the address spaces. */

/* Remembers a call that gave [start, start + len) back; site rows only for the ones with blame. */
static int discard(struct pgf_account *account, const struct pgf_space_event *event, uint64_t start,
                   uint64_t len, enum pgf_again how)
{
	uint32_t number = process_find(account, event->pid);
	struct pgf_process *process;
	uint32_t site = UINT32_MAX;
	uint64_t end = start + len;

	if (!number)
		return -ENOMEM;
	if (end < start)
		end = UINT64_MAX;
	process = &account->process[number];
	if (!process->discards) {
		process->discards = calloc(1, sizeof(*process->discards));
		if (!process->discards)
			return -ENOMEM;
	}
	if (how != PGF_AGAIN_REMAP) {
		uint32_t code = pgf_codes_add(&account->codes, number, event->pid, event->ip);
		struct pgf_key key = {.a = code, .b = how};
		struct pgf_group *group;

		if (code == PGF_KEYS_NONE)
			return -ENOMEM;
		group = pgf_groups_get(&account->site, &key);
		if (group) {
			group->count++;
			group->ns += end - start;
			site = (uint32_t)(group - account->site.group);
		}
	}
	pgf_pages_discard(&account->pages, process->discards, start, end, how, site);
	return 0;
}

static bool gives_back(int advice)
{
	return advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_REMOVE ||
	       advice == MADV_PAGEOUT || advice == MADV_DONTNEED_LOCKED;
}

static int follow_brk(struct pgf_account *account, const struct pgf_space_event *event)
{
	uint32_t number = process_find(account, event->pid);
	uint64_t before;

	if (!number)
		return -ENOMEM;
	before = account->process[number].brk;
	account->process[number].brk = event->addr;
	if (before <= event->addr)
		return 0;
	return discard(account, event, event->addr, before - event->addr, PGF_AGAIN_BRK);
}

int pgf_account_space(struct pgf_account *account, const struct pgf_space_event *event)
{
	uint32_t row;
	int err;

	switch (event->type) {
	case PGF_SPACE_MADVISE:
		account->sees_calls = true;
		return gives_back(event->advice)
		               ? discard(account, event, event->addr, event->len, PGF_AGAIN_MADVISE)
		               : 0;
	case PGF_SPACE_MUNMAP:
		account->sees_calls = true;
		return discard(account, event, event->addr, event->len, PGF_AGAIN_UNMAP);
	case PGF_SPACE_MMAP:
		return discard(account, event, event->addr, event->len, PGF_AGAIN_REMAP);
	case PGF_SPACE_MREMAP:
		err = discard(account, event, event->addr, event->len, PGF_AGAIN_REMAP);
		return err ? err
		           : discard(account, event, event->new_addr, event->new_len,
		                     PGF_AGAIN_REMAP);
	case PGF_SPACE_BRK:
		return follow_brk(account, event);
	case PGF_SPACE_EXEC:
	case PGF_SPACE_CLEAR:
		row = process_end(account, event->pid);
		return process_begin(account, event->pid, row) ? 0 : -ENOMEM;
	case PGF_SPACE_FORK:
		if (event->pid == event->ppid)
			return 0;
		process_end(account, event->pid);
		return process_begin(account, event->pid, 0) ? 0 : -ENOMEM;
	case PGF_SPACE_EXIT:
		/* Its threads may live on: they stay in the row, and lose the memory of pages. */
		if (event->pid != event->tid)
			return 0;
		row = process_end(account, event->pid);
		return !row || process_begin(account, event->pid, row) ? 0 : -ENOMEM;
	default:
		return 0;
	}
}

void pgf_account_loss(const struct pgf_account *account, struct pgf_account_loss *loss)
{
	*loss = account->loss;
}

bool pgf_account_streamed(const struct pgf_account *account)
{
	return account->streamed;
}

bool pgf_account_sees_calls(const struct pgf_account *account)
{
	return account->sees_calls;
}
