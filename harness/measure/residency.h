/* Where the heap is, and which of its pages are resident: its mappings from maps, the pages from
 * pagemap. Stretches come in order of address. Nothing here allocates. */
#ifndef HARNESS_MEASURE_RESIDENCY_H
#define HARNESS_MEASURE_RESIDENCY_H

#include "harness/measure/maps.h"

/* Non-zero stops. */
typedef int stretch_visitor(void *arg, uint64_t start, uint64_t end);

/* The parts of heap-like mappings that the baseline does not cover, and shared heaps: what
 * maps_held() adds up. 0 all seen, 1 stopped, -errno. */
int held_visit(const struct intervals *baseline, stretch_visitor *visit, void *arg);

/* The resident stretches of [start, end), as far as they are in `pagemap`, an open descriptor of
 * /proc/self/pagemap. 0 all seen, 1 stopped, -errno. */
int resident_visit(int pagemap, uint64_t start, uint64_t end, stretch_visitor *visit, void *arg);

/* Both: the resident stretches of the heap. A stretch ends with its mapping. */
int residency_visit(int pagemap, const struct intervals *baseline, stretch_visitor *visit,
                    void *arg);

#endif
