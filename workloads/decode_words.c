/* Streams into words: what every timed replay waits for.
 *
 * One loop takes each event from its tag to its word, with no column in between, and all that
 * changes from event to event in registers: one number counts events and words, one allocations and
 * sizes. Cursors may run past their streams as they may in decode.c; numbers that index a table are
 * checked at once. */
#include <errno.h>
#include <stdbool.h>

#include "workloads/bytes.h"
#include "workloads/codec.h"
#include "workloads/format.h"

#define UNLIKELY(condition) __builtin_expect_with_probability(!!(condition), 0, 0.999)
#define INLINED static inline __attribute__((always_inline))
#define ASIDE static __attribute__((noinline, cold)) /* out of the way of the loop */

/* What is under way. Its address leaves no function, so that the compiler need not store it. */
struct decoding {
    ptrdiff_t left;          /* minus the events to come */
    const uint8_t *tags;     /* the event's is tags[left], */
    uint64_t *words;         /* its word goes to words[left], */
    const uint8_t *sizes;    /* an allocation's or resize's size is sizes[next], */
    const uint8_t *target;   /* and what names an object is here */
    uint32_t *stack;         /* of free numbers: the one to take next */
    struct codec_lane *lane; /* of the thread; what follows is its own until it is left */
    uint64_t next;
    uint32_t named_at;
    uint32_t thread;
    uint32_t allocations; /* positions in lanes that were left, less those that were entered */
    uint32_t nulls, reallocs, aligned;
    uint32_t told; /* operations whose thread was told */
};

/* ---- threads --------------------------------------------------------------------------------- */

INLINED void decoding_enter(struct decoding *now, struct codec *codec, uint32_t thread)
{
    struct codec_lane *lane = &codec->lanes[thread % CODEC_LANES];
    now->lane = lane;
    now->sizes -= lane->next;
    now->next = lane->next;
    now->named_at = lane->named_at;
    now->thread = thread;
    now->allocations -= lane->next;
}

/* The events before the one under way. */
INLINED size_t decoding_done(const struct decoding *now, const struct codec_in *in)
{
    return (size_t)(now->tags + now->left - in->at[CODEC_TAG]);
}

INLINED void decoding_leave(struct decoding *now, const struct codec_in *in,
                            struct trace_words *words)
{
    size_t operations = decoding_done(now, in) - now->nulls;
    now->lane->next = (uint32_t)now->next;
    now->lane->named_at = now->named_at;
    now->sizes += now->next;
    now->allocations += (uint32_t)now->next;
    for (; words->threads && now->told < operations; now->told++)
        *words->threads++ = now->thread;
}

/* The thread that the next event is of; UINT32_MAX where there can be none of that number. */
ASIDE uint32_t decoding_thread(struct codec *codec, struct codec_in *in)
{
    uint64_t thread = bytes_get_varint(&in->at[CODEC_THREAD]);
    if (thread > codec->threads || thread >= FORMAT_THREADS_MOST)
        return UINT32_MAX;
    codec->threads += thread == codec->threads;
    return (uint32_t)thread;
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* One of 255 and more; 0 where no word can hold it, and then nothing was read. */
ASIDE uint64_t decoding_large(struct codec_in *in)
{
    const uint8_t *rest = in->at[CODEC_SIZE_REST];
    uint64_t above = bytes_get_varint(&rest);
    if (above >= TRACE_WORD_SIZES - 255)
        return 0;
    in->at[CODEC_SIZE_REST] = rest;
    return 255 + above;
}

/* ---- objects that are named ------------------------------------------------------------------ */

/* Numbers come out of here that have a place in `sizes`, but are live only in sound streams. */

INLINED uint32_t decoding_at(struct decoding *now, uint32_t at)
{
    now->named_at = at;
    return now->lane->named = now->lane->ring[at % CODEC_RING];
}

INLINED uint32_t decoding_near(struct decoding *now, uint32_t code)
{
    uint32_t by_age = (uint32_t)now->next - 1 - code;
    uint32_t by_offset = now->named_at + code - CODEC_NEAR_ZERO;
    return decoding_at(now, code < CODEC_NEAR ? by_age : by_offset);
}

/* By how much a number is another than the last that was named. */
ASIDE uint32_t decoding_step(struct codec_in *in)
{
    return (uint32_t)bytes_unzigzag(bytes_get_varint(&in->at[CODEC_TARGET_REST]));
}

/* By a byte of CODEC_FAR and more; UINT32_MAX where there can be no such number. */
INLINED uint32_t decoding_far(struct decoding *now, struct codec_in *in,
                              const struct trace_words *words, uint32_t code)
{
    if (code == CODEC_ELSE) {
        uint32_t named = now->lane->named += decoding_step(in);
        return named < words->objects ? named : UINT32_MAX;
    }
    uint32_t age = CODEC_NEAR + ((code - CODEC_FAR) << 8) + *in->at[CODEC_TARGET_AGE]++;
    return decoding_at(now, (uint32_t)now->next - 1 - age);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* What follows returns 0 or the status that ends the stretch. DECODED_ODD: no word can tell the
 * event, and nothing of it was read. */
enum { DECODED_ODD = 1 };

INLINED void decoding_put(struct decoding *now, uint64_t object, uint64_t size, unsigned code)
{
    now->words[now->left] = object << 32 | ((size << TRACE_WORD_CODE_BITS) + code);
}

/* A second word of the event. */
INLINED void decoding_put_more(struct decoding *now, uint64_t word)
{
    now->words++;
    now->words[now->left] = word;
}

INLINED int decoding_gone(struct decoding *now, const struct trace_words *words, uint32_t object)
{
    if (UNLIKELY(!words->sizes[object]))
        return -EBADMSG;
    words->sizes[object] = 0;
    *--now->stack = object;
    decoding_put(now, object, 0, 0);
    return 0;
}

INLINED int decoding_free(struct decoding *now, struct codec_in *in,
                          const struct trace_words *words)
{
    uint32_t code = *now->target++;
    if (UNLIKELY(code >= CODEC_FAR)) {
        uint32_t object = decoding_far(now, in, words, code);
        return object == UINT32_MAX ? -EBADMSG : decoding_gone(now, words, object);
    }
    return decoding_gone(now, words, decoding_near(now, code));
}

INLINED int decoding_come(struct decoding *now, const struct trace_words *words, unsigned kind,
                          uint64_t size)
{
    uint32_t object = *now->stack;
    if (UNLIKELY(object >= words->objects))
        return -ERANGE;
    now->stack++;
    now->lane->ring[now->next++ % CODEC_RING] = object;
    words->sizes[object] = size;
    decoding_put(now, object, size, kind + 1);
    return 0;
}

INLINED int decoding_allocate(struct decoding *now, struct codec_in *in,
                              const struct trace_words *words, unsigned kind)
{
    uint64_t size = now->sizes[now->next];
    if (UNLIKELY(size == 255)) {
        size = decoding_large(in);
        return size ? decoding_come(now, words, kind, size) : DECODED_ODD;
    }
    return decoding_come(now, words, kind, size + (size == 0));
}

INLINED int decoding_align(struct decoding *now, struct codec_in *in,
                           const struct trace_words *words)
{
    int status = decoding_allocate(now, in, words, TRACE_ALIGNED);
    if (status)
        return status;
    now->aligned++;
    decoding_put_more(now, (uint64_t)1 << (*in->at[CODEC_ALIGN]++ & 63));
    return 0;
}

INLINED int decoding_resize(struct decoding *now, struct codec_in *in,
                            const struct trace_words *words)
{
    uint64_t size = now->sizes[now->next];
    size = size == 255 ? decoding_large(in) : size + (size == 0);
    if (size == 0)
        return DECODED_ODD;
    now->sizes++;
    now->reallocs++;
    uint32_t code = *now->target++, object;
    object = code < CODEC_FAR ? decoding_near(now, code) : decoding_far(now, in, words, code);
    if (object == UINT32_MAX || !words->sizes[object])
        return -EBADMSG;
    decoding_put(now, object, size, TRACE_REALLOC + 1);
    decoding_put_more(now, words->sizes[object]);
    words->sizes[object] = size;
    return 0;
}

/* Whether the event can be told, which is to be known before its thread is read. */
ASIDE bool decoding_can(unsigned kind, uint8_t size, const uint8_t *rest)
{
    bool large =
        kind < TRACE_FREE && size == 255 && bytes_get_varint(&rest) >= TRACE_WORD_SIZES - 255;
    return !large && (kind <= TRACE_FREE || kind == (TRACE_FREE | CODEC_TAG_NULL));
}

INLINED int decoding_switch(struct decoding *now, struct codec *codec, struct codec_in *in,
                            struct trace_words *words, unsigned kind)
{
    if (!decoding_can(kind, now->sizes[now->next], in->at[CODEC_SIZE_REST]))
        return DECODED_ODD;
    uint32_t thread = decoding_thread(codec, in);
    if (thread == UINT32_MAX)
        return -EBADMSG;
    decoding_leave(now, in, words);
    decoding_enter(now, codec, thread);
    return 0;
}

INLINED int decoding_rare(struct decoding *now, struct codec *codec, struct codec_in *in,
                          struct trace_words *words, unsigned tag)
{
    unsigned kind = tag & ~CODEC_TAG_SWITCH;
    int status = tag == kind ? 0 : decoding_switch(now, codec, in, words, kind);
    if (status)
        return status;
    switch (kind) {
    case TRACE_FREE:
        return decoding_free(now, in, words);
    case TRACE_MALLOC:
    case TRACE_CALLOC:
        return decoding_allocate(now, in, words, kind);
    case TRACE_REALLOC:
        return decoding_resize(now, in, words);
    case TRACE_ALIGNED:
        return decoding_align(now, in, words);
    case TRACE_FREE | CODEC_TAG_NULL:
        now->nulls++;
        now->words--;
        return 0;
    default:
        return DECODED_ODD;
    }
}

INLINED int decoding_event(struct decoding *now, struct codec *codec, struct codec_in *in,
                           struct trace_words *words)
{
    unsigned kind = now->tags[now->left] & ~CODEC_TAG_SITE;
    if (kind == TRACE_FREE)
        return decoding_free(now, in, words);
    if (!UNLIKELY(kind > TRACE_CALLOC))
        return decoding_allocate(now, in, words, kind);
    return decoding_rare(now, codec, in, words, kind);
}

/* ---- stretches ------------------------------------------------------------------------------- */

/* Bytes are counted in bytes, as many at a time as those can hold. */
static uint32_t decoding_callocs(const uint8_t *tag, size_t count)
{
    enum { TOGETHER = 192 };
    uint32_t callocs = 0;
    for (size_t done = 0, some; done < count; done += some) {
        uint8_t these = 0;
        some = count - done < TOGETHER ? count - done : TOGETHER;
        for (size_t i = done; i < done + some; i++)
            these += (tag[i] & CODEC_TAG_KIND) == TRACE_CALLOC;
        callocs += these;
    }
    return callocs;
}

/* Tells of the events that were decoded. */
static void decoding_finish(const struct decoding *now, struct codec *codec, struct codec_in *in,
                            struct trace_words *words, size_t events)
{
    uint32_t operations = (uint32_t)events - now->nulls;
    uint32_t callocs = decoding_callocs(in->at[CODEC_TAG], events);
    words->at = now->words + now->left;
    words->operations += operations;
    words->by_kind[TRACE_MALLOC] += now->allocations - callocs - now->aligned;
    words->by_kind[TRACE_CALLOC] += callocs;
    words->by_kind[TRACE_REALLOC] += now->reallocs;
    words->by_kind[TRACE_ALIGNED] += now->aligned;
    words->by_kind[TRACE_FREE] += operations - now->allocations - now->reallocs;
    codec->thread = now->thread;
    codec->numbering.live = (uint32_t)(now->stack - numbering_stack(&codec->numbering));
    in->at[CODEC_TAG] += events;
    in->at[CODEC_SIZE] = now->sizes;
    in->at[CODEC_TARGET] = now->target;
}

static int decoding_run(struct codec *codec, struct codec_in *in, size_t count,
                        struct trace_words *words, size_t *done)
{
    struct decoding now = {.left = -(ptrdiff_t)count,
                           .tags = in->at[CODEC_TAG] + count,
                           .words = words->at + count,
                           .sizes = in->at[CODEC_SIZE],
                           .target = in->at[CODEC_TARGET],
                           .stack = numbering_stack(&codec->numbering) + codec->numbering.live};
    int status = 0;
    decoding_enter(&now, codec, codec->thread);
    for (; now.left < 0; now.left++) {
        status = decoding_event(&now, codec, in, words);
        if (UNLIKELY(status))
            break;
    }
    decoding_leave(&now, in, words);
    *done = decoding_done(&now, in);
    decoding_finish(&now, codec, in, words, *done);
    return status;
}

int codec_get_words(struct codec *codec, struct codec_in *in, size_t count,
                    struct trace_words *words, size_t *done)
{
    if (numbering_reserve(&codec->numbering, (uint32_t)count))
        return -ENOMEM;
    if (!codec->threads)
        codec->threads = 1;
    codec->in_words = true;
    int status = decoding_run(codec, in, count, words, done);
    for (int i = 0; i < CODEC_STREAMS; i++)
        if (in->at[i] > in->end[i])
            return -EBADMSG;
    return status < 0 ? status : 0;
}
