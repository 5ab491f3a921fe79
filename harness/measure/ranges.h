/* Address ranges that come and go. */
#ifndef HARNESS_MEASURE_RANGES_H
#define HARNESS_MEASURE_RANGES_H

#include <stddef.h>
#include <stdint.h>

/* Address ranges in order and disjoint, as many as there are. */
struct ranges {
    size_t count, room;
    struct range {
        uint64_t start, end;
    } * at; /* owned */
};

/* What is given takes the place of what overlaps it; an empty range adds nothing. */
void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end);
void ranges_remove(struct ranges *ranges, uint64_t start, uint64_t end);
/* The place of the first range that ends after `address`. */
size_t ranges_find(const struct ranges *ranges, uint64_t address);

void ranges_release(struct ranges *ranges);

#endif
