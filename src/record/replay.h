/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The middle of the reader: takes the payloads of a batch, and plays the batch back once
 * it is whole. Not thread-safe.
 */
#ifndef PGF_RECORD_REPLAY_H
#define PGF_RECORD_REPLAY_H

#include "record/reader.h"

struct pgf_replay;

int pgf_replay_new(struct pgf_replay **out); /* 0 or -ENOMEM */
void pgf_replay_free(struct pgf_replay *replay);
void pgf_replay_set_code_sink(struct pgf_replay *replay, const struct pgf_code_sink *sink);
void pgf_replay_set_range(struct pgf_replay *replay, uint64_t from_ns, uint64_t to_ns);
/* Whether blocks of this type mean anything to it. */
bool pgf_replay_takes(unsigned int type);
/* One more block of the batch. 0, -EBADMSG, -ENOMEM. data lives for the call only. */
int pgf_replay_block(struct pgf_replay *replay, unsigned int type, const uint8_t *data, size_t size,
                     uint32_t items);
/* The batch is whole: delivers it. 0, or a sink's result. */
int pgf_replay_batch(struct pgf_replay *replay, const struct pgf_sink *sink);
const struct pgf_totals *pgf_replay_totals(const struct pgf_replay *replay, bool *recorded);

#endif /* PGF_RECORD_REPLAY_H */
