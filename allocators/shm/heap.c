/* The shared heap in memory: its layout, its lock and its objects. */
#include "allocators/shm/heap.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    HEAP_VERSION = 2,
    HEAP_PAGE = 4096,
    HEAP_FIRST_UNIT = 1,
    HEAP_LOOK_AGAIN_NS = 10000000,
    HEAP_SECOND_NS = 1000000000
};
static const char heap_magic[8] = "shmheap";

/* ---- layout ---------------------------------------------------------------------------------- */

static size_t heap_to_page(size_t bytes)
{
    return (bytes + HEAP_PAGE - 1) & ~(size_t)(HEAP_PAGE - 1);
}

size_t shm_heap_plan(struct shm_heap *plan, uint64_t capacity)
{
    plan->data_at = heap_to_page(space_layout(&plan->space, capacity / SPACE_UNIT, sizeof *plan));
    return heap_to_page(plan->data_at + capacity);
}

size_t shm_heap_stretch(const struct shm_heap *plan, unsigned stretch, uint64_t size, size_t *at)
{
    const struct space *space = &plan->space;
    *at = 0;
    if (stretch == 0)
        return heap_to_page(space->head_bytes);
    *at = plan->data_at;
    if (stretch == SHM_HEAP_STRETCHES - 1)
        return heap_to_page(size);
    *at = space->part_at[stretch - 1];
    if (*at < space->head_bytes)
        return 0;
    return heap_to_page(space_part_bytes(stretch - 1, size / SPACE_UNIT));
}

static int heap_lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    int error = pthread_mutexattr_init(&attributes);
    if (error)
        return -error;
    error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (!error)
        error = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (!error)
        error = pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return -error;
}

static uint64_t heap_new_id(void)
{
    uint64_t id = 0;
    if (getrandom(&id, sizeof id, GRND_NONBLOCK) != sizeof id) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        id = ((uint64_t)now.tv_sec << 30 | (uint64_t)now.tv_nsec) ^ (uint64_t)getpid() << 48;
    }
    return id | 1;
}

int shm_heap_init(struct shm_heap *heap, uint64_t capacity, uint64_t size)
{
    shm_heap_plan(heap, capacity);
    heap->version = HEAP_VERSION;
    heap->lock_bytes = sizeof heap->lock;
    heap->id = heap_new_id();
    space_init(&heap->space, HEAP_FIRST_UNIT, size / SPACE_UNIT);
    int error = heap_lock_init(&heap->lock);
    if (error)
        return error;
    uint64_t magic;
    memcpy(&magic, heap_magic, sizeof magic);
    __atomic_store_n((uint64_t *)(void *)heap->magic, magic, __ATOMIC_RELEASE);
    return 0;
}

bool shm_heap_is_valid(const struct shm_heap *heap)
{
    const struct space *space = &heap->space;
    if (memcmp(heap->magic, heap_magic, sizeof heap_magic) != 0 || heap->version != HEAP_VERSION ||
        heap->lock_bytes != sizeof heap->lock || space->capacity > SPACE_CAPACITY_MAX)
        return false;
    struct shm_heap plan;
    shm_heap_plan(&plan, space->capacity * SPACE_UNIT);
    return plan.data_at == heap->data_at && plan.space.head_bytes == space->head_bytes &&
           memcmp(plan.space.part_at, space->part_at, sizeof space->part_at) == 0 &&
           space->first == HEAP_FIRST_UNIT && space->top >= space->first &&
           space->top <= space->units && space->units <= space->capacity;
}

/* ---- the lock -------------------------------------------------------------------------------- */

/* A wake-up that a process takes into its death is lost, unless it died without anyone else having
 * taken the lock since: the kernel then passes it on. Who waits therefore looks again by itself. */
static int heap_lock_wait(pthread_mutex_t *lock)
{
    int error;
    do {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += HEAP_LOOK_AGAIN_NS;
        until.tv_sec += until.tv_nsec / HEAP_SECOND_NS;
        until.tv_nsec %= HEAP_SECOND_NS;
        error = pthread_mutex_timedlock(lock, &until);
    } while (error == ETIMEDOUT);
    return error;
}

bool shm_heap_lock(struct shm_heap *heap)
{
    int error = pthread_mutex_trylock(&heap->lock);
    if (error == EBUSY)
        error = heap_lock_wait(&heap->lock);
    if (error == EOWNERDEAD) {
        space_repair(&heap->space);
        heap->repairs++;
        error = pthread_mutex_consistent(&heap->lock);
    }
    return error == 0;
}

void shm_heap_unlock(struct shm_heap *heap)
{
    pthread_mutex_unlock(&heap->lock);
}

/* ---- objects --------------------------------------------------------------------------------- */

bool shm_heap_is_live(const struct shm_heap *heap, uint64_t offset)
{
    return offset >= SPACE_UNIT && offset % SPACE_UNIT == 0 &&
           space_is_live(&heap->space, offset / SPACE_UNIT - 1);
}

bool shm_heap_resize(struct shm_heap *heap, uint64_t offset, uint64_t units)
{
    uint64_t at = offset / SPACE_UNIT - 1;
    uint64_t now = space_size(&heap->space, at);
    if (units > now)
        return space_widen(&heap->space, at, units);
    if (units < now) {
        space_cut(&heap->space, at + units);
        space_free(&heap->space, at + units);
    }
    return true;
}

uint64_t shm_heap_trim(struct shm_heap *heap, uint64_t offset, size_t skip, uint64_t units)
{
    if (skip) {
        uint64_t at = (offset + skip) / SPACE_UNIT - 1;
        space_cut(&heap->space, at);
        *shm_heap_unit(heap, at) = shm_heap_seal(heap, at);
        space_free(&heap->space, offset / SPACE_UNIT - 1);
    }
    shm_heap_resize(heap, offset + skip, units);
    return offset + skip;
}

size_t shm_heap_usable(const struct shm_heap *heap, uint64_t offset)
{
    return (space_size(&heap->space, offset / SPACE_UNIT - 1) - 1) * SPACE_UNIT;
}

const char *shm_heap_flaw(const struct shm_heap *heap)
{
    struct space_block block = {heap->space.first, 0};
    bool is_free = false;
    const char *flaw = space_flaw(&heap->space);
    if (flaw || heap->repairs)
        return flaw;
    while ((block = space_next(&heap->space, block, &is_free)).at != SPACE_NONE)
        if (!is_free && *shm_heap_unit(heap, block.at) != shm_heap_seal(heap, block.at))
            return "the bookkeeping before an object was overwritten";
    return NULL;
}
