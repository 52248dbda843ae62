/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What space.c, space_range.c, space_read.c and space_name.c share: the inside of a space
 * table. Nobody else includes it.
 */
#ifndef PGF_OBSERVE_SPACE_TABLE_H
#define PGF_OBSERVE_SPACE_TABLE_H

#include "fault/maptype.h"
#include "observe/idmap.h"
#include "observe/space.h"

/* How far below a stack an access still means it: the default RLIMIT_STACK and guard gap. */
#define PGF_STACK_REACH (9ull << 20)

struct pgf_space_map {
	struct pgf_map map; /* what others see; map.id is its place in the table's index */
	uint64_t grown_ns;  /* a stack: when it grew last, and where it began before */
	uint64_t grown_from;
	uint8_t fs;     /* enum pgf_fs */
	bool accounted; /* of a file, private, once writable: the kernel keeps it apart */
	bool told;      /* somebody was given it: it must stay to the end */
};

/* Mappings sorted by address, none overlapping another. */
struct pgf_ranges {
	struct pgf_space_map **at;
	size_t count;
	size_t room;
};

/* Where a mapping was when its address space was put aside. */
struct pgf_past {
	uint64_t start;
	uint64_t end;
	struct pgf_space_map *map;
};

struct pgf_thread {
	uint32_t tid;
	char comm[PGF_COMM_LEN];
	struct pgf_proc *proc;
	struct pgf_thread *next;
	struct pgf_thread *prev;
};

struct pgf_proc {
	uint32_t pid;
	bool known; /* an event or /proc told of it; else only last_read_ns counts */
	bool dead;
	bool leader_gone;
	bool uffd_watched;
	char comm[PGF_COMM_LEN]; /* of its first thread */
	uint64_t brk;            /* the last break seen, 0 not known */
	uint64_t last_read_ns;   /* when a miss last made us look into /proc; 0 never */
	struct pgf_ranges live;
	/* The mappings before a CLEAR, to come back with their ids, or those at the exit. */
	struct pgf_past *past;
	size_t past_count;
	struct pgf_thread *threads;
};

/* Processes whose mappings are kept after their exit, for faults that come late. */
#define PGF_SPACE_LATE 64

/* transparent_hugepage/enabled */
enum pgf_thp { PGF_THP_UNKNOWN = 0, PGF_THP_ALWAYS = 1, PGF_THP_MADVISE = 2, PGF_THP_NEVER = 3 };

struct pgf_space {
	struct pgf_space_map **maps; /* by id - 1; NULL: forgotten */
	uint32_t map_count;
	uint32_t map_room;
	struct pgf_idmap procs;   /* pid -> struct pgf_proc * */
	struct pgf_idmap threads; /* tid -> struct pgf_thread * */
	struct pgf_proc *last;    /* the process looked up last */
	uint32_t late[PGF_SPACE_LATE];
	size_t late_next;
	char **names; /* interned, open addressing */
	size_t name_count;
	size_t name_room;
	struct pgf_mounts *mounts;
	pgf_set impossible;   /* kinds that this machine cannot make, as it is set up */
	uint8_t thp;          /* enum pgf_thp */
	long long numa_hints; /* of the machine, when the table was made */
	bool numa_read;
	bool numa_seen; /* NUMA balancing was on at some time */
	bool advice_watched;
	bool offline;
	pgf_space_tap_fn tap;
	void *tap_ctx;
};

/* space_proc.c */

/* The process, or NULL; with make it is created, and NULL means no memory. */
struct pgf_proc *pgf_proc_get(struct pgf_space *space, uint32_t pid, bool make);
/* The same with make, for a process of which something is heard: it lives. */
struct pgf_proc *pgf_proc_alive(struct pgf_space *space, uint32_t pid);
/* Forgets what an earlier program, or bearer of the number, left. 0 or -ENOMEM. */
int pgf_proc_reset(struct pgf_space *space, struct pgf_proc *proc, uint64_t time_ns);
/* Its last mappings are kept until PGF_SPACE_LATE others have ended. 0 or -ENOMEM. */
int pgf_proc_end(struct pgf_space *space, struct pgf_proc *proc, uint64_t time_ns);
/* Names the thread; makes it when it is new. 0 or -ENOMEM. */
int pgf_proc_thread(struct pgf_space *space, struct pgf_proc *proc, uint32_t tid, const char *comm);
struct pgf_thread *pgf_thread_get(const struct pgf_space *space, uint32_t tid);
void pgf_thread_drop(struct pgf_space *space, struct pgf_thread *thread);
void pgf_procs_free(struct pgf_space *space);
/* The one copy of a text, owned by the table; NULL when there is no memory. */
const char *pgf_name_intern(struct pgf_space *space, const char *text);
void pgf_names_free(struct pgf_space *space);

/* A mapping as an event describes it, before it has an id. */
struct pgf_wish {
	uint64_t start;
	uint64_t end;
	uint64_t pgoff;
	uint64_t ino;
	uint64_t time_ns;
	uint32_t dev;
	uint32_t prot;
	uint32_t flags;
	const char *name; /* interned */
	uint8_t type;
	uint8_t fs;
	bool uffd_known;
};

/* space.c */

/* Marks a mapping as given out; NULL gives NULL. */
const struct pgf_map *pgf_space_tell(struct pgf_space_map *map);
/* What an MMAP event asks for. False when there is no memory. */
bool pgf_wish_make(struct pgf_space *space, const struct pgf_proc *proc,
                   const struct pgf_space_event *event, struct pgf_wish *wish);

/* space_read.c */

/*
 * With deep as pgf_space_read_proc(). Without it only what is cheap, maps and one comm, and
 * nothing that the table has is taken away.
 */
int pgf_space_read(struct pgf_space *space, uint32_t pid, uint64_t time_ns, bool deep);

/* space_range.c */

/* The index of the first mapping that ends beyond address. */
size_t pgf_ranges_seek(const struct pgf_ranges *ranges, uint64_t address);
/* The mapping that covers address, or NULL. */
struct pgf_space_map *pgf_ranges_at(const struct pgf_ranges *ranges, uint64_t address);
/* ... or the stack that can grow down to it. */
struct pgf_space_map *pgf_ranges_reach(const struct pgf_ranges *ranges, uint64_t address);

/* Whether all that lies where the wish does is the same as it, but for its bounds. */
bool pgf_ranges_agree(const struct pgf_ranges *ranges, const struct pgf_wish *wish);
/* After a change of its protection: notes that it is, or was, writable (VM_ACCOUNT). */
void pgf_range_account(struct pgf_space_map *map);

/* All return 0 or -ENOMEM; then some of the pieces may have been changed already. */
int pgf_ranges_map(struct pgf_space *space, struct pgf_proc *proc, const struct pgf_wish *wish);
int pgf_ranges_unmap(struct pgf_space *space, struct pgf_proc *proc, uint64_t start, uint64_t end,
                     uint64_t time_ns);
/* Moves [start, start + len) to [to, to + to_len); with keep the old place stays, too. */
int pgf_ranges_move(struct pgf_space *space, struct pgf_proc *proc,
                    const struct pgf_space_event *event, bool keep);
int pgf_ranges_copy(struct pgf_space *space, const struct pgf_proc *from, struct pgf_proc *to,
                    uint64_t time_ns);
/* Ends all mappings and puts them aside in proc->past. */
int pgf_ranges_retire(struct pgf_space *space, struct pgf_proc *proc, uint64_t time_ns);
/* The mapping put aside that covered address, or NULL. */
struct pgf_space_map *pgf_past_at(const struct pgf_proc *proc, uint64_t address);
/* Empties proc->past. */
void pgf_past_forget(struct pgf_space *space, struct pgf_proc *proc);

/* A change of pieces of the address space: called with each piece inside [start, end). */
typedef void (*pgf_piece_fn)(struct pgf_space_map *piece, const struct pgf_space_event *event);
int pgf_ranges_change(struct pgf_space *space, struct pgf_proc *proc,
                      const struct pgf_space_event *event, pgf_piece_fn fn);

#endif /* PGF_OBSERVE_SPACE_TABLE_H */
