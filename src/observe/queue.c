/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum item_type {
	/* At equal times a mapping comes before the fault in it. */
	ITEM_SPACE = 0,
	ITEM_FAULT = 1,
	ITEM_CELL = 2
};

struct item {
	uint64_t time_ns;
	uint64_t order; /* arrival, so that equal times keep it */
	uint32_t type;
	uint32_t index;
};

struct pool {
	char *data;
	size_t size; /* of one element */
	size_t count;
	size_t room;
};

struct pgf_queue {
	struct item *items;
	size_t count;
	size_t room;
	uint64_t arrivals;
	bool unsorted;
	struct pool faults;
	struct pool cells;
	struct pool spaces;
};

int pgf_queue_new(struct pgf_queue **out)
{
	struct pgf_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->faults.size = sizeof(struct pgf_fault);
	q->cells.size = sizeof(struct pgf_cell);
	q->spaces.size = sizeof(struct pgf_space_event);
	*out = q;
	return 0;
}

static void space_release(struct pgf_space_event *event)
{
	free((char *)event->name);
	event->name = NULL;
}

void pgf_queue_free(struct pgf_queue *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->spaces.count; i++)
		space_release(&((struct pgf_space_event *)(void *)q->spaces.data)[i]);
	free(q->faults.data);
	free(q->cells.data);
	free(q->spaces.data);
	free(q->items);
	free(q);
}

static int room_for(void **data, size_t *room, size_t count, size_t size)
{
	size_t want = *room ? *room * 2 : 256;
	void *bigger;

	if (count < *room)
		return 0;
	bigger = realloc(*data, want * size);
	if (!bigger)
		return -ENOMEM;
	*data = bigger;
	*room = want;
	return 0;
}

static int queue_add(struct pgf_queue *q, struct pool *pool, enum item_type type, uint64_t time_ns,
                     const void *payload)
{
	struct item *item;

	if (room_for((void **)&q->items, &q->room, q->count, sizeof(*q->items)) ||
	    room_for((void **)&pool->data, &pool->room, pool->count, pool->size))
		return -ENOMEM;
	if (q->count && q->items[q->count - 1].time_ns > time_ns)
		q->unsorted = true;
	item = &q->items[q->count++];
	item->time_ns = time_ns;
	item->order = q->arrivals++;
	item->type = type;
	item->index = (uint32_t)pool->count;
	memcpy(pool->data + pool->count * pool->size, payload, pool->size);
	pool->count++;
	return 0;
}

int pgf_queue_fault(struct pgf_queue *q, const struct pgf_fault *fault)
{
	return queue_add(q, &q->faults, ITEM_FAULT, fault->time_ns + fault->duration_ns, fault);
}

int pgf_queue_cell(struct pgf_queue *q, const struct pgf_cell *cell)
{
	return queue_add(q, &q->cells, ITEM_CELL, cell->fault.time_ns + cell->fault.duration_ns,
	                 cell);
}

int pgf_queue_space(struct pgf_queue *q, const struct pgf_space_event *event)
{
	struct pgf_space_event copy = *event;
	int ret;

	if (event->name) {
		copy.name = strdup(event->name);
		if (!copy.name)
			return -ENOMEM;
	}
	ret = queue_add(q, &q->spaces, ITEM_SPACE, event->time_ns, &copy);
	if (ret)
		free((char *)copy.name);
	return ret;
}

static int item_compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	if ((x->type == ITEM_SPACE) != (y->type == ITEM_SPACE))
		return x->type == ITEM_SPACE ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int item_deliver(struct pgf_queue *q, const struct item *item,
                        const struct pgf_queue_out *out)
{
	struct pgf_space_event *event;
	int ret;

	switch (item->type) {
	case ITEM_FAULT:
		return out->fault(out->ctx,
		                  &((struct pgf_fault *)(void *)q->faults.data)[item->index]);
	case ITEM_CELL:
		return out->cell(out->ctx,
		                 &((struct pgf_cell *)(void *)q->cells.data)[item->index]);
	default:
		event = &((struct pgf_space_event *)(void *)q->spaces.data)[item->index];
		ret = out->space(out->ctx, event);
		space_release(event);
		return ret;
	}
}

/* Moves what stays to the front of the pools; the kept items are few. */
static int queue_keep(struct pgf_queue *q, size_t from)
{
	struct pgf_queue kept = {.faults.size = q->faults.size,
	                         .cells.size = q->cells.size,
	                         .spaces.size = q->spaces.size};
	int ret = 0;

	for (size_t i = from; i < q->count && !ret; i++) {
		const struct item *item = &q->items[i];
		struct pool *old = item->type == ITEM_FAULT  ? &q->faults
		                   : item->type == ITEM_CELL ? &q->cells
		                                             : &q->spaces;
		struct pool *new = item->type == ITEM_FAULT  ? &kept.faults
		                   : item->type == ITEM_CELL ? &kept.cells
		                                             : &kept.spaces;

		ret = queue_add(&kept, new, item->type, item->time_ns,
		                old->data + (size_t)item->index * old->size);
	}
	kept.arrivals = q->arrivals;
	free(q->items);
	free(q->faults.data);
	free(q->cells.data);
	free(q->spaces.data);
	*q = kept;
	return ret;
}

int pgf_queue_flush(struct pgf_queue *q, uint64_t watermark_ns, const struct pgf_queue_out *out)
{
	size_t i;
	int ret = 0;

	if (q->unsorted) {
		qsort(q->items, q->count, sizeof(*q->items), item_compare);
		q->unsorted = false;
	}
	for (i = 0; i < q->count && q->items[i].time_ns <= watermark_ns && !ret; i++)
		ret = item_deliver(q, &q->items[i], out);
	if (i < q->count)
		return queue_keep(q, i) ? -ENOMEM : ret;
	q->count = 0;
	q->faults.count = 0;
	q->cells.count = 0;
	q->spaces.count = 0;
	return ret;
}
