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

/* How a replay is timed: with one of the clocks, or not at all. */
enum { PLAYER_UNTIMED = CLOCK_KINDS, PLAYER_CLOCKS };

/* A constant wherever it is handed on, as enum touch is. */
struct stamps {
    uint64_t *next;
    uint64_t start;
    int clock; /* enum clock_kind or PLAYER_UNTIMED */
    struct absence *absence;
    volatile uint64_t *mark; /* of the thread, and what it holds while the thread has its core */
    uint64_t here;
};

static __attribute__((noinline)) enum absence_kind stamp_look(const struct stamps *stamps)
{
    return absence_look(stamps->absence, stamps->mark);
}

/* An absence before a call is none in it. */
ALWAYS_INLINE void stamp_present(const struct stamps *stamps)
{
    if (__builtin_expect(*stamps->mark != stamps->here, 0))
        stamp_look(stamps);
}

/* The next call begins here. */
ALWAYS_INLINE void stamp_start(struct stamps *stamps)
{
    if (stamps->clock == PLAYER_UNTIMED)
        return;
    stamp_present(stamps);
    stamps->start = clock_stamp((enum clock_kind)stamps->clock);
}

/* What came before must not reach into the first call. */
ALWAYS_INLINE struct stamps stamp_first(struct player *player, const int clock, uint64_t *ticks)
{
    struct stamps stamps = {.next = ticks, .clock = clock};
    if (clock == PLAYER_UNTIMED)
        return stamps;
    stamps.absence = &player->absence;
    stamps.mark = absence_mark(&player->absence);
    stamps.here = absence_here();
    stamp_present(&stamps);
    stamps.start = clock_stamp_after((enum clock_kind)clock);
    return stamps;
}

/* The same, after a block was touched: without touching the last call's end is as good. */
ALWAYS_INLINE void stamp_touched(struct stamps *stamps, const enum touch touch)
{
    if (touch != TOUCH_NONE)
        stamp_start(stamps);
}

/* A call ends, and the next begins unless there is something to do in between. */
ALWAYS_INLINE void stamp_end(struct stamps *stamps)
{
    if (stamps->clock == PLAYER_UNTIMED)
        return;
    uint64_t end = clock_stamp_after((enum clock_kind)stamps->clock), told = end - stamps->start;
    if (__builtin_expect(*stamps->mark != stamps->here, 0)) {
        told |= (uint64_t)stamp_look(stamps) << PLAYER_ABSENCE_SHIFT;
        end = clock_stamp_after((enum clock_kind)stamps->clock);
    }
    *stamps->next++ = told;
    stamps->start = end;
}

ALWAYS_INLINE void stamp_skip(struct stamps *stamps)
{
    if (stamps->clock != PLAYER_UNTIMED)
        *stamps->next++ = PLAYER_SKIPPED;
    stamp_start(stamps);
}

/* Where the first `pages` of a block of `size` bytes end; 0: all of them. */
ALWAYS_INLINE size_t touched_end(const char *block, uint32_t pages, size_t size)
{
    enum { PAGE = TRACE_TOUCHED_PAGE };
    size_t end = PAGE - (uintptr_t)block % PAGE + (pages - (size_t)1) * PAGE;
    return pages && end < size ? end : size;
}

/* Under the other policies the operation's pages are none, which the loop need not look at. */
ALWAYS_INLINE void touch_operation(char *block, const struct operation *operation,
                                   const enum touch touch)
{
    const struct op_touched *touched = &operation->touched;
    size_t from = operation->kind == OP_REALLOC ? operation->extra : 0, end = operation->size;
    if (touch == TOUCH_RECORDED) {
        from = touched_end(block, touched->before, from);
        end = touched_end(block, touched->pages, end);
    }
    touch_block(block, from, end, touch);
}

ALWAYS_INLINE void player_touch(const struct player *player, const struct calls *calls, void *ref,
                                const struct operation *operation, const enum touch touch)
{
    if (touch == TOUCH_NONE)
        return;
    char *block = calls->resolve ? calls->resolve(player->heap, ref) : ref;
    touch_operation(block, operation, touch);
}

/* What remains to do with a fresh block, or with its failure. */
ALWAYS_INLINE void player_keep(struct player *player, const struct calls *calls, void **slot,
                               void *ref, const struct operation *operation, const enum touch touch)
{
    *slot = ref;
    if (__builtin_expect(!ref, 0))
        player->failed_allocations++;
    else
        player_touch(player, calls, ref, operation, touch);
}

ALWAYS_INLINE void player_resize(struct player *player, const struct calls *calls, void **slot,
                                 const struct operation *operation, const enum touch touch,
                                 struct stamps *stamps)
{
    if (__builtin_expect(!*slot, 0)) {
        player->skipped_reallocs++;
        stamp_skip(stamps);
        return;
    }
    void *ref = calls->realloc(player->heap, *slot, operation->extra, operation->size);
    stamp_end(stamps);
    if (__builtin_expect(!ref, 0)) {
        player->failed_allocations++;
        player->failed_reallocs++;
        calls->free(player->heap, *slot);
    } else {
        player_touch(player, calls, ref, operation, touch);
    }
    *slot = ref;
    stamp_touched(stamps, touch);
}

/* Not in the loop's own code: a lane alone has none. */
__attribute__((noinline)) void player_hand_over(struct player *player, uint64_t word)
{
    handover_word *handover = &player->handovers[op_object(word)];
    if (op_kind(word) == OP_GIVE)
        handover_give(handover);
    else
        handover_take(handover, &player->waiting);
}

/* Everything but free and plain malloc; returns the last word taken. */
ALWAYS_INLINE const uint64_t *player_rare(struct player *player, const struct calls *calls,
                                          const uint64_t *op, const enum touch touch,
                                          struct stamps *stamps)
{
    if (__builtin_expect(op_is_handover(*op), 0)) {
        player_hand_over(player, *op);
        stamp_start(stamps);
        return op;
    }
    struct operation operation;
    const uint64_t *next = op_read(op, &operation);
    void **slot = &player->refs[operation.object], *ref;
    size_t size = operation.size;
    if (operation.kind == OP_REALLOC) {
        player_resize(player, calls, slot, &operation, touch, stamps);
        return next - 1;
    }
    if (operation.kind == OP_CALLOC)
        ref = calls->zalloc(player->heap, size);
    else if (operation.kind == OP_ALIGNED)
        ref = calls->aligned(player->heap, operation.extra, size);
    else
        ref = calls->alloc(player->heap, size);
    stamp_end(stamps);
    player_keep(player, calls, slot, ref, &operation, touch);
    stamp_touched(stamps, touch);
    return next - 1;
}

enum { PLAYER_AHEAD = 8 }; /* words */

/* The table of refs is the replay's own: what it takes to fetch a place of it is kept out of the
 * calls by asking for it some operations before. A word in the middle of an operation asks for any
 * place, or for none, and does no harm. */
ALWAYS_INLINE void player_fetch_ahead(void *const *refs, const uint64_t *op, const uint64_t *end)
{
    const uint64_t *ahead = end - op > PLAYER_AHEAD ? op + PLAYER_AHEAD : op;
    uintptr_t slot = (uintptr_t)refs + op_object(*ahead) * sizeof *refs;
    __builtin_prefetch((const void *)slot, 1);
}

ALWAYS_INLINE void player_loop(struct player *player, const uint64_t *op, const uint64_t *end,
                               const enum touch touch, const int clock, uint64_t *ticks)
{
    struct heap *heap = player->heap;
    void **refs = player->refs;
    const struct calls calls = player_calls(heap);
    struct stamps stamps = stamp_first(player, clock, ticks);
    for (; op < end; op++) {
        uint64_t word = *op;
        player->at = op;
        player_fetch_ahead(refs, op, end);
        if (op_kind(word) == OP_FREE) {
            void *ref = refs[op_object(word)];
            if (__builtin_expect(!ref, 0)) {
                player->skipped_frees++;
                stamp_skip(&stamps);
                continue;
            }
            calls.free(heap, ref);
            stamp_end(&stamps);
        } else if (op_kind(word) == OP_MALLOC) {
            void *ref = calls.alloc(heap, op_size(word));
            stamp_end(&stamps);
            player_keep(player, &calls, &refs[op_object(word)], ref,
                        &(struct operation){.kind = OP_MALLOC, .size = op_size(word)}, touch);
            stamp_touched(&stamps, touch);
        } else {
            op = player_rare(player, &calls, op, touch, &stamps);
        }
    }
    player->at = end;
}

typedef void player_loop_function(struct player *player, const uint64_t *op, const uint64_t *end,
                                  uint64_t *ticks);

#define PLAYER_LOOP(name, touch, clock)                                                            \
    static void player_##name(struct player *player, const uint64_t *op, const uint64_t *end,      \
                              uint64_t *ticks)                                                     \
    {                                                                                              \
        player_loop(player, op, end, touch, clock, ticks);                                         \
    }
#define PLAYER_LOOPS(name, clock)                                                                  \
    PLAYER_LOOP(name##_none, TOUCH_NONE, clock)                                                    \
    PLAYER_LOOP(name##_first, TOUCH_FIRST, clock)                                                  \
    PLAYER_LOOP(name##_page, TOUCH_PAGE, clock)                                                    \
    PLAYER_LOOP(name##_all, TOUCH_ALL, clock)                                                      \
    PLAYER_LOOP(name##_recorded, TOUCH_RECORDED, clock)

PLAYER_LOOPS(counter, CLOCK_COUNTER)
PLAYER_LOOPS(system, CLOCK_SYSTEM)
PLAYER_LOOPS(untimed, PLAYER_UNTIMED)

static player_loop_function *const player_loops[PLAYER_CLOCKS][TOUCHES] = {
    [CLOCK_COUNTER] = {player_counter_none, player_counter_first, player_counter_page,
                       player_counter_all, player_counter_recorded},
    [CLOCK_SYSTEM] = {player_system_none, player_system_first, player_system_page,
                      player_system_all, player_system_recorded},
    [PLAYER_UNTIMED] = {player_untimed_none, player_untimed_first, player_untimed_page,
                        player_untimed_all, player_untimed_recorded},
};

void player_run(struct player *player, const uint64_t *op, const uint64_t *end, enum touch touch)
{
    player_loops[PLAYER_UNTIMED][touch](player, op, end, NULL);
}

void player_run_timed(struct player *player, const uint64_t *op, const uint64_t *end,
                      enum touch touch, enum clock_kind clock, uint64_t *ticks)
{
    player_loops[clock][touch](player, op, end, ticks);
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

void player_touch_block(struct heap *heap, void *ref, const struct operation *operation,
                        enum touch touch)
{
    if (touch != TOUCH_NONE)
        touch_operation(heap_resolve(heap, ref), operation, touch);
}

/* Something that may be touched. */
struct nothing {
    struct heap heap;
    char block[16];
};

static void *nothing_alloc(struct heap *heap, size_t size)
{
    (void)size;
    return ((struct nothing *)heap)->block;
}

static void nothing_free(struct heap *heap, void *ref)
{
    (void)heap;
    (void)ref;
}

/* The costs are small whole numbers: counting them gives the median. */
static uint64_t player_median(const uint64_t *ticks, size_t count)
{
    enum { LONGEST = 4096 };
    uint32_t seen[LONGEST] = {0};
    for (size_t i = 0; i < count; i++)
        seen[player_ticks(ticks[i]) < LONGEST ? player_ticks(ticks[i]) : LONGEST - 1]++;
    uint64_t median = 0;
    for (size_t below = seen[0]; below <= count / 2; below += seen[median])
        median++;
    return median;
}

uint64_t player_clock_cost(enum clock_kind clock)
{
    enum { CALLS = 4096, ROUNDS = 4 };
    static const struct allocator nothing_table = {.alloc = nothing_alloc, .free = nothing_free};
    uint64_t words[CALLS], ticks[CALLS];
    void *ref = NULL;
    struct nothing heap = {.heap.ops = &nothing_table};
    struct player player = {.heap = &heap.heap, .refs = &ref};
    for (size_t i = 0; i < CALLS; i++)
        words[i] = i % 2 ? OP_FREE : UINT64_C(16) << OP_KIND_BITS | OP_MALLOC;
    /* What comes first warms up. */
    for (int i = 0; i < ROUNDS; i++)
        player_run_timed(&player, words, words + CALLS, TOUCH_FIRST, clock, ticks);
    return player_median(ticks, CALLS);
}
