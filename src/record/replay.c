/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/rows.h"
#include "record/strings.h"

#define PART 64 /* rows filled at a time, so that they stay in the first cache */

/* One block of the batch, decoded. */
struct part {
	struct pgf_columns columns;
	struct pgf_rows_in rows;
	uint32_t items; /* 0: the batch has no such block */
	uint32_t next;  /* row to be delivered next */
};

struct pgf_replay {
	struct pgf_strings *strings;
	struct part faults, cells, spaces, stacks, symbols, modules;
	struct part scratch; /* blocks that are used up at once */
	struct pgf_code_sink code;
	struct pgf_totals batch_losses;
	struct pgf_totals sums;
	struct pgf_totals totals;
	bool totals_known;
	uint64_t from_ns;
	uint64_t to_ns;
	struct pgf_fault_row fault_rows[PART];
	uint32_t rows_from; /* fault_rows hold the items [rows_from, rows_to) */
	uint32_t rows_to;
	uint64_t frames[PGF_RECORD_FRAMES_MAX];
	uint32_t frame_next; /* of the stacks' frames column */
};

static const struct {
	uint16_t type;
	const struct pgf_layout *layout;
	size_t part;
} kept[] = {
        {PGF_BLOCK_FAULTS, &pgf_layout_fault, offsetof(struct pgf_replay, faults)},
        {PGF_BLOCK_CELLS, &pgf_layout_cell, offsetof(struct pgf_replay, cells)},
        {PGF_BLOCK_SPACES, &pgf_layout_space, offsetof(struct pgf_replay, spaces)},
        {PGF_BLOCK_STACKS, &pgf_layout_stack, offsetof(struct pgf_replay, stacks)},
        {PGF_BLOCK_SYMBOLS, &pgf_layout_symbol, offsetof(struct pgf_replay, symbols)},
        {PGF_BLOCK_MODULES, &pgf_layout_module, offsetof(struct pgf_replay, modules)},
};

#define KEPT (sizeof(kept) / sizeof(kept[0]))

static struct part *kept_part(struct pgf_replay *replay, size_t i)
{
	return (struct part *)(void *)((char *)replay + kept[i].part);
}

int pgf_replay_new(struct pgf_replay **out)
{
	struct pgf_replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return -ENOMEM;
	if (pgf_strings_new(&replay->strings)) {
		free(replay);
		return -ENOMEM;
	}
	replay->to_ns = UINT64_MAX;
	*out = replay;
	return 0;
}

static void part_free(struct part *part)
{
	pgf_columns_free(&part->columns);
	pgf_rows_in_free(&part->rows);
}

void pgf_replay_free(struct pgf_replay *replay)
{
	if (!replay)
		return;
	for (size_t i = 0; i < KEPT; i++)
		part_free(kept_part(replay, i));
	part_free(&replay->scratch);
	pgf_strings_free(replay->strings);
	free(replay);
}

void pgf_replay_set_code_sink(struct pgf_replay *replay, const struct pgf_code_sink *sink)
{
	replay->code = *sink;
}

void pgf_replay_set_range(struct pgf_replay *replay, uint64_t from_ns, uint64_t to_ns)
{
	replay->from_ns = from_ns;
	replay->to_ns = to_ns;
}

bool pgf_replay_takes(unsigned int type)
{
	for (size_t i = 0; i < KEPT; i++) {
		if (kept[i].type == type)
			return true;
	}
	return type == PGF_BLOCK_STRINGS || type == PGF_BLOCK_LOSSES || type == PGF_BLOCK_TOTALS;
}

static int take_strings(struct pgf_replay *replay, const uint8_t *data, size_t size, uint32_t items)
{
	struct pgf_columns *columns = &replay->scratch.columns;
	const struct pgf_column *length, *text;
	uint64_t at = 0, have;
	int err = pgf_columns_decode(columns, data, size, items);

	if (err)
		return err;
	length = pgf_columns_find(columns, PGF_COL_STR_LENGTH);
	text = pgf_columns_find(columns, PGF_COL_STR_TEXT);
	if ((length && (length->items != items || length->form == PGF_FORM_BYTES)) ||
	    (text && text->form != PGF_FORM_BYTES))
		return -EBADMSG;
	have = text ? text->items : 0;
	for (uint32_t i = 0; i < items; i++) {
		uint64_t len = pgf_column_get(length, i);

		if (len > have - at || len > PGF_RECORD_STRING_MAX)
			return -EBADMSG;
		/* a string is used as C text: a NUL inside would cut it unseen */
		if (len && memchr(text->bytes + at, '\0', len))
			return -EBADMSG;
		err = pgf_strings_append(replay->strings, len ? (const char *)text->bytes + at : "",
		                         len);
		if (err)
			return err == -EOVERFLOW ? -EBADMSG : err;
		at += len;
	}
	return 0;
}

static int take_totals(struct pgf_replay *replay, struct pgf_totals *totals, const uint8_t *data,
                       size_t size, uint32_t items)
{
	struct part *part = &replay->scratch;
	int err;

	if (items != 1)
		return -EBADMSG;
	err = pgf_columns_decode(&part->columns, data, size, items);
	if (!err)
		err = pgf_rows_prepare(&part->rows, &pgf_layout_totals, &part->columns, 1, 0);
	if (!err)
		pgf_rows_fill(&part->rows, 0, 1, totals);
	return err;
}

/* The frames of all stacks must be there, and none of them too deep. */
static int check_stacks(struct part *part)
{
	const struct pgf_column *depth = pgf_columns_find(&part->columns, PGF_COL_ST_DEPTH);
	const struct pgf_column *frames = pgf_columns_find(&part->columns, PGF_COL_ST_FRAMES);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < part->items; i++) {
		uint64_t n = pgf_column_get(depth, i);

		if (n > PGF_RECORD_FRAMES_MAX)
			return -EBADMSG;
		sum += n;
	}
	if (frames && (frames->form == PGF_FORM_BYTES || frames->items != sum))
		return -EBADMSG;
	return 0;
}

int pgf_replay_block(struct pgf_replay *replay, unsigned int type, const uint8_t *data, size_t size,
                     uint32_t items)
{
	if (type == PGF_BLOCK_STRINGS)
		return take_strings(replay, data, size, items);
	if (type == PGF_BLOCK_LOSSES)
		return take_totals(replay, &replay->batch_losses, data, size, items);
	if (type == PGF_BLOCK_TOTALS) {
		int err = take_totals(replay, &replay->totals, data, size, items);

		replay->totals_known = !err;
		return err;
	}
	for (size_t i = 0; i < KEPT; i++) {
		struct part *part = kept_part(replay, i);
		int err;

		if (kept[i].type != type)
			continue;
		if (part->items)
			return -EBADMSG;
		err = pgf_columns_decode(&part->columns, data, size, items);
		if (!err)
			err = pgf_rows_prepare(&part->rows, kept[i].layout, &part->columns, items,
			                       pgf_strings_count(replay->strings));
		if (err)
			return err;
		part->items = items;
		part->next = 0;
		return type == PGF_BLOCK_STACKS ? check_stacks(part) : 0;
	}
	return 0;
}

static const char *string_get(const struct pgf_replay *replay, uint32_t id)
{
	return pgf_strings_get(replay->strings, id, NULL);
}

/* What a row says in ids and marks becomes a fault; names of a later version become unknown. */
static void fault_finish(const struct pgf_replay *replay, struct pgf_fault *fault, uint32_t comm,
                         uint32_t ip_is_addr)
{
	if (comm) {
		memcpy(fault->comm, string_get(replay, comm), PGF_COMM_LEN);
		fault->comm[PGF_COMM_LEN - 1] = '\0';
	}
	if (ip_is_addr)
		fault->ip = fault->access.address;
	if (fault->kind >= PGF_KIND_COUNT)
		fault->kind = PGF_UNKNOWN;
	if (fault->access.op > PGF_OP_EXEC)
		fault->access.op = PGF_OP_UNKNOWN;
	if (fault->access.mode > PGF_MODE_KERNEL)
		fault->access.mode = PGF_MODE_UNKNOWN;
	if (fault->access.arch > PGF_ARCH_ARM64)
		fault->access.arch = PGF_ARCH_UNKNOWN;
}

static void sums_add(struct pgf_totals *sums, const struct pgf_fault *fault, uint64_t count)
{
	if (fault->flags & PGF_F_FAILED) {
		sums->failed += count;
	} else if (fault->flags & PGF_F_UNFINISHED) {
		sums->unfinished += count;
	} else {
		sums->seen += count;
		if (fault->flags & PGF_F_MAJOR)
			sums->major += count;
		else
			sums->minor += count;
	}
}

/* Delivers faults up to (without) the item `end`. */
static int play_faults(struct pgf_replay *replay, const struct pgf_sink *sink, uint32_t end)
{
	struct part *part = &replay->faults;

	for (; part->next < end; part->next++) {
		struct pgf_fault_row *row;
		int err;

		if (part->next >= replay->rows_to) {
			uint32_t left = part->items - part->next;

			replay->rows_from = part->next;
			replay->rows_to = part->next + (left < PART ? left : PART);
			pgf_rows_fill(&part->rows, replay->rows_from,
			              replay->rows_to - replay->rows_from, replay->fault_rows);
		}
		row = &replay->fault_rows[part->next - replay->rows_from];
		if (row->fault.time_ns < replay->from_ns || row->fault.time_ns > replay->to_ns)
			continue;
		fault_finish(replay, &row->fault, row->comm, row->ip_is_addr);
		sums_add(&replay->sums, &row->fault, 1);
		err = sink->fault ? sink->fault(sink->ctx, &row->fault) : 0;
		if (err) {
			part->next++;
			return err;
		}
	}
	return 0;
}

static int play_space(struct pgf_replay *replay, const struct pgf_sink *sink, uint32_t item)
{
	struct pgf_space_row row;

	if (!sink->space)
		return 0;
	pgf_rows_fill(&replay->spaces.rows, item, 1, &row);
	row.event.name = string_get(replay, row.name);
	return sink->space(sink->ctx, &row.event);
}

static int play_cell(struct pgf_replay *replay, const struct pgf_sink *sink, uint32_t item)
{
	struct pgf_cell_row row;

	pgf_rows_fill(&replay->cells.rows, item, 1, &row);
	fault_finish(replay, &row.cell.fault, row.comm, row.ip_is_addr);
	/* a fault is in one cell by address and in one by code */
	if (!row.cell.code)
		sums_add(&replay->sums, &row.cell.fault, row.cell.count);
	return sink->cell ? sink->cell(sink->ctx, &row.cell) : 0;
}

static int play_stack(struct pgf_replay *replay, const struct pgf_sink *sink, uint32_t item)
{
	const struct pgf_column *frames =
	        pgf_columns_find(&replay->stacks.columns, PGF_COL_ST_FRAMES);
	struct pgf_stack_row row;

	pgf_rows_fill(&replay->stacks.rows, item, 1, &row);
	for (uint32_t i = 0; i < row.depth; i++)
		replay->frames[i] = pgf_column_get(frames, replay->frame_next + i);
	replay->frame_next += row.depth;
	return sink->stack ? sink->stack(sink->ctx, row.id, replay->frames, row.depth) : 0;
}

struct stream {
	struct part *part;
	int (*play)(struct pgf_replay *replay, const struct pgf_sink *sink, uint32_t item);
};

/* The stream whose next item has the lowest ordinal, or NULL. */
static const struct stream *stream_next(const struct stream *streams, size_t count,
                                        uint32_t *position)
{
	const struct stream *best = NULL;
	uint64_t best_ordinal = 0;

	for (size_t i = 0; i < count; i++) {
		const struct part *part = streams[i].part;
		uint64_t ordinal;

		if (part->next >= part->items)
			continue;
		ordinal = pgf_column_get(pgf_columns_find(&part->columns, PGF_COL_ORDINAL),
		                         part->next);
		if (best && ordinal >= best_ordinal)
			continue;
		best = &streams[i];
		best_ordinal = ordinal;
		*position = (uint32_t)pgf_column_get(
		        pgf_columns_find(&part->columns, PGF_COL_POSITION), part->next);
	}
	return best;
}

static int play_stream(struct pgf_replay *replay, const struct pgf_sink *sink)
{
	const struct stream streams[] = {{&replay->spaces, play_space},
	                                 {&replay->stacks, play_stack},
	                                 {&replay->cells, play_cell}};
	const struct stream *next;
	uint32_t position = 0;

	while ((next = stream_next(streams, sizeof(streams) / sizeof(streams[0]), &position))) {
		uint32_t faults = replay->faults.items;
		int err = play_faults(replay, sink, position < faults ? position : faults);

		if (!err)
			err = next->play(replay, sink, next->part->next++);
		if (err)
			return err;
	}
	return play_faults(replay, sink, replay->faults.items);
}

static int play_symbols(struct pgf_replay *replay)
{
	int err = 0;

	for (uint32_t i = 0; replay->code.symbol && i < replay->symbols.items && !err; i++) {
		struct pgf_symbol_row row;
		struct pgf_record_symbol symbol;

		pgf_rows_fill(&replay->symbols.rows, i, 1, &row);
		symbol = (struct pgf_record_symbol){.addr = row.addr,
		                                    .offset = row.offset,
		                                    .id = row.id,
		                                    .outer = row.outer,
		                                    .pid = row.pid,
		                                    .line = row.line,
		                                    .exact = row.exact != 0,
		                                    .func = string_get(replay, row.func),
		                                    .file = string_get(replay, row.file),
		                                    .module = string_get(replay, row.module),
		                                    .path = string_get(replay, row.path)};
		err = replay->code.symbol(replay->code.ctx, &symbol);
	}
	return err;
}

static int play_modules(struct pgf_replay *replay)
{
	int err = 0;

	for (uint32_t i = 0; replay->code.module && i < replay->modules.items && !err; i++) {
		struct pgf_module_row row;
		struct pgf_record_module module;

		pgf_rows_fill(&replay->modules.rows, i, 1, &row);
		module = (struct pgf_record_module){.ino = row.ino,
		                                    .dev = row.dev,
		                                    .path = string_get(replay, row.path),
		                                    .build = string_get(replay, row.build)};
		err = replay->code.module(replay->code.ctx, &module);
	}
	return err;
}

int pgf_replay_batch(struct pgf_replay *replay, const struct pgf_sink *sink)
{
	int err = play_symbols(replay);

	replay->rows_from = replay->rows_to = 0;
	replay->frame_next = 0;
	if (!err)
		err = play_modules(replay);
	if (!err)
		err = play_stream(replay, sink);
	replay->sums.lost_events += replay->batch_losses.lost_events;
	replay->sums.lost_detail += replay->batch_losses.lost_detail;
	replay->sums.lost_space += replay->batch_losses.lost_space;
	replay->batch_losses = (struct pgf_totals){0};
	for (size_t i = 0; i < KEPT; i++)
		kept_part(replay, i)->items = 0;
	return err;
}

const struct pgf_totals *pgf_replay_totals(const struct pgf_replay *replay, bool *recorded)
{
	if (recorded)
		*recorded = replay->totals_known;
	return replay->totals_known ? &replay->totals : &replay->sums;
}
