/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a perf.data file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/perfdata.h"
#include "text_fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t used;

static void demand(int holds)
{
	if (!holds)
		abort();
}

static int on_fault(void *ctx, const struct pgf_fault *fault)
{
	demand(memchr(fault->comm, '\0', PGF_COMM_LEN) != NULL);
	demand(fault->kind < PGF_KIND_COUNT);
	return 0;
}

static int on_space(void *ctx, const struct pgf_space_event *event)
{
	used += event->name ? strlen(event->name) : 0;
	return 0;
}

static int on_stack(void *ctx, uint32_t id, const uint64_t *ips, size_t count)
{
	demand(id != 0 && count > 0);
	for (size_t i = 0; i < count; i++)
		used += ips[i];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pgf_sink sink = {.fault = on_fault, .space = on_space, .stack = on_stack};
	struct pgf_perfdata *perf;
	char path[64], err[256] = "";
	int fd = text_fd(data, size);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (pgf_perfdata_open(&perf, path, err, sizeof(err))) {
		demand(err[0] != '\0');
		return 0;
	}
	used += strlen(pgf_perfdata_info(perf)->host);
	demand(pgf_perfdata_run(perf, &sink) != -EINVAL);
	pgf_perfdata_close(perf);
	return 0;
}
