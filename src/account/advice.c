/* SPDX-License-Identifier: BSD-2-Clause */
#include "account/advice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below these numbers a finding would be noise. */
#define AGAIN_MIN  64  /* re-faults */
#define MAJOR_MIN  16  /* major faults */
#define SWAP_MIN   16  /* pages swapped in */
#define COPY_MIN   512 /* pages copied */
#define FAILED_MIN 64  /* signals */
#define HINT_MIN   512 /* NUMA hints */
#define WAIT_MIN   16  /* userfaultfd */
#define COLD_MIN   4096
#define STALL_NS   1000000ull

/* Everything a rule may look at. */
struct facts {
	const struct pgf_advice_run *run;
	struct pgf_account *account;
	struct pgf_stat total;
	struct pgf_rows *kinds;
	struct pgf_rows *maps;
	struct pgf_rows *kind_maps;
	struct pgf_rows *discards;
};

static unsigned int percent(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned int)((double)part * 100 / (double)whole + 0.5) : 0;
}

static bool is_share(uint64_t part, uint64_t whole, unsigned int least)
{
	return whole && (double)part * 100 >= (double)whole * least;
}

/* "1.23 ms" and the like. */
static const char *time_text(char *buf, size_t size, uint64_t ns)
{
	static const char *const unit[] = {"ns", "us", "ms", "s"};
	double value = (double)ns;
	int i;

	for (i = 0; i < 3 && value >= 999.5; i++)
		value /= 1000;
	snprintf(buf, size, "%.*f %s",
	         value < 9.995 && i   ? 2
	         : value < 99.95 && i ? 1
	                              : 0,
	         value, unit[i]);
	return buf;
}

static bool say(struct pgf_advice *advice, uint64_t weight_ns, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static bool say(struct pgf_advice *advice, uint64_t weight_ns, const char *format, ...)
{
	va_list args;

	advice->weight_ns = weight_ns;
	va_start(args, format);
	vsnprintf(advice->text, sizeof(advice->text), format, args);
	va_end(args);
	return true;
}

/* The sums of the kinds of a set; inferred ones too, which the caller has to look at. */
static struct pgf_stat sum_kinds(const struct facts *facts, pgf_set set)
{
	struct pgf_stat sum = {0};
	size_t i;

	for (i = 0; i < facts->kinds->count; i++) {
		const struct pgf_row *row = &facts->kinds->row[i];

		if (!(PGF_SET(row->kind) & set))
			continue;
		sum.count += row->stat.count;
		sum.ns += row->stat.ns;
		sum.inferred += row->stat.inferred;
		sum.failed += row->stat.failed;
		if (row->stat.max_ns > sum.max_ns)
			sum.max_ns = row->stat.max_ns;
	}
	return sum;
}

/* The mapping with most of something, or NULL. */
static const struct pgf_row *top_map(const struct facts *facts,
                                     uint64_t (*measure)(const struct pgf_row *, int), int how)
{
	const struct pgf_row *best = NULL;
	size_t i;

	for (i = 0; i < facts->maps->count; i++) {
		const struct pgf_row *row = &facts->maps->row[i];

		if (row->map && measure(row, how) &&
		    (!best || measure(row, how) > measure(best, how)))
			best = row;
	}
	return best;
}

static uint64_t again_ns(const struct pgf_row *row, int how)
{
	return row->stat.again_ns[how];
}

static uint64_t again_file_ns(const struct pgf_row *row, int how)
{
	return row->map_type == PGF_MAP_FILE ? row->stat.again_ns[how] : 0;
}

static uint64_t major_ns(const struct pgf_row *row, int how)
{
	return row->stat.major_ns;
}

/* The mapping in which faults of these kinds took longest, or "?". */
static const char *top_map_of(const struct facts *facts, pgf_set set)
{
	size_t i;

	for (i = 0; i < facts->kind_maps->count; i++) {
		const struct pgf_row *row = &facts->kind_maps->row[i];

		if (PGF_SET(row->kind) & set && row->map)
			return row->map;
	}
	return "?";
}

/* Whether it is the C library's wrapper of the call: it says nothing about the caller. */
static bool is_wrapper(const char *func)
{
	return !func || strstr(func, "madvise") || strstr(func, "munmap") || strstr(func, "brk");
}

/* " by free_pages+0x12": the code that gave most of it back, when it is known. */
static const char *caller_text(const struct facts *facts, enum pgf_again how, char *buf,
                               size_t size)
{
	const struct pgf_row *best = NULL;
	char code[160];
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < facts->discards->count; i++) {
		const struct pgf_row *row = &facts->discards->row[i];

		if (row->again == how && row->ip && row->stat.again[how] &&
		    (!best || row->stat.again[how] > best->stat.again[how]))
			best = row;
	}
	if (best && best->symbol && !is_wrapper(best->symbol->func)) {
		pgf_symbol_text(best->symbol, code, sizeof(code));
		snprintf(buf, size, " by %.100s", code);
	}
	return buf;
}

static bool rule_again(const struct facts *facts, enum pgf_again how, const char *call,
                       const char *remedy, struct pgf_advice *advice)
{
	const struct pgf_row *map = top_map(facts, again_ns, (int)how);
	const struct pgf_stat *total = &facts->total;
	char caller[128];
	char time[24];

	if (facts->run->sampled || !map || total->again[how] < AGAIN_MIN ||
	    !is_share(total->again_ns[how], total->ns, 5))
		return false;
	return say(advice, total->again_ns[how],
	           "%u %% of fault time (%s) is %" PRIu64
	           " re-faults, most of %.60s, after %s%s: %s",
	           percent(total->again_ns[how], total->ns),
	           time_text(time, sizeof(time), total->again_ns[how]), total->again[how], map->map,
	           call, caller_text(facts, how, caller, sizeof(caller)), remedy);
}

static bool rule_discard(const struct facts *facts, struct pgf_advice *advice)
{
	return rule_again(facts, PGF_AGAIN_MADVISE, "madvise",
	                  "keep freed memory longer (jemalloc dirty_decay_ms, glibc "
	                  "M_TRIM_THRESHOLD)",
	                  advice);
}

static bool rule_unmap(const struct facts *facts, struct pgf_advice *advice)
{
	return rule_again(facts, PGF_AGAIN_UNMAP, "munmap",
	                  "reuse the blocks, or raise glibc M_MMAP_THRESHOLD", advice);
}

static bool rule_trim(const struct facts *facts, struct pgf_advice *advice)
{
	return rule_again(facts, PGF_AGAIN_BRK, "lowering the break",
	                  "raise glibc M_TRIM_THRESHOLD and M_TOP_PAD", advice);
}

/* Nobody in the process gave the page back, so the kernel took it. */
static bool rule_thrash(const struct facts *facts, struct pgf_advice *advice)
{
	const struct pgf_row *map = top_map(facts, again_file_ns, PGF_AGAIN_UNSEEN);
	char time[24];

	if (facts->run->sampled || facts->run->space_lost || !map ||
	    !pgf_account_sees_calls(facts->account) ||
	    map->stat.again[PGF_AGAIN_UNSEEN] < AGAIN_MIN)
		return false;
	return say(advice, map->stat.again_ns[PGF_AGAIN_UNSEEN],
	           "file pages of %.80s faulted again %" PRIu64
	           " times (%s) though nobody gave them back: reclaim thrashes; more memory, or a "
	           "higher memory.low",
	           map->map, map->stat.again[PGF_AGAIN_UNSEEN],
	           time_text(time, sizeof(time), map->stat.again_ns[PGF_AGAIN_UNSEEN]));
}

static bool rule_thp_stall(const struct facts *facts, struct pgf_advice *advice)
{
	const pgf_set set = PGF_SET(PGF_THP_NEW) | PGF_SET(PGF_THP_WP) | PGF_SET(PGF_THP_FILE);
	struct pgf_stat sum = sum_kinds(facts, set);
	char time[24];
	char longest[24];

	if (sum.count == 0 || sum.inferred || sum.max_ns < STALL_NS ||
	    !is_share(sum.ns, facts->total.ns, 5))
		return false;
	return say(advice, sum.ns,
	           "THP stalls: %" PRIu64 " huge faults took %s, the longest %s, most in %.60s: "
	           "transparent_hugepage/defrag=defer, or MADV_NOHUGEPAGE there",
	           sum.count, time_text(time, sizeof(time), sum.ns),
	           time_text(longest, sizeof(longest), sum.max_ns), top_map_of(facts, set));
}

static bool rule_major(const struct facts *facts, struct pgf_advice *advice)
{
	const struct pgf_row *map = top_map(facts, major_ns, 0);
	const struct pgf_stat *total = &facts->total;
	char time[24];

	if (total->major < MAJOR_MIN || !is_share(total->major_ns, total->ns, 10))
		return false;
	return say(advice, total->major_ns,
	           "%" PRIu64
	           " major faults waited %s for a device (%u %% of fault time), longest in "
	           "%.60s: read ahead (MADV_WILLNEED, MAP_POPULATE) or keep it in memory (mlock)",
	           total->major, time_text(time, sizeof(time), total->major_ns),
	           percent(total->major_ns, total->ns), map ? map->map : "?");
}

static bool rule_swap(const struct facts *facts, struct pgf_advice *advice)
{
	const pgf_set set = PGF_SET(PGF_SWAP_DEVICE) | PGF_SET(PGF_SWAP_ZSWAP);
	struct pgf_stat sum = sum_kinds(facts, set);
	char time[24];

	if (sum.count < SWAP_MIN || sum.inferred || !is_share(sum.ns, facts->total.ns, 5))
		return false;
	return say(advice, sum.ns,
	           "%" PRIu64 " pages came back from swap in %s (%u %% of fault time), most of "
	           "%.60s: the program needs more memory than it has",
	           sum.count, time_text(time, sizeof(time), sum.ns),
	           percent(sum.ns, facts->total.ns), top_map_of(facts, set));
}

static bool rule_cow(const struct facts *facts, struct pgf_advice *advice)
{
	const pgf_set set = PGF_SET(PGF_WP_COPY);
	struct pgf_stat sum = sum_kinds(facts, set);
	char time[24];

	if (sum.count < COPY_MIN || sum.inferred || !is_share(sum.ns, facts->total.ns, 25))
		return false;
	return say(advice, sum.ns,
	           "%" PRIu64 " pages were copied on write in %s (%u %% of fault time), most of "
	           "%.60s: fork early, use vfork or posix_spawn, or MADV_DONTFORK",
	           sum.count, time_text(time, sizeof(time), sum.ns),
	           percent(sum.ns, facts->total.ns), top_map_of(facts, set));
}

static bool rule_failed(const struct facts *facts, struct pgf_advice *advice)
{
	const struct pgf_stat *total = &facts->total;
	const pgf_set set = PGF_SET(PGF_SEGV_MAPERR) | PGF_SET(PGF_SEGV_ACCERR) |
	                    PGF_SET(PGF_SEGV_PKUERR) | PGF_SET(PGF_SEGV_OTHER);
	struct pgf_stat segv = sum_kinds(facts, set);

	if (total->failed < FAILED_MIN)
		return false;
	return say(advice, 0,
	           "%" PRIu64 " faults ended in a signal (%" PRIu64
	           " known as SIGSEGV): normal only where a handler uses them (write barriers, "
	           "guard pages)",
	           total->failed, segv.failed);
}

static bool rule_numa(const struct facts *facts, struct pgf_advice *advice)
{
	const pgf_set set = PGF_SET(PGF_NUMA_HINT) | PGF_SET(PGF_THP_NUMA);
	struct pgf_stat sum = sum_kinds(facts, set);
	char time[24];

	if (sum.count < HINT_MIN || sum.inferred || !is_share(sum.ns, facts->total.ns, 10))
		return false;
	return say(advice, sum.ns,
	           "%" PRIu64 " NUMA hints took %s (%u %% of fault time): bind the memory "
	           "(numactl, mbind) or set kernel.numa_balancing=0",
	           sum.count, time_text(time, sizeof(time), sum.ns),
	           percent(sum.ns, facts->total.ns));
}

static bool rule_uffd(const struct facts *facts, struct pgf_advice *advice)
{
	const pgf_set set =
	        PGF_SET(PGF_UFFD_MISSING) | PGF_SET(PGF_UFFD_WP) | PGF_SET(PGF_UFFD_MINOR);
	struct pgf_stat sum = sum_kinds(facts, set);
	char time[24];
	char longest[24];

	if (sum.count < WAIT_MIN || sum.inferred || !is_share(sum.ns, facts->total.ns, 10))
		return false;
	return say(advice, sum.ns,
	           "%" PRIu64 " faults waited %s for a userfaultfd handler, the longest %s: fetch "
	           "ahead, or add handler threads",
	           sum.count, time_text(time, sizeof(time), sum.ns),
	           time_text(longest, sizeof(longest), sum.max_ns));
}

static bool rule_cold(const struct facts *facts, struct pgf_advice *advice)
{
	const pgf_set set = PGF_SET(PGF_ANON_NEW) | PGF_SET(PGF_ANON_ZERO);
	struct pgf_stat sum = sum_kinds(facts, set);
	uint64_t wall_ns = facts->run->wall_ns;
	char time[24];

	/* Without single faults a second touch would count as a first. */
	if (facts->run->sampled || !pgf_account_streamed(facts->account) || sum.count < COLD_MIN ||
	    sum.inferred || pgf_stat_again(&facts->total) * 10 > sum.count ||
	    !is_share(sum.ns, wall_ns, 5))
		return false;
	return say(advice, sum.ns,
	           "%" PRIu64 " first touches of memory took %s (%u %% of the run), most in %.60s: "
	           "huge pages (MADV_HUGEPAGE) or MAP_POPULATE make it cheaper",
	           sum.count, time_text(time, sizeof(time), sum.ns), percent(sum.ns, wall_ns),
	           top_map_of(facts, set));
}

static const struct {
	enum pgf_advice_rule rule;
	const char *name;
	bool (*apply)(const struct facts *facts, struct pgf_advice *advice);
} rules[] = {
        {PGF_ADVICE_DISCARD, "discard", rule_discard},
        {PGF_ADVICE_UNMAP, "unmap", rule_unmap},
        {PGF_ADVICE_TRIM, "trim", rule_trim},
        {PGF_ADVICE_THRASH, "thrash", rule_thrash},
        {PGF_ADVICE_THP_STALL, "thp-stall", rule_thp_stall},
        {PGF_ADVICE_MAJOR, "major", rule_major},
        {PGF_ADVICE_SWAP, "swap", rule_swap},
        {PGF_ADVICE_COW, "cow", rule_cow},
        {PGF_ADVICE_FAILED, "failed", rule_failed},
        {PGF_ADVICE_NUMA, "numa", rule_numa},
        {PGF_ADVICE_UFFD, "uffd", rule_uffd},
        {PGF_ADVICE_COLD, "cold", rule_cold},
};

#define RULES (sizeof(rules) / sizeof(*rules))
_Static_assert(RULES <= PGF_ADVICE_MAX, "a list of PGF_ADVICE_MAX takes all findings");

const char *pgf_advice_name(enum pgf_advice_rule rule)
{
	size_t i;

	for (i = 0; i < RULES; i++)
		if (rules[i].rule == rule)
			return rules[i].name;
	return "?";
}

static int weight_compare(const void *left, const void *right)
{
	const struct pgf_advice *a = left;
	const struct pgf_advice *b = right;

	if (a->weight_ns != b->weight_ns)
		return a->weight_ns > b->weight_ns ? -1 : 1;
	return (int)a->rule - (int)b->rule;
}

static int gather(struct facts *facts)
{
	struct pgf_symbols *symbols = facts->run->symbols;
	struct pgf_account *account = facts->account;
	int err = pgf_account_total(account, &facts->total);

	if (!err)
		err = pgf_account_rows(account, PGF_BY_KIND, PGF_SORT_TIME, 0, NULL, &facts->kinds);
	if (!err)
		err = pgf_account_rows(account, PGF_BY_MAP, PGF_SORT_TIME, 0, NULL, &facts->maps);
	if (!err)
		err = pgf_account_rows(account, PGF_BY_KIND_MAP, PGF_SORT_TIME, 0, NULL,
		                       &facts->kind_maps);
	if (!err)
		err = pgf_account_rows(account, PGF_BY_DISCARD, PGF_SORT_AGAIN, 32, symbols,
		                       &facts->discards);
	return err;
}

int pgf_advice_find(struct pgf_account *account, const struct pgf_advice_run *run,
                    struct pgf_advice *advice, size_t max)
{
	struct facts facts = {.run = run, .account = account};
	struct pgf_advice found[RULES];
	size_t count = 0;
	size_t i;
	int err = gather(&facts);

	for (i = 0; i < RULES && !err; i++) {
		memset(&found[count], 0, sizeof(found[count]));
		found[count].rule = rules[i].rule;
		count += rules[i].apply(&facts, &found[count]);
	}
	pgf_rows_free(facts.kinds);
	pgf_rows_free(facts.maps);
	pgf_rows_free(facts.kind_maps);
	pgf_rows_free(facts.discards);
	if (err)
		return err;
	qsort(found, count, sizeof(*found), weight_compare);
	if (count > max)
		count = max;
	memcpy(advice, found, count * sizeof(*found));
	return (int)count;
}
