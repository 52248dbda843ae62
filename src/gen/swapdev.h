/* SPDX-License-Identifier: BSD-2-Clause */
/* Swap areas of the generator's own, preferred over all others and removed by gen_undo_all(). */
#ifndef GEN_SWAPDEV_H
#define GEN_SWAPDEV_H

#include "gen/gen.h"

/* Each: 0, GEN_SKIP with the reason noted, or -errno; after gen_undo_begin(). */
int gen_swap_file(const struct gen_options *o, struct gen_result *r, size_t size);
int gen_swap_zram(struct gen_result *r, size_t size);

#endif /* GEN_SWAPDEV_H */
