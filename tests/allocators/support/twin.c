/* Real and naive placement in step. */
#include "tests/allocators/support/twin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/allocators/support/events.h"

const char *const twin_policies[] = {
    [NAIVE_FIRST] = "first-fit",
    [NAIVE_BEST] = "best-fit",
    [NAIVE_NEXT] = "next-fit",
    [NAIVE_WORST] = "worst-fit",
    [NAIVE_BUDDY] = "buddy",
    [NAIVE_SHARED] = "shmheap",
    [NAIVE_PAGEMGR] = "pagemgr",
    [NAIVE_MEMS] = "mems",
    [NAIVE_OSTEP] = "ostep",
    [NAIVE_MYMALLOC] = "mymalloc",
    NULL,
};

int twin_open(struct twin *twin, const char *policy, struct err *err)
{
    int which = 0;
    while (strcmp(twin_policies[which], policy) != 0)
        which++;
    *twin = (struct twin){0};
    naive_init(&twin->naive, (enum naive_policy)which);
    int error = spec_parse(&twin->spec, policy, err);
    if (!error)
        error = spec_create(&twin->spec, &twin->region, NULL, &twin->heap, err);
    if (error)
        return error;
    void *base = which == NAIVE_SHARED ? heap_resolve(twin->heap, NULL) : twin->region.base;
    twin->naive.origin = (uintptr_t)base / 16 + (which == NAIVE_OSTEP);
    return 0;
}

void twin_close(struct twin *twin)
{
    if (twin->heap)
        heap_destroy(twin->heap);
    region_release(&twin->region);
    naive_release(&twin->naive);
    free(twin->objects);
}

static struct twin_object *twin_object(struct twin *twin, size_t object)
{
    if (object >= twin->room) {
        size_t room = 2 * object + 1024;
        twin->objects = realloc(twin->objects, room * sizeof *twin->objects);
        memset(twin->objects + twin->room, 0, (room - twin->room) * sizeof *twin->objects);
        twin->room = room;
    }
    return &twin->objects[object];
}

/* Buddies begin where the backend aligned them, and pages behind their table; the first block shows
 * where that is. */
static int twin_compare(struct twin *twin, struct twin_object *object, void *ref,
                        struct extent extent, size_t size, struct err *err)
{
    size_t steps = twin->steps++;
    if (!ref)
        return err_set(err, ENOMEM, "%s: step %zu: no memory for %zu bytes", twin->spec.text, steps,
                       size);
    bool apart = twin->naive.policy == NAIVE_BUDDY || twin->naive.policy == NAIVE_MYMALLOC;
    if (steps == 0 && apart)
        twin->naive.origin = (uintptr_t)ref / 16 - extent.start;
    size_t place = (uintptr_t)heap_resolve(twin->heap, ref) / 16 - twin->naive.origin;
    if (place != extent.start)
        return err_set(err, EUCLEAN, "%s: step %zu: %zu bytes are at granule %zu, not at %zu",
                       twin->spec.text, steps, size, place, extent.start);
    *object = (struct twin_object){ref, size, extent};
    return 0;
}

int twin_alloc(struct twin *twin, size_t object, size_t size, struct err *err)
{
    size += size == 0;
    void *ref = heap_alloc(twin->heap, size);
    return twin_compare(twin, twin_object(twin, object), ref, naive_alloc(&twin->naive, size), size,
                        err);
}

int twin_alloc_aligned(struct twin *twin, size_t object, size_t align, size_t size, struct err *err)
{
    if (align <= 16)
        return twin_alloc(twin, object, size, err);
    size += size == 0;
    void *ref = heap_alloc_aligned(twin->heap, align, size);
    return twin_compare(twin, twin_object(twin, object), ref,
                        naive_alloc_aligned(&twin->naive, align, size), size, err);
}

int twin_realloc(struct twin *twin, size_t object, size_t size, struct err *err)
{
    struct twin_object *of = twin_object(twin, object);
    if (!of->ref)
        return twin_alloc(twin, object, size, err);
    size += size == 0;
    void *ref = heap_realloc(twin->heap, of->ref, of->size, size);
    return twin_compare(twin, of, ref, naive_realloc(&twin->naive, of->extent, size), size, err);
}

int twin_free(struct twin *twin, size_t object, struct err *err)
{
    struct twin_object *of = twin_object(twin, object);
    (void)err;
    twin->steps++;
    if (!of->ref)
        return 0;
    heap_free(twin->heap, of->ref);
    naive_free(&twin->naive, of->extent);
    of->ref = NULL;
    return 0;
}

int twin_check(struct twin *twin, struct err *err)
{
    char why[256];
    if (heap_check(twin->heap, why, sizeof why) == 0)
        return 0;
    return err_set(err, EUCLEAN, "step %zu: %s", (size_t)twin->steps, why);
}

static int twin_event(void *arg, struct trace_event event, struct err *err)
{
    struct twin *twin = arg;
    switch (event.kind) {
    case TRACE_MALLOC:
    case TRACE_CALLOC:
        return twin_alloc(twin, event.object, event.size, err);
    case TRACE_ALIGNED:
        return twin_alloc_aligned(twin, event.object, (size_t)1 << event.align_log2, event.size,
                                  err);
    case TRACE_REALLOC:
        return twin_realloc(twin, event.object, event.size, err);
    case TRACE_FREE:
        return twin_free(twin, event.object, err);
    default:
        return 0;
    }
}

int twin_replay(struct twin *twin, const char *path, uint64_t events, struct err *err)
{
    int status = events_each(path, events, twin_event, twin, err);
    return status ? status : twin_check(twin, err);
}
