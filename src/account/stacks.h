/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Call stacks: kept under the numbers of their source, and as lists of code, in which the same
 * way through the same files is one for all processes. Not thread-safe.
 */
#ifndef PGF_ACCOUNT_STACKS_H
#define PGF_ACCOUNT_STACKS_H

#include <stddef.h>
#include <stdint.h>

#include "account/code.h"
#include "account/keys.h"
#include "observe/stacks.h"

/* As many as the kernel gives by default (perf_event_max_stack); what is deeper is cut. */
#define PGF_STACK_DEPTH 127

struct pgf_stackbook;

int pgf_stackbook_new(struct pgf_stackbook **out);   /* 0 or -ENOMEM */
void pgf_stackbook_free(struct pgf_stackbook *book); /* accepts NULL */
/* Keeps a copy; the first stack of an id stays. 0, -ENOMEM, -ENOSPC when the book is full. */
int pgf_stackbook_add(struct pgf_stackbook *book, uint32_t id, const uint64_t *ips, size_t count);
/* The frames of id, innermost first, until the next add; NULL with *count 0 when not known. */
const uint64_t *pgf_stackbook_get(const struct pgf_stackbook *book, uint32_t id, size_t *count);

/*
 * The address whose symbol names frame i: a return address may lie behind the end of the
 * function that called.
 */
static inline uint64_t pgf_stack_place(const uint64_t *ips, size_t i)
{
	return i && ips[i] ? ips[i] - 1 : ips[i];
}

/* The stacks of an account, private to this room. */
struct pgf_callers {
	struct pgf_stackbook *book; /* NULL until the first stack */
	struct pgf_stacks *lists;   /* of numbers of codes */
	struct pgf_keys pairs;      /* process << 32 | stack id -> index of list_of */
	uint32_t *list_of;
	uint32_t room;
	uint64_t last_pair; /* faults come in bursts */
	uint32_t last_list;
};

/*
 * The number of the list of a stack id in a process, 0 when it is not known or too many are.
 * PGF_KEYS_NONE without memory. process and pid are as for pgf_codes_add().
 */
uint32_t pgf_callers_list(struct pgf_callers *callers, struct pgf_codes *codes, uint32_t process,
                          uint32_t pid, uint32_t stack_id);
/* The codes of a list, innermost first; NULL with *count 0 for 0. */
const uint64_t *pgf_callers_codes(const struct pgf_callers *callers, uint32_t list, size_t *count);
void pgf_callers_clear(struct pgf_callers *callers);

#endif /* PGF_ACCOUNT_STACKS_H */
