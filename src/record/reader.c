/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pgfault/record.h>
#include "record/block.h"
#include "record/replay.h"

struct pgf_reader {
	struct pgf_infile file;
	uint8_t *header;
	struct pgf_record_info info;
	uint32_t header_size;
	uint32_t flags;
	struct pgf_block_buffer buffer;
	struct pgf_replay *replay;
	struct pgf_damage damage;
	uint64_t from_ns;
	uint64_t to_ns;
	uint32_t sequence;
	bool ran;
};

static int header_read(struct pgf_reader *r)
{
	uint8_t fixed[PGF_RECORD_HEADER_SIZE];
	ssize_t n = pgf_infile_read(&r->file, fixed, sizeof(fixed));
	size_t rest;
	int err;

	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof(fixed))
		return -EBADMSG;
	err = pgf_record_header_size(fixed, &r->header_size);
	if (err)
		return err;
	r->header = malloc(r->header_size);
	if (!r->header)
		return -ENOMEM;
	memcpy(r->header, fixed, sizeof(fixed));
	rest = r->header_size - sizeof(fixed);
	n = pgf_infile_read(&r->file, r->header + sizeof(fixed), rest);
	if (n < 0)
		return (int)n;
	if ((size_t)n < rest)
		return -EBADMSG;
	r->flags = pgf_get_u32(fixed + PGF_RECORD_FLAGS_OFFSET);
	return pgf_record_info_decode(&r->info, r->header, r->header_size);
}

/* Takes over r->file. */
static int reader_start(struct pgf_reader **out, struct pgf_reader *r)
{
	int err = pgf_replay_new(&r->replay);

	if (!err)
		err = header_read(r);
	if (err) {
		pgf_reader_close(r);
		return err;
	}
	r->to_ns = UINT64_MAX;
	*out = r;
	return 0;
}

int pgf_reader_open(struct pgf_reader **out, const char *path)
{
	struct pgf_reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	err = pgf_infile_open(&r->file, path);
	if (err) {
		free(r);
		return err;
	}
	return reader_start(out, r);
}

int pgf_reader_open_fd(struct pgf_reader **out, int fd)
{
	struct pgf_reader *r = calloc(1, sizeof(*r));
	struct pgf_infile none = {.fd = fd};
	int err;

	if (!r) {
		pgf_infile_close(&none);
		return -ENOMEM;
	}
	err = pgf_infile_take(&r->file, fd);
	if (err) {
		free(r);
		return err;
	}
	return reader_start(out, r);
}

int pgf_reader_open_memory(struct pgf_reader **out, const void *data, size_t size)
{
	struct pgf_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	pgf_infile_memory(&r->file, data, size);
	return reader_start(out, r);
}

void pgf_reader_close(struct pgf_reader *r)
{
	if (!r)
		return;
	pgf_infile_close(&r->file);
	pgf_block_buffer_free(&r->buffer);
	pgf_replay_free(r->replay);
	free(r->header);
	free(r);
}

const struct pgf_record_info *pgf_reader_info(const struct pgf_reader *r)
{
	return &r->info;
}

bool pgf_reader_is_incomplete(const struct pgf_reader *r)
{
	return r->flags & PGF_RECORD_F_INCOMPLETE;
}

bool pgf_reader_is_stream(const struct pgf_reader *r)
{
	return r->flags & PGF_RECORD_F_STREAM;
}

void pgf_reader_set_code_sink(struct pgf_reader *r, const struct pgf_code_sink *sink)
{
	pgf_replay_set_code_sink(r->replay, sink);
}

void pgf_reader_set_range(struct pgf_reader *r, uint64_t from_ns, uint64_t to_ns)
{
	r->from_ns = from_ns;
	r->to_ns = to_ns;
	pgf_replay_set_range(r->replay, from_ns, to_ns);
}

struct pgf_damage pgf_reader_damage(const struct pgf_reader *r)
{
	return r->damage;
}

const char *pgf_damage_text(enum pgf_damage_reason reason)
{
	switch (reason) {
	case PGF_DAMAGE_NONE:
		return "whole";
	case PGF_DAMAGE_UNFINISHED:
		return "the writer did not end cleanly";
	case PGF_DAMAGE_TRUNCATED:
		return "truncated";
	case PGF_DAMAGE_HEADER:
		return "damaged block header";
	case PGF_DAMAGE_CHECKSUM:
		return "checksum of a block is wrong";
	case PGF_DAMAGE_CONTENT:
		return "content of a block is invalid";
	case PGF_DAMAGE_MISSING:
		return "a block is missing";
	}
	return "?";
}

const struct pgf_totals *pgf_reader_totals(const struct pgf_reader *r, bool *recorded)
{
	return pgf_replay_totals(r->replay, recorded);
}

static int damaged(struct pgf_reader *r, uint64_t offset, enum pgf_damage_reason reason)
{
	r->damage = (struct pgf_damage){.offset = offset, .reason = reason};
	return reason <= PGF_DAMAGE_TRUNCATED ? -ENODATA : -EBADMSG;
}

/* 1 when there is a header, 0 at the end of the file, -errno. */
static int head_next(struct pgf_reader *r, struct pgf_block_head *head)
{
	uint8_t data[PGF_BLOCK_HEADER_SIZE];
	uint64_t at = r->file.at;
	ssize_t n = pgf_infile_read(&r->file, data, sizeof(data));

	if (n <= 0)
		return (int)n;
	if (n < (ssize_t)sizeof(data))
		return damaged(r, at, PGF_DAMAGE_TRUNCATED);
	if (!pgf_block_head_decode(head, data))
		return damaged(r, at, PGF_DAMAGE_HEADER);
	if (head->sequence != r->sequence)
		return damaged(r, at, PGF_DAMAGE_MISSING);
	r->sequence++;
	return 1;
}

static bool is_wanted(const struct pgf_reader *r, const struct pgf_block_head *head)
{
	if (head->type == PGF_BLOCK_FAULTS)
		return head->last_ns >= r->from_ns && head->first_ns <= r->to_ns;
	return pgf_replay_takes(head->type);
}

/* Reads or leaves out the payload behind a header. */
static int payload_next(struct pgf_reader *r, const struct pgf_block_head *head, uint64_t at)
{
	enum pgf_damage_reason reason = PGF_DAMAGE_CONTENT;
	int err;

	if (!is_wanted(r, head)) {
		ssize_t n = pgf_infile_skip(&r->file, head->stored_size);

		if (n < 0)
			return (int)n;
		if ((size_t)n < head->stored_size)
			return damaged(r, at, PGF_DAMAGE_TRUNCATED);
		return 0;
	}
	err = pgf_block_read(&r->file, head, &r->buffer, &reason);
	if (!err)
		err = pgf_replay_block(r->replay, head->type, r->buffer.raw, head->raw_size,
		                       head->items);
	if (err == -EBADMSG || err == -ENODATA)
		return damaged(r, at, reason);
	return err;
}

int pgf_reader_run(struct pgf_reader *r, const struct pgf_sink *sink)
{
	bool open = false; /* inside a batch */

	if (r->ran)
		return -EALREADY;
	r->ran = true;
	for (;;) {
		struct pgf_block_head head;
		uint64_t at = r->file.at;
		int err = head_next(r, &head);

		if (err == 0)
			return damaged(r, at, open ? PGF_DAMAGE_TRUNCATED : PGF_DAMAGE_UNFINISHED);
		if (err < 0)
			return err;
		err = payload_next(r, &head, at);
		if (err)
			return err;
		if (head.type == PGF_BLOCK_END)
			return 0;
		open = !(head.flags & PGF_BLOCK_F_LAST);
		if (!open) {
			err = pgf_replay_batch(r->replay, sink);
			if (err)
				return err;
		}
	}
}

static int entry_add(struct pgf_record_entry **entries, size_t *count, size_t *cap,
                     const struct pgf_record_entry *entry)
{
	if (*count == *cap) {
		size_t bigger = *cap ? *cap * 2 : 64;
		struct pgf_record_entry *more = reallocarray(*entries, bigger, sizeof(*more));

		if (!more)
			return -ENOMEM;
		*entries = more;
		*cap = bigger;
	}
	(*entries)[(*count)++] = *entry;
	return 0;
}

int pgf_reader_entries(struct pgf_reader *r, struct pgf_record_entry **entries, size_t *count)
{
	uint64_t at = r->header_size;
	size_t cap = 0;

	*entries = NULL;
	*count = 0;
	if (!r->file.seekable)
		return -ESPIPE;
	for (;;) {
		uint8_t data[PGF_BLOCK_HEADER_SIZE];
		struct pgf_block_head head;
		struct pgf_record_entry entry;
		ssize_t n = pgf_infile_read_at(&r->file, data, sizeof(data), at);

		if (n < (ssize_t)sizeof(data) || !pgf_block_head_decode(&head, data) ||
		    head.type == PGF_BLOCK_END)
			return n < 0 ? (int)n : 0;
		entry = (struct pgf_record_entry){.offset = at,
		                                  .first_ns = head.first_ns,
		                                  .last_ns = head.last_ns,
		                                  .type = head.type,
		                                  .items = head.items};
		if (entry_add(entries, count, &cap, &entry)) {
			free(*entries);
			*entries = NULL;
			*count = 0;
			return -ENOMEM;
		}
		at += PGF_BLOCK_HEADER_SIZE + head.stored_size;
	}
}
