/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command that is forked at once and held before exec until everything that is to watch
 * it stands ready. One thread owns a spawn, and no other may have forked it.
 */
#ifndef PGF_OBSERVE_SPAWN_H
#define PGF_OBSERVE_SPAWN_H

#include "observe/session.h"

struct pgf_spawn;

/*
 * Forks target->argv as target->uid and gid when target->drop is set. The child stays in
 * our process group, so that ^C reaches both, and dies with us for as long as it is held.
 * Returns 0, or -errno with a line in err: -EINVAL without a command, -EPERM when the
 * user can not be changed.
 */
int pgf_spawn_hold(struct pgf_spawn **out, const struct pgf_target *target, char *err,
                   size_t err_size);
pid_t pgf_spawn_pid(const struct pgf_spawn *spawn);
/* Lets it go. Returns 0 when exec has succeeded, else its -errno with a line in err. */
int pgf_spawn_release(struct pgf_spawn *spawn, char *err, size_t err_size);
/* A descriptor that is readable when the child has ended (pidfd), or -1. */
int pgf_spawn_fd(const struct pgf_spawn *spawn);
/* Whether it has ended; collects it when it has, without waiting. */
bool pgf_spawn_ended(struct pgf_spawn *spawn);
/* Waits for its end. Returns 0 or -errno (-EINTR when a signal came). */
int pgf_spawn_wait(struct pgf_spawn *spawn);
/* The wait status, -1 before it has ended or when somebody else collected it. */
int pgf_spawn_status(const struct pgf_spawn *spawn);
/* User and system time of it and the children it has waited for, ns; 0 before its end. */
void pgf_spawn_times(const struct pgf_spawn *spawn, uint64_t *utime_ns, uint64_t *stime_ns);
/* Minor and major faults of the same tasks, the start before exec included. */
void pgf_spawn_faults(const struct pgf_spawn *spawn, uint64_t *minor, uint64_t *major);
/* Kills a child that is still held; a released one is left alone. Accepts NULL. */
void pgf_spawn_close(struct pgf_spawn *spawn);

#endif /* PGF_OBSERVE_SPAWN_H */
