/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a .pgf recording. The checksums, the magic numbers and the sequence of the
 * blocks are put right first: otherwise nothing behind them would ever be reached.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <pgfault/record.h>
#include "record/bytes.h"
#include "record/reader.h"

#define ITEMS_MAX 400000 /* a few bytes may stand for very many equal items */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t used;

struct count {
	uint64_t items;
};

static void demand(int holds)
{
	if (!holds)
		abort();
}

static int item(struct count *count)
{
	return ++count->items > ITEMS_MAX ? 77 : 0;
}

static void use_text(const char *text)
{
	if (text)
		used += strlen(text);
}

static int on_fault(void *ctx, const struct pgf_fault *fault)
{
	demand(memchr(fault->comm, '\0', PGF_COMM_LEN) != NULL);
	demand(fault->kind < PGF_KIND_COUNT);
	demand(fault->access.op <= PGF_OP_EXEC && fault->access.mode <= PGF_MODE_KERNEL);
	demand(fault->access.pad == 0);
	used += fault->time_ns ^ fault->access.address;
	return item(ctx);
}

static int on_cell(void *ctx, const struct pgf_cell *cell)
{
	used += cell->count + cell->code;
	demand(cell->fault.kind < PGF_KIND_COUNT);
	return item(ctx);
}

static int on_space(void *ctx, const struct pgf_space_event *event)
{
	use_text(event->name);
	return item(ctx);
}

static int on_stack(void *ctx, uint32_t id, const uint64_t *ips, size_t count)
{
	demand(count <= PGF_RECORD_FRAMES_MAX);
	for (size_t i = 0; i < count; i++)
		used += ips[i];
	return item(ctx);
}

static int on_symbol(void *ctx, const struct pgf_record_symbol *symbol)
{
	use_text(symbol->func);
	use_text(symbol->file);
	use_text(symbol->module);
	use_text(symbol->path);
	return item(ctx);
}

static int on_module(void *ctx, const struct pgf_record_module *module)
{
	use_text(module->path);
	use_text(module->build);
	return item(ctx);
}

static void repair_header(uint8_t *data, size_t header)
{
	uLong crc;

	memcpy(data, PGF_RECORD_MAGIC, PGF_RECORD_MAGIC_SIZE);
	pgf_set_u16(data + 8, PGF_RECORD_MAJOR);
	pgf_set_u32(data + 16, (uint32_t)header);
	crc = crc32(0, data, 12);
	crc = crc32(crc, data + 16, 4);
	pgf_set_u32(data + 20, (uint32_t)crc32(crc, data + 24, (uInt)(header - 24)));
}

static void repair(uint8_t *data, size_t size)
{
	size_t at = PGF_RECORD_HEADER_SIZE;
	uint32_t sequence = 0;

	if (size < at)
		return;
	if (pgf_get_u32(data + 16) > at && pgf_get_u32(data + 16) <= size)
		at = pgf_get_u32(data + 16);
	repair_header(data, at);
	while (size - at >= PGF_BLOCK_HEADER_SIZE) {
		uint8_t *head = data + at;
		size_t left = size - at - PGF_BLOCK_HEADER_SIZE;
		size_t stored = pgf_get_u32(head + 12);

		if (stored > left) {
			stored = left;
			pgf_set_u32(head + 12, (uint32_t)stored);
		}
		pgf_set_u32(head, PGF_BLOCK_MAGIC);
		if (pgf_get_u16(head + 6) & PGF_BLOCK_F_STORED)
			pgf_set_u32(head + 8, (uint32_t)stored);
		pgf_set_u32(head + 20,
		            (uint32_t)crc32(0, head + PGF_BLOCK_HEADER_SIZE, (uInt)stored));
		pgf_set_u32(head + 40, sequence++);
		pgf_set_u32(head + 44, (uint32_t)crc32(0, head, 44));
		at += PGF_BLOCK_HEADER_SIZE + stored;
	}
}

static void play(const uint8_t *data, size_t size, uint64_t from_ns, uint64_t to_ns)
{
	struct count count = {.items = 0};
	const struct pgf_sink sink = {.ctx = &count,
	                              .fault = on_fault,
	                              .cell = on_cell,
	                              .space = on_space,
	                              .stack = on_stack};
	const struct pgf_code_sink code = {.ctx = &count, .symbol = on_symbol, .module = on_module};
	struct pgf_record_entry *entries;
	struct pgf_damage damage;
	struct pgf_reader *reader;
	size_t blocks;
	int ret;

	if (pgf_reader_open_memory(&reader, data, size))
		return;
	for (size_t at = 0; at < pgf_reader_info(reader)->command_size;)
		at += strlen(pgf_reader_info(reader)->command + at) + 1;
	pgf_reader_set_code_sink(reader, &code);
	pgf_reader_set_range(reader, from_ns, to_ns);
	demand(pgf_reader_entries(reader, &entries, &blocks) == 0);
	free(entries);
	ret = pgf_reader_run(reader, &sink);
	damage = pgf_reader_damage(reader);
	demand(ret == 0 || ret == 77 || ret == -ENODATA || ret == -EBADMSG);
	demand((ret == -ENODATA || ret == -EBADMSG) == (damage.reason != PGF_DAMAGE_NONE));
	demand(damage.offset <= size);
	used += pgf_reader_totals(reader, NULL)->seen;
	pgf_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	if (!copy)
		return 0;
	play(data, size, 0, UINT64_MAX);
	if (size)
		memcpy(copy, data, size);
	repair(copy, size);
	play(copy, size, 0, UINT64_MAX);
	play(copy, size, 100, 200);
	free(copy);
	return 0;
}
