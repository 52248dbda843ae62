/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for code addresses: function, source line, inlined callers. ELF files are opened on
 * first lookup only, and everything found is kept. A traced process chooses its files and
 * their contents: sizes are bounded, and a file that is not the mapped one is never used.
 * Not thread-safe: one thread owns a table.
 */
#ifndef PGF_SYMBOL_SYMBOL_H
#define PGF_SYMBOL_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pgf_symbols;

/* Where an instruction pointer lies; strings belong to the caller. */
struct pgf_symbol_query {
	uint64_t ip;
	uint64_t start;    /* of the mapping that covers ip; 0 with end 0: none is known */
	uint64_t end;      /* exclusive */
	uint64_t pgoff;    /* file offset at start, bytes */
	uint64_t ino;      /* 0: not known */
	uint32_t dev;      /* major << 20 | minor, as in struct pgf_map */
	uint32_t pid;      /* 0: not known (kernel addresses need none) */
	const char *path;  /* name of the mapping: path, "[vdso]", ...; may be NULL */
	const void *build; /* build id of the mapped file, or NULL */
	size_t build_size;
};

/* One function that the compiler inlined at the address. */
struct pgf_symbol_inline {
	const char *func; /* never NULL */
	const char *file; /* of the call; NULL when not known */
	uint32_t line;    /* of the call */
};

/*
 * What is known of an address; owned by the table, stable until it is freed. All text is
 * chosen by the traced program: escape it.
 */
struct pgf_symbol {
	const char *func;   /* the function that was compiled, demangled; NULL when not known */
	const char *file;   /* source file of the address; NULL when not known */
	const char *module; /* file name without directories, "[kernel]", "[vdso]", "[jit]", "?" */
	const char *path;   /* full name of the module */
	uint32_t line;      /* 0 when not known */
	uint32_t inline_count;
	uint64_t offset; /* from the start of func; without func from the start of the file, or the
	                    address itself when there is no file */
	bool exact;      /* the file was proved to be the mapped one (inode or build id) */
	const struct pgf_symbol_inline *inlines; /* innermost first; func contains the last */
};

/* Returns 0 or -ENOMEM. */
int pgf_symbols_new(struct pgf_symbols **out);
void pgf_symbols_free(struct pgf_symbols *symbols); /* accepts NULL */
/*
 * Remembers the owner, the root directory and the pid inside its namespace of a process
 * while it lives, so that its files are still found after its end. Costs one descriptor;
 * at most 256 processes are kept. Cheap when called again. Returns 0, -ESRCH, -ENOMEM, -ENOSPC.
 */
int pgf_symbols_hold(struct pgf_symbols *symbols, uint32_t pid);
/* The symbol of an address; never NULL: what is not known is NULL or 0 in it. */
const struct pgf_symbol *pgf_symbols_find(struct pgf_symbols *symbols,
                                          const struct pgf_symbol_query *query);
/*
 * Sets the symbol of ip in pid (0: in every process), found out when its code was there: it
 * wins over everything that is found now; the first one for an address stays. *symbol is
 * copied with its text. 0, -ENOMEM, -E2BIG when there are too many.
 */
int pgf_symbols_preset(struct pgf_symbols *symbols, uint32_t pid, uint64_t ip,
                       const struct pgf_symbol *symbol);
/*
 * Tells the GNU build id (size bytes) of the file that was mapped as path with this inode. A file
 * of that path, or a debug file below /usr/lib/debug/.build-id, that has it is exact whatever
 * its inode is; one that has another is never used. To be called before the file is looked up.
 * 0, -EINVAL, -ENOMEM, -E2BIG when there are too many.
 */
int pgf_symbols_build(struct pgf_symbols *symbols, uint32_t dev, uint64_t ino, const char *path,
                      const void *build, size_t size);
/*
 * For addresses that are not of this machine's present (a recording): from here on no process is
 * looked at, neither this kernel nor its vdso are taken for the recorded ones, and a file is
 * used only when it is proved to be the mapped one: by build id, or by device and inode when
 * it has not changed since wall_ns (CLOCK_REALTIME; 0: inodes prove nothing).
 */
void pgf_symbols_offline(struct pgf_symbols *symbols, uint64_t wall_ns);
/*
 * Writes "func+0x12" or "libfoo.so+0x1234" or "0x7f…" into buf, unescaped; returns the
 * length of the whole text as snprintf does.
 */
int pgf_symbol_text(const struct pgf_symbol *symbol, char *buf, size_t size);

#define PGF_BUILD_ID_MAX 64
/*
 * The GNU build id of an ELF file into buf. Returns its length in bytes, -ENOENT when the
 * file has none, -ENOEXEC when it is no ELF file, -E2BIG when buf is too small, -errno.
 */
int pgf_build_id(int fd, void *buf, size_t size);
int pgf_build_id_path(const char *path, void *buf, size_t size);

#endif /* PGF_SYMBOL_SYMBOL_H */
