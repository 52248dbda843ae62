/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/build_id.h"
#include "symbol/symbol.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gelf.h>

#define NOTES_MAX (1u << 20) /* bytes of notes looked at in one segment */

/* NT_GNU_BUILD_ID of owner "GNU" in one block of notes. */
static ssize_t find_note(Elf_Data *data, const void **build)
{
	size_t at = 0;
	size_t name;
	size_t desc;
	size_t next;
	GElf_Nhdr note;

	while (data && data->d_buf && (next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
		    !memcmp((const char *)data->d_buf + name, "GNU", sizeof("GNU")) &&
		    note.n_descsz > 0 && note.n_descsz <= PGF_BUILD_ID_MAX) {
			*build = (const char *)data->d_buf + desc;
			return (ssize_t)note.n_descsz;
		}
		at = next;
	}
	return -ENOENT;
}

static Elf_Type note_type(uint64_t align)
{
	return align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
}

ssize_t pgf_build_id_elf(Elf *elf, const void **build)
{
	Elf_Scn *scn = NULL;
	size_t count;
	size_t i;
	ssize_t size;

	if (elf_getphdrnum(elf, &count) < 0)
		count = 0;
	for (i = 0; i < count && i < 1024; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(elf, (int)i, &phdr) || phdr.p_type != PT_NOTE ||
		    phdr.p_filesz > NOTES_MAX)
			continue;
		size = find_note(elf_getdata_rawchunk(elf, (int64_t)phdr.p_offset, phdr.p_filesz,
		                                      note_type(phdr.p_align)),
		                 build);
		if (size > 0)
			return size;
	}
	/* A debug file keeps its note section, but not always a segment with contents. */
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_NOTE ||
		    shdr.sh_size > NOTES_MAX)
			continue;
		size = find_note(elf_getdata(scn, NULL), build);
		if (size > 0)
			return size;
	}
	return -ENOENT;
}

int pgf_build_id(int fd, void *buf, size_t size)
{
	const void *build;
	Elf *elf;
	ssize_t found;

	elf_version(EV_CURRENT);
	/* Never by mmap: the file may be cut under our hands, which would be SIGBUS here. */
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		return -ENOEXEC;
	}
	found = pgf_build_id_elf(elf, &build);
	if (found > 0 && (size_t)found > size)
		found = -E2BIG;
	else if (found > 0)
		memcpy(buf, build, (size_t)found);
	elf_end(elf);
	return (int)found;
}

int pgf_build_id_path(const char *path, void *buf, size_t size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int found;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		found = -errno;
	else
		found = S_ISREG(st.st_mode) ? pgf_build_id(fd, buf, size) : -ENOEXEC;
	close(fd);
	return found;
}
