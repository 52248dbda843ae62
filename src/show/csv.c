/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/json.h"

#include <errno.h>
#include <inttypes.h>

#include "show/escape.h"
#include "show/frames.h"
#include "show/naming.h"

static void put(FILE *out, const char *text)
{
	pgf_escape_csv(out, text);
	putc(',', out);
}

static void put_number(FILE *out, uint64_t value, bool known)
{
	if (known)
		fprintf(out, "%" PRIu64, value);
	putc(',', out);
}

static void put_names(FILE *out, const struct pgf_row *row)
{
	bool kind = row->by == PGF_BY_KIND || row->by == PGF_BY_KIND_MAP;
	bool map = row->by == PGF_BY_MAP || row->by == PGF_BY_KIND_MAP;
	const struct pgf_symbol *symbol = row->symbol;
	char text[64];

	put(out, pgf_by_name(row->by));
	put(out, kind ? pgf_naming_kind_id(text, sizeof(text), row->kind, row->class) : NULL);
	put(out, row->map);
	put(out, map ? pgf_map_type_name(row->map_type) : NULL);
	put_number(out, row->pid, row->pid);
	put_number(out, row->tid, row->tid);
	put(out, row->comm);
	put_number(out, row->cgroup, row->by == PGF_BY_CGROUP);
	snprintf(text, sizeof(text), "0x%" PRIx64, row->ip);
	put(out, row->ip ? text : NULL);
	put(out, symbol ? symbol->func : NULL);
	put(out, symbol ? symbol->file : NULL);
	put_number(out, symbol ? symbol->line : 0, symbol && symbol->line);
	put(out, symbol ? symbol->path : NULL);
}

static void put_row(FILE *out, const struct pgf_row *row)
{
	const struct pgf_stat *stat = &row->stat;

	put_names(out, row);
	put_number(out, stat->count, true);
	put_number(out, stat->ns, stat->timed);
	put_number(out, stat->p50_ns, stat->dist_known);
	put_number(out, stat->p90_ns, stat->dist_known);
	put_number(out, stat->p99_ns, stat->dist_known);
	put_number(out, stat->max_ns, stat->timed);
	put_number(out, stat->major, true);
	put_number(out, stat->inferred, true);
	put_number(out, stat->failed, true);
	put_number(out, stat->unfinished, true);
	fprintf(out, "%" PRIu64 "\r\n", pgf_stat_again(stat));
}

static void put_folded(FILE *out, const struct pgf_rows *rows)
{
	size_t i;

	for (i = 0; i < rows->count; i++) {
		pgf_frames_folded(out, rows->row[i].frames, rows->row[i].frame_count);
		fprintf(out, " %" PRIu64 "\n", rows->row[i].stat.count);
	}
}

int pgf_csv_rows(FILE *out, const struct pgf_run *run, enum pgf_by by)
{
	struct pgf_rows *rows;
	size_t i;
	int err = pgf_account_rows(run->account, by, run->sort, run->top, run->symbols, &rows);

	if (err)
		return err;
	if (by == PGF_BY_STACK) {
		put_folded(out, rows);
		pgf_rows_free(rows);
		return ferror(out) ? -EIO : 0;
	}
	fputs("by,kind,map,map_type,pid,tid,comm,cgroup,ip,function,file,line,module,count,ns,"
	      "p50_ns,p90_ns,p99_ns,max_ns,major,inferred,failed,unfinished,again\r\n",
	      out);
	for (i = 0; i < rows->count; i++)
		put_row(out, &rows->row[i]);
	pgf_rows_free(rows);
	return ferror(out) ? -EIO : 0;
}
