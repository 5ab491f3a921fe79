/* Address ranges that come and go. */
#include "harness/measure/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/err.h"

static struct range *ranges_open(struct ranges *ranges, size_t place)
{
    if (ranges->count == ranges->room) {
        ranges->room = ranges->room ? 2 * ranges->room : 64;
        ranges->at = reallocarray(ranges->at, ranges->room, sizeof *ranges->at);
        if (!ranges->at)
            err_no_memory("%zu ranges", ranges->room);
    }
    memmove(ranges->at + place + 1, ranges->at + place,
            (ranges->count - place) * sizeof *ranges->at);
    ranges->count++;
    return &ranges->at[place];
}

size_t ranges_find(const struct ranges *ranges, uint64_t address)
{
    size_t low = 0, high = ranges->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges->at[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void ranges_remove(struct ranges *ranges, uint64_t start, uint64_t end)
{
    size_t i = ranges_find(ranges, start);
    while (i < ranges->count && ranges->at[i].start < end) {
        struct range was = ranges->at[i];
        memmove(ranges->at + i, ranges->at + i + 1, (--ranges->count - i) * sizeof *ranges->at);
        if (was.start < start)
            *ranges_open(ranges, i++) = (struct range){was.start, start};
        if (was.end > end)
            *ranges_open(ranges, i++) = (struct range){end, was.end};
    }
}

void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end)
{
    if (start >= end)
        return;
    ranges_remove(ranges, start, end);
    *ranges_open(ranges, ranges_find(ranges, start)) = (struct range){start, end};
}

void ranges_release(struct ranges *ranges)
{
    free(ranges->at);
    *ranges = (struct ranges){0};
}
