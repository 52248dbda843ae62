/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <pgfault/record.h>
#include "record/outfile.h"
#include "record/rows.h"
#include "record/strings.h"

#define BATCH_ITEMS  65536u
#define BATCH_NS     1000000000ull
#define BATCH_FRAMES (1u << 20)
#define BATCH_TEXT   (8u << 20) /* bytes of new strings */

struct list {
	void *data;
	size_t count;
	size_t cap;
};

struct pgf_writer {
	struct pgf_outfile file;
	struct pgf_encoder *enc;
	struct pgf_rows_out rows_out;
	struct pgf_bytes out;
	struct pgf_strings *strings;
	uint32_t strings_written; /* ids below this are in the file */
	size_t text_pending;
	struct list faults, cells, spaces, stacks, frames, symbols, modules;
	struct pgf_totals losses_told;
	struct pgf_totals losses_written;
	uint64_t first_ns; /* of the batch */
	uint64_t last_ns;
	bool timed;       /* first_ns and last_ns are set */
	uint32_t ordinal; /* items of the batch that are no faults */
	uint32_t sequence;
	size_t last_block; /* offset in out of the last block's header */
	size_t blocks;     /* of the batch under construction */
	uint32_t comm_id;  /* of the fault before */
	char comm[PGF_COMM_LEN];
	int error;
	bool told; /* the error was returned */
	uint64_t dropped;
};

static void *list_push(struct list *list, size_t size, size_t n)
{
	void *at;

	if (list->cap - list->count < n) {
		size_t cap = list->cap ? list->cap * 2 : 256;
		void *bigger;

		while (cap - list->count < n)
			cap *= 2;
		bigger = reallocarray(list->data, cap, size);
		if (!bigger)
			return NULL;
		list->data = bigger;
		list->cap = cap;
	}
	at = (char *)list->data + list->count * size;
	list->count += n;
	return at;
}

static void writer_free(struct pgf_writer *w)
{
	struct list *lists[] = {&w->faults, &w->cells,   &w->spaces, &w->stacks,
	                        &w->frames, &w->symbols, &w->modules};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		free(lists[i]->data);
	pgf_rows_out_free(&w->rows_out);
	pgf_bytes_free(&w->out);
	pgf_strings_free(w->strings);
	pgf_encoder_free(w->enc);
	free(w);
}

static int writer_fail(struct pgf_writer *w, int err)
{
	if (!w->error)
		w->error = err;
	if (w->told)
		return 0;
	w->told = true;
	return w->error;
}

/* Takes a finished file over; frees the writer when it fails. */
static int writer_start(struct pgf_writer **out, struct pgf_writer *w,
                        const struct pgf_record_info *info)
{
	uint32_t flags = PGF_RECORD_F_INCOMPLETE | (w->file.regular ? 0 : PGF_RECORD_F_STREAM);
	int err = pgf_encoder_new(&w->enc);

	if (!err)
		err = pgf_strings_new(&w->strings);
	w->strings_written = 1;
	if (!err)
		err = pgf_record_info_encode(&w->out, info, flags);
	if (!err)
		err = pgf_outfile_write(&w->file, w->out.data, w->out.len);
	w->out.len = 0;
	if (err) {
		pgf_outfile_close(&w->file);
		writer_free(w);
		return err;
	}
	*out = w;
	return 0;
}

int pgf_writer_open(struct pgf_writer **out, const char *path, const struct pgf_record_info *info)
{
	struct pgf_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	err = pgf_outfile_open(&w->file, path);
	if (err) {
		free(w);
		return err;
	}
	return writer_start(out, w, info);
}

int pgf_writer_open_fd(struct pgf_writer **out, int fd, const struct pgf_record_info *info)
{
	struct pgf_writer *w = calloc(1, sizeof(*w));
	struct pgf_outfile none = {.fd = fd};
	int err;

	if (!w) {
		pgf_outfile_close(&none);
		return -ENOMEM;
	}
	err = pgf_outfile_take(&w->file, fd);
	if (err) {
		free(w);
		return err;
	}
	return writer_start(out, w, info);
}

static void header_seal(uint8_t *header)
{
	pgf_set_u32(header + 44, (uint32_t)crc32(0, header, 44));
}

/* Appends a block with the given payload to the batch. */
static int block_put(struct pgf_writer *w, enum pgf_block type, size_t items, size_t header_at,
                     uint32_t raw_size, uint16_t flags)
{
	size_t payload = header_at + PGF_BLOCK_HEADER_SIZE;
	size_t stored = w->out.len - payload;
	uint8_t *header;

	if (w->out.failed)
		return -ENOMEM;
	if (stored > PGF_RECORD_RAW_MAX)
		return -EFBIG;
	header = w->out.data + header_at;
	pgf_set_u32(header, PGF_BLOCK_MAGIC);
	pgf_set_u16(header + 4, (uint16_t)type);
	pgf_set_u16(header + 6, flags);
	pgf_set_u32(header + 8, raw_size);
	pgf_set_u32(header + 12, (uint32_t)stored);
	pgf_set_u32(header + 16, (uint32_t)items);
	pgf_set_u32(header + 20, (uint32_t)crc32(0, w->out.data + payload, (uInt)stored));
	pgf_set_u64(header + 24, w->first_ns);
	pgf_set_u64(header + 32, w->last_ns);
	pgf_set_u32(header + 40, w->sequence++);
	header_seal(header);
	w->last_block = header_at;
	w->blocks++;
	return 0;
}

/* Compresses what the encoder holds into a block of the batch. */
static int block_pack(struct pgf_writer *w, enum pgf_block type, size_t items)
{
	size_t header_at = w->out.len;
	uint32_t raw_size;
	uint16_t flags;
	int err;

	if (!pgf_bytes_room(&w->out, PGF_BLOCK_HEADER_SIZE))
		return -ENOMEM;
	w->out.len += PGF_BLOCK_HEADER_SIZE;
	err = pgf_encoder_pack(w->enc, &w->out, &raw_size, &flags);
	if (err)
		return err;
	return block_put(w, type, items, header_at, raw_size, flags);
}

static int block_rows(struct pgf_writer *w, enum pgf_block type, const struct pgf_layout *layout,
                      const void *rows, size_t n)
{
	int err;

	if (n == 0)
		return 0;
	pgf_encoder_reset(w->enc);
	err = pgf_rows_encode(&w->rows_out, w->enc, layout, rows, n);
	return err ? err : block_pack(w, type, n);
}

/* The strings that came up since the last batch. */
static int block_strings(struct pgf_writer *w)
{
	uint32_t count = pgf_strings_count(w->strings), n = count - w->strings_written;
	struct pgf_bytes text = {0};
	uint64_t *lengths;
	int err;

	if (n == 0)
		return 0;
	lengths = calloc(n, sizeof(*lengths));
	if (!lengths)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		size_t len;
		const char *at = pgf_strings_get(w->strings, w->strings_written + i, &len);

		lengths[i] = len;
		pgf_bytes_put(&text, at, len);
	}
	pgf_encoder_reset(w->enc);
	pgf_encoder_list(w->enc, PGF_COL_STR_LENGTH, lengths, n);
	pgf_encoder_bytes(w->enc, PGF_COL_STR_TEXT, text.data, text.len);
	err = text.failed ? -ENOMEM : block_pack(w, PGF_BLOCK_STRINGS, n);
	free(lengths);
	pgf_bytes_free(&text);
	return err;
}

static int block_stacks(struct pgf_writer *w)
{
	int err;

	if (w->stacks.count == 0)
		return 0;
	pgf_encoder_reset(w->enc);
	err = pgf_rows_encode(&w->rows_out, w->enc, &pgf_layout_stack, w->stacks.data,
	                      w->stacks.count);
	if (err)
		return err;
	pgf_encoder_values(w->enc, PGF_COL_ST_FRAMES, w->frames.data, w->frames.count, NULL);
	return block_pack(w, PGF_BLOCK_STACKS, w->stacks.count);
}

static int block_losses(struct pgf_writer *w)
{
	const struct pgf_totals *now = &w->losses_told, *before = &w->losses_written;
	struct pgf_totals row = {.lost_events = now->lost_events - before->lost_events,
	                         .lost_detail = now->lost_detail - before->lost_detail,
	                         .lost_space = now->lost_space - before->lost_space};

	if (!row.lost_events && !row.lost_detail && !row.lost_space)
		return 0;
	return block_rows(w, PGF_BLOCK_LOSSES, &pgf_layout_totals, &row, 1);
}

static int batch_build(struct pgf_writer *w)
{
	int err = block_strings(w);

	if (!err)
		err = block_rows(w, PGF_BLOCK_SYMBOLS, &pgf_layout_symbol, w->symbols.data,
		                 w->symbols.count);
	if (!err)
		err = block_rows(w, PGF_BLOCK_MODULES, &pgf_layout_module, w->modules.data,
		                 w->modules.count);
	if (!err)
		err = block_losses(w);
	if (!err)
		err = block_stacks(w);
	if (!err)
		err = block_rows(w, PGF_BLOCK_SPACES, &pgf_layout_space, w->spaces.data,
		                 w->spaces.count);
	if (!err)
		err = block_rows(w, PGF_BLOCK_CELLS, &pgf_layout_cell, w->cells.data,
		                 w->cells.count);
	if (!err)
		err = block_rows(w, PGF_BLOCK_FAULTS, &pgf_layout_fault, w->faults.data,
		                 w->faults.count);
	return err;
}

/* Closes the batch with its last block and writes it in one piece. */
static int batch_write(struct pgf_writer *w)
{
	uint8_t *header = w->out.data + w->last_block;
	int err;

	if (w->blocks == 0)
		return 0;
	pgf_set_u16(header + 6, pgf_get_u16(header + 6) | PGF_BLOCK_F_LAST);
	header_seal(header);
	err = pgf_outfile_write(&w->file, w->out.data, w->out.len);
	w->out.len = 0;
	w->blocks = 0;
	return err;
}

int pgf_writer_flush(struct pgf_writer *w)
{
	int err;

	if (w->error)
		return writer_fail(w, w->error);
	err = batch_build(w);
	if (!err)
		err = batch_write(w);
	if (err)
		return writer_fail(w, err);
	w->strings_written = pgf_strings_count(w->strings);
	w->losses_written = w->losses_told;
	w->text_pending = 0;
	w->faults.count = w->cells.count = w->spaces.count = w->stacks.count = 0;
	w->frames.count = w->symbols.count = w->modules.count = 0;
	w->ordinal = 0;
	w->timed = false;
	return 0;
}

static bool batch_full(const struct pgf_writer *w)
{
	return w->faults.count >= BATCH_ITEMS || w->cells.count >= BATCH_ITEMS ||
	       w->spaces.count >= BATCH_ITEMS || w->stacks.count >= BATCH_ITEMS ||
	       w->symbols.count >= BATCH_ITEMS || w->modules.count >= BATCH_ITEMS ||
	       w->frames.count >= BATCH_FRAMES || w->text_pending >= BATCH_TEXT;
}

/* Before an item is added: 1 when it is to be dropped, 0, or -errno. */
static int item_begin(struct pgf_writer *w)
{
	int err = 0;

	if (!w->error && batch_full(w))
		err = pgf_writer_flush(w);
	if (!w->error)
		return 0;
	w->dropped++;
	return err ? err : 1;
}

/* The same for an item with a time, which may be a second after the batch's first. */
static int item_begin_at(struct pgf_writer *w, uint64_t time_ns)
{
	int err = 0;

	if (!w->error && w->timed && time_ns > w->first_ns && time_ns - w->first_ns >= BATCH_NS)
		err = pgf_writer_flush(w);
	if (err) {
		w->dropped++;
		return err;
	}
	err = item_begin(w);
	if (err)
		return err;
	if (!w->timed) {
		w->first_ns = w->last_ns = time_ns;
		w->timed = true;
	}
	if (time_ns < w->first_ns)
		w->first_ns = time_ns;
	if (time_ns > w->last_ns)
		w->last_ns = time_ns;
	return 0;
}

static int item_string(struct pgf_writer *w, const char *text, uint32_t *id)
{
	uint32_t before = pgf_strings_count(w->strings);
	int err = pgf_strings_intern(w->strings, text, id);

	if (!err && text && *id >= before)
		w->text_pending += strnlen(text, PGF_RECORD_STRING_MAX);
	return err;
}

static int item_comm(struct pgf_writer *w, const char *comm, uint32_t *id)
{
	char text[PGF_COMM_LEN + 1] = {0};
	int err = 0;

	if (memcmp(comm, w->comm, PGF_COMM_LEN) != 0) {
		memcpy(text, comm, PGF_COMM_LEN);
		err = item_string(w, text[0] ? text : NULL, &w->comm_id);
		if (!err)
			memcpy(w->comm, comm, PGF_COMM_LEN);
	}
	*id = w->comm_id;
	return err;
}

static struct pgf_place item_place(struct pgf_writer *w)
{
	return (struct pgf_place){.position = (uint32_t)w->faults.count, .ordinal = w->ordinal++};
}

int pgf_writer_fault(struct pgf_writer *w, const struct pgf_fault *fault)
{
	struct pgf_fault_row *row;
	uint32_t comm;
	int err = item_begin_at(w, fault->time_ns);

	if (err)
		return err < 0 ? err : 0;
	err = item_comm(w, fault->comm, &comm);
	row = err ? NULL : list_push(&w->faults, sizeof(*row), 1);
	if (!row)
		return writer_fail(w, err ? err : -ENOMEM);
	row->fault = *fault;
	row->comm = comm;
	row->ip_is_addr = fault->ip == fault->access.address && fault->ip != 0;
	if (row->ip_is_addr)
		row->fault.ip = 0;
	return 0;
}

int pgf_writer_cell(struct pgf_writer *w, const struct pgf_cell *cell)
{
	struct pgf_cell_row *row;
	uint32_t comm;
	int err = item_begin(w);

	if (err)
		return err < 0 ? err : 0;
	err = item_comm(w, cell->fault.comm, &comm);
	row = err ? NULL : list_push(&w->cells, sizeof(*row), 1);
	if (!row)
		return writer_fail(w, err ? err : -ENOMEM);
	*row = (struct pgf_cell_row){.cell = *cell, .comm = comm, .place = item_place(w)};
	return 0;
}

int pgf_writer_space(struct pgf_writer *w, const struct pgf_space_event *event)
{
	struct pgf_space_row *row;
	uint32_t name;
	int err = item_begin_at(w, event->time_ns);

	if (err)
		return err < 0 ? err : 0;
	err = item_string(w, event->name, &name);
	row = err ? NULL : list_push(&w->spaces, sizeof(*row), 1);
	if (!row)
		return writer_fail(w, err ? err : -ENOMEM);
	*row = (struct pgf_space_row){.event = *event, .name = name, .place = item_place(w)};
	return 0;
}

int pgf_writer_stack(struct pgf_writer *w, uint32_t stack_id, const uint64_t *ips, size_t count)
{
	struct pgf_stack_row *row;
	uint64_t *frames = NULL;
	int err = item_begin(w);

	if (err)
		return err < 0 ? err : 0;
	if (count > PGF_RECORD_FRAMES_MAX)
		count = PGF_RECORD_FRAMES_MAX;
	row = list_push(&w->stacks, sizeof(*row), 1);
	if (row && count)
		frames = list_push(&w->frames, sizeof(*frames), count);
	if (!row || (count && !frames))
		return writer_fail(w, -ENOMEM);
	if (count)
		memcpy(frames, ips, count * sizeof(*frames));
	*row = (struct pgf_stack_row){
	        .id = stack_id, .depth = (uint32_t)count, .place = item_place(w)};
	return 0;
}

int pgf_writer_symbol(struct pgf_writer *w, const struct pgf_record_symbol *symbol)
{
	struct pgf_symbol_row row = {.addr = symbol->addr,
	                             .offset = symbol->offset,
	                             .id = symbol->id,
	                             .outer = symbol->outer,
	                             .pid = symbol->pid,
	                             .line = symbol->line,
	                             .exact = symbol->exact};
	struct pgf_symbol_row *kept;
	int err = item_begin(w);

	if (err)
		return err < 0 ? err : 0;
	err = item_string(w, symbol->func, &row.func);
	if (!err)
		err = item_string(w, symbol->file, &row.file);
	if (!err)
		err = item_string(w, symbol->module, &row.module);
	if (!err)
		err = item_string(w, symbol->path, &row.path);
	kept = err ? NULL : list_push(&w->symbols, sizeof(*kept), 1);
	if (!kept)
		return writer_fail(w, err ? err : -ENOMEM);
	*kept = row;
	return 0;
}

int pgf_writer_module(struct pgf_writer *w, const struct pgf_record_module *module)
{
	struct pgf_module_row row = {.ino = module->ino, .dev = module->dev};
	struct pgf_module_row *kept;
	int err = item_begin(w);

	if (err)
		return err < 0 ? err : 0;
	err = item_string(w, module->path, &row.path);
	if (!err)
		err = item_string(w, module->build, &row.build);
	kept = err ? NULL : list_push(&w->modules, sizeof(*kept), 1);
	if (!kept)
		return writer_fail(w, err ? err : -ENOMEM);
	*kept = row;
	return 0;
}

int pgf_writer_losses(struct pgf_writer *w, const struct pgf_totals *totals)
{
	w->losses_told = *totals;
	return 0;
}

static int sink_fault(void *ctx, const struct pgf_fault *fault)
{
	return pgf_writer_fault(ctx, fault);
}

static int sink_cell(void *ctx, const struct pgf_cell *cell)
{
	return pgf_writer_cell(ctx, cell);
}

static int sink_space(void *ctx, const struct pgf_space_event *event)
{
	return pgf_writer_space(ctx, event);
}

static int sink_stack(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count)
{
	return pgf_writer_stack(ctx, stack_id, ips, count);
}

struct pgf_sink pgf_writer_sink(struct pgf_writer *w)
{
	return (struct pgf_sink){.ctx = w,
	                         .fault = sink_fault,
	                         .cell = sink_cell,
	                         .space = sink_space,
	                         .stack = sink_stack};
}

int pgf_writer_error(const struct pgf_writer *w)
{
	return w->error;
}

uint64_t pgf_writer_dropped(const struct pgf_writer *w)
{
	return w->dropped;
}

uint64_t pgf_writer_size(const struct pgf_writer *w)
{
	return w->file.size;
}

/* The block that tells a whole file from one that was cut between two batches. */
static int write_mark(struct pgf_writer *w)
{
	size_t header_at = w->out.len;
	int err;

	if (!pgf_bytes_room(&w->out, PGF_BLOCK_HEADER_SIZE))
		return -ENOMEM;
	w->out.len += PGF_BLOCK_HEADER_SIZE;
	err = block_put(w, PGF_BLOCK_END, 1, header_at, 0, PGF_BLOCK_F_STORED);
	return err ? err : batch_write(w);
}

static int write_end(struct pgf_writer *w, const struct pgf_totals *totals)
{
	uint8_t flags[4] = {0};
	int err = pgf_writer_flush(w);

	if (w->error)
		return w->error;
	w->first_ns = totals->start_ns;
	w->last_ns = totals->end_ns;
	if (!err)
		err = block_rows(w, PGF_BLOCK_TOTALS, &pgf_layout_totals, totals, 1);
	if (!err)
		err = batch_write(w);
	if (!err)
		err = write_mark(w);
	if (!err && w->file.regular)
		err = pgf_outfile_patch(&w->file, PGF_RECORD_FLAGS_OFFSET, flags, sizeof(flags));
	return err;
}

int pgf_writer_close(struct pgf_writer *w, const struct pgf_totals *totals)
{
	int err, close_err;

	if (!w)
		return 0;
	if (totals) {
		w->losses_told = *totals;
		err = w->error ? w->error : write_end(w, totals);
	} else {
		pgf_writer_flush(w);
		err = w->error;
	}
	close_err = pgf_outfile_close(&w->file);
	writer_free(w);
	return err ? err : close_err;
}
