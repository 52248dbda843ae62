/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/perfdata.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe/pairs.h"
#include "observe/space.h"
#include "observe/stacks.h"
#include "record/bytes.h"
#include "record/perffile.h"

#include <pgfault/decide.h>
#include <pgfault/record.h>

/* Records that perf itself adds (tools/perf/util/event.h, Linux 6.1). */
#define RECORD_AUXTRACE   71
#define RECORD_COMPRESSED 81

#define HEADER 8 /* bytes of a record's header: u32 type, u16 misc, u16 size */

/* The three events of a fault. */
#define HAS_ENTRY (1u << 0)
#define HAS_MINOR (1u << 1)
#define HAS_MAJOR (1u << 2)
#define HAS_ALL   (HAS_ENTRY | HAS_MINOR | HAS_MAJOR)

struct place {
	uint64_t time_ns;
	size_t offset;
};

struct pgf_perfdata {
	struct pgf_perffile file;
	struct place *places; /* of the records, by time */
	size_t place_count;
	size_t place_cap;
	bool damaged;
	unsigned int has; /* HAS_* */
	struct pgf_space *space;
	struct pgf_stacks *stacks;
	struct pgf_pairs *pairs;
	const struct pgf_sink *sink;
	struct pgf_totals totals;
	uint64_t frames[PGF_RECORD_FRAMES_MAX];
};

static unsigned int event_bit(const struct pgf_perf_event *event)
{
	if (event->type != PERF_TYPE_SOFTWARE)
		return 0;
	switch (event->config) {
	case PERF_COUNT_SW_PAGE_FAULTS:
		return HAS_ENTRY;
	case PERF_COUNT_SW_PAGE_FAULTS_MIN:
		return HAS_MINOR;
	case PERF_COUNT_SW_PAGE_FAULTS_MAJ:
		return HAS_MAJOR;
	default:
		return 0;
	}
}

/* The fields of a sample that mean something here. */
struct sample {
	const struct pgf_perf_event *event; /* NULL: not one of the file's */
	uint64_t ip;
	uint64_t time_ns;
	uint64_t addr;
	uint32_t pid;
	uint32_t tid;
	uint32_t cpu;
	const uint8_t *chain; /* u64 frames */
	size_t chain_len;
};

static uint64_t take_u64(struct pgf_cursor *in)
{
	const uint8_t *p = pgf_cursor_take(in, 8);

	return p ? pgf_get_u64(p) : 0;
}

/* The event of a sample: by its id when there are several. */
static const struct pgf_perf_event *sample_event(const struct pgf_perffile *file, const uint8_t *at,
                                                 size_t size)
{
	uint64_t type = file->events[0].sample_type;
	size_t skip = 0;

	if (file->event_count == 1)
		return &file->events[0];
	if (!(type & PERF_SAMPLE_IDENTIFIER)) {
		if (!(type & PERF_SAMPLE_ID))
			return NULL;
		skip = 8 *
		       (size_t)__builtin_popcountll(type & (PERF_SAMPLE_IP | PERF_SAMPLE_TID |
		                                            PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR));
	}
	return size >= HEADER + skip + 8 ? pgf_perffile_event(file, pgf_get_u64(at + HEADER + skip))
	                                 : NULL;
}

/* The layout is that of perf_event_open(2), PERF_RECORD_SAMPLE. */
static bool sample_parse(const struct pgf_perffile *file, const uint8_t *at, size_t size,
                         struct sample *out)
{
	struct pgf_cursor in = {.at = at + HEADER, .end = at + size};
	uint64_t type, word;

	*out = (struct sample){.event = sample_event(file, at, size)};
	if (!out->event)
		return false;
	type = out->event->sample_type;
	if (type & PERF_SAMPLE_IDENTIFIER)
		take_u64(&in);
	if (type & PERF_SAMPLE_IP)
		out->ip = take_u64(&in);
	if (type & PERF_SAMPLE_TID) {
		word = take_u64(&in);
		out->pid = (uint32_t)word;
		out->tid = (uint32_t)(word >> 32);
	}
	if (type & PERF_SAMPLE_TIME)
		out->time_ns = take_u64(&in);
	if (type & PERF_SAMPLE_ADDR)
		out->addr = take_u64(&in);
	if (type & PERF_SAMPLE_ID)
		take_u64(&in);
	if (type & PERF_SAMPLE_STREAM_ID)
		take_u64(&in);
	if (type & PERF_SAMPLE_CPU)
		out->cpu = (uint32_t)take_u64(&in);
	if (type & PERF_SAMPLE_PERIOD)
		take_u64(&in);
	/* counter values in between have a length of their own: no chain then */
	if (type & PERF_SAMPLE_CALLCHAIN && !(type & PERF_SAMPLE_READ)) {
		word = take_u64(&in);
		if (word <= SIZE_MAX / 8)
			out->chain = pgf_cursor_take(&in, (size_t)word * 8);
		out->chain_len = out->chain ? (size_t)word : 0;
	}
	return !in.bad;
}

/* The time of a record that is no sample stands in the trailer. */
static uint64_t trailer_time(const struct pgf_perffile *file, const uint8_t *at, size_t size)
{
	uint64_t type = file->events[0].sample_type;
	uint64_t behind = type & (PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
	                          PERF_SAMPLE_IDENTIFIER);
	size_t back = 8 * (1 + (size_t)__builtin_popcountll(behind));
	uint64_t time;

	if (!file->events[0].id_all || !(type & PERF_SAMPLE_TIME) || size < HEADER + back)
		return 0;
	time = pgf_get_u64(at + size - back);
	/* what perf made up itself bears no time, and comes first */
	return time == UINT64_MAX ? 0 : time;
}

static size_t trailer_size(const struct pgf_perffile *file)
{
	const uint64_t all = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID |
	                     PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER;

	if (!file->events[0].id_all)
		return 0;
	return 8 * (size_t)__builtin_popcountll(file->events[0].sample_type & all);
}

static int place_add(struct pgf_perfdata *perf, uint64_t time_ns, size_t offset)
{
	if (perf->place_count == perf->place_cap) {
		size_t cap = perf->place_cap ? perf->place_cap * 2 : 1024;
		struct place *more = reallocarray(perf->places, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		perf->places = more;
		perf->place_cap = cap;
	}
	perf->places[perf->place_count++] = (struct place){.time_ns = time_ns, .offset = offset};
	return 0;
}

/* Notes a record when it is of use. 0, -ENOMEM, -EOPNOTSUPP. */
static int record_note(struct pgf_perfdata *perf, size_t offset)
{
	const uint8_t *at = perf->file.data + offset;
	size_t size = pgf_get_u16(at + 6);
	struct sample sample;

	switch (pgf_get_u32(at)) {
	case PERF_RECORD_SAMPLE:
		if (!sample_parse(&perf->file, at, size, &sample) || !event_bit(sample.event))
			return 0;
		return place_add(perf, sample.time_ns, offset);
	case PERF_RECORD_MMAP2:
	case PERF_RECORD_COMM:
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		return place_add(perf, trailer_time(&perf->file, at, size), offset);
	case PERF_RECORD_LOST:
		if (size >= HEADER + 16)
			perf->totals.lost_events += pgf_get_u64(at + HEADER + 8);
		return 0;
	case PERF_RECORD_LOST_SAMPLES:
		if (size >= HEADER + 8)
			perf->totals.lost_events += pgf_get_u64(at + HEADER);
		return 0;
	case RECORD_COMPRESSED:
		return -EOPNOTSUPP;
	default:
		return 0;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The rings of the CPUs follow one another in the file: only times bring them in order. */
static int records_sort(struct pgf_perfdata *perf)
{
	const struct pgf_perffile *file = &perf->file;
	size_t at = 0;

	while (file->size - at >= HEADER) {
		uint64_t size = pgf_get_u16(file->data + at + 6);
		int err;

		if (size < HEADER || size > file->size - at)
			break;
		err = record_note(perf, at);
		if (err)
			return err;
		/* the trace itself follows its record */
		if (pgf_get_u32(file->data + at) == RECORD_AUXTRACE && size >= HEADER + 8)
			size += pgf_get_u64(file->data + at + HEADER);
		if (size > file->size - at)
			break;
		at += (size_t)size;
	}
	perf->damaged = file->cut || at != file->size;
	if (perf->place_count)
		qsort(perf->places, perf->place_count, sizeof(*perf->places), by_time);
	return 0;
}

/* Fills the rest of the header's information from the events. */
static int events_check(struct pgf_perfdata *perf, char *err, size_t err_size)
{
	struct pgf_perffile *file = &perf->file;

	for (size_t i = 0; i < file->event_count; i++) {
		const struct pgf_perf_event *event = &file->events[i];
		unsigned int bit = event_bit(event);

		perf->has |= bit;
		if (bit && !(event->sample_type & PERF_SAMPLE_ADDR)) {
			snprintf(err, err_size,
			         "perf.data has no addresses: record with perf record -d");
			return -EINVAL;
		}
		if (bit && event->period != 1)
			file->info.sample_period = event->period;
		if (bit && event->clock_given)
			file->info.clock = event->clockid;
		if (bit && event->sample_type & PERF_SAMPLE_CALLCHAIN)
			file->info.content |= PGF_CONTENT_STACKS;
	}
	if (!perf->has) {
		snprintf(err, err_size,
		         "perf.data has no page faults: record with perf record -d "
		         "-e page-faults,minor-faults,major-faults -c 1");
		return -ENOMSG;
	}
	/* of a sample only some ends are there: an entry without one proves nothing */
	if (perf->has != HAS_ALL || file->info.sample_period != 1)
		perf->has = perf->has & HAS_ENTRY ? HAS_ENTRY : perf->has;
	file->info.tier = PGF_TIER_PERF;
	return 0;
}

static int fault_send(void *ctx, const struct pgf_fault *raw)
{
	struct pgf_perfdata *perf = ctx;
	struct pgf_fault fault = *raw;

	if (fault.access.mode == PGF_MODE_USER)
		fault.access.bits |= PGF_EC_USER;
	if (fault.access.mode != PGF_MODE_UNKNOWN)
		fault.access.known |= PGF_EC_USER;
	if (fault.ip == 0)
		fault.flags |= PGF_F_NO_IP;
	pgf_space_name(perf->space, &fault);
	return perf->sink->fault ? perf->sink->fault(perf->sink->ctx, &fault) : 0;
}

int pgf_perfdata_open(struct pgf_perfdata **out, const char *path, char *err, size_t err_size)
{
	struct pgf_perfdata *perf = calloc(1, sizeof(*perf));
	int ret;

	snprintf(err, err_size, "perf.data: %s", strerror(ENOMEM));
	if (!perf)
		return -ENOMEM;
	ret = pgf_perffile_load(&perf->file, path, err, err_size);
	if (!ret)
		ret = events_check(perf, err, err_size);
	if (!ret) {
		ret = records_sort(perf);
		if (ret == -EOPNOTSUPP)
			snprintf(err, err_size, "perf.data is compressed: record without -z");
		else if (ret)
			snprintf(err, err_size, "perf.data: %s", strerror(-ret));
	}
	if (!ret)
		ret = pgf_space_new(&perf->space);
	if (!ret)
		ret = pgf_stacks_new(&perf->stacks);
	if (!ret)
		ret = pgf_pairs_new(&perf->pairs, fault_send, perf);
	if (ret) {
		pgf_perfdata_close(perf);
		return ret;
	}
	pgf_space_offline(perf->space);
	*out = perf;
	return 0;
}

void pgf_perfdata_close(struct pgf_perfdata *perf)
{
	if (!perf)
		return;
	pgf_pairs_free(perf->pairs);
	pgf_stacks_free(perf->stacks);
	pgf_space_free(perf->space);
	pgf_perffile_free(&perf->file);
	free(perf->places);
	free(perf);
}

const struct pgf_record_info *pgf_perfdata_info(const struct pgf_perfdata *perf)
{
	return &perf->file.info;
}

const struct pgf_totals *pgf_perfdata_totals(const struct pgf_perfdata *perf)
{
	return &perf->totals;
}

/* The frames of user space; marks of the context (PERF_CONTEXT_*) are no addresses. */
static int stack_send(struct pgf_perfdata *perf, const struct sample *sample, uint32_t *id)
{
	bool user = true, fresh = false;
	size_t count = 0;
	int err;

	*id = 0;
	for (size_t i = 0; i < sample->chain_len && count < PGF_RECORD_FRAMES_MAX; i++) {
		uint64_t ip = pgf_get_u64(sample->chain + i * 8);

		if (ip >= (uint64_t)PERF_CONTEXT_MAX)
			user = ip == (uint64_t)PERF_CONTEXT_USER;
		else if (user)
			perf->frames[count++] = ip;
	}
	if (count == 0)
		return 0;
	err = pgf_stacks_intern(perf->stacks, perf->frames, count, id, &fresh);
	if (err == -ENOSPC) {
		*id = 0;
		return 0;
	}
	if (err || !fresh || !perf->sink->stack)
		return err;
	return perf->sink->stack(perf->sink->ctx, *id, perf->frames, count);
}

static enum pgf_mode mode_of(unsigned int misc)
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

static int sample_send(struct pgf_perfdata *perf, const uint8_t *at, size_t size)
{
	struct pgf_sample out = {.mode = (uint8_t)mode_of(pgf_get_u16(at + 4))};
	struct sample in;
	unsigned int bit;
	int err;

	if (!sample_parse(&perf->file, at, size, &in))
		return 0;
	bit = event_bit(in.event);
	if (!(bit & perf->has))
		return 0;
	err = stack_send(perf, &in, &out.stack_id);
	if (err)
		return err;
	out.time_ns = in.time_ns;
	out.address = in.addr;
	out.ip = in.ip;
	out.pid = in.pid;
	out.tid = in.tid;
	out.cpu = in.cpu;
	if (perf->has == HAS_ENTRY) {
		struct pgf_fault fault = {.time_ns = in.time_ns,
		                          .access.address = in.addr,
		                          .access.mode = out.mode,
		                          .ip = in.ip,
		                          .pid = in.pid,
		                          .tid = in.tid,
		                          .cpu = in.cpu,
		                          .stack_id = out.stack_id,
		                          .flags = PGF_F_NO_DURATION};

		perf->totals.entered++;
		return fault_send(perf, &fault);
	}
	perf->totals.entered += bit == HAS_ENTRY;
	out.type = bit == HAS_ENTRY   ? PGF_SAMPLE_ENTRY
	           : bit == HAS_MINOR ? PGF_SAMPLE_MINOR
	                              : PGF_SAMPLE_MAJOR;
	return pgf_pairs_add(perf->pairs, &out);
}

static int space_send(struct pgf_perfdata *perf, const struct pgf_space_event *event)
{
	int err = pgf_space_apply(perf->space, event);

	if (err || !perf->sink->space)
		return err;
	return perf->sink->space(perf->sink->ctx, event);
}

/* The text at an offset of a record, when it ends before the trailer. */
static const char *record_text(const struct pgf_perfdata *perf, const uint8_t *at, size_t size,
                               size_t offset)
{
	size_t trailer = trailer_size(&perf->file);

	if (size < offset + trailer || !memchr(at + offset, '\0', size - offset - trailer))
		return NULL;
	return (const char *)at + offset;
}

/* { pid, tid, addr, len, pgoff, maj, min, ino, generation, prot, flags, name } */
static int mmap_send(struct pgf_perfdata *perf, const uint8_t *at, size_t size,
                     struct pgf_space_event *event)
{
	bool build_id = pgf_get_u16(at + 4) & PERF_RECORD_MISC_MMAP_BUILD_ID;

	event->name = record_text(perf, at, size, HEADER + 64);
	if (!event->name)
		return 0;
	event->type = PGF_SPACE_MMAP;
	event->pid = pgf_get_u32(at + 8);
	event->tid = pgf_get_u32(at + 12);
	event->addr = pgf_get_u64(at + 16);
	event->len = pgf_get_u64(at + 24);
	/* a build id stands in the place of device and inode */
	if (!build_id) {
		uint32_t major = pgf_get_u32(at + 40), minor = pgf_get_u32(at + 44);

		event->dev = major << 20 | (minor & 0xfffff);
		event->ino = pgf_get_u64(at + 48);
	}
	/* without a file the kernel's number is a page index of the address */
	if (build_id || event->dev || event->ino)
		event->pgoff = pgf_get_u64(at + 32);
	event->prot = pgf_get_u32(at + 64);
	event->flags = pgf_get_u32(at + 68);
	return event->pid == UINT32_MAX ? 0 : space_send(perf, event);
}

static int comm_send(struct pgf_perfdata *perf, const uint8_t *at, size_t size,
                     struct pgf_space_event *event)
{
	event->name = record_text(perf, at, size, HEADER + 8);
	if (!event->name)
		return 0;
	event->type =
	        pgf_get_u16(at + 4) & PERF_RECORD_MISC_COMM_EXEC ? PGF_SPACE_EXEC : PGF_SPACE_COMM;
	event->pid = pgf_get_u32(at + 8);
	event->tid = pgf_get_u32(at + 12);
	return space_send(perf, event);
}

/* { pid, ppid, tid, ptid, time } */
static int task_send(struct pgf_perfdata *perf, const uint8_t *at, size_t size,
                     struct pgf_space_event *event)
{
	struct pgf_sample end = {.time_ns = event->time_ns, .type = PGF_SAMPLE_EXIT};
	int err;

	if (size < HEADER + 24)
		return 0;
	event->type = pgf_get_u32(at) == PERF_RECORD_FORK ? PGF_SPACE_FORK : PGF_SPACE_EXIT;
	event->pid = pgf_get_u32(at + 8);
	event->ppid = pgf_get_u32(at + 12);
	event->tid = pgf_get_u32(at + 16);
	if (event->type == PGF_SPACE_EXIT) {
		end.pid = event->pid;
		end.tid = event->tid;
		err = pgf_pairs_add(perf->pairs, &end);
		if (err)
			return err;
	}
	return space_send(perf, event);
}

static int record_send(struct pgf_perfdata *perf, const struct place *place)
{
	const uint8_t *at = perf->file.data + place->offset;
	size_t size = pgf_get_u16(at + 6);
	struct pgf_space_event event = {.time_ns = place->time_ns, .exit_code = -1};

	switch (pgf_get_u32(at)) {
	case PERF_RECORD_SAMPLE:
		return sample_send(perf, at, size);
	case PERF_RECORD_MMAP2:
		return mmap_send(perf, at, size, &event);
	case PERF_RECORD_COMM:
		return comm_send(perf, at, size, &event);
	default:
		return task_send(perf, at, size, &event);
	}
}

static void totals_fill(struct pgf_perfdata *perf)
{
	const struct pgf_pairs_counts *counts = pgf_pairs_counts(perf->pairs);

	perf->totals.minor = counts->minor;
	perf->totals.major = counts->major;
	perf->totals.seen = counts->minor + counts->major;
	perf->totals.unfinished = counts->unfinished;
	perf->totals.entered_known = perf->has & HAS_ENTRY && !perf->totals.lost_events;
	if (perf->has == HAS_ENTRY)
		perf->totals.seen = perf->totals.entered;
	for (size_t i = 0; i < perf->place_count && !perf->totals.start_ns; i++)
		perf->totals.start_ns = perf->places[i].time_ns;
	if (perf->place_count)
		perf->totals.end_ns = perf->places[perf->place_count - 1].time_ns;
}

int pgf_perfdata_run(struct pgf_perfdata *perf, const struct pgf_sink *sink)
{
	int err = 0;

	perf->sink = sink;
	/* where in time they were lost is not known: an open fault then proves nothing */
	if (perf->totals.lost_events)
		pgf_pairs_lossy(perf->pairs, 0, UINT64_MAX);
	for (size_t i = 0; i < perf->place_count && !err; i++)
		err = record_send(perf, &perf->places[i]);
	if (!err)
		err = pgf_pairs_end(perf->pairs);
	totals_fill(perf);
	if (err)
		return err;
	return perf->damaged ? -EBADMSG : 0;
}
