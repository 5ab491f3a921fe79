/* What a hook does with a finished call: one record into the thread's own chunk. */
#ifndef WORKLOADS_RECORD_RECORD_H
#define WORKLOADS_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workloads/record/foreign.h"
#include "workloads/record/large.h"
#include "workloads/record/spool.h"
#include "workloads/record/stacks.h"

/* A thread's end of the spool. Lies in memory that fork wipes, so that in a child every thread
 * begins anew: `chunk` is NULL. */
struct stream {
    struct spool_chunk *volatile chunk; /* signal handlers change it: a call reads it once */
    uint32_t number, image;
    uint32_t stamped;          /* this thread has company: every record has a stamp from here on */
    int32_t thread;            /* as the kernel numbers it */
    uint32_t walks;            /* call stacks taken */
    bool renewed;              /* was another thread's; to be told */
    volatile uint64_t counted; /* the stamp of its last record, or RECORD_UNKNOWN */
    struct stacks_thread *stacks;
    struct stream *next; /* among the free ones, or those whose thread is ending */
};

/* Far above every stamp, so that none is a few steps from it. */
#define RECORD_UNKNOWN (UINT64_C(1) << 63)

extern __thread struct stream *record_stream;
extern struct spool_control *record_spool; /* NULL until the spool is open */
extern uint32_t record_depth;              /* of call stacks; 0: none, or not yet */

/* Gives the calling thread a stream whose chunk has room, or returns NULL where nothing is to be
 * recorded (no spool, a child not followed) or there is no room: then the event is counted as lost.
 * Keeps errno; safe in signal handlers; does not allocate. */
struct stream *record_refill(void);

/* A control record of `count` words behind head and stamp. */
void record_tell(enum spool_control_record what, const uint64_t *words, uint32_t count);

/* An addition that a signal handler of this thread cannot split, at the price of a plain one. */
static inline uint32_t record_take(uint32_t *taken, uint32_t words)
{
#if defined(__x86_64__)
    __asm__ volatile("xaddl %0, %1" : "+r"(words), "+m"(*taken) : : "memory");
    return words;
#else
    return __atomic_fetch_add(taken, words, __ATOMIC_RELAXED);
#endif
}

static inline void record_put(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

/* Room for `words` in the calling thread's chunk, or NULL. */
static inline _Atomic uint64_t *record_reserve(struct stream *stream, uint32_t words)
{
    for (; stream; stream = record_refill()) {
        struct spool_chunk *chunk = stream->chunk;
        if (__builtin_expect(!chunk, 0))
            continue;
        uint32_t at = record_take(&chunk->taken, words);
        if (__builtin_expect(at + words <= SPOOL_WORDS, 1))
            return &chunk->words[at];
        if (at < SPOOL_WORDS)
            record_put(&chunk->words[at], SPOOL_CONTROL | SPOOL_END << SPOOL_SIZE_SHIFT);
    }
    return NULL;
}

static inline bool record_is_counted(void)
{
    return record_spool->order == SPOOL_BY_SEQUENCE;
}

/* The order among threads. A free takes its stamp before the call, an allocation after it: so
 * whoever gets a block has the higher stamp than whoever gave it back. Of the sequence's numbers
 * only frees need one each: an allocation comes after those before it by reading the sequence, and
 * before those of its own block as these add to it. The counter, read ahead of a call's last
 * instructions, would be lower than that of a free in between, so a fence holds it back. */
static inline uint64_t record_stamp(enum spool_kind kind)
{
#if defined(__x86_64__)
    if (!record_is_counted()) {
        __builtin_ia32_lfence();
        return __builtin_ia32_rdtsc();
    }
#endif
    if (spool_allocates(kind))
        return atomic_load_explicit(&record_spool->sequence, memory_order_acquire) + 1;
    return atomic_fetch_add(&record_spool->sequence, 2) + 2;
}

static inline bool record_is_stamped(struct stream *stream)
{
    if (__builtin_expect(!__libc_single_threaded, 0))
        stream->stamped = 1;
    return stream->stamped;
}

/* The general form. `site` is the call stack's number, 0: none. */
void record_event_at(uint32_t site, enum spool_kind kind, const void *pointer, uint64_t size,
                     uint64_t align);

/* What nearly every call is: one thread so far, a size that fits into the head, no call stack. */
static inline bool record_is_plain(const struct stream *stream, enum spool_kind kind, uint64_t size)
{
    return !stream->stamped && __libc_single_threaded && size < SPOOL_SMALL &&
           !(spool_allocates(kind) && record_depth);
}

static inline uint64_t record_head(enum spool_kind kind, const void *pointer, uint64_t size)
{
    return kind | (size < SPOOL_SMALL ? size << SPOOL_SIZE_SHIFT : 0) |
           ((uint64_t)(uintptr_t)pointer & SPOOL_POINTERS) << SPOOL_POINTER_SHIFT;
}

static inline bool record_may_be_large(const void *pointer)
{
    uintptr_t mark = (uintptr_t)pointer / SPOOL_LARGE % LARGE_MARKS;
    return atomic_load_explicit(&large_marks[mark], memory_order_relaxed);
}

/* Inlined into the hook, whose frame is where a call stack begins. */
__attribute__((always_inline)) static inline void
record_event(enum spool_kind kind, const void *pointer, uint64_t size, uint64_t align)
{
    struct stream *stream = record_stream;
    struct spool_chunk *chunk = stream ? stream->chunk : NULL;
    bool ends_large = kind == SPOOL_FREE && __builtin_expect(record_may_be_large(pointer), 0);
    if (kind != SPOOL_ALIGNED && !ends_large &&
        __builtin_expect(chunk && record_is_plain(stream, kind, size), 1)) {
        uint32_t at = record_take(&chunk->taken, 1);
        if (__builtin_expect(at < SPOOL_WORDS, 1)) {
            record_put(&chunk->words[at], record_head(kind, pointer, size));
            return;
        }
    }
    bool allocates = spool_allocates(kind);
    uint32_t site = 0;
    if (allocates && __builtin_expect(record_depth, 0))
        site = stacks_site(__builtin_frame_address(0));
    if (ends_large)
        large_end(pointer);
    record_event_at(site, kind, pointer, size, align);
    if (allocates && kind != SPOOL_RESIZE && __builtin_expect(size >= SPOOL_LARGE, 0))
        large_begin((void *)(uintptr_t)pointer, size, 0);
}

#endif
