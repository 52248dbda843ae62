/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the generator changes on the system, and how it is put back.
 *
 * Every change is written to a journal in /run/faultgen before it is made. The owner puts
 * all back after each workload and on a fatal signal; after SIGKILL, whoever takes the
 * journal's lock next does.
 */
#ifndef GEN_UNDO_H
#define GEN_UNDO_H

#include "gen/gen.h"

/*
 * Takes the journal (waiting for another generator that changes settings) and puts back
 * what a killed one left. Returns 0, GEN_SKIP with the reason noted, or -errno.
 */
int gen_undo_begin(struct gen_result *r);
/* Puts back what a killed generator left, without waiting. */
void gen_undo_stale(void);
/* Writes value to a file of /sys or /proc/sys, remembering what it held; 0 or -errno. */
int gen_undo_set(const char *path, const char *value);
/* Remembers to swapoff and unlink path. */
int gen_undo_swap(const char *path);
/* Remembers to swapoff, reset and remove a zram device. */
int gen_undo_zram(unsigned int id);
/* Remembers to unload the zram module. */
int gen_undo_module(void);
/* Puts everything back, newest first. Async-signal-safe; does nothing in a child. */
void gen_undo_all(void);
/* Installs handlers of the fatal signals that put everything back and die of the signal. */
void gen_undo_signals(void);

#endif /* GEN_UNDO_H */
