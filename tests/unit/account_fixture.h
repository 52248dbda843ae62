/* SPDX-License-Identifier: BSD-2-Clause */
/* Made-up faults and mappings for the tests of accounts. */
#ifndef PGF_TEST_ACCOUNT_FIXTURE_H
#define PGF_TEST_ACCOUNT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "account/account.h"

#define PID       100
#define HEAP_PAGE 0x55550000ull
#define FILE_PAGE 0x7f0000000000ull

static const struct pgf_map heap = {.id = 1,
                                    .pid = PID,
                                    .start = HEAP_PAGE,
                                    .end = HEAP_PAGE + (1 << 30),
                                    .type = PGF_MAP_HEAP,
                                    .name = "[heap]"};
static const struct pgf_map library = {.id = 2,
                                       .pid = PID,
                                       .start = FILE_PAGE,
                                       .end = FILE_PAGE + (1 << 30),
                                       .type = PGF_MAP_FILE,
                                       .ino = 7,
                                       .dev = 8,
                                       .name = "/usr/lib/libfoo.so"};
static inline struct pgf_account *open_account(const struct pgf_account_opts *opts)
{
	struct pgf_account *account;

	assert_int_equal(pgf_account_new(&account, opts), 0);
	return account;
}

static inline struct pgf_fault make_fault(unsigned int kind, uint64_t address, uint64_t time_ns,
                                          uint64_t duration_ns)
{
	struct pgf_fault fault = {
	        .time_ns = time_ns,
	        .duration_ns = duration_ns,
	        .pid = PID,
	        .tid = PID,
	        .kind = (uint8_t)kind,
	        .leaves = PGF_SET(kind),
	        .ip = 0x401000,
	        .comm = "worker",
	};

	fault.access.address = address;
	return fault;
}

static inline void add(struct pgf_account *account, const struct pgf_fault *fault,
                       const struct pgf_map *map)
{
	assert_int_equal(pgf_account_fault(account, fault, map), 0);
}

static inline struct pgf_rows *rows_of(struct pgf_account *account, enum pgf_by by)
{
	struct pgf_rows *rows;

	assert_int_equal(pgf_account_rows(account, by, PGF_SORT_COUNT, 0, NULL, &rows), 0);
	return rows;
}

static inline struct pgf_stat total_of(struct pgf_account *account)
{
	struct pgf_stat stat;

	assert_int_equal(pgf_account_total(account, &stat), 0);
	return stat;
}

#define MS 1000000ull

static inline void touch(struct pgf_account *account, unsigned int kind, uint64_t page,
                         uint64_t time_ns)
{
	struct pgf_fault fault = make_fault(kind, page, time_ns, 2000);

	add(account, &fault, kind == PGF_FILE_READ ? &library : &heap);
}

static inline void give_back(struct pgf_account *account, uint32_t type, uint64_t addr,
                             uint64_t len)
{
	const struct pgf_space_event event = {
	        .type = type,
	        .pid = PID,
	        .tid = PID,
	        .addr = addr,
	        .len = len,
	        .advice = MADV_DONTNEED,
	        .ip = 0x402000,
	};

	assert_int_equal(pgf_account_space(account, &event), 0);
}

#endif /* PGF_TEST_ACCOUNT_FIXTURE_H */
