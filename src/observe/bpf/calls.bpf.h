/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The calls that change an address space. A part of tracepoint.bpf.c, which includes it. */
#ifndef PGF_OBSERVE_BPF_CALLS_H
#define PGF_OBSERVE_BPF_CALLS_H

/*
 * Calls that take pages away or move them. perf's records tell of new mappings only.
 * The numbers are those of enum pgf_space_type.
 */
#define CALL_MUNMAP   2
#define CALL_MPROTECT 3
#define CALL_MREMAP   4
#define CALL_MADVISE  5
#define CALL_BRK      6
#define CALL_MLOCK    7
#define CALL_UFFD     12

struct call_enter {
	__u64 common;
	__u64 number;
	__u64 args[6];
};

struct call_exit {
	__u64 common;
	__u64 number;
	__s64 ret;
};

static __always_inline void call_init(void *ctx, struct pgf_wire_call *call, __u8 type)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u64 ips[2] = {0, 0};

	call->time_ns = bpf_ktime_get_ns();
	call->pid = (__u32)(pid_tgid >> 32);
	call->tid = (__u32)pid_tgid;
	call->type = type;
	call->end = PGF_END_CALL;
	/* The first frame is the C library's wrapper of the call. */
	bpf_get_stack(ctx, ips, sizeof(ips), BPF_F_USER_STACK);
	call->ip = ips[1] ? ips[1] : ips[0];
}

static __always_inline void call_emit(const struct pgf_wire_call *call)
{
	if (!armed)
		return;

	__u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&rings, &cpu);
	struct pgf_wire_call *slot = NULL;
	struct pgf_counts *c;

	if (ring)
		slot = bpf_ringbuf_reserve(ring, sizeof(*slot), 0);
	if (slot) {
		*slot = *call;
		bpf_ringbuf_submit(slot, BPF_RB_NO_WAKEUP);
		return;
	}
	c = counts_here();
	if (c)
		c->calls_lost++;
}

static __always_inline int call_entered(void *ctx, __u64 address, __u64 length, __u64 argument,
                                        __u8 type)
{
	struct window *w = window_peek();
	struct pgf_wire_call call = {};

	if (!w)
		return 0;
	w->closing = 1;
	call_init(ctx, &call, type);
	w->closing = 0;
	call.address = address;
	call.length = length;
	call.argument = (__u32)argument;
	call_emit(&call);
	return 0;
}

/* A program may not read beyond its own call's arguments. */
SEC("tracepoint")
int call_munmap(struct call_enter *ctx)
{
	return call_entered(ctx, ctx->args[0], ctx->args[1], 0, CALL_MUNMAP);
}

SEC("tracepoint")
int call_mprotect(struct call_enter *ctx)
{
	return call_entered(ctx, ctx->args[0], ctx->args[1], ctx->args[2], CALL_MPROTECT);
}

SEC("tracepoint")
int call_madvise(struct call_enter *ctx)
{
	return call_entered(ctx, ctx->args[0], ctx->args[1], ctx->args[2], CALL_MADVISE);
}

SEC("tracepoint")
int call_mlock(struct call_enter *ctx)
{
	return call_entered(ctx, ctx->args[0], ctx->args[1], 0, CALL_MLOCK);
}

/* userfaultfd's registrations: the ranges are in user memory. linux/userfaultfd.h. */
#define UFFD_REGISTER   0xc020aa00u
#define UFFD_UNREGISTER 0x8010aa01u

SEC("tracepoint")
int call_ioctl(struct call_enter *ctx)
{
	__u32 command = (__u32)ctx->args[1];
	__u64 range[3] = {0, 0, 0};
	const void *from = (const void *)ctx->args[2];
	__u32 mode;

	if (command != UFFD_REGISTER && command != UFFD_UNREGISTER)
		return 0;
	if (bpf_probe_read_user(range, command == UFFD_REGISTER ? 24 : 16, from))
		return 0;
	mode = command == UFFD_REGISTER ? (__u32)range[2] : 0;
	return call_entered(ctx, range[0], range[1], mode, CALL_UFFD);
}

SEC("tracepoint")
int call_mremap(struct call_enter *ctx)
{
	struct window *w = window_peek();

	if (!w)
		return 0;
	w->remap_address = ctx->args[0];
	w->remap_length = ctx->args[1];
	w->remap_new = ctx->args[2];
	return 0;
}

SEC("tracepoint")
int call_mremap_done(struct call_exit *ctx)
{
	struct window *w = window_peek();
	struct pgf_wire_call call = {};

	if (!w || (__u64)ctx->ret >= (__u64)-4095)
		return 0;
	w->closing = 1;
	call_init(ctx, &call, CALL_MREMAP);
	w->closing = 0;
	call.address = w->remap_address;
	call.length = w->remap_length;
	call.new_address = (__u64)ctx->ret;
	call.new_length = w->remap_new;
	call_emit(&call);
	return 0;
}

SEC("tracepoint")
int call_brk_done(struct call_exit *ctx)
{
	struct window *w = window_peek();
	struct pgf_wire_call call = {};

	if (!w)
		return 0;
	w->closing = 1;
	call_init(ctx, &call, CALL_BRK);
	w->closing = 0;
	call.address = (__u64)ctx->ret;
	call_emit(&call);
	return 0;
}

#endif /* PGF_OBSERVE_BPF_CALLS_H */
