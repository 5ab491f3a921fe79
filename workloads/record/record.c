/* A record with all its parts. */
#include "workloads/record/record.h"

enum { RECORD_AHEAD = 64 }; /* words: the memory that will be written next is fetched before */

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
        atomic_store_explicit(&word[at++], record_stamp(head & 7), memory_order_relaxed);
    if (sized)
        atomic_store_explicit(&word[at++], size, memory_order_relaxed);
    if (aligned)
        atomic_store_explicit(&word[at++], align, memory_order_relaxed);
    if (site)
        atomic_store_explicit(&word[at], site, memory_order_relaxed);
    record_put(word, head | (stamped ? SPOOL_STAMPED : 0) | (sized ? SPOOL_SIZED : 0) |
                         (site ? SPOOL_SITED : 0));
}

/* An allocation's stamp may be that of the record before it: no other thread has freed anything
 * since. That is found out before there is room for the record, which so may come after others that
 * have a higher stamp: nobody but this thread knows the block before the call is over. */
static bool record_unstamped(struct stream *stream, uint64_t head)
{
    if (!record_is_counted() || !record_allocates(head & 7) || record_sequence() != stream->counted)
        return false;
    _Atomic uint64_t *word = record_reserve(stream, 1);
    if (word)
        record_put(word, head);
    return true;
}

/* A record of a thread that has company. */
static void record_stamped(struct stream *stream, uint64_t head)
{
    if (record_unstamped(stream, head))
        return;
    _Atomic uint64_t *word = record_reserve(stream, 2);
    if (!word)
        return;
    __builtin_prefetch((const void *)(word + RECORD_AHEAD), 1);
    record_put(word, SPOOL_CONTROL | SPOOL_PENDING << SPOOL_SIZE_SHIFT |
                         UINT64_C(2) << SPOOL_POINTER_SHIFT);
    uint64_t stamp = record_stamp(head & 7);
    stream->counted = stamp & ~UINT64_C(1);
    atomic_store_explicit(word + 1, stamp, memory_order_relaxed);
    record_put(word, head | SPOOL_STAMPED);
}

void record_event_at(uint32_t site, enum spool_kind kind, const void *pointer, uint64_t size,
                     uint64_t align)
{
    struct stream *stream = record_stream;
    if (__builtin_expect(!stream || !stream->chunk, 0) && !(stream = record_refill()))
        return;
    uint64_t head = record_head(kind, pointer, size);
    bool stamped = record_is_stamped(stream);
    if (stamped && !site && size < SPOOL_SMALL && kind != SPOOL_ALIGNED)
        record_stamped(stream, head);
    else
        record_words(stream, head, stamped, size, align, site);
}
