/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommands of pgfault: only files here talk to the user and decide exit statuses. */
#ifndef PGF_CMD_CMD_H
#define PGF_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "account/account.h"
#include "observe/session.h"

struct pgf_run;

#define PGF_EXIT_FAILURE 1
#define PGF_EXIT_LOST    2
#define PGF_EXIT_ASSERT  3
#define PGF_EXIT_USAGE   64

/* A subcommand: argv[0] is its name; returns the exit status. */
struct pgf_verb {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

int pgf_cmd_run(int argc, char **argv);
int pgf_cmd_trace(int argc, char **argv);
int pgf_cmd_record(int argc, char **argv);
int pgf_cmd_report(int argc, char **argv);
int pgf_cmd_doctor(int argc, char **argv);
int pgf_cmd_kinds(int argc, char **argv);
int pgf_cmd_selftest(int argc, char **argv);

/* Options that subcommands share; which ones a verb takes is a mask of PGF_OPT_*. */
#define PGF_OPT_TARGET   (1u << 0)  /* -p -a --cgroup -d --user --tier -- cmd */
#define PGF_OPT_OUTPUT   (1u << 1)  /* -o --json --csv --no-color */
#define PGF_OPT_STACKS   (1u << 2)  /* -g */
#define PGF_OPT_VOLUME   (1u << 3)  /* --basic --aggregate */
#define PGF_OPT_TABLE    (1u << 4)  /* --top --sort --by */
#define PGF_OPT_JUDGE    (1u << 5)  /* --strict --assert */
#define PGF_OPT_FILTER   (1u << 6)  /* --kind --min-us --addr --map */
#define PGF_OPT_FORMAT   (1u << 7)  /* --format -T */
#define PGF_OPT_INPUT    (1u << 8)  /* -i --compare */
#define PGF_OPT_SCHEMA   (1u << 9)  /* --schema */
#define PGF_OPT_WORKLOAD (1u << 10) /* --list --seed and operands */
#define PGF_OPT_TIER     (1u << 11) /* --tier, also without a target */

#define PGF_MAX_PIDS    256
#define PGF_MAX_ASSERTS 16

struct pgf_options {
	struct pgf_session_opts session;
	pid_t pids[PGF_MAX_PIDS];
	double seconds;     /* -d; 0: until the target ends */
	const char *output; /* -o; NULL: the verb's default */
	const char *input;  /* -i */
	bool json;
	bool csv;
	bool colour;
	bool verbose;
	bool strict;
	bool timestamps;
	bool compare;
	const char *asserts[PGF_MAX_ASSERTS];
	size_t assert_count;
	size_t top;
	enum pgf_sort sort;
	int by;        /* enum pgf_by, -1: not asked for */
	pgf_set kinds; /* --kind; 0: all */
	double min_us;
	uint64_t addr_low;
	uint64_t addr_high; /* 0: no filter */
	const char *map_glob;
	const char *format;
	bool schema;
	bool list;
	uint64_t seed;
	bool seed_given;
	char **operands; /* what is left when the verb takes no command */
	int operand_count;
	char user[64];
};

/*
 * Parses a verb's arguments. Returns 0 to go on, or 1 when *status is the exit status
 * already (help was shown, or the usage was wrong).
 */
int pgf_options_parse(struct pgf_options *options, unsigned int mask, const char *usage, int argc,
                      char **argv, int *status);

/* "pgfault: " and the message on stderr. */
void pgf_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Text that a traced program or a user chose, with nothing in it that moves the terminal. */
void pgf_print_safe(FILE *out, const char *text);

/*
 * Opens -o: a file (0600, truncated), "-" stdout, or the given default. Returns NULL after
 * complaining. Close with pgf_output_close(), which reports write errors: 0 or -errno.
 */
FILE *pgf_output_open(const struct pgf_options *options, FILE *fallback);
int pgf_output_close(FILE *out, FILE *fallback);

/* SIGINT and SIGTERM set a flag once; the second one has its default effect. */
void pgf_signals_catch(void);
bool pgf_signals_stop(void);

/* The exit status of a command's wait status: its own code, or 128+n. */
int pgf_exit_of(int wait_status);

/* The kernel's release and the version text; static strings. */
const char *pgf_kernel_release(void);
const char *pgf_version_text(void);

/* What the command line targets, for headings, unescaped: "cc -c x.c", "pid 12", "all". */
void pgf_target_text(const struct pgf_target *target, char *buf, size_t size);

/*
 * Runs a session until the target ends, -d is over or a signal came. Returns 0 or -errno;
 * complains itself. *exec_failed is set when the command could not be executed.
 */
int pgf_session_drive(struct pgf_session *session, const struct pgf_options *options,
                      bool *exec_failed);

/*
 * The exit status of a session: the command's own unless --strict or --assert judged.
 */
int pgf_exit_status(const struct pgf_options *options, const struct pgf_totals *totals,
                    struct pgf_account *account, bool command_ended, int wait_status);

/* Writes a run as --json, --csv and --by ask for it. 0, -EIO, -ENOMEM. */
int pgf_run_show(FILE *out, const struct pgf_options *options, const struct pgf_run *run);

/* `run --tier counters`: rates from /proc; returns the exit status. */
int pgf_rates_run(const struct pgf_options *options);

/* Checks one --assert expression's syntax: 0 or -EINVAL. */
int pgf_assert_check(const char *expression);
/* Evaluates one: 1 holds, 0 fails; *value gets the left side. -EINVAL. */
int pgf_assert_eval(const char *expression, const struct pgf_totals *totals,
                    struct pgf_account *account, uint64_t *value);

#endif /* PGF_CMD_CMD_H */
