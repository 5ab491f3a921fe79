/* Streams into events: what every replay waits for.
 *
 * A stretch is decoded column by column, each loop with little to mispredict. Cursors may run past
 * their streams within a stretch (CODEC_SLACK bytes are readable) and are checked at its end,
 * before anything is handed out; numbers that index a table are checked at once. */
#include <errno.h>
#ifdef __x86_64__
#include <tmmintrin.h>
#endif

#include "workloads/bytes.h"
#include "workloads/codec.h"
#include "workloads/format.h"

#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

enum {
    SIZED = 1 << TRACE_MALLOC | 1 << TRACE_CALLOC | 1 << TRACE_REALLOC | 1 << TRACE_ALIGNED,
    NAMES = 1 << TRACE_REALLOC | 1 << TRACE_FREE,
    UNUSUAL = CODEC_TAG_SWITCH | CODEC_TAG_NULL | CODEC_TAG_FAILED
};

/* Whether a tag's kind is in a set of them. */
static inline unsigned decode_is(unsigned tag, unsigned kinds)
{
    return kinds >> (tag & CODEC_TAG_KIND) & 1;
}

/* What is under way in decode_objects. Handed about by value, so that the compiler may keep it in
 * registers over stores that may alias anything. */
struct decode_objects {
    const uint8_t *target;
    uint32_t *stack, *ring; /* the free numbers' top, and what the lane remembers */
    uint8_t *lives;
    uint32_t next, named_at, named, thread;
    uint32_t it; /* the event's object */
};

static inline struct decode_objects decode_load(const struct codec *codec,
                                                const struct codec_in *in)
{
    struct codec_lane *lane = &codec->lanes[codec->thread % CODEC_LANES];
    return (struct decode_objects){.target = in->at[CODEC_TARGET],
                                   .stack =
                                       numbering_stack(&codec->numbering) + codec->numbering.live,
                                   .ring = lane->ring,
                                   .lives = numbering_lives(&codec->numbering),
                                   .next = lane->next,
                                   .named_at = lane->named_at,
                                   .named = lane->named,
                                   .thread = codec->thread};
}

static inline void decode_store(struct decode_objects now, struct codec *codec, struct codec_in *in)
{
    struct codec_lane *lane = &codec->lanes[codec->thread % CODEC_LANES];
    in->at[CODEC_TARGET] = now.target;
    codec->numbering.live = (uint32_t)(now.stack - numbering_stack(&codec->numbering));
    lane->next = now.next;
    lane->named_at = now.named_at;
    lane->named = now.named;
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

/* A target that an age below CODEC_NEAR or an offset does not reach. Any number comes out of
 * damaged streams: the caller checks it. */
static inline struct decode_objects decode_far(struct decode_objects now, struct codec_in *in,
                                               uint32_t code)
{
    if (code == CODEC_ELSE) {
        now.named += (uint32_t)bytes_unzigzag(bytes_get_varint(&in->at[CODEC_TARGET_REST]));
        return now;
    }
    uint32_t age = CODEC_NEAR + ((code - CODEC_FAR) << 8) + *in->at[CODEC_TARGET_AGE]++;
    now.named_at = now.next - 1 - age;
    now.named = now.ring[now.named_at % CODEC_RING];
    return now;
}

static inline struct decode_objects decode_named(struct decode_objects now, struct codec_in *in)
{
    uint32_t code = *now.target++;
    if (UNLIKELY(code >= CODEC_FAR)) {
        now = decode_far(now, in, code);
    } else {
        uint32_t by_age = now.next - 1 - code, by_offset = now.named_at + code - CODEC_NEAR_ZERO;
        now.named_at = code < CODEC_NEAR ? by_age : by_offset;
        now.named = now.ring[now.named_at % CODEC_RING];
    }
    now.it = now.named;
    return now;
}

/* Of an object that is live. */
static inline struct decode_objects decode_free(struct decode_objects now, bool frees)
{
    now.stack -= frees;
    *now.stack = frees ? now.it : *now.stack;
    now.lives[now.it] = !frees;
    return now;
}

static inline struct decode_objects decode_new(struct decode_objects now)
{
    now.it = *now.stack++;
    now.ring[now.next++ % CODEC_RING] = now.it;
    now.lives[now.it] = 1;
    return now;
}

static inline bool decode_has_object(unsigned tag)
{
    unsigned kind = tag & CODEC_TAG_KIND;
    return kind != TRACE_MARK && !(tag & CODEC_TAG_NULL) &&
           (!(tag & CODEC_TAG_FAILED) || kind == TRACE_REALLOC);
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

/* Threads and objects. */
static bool decode_objects(struct codec *codec, struct codec_in *in, const uint8_t *tags,
                           size_t count, const struct codec_columns *columns)
{
    uint32_t *const object = columns->object, *const thread = columns->thread;
    const uint32_t ready = codec->numbering.ready;
    const bool in_words = codec->in_words;
    struct decode_objects now = decode_load(codec, in);
    for (size_t i = 0; i < count; i++) {
        unsigned tag = tags[i];
        if (UNLIKELY(tag & CODEC_TAG_SWITCH)) {
            decode_store(now, codec, in);
            if (!decode_switch(codec, in))
                return false;
            now = decode_load(codec, in);
        }
        thread[i] = now.thread;
        if (UNLIKELY(tag & UNUSUAL || (tag & CODEC_TAG_KIND) == TRACE_MARK) &&
            !decode_has_object(tag)) {
            if (!decode_without(in, tag, &object[i]))
                return false;
            continue;
        }
        if (decode_is(tag, NAMES)) {
            now = decode_named(now, in);
            if (UNLIKELY(now.it >= ready || !(in_words || now.lives[now.it])))
                return false;
            now = decode_free(now, (tag & CODEC_TAG_KIND) == TRACE_FREE);
        } else {
            now = decode_new(now);
        }
        object[i] = now.it;
    }
    decode_store(now, codec, in);
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

/* What a size of 255 stands for. */
static uint64_t decode_long_size(struct codec_in *in)
{
    return 255 + bytes_get_varint(&in->at[CODEC_SIZE_REST]);
}

static void decode_sizes_singly(struct codec_in *in, const uint8_t *tags, size_t count,
                                uint64_t *size)
{
    const uint8_t *at = in->at[CODEC_SIZE];
    for (size_t i = 0; i < count; i++) {
        unsigned sized = decode_is(tags[i], SIZED);
        uint64_t value = *at & -sized;
        size[i] = UNLIKELY(value == 255) ? decode_long_size(in) : value;
        at += sized;
    }
    in->at[CODEC_SIZE] = at;
}

#ifdef __x86_64__
/* Eight events at a time: each takes the byte whose place is the number of sizes before it. Returns
 * the events done: none on a processor without the instruction for it. */
__attribute__((target("ssse3"))) static size_t
decode_sizes_by_eight(struct codec_in *in, const uint8_t *tags, size_t count, uint64_t *size)
{
    const uint64_t each = 0x0101010101010101;
    const __m128i zero = _mm_setzero_si128();
    const uint8_t *at = in->at[CODEC_SIZE];
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t without = bytes_get64(tags + i) >> 2 & each, upto = (without ^ each) * each;
        uint64_t places = upto << 8 | without << 7; /* the top bit makes it 0 */
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)at);
        bytes = _mm_shuffle_epi8(bytes, _mm_set_epi64x(-1, (long long)places));
        __m128i words = _mm_unpacklo_epi8(bytes, zero), *to = (__m128i *)(void *)(size + i);
        __m128i low = _mm_unpacklo_epi16(words, zero), high = _mm_unpackhi_epi16(words, zero);
        _mm_storeu_si128(to, _mm_unpacklo_epi32(low, zero));
        _mm_storeu_si128(to + 1, _mm_unpackhi_epi32(low, zero));
        _mm_storeu_si128(to + 2, _mm_unpacklo_epi32(high, zero));
        _mm_storeu_si128(to + 3, _mm_unpackhi_epi32(high, zero));
        int longs = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(-1)));
        for (; UNLIKELY(longs); longs &= longs - 1)
            size[i + (size_t)__builtin_ctz((unsigned)longs)] = decode_long_size(in);
        at += upto >> 56;
    }
    in->at[CODEC_SIZE] = at;
    return i;
}
#endif

static void decode_sizes(struct codec_in *in, const uint8_t *tags, size_t count, uint64_t *size)
{
    size_t done = 0;
#ifdef __x86_64__
    _Static_assert(SIZED == 15, "what has no size is told by the third bit of a kind");
    if (__builtin_cpu_supports("ssse3"))
        done = decode_sizes_by_eight(in, tags, count, size);
#endif
    decode_sizes_singly(in, tags + done, count - done, size + done);
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
    if (!decode_tags(tags, count, columns) || !decode_objects(codec, in, tags, count, columns))
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
