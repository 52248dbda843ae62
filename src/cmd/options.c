/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_CGROUP = 256,
	OPT_USER,
	OPT_TIER,
	OPT_JSON,
	OPT_CSV,
	OPT_NO_COLOR,
	OPT_BASIC,
	OPT_AGGREGATE,
	OPT_TOP,
	OPT_SORT,
	OPT_BY,
	OPT_STRICT,
	OPT_ASSERT,
	OPT_KIND,
	OPT_MIN_US,
	OPT_ADDR,
	OPT_MAP,
	OPT_FORMAT,
	OPT_COMPARE,
	OPT_SCHEMA,
	OPT_LIST,
	OPT_SEED,
	OPT_RING,
};

static const struct option long_options[] = {
        {"pid", required_argument, NULL, 'p'},
        {"all", no_argument, NULL, 'a'},
        {"cgroup", required_argument, NULL, OPT_CGROUP},
        {"duration", required_argument, NULL, 'd'},
        {"user", required_argument, NULL, OPT_USER},
        {"tier", required_argument, NULL, OPT_TIER},
        {"output", required_argument, NULL, 'o'},
        {"input", required_argument, NULL, 'i'},
        {"json", no_argument, NULL, OPT_JSON},
        {"csv", no_argument, NULL, OPT_CSV},
        {"no-color", no_argument, NULL, OPT_NO_COLOR},
        {"stacks", no_argument, NULL, 'g'},
        {"verbose", no_argument, NULL, 'v'},
        {"basic", no_argument, NULL, OPT_BASIC},
        {"aggregate", no_argument, NULL, OPT_AGGREGATE},
        {"top", required_argument, NULL, OPT_TOP},
        {"sort", required_argument, NULL, OPT_SORT},
        {"by", required_argument, NULL, OPT_BY},
        {"strict", no_argument, NULL, OPT_STRICT},
        {"assert", required_argument, NULL, OPT_ASSERT},
        {"kind", required_argument, NULL, OPT_KIND},
        {"min-us", required_argument, NULL, OPT_MIN_US},
        {"addr", required_argument, NULL, OPT_ADDR},
        {"map", required_argument, NULL, OPT_MAP},
        {"format", required_argument, NULL, OPT_FORMAT},
        {"timestamps", no_argument, NULL, 'T'},
        {"compare", no_argument, NULL, OPT_COMPARE},
        {"schema", no_argument, NULL, OPT_SCHEMA},
        {"list", no_argument, NULL, OPT_LIST},
        {"seed", required_argument, NULL, OPT_SEED},
        {"ring", required_argument, NULL, OPT_RING},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
};

/* Which group an option belongs to; 0: every verb takes it. */
static unsigned int option_group(int option)
{
	switch (option) {
	case 'p':
	case 'a':
	case 'd':
	case OPT_CGROUP:
	case OPT_USER:
	case OPT_RING:
		return PGF_OPT_TARGET;
	case OPT_TIER:
		return PGF_OPT_TARGET | PGF_OPT_TIER;
	case 'o':
	case OPT_JSON:
	case OPT_CSV:
	case OPT_NO_COLOR:
		return PGF_OPT_OUTPUT;
	case 'g':
		return PGF_OPT_STACKS;
	case OPT_BASIC:
	case OPT_AGGREGATE:
		return PGF_OPT_VOLUME;
	case OPT_TOP:
	case OPT_SORT:
	case OPT_BY:
		return PGF_OPT_TABLE;
	case OPT_STRICT:
	case OPT_ASSERT:
		return PGF_OPT_JUDGE;
	case OPT_KIND:
	case OPT_MIN_US:
	case OPT_ADDR:
	case OPT_MAP:
		return PGF_OPT_FILTER;
	case OPT_FORMAT:
	case 'T':
		return PGF_OPT_FORMAT;
	case 'i':
	case OPT_COMPARE:
		return PGF_OPT_INPUT;
	case OPT_SCHEMA:
		return PGF_OPT_SCHEMA;
	case OPT_LIST:
	case OPT_SEED:
		return PGF_OPT_WORKLOAD;
	default:
		return 0;
	}
}

static int parse_double(const char *text, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	return end == text || *end || errno || !(*value >= 0) || *value > 1e12 ? -EINVAL : 0;
}

static int parse_u64(const char *text, int base, uint64_t *value)
{
	char *end;

	if (*text == '-')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, base);
	return end == text || *end || errno ? -EINVAL : 0;
}

static int parse_pids(struct pgf_options *o, const char *text)
{
	char copy[4096], *part, *save = NULL;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	for (part = strtok_r(copy, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		uint64_t pid;

		if (parse_u64(part, 10, &pid) || pid == 0 || pid > 0x7fffffff ||
		    o->session.target.pid_count == PGF_MAX_PIDS)
			return -EINVAL;
		o->pids[o->session.target.pid_count++] = (pid_t)pid;
	}
	o->session.target.pids = o->pids;
	return o->session.target.pid_count ? 0 : -EINVAL;
}

static int parse_kinds(struct pgf_options *o, const char *text)
{
	char copy[4096], *part, *save = NULL;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	for (part = strtok_r(copy, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		int kind = pgf_kind_parse(part);

		if (kind < 0) {
			pgf_complain("--kind %s: no such kind; `pgfault kinds` lists them", part);
			return -ENOENT;
		}
		o->kinds |= PGF_SET(kind);
	}
	return o->kinds ? 0 : -EINVAL;
}

/* LOW-HIGH or LOW+LENGTH, hexadecimal with or without 0x. */
static int parse_range(struct pgf_options *o, const char *text)
{
	char copy[64], *mid;
	uint64_t low, high;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	mid = strpbrk(copy, "-+");
	if (!mid || mid == copy)
		return -EINVAL;
	bool length = *mid == '+';

	*mid++ = '\0';
	if (parse_u64(copy, 16, &low) || parse_u64(mid, 16, &high))
		return -EINVAL;
	if (length)
		high += low;
	o->addr_low = low;
	o->addr_high = high;
	return high > low ? 0 : -EINVAL;
}

static int parse_user(struct pgf_options *o, const char *name)
{
	const struct passwd *pw = getpwnam(name);
	uint64_t uid;

	if (!pw && !parse_u64(name, 10, &uid) && uid < UINT32_MAX)
		pw = getpwuid((uid_t)uid);
	if (!pw) {
		pgf_complain("--user %s: no such user", name);
		return -ENOENT;
	}
	o->session.target.uid = pw->pw_uid;
	o->session.target.gid = pw->pw_gid;
	snprintf(o->user, sizeof(o->user), "%s", pw->pw_name);
	o->session.target.user = o->user;
	o->session.target.drop = pw->pw_uid != geteuid();
	return 0;
}

/* Under sudo the command belongs to whoever called; never to root because of a strange value. */
static int sudo_user(struct pgf_options *o)
{
	const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
	const char *name = getenv("SUDO_USER");
	uint64_t uid, gid;

	if (geteuid() != 0 || !uid_text || o->session.target.user || !strcmp(uid_text, "0"))
		return 0;
	if (!gid_text || parse_u64(uid_text, 10, &uid) || parse_u64(gid_text, 10, &gid) ||
	    uid >= UINT32_MAX || gid >= UINT32_MAX) {
		pgf_complain("SUDO_UID and SUDO_GID do not tell who called: give --user NAME");
		return -EINVAL;
	}
	o->session.target.uid = (uid_t)uid;
	o->session.target.gid = (gid_t)gid;
	o->session.target.drop = true;
	if (name && *name) {
		snprintf(o->user, sizeof(o->user), "%s", name);
		o->session.target.user = o->user;
	}
	return 0;
}

static int parse_named(int (*parse)(const char *), const char *what, const char *text, int *value)
{
	*value = parse(text);
	if (*value >= 0)
		return 0;
	pgf_complain("%s %s: no such choice; see --help", what, text);
	return -ENOENT;
}

static int option_set(struct pgf_options *o, int option, const char *arg)
{
	uint64_t number = 0;
	int value = 0, ret;

	switch (option) {
	case 'p':
		return parse_pids(o, arg);
	case 'a':
		o->session.target.all = true;
		return 0;
	case 'd':
		return parse_double(arg, &o->seconds);
	case OPT_CGROUP:
		o->session.target.cgroup = arg;
		return 0;
	case OPT_USER:
		return parse_user(o, arg);
	case OPT_TIER:
		ret = parse_named(pgf_tier_parse, "--tier", arg, &value);
		if (!ret)
			o->session.tier = (enum pgf_tier)value;
		return ret;
	case 'o':
		o->output = arg;
		return 0;
	case 'i':
		o->input = arg;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_CSV:
		o->csv = true;
		return 0;
	case OPT_NO_COLOR:
		o->colour = false;
		return 0;
	case 'g':
		o->session.stacks = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case OPT_BASIC:
		o->session.basic = true;
		return 0;
	case OPT_AGGREGATE:
		o->session.volume = PGF_VOLUME_AGGREGATE;
		return 0;
	case OPT_TOP:
		ret = parse_u64(arg, 10, &number);
		o->top = (size_t)number;
		return ret || number == 0 || number > 100000 ? -EINVAL : 0;
	case OPT_SORT:
		ret = parse_named(pgf_sort_parse, "--sort", arg, &value);
		if (!ret)
			o->sort = (enum pgf_sort)value;
		return ret;
	case OPT_BY:
		return parse_named(pgf_by_parse, "--by", arg, &o->by);
	case OPT_STRICT:
		o->strict = true;
		return 0;
	case OPT_ASSERT:
		if (o->assert_count == PGF_MAX_ASSERTS || pgf_assert_check(arg))
			return -EINVAL;
		o->asserts[o->assert_count++] = arg;
		return 0;
	case OPT_KIND:
		return parse_kinds(o, arg);
	case OPT_MIN_US:
		return parse_double(arg, &o->min_us);
	case OPT_ADDR:
		return parse_range(o, arg);
	case OPT_MAP:
		o->map_glob = arg;
		return 0;
	case OPT_FORMAT:
		o->format = arg;
		return 0;
	case 'T':
		o->timestamps = true;
		return 0;
	case OPT_COMPARE:
		o->compare = true;
		return 0;
	case OPT_SCHEMA:
		o->schema = true;
		return 0;
	case OPT_LIST:
		o->list = true;
		return 0;
	case OPT_RING:
		ret = parse_u64(arg, 10, &number);
		o->session.ring_bytes = (size_t)number * 1024;
		return ret || number < 4 || number > 1048576 ? -EINVAL : 0;
	case OPT_SEED:
		o->seed_given = true;
		return parse_u64(arg, 10, &o->seed);
	default:
		return -EINVAL;
	}
}

static const char *option_name(int option, char *buf, size_t size)
{
	for (const struct option *l = long_options; l->name; l++)
		if (l->val == option) {
			snprintf(buf, size, "--%s", l->name);
			return buf;
		}
	snprintf(buf, size, "-%c", option);
	return buf;
}

/* What one asks for has to be one thing. */
static int targets_check(struct pgf_options *o, const char *verb)
{
	const struct pgf_target *t = &o->session.target;
	int n = (t->argv != NULL) + (t->pid_count > 0) + (t->all || t->cgroup);

	if (n == 1 && !(t->all && t->cgroup))
		return 0;
	if (n == 0)
		pgf_complain("%s: nothing to trace: give `-- command`, -p PID, -a or --cgroup PATH",
		             verb);
	else
		pgf_complain("%s: give one of `-- command`, -p PID, -a, --cgroup PATH", verb);
	return -EINVAL;
}

static int operands_take(struct pgf_options *o, unsigned int mask, int argc, char **argv)
{
	if (mask & PGF_OPT_TARGET && !o->schema) {
		if (optind < argc)
			o->session.target.argv = &argv[optind];
		if (targets_check(o, argv[0]))
			return -EINVAL;
		return o->session.target.argv ? sudo_user(o) : 0;
	}
	o->operands = &argv[optind];
	o->operand_count = argc - optind;
	if (o->operand_count && !(mask & (PGF_OPT_INPUT | PGF_OPT_WORKLOAD))) {
		pgf_complain("%s: %s: unexpected argument", argv[0], argv[optind]);
		return -EINVAL;
	}
	return 0;
}

static void options_default(struct pgf_options *o)
{
	const char *no_color = getenv("NO_COLOR");

	memset(o, 0, sizeof(*o));
	o->by = -1;
	o->sort = PGF_SORT_TIME;
	o->colour = !(no_color && *no_color);
}

int pgf_options_parse(struct pgf_options *o, unsigned int mask, const char *usage, int argc,
                      char **argv, int *status)
{
	/* The options of a command to be run are its own. */
	const char *letters = mask & PGF_OPT_TARGET ? "+:p:ad:o:i:gvTh" : ":p:ad:o:i:gvTh";
	int option, ret;

	options_default(o);
	optind = 0;
	opterr = 0;
	*status = PGF_EXIT_USAGE;
	while ((option = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		char name[64];

		if (option == 'h') {
			fputs(usage, stdout);
			*status = 0;
			return 1;
		}
		if (option == '?' || option == ':') {
			pgf_complain(
			        "%s: %s: %s; see `pgfault %s --help`", argv[0], argv[optind - 1],
			        option == ':' ? "a value is missing" : "unknown option", argv[0]);
			return 1;
		}
		if (option_group(option) && !(option_group(option) & mask)) {
			pgf_complain("%s: %s is not an option of this command", argv[0],
			             option_name(option, name, sizeof(name)));
			return 1;
		}
		ret = option_set(o, option, optarg);
		if (ret) {
			if (ret != -ENOENT)
				pgf_complain(
				        "%s: %s %s: not a valid value; see `pgfault %s --help`",
				        argv[0], option_name(option, name, sizeof(name)),
				        optarg ? optarg : "", argv[0]);
			return 1;
		}
	}
	if (operands_take(o, mask, argc, argv))
		return 1;
	if (o->json && o->csv) {
		pgf_complain("%s: --json and --csv: give one of them", argv[0]);
		return 1;
	}
	if (o->session.stacks && o->session.volume == PGF_VOLUME_AGGREGATE) {
		pgf_complain("%s: -g and --aggregate: what the kernel adds up has no stacks; "
		             "give one of them",
		             argv[0]);
		return 1;
	}
	return 0;
}
