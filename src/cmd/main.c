/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/cmd.h"

#include <string.h>

static const struct pgf_verb verbs[] = {
        {"run", "the page faults of a command, summed up", pgf_cmd_run},
        {"trace", "a line a fault, as it happens", pgf_cmd_trace},
        {"record", "faults and address-space events into a file", pgf_cmd_record},
        {"report", "a recording, read and compared", pgf_cmd_report},
        {"kinds", "what each kind of fault is, costs, and asks for", pgf_cmd_kinds},
        {"doctor", "which tiers work here, and why not", pgf_cmd_doctor},
        {"selftest", "known faults made, and seen or not", pgf_cmd_selftest},
};

static void help(FILE *out)
{
	fputs("usage: pgfault COMMAND [options]\n\n", out);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n`pgfault COMMAND --help` tells more; `pgfault --version` the version.\n"
	      "Start with `pgfault run -- your-program`.\n",
	      out);
}

/* Verbs that the design names and this version does not have. */
static bool not_built(const char *name)
{
	static const char *const names[] = {"top",   "stat",    "map",  "path",
	                                    "model", "explain", "swap", NULL};

	for (size_t i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return PGF_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("pgfault %s\n", pgf_version_text());
		return 0;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, argv[1]))
			return verbs[i].run(argc - 1, argv + 1);
	if (not_built(argv[1]))
		pgf_complain("%s: not built yet", argv[1]);
	else
		pgf_complain("%s: no such command; see `pgfault --help`", argv[1]);
	return PGF_EXIT_USAGE;
}
