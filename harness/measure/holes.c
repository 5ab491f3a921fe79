/* The free extents of a heap at one moment. */
#include "harness/measure/holes.h"

uint64_t hole_request(size_t i)
{
    uint64_t power = UINT64_C(16) << i / 2;
    return i % 2 ? power + power / 2 : power;
}

void holes_add(struct holes *holes, uint64_t extent)
{
    size_t bin = profile_bin(extent);
    holes->count++;
    holes->bytes += extent;
    holes->largest = extent > holes->largest ? extent : holes->largest;
    holes->bin_count[bin]++;
    holes->bin_bytes[bin] += extent;
    for (size_t i = 0; i < HOLE_REQUESTS && hole_request(i) <= extent; i++) {
        holes->filled[i] += extent - extent % hole_request(i);
        holes->fitting[i] += extent;
    }
}

static double holes_rest(const struct holes *holes, uint64_t part)
{
    return holes->bytes ? 1 - (double)part / (double)holes->bytes : 0;
}

double holes_unusable(const struct holes *holes, size_t i)
{
    return holes_rest(holes, holes->filled[i]);
}

double holes_too_small(const struct holes *holes, size_t i)
{
    return holes_rest(holes, holes->fitting[i]);
}

double holes_outside_largest(const struct holes *holes)
{
    return holes_rest(holes, holes->largest);
}
