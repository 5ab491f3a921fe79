/* A stretch of a trace, decoded ahead of its replay. */
#include "harness/measure/window.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "harness/base/pages.h"

/* Reallocs and aligned allocations take two words; a trace of many larger ones is rare, and is
 * decoded in several windows. */
size_t window_capacity(const struct trace_summary *summary, size_t words)
{
    uint64_t wanted =
        summary->events + summary->by_kind[TRACE_REALLOC] + summary->by_kind[TRACE_ALIGNED] + 4096;
    return wanted < words ? (size_t)wanted : words;
}

size_t window_sizes(const struct trace_summary *summary)
{
    return ((size_t)summary->objects + 1) * sizeof(uint64_t);
}

int window_init_with(struct window *window, struct trace_reader *reader, uint64_t *words,
                     size_t capacity, uint64_t *sizes, struct err *err)
{
    const struct trace_summary *summary = trace_reader_summary(reader);
    if (summary->objects > summary->events || summary->objects >= TRACE_NO_OBJECT)
        return err_set(err, EINVAL,
                       "the trace's footer is damaged: %" PRIu64 " objects in %" PRIu64 " events",
                       summary->objects, summary->events);
    *window = (struct window){
        .reader = reader,
        .words = words,
        .capacity = capacity,
        .sizes = sizes,
        .objects = (uint32_t)summary->objects,
    };
    if (sizes)
        trace_reader_narrow(reader);
    return 0;
}

int window_init(struct window *window, struct trace_reader *reader, uint64_t *words,
                size_t capacity, bool places, struct err *err)
{
    int status = window_init_with(window, reader, words, capacity, NULL, err);
    if (status < 0)
        return status;
    if (places)
        window->places = pages_map(window->capacity * sizeof *window->places);
    window->sizes = window->own_sizes = pages_map(window_sizes(trace_reader_summary(reader)));
    if ((places && !window->places) || !window->sizes) {
        int code = errno;
        window_release(window);
        return err_set(err, code, "no memory to decode a trace of %" PRIu32 " live objects",
                       window->objects);
    }
    if (places)
        trace_reader_settle_columns(reader);
    else
        trace_reader_narrow(reader);
    return 0;
}

int window_want_touched(struct window *window, struct err *err)
{
    window->touched = pages_map((window->objects + (size_t)1) * sizeof *window->touched);
    if (!window->touched)
        return err_set(err, errno, "no memory to tell touched blocks of %" PRIu32, window->objects);
    return 0;
}

void window_release(struct window *window)
{
    pages_unmap(window->touched, (window->objects + (size_t)1) * sizeof *window->touched);
    pages_unmap(window->places, window->capacity * sizeof *window->places);
    pages_unmap(window->own_sizes, (window->objects + (size_t)1) * sizeof *window->own_sizes);
}

int window_rewind(struct window *window, struct err *err)
{
    memset(window->sizes, 0, window->objects * sizeof *window->sizes);
    if (window->touched)
        memset(window->touched, 0, window->objects * sizeof *window->touched);
    window->block.count = window->next = window->next_touched = 0;
    return trace_reader_rewind(window->reader, err);
}

static void window_put(struct window *window, const struct operation *operation)
{
    uint64_t *word = window->words + window->count;
    uint64_t name = (uint64_t)operation->object << 32;
    uint64_t kind = operation->kind, size = operation->size;
    const struct op_touched *touched = &operation->touched;
    bool partly = touched->before || touched->pages;
    window->by_kind[kind]++;
    window->operations++;
    if (size >> OP_SIZE_BITS || partly) {
        word[0] = name | (kind | (partly ? OP_PARTLY : 0)) << OP_KIND_BITS | OP_LARGE;
        word[1] = size;
        word[2] = operation->extra;
        word[3] = (uint64_t)touched->before << 32 | touched->pages;
        window->count += partly ? 4 : 3;
        return;
    }
    word[0] = name | size << OP_KIND_BITS | kind;
    word[1] = operation->extra;
    window->count += kind == OP_REALLOC || kind == OP_ALIGNED ? 2 : 1;
}

static int window_impossible(const struct window *window, uint32_t object, const char *what,
                             struct err *err)
{
    return err_set(err, EINVAL,
                   "the trace is damaged: event %" PRIu64 " %s (object %" PRIu32 " of %" PRIu32
                   "); 'bench import' of its source makes it anew",
                   window->block.first + window->next, what, object, window->objects);
}

/* The kinds that a trace and a window share; marks are told apart before. */
static const uint8_t window_kinds[TRACE_KINDS] = {
    [TRACE_MALLOC] = OP_MALLOC,   [TRACE_CALLOC] = OP_CALLOC, [TRACE_REALLOC] = OP_REALLOC,
    [TRACE_ALIGNED] = OP_ALIGNED, [TRACE_FREE] = OP_FREE,
};

/* What the reader decodes into words is what window_put() would have made of it. */
_Static_assert((int)OP_KIND_BITS == TRACE_WORD_CODE_BITS && 1 << OP_SIZE_BITS == TRACE_WORD_SIZES &&
                   OP_FREE == 0 && (int)OP_MALLOC == TRACE_MALLOC + 1 &&
                   (int)OP_CALLOC == TRACE_CALLOC + 1 && (int)OP_REALLOC == TRACE_REALLOC + 1 &&
                   (int)OP_ALIGNED == TRACE_ALIGNED + 1,
               "a word of the trace's is an operation");

static void window_note_place(struct window *window, size_t i)
{
    const struct trace_block *block = &window->block;
    if (window->places)
        window->places[window->operations] = (struct place){
            .event = block->first + i,
            .time_ns = block->time_ns ? block->time_ns[i] : 0,
            .size = block->size[i],
            .thread = block->thread[i],
            .site = block->site ? block->site[i] : 0,
        };
    if (window->threads)
        window->threads[window->operations] = block->thread[i];
}

/* What `sizes` holds of a block that comes into being or changes its size: how it is left out, or
 * `size`. */
static uint64_t window_kept(const struct window *window, uint64_t old, uint32_t site, uint64_t size)
{
    const struct window_left_out *out = window->left_out;
    if (!out)
        return size;
    if (old == WINDOW_OUT_BY_SITE || (old == WINDOW_DEAD && out->site(out->arg, site)))
        return WINDOW_OUT_BY_SITE;
    return out->size(out->arg, size) ? WINDOW_OUT_BY_SIZE : size;
}

/* Whether `sizes` holds the size of a block. */
static bool window_is_replayed(uint64_t size)
{
    return size != WINDOW_DEAD && size < WINDOW_OUT_BY_SIZE;
}

/* Turns the event into what is left of it when blocks are left out: false, nothing. A block that
 * grows into a size that is left out goes, and one that grows out of it comes. */
static bool window_leave_out(uint64_t old, uint64_t new, uint8_t *kind)
{
    bool was = window_is_replayed(old), is = window_is_replayed(new);
    if (*kind == TRACE_REALLOC && was != is)
        *kind = was ? TRACE_FREE : TRACE_MALLOC;
    return was || is;
}

static int window_check(const struct window *window, uint8_t kind, uint32_t object, uint64_t size,
                        struct err *err)
{
    if (kind > TRACE_MARK || object >= window->objects)
        return window_impossible(window, object, "is of no known kind or object", err);
    bool needs_live = kind == TRACE_FREE || kind == TRACE_REALLOC;
    if ((window->sizes[object] != WINDOW_DEAD) != needs_live)
        return window_impossible(window, object,
                                 needs_live ? "frees or resizes what is not live"
                                            : "allocates an object that is live already",
                                 err);
    if (size >> 63)
        return window_impossible(window, object, "asks for more bytes than there are", err);
    return 0;
}

/* What is told of a block that comes, changes its size or goes; a free touches nothing. */
static struct op_touched window_touched(struct window *window, size_t i, uint8_t kind,
                                        uint32_t object)
{
    struct op_touched touched = {0};
    if (!window->touched)
        return touched;
    if (kind == TRACE_REALLOC)
        touched.before = window->touched[object];
    touched.pages = trace_block_touched(&window->block, i, &window->next_touched);
    window->touched[object] = touched.pages;
    return touched;
}

/* Any event at all. */
static int window_decode(struct window *window, size_t i, struct err *err)
{
    const struct trace_block *block = &window->block;
    uint8_t kind = block->kind[i];
    uint32_t object = block->object[i];
    if (kind == TRACE_MARK || object == TRACE_NO_OBJECT || (block->flags[i] & TRACE_FAILED))
        return 0;
    uint64_t size = block->size[i] ? block->size[i] : 1, extra = 0;
    int status = window_check(window, kind, object, size, err);
    if (status < 0)
        return status;
    uint64_t old = window->sizes[object], new = WINDOW_DEAD;
    if (kind != TRACE_FREE)
        new = window_kept(window, old, block->site ? block->site[i] : 0, size);
    window->sizes[object] = new;
    struct op_touched touched = window_touched(window, i, kind, object);
    if (window->left_out && !window_leave_out(old, new, &kind))
        return 0;
    if (kind == TRACE_REALLOC)
        extra = old;
    else if (kind == TRACE_ALIGNED)
        extra = (uint64_t)1 << (block->align_log2[i] & 63);
    if (kind != TRACE_REALLOC)
        touched.before = 0;
    window_note_place(window, i);
    window_put(window, &(struct operation){.kind = (enum op_kind)window_kinds[kind],
                                           .object = object,
                                           .size = kind == TRACE_FREE ? 0 : size,
                                           .extra = extra,
                                           .touched = touched});
    return 0;
}

/* Whether words are all that is wanted of the trace. */
static bool window_is_plain(const struct window *window)
{
    return !window->places && !window->touched;
}

/* Straight from the trace into words. */
static int window_take_words(struct window *window, struct err *err)
{
    uint32_t *threads = window->threads;
    struct trace_words words = {
        .at = window->words + window->count,
        .room = window->capacity - window->count,
        .threads = threads ? threads + window->operations : NULL,
        .sizes = window->sizes,
        .objects = window->objects,
    };
    int status = trace_reader_next_words(window->reader, &words, &window->block, err);
    window->count = (size_t)(words.at - window->words);
    window->operations += words.operations;
    for (unsigned kind = 0; kind < TRACE_MARK; kind++)
        window->by_kind[window_kinds[kind]] += words.by_kind[kind];
    return status;
}

/* What is left of the block, as far as there is room. */
static int window_decode_block(struct window *window, struct err *err)
{
    int status = 0;
    while (status == 0 && window->next < window->block.count &&
           window->count + OP_WORDS_MAX <= window->capacity) {
        status = window_decode(window, window->next, err);
        window->next += status == 0;
    }
    return status;
}

int window_fill(struct window *window, struct err *err)
{
    window->count = window->operations = 0;
    memset(window->by_kind, 0, sizeof window->by_kind);
    while (window->count + OP_WORDS_MAX <= window->capacity) {
        int status = 1;
        if (window->next == window->block.count) {
            window->next = window->block.count = window->next_touched = 0;
            status = window_is_plain(window)
                         ? window_take_words(window, err)
                         : trace_reader_next(window->reader, &window->block, err);
        }
        int failed = status > 0 ? window_decode_block(window, err) : status;
        if (failed < 0)
            return failed;
        if (status == 0)
            break;
    }
    return window->operations > 0;
}
