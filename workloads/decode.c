/* Streams into events: what every replay waits for.
 *
 * A stretch is decoded column by column, each loop with little to mispredict. Cursors may run past
 * their streams within a stretch (CODEC_SLACK bytes are readable) and are checked at its end,
 * before anything is handed out; numbers that index a table are checked at once. */
#include <errno.h>

#include "workloads/bytes.h"
#include "workloads/codec.h"
#include "workloads/format.h"

#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

enum { NAMES = 1 << TRACE_REALLOC | 1 << TRACE_FREE, SIZED = (1 << (TRACE_ALIGNED + 1)) - 1 };

/* Whether a tag's kind is in a set of them. */
static inline unsigned decode_is(unsigned tag, unsigned kinds)
{
    return kinds >> (tag & CODEC_TAG_KIND) & 1;
}

/* What is under way in decode_objects, copied so that the compiler may keep it in registers over
 * stores that may alias anything. */
struct decode_objects {
    const uint8_t *target;
    uint32_t *links, *ring;
    uint32_t head, next, named_at, named;
    uint32_t taken, given;
};

static void decode_load(struct decode_objects *now, const struct codec *codec,
                        const struct codec_in *in)
{
    struct codec_lane *lane = &codec->lanes[codec->thread % CODEC_LANES];
    *now = (struct decode_objects){.target = in->at[CODEC_TARGET],
                                   .links = numbering_links(&codec->numbering),
                                   .ring = lane->ring,
                                   .head = codec->numbering.head,
                                   .next = lane->next,
                                   .named_at = lane->named_at,
                                   .named = lane->named};
}

static void decode_store(const struct decode_objects *now, struct codec *codec, struct codec_in *in)
{
    struct codec_lane *lane = &codec->lanes[codec->thread % CODEC_LANES];
    in->at[CODEC_TARGET] = now->target;
    codec->numbering.head = now->head;
    codec->numbering.live += now->taken - now->given;
    lane->next = now->next;
    lane->named_at = now->named_at;
    lane->named = now->named;
}

/* A target that an age below CODEC_NEAR or an offset does not reach. Any number comes out of
 * damaged streams: the caller checks it. */
static uint32_t decode_far(struct decode_objects *now, struct codec_in *in, uint32_t code)
{
    if (code == CODEC_ELSE)
        return now->named + (uint32_t)bytes_unzigzag(bytes_get_varint(&in->at[CODEC_TARGET_REST]));
    now->named_at =
        now->next - 1 - CODEC_NEAR - ((code - CODEC_FAR) << 8) - *in->at[CODEC_TARGET_AGE]++;
    return now->ring[now->named_at % CODEC_RING];
}

static inline bool decode_named(struct decode_objects *now, struct codec_in *in, uint32_t ready,
                                unsigned frees, uint32_t *object)
{
    uint32_t code = *now->target++;
    if (UNLIKELY(code >= CODEC_FAR)) {
        now->named = decode_far(now, in, code);
        if (now->named >= ready)
            return false;
    } else {
        uint32_t by_age = now->next - 1 - code, by_offset = now->named_at + code - CODEC_NEAR_ZERO;
        now->named_at = code < CODEC_NEAR ? by_age : by_offset;
        now->named = now->ring[now->named_at % CODEC_RING];
    }
    *object = now->named;
    if (UNLIKELY(now->links[now->named] != NUMBERING_LIVE))
        return false;
    now->links[now->named] = frees ? now->head : NUMBERING_LIVE;
    now->head = frees ? now->named : now->head;
    now->given += frees;
    return true;
}

static inline void decode_new(struct decode_objects *now, uint32_t *object)
{
    *object = now->head;
    now->ring[now->next++ % CODEC_RING] = now->head;
    now->head = now->links[*object];
    now->links[*object] = NUMBERING_LIVE;
    now->taken++;
}

/* What has no object, or a label. */
static bool decode_without(struct codec_in *in, unsigned tag, uint32_t *object)
{
    unsigned kind = tag & CODEC_TAG_KIND;
    *object = TRACE_NO_OBJECT;
    if (kind == TRACE_MARK)
        *object = (uint32_t)bytes_get_varint(&in->at[CODEC_TARGET_REST]);
    return kind == TRACE_MARK || (kind == TRACE_FREE) == !!(tag & CODEC_TAG_NULL);
}

static inline bool decode_has_object(unsigned tag)
{
    return !(tag & (CODEC_TAG_NULL | CODEC_TAG_FAILED)) && (tag & CODEC_TAG_KIND) != TRACE_MARK;
}

/* The objects of a run of events of one thread. */
static bool decode_objects(struct codec *codec, struct codec_in *in, const uint8_t *tags,
                           size_t count, uint32_t *object)
{
    struct decode_objects now;
    uint32_t ready = codec->numbering.ready;
    decode_load(&now, codec, in);
    for (size_t i = 0; i < count; i++) {
        unsigned tag = tags[i];
        bool fine = true;
        if (decode_is(tag, NAMES) && !(tag & CODEC_TAG_NULL))
            fine = decode_named(&now, in, ready, (tag & CODEC_TAG_KIND) == TRACE_FREE, &object[i]);
        else if (decode_has_object(tag))
            decode_new(&now, &object[i]);
        else
            fine = decode_without(in, tag, &object[i]);
        if (UNLIKELY(!fine))
            return false;
    }
    decode_store(&now, codec, in);
    return true;
}

static bool decode_switch(struct codec *codec, struct codec_in *in)
{
    uint64_t thread = bytes_get_varint(&in->at[CODEC_THREAD]);
    if (thread > codec->threads || thread >= FORMAT_THREADS_MOST)
        return false;
    codec->thread = (uint32_t)thread;
    if (thread == codec->threads)
        codec->threads++;
    return true;
}

/* Runs of one thread, and within each its objects. */
static bool decode_threads(struct codec *codec, struct codec_in *in, const uint8_t *tags,
                           size_t count, const struct codec_columns *to)
{
    for (size_t i = 0, end; i < count; i = end) {
        if (tags[i] & CODEC_TAG_SWITCH && !decode_switch(codec, in))
            return false;
        for (end = i + 1; end < count && !(tags[end] & CODEC_TAG_SWITCH);)
            end++;
        for (size_t j = i; j < end; j++)
            to->thread[j] = codec->thread;
        if (!decode_objects(codec, in, tags + i, end - i, to->object + i))
            return false;
    }
    return true;
}

/* Kinds and flags; false where some tag is none. */
static bool decode_tags(const uint8_t *restrict tags, size_t count, const struct codec_columns *to)
{
    uint8_t *restrict kind = to->kind, *restrict flags = to->flags;
    uint8_t all = 0, beyond = 0;
    for (size_t i = 0; i < count; i++) {
        kind[i] = tags[i] & CODEC_TAG_KIND;
        flags[i] = tags[i] / CODEC_TAG_FAILED & TRACE_FAILED;
        all |= tags[i];
        beyond |= (uint8_t)(kind[i] + 8 - TRACE_KINDS);
    }
    return all < CODEC_TAG_NONSENSE && beyond < 8;
}

static void decode_sizes(struct codec_in *in, const uint8_t *tags, size_t count, uint64_t *size)
{
    const uint8_t *at = in->at[CODEC_SIZE];
    for (size_t i = 0; i < count; i++) {
        unsigned sized = decode_is(tags[i], SIZED);
        uint64_t value = *at & -sized;
        if (UNLIKELY(value == 255))
            value += bytes_get_varint(&in->at[CODEC_SIZE_REST]);
        size[i] = value;
        at += sized;
    }
    in->at[CODEC_SIZE] = at;
}

static void decode_aligns(struct codec_in *in, const uint8_t *tags, size_t count, uint8_t *align)
{
    memset(align, 0, count);
    if (in->at[CODEC_ALIGN] == in->end[CODEC_ALIGN])
        return;
    for (size_t i = 0; i < count; i++)
        if ((tags[i] & CODEC_TAG_KIND) == TRACE_ALIGNED)
            align[i] = *in->at[CODEC_ALIGN]++ & 63;
}

static void decode_times(struct codec *codec, struct codec_in *in, size_t count, uint64_t *time_ns)
{
    const uint8_t *low = in->at[CODEC_TIME_LOW], *high = in->at[CODEC_TIME_HIGH];
    uint64_t now = codec->time_ns;
    for (size_t i = 0; i < count; i++) {
        uint64_t above = high[i];
        if (UNLIKELY(above == 255))
            above += bytes_get_varint(&in->at[CODEC_TIME_REST]);
        time_ns[i] = now += above << 8 | low[i];
    }
    codec->time_ns = now;
    in->at[CODEC_TIME_LOW] += count;
    in->at[CODEC_TIME_HIGH] += count;
}

static void decode_sites(struct codec_in *in, const uint8_t *tags, size_t count, uint32_t *site)
{
    for (size_t i = 0; i < count; i++) {
        site[i] = 0;
        if (tags[i] & CODEC_TAG_SITE) {
            site[i] = *in->at[CODEC_SITE_LOW]++;
            site[i] |= (uint32_t)bytes_get_varint(&in->at[CODEC_SITE_HIGH]) << 8;
        }
    }
}

int codec_get(struct codec *codec, struct codec_in *in, size_t count,
              const struct codec_columns *columns)
{
    const uint8_t *tags = in->at[CODEC_TAG];
    if (numbering_reserve(&codec->numbering, (uint32_t)count))
        return -ENOMEM;
    if (!codec->threads)
        codec->threads = 1;
    if (!decode_tags(tags, count, columns) || !decode_threads(codec, in, tags, count, columns))
        return -EBADMSG;
    decode_sizes(in, tags, count, columns->size);
    decode_aligns(in, tags, count, columns->align_log2);
    if (columns->time_ns)
        decode_times(codec, in, count, columns->time_ns);
    if (columns->site)
        decode_sites(in, tags, count, columns->site);
    in->at[CODEC_TAG] += count;
    for (int i = 0; i < CODEC_STREAMS; i++)
        if (in->at[i] > in->end[i])
            return -EBADMSG;
    return 0;
}
