/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware error codes of page faults, decoded to one set of bits.
 *
 * x86: Intel SDM vol. 3A "Page-Fault Exceptions", AMD APM vol. 2 (RMP), Linux 6.12
 * arch/x86/include/asm/trap_pf.h. arm: ARM DDI 0406 and DDI 0487 (DFSR, IFSR). arm64:
 * ARM DDI 0487 (ESR_EL1, data and instruction aborts).
 */
#include <pgfault/fault.h>

#include <errno.h>
#include <stdbool.h>

#include "fault/join.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One bit of a register and the bit it stands for. */
struct bit_map {
	__u64 raw;
	__u32 bit;
};

static const struct bit_map x86_64_bits[] = {
        {1u << 0, PGF_EC_PRESENT}, {1u << 1, PGF_EC_WRITE}, {1u << 2, PGF_EC_USER},
        {1u << 3, PGF_EC_RSVD},    {1u << 4, PGF_EC_FETCH}, {1u << 5, PGF_EC_PK},
        {1u << 6, PGF_EC_SHSTK},   {1u << 15, PGF_EC_SGX},  {1u << 31, PGF_EC_RMP},
};

/* No NX yet: a fetch looks like a read, and the handler treats it as one. */
static const struct bit_map i386_bits[] = {
        {1u << 0, PGF_EC_PRESENT},
        {1u << 1, PGF_EC_WRITE},
        {1u << 2, PGF_EC_USER},
};

static void x86_decode(struct pgf_access *access, const struct bit_map *map, size_t count)
{
	__u64 rest = access->raw;

	access->known = PGF_EC_OTHER;
	for (size_t i = 0; i < count; i++) {
		access->known |= map[i].bit;
		if (rest & map[i].raw)
			access->bits |= map[i].bit;
		rest &= ~map[i].raw;
	}
	if (rest)
		access->bits |= PGF_EC_OTHER;
	access->mode = access->bits & PGF_EC_USER ? PGF_MODE_USER : PGF_MODE_KERNEL;
	if (access->bits & PGF_EC_WRITE)
		access->op = PGF_OP_WRITE;
	else
		access->op = access->bits & PGF_EC_FETCH ? PGF_OP_EXEC : PGF_OP_READ;
}

#define ARM_WNR   (1u << 11)
#define ARM_CM    (1u << 13)
#define ARM_LPAE  (1u << 9)
#define ARM_FETCH (1u << 31)

#define ARM64_FSC_ATOMIC 0x35 /* unsupported exclusive or atomic access */
#define ARM64_WNR        (1u << 6)
#define ARM64_S1PTW      (1u << 7)
#define ARM64_CM         (1u << 8)
#define ARM64_OVERLAY    (1ull << 38) /* ISS2: permission overlay, the protection keys of arm64 */
#define ARM64_GCS        (1ull << 40) /* ISS2: guarded control stack */

enum reason {
	REASON_OTHER = 0,
	REASON_TRANSLATION,
	REASON_ACCESS_FLAG,
	REASON_PERMISSION,
	REASON_DOMAIN,
	REASON_ALIGNMENT,
	REASON_EXTERNAL,
	REASON_TAG,
	REASON_CACHE
};

struct status {
	__u8 reason;
	__u8 level; /* 0 also for "none" and for level -1 of 52-bit tables */
};

static const struct {
	__u32 bits;
	__u32 known;
} reasons[] = {
        [REASON_OTHER] = {PGF_EC_OTHER, 0},
        [REASON_TRANSLATION] = {0, PGF_EC_PRESENT},
        [REASON_ACCESS_FLAG] = {PGF_EC_PRESENT | PGF_EC_AF, PGF_EC_PRESENT},
        [REASON_PERMISSION] = {PGF_EC_PRESENT, PGF_EC_PRESENT},
        [REASON_DOMAIN] = {PGF_EC_PRESENT | PGF_EC_DOMAIN, PGF_EC_PRESENT},
        [REASON_ALIGNMENT] = {PGF_EC_ALIGN, 0},
        [REASON_EXTERNAL] = {PGF_EC_EXTERNAL, 0},
        [REASON_TAG] = {PGF_EC_PRESENT | PGF_EC_TAG, PGF_EC_PRESENT},
        [REASON_CACHE] = {PGF_EC_CM, PGF_EC_CM},
};

/*
 * FS[10,3:0] of the short-descriptor format as of ARMv7. Older cores give some codes other
 * meanings: 3 was an alignment fault, 4 and 6 external aborts on a line fetch.
 */
static const struct status short_status[32] = {
        [0x01] = {REASON_ALIGNMENT, 0},   [0x03] = {REASON_ACCESS_FLAG, 1},
        [0x04] = {REASON_CACHE, 0},       [0x05] = {REASON_TRANSLATION, 1},
        [0x06] = {REASON_ACCESS_FLAG, 2}, [0x07] = {REASON_TRANSLATION, 2},
        [0x08] = {REASON_EXTERNAL, 0},    [0x09] = {REASON_DOMAIN, 1},
        [0x0b] = {REASON_DOMAIN, 2},      [0x0c] = {REASON_EXTERNAL, 1},
        [0x0d] = {REASON_PERMISSION, 1},  [0x0e] = {REASON_EXTERNAL, 2},
        [0x0f] = {REASON_PERMISSION, 2},  [0x16] = {REASON_EXTERNAL, 0},
        [0x18] = {REASON_EXTERNAL, 0},    [0x19] = {REASON_EXTERNAL, 0},
        [0x1c] = {REASON_EXTERNAL, 1},    [0x1e] = {REASON_EXTERNAL, 2},
};

/* What LPAE and arm64 share: STATUS[5:0], DFSC, IFSC. */
static struct status long_status(unsigned int code)
{
	__u8 level = code & 3;

	switch (code & 0x3c) {
	case 0x04:
		return (struct status){REASON_TRANSLATION, level};
	case 0x08:
		return (struct status){REASON_ACCESS_FLAG, level};
	case 0x0c:
		return (struct status){REASON_PERMISSION, level};
	case 0x14:
	case 0x1c:
		return (struct status){REASON_EXTERNAL, level};
	}
	if (code == 0x10 || code == 0x18)
		return (struct status){REASON_EXTERNAL, 0};
	if (code == 0x21)
		return (struct status){REASON_ALIGNMENT, 0};
	return (struct status){REASON_OTHER, 0};
}

static struct status arm_status(__u64 fsr)
{
	unsigned int code = fsr & 0x3f;

	if (!(fsr & ARM_LPAE))
		return short_status[(fsr & 0xf) | (fsr >> 6 & 0x10)];
	if (code == 0x11 || code == 0x19) /* asynchronous */
		return (struct status){REASON_EXTERNAL, 0};
	return long_status(code);
}

static struct status arm64_status(unsigned int code)
{
	switch (code) {
	case 0x11:
		return (struct status){REASON_TAG, 0};
	case 0x13: /* level -1 of the walk */
	case 0x1b:
		return (struct status){REASON_EXTERNAL, 0};
	case 0x2b: /* level -1 */
		return (struct status){REASON_TRANSLATION, 0};
	}
	return long_status(code);
}

static void status_apply(struct pgf_access *access, struct status status)
{
	access->bits |= reasons[status.reason].bits;
	access->known |= reasons[status.reason].known | PGF_EC_OTHER | PGF_EC_ALIGN |
	                 PGF_EC_EXTERNAL | PGF_EC_AF;
	access->level = status.level;
}

/* Cache maintenance always reports a write, but needs no right to write. */
static void data_apply(struct pgf_access *access, bool write, bool cache)
{
	access->known |= PGF_EC_WRITE | PGF_EC_FETCH | PGF_EC_CM;
	if (cache)
		access->bits |= PGF_EC_CM;
	if (write && !cache)
		access->bits |= PGF_EC_WRITE;
	access->op = access->bits & PGF_EC_WRITE ? PGF_OP_WRITE : PGF_OP_READ;
}

static void fetch_apply(struct pgf_access *access)
{
	access->known |= PGF_EC_WRITE | PGF_EC_FETCH;
	access->bits |= PGF_EC_FETCH;
	access->op = PGF_OP_EXEC;
}

static void arm_decode(struct pgf_access *access)
{
	__u64 fsr = access->raw;

	status_apply(access, arm_status(fsr));
	access->known |= PGF_EC_DOMAIN;
	if (fsr & ARM_FETCH)
		fetch_apply(access);
	else
		data_apply(access, fsr & ARM_WNR, fsr & ARM_CM);
}

static void arm64_decode(struct pgf_access *access)
{
	unsigned int class = access->raw >> 26 & 0x3f, code = access->raw & 0x3f;
	bool fetch = class == 0x20 || class == 0x21, lower = class == 0x20 || class == 0x24;

	if (!fetch && class != 0x24 && class != 0x25) {
		access->bits = access->known = PGF_EC_OTHER;
		return;
	}
	status_apply(access, arm64_status(code));
	access->known |= PGF_EC_USER | PGF_EC_S1PTW | PGF_EC_TAG | PGF_EC_PK | PGF_EC_SHSTK;
	access->mode = lower ? PGF_MODE_USER : PGF_MODE_KERNEL;
	if (lower)
		access->bits |= PGF_EC_USER;
	if (access->raw & ARM64_S1PTW)
		access->bits |= PGF_EC_S1PTW;
	if (access->raw & ARM64_OVERLAY)
		access->bits |= PGF_EC_PK;
	if (fetch) {
		fetch_apply(access);
		return;
	}
	if (access->raw & ARM64_GCS)
		access->bits |= PGF_EC_SHSTK;
	data_apply(access, access->raw & ARM64_WNR, access->raw & ARM64_CM);
	if (code == ARM64_FSC_ATOMIC) { /* WnR is undefined then */
		access->bits &= ~PGF_EC_WRITE;
		access->known &= ~PGF_EC_WRITE;
		access->op = PGF_OP_UNKNOWN;
	}
}

int pgf_access_decode(struct pgf_access *access, enum pgf_arch arch, __u64 raw)
{
	struct pgf_access out = {.address = access->address, .raw = raw, .arch = (__u8)arch};

	switch (arch) {
	case PGF_ARCH_X86_64:
		x86_decode(&out, x86_64_bits, COUNT(x86_64_bits));
		break;
	case PGF_ARCH_I386_24:
		x86_decode(&out, i386_bits, COUNT(i386_bits));
		break;
	case PGF_ARCH_ARM:
		arm_decode(&out);
		break;
	case PGF_ARCH_ARM64:
		arm64_decode(&out);
		break;
	default:
		return -EINVAL;
	}
	*access = out;
	return 0;
}

/* What is said only when it is so. */
static const struct {
	__u32 bit;
	const char *text;
} extras[] = {
        {PGF_EC_RSVD, "reserved bit"},    {PGF_EC_PK, "protection key"},
        {PGF_EC_SHSTK, "shadow stack"},   {PGF_EC_SGX, "SGX"},
        {PGF_EC_RMP, "RMP violation"},    {PGF_EC_ALIGN, "alignment"},
        {PGF_EC_DOMAIN, "domain"},        {PGF_EC_EXTERNAL, "external abort"},
        {PGF_EC_CM, "cache maintenance"}, {PGF_EC_AF, "access flag"},
        {PGF_EC_S1PTW, "stage-1 walk"},   {PGF_EC_TAG, "tag check"},
};

int pgf_access_text(const struct pgf_access *access, char *buf, size_t size)
{
	static const char *const levels[] = {NULL, "level 1", "level 2", "level 3"};
	struct pgf_join join;

	pgf_join_begin(&join, buf, size, ", ");
	if (access->op != PGF_OP_UNKNOWN)
		pgf_join_add(&join, pgf_op_name(access->op));
	if (access->known & PGF_EC_PRESENT)
		pgf_join_add(&join, access->bits & PGF_EC_PRESENT ? "present" : "not present");
	if (access->mode == PGF_MODE_USER || access->mode == PGF_MODE_KERNEL)
		pgf_join_add(&join, access->mode == PGF_MODE_USER ? "user" : "kernel");
	for (size_t i = 0; i < COUNT(extras); i++)
		if (access->bits & extras[i].bit)
			pgf_join_add(&join, extras[i].text);
	if (access->level && access->level < COUNT(levels))
		pgf_join_add(&join, levels[access->level]);
	if (access->bits & PGF_EC_OTHER) {
		pgf_join_add(&join, "unknown code");
		pgf_join_hex(&join, access->raw);
	}
	if (!join.len)
		pgf_join_add(&join, "?");
	return pgf_join_end(&join);
}
