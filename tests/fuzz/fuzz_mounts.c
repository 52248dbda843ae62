/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text as /proc/PID/mountinfo: whoever owns a mount namespace chooses much of it. */
#include <stdlib.h>

#include "fault/maptype.h"
#include "text_fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pgf_mounts *mounts;
	static unsigned int uses;
	enum pgf_fs fs = PGF_FS_UNKNOWN;

	/* A fresh table now and then, or it would only grow. */
	if (uses++ % 256 == 0) {
		pgf_mounts_free(mounts);
		mounts = NULL;
		if (pgf_mounts_new(&mounts))
			abort();
	}
	pgf_mounts_add(mounts, text_fd(data, size));
	pgf_mounts_fs(mounts, 1, &fs);
	if (fs > PGF_FS_MAYBE_DAX)
		abort();
	return 0;
}
