/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pgfault/decide.h>
#include "observe/idmap.h"

/* What is added lies at most some ms back, so that a few spans are enough. */
#define LOSSY_MAX 64

struct span {
	uint64_t from_ns;
	uint64_t to_ns;
};

/* The last entry of a thread. */
struct thread {
	struct pgf_sample entry;
	bool open;
	size_t next_free;
};

struct pgf_pairs {
	pgf_pairs_fn fn;
	void *ctx;
	struct pgf_idmap by_tid; /* tid -> index of threads */
	struct thread *threads;
	size_t count;
	size_t room;
	size_t free;                  /* head of the list of unused ones, index + 1 */
	struct span lossy[LOSSY_MAX]; /* in order, the latest last */
	size_t lossy_count;
	struct pgf_pairs_counts counts;
};

int pgf_pairs_new(struct pgf_pairs **out, pgf_pairs_fn fn, void *ctx)
{
	struct pgf_pairs *pairs = calloc(1, sizeof(*pairs));

	if (!pairs)
		return -ENOMEM;
	pairs->fn = fn;
	pairs->ctx = ctx;
	*out = pairs;
	return 0;
}

void pgf_pairs_free(struct pgf_pairs *pairs)
{
	if (!pairs)
		return;
	pgf_idmap_clear(&pairs->by_tid);
	free(pairs->threads);
	free(pairs);
}

static struct thread *thread_find(struct pgf_pairs *pairs, uint32_t tid)
{
	const uint64_t *index = pgf_idmap_get(&pairs->by_tid, tid);

	return index ? &pairs->threads[*index] : NULL;
}

static struct thread *thread_new(struct pgf_pairs *pairs, uint32_t tid)
{
	size_t index = pairs->free - 1;

	if (!pairs->free) {
		if (pairs->count == pairs->room) {
			size_t room = pairs->room ? pairs->room * 2 : 64;
			struct thread *more = realloc(pairs->threads, room * sizeof(*more));

			if (!more)
				return NULL;
			pairs->threads = more;
			pairs->room = room;
		}
		index = pairs->count;
	}
	if (pgf_idmap_put(&pairs->by_tid, tid, index) < 0)
		return NULL;
	if (pairs->free)
		pairs->free = pairs->threads[index].next_free;
	else
		pairs->count++;
	pairs->threads[index].open = false;
	return &pairs->threads[index];
}

static void thread_drop(struct pgf_pairs *pairs, uint32_t tid)
{
	const uint64_t *index = pgf_idmap_get(&pairs->by_tid, tid);

	if (!index || !pairs->threads)
		return;
	pairs->threads[*index].open = false;
	pairs->threads[*index].next_free = pairs->free;
	pairs->free = (size_t)*index + 1;
	pgf_idmap_del(&pairs->by_tid, tid);
}

static struct pgf_fault fault_of(const struct pgf_sample *entry)
{
	return (struct pgf_fault){
	        .time_ns = entry->time_ns,
	        .ip = entry->ip,
	        .access.address = entry->address,
	        .access.mode = entry->mode,
	        .pid = entry->pid,
	        .tid = entry->tid,
	        .cpu = entry->cpu,
	        .stack_id = entry->stack_id,
	        .evidence_known = PGF_O_COMPLETED | PGF_O_MAJOR,
	};
}

void pgf_pairs_lossy(struct pgf_pairs *pairs, uint64_t from_ns, uint64_t to_ns)
{
	struct span *last = pairs->lossy_count ? &pairs->lossy[pairs->lossy_count - 1] : NULL;

	if (last && from_ns <= last->to_ns) {
		last->to_ns = to_ns;
		return;
	}
	if (pairs->lossy_count == LOSSY_MAX)
		memmove(pairs->lossy, pairs->lossy + 1, --pairs->lossy_count * sizeof(*last));
	pairs->lossy[pairs->lossy_count++] = (struct span){.from_ns = from_ns, .to_ns = to_ns};
}

/* Whether something between two times may be missing. */
static bool lossy_between(const struct pgf_pairs *pairs, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = pairs->lossy_count; i > 0; i--) {
		const struct span *span = &pairs->lossy[i - 1];

		if (span->to_ns < from_ns)
			return false;
		if (span->from_ns <= to_ns)
			return true;
	}
	return false;
}

/* An open entry whose completion will not come any more: that is known at now_ns. */
static int thread_abandon(struct pgf_pairs *pairs, struct thread *thread, uint64_t now_ns)
{
	struct pgf_fault fault = fault_of(&thread->entry);

	thread->open = false;
	if (lossy_between(pairs, thread->entry.time_ns, now_ns)) {
		pairs->counts.uncertain++;
		return 0;
	}
	pairs->counts.unfinished++;
	/* Whether it would have been a major one is not known. */
	fault.evidence_known = PGF_O_COMPLETED;
	fault.flags = PGF_F_UNFINISHED | PGF_F_NO_DURATION;
	return pairs->fn(pairs->ctx, &fault);
}

static int thread_enter(struct pgf_pairs *pairs, const struct pgf_sample *sample)
{
	struct thread *thread = thread_find(pairs, sample->tid);
	int ret = 0;

	if (!thread)
		thread = thread_new(pairs, sample->tid);
	if (!thread)
		return -ENOMEM;
	if (thread->open)
		ret = thread_abandon(pairs, thread, sample->time_ns);
	thread->entry = *sample;
	thread->open = true;
	return ret;
}

static int thread_complete(struct pgf_pairs *pairs, const struct pgf_sample *sample)
{
	struct thread *thread = thread_find(pairs, sample->tid);
	/* Across a loss, the entry may be that of an earlier fault on the same page. */
	bool paired = thread && thread->open && thread->entry.address == sample->address &&
	              sample->time_ns >= thread->entry.time_ns &&
	              !lossy_between(pairs, thread->entry.time_ns, sample->time_ns);
	struct pgf_fault fault = fault_of(paired ? &thread->entry : sample);

	fault.evidence = PGF_O_COMPLETED;
	if (sample->type == PGF_SAMPLE_MAJOR) {
		fault.evidence |= PGF_O_MAJOR;
		fault.flags |= PGF_F_MAJOR;
		pairs->counts.major++;
	} else {
		pairs->counts.minor++;
	}
	if (paired) {
		fault.duration_ns = sample->time_ns - thread->entry.time_ns;
	} else {
		fault.flags |= PGF_F_NO_DURATION;
	}
	if (thread && thread->entry.address == sample->address)
		thread->open = false;
	return pairs->fn(pairs->ctx, &fault);
}

static int thread_exit(struct pgf_pairs *pairs, const struct pgf_sample *sample)
{
	struct thread *thread = thread_find(pairs, sample->tid);
	int ret = 0;

	if (thread && thread->open)
		ret = thread_abandon(pairs, thread, sample->time_ns);
	thread_drop(pairs, sample->tid);
	return ret;
}

int pgf_pairs_add(struct pgf_pairs *pairs, const struct pgf_sample *sample)
{
	switch (sample->type) {
	case PGF_SAMPLE_ENTRY:
		return thread_enter(pairs, sample);
	case PGF_SAMPLE_MINOR:
	case PGF_SAMPLE_MAJOR:
		return thread_complete(pairs, sample);
	case PGF_SAMPLE_EXIT:
		return thread_exit(pairs, sample);
	default:
		return -EINVAL;
	}
}

int pgf_pairs_end(struct pgf_pairs *pairs)
{
	int ret = 0;

	for (size_t i = 0; i < pairs->count && !ret; i++)
		if (pairs->threads[i].open)
			ret = thread_abandon(pairs, &pairs->threads[i], UINT64_MAX);
	return ret;
}

const struct pgf_pairs_counts *pgf_pairs_counts(const struct pgf_pairs *pairs)
{
	return &pairs->counts;
}
