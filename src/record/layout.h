/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which member of which struct stands in which column: the one place that the writer and
 * the reader share. A row is the struct of a stream item with ids in place of its strings.
 */
#ifndef PGF_RECORD_LAYOUT_H
#define PGF_RECORD_LAYOUT_H

#include <string.h>

#include <pgfault/fault.h>
#include <pgfault/record.h>
#include "observe/session.h"
#include "observe/space.h"

/* Members with few combinations of values stand together under one key column. */
enum pgf_group { PGF_GROUP_NONE = 0, PGF_GROUP_TASK = 1, PGF_GROUP_SHAPE = 2, PGF_GROUP_COUNT = 3 };

/* How the writer codes a column; the reader follows what the column says. */
enum pgf_way {
	PGF_WAY_LIST = 0,   /* varints */
	PGF_WAY_STEPS = 1,  /* differences */
	PGF_WAY_VALUES = 2, /* dictionary or planes */
	PGF_WAY_KEY = 3,    /* the same; its dictionary is the key of later PGF_WAY_KEYED */
	PGF_WAY_KEYED = 4,  /* differences within the last PGF_WAY_KEY */
	PGF_WAY_LENGTH = 5, /* as PGF_WAY_VALUES; the lengths of the next PGF_WAY_SPANS */
	PGF_WAY_SPANS = 6   /* from the end of the span before of the same task */
};

struct pgf_field {
	uint16_t tag;
	uint16_t offset; /* in the row */
	uint8_t size;    /* 1, 2, 4 or 8 bytes */
	uint8_t group;   /* enum pgf_group */
	uint8_t way;     /* enum pgf_way; without a group only */
	uint8_t string;  /* 1: an id of the string table */
	uint8_t boolean; /* 1: holds 0 or 1 */
};

struct pgf_layout {
	const struct pgf_field *fields;
	size_t count;
	size_t row_size;
};

/* An item that is no fault tells its place in the batch: see docs/pgf-format.md. */
struct pgf_place {
	uint32_t position;
	uint32_t ordinal;
};

struct pgf_fault_row {
	struct pgf_fault fault;
	uint32_t comm;
	uint32_t ip_is_addr;
};

struct pgf_cell_row {
	struct pgf_cell cell;
	uint32_t comm;
	uint32_t ip_is_addr;
	struct pgf_place place;
};

struct pgf_space_row {
	struct pgf_space_event event;
	uint32_t name;
	struct pgf_place place;
};

struct pgf_stack_row {
	uint32_t id;
	uint32_t depth;
	struct pgf_place place;
};

struct pgf_symbol_row {
	uint64_t addr;
	uint64_t offset;
	uint32_t id;
	uint32_t outer;
	uint32_t pid;
	uint32_t line;
	uint32_t func;
	uint32_t file;
	uint32_t module;
	uint32_t path;
	uint32_t exact;
};

struct pgf_module_row {
	uint64_t ino;
	uint32_t dev;
	uint32_t path;
	uint32_t build;
};

extern const struct pgf_layout pgf_layout_fault;
extern const struct pgf_layout pgf_layout_cell;
extern const struct pgf_layout pgf_layout_space;
extern const struct pgf_layout pgf_layout_stack;
extern const struct pgf_layout pgf_layout_symbol;
extern const struct pgf_layout pgf_layout_module;
extern const struct pgf_layout pgf_layout_totals; /* rows are struct pgf_totals */

/* memcpy: the members' types (__u64, uint64_t, int32_t, bool) differ, their sizes do not. */
static inline uint64_t pgf_field_load(const struct pgf_field *field, const void *row)
{
	const char *at = (const char *)row + field->offset;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (field->size) {
	case 1:
		memcpy(&u8, at, sizeof(u8));
		return u8;
	case 2:
		memcpy(&u16, at, sizeof(u16));
		return u16;
	case 4:
		memcpy(&u32, at, sizeof(u32));
		return u32;
	default:
		memcpy(&u64, at, sizeof(u64));
		return u64;
	}
}

#endif /* PGF_RECORD_LAYOUT_H */
