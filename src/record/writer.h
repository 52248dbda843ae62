/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a .pgf recording (docs/pgf-format.md). Items are collected and go to the file in
 * batches: after 65536 faults, after one second of the stream's time, or when asked. One
 * thread owns a writer. A file system may block the caller as write(2) does.
 *
 * A failed write (ENOSPC, EIO, EFBIG, EPIPE, ...) is returned once, by the call that ran into it;
 * the file is cut back to its last whole batch and stays readable, and items that come
 * later are counted and dropped. SIGPIPE and SIGXFSZ are the caller's affair.
 */
#ifndef PGF_RECORD_WRITER_H
#define PGF_RECORD_WRITER_H

#include "observe/session.h"
#include "record/info.h"
#include "record/items.h"

struct pgf_writer;

/*
 * Creates (0600) or overwrites the file; "-" is the standard output. A symbolic link as the
 * last component is refused with -ELOOP. Writes the header. Returns 0 or -errno.
 */
int pgf_writer_open(struct pgf_writer **out, const char *path, const struct pgf_record_info *info);
/* The same on an open descriptor, which the writer takes over, also when it fails. */
int pgf_writer_open_fd(struct pgf_writer **out, int fd, const struct pgf_record_info *info);

/* Each returns 0 or -errno; *item is copied. */
int pgf_writer_fault(struct pgf_writer *writer, const struct pgf_fault *fault);
int pgf_writer_cell(struct pgf_writer *writer, const struct pgf_cell *cell);
int pgf_writer_space(struct pgf_writer *writer, const struct pgf_space_event *event);
/* Frames beyond PGF_RECORD_FRAMES_MAX (the outermost) are cut. */
int pgf_writer_stack(struct pgf_writer *writer, uint32_t stack_id, const uint64_t *ips,
                     size_t count);
int pgf_writer_symbol(struct pgf_writer *writer, const struct pgf_record_symbol *symbol);
int pgf_writer_module(struct pgf_writer *writer, const struct pgf_record_module *module);
/* Tells the losses so far (lost_events, lost_detail, lost_space): they go into this batch. */
int pgf_writer_losses(struct pgf_writer *writer, const struct pgf_totals *totals);
/* Writes what was collected. To be called now and then when the stream may pause. */
int pgf_writer_flush(struct pgf_writer *writer);

/* A sink whose members append to the writer. */
struct pgf_sink pgf_writer_sink(struct pgf_writer *writer);
/* The first error, or 0; items dropped after it; bytes in the file. */
int pgf_writer_error(const struct pgf_writer *writer);
uint64_t pgf_writer_dropped(const struct pgf_writer *writer);
uint64_t pgf_writer_size(const struct pgf_writer *writer);

/*
 * Writes the rest and the totals, takes the INCOMPLETE mark away, and frees.
 * Without totals the recording stays marked as incomplete. Returns 0 when the file is
 * whole, else -errno, also of an error that was returned before. Accepts NULL.
 */
int pgf_writer_close(struct pgf_writer *writer, const struct pgf_totals *totals);

#endif /* PGF_RECORD_WRITER_H */
