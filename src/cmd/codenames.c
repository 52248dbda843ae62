/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/codenames.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "account/stacks.h"
#include "symbol/symbol.h"

#define PLACES_MAX 65536
#define FILES_MAX  16384
#define STACKS_MAX (1u << 20) /* of all processes */

/* One address whose name will not be found later. */
struct place {
	uint64_t ip;
	uint32_t pid; /* 0: kernel */
	bool used;
	const struct pgf_symbol *symbol;
};

struct file {
	uint64_t ino;
	uint32_t dev;
	char *path;
};

struct pgf_codenames {
	struct pgf_space *space;
	struct pgf_symbols *symbols;
	struct place *places; /* open addressing; a power of two */
	size_t place_count;
	struct file *files;
	size_t file_count;
	size_t file_room;
	struct pgf_stackbook *stacks; /* NULL until the first */
	struct pgf_keys stacks_seen;  /* pid << 32 | id: all frames were looked at */
	uint32_t last_pid;
};

int pgf_codenames_new(struct pgf_codenames **out, struct pgf_space *space)
{
	struct pgf_codenames *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->space = space;
	n->places = calloc(PLACES_MAX, sizeof(*n->places));
	if (!n->places || pgf_symbols_new(&n->symbols)) {
		pgf_codenames_free(n);
		return -ENOMEM;
	}
	*out = n;
	return 0;
}

void pgf_codenames_free(struct pgf_codenames *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->file_count; i++)
		free(n->files[i].path);
	pgf_symbols_free(n->symbols);
	pgf_stackbook_free(n->stacks);
	pgf_keys_clear(&n->stacks_seen);
	free(n->files);
	free(n->places);
	free(n);
}

static bool is_kernel(uint64_t ip)
{
	return ip >> 63;
}

/* A file that is there later, under its own name and inode, is looked up then. */
static bool file_stays(const struct pgf_map *map)
{
	return map && map->type == PGF_MAP_FILE && map->name[0] == '/' &&
	       !strstr(map->name, " (deleted)");
}

static struct place *place_find(struct pgf_codenames *n, uint64_t ip, uint32_t pid)
{
	uint64_t hash = (ip ^ ((uint64_t)pid << 40)) * 0x9e3779b97f4a7c15ull;

	for (size_t i = hash >> 40;; i++) {
		struct place *p = &n->places[i & (PLACES_MAX - 1)];

		if (!p->used || (p->ip == ip && p->pid == pid))
			return p;
	}
}

static void place_add(struct pgf_codenames *n, uint32_t pid, uint64_t ip)
{
	struct pgf_symbol_query query = {.ip = ip, .pid = pid};
	const struct pgf_map *map = NULL;
	struct place *place;

	if (!ip)
		return;
	if (!is_kernel(ip)) {
		map = pgf_space_find(n->space, pid, ip);
		if (file_stays(map))
			return;
	}
	place = place_find(n, ip, is_kernel(ip) ? 0 : pid);
	if (place->used || n->place_count >= PLACES_MAX / 2)
		return;
	if (pid != n->last_pid) {
		n->last_pid = pid;
		pgf_symbols_hold(n->symbols, pid);
	}
	if (map) {
		query.start = map->start;
		query.end = map->end;
		query.pgoff = map->pgoff;
		query.ino = map->ino;
		query.dev = map->dev;
		query.path = map->name;
	}
	place->used = true;
	place->ip = ip;
	place->pid = is_kernel(ip) ? 0 : pid;
	/* Now, while the process lives: its JIT map may be gone with it. */
	place->symbol = pgf_symbols_find(n->symbols, &query);
	n->place_count++;
}

int pgf_codenames_stack(struct pgf_codenames *n, uint32_t stack_id, const uint64_t *ips,
                        size_t count)
{
	int ret = n->stacks ? 0 : pgf_stackbook_new(&n->stacks);

	if (!ret)
		ret = pgf_stackbook_add(n->stacks, stack_id, ips, count);
	return ret == -ENOSPC ? 0 : ret;
}

static int frames_add(struct pgf_codenames *n, const struct pgf_fault *fault)
{
	const struct pgf_key key = {.a = (uint64_t)fault->pid << 32 | fault->stack_id};
	const uint64_t *ips;
	size_t count;
	bool added;

	if (n->stacks_seen.count >= STACKS_MAX)
		return 0;
	if (pgf_keys_add(&n->stacks_seen, &key, &added) == PGF_KEYS_NONE)
		return -ENOMEM;
	if (!added)
		return 0;
	ips = pgf_stackbook_get(n->stacks, fault->stack_id, &count);
	for (size_t i = 0; i < count; i++)
		place_add(n, fault->pid, pgf_stack_place(ips, i));
	return 0;
}

int pgf_codenames_fault(struct pgf_codenames *n, const struct pgf_fault *fault)
{
	if (!(fault->flags & PGF_F_NO_IP))
		place_add(n, fault->pid, fault->ip);
	return n->stacks && fault->stack_id ? frames_add(n, fault) : 0;
}

int pgf_codenames_space(struct pgf_codenames *n, const struct pgf_space_event *event)
{
	struct file *file;

	if (event->type != PGF_SPACE_MMAP || !event->ino || !event->name || event->name[0] != '/' ||
	    !(event->prot & PROT_EXEC))
		return 0;
	for (size_t i = n->file_count; i > 0; i--)
		if (n->files[i - 1].ino == event->ino && n->files[i - 1].dev == event->dev)
			return 0;
	if (n->file_count == FILES_MAX)
		return 0;
	if (n->file_count == n->file_room) {
		size_t room = n->file_room ? n->file_room * 2 : 64;
		struct file *files = realloc(n->files, room * sizeof(*files));

		if (!files)
			return -ENOMEM;
		n->files = files;
		n->file_room = room;
	}
	file = &n->files[n->file_count];
	file->path = strdup(event->name);
	if (!file->path)
		return -ENOMEM;
	file->ino = event->ino;
	file->dev = event->dev;
	n->file_count++;
	return 0;
}

static int symbol_write(struct pgf_writer *writer, const struct place *p, uint32_t *id)
{
	const struct pgf_symbol *s = p->symbol;
	struct pgf_record_symbol symbol = {
	        .addr = p->ip,
	        .offset = s->offset,
	        .id = *id,
	        .pid = p->pid,
	        .line = s->line,
	        .exact = s->exact,
	        .func = s->func,
	        .file = s->file,
	        .module = s->module,
	        .path = s->path,
	};

	(*id)++;
	return pgf_writer_symbol(writer, &symbol);
}

static int module_write(struct pgf_writer *writer, const struct file *file)
{
	char hex[2 * PGF_BUILD_ID_MAX + 1];
	unsigned char id[PGF_BUILD_ID_MAX];
	struct pgf_record_module module = {
	        .ino = file->ino, .dev = file->dev, .path = file->path, .build = hex};
	int n = pgf_build_id_path(file->path, id, sizeof(id));

	if (n <= 0)
		return 0;
	for (int i = 0; i < n; i++)
		snprintf(hex + (size_t)i * 2, 3, "%02x", id[i]);
	return pgf_writer_module(writer, &module);
}

int pgf_codenames_write(struct pgf_codenames *n, struct pgf_writer *writer)
{
	uint32_t id = 1;
	int ret = 0;

	for (size_t i = 0; !ret && i < n->file_count; i++)
		ret = module_write(writer, &n->files[i]);
	for (size_t i = 0; !ret && i < PLACES_MAX; i++)
		if (n->places[i].used)
			ret = symbol_write(writer, &n->places[i], &id);
	return ret;
}
