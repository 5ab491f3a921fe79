/* Replays decoded operations against a heap. */
#include "harness/measure/player.h"

#include "harness/base/clock.h"
#include "harness/measure/window.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The hooks with the contract's defaults where the table has none. Taken out of the heap before the
 * loop, which is the one place where two loads a call would show. */
struct calls {
    void *(*alloc)(struct heap *heap, size_t size);
    void *(*zalloc)(struct heap *heap, size_t size);
    void *(*realloc)(struct heap *heap, void *ref, size_t old_size, size_t size);
    void *(*aligned)(struct heap *heap, size_t align, size_t size);
    void (*free)(struct heap *heap, void *ref);
    void *(*resolve)(struct heap *heap, void *ref);
};

ALWAYS_INLINE struct calls player_calls(const struct heap *heap)
{
    const struct allocator *ops = heap->ops;
    return (struct calls){
        .alloc = ops->alloc,
        .zalloc = ops->zalloc ? ops->zalloc : heap_zalloc,
        .realloc = ops->realloc ? ops->realloc : heap_realloc,
        .aligned = heap_alloc_aligned,
        .free = ops->free,
        .resolve = ops->resolve,
    };
}

struct stamps {
    uint64_t *next;
    uint64_t start;
};

ALWAYS_INLINE void stamp_start(struct stamps *stamps, const bool timed)
{
    if (timed)
        stamps->start = clock_ticks();
}

ALWAYS_INLINE void stamp_end(struct stamps *stamps, const bool timed)
{
    if (timed)
        *stamps->next++ = clock_ticks_after() - stamps->start;
}

ALWAYS_INLINE void stamp_skip(struct stamps *stamps, const bool timed)
{
    if (timed)
        *stamps->next++ = PLAYER_SKIPPED;
}

ALWAYS_INLINE void player_touch(const struct player *player, const struct calls *calls, void *ref,
                                size_t from, size_t size, const enum touch touch)
{
    if (touch == TOUCH_NONE)
        return;
    char *block = calls->resolve ? calls->resolve(player->heap, ref) : ref;
    touch_block(block, from, size, touch);
}

/* What remains to do with a fresh block, or with its failure. */
ALWAYS_INLINE void player_keep(struct player *player, const struct calls *calls, void **slot,
                               void *ref, size_t size, const enum touch touch)
{
    *slot = ref;
    if (__builtin_expect(!ref, 0))
        player->failed_allocations++;
    else
        player_touch(player, calls, ref, 0, size, touch);
}

ALWAYS_INLINE void player_resize(struct player *player, const struct calls *calls, void **slot,
                                 size_t old_size, size_t size, const enum touch touch,
                                 const bool timed, struct stamps *stamps)
{
    if (__builtin_expect(!*slot, 0)) {
        player->skipped_reallocs++;
        stamp_skip(stamps, timed);
        return;
    }
    stamp_start(stamps, timed);
    void *ref = calls->realloc(player->heap, *slot, old_size, size);
    stamp_end(stamps, timed);
    if (__builtin_expect(!ref, 0)) {
        player->failed_allocations++;
        player->failed_reallocs++;
        calls->free(player->heap, *slot);
    } else {
        player_touch(player, calls, ref, old_size, size, touch);
    }
    *slot = ref;
}

/* Everything but free and plain malloc; returns the last word taken. */
ALWAYS_INLINE const uint64_t *player_rare(struct player *player, const struct calls *calls,
                                          const uint64_t *op, const enum touch touch,
                                          const bool timed, struct stamps *stamps)
{
    struct operation operation;
    const uint64_t *next = op_read(op, &operation);
    void **slot = &player->refs[operation.object], *ref;
    size_t size = operation.size;
    if (operation.kind == OP_REALLOC) {
        player_resize(player, calls, slot, operation.extra, size, touch, timed, stamps);
        return next - 1;
    }
    stamp_start(stamps, timed);
    if (operation.kind == OP_CALLOC)
        ref = calls->zalloc(player->heap, size);
    else if (operation.kind == OP_ALIGNED)
        ref = calls->aligned(player->heap, operation.extra, size);
    else
        ref = calls->alloc(player->heap, size);
    stamp_end(stamps, timed);
    player_keep(player, calls, slot, ref, size, touch);
    return next - 1;
}

ALWAYS_INLINE void player_loop(struct player *player, const uint64_t *op, const uint64_t *end,
                               const enum touch touch, const bool timed, uint64_t *ticks)
{
    struct heap *heap = player->heap;
    void **refs = player->refs;
    const struct calls calls = player_calls(heap);
    struct stamps stamps = {ticks, 0};
    for (; op < end; op++) {
        uint64_t word = *op;
        player->at = op;
        if (op_kind(word) == OP_FREE) {
            void *ref = refs[op_object(word)];
            if (__builtin_expect(!ref, 0)) {
                player->skipped_frees++;
                stamp_skip(&stamps, timed);
                continue;
            }
            stamp_start(&stamps, timed);
            calls.free(heap, ref);
            stamp_end(&stamps, timed);
        } else if (op_kind(word) == OP_MALLOC) {
            stamp_start(&stamps, timed);
            void *ref = calls.alloc(heap, op_size(word));
            stamp_end(&stamps, timed);
            player_keep(player, &calls, &refs[op_object(word)], ref, op_size(word), touch);
        } else {
            op = player_rare(player, &calls, op, touch, timed, &stamps);
        }
    }
    player->at = end;
}

void player_run(struct player *player, const uint64_t *op, const uint64_t *end, enum touch touch)
{
    switch (touch) {
    case TOUCH_FIRST:
        player_loop(player, op, end, TOUCH_FIRST, false, NULL);
        break;
    case TOUCH_PAGE:
        player_loop(player, op, end, TOUCH_PAGE, false, NULL);
        break;
    case TOUCH_ALL:
        player_loop(player, op, end, TOUCH_ALL, false, NULL);
        break;
    default:
        player_loop(player, op, end, TOUCH_NONE, false, NULL);
    }
}

void player_run_timed(struct player *player, const uint64_t *op, const uint64_t *end,
                      enum touch touch, uint64_t *ticks)
{
    switch (touch) {
    case TOUCH_FIRST:
        player_loop(player, op, end, TOUCH_FIRST, true, ticks);
        break;
    case TOUCH_PAGE:
        player_loop(player, op, end, TOUCH_PAGE, true, ticks);
        break;
    case TOUCH_ALL:
        player_loop(player, op, end, TOUCH_ALL, true, ticks);
        break;
    default:
        player_loop(player, op, end, TOUCH_NONE, true, ticks);
    }
}

void *player_allocate(struct heap *heap, const struct operation *operation)
{
    switch (operation->kind) {
    case OP_CALLOC:
        return heap_zalloc(heap, operation->size);
    case OP_ALIGNED:
        return heap_alloc_aligned(heap, operation->extra, operation->size);
    default:
        return heap_alloc(heap, operation->size);
    }
}

void player_touch_block(struct heap *heap, void *ref, size_t from, size_t size, enum touch touch)
{
    if (touch != TOUCH_NONE)
        touch_block(heap_resolve(heap, ref), from, size, touch);
}

enum { CLOCK_PAIRS = 10001 };

/* The costs of pairs are small whole numbers: counting them gives the median. */
uint64_t player_clock_cost(void)
{
    enum { LONGEST = 4096 };
    uint32_t seen[LONGEST] = {0};
    for (int i = 0; i < CLOCK_PAIRS; i++) {
        uint64_t ticks;
        struct stamps stamps = {&ticks, 0};
        stamp_start(&stamps, true);
        stamp_end(&stamps, true);
        seen[ticks < LONGEST ? ticks : LONGEST - 1]++;
    }
    uint64_t median = 0;
    for (uint32_t below = seen[0]; below <= CLOCK_PAIRS / 2; below += seen[median])
        median++;
    return median;
}
