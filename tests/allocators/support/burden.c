/* What bookkeeping costs: operations, and a look at the heap's own account now and then. */
#include "tests/allocators/support/burden.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/allocators/support/events.h"

double burden_promised(const struct burden *burden, const struct burden_moment *moment)
{
    double blocks = (double)moment->live_blocks, holes = (double)moment->holes;
    double promised = 16 * blocks + 0.07 * (double)moment->held_bytes;
    bool segments = strcmp(burden->spec.backend->name, "mems") == 0;
    return segments && 64 * (blocks + holes) > promised ? 64 * (blocks + holes) : promised;
}

static int burden_count(void *arg, const struct span *span)
{
    struct burden_moment *now = arg;
    now->holes += span->kind == SPAN_FREE;
    return 0;
}

static void burden_look(struct burden *burden)
{
    struct heap_stats stats;
    struct burden_moment now = {.step = burden->step};
    heap_stats(burden->heap, &stats);
    heap_walk(burden->heap, burden_count, &now);
    now.live_blocks = stats.live_blocks;
    now.held_bytes = stats.held_bytes;
    now.metadata_bytes = stats.metadata_bytes;
    now.excess = (double)now.metadata_bytes - burden_promised(burden, &now);
    if (now.excess > burden->worst.excess || burden->worst.step == 0)
        burden->worst = now;
    if (now.held_bytes > burden->fullest.held_bytes)
        burden->fullest = now;
}

int burden_open(struct burden *burden, const char *spec, uint64_t every, struct err *err)
{
    *burden = (struct burden){.every = every};
    int error = spec_parse(&burden->spec, spec, err);
    return error ? error : spec_create(&burden->spec, &burden->region, NULL, &burden->heap, err);
}

void burden_close(struct burden *burden)
{
    if (burden->heap)
        heap_destroy(burden->heap);
    region_release(&burden->region);
    free(burden->objects);
}

static struct burden_object *burden_object(struct burden *burden, size_t object)
{
    size_t room = burden->room;
    if (object >= room) {
        burden->room = 2 * object + 64;
        burden->objects = realloc(burden->objects, burden->room * sizeof *burden->objects);
        memset(burden->objects + room, 0, (burden->room - room) * sizeof *burden->objects);
    }
    return &burden->objects[object];
}

int burden_set(struct burden *burden, size_t object, size_t size, struct err *err)
{
    struct burden_object *of = burden_object(burden, object);
    if (size == 0 && of->ref) {
        heap_free(burden->heap, of->ref);
        of->ref = NULL;
    } else if (size > 0) {
        of->ref = of->ref ? heap_realloc(burden->heap, of->ref, of->size, size)
                          : heap_alloc(burden->heap, size);
        if (!of->ref)
            return err_set(err, ENOMEM, "step %zu: no memory for %zu bytes", (size_t)burden->step,
                           size);
        of->size = size;
    }
    if (++burden->step % burden->every == 0)
        burden_look(burden);
    return 0;
}

int burden_ebb(struct burden *burden, size_t keep, struct err *err)
{
    int error = 0;
    for (size_t i = 0; i < burden->room && !error; i++)
        if (i % keep != 0)
            error = burden_set(burden, i, 0, err);
    return error;
}

static int burden_event(void *arg, struct trace_event event, struct err *err)
{
    size_t size = event.kind == TRACE_FREE ? 0 : event.size ? event.size : 1;
    return burden_set(arg, event.object, size, err);
}

int burden_replay(struct burden *burden, const char *path, uint64_t events, struct err *err)
{
    return events_each(path, events, burden_event, burden, err);
}
