/* The numbers of blocks in a threaded replay: which places of the table of refs are free.
 *
 * A place that a lane has freed is its own to take again at once, since its own order stands. For
 * all others it is free only when the window is over: until then a lane that is ahead or behind
 * would meet the old block there. Lanes take fresh places by the cache line, so that two of them
 * seldom write to one line. Lanes are split by one thread: nothing here is shared. */
#ifndef HARNESS_MEASURE_SLOTS_H
#define HARNESS_MEASURE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

struct slots {
    size_t count;   /* places */
    uint8_t *free;  /* owned; a bit a place: free for any lane */
    uint32_t *next; /* owned; the place that the lane takes after this one */
    uint32_t *held; /* owned; the place that each lane takes next */
    unsigned lanes;
    size_t cursor; /* no byte of `free` before it has a bit */
};

enum { SLOTS_LINE = 8 }; /* places that share a cache line of refs, and a byte of bits */

/* Places enough for `live` blocks at once and windows of up to `operations`. */
size_t slots_needed(size_t live, size_t operations, unsigned lanes);

int slots_init(struct slots *slots, size_t count, unsigned lanes, struct err *err);
void slots_release(struct slots *slots);

/* A free place for a lane. There is one if no more were asked for than slots_needed was told. */
uint32_t slots_take(struct slots *slots, unsigned lane);

/* The block is freed by that lane. */
void slots_give(struct slots *slots, unsigned lane, uint32_t place);

/* The window is over: every free place is free for all. */
void slots_settle(struct slots *slots);

#endif
