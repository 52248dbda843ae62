/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256

struct fifo {
	struct pgf_sample *list;
	size_t head;
	size_t count; /* end of the list; head .. count is waiting */
	size_t room;
};

struct pgf_merge {
	struct fifo *fifos;
	size_t rings;
	size_t *heap; /* rings that have something, the oldest head on top */
	size_t heap_count;
};

int pgf_merge_new(struct pgf_merge **out, size_t rings)
{
	struct pgf_merge *merge = calloc(1, sizeof(*merge));

	if (!merge)
		return -ENOMEM;
	merge->fifos = calloc(rings + 1, sizeof(*merge->fifos));
	merge->heap = calloc(rings + 1, sizeof(*merge->heap));
	merge->rings = rings;
	if (!merge->fifos || !merge->heap) {
		pgf_merge_free(merge);
		return -ENOMEM;
	}
	*out = merge;
	return 0;
}

void pgf_merge_free(struct pgf_merge *merge)
{
	if (!merge)
		return;
	for (size_t i = 0; merge->fifos && i < merge->rings; i++)
		free(merge->fifos[i].list);
	free(merge->fifos);
	free(merge->heap);
	free(merge);
}

/* Makes room at the end: by moving up what waits, or by growing. */
static int fifo_room(struct fifo *fifo)
{
	size_t room = fifo->room ? fifo->room * 2 : FIRST_ROOM;
	struct pgf_sample *more;

	if (fifo->count < fifo->room)
		return 0;
	if (fifo->head > fifo->room / 2) {
		fifo->count -= fifo->head;
		memmove(fifo->list, fifo->list + fifo->head, fifo->count * sizeof(*fifo->list));
		fifo->head = 0;
		return 0;
	}
	more = realloc(fifo->list, room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	fifo->list = more;
	fifo->room = room;
	return 0;
}

int pgf_merge_add(struct pgf_merge *merge, size_t ring, const struct pgf_sample *sample)
{
	struct fifo *fifo = &merge->fifos[ring];

	if (fifo_room(fifo) < 0)
		return -ENOMEM;
	fifo->list[fifo->count++] = *sample;
	return 0;
}

static const struct pgf_sample *head_of(const struct pgf_merge *merge, size_t slot)
{
	const struct fifo *fifo = &merge->fifos[merge->heap[slot]];

	return &fifo->list[fifo->head];
}

static void heap_down(struct pgf_merge *merge, size_t slot)
{
	for (;;) {
		size_t least = slot;

		for (size_t kid = 2 * slot + 1; kid <= 2 * slot + 2; kid++)
			if (kid < merge->heap_count &&
			    head_of(merge, kid)->time_ns < head_of(merge, least)->time_ns)
				least = kid;
		if (least == slot)
			return;
		size_t ring = merge->heap[slot];

		merge->heap[slot] = merge->heap[least];
		merge->heap[least] = ring;
		slot = least;
	}
}

static void heap_build(struct pgf_merge *merge)
{
	merge->heap_count = 0;
	for (size_t i = 0; i < merge->rings; i++)
		if (merge->fifos[i].head < merge->fifos[i].count)
			merge->heap[merge->heap_count++] = i;
	for (size_t slot = merge->heap_count / 2; slot > 0; slot--)
		heap_down(merge, slot - 1);
}

int pgf_merge_flush(struct pgf_merge *merge, uint64_t watermark_ns, pgf_merge_fn fn, void *ctx)
{
	int ret = 0;

	heap_build(merge);
	while (!ret && merge->heap_count && head_of(merge, 0)->time_ns <= watermark_ns) {
		struct fifo *fifo = &merge->fifos[merge->heap[0]];

		ret = fn(ctx, &fifo->list[fifo->head++]);
		if (fifo->head == fifo->count) {
			fifo->head = fifo->count = 0;
			merge->heap[0] = merge->heap[--merge->heap_count];
		}
		heap_down(merge, 0);
	}
	return ret;
}
