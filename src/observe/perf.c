/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The perf tier: the software event at the entry of a fault and those at its completion,
 * sampled one by one. Needs no privileges for one's own processes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pgfault/decide.h>
#include "observe/events.h"
#include "observe/merge.h"
#include "observe/pairs.h"
#include "observe/source.h"
#include "observe/stacks.h"

/* Both take 100 ms of the fastest faults. */
#define RING_BYTES_FEW  (8u << 20) /* up to 8 CPUs */
#define RING_BYTES_MANY (2u << 20)
#define RING_BYTES_MIN  (32u << 10)
/* What the records of the address space want of the same budget. */
#define RESERVE_BYTES (128u << 10)
#define RESERVE_MIN   (16u << 10)

/* The longest chain that the kernel gives by default is 127 (perf_event_max_stack). */
#define FRAMES_MAX 512
/* Values from here on are marks inside a chain (PERF_CONTEXT_*), no addresses. */
#define FRAME_MARK ((uint64_t)-4095)

#define TEMPLATES 3 /* in the order of PGF_SAMPLE_ENTRY, MINOR and MAJOR */

struct pgf_source {
	struct pgf_events *events;
	struct pgf_merge *merge;
	struct pgf_pairs *pairs;
	struct pgf_stacks *stacks; /* NULL when none are wanted */
	struct pgf_feed feed;
	struct pgf_totals *totals;
	uint64_t start_ns;         /* faults that began before do not count */
	uint64_t own[TEMPLATES];   /* samples of our own faults */
	uint64_t taken[TEMPLATES]; /* all others */
	uint64_t early[TEMPLATES]; /* ... of faults that began before the start */
	uint64_t early_unfinished;
	uint32_t self; /* our own pid when we would watch ourselves, else 0 */
	bool stopped;
};

static void templates_init(struct perf_event_attr *attrs, const struct pgf_session_opts *opts,
                           bool exclude_kernel)
{
	static const uint64_t configs[TEMPLATES] = {
	        PERF_COUNT_SW_PAGE_FAULTS,
	        PERF_COUNT_SW_PAGE_FAULTS_MIN,
	        PERF_COUNT_SW_PAGE_FAULTS_MAJ,
	};

	for (size_t i = 0; i < TEMPLATES; i++)
		attrs[i] = (struct perf_event_attr){
		        .type = PERF_TYPE_SOFTWARE,
		        .config = configs[i],
		        .sample_period = 1,
		        .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_ADDR,
		        .exclude_kernel = exclude_kernel,
		        .exclude_hv = 1,
		};
	attrs[PGF_SAMPLE_ENTRY].task = 1;
	if (opts->stacks) {
		attrs[PGF_SAMPLE_ENTRY].sample_type |= PERF_SAMPLE_CALLCHAIN;
		attrs[PGF_SAMPLE_ENTRY].exclude_callchain_kernel = 1;
	}
}

/* Whether faults taken in kernel mode may be seen: paranoid <= 1 or CAP_PERFMON. */
static bool kernel_allowed(void)
{
	struct perf_event_attr attr = {
	        .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY, .disabled = 1};
	int fd = pgf_perf_open(&attr, 0, -1, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Rings that hold a part of the budget until ours are mapped; NULL when there is none. */
static struct pgf_events *reserve_open(void)
{
	const struct pgf_target nothing = {.all = true};
	const struct pgf_events_opts opts = {.ring_bytes = RESERVE_BYTES, .ring_min = RESERVE_MIN};
	struct pgf_events *reserve = NULL;
	char err[1];

	if (pgf_events_open(&reserve, &nothing, 0, &opts, err, sizeof(err)) < 0)
		return NULL;
	return reserve;
}

static int events_open(struct pgf_source *source, const struct pgf_session_opts *opts, pid_t child,
                       char *err, size_t err_size)
{
	bool few = sysconf(_SC_NPROCESSORS_ONLN) <= 8;
	bool exclude_kernel = !kernel_allowed();
	struct perf_event_attr attrs[TEMPLATES];
	struct pgf_events_opts events_opts = {
	        .attrs = attrs,
	        .attr_count = TEMPLATES,
	        .ring_bytes = few ? RING_BYTES_FEW : RING_BYTES_MANY,
	        .ring_min = RING_BYTES_MIN,
	        .held = true,
	};
	struct pgf_events *reserve = reserve_open();
	int ret;

	if (opts->ring_bytes) {
		events_opts.ring_bytes = opts->ring_bytes;
		if (events_opts.ring_min > opts->ring_bytes)
			events_opts.ring_min = opts->ring_bytes;
	}
	templates_init(attrs, opts, exclude_kernel);
	ret = pgf_events_open(&source->events, &opts->target, child, &events_opts, err, err_size);
	pgf_events_close(reserve);
	source->totals->gup_separable = !ret && !exclude_kernel;
	return ret;
}

static int fault_deliver(void *ctx, const struct pgf_fault *fault)
{
	struct pgf_source *source = ctx;

	if (fault->time_ns < source->start_ns) {
		if (!(fault->evidence & PGF_O_COMPLETED))
			source->early_unfinished++;
		else if (fault->evidence & PGF_O_MAJOR)
			source->early[PGF_SAMPLE_MAJOR]++;
		else
			source->early[PGF_SAMPLE_MINOR]++;
		return 0;
	}
	return source->feed.fault ? source->feed.fault(source->feed.ctx, fault) : 0;
}

static void perf_close(struct pgf_source *source)
{
	if (!source)
		return;
	pgf_events_close(source->events);
	pgf_merge_free(source->merge);
	pgf_pairs_free(source->pairs);
	pgf_stacks_free(source->stacks);
	free(source);
}

static int perf_open(struct pgf_source **out, const struct pgf_session_opts *opts, pid_t child,
                     const struct pgf_feed *feed, struct pgf_totals *totals, char *err,
                     size_t err_size)
{
	struct pgf_source *source = calloc(1, sizeof(*source));
	int ret;

	if (!source)
		return -ENOMEM;
	source->feed = *feed;
	source->totals = totals;
	if (child <= 0 && !opts->target.pid_count)
		source->self = (uint32_t)getpid();
	ret = events_open(source, opts, child, err, err_size);
	if (!ret)
		ret = pgf_merge_new(&source->merge, pgf_events_rings(source->events));
	if (!ret)
		ret = pgf_pairs_new(&source->pairs, fault_deliver, source);
	if (!ret && opts->stacks)
		ret = pgf_stacks_new(&source->stacks);
	if (ret) {
		perf_close(source);
		return ret;
	}
	*out = source;
	return 0;
}

static int perf_start(struct pgf_source *source)
{
	source->start_ns = pgf_events_now();
	return pgf_events_start(source->events);
}

static size_t perf_fds(struct pgf_source *source, int *fds, size_t size)
{
	if (size == 0)
		return 0;
	fds[0] = pgf_events_fd(source->events);
	return 1;
}

/* From the rings to the merge. */

static uint8_t mode_of(uint16_t misc)
{
	switch (misc & PERF_RECORD_MISC_CPUMODE_MASK) {
	case PERF_RECORD_MISC_USER:
		return PGF_MODE_USER;
	case PERF_RECORD_MISC_KERNEL:
		return PGF_MODE_KERNEL;
	default:
		return PGF_MODE_UNKNOWN;
	}
}

/* words: the chain's length and its entries; left: how many words there are. */
static int stack_take(struct pgf_source *source, const uint64_t *words, size_t left, uint32_t *id)
{
	uint64_t ips[FRAMES_MAX];
	size_t count = 0;
	bool fresh;
	int ret;

	if (left == 0 || words[0] > left - 1) {
		source->totals->lost_stacks++;
		return 0;
	}
	for (size_t i = 1; i <= words[0] && count < FRAMES_MAX; i++)
		if (words[i] < FRAME_MARK)
			ips[count++] = words[i];
	if (count == 0)
		return 0;
	ret = pgf_stacks_intern(source->stacks, ips, count, id, &fresh);
	if (ret == -ENOSPC) {
		source->totals->lost_stacks++;
		return 0;
	}
	if (ret || !fresh || !source->feed.stack)
		return ret;
	return source->feed.stack(source->feed.ctx, *id, ips, count);
}

/* { IDENTIFIER, IP, TID, TIME, ADDR, CALLCHAIN } behind the header. */
static int sample_take(struct pgf_source *source, const struct pgf_event_record *record)
{
	const uint64_t *words = (const uint64_t *)(record->header + 1);
	size_t count = (record->header->size - sizeof(*record->header)) / sizeof(*words);
	struct pgf_sample sample = {
	        .time_ns = record->time_ns,
	        .pid = record->pid,
	        .tid = record->tid,
	        .cpu = record->cpu,
	        .type = (uint8_t)record->attr,
	        .mode = mode_of(record->header->misc),
	};
	int ret = 0;

	if (count < 5)
		return 0;
	if (source->self && record->pid == source->self) {
		source->own[record->attr]++;
		return 0;
	}
	source->taken[record->attr]++;
	if (sample.type == PGF_SAMPLE_ENTRY && record->time_ns < source->start_ns)
		source->early[PGF_SAMPLE_ENTRY]++;
	sample.ip = words[1];
	sample.address = words[4];
	if (source->stacks && sample.type == PGF_SAMPLE_ENTRY)
		ret = stack_take(source, words + 5, count - 5, &sample.stack_id);
	return ret ? ret : pgf_merge_add(source->merge, record->ring, &sample);
}

static int record_take(void *ctx, const struct pgf_event_record *record)
{
	struct pgf_source *source = ctx;
	struct pgf_sample sample = {.time_ns = record->time_ns, .cpu = record->cpu};

	switch (record->header->type) {
	case PERF_RECORD_SAMPLE:
		return sample_take(source, record);
	case PERF_RECORD_EXIT: /* { pid, ppid, tid, ptid, time } */
		sample.type = PGF_SAMPLE_EXIT;
		if (record->header->size < sizeof(*record->header) + 16)
			return 0;
		sample.tid = ((const uint32_t *)(record->header + 1))[2];
		return pgf_merge_add(source->merge, record->ring, &sample);
	default:
		return 0;
	}
}

static int pair_add(void *ctx, const struct pgf_sample *sample)
{
	struct pgf_source *source = ctx;

	return pgf_pairs_add(source->pairs, sample);
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* The events' own counts go on when a ring is full: they are exact. */
static int counts_get(const struct pgf_source *source, uint64_t counts[TEMPLATES])
{
	for (size_t i = 0; i < TEMPLATES; i++) {
		int ret = pgf_events_count(source->events, i, &counts[i]);

		if (ret)
			return ret;
		counts[i] = minus(counts[i], source->own[i]);
	}
	return 0;
}

static void totals_running(struct pgf_source *source)
{
	const struct pgf_pairs_counts *pairs = pgf_pairs_counts(source->pairs);
	struct pgf_totals *totals = source->totals;

	totals->minor = pairs->minor - source->early[PGF_SAMPLE_MINOR];
	totals->major = pairs->major - source->early[PGF_SAMPLE_MAJOR];
	totals->seen = totals->minor + totals->major;
	totals->unfinished = pairs->unfinished - source->early_unfinished;
	/* A fault has two records; the end brings the exact number. */
	totals->lost_events = (pgf_events_lost(source->events) + 1) / 2;
}

static int totals_final(struct pgf_source *source)
{
	const struct pgf_pairs_counts *pairs = pgf_pairs_counts(source->pairs);
	struct pgf_totals *totals = source->totals;
	uint64_t counts[TEMPLATES], dropped;
	int ret = counts_get(source, counts);

	if (ret)
		return ret;
	dropped = minus(counts[PGF_SAMPLE_MINOR] + counts[PGF_SAMPLE_MAJOR],
	                source->taken[PGF_SAMPLE_MINOR] + source->taken[PGF_SAMPLE_MAJOR]);
	ret = pgf_pairs_end(source->pairs);
	totals->minor = minus(counts[PGF_SAMPLE_MINOR], source->early[PGF_SAMPLE_MINOR]);
	totals->major = minus(counts[PGF_SAMPLE_MAJOR], source->early[PGF_SAMPLE_MAJOR]);
	totals->seen = totals->minor + totals->major;
	totals->lost_events = dropped;
	totals->entered = minus(counts[PGF_SAMPLE_ENTRY], source->early[PGF_SAMPLE_ENTRY]);
	totals->entered_known = true;
	totals->unfinished = pairs->unfinished - source->early_unfinished;
	/* Those that are uncertain are not among the delivered, but the counts tell. */
	if (pairs->uncertain)
		totals->unfinished = minus(totals->entered, totals->seen);
	return ret;
}

static int perf_drain(struct pgf_source *source, uint64_t *watermark_ns)
{
	int ret = pgf_events_drain(source->events, record_take, source, watermark_ns);
	uint64_t from_ns, to_ns;

	if (pgf_events_lossy(source->events, &from_ns, &to_ns))
		pgf_pairs_lossy(source->pairs, from_ns, to_ns);
	if (!ret)
		ret = pgf_merge_flush(source->merge, *watermark_ns, pair_add, source);
	if (ret)
		return ret;
	if (source->stopped)
		return totals_final(source);
	totals_running(source);
	return 0;
}

static int perf_stop(struct pgf_source *source)
{
	pgf_events_stop(source->events);
	source->stopped = true;
	return 0;
}

const struct pgf_source_ops pgf_source_perf = {
        .tier = PGF_TIER_PERF,
        .open = perf_open,
        .start = perf_start,
        .fds = perf_fds,
        .drain = perf_drain,
        .stop = perf_stop,
        .close = perf_close,
};
