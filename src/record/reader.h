/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a .pgf recording (docs/pgf-format.md) and plays its stream back. The file may be
 * truncated, damaged or hostile: what is whole is delivered, the rest is told. One thread
 * owns a reader.
 */
#ifndef PGF_RECORD_READER_H
#define PGF_RECORD_READER_H

#include "observe/session.h"
#include "record/info.h"
#include "record/items.h"

struct pgf_reader;

enum pgf_damage_reason {
	PGF_DAMAGE_NONE = 0,
	PGF_DAMAGE_UNFINISHED = 1, /* ends after a whole batch, without an END block */
	PGF_DAMAGE_TRUNCATED = 2,  /* ends inside a block or a batch */
	PGF_DAMAGE_HEADER = 3,     /* a block header is not one */
	PGF_DAMAGE_CHECKSUM = 4,   /* a payload does not match its sum */
	PGF_DAMAGE_CONTENT = 5,    /* a payload contradicts itself */
	PGF_DAMAGE_MISSING = 6     /* a block is out of sequence */
};

struct pgf_damage {
	uint64_t offset; /* of the first block that was not read, bytes */
	enum pgf_damage_reason reason;
};

/* Names of code, delivered at the start of the batch that holds them. Members may be NULL. */
struct pgf_code_sink {
	void *ctx;
	int (*symbol)(void *ctx, const struct pgf_record_symbol *symbol);
	int (*module)(void *ctx, const struct pgf_record_module *module);
};

/*
 * Opens a recording and reads its header; "-" is the standard input. Returns 0, -EBADMSG
 * when it is not a recording or its header is damaged, -EPROTONOSUPPORT when it was
 * written by an incompatible version, -errno.
 */
int pgf_reader_open(struct pgf_reader **out, const char *path);
/* The same on an open descriptor, which the reader takes over, also when it fails. */
int pgf_reader_open_fd(struct pgf_reader **out, int fd);
/* The same on memory, which stays the caller's and must outlive the reader. */
int pgf_reader_open_memory(struct pgf_reader **out, const void *data, size_t size);
void pgf_reader_close(struct pgf_reader *reader); /* accepts NULL */

/* Owned by the reader. */
const struct pgf_record_info *pgf_reader_info(const struct pgf_reader *reader);
/* The mark in the header: the writer did not end cleanly. Of no meaning with is_stream. */
bool pgf_reader_is_incomplete(const struct pgf_reader *reader);
/* Written to a pipe: only pgf_reader_run() tells whether the recording is whole. */
bool pgf_reader_is_stream(const struct pgf_reader *reader);

/* Where symbols and modules go; to be called before run. *sink is copied. */
void pgf_reader_set_code_sink(struct pgf_reader *reader, const struct pgf_code_sink *sink);
/*
 * Delivers only faults with from_ns <= time <= to_ns; blocks outside are not even
 * decompressed. Everything else comes in full. To be called before run.
 */
void pgf_reader_set_range(struct pgf_reader *reader, uint64_t from_ns, uint64_t to_ns);

/*
 * Plays the stream back in its order; once for each reader. A batch is delivered whole or
 * not at all. Kinds, operations and modes that this version has no name for come as unknown.
 * Returns 0 when the recording is whole, a sink's non-zero result as it is, -ENODATA when it
 * ends too early, -EBADMSG when it is damaged (see pgf_reader_damage), -EALREADY on a
 * second call, -ENOMEM, -errno of read(2).
 */
int pgf_reader_run(struct pgf_reader *reader, const struct pgf_sink *sink);
struct pgf_damage pgf_reader_damage(const struct pgf_reader *reader);
/* "truncated inside a block" and the like; a static string. */
const char *pgf_damage_text(enum pgf_damage_reason reason);

/*
 * After run: the totals of the session. *recorded false: the recording has none (it is
 * incomplete), and these are sums over what was delivered and the losses told on the way;
 * start, end, tasks' counters and the like are not known then. recorded may be NULL.
 */
const struct pgf_totals *pgf_reader_totals(const struct pgf_reader *reader, bool *recorded);

/*
 * The blocks of the file with their times, by walking over their headers: a time index for
 * seeking. *entries is allocated, the caller frees it. 0, -ESPIPE for a pipe, -ENOMEM,
 * -errno. A torn end is left out without a word.
 */
int pgf_reader_entries(struct pgf_reader *reader, struct pgf_record_entry **entries, size_t *count);

#endif /* PGF_RECORD_READER_H */
