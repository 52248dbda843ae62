/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The .pgf format as docs/pgf-format.md tells it: files put together byte by byte, without
 * the writer; what a later version may add; and the limits.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include <pgfault/record.h>
#include "record/reader.h"
#include "record/writer.h"

/* A file under construction. */
struct image {
	uint8_t data[65536];
	size_t size;
	uint32_t sequence;
};

static void put(struct image *image, const void *data, size_t size)
{
	assert_true(image->size + size <= sizeof(image->data));
	if (size)
		memcpy(image->data + image->size, data, size);
	image->size += size;
}

/* Little-endian, whatever the machine is. */
static void put_int(struct image *image, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = i < 8 ? (uint8_t)(value >> 8 * i) : 0;

		put(image, &byte, 1);
	}
}

static void set_u32(uint8_t *at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* The sum of the file header leaves out the flags and itself. */
static void seal_header(struct image *image, uint16_t major, uint32_t flags)
{
	uLong crc;

	set_u32(image->data + 16, (uint32_t)image->size);
	image->data[8] = (uint8_t)major;
	set_u32(image->data + 12, flags);
	crc = crc32(0, image->data, 12);
	crc = crc32(crc, image->data + 16, 4);
	crc = crc32(crc, image->data + 24, (uInt)(image->size - 24));
	set_u32(image->data + 20, (uint32_t)crc);
}

/* Magic, version 1.0, one text, one number, one field of a later version. */
static void start(struct image *image)
{
	memset(image, 0, sizeof(*image));
	put(image, "\x89PGF\r\n\x1a\n", 8);
	put_int(image, 0, 24);
	put_int(image, 2, 2); /* release */
	put_int(image, 0, 2);
	put_int(image, 5, 4);
	put(image, "6.1.0", 5);
	put_int(image, 999, 2);
	put_int(image, 0, 2);
	put_int(image, 3, 4);
	put(image, "new", 3);
	put_int(image, 7, 2); /* page size */
	put_int(image, 0, 2);
	put_int(image, 8, 4);
	put_int(image, 4096, 8);
	seal_header(image, 1, 0);
}

static void block_sized(struct image *image, uint16_t type, uint16_t flags, const void *payload,
                        size_t stored, size_t raw, uint32_t items)
{
	size_t at = image->size;

	put(image, "PGFB", 4);
	put_int(image, type, 2);
	put_int(image, flags, 2);
	put_int(image, raw, 4);
	put_int(image, stored, 4);
	put_int(image, items, 4);
	put_int(image, crc32(0, payload, (uInt)stored), 4);
	put_int(image, 10, 8);
	put_int(image, 20, 8);
	put_int(image, image->sequence++, 4);
	put_int(image, crc32(0, image->data + at, 44), 4);
	put(image, payload, stored);
}

#define LAST   1
#define STORED 2

static void block(struct image *image, uint16_t type, uint16_t flags, const struct image *payload,
                  uint32_t items)
{
	block_sized(image, type, flags | STORED, payload->data, payload->size, payload->size,
	            items);
}

static void end(struct image *image)
{
	block_sized(image, 10, LAST | STORED, "", 0, 0, 1);
}

static void column(struct image *image, uint16_t tag, uint8_t coding, uint16_t key, uint16_t length,
                   uint32_t items, const void *data, size_t size)
{
	put_int(image, tag, 2);
	put_int(image, coding, 1);
	put_int(image, 0, 1);
	put_int(image, key, 2);
	put_int(image, length, 2);
	put_int(image, items, 4);
	put_int(image, size, 4);
	put(image, data, size);
}

#define COLUMN(image, tag, coding, key, length, items, bytes)                                      \
	column(image, tag, coding, key, length, items, bytes, sizeof(bytes) - 1)

/* What came out, as text. */
struct log {
	char text[4096];
};

static void note(struct log *log, const char *text)
{
	assert_true(strlen(log->text) + strlen(text) + 1 < sizeof(log->text));
	strcat(log->text, text);
}

static int note_fault(void *ctx, const struct pgf_fault *fault)
{
	char line[256];

	snprintf(line, sizeof(line), "F%llu+%llu@%llx,%llx:%u/%u/%s k%u\n",
	         (unsigned long long)fault->time_ns, (unsigned long long)fault->duration_ns,
	         (unsigned long long)fault->access.address, (unsigned long long)fault->ip,
	         fault->pid, fault->tid, fault->comm, fault->kind);
	note(ctx, line);
	return 0;
}

static int note_space(void *ctx, const struct pgf_space_event *event)
{
	char line[256];

	snprintf(line, sizeof(line), "S%u %llx %s\n", event->type, (unsigned long long)event->addr,
	         event->name ? event->name : "(none)");
	note(ctx, line);
	return 0;
}

static int note_stack(void *ctx, uint32_t id, const uint64_t *ips, size_t count)
{
	char line[256];

	snprintf(line, sizeof(line), "K%u %zu", id, count);
	note(ctx, line);
	for (size_t i = 0; i < count; i++) {
		snprintf(line, sizeof(line), " %llx", (unsigned long long)ips[i]);
		note(ctx, line);
	}
	note(ctx, "\n");
	return 0;
}

static int run(const struct image *image, struct log *log, enum pgf_damage_reason *reason)
{
	const struct pgf_sink sink = {
	        .ctx = log, .fault = note_fault, .space = note_space, .stack = note_stack};
	struct pgf_reader *reader;
	int err = pgf_reader_open_memory(&reader, image->data, image->size);

	memset(log, 0, sizeof(*log));
	*reason = PGF_DAMAGE_NONE;
	if (err)
		return err;
	err = pgf_reader_run(reader, &sink);
	*reason = pgf_reader_damage(reader).reason;
	pgf_reader_close(reader);
	return err;
}

static void expect_run(const struct image *image, int want, enum pgf_damage_reason want_reason,
                       const char *text)
{
	enum pgf_damage_reason reason;
	struct log log;

	assert_int_equal(run(image, &log, &reason), want);
	assert_int_equal(reason, want_reason);
	assert_string_equal(log.text, text);
}

static void strings_block(struct image *file)
{
	struct image payload = {.size = 0};

	COLUMN(&payload, 8, 1, 0, 0, 2, "\x02\x05");
	COLUMN(&payload, 9, 8, 0, 0, 7, "lsstack");
	block(file, 1, 0, &payload, 2);
}

/* Three faults of two threads, in every coding there is. */
static void faults_columns(struct image *payload)
{
	/* index: tasks 0, 1, 0 */
	COLUMN(payload, 8, 9, 0, 0, 3, "\x01\x00\x01\x00");
	COLUMN(payload, 27, 0, 0, 0, 3, "\xac\x02");             /* pid: 300, const */
	COLUMN(payload, 28, 7, 8, 0, 3, "\x02\xac\x02\xad\x02"); /* tid by task: 300, 301 */
	COLUMN(payload, 36, 7, 8, 0, 3, "\x02\x01\x00");         /* comm by task: "ls", none */
	COLUMN(payload, 11, 3, 0, 0, 3, "\x01\x01\x01\xac\x02\x05\x00\x07"); /* 5, 300, 7 */
	/* starts: 100; task 1: 100 + 50; task 0: end 105 + 20 */
	COLUMN(payload, 10, 10, 8, 11, 3, "\x64\x01\x00\x00\x64\x28");
	COLUMN(payload, 12, 2, 0, 0, 3, "\x80\x40\x80\x40\xff\x3f"); /* 1000, 2000, 1000 */
	COLUMN(payload, 13, 6, 0, 0, 3, "\x02\x80\x40\x80\x40\x01\x00\x01\x00"); /* 1000, 2000 */
	COLUMN(payload, 32, 1, 0, 0, 3, "\x04\x05\xc8\x01"); /* kind: 4, 5, and 200: unknown */
}

static const char faults_text[] = "F100+5@1000,1000:300/300/ls k4\n"
                                  "F150+300@2000,2000:300/301/ k5\n"
                                  "F125+7@1000,1000:300/300/ls k0\n";

static void test_by_hand(void **state)
{
	struct image file, payload = {.size = 0};
	struct pgf_reader *reader;

	start(&file);
	strings_block(&file);
	faults_columns(&payload);
	block(&file, 7, LAST, &payload, 3);
	end(&file);
	expect_run(&file, 0, PGF_DAMAGE_NONE, faults_text);
	assert_int_equal(pgf_reader_open_memory(&reader, file.data, file.size), 0);
	assert_string_equal(pgf_reader_info(reader)->release, "6.1.0");
	assert_int_equal(pgf_reader_info(reader)->page_size, 4096);
	assert_false(pgf_reader_is_incomplete(reader));
	pgf_reader_close(reader);
}

static void test_delta_planes(void **state)
{
	struct image file, payload = {.size = 0};

	start(&file);
	/* key: maps 7, 9, 7 in a dictionary */
	COLUMN(&payload, 30, 6, 0, 0, 3, "\x02\x0e\x04\x01\x00\x01\x00");
	/* 0x80, then map 9: 0x80 + 0x10, map 7: 0x80 + 1 */
	COLUMN(&payload, 12, 5, 30, 0, 3, "\x80\x01\x01\x00\x00\x20\x02");
	/* 10, 9, 12 */
	COLUMN(&payload, 10, 4, 0, 0, 3, "\x0a\x01\x00\x00\x01\x06");
	COLUMN(&payload, 37, 0, 0, 0, 3, "\x01"); /* ip is the address */
	block(&file, 7, LAST, &payload, 3);
	end(&file);
	expect_run(&file, 0, PGF_DAMAGE_NONE,
	           "F10+0@80,80:0/0/ k0\nF9+0@90,90:0/0/ k0\nF12+0@81,81:0/0/ k0\n");
}

/* Space events and stacks stand where their positions and ordinals put them. */
static void test_order(void **state)
{
	struct image file, payload = {.size = 0};

	start(&file);
	strings_block(&file);
	COLUMN(&payload, 1, 1, 0, 0, 2, "\x01\x03");
	COLUMN(&payload, 2, 1, 0, 0, 2, "\x01\x02");
	COLUMN(&payload, 8, 1, 0, 0, 2, "\x07\x08");
	COLUMN(&payload, 9, 1, 0, 0, 2, "\x02\x01");
	COLUMN(&payload, 10, 1, 0, 0, 3, "\x11\x12\x13");
	block(&file, 4, 0, &payload, 2);
	payload.size = 0;
	COLUMN(&payload, 1, 1, 0, 0, 2, "\x01\x63"); /* the second is behind the end */
	COLUMN(&payload, 2, 1, 0, 0, 2, "\x00\x09");
	COLUMN(&payload, 9, 0, 0, 0, 2, "\x01");
	COLUMN(&payload, 13, 1, 0, 0, 2, "\x21\x22");
	COLUMN(&payload, 24, 1, 0, 0, 2, "\x02\x00");
	block(&file, 5, 0, &payload, 2);
	payload.size = 0;
	COLUMN(&payload, 10, 1, 0, 0, 3, "\x01\x02\x03");
	block(&file, 7, LAST, &payload, 3);
	end(&file);
	expect_run(&file, 0, PGF_DAMAGE_NONE,
	           "F1+0@0,0:0/0/ k0\nS1 21 stack\nK7 2 11 12\nF2+0@0,0:0/0/ k0\n"
	           "F3+0@0,0:0/0/ k0\nK8 1 13\nS1 22 (none)\n");
}

/* A later version's blocks, columns and codings take nothing away from the rest. */
static void test_unknown(void **state)
{
	struct image file, payload = {.size = 0};

	start(&file);
	block_sized(&file, 4711, STORED, "xyz", 3, 3, 9);
	strings_block(&file);
	COLUMN(&payload, 500, 1, 0, 0, 3, "\x01\x02\x03");
	COLUMN(&payload, 501, 77, 0, 0, 3, "what?");
	COLUMN(&payload, 502, 7, 501, 0, 3, "\x01\x01"); /* refers to what cannot be read */
	faults_columns(&payload);
	block(&file, 7, 0, &payload, 3);
	block_sized(&file, 4712, LAST | STORED, "", 0, 0, 1);
	end(&file);
	expect_run(&file, 0, PGF_DAMAGE_NONE, faults_text);
}

static void test_zstd(void **state)
{
	struct image file, payload = {.size = 0};
	uint8_t packed[4096];
	size_t size;

	start(&file);
	strings_block(&file);
	faults_columns(&payload);
	size = ZSTD_compress(packed, sizeof(packed), payload.data, payload.size, 19);
	assert_false(ZSTD_isError(size));
	block_sized(&file, 7, LAST, packed, size, payload.size, 3);
	end(&file);
	expect_run(&file, 0, PGF_DAMAGE_NONE, faults_text);
	/* a frame that holds more, or less, than it says */
	for (int off = -1; off <= 1; off += 2) {
		start(&file);
		strings_block(&file);
		block_sized(&file, 7, LAST, packed, size, payload.size + (size_t)off, 3);
		end(&file);
		expect_run(&file, -EBADMSG, PGF_DAMAGE_CONTENT, "");
	}
}

/* One column that contradicts itself or the block. */
static void expect_bad(uint16_t type, uint16_t tag, uint8_t coding, uint16_t key, uint32_t items,
                       const void *data, size_t size, uint32_t block_items)
{
	struct image file, payload = {.size = 0};

	start(&file);
	strings_block(&file);
	column(&payload, tag, coding, key, 0, items, data, size);
	block(&file, type, LAST, &payload, block_items);
	end(&file);
	expect_run(&file, -EBADMSG, PGF_DAMAGE_CONTENT, "");
}

#define BAD(type, tag, coding, key, items, bytes, block_items)                                     \
	expect_bad(type, tag, coding, key, items, bytes, sizeof(bytes) - 1, block_items)

static void test_bad_columns(void **state)
{
	BAD(7, 10, 1, 0, 3, "\x01\x02", 3);           /* too few varints */
	BAD(7, 10, 1, 0, 2, "\x01\x02", 3);           /* another count than the block */
	BAD(7, 10, 1, 0, 4000000000u, "\x01\x02", 3); /* a count beyond its bytes */
	BAD(7, 10, 1, 0, 1, "\x80", 1);               /* a varint without an end */
	BAD(7, 10, 1, 0, 1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 1); /* 65 bits */
	BAD(7, 10, 0, 0, 0, "\x01", 3);                                     /* no items */
	BAD(7, 10, 3, 0, 3, "\x09\x00", 3);                                 /* nine planes */
	BAD(7, 10, 3, 0, 3, "\x01\x00\x01\x02", 3);                         /* a short plane */
	BAD(7, 10, 3, 0, 3, "\x01\x01\x03\x09\x01\x02\x03", 3); /* exception past the end */
	BAD(7, 10, 3, 0, 3, "\x01\x04\x01\x02\x03", 3);         /* more exceptions than items */
	BAD(7, 10, 6, 0, 3, "\x02\x02\x02\x01\x00\x01\x02", 3); /* index past the dictionary */
	BAD(7, 10, 6, 0, 3, "\x00\x00", 3);                     /* an empty dictionary */
	BAD(7, 10, 6, 0, 3, "\xff\xff\xff\xff\x0f\x01", 3);     /* one beyond its bytes */
	BAD(7, 32, 0, 0, 3, "\x80\x02", 3);                     /* 256 in a byte */
	BAD(7, 36, 0, 0, 3, "\x03", 3);                         /* a string that there is not */
	BAD(5, 24, 0, 0, 1, "\x03", 1);
	BAD(6, 68, 0, 0, 1, "\x02", 1);    /* neither yes nor no */
	BAD(4, 9, 0, 0, 1, "\x81\x08", 1); /* 1025 frames */
	BAD(1, 8, 1, 0, 1, "\x01", 1);     /* a string without its text */
	BAD(1, 9, 8, 0, 5, "text", 1);     /* fewer bytes than items */
}

static void test_bad_keys(void **state)
{
	struct image file, payload = {.size = 0};

	/* a key that is no index; a table shorter than its key; a column twice */
	for (int i = 0; i < 3; i++) {
		payload.size = 0;
		start(&file);
		if (i == 0)
			COLUMN(&payload, 8, 1, 0, 0, 2, "\x00\x01");
		else
			COLUMN(&payload, 8, 9, 0, 0, 2, "\x01\x00\x01");
		if (i < 2)
			COLUMN(&payload, 28, 7, 8, 0, 2, "\x01\x05");
		else
			COLUMN(&payload, 8, 9, 0, 0, 2, "\x01\x00\x01");
		block(&file, 7, LAST, &payload, 2);
		end(&file);
		expect_run(&file, -EBADMSG, PGF_DAMAGE_CONTENT, "");
	}
}

static void test_bad_blocks(void **state)
{
	struct image file, payload = {.size = 0};

	/* two blocks of a type in one batch; a NUL inside of a string */
	start(&file);
	COLUMN(&payload, 10, 0, 0, 0, 1, "\x05");
	block(&file, 7, 0, &payload, 1);
	block(&file, 7, LAST, &payload, 1);
	end(&file);
	expect_run(&file, -EBADMSG, PGF_DAMAGE_CONTENT, "");
	start(&file);
	payload.size = 0;
	COLUMN(&payload, 8, 0, 0, 0, 1, "\x03");
	COLUMN(&payload, 9, 8, 0, 0, 3, "a\0b");
	block(&file, 1, LAST, &payload, 1);
	end(&file);
	expect_run(&file, -EBADMSG, PGF_DAMAGE_CONTENT, "");
	/* a block that is missing, too large, or without items; then a batch without an end */
	start(&file);
	file.sequence = 1;
	end(&file);
	expect_run(&file, -EBADMSG, PGF_DAMAGE_MISSING, "");
	start(&file);
	block_sized(&file, 7, LAST, "x", 1, 64u * 1024 * 1024 + 1, 1);
	expect_run(&file, -EBADMSG, PGF_DAMAGE_HEADER, "");
	start(&file);
	block_sized(&file, 7, LAST, "x", 1, 1, 0);
	expect_run(&file, -EBADMSG, PGF_DAMAGE_HEADER, "");
	start(&file);
	block_sized(&file, 7, LAST, "x", 1, 1, 262145);
	expect_run(&file, -EBADMSG, PGF_DAMAGE_HEADER, "");
	start(&file);
	strings_block(&file);
	expect_run(&file, -ENODATA, PGF_DAMAGE_TRUNCATED, "");
}

static void test_version(void **state)
{
	struct image file;

	start(&file);
	seal_header(&file, 2, 0);
	end(&file);
	expect_run(&file, -EPROTONOSUPPORT, PGF_DAMAGE_NONE, "");
	start(&file);
	file.data[10] = 9; /* minor: still to be read */
	seal_header(&file, 1, 0);
	end(&file);
	expect_run(&file, 0, PGF_DAMAGE_NONE, "");
	file.data[0] = 'P';
	expect_run(&file, -EBADMSG, PGF_DAMAGE_NONE, "");
}

/* Symbols, modules and what the writer cuts. */

struct code {
	struct pgf_record_symbol symbol[4];
	struct pgf_record_module module[2];
	char func[4][16];
	size_t func_len;
	size_t symbols;
	size_t modules;
	size_t depth;
};

static int code_symbol(void *ctx, const struct pgf_record_symbol *symbol)
{
	struct code *code = ctx;

	assert_true(code->symbols < 4);
	code->func_len = symbol->func ? strlen(symbol->func) : 0;
	snprintf(code->func[code->symbols], 16, "%s", symbol->func ? symbol->func : "(none)");
	code->symbol[code->symbols++] = *symbol;
	return 0;
}

static int code_module(void *ctx, const struct pgf_record_module *module)
{
	struct code *code = ctx;

	assert_true(code->modules < 2);
	assert_string_equal(module->path, "/usr/lib/libc.so.6");
	assert_string_equal(module->build, "00ff");
	code->module[code->modules++] = *module;
	return 0;
}

static int code_stack(void *ctx, uint32_t id, const uint64_t *ips, size_t count)
{
	struct code *code = ctx;

	code->depth = count;
	assert_int_equal(ips[count - 1], count - 1);
	return 0;
}

static void test_code(void **state)
{
	const struct pgf_record_symbol want[] = {{.addr = 0x401234,
	                                          .offset = 0x34,
	                                          .id = 7,
	                                          .outer = 9,
	                                          .pid = 12,
	                                          .line = 99,
	                                          .exact = true,
	                                          .func = "inner",
	                                          .file = "a.c",
	                                          .module = "a.out",
	                                          .path = "/bin/a.out"},
	                                         {.addr = UINT64_MAX, .id = 9}};
	const struct pgf_record_module module = {.ino = UINT64_MAX,
	                                         .dev = 8 << 20 | 1,
	                                         .path = "/usr/lib/libc.so.6",
	                                         .build = "00ff"};
	struct pgf_record_symbol endless = {.id = 10};
	struct code code = {.symbols = 0};
	const struct pgf_code_sink code_sink = {
	        .ctx = &code, .symbol = code_symbol, .module = code_module};
	const struct pgf_sink sink = {.ctx = &code, .stack = code_stack};
	const struct pgf_totals totals = {.seen = 0};
	char path[] = "/tmp/pgf-format-XXXXXX", *text = malloc(70001);
	uint64_t *frames = calloc(5000, sizeof(*frames));
	struct pgf_record_info info;
	struct pgf_writer *writer;
	struct pgf_reader *reader;
	int fd = mkstemp(path);

	assert_true(fd >= 0 && text && frames);
	memset(text, 'x', 70000);
	text[70000] = '\0';
	endless.func = text;
	for (size_t i = 0; i < 5000; i++)
		frames[i] = i;
	pgf_record_info_local(&info);
	assert_int_equal(pgf_writer_open_fd(&writer, fd, &info), 0);
	assert_int_equal(pgf_writer_symbol(writer, &want[0]), 0);
	assert_int_equal(pgf_writer_symbol(writer, &want[1]), 0);
	assert_int_equal(pgf_writer_module(writer, &module), 0);
	assert_int_equal(pgf_writer_symbol(writer, &endless), 0);
	assert_int_equal(pgf_writer_stack(writer, 1, frames, 5000), 0);
	assert_int_equal(pgf_writer_close(writer, &totals), 0);
	assert_int_equal(pgf_reader_open(&reader, path), 0);
	pgf_reader_set_code_sink(reader, &code_sink);
	assert_int_equal(pgf_reader_run(reader, &sink), 0);
	pgf_reader_close(reader);
	unlink(path);
	assert_int_equal(code.symbols, 3);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(code.symbol[i].addr, want[i].addr);
		assert_int_equal(code.symbol[i].offset, want[i].offset);
		assert_int_equal(code.symbol[i].id, want[i].id);
		assert_int_equal(code.symbol[i].outer, want[i].outer);
		assert_int_equal(code.symbol[i].pid, want[i].pid);
		assert_int_equal(code.symbol[i].line, want[i].line);
		assert_int_equal(code.symbol[i].exact, want[i].exact);
	}
	assert_string_equal(code.func[0], "inner");
	assert_string_equal(code.func[1], "(none)");
	assert_int_equal(code.func_len, PGF_RECORD_STRING_MAX);
	assert_int_equal(code.modules, 1);
	assert_int_equal(code.module[0].ino, module.ino);
	assert_int_equal(code.module[0].dev, module.dev);
	assert_int_equal(code.depth, PGF_RECORD_FRAMES_MAX);
	free(text);
	free(frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_by_hand),  cmocka_unit_test(test_delta_planes),
	        cmocka_unit_test(test_order),    cmocka_unit_test(test_unknown),
	        cmocka_unit_test(test_zstd),     cmocka_unit_test(test_bad_columns),
	        cmocka_unit_test(test_bad_keys), cmocka_unit_test(test_bad_blocks),
	        cmocka_unit_test(test_version),  cmocka_unit_test(test_code),
	};

	return cmocka_run_group_tests_name("record_format", tests, NULL, NULL);
}
