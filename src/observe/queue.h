/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Brings faults, cells and events of the address space from several rings into one order.
 * A fault stands at its end (that is when it was reported), a cell at its last fault.
 * Not thread-safe.
 */
#ifndef PGF_OBSERVE_QUEUE_H
#define PGF_OBSERVE_QUEUE_H

#include "observe/session.h"

struct pgf_queue;

/* Where the queue's items go, in order. A non-zero return ends the delivery. */
struct pgf_queue_out {
	void *ctx;
	int (*fault)(void *ctx, struct pgf_fault *fault);
	int (*cell)(void *ctx, struct pgf_cell *cell);
	int (*space)(void *ctx, const struct pgf_space_event *event);
};

/* Returns 0 or -ENOMEM. */
int pgf_queue_new(struct pgf_queue **out);
void pgf_queue_free(struct pgf_queue *queue); /* accepts NULL */
/* All three copy their argument, strings too. Return 0 or -ENOMEM. */
int pgf_queue_fault(struct pgf_queue *queue, const struct pgf_fault *fault);
int pgf_queue_cell(struct pgf_queue *queue, const struct pgf_cell *cell);
int pgf_queue_space(struct pgf_queue *queue, const struct pgf_space_event *event);
/*
 * Hands over everything up to and including watermark_ns in order, and keeps the rest.
 * Returns 0 or what out returned.
 */
int pgf_queue_flush(struct pgf_queue *queue, uint64_t watermark_ns,
                    const struct pgf_queue_out *out);

#endif /* PGF_OBSERVE_QUEUE_H */
