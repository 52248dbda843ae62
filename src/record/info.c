/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include <pgfault/record.h>

#define CRC_OFFSET 20 /* of the header's checksum */

static const uint8_t magic[PGF_RECORD_MAGIC_SIZE + 1] = PGF_RECORD_MAGIC;

struct text_field {
	uint16_t tag;
	size_t offset;
};

struct number_field {
	uint16_t tag;
	size_t offset;
};

#define AT(member) offsetof(struct pgf_record_info, member)

static const struct text_field texts[] = {
        {PGF_FIELD_HOST, AT(host)},       {PGF_FIELD_RELEASE, AT(release)},
        {PGF_FIELD_MACHINE, AT(machine)}, {PGF_FIELD_TOOL, AT(tool)},
        {PGF_FIELD_OPTIONS, AT(options)},
};

static const struct number_field numbers[] = {
        {PGF_FIELD_PAGE_SIZE, AT(page_size)},
        {PGF_FIELD_CPUS, AT(cpus)},
        {PGF_FIELD_TIER, AT(tier)},
        {PGF_FIELD_VOLUME, AT(volume)},
        {PGF_FIELD_SAMPLE_PERIOD, AT(sample_period)},
        {PGF_FIELD_CLOCK, AT(clock)},
        {PGF_FIELD_ANCHOR_CLOCK, AT(anchor_clock_ns)},
        {PGF_FIELD_ANCHOR_WALL, AT(anchor_wall_ns)},
        {PGF_FIELD_START, AT(start_ns)},
        {PGF_FIELD_CONTENT, AT(content)},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void text_copy(char *to, const void *from, size_t len)
{
	if (len > PGF_INFO_TEXT - 1)
		len = PGF_INFO_TEXT - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

void pgf_record_info_local(struct pgf_record_info *info)
{
	struct utsname name;
	long value;

	*info = (struct pgf_record_info){.sample_period = 1, .clock = CLOCK_MONOTONIC};
	if (uname(&name) == 0) {
		text_copy(info->host, name.nodename, strlen(name.nodename));
		text_copy(info->release, name.release, strlen(name.release));
		text_copy(info->machine, name.machine, strlen(name.machine));
	}
	value = sysconf(_SC_PAGESIZE);
	info->page_size = value > 0 ? (uint64_t)value : 0;
	value = sysconf(_SC_NPROCESSORS_ONLN);
	info->cpus = value > 0 ? (uint64_t)value : 0;
	info->anchor_clock_ns = clock_ns(CLOCK_MONOTONIC);
	info->anchor_wall_ns = clock_ns(CLOCK_REALTIME);
	info->start_ns = info->anchor_clock_ns;
}

char *pgf_record_command_join(char *const *argv, size_t *size)
{
	char *command, *at;

	*size = 0;
	for (size_t i = 0; argv && argv[i]; i++)
		*size += strlen(argv[i]) + 1;
	command = malloc(*size + 1);
	if (!command)
		return NULL;
	at = command;
	for (size_t i = 0; argv && argv[i]; i++)
		at = stpcpy(at, argv[i]) + 1;
	return command;
}

/* Flags change at the end, so they stand outside of the sum. */
static uint32_t header_crc(const uint8_t *data, size_t size)
{
	uLong crc = crc32(0, data, PGF_RECORD_FLAGS_OFFSET);

	crc = crc32(crc, data + PGF_RECORD_FLAGS_OFFSET + 4,
	            CRC_OFFSET - PGF_RECORD_FLAGS_OFFSET - 4);
	return (uint32_t)crc32(crc, data + CRC_OFFSET + 4, (uInt)(size - CRC_OFFSET - 4));
}

static void field_put(struct pgf_bytes *out, uint16_t tag, const void *data, size_t size)
{
	pgf_bytes_put_u16(out, tag);
	pgf_bytes_put_u16(out, 0);
	pgf_bytes_put_u32(out, (uint32_t)size);
	pgf_bytes_put(out, data, size);
}

int pgf_record_info_encode(struct pgf_bytes *out, const struct pgf_record_info *info,
                           uint32_t flags)
{
	size_t start = out->len, size;
	uint8_t *header;

	if (info->command_size > PGF_RECORD_HEADER_MAX / 2)
		return -E2BIG;
	header = pgf_bytes_room(out, PGF_RECORD_HEADER_SIZE);
	if (!header)
		return -ENOMEM;
	memset(header, 0, PGF_RECORD_HEADER_SIZE);
	memcpy(header, magic, sizeof(magic) - 1);
	pgf_set_u16(header + 8, PGF_RECORD_MAJOR);
	pgf_set_u16(header + 10, PGF_RECORD_MINOR);
	pgf_set_u32(header + PGF_RECORD_FLAGS_OFFSET, flags);
	out->len += PGF_RECORD_HEADER_SIZE;
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *text = (const char *)info + texts[i].offset;

		field_put(out, texts[i].tag, text, strnlen(text, PGF_INFO_TEXT));
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		uint8_t raw[8];
		uint64_t value;

		memcpy(&value, (const char *)info + numbers[i].offset, sizeof(value));
		pgf_set_u64(raw, value);
		field_put(out, numbers[i].tag, raw, sizeof(raw));
	}
	if (info->command)
		field_put(out, PGF_FIELD_COMMAND, info->command, info->command_size);
	if (out->failed)
		return -ENOMEM;
	size = out->len - start;
	header = out->data + start;
	pgf_set_u32(header + 16, (uint32_t)size);
	pgf_set_u32(header + CRC_OFFSET, header_crc(header, size));
	return 0;
}

int pgf_record_header_size(const uint8_t *fixed, uint32_t *size)
{
	if (memcmp(fixed, magic, sizeof(magic) - 1) != 0)
		return -EBADMSG;
	if (pgf_get_u16(fixed + 8) != PGF_RECORD_MAJOR)
		return -EPROTONOSUPPORT;
	*size = pgf_get_u32(fixed + 16);
	if (*size < PGF_RECORD_HEADER_SIZE || *size > PGF_RECORD_HEADER_MAX)
		return -EBADMSG;
	return 0;
}

static void field_decode(struct pgf_record_info *info, uint16_t tag, const uint8_t *data,
                         uint32_t size)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		if (texts[i].tag == tag)
			text_copy((char *)info + texts[i].offset, data, size);
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		uint64_t value = size == 8 ? pgf_get_u64(data) : 0;

		if (numbers[i].tag == tag && size == 8)
			memcpy((char *)info + numbers[i].offset, &value, sizeof(value));
	}
	/* every argument must be closed, so that nobody reads past the end */
	if (tag == PGF_FIELD_COMMAND && size > 0 && data[size - 1] == '\0') {
		info->command = (const char *)data;
		info->command_size = size;
	}
}

int pgf_record_info_decode(struct pgf_record_info *info, const uint8_t *data, uint32_t size)
{
	struct pgf_cursor in = {.at = data + PGF_RECORD_HEADER_SIZE, .end = data + size};

	*info = (struct pgf_record_info){0};
	if (pgf_get_u32(data + CRC_OFFSET) != header_crc(data, size))
		return -EBADMSG;
	while (in.at < in.end) {
		const uint8_t *field = pgf_cursor_take(&in, PGF_RECORD_FIELD_SIZE);
		const uint8_t *body = field ? pgf_cursor_take(&in, pgf_get_u32(field + 4)) : NULL;

		if (!body)
			return -EBADMSG;
		field_decode(info, pgf_get_u16(field), body, pgf_get_u32(field + 4));
	}
	return 0;
}
