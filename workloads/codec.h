/* Events as compact byte streams, one stream a column, and back. FORMAT.md gives the encoding.
 *
 * The state runs through all blocks: a block can be decoded only after those before it. */
#ifndef WORKLOADS_CODEC_H
#define WORKLOADS_CODEC_H

#include "workloads/array.h"
#include "workloads/numbering.h"
#include "workloads/trace.h"

enum codec_stream {
    CODEC_TAG,    /* u8 an event: kind, failed or null, thread as before */
    CODEC_THREAD, /* varint where the thread changes */
    CODEC_SIZE,   /* varint of what has a size */
    CODEC_TARGET, /* varint of what names an object that is there already, or a label */
    CODEC_ALIGN,  /* u8 an aligned allocation */
    CODEC_TIME,   /* varint an event: nanoseconds since the one before */
    CODEC_SITE,   /* varint an event */
    CODEC_STREAMS
};

/* What runs through all blocks. */
struct codec {
    struct numbering numbering;
    uint32_t columns; /* enum trace_column */
    uint32_t thread;  /* of the event before */
    uint32_t threads; /* seen so far */
    uint32_t site;    /* of the event before */
    uint64_t time_ns; /* of the event before */
};

void codec_init(struct codec *codec, uint32_t columns);
void codec_release(struct codec *codec);

/* The encoder's side: streams of the block under way. */
struct codec_out {
    struct array bytes[CODEC_STREAMS];
    size_t used[CODEC_STREAMS];
};

/* Appends an event that the writer has checked; gives `event->object` its number if it allocates.
 * 0 or -ENOMEM. */
int codec_put(struct codec *codec, struct codec_out *out, struct trace_event *event);

/* The decoder's side: cursors into an unpacked block, which is followed by CODEC_SLACK readable
 * bytes. */
struct codec_in {
    const uint8_t *at[CODEC_STREAMS];
    const uint8_t *end[CODEC_STREAMS];
};

/* Columns to decode into; times and sites NULL where the trace has none. */
struct codec_columns {
    uint8_t *kind, *flags, *align_log2;
    uint32_t *thread, *object, *site;
    uint64_t *size, *time_ns;
};

enum {
    CODEC_STRETCH = 8 << 10, /* events decoded at a time */
    CODEC_SLACK = CODEC_STRETCH * 10
};

/* Decodes `count` <= CODEC_STRETCH events. 0, -ENOMEM, or -EBADMSG where the streams cannot be what
 * a writer wrote; nothing out of bounds is touched or handed on in any case. */
int codec_get(struct codec *codec, struct codec_in *in, size_t count,
              const struct codec_columns *columns);

#endif
