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

/* What is remembered of a thread. */
struct encoder_lane {
    uint32_t next;     /* position of its next allocation */
    uint32_t named_at; /* position of the object named last by age or offset */
    uint32_t named;    /* number of the object named last */
};

/* All that plain events change. Who appends a row of one thread's events does so in a copy of his
 * own, which a compiler keeps in registers as it cannot the encoder's; hence also the widths: two
 * words of 32 bits would be read as one where an object is written, and wait for their stores. */
struct encoder_row {
    uint8_t *at[CODEC_STREAMS];     /* where the next byte goes */
    struct encoder_object *objects; /* by number */
    uint64_t head;                  /* the number that the next allocation gets */
    uint64_t ready;                 /* numbers that were ever taken */
    uint64_t owner;                 /* the thread, as in an object */
    uint64_t next, named_at, named; /* of its lane */
    uint64_t live_bytes, peak_bytes, total_bytes, cross_thread_frees;
    const uint8_t *peak; /* behind the tag of the event at whose end most was live; NULL: before */
};

struct encoder {
    struct encoder_row row;
    uint8_t *begin[CODEC_STREAMS]; /* owned */
    uint8_t *other[CODEC_STREAMS]; /* owned; for the next block, or NULL: the same */
    const uint8_t *counted;        /* tags before it are in the summary */
    struct array objects;          /* struct encoder_object by number */
    uint32_t columns;              /* enum trace_column */
    uint32_t asked, thread;        /* of the event before: the caller's number and the trace's */
    uint64_t time_ns;              /* of the event before */
    struct trace_summary summary;
    struct translate threads;
    struct encoder_lane lanes[CODEC_LANES]; /* but the row's */
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
    return (size_t)(encoder->row.at[CODEC_TAG] - encoder->begin[CODEC_TAG]);
}

/* Events so far: the number of the next one. */
static inline uint64_t encoder_events(const struct encoder *encoder)
{
    return encoder->summary.events + (uint64_t)(encoder->row.at[CODEC_TAG] - encoder->counted);
}

/* The block must be written before there is another event. */
static inline bool encoder_is_full(const struct encoder *encoder)
{
    return encoder_pending(encoder) == FORMAT_BLOCK_EVENTS;
}

static inline bool encoder_is_live(const struct encoder *encoder, uint32_t number)
{
    return number < encoder->row.ready && encoder->row.objects[number].thread;
}

/* --- bytes --- */

static inline void encoder_byte(struct encoder_row *row, enum codec_stream stream, uint64_t value)
{
    uint8_t *at = row->at[stream];
    row->at[stream] = at + 1;
    *at = (uint8_t)value;
}

static inline void encoder_varint(struct encoder_row *row, enum codec_stream stream, uint64_t value)
{
    row->at[stream] += bytes_put_varint(row->at[stream], value);
}

/* A byte, and from 255 on the rest in a stream of its own: one or two bytes mostly, written in any
 * case and kept where they count. */
__attribute__((always_inline)) static inline void
encoder_escaped(struct encoder_row *row, enum codec_stream stream, uint64_t value)
{
    uint64_t rest = value - 255;
    bool more = value >= 255, two = rest >= 128;
    encoder_byte(row, stream, more ? 255 : value);
    if (__builtin_expect(value >= 255 + (1 << 14), 0)) {
        encoder_varint(row, stream + 1, rest);
        return;
    }
    uint8_t *at = row->at[stream + 1];
    row->at[stream + 1] = at + (more ? 1 + two : 0);
    at[0] = (uint8_t)(rest | (unsigned)two << 7);
    at[1] = (uint8_t)(rest >> 7);
}

/* --- events of a row --- */

/* Behind the event's tag. */
static inline void encoder_grow_live(struct encoder_row *row, uint64_t size)
{
    row->total_bytes += size;
    row->live_bytes += size;
    if (row->live_bytes > row->peak_bytes) {
        row->peak_bytes = row->live_bytes;
        row->peak = row->at[CODEC_TAG];
    }
}

/* What no age reaches. */
static inline void encoder_name_far(struct encoder_row *row, uint32_t number)
{
    encoder_byte(row, CODEC_TARGET, CODEC_ELSE);
    encoder_varint(row, CODEC_TARGET_REST, bytes_zigzag((int64_t)number - (int64_t)row->named));
}

/* Which of the three forms it is hardly follows a pattern, so there are no branches among them. */
static inline void encoder_name_near(struct encoder_row *row, uint32_t age, uint32_t near)
{
    uint32_t is_near = near < CODEC_FAR - CODEC_NEAR, is_old = !is_near & (age >= CODEC_NEAR);
    uint32_t far = age - CODEC_NEAR, byte = age + (-is_old & (CODEC_FAR + (far >> 8) - age));
    encoder_byte(row, CODEC_TARGET, byte + (-is_near & (CODEC_NEAR + near - byte)));
    *row->at[CODEC_TARGET_AGE] = (uint8_t)far;
    row->at[CODEC_TARGET_AGE] += is_old;
}

__attribute__((always_inline)) static inline void
encoder_name(struct encoder_row *row, uint32_t number, const struct encoder_object *object)
{
    uint32_t age = (uint32_t)row->next - 1 - object->position;
    uint32_t near = object->position - (uint32_t)row->named_at + 8;
    uint32_t most = near < CODEC_FAR - CODEC_NEAR ? CODEC_RING : CODEC_AGES;
    bool is_own = (object->thread - (uint32_t)row->owner) % CODEC_LANES == 0;
    if (__builtin_expect(is_own & (age < most), 1)) {
        encoder_name_near(row, age, near);
        row->named_at = object->position;
    } else {
        encoder_name_far(row, number);
    }
    row->named = number;
}

/* The number follows from the policy; only its place is remembered. */
static inline void encoder_take(struct encoder_row *row, uint64_t size)
{
    uint64_t number = row->head;
    struct encoder_object *object = &row->objects[number];
    row->head = (uint32_t)(number + 1 + object->position);
    row->ready = number < row->ready ? row->ready : number + 1;
    *object = (struct encoder_object){size, (uint32_t)row->owner, (uint32_t)row->next++};
    encoder_grow_live(row, size);
}

/* An allocation without an alignment that succeeded; it gets row->head, for which there is memory.
 */
__attribute__((always_inline)) static inline void encoder_row_allocate(struct encoder_row *row,
                                                                       unsigned tag, uint64_t size)
{
    encoder_byte(row, CODEC_TAG, tag);
    encoder_escaped(row, CODEC_SIZE, size);
    encoder_take(row, size);
}

/* A live object's end. */
__attribute__((always_inline)) static inline void encoder_row_free(struct encoder_row *row,
                                                                   unsigned tag, uint32_t number)
{
    struct encoder_object *object = &row->objects[number];
    encoder_byte(row, CODEC_TAG, tag);
    row->live_bytes -= object->size;
    row->cross_thread_frees += object->thread != row->owner;
    encoder_name(row, number, object);
    *object = (struct encoder_object){.position = (uint32_t)row->head - number - 1};
    row->head = number;
}

/* Times and sites. */
void encoder_more(struct encoder *encoder, struct encoder_row *row, uint32_t site,
                  uint64_t time_ns);

/* --- single events --- */

/* A thread that there was not before gets its number. 0, or negative: no memory. */
int encoder_enter_thread(struct encoder *encoder, uint32_t thread);

static inline void encoder_change_lane(struct encoder *encoder, struct encoder_row *row,
                                       uint32_t thread)
{
    encoder->lanes[encoder->thread % CODEC_LANES] =
        (struct encoder_lane){(uint32_t)row->next, (uint32_t)row->named_at, (uint32_t)row->named};
    const struct encoder_lane *lane = &encoder->lanes[thread % CODEC_LANES];
    row->next = lane->next;
    row->named_at = lane->named_at;
    row->named = lane->named;
    row->owner = thread + 1;
    encoder->thread = thread;
}

/* What follows in the row is another thread's, as the caller numbers them. Its tag's bit, or
 * negative: no memory. */
__attribute__((always_inline)) static inline int
encoder_turn_row(struct encoder *encoder, struct encoder_row *row, uint32_t thread)
{
    uint32_t dense = translate_find(&encoder->threads, thread);
    if (__builtin_expect(dense == TRANSLATE_NONE, 0)) {
        if (encoder_enter_thread(encoder, thread))
            return -ENOMEM;
        dense = translate_find(&encoder->threads, thread);
    }
    encoder->asked = thread;
    if (dense == encoder->thread)
        return 0;
    encoder_change_lane(encoder, row, dense);
    encoder_varint(row, CODEC_THREAD, dense);
    return CODEC_TAG_SWITCH;
}

/* The rare half of a single event. */
int encoder_turn(struct encoder *encoder, uint32_t thread);

/* The bits of a tag that tell of the thread and the site, or negative: no memory. */
static inline int encoder_traits(struct encoder *encoder, uint32_t thread, uint32_t site)
{
    int turned = __builtin_expect(thread != encoder->asked, 0) ? encoder_turn(encoder, thread) : 0;
    return turned < 0 ? turned
                      : turned | (site && encoder->columns & TRACE_HAS_SITES ? CODEC_TAG_SITE : 0);
}

static inline void encoder_end(struct encoder *encoder, uint32_t site, uint64_t time_ns)
{
    if (encoder->columns & (TRACE_HAS_SITES | TRACE_HAS_TIMES))
        encoder_more(encoder, &encoder->row, site, time_ns);
}

/* How many numbers there is memory for. */
static inline uint64_t encoder_room(const struct encoder *encoder)
{
    return encoder->objects.bytes / sizeof(struct encoder_object);
}

/* Makes room for the next number. 0 or -ENOMEM. */
int encoder_grow(struct encoder *encoder);

/* As encoder_row_allocate. 0 or -ENOMEM. */
static inline int encoder_allocate(struct encoder *encoder, enum trace_kind kind, uint32_t thread,
                                   uint64_t size, uint32_t site, uint64_t time_ns)
{
    if (__builtin_expect(encoder->row.head >= encoder_room(encoder), 0) && encoder_grow(encoder))
        return -ENOMEM;
    int traits = encoder_traits(encoder, thread, site);
    if (traits < 0)
        return traits;
    encoder_row_allocate(&encoder->row, kind | (unsigned)traits, size);
    encoder_end(encoder, site, time_ns);
    return 0;
}

/* As encoder_row_free. 0 or -ENOMEM. */
static inline int encoder_free(struct encoder *encoder, uint32_t thread, uint32_t number,
                               uint32_t site, uint64_t time_ns)
{
    int traits = encoder_traits(encoder, thread, site);
    if (traits < 0)
        return traits;
    encoder_row_free(&encoder->row, TRACE_FREE | (unsigned)traits, number);
    encoder_end(encoder, site, time_ns);
    return 0;
}

#endif
