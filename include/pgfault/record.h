/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The .pgf recording: constants of the file format. docs/pgf-format.md explains it byte by
 * byte. All integers are little-endian. Every enumeration is append-only with explicit
 * values; a retired value leaves a hole. A reader skips block types, header fields and
 * columns that it does not know.
 */
#ifndef PGFAULT_RECORD_H
#define PGFAULT_RECORD_H

#include <stdint.h>

/* First eight bytes: a high bit, a name, and line ends that a text transfer would damage. */
#define PGF_RECORD_MAGIC      "\x89PGF\r\n\x1a\n"
#define PGF_RECORD_MAGIC_SIZE 8
#define PGF_RECORD_MAJOR      1 /* another one cannot be read by this version */
#define PGF_RECORD_MINOR      0 /* grows with additions that may be skipped */

/* Fixed part of the file header; fields follow up to its header size. */
#define PGF_RECORD_HEADER_SIZE  32
#define PGF_RECORD_FLAGS_OFFSET 12 /* u32 PGF_RECORD_F_*, rewritten at a clean end */
#define PGF_RECORD_FIELD_SIZE   8  /* u16 tag, u16 zero, u32 length */

#define PGF_RECORD_F_INCOMPLETE (1u << 0) /* the writer has not ended cleanly (yet) */
#define PGF_RECORD_F_STREAM     (1u << 1) /* written to a pipe: only the END block tells */

/* Limits a writer keeps and a reader enforces. */
#define PGF_RECORD_HEADER_MAX  1048576u            /* bytes of the whole file header */
#define PGF_RECORD_RAW_MAX     (64u * 1024 * 1024) /* bytes of a block, before or after zstd */
#define PGF_RECORD_ITEMS_MAX   262144u             /* items of a block */
#define PGF_RECORD_VALUES_MAX  (48u * 262144)      /* decoded values of a block's columns */
#define PGF_RECORD_COLUMNS_MAX 96u                 /* columns of a block */
#define PGF_RECORD_STRING_MAX  65535u              /* bytes of a string; longer ones are cut */
#define PGF_RECORD_STRINGS_MAX (1u << 24)          /* strings of a file */
#define PGF_RECORD_TEXT_MAX    (1ull << 30)        /* bytes of all strings of a file */
#define PGF_RECORD_FRAMES_MAX  1024u               /* frames of a stack; outer ones are cut */

/* Fields of the file header. */
enum pgf_record_field {
	PGF_FIELD_HOST = 1,           /* text: node name */
	PGF_FIELD_RELEASE = 2,        /* text: kernel release */
	PGF_FIELD_MACHINE = 3,        /* text: "x86_64" */
	PGF_FIELD_TOOL = 4,           /* text: name and version of the writer */
	PGF_FIELD_OPTIONS = 5,        /* text: options of the writer */
	PGF_FIELD_COMMAND = 6,        /* traced command: arguments, each closed by a NUL */
	PGF_FIELD_PAGE_SIZE = 7,      /* u64 bytes */
	PGF_FIELD_CPUS = 8,           /* u64 online CPUs */
	PGF_FIELD_TIER = 9,           /* u64 enum pgf_tier */
	PGF_FIELD_VOLUME = 10,        /* u64 enum pgf_volume */
	PGF_FIELD_SAMPLE_PERIOD = 11, /* u64: one fault in so many is recorded; 1: every one */
	PGF_FIELD_CLOCK = 12,         /* u64 clockid of all times */
	PGF_FIELD_ANCHOR_CLOCK = 13,  /* u64 ns of that clock ... */
	PGF_FIELD_ANCHOR_WALL = 14,   /* u64 ... when CLOCK_REALTIME was so many ns */
	PGF_FIELD_START = 15,         /* u64 ns: start of the recording */
	PGF_FIELD_CONTENT = 16        /* u64 PGF_CONTENT_* that was asked for */
};

#define PGF_CONTENT_STACKS (1u << 0)
#define PGF_CONTENT_BASIC  (1u << 1) /* without the tracepoints inside the window */
#define PGF_CONTENT_CALLS  (1u << 2) /* munmap, mprotect, mremap, madvise, brk too */

/*
 * Block header, 48 bytes: u32 magic, u16 type, u16 flags, u32 raw size, u32 stored size,
 * u32 items, u32 payload crc, u64 first ns, u64 last ns, u32 sequence, u32 header crc.
 * Both sums are CRC-32 (IEEE 802.3, as zlib's crc32).
 */
#define PGF_BLOCK_MAGIC       0x42464750u /* "PGFB" */
#define PGF_BLOCK_HEADER_SIZE 48

#define PGF_BLOCK_F_LAST   (1u << 0) /* closes its batch */
#define PGF_BLOCK_F_STORED (1u << 1) /* the payload is not compressed; else one zstd frame */

enum pgf_block {
	PGF_BLOCK_STRINGS = 1,
	PGF_BLOCK_SYMBOLS = 2,
	PGF_BLOCK_MODULES = 3,
	PGF_BLOCK_STACKS = 4,
	PGF_BLOCK_SPACES = 5,
	PGF_BLOCK_CELLS = 6,
	PGF_BLOCK_FAULTS = 7,
	PGF_BLOCK_LOSSES = 8, /* what was lost while the batch was collected */
	PGF_BLOCK_TOTALS = 9,
	PGF_BLOCK_END = 10 /* without a payload: the last 48 bytes of a whole file */
};

/* Column header, 16 bytes: u16 tag, u8 coding, u8 zero, u16 key tag, u16 length tag, u32 items, u32
 * length of the data that follow. */
#define PGF_COLUMN_HEADER_SIZE 16

enum pgf_coding {
	PGF_CODING_CONST = 0,        /* one varint, the value of every item */
	PGF_CODING_VARINT = 1,       /* a varint an item */
	PGF_CODING_DELTA = 2,        /* a zigzag varint an item: difference from the one before */
	PGF_CODING_PLANES = 3,       /* byte planes with exceptions */
	PGF_CODING_DELTA_PLANES = 4, /* first value, then zigzag differences in byte planes */
	PGF_CODING_KEY_PLANES = 5,   /* the same, difference from the last item with the same key */
	PGF_CODING_DICT = 6,         /* distinct values, then an index an item */
	PGF_CODING_BY = 7,           /* a value for each index of the key column */
	PGF_CODING_BYTES = 8,        /* bytes as they are */
	PGF_CODING_INDEX = 9,        /* an index an item: a key without a meaning of its own */
	PGF_CODING_SPANS = 10        /* starts: from the end of the span before with the same key */
};

/*
 * Columns. A tag has its meaning within one block type; a column that is absent is zero
 * for every item. Names are those of the structs' members.
 */
enum pgf_column_common {
	PGF_COL_POSITION = 1, /* faults of the batch that come before this item */
	PGF_COL_ORDINAL = 2   /* number of the item among those of the batch that are no faults */
};

enum pgf_column_strings { PGF_COL_STR_LENGTH = 8, PGF_COL_STR_TEXT = 9 };

enum pgf_column_faults {                    /* FAULTS and CELLS */
	                 PGF_COL_TASK = 8,  /* key: tid, pid, comm, cgroup */
	                 PGF_COL_SHAPE = 9, /* key: kind, flags, evidence, access, ... */
	                 PGF_COL_TIME = 10,
	                 PGF_COL_DURATION = 11,
	                 PGF_COL_ADDRESS = 12,
	                 PGF_COL_IP = 13,
	                 PGF_COL_CGROUP = 14,
	                 PGF_COL_RAW = 15,
	                 PGF_COL_BITS = 16,
	                 PGF_COL_KNOWN = 17,
	                 PGF_COL_OP = 18,
	                 PGF_COL_MODE = 19,
	                 PGF_COL_ARCH = 20,
	                 PGF_COL_LEVEL = 21,
	                 PGF_COL_LEAVES = 22,
	                 PGF_COL_EVIDENCE = 23,
	                 PGF_COL_EVIDENCE_KNOWN = 24,
	                 PGF_COL_FLAGS = 25,
	                 PGF_COL_VM_FAULT = 26,
	                 PGF_COL_PID = 27,
	                 PGF_COL_TID = 28,
	                 PGF_COL_CPU = 29,
	                 PGF_COL_MAP = 30,
	                 PGF_COL_STACK = 31,
	                 PGF_COL_KIND = 32,
	                 PGF_COL_ORDER = 33,
	                 PGF_COL_SIGNO = 34,
	                 PGF_COL_SI_CODE = 35,
	                 PGF_COL_COMM = 36, /* string */
	                 PGF_COL_IP_IS_ADDR =
	                         37,        /* 1: the ip is the address, and 0 in its column */
	                 PGF_COL_COST = 38, /* 38..47: cost_ns[enum pgf_cost] */
	                 /* CELLS only */
	                 PGF_COL_COUNT = 64,
	                 PGF_COL_NS = 65,
	                 PGF_COL_MAX_NS = 66,
	                 PGF_COL_BUCKET = 67,
	                 PGF_COL_CODE = 68
};

enum pgf_column_spaces {
	PGF_COL_SP_TIME = 8,
	PGF_COL_SP_TYPE = 9,
	PGF_COL_SP_PID = 10,
	PGF_COL_SP_TID = 11,
	PGF_COL_SP_PPID = 12,
	PGF_COL_SP_ADDR = 13,
	PGF_COL_SP_LEN = 14,
	PGF_COL_SP_NEW_ADDR = 15,
	PGF_COL_SP_NEW_LEN = 16,
	PGF_COL_SP_PGOFF = 17,
	PGF_COL_SP_INO = 18,
	PGF_COL_SP_DEV = 19,
	PGF_COL_SP_PROT = 20,
	PGF_COL_SP_FLAGS = 21,
	PGF_COL_SP_ADVICE = 22,
	PGF_COL_SP_EXIT_CODE = 23,
	PGF_COL_SP_NAME = 24, /* string */
	PGF_COL_SP_IP = 25
};

enum pgf_column_stacks {
	PGF_COL_ST_ID = 8,
	PGF_COL_ST_DEPTH = 9,
	PGF_COL_ST_FRAMES = 10 /* items: the sum of the depths */
};

enum pgf_column_symbols {
	PGF_COL_SY_ID = 8,
	PGF_COL_SY_OUTER = 9,
	PGF_COL_SY_PID = 10,
	PGF_COL_SY_LINE = 11,
	PGF_COL_SY_ADDR = 12,
	PGF_COL_SY_OFFSET = 13,
	PGF_COL_SY_EXACT = 14,
	PGF_COL_SY_FUNC = 15,   /* string */
	PGF_COL_SY_FILE = 16,   /* string */
	PGF_COL_SY_MODULE = 17, /* string */
	PGF_COL_SY_PATH = 18    /* string */
};

enum pgf_column_modules {
	PGF_COL_MO_DEV = 8,
	PGF_COL_MO_INO = 9,
	PGF_COL_MO_PATH = 10, /* string */
	PGF_COL_MO_BUILD = 11 /* string: the build id in lower-case hex */
};

enum pgf_column_totals { /* TOTALS and LOSSES */
	                 PGF_COL_TO_SEEN = 8,
	                 PGF_COL_TO_MINOR = 9,
	                 PGF_COL_TO_MAJOR = 10,
	                 PGF_COL_TO_FAILED = 11,
	                 PGF_COL_TO_UNFINISHED = 12,
	                 PGF_COL_TO_NOFAULT = 13,
	                 PGF_COL_TO_BEFORE_EXEC = 14,
	                 PGF_COL_TO_ENTERED = 15,
	                 PGF_COL_TO_LOST_EVENTS = 16,
	                 PGF_COL_TO_LOST_DETAIL = 17,
	                 PGF_COL_TO_LOST_SPACE = 18,
	                 PGF_COL_TO_TASK_MIN = 19,
	                 PGF_COL_TO_TASK_MAJ = 20,
	                 PGF_COL_TO_TASKS = 21,
	                 PGF_COL_TO_TASKS_MISSED = 22,
	                 PGF_COL_TO_ENTERED_KNOWN = 23,
	                 PGF_COL_TO_TASK_KNOWN = 24,
	                 PGF_COL_TO_GUP_SEPARABLE = 25,
	                 PGF_COL_TO_FAULT_COST = 26,
	                 PGF_COL_TO_START = 27,
	                 PGF_COL_TO_END = 28,
	                 PGF_COL_TO_CHILD_UTIME = 29,
	                 PGF_COL_TO_CHILD_STIME = 30,
	                 PGF_COL_TO_DROPPED_AT_EXEC = 31,
	                 PGF_COL_TO_LOST_STACKS = 32
};

#endif /* PGFAULT_RECORD_H */
