/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Log-linear buckets: 32 to an octave, so a bucket's middle is within 1.6 % of every
 * value in it. Compiles for BPF too.
 */
#ifndef PGF_FAULT_BUCKET_H
#define PGF_FAULT_BUCKET_H

#include <linux/types.h>

#define PGF_BUCKET_BITS  5
#define PGF_BUCKET_SUB   (1u << PGF_BUCKET_BITS)
#define PGF_BUCKET_COUNT ((64 - PGF_BUCKET_BITS + 1) * PGF_BUCKET_SUB)

/* The bucket of a value; values below 32 have one of their own. */
static inline __u32 pgf_bucket(__u64 value)
{
	__u64 v = value;
	__u32 log = 0;

	if (value < PGF_BUCKET_SUB)
		return (__u32)value;
	if (v >> 32) {
		log += 32;
		v >>= 32;
	}
	if (v >> 16) {
		log += 16;
		v >>= 16;
	}
	if (v >> 8) {
		log += 8;
		v >>= 8;
	}
	if (v >> 4) {
		log += 4;
		v >>= 4;
	}
	if (v >> 2) {
		log += 2;
		v >>= 2;
	}
	if (v >> 1)
		log += 1;
	return (log - PGF_BUCKET_BITS + 1) * PGF_BUCKET_SUB +
	       (__u32)((value >> (log - PGF_BUCKET_BITS)) & (PGF_BUCKET_SUB - 1));
}

/* The lowest value of a bucket. */
static inline __u64 pgf_bucket_low(__u32 bucket)
{
	__u32 octave = bucket / PGF_BUCKET_SUB;

	if (octave == 0)
		return bucket;
	return ((__u64)PGF_BUCKET_SUB + bucket % PGF_BUCKET_SUB) << (octave - 1);
}

/* The middle of a bucket: the estimate for every value in it. */
static inline __u64 pgf_bucket_mid(__u32 bucket)
{
	__u32 octave = bucket / PGF_BUCKET_SUB;

	if (octave < 2)
		return pgf_bucket_low(bucket);
	return pgf_bucket_low(bucket) + (1ull << (octave - 2));
}

#endif /* PGF_FAULT_BUCKET_H */
