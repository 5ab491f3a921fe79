/* How much memory nobody needs. */
#ifndef HARNESS_SPARE_H
#define HARNESS_SPARE_H

#include <stdint.h>

/* Bytes that may be taken without pushing anything out: of the machine's, and within the limits of
 * the control groups that this process is in. 0 where the kernel does not tell. Text files of the
 * kernel's: 0.1 ms. */
uint64_t spare_memory(void);

#endif
