/* XXH64 (Collet, xxHash specification 0.1.1): a fast checksum against damage, not against malice.
 */
#ifndef WORKLOADS_CHECKSUM_H
#define WORKLOADS_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `length` bytes, starting from `seed`. */
uint64_t checksum64(const void *data, size_t length, uint64_t seed);

#endif
