/* A growing array of mapped memory. */
#include "workloads/array.h"

#include <errno.h>
#include <string.h>

#include "harness/base/pages.h"

enum { ARRAY_LEAST = 4096 };

int array_grow(struct array *array, size_t bytes)
{
    size_t room = array->bytes ? array->bytes : ARRAY_LEAST;
    while (room < bytes)
        if (__builtin_mul_overflow(room, (size_t)2, &room))
            return -ENOMEM;
    void *moved = pages_map(room);
    if (!moved)
        return -ENOMEM;
    if (array->at)
        memcpy(moved, array->at, array->bytes);
    pages_unmap(array->at, array->bytes);
    *array = (struct array){moved, room};
    return 0;
}

void array_release(struct array *array)
{
    pages_unmap(array->at, array->bytes);
    *array = (struct array){0};
}
