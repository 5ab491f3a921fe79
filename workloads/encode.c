/* Events into streams. */
#include <errno.h>

#include "workloads/bytes.h"
#include "workloads/codec.h"
#include "workloads/tally.h"

static void encode_byte(struct codec_out *out, enum codec_stream stream, uint64_t value)
{
    out->bytes[stream][out->used[stream]++] = (uint8_t)value;
}

static void encode_varint(struct codec_out *out, enum codec_stream stream, uint64_t value)
{
    out->used[stream] += bytes_put_varint(out->bytes[stream] + out->used[stream], value);
}

/* A byte, and from 255 on the rest in a stream of its own. */
static void encode_escaped(struct codec_out *out, enum codec_stream stream, uint64_t value)
{
    encode_byte(out, stream, value < 255 ? value : 255);
    if (value >= 255)
        encode_varint(out, stream + 1, value - 255);
}

static void encode_tag(const struct codec *codec, struct codec_out *out,
                       const struct trace_event *event)
{
    unsigned tag = event->kind;
    if (event->flags & TRACE_FAILED)
        tag |= CODEC_TAG_FAILED;
    if (event->kind == TRACE_FREE && event->object == TRACE_NO_OBJECT)
        tag |= CODEC_TAG_NULL;
    if (event->thread != codec->thread)
        tag |= CODEC_TAG_SWITCH;
    if (event->site && codec->columns & TRACE_HAS_SITES)
        tag |= CODEC_TAG_SITE;
    encode_byte(out, CODEC_TAG, tag);
}

static struct tally_object *encode_object_at(const struct codec_out *out, uint32_t object)
{
    return (struct tally_object *)out->objects->at + object;
}

/* The allocation's number follows from the policy; only its place is remembered. */
static void encode_new(struct codec *codec, struct codec_out *out, struct trace_event *event)
{
    event->object = numbering_take(&codec->numbering);
    encode_object_at(out, event->object)->position =
        codec->lanes[event->thread % CODEC_LANES].next++;
}

static void encode_named(struct codec_lane *lane, struct codec_out *out, uint32_t object,
                         uint32_t lane_number)
{
    const struct tally_object *place = encode_object_at(out, object);
    uint32_t age = lane->next - 1 - place->position, near = place->position - lane->named_at + 8;
    bool reached = place->thread % CODEC_LANES == lane_number && age < CODEC_RING;
    if (reached && near < CODEC_FAR - CODEC_NEAR)
        encode_byte(out, CODEC_TARGET, CODEC_NEAR + near);
    else if (reached && age < CODEC_NEAR)
        encode_byte(out, CODEC_TARGET, age);
    else if (reached && age < CODEC_AGES) {
        encode_byte(out, CODEC_TARGET, CODEC_FAR + ((age - CODEC_NEAR) >> 8));
        encode_byte(out, CODEC_TARGET_AGE, age - CODEC_NEAR);
    } else {
        reached = false;
        encode_byte(out, CODEC_TARGET, CODEC_ELSE);
        encode_varint(out, CODEC_TARGET_REST, bytes_zigzag((int64_t)object - lane->named));
    }
    if (reached)
        lane->named_at = place->position;
    lane->named = object;
}

static void encode_object(struct codec *codec, struct codec_out *out, struct trace_event *event)
{
    uint32_t lane = event->thread % CODEC_LANES;
    switch ((enum trace_kind)event->kind) {
    case TRACE_MALLOC:
    case TRACE_CALLOC:
    case TRACE_ALIGNED:
        if (!(event->flags & TRACE_FAILED))
            encode_new(codec, out, event);
        break;
    case TRACE_REALLOC:
        encode_named(&codec->lanes[lane], out, event->object, lane);
        break;
    case TRACE_FREE:
        if (event->object != TRACE_NO_OBJECT) {
            encode_named(&codec->lanes[lane], out, event->object, lane);
            numbering_give(&codec->numbering, event->object);
        }
        break;
    case TRACE_MARK:
        encode_varint(out, CODEC_TARGET_REST, event->object);
        break;
    case TRACE_KINDS:
        break;
    }
}

static void encode_optional(struct codec *codec, struct codec_out *out,
                            const struct trace_event *event)
{
    if (codec->columns & TRACE_HAS_TIMES) {
        uint64_t passed = event->time_ns - codec->time_ns;
        encode_byte(out, CODEC_TIME_LOW, passed);
        encode_escaped(out, CODEC_TIME_HIGH, passed >> 8);
        codec->time_ns = event->time_ns;
    }
    if (event->site && codec->columns & TRACE_HAS_SITES) {
        encode_byte(out, CODEC_SITE_LOW, event->site);
        encode_varint(out, CODEC_SITE_HIGH, event->site >> 8);
    }
}

int codec_put(struct codec *codec, struct codec_out *out, struct trace_event *event)
{
    if (numbering_reserve(&codec->numbering, 1) ||
        array_reserve(out->objects, codec->numbering.ready * sizeof(struct tally_object)))
        return -ENOMEM;
    encode_tag(codec, out, event);
    if (event->thread != codec->thread)
        encode_varint(out, CODEC_THREAD, event->thread);
    codec->thread = event->thread;
    if (event->kind <= TRACE_ALIGNED)
        encode_escaped(out, CODEC_SIZE, event->size);
    if (event->kind == TRACE_ALIGNED)
        encode_byte(out, CODEC_ALIGN, event->align_log2);
    encode_object(codec, out, event);
    encode_optional(codec, out, event);
    return 0;
}
