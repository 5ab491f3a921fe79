/* Events into the streams of a block (codec.h; FORMAT.md tells the encoding in words), and the
 * summary's counts of them.
 *
 * What comes with every event is inline and has as few branches as can be: a recording is encoded
 * beside the program that it is of. */
#ifndef WORKLOADS_ENCODER_H
#define WORKLOADS_ENCODER_H

#include <errno.h>
#include <stdbool.h>

#include "workloads/array.h"
#include "workloads/bytes.h"
#include "workloads/codec.h"
#include "workloads/format.h"
#include "workloads/trace.h"
#include "workloads/translate.h"

/* All that is kept of a number lies together. Zeroed, it is free and the next one follows it. */
struct encoder_object {
    uint64_t size;
    uint32_t thread;   /* that allocated it, + 1; 0: the number is free */
    uint32_t position; /* its place among its lane's allocations; of a free number, how far behind
                          the one after it the number to take next is */
};

struct encoder_lane {
    uint32_t next;     /* position of its next allocation */
    uint32_t named_at; /* position of the object named last by age or offset */
    uint32_t named;    /* number of the object named last */
};

struct encoder {
    uint8_t *at[CODEC_STREAMS];    /* where the next byte goes */
    uint8_t *begin[CODEC_STREAMS]; /* owned */
    uint8_t *other[CODEC_STREAMS]; /* owned; for the next block, or NULL: the same */
    const uint8_t *counted;        /* tags before it are in the summary */
    struct array objects;          /* struct encoder_object by number */
    uint32_t head;                 /* the number that the next allocation gets */
    uint32_t ready;                /* numbers that were ever taken */
    uint32_t columns;              /* enum trace_column */
    uint32_t asked, thread;        /* of the event before: the caller's number and the trace's */
    uint64_t time_ns;              /* of the event before */
    struct trace_summary summary;
    struct translate threads;
    struct encoder_lane lanes[CODEC_LANES];
};

enum { ENCODER_STREAM = FORMAT_BLOCK_EVENTS * CODEC_WORST };

/* 0 or -ENOMEM; release in either case. */
int encoder_init(struct encoder *encoder, uint32_t columns);
void encoder_release(struct encoder *encoder);

/* Brings the summary up to the last event. */
void encoder_count(struct encoder *encoder);

/* From here on a block's streams stay as they are until the block after it is full. 0 or -ENOMEM.
 */
int encoder_double(struct encoder *encoder);

/* Begins the next block. */
void encoder_clear(struct encoder *encoder);

/* Appends an event that can happen, by the trace's own number of its object, which an allocation
 * gets put in. 0 or -ENOMEM, nothing having been appended. */
int encoder_put(struct encoder *encoder, struct trace_event *event);

static inline size_t encoder_pending(const struct encoder *encoder)
{
    return (size_t)(encoder->at[CODEC_TAG] - encoder->begin[CODEC_TAG]);
}

/* Events so far: the number of the next one. */
static inline uint64_t encoder_events(const struct encoder *encoder)
{
    return encoder->summary.events + (uint64_t)(encoder->at[CODEC_TAG] - encoder->counted);
}

/* The block must be written before there is another event. */
static inline bool encoder_is_full(const struct encoder *encoder)
{
    return encoder_pending(encoder) == FORMAT_BLOCK_EVENTS;
}

static inline struct encoder_object *encoder_object(const struct encoder *encoder, uint32_t number)
{
    return (struct encoder_object *)encoder->objects.at + number;
}

static inline bool encoder_is_live(const struct encoder *encoder, uint32_t number)
{
    return number < encoder->ready && encoder_object(encoder, number)->thread;
}

/* --- bytes --- */

static inline void encoder_byte(struct encoder *encoder, enum codec_stream stream, uint64_t value)
{
    uint8_t *at = encoder->at[stream];
    encoder->at[stream] = at + 1;
    *at = (uint8_t)value;
}

static inline void encoder_varint(struct encoder *encoder, enum codec_stream stream, uint64_t value)
{
    encoder->at[stream] += bytes_put_varint(encoder->at[stream], value);
}

/* A byte, and from 255 on the rest in a stream of its own: one or two bytes mostly, written in any
 * case and kept where they count. */
static inline void encoder_escaped(struct encoder *encoder, enum codec_stream stream,
                                   uint64_t value)
{
    uint64_t rest = value - 255;
    bool more = value >= 255, two = rest >= 128;
    encoder_byte(encoder, stream, more ? 255 : value);
    if (__builtin_expect(value >= 255 + (1 << 14), 0)) {
        encoder_varint(encoder, stream + 1, rest);
        return;
    }
    uint8_t *at = encoder->at[stream + 1];
    encoder->at[stream + 1] = at + (more ? 1 + two : 0);
    at[0] = (uint8_t)(rest | (unsigned)two << 7);
    at[1] = (uint8_t)(rest >> 7);
}

/* --- the parts of an event --- */

/* The rare half: another thread. Its tag's bit, or negative: no memory. */
int encoder_turn(struct encoder *encoder, uint32_t thread);

/* Times and sites. */
void encoder_more(struct encoder *encoder, uint32_t site, uint64_t time_ns);

static inline int encoder_tag(struct encoder *encoder, unsigned tag, uint32_t thread, uint32_t site)
{
    int turned = 0;
    if (__builtin_expect(thread != encoder->asked, 0) &&
        (turned = encoder_turn(encoder, thread)) < 0)
        return turned;
    unsigned sited = site && encoder->columns & TRACE_HAS_SITES ? CODEC_TAG_SITE : 0;
    encoder_byte(encoder, CODEC_TAG, tag | (unsigned)turned | sited);
    return 0;
}

static inline void encoder_end(struct encoder *encoder, uint32_t site, uint64_t time_ns)
{
    if (encoder->columns & (TRACE_HAS_SITES | TRACE_HAS_TIMES))
        encoder_more(encoder, site, time_ns);
}

static inline struct encoder_lane *encoder_lane(struct encoder *encoder)
{
    return &encoder->lanes[encoder->thread % CODEC_LANES];
}

/* The event being appended is the last tag. */
static inline void encoder_grow_live(struct encoder *encoder, uint64_t size)
{
    struct trace_summary *sum = &encoder->summary;
    sum->total_bytes += size;
    sum->end_live_bytes += size;
    if (sum->end_live_bytes > sum->peak_live_bytes) {
        sum->peak_live_bytes = sum->end_live_bytes;
        sum->peak_event = sum->events + (uint64_t)(encoder->at[CODEC_TAG] - encoder->counted) - 1;
    }
}

/* What no age reaches. */
void encoder_name_far(struct encoder *encoder, uint32_t number);

static inline void encoder_name(struct encoder *encoder, uint32_t number,
                                const struct encoder_object *object)
{
    struct encoder_lane *lane = encoder_lane(encoder);
    uint32_t age = lane->next - 1 - object->position, far = age - CODEC_NEAR;
    uint32_t near = object->position - lane->named_at + 8;
    bool is_near = near < CODEC_FAR - CODEC_NEAR, is_old = !is_near && age >= CODEC_NEAR;
    bool is_own = (object->thread - 1 - encoder->thread) % CODEC_LANES == 0;
    if (!is_own || age >= (is_near ? CODEC_RING : CODEC_AGES)) {
        encoder_name_far(encoder, number);
        return;
    }
    uint32_t byte = is_old ? CODEC_FAR + (far >> 8) : age;
    encoder_byte(encoder, CODEC_TARGET, is_near ? CODEC_NEAR + near : byte);
    uint8_t *at = encoder->at[CODEC_TARGET_AGE];
    encoder->at[CODEC_TARGET_AGE] = at + is_old;
    *at = (uint8_t)far;
    lane->named_at = object->position;
    lane->named = number;
}

/* --- the events of every program --- */

/* Makes `head` a number of the table, all that were ever taken being live. 0 or -ENOMEM. */
int encoder_grow(struct encoder *encoder);

/* The number follows from the policy; only its place is remembered. */
static inline void encoder_take(struct encoder *encoder, uint64_t size)
{
    uint32_t number = encoder->head;
    struct encoder_object *object = encoder_object(encoder, number);
    encoder->head = number + 1 + object->position;
    *object = (struct encoder_object){size, encoder->thread + 1, encoder_lane(encoder)->next++};
    encoder_grow_live(encoder, size);
}

/* An allocation without an alignment that succeeded; it gets encoder->head. 0 or -ENOMEM. */
static inline int encoder_allocate(struct encoder *encoder, enum trace_kind kind, uint32_t thread,
                                   uint64_t size, uint32_t site, uint64_t time_ns)
{
    if (__builtin_expect(encoder->head >= encoder->ready, 0) && encoder_grow(encoder))
        return -ENOMEM;
    if (encoder_tag(encoder, kind, thread, site))
        return -ENOMEM;
    encoder_escaped(encoder, CODEC_SIZE, size);
    encoder_take(encoder, size);
    encoder_end(encoder, site, time_ns);
    return 0;
}

/* A live object's end. 0 or -ENOMEM. */
static inline int encoder_free(struct encoder *encoder, uint32_t thread, uint32_t number,
                               uint32_t site, uint64_t time_ns)
{
    if (encoder_tag(encoder, TRACE_FREE, thread, site))
        return -ENOMEM;
    struct encoder_object *object = encoder_object(encoder, number);
    struct trace_summary *sum = &encoder->summary;
    sum->end_live_bytes -= object->size;
    sum->cross_thread_frees += object->thread != encoder->thread + 1;
    encoder_name(encoder, number, object);
    *object = (struct encoder_object){.position = encoder->head - number - 1};
    encoder->head = number;
    encoder_end(encoder, site, time_ns);
    return 0;
}

#endif
