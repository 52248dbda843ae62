/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entries of /proc/PID/smaps and smaps_rollup (proc_pid_smaps(5)). Reentrant; nothing
 * is kept between calls.
 */
#ifndef PGF_FAULT_SMAPS_H
#define PGF_FAULT_SMAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault/maps.h"

/* The letters of VmFlags (show_smap_vma_flags, fs/proc/task_mmu.c, 2.6.38 to 7.x). */
#define PGF_VMA_RD    (1ull << 0)  /* readable */
#define PGF_VMA_WR    (1ull << 1)  /* writable */
#define PGF_VMA_EX    (1ull << 2)  /* executable */
#define PGF_VMA_SH    (1ull << 3)  /* shared */
#define PGF_VMA_MR    (1ull << 4)  /* may become readable */
#define PGF_VMA_MW    (1ull << 5)  /* may become writable */
#define PGF_VMA_ME    (1ull << 6)  /* may become executable */
#define PGF_VMA_MS    (1ull << 7)  /* may be shared: VM_MAYSHARE */
#define PGF_VMA_GD    (1ull << 8)  /* grows down */
#define PGF_VMA_PF    (1ull << 9)  /* bare page frames, no struct page */
#define PGF_VMA_DW    (1ull << 10) /* no writing to the mapped file (up to 5.14) */
#define PGF_VMA_LO    (1ull << 11) /* locked */
#define PGF_VMA_IO    (1ull << 12) /* memory-mapped I/O */
#define PGF_VMA_SR    (1ull << 13) /* MADV_SEQUENTIAL */
#define PGF_VMA_RR    (1ull << 14) /* MADV_RANDOM */
#define PGF_VMA_DC    (1ull << 15) /* not copied by fork */
#define PGF_VMA_DE    (1ull << 16) /* mremap may not expand it */
#define PGF_VMA_AC    (1ull << 17) /* accounted */
#define PGF_VMA_NR    (1ull << 18) /* no swap space reserved */
#define PGF_VMA_HT    (1ull << 19) /* hugetlb */
#define PGF_VMA_SF    (1ull << 20) /* MAP_SYNC page faults */
#define PGF_VMA_NL    (1ull << 21) /* non-linear (up to 3.x) */
#define PGF_VMA_AR    (1ull << 22) /* architecture-specific */
#define PGF_VMA_WF    (1ull << 23) /* wiped on fork */
#define PGF_VMA_DD    (1ull << 24) /* left out of core dumps */
#define PGF_VMA_SD    (1ull << 25) /* soft-dirty */
#define PGF_VMA_MM    (1ull << 26) /* mixed: with and without struct page */
#define PGF_VMA_HG    (1ull << 27) /* MADV_HUGEPAGE */
#define PGF_VMA_NH    (1ull << 28) /* MADV_NOHUGEPAGE */
#define PGF_VMA_MG    (1ull << 29) /* MADV_MERGEABLE */
#define PGF_VMA_UM    (1ull << 30) /* userfaultfd: missing */
#define PGF_VMA_UW    (1ull << 31) /* userfaultfd: write-protect */
#define PGF_VMA_UI    (1ull << 32) /* userfaultfd: minor */
#define PGF_VMA_MP    (1ull << 33) /* Intel MPX (4.x) */
#define PGF_VMA_SS    (1ull << 34) /* shadow stack */
#define PGF_VMA_SL    (1ull << 35) /* sealed */
#define PGF_VMA_DP    (1ull << 36) /* may be dropped under pressure */
#define PGF_VMA_LF    (1ull << 37) /* locked when faulted in */
#define PGF_VMA_BT    (1ull << 38) /* arm64: BTI guarded */
#define PGF_VMA_MT    (1ull << 39) /* arm64: memory tagging */
#define PGF_VMA_GU    (1ull << 40) /* may hold guard markers */
#define PGF_VMA_COUNT 41

/* The kB fields, in bytes. Append-only. */
enum pgf_smaps_field {
	PGF_SMAPS_SIZE = 0,
	PGF_SMAPS_KERNEL_PAGE_SIZE = 1,
	PGF_SMAPS_MMU_PAGE_SIZE = 2,
	PGF_SMAPS_RSS = 3,
	PGF_SMAPS_PSS = 4,
	PGF_SMAPS_PSS_DIRTY = 5,
	PGF_SMAPS_PSS_ANON = 6, /* this and the next two: smaps_rollup only */
	PGF_SMAPS_PSS_FILE = 7,
	PGF_SMAPS_PSS_SHMEM = 8,
	PGF_SMAPS_SHARED_CLEAN = 9,
	PGF_SMAPS_SHARED_DIRTY = 10,
	PGF_SMAPS_PRIVATE_CLEAN = 11,
	PGF_SMAPS_PRIVATE_DIRTY = 12,
	PGF_SMAPS_REFERENCED = 13,
	PGF_SMAPS_ANONYMOUS = 14,
	PGF_SMAPS_KSM = 15,
	PGF_SMAPS_LAZY_FREE = 16,
	PGF_SMAPS_ANON_HUGE = 17,
	PGF_SMAPS_SHMEM_HUGE = 18,
	PGF_SMAPS_FILE_HUGE = 19,
	PGF_SMAPS_SHARED_HUGETLB = 20,
	PGF_SMAPS_PRIVATE_HUGETLB = 21,
	PGF_SMAPS_SWAP = 22,
	PGF_SMAPS_SWAP_PSS = 23,
	PGF_SMAPS_LOCKED = 24,
	PGF_SMAPS_FIELD_COUNT = 25
};

/* What stands under one mapping's line. A field that the kernel did not tell is unknown. */
struct pgf_smaps {
	uint64_t bytes[PGF_SMAPS_FIELD_COUNT];
	uint64_t known;       /* bit per enum pgf_smaps_field */
	uint64_t vma;         /* PGF_VMA_* */
	uint32_t unknown;     /* fields with a name that is not in the enum */
	uint32_t unknown_vma; /* letters that are not in the list above */
	int32_t pkey;         /* ProtectionKey, -1 when not told */
	int8_t thp_eligible;  /* 0 or 1, -1 when not told */
	bool vma_known;       /* there was a VmFlags line */
};

/* Before the first field of an entry. */
void pgf_smaps_clear(struct pgf_smaps *smaps);
/*
 * Adds one "Name: value" line (with or without its newline). Returns 0, also for names not
 * known, or -EINVAL when it is no such line or a value does not fit.
 */
int pgf_smaps_parse_field(const char *line, size_t len, struct pgf_smaps *smaps);
/* The name of a field as the kernel writes it; NULL beyond the enum. */
const char *pgf_smaps_field_name(unsigned int field);
/* Writes the letters of a PGF_VMA_* set, separated by blanks; returns as snprintf does. */
int pgf_vma_text(uint64_t vma, char *buf, size_t size);

/* Called for each mapping; both live for the call only. A non-zero return ends the reading. */
typedef int (*pgf_smaps_fn)(void *ctx, const struct pgf_map_line *line,
                            const struct pgf_smaps *smaps);

/*
 * Reads from fd to its end. The kernel walks all page tables of the process for this: tens
 * of nanoseconds a resident page. Returns 0, what fn returned, -EINVAL, -ENOMEM or -errno.
 */
int pgf_smaps_read(int fd, pgf_smaps_fn fn, void *ctx);
/* The same for /proc/PID/smaps; -ESRCH when there is no such process, -EACCES when hidden. */
int pgf_smaps_read_pid(uint32_t pid, pgf_smaps_fn fn, void *ctx);

#endif /* PGF_FAULT_SMAPS_H */
