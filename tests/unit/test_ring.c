/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring reader on rings laid out by hand, and on one of the kernel's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/ring.h"

#define DATA  4096
#define COUNT 64

static struct perf_event_mmap_page page;
static uint64_t data[DATA / 8];

/* Puts a record of size bytes, filled with mark, at the head, around the end if need be. */
static void put(uint32_t type, uint16_t size, uint8_t mark)
{
	struct perf_event_header header = {.type = type, .size = size};
	uint8_t record[DATA];

	memset(record, mark, sizeof(record));
	memcpy(record, &header, sizeof(header));
	for (size_t i = 0; i < size; i++)
		((uint8_t *)data)[(page.data_head + i) % DATA] = record[i];
	page.data_head += size;
}

static void put_lost(uint64_t lost)
{
	uint64_t *words;
	uint64_t head = page.data_head;

	put(PERF_RECORD_LOST, 24, 0);
	words = &data[(head % DATA) / 8];
	words[2] = lost;
}

struct got {
	size_t count;
	uint16_t sizes[COUNT];
	uint8_t marks[COUNT];
	size_t wrong; /* bytes that are not the mark */
	int stop_after;
};

static int note(void *ctx, const struct perf_event_header *record)
{
	struct got *got = ctx;
	const uint8_t *bytes = (const uint8_t *)(record + 1);

	got->sizes[got->count % COUNT] = record->size;
	got->marks[got->count % COUNT] = record->size > 8 ? bytes[0] : 0;
	if (record->type == PERF_RECORD_SAMPLE)
		for (size_t i = 0; i < record->size - sizeof(*record); i++)
			got->wrong += bytes[i] != bytes[0];
	got->count++;
	return got->stop_after && got->count == (size_t)got->stop_after ? -7 : 0;
}

static struct pgf_ring *ring_at(uint64_t start)
{
	struct pgf_ring *ring;

	memset(&page, 0, sizeof(page));
	memset(data, 0xee, sizeof(data));
	page.data_head = page.data_tail = start;
	assert_int_equal(pgf_ring_over(&ring, &page, data, DATA), 0);
	return ring;
}

/* Every place of the end inside a record of 40 bytes, also inside its header's second half. */
static void test_wrap(void **state)
{
	for (uint64_t before = 8; before <= 48; before += 8) {
		struct pgf_ring *ring = ring_at(3 * DATA - before);
		struct got got = {0};

		put(PERF_RECORD_SAMPLE, 40, 0x11);
		put(PERF_RECORD_SAMPLE, 16, 0x22);
		assert_int_equal(pgf_ring_pending(ring), 56);
		assert_int_equal(pgf_ring_peek(ring, note, &got), 0);
		assert_int_equal(got.count, 2);
		assert_int_equal(page.data_tail, 3 * DATA - before);
		memset(&got, 0, sizeof(got));
		assert_int_equal(pgf_ring_drain(ring, note, &got), 0);
		assert_int_equal(got.count, 2);
		assert_int_equal(got.sizes[0], 40);
		assert_int_equal(got.marks[0], 0x11);
		assert_int_equal(got.sizes[1], 16);
		assert_int_equal(got.marks[1], 0x22);
		assert_int_equal(got.wrong, 0);
		assert_int_equal(page.data_tail, page.data_head);
		assert_int_equal(pgf_ring_broken(ring), 0);
		pgf_ring_free(ring);
	}
}

static void test_many_laps(void **state)
{
	struct pgf_ring *ring = ring_at(0);
	struct got got = {0};
	size_t put_count = 0;

	for (int lap = 0; lap < 500; lap++) {
		for (int i = 0; i < 7; i++, put_count++)
			put(PERF_RECORD_SAMPLE, (uint16_t)(16 + 8 * ((lap + i) % 40)), (uint8_t)i);
		assert_int_equal(pgf_ring_drain(ring, note, &got), 0);
	}
	assert_int_equal(got.count, put_count);
	assert_int_equal(got.wrong, 0);
	assert_int_equal(pgf_ring_broken(ring), 0);
	pgf_ring_free(ring);
}

static void test_lost(void **state)
{
	struct pgf_ring *ring = ring_at(0);
	struct got got = {0};

	put_lost(5);
	put(PERF_RECORD_SAMPLE, 16, 1);
	put_lost(37);
	assert_int_equal(pgf_ring_peek(ring, note, &got), 0);
	assert_int_equal(pgf_ring_lost(ring), 0);
	assert_int_equal(pgf_ring_drain(ring, note, &got), 0);
	assert_int_equal(pgf_ring_lost(ring), 42);
	assert_int_equal(got.count, 6);
	pgf_ring_free(ring);
}

/* What the kernel would never write must neither be believed nor loop. */
static void test_broken(void **state)
{
	static const uint16_t sizes[] = {0, 4, 12, 48, 65528};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pgf_ring *ring = ring_at(DATA - 16);
		struct perf_event_header bad = {.type = PERF_RECORD_SAMPLE, .size = sizes[i]};
		struct got got = {0};

		put(PERF_RECORD_SAMPLE, 16, 1);
		memcpy(data, &bad, sizeof(bad));
		page.data_head += 40;
		assert_int_equal(pgf_ring_drain(ring, note, &got), 0);
		assert_int_equal(got.count, 1);
		assert_int_equal(pgf_ring_broken(ring), 1);
		assert_int_equal(page.data_tail, page.data_head);
		pgf_ring_free(ring);
	}
}

static void test_head_beyond(void **state)
{
	struct pgf_ring *ring = ring_at(0);
	struct got got = {0};

	page.data_head = 2 * DATA;
	assert_int_equal(pgf_ring_drain(ring, note, &got), 0);
	assert_int_equal(got.count, 0);
	assert_int_equal(pgf_ring_broken(ring), 1);
	pgf_ring_free(ring);
}

static void test_stop(void **state)
{
	struct pgf_ring *ring = ring_at(0);
	struct got got = {.stop_after = 2};

	for (uint8_t i = 0; i < 4; i++)
		put(PERF_RECORD_SAMPLE, 16, i);
	assert_int_equal(pgf_ring_drain(ring, note, &got), -7);
	assert_int_equal(page.data_tail, 32);
	assert_int_equal(pgf_ring_drain(ring, note, &got), 0);
	assert_int_equal(got.count, 4);
	pgf_ring_free(ring);
}

static void test_bad_size(void **state)
{
	struct pgf_ring *ring = NULL;

	assert_int_equal(pgf_ring_over(&ring, &page, data, 100), -EINVAL);
	assert_int_equal(pgf_ring_over(&ring, &page, data, 0), -EINVAL);
}

/* Our own faults: the kernel's count of them is the witness. */
static void test_kernel(void **state)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	struct perf_event_attr attr = {
	        .type = PERF_TYPE_SOFTWARE,
	        .config = PERF_COUNT_SW_PAGE_FAULTS_MIN,
	        .sample_period = 1,
	        .sample_type = PERF_SAMPLE_ADDR,
	        .exclude_kernel = 1,
	        .disabled = 1,
	};
	struct got got = {0};
	struct pgf_ring *ring;
	uint64_t value;
	char *area;
	int fd = pgf_perf_open(&attr, 0, -1, 0);

	if (fd == -EPERM || fd == -EACCES)
		skip(); /* a container that allows none */
	assert_true(fd >= 0);
	assert_int_equal(pgf_ring_map(&ring, fd, 3 * page_size), 0);
	assert_int_equal(pgf_ring_bytes(ring), 2 * page_size);
	/* More than a lap of the ring altogether, in turns of 100. */
	for (int turn = 0; turn < 10; turn++) {
		area = mmap(NULL, 100 * page_size, PROT_READ | PROT_WRITE,
		            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_true(area != MAP_FAILED);
		madvise(area, 100 * page_size, MADV_NOHUGEPAGE);
		ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
		for (size_t i = 0; i < 100; i++)
			((volatile char *)area)[i * page_size] = 1;
		ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
		assert_int_equal(pgf_ring_drain(ring, note, &got), 0);
		munmap(area, 100 * page_size);
	}
	assert_int_equal(read(fd, &value, sizeof(value)), sizeof(value));
	assert_true(value >= 1000);
	assert_int_equal(got.count, value);
	assert_int_equal(pgf_ring_lost(ring), 0);
	pgf_ring_free(ring);
	close(fd);
}

/* With a soft limit of few descriptors the hard one is used. */
static void test_descriptors(void **state)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
	                               .config = PERF_COUNT_SW_DUMMY,
	                               .exclude_kernel = 1,
	                               .disabled = 1};
	struct rlimit old, low;
	int fds[40];

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){.rlim_cur = 16, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	fds[0] = pgf_perf_open(&attr, 0, -1, 0);
	if (fds[0] == -EPERM || fds[0] == -EACCES)
		skip();
	for (size_t i = 1; i < 40; i++) {
		fds[i] = pgf_perf_open(&attr, 0, -1, 0);
		assert_true(fds[i] >= 0);
	}
	for (size_t i = 0; i < 40; i++)
		close(fds[i]);
	setrlimit(RLIMIT_NOFILE, &old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_wrap),        cmocka_unit_test(test_many_laps),
	        cmocka_unit_test(test_lost),        cmocka_unit_test(test_broken),
	        cmocka_unit_test(test_head_beyond), cmocka_unit_test(test_stop),
	        cmocka_unit_test(test_bad_size),    cmocka_unit_test(test_kernel),
	        cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
