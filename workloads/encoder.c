/* Events into streams: what is rare. */
#include "workloads/encoder.h"

#include <string.h>

#include "harness/base/pages.h"

enum { ENCODER_BYTES = ENCODER_STREAM * CODEC_STREAMS };

static int encoder_map(uint8_t *streams[CODEC_STREAMS])
{
    uint8_t *all = pages_map_private(ENCODER_BYTES);
    for (int i = 0; all && i < CODEC_STREAMS; i++)
        streams[i] = all + ENCODER_STREAM * i;
    return all ? 0 : -ENOMEM;
}

int encoder_init(struct encoder *encoder, uint32_t columns)
{
    *encoder = (struct encoder){.columns = columns, .asked = TRANSLATE_NONE, .row.owner = 1};
    int failed = encoder_map(encoder->begin);
    encoder_clear(encoder);
    return failed;
}

int encoder_double(struct encoder *encoder)
{
    return encoder->other[0] ? 0 : encoder_map(encoder->other);
}

void encoder_release(struct encoder *encoder)
{
    pages_unmap(encoder->begin[0], ENCODER_BYTES);
    pages_unmap(encoder->other[0], ENCODER_BYTES);
    array_release(&encoder->objects);
    translate_release(&encoder->threads);
}

void encoder_clear(struct encoder *encoder)
{
    for (int i = 0; encoder->other[0] && i < CODEC_STREAMS; i++) {
        uint8_t *full = encoder->begin[i];
        encoder->begin[i] = encoder->other[i];
        encoder->other[i] = full;
    }
    memcpy(encoder->row.at, encoder->begin, sizeof encoder->row.at);
    encoder->counted = encoder->begin[CODEC_TAG];
}

/* By how much an event makes live blocks more. */
static int64_t encoder_blocks(unsigned tag)
{
    unsigned kind = tag & CODEC_TAG_KIND;
    bool allocates = kind == TRACE_MALLOC || kind == TRACE_CALLOC || kind == TRACE_ALIGNED;
    return (allocates && !(tag & CODEC_TAG_FAILED)) -
           (kind == TRACE_FREE && !(tag & CODEC_TAG_NULL));
}

static void encoder_sum(struct encoder *encoder)
{
    struct trace_summary *sum = &encoder->summary;
    struct encoder_row *row = &encoder->row;
    if (row->peak)
        sum->peak_event = sum->events + (uint64_t)(row->peak - encoder->counted) - 1;
    row->peak = NULL;
    sum->end_live_bytes = row->live_bytes;
    sum->peak_live_bytes = row->peak_bytes;
    sum->total_bytes = row->total_bytes;
    sum->cross_thread_frees = row->cross_thread_frees;
    sum->objects = sum->peak_live_blocks = row->ready;
}

void encoder_count(struct encoder *encoder)
{
    uint32_t seen[256] = {0};
    struct trace_summary *sum = &encoder->summary;
    encoder_sum(encoder);
    for (; encoder->counted < encoder->row.at[CODEC_TAG]; encoder->counted++)
        seen[*encoder->counted]++;
    for (unsigned tag = 0; tag < 256; tag++) {
        sum->events += seen[tag];
        sum->by_kind[tag & CODEC_TAG_KIND] += seen[tag];
        sum->failed_calls += tag & CODEC_TAG_FAILED ? seen[tag] : 0;
        sum->end_live_blocks += (uint64_t)(encoder_blocks(tag) * (int64_t)seen[tag]);
    }
}

int encoder_enter_thread(struct encoder *encoder, uint32_t thread)
{
    uint32_t dense = (uint32_t)encoder->summary.threads;
    if (dense >= FORMAT_THREADS_MOST || translate_enter(&encoder->threads, thread, dense))
        return -ENOMEM;
    encoder->summary.threads++;
    return 0;
}

int encoder_turn(struct encoder *encoder, uint32_t thread)
{
    return encoder_turn_row(encoder, &encoder->row, thread);
}

void encoder_more(struct encoder *encoder, struct encoder_row *row, uint32_t site, uint64_t time_ns)
{
    if (encoder->columns & TRACE_HAS_TIMES) {
        uint64_t passed = time_ns - encoder->time_ns;
        encoder_byte(row, CODEC_TIME_LOW, passed);
        encoder_escaped(row, CODEC_TIME_HIGH, passed >> 8);
        encoder->time_ns = time_ns;
        if (time_ns > encoder->summary.duration_ns)
            encoder->summary.duration_ns = time_ns;
    }
    if (site && encoder->columns & TRACE_HAS_SITES) {
        encoder_byte(row, CODEC_SITE_LOW, site);
        encoder_varint(row, CODEC_SITE_HIGH, site >> 8);
    }
}

int encoder_grow(struct encoder *encoder)
{
    size_t needed = (size_t)(encoder->row.head + 1) * sizeof(struct encoder_object);
    if (encoder->row.head >= TRACE_NO_OBJECT - 1 ||
        array_reserve_private(&encoder->objects, needed))
        return -ENOMEM;
    encoder->row.objects = encoder->objects.at;
    return 0;
}

static unsigned encoder_kind(const struct trace_event *event)
{
    bool frees_nothing = event->kind == TRACE_FREE && event->object == TRACE_NO_OBJECT;
    return event->kind | (event->flags & TRACE_FAILED ? CODEC_TAG_FAILED : 0) |
           (frees_nothing ? CODEC_TAG_NULL : 0);
}

static void encoder_resize(struct encoder_row *row, const struct trace_event *event)
{
    struct encoder_object *object = &row->objects[event->object];
    encoder_name(row, event->object, object);
    if (event->flags & TRACE_FAILED)
        return;
    row->live_bytes -= object->size;
    object->size = event->size;
    encoder_grow_live(row, event->size);
}

/* An allocation with all its parts. */
static void encoder_allocated(struct encoder *encoder, struct trace_event *event)
{
    uint64_t align = UINT64_C(1) << event->align_log2;
    if (event->kind == TRACE_ALIGNED) {
        encoder_byte(&encoder->row, CODEC_ALIGN, event->align_log2);
        if (align > encoder->summary.max_align)
            encoder->summary.max_align = align;
    }
    if (event->flags & TRACE_FAILED)
        return;
    event->object = (uint32_t)encoder->row.head;
    encoder_take(&encoder->row, event->size);
}

static void encoder_body(struct encoder *encoder, struct trace_event *event)
{
    if (event->kind == TRACE_MARK)
        encoder_varint(&encoder->row, CODEC_TARGET_REST, event->object);
    if (event->kind > TRACE_ALIGNED)
        return;
    encoder_escaped(&encoder->row, CODEC_SIZE, event->size);
    if (event->kind == TRACE_REALLOC)
        encoder_resize(&encoder->row, event);
    else
        encoder_allocated(encoder, event);
}

int encoder_put(struct encoder *encoder, struct trace_event *event)
{
    if (event->kind == TRACE_FREE && event->object != TRACE_NO_OBJECT)
        return encoder_free(encoder, event->thread, event->object, event->site, event->time_ns);
    bool is_new = event->kind != TRACE_REALLOC && event->kind <= TRACE_ALIGNED &&
                  !(event->flags & TRACE_FAILED);
    if (is_new && encoder->row.head >= encoder_room(encoder) && encoder_grow(encoder))
        return -ENOMEM;
    int traits = encoder_traits(encoder, event->thread, event->site);
    if (traits < 0)
        return traits;
    encoder_byte(&encoder->row, CODEC_TAG, encoder_kind(event) | (unsigned)traits);
    encoder_body(encoder, event);
    encoder_end(encoder, event->site, event->time_ns);
    return 0;
}
