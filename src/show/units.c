/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/units.h"

#include <inttypes.h>
#include <stdio.h>

/* Three significant digits of value, which is below 999.5. */
static void three_digits(char *buf, size_t size, double value, const char *unit)
{
	int places = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(buf, size, "%.*f %s", places, value, unit);
}

char *pgf_units_ns(char *buf, size_t size, uint64_t ns)
{
	static const char *const unit[] = {"µs", "ms", "s"};
	double value = (double)ns / 1000;
	size_t i = 0;

	if (ns < 1000) {
		snprintf(buf, size, "%" PRIu64 " ns", ns);
		return buf;
	}
	while (value >= 999.5 && i < 2) {
		value /= 1000;
		i++;
	}
	if (value >= 999.5)
		snprintf(buf, size, "%.0f %s", value, unit[i]);
	else
		three_digits(buf, size, value, unit[i]);
	return buf;
}

static char *scaled(char *buf, size_t size, double value, double step, const char *const *unit)
{
	while (value >= 999.5 && unit[1]) {
		value /= step;
		unit++;
	}
	three_digits(buf, size, value, *unit);
	return buf;
}

char *pgf_units_count(char *buf, size_t size, uint64_t count)
{
	static const char *const unit[] = {"M", "G", "T", "P", "E", NULL};

	if (count >= 1000000)
		return scaled(buf, size, (double)count / 1e6, 1000, unit);
	snprintf(buf, size, "%" PRIu64, count);
	return buf;
}

char *pgf_units_bytes(char *buf, size_t size, uint64_t bytes)
{
	static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL};

	if (bytes >= 1024)
		return scaled(buf, size, (double)bytes / 1024, 1024, unit);
	snprintf(buf, size, "%" PRIu64 " B", bytes);
	return buf;
}

char *pgf_units_share(char *buf, size_t size, uint64_t part, uint64_t whole)
{
	double share = whole ? (double)part * 100 / (double)whole : 0;

	if (whole == 0)
		snprintf(buf, size, "-");
	else if (part && share < 0.05)
		snprintf(buf, size, "<0.1 %%");
	else
		snprintf(buf, size, "%.*f %%", share < 99.95 ? 1 : 0, share);
	return buf;
}
