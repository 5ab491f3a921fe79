/* delay: every call, or one in so many, takes longer on purpose: for trying out whether a
 * difference of a known size is shown, and whether a gate holds.
 *
 * The delay is a chain of dependent additions, counted out when the heap is created: as long in
 * cycles wherever it falls, and finer than any clock could end it. */
#include <errno.h>
#include <stdatomic.h>

#include "allocators/layer.h"
#include "harness/base/clock.h"

enum delay_option { DELAY_NS, DELAY_PER, DELAY_OPTIONS };

static const struct option_row delay_options[] = {
    [DELAY_NS] = {"delay", OPTION_TIME, "100ns", "how much longer a delayed call takes", NULL},
    [DELAY_PER] = {"per", OPTION_COUNT, "1", "one call in N is delayed", NULL},
    [DELAY_OPTIONS] = {0},
};

struct delay {
    struct layer_heap layer;
    uint64_t steps; /* of a delayed call */
    uint64_t per;
    _Atomic uint64_t calls; /* counted without a lock: threads may miss each other's */
};

static void delay_pass(uint64_t steps)
{
    for (; steps; steps--)
        __asm__ volatile("" : "+r"(steps));
}

/* The inner heap, after the delay if it is this call's turn. */
static struct heap *delay_enter(struct heap *heap)
{
    struct delay *delay = (struct delay *)heap;
    uint64_t calls = atomic_load_explicit(&delay->calls, memory_order_relaxed) + 1;
    if (calls >= delay->per) {
        delay_pass(delay->steps);
        calls = 0;
    }
    atomic_store_explicit(&delay->calls, calls, memory_order_relaxed);
    return layer_inner(heap);
}

static void *delay_alloc(struct heap *heap, size_t size)
{
    return heap_alloc(delay_enter(heap), size);
}

static void delay_free(struct heap *heap, void *ref)
{
    heap_free(delay_enter(heap), ref);
}

static void *delay_zalloc(struct heap *heap, size_t size)
{
    return heap_zalloc(delay_enter(heap), size);
}

static void *delay_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    return heap_realloc(delay_enter(heap), ref, old_size, size);
}

static void *delay_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    return heap_alloc_aligned(delay_enter(heap), align, size);
}

/* Steps that take `ns`: what else the machine does only makes a try longer, so the shortest counts.
 */
static uint64_t delay_steps(uint64_t ns)
{
    enum { TRIES = 20, STEPS = 20000 };
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; ns && i < TRIES; i++) {
        uint64_t start = clock_ns();
        delay_pass(STEPS);
        uint64_t took = clock_ns() - start;
        shortest = took && took < shortest ? took : shortest;
    }
    return ns * STEPS / shortest;
}

static int delay_wrap(struct heap *inner, const union option_value *values, struct heap **out,
                      struct err *err)
{
    struct delay *delay = layer_create(inner, sizeof *delay, "delay", err);
    if (!delay)
        return -ENOMEM;
    struct allocator *table = &delay->layer.table;
    table->flags |= layer_delay.flags;
    table->alloc = delay_alloc;
    table->free = delay_free;
#define DELAY_LAY(hook) table->hook = table->hook ? delay_##hook : NULL
    DELAY_LAY(zalloc);
    DELAY_LAY(realloc);
    DELAY_LAY(alloc_aligned);
#undef DELAY_LAY
    delay->per = values[DELAY_PER].number ? values[DELAY_PER].number : 1;
    delay->steps = delay_steps(values[DELAY_NS].number);
    *out = &delay->layer.heap;
    return 0;
}

const struct layer layer_delay = {
    .name = "delay",
    .summary = "calls that take longer on purpose, by a known time",
    .options = delay_options,
    .flags = ALLOCATOR_NOT_TIMED,
    .wrap = delay_wrap,
};
