/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a recording holds beside the stream of struct pgf_sink: names of code that may be
 * gone when the recording is read, and the build ids by which the rest is found again.
 */
#ifndef PGF_RECORD_ITEMS_H
#define PGF_RECORD_ITEMS_H

#include <stdbool.h>
#include <stdint.h>

/* Strings belong to the sender and live for the call only; NULL: not known. */
struct pgf_record_symbol {
	uint64_t addr;   /* the instruction pointer that this names, as the process saw it */
	uint64_t offset; /* from the start of func */
	uint32_t id;     /* 1.., chosen by the sender */
	uint32_t outer;  /* id of the symbol that this one was inlined into; 0: none */
	uint32_t pid;    /* 0: the kernel, or any process */
	uint32_t line;   /* 0: not known */
	bool exact;      /* the file was proved to be the mapped one */
	const char *func;
	const char *file;   /* source file */
	const char *module; /* file name without directories, "[kernel]", "[jit]" */
	const char *path;   /* full name of the module */
};

struct pgf_record_module {
	uint64_t ino;
	uint32_t dev; /* major << 20 | minor */
	const char *path;
	const char *build; /* GNU build id in lower-case hex */
};

/* One block of the file. */
struct pgf_record_entry {
	uint64_t offset;   /* of its header, bytes from the start of the file */
	uint64_t first_ns; /* times of its batch */
	uint64_t last_ns;
	uint32_t type; /* enum pgf_block, or one of a later version */
	uint32_t items;
};

#endif /* PGF_RECORD_ITEMS_H */
