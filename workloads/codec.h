/* Events as compact byte streams and back; FORMAT.md tells the encoding in words.
 *
 * The state runs through all blocks: a block can be decoded only after those before it. Objects
 * that exist already are named by how long ago their thread allocated them, or relative to the one
 * it named last: programs free what is young, and in order. */
#ifndef WORKLOADS_CODEC_H
#define WORKLOADS_CODEC_H

#include "workloads/array.h"
#include "workloads/numbering.h"
#include "workloads/trace.h"

enum codec_stream {
    CODEC_TAG,         /* u8 an event */
    CODEC_THREAD,      /* varint where the thread changes */
    CODEC_SIZE,        /* u8 where there is a size; 255: the rest follows in … */
    CODEC_SIZE_REST,   /* … varint, size - 255 */
    CODEC_TARGET,      /* u8 where an object is named */
    CODEC_TARGET_AGE,  /* u8, an old age's low byte */
    CODEC_TARGET_REST, /* varint, what no age reaches; a mark's label */
    CODEC_ALIGN,       /* u8 an aligned allocation */
    CODEC_TIME_LOW,    /* u8 an event: nanoseconds since the one before, low byte */
    CODEC_TIME_HIGH,   /* u8 an event: the same above the low byte; 255: the rest follows in … */
    CODEC_TIME_REST,   /* … varint, that - 255 */
    CODEC_SITE_LOW,    /* u8 where there is a call site */
    CODEC_SITE_HIGH,   /* varint, the same above the low byte */
    CODEC_STREAMS
};

enum codec_tag {
    CODEC_TAG_KIND = 7,    /* enum trace_kind */
    CODEC_TAG_FAILED = 8,  /* TRACE_FAILED */
    CODEC_TAG_NULL = 16,   /* free(NULL) */
    CODEC_TAG_SWITCH = 32, /* another thread than the event before */
    CODEC_TAG_SITE = 64,   /* with a call site */
    CODEC_TAG_NONSENSE = 128
};

/* The byte of CODEC_TARGET: an age 0 … 223; an offset -8 … 7 from the object named last; an age
 * 224 … 4063 whose low byte follows; or the difference to the number named last follows. */
enum codec_target {
    CODEC_NEAR = 224,
    CODEC_NEAR_ZERO = CODEC_NEAR + 8,
    CODEC_FAR = 240,
    CODEC_ELSE = 255,
    CODEC_RING = 4096, /* allocations remembered; more than any age */
    CODEC_AGES = CODEC_NEAR + (CODEC_ELSE - CODEC_FAR) * 256,
    CODEC_LANES = 64
};

_Static_assert(CODEC_AGES <= CODEC_RING, "every age is remembered");

/* What is remembered of a thread; threads with the same number modulo CODEC_LANES share one, so
 * that memory is bounded. */
struct codec_lane {
    uint32_t next;             /* position of its next allocation */
    uint32_t named_at;         /* position of the object named last by age or offset */
    uint32_t named;            /* number of the object named last */
    uint32_t ring[CODEC_RING]; /* object numbers by position */
};

/* What runs through all blocks. */
struct codec {
    struct numbering numbering;
    struct codec_lane *lanes; /* CODEC_LANES of them, owned; touched as threads come */
    uint32_t columns;         /* enum trace_column */
    uint32_t thread;          /* of the event before */
    uint32_t threads;         /* seen so far */
    bool in_words;            /* which objects are live is known to the words' `sizes` only */
    uint64_t time_ns;         /* of the event before */
};

/* 0 or -ENOMEM. */
int codec_init(struct codec *codec, uint32_t columns);
void codec_release(struct codec *codec);

/* Takes and touches ahead what decoding a trace of so many objects and threads needs. 0 or
 * -ENOMEM. */
int codec_settle(struct codec *codec, uint32_t objects, uint64_t threads);

enum { CODEC_WORST = 10 }; /* bytes of a stream that an event takes at most */

/* Cursors into the streams of an unpacked block. CODEC_SLACK bytes after the last are readable. */
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
    CODEC_STRETCH =
        8 << 10, /* events decoded at a time: their columns fit the second-level cache */
    CODEC_SLACK = CODEC_STRETCH * CODEC_WORST
};

/* Decodes `count` <= CODEC_STRETCH events. 0, -ENOMEM, or -EBADMSG where the streams are not what a
 * writer wrote: nothing out of bounds is touched or handed on in any case. */
int codec_get(struct codec *codec, struct codec_in *in, size_t count,
              const struct codec_columns *columns);

/* Decodes plain events into words, at most `count` <= CODEC_STRETCH, up to one that no word can
 * tell: a mark, a call that failed, a size of TRACE_WORD_SIZES or more. `done` is how many. There
 * is room for TRACE_WORDS_MOST each. Streams of times and sites are left where they are. As
 * codec_get, and -ERANGE for an object that `words` has no room for. */
int codec_get_words(struct codec *codec, struct codec_in *in, size_t count,
                    struct trace_words *words, size_t *done);

#endif
