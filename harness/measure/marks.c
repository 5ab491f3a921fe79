/* Which operations are timed where not all are. */
#include "harness/measure/marks.h"

size_t marks_room(size_t words, unsigned every)
{
    /* Twice what is expected, and some: where distances are short, the last ones are left out. */
    return words / every * 2 + 64;
}

/* Between 1 and twice `every` less 1, all alike: `every` on average. */
static uint64_t marks_distance(struct rng *rng, unsigned every)
{
    return 1 + rng_below(rng, 2 * (uint64_t)every - 1);
}

size_t marks_choose(struct mark *marks, struct rng *rng, unsigned every, const uint64_t *begin,
                    const uint64_t *end)
{
    size_t count = 0, most = marks_room((size_t)(end - begin), every);
    uint64_t wanted = marks_distance(rng, every) - 1;
    uint32_t number = 0;
    for (const uint64_t *op = begin; op < end && count < most;) {
        const uint64_t *at = op;
        struct operation operation;
        op = op_read(op, &operation);
        if (operation.kind >= OP_LARGE)
            continue;
        if (number == wanted) {
            marks[count++] = (struct mark){(uint32_t)(at - begin), number};
            wanted += marks_distance(rng, every);
        }
        number++;
    }
    return count;
}
