/* SPDX-License-Identifier: BSD-2-Clause */
/* `pgfault doctor`: which tiers work here, and what would make the others work. */
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "show/escape.h"

static const char usage[] =
        "usage: pgfault doctor [--json] [-o FILE]\n"
        "\n"
        "Tries every tier with a real fault and says which work, why the others do not,\n"
        "and what would make them work. Exit status 0 when at least one works, else 1.\n";

static void read_line(const char *path, char *buf, size_t size)
{
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		close(fd);
	}
	if (n <= 0) {
		snprintf(buf, size, "?");
		return;
	}
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

static const struct setting {
	const char *name;
	const char *path;
} settings[] = {
        {"kernel", "/proc/sys/kernel/osrelease"},
        {"lockdown", "/sys/kernel/security/lockdown"},
        {"perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid"},
        {"perf_event_mlock_kb", "/proc/sys/kernel/perf_event_mlock_kb"},
        {"unprivileged_bpf_disabled", "/proc/sys/kernel/unprivileged_bpf_disabled"},
        {"kptr_restrict", "/proc/sys/kernel/kptr_restrict"},
};

struct finding {
	const char *tier;
	bool works;
	char why[512];
};

static void tier_try(struct finding *f, enum pgf_tier tier)
{
	int ret = pgf_tier_probe(tier, f->why, sizeof(f->why));

	if (tier == PGF_TIER_KERNEL)
		snprintf(f->why, sizeof(f->why), "not built yet");
	f->tier = pgf_tier_name(tier);
	f->works = ret == 0;
	if (ret && !f->why[0])
		snprintf(f->why, sizeof(f->why), "%s", strerror(-ret));
}

static const char *tracefs_state(void)
{
	if (!access("/sys/kernel/tracing/events", F_OK))
		return "mounted";
	return errno == EACCES ? "mounted, not readable for this user"
	                       : "not mounted (a private mount is used)";
}

static void write_text(FILE *out, const struct finding *findings, size_t count)
{
	char value[256], safe[1024];

	for (size_t i = 0; i < count; i++) {
		pgf_escape_terminal(safe, sizeof(safe), findings[i].why);
		fprintf(out, "%-11s %-4s %s\n", findings[i].tier, findings[i].works ? "yes" : "no",
		        findings[i].works ? "" : safe);
	}
	fputc('\n', out);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		read_line(settings[i].path, value, sizeof(value));
		pgf_escape_terminal(safe, sizeof(safe), value);
		fprintf(out, "%-26s %s\n", settings[i].name, safe);
	}
	fprintf(out, "%-26s %s\n", "BTF", access("/sys/kernel/btf/vmlinux", R_OK) ? "no" : "yes");
	fprintf(out, "%-26s %s\n", "tracefs", tracefs_state());
}

static void write_json(FILE *out, const struct finding *findings, size_t count)
{
	char value[256];

	for (size_t i = 0; i < count; i++) {
		fprintf(out, "{\"type\":\"tier\",\"tier\":\"%s\",\"works\":%s,\"reason\":",
		        findings[i].tier, findings[i].works ? "true" : "false");
		pgf_escape_json(out, findings[i].why);
		fputs("}\n", out);
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		read_line(settings[i].path, value, sizeof(value));
		fprintf(out, "{\"type\":\"setting\",\"name\":\"%s\",\"value\":", settings[i].name);
		pgf_escape_json(out, value);
		fputs("}\n", out);
	}
}

int pgf_cmd_doctor(int argc, char **argv)
{
	static const enum pgf_tier order[] = {PGF_TIER_KERNEL, PGF_TIER_TRACEPOINT, PGF_TIER_PERF,
	                                      PGF_TIER_COUNTERS};
	struct finding findings[4];
	struct pgf_options options;
	bool any = false;
	FILE *out;
	int status;

	if (pgf_options_parse(&options, PGF_OPT_OUTPUT, usage, argc, argv, &status))
		return status;
	for (size_t i = 0; i < 4; i++) {
		memset(&findings[i], 0, sizeof(findings[i]));
		tier_try(&findings[i], order[i]);
		any |= findings[i].works;
	}
	out = pgf_output_open(&options, stdout);
	if (!out)
		return PGF_EXIT_FAILURE;
	if (options.json)
		write_json(out, findings, 4);
	else
		write_text(out, findings, 4);
	if (pgf_output_close(out, stdout))
		return PGF_EXIT_FAILURE;
	return any ? 0 : PGF_EXIT_FAILURE;
}
