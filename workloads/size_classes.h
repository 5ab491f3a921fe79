/* Which size classes would suit a workload: the k classes that lose the fewest bytes to rounding.
 */
#ifndef WORKLOADS_SIZE_CLASSES_H
#define WORKLOADS_SIZE_CLASSES_H

#include <stdint.h>

enum { SIZE_CLASSES_MOST = 32 };

struct size_classes {
    unsigned count;
    uint32_t size[SIZE_CLASSES_MOST]; /* ascending */
    uint64_t requested;               /* bytes in all of the allocations counted */
    uint64_t lost;                    /* bytes that these classes would add by rounding up */
};

/* `counts[s]` allocations of s bytes, s <= most; classes are multiples of 16. 0 or -ENOMEM. */
int size_classes_choose(struct size_classes *out, const uint64_t *counts, uint32_t most,
                        unsigned classes);

/* What these classes would add to allocations counted likewise, none larger than the largest. */
uint64_t size_classes_lost(const struct size_classes *classes, const uint64_t *counts,
                           uint32_t most);

/* What classes of powers of two from 16 would add. */
uint64_t size_classes_lost_by_powers(const uint64_t *counts, uint32_t most);

#endif
