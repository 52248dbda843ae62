/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cmd/codebook.h"
#include "record/perfdata.h"
#include "record/reader.h"
#include "symbol/symbol.h"

#include <pgfault/record.h>

#define PERF_MAGIC  "PERFILE2"
#define MAGIC_SIZE  8
#define LOOK_EVERY  65536 /* items between two looks at the clock */
#define TARGET_SIZE 4096

struct pgf_recording {
	const char *path;
	struct pgf_reader *reader; /* one of the two */
	struct pgf_perfdata *perf;
	const struct pgf_record_info *info;
	struct pgf_space *space;
	struct pgf_symbols *symbols;
	struct pgf_codebook *book;
	const struct pgf_recording_sink *sink;
	struct pgf_totals totals;
	bool played;
	bool named;       /* the names were read before */
	bool regular;     /* can be read twice */
	uint64_t wall_ns; /* CLOCK_REALTIME at its start; 0 not known */
	uint64_t last_ns; /* the latest time in the stream */
	uint64_t items;
	time_t since; /* CLOCK_MONOTONIC, s: when playing began */
	time_t shown; /* when the progress line was written last, 0 never */
	char trouble[256];
	char target[TARGET_SIZE];
};

static time_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Opening. */

static int is_perf(int fd, bool *perf)
{
	char magic[MAGIC_SIZE];
	ssize_t n = pread(fd, magic, sizeof(magic), 0);

	if (n < 0)
		return -errno;
	*perf = n == sizeof(magic) && !memcmp(magic, PERF_MAGIC, sizeof(magic));
	return 0;
}

static bool is_pgf(int fd)
{
	char magic[PGF_RECORD_MAGIC_SIZE];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, PGF_RECORD_MAGIC, sizeof(magic));
}

static int descriptor_open(const char *path)
{
	int fd = !strcmp(path, "-") ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
	                            : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

static void reader_complain(const char *path, int err, bool pgf)
{
	switch (err) {
	case -EBADMSG:
		if (pgf)
			pgf_complain("%s: the head of this recording is damaged or cut off", path);
		else
			pgf_complain("%s: neither a recording of pgfault nor of perf record", path);
		break;
	case -EPROTONOSUPPORT:
		pgf_complain("%s: recorded in a format of another version of pgfault", path);
		break;
	default:
		pgf_complain("%s: %s", path, strerror(-err));
	}
}

/* The start on the clock of the wall. */
static uint64_t wall_start(const struct pgf_record_info *info)
{
	uint64_t wall;

	if (!info->anchor_wall_ns || !info->anchor_clock_ns || !info->start_ns)
		return 0;
	/* The start may be a little before or after the anchor: the difference is signed. */
	wall = info->anchor_wall_ns + (info->start_ns - info->anchor_clock_ns);
	return wall > INT64_MAX ? 0 : wall;
}

/* Files prove themselves by their inodes on the machine that recorded, while unchanged. */
static uint64_t trust_until(const struct pgf_recording *r, const struct stat *st)
{
	struct utsname here;

	if (uname(&here) || strcmp(here.nodename, r->info->host) != 0)
		return 0;
	if (r->reader)
		return r->wall_ns;
	/* perf.data does not tell its time: it was not recorded after it was written. */
	return (uint64_t)st->st_mtim.tv_sec * 1000000000ull + (uint64_t)st->st_mtim.tv_nsec;
}

static int tables_make(struct pgf_recording *r, const struct stat *st)
{
	int ret = pgf_space_new(&r->space);

	if (!ret)
		ret = pgf_symbols_new(&r->symbols);
	if (!ret)
		ret = pgf_codebook_new(&r->book, r->symbols);
	if (ret) {
		pgf_complain("out of memory");
		return ret;
	}
	pgf_space_offline(r->space);
	pgf_symbols_offline(r->symbols, trust_until(r, st));
	return 0;
}

/* Takes over fd. */
static int file_open(struct pgf_recording *r, int fd, const struct stat *st)
{
	char err[512] = "";
	bool perf = false, pgf;
	int ret = 0;

	r->regular = S_ISREG(st->st_mode);
	if (r->regular)
		ret = is_perf(fd, &perf);
	if (!ret && perf) {
		close(fd);
		ret = pgf_perfdata_open(&r->perf, r->path, err, sizeof(err));
		if (ret)
			pgf_complain("%s: %s", r->path, *err ? err : strerror(-ret));
		return ret;
	}
	pgf = r->regular && is_pgf(fd);
	if (!ret)
		ret = pgf_reader_open_fd(&r->reader, fd);
	else
		close(fd);
	if (ret)
		reader_complain(r->path, ret, pgf);
	return ret;
}

/* Without a command, the writer's options tell what was traced. */
static void target_make(struct pgf_recording *r)
{
	if (!r->info->command && *r->info->options)
		snprintf(r->target, sizeof(r->target), "%s", r->info->options);
	else
		pgf_recorded_command(r->target, sizeof(r->target), r->info);
}

int pgf_recording_open(struct pgf_recording **out, const char *path)
{
	struct pgf_recording *r = calloc(1, sizeof(*r));
	int fd = r ? descriptor_open(path) : -ENOMEM, ret;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st)) {
		ret = -errno;
		close(fd);
		fd = ret;
	}
	if (fd < 0) {
		pgf_complain("%s: %s", path, strerror(-fd));
		free(r);
		return fd;
	}
	r->path = path;
	ret = file_open(r, fd, &st);
	if (!ret) {
		r->info = r->reader ? pgf_reader_info(r->reader) : pgf_perfdata_info(r->perf);
		r->wall_ns = wall_start(r->info);
		target_make(r);
		ret = tables_make(r, &st);
	}
	if (ret) {
		pgf_recording_close(r);
		return ret;
	}
	*out = r;
	return 0;
}

void pgf_recording_close(struct pgf_recording *r)
{
	if (!r)
		return;
	pgf_codebook_free(r->book);
	pgf_symbols_free(r->symbols);
	pgf_space_free(r->space);
	pgf_reader_close(r->reader);
	pgf_perfdata_close(r->perf);
	free(r);
}

const struct pgf_record_info *pgf_recording_info(const struct pgf_recording *r)
{
	return r->info;
}

struct pgf_space *pgf_recording_space(struct pgf_recording *r)
{
	return r->space;
}

struct pgf_symbols *pgf_recording_symbols(struct pgf_recording *r)
{
	return r->symbols;
}

/* Names of code. */

static int take_symbol(void *ctx, const struct pgf_record_symbol *symbol)
{
	const struct pgf_recording *r = ctx;

	return pgf_codebook_symbol(r->book, symbol);
}

static int take_module(void *ctx, const struct pgf_record_module *module)
{
	const struct pgf_recording *r = ctx;

	return pgf_codebook_module(r->book, module);
}

static struct pgf_code_sink code_sink(struct pgf_recording *r)
{
	return (struct pgf_code_sink){.ctx = r, .symbol = take_symbol, .module = take_module};
}

int pgf_recording_names(struct pgf_recording *r)
{
	const struct pgf_code_sink code = code_sink(r);
	const struct pgf_sink nothing = {.ctx = NULL};
	struct pgf_reader *reader = NULL;
	int ret;

	if (!r->reader || !r->regular)
		return 0;
	ret = descriptor_open(r->path);
	if (ret >= 0)
		ret = pgf_reader_open_fd(&reader, ret);
	if (!ret) {
		pgf_reader_set_code_sink(reader, &code);
		/* No fault lies in an empty range: their blocks are passed over. */
		pgf_reader_set_range(reader, UINT64_MAX, 0);
		ret = pgf_reader_run(reader, &nothing);
	}
	pgf_reader_close(reader);
	/* What is damaged is told when it is played. */
	if (ret == -ENODATA || ret == -EBADMSG)
		ret = 0;
	if (!ret)
		ret = pgf_codebook_settle(r->book);
	r->named = !ret;
	if (ret)
		pgf_complain("%s: %s", r->path, strerror(-ret));
	return ret;
}

/* Playing. */

/* A line that is overwritten, while a person waits for more than two seconds. */
static void progress(struct pgf_recording *r, uint64_t time_ns)
{
	time_t now;

	if (time_ns > r->last_ns)
		r->last_ns = time_ns;
	if (++r->items % LOOK_EVERY || r->sink->quiet || !isatty(STDERR_FILENO))
		return;
	now = now_seconds();
	if (now - r->since <= 2 || now == r->shown)
		return;
	fprintf(stderr, "\rreading, %.1f million faults and calls ...", (double)r->items / 1e6);
	r->shown = now;
}

static void progress_end(struct pgf_recording *r)
{
	if (r->shown)
		fputs("\r\033[K", stderr);
}

/*
 * The mapping that the session gave the fault. Its number follows from the events that came
 * before; should some be missing here, the address tells.
 */
static const struct pgf_map *map_of(struct pgf_recording *r, const struct pgf_fault *fault)
{
	uint64_t address = fault->access.address;
	const struct pgf_map *map, *found;

	if (!fault->map_id)
		return NULL;
	map = pgf_space_map(r->space, fault->map_id);
	if (map && map->pid != fault->pid)
		map = NULL;
	if (map && address >= map->start && address < map->end)
		return map;
	/* A stack that is yet to grow is found so, too. */
	found = pgf_space_find(r->space, fault->pid, address);
	return found ? found : map;
}

static int play_fault(void *ctx, const struct pgf_fault *fault)
{
	struct pgf_recording *r = ctx;
	int ret = pgf_codebook_settle(r->book);

	progress(r, fault->time_ns);
	return ret ? ret : r->sink->fault(r->sink->ctx, fault, map_of(r, fault));
}

static int play_cell(void *ctx, const struct pgf_cell *cell)
{
	struct pgf_recording *r = ctx;
	int ret = pgf_codebook_settle(r->book);

	progress(r, cell->fault.time_ns);
	return ret ? ret : r->sink->cell(r->sink->ctx, cell, map_of(r, &cell->fault));
}

static int play_space(void *ctx, const struct pgf_space_event *event)
{
	struct pgf_recording *r = ctx;
	int ret = pgf_space_apply(r->space, event);

	progress(r, event->time_ns);
	if (!ret && r->sink->space)
		ret = r->sink->space(r->sink->ctx, event);
	return ret;
}

static int play_stack(void *ctx, uint32_t stack_id, const uint64_t *ips, size_t count)
{
	const struct pgf_recording *r = ctx;

	return r->sink->stack(r->sink->ctx, stack_id, ips, count);
}

static bool is_damage(int ret)
{
	return ret == -ENODATA || ret == -EBADMSG;
}

/* Says what is missing; the rest is shown all the same. */
static void damage_tell(struct pgf_recording *r)
{
	if (r->reader) {
		struct pgf_damage damage = pgf_reader_damage(r->reader);

		snprintf(r->trouble, sizeof(r->trouble), "%s, at byte %llu",
		         pgf_damage_text(damage.reason), (unsigned long long)damage.offset);
	} else {
		snprintf(r->trouble, sizeof(r->trouble),
		         "it ends too early, or a record is damaged");
	}
	pgf_complain("%s: %s: only what comes before it is shown", r->path, r->trouble);
}

static void totals_take(struct pgf_recording *r)
{
	bool recorded = true;

	r->totals = r->reader ? *pgf_reader_totals(r->reader, &recorded)
	                      : *pgf_perfdata_totals(r->perf);
	if (recorded)
		return;
	/* Of a recording that was cut off, as long as it goes. */
	r->totals.start_ns = r->info->start_ns;
	r->totals.end_ns = r->last_ns;
}

int pgf_recording_play(struct pgf_recording *r, const struct pgf_recording_sink *sink)
{
	const struct pgf_code_sink code = code_sink(r);
	const struct pgf_sink stream = {.ctx = r,
	                                .fault = sink->fault ? play_fault : NULL,
	                                .cell = sink->cell ? play_cell : NULL,
	                                .space = play_space,
	                                .stack = sink->stack ? play_stack : NULL};
	int ret;

	r->sink = sink;
	r->since = now_seconds();
	if (r->reader) {
		if (!r->named)
			pgf_reader_set_code_sink(r->reader, &code);
		ret = pgf_reader_run(r->reader, &stream);
	} else {
		ret = pgf_perfdata_run(r->perf, &stream);
	}
	progress_end(r);
	if (is_damage(ret)) {
		damage_tell(r);
		ret = 0;
	}
	totals_take(r);
	r->played = true;
	return ret ? ret : pgf_codebook_settle(r->book);
}

const char *pgf_recording_trouble(const struct pgf_recording *r)
{
	return *r->trouble ? r->trouble : NULL;
}

const struct pgf_totals *pgf_recording_totals(const struct pgf_recording *r)
{
	return &r->totals;
}

void pgf_recording_describe(const struct pgf_recording *r, struct pgf_recorded *recorded,
                            struct pgf_run *run)
{
	const struct pgf_record_info *info = r->info;
	enum pgf_tier tier = info->tier > PGF_TIER_AUTO && info->tier <= PGF_TIER_COUNTERS
	                             ? (enum pgf_tier)info->tier
	                             : PGF_TIER_AUTO;

	*recorded = (struct pgf_recorded){
	        .file = r->path,
	        .format = r->reader ? "pgf" : "perf.data",
	        .info = info,
	        .tier = tier ? pgf_tier_name(tier) : "?",
	        .trouble = pgf_recording_trouble(r),
	        .wall_ns = r->wall_ns,
	};
	*run = (struct pgf_run){
	        .symbols = r->symbols,
	        .totals = r->played ? &r->totals : NULL,
	        .version = pgf_version_text(),
	        .target = r->target,
	        .tier = recorded->tier,
	        .blind = tier ? pgf_tier_blind(tier) : "",
	        .kernel = *info->release ? info->release : NULL,
	        .volume = info->volume == PGF_VOLUME_AGGREGATE ? PGF_VOLUME_AGGREGATE
	                                                       : PGF_VOLUME_STREAM,
	        .sample_period = info->sample_period,
	        .by_frequency = r->perf && !info->sample_period,
	        .status = -1,
	};
}
