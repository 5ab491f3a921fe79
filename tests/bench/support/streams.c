/* Making streams, and reading them. */
#include "tests/bench/support/streams.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/pages.h"
#include "harness/base/rng.h"
#include "workloads/reader.h"

enum { STREAM_CALLS = 2000000, STREAM_CALLS_A_BLOCK = 20 };

/* For so many calls on so many objects. */
static int stream_open(struct stream *stream, const char *name, size_t events, size_t objects,
                       struct err *err)
{
    *stream = (struct stream){.name = name, .room = events, .objects = objects};
    stream->operations = pages_map(events * sizeof *stream->operations);
    stream->sizes = pages_map(objects * sizeof *stream->sizes);
    if (stream->operations && stream->sizes)
        return 0;
    return err_set(err, ENOMEM, "no memory for the %zu calls of %s", events, name);
}

void stream_close(struct stream *stream)
{
    pages_unmap(stream->operations, stream->room * sizeof *stream->operations);
    pages_unmap(stream->sizes, stream->objects * sizeof *stream->sizes);
}

static void stream_add(struct stream *stream, enum trace_kind kind, uint32_t object, uint64_t size)
{
    if (stream->count == stream->room)
        return;
    uint32_t now = size > UINT32_MAX ? UINT32_MAX : size ? (uint32_t)size : 1;
    stream->operations[stream->count++] =
        (struct operation){object, kind, stream->sizes[object], now};
    stream->sizes[object] = kind == TRACE_FREE ? 0 : now;
}

static void stream_add_event(struct stream *stream, const struct trace_event *event)
{
    if (event->flags & TRACE_FAILED || event->object == TRACE_NO_OBJECT ||
        event->kind == TRACE_MARK)
        return;
    bool plain = event->kind == TRACE_ALIGNED;
    stream_add(stream, plain ? TRACE_MALLOC : event->kind, event->object, event->size);
}

/* Alignments are left out: an aligned block is asked for as a plain one. */
static int stream_read(struct stream *stream, const char *path, struct err *err)
{
    struct trace_reader *reader;
    struct trace_block block;
    int error = trace_reader_open(&reader, path, err);
    if (error)
        return error;
    const struct trace_summary *summary = trace_reader_summary(reader);
    const char *slash = strrchr(path, '/');
    error = summary ? stream_open(stream, slash ? slash + 1 : path, summary->events,
                                  summary->objects + 1, err)
                    : err_set(err, EINVAL, "%s has no footer", path);
    while (!error && trace_reader_next(reader, &block, err) > 0)
        for (size_t i = 0; i < block.count; i++) {
            struct trace_event event = trace_block_at(&block, i);
            stream_add_event(stream, &event);
        }
    trace_reader_close(reader);
    return error;
}

static uint64_t churn_size(struct rng *rng)
{
    return 1 + rng_below(rng, (uint64_t)16 << rng_below(rng, 10));
}

static uint64_t border_size(struct rng *rng)
{
    static const uint16_t sizes[] = {25, 41, 121, 249, 505, 1017, 2017, 2041, 4089, 8185};
    return sizes[rng_below(rng, 10)] + rng_below(rng, 2) * 16;
}

/* Objects live and die at random; about half of them are live. */
static void stream_churn(struct stream *stream, size_t objects, uint64_t (*size)(struct rng *))
{
    struct rng rng;
    rng_init(&rng, objects);
    while (stream->count < stream->room) {
        uint32_t object = (uint32_t)rng_below(&rng, objects);
        stream_add(stream, stream->sizes[object] ? TRACE_FREE : TRACE_MALLOC, object, size(&rng));
    }
}

/* Every second of many equal blocks is freed; then one that fits a hole, and one that does not. */
static void stream_holes(struct stream *stream, size_t objects)
{
    for (uint32_t i = 0; i < objects; i++)
        stream_add(stream, TRACE_MALLOC, i, 40);
    for (uint32_t i = 0; i + 3 < objects; i += 2)
        stream_add(stream, TRACE_FREE, i, 0);
    for (uint32_t i = 0; stream->count < stream->room; i = (i + 2) % (uint32_t)(objects - 4)) {
        stream_add(stream, TRACE_MALLOC, i, i % 4 ? 40 : 56);
        stream_add(stream, TRACE_FREE, i, 0);
    }
}

static void stream_saw(struct stream *stream, size_t objects)
{
    struct rng rng;
    rng_init(&rng, objects);
    while (stream->count < stream->room) {
        for (uint32_t i = 0; i < objects; i++)
            stream_add(stream, TRACE_MALLOC, i, churn_size(&rng));
        for (uint32_t i = 0; i < objects; i++)
            stream_add(stream, TRACE_FREE, i * 7919u % objects, 0);
    }
}

/* Larson and Krishnan's server with one thread: a block dies when its place is needed. */
static void stream_larson(struct stream *stream, size_t objects)
{
    struct rng rng;
    rng_init(&rng, objects);
    for (uint32_t i = 0; i < objects; i++)
        stream_add(stream, TRACE_MALLOC, i, 10 + rng_below(&rng, 491));
    while (stream->count < stream->room) {
        uint32_t object = (uint32_t)rng_below(&rng, objects);
        stream_add(stream, TRACE_FREE, object, 0);
        stream_add(stream, TRACE_MALLOC, object, 10 + rng_below(&rng, 491));
    }
}

/* What follows the colon of "kind:N"; 0 if the stream is of another kind. */
static size_t stream_live(const char *name, const char *kind)
{
    size_t length = strlen(kind);
    return strncmp(name, kind, length) == 0 && name[length] == ':'
               ? strtoull(name + length + 1, NULL, 10)
               : 0;
}

static void stream_churn_sizes(struct stream *stream, size_t objects)
{
    stream_churn(stream, objects, churn_size);
}

static void stream_border(struct stream *stream, size_t objects)
{
    stream_churn(stream, objects, border_size);
}

struct stream_kind {
    const char *name;
    size_t objects; /* in all, or for each live block */
    void (*fill)(struct stream *stream, size_t objects);
};

static const struct stream_kind stream_fixed[] = {
    {"churn", 20000, stream_churn_sizes}, {"churn10", 200000, stream_churn_sizes},
    {"border", 20000, stream_border},     {"holes", 400000, stream_holes},
    {"saw", 50000, stream_saw},           {0},
};

static const struct stream_kind stream_scaled[] = {
    {"churn", 2, stream_churn_sizes},
    {"larson", 1, stream_larson},
    {0},
};

static int stream_fill(struct stream *stream, const char *name, const struct stream_kind *kind,
                       size_t calls, size_t objects, struct err *err)
{
    int error = stream_open(stream, name, calls, objects, err);
    if (!error)
        kind->fill(stream, objects);
    return error;
}

int stream_make(struct stream *stream, const char *name, struct err *err)
{
    for (const struct stream_kind *kind = stream_scaled; kind->name; kind++) {
        size_t live = stream_live(name, kind->name), least = STREAM_CALLS_A_BLOCK * live;
        if (live > 0)
            return stream_fill(stream, name, kind, least > STREAM_CALLS ? least : STREAM_CALLS,
                               live * kind->objects, err);
    }
    for (const struct stream_kind *kind = stream_fixed; kind->name; kind++)
        if (strcmp(name, kind->name) == 0)
            return stream_fill(stream, name, kind, STREAM_CALLS, kind->objects, err);
    return stream_read(stream, name, err);
}
