/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every kind of fault is, in words.
 *
 * Figures "on one 2-core VM" were measured on Linux 6.18 in a nested virtual machine: page-table
 * work costs two to four times bare metal there, so their ratios hold better than their values.
 */
#include <pgfault/fault.h>

#include <errno.h>
#include <string.h>

#include "fault/join.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Per row: kind, class, name, label, does, costs, remedy. */
static const struct pgf_kind_info kinds[PGF_KIND_COUNT] = {
        [PGF_UNKNOWN] =
                {PGF_UNKNOWN, PGF_CLASS_UNKNOWN, "unknown", "?",
                 "Served somehow: what was seen of it fits more than one kind.", "Not known.",
                 "See which tier was used: `pgfault doctor` says what a better one needs. More "
                 "rights (CAP_BPF and CAP_PERFMON) and a kernel without lockdown show more."},
        [PGF_KERN_VMALLOC] =
                {PGF_KERN_VMALLOC, PGF_CLASS_KERNEL, "kern-vmalloc", "kernel, vmalloc sync",
                 "A vmalloc address was missing in this process's top-level page table; the "
                 "entry is copied from the kernel's own table (x86-64 up to 5.7, 32-bit x86 and "
                 "arm longer).",
                 "Below 1 µs, once per process and top-level entry.",
                 "None needed. If many: modules or BPF programs are being loaded, or thousands "
                 "of short processes started."},
        [PGF_KERN_SPURIOUS] =
                {PGF_KERN_SPURIOUS, PGF_CLASS_KERNEL, "kern-spurious", "kernel, spurious",
                 "The entry of a kernel address allows the access: the TLB held an older, "
                 "stricter one. Nothing is changed.",
                 "Below 1 µs, once a CPU after kernel permissions were relaxed.", "None needed."},
        [PGF_ANON_ZERO] =
                {PGF_ANON_ZERO, PGF_CLASS_ANON, "anon-zero", "anonymous, zero page",
                 "First read of an untouched anonymous page: the shared zero page is mapped "
                 "read-only; no memory is allocated and RSS stays.",
                 "0.7-1.3 µs on one 2-core VM. The first write to the same page faults again "
                 "(wp-copy), so reading first pays twice.",
                 "Write before reading, or populate at once with MADV_POPULATE_WRITE (5.14) or "
                 "MAP_POPULATE."},
        [PGF_ANON_NEW] =
                {PGF_ANON_NEW, PGF_CLASS_ANON, "anon-new", "anonymous, new page",
                 "First write to an untouched anonymous page: a page is allocated, zeroed, "
                 "charged to the cgroup and mapped.",
                 "1.8-2.7 µs a page on one 2-core VM, so about 0.6 s a GiB. Reclaim or "
                 "compaction inside it: up to many ms.",
                 "Keep memory instead of giving it back: glibc M_TRIM_THRESHOLD and "
                 "M_MMAP_THRESHOLD, jemalloc dirty_decay_ms. Populate before the hot path: "
                 "MADV_POPULATE_WRITE, JVM -XX:+AlwaysPreTouch. Fewer faults: MADV_HUGEPAGE, or "
                 "mTHP by /sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled (6.8)."},
        [PGF_FILE_READ] =
                {PGF_FILE_READ, PGF_CLASS_FILE, "file-read", "file, read",
                 "A file page is mapped from the page cache, with its cached neighbours "
                 "(fault-around, 64 KiB by default). If it is not cached, it is read first, "
                 "with readahead: a major fault.",
                 "Cached: 0.4 µs median, 2.2 µs mean on one 2-core VM. Not cached there: 127 µs "
                 "with MADV_RANDOM, mean 469 µs with 8 MiB of readahead. A rotating disk: 5-10 "
                 "ms.",
                 "Populate before use: MADV_POPULATE_READ (5.14), MAP_POPULATE, MADV_WILLNEED. "
                 "MADV_RANDOM for point look-ups, MADV_SEQUENTIAL for scans; read_ahead_kb of "
                 "the device. Program code faulting again and again means a memory.max that is "
                 "too small: raise it, set memory.low, or mlock the code."},
        [PGF_FILE_COW] =
                {PGF_FILE_COW, PGF_CLASS_FILE, "file-cow", "file, private copy",
                 "First write to a page of a private file mapping that was not mapped: the "
                 "file's page is copied into a new anonymous one.",
                 "2.3 µs on one 2-core VM when the file is cached, as file-read when it is not.",
                 "Mostly program start: data sections and relocations. Fewer of them: link with "
                 "-z pack-relative-relocs, -fvisibility=hidden, fewer libraries; fork workers "
                 "from a warm parent. For data files: map read-only, or MADV_POPULATE_WRITE "
                 "first."},
        [PGF_FILE_SHARED] =
                {PGF_FILE_SHARED, PGF_CLASS_FILE, "file-shared", "file, shared write",
                 "First write to a page of a shared file mapping that was not mapped: the page "
                 "is read if need be, the filesystem reserves its block (page_mkwrite), and it "
                 "is mapped dirty.",
                 "2-6 µs on one 2-core VM when no I/O is needed; milliseconds to seconds while "
                 "the journal, a write-back of the page or dirty throttling is waited for.",
                 "fallocate the file first, MADV_POPULATE_WRITE before the hot path. Throttled: "
                 "vm.dirty_background_bytes lower, vm.dirty_bytes higher. Files that need not "
                 "last: tmpfs or memfd. Databases: pwrite instead of a shared mapping."},
        [PGF_SHMEM] =
                {PGF_SHMEM, PGF_CLASS_SHMEM, "shmem", "shared memory",
                 "A page of tmpfs, memfd, System V or shared anonymous memory is mapped. A hole "
                 "is filled with a new zeroed page, also by a read; a swapped-out page is read "
                 "back (major).",
                 "On one 2-core VM 1.2-1.9 µs for one present page, 3.1-3.6 µs when 16 are "
                 "mapped, 2.4 µs for a new page. From swap: as swap-device.",
                 "Huge pages: tmpfs mounted with huge=within_size, or "
                 "/sys/kernel/mm/transparent_hugepage/shmem_enabled=advise and MADV_HUGEPAGE; "
                 "hugetlb for buffer pools (MFD_HUGETLB, SHM_HUGETLB, PostgreSQL "
                 "huge_pages=on). Each process faults on its own: MADV_POPULATE_WRITE or "
                 "MAP_POPULATE after attaching. SHM_LOCK or mlock keeps it out of swap."},
        [PGF_SWAP_DEVICE] =
                {PGF_SWAP_DEVICE, PGF_CLASS_SWAP, "swap-device", "swap-in, device",
                 "The page was swapped out and is read from the swap device, with up to "
                 "2^vm.page-cluster neighbours (seldom on zram). Major.",
                 "zram: 6-10 µs on one 2-core VM. SSD: about 100 µs. Rotating disk: 5-10 ms.",
                 "More memory for the cgroup (memory.max, memory.high), or protection "
                 "(memory.low); memory.swap.max=0 or mlockall for a latency-critical service; "
                 "vm.swappiness lower. MADV_WILLNEED before a scan. zram or zswap before a slow "
                 "device; vm.page-cluster=0 for random access on a fast one."},
        [PGF_SWAP_CACHE] =
                {PGF_SWAP_CACHE, PGF_CLASS_SWAP, "swap-cache", "swap-in, swap cache",
                 "The page was on its way out to swap or was read back with a neighbour: it is "
                 "still in memory and only mapped again.",
                 "1-3 µs; more when its read is still under way.",
                 "Cheap by itself. Many of them beside few swap-device faults: swap readahead "
                 "works. Many without: pages in use are being evicted; see memory.pressure, "
                 "raise memory.high."},
        [PGF_SWAP_ZSWAP] =
                {PGF_SWAP_ZSWAP, PGF_CLASS_SWAP, "swap-zswap", "swap-in, zswap",
                 "The page was swapped out to the compressed pool in memory and is "
                 "decompressed. Counted as major although no device is read.",
                 "In the order of zram (6-10 µs on one 2-core VM); decompression itself takes "
                 "0.3-0.7 µs (lz4, zstd).",
                 "As swap-device, but with far less need: it is about ten times cheaper than an "
                 "SSD. Pool: /sys/module/zswap/parameters/max_pool_percent and compressor; "
                 "memory.zswap.max, memory.zswap.writeback of the cgroup."},
        [PGF_NUMA_HINT] =
                {PGF_NUMA_HINT, PGF_CLASS_NUMA, "numa-hint", "NUMA hint",
                 "Automatic NUMA balancing had made the entry inaccessible to learn which node "
                 "uses the page; it is restored, and the page possibly moved to this node.",
                 "1-2 µs when the page stays; a move adds several µs for 4 KiB.",
                 "Bind instead of balancing: numactl --cpunodebind --membind, mbind, cpuset; "
                 "then kernel.numa_balancing=0. Memory under a policy of its own (mbind, "
                 "set_mempolicy) takes no hints. Scan rates: "
                 "/sys/kernel/debug/sched/numa_balancing/ (5.13)."},
        [PGF_WP_COPY] =
                {PGF_WP_COPY, PGF_CLASS_WP, "wp-copy", "copy-on-write, copied",
                 "Write to a private page that is mapped read-only because others share it "
                 "(after fork, the zero page, a file page, KSM): it is copied to a new page.",
                 "2.1-2.6 µs a page on one 2-core VM, so 0.6 s a GiB rewritten while a snapshot "
                 "child lives; memory use may double meanwhile.",
                 "After fork: posix_spawn or vfork when only exec follows; MADV_DONTFORK for "
                 "buffers the child does not need; snapshots (Redis BGSAVE) at quiet times. "
                 "Over the zero page: write first, or MADV_POPULATE_WRITE. KSM: "
                 "MADV_UNMERGEABLE."},
        [PGF_WP_REUSE] =
                {PGF_WP_REUSE, PGF_CLASS_WP, "wp-reuse", "copy-on-write, reused",
                 "Write to a page that is mapped read-only, but that nobody shares any more: "
                 "the entry becomes writable, nothing is copied.",
                 "0.9 µs on one 2-core VM.",
                 "Comes after the child of a fork is gone, after mprotect to read-only and back "
                 "(5.10 and older; 6.1 avoids it), after a read swap-in, and with soft-dirty or "
                 "asynchronous userfaultfd tracking: there it is the price of knowing."},
        [PGF_WP_SHARED] =
                {PGF_WP_SHARED, PGF_CLASS_WP, "wp-shared", "shared file, made dirty",
                 "Write to a clean page of a shared file mapping: the filesystem is told "
                 "(page_mkwrite) and the page becomes dirty. Write-back protects it again, so "
                 "this repeats after every flush.",
                 "1-5 µs; milliseconds while the journal, a running write-back of the page or "
                 "dirty throttling is waited for.",
                 "Flush less often: fewer msync calls, larger vm.dirty_expire_centisecs. "
                 "fallocate the file. Data that need not last: tmpfs, memfd or hugetlb, which "
                 "have no such fault."},
        [PGF_THP_ZERO] =
                {PGF_THP_ZERO, PGF_CLASS_THP, "thp-zero", "huge, zero page",
                 "First read in an untouched 2 MiB range: the shared huge zero page is mapped; "
                 "RSS stays.",
                 "1.6 µs for 512 pages on one 2-core VM. The first write then faults again: a "
                 "new huge page, or (5.10 to 6.12) a split into 4 KiB pages.",
                 "Write before reading, or MADV_POPULATE_WRITE; or "
                 "/sys/kernel/mm/transparent_hugepage/use_zero_page=0."},
        [PGF_THP_NEW] =
                {PGF_THP_NEW, PGF_CLASS_THP, "thp-new", "huge, new page",
                 "First write in an untouched 2 MiB range: a huge page is allocated, zeroed and "
                 "mapped.",
                 "170-220 µs on one 2-core VM: 0.4 µs per 4 KiB, five times less than small "
                 "pages, but all at once. Milliseconds when the host of a virtual machine must "
                 "supply the memory first; tens of ms with direct compaction.",
                 "Latency: /sys/kernel/mm/transparent_hugepage/defrag=defer+madvise, or "
                 "populate at the start. Sparse use wastes memory: MADV_NOHUGEPAGE, "
                 "prctl(PR_SET_THP_DISABLE), enabled=madvise. Watch thp_fault_fallback and "
                 "compact_stall in /proc/vmstat."},
        [PGF_THP_WP] =
                {PGF_THP_WP, PGF_CLASS_THP, "thp-wp", "huge, write-protect",
                 "Write to a read-only huge entry: made writable when nobody shares it; else "
                 "split into 4 KiB entries and one page copied (5.8 and later) or all 2 MiB "
                 "copied (before).",
                 "On one 2-core VM 1 µs for a reuse, 11 µs for split and copy, then one wp-copy "
                 "for each page written later. A copy of 2 MiB: hundreds of µs.",
                 "MADV_DONTFORK or MADV_NOHUGEPAGE on heaps that are snapshotted by fork; "
                 "posix_spawn. Once the child is gone, khugepaged or MADV_COLLAPSE (6.1) "
                 "restores huge pages."},
        [PGF_THP_NUMA] =
                {PGF_THP_NUMA, PGF_CLASS_THP, "thp-numa", "huge, NUMA hint",
                 "As numa-hint, for a huge page: access is restored and the 2 MiB possibly "
                 "moved to this node.",
                 "1-2 µs when it stays; a move copies 2 MiB: hundreds of µs.",
                 "Bind memory and threads (numactl, mbind), then kernel.numa_balancing=0."},
        [PGF_THP_FILE] =
                {PGF_THP_FILE, PGF_CLASS_THP, "thp-file", "huge, file or shmem",
                 "A 2 MiB page of a file, tmpfs or memfd is mapped with one entry.",
                 "A few µs when cached, instead of 512 small faults; a new one is zeroed (as "
                 "thp-new) or read (2 MiB of I/O).",
                 "Usually what one wants. It needs a mapping and a file offset aligned to 2 "
                 "MiB, and tmpfs with huge=, MADV_HUGEPAGE, MADV_COLLAPSE (6.1) or a filesystem "
                 "with large folios."},
        [PGF_HUGETLB_NEW] =
                {PGF_HUGETLB_NEW, PGF_CLASS_HUGETLB, "hugetlb-new", "hugetlb, new page",
                 "A page of the hugetlb pool is mapped: taken and zeroed at the first touch, or "
                 "found in the file's cache.",
                 "Zeroing: 170 µs for 2 MiB on one 2-core VM, so about 0.1 s for 1 GiB. In the "
                 "cache: a few µs.",
                 "Populate at the start: MAP_POPULATE, MADV_POPULATE_WRITE, QEMU prealloc=on. "
                 "Reserve at boot (hugepages=) and per node."},
        [PGF_HUGETLB_COW] =
                {PGF_HUGETLB_COW, PGF_CLASS_HUGETLB, "hugetlb-cow", "hugetlb, copy-on-write",
                 "Write to a private hugetlb page that is mapped read-only: reused, or copied "
                 "to another page of the pool when shared.",
                 "On one 2-core VM 1.2 µs for a reuse, 275 µs for a copy of 2 MiB, which takes "
                 "one more page of the pool; when there is none, the child is cut off and gets "
                 "SIGBUS at its next touch.",
                 "MAP_SHARED, or MADV_DONTFORK before fork; spare pages by "
                 "vm.nr_overcommit_hugepages."},
        [PGF_UFFD_MISSING] =
                {PGF_UFFD_MISSING, PGF_CLASS_UFFD, "uffd-missing", "userfaultfd, missing",
                 "The page is missing in a range registered with userfaultfd: a message goes to "
                 "the handler and the thread sleeps until it has supplied the page.",
                 "On one 2-core VM 10 µs with the handler on the same CPU, 73 µs on another, "
                 "plus what fetching the page takes.",
                 "Handler threads pinned beside the faulting ones; several pages a fault; "
                 "prefetch of a recorded working set; UFFDIO_MOVE from a pool (6.8) instead of "
                 "UFFDIO_COPY; UFFD_FEATURE_SIGBUS when only user code touches the range (7 µs)."},
        [PGF_UFFD_WP] =
                {PGF_UFFD_WP, PGF_CLASS_UFFD, "uffd-wp", "userfaultfd, protected",
                 "Write to a page that userfaultfd write-protects: the handler is told and the "
                 "thread sleeps until the protection is lifted.",
                 "On one 2-core VM 8 µs with the handler on the same CPU, 60 µs on another.",
                 "To track dirty pages only: UFFD_FEATURE_WP_ASYNC (6.7) and PAGEMAP_SCAN, 1.1 "
                 "µs a first write and no handler. For copy-before-write snapshots: lift "
                 "ranges, not pages."},
        [PGF_UFFD_MINOR] =
                {PGF_UFFD_MINOR, PGF_CLASS_UFFD, "uffd-minor", "userfaultfd, minor",
                 "The page is in the cache (shmem or hugetlb) but not mapped, in a range "
                 "registered for minor faults: the handler decides when it may be mapped "
                 "(UFFDIO_CONTINUE).",
                 "On one 2-core VM 8 µs with the handler on the same CPU, 49 µs on another.",
                 "Continue ranges, not pages: 0.3 µs a page from 64 pages on. Fill through a "
                 "second mapping ahead of the accesses."},
        [PGF_MIGRATION_WAIT] =
                {PGF_MIGRATION_WAIT, PGF_CLASS_OTHER, "migration-wait", "migration wait",
                 "The page is being moved (compaction, NUMA balancing, move_pages, CMA, memory "
                 "hot-unplug): the thread waits for the end and repeats the access.",
                 "Tens of µs for a small page, a millisecond and more for huge ones or on a "
                 "busy system.",
                 "Find the mover: pgmigrate_success, compact_* and numa_* in /proc/vmstat. "
                 "vm.compaction_proactiveness=0, kernel.numa_balancing=0; for locked memory of "
                 "real-time programs vm.compact_unevictable_allowed=0 (mlock alone does not "
                 "prevent moving)."},
        [PGF_DEVICE_PFN] =
                {PGF_DEVICE_PFN, PGF_CLASS_OTHER, "device-pfn", "device or DAX page",
                 "A driver or a DAX filesystem maps its own memory: there is no page-cache page.",
                 "1-3 µs for present memory; a new block of a DAX file is zeroed and "
                 "journalled: tens of µs.",
                 "DAX: fallocate first, extents and mapping aligned to 2 MiB give huge entries; "
                 "MAP_SYNC and cache flushes in user space save the msync. Drivers: map all at "
                 "mmap time where the driver offers it."},
        [PGF_ACCESS_ONLY] =
                {PGF_ACCESS_ONLY, PGF_CLASS_OTHER, "access-only", "access bit or lost race",
                 "The entry already allows the access: the accessed or dirty bit is set, or "
                 "another thread had just served the same page.",
                 "About 1 µs; a lost race also wastes the page it allocated.",
                 "Many in a threaded program: threads touch the same fresh pages together; "
                 "populate from one of them or divide the range. On arm without hardware access "
                 "flags it is the normal price after reclaim or fork."},
        [PGF_SEGV_MAPERR] =
                {PGF_SEGV_MAPERR, PGF_CLASS_FAILED, "segv-maperr", "SIGSEGV, no mapping",
                 "No mapping covers the address, or a stack may not grow to it, or it lies in a "
                 "guard: SIGSEGV with SEGV_MAPERR.",
                 "The process, unless caught: then 2-3 µs for signal and return on one 2-core "
                 "VM.",
                 "`pgfault explain` names the neighbours of the address. Near 0: a null "
                 "pointer. Just below a stack: deep recursion, ulimit -s or "
                 "pthread_attr_setstacksize. Past a heap block: -fsanitize=address or valgrind. "
                 "The JVM uses it on purpose for implicit null checks."},
        [PGF_SEGV_ACCERR] =
                {PGF_SEGV_ACCERR, PGF_CLASS_FAILED, "segv-accerr", "SIGSEGV, not permitted",
                 "The mapping exists but forbids the access: a write to read-only memory, "
                 "execution of data, or PROT_NONE: SIGSEGV with SEGV_ACCERR.",
                 "The process, unless caught: signal, mprotect and return cost 6 µs on one "
                 "2-core VM.",
                 "Compare the access with /proc/PID/maps: string literals and const data are "
                 "read-only, data is not executable, PROT_NONE is a guard. JVM safepoints and "
                 "garbage collectors use it on purpose; just to track writes, "
                 "UFFD_FEATURE_WP_ASYNC (6.7) is cheaper."},
        [PGF_SEGV_PKUERR] =
                {PGF_SEGV_PKUERR, PGF_CLASS_FAILED, "segv-pkuerr", "SIGSEGV, protection key",
                 "The mapping allows the access, but this thread's protection-key register "
                 "denies the key: SIGSEGV with SEGV_PKUERR, the key in si_pkey.",
                 "The process, unless caught: 2-3 µs for signal and return.",
                 "pkey_set around the access, in each thread: rights are per thread, inherited "
                 "at its creation, and reset to the default in a signal handler. ProtectionKey "
                 "in /proc/PID/smaps tells the key."},
        [PGF_BUS_EOF] =
                {PGF_BUS_EOF, PGF_CLASS_FAILED, "bus-eof", "SIGBUS, past file end",
                 "The page lies wholly past the end of the mapped file: SIGBUS with BUS_ADRERR.",
                 "The process, unless caught.",
                 "Somebody truncated the file, or it is shorter than the mapping. Replace "
                 "mapped files by rename, never by truncation; ftruncate to size before "
                 "mapping; seal a memfd with F_SEAL_SHRINK."},
        [PGF_BUS_HUGETLB] =
                {PGF_BUS_HUGETLB, PGF_CLASS_FAILED, "bus-hugetlb", "SIGBUS, no huge page",
                 "The hugetlb pool had no free page for a mapping without reservation, or the "
                 "hugetlb cgroup limit was reached: SIGBUS with BUS_ADRERR.",
                 "The process, unless caught.",
                 "HugePages_Free and HugePages_Rsvd in /proc/meminfo; raise vm.nr_hugepages or "
                 "vm.nr_overcommit_hugepages, and hugetlb.2MB.max of the cgroup. Without "
                 "MAP_NORESERVE mmap fails at once instead (ENOMEM), except in a forked child."},
        [PGF_BUS_POISON] =
                {PGF_BUS_POISON, PGF_CLASS_FAILED, "bus-poison", "SIGBUS, memory error",
                 "The page holds an uncorrectable memory error, or was poisoned by "
                 "UFFDIO_POISON: SIGBUS with BUS_MCEERR_AR (BUS_ADRERR on kernels without "
                 "CONFIG_MEMORY_FAILURE).",
                 "The process, unless it can do without the page.",
                 "HardwareCorrupted in /proc/meminfo, the kernel log, rasdaemon; replace the "
                 "module. A program that catches it drops the page (MADV_DONTNEED, or a new "
                 "mapping over it) and loads its data again. A pager that poisons reports a "
                 "failed store."},
        [PGF_BUS_UFFD] =
                {PGF_BUS_UFFD, PGF_CLASS_FAILED, "bus-uffd", "SIGBUS, userfaultfd",
                 "A page under userfaultfd is missing or protected and the handler is not "
                 "asked: UFFD_FEATURE_SIGBUS, a kernel access to a user-mode-only descriptor, "
                 "or a task that is exiting.",
                 "In SIGBUS mode the signal handler serves the page: 7 µs with UFFDIO_COPY, 5.4 "
                 "µs with UFFDIO_MOVE, on one 2-core VM.",
                 "Normal in SIGBUS mode. System calls get EFAULT instead of the signal: touch "
                 "their buffers first. For kernel accesses: /dev/userfaultfd or CAP_SYS_PTRACE, "
                 "without UFFD_USER_MODE_ONLY."},
        [PGF_OOM] =
                {PGF_OOM, PGF_CLASS_FAILED, "oom", "out of memory",
                 "No page could be had or charged, even after reclaim: the OOM killer chooses a "
                 "victim; a survivor repeats the access.",
                 "A process, and before that often seconds of reclaim.",
                 "memory.events of the cgroup (oom, oom_kill) and the kernel log name limit and "
                 "victim. Raise memory.max; memory.high slows down before it kills; "
                 "oom_score_adj chooses; memory.pressure warns; vm.overcommit_memory=2 refuses "
                 "at mmap."},
        [PGF_KERN_EFAULT] =
                {PGF_KERN_EFAULT, PGF_CLASS_FAILED, "kern-efault", "EFAULT in the kernel",
                 "A system call touched a bad user address; the kernel's exception table leads "
                 "it to a fix-up, and the call returns EFAULT or a short count. No signal is "
                 "sent.",
                 "0.8 µs more than the same call without a fault, on one 2-core VM.",
                 "strace -Z shows the failing calls: correct the pointer or the length. With "
                 "userfaultfd in SIGBUS mode: touch buffers before passing them."},
        [PGF_KERN_OOPS] =
                {PGF_KERN_OOPS, PGF_CLASS_FAILED, "kern-oops", "kernel oops",
                 "Kernel code touched a bad address without a fix-up: the kernel reports an "
                 "oops and kills the task, or panics (kernel.panic_on_oops=1).",
                 "The process, its locks, perhaps the machine.",
                 "A kernel or driver bug (or broken memory): keep the log, decode it with "
                 "scripts/decode_stacktrace.sh, set up kdump, update or remove the module it "
                 "names."},
        [PGF_BUS_IO] =
                {PGF_BUS_IO, PGF_CLASS_FAILED, "bus-io", "SIGBUS, I/O or no space",
                 "The page could not be read, or no space was left for it: an I/O error, a full "
                 "tmpfs or filesystem, a quota, or page_mkwrite refused: SIGBUS with BUS_ADRERR.",
                 "The process, unless caught; often after seconds of device retries.",
                 "df and the kernel log. fallocate before writing to a mapping: then the error "
                 "is ENOSPC of a call. tmpfs: mount -o remount,size=; containers: the size of "
                 "/dev/shm."},
        [PGF_DEVICE_PRIVATE] =
                {PGF_DEVICE_PRIVATE, PGF_CLASS_OTHER, "device-private", "back from device memory",
                 "The page lives in the memory of a GPU or another device that the CPU cannot "
                 "reach: the driver moves it back.",
                 "Tens of µs for a small page (bus transfer and device synchronisation), more "
                 "for large ones.",
                 "Do not bounce pages between CPU and device: prefetch in ranges "
                 "(cudaMemPrefetchAsync, hipMemPrefetchAsync), separate what both touch, or pin "
                 "shared data in host memory."},
        [PGF_SEGV_OTHER] =
                {PGF_SEGV_OTHER, PGF_CLASS_FAILED, "segv-other", "SIGSEGV, other",
                 "A shadow-stack or SGX violation, a reserved bit in an entry, or a "
                 "non-canonical address (a general protection fault: SI_KERNEL, address 0).",
                 "The process, unless caught.",
                 "si_code tells: SEGV_CPERR is a broken return address or hand-made stack "
                 "switch; SI_KERNEL on x86-64 is a pointer overwritten by data, so look at the "
                 "registers. An enclave is lost over suspend: load it again. Reserved bits mean "
                 "corrupt page tables: test the memory."},
        [PGF_NOFAULT] =
                {PGF_NOFAULT, PGF_CLASS_FAILED, "nofault", "page faults disabled",
                 "Kernel code that must not sleep touched a user page that was not there (futex "
                 "words, user stacks for perf and BPF, copies under a lock): refused at once; "
                 "the caller tries another way.",
                 "About 1 µs, and usually a proper fault for the same page afterwards. No "
                 "counter of the task moves.",
                 "Touch futex words and I/O buffers before use. If a profiler with user stacks "
                 "is the cause, it is its own overhead."},
        [PGF_UNFINISHED] =
                {PGF_UNFINISHED, PGF_CLASS_FAILED, "unfinished", "no end seen",
                 "The fault began but no completion, signal or fix-up was seen: a signal "
                 "interrupted it, the thread was killed, it will be repeated by executing the "
                 "instruction again, or it was still running at the end of the trace.",
                 "Not known.",
                 "Few are normal. Many beside lost events: larger buffers. Many with "
                 "interrupted reads: the device or userfaultfd handler behind the page is slow."},
        [PGF_VSYSCALL] =
                {PGF_VSYSCALL, PGF_CLASS_OTHER, "vsyscall", "vsyscall emulated",
                 "A call into the old vsyscall page (gettimeofday, time, getcpu at "
                 "0xffffffffff600000): the kernel carries it out.",
                 "About 1 µs instead of tens of ns through the vDSO.",
                 "Rebuild or update the program: only old, statically linked ones do this. Boot "
                 "option vsyscall=none forbids it."},
};

static const char *const class_names[PGF_CLASS_COUNT] = {
        [PGF_CLASS_UNKNOWN] = "unknown", [PGF_CLASS_KERNEL] = "kernel", [PGF_CLASS_ANON] = "anon",
        [PGF_CLASS_FILE] = "file",       [PGF_CLASS_SHMEM] = "shmem",   [PGF_CLASS_SWAP] = "swap",
        [PGF_CLASS_NUMA] = "numa",       [PGF_CLASS_WP] = "wp",         [PGF_CLASS_THP] = "thp",
        [PGF_CLASS_HUGETLB] = "hugetlb", [PGF_CLASS_UFFD] = "uffd",     [PGF_CLASS_OTHER] = "other",
        [PGF_CLASS_FAILED] = "failed",
};

/* By bit number. */
static const char *const flag_names[] = {
        "major",       "retry",    "stack-growth", "vma-lock",   "gup",        "guest",
        "inferred",    "large",    "fault-around", "cache-miss", "io",         "reclaim",
        "compact",     "migrated", "lock-wait",    "failed",     "unfinished", "refault",
        "no-duration", "no-ip",    "slept",
};

static const char *const op_names[] = {"?", "read", "write", "exec"};

static const char *const cost_names[PGF_COST_COUNT] = {
        [PGF_COST_LOCK] = "lock",       [PGF_COST_ALLOC] = "alloc", [PGF_COST_RECLAIM] = "reclaim",
        [PGF_COST_COMPACT] = "compact", [PGF_COST_COPY] = "copy",   [PGF_COST_FILE_IO] = "file-io",
        [PGF_COST_SWAP_IN] = "swap-in", [PGF_COST_UFFD] = "uffd",   [PGF_COST_MIGRATE] = "migrate",
        [PGF_COST_OTHER] = "other",
};

const struct pgf_kind_info *pgf_kind_info(unsigned int kind)
{
	return &kinds[kind < PGF_KIND_COUNT ? kind : PGF_UNKNOWN];
}

const char *pgf_kind_name(unsigned int kind)
{
	return pgf_kind_info(kind)->name;
}

const char *pgf_kind_label(unsigned int kind)
{
	return pgf_kind_info(kind)->label;
}

int pgf_kind_parse(const char *name)
{
	for (int kind = 0; kind < PGF_KIND_COUNT; kind++)
		if (!strcmp(name, kinds[kind].name))
			return kind;
	return -ENOENT;
}

const char *pgf_class_name(unsigned int class)
{
	return class_names[class < PGF_CLASS_COUNT ? class : PGF_CLASS_UNKNOWN];
}

enum pgf_class pgf_set_class(pgf_set set)
{
	enum pgf_class class = PGF_CLASS_UNKNOWN;

	for (unsigned int kind = 0; set; kind++, set >>= 1) {
		if (!(set & 1))
			continue;
		if (class == PGF_CLASS_UNKNOWN)
			class = pgf_kind_info(kind)->class;
		if (class == PGF_CLASS_UNKNOWN || pgf_kind_info(kind)->class != class)
			return PGF_CLASS_UNKNOWN;
	}
	return class;
}

int pgf_set_text(pgf_set set, char *buf, size_t size)
{
	struct pgf_join join;

	pgf_join_begin(&join, buf, size, "|");
	for (unsigned int kind = 0; kind < PGF_KIND_COUNT; kind++) {
		if (set & PGF_SET(kind))
			pgf_join_add(&join, kinds[kind].name);
		set &= ~PGF_SET(kind);
	}
	if (set)
		pgf_join_hex(&join, set);
	return pgf_join_end(&join);
}

int pgf_flags_text(__u32 flags, char *buf, size_t size)
{
	struct pgf_join join;

	pgf_join_begin(&join, buf, size, ",");
	for (unsigned int bit = 0; bit < COUNT(flag_names); bit++) {
		if (flags & (1u << bit))
			pgf_join_add(&join, flag_names[bit]);
		flags &= ~(1u << bit);
	}
	if (flags)
		pgf_join_hex(&join, flags);
	return pgf_join_end(&join);
}

const char *pgf_op_name(unsigned int op)
{
	return op_names[op < COUNT(op_names) ? op : PGF_OP_UNKNOWN];
}

const char *pgf_cost_name(unsigned int cost)
{
	return cost < PGF_COST_COUNT ? cost_names[cost] : "?";
}
