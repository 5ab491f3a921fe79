/* A growing array of mapped memory. */
#include "workloads/array.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "harness/base/pages.h"

enum { ARRAY_PAGE = 4096 };

static int array_move(struct array *array, size_t bytes, void *(*map)(size_t bytes))
{
    size_t room = array->bytes * 2;
    if (bytes > SIZE_MAX / 2)
        return -ENOMEM;
    if (room < bytes)
        room = (bytes + ARRAY_PAGE - 1) / ARRAY_PAGE * ARRAY_PAGE;
    void *moved = map(room);
    if (!moved)
        return -ENOMEM;
    if (array->at)
        memcpy(moved, array->at, array->bytes);
    pages_unmap(array->at, array->bytes);
    *array = (struct array){moved, room};
    return 0;
}

int array_grow(struct array *array, size_t bytes)
{
    return array_move(array, bytes, pages_map);
}

int array_grow_private(struct array *array, size_t bytes)
{
    return array_move(array, bytes, pages_map_huge);
}

void array_release(struct array *array)
{
    pages_unmap(array->at, array->bytes);
    *array = (struct array){0};
}
