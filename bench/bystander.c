/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that nobody traces, timing itself.
 * usage: bench_bystander ROUNDS
 * Prints "WHAT NANOSECONDS" for each kind of work and round.
 */
#include <stdio.h>
#include <stdlib.h>

#include "work.h"

static const struct work {
	const char *name;
	double (*run)(size_t count);
	size_t count;
} works[] = {
        {"fault", work_faults, 10000},
        {"getppid", work_calls, 100000},
        {"madvise", work_advice, 50000},
        {"switch", work_switches, 10000},
};

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 10;

	if (argc > 2 || rounds <= 0) {
		fputs("usage: bench_bystander ROUNDS\n", stderr);
		return 64;
	}
	for (long i = 0; i < rounds; i++)
		for (size_t w = 0; w < sizeof(works) / sizeof(works[0]); w++)
			printf("%s %.2f\n", works[w].name, works[w].run(works[w].count));
	return 0;
}
