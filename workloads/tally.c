/* The summary of a trace, event by event. */
#include "workloads/tally.h"

#include <errno.h>

static void tally_grow(struct tally *tally, uint64_t bytes, uint64_t event)
{
    struct trace_summary *sum = &tally->summary;
    tally->live_bytes += bytes;
    if (tally->live_bytes > sum->peak_live_bytes) {
        sum->peak_live_bytes = tally->live_bytes;
        sum->peak_event = event;
    }
}

static int tally_allocate(struct tally *tally, const struct trace_event *event)
{
    struct trace_summary *sum = &tally->summary;
    size_t needed = ((size_t)event->object + 1) * sizeof(struct tally_object);
    int failed = array_reserve(&tally->objects, needed);
    if (failed)
        return failed;
    struct tally_object *object = tally_object(tally, event->object);
    object->size = event->size;
    object->thread = event->thread;
    if (event->object >= sum->objects)
        sum->objects = (uint64_t)event->object + 1;
    sum->total_bytes += event->size;
    if (++tally->live_blocks > sum->peak_live_blocks)
        sum->peak_live_blocks = tally->live_blocks;
    tally_grow(tally, event->size, sum->events);
    return 0;
}

static void tally_resize(struct tally *tally, const struct trace_event *event)
{
    struct tally_object *object = tally_object(tally, event->object);
    tally->live_bytes -= object->size;
    object->size = event->size;
    tally->summary.total_bytes += event->size;
    tally_grow(tally, event->size, tally->summary.events);
}

static void tally_free(struct tally *tally, const struct trace_event *event)
{
    struct tally_object *object = tally_object(tally, event->object);
    tally->live_bytes -= object->size;
    tally->live_blocks--;
    tally->summary.cross_thread_frees += object->thread != event->thread;
}

static int tally_effect(struct tally *tally, const struct trace_event *event)
{
    switch ((enum trace_kind)event->kind) {
    case TRACE_MALLOC:
    case TRACE_CALLOC:
    case TRACE_ALIGNED:
        return tally_allocate(tally, event);
    case TRACE_REALLOC:
        tally_resize(tally, event);
        return 0;
    case TRACE_FREE:
        if (event->object != TRACE_NO_OBJECT)
            tally_free(tally, event);
        return 0;
    case TRACE_MARK:
    case TRACE_KINDS:
        break;
    }
    return 0;
}

int tally_add(struct tally *tally, const struct trace_event *event)
{
    struct trace_summary *sum = &tally->summary;
    if (event->flags & TRACE_FAILED)
        sum->failed_calls++;
    else if (tally_effect(tally, event))
        return -ENOMEM;
    sum->by_kind[event->kind]++;
    sum->events++;
    if (event->thread >= sum->threads)
        sum->threads = (uint64_t)event->thread + 1;
    if (event->kind == TRACE_ALIGNED && UINT64_C(1) << event->align_log2 > sum->max_align)
        sum->max_align = UINT64_C(1) << event->align_log2;
    if (event->time_ns > sum->duration_ns)
        sum->duration_ns = event->time_ns;
    sum->end_live_bytes = tally->live_bytes;
    sum->end_live_blocks = tally->live_blocks;
    return 0;
}

void tally_release(struct tally *tally)
{
    array_release(&tally->objects);
}
