/* What a test knows of a heap by itself. */
#include "tests/allocators/support/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/pages.h"
#include "tests/unit.h"

/* A word of the pattern: cheap, and different for every seed and place. */
static uint64_t pattern_word(uint64_t seed, size_t place)
{
    return (seed + place) * 0x9e3779b97f4a7c15u;
}

void pattern_write(char *memory, size_t size, uint64_t seed)
{
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word = pattern_word(seed, at);
        memcpy(memory + at, &word, 8);
    }
    uint64_t word = pattern_word(seed, at);
    memcpy(memory + at, &word, size - at);
}

bool pattern_holds(const char *memory, size_t size, uint64_t seed)
{
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word = pattern_word(seed, at);
        if (memcmp(memory + at, &word, 8) != 0)
            return false;
    }
    uint64_t word = pattern_word(seed, at);
    return memcmp(memory + at, &word, size - at) == 0;
}

struct ledger *ledger_create(struct heap *heap)
{
    struct ledger *ledger = pages_map_lazy(sizeof *ledger);
    assert_non_null(ledger);
    ledger->heap = heap;
    return ledger;
}

void ledger_destroy(struct ledger *ledger)
{
    pages_unmap(ledger, sizeof *ledger);
}

static bool ledger_enter(struct ledger *ledger, void *ref, size_t align, size_t size)
{
    struct heap *heap = ledger->heap;
    if (!ref)
        return false;
    assert_true(ledger->count < LEDGER_BLOCKS);
    char *memory = heap_resolve(heap, ref);
    assert_int_equal((uintptr_t)memory & (align - 1), 0);
    assert_ptr_equal(heap_ref_of(heap, memory), ref);
    size_t usable = heap_usable_size(heap, ref, size);
    assert_true(usable >= size);
    /* All that is usable is written; what was requested is compared. */
    memset(memory + size, 0x5a, usable - size < 4096 ? usable - size : 4096);
    struct block block = {ref, memory, size, ++ledger->seeds};
    pattern_write(memory, size, block.seed);
    ledger->blocks[ledger->count++] = block;
    return true;
}

bool ledger_alloc(struct ledger *ledger, size_t size)
{
    return ledger_enter(ledger, heap_alloc(ledger->heap, size), ledger->heap->ops->align, size);
}

bool ledger_alloc_aligned(struct ledger *ledger, size_t align, size_t size)
{
    return ledger_enter(ledger, heap_alloc_aligned(ledger->heap, align, size), align, size);
}

bool ledger_zalloc(struct ledger *ledger, size_t size)
{
    void *ref = heap_zalloc(ledger->heap, size);
    const char *memory = ref ? heap_resolve(ledger->heap, ref) : NULL;
    for (size_t i = 0; ref && i < size; i++)
        if (memory[i])
            fail_msg("zalloc(%zu): byte %zu is not zero", size, i);
    return ledger_enter(ledger, ref, ledger->heap->ops->align, size);
}

static void ledger_prove_block(const struct block *block)
{
    if (!pattern_holds(block->memory, block->size, block->seed))
        fail_msg("the contents of the block of %zu bytes at %p changed", block->size,
                 (void *)block->memory);
}

void ledger_free(struct ledger *ledger, size_t place)
{
    struct block *block = &ledger->blocks[place];
    ledger_prove_block(block);
    heap_free(ledger->heap, block->ref);
    *block = ledger->blocks[--ledger->count];
}

void ledger_free_all(struct ledger *ledger)
{
    while (ledger->count)
        ledger_free(ledger, ledger->count - 1);
}

bool ledger_realloc(struct ledger *ledger, size_t place, size_t size)
{
    struct block *block = &ledger->blocks[place], old = *block;
    ledger_prove_block(block);
    void *ref = heap_realloc(ledger->heap, old.ref, old.size, size);
    if (!ref) {
        ledger_prove_block(block);
        return false;
    }
    *block = ledger->blocks[--ledger->count];
    size_t kept = old.size < size ? old.size : size;
    if (!pattern_holds(heap_resolve(ledger->heap, ref), kept, old.seed))
        fail_msg("realloc from %zu to %zu did not keep the first %zu bytes", old.size, size, kept);
    return ledger_enter(ledger, ref, ledger->heap->ops->align, size);
}

static int ledger_by_address(const void *a, const void *b)
{
    const struct block *left = a, *right = b;
    return (left->memory > right->memory) - (left->memory < right->memory);
}

void ledger_prove(struct ledger *ledger)
{
    qsort(ledger->blocks, ledger->count, sizeof *ledger->blocks, ledger_by_address);
    for (size_t i = 0; i < ledger->count; i++) {
        const struct block *block = &ledger->blocks[i];
        ledger_prove_block(block);
        size_t usable = heap_usable_size(ledger->heap, block->ref, block->size);
        if (i + 1 < ledger->count && block->memory + usable > block[1].memory)
            fail_msg("the blocks at %p (%zu bytes) and %p overlap", (void *)block->memory, usable,
                     (void *)block[1].memory);
    }
}

struct ledger_walk {
    struct ledger *ledger;
    const char *at;  /* where the last span ended */
    const char *end; /* of the area */
    size_t used;
    size_t unknown;   /* USED spans that are no block of the ledger */
    size_t misplaced; /* spans that overlap, leave a gap that tiling forbids, or leave their area */
};

static void ledger_walk_used(struct ledger_walk *walk, const struct span *span)
{
    struct heap *heap = walk->ledger->heap;
    struct block key = {.memory = (char *)(uintptr_t)span->ref};
    const struct block *block =
        bsearch(&key, walk->ledger->blocks, walk->ledger->count, sizeof key, ledger_by_address);
    walk->used++;
    if (!block || span->usable < block->size ||
        (heap->ops->usable_size && span->usable != heap_usable_size(heap, block->ref, 0)))
        walk->unknown++;
    if (span->ref < span->start || span->ref + span->usable > span->start + span->size)
        walk->misplaced++;
}

static int ledger_walk_span(void *arg, const struct span *span)
{
    struct ledger_walk *walk = arg;
    bool tiles = allocator_has(walk->ledger->heap->ops, ALLOCATOR_WALK_TILES);
    if (span->kind == SPAN_AREA) {
        walk->misplaced += tiles && walk->at != walk->end;
        walk->at = span->start;
        walk->end = span->start + span->size;
        return 0;
    }
    walk->misplaced += tiles ? span->start != walk->at : span->start < walk->at;
    walk->at = span->start + span->size;
    walk->misplaced += walk->at > walk->end || span->size == 0;
    if (span->kind == SPAN_USED)
        ledger_walk_used(walk, span);
    return 0;
}

void ledger_prove_walk(struct ledger *ledger)
{
    struct ledger_walk walk = {.ledger = ledger};
    qsort(ledger->blocks, ledger->count, sizeof *ledger->blocks, ledger_by_address);
    int walked = heap_walk(ledger->heap, ledger_walk_span, &walk);
    if (walked == -ENOTSUP)
        return;
    assert_int_equal(walked, 0);
    assert_int_equal(walk.misplaced, 0);
    assert_int_equal(walk.unknown, 0);
    assert_int_equal(walk.used, ledger->count);
    if (allocator_has(ledger->heap->ops, ALLOCATOR_WALK_TILES))
        assert_ptr_equal(walk.at, walk.end);
}

/* Mostly small, as programs' requests are. */
static size_t ledger_size(struct rng *rng, size_t largest)
{
    size_t bound = rng_below(rng, 8) ? 200 : largest;
    return 1 + rng_below(rng, bound);
}

void ledger_step(struct ledger *ledger, struct rng *rng, size_t most, size_t largest)
{
    size_t size = ledger_size(rng, largest), align = (size_t)8 << rng_below(rng, 6);
    bool full = ledger->count >= most;
    uint64_t dice = full ? 80 : ledger->count ? rng_below(rng, 100) : 0;
    if (dice < 40)
        ledger_alloc(ledger, size);
    else if (dice < 50)
        ledger_zalloc(ledger, size);
    else if (dice < 55 && heap_can_align(ledger->heap->ops, align))
        ledger_alloc_aligned(ledger, align, size);
    else if (dice < 65)
        ledger_realloc(ledger, rng_below(rng, ledger->count), size);
    else
        ledger_free(ledger, rng_below(rng, ledger->count));
}
