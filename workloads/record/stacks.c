/* Numbers call stacks by their hash. A new one is written into the thread's records before its
 * number can be found by anybody, so that a definition has a lower stamp than every use. */
#include "workloads/record/stacks.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "workloads/record/confine.h"
#include "workloads/record/record.h"
#include "workloads/record/unwind.h"

#define STACKS_HASHED (UINT64_C(1) << 63)

enum {
    STACKS_SLOTS = 1 << 20,
    STACKS_MOST = STACKS_SLOTS / 4 * 3,
    STACKS_NUMBER_BITS = 24,
    STACKS_NUMBER = (1 << STACKS_NUMBER_BITS) - 1,
    STACKS_TIMED = 256, /* one walk in so many is timed: that takes three system calls */
    STACKS_KNOWN = 1 << 15,
    STACKS_PATH = 1024,
};

/* A stack by its number: its slot, and which two stacks came after it last. Programs repeat
 * themselves, and what is met one after the other has numbers, and so places in memory, close to
 * each other: unlike a hash's, they are in the processor's cache. */
struct stacks_known {
    uint64_t slot;
    uint32_t next[2];
};

/* What a thread remembers. A child finds it no more, as fork wipes the stream that names it; a walk
 * in which a signal handler forked ends in it. */
struct stacks_thread {
    struct unwind walk;
    bool walking; /* a signal handler that allocates now goes without */
    struct stacks_known known[STACKS_KNOWN];
    uint32_t before; /* the stack before */
};

/* Slots hold 40 bits of the hash, which are not all 0, above the number. */
struct stacks {
    _Atomic uint32_t used;
    _Atomic uint64_t slots[STACKS_SLOTS];
};

static struct stacks *stacks;

static void *stacks_map(size_t bytes)
{
    if (confined())
        return NULL;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static struct stacks *stacks_map_table(void)
{
    void *memory = stacks_map(sizeof *stacks);
    return memory && madvise(memory, sizeof *stacks, MADV_WIPEONFORK) ? NULL : memory;
}

bool stacks_begin(void)
{
    rules_forget();
    stacks = stacks ? stacks : stacks_map_table();
    return stacks;
}

void stacks_renew(struct stacks_thread *thread)
{
    if (!thread)
        return;
    thread->walk.count = 0;
    thread->walking = false;
}

/* The program itself has no name in the loader's list. */
static void stacks_module(uintptr_t start, uintptr_t end, uintptr_t bias, const char *path)
{
    uint64_t words[3 + STACKS_PATH / 8] = {start, end, bias};
    char *text = (char *)&words[3];
    if (*path)
        strncpy(text, path, STACKS_PATH - 1);
    else if (confined() || readlink("/proc/self/exe", text, STACKS_PATH - 1) < 0)
        *text = '\0';
    record_tell(SPOOL_MODULE, words, 3 + (uint32_t)strlen(text) / 8 + 1);
}

static uint64_t stacks_mix(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 32;
}

static bool stacks_is(uint64_t slot, uint64_t hash)
{
    return slot >> STACKS_NUMBER_BITS == hash >> STACKS_NUMBER_BITS;
}

/* The slot of that hash, or the free one where it belongs. */
static _Atomic uint64_t *stacks_find(uint64_t hash)
{
    size_t at = hash & (STACKS_SLOTS - 1);
    for (;; at = (at + 1) & (STACKS_SLOTS - 1)) {
        uint64_t slot = atomic_load_explicit(&stacks->slots[at], memory_order_acquire);
        if (!slot || stacks_is(slot, hash))
            return &stacks->slots[at];
    }
}

/* The frames that are kept, and a hash of those alone: outer ones may tell two stacks apart here
 * that are the same in the trace. */
static void stacks_tell_stack(uint32_t number, const struct unwind *walk)
{
    uint64_t words[2 + STACKS_DEPTH_MOST] = {number, walk->count};
    uint32_t count = walk->count < record_depth ? walk->count : record_depth;
    for (uint32_t i = 0; i < count; i++) {
        words[2 + i] = walk->frames[walk->count - 1 - i].pc;
        words[1] = stacks_mix(words[1] + words[2 + i]);
    }
    record_tell(SPOOL_STACK, words, 2 + count);
}

/* Tells of a new stack. What is in its slot now; 0: there are too many. */
static uint64_t stacks_define(uint64_t hash, const struct unwind *walk)
{
    if (atomic_load(&stacks->used) >= STACKS_MOST)
        return 0;
    uint32_t number = atomic_fetch_add(&stacks->used, 1) + 1;
    if (number > STACKS_MOST)
        return 0;
    stacks_tell_stack(number, walk);
    uint64_t entry = (hash & ~(uint64_t)STACKS_NUMBER) | number, there = 0;
    while (!atomic_compare_exchange_strong(stacks_find(hash), &there, entry)) {
        if (stacks_is(there, hash))
            return there; /* another thread told of it too */
        there = 0;
    }
    return entry;
}

static struct stacks_known *stacks_known(struct stacks_thread *thread, uint32_t number)
{
    return &thread->known[number % STACKS_KNOWN];
}

/* The slot of a stack that was not expected. */
static uint64_t stacks_look_up(struct stacks_thread *thread, uint64_t hash)
{
    uint64_t slot = atomic_load_explicit(stacks_find(hash), memory_order_acquire);
    if (!slot && !(slot = stacks_define(hash, &thread->walk)))
        return 0;
    stacks_known(thread, slot & STACKS_NUMBER)->slot = slot;
    return slot;
}

/* The first of the two is the one that came last. */
static uint32_t stacks_follow(struct stacks_thread *thread, uint64_t hash)
{
    struct stacks_known *before = stacks_known(thread, thread->before);
    uint64_t slot = stacks_known(thread, before->next[0])->slot;
    if (stacks_is(slot, hash))
        return slot & STACKS_NUMBER;
    slot = stacks_known(thread, before->next[1])->slot;
    if (!stacks_is(slot, hash))
        slot = stacks_look_up(thread, hash);
    before->next[1] = before->next[0];
    return before->next[0] = slot & STACKS_NUMBER;
}

static uint32_t stacks_number(struct stacks_thread *thread, const void *frame)
{
    unwind(&thread->walk, frame, stacks_module);
    uint64_t hash = thread->walk.frames[thread->walk.count - 1].hash;
    return thread->before = stacks_follow(thread, stacks_mix(hash) | STACKS_HASHED);
}

/* By processor time: what else ran in the middle of one walk would count for all of them. Less what
 * reading it takes. */
static uint32_t stacks_timed(struct stacks_thread *thread, const void *frame)
{
    uint64_t before = clock_thread_ns(), start = clock_thread_ns();
    uint32_t number = stacks_number(thread, frame);
    uint64_t took = clock_thread_ns() - start, reading = start - before;
    atomic_fetch_add(&record_spool->walk_ns, took > reading ? (took - reading) * STACKS_TIMED : 0);
    return number;
}

uint32_t stacks_site(const void *frame)
{
    struct stream *stream = record_stream;
    if (!stream || !stream->chunk)
        stream = record_refill();
    if (!stream || !record_depth)
        return 0;
    if (!stream->stacks && !(stream->stacks = stacks_map(sizeof *stream->stacks)))
        return 0;
    struct stacks_thread *thread = stream->stacks;
    if (thread->walking)
        return 0;
    thread->walking = true;
    atomic_signal_fence(memory_order_seq_cst);
    bool timed = !confined() && stream->walks++ % STACKS_TIMED == STACKS_TIMED / 2;
    uint32_t number = timed ? stacks_timed(thread, frame) : stacks_number(thread, frame);
    atomic_signal_fence(memory_order_seq_cst);
    thread->walking = false;
    return number;
}
