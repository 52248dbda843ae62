/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tracepoint tier's cells and counts: what the kernel added up by itself.
 */
#include "observe/tracepoint.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pgfault/decide.h>
#include "tracepoint.skel.h"

#define CELL_BATCH 512

/* Faults: what a wire record means. */

static void access_from_wire(struct pgf_access *access, uint64_t address, uint32_t code, bool known)
{
	memset(access, 0, sizeof(*access));
	if (known)
		pgf_access_decode(access, PGF_ARCH_X86_64, code);
	access->address = address;
}

void pgf_tp_fault(const struct pgf_source *s, const struct pgf_wire *e, struct pgf_fault *f)
{
	memset(f, 0, sizeof(*f));
	f->time_ns = e->end_ns - e->duration_ns;
	f->duration_ns = e->duration_ns;
	f->ip = e->ip;
	f->cgroup = e->cgroup;
	f->pid = e->pid;
	f->tid = e->tid;
	f->order = e->order;
	f->evidence = e->evidence;
	f->evidence_known = s->known;
	f->stack_id = e->stack_id >= 0 ? (uint32_t)e->stack_id + 1 : 0;
	access_from_wire(&f->access, e->address, e->error_code, !(e->flags & PGF_WIRE_NO_ACCESS));
	f->access.mode = e->kernel_mode ? PGF_MODE_KERNEL : PGF_MODE_USER;
	if (e->flags & PGF_WIRE_NO_ACCESS) {
		f->access.mode = PGF_MODE_UNKNOWN;
		f->evidence_known &= PGF_O_COMPLETED | PGF_O_MAJOR;
	}
	if (e->flags & PGF_WIRE_NO_DURATION)
		f->flags |= PGF_F_NO_DURATION;
	if (e->flags & PGF_WIRE_NO_IP)
		f->flags |= PGF_F_NO_IP;
	if (e->end == PGF_END_SIGNAL) {
		f->flags |= PGF_F_FAILED;
		f->signo = e->evidence & PGF_O_SIGSEGV ? 11 : 7;
	} else if (e->end == PGF_END_UNFINISHED) {
		f->flags |= PGF_F_UNFINISHED;
	}
}

/* Cells. */

/*
 * Programs that read the old epoch have ended when an update of a map of maps returns:
 * the kernel waits for them there (maybe_wait_bpf_programs, kernel/bpf/syscall.c, 5.0+).
 */
void pgf_tp_barrier_wait(struct pgf_source *s)
{
	uint32_t zero = 0;

	if (s->barrier_outer < 0 ||
	    bpf_map_update_elem(s->barrier_outer, &zero, &s->barrier_inner, BPF_ANY)) {
		struct timespec ts = {.tv_nsec = 20000000};

		nanosleep(&ts, NULL);
	}
}

int pgf_tp_barrier_make(struct pgf_source *s)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);

	s->barrier_inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pgf_inner", 4, 4, 1, NULL);
	if (s->barrier_inner < 0)
		return s->barrier_inner;
	opts.inner_map_fd = (uint32_t)s->barrier_inner;
	s->barrier_outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "pgf_outer", 4, 4, 1, &opts);
	return s->barrier_outer < 0 ? s->barrier_outer : 0;
}

static void cell_sum(const struct pgf_cell_value *values, int ncpu, struct pgf_cell_value *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < ncpu; i++) {
		const struct pgf_cell_value *v = &values[i];

		sum->count += v->count;
		sum->ns += v->ns;
		if (v->max_ns > sum->max_ns)
			sum->max_ns = v->max_ns;
		if (v->last_ns >= sum->last_ns && v->count) {
			sum->last_ns = v->last_ns;
			sum->last_address = v->last_address;
			sum->last_ip = v->last_ip;
			sum->last_tid = v->last_tid;
		}
	}
}

/* The fields that keys by place and by code share. */
struct cell_id {
	uint32_t pid, evidence, error_code;
	uint8_t end, kernel_mode;
};

static int cell_deliver(struct pgf_source *s, const struct cell_id *id,
                        const struct pgf_cell_value *v, uint32_t bucket, bool code)
{
	struct pgf_wire e = {
	        .end_ns = v->last_ns,
	        .address = v->last_address,
	        .ip = v->last_ip,
	        .tid = v->last_tid,
	        .pid = id->pid,
	        .evidence = id->evidence,
	        .error_code = id->error_code,
	        .stack_id = -1,
	        .end = id->end,
	        .kernel_mode = id->kernel_mode,
	        .duration_ns = v->count ? v->ns / v->count : 0,
	};
	struct pgf_cell cell = {.count = v->count,
	                        .ns = v->ns,
	                        .max_ns = v->max_ns,
	                        .bucket = bucket,
	                        .code = code};

	if (id->end == PGF_END_UNFINISHED)
		e.flags = PGF_WIRE_NO_DURATION | PGF_WIRE_NO_IP;
	pgf_tp_fault(s, &e, &cell.fault);
	if (!v->count || !s->feed.cell)
		return 0;
	return s->feed.cell(s->feed.ctx, &cell);
}

static int cells_deliver(struct pgf_source *s, const void *keys, uint32_t n, bool code)
{
	const struct pgf_cell_value *values = (const void *)s->values;

	for (uint32_t i = 0; i < n; i++) {
		struct pgf_cell_value sum;
		struct cell_id id;
		uint32_t bucket = PGF_CELL_NO_BUCKET;
		int ret;

		if (code) {
			const struct pgf_code_key *k = &((const struct pgf_code_key *)keys)[i];

			id = (struct cell_id){k->pid, k->evidence, k->error_code, k->end,
			                      k->kernel_mode};
		} else {
			const struct pgf_block_key *k = &((const struct pgf_block_key *)keys)[i];

			id = (struct cell_id){k->pid, k->evidence, k->error_code, k->end,
			                      k->kernel_mode};
			bucket = k->bucket;
		}
		cell_sum(&values[(size_t)i * (size_t)s->ncpu], s->ncpu, &sum);
		ret = cell_deliver(s, &id, &sum, bucket, code);
		if (ret)
			return ret;
	}
	return 0;
}

static int cells_take(struct pgf_source *s, int fd, bool code)
{
	union {
		struct pgf_block_key block[CELL_BATCH];
		struct pgf_code_key code[CELL_BATCH];
	} keys;
	uint64_t in = 0, out = 0;
	bool first = true;
	int err, ret;

	do {
		uint32_t n = CELL_BATCH;

		err = bpf_map_lookup_and_delete_batch(fd, first ? NULL : &in, &out, &keys,
		                                      s->values, &n, NULL);
		if (err && errno != ENOENT)
			return -errno;
		ret = cells_deliver(s, &keys, n, code);
		if (ret)
			return ret;
		in = out;
		first = false;
	} while (!err);
	return 0;
}

int pgf_tp_cells_flip(struct pgf_source *s)
{
	uint32_t old = s->skel->bss->epoch & 1;
	struct bpf_map *blocks = old ? s->skel->maps.blocks1 : s->skel->maps.blocks0;
	struct bpf_map *codes = old ? s->skel->maps.codes1 : s->skel->maps.codes0;
	uint64_t now = pgf_now_ns();
	int ret;

	__atomic_add_fetch(&s->skel->bss->epoch, 1, __ATOMIC_SEQ_CST);
	pgf_tp_barrier_wait(s);
	ret = cells_take(s, bpf_map__fd(blocks), false);
	if (!ret)
		ret = cells_take(s, bpf_map__fd(codes), true);
	s->last_flip_ns = now;
	return ret;
}

int pgf_tp_counts(const struct pgf_source *s, struct pgf_counts *sum)
{
	struct pgf_counts *per_cpu;
	uint32_t zero = 0;

	memset(sum, 0, sizeof(*sum));
	per_cpu = calloc((size_t)s->ncpu, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;
	if (bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.counts), &zero, per_cpu)) {
		int err = -errno;

		free(per_cpu);
		return err;
	}
	for (int i = 0; i < s->ncpu; i++) {
		const uint64_t *from = (const void *)&per_cpu[i];
		uint64_t *to = (void *)sum;

		for (size_t k = 0; k < sizeof(*sum) / sizeof(uint64_t); k++)
			to[k] += from[k];
	}
	free(per_cpu);
	return 0;
}

int pgf_tp_cells_init(struct pgf_source *s)
{
	s->values = malloc((size_t)CELL_BATCH * (size_t)s->ncpu * sizeof(struct pgf_cell_value));
	return s->values ? 0 : -ENOMEM;
}
