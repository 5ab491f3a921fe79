/* faulty: allocations that fail on purpose, to see what a program does when memory runs out.
 *
 * Which call fails depends on its number alone, not on time or thread: a run can be repeated. */
#include <errno.h>
#include <stdatomic.h>

#include "allocators/layer.h"
#include "harness/base/rng.h"

enum faulty_option { FAULTY_EVERY, FAULTY_AFTER, FAULTY_RANDOM, FAULTY_SEED, FAULTY_OPTIONS };

static const struct option_row faulty_options[] = {
    [FAULTY_EVERY] = {"every", OPTION_COUNT, "0", "every Nth allocation fails; 0: none", NULL},
    [FAULTY_AFTER] = {"after", OPTION_COUNT, "0", "after N allocations all fail; 0: none", NULL},
    [FAULTY_RANDOM] = {"random", OPTION_COUNT, "0", "one in N fails at random; 0: none", NULL},
    [FAULTY_SEED] = {"seed", OPTION_COUNT, "1", "of what is random", NULL},
    [FAULTY_OPTIONS] = {0},
};

struct faulty {
    struct layer_heap layer;
    union option_value values[FAULTY_OPTIONS];
    _Atomic uint64_t calls;
};

static bool faulty_fails(struct heap *heap)
{
    struct faulty *faulty = (struct faulty *)heap;
    const union option_value *values = faulty->values;
    uint64_t call = atomic_fetch_add_explicit(&faulty->calls, 1, memory_order_relaxed) + 1;
    if (values[FAULTY_EVERY].number && call % values[FAULTY_EVERY].number == 0)
        return true;
    if (values[FAULTY_AFTER].number && call > values[FAULTY_AFTER].number)
        return true;
    if (!values[FAULTY_RANDOM].number)
        return false;
    struct rng rng;
    rng_init(&rng, (values[FAULTY_SEED].number << 40) ^ call);
    return rng_below(&rng, values[FAULTY_RANDOM].number) == 0;
}

static void *faulty_alloc(struct heap *heap, size_t size)
{
    return faulty_fails(heap) ? NULL : heap_alloc(layer_inner(heap), size);
}

static void *faulty_zalloc(struct heap *heap, size_t size)
{
    return faulty_fails(heap) ? NULL : heap_zalloc(layer_inner(heap), size);
}

static void *faulty_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    return faulty_fails(heap) ? NULL : heap_realloc(layer_inner(heap), ref, old_size, size);
}

static void *faulty_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    return faulty_fails(heap) ? NULL : heap_alloc_aligned(layer_inner(heap), align, size);
}

static int faulty_wrap(struct heap *inner, const union option_value *values, struct heap **out,
                       struct err *err)
{
    struct faulty *faulty = layer_create(inner, sizeof *faulty, "faulty", err);
    if (!faulty)
        return -ENOMEM;
    for (size_t i = 0; i < FAULTY_OPTIONS; i++)
        faulty->values[i] = values[i];
    struct allocator *table = &faulty->layer.table;
    table->flags |= layer_faulty.flags;
    table->alloc = faulty_alloc;
    table->zalloc = table->zalloc ? faulty_zalloc : NULL;
    table->realloc = table->realloc ? faulty_realloc : NULL;
    table->alloc_aligned = table->alloc_aligned ? faulty_alloc_aligned : NULL;
    *out = &faulty->layer.heap;
    return 0;
}

const struct layer layer_faulty = {
    .name = "faulty",
    .summary = "allocations that fail on purpose: every Nth, after N, or one in N at random",
    .options = faulty_options,
    .flags = ALLOCATOR_NOT_TIMED | ALLOCATOR_REFUSES,
    .wrap = faulty_wrap,
};
