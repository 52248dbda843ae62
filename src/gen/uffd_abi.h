/* SPDX-License-Identifier: BSD-2-Clause */
/* userfaultfd(2) as of Linux 6.6, for headers that are older: facts of include/uapi. */
#ifndef GEN_UFFD_ABI_H
#define GEN_UFFD_ABI_H

#include <linux/userfaultfd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1 /* 5.11 */
#endif

#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00) /* of /dev/userfaultfd, 6.1 */
#endif

#ifndef UFFD_FEATURE_POISON
#define UFFD_FEATURE_POISON (1 << 14) /* 6.6 */

struct uffdio_poison {
	struct uffdio_range range;
	__u64 mode;
	__s64 updated;
};

#define _UFFDIO_POISON 0x08
#define UFFDIO_POISON  _IOWR(UFFDIO, _UFFDIO_POISON, struct uffdio_poison)
#endif

#endif /* GEN_UFFD_ABI_H */
