// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The tracepoint tier: a window from the exceptions tracepoint to the minor/major-faults
 * event of the same thread, and what other tracepoints fire inside it. No program here
 * reads kernel memory, so all of it loads under lockdown=confidentiality.
 */
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <pgfault/decide.h>
#include "fault/bucket.h"
#include "observe/bpf/wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define GFP_HIGHMEM 0x02u
#define GFP_MOVABLE 0x08u
#define GFP_ZERO    0x100u
#define PMD_ORDER   9
#define SIG_BUS     7
#define SIG_SEGV    11
/* SI_KERNEL: a general protection fault, which is no page fault. */
#define SI_FROM_TRAPS 128
#define PLACE_TAKEN   (-17) /* EEXIST */

const volatile __u32 self_pid;   /* pgfault itself is never a target */
const volatile bool trace_all;   /* every task (of the cgroup) */
const volatile bool use_storage; /* task storage exists (5.11) */
const volatile bool with_stacks;
const volatile bool with_cgroup; /* only tasks below cgroup_id at cgroup_level */
const volatile __u64 cgroup_id;
const volatile __u32 cgroup_level;
const volatile bool aggregate; /* always cells, never the ring */

__u32 armed; /* between start and stop: windows are opened */
__u32 epoch; /* which pair of cell maps is written to; flipped by the reader */

/* A thread's open fault. */
struct window {
	__u64 start_ns;
	__u64 address;
	__u64 cgroup;
	__u32 error_code;
	__u32 evidence;
	__u8 open;
	__u8 kernel_mode;
	__u8 order;
	__u8 closing; /* a stack walk is under way: its own faults do not count */
	__u32 pad;
	__u64 remap_address; /* an mremap that has not returned yet */
	__u64 remap_length;
	__u64 remap_new;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct window);
} windows SEC(".maps");

/* The same by tid, for kernels without task storage. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct window);
} windows_by_tid SEC(".maps");

/* Threads to trace; the value is not used. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u8);
} tracked SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} ring0 SEC(".maps");

/* One ring a CPU, so that CPUs do not contend for one lock. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps") = {.values = {&ring0}};

struct block_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct pgf_block_key);
	__type(value, struct pgf_cell_value);
} blocks0 SEC(".maps"), blocks1 SEC(".maps");

struct code_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct pgf_code_key);
	__type(value, struct pgf_cell_value);
} codes0 SEC(".maps"), codes1 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pgf_counts);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, PGF_STACKS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 127 * sizeof(__u64));
} stacks SEC(".maps");

/* A place is a hash without a chain: what finds it taken by another stack goes here. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, PGF_STACKS_MORE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 127 * sizeof(__u64));
} stacks_more SEC(".maps");

static __always_inline struct pgf_counts *counts_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counts, &zero);
}

/* The window of the current thread if it has one; what untraced tasks pay for evidence. */
static __always_inline struct window *window_peek(void)
{
	if (use_storage)
		return bpf_task_storage_get(&windows, (void *)bpf_get_current_task_btf(), 0, 0);
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&windows_by_tid, &tid);
}

static __always_inline bool task_wanted(__u64 pid_tgid)
{
	__u32 tid = (__u32)pid_tgid;

	if ((__u32)(pid_tgid >> 32) == self_pid || tid == 0)
		return bpf_map_lookup_elem(&tracked, &tid) != NULL;
	if (trace_all)
		return true;
	return bpf_map_lookup_elem(&tracked, &tid) != NULL;
}

static __always_inline struct window *window_make(__u64 pid_tgid)
{
	struct window *w;

	if (use_storage) {
		w = bpf_task_storage_get(&windows, (void *)bpf_get_current_task_btf(), 0,
		                         BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		__u32 tid = (__u32)pid_tgid;
		struct window fresh = {};

		bpf_map_update_elem(&windows_by_tid, &tid, &fresh, BPF_NOEXIST);
		w = bpf_map_lookup_elem(&windows_by_tid, &tid);
	}
	if (w)
		w->cgroup = bpf_get_current_cgroup_id();
	return w;
}

/* The window of the current thread, made when the thread is a target; else NULL. */
static __always_inline struct window *window_get(void)
{
	struct window *w;
	__u64 pid_tgid;

	if (with_cgroup && bpf_get_current_ancestor_cgroup_id(cgroup_level) != cgroup_id)
		return NULL;
	w = window_peek();
	if (w)
		return w;
	pid_tgid = bpf_get_current_pid_tgid();
	if (!task_wanted(pid_tgid))
		return NULL;
	w = window_make(pid_tgid);
	if (!w) {
		struct pgf_counts *c = counts_here();

		if (c)
			c->no_slot++;
	}
	return w;
}

static __always_inline void cell_add(struct pgf_cell_value *v, const struct pgf_wire *e)
{
	v->count++;
	v->ns += e->duration_ns;
	if (e->duration_ns > v->max_ns)
		v->max_ns = e->duration_ns;
	v->last_ns = e->end_ns;
	v->last_address = e->address;
	v->last_ip = e->ip;
	v->last_tid = e->tid;
}

static __always_inline bool cell_count(void *map, const void *key, const struct pgf_wire *e)
{
	struct pgf_cell_value *v = bpf_map_lookup_elem(map, key);

	if (!v) {
		struct pgf_cell_value fresh = {};

		bpf_map_update_elem(map, key, &fresh, BPF_NOEXIST);
		v = bpf_map_lookup_elem(map, key);
		if (!v)
			return false;
	}
	cell_add(v, e);
	return true;
}

/* The kernel's own sums: by place and by code. False when no cell was free. */
static __noinline int aggregate_fault(const struct pgf_wire *e)
{
	struct pgf_block_key block = {};
	struct pgf_code_key code = {};
	bool placed, coded;

	if (!e)
		return 0;
	block.block = e->address >> PGF_BLOCK_SHIFT;
	block.pid = e->pid;
	block.evidence = e->evidence;
	block.error_code = e->error_code;
	block.bucket = (__u16)pgf_bucket(e->duration_ns);
	block.end = e->end;
	block.kernel_mode = e->kernel_mode;
	code.ip = e->ip;
	code.pid = e->pid;
	code.evidence = e->evidence;
	code.error_code = e->error_code;
	code.end = e->end;
	code.kernel_mode = e->kernel_mode;
	if (epoch & 1) {
		placed = cell_count(&blocks1, &block, e);
		coded = cell_count(&codes1, &code, e);
	} else {
		placed = cell_count(&blocks0, &block, e);
		coded = cell_count(&codes0, &code, e);
	}
	return placed && coded;
}

static __always_inline void count_end(struct pgf_counts *c, const struct pgf_wire *e)
{
	if (e->end == PGF_END_SIGNAL)
		c->failed++;
	else if (e->end == PGF_END_UNFINISHED)
		c->unfinished++;
	else if (e->evidence & PGF_O_MAJOR)
		c->major++;
	else
		c->minor++;
}

/* Hands a fault over: through the ring, else into cells, and always into the counts. */
static __always_inline void fault_emit(const struct pgf_wire *e)
{
	struct pgf_counts *c = counts_here();
	__u32 cpu = bpf_get_smp_processor_id();
	void *ring;

	if (!c)
		return;
	count_end(c, e);
	if (!aggregate) {
		ring = bpf_map_lookup_elem(&rings, &cpu);
		if (ring) {
			struct pgf_wire *slot = bpf_ringbuf_reserve(ring, sizeof(*slot), 0);

			if (slot) {
				*slot = *e;
				bpf_ringbuf_submit(slot, BPF_RB_NO_WAKEUP);
				return;
			}
		}
		c->ring_full++;
	}
	if (!aggregate_fault(e)) {
		c->detail_lost++;
		c->detail_lost_ns += e->duration_ns;
	}
}

static __always_inline void wire_from(struct pgf_wire *e, const struct window *w, __u64 now)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	e->end_ns = now;
	e->duration_ns = now - w->start_ns;
	e->address = w->address;
	e->cgroup = w->cgroup;
	e->tid = (__u32)pid_tgid;
	e->pid = (__u32)(pid_tgid >> 32);
	e->evidence = w->evidence;
	e->error_code = w->error_code;
	e->stack_id = -1;
	e->order = w->order;
	e->kernel_mode = w->kernel_mode;
}

/* An open window whose end was not seen: its time is its start. */
static __noinline int window_abandon(struct window *w)
{
	struct pgf_wire e = {};

	if (!w)
		return 0;
	wire_from(&e, w, w->start_ns);
	e.end = PGF_END_UNFINISHED;
	e.flags = PGF_WIRE_NO_DURATION | PGF_WIRE_NO_IP;
	w->open = 0;
	fault_emit(&e);
	return 0;
}

static __always_inline int window_enter(__u64 address, __u32 error_code, bool kernel_mode)
{
	struct window *w;

	if (!armed)
		return 0;
	w = window_get();
	if (!w || w->closing)
		return 0;
	if (w->open) {
		/*
		 * User code cannot run inside a fault, so another user fault means that the
		 * first one ended unseen. A kernel-mode one inside an open user fault is a
		 * nofault access of the handler's own (a stack walk).
		 */
		if (kernel_mode && !w->kernel_mode) {
			struct pgf_counts *c = counts_here();

			if (c)
				c->nested++;
			return 0;
		}
		/* The same page again: refused with page faults disabled, and retried with them. */
		if (kernel_mode && (w->address ^ address) < 4096) {
			struct pgf_counts *c = counts_here();

			if (c)
				c->nested++;
			w->open = 0;
		} else {
			window_abandon(w);
		}
	}
	w->address = address;
	w->error_code = error_code;
	w->evidence = 0;
	w->order = 0;
	w->kernel_mode = kernel_mode;
	w->open = 1;
	w->start_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("raw_tp/page_fault_user")
int fault_user(struct bpf_raw_tracepoint_args *ctx)
{
	return window_enter(ctx->args[0], (__u32)ctx->args[2], false);
}

SEC("raw_tp/page_fault_kernel")
int fault_kernel(struct bpf_raw_tracepoint_args *ctx)
{
	return window_enter(ctx->args[0], (__u32)ctx->args[2], true);
}

static __always_inline void stack_take(void *ctx, struct pgf_wire *e)
{
	struct pgf_counts *c;

	e->stack_id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	if (e->stack_id == PLACE_TAKEN) {
		e->stack_id = bpf_get_stackid(ctx, &stacks_more, BPF_F_USER_STACK);
		if (e->stack_id >= 0)
			e->stack_id += PGF_STACKS;
	}
	if (e->stack_id >= 0)
		return;
	c = counts_here();
	if (c)
		c->stack_lost++;
}

static __always_inline int window_complete(struct bpf_perf_event_data *ctx, __u32 evidence)
{
	struct window *w = window_get();
	struct pgf_wire e = {};

	if (!w || w->closing)
		return 0;
	/* Closed already: a second event for the same fault, of a thread that has two. */
	if (!w->open && w->start_ns)
		return 0;
	if (w->open && (w->address ^ ctx->addr) < 4096) {
		wire_from(&e, w, bpf_ktime_get_ns());
	} else {
		struct pgf_counts *c = counts_here();

		if (c)
			c->no_window++;
		wire_from(&e, w, bpf_ktime_get_ns());
		e.duration_ns = 0;
		e.address = ctx->addr;
		e.evidence = 0;
		e.error_code = 0;
		e.order = 0;
		e.flags = PGF_WIRE_NO_DURATION | PGF_WIRE_NO_ACCESS;
	}
	e.evidence |= evidence;
	e.ip = PT_REGS_IP(&ctx->regs);
	e.end = PGF_END_COMPLETED;
	w->open = 0;
	if (with_stacks) {
		w->closing = 1;
		stack_take(ctx, &e);
		w->closing = 0;
	}
	fault_emit(&e);
	return 0;
}

SEC("perf_event")
int fault_minor(struct bpf_perf_event_data *ctx)
{
	return window_complete(ctx, PGF_O_COMPLETED);
}

SEC("perf_event")
int fault_major(struct bpf_perf_event_data *ctx)
{
	return window_complete(ctx, PGF_O_COMPLETED | PGF_O_MAJOR);
}

/* Evidence: what happened inside the window. */

static __always_inline int evidence_add(__u32 bits)
{
	struct window *w = window_peek();

	if (w && w->open)
		w->evidence |= bits;
	return 0;
}

SEC("raw_tp/mm_page_alloc")
int seen_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct window *w = window_peek();
	__u32 order = (__u32)ctx->args[1];
	__u32 gfp = (__u32)ctx->args[2];

	/* Page tables are neither movable nor from highmem: they are not data pages. */
	if (!w || !w->open || !(gfp & (GFP_HIGHMEM | GFP_MOVABLE)) || !ctx->args[0])
		return 0;
	w->evidence |= PGF_O_ALLOC;
	if (gfp & GFP_ZERO)
		w->evidence |= PGF_O_ALLOC_ZERO;
	if (order >= PMD_ORDER)
		w->evidence |= PGF_O_ALLOC_PMD;
	else if (order > 0)
		w->evidence |= PGF_O_ALLOC_LARGE;
	if (order > w->order)
		w->order = (__u8)order;
	return 0;
}

SEC("raw_tp/rss_stat")
int seen_rss(struct bpf_raw_tracepoint_args *ctx)
{
	switch ((__u32)ctx->args[1]) {
	case 0:
		return evidence_add(PGF_O_RSS_FILE);
	case 1:
		return evidence_add(PGF_O_RSS_ANON);
	case 2:
		return evidence_add(PGF_O_RSS_SWAP);
	case 3:
		return evidence_add(PGF_O_RSS_SHMEM);
	}
	return 0;
}

SEC("raw_tp/mm_filemap_map_pages")
int seen_map_pages(void *ctx)
{
	return evidence_add(PGF_O_MAP_PAGES);
}

SEC("raw_tp/mm_filemap_fault")
int seen_filemap(void *ctx)
{
	return evidence_add(PGF_O_FILEMAP);
}

SEC("raw_tp/mm_filemap_add_to_page_cache")
int seen_cache_add(void *ctx)
{
	return evidence_add(PGF_O_CACHE_ADD);
}

SEC("raw_tp/block_bio_queue")
int seen_bio(void *ctx)
{
	return evidence_add(PGF_O_BIO);
}

SEC("raw_tp/mm_migrate_pages")
int seen_migrate(void *ctx)
{
	return evidence_add(PGF_O_MIGRATE);
}

SEC("raw_tp/mm_vmscan_direct_reclaim_begin")
int seen_reclaim(void *ctx)
{
	return evidence_add(PGF_O_RECLAIM);
}

SEC("raw_tp/mm_vmscan_memcg_reclaim_begin")
int seen_memcg_reclaim(void *ctx)
{
	return evidence_add(PGF_O_RECLAIM);
}

SEC("raw_tp/mm_compaction_begin")
int seen_compact(void *ctx)
{
	return evidence_add(PGF_O_COMPACT);
}

/* Args: preempt, prev, next, ...: a thread that is not preempted has gone to sleep. */
SEC("raw_tp/sched_switch")
int seen_sleep(struct bpf_raw_tracepoint_args *ctx)
{
	if (ctx->args[0])
		return 0;
	return evidence_add(PGF_O_SLEPT);
}

/* The start of the tracepoint record's fields; offsets as in events/signal/signal_generate/format.
 */
struct signal_args {
	__u64 common;
	int sig;
	int error;
	int code;
	char comm[16];
	int pid;
	int group;
	int result;
};

static __always_inline __u32 signal_evidence(int sig, int code)
{
	if (sig == SIG_SEGV)
		return PGF_O_SIGSEGV | (code == 1   ? PGF_O_MAPERR
		                        : code == 2 ? PGF_O_ACCERR
		                        : code == 4 ? PGF_O_PKUERR
		                                    : 0);
	return PGF_O_SIGBUS | (code == 2 ? PGF_O_ADRERR : code == 4 ? PGF_O_MCEERR : 0);
}

SEC("tracepoint")
int seen_signal(struct signal_args *ctx)
{
	struct window *w;
	struct pgf_wire e = {};
	__u64 ip = 0;

	if ((ctx->sig != SIG_SEGV && ctx->sig != SIG_BUS) || ctx->code <= 0 ||
	    ctx->code >= SI_FROM_TRAPS)
		return 0;
	if ((__u32)ctx->pid != (__u32)bpf_get_current_pid_tgid())
		return 0;
	w = window_peek();
	if (!w || !w->open)
		return 0;
	wire_from(&e, w, bpf_ktime_get_ns());
	e.evidence |= signal_evidence(ctx->sig, ctx->code);
	e.end = PGF_END_SIGNAL;
	w->closing = 1;
	if (bpf_get_stack(ctx, &ip, sizeof(ip), BPF_F_USER_STACK) == sizeof(ip))
		e.ip = ip;
	else
		e.flags |= PGF_WIRE_NO_IP;
	if (with_stacks)
		stack_take(ctx, &e);
	w->closing = 0;
	w->open = 0;
	fault_emit(&e);
	return 0;
}

/* sched:sched_process_fork: the names became dynamic strings in 6.x. */
struct fork_args {
	__u64 common;
	__u32 parent_comm;
	__u32 parent_pid;
	__u32 child_comm;
	__u32 child_pid;
};

struct fork_args_fixed {
	__u64 common;
	char parent_comm[16];
	__u32 parent_pid;
	char child_comm[16];
	__u32 child_pid;
};

/* Children of a target are targets from their first instruction on. */
static __always_inline int child_track(__u32 parent, __u32 child)
{
	__u8 one = 1;

	if (!bpf_map_lookup_elem(&tracked, &parent))
		return 0;
	if (bpf_map_update_elem(&tracked, &child, &one, BPF_ANY)) {
		struct pgf_counts *c = counts_here();

		if (c)
			c->no_slot++;
	}
	return 0;
}

SEC("tracepoint")
int task_fork(struct fork_args *ctx)
{
	return child_track(ctx->parent_pid, ctx->child_pid);
}

SEC("tracepoint")
int task_fork_fixed(struct fork_args_fixed *ctx)
{
	return child_track(ctx->parent_pid, ctx->child_pid);
}

#include "observe/bpf/calls.bpf.h"

/*
 * Args: task, old_pid, bprm. A thread that is not the leader takes over the leader's number
 * when it executes a program, and the leader's exit has just taken that number away.
 */
SEC("raw_tp/sched_process_exec")
int task_exec(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 old = (__u32)ctx->args[1], tid = (__u32)bpf_get_current_pid_tgid();
	__u8 one = 1;

	if (old == tid || !bpf_map_lookup_elem(&tracked, &old))
		return 0;
	bpf_map_update_elem(&tracked, &tid, &one, BPF_ANY);
	bpf_map_delete_elem(&tracked, &old);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int task_exit(void *ctx)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct window *w = window_peek();

	if (w && w->open)
		window_abandon(w);
	if (!use_storage)
		bpf_map_delete_elem(&windows_by_tid, &tid);
	bpf_map_delete_elem(&tracked, &tid);
	return 0;
}
