/* SPDX-License-Identifier: BSD-2-Clause */
/* Verbs that are refused by name until they work whole. */
#include "cmd/cmd.h"

int pgf_cmd_report(int argc, char **argv)
{
	(void)argc;
	pgf_complain("%s: not built yet", argv[0]);
	return PGF_EXIT_USAGE;
}
