/* Streams into events: the inner loop of every replay's preparation.
 *
 * Cursors may run past their streams within a stretch (CODEC_SLACK bytes are readable) and are
 * checked at its end, before anything is handed out; numbers that index a table are checked at
 * once. */
#include <errno.h>

#include "workloads/bytes.h"
#include "workloads/codec.h"
#include "workloads/format.h"

/* A byte, and from 255 on the rest from a stream of its own. */
static inline uint64_t decode_escaped(struct codec_in *in, enum codec_stream stream)
{
    uint64_t value = *in->at[stream]++;
    if (__builtin_expect(value == 255, 0))
        value += bytes_get_varint(&in->at[stream + 1]);
    return value;
}

static inline uint32_t decode_new(struct codec *codec, struct codec_lane *lane)
{
    uint32_t object = numbering_take(&codec->numbering);
    lane->ring[lane->next++ % CODEC_RING] = object;
    return object;
}

/* Any number comes out of damaged streams: the caller checks it. */
static inline uint32_t decode_named(struct codec_lane *lane, struct codec_in *in)
{
    uint32_t code = *in->at[CODEC_TARGET]++;
    if (__builtin_expect(code == CODEC_ELSE, 0)) {
        uint64_t step = bytes_get_varint(&in->at[CODEC_TARGET_REST]);
        return lane->named += (uint32_t)bytes_unzigzag(step);
    }
    uint32_t position = lane->next - 1 - code;
    if (code >= CODEC_FAR)
        position =
            lane->next - 1 - CODEC_NEAR - ((code - CODEC_FAR) << 8) - *in->at[CODEC_TARGET_AGE]++;
    else if (code >= CODEC_NEAR)
        position = lane->named_at + code - CODEC_NEAR_ZERO;
    lane->named_at = position;
    return lane->named = lane->ring[position % CODEC_RING];
}

static inline bool decode_object(struct codec *codec, struct codec_in *in, unsigned tag,
                                 uint32_t *object)
{
    struct codec_lane *lane = &codec->lanes[codec->thread % CODEC_LANES];
    unsigned kind = tag & CODEC_TAG_KIND;
    *object = TRACE_NO_OBJECT;
    if (kind == TRACE_REALLOC || kind == TRACE_FREE) {
        if (tag & CODEC_TAG_NULL)
            return kind == TRACE_FREE;
        *object = decode_named(lane, in);
        if (!numbering_is_live(&codec->numbering, *object))
            return false;
        if (kind == TRACE_FREE)
            numbering_give(&codec->numbering, *object);
    } else if (kind == TRACE_MARK)
        *object = (uint32_t)bytes_get_varint(&in->at[CODEC_TARGET_REST]);
    else if (!(tag & CODEC_TAG_FAILED))
        *object = decode_new(codec, lane);
    return true;
}

static inline bool decode_thread(struct codec *codec, struct codec_in *in, unsigned tag)
{
    if (__builtin_expect(tag & CODEC_TAG_SWITCH, 0)) {
        uint64_t thread = bytes_get_varint(&in->at[CODEC_THREAD]);
        if (thread > codec->threads || thread >= FORMAT_THREADS_MOST)
            return false;
        codec->thread = (uint32_t)thread;
    }
    if (codec->thread == codec->threads)
        codec->threads++;
    return true;
}

static inline bool decode_event(struct codec *codec, struct codec_in *in, size_t i,
                                const struct codec_columns *to)
{
    unsigned tag = *in->at[CODEC_TAG]++, kind = tag & CODEC_TAG_KIND;
    if (kind >= TRACE_KINDS || tag >= CODEC_TAG_NONSENSE || !decode_thread(codec, in, tag) ||
        !decode_object(codec, in, tag, &to->object[i]))
        return false;
    to->kind[i] = (uint8_t)kind;
    to->flags[i] = tag & CODEC_TAG_FAILED ? TRACE_FAILED : 0;
    to->thread[i] = codec->thread;
    to->size[i] = kind <= TRACE_ALIGNED ? decode_escaped(in, CODEC_SIZE) : 0;
    to->align_log2[i] = kind == TRACE_ALIGNED ? *in->at[CODEC_ALIGN]++ & 63 : 0;
    if (to->time_ns) {
        uint64_t low = *in->at[CODEC_TIME_LOW]++;
        to->time_ns[i] = codec->time_ns += low + (decode_escaped(in, CODEC_TIME_HIGH) << 8);
    }
    if (to->site) {
        uint32_t site = 0;
        if (tag & CODEC_TAG_SITE) {
            site = *in->at[CODEC_SITE_LOW]++;
            site |= (uint32_t)bytes_get_varint(&in->at[CODEC_SITE_HIGH]) << 8;
        }
        to->site[i] = site;
    }
    return true;
}

int codec_get(struct codec *codec, struct codec_in *in, size_t count,
              const struct codec_columns *columns)
{
    if (numbering_reserve(&codec->numbering, (uint32_t)count))
        return -ENOMEM;
    /* Copies whose addresses do not escape: the compiler may keep them in registers over the stores
     * of bytes, which may alias anything. */
    struct codec_in cursors = *in;
    const struct codec_columns to = *columns;
    for (size_t i = 0; i < count; i++)
        if (!decode_event(codec, &cursors, i, &to))
            return -EBADMSG;
    for (int i = 0; i < CODEC_STREAMS; i++)
        if (cursors.at[i] > cursors.end[i])
            return -EBADMSG;
    *in = cursors;
    return 0;
}
