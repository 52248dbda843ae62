/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/faultview.h"

#include <errno.h>
#include <fnmatch.h>

#include "show/json.h"
#include "symbol/symbol.h"

bool pgf_faultview_wants(const struct pgf_options *o, const struct pgf_fault *fault,
                         const struct pgf_map *map)
{
	if (o->kinds && !(o->kinds & PGF_SET(fault->kind)))
		return false;
	if (o->min_us > 0 && (double)fault->duration_ns < o->min_us * 1000)
		return false;
	if (o->addr_high &&
	    (fault->access.address < o->addr_low || fault->access.address >= o->addr_high))
		return false;
	if (o->map_glob && (!map || fnmatch(o->map_glob, map->name, 0)))
		return false;
	return true;
}

static const struct pgf_symbol *code_symbol(struct pgf_faultview *view, uint32_t pid, uint64_t ip)
{
	struct pgf_symbol_query query = {.ip = ip, .pid = pid};
	const struct pgf_map *map;

	if (!ip)
		return NULL;
	map = pgf_space_find(view->space, pid, ip);
	if (map) {
		query.start = map->start;
		query.end = map->end;
		query.pgoff = map->pgoff;
		query.ino = map->ino;
		query.dev = map->dev;
		query.path = map->name;
	}
	if (pid != view->last_pid) {
		view->last_pid = pid;
		pgf_symbols_hold(view->symbols, pid);
	}
	return pgf_symbols_find(view->symbols, &query);
}

int pgf_faultview_format(struct pgf_faultview *view, const char *release)
{
	const struct pgf_options *o = view->options;
	int format = PGF_LINE_TABLE;

	if (o->format)
		format = pgf_line_format_parse(o->format);
	if (format < 0) {
		pgf_complain("--format %s: give table, classic, calls or return", o->format);
		return -EINVAL;
	}
	view->line.format = o->json ? PGF_LINE_JSON : (enum pgf_line_format)format;
	view->line.timestamps = o->timestamps;
	view->line.vmf_abi = pgf_vmf_abi(release);
	return 0;
}

int pgf_faultview_begin(struct pgf_faultview *view, const struct pgf_run *run)
{
	if (view->line.format == PGF_LINE_JSON)
		return pgf_json_header(view->out, run);
	return pgf_faultline_header(view->out, &view->line);
}

int pgf_faultview_stack(struct pgf_faultview *view, uint32_t stack_id, const uint64_t *ips,
                        size_t count)
{
	int ret = view->stacks ? 0 : pgf_stackbook_new(&view->stacks);

	if (!ret)
		ret = pgf_stackbook_add(view->stacks, stack_id, ips, count);
	return ret == -ENOSPC ? 0 : ret;
}

void pgf_faultview_clear(struct pgf_faultview *view)
{
	pgf_stackbook_free(view->stacks);
	view->stacks = NULL;
}

int pgf_faultview_fault(struct pgf_faultview *view, const struct pgf_fault *fault,
                        const struct pgf_map *map)
{
	struct pgf_frame frames[PGF_STACK_DEPTH];
	const uint64_t *ips = NULL;
	size_t count = 0;

	if (!pgf_faultview_wants(view->options, fault, map))
		return 0;
	view->shown++;
	if (view->stacks && fault->stack_id)
		ips = pgf_stackbook_get(view->stacks, fault->stack_id, &count);
	for (size_t i = 0; i < count; i++)
		frames[i] = (struct pgf_frame){
		        ips[i], code_symbol(view, fault->pid, pgf_stack_place(ips, i))};
	return pgf_faultline_stacked(
	        view->out, &view->line, fault, map,
	        code_symbol(view, fault->pid, fault->flags & PGF_F_NO_IP ? 0 : fault->ip),
	        ips ? frames : NULL, count);
}

int pgf_faultview_space(struct pgf_faultview *view, const struct pgf_space_event *event)
{
	if (event->type != PGF_SPACE_EXIT || event->tid != event->pid)
		return 0;
	return pgf_faultline_exit(view->out, &view->line, event,
	                          pgf_space_comm(view->space, event->pid, event->tid));
}

void pgf_faultview_end(struct pgf_faultview *view, const struct pgf_totals *totals,
                       const char *tier)
{
	const uint64_t gup = totals->task_min + totals->task_maj - totals->seen;

	fflush(view->out);
	fprintf(stderr,
	        "pgfault: %llu of %llu faults shown, %llu failed, %llu unfinished, %llu lost; "
	        "tier %s",
	        (unsigned long long)view->shown,
	        (unsigned long long)(totals->seen + totals->failed + totals->unfinished),
	        (unsigned long long)totals->failed, (unsigned long long)totals->unfinished,
	        (unsigned long long)(totals->lost_events + totals->lost_detail), tier);
	if (totals->lost_stacks)
		fprintf(stderr, "; %llu stacks lost", (unsigned long long)totals->lost_stacks);
	if (totals->task_known)
		fprintf(stderr, "; the tasks counted %lld more (%s)", (long long)gup,
		        totals->gup_separable ? "GUP" : "kernel mode or GUP");
	fputc('\n', stderr);
}
