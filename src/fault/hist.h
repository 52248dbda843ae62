/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A histogram over the log-linear buckets of bucket.h. It takes 0.5 kB, and 256 bytes for
 * each octave of values that occurs. Not thread-safe: one thread owns a histogram.
 */
#ifndef PGF_FAULT_HIST_H
#define PGF_FAULT_HIST_H

#include <stddef.h>
#include <stdint.h>

struct pgf_hist;

/* Returns 0 or -ENOMEM. */
int pgf_hist_new(struct pgf_hist **out);
void pgf_hist_free(struct pgf_hist *hist); /* accepts NULL */

/* Adds a value count times. Returns 0 or -ENOMEM. Sums stay at UINT64_MAX when they reach it. */
int pgf_hist_add(struct pgf_hist *hist, uint64_t value, uint64_t count);
/*
 * Adds count values of which only the bucket, the sum and the largest are known; the
 * smallest is taken to be the bucket's lower end. Returns 0, -EINVAL for a bucket that
 * does not exist or a largest value outside it, or -ENOMEM.
 */
int pgf_hist_add_bucket(struct pgf_hist *hist, uint32_t bucket, uint64_t count, uint64_t sum,
                        uint64_t max);
/* Adds all of from. Returns 0 or -ENOMEM, with to unchanged. */
int pgf_hist_merge(struct pgf_hist *to, const struct pgf_hist *from);
void pgf_hist_reset(struct pgf_hist *hist);

/* All are 0 for an empty histogram. */
uint64_t pgf_hist_count(const struct pgf_hist *hist);
uint64_t pgf_hist_sum(const struct pgf_hist *hist);
uint64_t pgf_hist_min(const struct pgf_hist *hist); /* exact */
uint64_t pgf_hist_max(const struct pgf_hist *hist); /* exact */
/* The count of one bucket; 0 for one that does not exist. */
uint64_t pgf_hist_at(const struct pgf_hist *hist, uint32_t bucket);
/*
 * The value of rank ceil(q * count), q from 0 to 1 (outside: the nearer end), within 1.6 %
 * of the true one.
 */
uint64_t pgf_hist_quantile(const struct pgf_hist *hist, double q);
size_t pgf_hist_bytes(const struct pgf_hist *hist); /* memory taken */

#endif /* PGF_FAULT_HIST_H */
