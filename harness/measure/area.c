/* The memory that the worker shares with its parent. */
#include "harness/measure/area.h"

#include <unistd.h>

#include "workloads/checksum.h"

const uint64_t size_class_limits[SIZE_CLASSES - 1] = {16, 64, 256, 1024, 4096, 32768, 262144};

const char *const latency_kind_names[LATENCY_KINDS] = {"free", "malloc", "calloc", "realloc",
                                                       "aligned"};

unsigned size_class(uint64_t size)
{
    unsigned at = 0;
    while (at < SIZE_CLASSES - 1 && size > size_class_limits[at])
        at++;
    return at;
}

#define AREA_NAME_TEXT(name, length, help) #name " "
#define AREA_NAME_OTHER(name, unit, help) #name " "

uint64_t area_layout(void)
{
    static const char names[] = CELL_FIELDS(AREA_NAME_TEXT, AREA_NAME_OTHER, AREA_NAME_OTHER);
    const uint64_t sizes[] = {sizeof(struct request),      sizeof(struct area),
                              sizeof(struct lane),         sizeof(struct memory_area),
                              sizeof(struct latency_area), sizeof(struct moments_area)};
    return checksum64(sizes, sizeof sizes, checksum64(names, sizeof names, 0));
}

static size_t area_bytes(enum pass pass)
{
    switch (pass) {
    case PASS_MEMORY:
        return offsetof(struct area, memory) + sizeof(struct memory_area);
    case PASS_LATENCY:
        return offsetof(struct area, latency) + sizeof(struct latency_area);
    case PASS_MOMENTS:
        return offsetof(struct area, moments) + sizeof(struct moments_area);
    default:
        return offsetof(struct area, memory);
    }
}

static size_t area_whole(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

size_t area_size(enum pass pass)
{
    return area_whole(area_bytes(pass));
}

size_t area_lanes_size(unsigned lanes)
{
    return area_whole(lanes * sizeof(struct lane));
}
