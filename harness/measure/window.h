/* A stretch of a trace, decoded ahead of its replay into words that a tight loop can run through.
 *
 * Decoding happens between windows, with the clock stopped. It leaves out what cannot be replayed
 * (phase marks, calls that failed in the recording, free(NULL)), makes a request for 0 bytes one
 * for 1, and checks that every operation is possible, so that the player need not. */
#ifndef HARNESS_MEASURE_WINDOW_H
#define HARNESS_MEASURE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "workloads/reader.h"

/* An operation is a word: object << 32 | size << 3 | kind. OP_REALLOC is followed by a word with
 * the old size, OP_ALIGNED by one with the alignment. A size of 2^29 or more makes it OP_LARGE: the
 * size bits hold the real kind, and two words follow, the size and the old size or alignment. With
 * OP_PARTLY in the size bits of OP_LARGE a third one tells which pages are touched.
 * OP_TAKE and OP_GIVE are no operations: they stand before and after those that another lane comes
 * before and after, with the handover's number as object (see split.h). */
enum op_kind {
    OP_FREE,
    OP_MALLOC,
    OP_CALLOC,
    OP_REALLOC,
    OP_ALIGNED,
    OP_LARGE,
    OP_TAKE,
    OP_GIVE,
};

enum { OP_KIND_BITS = 3, OP_SIZE_BITS = 29, OP_PARTLY = 1 << OP_KIND_BITS, OP_WORDS_MAX = 4 };

/* The pages that the program touched of a block, counted from the one in which it begins; 0: all of
 * them. */
struct op_touched {
    uint32_t before; /* of a realloc: until then */
    uint32_t pages;  /* until the next one, or the end */
};

static inline enum op_kind op_kind(uint64_t word)
{
    return (enum op_kind)(word & ((1u << OP_KIND_BITS) - 1));
}

static inline bool op_is_handover(uint64_t word)
{
    return op_kind(word) >= OP_TAKE;
}

static inline uint32_t op_object(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static inline uint32_t op_size(uint64_t word)
{
    return (uint32_t)word >> OP_KIND_BITS;
}

/* The same spelt out, for the passes in which time does not count. */
struct operation {
    enum op_kind kind; /* never OP_LARGE */
    uint32_t object;
    uint64_t size;  /* at least 1; 0 for free */
    uint64_t extra; /* the old size or the alignment, else 0 */
    struct op_touched touched;
};

/* Returns the word after the operation at `op`. */
static inline const uint64_t *op_read(const uint64_t *op, struct operation *out)
{
    uint64_t word = *op++;
    *out =
        (struct operation){.kind = op_kind(word), .object = op_object(word), .size = op_size(word)};
    if (out->kind == OP_LARGE) {
        uint64_t partly = out->size & OP_PARTLY;
        out->kind = op_kind(out->size);
        out->size = *op++;
        out->extra = *op++;
        if (partly) {
            out->touched = (struct op_touched){(uint32_t)(*op >> 32), (uint32_t)*op};
            op++;
        }
    } else if (out->kind == OP_REALLOC || out->kind == OP_ALIGNED) {
        out->extra = *op++;
    }
    return op;
}

/* Where an operation stands in the trace. */
struct place {
    uint64_t event;   /* its number among all the trace's events */
    uint64_t time_ns; /* as recorded, 0 without times */
    uint64_t size;    /* as requested: 0 stays 0 */
    uint32_t thread;
    uint32_t site; /* call site number, 0 unknown */
};

/* Which blocks are left out of the replay, as if the program had not asked for them: those from a
 * call site, and those of a size while they have it. */
struct window_left_out {
    bool (*site)(const void *arg, uint32_t site);
    bool (*size)(const void *arg, uint64_t size);
    const void *arg;
};

struct window {
    struct trace_reader *reader;            /* borrowed */
    const struct window_left_out *left_out; /* borrowed; NULL: nothing is. Needs places. */
    size_t capacity;                        /* words */
    uint64_t *words;                        /* borrowed */
    size_t count;                           /* words filled */
    struct place *places;                   /* owned, one an operation; NULL unless asked for */
    uint32_t *threads;                      /* borrowed, one an operation; NULL unless asked for */
    size_t operations;                      /* in this window */
    uint64_t by_kind[OP_LARGE];             /* in this window, by enum op_kind */
    uint32_t *touched;   /* owned, op_touched.pages of live objects; NULL unless asked for */
    size_t next_touched; /* of the block's to decode next */
    uint64_t *sizes;     /* of live objects, as replayed; WINDOW_DEAD of others */
    uint64_t *own_sizes; /* owned; the same, or NULL where they are borrowed */
    uint32_t objects;
    struct trace_block block;
    size_t next; /* event of the block to decode next */
};

#define WINDOW_DEAD 0
#define WINDOW_OUT_BY_SITE UINT64_MAX
#define WINDOW_OUT_BY_SIZE (UINT64_MAX - 1)

/* A window of an eighth of a million words (1 MiB): long enough that the caches, which decoding
 * fills with other things between windows, do not show in the figures; short enough that mapping it
 * does not show in the time of the process. */
enum { WINDOW_WORDS = 1 << 17 };

/* The most words that a window of this trace can use, up to `words`. */
size_t window_capacity(const struct trace_summary *summary, size_t words);

/* `words` is the caller's, mapped and touched, with room for `capacity`; what else a window needs
 * is mapped and touched here. The trace must have its footer. */
int window_init(struct window *window, struct trace_reader *reader, uint64_t *words,
                size_t capacity, bool places, struct err *err);

/* The same without places, and with `sizes` the caller's too: zeroed, touched, window_sizes()
 * bytes.
 */
int window_init_with(struct window *window, struct trace_reader *reader, uint64_t *words,
                     size_t capacity, uint64_t *sizes, struct err *err);
size_t window_sizes(const struct trace_summary *summary);

/* From now on the thread of each operation is written to `threads`, which has room for one a word.
 */
static inline void window_want_threads(struct window *window, uint32_t *threads)
{
    window->threads = threads;
}

/* From now on the words tell what the program touched, where the trace does. */
int window_want_touched(struct window *window, struct err *err);

void window_release(struct window *window);

/* Decodes on. 1 with operations in the window, 0 at the end of the trace, -errno (the trace is
 * damaged, or asks for the impossible). */
int window_fill(struct window *window, struct err *err);

/* Back to the trace's beginning. */
int window_rewind(struct window *window, struct err *err);

#endif
