/* A record with all its parts. */
#include "workloads/record/record.h"

/* From here on a signal handler's record knows the stamp before its own. */
static uint64_t record_count(struct stream *stream, enum spool_kind kind)
{
    uint64_t stamp = record_stamp(kind);
    stream->counted = stamp;
    atomic_signal_fence(memory_order_seq_cst);
    return stamp;
}

/* Whether there is nothing behind a record yet: what a signal handler put there while it was under
 * way has lower stamps, as a rule. */
static bool record_is_last(const struct stream *stream, const _Atomic uint64_t *behind)
{
    atomic_signal_fence(memory_order_seq_cst);
    const struct spool_chunk *chunk = stream->chunk;
    return __builtin_expect(chunk && behind == chunk->words + chunk->taken, 1);
}

static void record_end(struct stream *stream, const _Atomic uint64_t *behind)
{
    if (!record_is_last(stream, behind))
        stream->counted = RECORD_UNKNOWN;
}

/* The head is written last. */
static void record_words(struct stream *stream, uint64_t head, bool stamped, uint64_t size,
                         uint64_t align, uint32_t site)
{
    bool sized = size >= SPOOL_SMALL, aligned = (head & 7) == SPOOL_ALIGNED;
    uint32_t words = 1u + stamped + sized + aligned + !!site, at = 0;
    _Atomic uint64_t *word = record_reserve(stream, words);
    if (!word)
        return;
    record_put(&word[at++], SPOOL_CONTROL | SPOOL_PENDING << SPOOL_SIZE_SHIFT |
                                (uint64_t)words << SPOOL_POINTER_SHIFT);
    if (stamped)
        atomic_store_explicit(&word[at++], record_count(stream, head & 7), memory_order_relaxed);
    if (sized)
        atomic_store_explicit(&word[at++], size, memory_order_relaxed);
    if (aligned)
        atomic_store_explicit(&word[at++], align, memory_order_relaxed);
    if (site)
        atomic_store_explicit(&word[at], site, memory_order_relaxed);
    record_put(word, head | (stamped ? SPOOL_STAMPED : 0) | (sized ? SPOOL_SIZED : 0) |
                         (site ? SPOOL_SITED : 0));
    record_end(stream, word + words);
}

/* A record of a thread that has company. */
static void record_stamped(struct stream *stream, uint64_t head)
{
    _Atomic uint64_t *word = record_reserve(stream, 2);
    if (!word)
        return;
    record_put(word, SPOOL_CONTROL | SPOOL_PENDING << SPOOL_SIZE_SHIFT |
                         UINT64_C(2) << SPOOL_POINTER_SHIFT);
    atomic_store_explicit(word + 1, record_count(stream, head & 7), memory_order_relaxed);
    record_put(word, head | SPOOL_STAMPED);
    record_end(stream, word + 2);
}

/* Likewise in one word, as nearly always by the sequence. False, with nothing recorded, where the
 * record before it is in another chunk or under way, below this call in a signal handler, so that
 * its stamp is not the one that this thread took last; or where that is too long ago. */
static bool record_stepped(struct stream *stream, uint64_t head)
{
    struct spool_chunk *chunk = stream->chunk;
    if (!record_is_counted() || !chunk || (head >> SPOOL_POINTER_SHIFT) % SPOOL_STEPS)
        return false;
    uint32_t at = record_take(&chunk->taken, 1);
    if (at >= SPOOL_WORDS)
        return false;
    _Atomic uint64_t *word = &chunk->words[at];
    bool follows = at && atomic_load_explicit(word - 1, memory_order_relaxed);
    uint64_t stamp = record_stamp(head & 7), step = spool_step(stamp, stream->counted);
    if (!follows || step >= SPOOL_STEPS || !record_is_last(stream, word + 1)) {
        record_put(word, SPOOL_CONTROL | SPOOL_NOTHING << SPOOL_SIZE_SHIFT);
        return false;
    }
    stream->counted = stamp;
    record_put(word, head | SPOOL_STEPPED | step << SPOOL_POINTER_SHIFT);
    record_end(stream, word + 1);
    return true;
}

void record_event_at(uint32_t site, enum spool_kind kind, const void *pointer, uint64_t size,
                     uint64_t align)
{
    struct stream *stream = record_stream;
    if (__builtin_expect(!stream || !stream->chunk, 0) && !(stream = record_refill()))
        return;
    uint64_t head = record_head(kind, pointer, size);
    bool stamped = record_is_stamped(stream);
    if (!stamped || site || size >= SPOOL_SMALL || kind == SPOOL_ALIGNED)
        record_words(stream, head, stamped, size, align, site);
    else if (!record_stepped(stream, head))
        record_stamped(stream, head);
}
