/* Streams into words: what every timed replay waits for.
 *
 * One loop takes each event from its tag to its word, with no column in between, and what changes
 * from event to event in registers. Cursors may run past their streams as they may in decode.c;
 * numbers that index a table are checked at once. */
#include <errno.h>
#include <stdbool.h>

#include "workloads/bytes.h"
#include "workloads/codec.h"
#include "workloads/format.h"

#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define INLINED static inline __attribute__((always_inline))

/* What is under way. Its address leaves no function, so that the compiler need not store it. */
struct decoding {
    const uint8_t *tag, *size, *target;
    uint64_t *word;
    struct codec_lane *lane;
    uint32_t *links;
    uint32_t head, next, named_at;
    uint32_t thread;
    uint32_t allocations; /* positions in lanes that were left, less those that were entered */
    uint32_t nulls, reallocs, aligned;
};

/* Out of the way of the loop. */
static __attribute__((noinline, cold)) uint64_t decoding_varint(const uint8_t **at)
{
    return bytes_get_varint(at);
}

INLINED void decoding_enter(struct decoding *now, struct codec *codec, uint32_t thread)
{
    struct codec_lane *lane = &codec->lanes[thread % CODEC_LANES];
    now->lane = lane;
    now->next = lane->next;
    now->named_at = lane->named_at;
    now->thread = thread;
    now->allocations -= lane->next;
}

INLINED void decoding_leave(struct decoding *now)
{
    now->lane->next = now->next;
    now->lane->named_at = now->named_at;
    now->allocations += now->next;
}

/* Another thread's event: false where there can be none of that number. */
INLINED bool decoding_switch(struct decoding *now, struct codec *codec, struct codec_in *in)
{
    uint64_t thread = bytes_get_varint(&in->at[CODEC_THREAD]);
    if (UNLIKELY(thread >= codec->threads)) {
        if (thread > codec->threads || thread >= FORMAT_THREADS_MOST)
            return false;
        codec->threads++;
    }
    decoding_leave(now);
    decoding_enter(now, codec, (uint32_t)thread);
    return true;
}

/* The size of an allocation or resize, at least 1; 0 where no word can hold it, and then nothing
 * was read. */
INLINED uint64_t decoding_size(struct decoding *now, struct codec_in *in)
{
    uint64_t size = *now->size;
    if (UNLIKELY(size == 255)) {
        const uint8_t *rest = in->at[CODEC_SIZE_REST];
        uint64_t above = bytes_get_varint(&rest);
        if (above >= TRACE_WORD_SIZES - 255)
            return 0;
        in->at[CODEC_SIZE_REST] = rest;
        size += above;
    }
    now->size++;
    return size + (size == 0);
}

/* The object that is named: one of those that are ready, but live only in sound streams. */
INLINED uint32_t decoding_named(struct decoding *now, struct codec_in *in, uint32_t ready)
{
    uint32_t code = *now->target++;
    uint32_t by_age = now->next - 1 - code, by_offset = now->named_at + code - CODEC_NEAR_ZERO;
    uint32_t at = by_offset ^ ((by_age ^ by_offset) & -(uint32_t)(code < CODEC_NEAR));
    if (UNLIKELY(code >= CODEC_FAR)) {
        if (code == CODEC_ELSE) {
            uint64_t by = decoding_varint(&in->at[CODEC_TARGET_REST]);
            uint32_t named = now->lane->named += (uint32_t)bytes_unzigzag(by);
            return named < ready ? named : now->head;
        }
        at = now->next - 1 - (CODEC_NEAR + ((code - CODEC_FAR) << 8));
        at -= *in->at[CODEC_TARGET_AGE]++;
    }
    now->named_at = at;
    return now->lane->named = now->lane->ring[at % CODEC_RING];
}

INLINED void decoding_put(struct decoding *now, const struct trace_words *words, uint32_t object,
                          uint64_t size, unsigned code)
{
    words->sizes[object] = size;
    *now->word++ = (uint64_t)object << 32 | size << TRACE_WORD_CODE_BITS | code;
}

INLINED int decoding_allocate(struct decoding *now, struct codec_in *in,
                              const struct trace_words *words, unsigned kind, uint64_t size)
{
    uint32_t object = now->head;
    if (UNLIKELY(object >= words->objects))
        return -ERANGE;
    now->lane->ring[now->next++ % CODEC_RING] = object;
    now->head = now->links[object];
    now->links[object] = NUMBERING_LIVE;
    decoding_put(now, words, object, size, kind + 1);
    if (UNLIKELY(kind == TRACE_ALIGNED)) {
        *now->word++ = (uint64_t)1 << (*in->at[CODEC_ALIGN]++ & 63);
        now->aligned++;
    }
    return 0;
}

/* A free, or a resize where `size` is not 0. */
INLINED int decoding_end(struct decoding *now, const struct codec *codec, struct codec_in *in,
                         const struct trace_words *words, uint64_t size)
{
    uint32_t object = decoding_named(now, in, codec->numbering.ready);
    if (UNLIKELY(now->links[object] != NUMBERING_LIVE))
        return -EBADMSG;
    if (size) {
        uint64_t old = words->sizes[object];
        decoding_put(now, words, object, size, TRACE_REALLOC + 1);
        *now->word++ = old;
        now->reallocs++;
    } else {
        now->links[object] = now->head;
        now->head = object;
        decoding_put(now, words, object, 0, 0);
    }
    return 0;
}

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
                            struct trace_words *words)
{
    uint32_t events = (uint32_t)(now->tag - in->at[CODEC_TAG]) - now->nulls;
    uint32_t frees = events - now->allocations - now->reallocs;
    uint32_t callocs = decoding_callocs(in->at[CODEC_TAG], events + now->nulls);
    words->at = now->word;
    words->operations += events;
    words->by_kind[TRACE_MALLOC] += now->allocations - callocs - now->aligned;
    words->by_kind[TRACE_CALLOC] += callocs;
    words->by_kind[TRACE_REALLOC] += now->reallocs;
    words->by_kind[TRACE_ALIGNED] += now->aligned;
    words->by_kind[TRACE_FREE] += frees;
    codec->thread = now->thread;
    codec->numbering.head = now->head;
    codec->numbering.live += now->allocations - frees;
    in->at[CODEC_TAG] = now->tag;
    in->at[CODEC_SIZE] = now->size;
    in->at[CODEC_TARGET] = now->target;
}

/* One event. DECODED_ODD: no word can tell it, and nothing was read. */
enum { DECODED_ODD = 1 };

INLINED int decoding_plain(struct decoding *now, const struct codec *codec, struct codec_in *in,
                           const struct trace_words *words, unsigned kind)
{
    if (kind == TRACE_FREE)
        return decoding_end(now, codec, in, words, 0);
    uint64_t size = decoding_size(now, in);
    if (UNLIKELY(size == 0))
        return DECODED_ODD;
    if (UNLIKELY(kind == TRACE_REALLOC))
        return decoding_end(now, codec, in, words, size);
    return decoding_allocate(now, in, words, kind, size);
}

/* Whether the event can be told, which is to be known before its thread is read. */
static bool decoding_can(unsigned kind, const uint8_t *size, const uint8_t *rest)
{
    bool large =
        kind < TRACE_FREE && *size == 255 && bytes_get_varint(&rest) >= TRACE_WORD_SIZES - 255;
    return !large && (kind <= TRACE_FREE || kind == (TRACE_FREE | CODEC_TAG_NULL));
}

INLINED int decoding_event(struct decoding *now, struct codec *codec, struct codec_in *in,
                           const struct trace_words *words)
{
    unsigned tag = *now->tag & ~CODEC_TAG_SITE;
    if (UNLIKELY(tag > TRACE_FREE)) {
        unsigned kind = tag & ~CODEC_TAG_SWITCH;
        if (!decoding_can(kind, now->size, in->at[CODEC_SIZE_REST]))
            return DECODED_ODD;
        if (tag != kind && !decoding_switch(now, codec, in))
            return -EBADMSG;
        if (kind > TRACE_FREE) {
            now->nulls++;
            return 0;
        }
        tag = kind;
    }
    return decoding_plain(now, codec, in, words, tag);
}

INLINED int decoding_run(struct codec *codec, struct codec_in *in, size_t count,
                         struct trace_words *words, const bool threads)
{
    const uint8_t *const end = in->at[CODEC_TAG] + count;
    struct decoding now = {.tag = in->at[CODEC_TAG],
                           .size = in->at[CODEC_SIZE],
                           .target = in->at[CODEC_TARGET],
                           .word = words->at,
                           .links = numbering_links(&codec->numbering),
                           .head = codec->numbering.head};
    int status = 0;
    decoding_enter(&now, codec, codec->thread);
    for (; now.tag < end; now.tag++) {
        const uint64_t *word = now.word;
        status = decoding_event(&now, codec, in, words);
        if (status)
            break;
        if (threads && now.word > word)
            *words->threads++ = now.thread;
    }
    decoding_leave(&now);
    decoding_finish(&now, codec, in, words);
    return status;
}

int codec_get_words(struct codec *codec, struct codec_in *in, size_t count,
                    struct trace_words *words, size_t *done)
{
    const uint8_t *begin = in->at[CODEC_TAG];
    if (numbering_reserve(&codec->numbering, (uint32_t)count))
        return -ENOMEM;
    if (!codec->threads)
        codec->threads = 1;
    int status = words->threads ? decoding_run(codec, in, count, words, true)
                                : decoding_run(codec, in, count, words, false);
    *done = (size_t)(in->at[CODEC_TAG] - begin);
    for (int i = 0; i < CODEC_STREAMS; i++)
        if (in->at[i] > in->end[i])
            return -EBADMSG;
    return status < 0 ? status : 0;
}
