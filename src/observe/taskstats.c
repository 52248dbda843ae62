/* SPDX-License-Identifier: BSD-2-Clause */
#include "observe/taskstats.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/taskstats.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* About 5000 exits; a workload that ends faster than it is drained needs all of it. */
#define RCVBUF_BYTES (32 << 20)
#define MESSAGE_MAX  16384

struct pgf_taskstats {
	int fd;
	uint16_t family;
	uint64_t overflows;
	char cpus[1024]; /* registered mask, "0-7" */
	char message[MESSAGE_MAX] __attribute__((aligned(8)));
};

struct request {
	struct nlmsghdr header;
	struct genlmsghdr generic;
	char attrs[NLA_HDRLEN + 1024];
};

/* Messages of a datagram, or attributes of a message, one after the other. */
struct span {
	const char *at;
	const char *end;
};

/* Steps over one of size bytes; the kernel aligns both to 4. */
static void span_step(struct span *span, size_t size)
{
	size_t left = (size_t)(span->end - span->at);
	size_t step = (size + 3) & ~(size_t)3;

	span->at += step < left ? step : left;
}

static const struct nlattr *attr_next(struct span *span)
{
	const struct nlattr *attr = (const struct nlattr *)span->at;
	size_t left = (size_t)(span->end - span->at);

	if (left < sizeof(*attr) || attr->nla_len < sizeof(*attr) || attr->nla_len > left)
		return NULL;
	span_step(span, attr->nla_len);
	return attr;
}

static const struct nlmsghdr *message_next(struct span *span)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)span->at;
	size_t left = (size_t)(span->end - span->at);

	if (left < sizeof(*header) || header->nlmsg_len < sizeof(*header) ||
	    header->nlmsg_len > left)
		return NULL;
	span_step(span, header->nlmsg_len);
	return header;
}

static const void *attr_data(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

static size_t attr_size(const struct nlattr *attr)
{
	return (size_t)attr->nla_len - NLA_HDRLEN;
}

static int request_send(struct pgf_taskstats *stats, uint16_t type, uint8_t command,
                        uint16_t attr_type, const char *value)
{
	struct request request = {0};
	size_t size = strlen(value) + 1;
	struct nlattr *attr = (struct nlattr *)request.attrs;

	if (size > sizeof(request.attrs) - NLA_HDRLEN)
		return -E2BIG;
	attr->nla_type = attr_type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + size);
	memcpy(request.attrs + NLA_HDRLEN, value, size);
	request.generic.cmd = command;
	request.generic.version = 1;
	request.header.nlmsg_type = type;
	request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request.header.nlmsg_len =
	        (uint32_t)(offsetof(struct request, attrs) + NLA_ALIGN(attr->nla_len));
	return send(stats->fd, &request, request.header.nlmsg_len, 0) < 0 ? -errno : 0;
}

/*
 * One datagram from the kernel. Returns its length, -EAGAIN when there is none, or
 * -ENOBUFS when some were lost. The port of the sender is checked: others may send too.
 */
static ssize_t datagram_read(struct pgf_taskstats *stats, int flags)
{
	struct sockaddr_nl from = {.nl_pid = 0};
	socklen_t from_size;
	ssize_t got;

	do {
		from_size = sizeof(from);
		got = recvfrom(stats->fd, stats->message, sizeof(stats->message), flags,
		               (struct sockaddr *)&from, &from_size);
	} while ((got < 0 && errno == EINTR) || (got >= 0 && from.nl_pid != 0));
	return got < 0 ? -errno : got;
}

static const struct genlmsghdr *generic_of(const struct nlmsghdr *header, struct span *attrs)
{
	const struct genlmsghdr *generic = (const struct genlmsghdr *)NLMSG_DATA(header);

	if (header->nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN))
		return NULL;
	attrs->at = (const char *)generic + GENL_HDRLEN;
	attrs->end = (const char *)header + header->nlmsg_len;
	return generic;
}

static void family_note(struct pgf_taskstats *stats, const struct nlmsghdr *header)
{
	const struct nlattr *attr;
	struct span attrs;

	if (!generic_of(header, &attrs))
		return;
	while ((attr = attr_next(&attrs)))
		if (attr->nla_type == CTRL_ATTR_FAMILY_ID && attr_size(attr) >= sizeof(uint16_t))
			memcpy(&stats->family, attr_data(attr), sizeof(uint16_t));
}

/* Reads until the request's acknowledgement; notes the family on the way. */
static int answer_read(struct pgf_taskstats *stats)
{
	for (;;) {
		ssize_t got = datagram_read(stats, 0);
		struct span span = {.at = stats->message, .end = stats->message + got};
		const struct nlmsghdr *header;

		if (got < 0)
			return (int)got;
		while ((header = message_next(&span))) {
			const struct nlmsgerr *error = NLMSG_DATA(header);

			if (header->nlmsg_type == NLMSG_ERROR)
				return header->nlmsg_len >= NLMSG_LENGTH(sizeof(*error))
				               ? error->error
				               : -EPROTO;
			if (header->nlmsg_type == GENL_ID_CTRL)
				family_note(stats, header);
		}
	}
}

/* "0-7\n" of /sys/devices/system/cpu/possible is what the kernel wants as a mask. */
static int cpus_read(struct pgf_taskstats *stats)
{
	int fd = open("/sys/devices/system/cpu/possible", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, stats->cpus, sizeof(stats->cpus) - 1);
	close(fd);
	if (got <= 0)
		return got < 0 ? -errno : -EPROTO;
	stats->cpus[got] = '\0';
	stats->cpus[strcspn(stats->cpus, "\n")] = '\0';
	return 0;
}

static int socket_open(struct pgf_taskstats *stats)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	const int size = RCVBUF_BYTES;

	stats->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (stats->fd < 0)
		return -errno;
	if (bind(stats->fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	if (setsockopt(stats->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(stats->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return 0;
}

static int listener_register(struct pgf_taskstats *stats)
{
	int ret = request_send(stats, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
	                       TASKSTATS_GENL_NAME);

	if (!ret)
		ret = answer_read(stats);
	if (!ret && !stats->family)
		ret = -ENOENT;
	if (!ret)
		ret = cpus_read(stats);
	if (!ret)
		ret = request_send(stats, stats->family, TASKSTATS_CMD_GET,
		                   TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, stats->cpus);
	if (!ret)
		ret = answer_read(stats);
	/* Inside a user or PID namespace (add_del_listener, kernel/taskstats.c). */
	return ret == -EINVAL ? -EPERM : ret;
}

struct wanted {
	pid_t tid;
	bool seen;
};

static void wanted_note(void *ctx, const struct pgf_exit_stats *stats)
{
	struct wanted *wanted = ctx;

	wanted->seen |= stats->tid == wanted->tid;
}

/*
 * The kernel lets one register inside a net namespace too, but sends to the first one
 * only. An exit is reported before the task can be waited for, so no time is needed.
 */
static int listener_try(struct pgf_taskstats *stats)
{
	struct wanted wanted = {.tid = fork()};
	int ret;

	if (wanted.tid == 0)
		_exit(0);
	if (wanted.tid < 0)
		return -errno;
	while (waitpid(wanted.tid, NULL, 0) < 0 && errno == EINTR)
		;
	ret = pgf_taskstats_drain(stats, wanted_note, &wanted);
	if (ret)
		return ret;
	return wanted.seen ? 0 : -ENOENT;
}

int pgf_taskstats_open(struct pgf_taskstats **out)
{
	struct pgf_taskstats *stats = calloc(1, sizeof(*stats));
	int ret;

	if (!stats)
		return -ENOMEM;
	ret = socket_open(stats);
	if (!ret)
		ret = listener_register(stats);
	if (!ret)
		ret = listener_try(stats);
	if (ret) {
		pgf_taskstats_close(stats);
		return ret;
	}
	*out = stats;
	return 0;
}

int pgf_taskstats_fd(const struct pgf_taskstats *stats)
{
	return stats->fd;
}

/* The kernel's struct may be shorter or longer than the one of our headers. */
static void stats_read(const struct nlattr *attr, struct taskstats *out)
{
	size_t size = attr_size(attr);

	memset(out, 0, sizeof(*out));
	memcpy(out, attr_data(attr), size < sizeof(*out) ? size : sizeof(*out));
}

/* AGGR_PID holds the thread's id and its statistics. */
static bool exit_read(const struct nlattr *nest, struct pgf_exit_stats *out)
{
	struct span attrs = {.at = attr_data(nest), .end = (const char *)nest + nest->nla_len};
	const struct nlattr *attr;
	bool have_tid = false, have_stats = false;
	struct taskstats stats;

	while ((attr = attr_next(&attrs))) {
		if (attr->nla_type == TASKSTATS_TYPE_PID && attr_size(attr) >= sizeof(uint32_t)) {
			memcpy(&out->tid, attr_data(attr), sizeof(uint32_t));
			have_tid = true;
		} else if (attr->nla_type == TASKSTATS_TYPE_STATS &&
		           attr_size(attr) >= offsetof(struct taskstats, ac_majflt) + 8) {
			stats_read(attr, &stats);
			have_stats = true;
		}
	}
	if (!have_tid || !have_stats)
		return false;
	out->pid = (pid_t)stats.ac_tgid;
	out->minflt = stats.ac_minflt;
	out->majflt = stats.ac_majflt;
	out->utime_ns = stats.ac_utime * 1000;
	out->stime_ns = stats.ac_stime * 1000;
	out->exit_code = (int)stats.ac_exitcode;
	memcpy(out->comm, stats.ac_comm, sizeof(out->comm));
	out->comm[sizeof(out->comm) - 1] = '\0';
	return true;
}

int pgf_taskstats_drain(struct pgf_taskstats *stats,
                        void (*fn)(void *ctx, const struct pgf_exit_stats *stats), void *ctx)
{
	for (;;) {
		ssize_t got = datagram_read(stats, MSG_DONTWAIT);
		struct span span = {.at = stats->message, .end = stats->message + got};
		const struct nlmsghdr *header;

		if (got == -ENOBUFS) {
			stats->overflows++;
			continue;
		}
		if (got < 0)
			return got == -EAGAIN ? 0 : (int)got;
		while ((header = message_next(&span))) {
			struct pgf_exit_stats task;
			const struct nlattr *attr;
			struct span attrs;

			if (header->nlmsg_type != stats->family || !generic_of(header, &attrs))
				continue;
			while ((attr = attr_next(&attrs)))
				if ((attr->nla_type & NLA_TYPE_MASK) == TASKSTATS_TYPE_AGGR_PID &&
				    exit_read(attr, &task))
					fn(ctx, &task);
		}
	}
}

uint64_t pgf_taskstats_overflows(const struct pgf_taskstats *stats)
{
	return stats->overflows;
}

void pgf_taskstats_close(struct pgf_taskstats *stats)
{
	if (!stats)
		return;
	if (stats->fd >= 0)
		close(stats->fd); /* the kernel forgets the listener at its next message */
	free(stats);
}
