/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The vocabulary of pgfault: what a page fault is, in one struct.
 *
 * Every value is explicit and append-only: the .pgf format and the JSON depend on them.
 * A retired value leaves a hole. The header compiles for BPF too (no libc).
 */
#ifndef PGFAULT_FAULT_H
#define PGFAULT_FAULT_H

#include <linux/types.h>

/* What the kernel did for a fault. Kinds fit in a 64-bit set: see PGF_SET(). */
enum pgf_kind {
	PGF_UNKNOWN = 0, /* the evidence does not single one out: printed as "?" */

	PGF_KERN_VMALLOC = 1,  /* kernel address: page tables synchronised (2.4-5.x) */
	PGF_KERN_SPURIOUS = 2, /* kernel address: stale TLB entry, nothing to do */

	PGF_ANON_ZERO = 3, /* anonymous read: shared zero page mapped */
	PGF_ANON_NEW = 4,  /* anonymous write: new zeroed page */

	PGF_FILE_READ = 5,   /* file page mapped for reading (fault-around) */
	PGF_FILE_COW = 6,    /* first private write to an unmapped file page: copied */
	PGF_FILE_SHARED = 7, /* first shared write to an unmapped file page */
	PGF_SHMEM = 8,       /* page of shmem, tmpfs, memfd or shared anonymous memory */

	PGF_SWAP_DEVICE = 9, /* swap-in read from the swap device */
	PGF_SWAP_CACHE = 10, /* swap-in found in the swap cache */
	PGF_SWAP_ZSWAP = 11, /* swap-in decompressed from zswap */

	PGF_NUMA_HINT = 12, /* NUMA balancing hint */

	PGF_WP_COPY = 13,   /* write to a read-only entry: page copied (COW) */
	PGF_WP_REUSE = 14,  /* write to a read-only entry: page reused */
	PGF_WP_SHARED = 15, /* write to a clean shared file page: page_mkwrite */

	PGF_THP_ZERO = 16, /* huge zero page mapped */
	PGF_THP_NEW = 17,  /* new PMD-sized anonymous page */
	PGF_THP_WP = 18,   /* write-protect fault on a huge entry */
	PGF_THP_NUMA = 19, /* NUMA hint on a huge entry */
	PGF_THP_FILE = 20, /* PMD-sized file or shmem page mapped */

	PGF_HUGETLB_NEW = 21, /* hugetlb page mapped */
	PGF_HUGETLB_COW = 22, /* hugetlb write-protect fault */

	PGF_UFFD_MISSING = 23, /* handed to userfaultfd: missing page */
	PGF_UFFD_WP = 24,      /* handed to userfaultfd: write-protect */
	PGF_UFFD_MINOR = 25,   /* handed to userfaultfd: page in cache, not mapped */

	PGF_MIGRATION_WAIT = 26, /* waited for a page under migration */
	PGF_DEVICE_PFN = 27,     /* DAX or driver mapping: served without a page-cache page */
	PGF_ACCESS_ONLY = 28,    /* entry was good: accessed/dirty bit, or a lost race */

	PGF_SEGV_MAPERR = 29, /* no mapping at the address (or guard) */
	PGF_SEGV_ACCERR = 30, /* mapping forbids the access */
	PGF_SEGV_PKUERR = 31, /* protection key forbids the access */
	PGF_BUS_EOF = 32,     /* past the end of the file */
	PGF_BUS_HUGETLB = 33, /* no huge page to be had */
	PGF_BUS_POISON = 34,  /* hardware (or UFFDIO_POISON) memory error */
	PGF_BUS_UFFD = 35,    /* userfaultfd SIGBUS mode, or nobody to handle it */
	PGF_OOM = 36,         /* out of memory */

	PGF_KERN_EFAULT = 37,    /* kernel access to a bad user address, fixed up: EFAULT */
	PGF_KERN_OOPS = 38,      /* kernel access with no fix-up: oops */
	PGF_BUS_IO = 39,         /* read error, full tmpfs, page_mkwrite refused */
	PGF_DEVICE_PRIVATE = 40, /* page migrated back from device memory */
	PGF_SEGV_OTHER = 41,     /* shadow stack, SGX, general protection, reserved bits */
	PGF_NOFAULT = 42, /* taken with page faults disabled: refused at once, retried elsewhere */
	PGF_UNFINISHED = 43, /* interrupted, killed or retried by re-execution: no end was seen */
	PGF_VSYSCALL = 44,   /* vsyscall page emulated */

	PGF_KIND_COUNT = 45 /* one past the last kind; grows */
};

typedef __u64 pgf_set; /* a set of kinds */
#define PGF_SET(kind) ((pgf_set)1 << (kind))

/* The classes of the kernel's fault tree, for tables and colours. */
enum pgf_class {
	PGF_CLASS_UNKNOWN = 0,
	PGF_CLASS_KERNEL = 1,
	PGF_CLASS_ANON = 2,
	PGF_CLASS_FILE = 3,
	PGF_CLASS_SHMEM = 4,
	PGF_CLASS_SWAP = 5,
	PGF_CLASS_NUMA = 6,
	PGF_CLASS_WP = 7,
	PGF_CLASS_THP = 8,
	PGF_CLASS_HUGETLB = 9,
	PGF_CLASS_UFFD = 10,
	PGF_CLASS_OTHER = 11,
	PGF_CLASS_FAILED = 12,
	PGF_CLASS_COUNT = 13
};

/* Flags beside the kind: pgf_fault.flags. */
#define PGF_F_MAJOR        (1u << 0)  /* counted as maj_flt */
#define PGF_F_RETRY        (1u << 1)  /* the handler ran more than once */
#define PGF_F_STACK_GROWTH (1u << 2)  /* the stack mapping was extended */
#define PGF_F_VMA_LOCK     (1u << 3)  /* served under the per-VMA lock */
#define PGF_F_GUP          (1u << 4)  /* get_user_pages: no hardware fault */
#define PGF_F_GUEST        (1u << 5)  /* stage-2 (EPT/NPT) fault of a guest */
#define PGF_F_INFERRED     (1u << 6)  /* the kind is inferred, not observed */
#define PGF_F_LARGE        (1u << 7)  /* more than one page, less than a PMD (mTHP) */
#define PGF_F_FAULT_AROUND (1u << 8)  /* neighbours were mapped too */
#define PGF_F_CACHE_MISS   (1u << 9)  /* a page was added to the page cache */
#define PGF_F_IO           (1u << 10) /* block I/O was queued by this thread inside the fault */
#define PGF_F_RECLAIM      (1u << 11) /* direct reclaim inside the fault */
#define PGF_F_COMPACT      (1u << 12) /* direct compaction inside the fault */
#define PGF_F_MIGRATED     (1u << 13) /* a page was migrated inside the fault */
#define PGF_F_LOCK_WAIT    (1u << 14) /* waited for mmap_lock */
#define PGF_F_FAILED       (1u << 15) /* ended in a signal or EFAULT */
#define PGF_F_UNFINISHED   (1u << 16) /* no end was seen */
#define PGF_F_REFAULT      (1u << 17) /* this page of this address space had faulted in before */
#define PGF_F_NO_DURATION  (1u << 18) /* duration_ns is not known */
#define PGF_F_NO_IP        (1u << 19) /* ip is not known */
#define PGF_F_SLEPT        (1u << 20) /* the thread was switched out inside the fault */

enum pgf_op { PGF_OP_UNKNOWN = 0, PGF_OP_READ = 1, PGF_OP_WRITE = 2, PGF_OP_EXEC = 3 };

enum pgf_mode { PGF_MODE_UNKNOWN = 0, PGF_MODE_USER = 1, PGF_MODE_KERNEL = 2 };

enum pgf_arch {
	PGF_ARCH_UNKNOWN = 0,
	PGF_ARCH_X86_64 = 1,
	PGF_ARCH_I386_24 = 2, /* i386 as of Linux 2.4: three bits */
	PGF_ARCH_ARM = 3,     /* FSR */
	PGF_ARCH_ARM64 = 4    /* ESR */
};

/* A decoded error code, the same bits for all architectures: pgf_access.bits. */
#define PGF_EC_PRESENT  (1u << 0) /* translation existed: protection fault */
#define PGF_EC_WRITE    (1u << 1)
#define PGF_EC_USER     (1u << 2)
#define PGF_EC_RSVD     (1u << 3) /* reserved bit set in an entry */
#define PGF_EC_FETCH    (1u << 4) /* instruction fetch */
#define PGF_EC_PK       (1u << 5) /* protection key */
#define PGF_EC_SHSTK    (1u << 6) /* shadow-stack access */
#define PGF_EC_SGX      (1u << 7)
#define PGF_EC_ALIGN    (1u << 8)  /* arm: alignment */
#define PGF_EC_DOMAIN   (1u << 9)  /* arm: domain */
#define PGF_EC_EXTERNAL (1u << 10) /* arm: external abort */
#define PGF_EC_CM       (1u << 11) /* arm: cache maintenance */
#define PGF_EC_AF       (1u << 12) /* arm: access flag */
#define PGF_EC_S1PTW    (1u << 13) /* arm64: stage-2 fault on a stage-1 walk */
#define PGF_EC_RMP      (1u << 14) /* x86: SEV-SNP RMP violation */
#define PGF_EC_TAG      (1u << 15) /* arm64: memory tag check */
#define PGF_EC_OTHER    (1u << 31) /* a code this project has no name for */

struct pgf_access {
	__u64 address; /* faulting virtual address, bytes */
	__u64 raw;     /* error code, FSR or ESR as the hardware gave it */
	__u32 bits;    /* PGF_EC_* that are set */
	__u32 known;   /* PGF_EC_* that are known, set or not */
	__u8 op;       /* enum pgf_op */
	__u8 mode;     /* enum pgf_mode */
	__u8 arch;     /* enum pgf_arch */
	__u8 level;    /* arm: page-table level of the abort, else 0 */
	__u32 pad;
};

/* Where the time inside a fault went, ns; PGF_COST_OTHER is the remainder. */
enum pgf_cost {
	PGF_COST_LOCK = 0,  /* mmap_lock or VMA lock wait */
	PGF_COST_ALLOC = 1, /* page allocation and zeroing */
	PGF_COST_RECLAIM = 2,
	PGF_COST_COMPACT = 3,
	PGF_COST_COPY = 4,
	PGF_COST_FILE_IO = 5,
	PGF_COST_SWAP_IN = 6,
	PGF_COST_UFFD = 7,
	PGF_COST_MIGRATE = 8,
	PGF_COST_OTHER = 9,
	PGF_COST_COUNT = 10
};

#define PGF_COMM_LEN 16

/*
 * One observed or modelled fault. Ids of 0 mean "none"; what is unknown is 0 and named
 * by its flag. The struct is passed by pointer and owned by the caller.
 */
struct pgf_fault {
	__u64 time_ns; /* entry of the fault, CLOCK_MONOTONIC */
	__u64 duration_ns;
	__u64 ip;
	__u64 cgroup; /* cgroup v2 id */
	struct pgf_access access;
	pgf_set leaves;       /* the kinds that the evidence allows; one bit when kind is known */
	__u64 evidence;       /* PGF_O_* of decide.h seen inside the fault window */
	__u64 evidence_known; /* PGF_O_* that the source could have seen */
	__u32 flags;          /* PGF_F_* */
	__u32 vm_fault;       /* VM_FAULT_* result, 0 when not known */
	__u32 pid;            /* thread group */
	__u32 tid;
	__u32 cpu;
	__u32 map_id; /* mapping at the time of the fault */
	__u32 stack_id;
	__u8 kind;  /* enum pgf_kind */
	__u8 order; /* log2 of the pages allocated, when one was */
	__u8 signo; /* signal sent inside the window */
	__u8 si_code;
	char comm[PGF_COMM_LEN]; /* NUL-terminated, chosen by the traced program: escape it */
	__u32 cost_ns[PGF_COST_COUNT];
};

#ifndef __bpf__
#include <stddef.h>

/* What one should know about a kind; the one table behind `pgfault kinds` and the advice. */
struct pgf_kind_info {
	enum pgf_kind kind;
	enum pgf_class class;
	const char *name;   /* machines: "anon-new"; stable */
	const char *label;  /* people: "anonymous, new page"; at most 24 columns */
	const char *does;   /* what the kernel does */
	const char *costs;  /* what that costs, in words and orders of magnitude */
	const char *remedy; /* what one can do about it */
};

/* The table row of a kind; never NULL (an unknown value gives the row of PGF_UNKNOWN). */
const struct pgf_kind_info *pgf_kind_info(unsigned int kind);
/* Machine name ("anon-new") and label of a kind; static strings. */
const char *pgf_kind_name(unsigned int kind);
const char *pgf_kind_label(unsigned int kind);
/* The kind of a machine name, or -ENOENT. */
int pgf_kind_parse(const char *name);
const char *pgf_class_name(unsigned int class);
/* The one class all kinds of a set share, or PGF_CLASS_UNKNOWN. */
enum pgf_class pgf_set_class(pgf_set set);
/*
 * Writes the names of a set's kinds, separated by "|", into buf (always NUL-terminated).
 * Returns the length that the whole text has, as snprintf does.
 */
int pgf_set_text(pgf_set set, char *buf, size_t size);
/* Writes the names of the flags, separated by ","; returns as snprintf does. */
int pgf_flags_text(__u32 flags, char *buf, size_t size);
const char *pgf_op_name(unsigned int op);
const char *pgf_cost_name(unsigned int cost);

/*
 * Decodes a hardware error code. Fills bits, known, op, mode and level of *access from
 * raw; address is kept. Returns 0, or -EINVAL for an unknown arch.
 * For arm64, raw is the full ESR; for arm, FSR with bit 31 set by convention of the
 * caller when it came with an instruction abort (IFSR).
 */
int pgf_access_decode(struct pgf_access *access, enum pgf_arch arch, __u64 raw);
/* "write, not present, user" and the like; returns as snprintf does. */
int pgf_access_text(const struct pgf_access *access, char *buf, size_t size);

/* Kernel generations whose handle_mm_fault results differ. */
enum pgf_vmf_abi {
	PGF_VMF_2_4 = 0, /* 0 SIGBUS, 1 minor, 2 major, -1 OOM */
	PGF_VMF_4_9 = 1,
	PGF_VMF_5_0 = 2,
	PGF_VMF_5_10 = 3,
	PGF_VMF_6_1 = 4,
	PGF_VMF_6_12 = 5 /* and later */
};
/*
 * The generation of a release string such as "6.1.0-56-amd64": the next lower one, except
 * where its names would be wrong (2.6.23 counts as 4.9, 4.10 as 5.0). -EINVAL when malformed,
 * before 2.4, or 2.6.13 to 2.6.22, whose values have no names here.
 */
int pgf_vmf_abi(const char *release);
/* "RETRY|WRITE", "0 (minor)", ...; returns as snprintf does. */
int pgf_vmf_text(enum pgf_vmf_abi abi, int result, char *buf, size_t size);
#endif /* !__bpf__ */

#endif /* PGFAULT_FAULT_H */
