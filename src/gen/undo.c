/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define UNDO_DIR     "/run/faultgen"
#define UNDO_JOURNAL UNDO_DIR "/journal"
#define UNDO_MAX     16
#define PATH_ROOM    256
#define VALUE_ROOM   64
#define BUSY_TRIES   50 /* of 20 ms: udev may hold a new block device for a moment */

enum undo_op { UNDO_SET = 's', UNDO_SWAP = 'f', UNDO_ZRAM = 'z', UNDO_MODULE = 'm' };

struct undo_entry {
	char op; /* enum undo_op */
	char path[PATH_ROOM];
	char value[VALUE_ROOM];
};

static struct undo_entry entries[UNDO_MAX];
static volatile sig_atomic_t count;
static pid_t owner;
static int journal = -1;

static int file_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(value);
	ssize_t n;
	int err;

	if (fd < 0)
		return -errno;
	n = write(fd, value, length);
	err = n < 0 ? -errno : (size_t)n == length ? 0 : -EIO;
	close(fd);
	return err;
}

/* What the file holds; of "always [madvise] never" the chosen word. */
static int file_value(const char *path, char *value)
{
	char text[256], *word = text, *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = '\0';
	if (strchr(text, '[') && strchr(text, ']')) {
		word = strchr(text, '[') + 1;
		end = strchr(word, ']');
	} else {
		end = strpbrk(word, "\n");
	}
	if (end)
		*end = '\0';
	if (strlen(word) >= VALUE_ROOM)
		return -E2BIG;
	strcpy(value, word);
	return 0;
}

static void pause_briefly(void)
{
	const struct timespec nap = {.tv_nsec = 20 * 1000 * 1000};

	nanosleep(&nap, NULL);
}

static void zram_undo(const struct undo_entry *e)
{
	char path[PATH_ROOM + 32] = "/sys/block/zram";

	strcat(path, e->value);
	strcat(path, "/reset");
	swapoff(e->path);
	for (int i = 0; i < BUSY_TRIES; i++) {
		int err = file_write(path, "1");

		if (!err)
			err = file_write("/sys/class/zram-control/hot_remove", e->value);
		if (err != -EBUSY)
			return;
		pause_briefly();
	}
}

static void entry_undo(const struct undo_entry *e)
{
	switch (e->op) {
	case UNDO_SET:
		file_write(e->path, e->value);
		break;
	case UNDO_SWAP:
		swapoff(e->path);
		unlink(e->path);
		break;
	case UNDO_ZRAM:
		zram_undo(e);
		break;
	case UNDO_MODULE:
		syscall(SYS_delete_module, e->value, O_NONBLOCK);
		break;
	}
}

void gen_undo_all(void)
{
	sigset_t all, old;

	if (owner != getpid())
		return;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	while (count > 0) {
		entry_undo(&entries[count - 1]);
		count--;
	}
	/* Closing gives up the lock: another generator may change settings now. */
	if (journal >= 0 && ftruncate(journal, 0) == 0)
		close(journal);
	journal = -1;
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static int journal_write(void)
{
	char text[UNDO_MAX * (PATH_ROOM + VALUE_ROOM + 4)];
	size_t used = 0;

	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%c\t%s\t%s\n",
		                         entries[i].op, entries[i].path, entries[i].value);
	if (ftruncate(journal, 0) || pwrite(journal, text, used, 0) != (ssize_t)used)
		return -EIO;
	return 0;
}

static int entry_push(char op, const char *path, const char *value)
{
	struct undo_entry *e = &entries[count];

	if (count >= UNDO_MAX || strlen(path) >= PATH_ROOM || strlen(value) >= VALUE_ROOM)
		return -ENOSPC;
	if (strpbrk(path, "\t\n") || strpbrk(value, "\t\n"))
		return -EINVAL;
	e->op = op;
	strcpy(e->path, path);
	strcpy(e->value, value);
	count++;
	return journal_write();
}

/* Only what this program writes itself is believed. */
static bool entry_sound(const struct undo_entry *e)
{
	if (e->op == UNDO_SET)
		return !strncmp(e->path, "/sys/", 5) || !strncmp(e->path, "/proc/sys/", 10);
	if (e->op == UNDO_SWAP)
		return strstr(e->path, "/faultgen-swap.") != NULL;
	if (e->op == UNDO_ZRAM)
		return strspn(e->value, "0123456789") == strlen(e->value) &&
		       !strncmp(e->path, "/dev/zram", 9);
	return e->op == UNDO_MODULE && !strcmp(e->value, "zram");
}

static void journal_replay(void)
{
	char text[UNDO_MAX * (PATH_ROOM + VALUE_ROOM + 4) + 1], *save = NULL;
	ssize_t n = pread(journal, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return;
	text[n] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line && count < UNDO_MAX;
	     line = strtok_r(NULL, "\n", &save)) {
		struct undo_entry *e = &entries[count];
		char *path = strchr(line, '\t');
		char *value = path ? strchr(path + 1, '\t') : NULL;

		if (path != line + 1 || !value || value - path > PATH_ROOM ||
		    strlen(value) > VALUE_ROOM)
			continue;
		*value++ = '\0';
		e->op = line[0];
		strcpy(e->path, path + 1);
		strcpy(e->value, value);
		if (entry_sound(e))
			count++;
	}
	fprintf(stderr, "faultgen: putting back %d settings that a killed generator left\n",
	        (int)count);
	while (count > 0)
		entry_undo(&entries[--count]);
	if (ftruncate(journal, 0))
		fprintf(stderr, "faultgen: cannot clear " UNDO_JOURNAL "\n");
}

static int journal_open(bool wait)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat st;
	int fd, rc;

	mkdir("/run", 0755);
	if (mkdir(UNDO_DIR, 0700) && errno != EEXIST)
		return -errno;
	if (lstat(UNDO_DIR, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return -EPERM;
	fd = open(UNDO_JOURNAL, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	do {
		rc = fcntl(fd, wait ? F_SETLKW : F_SETLK, &lock);
	} while (rc && wait && errno == EINTR);
	if (rc) {
		int err = -errno;

		close(fd);
		return err;
	}
	journal = fd;
	owner = getpid();
	journal_replay();
	return 0;
}

int gen_undo_begin(struct gen_result *r)
{
	int err;

	if (geteuid())
		return gen_skip(r, "needs root to change system settings");
	if (journal >= 0)
		return 0;
	err = journal_open(true);
	return err ? gen_fail(r, err, UNDO_JOURNAL) : 0;
}

void gen_undo_stale(void)
{
	if (!geteuid() && !access(UNDO_JOURNAL, F_OK) && !journal_open(false))
		gen_undo_all();
}

int gen_undo_set(const char *path, const char *value)
{
	char old[VALUE_ROOM];
	int err = file_value(path, old);

	if (err)
		return err;
	if (!strcmp(old, value))
		return 0;
	err = entry_push(UNDO_SET, path, old);
	return err ? err : file_write(path, value);
}

int gen_undo_swap(const char *path)
{
	return entry_push(UNDO_SWAP, path, "");
}

int gen_undo_zram(unsigned int id)
{
	char path[32], value[16];

	snprintf(path, sizeof(path), "/dev/zram%u", id);
	snprintf(value, sizeof(value), "%u", id);
	return entry_push(UNDO_ZRAM, path, value);
}

int gen_undo_module(void)
{
	return entry_push(UNDO_MODULE, "", "zram");
}

static void on_fatal(int signo)
{
	gen_undo_all();
	/* SA_RESETHAND has put the default action back. */
	raise(signo);
}

void gen_undo_signals(void)
{
	static const int fatal[] = {SIGHUP, SIGINT,  SIGQUIT, SIGTERM, SIGPIPE, SIGILL,
	                            SIGBUS, SIGABRT, SIGFPE,  SIGSEGV, SIGXCPU};
	struct sigaction action = {.sa_handler = on_fatal, .sa_flags = (int)SA_RESETHAND};

	struct sigaction old;

	sigemptyset(&action.sa_mask);
	/* What nohup(1) or a background shell has set to be ignored stays so. */
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		if (!sigaction(fatal[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(fatal[i], &action, NULL);
}
