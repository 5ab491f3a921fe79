/* Threads upon one heap. */
#include "tests/allocators/support/hammer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "harness/base/rng.h"
#include "tests/allocators/support/ledger.h"
#include "tests/unit.h"

enum { HAMMER_THREADS = 4, HAMMER_SLOTS = 64, HAMMER_STEPS = 5000 };

struct hammer {
    struct heap *heap;
    _Atomic(struct block *) slots[HAMMER_SLOTS];
    struct block blocks[HAMMER_THREADS][HAMMER_STEPS];
    pthread_barrier_t start;
    atomic_int faults;
};

struct hand {
    struct hammer *hammer;
    int thread; /* 0: the one that created the heap */
};

static void hammer_take(struct hammer *hammer, struct block *block)
{
    if (!block)
        return;
    if (!pattern_holds(heap_resolve(hammer->heap, block->ref), block->size, block->seed))
        hammer->faults++;
    heap_free(hammer->heap, block->ref);
}

static struct block *hammer_make(struct hammer *hammer, struct block *block, struct rng *rng)
{
    block->size = 1 + rng_below(rng, rng_below(rng, 64) ? 120 : 20000);
    block->seed = rng_next(rng);
    block->ref = heap_alloc(hammer->heap, block->size);
    if (!block->ref) {
        hammer->faults++;
        return NULL;
    }
    pattern_write(heap_resolve(hammer->heap, block->ref), block->size, block->seed);
    return block;
}

static void *hammer_run(void *arg)
{
    struct hand *hand = arg;
    struct hammer *hammer = hand->hammer;
    int thread = hand->thread;
    struct rng rng;
    rng_init(&rng, 100 + (uint64_t)thread);
    bool allocates = thread == 0 || hammer->heap->ops->threads == THREADS_ANY;
    if (thread && heap_thread_enter(hammer->heap))
        hammer->faults++;
    pthread_barrier_wait(&hammer->start);
    for (int i = 0; i < HAMMER_STEPS; i++) {
        struct block *made =
            allocates ? hammer_make(hammer, &hammer->blocks[thread][i], &rng) : NULL;
        hammer_take(hammer, atomic_exchange(&hammer->slots[rng_below(&rng, HAMMER_SLOTS)], made));
    }
    if (thread)
        heap_thread_leave(hammer->heap);
    return NULL;
}

int hammer_heap(struct heap *heap)
{
    static struct hammer hammer; /* large */
    pthread_t threads[HAMMER_THREADS];
    struct hand hands[HAMMER_THREADS];
    memset(&hammer, 0, sizeof hammer);
    hammer.heap = heap;
    pthread_barrier_init(&hammer.start, NULL, HAMMER_THREADS);
    for (int i = HAMMER_THREADS - 1; i >= 0; i--) {
        hands[i] = (struct hand){&hammer, i};
        if (i)
            assert_int_equal(pthread_create(&threads[i], NULL, hammer_run, &hands[i]), 0);
    }
    hammer_run(&hands[0]);
    for (int i = 1; i < HAMMER_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < HAMMER_SLOTS; i++)
        hammer_take(&hammer, hammer.slots[i]);
    pthread_barrier_destroy(&hammer.start);
    return hammer.faults;
}
