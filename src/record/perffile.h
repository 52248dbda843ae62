/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The container of perf.data (tools/perf/Documentation/perf.data-file-format.txt, Linux
 * 6.1): header, event attributes with their ids, the records, and what the optional parts
 * tell of the machine. Everything is read into memory and checked against its bounds.
 */
#ifndef PGF_RECORD_PERFFILE_H
#define PGF_RECORD_PERFFILE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/info.h"

#define PGF_PERF_EVENTS_MAX 256

/* What a record's samples are made of. */
struct pgf_perf_event {
	uint64_t config;
	uint64_t period; /* sample period; 0: a frequency */
	uint64_t sample_type;
	uint32_t type;
	uint32_t clockid;
	bool id_all;
	bool clock_given;
};

struct pgf_perf_id {
	uint64_t id;
	uint32_t event;
};

struct pgf_perffile {
	struct pgf_perf_event events[PGF_PERF_EVENTS_MAX];
	size_t event_count;
	struct pgf_perf_id *ids; /* sorted */
	size_t id_count;
	uint8_t *data; /* the records */
	size_t size;
	bool cut; /* the header tells of more records than there are, or of none yet */
	struct pgf_record_info info;
};

/* 0, or -errno with a line in err; *file is to be freed in both cases. */
int pgf_perffile_load(struct pgf_perffile *file, const char *path, char *err, size_t err_size);
void pgf_perffile_free(struct pgf_perffile *file);
/* The event of an id, or NULL. */
const struct pgf_perf_event *pgf_perffile_event(const struct pgf_perffile *file, uint64_t id);

#endif /* PGF_RECORD_PERFFILE_H */
