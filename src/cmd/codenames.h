/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a recording needs to name code later: build ids of mapped files, and the symbols of
 * code that will be gone by then (JIT, vdso, kernel, deleted files). Not thread-safe.
 */
#ifndef PGF_CMD_CODENAMES_H
#define PGF_CMD_CODENAMES_H

#include "observe/space.h"
#include "record/writer.h"

struct pgf_codenames;

/* space is the session's, not owned. 0 or -ENOMEM. */
int pgf_codenames_new(struct pgf_codenames **out, struct pgf_space *space);
void pgf_codenames_free(struct pgf_codenames *names); /* accepts NULL */
/* Keeps a stack for the faults that come with its id; copied. 0 or -ENOMEM. */
int pgf_codenames_stack(struct pgf_codenames *names, uint32_t stack_id, const uint64_t *ips,
                        size_t count);
/* Remembers the fault's ip, and those of its stack, when their code may vanish. 0 or -ENOMEM. */
int pgf_codenames_fault(struct pgf_codenames *names, const struct pgf_fault *fault);
/* Remembers the file of an executable mapping. 0 or -ENOMEM. */
int pgf_codenames_space(struct pgf_codenames *names, const struct pgf_space_event *event);
/* Resolves and writes all of it. 0 or -errno of the writer. */
int pgf_codenames_write(struct pgf_codenames *names, struct pgf_writer *writer);

#endif /* PGF_CMD_CODENAMES_H */
