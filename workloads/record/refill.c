/* The slow path: a thread without room takes the next chunk of the pool. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "workloads/record/confine.h"
#include "workloads/record/foreign.h"
#include "workloads/record/process.h"
#include "workloads/record/real.h"

enum {
    REFILL_AHEAD = 4, /* chunks that should be ready */
    /* So often a drain that has nothing to do is waited for in vain, before events are given up:
     * two seconds. */
    REFILL_IDLE = 2000 / SPOOL_IDLE_MS,
    REFILL_WAIT_MS = 100,
    REFILL_PAUSES = 10000, /* where nothing can be waited for */
    REFILL_TRIES = 5,
    REFILL_TRIALS = 400, /* records; with all tries and stamps they fit into a chunk */
};
_Static_assert(2 * REFILL_TRIES * REFILL_TRIALS * 2 <= SPOOL_WORDS, "tries fit into a chunk");

__thread struct stream *record_stream;

static pthread_key_t refill_key;
static _Atomic int refill_has_key;

static void refill_futex(_Atomic uint32_t *word, int operation, uint32_t value, uint32_t wait_ms)
{
    struct timespec wait = {.tv_sec = 0, .tv_nsec = wait_ms * 1000000L};
    if (!confined())
        syscall(SYS_futex, word, operation, value, &wait, NULL, 0);
}

static void refill_ask(void)
{
    atomic_fetch_add(&record_spool->demand, 1);
    refill_futex(&record_spool->demand, FUTEX_WAKE, INT_MAX, 0);
}

static uint32_t refill_take_fresh(void)
{
    struct spool_control *spool = record_spool;
    uint32_t fresh = atomic_load(&spool->fresh);
    do
        if (fresh >= atomic_load(&spool->allocated))
            return 0;
    while (!atomic_compare_exchange_weak(&spool->fresh, &fresh, fresh + 1));
    /* One call instead of 64 page faults. */
    if (!confined())
        madvise(spool_chunk_at(spool, fresh), SPOOL_CHUNK_BYTES, MADV_POPULATE_WRITE);
    return fresh + 1;
}

static uint32_t refill_try(void)
{
    uint32_t chunk = spool_pop(record_spool, &record_spool->free_list);
    if (!chunk && !(chunk = refill_take_fresh()))
        return 0;
    uint32_t held = atomic_fetch_add(&record_spool->held, 1), present = spool_present(record_spool);
    if (held + REFILL_AHEAD >= present - present / 4)
        refill_ask();
    return chunk;
}

static uint32_t refill_wait_confined(void)
{
    uint32_t chunk = 0;
    for (int pauses = 0; !chunk && pauses < REFILL_PAUSES; pauses++) {
        confine_pause();
        chunk = refill_try();
    }
    return chunk;
}

/* Waits until chunks were given back or added, if there is still none. */
static uint32_t refill_wait(void)
{
    if (confined())
        return refill_wait_confined();
    uint32_t returned = atomic_load(&record_spool->returned);
    uint64_t start = clock_ns();
    atomic_fetch_add(&record_spool->waiting, 1);
    refill_ask();
    uint32_t chunk = refill_try();
    if (!chunk)
        refill_futex(&record_spool->returned, FUTEX_WAIT, returned, REFILL_WAIT_MS);
    atomic_fetch_sub(&record_spool->waiting, 1);
    atomic_fetch_add(&record_spool->wait_ns, clock_ns() - start);
    return chunk ? chunk : refill_try();
}

/* What a thread without a chunk waits for. */
struct refill_hope {
    uint32_t returned, idle; /* of the drain, when a chunk came back last */
    bool waited;
    bool lasts; /* wait again */
};

/* A recorder that is stopped, or whose disk is slow, is waited for like the reader of a pipe; one
 * that is dead, or has nothing in hand that could come back, is not. */
static bool refill_may_wait(struct refill_hope *hope)
{
    struct spool_control *spool = record_spool;
    uint32_t returned = atomic_load(&spool->returned), idle = atomic_load(&spool->idle);
    if (!hope->waited || returned != hope->returned)
        *hope = (struct refill_hope){returned, idle, true, true};
    return !atomic_load(&spool->closed) && !spool_is_orphaned(spool) &&
           idle - hope->idle < REFILL_IDLE;
}

/* A chunk's number + 1; 0 when there is none, or none yet. */
static uint32_t refill_chunk(struct refill_hope *hope)
{
    static _Atomic int gave_up; /* waited in vain before: do not again */
    uint32_t chunk = refill_try();
    hope->lasts = !chunk && !atomic_load(&gave_up) && refill_may_wait(hope);
    if (hope->lasts)
        chunk = refill_wait();
    if (chunk || !hope->lasts)
        atomic_store(&gave_up, !chunk);
    return chunk;
}

/* In a child of fork the value is the parent's. */
static void refill_thread_ends(void *value)
{
    struct process *process = process_here();
    if (process && record_stream == value)
        process_stream_ends(process, value);
}

/* The key comes with the first stream of the process, before any thread can end. */
static void refill_watch_thread(struct stream *stream)
{
    if (!atomic_exchange(&refill_has_key, 1))
        pthread_key_create(&refill_key, refill_thread_ends);
    pthread_setspecific(refill_key, stream);
}

/* The median of several tries, as some are interrupted. Each goes on where the last one ended:
 * memory that is not in the processor's cache is what a program's records go to. */
static uint32_t refill_try_out(void (*release)(void *))
{
    uint64_t took[REFILL_TRIES];
    for (int try = 0; try < REFILL_TRIES; try++) {
        uint64_t start = clock_ns();
        for (int i = 0; i < REFILL_TRIALS; i++)
            release(NULL);
        uint64_t ns = clock_ns() - start;
        int at = try;
        for (; at > 0 && took[at - 1] > ns; at--)
            took[at] = took[at - 1];
        took[at] = ns;
    }
    return (uint32_t)(took[REFILL_TRIES / 2] * 1000 / REFILL_TRIALS);
}

/* At least 1: it was tried out. */
static uint32_t refill_difference(uint32_t with, uint32_t without)
{
    return with > without ? with - without : 1;
}

/* What recording costs in this very process, by frees of nothing with and without it: tried out in
 * its first chunk before anybody reads that. */
static void refill_calibrate(struct stream *stream, struct spool_chunk *chunk)
{
    struct spool_image *image = &record_spool->image[stream->image];
    uint32_t stamped = stream->stamped;
    chunk->taken = 0;
    stream->chunk = chunk;
    record_stream = stream;
    uint32_t bare_ps = refill_try_out(real.free);
    image->plain_ps = refill_difference(refill_try_out(free), bare_ps);
    stream->stamped = 1;
    image->stamped_ps = refill_difference(refill_try_out(free), bare_ps);
    stream->stamped = stamped;
    stream->counted = RECORD_UNKNOWN; /* nobody will read those stamps */
    memset((void *)chunk->words, 0, sizeof *chunk->words * chunk->taken);
}

static void refill_open(struct stream *stream, uint32_t number)
{
    struct spool_chunk *chunk = spool_chunk_at(record_spool, number);
    if (!record_spool->image[stream->image].stamped_ps && !confined())
        refill_calibrate(stream, chunk);
    chunk->stream = stream->number;
    chunk->image = stream->image;
    chunk->taken = 0;
    spool_push(record_spool, &record_spool->opened, number);
    stream->chunk = chunk;
}

/* A thread that takes over a stream goes on in its chunk. */
static bool refill_make_room(struct stream *stream, struct refill_hope *hope)
{
    if (stream->renewed && stream->chunk && stream->chunk->taken < SPOOL_WORDS)
        return true;
    stream->chunk = NULL;
    uint32_t number = refill_chunk(hope);
    if (number)
        refill_open(stream, number - 1);
    return number;
}

static void refill_tell_thread(struct stream *stream)
{
    if (!stream->renewed)
        return;
    stream->renewed = false;
    _Atomic uint64_t *word = record_reserve(stream, 1);
    if (word)
        record_put(word, SPOOL_CONTROL | SPOOL_THREAD << SPOOL_SIZE_SHIFT);
}

static struct stream *refill(struct refill_hope *hope)
{
    hope->lasts = false;
    struct process *process = process_here();
    if (!process || process_is_left_alone())
        return NULL;
    struct stream *stream = record_stream;
    /* A signal handler may have got there first. */
    if (stream && stream->chunk && stream->chunk->taken <= SPOOL_WORDS)
        return stream;
    bool is_new = !stream;
    if (is_new && !(stream = process_stream(process)))
        return NULL;
    if (!refill_make_room(stream, hope)) {
        atomic_fetch_add(&record_spool->lost, !hope->lasts);
        if (is_new)
            process_stream_ends(process, stream);
        return NULL;
    }
    record_stream = stream;
    refill_tell_thread(stream);
    if (is_new)
        refill_watch_thread(stream);
    return stream;
}

/* Signals get through between two waits. */
static struct stream *refill_in_peace(struct refill_hope *hope)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    struct stream *stream = refill(hope);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return stream;
}

/* A signal handler that gets into the middle of this goes without. */
static struct stream *refill_confined(void)
{
    static __thread bool under_way;
    struct refill_hope hope = {0};
    struct stream *stream = NULL;
    if (under_way) {
        atomic_fetch_add(&record_spool->lost, 1);
        return NULL;
    }
    under_way = true;
    do
        stream = refill(&hope);
    while (!stream && hope.lasts);
    under_way = false;
    return stream;
}

struct stream *record_refill(void)
{
    if (process_is_left_alone())
        return NULL;
    if (confine_has_no_counter) {
        atomic_fetch_add(&record_spool->lost, 1);
        return NULL;
    }
    if (confined() && record_spool)
        return refill_confined();
    int kept = errno;
    uint64_t start = clock_thread_ns();
    struct refill_hope hope = {0};
    struct stream *stream;
    do
        stream = refill_in_peace(&hope);
    while (!stream && hope.lasts);
    if (record_spool)
        atomic_fetch_add(&record_spool->refill_ns, clock_thread_ns() - start);
    errno = kept;
    return stream;
}

/* A program that never allocates is known to have been loaded all the same. */
__attribute__((constructor)) static void refill_begin(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    process_here();
    if (!foreign() && real_is_hidden())
        process_has_own_malloc();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!foreign())
        __register_atfork(NULL, NULL, process_forked, NULL);
}
