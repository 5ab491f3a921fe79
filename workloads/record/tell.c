/* Records that are no operation. */
#include "workloads/record/record.h"

void record_tell(enum spool_control_record what, const uint64_t *words, uint32_t count)
{
    struct stream *stream = record_stream ? record_stream : record_refill();
    _Atomic uint64_t *word = record_reserve(stream, count + 2);
    if (!word)
        return;
    stream->counted = RECORD_UNKNOWN;
    uint64_t head = SPOOL_CONTROL | (uint64_t)(count + 2) << SPOOL_POINTER_SHIFT;
    record_put(word, head | SPOOL_PENDING << SPOOL_SIZE_SHIFT);
    bool stamped = record_is_stamped(record_stream);
    atomic_store_explicit(&word[1], stamped ? record_stamp(SPOOL_CONTROL) : 0,
                          memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++)
        atomic_store_explicit(&word[2 + i], words[i], memory_order_relaxed);
    record_put(word, head | (uint64_t)what << SPOOL_SIZE_SHIFT | (stamped ? SPOOL_STAMPED : 0));
    stream->counted = RECORD_UNKNOWN;
}
