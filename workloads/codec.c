/* The encoding of events. */
#include "workloads/codec.h"

#include <errno.h>

#include "workloads/bytes.h"
#include "workloads/format.h"

enum { TAG_KIND = 7, TAG_FAILED = 8, TAG_NULL = 16, TAG_SWITCH = 32 };

void codec_init(struct codec *codec, uint32_t columns)
{
    *codec = (struct codec){.columns = columns};
    numbering_init(&codec->numbering);
}

void codec_release(struct codec *codec)
{
    numbering_release(&codec->numbering);
}

static void codec_varint(struct codec_out *out, enum codec_stream stream, uint64_t value)
{
    out->used[stream] +=
        bytes_put_varint((uint8_t *)out->bytes[stream].at + out->used[stream], value);
}

static void codec_byte(struct codec_out *out, enum codec_stream stream, uint8_t value)
{
    ((uint8_t *)out->bytes[stream].at)[out->used[stream]++] = value;
}

static int codec_room(struct codec_out *out)
{
    for (int i = 0; i < CODEC_STREAMS; i++)
        if (array_reserve(&out->bytes[i], out->used[i] + BYTES_VARINT))
            return -ENOMEM;
    return 0;
}

static uint8_t codec_tag(const struct codec *codec, const struct trace_event *event)
{
    unsigned tag = event->kind;
    if (event->flags & TRACE_FAILED)
        tag |= TAG_FAILED;
    if (event->kind == TRACE_FREE && event->object == TRACE_NO_OBJECT)
        tag |= TAG_NULL;
    if (event->thread != codec->thread)
        tag |= TAG_SWITCH;
    return (uint8_t)tag;
}

static bool codec_allocates(unsigned kind)
{
    return kind == TRACE_MALLOC || kind == TRACE_CALLOC || kind == TRACE_ALIGNED;
}

static void codec_put_object(struct codec *codec, struct codec_out *out, struct trace_event *event)
{
    if (event->kind == TRACE_MARK)
        codec_varint(out, CODEC_TARGET, event->object);
    else if (!codec_allocates(event->kind)) {
        if (event->object == TRACE_NO_OBJECT)
            return;
        codec_varint(out, CODEC_TARGET, event->object);
        if (event->kind == TRACE_FREE)
            numbering_give(&codec->numbering, event->object);
    } else if (!(event->flags & TRACE_FAILED))
        event->object = numbering_take(&codec->numbering);
}

int codec_put(struct codec *codec, struct codec_out *out, struct trace_event *event)
{
    if (codec_room(out) || numbering_reserve(&codec->numbering, 1))
        return -ENOMEM;
    codec_byte(out, CODEC_TAG, codec_tag(codec, event));
    if (event->thread != codec->thread)
        codec_varint(out, CODEC_THREAD, event->thread);
    if (event->kind <= TRACE_ALIGNED)
        codec_varint(out, CODEC_SIZE, event->size);
    if (event->kind == TRACE_ALIGNED)
        codec_byte(out, CODEC_ALIGN, event->align_log2);
    codec_put_object(codec, out, event);
    if (codec->columns & TRACE_HAS_TIMES)
        codec_varint(out, CODEC_TIME, event->time_ns - codec->time_ns);
    if (codec->columns & TRACE_HAS_SITES)
        codec_varint(out, CODEC_SITE, event->site);
    codec->thread = event->thread;
    if (event->thread >= codec->threads)
        codec->threads = event->thread + 1;
    codec->time_ns = event->time_ns;
    return 0;
}

static bool codec_get_object(struct codec *codec, struct codec_in *in, unsigned kind, unsigned tag,
                             uint32_t *object)
{
    *object = TRACE_NO_OBJECT;
    if (codec_allocates(kind)) {
        if (!(tag & TAG_FAILED))
            *object = numbering_take(&codec->numbering);
        return true;
    }
    if (tag & TAG_NULL)
        return kind == TRACE_FREE;
    uint64_t number = bytes_get_varint(&in->at[CODEC_TARGET]);
    if (number >= TRACE_NO_OBJECT)
        return false;
    *object = (uint32_t)number;
    if (kind == TRACE_MARK)
        return true;
    if (!numbering_is_live(&codec->numbering, *object))
        return false;
    if (kind == TRACE_FREE)
        numbering_give(&codec->numbering, *object);
    return true;
}

static bool codec_get_thread(struct codec *codec, struct codec_in *in, unsigned tag)
{
    if (tag & TAG_SWITCH) {
        uint64_t thread = bytes_get_varint(&in->at[CODEC_THREAD]);
        if (thread > codec->threads || thread >= FORMAT_THREADS_MOST)
            return false;
        codec->thread = (uint32_t)thread;
    }
    if (codec->thread >= codec->threads)
        codec->threads = codec->thread + 1;
    return true;
}

static bool codec_get_event(struct codec *codec, struct codec_in *in, size_t i,
                            const struct codec_columns *to)
{
    unsigned tag = *in->at[CODEC_TAG]++, kind = tag & TAG_KIND;
    if (kind >= TRACE_KINDS || tag >= 2 * TAG_SWITCH || !codec_get_thread(codec, in, tag) ||
        !codec_get_object(codec, in, kind, tag, &to->object[i]))
        return false;
    to->kind[i] = (uint8_t)kind;
    to->flags[i] = tag & TAG_FAILED ? TRACE_FAILED : 0;
    to->align_log2[i] = kind == TRACE_ALIGNED ? *in->at[CODEC_ALIGN]++ : 0;
    to->thread[i] = codec->thread;
    to->size[i] = kind <= TRACE_ALIGNED ? bytes_get_varint(&in->at[CODEC_SIZE]) : 0;
    if (to->time_ns)
        to->time_ns[i] = codec->time_ns += bytes_get_varint(&in->at[CODEC_TIME]);
    if (to->site)
        to->site[i] = (uint32_t)bytes_get_varint(&in->at[CODEC_SITE]);
    return to->align_log2[i] < 64;
}

int codec_get(struct codec *codec, struct codec_in *in, size_t count,
              const struct codec_columns *columns)
{
    if (numbering_reserve(&codec->numbering, (uint32_t)count))
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (!codec_get_event(codec, in, i, columns))
            return -EBADMSG;
    for (int i = 0; i < CODEC_STREAMS; i++)
        if (in->at[i] > in->end[i])
            return -EBADMSG;
    return 0;
}
