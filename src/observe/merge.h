/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of several rings, each in order of time, into one order. Not thread-safe.
 */
#ifndef PGF_OBSERVE_MERGE_H
#define PGF_OBSERVE_MERGE_H

#include <stddef.h>
#include <stdint.h>

enum pgf_sample_type {
	PGF_SAMPLE_ENTRY = 0, /* the handler for user addresses was entered */
	PGF_SAMPLE_MINOR = 1, /* it has finished */
	PGF_SAMPLE_MAJOR = 2,
	PGF_SAMPLE_EXIT = 3 /* the thread ends */
};

struct pgf_sample {
	uint64_t time_ns;
	uint64_t address;
	uint64_t ip;
	uint32_t pid;
	uint32_t tid;
	uint32_t cpu;
	uint32_t stack_id;
	uint8_t type; /* enum pgf_sample_type */
	uint8_t mode; /* enum pgf_mode */
};

typedef int (*pgf_merge_fn)(void *ctx, const struct pgf_sample *sample);

struct pgf_merge;

int pgf_merge_new(struct pgf_merge **out, size_t rings); /* 0 or -ENOMEM */
void pgf_merge_free(struct pgf_merge *merge);            /* accepts NULL */
/* Copies a sample behind the others of its ring. 0 or -ENOMEM. */
int pgf_merge_add(struct pgf_merge *merge, size_t ring, const struct pgf_sample *sample);
/*
 * Hands over all samples up to and including watermark_ns, the oldest first. Returns 0 or
 * what fn returned; then the rest is kept.
 */
int pgf_merge_flush(struct pgf_merge *merge, uint64_t watermark_ns, pgf_merge_fn fn, void *ctx);

#endif /* PGF_OBSERVE_MERGE_H */
