/* Optimal size classes by dynamic programming over the sizes in use, in granules of 16 bytes: the
 * best k classes up to a size are the best k-1 up to a smaller one and that size. */
#include "workloads/size_classes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { GRANULE = 16 };

struct classes_work {
    unsigned granules;   /* that some size falls into */
    uint32_t *size;      /* of each, ascending */
    uint64_t *count;     /* allocations up to and with each (prefix sums) */
    uint64_t *cost;      /* least bytes handed out with k classes, the largest at each */
    uint64_t *cost_less; /* the same with k-1 */
    uint16_t *from;      /* [k][granule]: the class below, for the way back */
};

static int classes_init(struct classes_work *work, uint32_t most, unsigned classes)
{
    size_t room = most / GRANULE + 2;
    work->granules = 0;
    work->size = calloc(room, sizeof *work->size);
    work->count = calloc(room, sizeof *work->count);
    work->cost = calloc(room, sizeof *work->cost);
    work->cost_less = calloc(room, sizeof *work->cost_less);
    work->from = calloc(room * classes, sizeof *work->from);
    return work->size && work->count && work->cost && work->cost_less && work->from ? 0 : -ENOMEM;
}

static void classes_release(struct classes_work *work)
{
    free(work->size);
    free(work->count);
    free(work->cost);
    free(work->cost_less);
    free(work->from);
}

static uint64_t classes_gather(struct classes_work *work, const uint64_t *counts, uint32_t most)
{
    uint64_t requested = 0, total = 0, here = 0;
    for (uint32_t size = 0; size <= most; size++) {
        requested += counts[size] * size;
        here += counts[size];
        if (here && (size % GRANULE == 0 || size == most) && size) {
            work->size[work->granules] = (size + GRANULE - 1) / GRANULE * GRANULE;
            work->count[work->granules++] = total += here;
            here = 0;
        }
    }
    return requested;
}

/* Bytes handed out by the class at `to` to all above the class at `below` (-1: to all). */
static uint64_t classes_served(const struct classes_work *work, int below, unsigned to)
{
    uint64_t count = work->count[to] - (below < 0 ? 0 : work->count[below]);
    return count * work->size[to];
}

static void classes_add_one(struct classes_work *work, unsigned k)
{
    uint64_t *less = work->cost;
    work->cost = work->cost_less;
    work->cost_less = less;
    for (unsigned to = 0; to < work->granules; to++) {
        uint64_t best = UINT64_MAX;
        for (unsigned below = 0; below < to; below++) {
            uint64_t cost = less[below] + classes_served(work, (int)below, to);
            if (cost < best) {
                best = cost;
                work->from[k * work->granules + to] = (uint16_t)below;
            }
        }
        work->cost[to] = best == UINT64_MAX ? less[to] : best;
    }
}

static void classes_trace_back(const struct classes_work *work, struct size_classes *out)
{
    unsigned at = work->granules - 1;
    for (unsigned k = out->count; k-- > 0;) {
        out->size[k] = work->size[at];
        at = work->from[k * work->granules + at];
    }
}

int size_classes_choose(struct size_classes *out, const uint64_t *counts, uint32_t most,
                        unsigned classes)
{
    struct classes_work work;
    *out = (struct size_classes){0};
    int failed = classes_init(&work, most, classes);
    if (!failed)
        out->requested = classes_gather(&work, counts, most);
    if (!failed && work.granules) {
        out->count = classes < work.granules ? classes : work.granules;
        for (unsigned to = 0; to < work.granules; to++)
            work.cost[to] = classes_served(&work, -1, to);
        for (unsigned k = 1; k < out->count; k++)
            classes_add_one(&work, k);
        out->lost = work.cost[work.granules - 1] - out->requested;
        classes_trace_back(&work, out);
    }
    classes_release(&work);
    return failed;
}

uint64_t size_classes_lost(const struct size_classes *classes, const uint64_t *counts,
                           uint32_t most)
{
    uint64_t lost = 0;
    unsigned at = 0;
    for (uint32_t size = 0; size <= most && at < classes->count; size++) {
        while (at < classes->count && classes->size[at] < size)
            at++;
        lost += at < classes->count ? counts[size] * (classes->size[at] - size) : 0;
    }
    return lost;
}

uint64_t size_classes_lost_by_powers(const uint64_t *counts, uint32_t most)
{
    uint64_t lost = 0;
    for (uint32_t size = 0; size <= most; size++) {
        uint64_t power = GRANULE;
        while (power < size)
            power *= 2;
        lost += counts[size] * (power - size);
    }
    return lost;
}
