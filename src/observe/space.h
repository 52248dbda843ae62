/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address spaces of the traced processes over time: which mapping covers an address,
 * and what is known of it. Fed with events in time order; names what faults hit.
 * Not thread-safe: one thread owns a space table.
 */
#ifndef PGF_OBSERVE_SPACE_H
#define PGF_OBSERVE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include <pgfault/fault.h>

/* Append-only: stored in .pgf files. */
enum pgf_space_type {
	PGF_SPACE_MMAP = 1,     /* addr, len, prot, flags, pgoff, dev, ino, name */
	PGF_SPACE_MUNMAP = 2,   /* addr, len */
	PGF_SPACE_MPROTECT = 3, /* addr, len, prot */
	PGF_SPACE_MREMAP = 4,   /* addr, len -> new_addr, new_len; flags: MREMAP_* */
	PGF_SPACE_MADVISE = 5,  /* addr, len, advice */
	PGF_SPACE_BRK = 6,      /* addr: the new break */
	PGF_SPACE_MLOCK = 7,    /* addr, len */
	PGF_SPACE_FORK = 8,     /* pid, tid: the child; ppid: the parent's pid */
	PGF_SPACE_EXEC = 9,     /* the address space is new; name: comm */
	PGF_SPACE_EXIT = 10,    /* thread tid ended; exit_code when known */
	PGF_SPACE_COMM = 11,    /* name: new comm of tid */
	PGF_SPACE_UFFD = 12,    /* addr, len, flags: UFFDIO_REGISTER modes, 0: unregistered;
	                           len 0: from here on all registrations of pid are told */
	PGF_SPACE_CLEAR = 13    /* forget all mappings of pid: a full set of MMAP events follows */
};

/* One event; strings belong to the sender and live for the call only. */
struct pgf_space_event {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t addr;    /* bytes */
	uint64_t len;     /* bytes */
	uint64_t new_addr;
	uint64_t new_len;
	uint64_t pgoff; /* file offset, bytes */
	uint64_t ino;
	uint64_t ip;   /* user code that made the call, 0 when not known */
	uint32_t type; /* enum pgf_space_type */
	uint32_t pid;
	uint32_t tid;
	uint32_t ppid;
	uint32_t dev;   /* major << 20 | minor */
	uint32_t prot;  /* PROT_* */
	uint32_t flags; /* MAP_*: SHARED, PRIVATE, HUGETLB, GROWSDOWN, LOCKED */
	int32_t advice;
	int32_t exit_code; /* wait status, -1 when not known */
	const char *name;  /* path, "[heap]", "[anon:x]", "//anon" or comm; may be NULL */
};

enum pgf_map_type {
	PGF_MAP_UNKNOWN = 0,
	PGF_MAP_ANON = 1,
	PGF_MAP_HEAP = 2,
	PGF_MAP_STACK = 3,
	PGF_MAP_FILE = 4,
	PGF_MAP_SHMEM = 5, /* tmpfs, memfd, shared anonymous */
	PGF_MAP_HUGETLB = 6,
	PGF_MAP_DEVICE = 7,
	PGF_MAP_SPECIAL = 8 /* [vdso], [vvar], [vsyscall] */
};

/* A mapping that lived in some address space; owned by the table, stable until it is freed. */
struct pgf_map {
	uint32_t id; /* 1.. */
	uint32_t pid;
	uint64_t start;
	uint64_t end;
	uint64_t pgoff;
	uint64_t ino;
	uint64_t born_ns;
	uint64_t dead_ns; /* 0 while it lives */
	uint32_t dev;
	uint32_t prot;       /* PROT_*, with PGF_MAP_PROT_KNOWN set when known */
	uint32_t flags;      /* MAP_* */
	uint8_t type;        /* enum pgf_map_type */
	uint8_t uffd;        /* UFFDIO_REGISTER_MODE_* bits */
	uint8_t uffd_known;  /* registrations of this process are being watched */
	uint8_t advice_huge; /* 0 unknown, 1 MADV_HUGEPAGE, 2 MADV_NOHUGEPAGE */
	const char *name;    /* never NULL; chosen by the traced program: escape it */
};
#define PGF_MAP_PROT_KNOWN (1u << 31)

struct pgf_space;

/* Returns 0 or -ENOMEM. */
int pgf_space_new(struct pgf_space **out);
void pgf_space_free(struct pgf_space *space); /* accepts NULL */
/* Applies one event. Returns 0 or -ENOMEM. */
int pgf_space_apply(struct pgf_space *space, const struct pgf_space_event *event);
/* The mapping of pid that covers address now, or NULL. */
const struct pgf_map *pgf_space_find(struct pgf_space *space, uint32_t pid, uint64_t address);
/*
 * The mapping with this id, dead or alive, or NULL. Ids follow from the events alone. A
 * mapping that died before anybody was given it (by find, map or name) is forgotten.
 */
const struct pgf_map *pgf_space_map(struct pgf_space *space, uint32_t id);
/* The highest id that was ever in use. */
uint32_t pgf_space_map_count(const struct pgf_space *space);
/* The comm of tid (falling back to that of pid), "?" when not known. */
const char *pgf_space_comm(struct pgf_space *space, uint32_t pid, uint32_t tid);
/* Whether pid is known to the table. */
bool pgf_space_has(struct pgf_space *space, uint32_t pid);
/*
 * Reads /proc/PID/maps (and with smaps the VmFlags, unless more than 1 GiB is resident: the
 * kernel takes about 8 ms a GiB for it) as CLEAR and MMAP events into the table, and the
 * comms of its threads. Mappings that come back keep their ids. Returns 0, -ESRCH when the
 * process is gone, -errno.
 */
int pgf_space_read_proc(struct pgf_space *space, uint32_t pid, uint64_t time_ns);
/*
 * Names a fault: fills map_id, comm, leaves and kind (with pgf_decide() on the mapping
 * and the access, narrowed by fault->evidence), PGF_F_* that follow from the evidence.
 * Where the mapping is missing, what /proc/PID/maps has beyond the table is added to it, at
 * most every 100 ms for a process.
 */
void pgf_space_name(struct pgf_space *space, struct pgf_fault *fault);
/*
 * Reads what this machine is set up for (NUMA balancing, huge pages); to be called again
 * now and then, as settings change.
 */
void pgf_space_machine(struct pgf_space *space);
/* madvise is told of from here on: a mapping without an advice has none. */
void pgf_space_watch_advice(struct pgf_space *space);
/*
 * For events and faults that are not of this machine's present (a recording): from here on
 * nothing is looked up in /proc.
 */
void pgf_space_offline(struct pgf_space *space);
/*
 * Has the events that the table makes itself (from /proc) shown to fn after they were
 * applied, so that a recording holds them too. NULL: nobody. Its result is ignored.
 */
typedef void (*pgf_space_tap_fn)(void *ctx, const struct pgf_space_event *event);
void pgf_space_tap(struct pgf_space *space, pgf_space_tap_fn fn, void *ctx);

#endif /* PGF_OBSERVE_SPACE_H */
