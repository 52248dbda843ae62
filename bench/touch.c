/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The work that the benchmarks trace: anonymous pages, touched, unmapped, touched again.
 * usage: bench_touch ROUNDS PAGES [CPU]
 * Prints the nanoseconds a fault of each round, then "faults N": what the kernel has counted
 * for this process until then (getrusage), and "began S ended S": seconds of CLOCK_MONOTONIC.
 * With CPU, it stays there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "work.h"

static int usage(void)
{
	fputs("usage: bench_touch ROUNDS PAGES [CPU]\n", stderr);
	return 64;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
	long pages = argc > 2 ? strtol(argv[2], NULL, 10) : 20000;
	double began = (double)work_now_ns() / 1e9;
	struct rusage used;
	int ret;

	if (argc > 4 || rounds <= 0 || pages <= 0)
		return usage();
	if (argc > 3) {
		ret = work_pin((int)strtol(argv[3], NULL, 10));
		if (ret) {
			fprintf(stderr, "bench_touch: CPU %s: %s\n", argv[3], strerror(-ret));
			return 1;
		}
	}
	for (long i = 0; i < rounds; i++)
		printf("%.1f\n", work_faults((size_t)pages));
	getrusage(RUSAGE_SELF, &used);
	printf("faults %ld\n", used.ru_minflt + used.ru_majflt);
	printf("began %.6f ended %.6f\n", began, (double)work_now_ns() / 1e9);
	return 0;
}
