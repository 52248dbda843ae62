/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/perffile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "record/bytes.h"
#include "record/infile.h"

#define MAGIC            "PERFILE2"
#define HEADER_SIZE      104
#define HEADER_PIPE_SIZE 16
#define ATTR_MIN         64 /* PERF_ATTR_SIZE_VER0 */
#define ATTR_MAX         4096
#define IDS_MAX          (1u << 20)
#define FEATURES         256

/* Bits of the header's feature map. */
#define FEATURE_HOSTNAME 3
#define FEATURE_RELEASE  4
#define FEATURE_ARCH     6

/* Offsets in struct perf_event_attr. */
#define ATTR_CONFIG      8
#define ATTR_PERIOD      16
#define ATTR_SAMPLE_TYPE 24
#define ATTR_BITS        40
#define ATTR_CLOCKID     92
#define BIT_FREQ         (1ull << 10)
#define BIT_SAMPLE_ID    (1ull << 18)
#define BIT_USE_CLOCKID  (1ull << 25)

struct section {
	uint64_t offset;
	uint64_t size;
};

__attribute__((format(printf, 3, 4))) static void say(char *err, size_t size, const char *fmt, ...)
{
	va_list args;

	if (size == 0)
		return;
	va_start(args, fmt);
	vsnprintf(err, size, fmt, args);
	va_end(args);
}

static struct section section_get(const uint8_t *p)
{
	return (struct section){.offset = pgf_get_u64(p), .size = pgf_get_u64(p + 8)};
}

/* Reads exactly size bytes. */
static int read_exact(const struct pgf_infile *in, void *data, size_t size, uint64_t offset)
{
	ssize_t n = pgf_infile_read_at(in, data, size, offset);

	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : -EBADMSG;
}

static int ids_read(struct pgf_perffile *file, const struct pgf_infile *in, struct section ids,
                    uint32_t event)
{
	struct pgf_perf_id *more;
	uint8_t raw[8];
	size_t n;

	if (ids.size / 8 > IDS_MAX - file->id_count)
		return -EBADMSG;
	n = (size_t)ids.size / 8;
	if (n == 0)
		return 0;
	more = reallocarray(file->ids, file->id_count + n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	file->ids = more;
	for (size_t i = 0; i < n; i++) {
		int err = read_exact(in, raw, sizeof(raw), ids.offset + i * 8);

		if (err)
			return err;
		file->ids[file->id_count++] =
		        (struct pgf_perf_id){.id = pgf_get_u64(raw), .event = event};
	}
	return 0;
}

static int attr_read(struct pgf_perffile *file, const struct pgf_infile *in, uint64_t offset,
                     size_t size)
{
	struct pgf_perf_event *event = &file->events[file->event_count];
	uint8_t raw[ATTR_MAX];
	uint64_t bits;
	int err = read_exact(in, raw, size, offset);

	if (err)
		return err;
	bits = pgf_get_u64(raw + ATTR_BITS);
	*event = (struct pgf_perf_event){
	        .type = pgf_get_u32(raw),
	        .config = pgf_get_u64(raw + ATTR_CONFIG),
	        .period = bits & BIT_FREQ ? 0 : pgf_get_u64(raw + ATTR_PERIOD),
	        .sample_type = pgf_get_u64(raw + ATTR_SAMPLE_TYPE),
	        .id_all = bits & BIT_SAMPLE_ID,
	};
	/* the clock came with a later version of the struct */
	if (size - 16 >= ATTR_CLOCKID + 4 && bits & BIT_USE_CLOCKID) {
		event->clock_given = true;
		event->clockid = pgf_get_u32(raw + ATTR_CLOCKID);
	}
	return ids_read(file, in, section_get(raw + size - 16), (uint32_t)file->event_count++);
}

static int attrs_read(struct pgf_perffile *file, const struct pgf_infile *in, struct section attrs,
                      uint64_t attr_size)
{
	if (attr_size < ATTR_MIN + 16 || attr_size > ATTR_MAX || attrs.size < attr_size)
		return -EBADMSG;
	for (uint64_t at = 0; attrs.size - at >= attr_size; at += attr_size) {
		int err;

		if (file->event_count == PGF_PERF_EVENTS_MAX)
			return -EBADMSG;
		err = attr_read(file, in, attrs.offset + at, (size_t)attr_size);
		if (err)
			return err;
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct pgf_perf_id *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

const struct pgf_perf_event *pgf_perffile_event(const struct pgf_perffile *file, uint64_t id)
{
	struct pgf_perf_id key = {.id = id};
	const struct pgf_perf_id *found = NULL;

	if (file->id_count)
		found = bsearch(&key, file->ids, file->id_count, sizeof(key), by_id);
	return found ? &file->events[found->event] : NULL;
}

/* A text of the optional part: its length, then the text. */
static void feature_text(const struct pgf_infile *in, struct section section, char *text)
{
	uint8_t raw[4];
	uint32_t len;

	if (section.size < 4 || read_exact(in, raw, sizeof(raw), section.offset))
		return;
	len = pgf_get_u32(raw);
	if (len > section.size - 4 || len >= PGF_INFO_TEXT)
		return;
	if (read_exact(in, text, len, section.offset + 4))
		len = 0;
	text[len] = '\0';
}

/* The sections of the features stand behind the records, in the order of their bits. */
static void features_read(struct pgf_perffile *file, const struct pgf_infile *in,
                          const uint8_t *map, uint64_t at)
{
	for (unsigned int bit = 0; bit < FEATURES; bit++) {
		uint8_t raw[16];

		if (!(map[bit / 8] & 1u << bit % 8))
			continue;
		if (read_exact(in, raw, sizeof(raw), at))
			return;
		at += sizeof(raw);
		if (bit == FEATURE_HOSTNAME)
			feature_text(in, section_get(raw), file->info.host);
		else if (bit == FEATURE_RELEASE)
			feature_text(in, section_get(raw), file->info.release);
		else if (bit == FEATURE_ARCH)
			feature_text(in, section_get(raw), file->info.machine);
	}
}

static int data_read(struct pgf_perffile *file, const struct pgf_infile *in, struct section data)
{
	struct stat st;
	uint64_t left;

	if (fstat(in->fd, &st))
		return -errno;
	left = (uint64_t)st.st_size > data.offset ? (uint64_t)st.st_size - data.offset : 0;
	file->cut = !data.size || data.size > left;
	/* a recording that was killed has no size: then the rest of the file */
	file->size = (size_t)(data.size && data.size < left ? data.size : left);
	file->data = malloc(file->size + 1);
	if (!file->data)
		return -ENOMEM;
	return read_exact(in, file->data, file->size, data.offset);
}

static int content_read(struct pgf_perffile *file, const struct pgf_infile *in, char *err,
                        size_t err_size)
{
	uint8_t header[HEADER_SIZE];
	struct section data;
	int ret = read_exact(in, header, HEADER_PIPE_SIZE, 0);

	if (!ret && memcmp(header, MAGIC, strlen(MAGIC)) != 0)
		ret = -EBADMSG;
	if (ret) {
		say(err, err_size, "not a perf.data file of this byte order");
		return ret;
	}
	if (pgf_get_u64(header + 8) == HEADER_PIPE_SIZE) {
		say(err, err_size,
		    "perf.data written to a pipe: record into a file (perf record -o)");
		return -EOPNOTSUPP;
	}
	ret = pgf_get_u64(header + 8) == HEADER_SIZE ? read_exact(in, header, HEADER_SIZE, 0)
	                                             : -EBADMSG;
	data = section_get(header + 40);
	if (!ret)
		ret = attrs_read(file, in, section_get(header + 24), pgf_get_u64(header + 16));
	if (!ret)
		ret = data_read(file, in, data);
	if (ret) {
		say(err, err_size, "perf.data: %s",
		    ret == -EBADMSG ? "damaged header" : strerror(-ret));
		return ret;
	}
	if (file->id_count)
		qsort(file->ids, file->id_count, sizeof(*file->ids), by_id);
	features_read(file, in, header + 72, data.offset + data.size);
	return 0;
}

int pgf_perffile_load(struct pgf_perffile *file, const char *path, char *err, size_t err_size)
{
	struct pgf_infile in;
	int ret;

	*file = (struct pgf_perffile){.info.clock = CLOCK_MONOTONIC, .info.sample_period = 1};
	ret = pgf_infile_open(&in, path);
	if (ret) {
		say(err, err_size, "%s: %s", path, strerror(-ret));
		return ret;
	}
	if (in.seekable) {
		ret = content_read(file, &in, err, err_size);
	} else {
		ret = -ESPIPE;
		say(err, err_size, "%s: perf.data is read from regular files only", path);
	}
	pgf_infile_close(&in);
	return ret;
}

void pgf_perffile_free(struct pgf_perffile *file)
{
	free(file->ids);
	free(file->data);
	*file = (struct pgf_perffile){0};
}
