/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The .pgf recording: what goes in comes out, and a damaged file gives a prefix of it and
 * says so. What the writer makes is checked by the reader, what the reader takes also by
 * blocks put together by hand from docs/pgf-format.md.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <pgfault/record.h>
#include "record/reader.h"
#include "record/writer.h"

static char dir[] = "/tmp/pgf-record-XXXXXX";
static char path[PATH_MAX];

/* A stream of known items. */

enum item_type { FAULT, CELL, SPACE, STACK };

struct item {
	enum item_type type;
	struct pgf_fault fault;
	struct pgf_cell cell;
	struct pgf_space_event space;
	char name[96];
	uint32_t stack_id;
	size_t depth;
	uint64_t frames[40];
};

static uint64_t seed;

/* xorshift64*: the same stream on every run. */
static uint64_t draw(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 2685821657736338717ull;
}

static void scramble(void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)data)[i] = (uint8_t)(draw() >> 32);
}

/* A few bits of a value only, so that it repeats; or all of them. */
static void tame(void *data, size_t size, bool wild)
{
	for (size_t i = 0; i < size && !wild; i++)
		((uint8_t *)data)[i] &= i % 4 == 0 ? 3 : 0;
}

/* Every byte of the struct is drawn, so that a member without a column is noticed. */
static struct pgf_fault make_fault(bool wild)
{
	static uint64_t now = 1000000;
	struct pgf_fault fault;

	scramble(&fault, sizeof(fault));
	tame(&fault, sizeof(fault), wild);
	fault.access.pad = 0;
	fault.kind %= PGF_KIND_COUNT;
	fault.access.op %= PGF_OP_EXEC + 1;
	fault.access.mode %= PGF_MODE_KERNEL + 1;
	fault.access.arch %= PGF_ARCH_ARM64 + 1;
	memset(fault.comm, 0, sizeof(fault.comm));
	for (size_t i = 0; i < draw() % PGF_COMM_LEN; i++)
		fault.comm[i] = (char)('a' + draw() % (wild ? 26 : 2));
	if (!wild) {
		now += draw() % 3000;
		fault.time_ns = now;
		fault.duration_ns = draw() % 5000;
		fault.access.address = 0x7f0000000000 + (draw() % 512) * 4096;
		fault.ip = draw() % 4 ? 0x400000 + draw() % 64 : fault.access.address;
	}
	return fault;
}

static struct item make_item(bool wild)
{
	uint64_t dice = draw() % 100;
	struct item item;

	memset(&item, 0, sizeof(item));
	item.type = dice < 85 ? FAULT : dice < 93 ? SPACE : dice < 97 ? STACK : CELL;
	item.fault = make_fault(wild);
	scramble(&item.cell, sizeof(item.cell));
	item.cell.fault = make_fault(wild);
	memset(&item.cell.code, 0, sizeof(item.cell) - offsetof(struct pgf_cell, code));
	item.cell.code = draw() % 2;
	scramble(&item.space, sizeof(item.space));
	tame(&item.space, sizeof(item.space), wild);
	if (!wild)
		item.space.time_ns = item.fault.time_ns;
	for (size_t i = 0; i < draw() % sizeof(item.name); i++)
		item.name[i] = (char)(1 + draw() % 255);
	item.space.name = draw() % 8 ? item.name : NULL;
	item.stack_id = (uint32_t)draw();
	item.depth = draw() % 41;
	for (size_t i = 0; i < item.depth; i++)
		item.frames[i] = wild ? draw() : draw() % 9;
	return item;
}

static struct item *make_items(size_t n, uint64_t from, bool wild)
{
	struct item *items = calloc(n, sizeof(*items));

	assert_non_null(items);
	seed = from * 2654435761u + 1;
	for (size_t i = 0; i < n; i++) {
		items[i] = make_item(wild);
		if (items[i].space.name)
			items[i].space.name = items[i].name;
	}
	return items;
}

static int put_item(struct pgf_writer *writer, const struct item *item)
{
	switch (item->type) {
	case FAULT:
		return pgf_writer_fault(writer, &item->fault);
	case CELL:
		return pgf_writer_cell(writer, &item->cell);
	case SPACE: {
		/* the name may have moved with its item */
		struct pgf_space_event event = item->space;

		event.name = event.name ? item->name : NULL;
		return pgf_writer_space(writer, &event);
	}
	case STACK:
		return pgf_writer_stack(writer, item->stack_id, item->frames, item->depth);
	}
	return -EINVAL;
}

/* Compares what a reader delivers with the items, one after the other. */
struct check {
	const struct item *items;
	size_t count;
	size_t next;
	size_t stop_at; /* return 77 before this item; 0: never */
};

static const struct item *expect(struct check *check, enum item_type type)
{
	assert_true(check->next < check->count);
	assert_int_equal(check->items[check->next].type, type);
	return &check->items[check->next++];
}

static int got_fault(void *ctx, const struct pgf_fault *fault)
{
	struct check *check = ctx;

	if (check->stop_at && check->next == check->stop_at)
		return 77;
	assert_memory_equal(fault, &expect(check, FAULT)->fault, sizeof(*fault));
	return 0;
}

static int got_cell(void *ctx, const struct pgf_cell *cell)
{
	const struct pgf_cell *want = &expect(ctx, CELL)->cell;

	assert_memory_equal(cell, want, offsetof(struct pgf_cell, code));
	assert_int_equal(cell->code, want->code);
	return 0;
}

static int got_space(void *ctx, const struct pgf_space_event *event)
{
	const struct item *item = expect(ctx, SPACE);

	assert_memory_equal(event, &item->space,
	                    offsetof(struct pgf_space_event, exit_code) + sizeof(int32_t));
	if (item->space.name)
		assert_string_equal(event->name, item->name);
	else
		assert_null(event->name);
	return 0;
}

static int got_stack(void *ctx, uint32_t id, const uint64_t *ips, size_t count)
{
	const struct item *item = expect(ctx, STACK);

	assert_int_equal(id, item->stack_id);
	assert_int_equal(count, item->depth);
	assert_memory_equal(ips, item->frames, count * sizeof(*ips));
	return 0;
}

static struct pgf_sink check_sink(struct check *check)
{
	return (struct pgf_sink){.ctx = check,
	                         .fault = got_fault,
	                         .cell = got_cell,
	                         .space = got_space,
	                         .stack = got_stack};
}

static struct pgf_record_info make_info(void)
{
	struct pgf_record_info info;

	pgf_record_info_local(&info);
	strcpy(info.tool, "pgfault test");
	strcpy(info.options, "--tier perf -g");
	info.command = "ls\0-l\0";
	info.command_size = 6;
	info.tier = PGF_TIER_PERF;
	info.content = PGF_CONTENT_STACKS;
	return info;
}

static struct pgf_totals make_totals(void)
{
	struct pgf_totals totals;

	seed = 4711;
	memset(&totals, 0, sizeof(totals));
	for (size_t i = 0; i + 8 <= offsetof(struct pgf_totals, entered_known); i += 8)
		scramble((char *)&totals + i, 8);
	totals.entered_known = true;
	totals.gup_separable = true;
	totals.events_dropped_at_exec = true;
	totals.fault_cost_ns = 321;
	totals.start_ns = 1;
	totals.end_ns = UINT64_MAX;
	totals.child_utime_ns = 17;
	totals.child_stime_ns = 18;
	return totals;
}

/* Writes the items into path, with a flush after every flush_each. */
static void write_items(const struct item *items, size_t n, size_t flush_each)
{
	const struct pgf_record_info info = make_info();
	const struct pgf_totals totals = make_totals();
	struct pgf_writer *writer;

	assert_int_equal(pgf_writer_open(&writer, path, &info), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(put_item(writer, &items[i]), 0);
		if (flush_each && i % flush_each == flush_each - 1)
			assert_int_equal(pgf_writer_flush(writer), 0);
	}
	assert_int_equal(pgf_writer_close(writer, &totals), 0);
}

static uint8_t *slurp(size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	close(fd);
	*size = (size_t)st.st_size;
	return data;
}

static void round_trip(size_t n, uint64_t from, bool wild, size_t flush_each)
{
	struct item *items = make_items(n, from, wild);
	struct check check = {.items = items, .count = n};
	const struct pgf_sink sink = check_sink(&check);
	const struct pgf_totals totals = make_totals();
	struct pgf_reader *reader;
	bool recorded = false;

	write_items(items, n, flush_each);
	assert_int_equal(pgf_reader_open(&reader, path), 0);
	assert_false(pgf_reader_is_incomplete(reader));
	assert_int_equal(pgf_reader_run(reader, &sink), 0);
	assert_int_equal(check.next, n);
	assert_int_equal(pgf_reader_damage(reader).reason, PGF_DAMAGE_NONE);
	assert_memory_equal(pgf_reader_totals(reader, &recorded), &totals, sizeof(totals));
	assert_true(recorded);
	assert_int_equal(pgf_reader_run(reader, &sink), -EALREADY);
	pgf_reader_close(reader);
	free(items);
}

static void test_round_trip(void **state)
{
	for (uint64_t from = 1; from <= 40; from++)
		round_trip(1 + from * 37, from, from % 2, from % 3 ? 100 : 0);
	round_trip(0, 1, false, 0);
	round_trip(1, 1, false, 0);
}

static void test_round_trip_large(void **state)
{
	/* more than a batch, and values of every width */
	round_trip(90000, 7, false, 0);
	round_trip(80000, 8, true, 0);
}

static void test_header(void **state)
{
	struct pgf_record_info want = make_info();
	const struct pgf_record_info *info;
	struct pgf_reader *reader;

	write_items(NULL, 0, 0);
	assert_int_equal(pgf_reader_open(&reader, path), 0);
	info = pgf_reader_info(reader);
	assert_string_equal(info->host, want.host);
	assert_string_equal(info->release, want.release);
	assert_string_equal(info->machine, want.machine);
	assert_string_equal(info->tool, "pgfault test");
	assert_string_equal(info->options, "--tier perf -g");
	assert_int_equal(info->command_size, 6);
	assert_memory_equal(info->command, "ls\0-l\0", 6);
	assert_int_equal(info->page_size, sysconf(_SC_PAGESIZE));
	assert_int_equal(info->cpus, want.cpus);
	assert_int_equal(info->tier, PGF_TIER_PERF);
	assert_int_equal(info->sample_period, 1);
	assert_int_equal(info->clock, CLOCK_MONOTONIC);
	assert_true(info->anchor_wall_ns > 0 && info->anchor_clock_ns > 0 && info->start_ns > 0);
	assert_int_equal(info->content, PGF_CONTENT_STACKS);
	pgf_reader_close(reader);
}

/* What comes out of a damaged copy is a prefix. Returns what run (or open) returned. */
static int read_damaged(const uint8_t *data, size_t size, struct check *check,
                        struct pgf_damage *damage)
{
	const struct pgf_sink sink = check_sink(check);
	struct pgf_reader *reader;
	int err = pgf_reader_open_memory(&reader, data, size);

	check->next = 0;
	*damage = (struct pgf_damage){.offset = UINT64_MAX};
	if (err)
		return err;
	err = pgf_reader_run(reader, &sink);
	*damage = pgf_reader_damage(reader);
	pgf_reader_close(reader);
	return err;
}

static void test_truncated(void **state)
{
	struct item *items = make_items(60, 5, false);
	struct check check = {.items = items, .count = 60};
	struct pgf_damage damage;
	size_t size, before = 0;
	uint8_t *data;

	write_items(items, 60, 15);
	data = slurp(&size);
	for (size_t n = 0; n < size; n++) {
		/* of its own size, so that a sanitizer sees what is read beyond */
		uint8_t *part = malloc(n + 1);
		int err;

		assert_non_null(part);
		memcpy(part, data, n);
		err = read_damaged(part, n, &check, &damage);
		assert_true(err == -ENODATA || err == -EBADMSG);
		if (err == -ENODATA) {
			assert_true(damage.reason == PGF_DAMAGE_UNFINISHED ||
			            damage.reason == PGF_DAMAGE_TRUNCATED);
			assert_true(damage.offset <= n);
		} else {
			/* the file header itself */
			assert_int_equal(damage.offset, UINT64_MAX);
		}
		/* never less for more of the file; whole batches only */
		assert_true(check.next >= before);
		assert_true(check.next % 15 == 0);
		before = check.next;
		free(part);
	}
	assert_int_equal(before, 60);
	assert_int_equal(read_damaged(data, size, &check, &damage), 0);
	free(data);
	free(items);
}

static void test_bit_flips(void **state)
{
	struct item *items = make_items(40, 6, false);
	struct check check = {.items = items, .count = 40};
	struct pgf_damage damage;
	uint8_t *data;
	size_t size;

	write_items(items, 40, 20);
	data = slurp(&size);
	for (size_t bit = 0; bit < size * 8; bit++) {
		bool in_flags =
		        bit / 8 >= PGF_RECORD_FLAGS_OFFSET && bit / 8 < PGF_RECORD_FLAGS_OFFSET + 4;
		int err;

		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		err = read_damaged(data, size, &check, &damage);
		/* nothing else is without a sum */
		if (in_flags)
			assert_int_equal(err, 0);
		else
			assert_true(err == -EBADMSG || err == -ENODATA || err == -EPROTONOSUPPORT);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(data);
	free(items);
}

static void test_incomplete(void **state)
{
	const struct pgf_record_info info = make_info();
	struct item *items = make_items(30, 9, false);
	struct check check = {.items = items, .count = 30};
	const struct pgf_sink sink = check_sink(&check);
	const struct pgf_totals lost[] = {{.lost_events = 5, .lost_space = 1},
	                                  {.lost_events = 9, .lost_space = 1}};
	const struct pgf_totals *totals;
	struct pgf_writer *writer;
	struct pgf_reader *reader;
	uint64_t faults = 0;
	bool recorded = true;

	assert_int_equal(pgf_writer_open(&writer, path, &info), 0);
	for (size_t i = 0; i < 30; i++) {
		if (items[i].type == FAULT) {
			items[i].fault.flags = i % 2 ? PGF_F_MAJOR : PGF_F_FAILED;
			faults++;
		}
		items[i].cell.fault.flags = 0;
		items[i].cell.count = 0;
		assert_int_equal(put_item(writer, &items[i]), 0);
		if (i % 15 == 0) {
			assert_int_equal(pgf_writer_losses(writer, &lost[i / 15]), 0);
			assert_int_equal(pgf_writer_flush(writer), 0);
		}
	}
	assert_int_equal(pgf_writer_close(writer, NULL), 0);
	assert_int_equal(pgf_reader_open(&reader, path), 0);
	assert_true(pgf_reader_is_incomplete(reader));
	assert_int_equal(pgf_reader_run(reader, &sink), -ENODATA);
	assert_int_equal(pgf_reader_damage(reader).reason, PGF_DAMAGE_UNFINISHED);
	assert_int_equal(check.next, 30);
	totals = pgf_reader_totals(reader, &recorded);
	assert_false(recorded);
	assert_int_equal(totals->lost_events, 9);
	assert_int_equal(totals->lost_space, 1);
	assert_int_equal(totals->seen + totals->failed, faults);
	assert_int_equal(totals->major, totals->seen);
	pgf_reader_close(reader);
	free(items);
}

struct pump {
	int from;
	int to;
};

/* Moves the bytes of the pipe into a file, a few at a time. */
static void *pump(void *arg)
{
	struct pump *pipe = arg;
	char part[7];
	ssize_t n;

	while ((n = read(pipe->from, part, sizeof(part))) > 0) {
		if (write(pipe->to, part, (size_t)n) != n)
			break;
	}
	close(pipe->to);
	return NULL;
}

static void test_pipe(void **state)
{
	const struct pgf_record_info info = make_info();
	const struct pgf_totals totals = make_totals();
	struct item *items = make_items(3000, 11, false);
	struct check check = {.items = items, .count = 3000};
	const struct pgf_sink sink = check_sink(&check);
	struct pgf_record_entry *entries;
	struct pgf_writer *writer;
	struct pgf_reader *reader;
	struct pump first;
	pthread_t thread;
	int in[2], out[2];
	size_t count;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	/* a writer that would block is waited for */
	assert_int_equal(fcntl(in[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(out[1], F_SETPIPE_SZ, 1 << 20) > 0, 1);
	first = (struct pump){.from = in[0], .to = out[1]};
	assert_int_equal(pthread_create(&thread, NULL, pump, &first), 0);
	assert_int_equal(pgf_writer_open_fd(&writer, in[1], &info), 0);
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(put_item(writer, &items[i]), 0);
	assert_int_equal(pgf_writer_close(writer, &totals), 0);
	assert_int_equal(pgf_reader_open_fd(&reader, out[0]), 0);
	assert_true(pgf_reader_is_stream(reader));
	assert_int_equal(pgf_reader_entries(reader, &entries, &count), -ESPIPE);
	assert_int_equal(pgf_reader_run(reader, &sink), 0);
	assert_int_equal(check.next, 3000);
	pthread_join(thread, NULL);
	close(in[0]);
	pgf_reader_close(reader);
	free(items);
}

static void test_range(void **state)
{
	struct item *items = make_items(4000, 12, false);
	struct check check = {.count = 0};
	struct item *wanted = calloc(4000, sizeof(*wanted));
	const struct pgf_sink sink = check_sink(&check);
	struct pgf_record_entry *entries;
	struct pgf_reader *reader;
	uint64_t from = items[1000].fault.time_ns, to = items[2000].fault.time_ns;
	size_t count, batches = 0;

	assert_non_null(wanted);
	write_items(items, 4000, 500);
	for (size_t i = 0; i < 4000; i++) {
		const struct pgf_fault *fault = &items[i].fault;

		if (items[i].type != FAULT || (fault->time_ns >= from && fault->time_ns <= to)) {
			wanted[check.count] = items[i];
			wanted[check.count].space.name = items[i].space.name ? "" : NULL;
			check.count++;
		}
	}
	check.items = wanted;
	assert_true(check.count > 900 && check.count < 2000);
	assert_int_equal(pgf_reader_open(&reader, path), 0);
	pgf_reader_set_range(reader, from, to);
	assert_int_equal(pgf_reader_entries(reader, &entries, &count), 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(entries[i].first_ns <= entries[i].last_ns);
		batches += entries[i].type == PGF_BLOCK_FAULTS;
	}
	assert_int_equal(batches, 8);
	assert_int_equal(pgf_reader_run(reader, &sink), 0);
	assert_int_equal(check.next, check.count);
	pgf_reader_close(reader);
	free(entries);
	free(wanted);
	free(items);
}

static void test_sink_stops(void **state)
{
	struct item *items = make_items(300, 13, false);
	struct check check = {.items = items, .count = 300, .stop_at = 200};
	const struct pgf_sink sink = check_sink(&check);
	struct pgf_reader *reader;

	while (items[check.stop_at].type != FAULT)
		check.stop_at++;
	write_items(items, 300, 0);
	assert_int_equal(pgf_reader_open(&reader, path), 0);
	assert_int_equal(pgf_reader_run(reader, &sink), 77);
	assert_int_equal(check.next, check.stop_at);
	pgf_reader_close(reader);
	free(items);
}

/* Writes until the file system refuses; returns how many items went in before. */
static size_t write_until_error(struct pgf_writer *writer, const struct item *items, size_t n,
                                int want)
{
	size_t first = n, errors = 0;

	for (size_t i = 0; i < n; i++) {
		int err = put_item(writer, &items[i]);

		if (!err && i % 50 == 49)
			err = pgf_writer_flush(writer);
		if (!err)
			continue;
		assert_int_equal(err, want);
		if (errors++ == 0)
			first = i;
	}
	assert_int_equal(errors, 1);
	assert_int_equal(pgf_writer_error(writer), want);
	assert_true(pgf_writer_dropped(writer) > 0);
	return first;
}

/* What a full device leaves behind: whole batches, without an end. */
static void check_cut(const struct item *items, size_t n, uint64_t size)
{
	struct check check = {.items = items, .count = n};
	const struct pgf_sink sink = check_sink(&check);
	struct pgf_reader *reader;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(pgf_reader_open(&reader, path), 0);
	assert_true(pgf_reader_is_incomplete(reader));
	assert_int_equal(pgf_reader_run(reader, &sink), -ENODATA);
	assert_int_equal(pgf_reader_damage(reader).reason, PGF_DAMAGE_UNFINISHED);
	assert_int_equal(pgf_reader_damage(reader).offset, size);
	assert_true(check.next > 0 && check.next < n);
	pgf_reader_close(reader);
}

static void test_file_limit(void **state)
{
	const struct pgf_record_info info = make_info();
	const struct pgf_totals totals = make_totals();
	struct item *items = make_items(2000, 14, true);
	struct rlimit before, limit;
	struct pgf_writer *writer;
	uint64_t size;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 100000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(pgf_writer_open(&writer, path, &info), 0);
	write_until_error(writer, items, 2000, -EFBIG);
	size = pgf_writer_size(writer);
	assert_true(size > 50000 && size <= 100000);
	assert_int_equal(pgf_writer_close(writer, &totals), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	check_cut(items, 2000, size);
	free(items);
}

/* A file system of 64 KiB, in a mount namespace of its own: the last test of the process. */
static void test_no_space(void **state)
{
	const struct pgf_record_info info = make_info();
	const struct pgf_totals totals = make_totals();
	struct item *items = make_items(2000, 15, true);
	struct pgf_writer *writer;
	char full[PATH_MAX];
	uint64_t size;

	snprintf(full, sizeof(full), "%s/full", dir);
	assert_int_equal(mkdir(full, 0700), 0);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", full, "tmpfs", 0, "size=64k")) {
		rmdir(full);
		free(items);
		skip();
	}
	unlink(path);
	snprintf(path, sizeof(path), "%s/full/a.pgf", dir);
	assert_int_equal(pgf_writer_open(&writer, path, &info), 0);
	write_until_error(writer, items, 2000, -ENOSPC);
	size = pgf_writer_size(writer);
	assert_true(size > 20000 && size <= 65536);
	assert_int_equal(pgf_writer_close(writer, &totals), -ENOSPC);
	check_cut(items, 2000, size);
	assert_int_equal(umount(full), 0);
	assert_int_equal(rmdir(full), 0);
	free(items);
}

static void test_open_errors(void **state)
{
	const struct pgf_record_info info = make_info();
	struct pgf_writer *writer;
	struct pgf_reader *reader;
	struct stat st;
	mode_t mask = umask(0);
	char link[PATH_MAX];

	assert_int_equal(pgf_writer_open(&writer, "/dev/full", &info), -ENOSPC);
	assert_int_equal(pgf_writer_open(&writer, "/nonexistent/a.pgf", &info), -ENOENT);
	assert_int_equal(pgf_writer_open_fd(&writer, -1, &info), -EBADF);
	unlink(path);
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(pgf_writer_open(&writer, link, &info), -ELOOP);
	assert_int_equal(access(path, F_OK), -1);
	unlink(link);
	assert_int_equal(pgf_writer_open(&writer, path, &info), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(pgf_writer_close(writer, NULL), 0);
	assert_int_equal(pgf_writer_close(NULL, NULL), 0);
	umask(mask);
	assert_int_equal(pgf_reader_open(&reader, "/dev/null"), -EBADMSG);
	assert_int_equal(pgf_reader_open(&reader, "/proc/self/exe"), -EBADMSG);
	assert_int_equal(pgf_reader_open(&reader, "/nonexistent/a.pgf"), -ENOENT);
	assert_int_equal(pgf_reader_open(&reader, dir), -EISDIR);
	pgf_reader_close(NULL);
}

/* A reader at the other end that goes away: the error comes once, and nothing else. */
static void test_broken_pipe(void **state)
{
	const struct pgf_record_info info = make_info();
	const struct pgf_totals totals = make_totals();
	struct item *items = make_items(2000, 16, true);
	struct pgf_writer *writer;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(pgf_writer_open_fd(&writer, fds[1], &info), 0);
	close(fds[0]);
	write_until_error(writer, items, 2000, -EPIPE);
	assert_int_equal(pgf_writer_close(writer, &totals), -EPIPE);
	signal(SIGPIPE, SIG_DFL);
	free(items);
}

/* An old recording under the name is gone, also when the new one is shorter. */
static void test_overwrite(void **state)
{
	struct item *items = make_items(3000, 17, false);
	struct check check = {.items = items, .count = 10};
	const struct pgf_sink sink = check_sink(&check);
	struct pgf_reader *reader;

	write_items(items, 3000, 0);
	write_items(items, 10, 0);
	assert_int_equal(pgf_reader_open(&reader, path), 0);
	assert_int_equal(pgf_reader_run(reader, &sink), 0);
	assert_int_equal(check.next, 10);
	pgf_reader_close(reader);
	free(items);
}

static int setup(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/a.pgf", dir);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_round_trip_large),
	        cmocka_unit_test(test_header),      cmocka_unit_test(test_truncated),
	        cmocka_unit_test(test_bit_flips),   cmocka_unit_test(test_incomplete),
	        cmocka_unit_test(test_pipe),        cmocka_unit_test(test_range),
	        cmocka_unit_test(test_sink_stops),  cmocka_unit_test(test_file_limit),
	        cmocka_unit_test(test_open_errors), cmocka_unit_test(test_broken_pipe),
	        cmocka_unit_test(test_overwrite),   cmocka_unit_test(test_no_space),
	};

	return cmocka_run_group_tests_name("record", tests, setup, teardown);
}
