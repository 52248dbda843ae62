/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/symbol.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/demangle.h"
#include "symbol/known.h"
#include "symbol/locate.h"
#include "symbol/module.h"
#include "symbol/names.h"
#include "symbol/textmap.h"

#define HELD_MAX      256
#define OPEN_MAX      128         /* files open at once: up to three descriptors each */
#define PLACES_MAX    (64u << 10) /* files and JIT maps known */
#define SYMBOLS_MAX   (1u << 20)
#define READS_MAX     16 /* a held process is looked at again so often: it may change its user */
#define RETRIES_MAX   4  /* processes through which an unreachable file is tried */
#define VDSO_SIZE_MAX (64u << 10)

/* What a range of code belongs to. */
enum place_type { PLACE_NONE = 0, PLACE_FILE = 1, PLACE_JIT = 2, PLACE_KERNEL = 3, PLACE_VDSO = 4 };

struct place {
	enum place_type type;
	uint32_t dev;
	uint64_t ino;
	uint32_t pid; /* JIT; FILE: the process it was last tried through */
	uint32_t tries;
	uint64_t used;      /* last use, for closing the longest unused file */
	char *path;         /* FILE */
	const char *module; /* what to show */
	struct pgf_module *elf;
	struct pgf_names names; /* JIT, KERNEL */
	bool exact;
	bool loaded; /* names were read, or cannot be */
};

struct cached {
	uint32_t place;
	uint64_t addr;
	struct pgf_symbol *symbol; /* NULL: free slot */
};

struct text {
	struct text *next;
	char data[];
};

struct pgf_symbols {
	struct pgf_held held[HELD_MAX];
	size_t held_count;
	struct place *place; /* 0: none, 1: kernel, 2: vdso, then files and JIT maps */
	size_t places;
	size_t place_room;
	size_t open;
	uint64_t clock;
	struct cached *cache;
	size_t cached;
	size_t cache_room; /* a power of two */
	struct text *texts;
	struct text *symbols;
	char *vdso;
	struct pgf_known known;
	bool offline;
	uint64_t wall_ns; /* offline: a file that changed later is not the mapped one */
};

static const struct pgf_symbol nothing = {.module = "?", .path = ""};

static const char *keep_text(struct pgf_symbols *symbols, const char *text)
{
	size_t size = strlen(text) + 1;
	struct text *kept = malloc(sizeof(*kept) + size);

	if (!kept)
		return NULL;
	memcpy(kept->data, text, size);
	kept->next = symbols->texts;
	symbols->texts = kept;
	return kept->data;
}

static struct pgf_symbol *new_symbol(struct pgf_symbols *symbols)
{
	struct text *kept = calloc(1, sizeof(*kept) + sizeof(struct pgf_symbol));

	if (!kept)
		return NULL;
	kept->next = symbols->symbols;
	symbols->symbols = kept;
	return (struct pgf_symbol *)(void *)kept->data;
}

static void free_texts(struct text *text)
{
	while (text) {
		struct text *next = text->next;

		free(text);
		text = next;
	}
}

static struct place *add_place(struct pgf_symbols *symbols, enum place_type type)
{
	struct place *place;

	if (symbols->places >= PLACES_MAX)
		return NULL;
	if (symbols->places == symbols->place_room) {
		size_t room = symbols->place_room ? symbols->place_room * 2 : 32;

		place = reallocarray(symbols->place, room, sizeof(*place));
		if (!place)
			return NULL;
		symbols->place = place;
		symbols->place_room = room;
	}
	place = &symbols->place[symbols->places++];
	*place = (struct place){.type = type, .module = "?"};
	return place;
}

int pgf_symbols_new(struct pgf_symbols **out)
{
	struct pgf_symbols *symbols = calloc(1, sizeof(*symbols));

	*out = NULL;
	if (!symbols)
		return -ENOMEM;
	symbols->cache_room = 1024;
	symbols->cache = calloc(symbols->cache_room, sizeof(*symbols->cache));
	if (!symbols->cache || !add_place(symbols, PLACE_NONE) ||
	    !add_place(symbols, PLACE_KERNEL) || !add_place(symbols, PLACE_VDSO)) {
		pgf_symbols_free(symbols);
		return -ENOMEM;
	}
	symbols->place[1].module = "[kernel]";
	symbols->place[2].module = "[vdso]";
	*out = symbols;
	return 0;
}

void pgf_symbols_free(struct pgf_symbols *symbols)
{
	size_t i;

	if (!symbols)
		return;
	for (i = 0; i < symbols->places; i++) {
		pgf_module_close(symbols->place[i].elf);
		pgf_names_clear(&symbols->place[i].names);
		free(symbols->place[i].path);
	}
	for (i = 0; i < symbols->held_count; i++)
		if (symbols->held[i].root >= 0)
			close(symbols->held[i].root);
	free_texts(symbols->texts);
	free_texts(symbols->symbols);
	pgf_known_clear(&symbols->known);
	free(symbols->place);
	free(symbols->cache);
	free(symbols->vdso);
	free(symbols);
}

static struct pgf_held *find_held(struct pgf_symbols *symbols, uint32_t pid)
{
	size_t i;

	for (i = 0; i < symbols->held_count; i++)
		if (symbols->held[i].pid == pid)
			return &symbols->held[i];
	return NULL;
}

int pgf_symbols_hold(struct pgf_symbols *symbols, uint32_t pid)
{
	struct pgf_held held;
	struct pgf_held *old = find_held(symbols, pid);
	int err;

	if (symbols->offline)
		return 0;
	if (!old && symbols->held_count == HELD_MAX)
		return -ENOSPC;
	if (old && old->reads >= READS_MAX)
		return 0;
	err = pgf_locate_hold(&held, pid);
	if (err)
		return old ? 0 : err;
	held.reads = old ? old->reads + 1 : 1;
	if (old && old->root >= 0)
		close(old->root);
	if (!old)
		old = &symbols->held[symbols->held_count++];
	*old = held;
	return 0;
}

int pgf_symbols_preset(struct pgf_symbols *symbols, uint32_t pid, uint64_t ip,
                       const struct pgf_symbol *symbol)
{
	return pgf_known_add(&symbols->known, pid, ip, symbol);
}

int pgf_symbols_build(struct pgf_symbols *symbols, uint32_t dev, uint64_t ino, const char *path,
                      const void *build, size_t size)
{
	struct pgf_known_build known = {.ino = ino, .dev = dev, .path = (char *)(uintptr_t)path};

	if (!size || size > sizeof(known.build))
		return -EINVAL;
	known.size = (uint32_t)size;
	memcpy(known.build, build, size);
	return pgf_known_build_add(&symbols->known, &known);
}

void pgf_symbols_offline(struct pgf_symbols *symbols, uint64_t wall_ns)
{
	symbols->offline = true;
	symbols->wall_ns = wall_ns;
}

static size_t hash(uint32_t place, uint64_t addr)
{
	uint64_t h = (addr ^ (uint64_t)place << 48) * 0x9e3779b97f4a7c15ull;

	return h ^ h >> 32;
}

static struct cached *cache_slot(const struct pgf_symbols *symbols, uint32_t place, uint64_t addr)
{
	size_t i = hash(place, addr) & (symbols->cache_room - 1);

	while (symbols->cache[i].symbol &&
	       (symbols->cache[i].place != place || symbols->cache[i].addr != addr))
		i = (i + 1) & (symbols->cache_room - 1);
	return &symbols->cache[i];
}

static int cache_grow(struct pgf_symbols *symbols)
{
	struct pgf_symbols grown = *symbols;
	size_t i;

	grown.cache_room *= 2;
	grown.cache = calloc(grown.cache_room, sizeof(*grown.cache));
	if (!grown.cache)
		return -ENOMEM;
	for (i = 0; i < symbols->cache_room; i++) {
		const struct cached *old = &symbols->cache[i];

		if (old->symbol)
			*cache_slot(&grown, old->place, old->addr) = *old;
	}
	free(symbols->cache);
	symbols->cache = grown.cache;
	symbols->cache_room = grown.cache_room;
	return 0;
}

static void close_longest_unused(struct pgf_symbols *symbols)
{
	struct place *oldest = NULL;
	size_t i;

	for (i = 0; i < symbols->places; i++) {
		struct place *place = &symbols->place[i];

		if (place->type == PLACE_FILE && place->elf &&
		    (!oldest || place->used < oldest->used))
			oldest = place;
	}
	if (oldest) {
		pgf_module_close(oldest->elf);
		oldest->elf = NULL;
		oldest->tries = 0;
		symbols->open--;
	}
}

static bool is_changed(int fd, uint64_t wall_ns)
{
	struct stat st;

	return fstat(fd, &st) < 0 ||
	       (uint64_t)st.st_ctim.tv_sec * 1000000000ull + (uint64_t)st.st_ctim.tv_nsec > wall_ns;
}

/* The mapped file, or with its build id at least its debug file. A descriptor or -errno. */
static int locate(const struct pgf_symbols *symbols, const struct pgf_symbol_query *query,
                  const struct pgf_held *held, bool *exact, bool *debug)
{
	int fd = pgf_locate_mapped(query, held, exact);

	*debug = false;
	if (fd >= 0 && symbols->offline &&
	    (!*exact || (!query->build && is_changed(fd, symbols->wall_ns)))) {
		close(fd);
		fd = -ESTALE;
	}
	if (fd >= 0 || !query->build)
		return fd;
	fd = pgf_locate_build(held ? held->root : -1, query->build, query->build_size);
	*exact = *debug = fd >= 0;
	return fd;
}

static void open_file(struct pgf_symbols *symbols, struct place *place,
                      const struct pgf_symbol_query *asked)
{
	struct pgf_symbol_query copy = *asked, *query = &copy;
	struct pgf_held here = {.root = -1};
	const struct pgf_held *held = find_held(symbols, query->pid);
	const struct pgf_known_build *known = pgf_known_build_find(&symbols->known, query);
	bool exact, debug;
	int fd;

	place->used = ++symbols->clock;
	if (place->elf || place->tries >= RETRIES_MAX || (place->tries && place->pid == query->pid))
		return;
	place->tries++;
	place->pid = query->pid;
	if (known && !query->build) {
		query->build = known->build;
		query->build_size = known->size;
	}
	if (symbols->offline)
		query->pid = 0;
	if (!held && query->pid && pgf_locate_hold(&here, query->pid) == 0)
		held = &here;
	fd = locate(symbols, query, held, &exact, &debug);
	if (fd >= 0) {
		if (symbols->open >= OPEN_MAX)
			close_longest_unused(symbols);
		if (pgf_module_open(&place->elf, fd, query->path, held ? held->root : -1) == 0) {
			if (debug)
				pgf_module_fit(place->elf, query);
			place->exact = exact;
			symbols->open++;
		}
	}
	if (here.root >= 0)
		close(here.root);
}

static void open_vdso(struct pgf_symbols *symbols, struct place *place)
{
	const char *own = (const char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *ehdr = (const void *)own;
	size_t size;

	if (place->loaded || !own || symbols->offline)
		return;
	place->loaded = true;
	if (sizeof(void *) != 8 || ehdr->e_ident[EI_CLASS] != ELFCLASS64)
		return;
	/* The image ends with its section headers. */
	size = ehdr->e_shoff + (size_t)ehdr->e_shnum * ehdr->e_shentsize;
	if (size > VDSO_SIZE_MAX)
		return;
	symbols->vdso = malloc(size);
	if (!symbols->vdso)
		return;
	memcpy(symbols->vdso, own, size);
	pgf_module_image(&place->elf, symbols->vdso, size);
}

static void open_names(struct pgf_symbols *symbols, struct place *place, uint32_t pid)
{
	struct pgf_held here = {.pid = pid, .inner_pid = pid, .uid = geteuid(), .root = -1};
	const struct pgf_held *held = find_held(symbols, pid);

	if (place->loaded || symbols->offline)
		return;
	place->loaded = true;
	if (place->type == PLACE_KERNEL) {
		pgf_textmap_kernel(&place->names);
		return;
	}
	if (!held) {
		/* Of a process that is gone and was not held, only our own user's map is trusted.
		 */
		if (pgf_locate_hold(&here, pid) != 0)
			here.pid = here.inner_pid = pid, here.uid = geteuid();
		held = &here;
	}
	pgf_textmap_jit(&place->names, held);
	if (held == &here && here.root >= 0)
		close(here.root);
}

static struct place *find_file(struct pgf_symbols *symbols, const struct pgf_symbol_query *query)
{
	const char *slash;
	struct place *place;
	size_t i;

	for (i = 3; i < symbols->places; i++) {
		place = &symbols->place[i];
		/* Without an inode the name alone says little about another process's file. */
		if (place->type == PLACE_FILE && place->ino == query->ino &&
		    place->dev == query->dev && (query->ino || place->pid == query->pid) &&
		    strcmp(place->path, query->path) == 0)
			return place;
	}
	place = add_place(symbols, PLACE_FILE);
	if (!place)
		return &symbols->place[0];
	place->dev = query->dev;
	place->ino = query->ino;
	place->path = strdup(query->path);
	if (!place->path) {
		symbols->places--;
		return &symbols->place[0];
	}
	slash = strrchr(place->path, '/');
	place->module = slash && slash[1] ? slash + 1 : place->path;
	return place;
}

static struct place *find_jit(struct pgf_symbols *symbols, uint32_t pid)
{
	struct place *place;
	size_t i;

	if (pid == 0)
		return &symbols->place[0];
	for (i = 3; i < symbols->places; i++)
		if (symbols->place[i].type == PLACE_JIT && symbols->place[i].pid == pid)
			return &symbols->place[i];
	place = add_place(symbols, PLACE_JIT);
	if (!place)
		return &symbols->place[0];
	place->pid = pid;
	place->module = "[jit]";
	return place;
}

/* The place of a query, and its address in the numbering of that place. */
static struct place *find_place(struct pgf_symbols *symbols, const struct pgf_symbol_query *query,
                                uint64_t *addr)
{
	bool mapped = query->path && query->ip >= query->start && query->ip < query->end;

	*addr = query->ip;
	if (query->ip >> 63)
		return &symbols->place[1];
	if (mapped && strcmp(query->path, "[vdso]") == 0) {
		*addr = query->ip - query->start;
		return &symbols->place[2];
	}
	if (mapped && query->path[0] == '/' && query->path[1] != '/') {
		*addr = query->ip - query->start + query->pgoff;
		return find_file(symbols, query);
	}
	return find_jit(symbols, query->pid);
}

static const char *readable(struct pgf_symbols *symbols, const char *raw)
{
	char *demangled = pgf_demangle(raw);
	const char *text = keep_text(symbols, demangled ? demangled : raw);

	free(demangled);
	return text;
}

static void fill_inlines(struct pgf_symbols *symbols, struct pgf_symbol *symbol,
                         const struct pgf_dwarf_place *found)
{
	struct text *kept;
	struct pgf_symbol_inline *list;
	uint32_t i;

	if (!found->call_count)
		return;
	kept = malloc(sizeof(*kept) + found->call_count * sizeof(*list));
	if (!kept)
		return;
	kept->next = symbols->texts;
	symbols->texts = kept;
	list = (struct pgf_symbol_inline *)(void *)kept->data;
	for (i = 0; i < found->call_count; i++) {
		const struct pgf_dwarf_call *call = &found->call[i];

		list[i].func = readable(symbols, call->func);
		list[i].file = call->file ? keep_text(symbols, call->file) : NULL;
		list[i].line = call->line;
		if (!list[i].func)
			return;
	}
	symbol->inlines = list;
	symbol->inline_count = found->call_count;
}

static void fill_elf(struct pgf_symbols *symbols, struct pgf_symbol *symbol, struct place *place,
                     uint64_t offset)
{
	struct pgf_dwarf_place found;
	const char *func;
	uint64_t start = 0;
	uint64_t addr;

	if (!place->elf || pgf_module_address(place->elf, offset, &addr) != 0)
		return;
	func = pgf_module_function(place->elf, addr, &start);
	if (pgf_module_place(place->elf, addr, &found) == 0) {
		symbol->file = found.file ? keep_text(symbols, found.file) : NULL;
		symbol->line = found.line;
		if (!func && found.func && found.start <= addr) {
			func = found.func;
			start = found.start;
		}
		fill_inlines(symbols, symbol, &found);
	}
	symbol->exact = place->exact;
	if (!func)
		return;
	symbol->func = readable(symbols, func);
	if (symbol->func)
		symbol->offset = addr - start;
}

static void fill_names(struct pgf_symbols *symbols, struct pgf_symbol *symbol,
                       const struct place *place, uint64_t addr)
{
	const struct pgf_name *name = pgf_names_find(&place->names, addr);
	const char *raw;
	const char *tab;
	char func[512];

	if (!name)
		return;
	raw = pgf_names_text(&place->names, name);
	tab = place->type == PLACE_KERNEL ? strchr(raw, '\t') : NULL;
	snprintf(func, sizeof(func), "%.*s", tab ? (int)(tab - raw) : (int)strlen(raw), raw);
	symbol->func = keep_text(symbols, func);
	symbol->offset = addr - name->addr;
	symbol->exact = place->type == PLACE_KERNEL;
	if (tab) {
		const char *module = keep_text(symbols, tab + 1);

		symbol->module = module ? module : symbol->module;
	}
}

static const struct pgf_symbol *resolve(struct pgf_symbols *symbols, struct place *place,
                                        uint64_t addr, const struct pgf_symbol_query *query)
{
	struct pgf_symbol *symbol = new_symbol(symbols);

	if (!symbol)
		return &nothing;
	symbol->offset = addr;
	switch (place->type) {
	case PLACE_FILE:
		open_file(symbols, place, query);
		fill_elf(symbols, symbol, place, addr);
		break;
	case PLACE_VDSO:
		open_vdso(symbols, place);
		fill_elf(symbols, symbol, place, addr);
		break;
	case PLACE_JIT:
	case PLACE_KERNEL:
		open_names(symbols, place, query->pid);
		symbol->module = place->module;
		fill_names(symbols, symbol, place, addr);
		break;
	case PLACE_NONE:
		break;
	}
	if (!symbol->module)
		symbol->module = place->module;
	/* Code outside of every file and every JIT map is of no known module. */
	if (place->type == PLACE_JIT && !symbol->func)
		symbol->module = "?";
	symbol->path = place->path ? keep_text(symbols, place->path) : symbol->module;
	if (place->type == PLACE_FILE)
		symbol->module = keep_text(symbols, place->module);
	if (!symbol->path || !symbol->module)
		return &nothing;
	return symbol;
}

const struct pgf_symbol *pgf_symbols_find(struct pgf_symbols *symbols,
                                          const struct pgf_symbol_query *query)
{
	const struct pgf_symbol *symbol = pgf_known_find(&symbols->known, query->pid, query->ip);
	struct cached *slot;
	struct place *place;
	uint32_t number;
	uint64_t addr;

	if (symbol)
		return symbol;
	place = find_place(symbols, query, &addr);
	number = (uint32_t)(place - symbols->place);
	slot = cache_slot(symbols, number, addr);

	/* A file that could not be reached may be reachable through another process. */
	if (slot->symbol && !(place->type == PLACE_FILE && !place->elf && !slot->symbol->func &&
	                      place->pid != query->pid && place->tries < RETRIES_MAX))
		return slot->symbol;
	if (symbols->cached >= SYMBOLS_MAX)
		return &nothing;
	symbol = resolve(symbols, place, addr, query);
	if (symbol == &nothing)
		return symbol;
	if (!slot->symbol)
		symbols->cached++;
	*slot = (struct cached){number, addr, (struct pgf_symbol *)(uintptr_t)symbol};
	if (symbols->cached * 2 > symbols->cache_room && cache_grow(symbols) != 0)
		symbols->cached = SYMBOLS_MAX;
	return symbol;
}

int pgf_symbol_text(const struct pgf_symbol *symbol, char *buf, size_t size)
{
	if (symbol->func)
		return snprintf(buf, size, "%s+0x%" PRIx64, symbol->func, symbol->offset);
	if (symbol->path && symbol->path[0] == '/')
		return snprintf(buf, size, "%s+0x%" PRIx64, symbol->module, symbol->offset);
	return snprintf(buf, size, "0x%" PRIx64, symbol->offset);
}
