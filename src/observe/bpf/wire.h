/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * What the BPF programs of the tracepoint tier and their reader share.
 */
#ifndef PGF_OBSERVE_BPF_WIRE_H
#define PGF_OBSERVE_BPF_WIRE_H

#include <linux/types.h>

/* Ways out of a window: pgf_wire.end. */
#define PGF_END_COMPLETED  1 /* min or maj was counted */
#define PGF_END_SIGNAL     2 /* a synchronous SIGSEGV or SIGBUS was generated */
#define PGF_END_CALL       4 /* no fault: struct pgf_wire_call */
#define PGF_END_UNFINISHED 3 /* the thread's next exception, or its exit, came first */

#define PGF_STACKS      16384 /* places of the first stack map, a power of two */
#define PGF_STACKS_MORE 4096  /* ... and of the second */

#define PGF_WIRE_NO_DURATION (1u << 0)
#define PGF_WIRE_NO_IP       (1u << 1)
#define PGF_WIRE_NO_ACCESS   (1u << 2) /* no entry was seen: error code unknown */

/* One fault through the ring buffer. */
struct pgf_wire {
	__u64 end_ns; /* CLOCK_MONOTONIC */
	__u64 duration_ns;
	__u64 address;
	__u64 ip;
	__u64 cgroup;
	__u32 tid;
	__u32 pid;
	__u32 evidence; /* PGF_O_*: all of them fit in 32 bits */
	__u32 error_code;
	__s32 stack_id; /* of the stack maps: PGF_STACKS and more is the second; or negative */
	__u8 end;       /* PGF_END_* */
	__u8 flags;     /* PGF_WIRE_* */
	__u8 order;
	__u8 kernel_mode;
};

/* A call that changes the address space; `end` tells it from a fault. */
struct pgf_wire_call {
	__u64 time_ns;
	__u64 address;
	__u64 length;
	__u64 new_address; /* mremap: where it went */
	__u64 new_length;
	__u64 ip; /* the caller, as far as a frame pointer tells */
	__u32 pid;
	__u32 tid;
	__u32 argument; /* prot of mprotect, advice of madvise */
	__u8 end;       /* PGF_END_CALL, where struct pgf_wire has its own */
	__u8 type;      /* enum pgf_space_type */
	__u16 pad;
};

/* A cell of the aggregation in the kernel, by place. */
struct pgf_block_key {
	__u64 block; /* address >> PGF_BLOCK_SHIFT */
	__u32 pid;
	__u32 evidence;
	__u32 error_code;
	__u16 bucket; /* pgf_bucket() of the duration */
	__u8 end;
	__u8 kernel_mode;
};
#define PGF_BLOCK_SHIFT 21

/* ... and by code. */
struct pgf_code_key {
	__u64 ip;
	__u32 pid;
	__u32 evidence;
	__u32 error_code;
	__u16 pad;
	__u8 end;
	__u8 kernel_mode;
};

struct pgf_cell_value {
	__u64 count;
	__u64 ns;
	__u64 max_ns;
	__u64 last_ns; /* end of the last fault in the cell */
	__u64 last_address;
	__u64 last_ip;
	__u32 last_tid;
	__u32 pad;
};

/* Per CPU; never lost, whatever is full. */
struct pgf_counts {
	__u64 minor;
	__u64 major;
	__u64 failed;
	__u64 unfinished;
	__u64 ring_full;   /* faults that went into cells because the ring was full */
	__u64 detail_lost; /* faults for which no cell was free either */
	__u64 detail_lost_ns;
	__u64 nested;     /* nofault exceptions inside an open window */
	__u64 no_window;  /* completions without an entry */
	__u64 no_slot;    /* faults of a task for which no state could be had */
	__u64 stack_lost; /* stacks that found no place */
	__u64 calls_lost; /* calls that found the ring full */
};

#endif /* PGF_OBSERVE_BPF_WIRE_H */
