/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/encode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define LEVEL          6 /* of zstd: 4 % smaller than 3; higher ones gain 1 % at twice the time */
#define CUT_MIN        1024 /* a run of bytes this long gets entropy tables of its own */
#define CUTS_MAX       512
#define DICT_MAX       65536u
#define DICT_PAGE      256u /* indices that share their high byte */
#define EXCEPTION_PART 64   /* planes may leave out one item in so many */

struct pgf_distinct {
	uint64_t value;
	uint32_t hits;
	uint32_t first; /* index by first appearance */
};

struct pgf_encoder {
	struct pgf_bytes raw;
	ZSTD_CCtx *zstd;
	size_t cuts[CUTS_MAX]; /* offsets in raw where the statistics of the bytes change */
	size_t cut_count;
	uint64_t *scratch;
	size_t scratch_cap;
	uint32_t *slots; /* hash of the dictionary under construction */
	size_t slots_cap;
	struct pgf_distinct *dict;
	size_t dict_cap;
	uint32_t *index;
	size_t index_cap;
	size_t length_at; /* where the length of the open column stands */
};

int pgf_encoder_new(struct pgf_encoder **out)
{
	struct pgf_encoder *enc = calloc(1, sizeof(*enc));

	if (!enc)
		return -ENOMEM;
	enc->zstd = ZSTD_createCCtx();
	if (!enc->zstd ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(enc->zstd, ZSTD_c_compressionLevel, LEVEL))) {
		pgf_encoder_free(enc);
		return -ENOMEM;
	}
	*out = enc;
	return 0;
}

void pgf_encoder_free(struct pgf_encoder *enc)
{
	if (!enc)
		return;
	pgf_bytes_free(&enc->raw);
	ZSTD_freeCCtx(enc->zstd);
	free(enc->scratch);
	free(enc->slots);
	free(enc->dict);
	free(enc->index);
	free(enc);
}

void pgf_encoder_reset(struct pgf_encoder *enc)
{
	enc->raw.len = 0;
	enc->raw.failed = false;
	enc->cut_count = 0;
}

/* Makes room for n members in one of the encoder's arrays. */
static bool array_room(struct pgf_encoder *enc, void **array, size_t *cap, size_t n, size_t size)
{
	void *bigger;

	if (*cap >= n)
		return true;
	bigger = reallocarray(*array, n, size);
	if (!bigger) {
		enc->raw.failed = true;
		return false;
	}
	*array = bigger;
	*cap = n;
	return true;
}

static void cut_here(struct pgf_encoder *enc)
{
	size_t last = enc->cut_count ? enc->cuts[enc->cut_count - 1] : 0;

	if (enc->cut_count < CUTS_MAX && enc->raw.len - last >= CUT_MIN)
		enc->cuts[enc->cut_count++] = enc->raw.len;
}

static void column_open(struct pgf_encoder *enc, uint16_t tag, enum pgf_coding coding, uint16_t key,
                        uint16_t length_tag, size_t n)
{
	pgf_bytes_put_u16(&enc->raw, tag);
	pgf_bytes_put_u8(&enc->raw, (uint8_t)coding);
	pgf_bytes_put_u8(&enc->raw, 0);
	pgf_bytes_put_u16(&enc->raw, key);
	pgf_bytes_put_u16(&enc->raw, length_tag);
	pgf_bytes_put_u32(&enc->raw, (uint32_t)n);
	enc->length_at = enc->raw.len;
	pgf_bytes_put_u32(&enc->raw, 0);
}

static void column_close(struct pgf_encoder *enc)
{
	size_t length = enc->raw.len - enc->length_at - 4;

	if (length > PGF_RECORD_RAW_MAX)
		enc->raw.failed = true;
	if (!enc->raw.failed)
		pgf_set_u32(enc->raw.data + enc->length_at, (uint32_t)length);
}

/* Writes the column when one value says it all (nothing at all for zero). */
static bool column_const(struct pgf_encoder *enc, uint16_t tag, const uint64_t *values, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (values[i] != values[0])
			return false;
	}
	if (n == 0 || values[0] == 0)
		return true;
	column_open(enc, tag, PGF_CODING_CONST, 0, 0, n);
	pgf_bytes_put_varint(&enc->raw, values[0]);
	column_close(enc);
	return true;
}

static unsigned int width_of(uint64_t value)
{
	return value ? (71u - (unsigned int)__builtin_clzll(value)) / 8 : 0;
}

/* The width that all but a few values fit in; at least one byte an item, as readers ask for. */
static unsigned int planes_width(const uint64_t *values, size_t n)
{
	size_t count[9] = {0};
	size_t over = 0;
	unsigned int width = 8;

	for (size_t i = 0; i < n; i++)
		count[width_of(values[i])]++;
	while (width > 1 && over + count[width] <= n / EXCEPTION_PART)
		over += count[width--];
	return width;
}

/* Width, the values that do not fit (and are zero in the planes), then a plane a byte. */
static void put_planes(struct pgf_encoder *enc, const uint64_t *values, size_t n)
{
	unsigned int width = planes_width(values, n);
	uint64_t mask = width == 8 ? UINT64_MAX : (1ull << 8 * width) - 1;
	size_t exceptions = 0, last = 0;

	for (size_t i = 0; i < n; i++)
		exceptions += values[i] > mask;
	pgf_bytes_put_u8(&enc->raw, (uint8_t)width);
	pgf_bytes_put_varint(&enc->raw, exceptions);
	for (size_t i = 0; i < n && exceptions; i++) {
		if (values[i] <= mask)
			continue;
		pgf_bytes_put_varint(&enc->raw, i - last);
		pgf_bytes_put_varint(&enc->raw, values[i]);
		last = i;
	}
	for (unsigned int k = 0; k < width; k++) {
		uint8_t *plane;

		cut_here(enc);
		plane = pgf_bytes_room(&enc->raw, n);
		if (!plane)
			return;
		for (size_t i = 0; i < n; i++)
			plane[i] = values[i] > mask ? 0 : (uint8_t)(values[i] >> 8 * k);
		enc->raw.len += n;
	}
	cut_here(enc);
}

static void put_index(struct pgf_encoder *enc, const uint32_t *index, size_t n, uint32_t count)
{
	unsigned int width = count ? width_of(count - 1) : 0;

	pgf_bytes_put_u8(&enc->raw, (uint8_t)width);
	for (unsigned int k = 0; k < width; k++) {
		uint8_t *plane;

		cut_here(enc);
		plane = pgf_bytes_room(&enc->raw, n);
		if (!plane)
			return;
		for (size_t i = 0; i < n; i++)
			plane[i] = (uint8_t)(index[i] >> 8 * k);
		enc->raw.len += n;
	}
	cut_here(enc);
}

void pgf_encoder_list(struct pgf_encoder *enc, uint16_t tag, const uint64_t *values, size_t n)
{
	if (column_const(enc, tag, values, n))
		return;
	column_open(enc, tag, PGF_CODING_VARINT, 0, 0, n);
	for (size_t i = 0; i < n; i++)
		pgf_bytes_put_varint(&enc->raw, values[i]);
	column_close(enc);
}

void pgf_encoder_steps(struct pgf_encoder *enc, uint16_t tag, const uint64_t *values, size_t n)
{
	if (column_const(enc, tag, values, n))
		return;
	if (n < CUT_MIN) {
		uint64_t last = 0;

		column_open(enc, tag, PGF_CODING_DELTA, 0, 0, n);
		for (size_t i = 0; i < n; i++) {
			pgf_bytes_put_varint(&enc->raw, pgf_zigzag(values[i] - last));
			last = values[i];
		}
		column_close(enc);
		return;
	}
	if (!array_room(enc, (void **)&enc->scratch, &enc->scratch_cap, n, sizeof(*enc->scratch)))
		return;
	enc->scratch[0] = 0;
	for (size_t i = 1; i < n; i++)
		enc->scratch[i] = pgf_zigzag(values[i] - values[i - 1]);
	column_open(enc, tag, PGF_CODING_DELTA_PLANES, 0, 0, n);
	pgf_bytes_put_varint(&enc->raw, values[0]);
	put_planes(enc, enc->scratch, n);
	column_close(enc);
}

static size_t hash_u64(uint64_t value)
{
	return (size_t)((value ^ value >> 29) * 0x9e3779b97f4a7c15ull >> 32);
}

/* Collects the distinct values; 0 when they are too many for a dictionary to pay. */
static uint32_t dict_collect(struct pgf_encoder *enc, const uint64_t *values, size_t n,
                             uint32_t *index)
{
	size_t limit = n / 4 < DICT_MAX ? n / 4 : DICT_MAX;
	size_t slots = 64;
	uint32_t count = 0;

	while (slots < limit * 2 + 2)
		slots *= 2;
	if (!array_room(enc, (void **)&enc->slots, &enc->slots_cap, slots, sizeof(*enc->slots)) ||
	    !array_room(enc, (void **)&enc->dict, &enc->dict_cap, limit + 1, sizeof(*enc->dict)))
		return 0;
	memset(enc->slots, 0, slots * sizeof(*enc->slots));
	for (size_t i = 0; i < n; i++) {
		size_t slot = hash_u64(values[i]) & (slots - 1);

		while (enc->slots[slot] && enc->dict[enc->slots[slot] - 1].value != values[i])
			slot = (slot + 1) & (slots - 1);
		if (!enc->slots[slot]) {
			if (count == limit)
				return 0;
			enc->dict[count] =
			        (struct pgf_distinct){.value = values[i], .first = count};
			enc->slots[slot] = ++count;
		}
		index[i] = enc->slots[slot] - 1;
		enc->dict[index[i]].hits++;
	}
	return count;
}

static int by_hits(const void *a, const void *b)
{
	const struct pgf_distinct *x = a, *y = b;

	if (x->hits != y->hits)
		return x->hits > y->hits ? -1 : 1;
	return x->value < y->value ? -1 : 1;
}

static int by_value(const void *a, const void *b)
{
	const struct pgf_distinct *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

/*
 * The frequent values get the low indices, so that the high byte of an index says little;
 * where the high byte is the same the values ascend, so that their differences are small.
 */
static bool dict_order(struct pgf_encoder *enc, uint32_t count, uint32_t *index, size_t n)
{
	uint32_t *renumber;

	if (!array_room(enc, (void **)&enc->scratch, &enc->scratch_cap, count,
	                sizeof(*enc->scratch)))
		return false;
	renumber = (uint32_t *)enc->scratch;
	if (count > DICT_PAGE)
		qsort(enc->dict, count, sizeof(*enc->dict), by_hits);
	for (uint32_t at = 0; at < count; at += DICT_PAGE) {
		uint32_t left = count - at;

		qsort(enc->dict + at, left < DICT_PAGE ? left : DICT_PAGE, sizeof(*enc->dict),
		      by_value);
	}
	for (uint32_t i = 0; i < count; i++)
		renumber[enc->dict[i].first] = i;
	for (size_t i = 0; i < n; i++)
		index[i] = renumber[index[i]];
	return true;
}

void pgf_encoder_values(struct pgf_encoder *enc, uint16_t tag, const uint64_t *values, size_t n,
                        struct pgf_index *index)
{
	uint32_t *item = index ? index->item : NULL;
	uint64_t last = 0;
	uint32_t count;

	if (index)
		index->tag = 0;
	if (column_const(enc, tag, values, n))
		return;
	if (!item) {
		if (!array_room(enc, (void **)&enc->index, &enc->index_cap, n, sizeof(*enc->index)))
			return;
		item = enc->index;
	}
	count = dict_collect(enc, values, n, item);
	if (enc->raw.failed)
		return;
	if (!count || !dict_order(enc, count, item, n)) {
		column_open(enc, tag, PGF_CODING_PLANES, 0, 0, n);
		put_planes(enc, values, n);
		column_close(enc);
		return;
	}
	column_open(enc, tag, PGF_CODING_DICT, 0, 0, n);
	pgf_bytes_put_varint(&enc->raw, count);
	for (uint32_t i = 0; i < count; i++) {
		pgf_bytes_put_varint(&enc->raw, pgf_zigzag(enc->dict[i].value - last));
		last = enc->dict[i].value;
	}
	put_index(enc, item, n, count);
	column_close(enc);
	if (index) {
		index->count = count;
		index->tag = tag;
	}
}

void pgf_encoder_keyed(struct pgf_encoder *enc, uint16_t tag, const uint64_t *values, size_t n,
                       const struct pgf_index *key)
{
	uint64_t *last;

	if (!key->tag || n < CUT_MIN) {
		pgf_encoder_steps(enc, tag, values, n);
		return;
	}
	if (column_const(enc, tag, values, n))
		return;
	if (!array_room(enc, (void **)&enc->scratch, &enc->scratch_cap, n + key->count,
	                sizeof(*enc->scratch)))
		return;
	last = enc->scratch + n;
	for (uint32_t k = 0; k < key->count; k++)
		last[k] = values[0];
	for (size_t i = 0; i < n; i++) {
		enc->scratch[i] = pgf_zigzag(values[i] - last[key->item[i]]);
		last[key->item[i]] = values[i];
	}
	column_open(enc, tag, PGF_CODING_KEY_PLANES, key->tag, 0, n);
	pgf_bytes_put_varint(&enc->raw, values[0]);
	put_planes(enc, enc->scratch, n);
	column_close(enc);
}

/* All values zero: their column was left out. */
static bool all_zero(const uint64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (values[i])
			return false;
	}
	return true;
}

void pgf_encoder_spans(struct pgf_encoder *enc, uint16_t tag, const uint64_t *starts, size_t n,
                       const struct pgf_index *key, const uint64_t *lengths, uint16_t length_tag)
{
	uint32_t keys = key->tag ? key->count : 1;
	uint64_t *ends;

	if (column_const(enc, tag, starts, n) ||
	    !array_room(enc, (void **)&enc->scratch, &enc->scratch_cap, n + keys,
	                sizeof(*enc->scratch)))
		return;
	ends = enc->scratch + n;
	for (uint32_t k = 0; k < keys; k++)
		ends[k] = starts[0];
	for (size_t i = 0; i < n; i++) {
		uint64_t *end = &ends[key->tag ? key->item[i] : 0];

		enc->scratch[i] = pgf_zigzag(starts[i] - *end);
		*end = starts[i] + lengths[i];
	}
	column_open(enc, tag, PGF_CODING_SPANS, key->tag, all_zero(lengths, n) ? 0 : length_tag, n);
	pgf_bytes_put_varint(&enc->raw, starts[0]);
	put_planes(enc, enc->scratch, n);
	column_close(enc);
}

void pgf_encoder_index(struct pgf_encoder *enc, uint16_t tag, struct pgf_index *key, size_t n)
{
	key->tag = 0;
	if (key->count <= 1)
		return;
	key->tag = tag;
	column_open(enc, tag, PGF_CODING_INDEX, 0, 0, n);
	put_index(enc, key->item, n, key->count);
	column_close(enc);
}

void pgf_encoder_by(struct pgf_encoder *enc, uint16_t tag, const uint64_t *table, size_t n,
                    const struct pgf_index *key)
{
	bool same = true;

	for (uint32_t k = 1; k < key->count && same; k++)
		same = table[k] == table[0];
	if (n == 0 || (same && table[0] == 0))
		return;
	column_open(enc, tag, same ? PGF_CODING_CONST : PGF_CODING_BY, same ? 0 : key->tag, 0, n);
	if (same) {
		pgf_bytes_put_varint(&enc->raw, table[0]);
	} else {
		pgf_bytes_put_varint(&enc->raw, key->count);
		for (uint32_t k = 0; k < key->count; k++)
			pgf_bytes_put_varint(&enc->raw, table[k]);
	}
	column_close(enc);
}

void pgf_encoder_bytes(struct pgf_encoder *enc, uint16_t tag, const void *data, size_t n)
{
	if (n == 0)
		return;
	column_open(enc, tag, PGF_CODING_BYTES, 0, 0, n);
	pgf_bytes_put(&enc->raw, data, n);
	column_close(enc);
}

/* One frame; each cut closes a zstd block, so that what follows gets its own statistics. */
static int compress(struct pgf_encoder *enc, struct pgf_bytes *out)
{
	size_t bound = ZSTD_compressBound(enc->raw.len) + 64 * (enc->cut_count + 1);
	ZSTD_inBuffer in = {.src = enc->raw.data};
	ZSTD_outBuffer zout = {.size = bound};
	size_t left;

	zout.dst = pgf_bytes_room(out, bound);
	if (!zout.dst)
		return -ENOMEM;
	if (ZSTD_isError(ZSTD_CCtx_reset(enc->zstd, ZSTD_reset_session_only)) ||
	    ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(enc->zstd, enc->raw.len)))
		return -EIO;
	for (size_t i = 0; i <= enc->cut_count; i++) {
		bool end = i == enc->cut_count;

		in.size = end ? enc->raw.len : enc->cuts[i];
		left = ZSTD_compressStream2(enc->zstd, &zout, &in, end ? ZSTD_e_end : ZSTD_e_flush);
		if (ZSTD_isError(left) || left != 0)
			return -EIO;
	}
	out->len += zout.pos;
	return 0;
}

int pgf_encoder_pack(struct pgf_encoder *enc, struct pgf_bytes *out, uint32_t *raw_size,
                     uint16_t *flags)
{
	size_t start = out->len;
	int err;

	if (enc->raw.failed)
		return -ENOMEM;
	if (enc->raw.len > PGF_RECORD_RAW_MAX)
		return -EFBIG;
	*raw_size = (uint32_t)enc->raw.len;
	*flags = 0;
	err = compress(enc, out);
	if (err)
		return err;
	if (out->len - start >= enc->raw.len) {
		out->len = start;
		pgf_bytes_put(out, enc->raw.data, enc->raw.len);
		*flags = PGF_BLOCK_F_STORED;
	}
	return out->failed ? -ENOMEM : 0;
}
