/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * faultgen: the generator of exactly known page faults.
 *
 * What a workload expects follows from how it is built; what happened is read from the
 * kernel's own counters (getrusage, perf, vmstat, smaps, pagemap, signals). Nothing here
 * asks the decision tree of the project, so that one can be checked against the other.
 */
#ifndef GEN_GEN_H
#define GEN_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define GEN_ANY  (-1LL) /* an expectation that nothing known in advance decides */
#define GEN_SKIP 1      /* a workload's run() when this machine cannot make it */

#define GEN_EVIDENCE_MAX 24
#define GEN_KINDS_MAX    8
#define GEN_VM_COUNT     24
#define GEN_TASKS_MAX    256

/* What the user chose; the same for all workloads of one run. */
struct gen_options {
	const char *dir; /* where test files go; a disk file system for file-* and swap */
	uint64_t seed;
	unsigned int seconds; /* storm */
	unsigned int threads; /* storm */
};

struct gen_count {
	const char *name; /* static string */
	long long value;
};

/* One thread or process of a workload that has several. */
struct gen_task {
	pid_t pid, tid;
	uint64_t start, end; /* the addresses it touched */
	long long expect, min, maj;
};

/* One fault of a workload that interleaves kinds, in the order made. */
struct gen_step {
	uint64_t address;
	const char *kind;
};

struct gen_result {
	const char *workload;
	const char *kind;
	const char *mode;     /* "user", "kernel" or "gup" */
	long long expect;     /* faults of this kind */
	long long expect_sum; /* min + maj */
	long long expect_maj;
	long long expect_perf; /* software event page-faults, user and kernel mode */
	long long expect_user; /* the same, user mode only */
	pid_t pid, tid;
	uint64_t start, end;
	uint64_t start_ns, stop_ns; /* CLOCK_MONOTONIC, of the measured part; 0: not known */
	long long min, maj, perf, perf_user; /* -1: not measured */
	long long signals;
	struct gen_count kinds[GEN_KINDS_MAX];
	unsigned int nkinds;
	struct gen_count evidence[GEN_EVIDENCE_MAX];
	unsigned int nevidence;
	long long vmstat[GEN_VM_COUNT]; /* system-wide deltas, by gen_vm_names */
	struct gen_task *tasks;         /* shared memory, owned by the result */
	unsigned int ntasks;
	struct gen_step *steps; /* malloc'ed, owned by the result */
	size_t nsteps;
	char notes[256];
	char mismatch[512]; /* why exact is false */
	char skipped[256];
	char error[256];
};

struct gen_workload {
	const char *name;
	const char *kind;
	unsigned int count; /* default number of faults (storm: pages a mapping) */
	const char *needs;  /* what the machine must have, "" for nothing */
	/* 0, GEN_SKIP (reason in r->skipped) or -errno (text in r->error) */
	int (*run)(const struct gen_options *o, struct gen_result *r);
};

/* The tables of workloads, each ended by a NULL name. */
extern const struct gen_workload gen_anon_workloads[];
extern const struct gen_workload gen_file_workloads[];
extern const struct gen_workload gen_shmem_workloads[];
extern const struct gen_workload gen_signal_workloads[];
extern const struct gen_workload gen_kernel_workloads[];
extern const struct gen_workload gen_task_workloads[];
extern const struct gen_workload gen_crowd_workloads[];
extern const struct gen_workload gen_huge_workloads[];
extern const struct gen_workload gen_uffd_workloads[];
extern const struct gen_workload gen_swap_workloads[];
extern const struct gen_workload gen_rare_workloads[];

/* result.c */
int gen_skip(struct gen_result *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Notes "what: strerror(-err)"; returns err, which is -errno. */
int gen_fail(struct gen_result *r, int err, const char *what);
void gen_note(struct gen_result *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sets sum, perf and user-mode expectations to n, majors to maj. */
void gen_expect(struct gen_result *r, long long n, long long maj);
/* Adds n faults of a kind to the result's list (kinds other than r->kind, or several). */
void gen_kind(struct gen_result *r, const char *kind, long long n);
void gen_evidence(struct gen_result *r, const char *name, long long value);
/* Records evidence that must equal want (or be at least low); notes a mismatch otherwise. */
void gen_check(struct gen_result *r, const char *name, long long got, long long want);
void gen_check_least(struct gen_result *r, const char *name, long long got, long long low);
/* Compares what happened with what was expected; true when all agree. */
bool gen_judge(struct gen_result *r);
/* Frees what the result owns. */
void gen_result_free(struct gen_result *r);

/* meter.c: the counters of the calling thread around a loop. */
extern const char *const gen_vm_names[GEN_VM_COUNT];

struct gen_meter {
	int fd_all, fd_user;
	uint64_t start_ns, stop_ns; /* CLOCK_MONOTONIC */
	struct rusage before, after;
	uint64_t perf_before[2], perf_after[2];
	long long vm_before[GEN_VM_COUNT], vm_after[GEN_VM_COUNT];
};

/*
 * Opens the thread's perf counters when it may, and warms what the loop will use: code,
 * stack, the meter itself. Call it in the thread that will run the loop.
 */
void gen_meter_open(struct gen_meter *m);
void gen_meter_start(struct gen_meter *m);
void gen_meter_stop(struct gen_meter *m);
/* Closes the counters and writes pid, tid, min, maj, perf and vmstat into *r. */
void gen_meter_close(struct gen_meter *m, struct gen_result *r);
/* Sums the thread's counters into a task instead (no perf, no vmstat). */
void gen_task_start(struct gen_meter *m);
void gen_task_stop(struct gen_meter *m, struct gen_task *t);
/* The system-wide delta of a vmstat counter, or GEN_ANY when the kernel lacks it. */
long long gen_vm(const struct gen_result *r, const char *name);
/* The counter now, or GEN_ANY. */
long long gen_vm_now(const char *name);

/* memory.c */
struct gen_region {
	unsigned char *base;
	size_t size;
	void *outer; /* base with a PROT_NONE page on either side, so that it never merges */
	size_t outer_size;
};

size_t gen_page(void);
/*
 * Maps size bytes at a multiple of align (a power of two; 0 for one page), as mmap does,
 * with huge pages refused. Returns 0 or -errno.
 */
int gen_map(struct gen_region *g, size_t size, size_t align, int prot, int flags, int fd);
void gen_unmap(struct gen_region *g);
/* Maps n private anonymous read-write pages and names them in r->start and r->end. */
int gen_map_anon(struct gen_region *g, size_t n, struct gen_result *r);
void gen_mark(struct gen_result *r, const struct gen_region *g);
/* Touch n places, stride bytes apart. */
void gen_write(volatile unsigned char *p, size_t n, size_t stride);
void gen_read(const volatile unsigned char *p, size_t n, size_t stride);
/* Writes bytes that neither compress nor repeat. */
void gen_fill(unsigned char *p, size_t size, uint64_t seed);

struct gen_smaps {
	long long rss, anon, swap, huge, hugetlb; /* KiB */
};
/* Sums /proc/self/smaps over the mappings inside the region; 0 or -errno. */
int gen_smaps(const struct gen_region *g, struct gen_smaps *s);

#define GEN_PM_PRESENT (1ULL << 63)
#define GEN_PM_SWAP    (1ULL << 62)
#define GEN_PM_FILE    (1ULL << 61)
#define GEN_PM_PFN     ((1ULL << 55) - 1) /* zero without CAP_SYS_ADMIN */
/* The pagemap entries of n pages, malloc'ed, or NULL. */
uint64_t *gen_pagemap(const void *base, size_t n);
/* Entries that have all bits. */
size_t gen_pagemap_count(const uint64_t *map, size_t n, uint64_t bits);
/* Pages whose frame differs between two pagemaps, or GEN_ANY when frames are hidden. */
long long gen_frames_moved(const uint64_t *before, const uint64_t *after, size_t n);

/* A field of /proc/meminfo ("Hugepagesize:"), in bytes when it has a unit; 0 when absent. */
size_t gen_meminfo(const char *field);
uint64_t gen_random(uint64_t *state);
/* True when the running kernel is older than major.minor. */
bool gen_kernel_before(int major, int minor);
/* Shared anonymous memory, populated; NULL when there is none. */
void *gen_shared(size_t size);

/* child.c */
/* fork() whose child dies with its parent and never restores settings. */
pid_t gen_fork(void);
/* Reaps the child; its exit status, or -1 when it did not exit by itself. */
int gen_reap(pid_t pid);
/*
 * Forks a child that sleeps until gen_release(), so that it keeps sharing the parent's
 * pages. Returns its pid, or -errno.
 */
pid_t gen_hold(int *fd);
void gen_release(pid_t pid, int fd);

/* file.c */
/*
 * Opens an unlinked file of n pages filled with data, written page by page, on a disk file
 * system in the options' directory. Returns a descriptor, GEN_FILE_SKIP with the reason
 * noted, or -errno.
 */
#define GEN_FILE_SKIP (-100000)
int gen_file(const struct gen_options *o, struct gen_result *r, size_t n);

#endif /* GEN_GEN_H */
