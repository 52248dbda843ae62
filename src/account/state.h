/* SPDX-License-Identifier: BSD-2-Clause */
/* What an account is made of; private to this room. */
#ifndef PGF_ACCOUNT_STATE_H
#define PGF_ACCOUNT_STATE_H

#include "account/account.h"
#include "account/code.h"
#include "account/groups.h"
#include "account/labels.h"
#include "account/pages.h"
#include "account/stacks.h"

/* One life of a process: between exec, fork and exit an address means one thing. */
struct pgf_process {
	uint32_t pid;
	uint32_t row; /* the first life of this pid: exec goes on in the same row */
	uint64_t brk; /* 0: not known */
	struct pgf_discards *discards; /* NULL until the first one */
};

/*
 * Keys of the tables:
 *   data  a = process << 32 | tid, b = cgroup, c = label << 8 | what
 *   code  a = code, c = what
 *   stack a = list of codes, 0: not known, c = what
 *   site  a = code, b = enum pgf_again
 * what is a kind, or WHAT_UNKNOWN + the class of the leaves.
 */
#define PGF_WHAT_UNKNOWN 64u
#define PGF_WHAT_COUNT   (PGF_WHAT_UNKNOWN + PGF_CLASS_COUNT)

struct pgf_account {
	struct pgf_groups data;
	struct pgf_groups code;
	struct pgf_groups stack; /* empty until a stack comes */
	struct pgf_groups site;  /* count is calls, ns is bytes */
	struct pgf_labels labels;
	struct pgf_codes codes;
	struct pgf_callers callers;
	struct pgf_pages pages;
	struct pgf_process *process; /* by number, from 1 */
	uint32_t processes;
	uint32_t process_room;
	struct pgf_keys pids; /* pid -> index of alive */
	uint32_t *alive;      /* the present life of a pid, 0: none */
	uint32_t alive_room;
	uint32_t last_pid; /* and its present life: faults come in bursts */
	uint32_t last_process;
	struct pgf_account_loss loss;
	bool streamed;
	bool sees_calls;
};

_Static_assert(PGF_KIND_COUNT <= PGF_WHAT_UNKNOWN, "kinds and classes share a byte");

#endif /* PGF_ACCOUNT_STATE_H */
