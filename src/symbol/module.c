/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/module.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gelf.h>

#include "symbol/names.h"

#define SEGMENTS_MAX      64
#define SYMBOLS_BYTES_MAX (512ull << 20) /* a larger symbol or string table is left alone */

struct segment {
	uint64_t offset;
	uint64_t size; /* bytes in the file */
	uint64_t addr;
};

/* An ELF file and the descriptor behind it. */
struct elf_file {
	Elf *elf;
	int fd;
	bool trusted; /* root's own, in our root directory */
};

struct pgf_module {
	struct elf_file main;
	struct elf_file debug; /* the separate debug file; elf NULL without */
	struct segment segment[SEGMENTS_MAX];
	size_t segments;
	struct pgf_names names;
	struct pgf_dwarf *dwarf;
	bool dwarf_tried;
};

static void close_file(struct elf_file *file)
{
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct elf_file){.fd = -1};
}

static bool is_our_root(int root)
{
	struct stat ours;
	struct stat theirs;

	return root < 0 || (stat("/", &ours) == 0 && fstat(root, &theirs) == 0 &&
	                    ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev);
}

static int open_file(struct elf_file *file, int fd, int root)
{
	struct stat st;

	elf_version(EV_CURRENT);
	file->fd = fd;
	/* In another root, uid 0 may be a container's user. */
	file->trusted = fstat(fd, &st) == 0 && st.st_uid == 0 && is_our_root(root);
	/* Never by mmap: the file may be cut under our hands, which would be SIGBUS here. */
	file->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (file->elf && elf_kind(file->elf) == ELF_K_ELF)
		return 0;
	close_file(file);
	return -ENOEXEC;
}

static void read_segments(struct pgf_module *module)
{
	size_t count;
	size_t i;

	if (elf_getphdrnum(module->main.elf, &count) < 0)
		return;
	for (i = 0; i < count && module->segments < SEGMENTS_MAX; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(module->main.elf, (int)i, &phdr) || phdr.p_type != PT_LOAD ||
		    phdr.p_filesz == 0)
			continue;
		module->segment[module->segments++] =
		        (struct segment){phdr.p_offset, phdr.p_filesz, phdr.p_vaddr};
	}
}

/* Assembly entry points carry no type; data and mapping symbols must not be taken for them. */
static bool is_code(Elf *elf, const GElf_Sym *sym, const char *name)
{
	int type = GELF_ST_TYPE(sym->st_info);
	GElf_Shdr shdr;
	Elf_Scn *scn;

	if (sym->st_shndx == SHN_UNDEF || !name || !*name)
		return false;
	if (type == STT_FUNC || type == STT_GNU_IFUNC)
		return true;
	if (type != STT_NOTYPE || name[0] == '$' || name[0] == '.' ||
	    sym->st_shndx >= SHN_LORESERVE)
		return false;
	scn = elf_getscn(elf, sym->st_shndx);
	return scn && gelf_getshdr(scn, &shdr) && shdr.sh_flags & SHF_EXECINSTR;
}

/* Names that other files bind to are the ones people know. */
static uint32_t rank_of(const GElf_Sym *sym, const char *name)
{
	uint32_t rank = 0;

	if (GELF_ST_TYPE(sym->st_info) != STT_NOTYPE)
		rank += 8;
	if (GELF_ST_BIND(sym->st_info) == STB_GLOBAL)
		rank += 4;
	else if (GELF_ST_BIND(sym->st_info) == STB_WEAK)
		rank += 2;
	return rank + (name[0] != '_');
}

static int read_section(struct pgf_module *module, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Scn *texts = elf_getscn(elf, shdr->sh_link);
	Elf_Data *data;
	GElf_Shdr text;
	GElf_Ehdr ehdr;
	size_t count;
	size_t i;
	uint64_t mask = ~0ull;

	if (!texts || !gelf_getshdr(texts, &text) || !shdr->sh_entsize ||
	    shdr->sh_size > SYMBOLS_BYTES_MAX || text.sh_size > SYMBOLS_BYTES_MAX)
		return 0;
	data = elf_getdata(scn, NULL);
	if (!data || !gelf_getehdr(elf, &ehdr))
		return 0;
	/* Bit 0 of a Thumb function says how to call it, not where it is. */
	if (ehdr.e_machine == EM_ARM)
		mask = ~1ull;
	count = data->d_size / shdr->sh_entsize;
	for (i = 0; i < count; i++) {
		GElf_Sym sym;
		const char *name;
		int err;

		if (!gelf_getsym(data, (int)i, &sym))
			break;
		name = elf_strptr(elf, shdr->sh_link, sym.st_name);
		if (!is_code(elf, &sym, name))
			continue;
		err = pgf_names_add(&module->names, sym.st_value & mask, sym.st_size, name,
		                    strlen(name), rank_of(&sym, name));
		if (err)
			return err == -E2BIG ? 0 : err;
	}
	return 0;
}

static int read_symbols(struct pgf_module *module, Elf *elf, unsigned int type)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;

		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == type)
			return read_section(module, elf, scn, &shdr);
	}
	return 0;
}

static int read_names(struct pgf_module *module)
{
	int err = read_symbols(module, module->main.elf, SHT_SYMTAB);

	if (!err && !module->names.count && module->debug.elf)
		err = read_symbols(module, module->debug.elf, SHT_SYMTAB);
	if (!err && !module->names.count)
		err = read_symbols(module, module->main.elf, SHT_DYNSYM);
	pgf_names_sort(&module->names);
	return err;
}

int pgf_module_open(struct pgf_module **out, int fd, const char *path, int root)
{
	struct pgf_module *module = calloc(1, sizeof(*module));
	int debug;
	int err;

	*out = NULL;
	if (!module) {
		close(fd);
		return -ENOMEM;
	}
	module->debug.fd = -1;
	err = open_file(&module->main, fd, root);
	if (!err) {
		read_segments(module);
		debug = pgf_locate_debug(module->main.elf, path, root);
		if (debug >= 0)
			open_file(&module->debug, debug, root);
		err = read_names(module);
	}
	if (err) {
		pgf_module_close(module);
		return err;
	}
	*out = module;
	return 0;
}

int pgf_module_image(struct pgf_module **out, char *image, size_t size)
{
	struct pgf_module *module = calloc(1, sizeof(*module));
	int err = -ENOEXEC;

	*out = NULL;
	if (!module)
		return -ENOMEM;
	elf_version(EV_CURRENT);
	module->main.fd = -1;
	module->debug.fd = -1;
	module->dwarf_tried = true;
	module->main.elf = elf_memory(image, size);
	if (module->main.elf && elf_kind(module->main.elf) == ELF_K_ELF) {
		read_segments(module);
		err = read_names(module);
	}
	if (err) {
		pgf_module_close(module);
		return err;
	}
	*out = module;
	return 0;
}

void pgf_module_close(struct pgf_module *module)
{
	if (!module)
		return;
	pgf_dwarf_close(module->dwarf);
	close_file(&module->main);
	close_file(&module->debug);
	pgf_names_clear(&module->names);
	free(module);
}

void pgf_module_fit(struct pgf_module *module, const struct pgf_symbol_query *query)
{
	uint64_t mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;
	struct segment found = {0};
	size_t count;
	size_t i;

	module->segments = 0;
	if (elf_getphdrnum(module->main.elf, &count) < 0)
		return;
	for (i = 0; i < count; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(module->main.elf, (int)i, &phdr) || phdr.p_type != PT_LOAD ||
		    !(phdr.p_flags & PF_X))
			continue;
		if (found.size)
			return;
		found = (struct segment){query->pgoff, (phdr.p_vaddr & mask) + phdr.p_memsz,
		                         phdr.p_vaddr & ~mask};
	}
	if (found.size && ((found.size + mask) & ~mask) == query->end - query->start)
		module->segment[module->segments++] = found;
}

int pgf_module_address(const struct pgf_module *module, uint64_t offset, uint64_t *addr)
{
	size_t i;

	for (i = 0; i < module->segments; i++) {
		const struct segment *segment = &module->segment[i];

		if (offset >= segment->offset && offset - segment->offset < segment->size) {
			*addr = offset - segment->offset + segment->addr;
			return 0;
		}
	}
	return -ENOENT;
}

const char *pgf_module_function(const struct pgf_module *module, uint64_t addr, uint64_t *start)
{
	const struct pgf_name *name = pgf_names_find(&module->names, addr);

	if (!name)
		return NULL;
	*start = name->addr;
	return pgf_names_text(&module->names, name);
}

static int open_dwarf(struct pgf_module *module, const struct elf_file *file)
{
	return file->elf ? pgf_dwarf_open(&module->dwarf, file->elf, file->trusted) : -ENOENT;
}

int pgf_module_place(struct pgf_module *module, uint64_t addr, struct pgf_dwarf_place *place)
{
	if (!module->dwarf_tried) {
		module->dwarf_tried = true;
		if (open_dwarf(module, &module->main) != 0)
			open_dwarf(module, &module->debug);
	}
	return module->dwarf ? pgf_dwarf_find(module->dwarf, addr, place) : -ENOENT;
}
