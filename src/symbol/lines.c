/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/lines.h"
#include "symbol/locate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <gelf.h>

#define DEPTH_MAX  64
#define RANGES_MAX (4u << 20)
#define UNTRUSTED_LINES                                                                            \
	(64ull << 20) /* bytes of .debug_line: a row in memory takes 30 times that */
#define UNTRUSTED_OTHERS (1ull << 30) /* bytes of any other debug section, uncompressed */

/* One contiguous piece of code and the compilation unit it came from. */
struct unit_range {
	uint64_t low;
	uint64_t high; /* exclusive */
	Dwarf_Off unit;
};

struct pgf_dwarf {
	Dwarf *dwarf;
	Dwarf *alt; /* what dwz moved out; NULL without */
	Elf *alt_elf;
	int alt_fd;
	struct unit_range *range;
	size_t count;
	size_t room;
};

/* Compressed sections are measured by what they unpack to. */
static int sections_bounded(Elf *elf, int trusted)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return 0;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		GElf_Chdr chdr;
		const char *name;
		uint64_t size;

		if (!gelf_getshdr(scn, &shdr))
			return 0;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (!name || (strncmp(name, ".debug_", 7) && strncmp(name, ".zdebug_", 8)))
			continue;
		size = shdr.sh_size;
		if (shdr.sh_flags & SHF_COMPRESSED) {
			if (!gelf_getchdr(scn, &chdr))
				return 0;
			size = chdr.ch_size;
		}
		/* The old form states its size inside; nobody writes it any more. */
		if (name[1] == 'z' || size > PGF_FILE_MAX)
			return 0;
		if (trusted)
			continue;
		if (size > (strcmp(name, ".debug_line") ? UNTRUSTED_OTHERS : UNTRUSTED_LINES))
			return 0;
	}
	return 1;
}

/* Debian keeps these files below .dwz and names them by a relative path that ends there. */
static int open_dwz(const char *name, const void *build, size_t size)
{
	uint8_t found[PGF_BUILD_ID_MAX];
	const char *tail = strstr(name, "/.dwz/");
	int root;
	int fd;

	if (!tail)
		return -ENOENT;
	root = open("/usr/lib/debug/.dwz", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -ENOENT;
	fd = pgf_locate_regular(root, tail + strlen("/.dwz/"), PGF_FILE_MAX, true);
	close(root);
	if (fd < 0)
		return -ENOENT;
	if (pgf_build_id(fd, found, sizeof(found)) != (int)size || memcmp(found, build, size)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

/*
 * The file that dwz moved common parts to. libdw would open any name the file gives, a
 * pipe too; only the one with the right build id below /usr/lib/debug is taken.
 */
static int open_alt(struct pgf_dwarf *dwarf)
{
	const char *name;
	const void *build;
	ssize_t size = dwelf_dwarf_gnu_debugaltlink(dwarf->dwarf, &name, &build);

	if (size == 0)
		return 0;
	if (size < 0)
		return -ENOENT;
	dwarf->alt_fd = pgf_locate_build(-1, build, (size_t)size);
	if (dwarf->alt_fd < 0)
		dwarf->alt_fd = open_dwz(name, build, (size_t)size);
	if (dwarf->alt_fd < 0)
		return -ENOENT;
	dwarf->alt_elf = elf_begin(dwarf->alt_fd, ELF_C_READ, NULL);
	if (!dwarf->alt_elf || !sections_bounded(dwarf->alt_elf, 0))
		return -ENOENT;
	dwarf->alt = dwarf_begin_elf(dwarf->alt_elf, DWARF_C_READ, NULL);
	if (!dwarf->alt)
		return -ENOENT;
	dwarf_setalt(dwarf->dwarf, dwarf->alt);
	return 0;
}

static int add_range(struct pgf_dwarf *dwarf, uint64_t low, uint64_t high, Dwarf_Off unit)
{
	if (dwarf->count == dwarf->room) {
		size_t room = dwarf->room ? dwarf->room * 2 : 256;
		struct unit_range *grown = reallocarray(dwarf->range, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		dwarf->range = grown;
		dwarf->room = room;
	}
	dwarf->range[dwarf->count++] = (struct unit_range){low, high, unit};
	return 0;
}

static int range_compare(const void *left, const void *right)
{
	const struct unit_range *a = left;
	const struct unit_range *b = right;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return a->unit < b->unit ? -1 : a->unit > b->unit;
}

/* .debug_aranges is optional, so the ranges are taken from the units themselves. */
static int index_units(struct pgf_dwarf *dwarf)
{
	Dwarf_Off offset = 0;
	Dwarf_Off next;
	size_t header;

	while (dwarf_nextcu(dwarf->dwarf, offset, &next, &header, NULL, NULL, NULL) == 0) {
		Dwarf_Off unit = offset + header;
		Dwarf_Die die;
		Dwarf_Addr base;
		Dwarf_Addr low;
		Dwarf_Addr high;
		ptrdiff_t at = 0;

		if (next <= offset)
			break;
		offset = next;
		if (!dwarf_offdie(dwarf->dwarf, unit, &die) ||
		    dwarf_tag(&die) != DW_TAG_compile_unit)
			continue;
		while (dwarf->count < RANGES_MAX &&
		       (at = dwarf_ranges(&die, at, &base, &low, &high)) > 0)
			/* A discarded section keeps its range at address 0. */
			if (low && low < high && add_range(dwarf, low, high, unit))
				return -ENOMEM;
	}
	if (dwarf->count > 1)
		qsort(dwarf->range, dwarf->count, sizeof(*dwarf->range), range_compare);
	return dwarf->count ? 0 : -ENOENT;
}

int pgf_dwarf_open(struct pgf_dwarf **out, Elf *elf, int trusted)
{
	struct pgf_dwarf *dwarf;
	int err;

	*out = NULL;
	if (!sections_bounded(elf, trusted))
		return -ENOENT;
	dwarf = calloc(1, sizeof(*dwarf));
	if (!dwarf)
		return -ENOMEM;
	dwarf->alt_fd = -1;
	dwarf->dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	err = dwarf->dwarf ? open_alt(dwarf) : -ENOENT;
	if (!err)
		err = index_units(dwarf);
	if (err) {
		pgf_dwarf_close(dwarf);
		return err;
	}
	*out = dwarf;
	return 0;
}

void pgf_dwarf_close(struct pgf_dwarf *dwarf)
{
	if (!dwarf)
		return;
	dwarf_end(dwarf->dwarf);
	dwarf_end(dwarf->alt);
	elf_end(dwarf->alt_elf);
	if (dwarf->alt_fd >= 0)
		close(dwarf->alt_fd);
	free(dwarf->range);
	free(dwarf);
}

static const struct unit_range *find_range(const struct pgf_dwarf *dwarf, uint64_t addr)
{
	size_t low = 0;
	size_t high = dwarf->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (dwarf->range[middle].low <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && addr < dwarf->range[low - 1].high ? &dwarf->range[low - 1] : NULL;
}

static const char *die_name(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
		name = dwarf_formstring(&attr);
	return name ? name : dwarf_diename(die);
}

static void fill_call(Dwarf_Die *unit, Dwarf_Die *die, struct pgf_dwarf_call *call)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;
	Dwarf_Files *files;
	size_t count;

	memset(call, 0, sizeof(*call));
	call->func = die_name(die);
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attr), &value) == 0)
		call->line = (uint32_t)value;
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attr), &value) == 0 &&
	    dwarf_getsrcfiles(unit, &files, &count) == 0 && value < count)
		call->file = dwarf_filesrc(files, value, NULL, NULL);
}

static bool holds_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_structure_type ||
	       tag == DW_TAG_class_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type;
}

/*
 * The subprogram below die that covers addr. libdw's own dwarf_getscopes() recurses as deep
 * as the file says, which a hostile file can overdo; here the depth is bounded.
 */
static bool find_function(Dwarf_Die *die, uint64_t addr, int depth, Dwarf_Die *function)
{
	Dwarf_Die child;

	if (depth > DEPTH_MAX || dwarf_child(die, &child) != 0)
		return false;
	do {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_subprogram && dwarf_haspc(&child, addr) == 1) {
			*function = child;
			return true;
		}
		if (holds_functions(tag) && find_function(&child, addr, depth + 1, function))
			return true;
	} while (dwarf_siblingof(&child, &child) == 0);
	return false;
}

/* The block or inlined function directly below *die that covers addr, into *die. */
static bool descend(Dwarf_Die *die, uint64_t addr)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child) != 0)
		return false;
	do {
		int tag = dwarf_tag(&child);

		if ((tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine ||
		     tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    dwarf_haspc(&child, addr) == 1) {
			*die = child;
			return true;
		}
	} while (dwarf_siblingof(&child, &child) == 0);
	return false;
}

static void fill_scopes(Dwarf_Die *unit, uint64_t addr, struct pgf_dwarf_place *place)
{
	struct pgf_dwarf_call call;
	Dwarf_Addr entry;
	Dwarf_Die die;
	int depth;

	if (!find_function(unit, addr, 0, &die))
		return;
	place->func = die_name(&die);
	if (dwarf_entrypc(&die, &entry) == 0)
		place->start = entry;
	for (depth = 0; depth < DEPTH_MAX && descend(&die, addr); depth++) {
		if (dwarf_tag(&die) != DW_TAG_inlined_subroutine)
			continue;
		fill_call(unit, &die, &call);
		if (!call.func || place->call_count == PGF_DWARF_INLINES)
			continue;
		memmove(&place->call[1], &place->call[0], place->call_count * sizeof(call));
		place->call[0] = call;
		place->call_count++;
	}
}

int pgf_dwarf_find(struct pgf_dwarf *dwarf, uint64_t addr, struct pgf_dwarf_place *place)
{
	const struct unit_range *range = find_range(dwarf, addr);
	Dwarf_Line *line;
	Dwarf_Die unit;
	int number;

	memset(place, 0, sizeof(*place));
	if (!range || !dwarf_offdie(dwarf->dwarf, range->unit, &unit))
		return -ENOENT;
	line = dwarf_getsrc_die(&unit, addr);
	if (line && dwarf_lineno(line, &number) == 0 && number > 0) {
		place->file = dwarf_linesrc(line, NULL, NULL);
		place->line = (uint32_t)number;
	}
	fill_scopes(&unit, addr, place);
	return 0;
}
