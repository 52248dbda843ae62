/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The work that the benchmarks trace: anonymous pages, touched, unmapped, touched again.
 * usage: touch ROUNDS PAGES; prints the nanoseconds a fault of each round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static double round_ns(size_t pages, size_t page)
{
	struct timespec a, b;
	char *area = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                  -1, 0);

	if (area == MAP_FAILED)
		return -1;
	madvise(area, pages * page, MADV_NOHUGEPAGE);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (size_t i = 0; i < pages; i++)
		((volatile char *)area)[i * page] = 1;
	clock_gettime(CLOCK_MONOTONIC, &b);
	munmap(area, pages * page);
	return ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) /
	       (double)pages;
}

int main(int argc, char **argv)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
	long pages = argc > 2 ? strtol(argv[2], NULL, 10) : 20000;

	if (rounds <= 0 || pages <= 0)
		return 64;
	for (long i = 0; i < rounds; i++)
		printf("%.1f\n", round_ns((size_t)pages, page));
	return 0;
}
