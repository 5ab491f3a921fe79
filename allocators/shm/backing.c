/* The memory behind a shared heap's object. */
#include "allocators/shm/backing.h"

#include <errno.h>
#include <fcntl.h>

/* At a time: a signal has the kernel undo what it has of one, and it is asked for anew. */
enum { BACKING_STEP = 4 << 20 };

static bool backing_pages(int file, size_t at, size_t bytes)
{
    int done;
    do
        done = fallocate(file, 0, (off_t)at, (off_t)bytes);
    while (done != 0 && errno == EINTR);
    return done == 0 || errno == EOPNOTSUPP;
}

static bool backing_stretch(int file, size_t at, size_t end)
{
    for (size_t next; at < end; at = next) {
        next = end - at < BACKING_STEP ? end : at + BACKING_STEP;
        if (!backing_pages(file, at, next - at))
            return false;
    }
    return true;
}

/* Nothing of it is in use. */
static void backing_give_back(int file, size_t at, size_t end)
{
    if (at < end)
        fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)(end - at));
}

/* Where a stretch begins to be beyond what is backed, and where it ends. */
static size_t backing_missing(const struct shm_heap *plan, unsigned stretch, uint64_t backed,
                              uint64_t size, size_t *end)
{
    size_t at, bytes = shm_heap_stretch(plan, stretch, size, &at);
    size_t have = backed ? shm_heap_stretch(plan, stretch, backed, &at) : 0;
    *end = at + bytes;
    return at + have;
}

bool shm_backing_take(int file, const struct shm_heap *plan, uint64_t backed, uint64_t size)
{
    size_t at, end;
    unsigned taken = 0;
    while (taken < SHM_HEAP_STRETCHES) {
        at = backing_missing(plan, taken++, backed, size, &end);
        if (backing_stretch(file, at, end))
            continue;
        int error = errno;
        while (taken > 0) {
            at = backing_missing(plan, --taken, backed, size, &end);
            backing_give_back(file, at, end);
        }
        errno = error;
        return false;
    }
    return true;
}
