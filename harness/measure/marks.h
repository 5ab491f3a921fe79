/* Which operations of a stretch are timed where not all are: one in so many, at random distances,
 * so that nothing in the trace keeps step with them. Chosen ahead, so that those between run as if
 * no clock were there. */
#ifndef HARNESS_MEASURE_MARKS_H
#define HARNESS_MEASURE_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/rng.h"
#include "harness/measure/window.h"

struct mark {
    uint32_t word;   /* where the operation stands, from the first of the stretch */
    uint32_t number; /* among its operations */
};

/* Room that is enough for a stretch of `words` words, one operation in `every` marked. */
size_t marks_room(size_t words, unsigned every);

/* Marks operations of the words [begin, end) into `marks`, which has that room. Returns how many.
 */
size_t marks_choose(struct mark *marks, struct rng *rng, unsigned every, const uint64_t *begin,
                    const uint64_t *end);

#endif
