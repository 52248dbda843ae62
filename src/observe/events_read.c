/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records and counts of a set of events.
 */
#include "observe/events_set.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * A record is published a moment after its time was taken; preemption is off in between,
 * but a virtual CPU may be away for longer.
 */
#define SETTLE_NS 10000000ull

/* No record of ours is longer: a mapping's with the longest path. */
#define RECORD_ROOM 4608

uint64_t pgf_events_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

bool pgf_set_trailer(const struct perf_event_header *header, struct record_id *out)
{
	if (header->size < sizeof(*header) + sizeof(*out))
		return false;
	memcpy(out, (const uint8_t *)header + header->size - sizeof(*out), sizeof(*out));
	return true;
}

/* A sample begins with IDENTIFIER, IP when asked for, TID and TIME. */
static bool sample_read(const struct pgf_events *events, const struct perf_event_header *header,
                        struct record_id *out)
{
	uint64_t words[5];
	const uint64_t *value, *rest = words + 1;

	if (header->size < sizeof(*header) + sizeof(words))
		return false;
	memcpy(words, header + 1, sizeof(words));
	out->id = words[0];
	value = pgf_idmap_get(&events->ids, out->id);
	if (value && (events->attrs[(uint32_t)*value].sample_type & PERF_SAMPLE_IP))
		rest++;
	memcpy(out, rest, 2 * sizeof(uint64_t));
	return true;
}

static bool record_read(const struct pgf_events *events, const struct perf_event_header *header,
                        struct record_id *out)
{
	return header->type == PERF_RECORD_SAMPLE ? sample_read(events, header, out)
	                                          : pgf_set_trailer(header, out);
}

static struct run run_of(const struct pgf_events *events, const struct pgf_event_record *record,
                         uint32_t root)
{
	const uint64_t *words = (const uint64_t *)(record->header + 1);
	size_t count = (record->header->size - sizeof(*record->header)) / sizeof(*words);
	size_t time = events->attrs[record->attr].sample_type & PERF_SAMPLE_IP ? 3 : 2;
	struct run run = {
	        .type = record->header->type,
	        .attr = record->attr,
	        .root = root,
	        .time = record->time_ns,
	};

	if (run.type == PERF_RECORD_SAMPLE) {
		run.key[0] = words[1];
		run.key[1] = record->tid;
		run.key[2] = count > time + 1 ? words[time + 1] : 0;
	} else {
		run.key[0] = words[0];
		run.key[1] = words[1];
	}
	return run;
}

/*
 * Whether a record tells again what the one before it told. Before Linux 6.2 doubles have
 * different ids; since then the events of one occurrence share a filled-in sample, so
 * that id and time are those of the first event (data->sample_flags, perf_prepare_sample,
 * kernel/events/core.c).
 */
static bool record_is_double(struct pgf_events *events, const struct pgf_event_record *record,
                             uint32_t root)
{
	struct run *last = &events->rings[record->ring].run;
	struct run run = run_of(events, record, root);

	if (run.type == last->type && run.attr == last->attr &&
	    !memcmp(run.key, last->key, sizeof(run.key)) &&
	    (run.time == last->time || run.root != last->root))
		return true;
	*last = run;
	return false;
}

/*
 * For the same reason a sample may carry the id or the time, in whatever clock, of an
 * event that somebody else has on the thread. Such a time is hardly one between the last
 * drain and now.
 */
static bool sample_is_ours(const struct pgf_events *events, const struct record_id *id)
{
	if (id->time + SETTLE_NS < events->drained_ns)
		return false;
	return id->time <= events->draining_ns || id->time <= pgf_events_now();
}

struct drain_ctx {
	struct pgf_events *events;
	pgf_events_fn fn;
	void *ctx;
	uint32_t ring;
};

static int drain_record(void *ctx, const struct perf_event_header *header)
{
	struct drain_ctx *drain = ctx;
	struct pgf_events *events = drain->events;
	struct pgf_event_record record = {
	        .header = header,
	        .ring = drain->ring,
	        .cpu = (uint32_t)events->rings[drain->ring].cpu,
	};
	bool sample = header->type == PERF_RECORD_SAMPLE;
	const uint64_t *value = NULL;
	struct record_id id;

	if (record_read(events, header, &id))
		value = pgf_idmap_get(&events->ids, id.id);
	if (!value || (sample && !sample_is_ours(events, &id))) {
		events->foreign++; /* as good as lost */
		return 0;
	}
	if (header->type == PERF_RECORD_LOST || header->type == PERF_RECORD_LOST_SAMPLES)
		return 0; /* the ring has counted it */
	record.time_ns = id.time;
	record.pid = id.pid;
	record.tid = id.tid;
	record.attr = (uint32_t)*value;
	if (events->by_thread && record_is_double(events, &record, (uint32_t)(*value >> 32))) {
		events->doubles[record.attr] += sample;
		return 0;
	}
	return drain->fn(drain->ctx, &record);
}

/* What a counter says: how often, and how many of its records were lost. */
struct reading {
	uint64_t value;
	uint64_t lost;
};

static int reading_get(const struct pgf_events *events, int fd, struct reading *out)
{
	ssize_t want = events->with_lost ? sizeof(*out) : sizeof(out->value);

	out->lost = 0;
	return read(fd, out, (size_t)want) == want ? 0 : -EIO;
}

/*
 * LOST records come with the next record that finds room. When there may be none, because
 * a ring was full just now, the events themselves are asked.
 */
static void lost_update(struct pgf_events *events, bool full)
{
	uint64_t told = events->foreign, counted = full && !events->with_lost;
	struct reading reading;

	for (size_t i = 0; i < events->ring_count; i++)
		told += pgf_ring_lost(events->rings[i].ring) +
		        pgf_ring_broken(events->rings[i].ring);
	for (size_t i = 0; full && events->with_lost && i < events->open_count; i++)
		if (reading_get(events, events->open[i].fd, &reading) == 0)
			counted += reading.lost;
	if (told < counted)
		told = counted;
	/* An older kernel does not count, so that a full ring is a loss. */
	events->lossy_ns =
	        told > events->lost || (full && !events->with_lost) ? pgf_events_now() : 0;
	if (events->lost < told)
		events->lost = told;
}

int pgf_events_drain(struct pgf_events *events, pgf_events_fn fn, void *ctx, uint64_t *watermark_ns)
{
	/* Taken before the rings' heads are read: what is not seen now is younger. */
	uint64_t now = pgf_events_now();
	struct drain_ctx drain = {.events = events, .fn = fn, .ctx = ctx};
	bool full = false;
	int ret = 0;

	events->drained_ns = events->draining_ns;
	events->draining_ns = now;
	for (size_t i = 0; i < events->ring_count && !ret; i++) {
		full |= pgf_ring_pending(events->rings[i].ring) + RECORD_ROOM >
		        pgf_ring_bytes(events->rings[i].ring);
		drain.ring = (uint32_t)i;
		ret = pgf_ring_drain(events->rings[i].ring, drain_record, &drain);
	}
	lost_update(events, full);
	*watermark_ns = events->stopped ? UINT64_MAX : now - SETTLE_NS;
	return ret;
}

bool pgf_events_lossy(const struct pgf_events *events, uint64_t *from_ns, uint64_t *to_ns)
{
	*from_ns = events->drained_ns > SETTLE_NS ? events->drained_ns - SETTLE_NS : 0;
	*to_ns = events->lossy_ns;
	return events->lossy_ns != 0;
}

int pgf_events_count(const struct pgf_events *events, size_t attr, uint64_t *count)
{
	*count = 0;
	for (size_t i = 0; i < events->open_count; i++) {
		struct reading reading;

		if (events->open[i].attr != attr)
			continue;
		if (reading_get(events, events->open[i].fd, &reading) < 0)
			return -EIO;
		*count += reading.value;
	}
	*count -= events->doubles[attr] < *count ? events->doubles[attr] : *count;
	return 0;
}

uint64_t pgf_events_lost(const struct pgf_events *events)
{
	return events->lost;
}
