/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tracepoint tier: loads bpf/tracepoint.bpf.c, hangs it on the target, and turns what
 * it hands over into pgf_fault and pgf_cell.
 */
#include "observe/tracepoint.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <pgfault/decide.h>
#include "observe/tracefs.h"
#include "tracepoint.skel.h"

#define RING_BYTES_SMALL (8u << 20) /* up to 8 CPUs; 0.1 s of the fastest faults */
#define SCAN_QUIET_NS    20000000ull
#define SCAN_MAX_NS      100000000ull
#define RING_BYTES_LARGE (2u << 20)
#define CELL_BYTES_MAX   (64u << 20) /* of all CPUs together, a map */
#define FLIP_NS          250000000ull

__attribute__((format(printf, 3, 4))) static void say(char *err, size_t size, const char *fmt, ...)
{
	va_list ap;

	if (!err || !size)
		return;
	va_start(ap, fmt);
	vsnprintf(err, size, fmt, ap);
	va_end(ap);
}

/* Ring buffer. */

static void stack_deliver(struct pgf_source *s, uint32_t id)
{
	uint64_t ips[127];
	uint32_t place = id < PGF_STACKS ? id : id - PGF_STACKS;
	const struct bpf_map *map;
	size_t n = 0;

	if (!s->stack_seen || id >= PGF_TP_STACKS || (s->stack_seen[id / 8] & (1u << (id % 8))))
		return;
	s->stack_seen[id / 8] |= (uint8_t)(1u << (id % 8));
	memset(ips, 0, sizeof(ips));
	map = id < PGF_STACKS ? s->skel->maps.stacks : s->skel->maps.stacks_more;
	if (bpf_map_lookup_elem(bpf_map__fd(map), &place, ips))
		return;
	while (n < 127 && ips[n])
		n++;
	if (s->feed.stack)
		s->sink_error = s->feed.stack(s->feed.ctx, id + 1, ips, n);
}

_Static_assert(sizeof(struct pgf_wire) == sizeof(struct pgf_wire_call) &&
                       offsetof(struct pgf_wire, end) == offsetof(struct pgf_wire_call, end),
               "both records of the ring tell by `end` which one they are");

/* What the kernel refuses with EINVAL changes nothing (mm/mmap.c). */
static bool call_is_refused(const struct pgf_wire_call *call)
{
	return call->type == PGF_SPACE_MUNMAP &&
	       (call->address % 4096 || !call->length || call->length > 1ull << 56);
}

static int call_deliver(struct pgf_source *s, const struct pgf_wire_call *call)
{
	struct pgf_space_event event = {
	        .time_ns = call->time_ns,
	        .addr = call->address,
	        .len = call->length,
	        .new_addr = call->new_address,
	        .new_len = call->new_length,
	        .ip = call->ip,
	        .type = call->type,
	        .pid = call->pid,
	        .tid = call->tid,
	        .exit_code = -1,
	};

	if (call->type == PGF_SPACE_MPROTECT)
		event.prot = call->argument;
	if (call->type == PGF_SPACE_UFFD)
		event.flags = call->argument;
	if (call->type == PGF_SPACE_MADVISE)
		event.advice = (int32_t)call->argument;
	return s->feed.space && !call_is_refused(call) ? s->feed.space(s->feed.ctx, &event) : 0;
}

static int ring_record(void *ctx, void *data, size_t size)
{
	struct pgf_source *s = ctx;
	struct pgf_fault f;

	if (size < sizeof(struct pgf_wire))
		return 0;
	if (((const struct pgf_wire *)data)->end == PGF_END_CALL) {
		s->sink_error = call_deliver(s, data);
		return s->sink_error;
	}
	pgf_tp_fault(s, data, &f);
	if (f.stack_id)
		stack_deliver(s, f.stack_id - 1);
	if (!s->sink_error && s->feed.fault)
		s->sink_error = s->feed.fault(s->feed.ctx, &f);
	return s->sink_error;
}

static int rings_make(struct pgf_source *s, size_t bytes)
{
	int outer = bpf_map__fd(s->skel->maps.rings);

	/* Possible CPUs may be many more than there are: what comes up later uses cells. */
	int present = (int)sysconf(_SC_NPROCESSORS_CONF);

	for (int cpu = 0; cpu < s->ncpu && cpu < present; cpu++) {
		uint32_t key = (uint32_t)cpu;
		int fd, err = 0;

		fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "pgf_ring", 0, 0, (uint32_t)bytes, NULL);
		if (fd < 0)
			return fd;
		if (bpf_map_update_elem(outer, &key, &fd, BPF_ANY)) {
			err = -errno;
		} else if (!s->rings) {
			s->rings = ring_buffer__new(fd, ring_record, s, NULL);
			err = s->rings ? 0 : -errno;
		} else {
			err = ring_buffer__add(s->rings, fd, ring_record, s);
		}
		close(fd); /* the outer map and the reader's mapping hold it */
		if (err)
			return err;
	}
	return 0;
}

/* Opening: programs. */

/* What each optional program adds to the evidence. */
static const struct evidence_source {
	const char *program;
	const char *tracepoint;
	uint64_t bits;
} evidence_sources[] = {
        {"seen_alloc", "mm_page_alloc",
         PGF_O_ALLOC | PGF_O_ALLOC_ZERO | PGF_O_ALLOC_PMD | PGF_O_ALLOC_LARGE},
        {"seen_rss", "rss_stat",
         PGF_O_RSS_ANON | PGF_O_RSS_FILE | PGF_O_RSS_SHMEM | PGF_O_RSS_SWAP},
        {"seen_map_pages", "mm_filemap_map_pages", PGF_O_MAP_PAGES},
        {"seen_filemap", "mm_filemap_fault", PGF_O_FILEMAP},
        {"seen_cache_add", "mm_filemap_add_to_page_cache", PGF_O_CACHE_ADD},
        {"seen_bio", "block_bio_queue", PGF_O_BIO},
        {"seen_migrate", "mm_migrate_pages", PGF_O_MIGRATE},
        {"seen_reclaim", "mm_vmscan_direct_reclaim_begin", PGF_O_RECLAIM},
        {"seen_memcg_reclaim", "mm_vmscan_memcg_reclaim_begin", PGF_O_RECLAIM},
        {"seen_compact", "mm_compaction_begin", PGF_O_COMPACT},
        {"seen_sleep", "sched_switch", PGF_O_SLEPT},
};
#define EVIDENCE_SOURCES (sizeof(evidence_sources) / sizeof(evidence_sources[0]))

/* Kernels up to 6.1 batch rss_stat: an absent event proves nothing there. */
static bool rss_stat_is_batched(void)
{
	char release[128] = "";
	int major, minor;
	int fd = open("/proc/sys/kernel/osrelease", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t n = read(fd, release, sizeof(release) - 1);

		close(fd);
		if (n > 0 && sscanf(release, "%d.%d", &major, &minor) == 2)
			return major < 6 || (major == 6 && minor < 2);
	}
	return true;
}

static int links_add(struct pgf_source *s, struct bpf_link *link)
{
	int err = (int)libbpf_get_error(link);

	if (err)
		return err;
	if (s->link_count == PGF_TP_MAX_LINKS) {
		bpf_link__destroy(link);
		return -E2BIG;
	}
	s->links[s->link_count++] = link;
	return 0;
}

static int attach_raw(struct pgf_source *s, struct bpf_program *prog, const char *tracepoint)
{
	if (!prog)
		return -ENOENT;
	return links_add(s, bpf_program__attach_raw_tracepoint(prog, tracepoint));
}

static int attach_evidence(struct pgf_source *s)
{
	for (size_t i = 0; i < EVIDENCE_SOURCES; i++) {
		const struct evidence_source *src = &evidence_sources[i];
		struct bpf_program *prog =
		        bpf_object__find_program_by_name(s->skel->obj, src->program);

		if (!prog || !bpf_program__autoload(prog))
			continue;
		if (attach_raw(s, prog, src->tracepoint))
			continue; /* this kernel has no such event: the bits stay unknown */
		if (!strcmp(src->tracepoint, "rss_stat") && rss_stat_is_batched())
			continue;
		s->known |= src->bits;
	}
	return 0;
}

static int attach_classic(struct pgf_source *s, int events, struct bpf_program *prog,
                          const char *tracepoint)
{
	int fd = pgf_tracefs_perf_open(events, tracepoint, 0);

	if (fd < 0)
		return fd;
	return links_add(s, bpf_program__attach_perf_event(prog, fd));
}

/* Calls on the address space; each one that cannot be had is just not told of. */
static void attach_calls(struct pgf_source *s, int events)
{
	const struct {
		struct bpf_program *program;
		const char *tracepoint;
	} calls[] = {
	        {s->skel->progs.call_munmap, "syscalls/sys_enter_munmap"},
	        {s->skel->progs.call_mprotect, "syscalls/sys_enter_mprotect"},
	        {s->skel->progs.call_madvise, "syscalls/sys_enter_madvise"},
	        {s->skel->progs.call_mlock, "syscalls/sys_enter_mlock"},
	        {s->skel->progs.call_mlock, "syscalls/sys_enter_mlock2"},
	        {s->skel->progs.call_ioctl, "syscalls/sys_enter_ioctl"},
	        {s->skel->progs.call_mremap, "syscalls/sys_enter_mremap"},
	        {s->skel->progs.call_mremap_done, "syscalls/sys_exit_mremap"},
	        {s->skel->progs.call_brk_done, "syscalls/sys_exit_brk"},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		attach_classic(s, events, calls[i].program, calls[i].tracepoint);
}

static int attach_programs(struct pgf_source *s, int events, char *err, size_t err_size)
{
	struct tracepoint_bpf *skel = s->skel;
	int ret;

	s->known = PGF_O_COMPLETED | PGF_O_MAJOR;
	ret = attach_raw(s, skel->progs.task_exit, "sched_process_exit");
	if (!ret)
		ret = attach_raw(s, skel->progs.task_exec, "sched_process_exec");
	if (!ret)
		ret = attach_classic(s, events,
		                     s->fork_fixed ? skel->progs.task_fork_fixed
		                                   : skel->progs.task_fork,
		                     "sched/sched_process_fork");
	if (!ret)
		ret = attach_raw(s, skel->progs.fault_user, "page_fault_user");
	if (!ret)
		ret = attach_raw(s, skel->progs.fault_kernel, "page_fault_kernel");
	if (ret) {
		say(err, err_size,
		    "bpf tracepoints: %s: the tracepoint tier needs "
		    "sched_process_fork and exceptions:page_fault_*; use --tier perf",
		    strerror(-ret));
		return ret;
	}
	if (!attach_classic(s, events, skel->progs.seen_signal, "signal/signal_generate"))
		s->known |= PGF_O_SIGSEGV | PGF_O_SIGBUS | PGF_O_MAPERR | PGF_O_ACCERR |
		            PGF_O_PKUERR | PGF_O_ADRERR | PGF_O_MCEERR;
	if (s->with_calls)
		attach_calls(s, events);
	return attach_evidence(s);
}

static int libbpf_quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN && getenv("PGFAULT_LIBBPF"))
		return vfprintf(stderr, fmt, ap);
	return 0;
}

static int cgroup_configure(struct tracepoint_bpf *skel, const char *path, char *err,
                            size_t err_size)
{
	struct file_handle *handle;
	char buf[sizeof(*handle) + MAX_HANDLE_SZ] __attribute__((aligned(8)));
	char real[4096];
	uint64_t id = 0;
	uint32_t level = 0;
	int mount_id;

	if (!realpath(path, real)) {
		say(err, err_size, "%s: %s: give the directory of a cgroup v2 group", path,
		    strerror(errno));
		return -errno;
	}
	handle = (void *)buf;
	handle->handle_bytes = sizeof(uint64_t);
	if (name_to_handle_at(AT_FDCWD, real, handle, &mount_id, 0)) {
		say(err, err_size, "%s: %s: is it on a cgroup2 file system?", path,
		    strerror(errno));
		return -errno;
	}
	memcpy(&id, handle->f_handle, sizeof(id));
	/* The level is the depth below the cgroup2 mount, whose own inode number is 1. */
	for (char *p = real; *p;) {
		char *slash = strrchr(real, '/');
		struct stat st;

		if (stat(real, &st) || st.st_ino == 1 || !slash || slash == real)
			break;
		level++;
		*slash = '\0';
	}
	skel->rodata->with_cgroup = true;
	skel->rodata->cgroup_id = id;
	skel->rodata->cgroup_level = level;
	return 0;
}

static void cells_size(struct pgf_source *s)
{
	struct bpf_map *maps[] = {s->skel->maps.blocks0, s->skel->maps.blocks1,
	                          s->skel->maps.codes0, s->skel->maps.codes1};
	size_t per_cell = sizeof(struct pgf_cell_value) * (size_t)s->ncpu + 96;
	size_t entries = CELL_BYTES_MAX / per_cell;

	/* Beside a ring they only take what it cannot; large maps take long to make. */
	if (entries > (s->aggregate ? 32768u : 8192u))
		entries = s->aggregate ? 32768u : 8192u;
	if (entries < 1024)
		entries = 1024;
	for (size_t i = 0; i < 4; i++)
		bpf_map__set_max_entries(maps[i], (uint32_t)entries);
}

/* Task storage came with 5.11; 5.10 has the program types but not the map. */
static bool storage_works(void)
{
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL) == 1 &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_task_storage_get,
	                               NULL) == 1;
}

static int skel_load(struct pgf_source *s, const struct pgf_session_opts *opts, int events,
                     char *err, size_t err_size)
{
	struct tracepoint_bpf *skel;
	int ret, size = 0;

	skel = tracepoint_bpf__open();
	if (!skel) {
		say(err, err_size, "bpf: %s: cannot open the BPF object", strerror(errno));
		return -errno;
	}
	s->skel = skel;
	skel->rodata->self_pid = (uint32_t)getpid();
	skel->rodata->trace_all = opts->target.all || opts->target.cgroup;
	skel->rodata->use_storage = storage_works();
	skel->rodata->with_stacks = opts->stacks;
	skel->rodata->aggregate = s->aggregate;
	ret = pgf_tracefs_field(events, "sched/sched_process_fork", "parent_comm", &size);
	s->fork_fixed = ret >= 0 && size == 16;
	bpf_program__set_autoload(skel->progs.task_fork, !s->fork_fixed);
	bpf_program__set_autoload(skel->progs.task_fork_fixed, s->fork_fixed);
	if (opts->target.cgroup) {
		ret = cgroup_configure(skel, opts->target.cgroup, err, err_size);
		if (ret)
			return ret;
	}
	bpf_map__set_max_entries(skel->maps.rings, (uint32_t)s->ncpu);
	cells_size(s);
	if (skel->rodata->use_storage)
		bpf_map__set_max_entries(skel->maps.windows_by_tid, 1);
	else
		bpf_map__set_autocreate(skel->maps.windows, false);
	if (!opts->stacks) {
		bpf_map__set_max_entries(skel->maps.stacks, 1);
		bpf_map__set_max_entries(skel->maps.stacks_more, 1);
	}
	for (size_t i = 0; opts->basic && i < EVIDENCE_SOURCES; i++) {
		struct bpf_program *prog =
		        bpf_object__find_program_by_name(skel->obj, evidence_sources[i].program);

		bpf_program__set_autoload(prog, false);
	}
	ret = tracepoint_bpf__load(skel);
	if (ret)
		say(err, err_size,
		    "bpf load: %s: the tracepoint tier needs root or CAP_BPF+CAP_PERFMON; "
		    "use --tier perf",
		    strerror(-ret));
	return ret;
}

/* Opening: perf software events. */

static int perf_add(struct pgf_source *s, int fd)
{
	if (s->perf_count == s->perf_room) {
		size_t room = s->perf_room ? s->perf_room * 2 : 16;
		int *fds = realloc(s->perf_fds, room * sizeof(*fds));

		if (!fds)
			return -ENOMEM;
		s->perf_fds = fds;
		s->perf_room = room;
	}
	s->perf_fds[s->perf_count++] = fd;
	return 0;
}

static int completion_open(struct pgf_source *s, uint64_t config, struct bpf_program *prog,
                           pid_t pid, int cpu)
{
	struct perf_event_attr attr = {
	        .type = PERF_TYPE_SOFTWARE,
	        .size = sizeof(attr),
	        .config = config,
	        .sample_period = 1,
	        .inherit = pid > 0,
	        .disabled = 1,
	};
	int fd, ret;

	fd = (int)syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = perf_add(s, fd);
	if (ret) {
		close(fd);
		return ret;
	}
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(prog)))
		return -errno;
	return 0;
}

static int counting_open(struct pgf_source *s, pid_t pid, int cpu)
{
	struct perf_event_attr attr = {
	        .type = PERF_TYPE_SOFTWARE,
	        .size = sizeof(attr),
	        .config = PERF_COUNT_SW_PAGE_FAULTS,
	        .inherit = pid > 0,
	        .disabled = 1,
	};
	int *fds, fd;

	fds = realloc(s->counting_fds, (s->counting_count + 1) * sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	s->counting_fds = fds;
	fd = (int)syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	s->counting_fds[s->counting_count++] = fd;
	return 0;
}

static int task_open(struct pgf_source *s, pid_t tid, int cpu)
{
	int ret;

	ret = completion_open(s, PERF_COUNT_SW_PAGE_FAULTS_MIN, s->skel->progs.fault_minor, tid,
	                      cpu);
	if (!ret)
		ret = completion_open(s, PERF_COUNT_SW_PAGE_FAULTS_MAJ, s->skel->progs.fault_major,
		                      tid, cpu);
	if (!ret)
		ret = counting_open(s, tid, cpu);
	return ret;
}

static int track(struct pgf_source *s, pid_t tid)
{
	uint32_t key = (uint32_t)tid;
	uint8_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(s->skel->maps.tracked), &key, &one, BPF_ANY) ? -errno
	                                                                                    : 0;
}

/* One look at a process's threads; *found tells whether there were new ones. */
static int process_scan(struct pgf_source *s, pid_t pid, bool *found)
{
	char path[64];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!ret && (entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid <= 0 || pgf_idmap_get(&s->opened, (uint64_t)tid))
			continue;
		ret = pgf_idmap_put(&s->opened, (uint64_t)tid, 1);
		if (!ret)
			ret = track(s, tid);
		if (!ret)
			ret = task_open(s, tid, -1);
		if (ret == -ESRCH)
			ret = 0;
		*found = true;
	}
	closedir(dir);
	return ret;
}

/*
 * All threads of a running process. One listing can miss some, and a thread may be between
 * the fork and its place in the list: so until nothing new has come for a while. A thread
 * that had inherited its events already gets them twice; the program drops the doubles.
 */
static int process_open(struct pgf_source *s, pid_t pid)
{
	uint64_t begin = pgf_now_ns(), quiet = begin, now = begin;

	while (now - quiet < SCAN_QUIET_NS && now - begin < SCAN_MAX_NS) {
		bool found = false;
		int ret = process_scan(s, pid, &found);

		if (ret)
			return ret;
		now = pgf_now_ns();
		if (found)
			quiet = now;
		usleep(2000);
	}
	return 0;
}

static int target_open(struct pgf_source *s, const struct pgf_target *target, pid_t child)
{
	int ret = 0;

	if (child > 0) {
		ret = track(s, child);
		return ret ? ret : task_open(s, child, -1);
	}
	for (size_t i = 0; !ret && i < target->pid_count; i++)
		ret = process_open(s, target->pids[i]);
	if (target->pid_count)
		return ret;
	for (int cpu = 0; !ret && cpu < s->ncpu; cpu++) {
		ret = task_open(s, -1, cpu);
		if (ret == -ENODEV)
			ret = 0; /* an offline CPU */
	}
	return ret;
}

static void nofile_raise(void)
{
	struct rlimit rl;

	if (!getrlimit(RLIMIT_NOFILE, &rl) && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
}

static size_t ring_size(const struct pgf_session_opts *opts, int ncpu)
{
	size_t want = opts->ring_bytes ? opts->ring_bytes
	              : ncpu <= 8      ? RING_BYTES_SMALL
	                               : RING_BYTES_LARGE;
	size_t size = 4096;

	while (size < want && size < (1u << 30))
		size *= 2;
	return size;
}

static void tracepoint_close(struct pgf_source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->link_count; i++)
		bpf_link__destroy(s->links[i]);
	for (size_t i = 0; i < s->perf_count; i++)
		close(s->perf_fds[i]);
	for (size_t i = 0; i < s->counting_count; i++)
		close(s->counting_fds[i]);
	ring_buffer__free(s->rings);
	tracepoint_bpf__destroy(s->skel);
	if (s->barrier_inner >= 0)
		close(s->barrier_inner);
	if (s->barrier_outer >= 0)
		close(s->barrier_outer);
	pgf_idmap_clear(&s->opened);
	free(s->perf_fds);
	free(s->counting_fds);
	free(s->values);
	free(s->stack_seen);
	free(s);
}

static int tracepoint_open(struct pgf_source **out, const struct pgf_session_opts *opts,
                           pid_t child, const struct pgf_feed *feed, struct pgf_totals *totals,
                           char *err, size_t err_size)
{
	struct pgf_source *s;
	int events, ret;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->feed = *feed;
	s->totals = totals;
	s->barrier_inner = -1;
	s->barrier_outer = -1;
	s->aggregate = opts->volume == PGF_VOLUME_AGGREGATE;
	s->with_cgroup = opts->target.cgroup != NULL;
	s->with_calls = opts->calls && !s->aggregate;
	s->ncpu = libbpf_num_possible_cpus();
	s->stack_seen = calloc(1, PGF_TP_STACKS / 8);
	libbpf_set_print(libbpf_quiet);
	nofile_raise();
	events = pgf_tracefs_open();
	if (events < 0) {
		say(err, err_size,
		    "tracefs: %s: run as root, or `mount -t tracefs none /sys/kernel/tracing`",
		    strerror(-events));
		tracepoint_close(s);
		return events;
	}
	ret = s->stack_seen ? pgf_tp_cells_init(s) : -ENOMEM;
	if (!ret)
		ret = skel_load(s, opts, events, err, err_size);
	if (!ret)
		ret = pgf_tp_barrier_make(s);
	if (!ret)
		ret = rings_make(s, ring_size(opts, s->ncpu));
	if (!ret)
		ret = attach_programs(s, events, err, err_size);
	close(events);
	if (!ret) {
		ret = target_open(s, &opts->target, child);
		if (ret == -ESRCH)
			say(err, err_size, "-p: no such process");
	}
	if (ret) {
		if (err_size && !err[0])
			say(err, err_size, "tracepoint tier: %s", strerror(-ret));
		tracepoint_close(s);
		return ret;
	}
	totals->gup_separable = true;
	*out = s;
	return 0;
}

static int tracepoint_start(struct pgf_source *s)
{
	s->last_flip_ns = pgf_now_ns();
	s->skel->bss->armed = 1;
	for (size_t i = 0; i < s->counting_count; i++)
		if (ioctl(s->counting_fds[i], PERF_EVENT_IOC_ENABLE, 0))
			return -errno;
	for (size_t i = 0; i < s->perf_count; i++)
		if (ioctl(s->perf_fds[i], PERF_EVENT_IOC_ENABLE, 0))
			return -errno;
	return 0;
}

static size_t tracepoint_fds(struct pgf_source *s, int *fds, size_t size)
{
	/* The programs never wake the reader: it looks at the rings every few ms. */
	(void)s;
	(void)fds;
	(void)size;
	return 0;
}

static int tracepoint_drain(struct pgf_source *s, uint64_t *watermark_ns)
{
	uint64_t before = pgf_now_ns();
	struct pgf_counts counts;
	int ret;

	ret = ring_buffer__consume(s->rings);
	if (s->sink_error)
		return s->sink_error;
	if (ret < 0)
		return ret;
	ret = pgf_tp_counts(s, &counts);
	if (ret)
		return ret;
	if (s->stopped || (s->aggregate && before - s->last_flip_ns >= FLIP_NS) ||
	    (!s->aggregate && counts.ring_full != s->ring_full_seen)) {
		s->ring_full_seen = counts.ring_full;
		ret = pgf_tp_cells_flip(s);
		if (ret)
			return ret;
	}
	*watermark_ns = s->aggregate ? s->last_flip_ns : before;
	s->totals->minor = counts.minor;
	s->totals->major = counts.major;
	s->totals->seen = counts.minor + counts.major;
	s->totals->failed = counts.failed;
	s->totals->unfinished = counts.unfinished;
	s->totals->nofault = counts.nested;
	s->totals->lost_detail = counts.detail_lost;
	s->totals->lost_events = counts.no_slot;
	s->totals->lost_stacks = counts.stack_lost;
	s->totals->lost_space += counts.calls_lost - s->calls_lost_seen;
	s->calls_lost_seen = counts.calls_lost;
	return 0;
}

static int tracepoint_stop(struct pgf_source *s)
{
	uint64_t entered = 0;

	s->skel->bss->armed = 0;
	for (size_t i = 0; i < s->perf_count; i++)
		ioctl(s->perf_fds[i], PERF_EVENT_IOC_DISABLE, 0);
	for (size_t i = 0; i < s->counting_count; i++) {
		uint64_t value = 0;

		ioctl(s->counting_fds[i], PERF_EVENT_IOC_DISABLE, 0);
		if (read(s->counting_fds[i], &value, sizeof(value)) == (ssize_t)sizeof(value))
			entered += value;
	}
	s->totals->entered = entered;
	s->totals->entered_known = !s->with_cgroup; /* it counts whole CPUs */
	/* Disarmed programs do nothing; to detach them takes long, and can wait for the close. */
	pgf_tp_barrier_wait(s);
	s->stopped = true;
	return 0;
}

const struct pgf_source_ops pgf_source_tracepoint = {
        .tier = PGF_TIER_TRACEPOINT,
        .open = tracepoint_open,
        .start = tracepoint_start,
        .fds = tracepoint_fds,
        .drain = tracepoint_drain,
        .stop = tracepoint_stop,
        .close = tracepoint_close,
};
