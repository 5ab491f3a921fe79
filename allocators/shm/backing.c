/* The memory behind a shared heap's object. */
#include "allocators/shm/backing.h"

#include <errno.h>
#include <fcntl.h>

enum { BACKING_MOST = 64 << 20, BACKING_END = 1 << 20 };

static bool backing_pages(int file, size_t at, size_t bytes)
{
    int done;
    do
        done = fallocate(file, 0, (off_t)at, (off_t)bytes);
    while (done != 0 && errno == EINTR);
    return done == 0 || errno == EOPNOTSUPP;
}

static bool backing_stretch(int file, size_t at, size_t bytes)
{
    if (bytes <= BACKING_MOST)
        return bytes == 0 || backing_pages(file, at, bytes);
    return backing_pages(file, at, BACKING_END) &&
           backing_pages(file, at + bytes - BACKING_END, BACKING_END);
}

bool shm_backing_take(int file, const struct shm_heap *plan, uint64_t backed, uint64_t size)
{
    for (unsigned i = 0; i < SHM_HEAP_STRETCHES; i++) {
        size_t at, bytes = shm_heap_stretch(plan, i, size, &at);
        size_t have = backed ? shm_heap_stretch(plan, i, backed, &at) : 0;
        if (!backing_stretch(file, at + have, bytes - have))
            return false;
    }
    return true;
}
