/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text as /proc/PID/smaps. What is accepted must hold together. */
#include <stdlib.h>
#include <string.h>

#include "fault/smaps.h"
#include "text_fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
	if (!holds)
		abort();
}

/* The letters that are written for a set are read as this set. */
static void letters_check(uint64_t vma)
{
	char text[16 + 3 * PGF_VMA_COUNT] = "VmFlags: ";
	size_t head = strlen(text);
	struct pgf_smaps again;
	int len = pgf_vma_text(vma, text + head, sizeof(text) - head);

	demand(len >= 0 && (size_t)len < sizeof(text) - head);
	pgf_smaps_clear(&again);
	demand(!pgf_smaps_parse_field(text, head + (size_t)len, &again));
	demand(again.vma == vma && !again.unknown_vma);
}

static void smaps_check(const struct pgf_smaps *s)
{
	for (unsigned int i = 0; i < PGF_SMAPS_FIELD_COUNT; i++) {
		demand(s->bytes[i] % 1024 == 0);
		demand(s->known & (1ull << i) || s->bytes[i] == 0);
	}
	demand(!(s->known >> PGF_SMAPS_FIELD_COUNT));
	demand(s->vma_known || (!s->vma && !s->unknown_vma));
	demand(s->thp_eligible >= -1 && s->thp_eligible <= 1);
	demand(s->pkey >= -1);
	letters_check(s->vma);
}

static int on_entry(void *ctx, const struct pgf_map_line *line, const struct pgf_smaps *smaps)
{
	demand(line->start <= line->end);
	smaps_check(smaps);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgf_smaps smaps;

	pgf_smaps_clear(&smaps);
	pgf_smaps_parse_field((const char *)data, size, &smaps);
	smaps_check(&smaps);
	pgf_smaps_read(text_fd(data, size), on_entry, NULL);
	return 0;
}
