/* shmheap: the shared-memory heap as a backend: first fit, one lock, blocks named by offsets.
 *
 * 1. Engine, bookkeeping and lock are those of the classic interface (allocators/shm); blocks are
 *    rounded up to 16 bytes, bookkeeping included, so that real programs' alignment holds.
 * 2. With a name the heap lies in shared memory and others attach(). Without one it lies in the
 *    region, so that its memory is accounted like any other backend's.
 * 3. It grows when it is full and never shrinks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "allocators/allocator.h"
#include "allocators/region.h"
#include "allocators/shm/object.h"
#include "harness/base/pages.h"

enum { SHMHEAP_ALIGN = 16, SHMHEAP_STEP = 128 << 10 };
#define SHMHEAP_HUGE (8 * REGION_HUGE)  /* bytes from which on huge pages are */
#define SHMHEAP_CAPACITY REGION_DEFAULT /* in shared memory; in a region, what fits */
enum { OPTION_LOCK, OPTION_SIZE_AT_START };

struct shmheap {
    struct heap heap;
    struct shm_heap *shared;
    char *data;
    bool locked;
    struct shm_object *object;            /* in shared memory, else NULL */
    char name[64];                        /* under which this process created it */
    struct region *region;                /* where this struct lies; NULL: attached */
    size_t committed[SHM_HEAP_STRETCHES]; /* bytes, in a region */
    struct allocator unlocked;            /* the table of a heap without a lock */
};

static const struct option_row shmheap_options[] = {
    [OPTION_LOCK] = {"lock", OPTION_FLAG, "1", "robust lock; 0: for one thread only", NULL},
    [OPTION_SIZE_AT_START] = {"size", OPTION_SIZE, "128k", "bytes at the start; grows when full",
                              NULL},
    {NULL, 0, NULL, NULL, NULL},
};

/* ---- in a region: one page of this process's own, then the heap ------------------------------ */

static size_t shmheap_to_page(size_t bytes)
{
    size_t mask = region_page() - 1;
    return (bytes + mask) & ~mask;
}

/* Commits what a space of `size` bytes uses and is not committed yet. */
static bool shmheap_commit(struct shmheap *shmheap, const struct shm_heap *plan, uint64_t size)
{
    for (unsigned i = 0; i < SHM_HEAP_STRETCHES; i++) {
        size_t at, bytes = shm_heap_stretch(plan, i, size, &at);
        size_t have = shmheap->committed[i];
        if (bytes <= have)
            continue;
        if (region_commit(shmheap->region, region_page() + at + have, bytes - have) < 0)
            return false;
        shmheap->committed[i] = bytes;
    }
    return true;
}

/* The largest capacity whose heap fits into `room` bytes. */
static uint64_t shmheap_capacity(size_t room)
{
    struct shm_heap plan;
    uint64_t capacity = room < SPACE_CAPACITY_MAX * SPACE_UNIT ? room : SPACE_CAPACITY_MAX;
    for (size_t bytes; (bytes = shm_heap_plan(&plan, capacity)) > room;)
        capacity -= bytes - room < capacity ? bytes - room : capacity;
    return capacity;
}

static int shmheap_place(struct shmheap *shmheap, uint64_t size)
{
    struct shm_heap plan;
    struct region *region = shmheap->region;
    uint64_t capacity = shmheap_capacity(region->reserved - region_page());
    shm_heap_plan(&plan, capacity);
    size = shmheap_to_page(size);
    if (size > capacity || !shmheap_commit(shmheap, &plan, size))
        return -ENOMEM;
    shmheap->shared = (struct shm_heap *)(void *)(region->base + region_page());
    return shm_heap_init(shmheap->shared, capacity, size);
}

/* A large heap grows by huge pages, at most by an eighth more than is needed. */
static uint64_t shmheap_to_huge(const struct shmheap *shmheap, uint64_t size, uint64_t units)
{
    size_t end = region_page() + shmheap->shared->data_at + size;
    if (size < SHMHEAP_HUGE || units > REGION_HUGE / 2 / SPACE_UNIT ||
        !region_likes_huge(shmheap->region))
        return size;
    return size + region_huge_from(shmheap->region, end) - end;
}

static bool shmheap_extend(struct shmheap *shmheap, uint64_t size)
{
    struct shm_heap *shared = shmheap->shared;
    uint64_t from = shm_heap_size(shared);
    if (size / SPACE_UNIT > shared->space.capacity || !shmheap_commit(shmheap, shared, size))
        return false;
    if (size >= SHMHEAP_HUGE && size - from <= REGION_HUGE)
        region_fill_huge(shmheap->region, region_page() + shared->data_at + from, size - from);
    space_extend(&shared->space, size / SPACE_UNIT);
    return true;
}

static bool shmheap_grow_region(struct shmheap *shmheap, uint64_t units)
{
    const struct space *space = &shmheap->shared->space;
    if (units > space->capacity - space->top)
        return false;
    uint64_t least = shmheap_to_page((space->top + units) * SPACE_UNIT);
    return shmheap_extend(shmheap, shmheap_to_huge(shmheap, least + SHMHEAP_STEP, units)) ||
           shmheap_extend(shmheap, least);
}

/* ---- creation -------------------------------------------------------------------------------- */

static void shmheap_open(struct shmheap *shmheap, bool locked)
{
    shmheap->heap.ops = &allocator_shmheap;
    shmheap->data = shm_heap_data(shmheap->shared);
    shmheap->locked = locked;
    if (locked)
        return;
    shmheap->unlocked = allocator_shmheap;
    shmheap->unlocked.threads = THREADS_ONE;
    shmheap->unlocked.flags &= ~(unsigned)ALLOCATOR_PROCESS_SHARED;
    shmheap->unlocked.attach = NULL;
    shmheap->heap.ops = &shmheap->unlocked;
}

static int shmheap_share(struct shmheap *shmheap, const char *name, uint64_t size)
{
    bool fits = strlen(name) < sizeof shmheap->name; /* which is what destroy removes */
    int error =
        fits ? shm_object_create(name, size, SHMHEAP_CAPACITY, &shmheap->object) : -ENAMETOOLONG;
    if (error)
        return error;
    shmheap->shared = shmheap->object->heap;
    snprintf(shmheap->name, sizeof shmheap->name, "%s", name);
    return 0;
}

static int shmheap_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    struct region *region = config->region;
    uint64_t size = config->values[OPTION_SIZE_AT_START].number;
    bool locked = config->values[OPTION_LOCK].number;
    if (region_commit(region, 0, region_page()) < 0)
        return err_set(err, ENOMEM, "shmheap: no memory for its first page");
    struct shmheap *shmheap = (struct shmheap *)(void *)region->base;
    _Static_assert(sizeof *shmheap <= 4096, "it has one page");
    bool named = config->name && locked;
    shmheap->region = region;
    int error = named ? shmheap_share(shmheap, config->name, size) : shmheap_place(shmheap, size);
    if (error)
        return err_set(err, -error, "shmheap: a heap of %llu bytes%s%s cannot be created: %s",
                       (unsigned long long)size, named ? " named " : "", named ? config->name : "",
                       strerror(-error));
    shmheap_open(shmheap, locked);
    *out = &shmheap->heap;
    return 0;
}

static int shmheap_attach(const char *name, struct heap **out, struct err *err)
{
    struct shmheap *shmheap = pages_map(sizeof *shmheap);
    if (!shmheap)
        return err_set(err, ENOMEM, "shmheap: no memory to attach to %s", name);
    int error = shm_object_connect(name, &shmheap->object);
    if (error) {
        pages_unmap(shmheap, sizeof *shmheap);
        return err_set(err, -error, "shmheap: cannot attach to %s: %s", name,
                       error == -EINVAL ? "it is no heap of this version" : strerror(-error));
    }
    shmheap->shared = shmheap->object->heap;
    shmheap_open(shmheap, true);
    *out = &shmheap->heap;
    return 0;
}

static void shmheap_destroy(struct heap *heap)
{
    struct shmheap *shmheap = (struct shmheap *)heap;
    if (*shmheap->name)
        shm_object_unlink(shmheap->name, shmheap->object);
    if (shmheap->object)
        shm_object_disconnect(shmheap->object);
    if (!shmheap->region)
        pages_unmap(shmheap, sizeof *shmheap);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* What another process has lengthened is not accessible here until asked for. */
static void shmheap_reach(struct shmheap *shmheap)
{
    if (shmheap->object)
        shm_object_heap(shmheap->object);
}

static bool shmheap_enter(struct shmheap *shmheap)
{
    if (!shmheap->locked)
        return true;
    bool entered = shm_heap_lock(shmheap->shared);
    shmheap_reach(shmheap);
    return entered;
}

static void shmheap_leave(struct shmheap *shmheap)
{
    if (shmheap->locked)
        shm_heap_unlock(shmheap->shared);
}

static uint64_t shmheap_offset(void *ref)
{
    return (uintptr_t)ref;
}

static bool shmheap_grow(struct shmheap *shmheap, uint64_t units)
{
    return shmheap->object ? shm_object_grow(shmheap->object, units)
                           : shmheap_grow_region(shmheap, units);
}

/* `*fresh`: the memory from that offset on was never written. */
static inline void *shmheap_take(struct shmheap *shmheap, uint64_t units, uint64_t *fresh)
{
    if (!units || !shmheap_enter(shmheap))
        return NULL;
    *fresh = shmheap->shared->space.fresh * SPACE_UNIT;
    uint64_t offset = shm_heap_take(shmheap->shared, units);
    if (!offset && shmheap_grow(shmheap, units))
        offset = shm_heap_take(shmheap->shared, units);
    shmheap_leave(shmheap);
    return (void *)(uintptr_t)offset;
}

static void *shmheap_alloc(struct heap *heap, size_t size)
{
    uint64_t fresh;
    return shmheap_take((struct shmheap *)heap, shm_heap_units(size, SHMHEAP_ALIGN), &fresh);
}

static void *shmheap_zalloc(struct heap *heap, size_t size)
{
    struct shmheap *shmheap = (struct shmheap *)heap;
    uint64_t fresh;
    void *ref = shmheap_take(shmheap, shm_heap_units(size, SHMHEAP_ALIGN), &fresh);
    uint64_t offset = shmheap_offset(ref);
    if (ref && offset < fresh)
        memset(shmheap->data + offset, 0, size < fresh - offset ? size : fresh - offset);
    return ref;
}

static void shmheap_free(struct heap *heap, void *ref)
{
    struct shmheap *shmheap = (struct shmheap *)heap;
    shm_heap_give_soon(shmheap->shared, shmheap_offset(ref));
    if (!shmheap_enter(shmheap))
        return;
    shm_heap_give(shmheap->shared, shmheap_offset(ref));
    shmheap_leave(shmheap);
}

/* Where it stands; the last block may have the heap grow for it. */
static bool shmheap_resize(struct shmheap *shmheap, void *ref, uint64_t units)
{
    struct shm_heap *shared = shmheap->shared;
    uint64_t offset = shmheap_offset(ref), at = offset / SPACE_UNIT - 1;
    if (!units || !shmheap_enter(shmheap))
        return false;
    bool done = shm_heap_resize(shared, offset, units) ||
                (space_is_last(&shared->space, at) &&
                 shmheap_grow(shmheap, units - space_size(&shared->space, at)) &&
                 shm_heap_resize(shared, offset, units));
    shmheap_leave(shmheap);
    return done;
}

static void *shmheap_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    struct shmheap *shmheap = (struct shmheap *)heap;
    if (shmheap_resize(shmheap, ref, shm_heap_units(size, SHMHEAP_ALIGN)))
        return ref;
    void *moved = shmheap_alloc(heap, size);
    if (!moved)
        return NULL;
    memcpy(shmheap->data + shmheap_offset(moved), shmheap->data + shmheap_offset(ref),
           old_size < size ? old_size : size);
    shmheap_free(heap, ref);
    return moved;
}

/* An alignment above the page's holds in this process: others may have the heap mapped between. */
static void *shmheap_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    struct shmheap *shmheap = (struct shmheap *)heap;
    uint64_t units = shm_heap_units(size, SHMHEAP_ALIGN);
    if (!units || align > SIZE_MAX / 4)
        return NULL;
    uint64_t fresh;
    void *ref = shmheap_take(shmheap, units + align / SPACE_UNIT, &fresh);
    if (!ref || !shmheap_enter(shmheap))
        return NULL;
    size_t skip = -(uintptr_t)(shmheap->data + shmheap_offset(ref)) & (align - 1);
    uint64_t offset = shm_heap_trim(shmheap->shared, shmheap_offset(ref), skip, units);
    shmheap_leave(shmheap);
    return (void *)(uintptr_t)offset;
}

static size_t shmheap_usable_size(struct heap *heap, void *ref)
{
    struct shmheap *shmheap = (struct shmheap *)heap;
    if (!shmheap_enter(shmheap))
        return 0;
    size_t usable = shm_heap_usable(shmheap->shared, shmheap_offset(ref));
    shmheap_leave(shmheap);
    return usable;
}

static void *shmheap_resolve(struct heap *heap, void *ref)
{
    struct shmheap *shmheap = (struct shmheap *)heap;
    shmheap_reach(shmheap);
    return shmheap->data + shmheap_offset(ref);
}

static void *shmheap_ref_of(struct heap *heap, void *pointer)
{
    return (void *)(uintptr_t)((char *)pointer - ((struct shmheap *)heap)->data);
}

static bool shmheap_owns(struct heap *heap, const void *pointer)
{
    struct shmheap *shmheap = (struct shmheap *)heap;
    shmheap_reach(shmheap);
    return shm_heap_is_live(shmheap->shared, (uintptr_t)pointer - (uintptr_t)shmheap->data);
}

/* ---- inspection ------------------------------------------------------------------------------ */

static void shmheap_stats(struct heap *heap, struct heap_stats *out)
{
    const struct shmheap *shmheap = (struct shmheap *)heap;
    const struct shm_heap *shared = shmheap->shared;
    const struct space *space = &shared->space;
    size_t at, held = shmheap->object ? 0 : region_page();
    for (unsigned i = 0; i < SHM_HEAP_STRETCHES; i++)
        held += shm_heap_stretch(shared, i, shm_heap_size(shared), &at);
    out->live_blocks = space->live_blocks;
    out->live_bytes = (space->live_units - space->live_blocks) * SPACE_UNIT;
    out->free_bytes = (space->units - space->first - space->live_units) * SPACE_UNIT;
    out->metadata_bytes = held - out->live_bytes - out->free_bytes;
    out->held_bytes = shmheap->object ? held : shmheap->region->committed;
}

static int shmheap_walk_meta(const char *start, size_t size, heap_visitor *visit, void *arg)
{
    struct span area = {SPAN_AREA, start, size, NULL, 0};
    struct span meta = {SPAN_META, start, size, NULL, 0};
    return size && (visit(arg, &area) || visit(arg, &meta));
}

static int shmheap_walk_space(const struct shmheap *shmheap, heap_visitor *visit, void *arg)
{
    const struct space *space = &shmheap->shared->space;
    struct span area = {SPAN_AREA, shmheap->data, space->units * SPACE_UNIT, NULL, 0};
    struct span meta = {SPAN_META, shmheap->data, space->first * SPACE_UNIT, NULL, 0};
    struct space_block block = {space->first, 0};
    bool is_free = false;
    if (visit(arg, &area) || visit(arg, &meta))
        return 1;
    while ((block = space_next(space, block, &is_free)).at != SPACE_NONE) {
        const char *start = shmheap->data + block.at * SPACE_UNIT;
        size_t size = block.units * SPACE_UNIT;
        struct span used = {SPAN_USED, start, size, start + SPACE_UNIT, size - SPACE_UNIT};
        struct span hole = {SPAN_FREE, start, size, NULL, 0};
        if (visit(arg, is_free ? &hole : &used))
            return 1;
    }
    return 0;
}

static int shmheap_walk(struct heap *heap, heap_visitor *visit, void *arg)
{
    struct shmheap *shmheap = (struct shmheap *)heap;
    const struct shm_heap *shared = shmheap->shared;
    shmheap_reach(shmheap);
    if (!shmheap->object && shmheap_walk_meta(shmheap->region->base, region_page(), visit, arg))
        return 1;
    for (unsigned i = 0; i < SHM_HEAP_STRETCHES - 1; i++) {
        size_t at, bytes = shm_heap_stretch(shared, i, shm_heap_size(shared), &at);
        if (shmheap_walk_meta((const char *)shared + at, bytes, visit, arg))
            return 1;
    }
    return shmheap_walk_space(shmheap, visit, arg);
}

static int shmheap_check(struct heap *heap, char *why, size_t length)
{
    struct shmheap *shmheap = (struct shmheap *)heap;
    shmheap_reach(shmheap);
    const char *flaw = shm_heap_flaw(shmheap->shared);
    if (!flaw)
        return 0;
    snprintf(why, length, "shmheap: %s", flaw);
    return -EUCLEAN;
}

const struct allocator allocator_shmheap = {
    .name = "shmheap",
    .summary = "first fit for several processes, one robust lock (classic: shmheap.h)",
    .align = SHMHEAP_ALIGN,
    .threads = THREADS_ANY,
    .scope = SCOPE_HEAP,
    .flags = ALLOCATOR_WALK_TILES | ALLOCATOR_FORK_SAFE | ALLOCATOR_PROCESS_SHARED,
    .options = shmheap_options,
    .create = shmheap_create,
    .destroy = shmheap_destroy,
    .alloc = shmheap_alloc,
    .free = shmheap_free,
    .zalloc = shmheap_zalloc,
    .realloc = shmheap_realloc,
    .alloc_aligned = shmheap_alloc_aligned,
    .usable_size = shmheap_usable_size,
    .resolve = shmheap_resolve,
    .ref_of = shmheap_ref_of,
    .owns = shmheap_owns,
    .attach = shmheap_attach,
    .stats = shmheap_stats,
    .walk = shmheap_walk,
    .check = shmheap_check,
};
