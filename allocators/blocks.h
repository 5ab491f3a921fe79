/* The blocks of a heap, with everything known of them out of band; the placement policies differ in
 * their index alone.
 *
 * Layout: memory is counted in granules of 16 bytes from the region's start; a block has two at
 * least, and all of them are its user's. Three tables stand beside the heap in place of the
 * boundary tags of Knuth (The Art of Computer Programming 1, 2.5), so that neither call touches the
 * heap's memory, a neighbour's or its own: starts  a bit a granule: a block begins there, or the
 * top. The next bit tells a block's end. map     the index's byte for two granules (fit_map.h): of
 * a free block the size, if it is small; of a used one whether a free one ends before it. extent of
 * the large block, if any, that begins in a group of 128 granules: its size.
 *
 * The rules, the same for every policy:
 * 1. The memory after the last used block is the top. It is no free block: a policy chooses among
 *    the free blocks below it, and only a request that fits none of them is placed at the top's
 *    start. Neighbouring free blocks are one at once; one that reaches the top joins it.
 * 2. A free block is taken at its low end. What is left becomes a free block if it has two granules
 *    or more, else it stays with the used one.
 * 3. realloc shrinks in place and frees the tail if that has two granules or more. It grows in
 * place into the top, or into the free block behind if the two suffice (rule 2 for what is left),
 * and otherwise moves: allocate, copy, free.
 * 4. Aligned to a granules: a block of n + a + 1 granules is taken as if it were asked for; the
 *    block begins at its first aligned place with no gap before it or one of two granules or more,
 *    which is then freed, and then the tail as in 3.
 *
 * Everything is inlined into each policy; struct blocks_policy is a constant of the compiler. Hot
 * paths are written to branch on nothing that a program's behaviour makes unpredictable: an absent
 * neighbour is one of size 0. */
#ifndef ALLOCATORS_BLOCKS_H
#define ALLOCATORS_BLOCKS_H

#include <errno.h>
#include <string.h>

#include "allocators/allocator.h"
#include "allocators/fit_map.h"
#include "allocators/fit_store.h"
#include "allocators/region.h"

enum {
    BLOCKS_PAIR = 1,      /* two granules at least: fit_map.h */
    BLOCKS_FREE_ENDS = 1, /* in the map, where a used block begins behind a free one */
};

/* In the extent of a free block: pages of it are decommitted; the extents of the next two groups
 * tell the first page and the one after the last. */
#define BLOCKS_HOLE ((uint32_t)1 << 31)

/* Offsets in the region, page multiples; empty when both are the same. */
struct blocks_hole {
    size_t lo, hi;
};

/* A free block of at least this many bytes is given back to the region but for its ends. */
#define BLOCKS_RETURN ((size_t)1 << 20)

/* Giving back is bounded by this share of the bytes allocated in large blocks. */
enum { BLOCKS_CREDIT_SHARE = 64 };

struct blocks {
    struct heap heap;
    char *base; /* the region's */
    uint8_t *map;
    uint64_t *starts; /* word i + 1 holds the bits of granules 64 i … 64 i + 63 */
    uint32_t *extent;
    size_t top;       /* the granule where the top begins */
    size_t committed; /* bytes from the base that are committed, apart from holes */
    size_t limit;     /* the granule that the top never passes; below 2^31 */
    size_t dirty;     /* bytes at offsets from this one and from the top on are zero */
    size_t credit;    /* bytes that may be given back before more is allocated */
    size_t holes;     /* free blocks with one: each costs the kernel a mapping */
    struct region *region;
    struct fit_store store;
};

/* What a policy adds. Positions and sizes in granules; find's result is a slot; insert, remove and
 * find as in fit_first.h and fit_best.h. `leftover` is what is left of a block whose front was
 * taken. */
struct blocks_policy {
    size_t (*find)(struct blocks *blocks, size_t size);
    void (*insert)(struct blocks *blocks, size_t position, size_t size, bool leftover);
    void (*remove)(struct blocks *blocks, size_t position, size_t size);
    void (*placed)(struct blocks *blocks, size_t end); /* alloc's block ends there; NULL: nothing */
    int (*reach)(struct blocks *blocks, size_t last);  /* positions up to `last` will be used */
    void *(*alloc)(struct heap *heap, size_t size);
    /* The paths not worth inlining: any size, any free block. */
    void *(*alloc_large)(struct heap *heap, size_t size);
    void *(*take_large)(struct blocks *blocks, size_t slot, size_t size);
    void (*free_any)(struct blocks *blocks, size_t position);
};

#define BLOCKS_INLINE static inline __attribute__((always_inline))

/* ---- what is known of blocks ----------------------------------------------------------------- */

BLOCKS_INLINE size_t blocks_position(const struct blocks *blocks, const void *pointer)
{
    return (size_t)((const char *)pointer - blocks->base) >> 4;
}

BLOCKS_INLINE void *blocks_pointer(const struct blocks *blocks, size_t position)
{
    return blocks->base + 16 * position;
}

/* Granules for `size` bytes of the user's. */
BLOCKS_INLINE size_t blocks_granules(size_t size)
{
    return size <= 32 ? 2 : (size + 15) >> 4;
}

/* Requests up to this many bytes are small: fit_large(BLOCKS_PAIR) is never reached. */
#define BLOCKS_SMALL ((size_t)(FIT_LARGE + BLOCKS_PAIR - 1) * 16)

BLOCKS_INLINE bool blocks_is_large(size_t size)
{
    return __builtin_expect(size >= fit_large(BLOCKS_PAIR), 0);
}

BLOCKS_INLINE uint64_t *blocks_word(const struct blocks *blocks, size_t position)
{
    return &blocks->starts[(position >> 6) + 1];
}

BLOCKS_INLINE void blocks_set_start(struct blocks *blocks, size_t position)
{
    *blocks_word(blocks, position) |= (uint64_t)1 << position % 64;
}

/* Without a branch: only if `gone`. */
BLOCKS_INLINE void blocks_clear_start(struct blocks *blocks, size_t position, bool gone)
{
    *blocks_word(blocks, position) &= ~((uint64_t)gone << position % 64);
}

/* The starts of the 64 granules behind, the nearest lowest; and of those before, the nearest
 * highest. Two words each, so that most blocks take no loop. */
BLOCKS_INLINE uint64_t blocks_starts_behind(const struct blocks *blocks, size_t position)
{
    const uint64_t *word = blocks_word(blocks, position);
    return word[0] >> position % 64 >> 1 | word[1] << (63 - position % 64);
}

BLOCKS_INLINE uint64_t blocks_starts_before(const struct blocks *blocks, size_t position)
{
    const uint64_t *word = blocks_word(blocks, position);
    return word[0] << (63 - position % 64) << 1 | word[-1] >> position % 64;
}

/* The map's byte where a block begins: below 2 for a used one. */
BLOCKS_INLINE uint8_t *blocks_code(const struct blocks *blocks, size_t position)
{
    return &blocks->map[position >> BLOCKS_PAIR];
}

BLOCKS_INLINE uint32_t *blocks_extent(const struct blocks *blocks, size_t position)
{
    return &blocks->extent[position / fit_large(BLOCKS_PAIR)];
}

/* The size of the free block that begins there, 0: none does. A large one counts as
 * fit_large(BLOCKS_PAIR) granules. Without a branch. */
BLOCKS_INLINE size_t blocks_free_least(const struct blocks *blocks, size_t position)
{
    uint8_t code = *blocks_code(blocks, position);
    return fit_size(code, BLOCKS_PAIR) & -(size_t)(code > BLOCKS_FREE_ENDS);
}

/* The same, exactly. */
BLOCKS_INLINE size_t blocks_free_size(const struct blocks *blocks, size_t position)
{
    size_t size = blocks_free_least(blocks, position);
    return blocks_is_large(size) ? *blocks_extent(blocks, position) & ~BLOCKS_HOLE : size;
}

/* A used block of that size begins there; one that ends there has been cut off before. */
BLOCKS_INLINE void blocks_note_used(struct blocks *blocks, size_t position, size_t size)
{
    if (blocks_is_large(size))
        *blocks_extent(blocks, position) = (uint32_t)size;
}

/* A free one does. Its size stands at its end too, in the last group but one, where no other block
 * can begin: a search backwards from its end begins there. */
BLOCKS_INLINE void blocks_note_free(struct blocks *blocks, size_t position, size_t size)
{
    if (!blocks_is_large(size))
        return;
    *blocks_extent(blocks, position) = (uint32_t)size;
    if (size > fit_large(BLOCKS_PAIR))
        blocks_extent(blocks, position + size - 1)[-1] = (uint32_t)size;
}

/* ---- the cold parts, in blocks.c ------------------------------------------------------------- */

/* Lays out a heap of `heap_bytes` in the region, its index in the store: index_bytes(granules,
 * pair) tells the need. 0 and *out, or -errno with a sentence. */
int blocks_create(const struct heap_config *config, const struct allocator *ops, size_t heap_bytes,
                  size_t (*index_bytes)(size_t granules, unsigned pair), struct blocks **out,
                  struct err *err);

/* After the index is initialised: the first pages. 0, or -errno with a sentence. */
int blocks_start(struct blocks *blocks, const struct blocks_policy *policy, struct err *err);

/* Commits up to `end` bytes from the base, and some more: 0 or -ENOMEM. */
int blocks_reach(struct blocks *blocks, size_t end, const struct blocks_policy *policy);

/* The top falls to `position`; `hole` is that of the free block before it, or empty. */
void blocks_fall(struct blocks *blocks, size_t position, struct blocks_hole hole);

/* A free block was made of up to two with the holes `low` and `high`: makes them one, and gives
 * back large parts. */
void blocks_join(struct blocks *blocks, size_t position, struct blocks_hole low,
                 struct blocks_hole high);

/* A free block with a hole is about to be used up to `end`: commits what that takes, the first
 * bytes behind included. 0 or -ENOMEM; *rest is the hole that is left, or empty. */
int blocks_fill(struct blocks *blocks, size_t position, size_t end, struct blocks_hole *rest);

/* The size of a used block, of the free block that ends at a used one (0: none does), and the hole
 * of a free block of `size` granules (0: of none), whatever their sizes. */
size_t blocks_used_size(const struct blocks *blocks, size_t position);
size_t blocks_free_before(const struct blocks *blocks, size_t position);
struct blocks_hole blocks_hole_at(const struct blocks *blocks, size_t position, size_t size);
void blocks_set_hole(struct blocks *blocks, size_t position, struct blocks_hole hole);

size_t blocks_usable(struct heap *heap, void *ref);
size_t blocks_trim(struct heap *heap);
void blocks_stats(struct heap *heap, struct heap_stats *out);
int blocks_walk(struct heap *heap, heap_visitor *visit, void *arg);
int blocks_check(struct heap *heap, char *why, size_t length);
void blocks_destroy(struct heap *heap);

/* ---- placing --------------------------------------------------------------------------------- */

/* The top begins at `end` now, and before it a used block. */
BLOCKS_INLINE int blocks_raise_top(struct blocks *blocks, size_t position, size_t size,
                                   const struct blocks_policy *policy)
{
    if (__builtin_expect((position + size) * 16 > blocks->committed, 0))
        if (size > blocks->limit - position || blocks_reach(blocks, (position + size) * 16, policy))
            return -ENOMEM;
    blocks->top = position + size;
    blocks_set_start(blocks, blocks->top);
    blocks_note_used(blocks, position, size);
    return 0;
}

BLOCKS_INLINE void *blocks_take_top(struct blocks *blocks, size_t size,
                                    const struct blocks_policy *policy)
{
    size_t position = blocks->top;
    if (blocks_raise_top(blocks, position, size, policy))
        return NULL;
    if (policy->placed)
        policy->placed(blocks, position + size);
    return blocks_pointer(blocks, position);
}

/* Makes a used block of the first `size` granules of `room` at a position that the index no longer
 * holds, and frees the rest. Returns the block's end. */
BLOCKS_INLINE size_t blocks_cut(struct blocks *blocks, size_t position, size_t room, size_t size,
                                const struct blocks_policy *policy)
{
    size_t rest = room - size;
    rest &= -(size_t)(rest > 1);
    size_t end = position + room - rest;
    policy->insert(blocks, end, rest, true);
    blocks_set_start(blocks, end); /* it is set without a rest */
    return end;
}

/* A small piece of a small free block. */
BLOCKS_INLINE void *blocks_take_small(struct blocks *blocks, size_t slot, uint8_t code, size_t size,
                                      const struct blocks_policy *policy)
{
    size_t position = fit_position(slot, code, BLOCKS_PAIR), room = fit_size(code, BLOCKS_PAIR);
    FIT_ASSUME(size <= room && room < fit_large(BLOCKS_PAIR));
    policy->remove(blocks, position, room);
    size_t end = blocks_cut(blocks, position, room, size, policy);
    if (policy->placed)
        policy->placed(blocks, end);
    return blocks_pointer(blocks, position);
}

/* Uses the free block that begins `kept` granules behind `position`, of any size, for a block that
 * begins at `position` and takes at least `size` granules: 0, or -ENOMEM and nothing has changed.
 */
BLOCKS_INLINE int blocks_take_any(struct blocks *blocks, size_t position, size_t kept, size_t size,
                                  const struct blocks_policy *policy)
{
    size_t from = position + kept, room = blocks_free_size(blocks, from);
    struct blocks_hole hole = blocks_hole_at(blocks, from, room);
    if (hole.hi && blocks_fill(blocks, from, position + size, &hole))
        return -ENOMEM;
    policy->remove(blocks, from, room);
    blocks_clear_start(blocks, from, kept > 0);
    size_t end = blocks_cut(blocks, position, kept + room, size, policy);
    blocks_note_used(blocks, position, end - position);
    blocks_note_free(blocks, end, from + room - end);
    if (hole.lo < hole.hi)
        blocks_set_hole(blocks, end, hole);
    return 0;
}

/* From a large free block. */
BLOCKS_INLINE void *blocks_take_large(struct blocks *blocks, size_t slot, size_t size,
                                      const struct blocks_policy *policy)
{
    size_t position = fit_position(slot, blocks->map[slot], BLOCKS_PAIR);
    if (blocks_take_any(blocks, position, 0, size, policy))
        return NULL;
    if (policy->placed)
        policy->placed(blocks, position + blocks_used_size(blocks, position));
    return blocks_pointer(blocks, position);
}

BLOCKS_INLINE void *blocks_alloc_large(struct heap *heap, size_t size,
                                       const struct blocks_policy *policy)
{
    struct blocks *blocks = (struct blocks *)heap;
    if (size > blocks->limit * 16)
        return NULL;
    size_t granules = blocks_granules(size), slot = policy->find(blocks, granules);
    blocks->credit += size / BLOCKS_CREDIT_SHARE;
    return slot == FIT_NONE ? blocks_take_top(blocks, granules, policy)
                            : policy->take_large(blocks, slot, granules);
}

BLOCKS_INLINE void *blocks_alloc(struct heap *heap, size_t size, const struct blocks_policy *policy)
{
    struct blocks *blocks = (struct blocks *)heap;
    if (__builtin_expect(size > BLOCKS_SMALL, 0))
        return policy->alloc_large(heap, size);
    size_t granules = blocks_granules(size), slot = policy->find(blocks, granules);
    if (__builtin_expect(slot == FIT_NONE, 0))
        return blocks_take_top(blocks, granules, policy);
    uint8_t code = blocks->map[slot];
    if (__builtin_expect(code >= FIT_LARGE << 1, 0))
        return policy->take_large(blocks, slot, granules);
    return blocks_take_small(blocks, slot, code, granules, policy);
}

/* ---- freeing --------------------------------------------------------------------------------- */

/* A used block between its free neighbours, of size 0 where there is none. */
struct blocks_around {
    size_t before, size, behind;
};

/* Makes one free block of a used one and its free neighbours. */
BLOCKS_INLINE void blocks_merge(struct blocks *blocks, size_t position, struct blocks_around around,
                                const struct blocks_policy *policy)
{
    size_t start = position - around.before, behind = position + around.size;
    size_t size = around.before + around.size + around.behind, end = start + size;
    FIT_ASSUME(size > 0);
    *blocks_code(blocks, position) = 0;
    policy->remove(blocks, behind, around.behind);
    policy->remove(blocks, start, around.before);
    policy->insert(blocks, start, size, false);
    *blocks_code(blocks, end) = BLOCKS_FREE_ENDS;
    blocks_clear_start(blocks, position, around.before > 0);
    blocks_clear_start(blocks, behind, around.behind > 0);
    blocks_note_free(blocks, start, size);
}

BLOCKS_INLINE void blocks_free_any(struct blocks *blocks, size_t position,
                                   const struct blocks_policy *policy)
{
    struct blocks_around around = {.before = blocks_free_before(blocks, position),
                                   .size = blocks_used_size(blocks, position)};
    size_t start = position - around.before, behind = position + around.size;
    struct blocks_hole low = blocks_hole_at(blocks, start, around.before);
    if (behind == blocks->top) {
        *blocks_code(blocks, position) = 0;
        policy->remove(blocks, start, around.before);
        blocks_clear_start(blocks, position, around.before > 0);
        blocks_clear_start(blocks, behind, true);
        blocks_fall(blocks, start, low);
        return;
    }
    around.behind = blocks_free_size(blocks, behind);
    struct blocks_hole high = blocks_hole_at(blocks, behind, around.behind);
    blocks_merge(blocks, position, around, policy);
    if (around.before + around.size + around.behind >= BLOCKS_RETURN / 16 || low.hi || high.hi)
        blocks_join(blocks, start, low, high);
}

BLOCKS_INLINE void blocks_free(struct heap *heap, void *ref, const struct blocks_policy *policy)
{
    struct blocks *blocks = (struct blocks *)heap;
    size_t position = blocks_position(blocks, ref), ends = *blocks_code(blocks, position);
    uint64_t later = blocks_starts_behind(blocks, position);
    uint64_t earlier = blocks_starts_before(blocks, position);
    if (__builtin_expect(later == 0 || (earlier | (ends - 1)) == 0, 0)) {
        policy->free_any(blocks, position);
        return;
    }
    struct blocks_around around = {
        .before = ((size_t)__builtin_clzll(earlier | 1) + 1) & -ends,
        .size = (size_t)__builtin_ctzll(later) + 1,
    };
    around.behind = blocks_free_least(blocks, position + around.size);
    if (blocks_is_large(around.before + around.size + around.behind) ||
        __builtin_expect(position + around.size == blocks->top, 0)) {
        policy->free_any(blocks, position);
        return;
    }
    FIT_ASSUME(around.before < fit_large(BLOCKS_PAIR));
    FIT_ASSUME(around.behind < fit_large(BLOCKS_PAIR));
    blocks_merge(blocks, position, around, policy);
}

/* ---- resizing and aligning ------------------------------------------------------------------- */

/* Ends a used block of `size` granules after the first `kept`, and frees the tail if it can be a
 * block.
 */
BLOCKS_INLINE void blocks_shrink(struct blocks *blocks, size_t position, size_t size, size_t kept,
                                 const struct blocks_policy *policy)
{
    if (size - kept < 2)
        return;
    blocks_set_start(blocks, position + kept);
    blocks_note_used(blocks, position, kept);
    blocks_note_used(blocks, position + kept, size - kept);
    policy->free_any(blocks, position + kept);
}

/* Makes a used block of `kept` granules one of `size`, more, where it stands: 0 or -ENOMEM. */
BLOCKS_INLINE int blocks_extend(struct blocks *blocks, size_t position, size_t kept, size_t size,
                                const struct blocks_policy *policy)
{
    size_t end = position + kept;
    if (end == blocks->top) {
        int error = blocks_raise_top(blocks, position, size, policy);
        blocks_clear_start(blocks, end, !error);
        return error;
    }
    size_t behind = blocks_free_size(blocks, end);
    if (behind == 0 || kept + behind < size)
        return -ENOMEM;
    return blocks_take_any(blocks, position, kept, size, policy);
}

BLOCKS_INLINE void *blocks_realloc(struct heap *heap, void *ref, size_t size,
                                   const struct blocks_policy *policy)
{
    struct blocks *blocks = (struct blocks *)heap;
    if (size > blocks->limit * 16)
        return NULL;
    size_t position = blocks_position(blocks, ref), granules = blocks_granules(size);
    size_t kept = blocks_used_size(blocks, position);
    if (granules <= kept) {
        blocks_shrink(blocks, position, kept, granules, policy);
        return ref;
    }
    if (!blocks_extend(blocks, position, kept, granules, policy))
        return ref;
    void *fresh = policy->alloc(heap, size);
    if (fresh) {
        memcpy(fresh, ref, kept * 16);
        policy->free_any(blocks, position);
    }
    return fresh;
}

/* What the top gives for the first time is zero already. */
BLOCKS_INLINE void *blocks_zalloc(struct heap *heap, size_t size,
                                  const struct blocks_policy *policy)
{
    struct blocks *blocks = (struct blocks *)heap;
    size_t top = blocks->top;
    bool clean = top * 16 >= blocks->dirty;
    void *fresh = policy->alloc(heap, size);
    if (fresh && !(clean && blocks_position(blocks, fresh) == top))
        memset(fresh, 0, size);
    return fresh;
}

BLOCKS_INLINE void *blocks_alloc_aligned(struct heap *heap, size_t align, size_t size,
                                         const struct blocks_policy *policy)
{
    struct blocks *blocks = (struct blocks *)heap;
    if (size > blocks->limit * 16 || align > blocks->limit * 16)
        return NULL;
    size_t granules = blocks_granules(size), step = align >> 4;
    char *taken = policy->alloc(heap, (granules + step + 1) * 16);
    if (!taken)
        return NULL;
    size_t position = blocks_position(blocks, taken), room = blocks_used_size(blocks, position);
    size_t gap = -((uintptr_t)taken >> 4) & (step - 1);
    gap += gap == 1 ? step : 0;
    if (gap) {
        blocks_set_start(blocks, position + gap);
        blocks_note_used(blocks, position, gap);
        blocks_note_used(blocks, position + gap, room - gap);
        policy->free_any(blocks, position);
    }
    blocks_shrink(blocks, position + gap, room - gap, granules, policy);
    return taken + 16 * gap;
}

/* ---- the table of a policy ------------------------------------------------------------------- */

/* Defines `allocator_<symbol>` from symbol_find, symbol_insert, symbol_remove, symbol_reach and
 * symbol_create, and `on_placed` (a function like symbol_placed, or NULL). */
#define BLOCKS_ALLOCATOR(symbol, text_name, text_summary, on_placed)                               \
    static void *symbol##_alloc(struct heap *heap, size_t size);                                   \
    static __attribute__((noinline)) void *symbol##_alloc_large(struct heap *heap, size_t size);   \
    static __attribute__((noinline)) void *symbol##_take_large(struct blocks *blocks, size_t slot, \
                                                               size_t size);                       \
    static                                                                                         \
        __attribute__((noinline)) void symbol##_free_any(struct blocks *blocks, size_t position);  \
    static const struct blocks_policy symbol##_policy = {                                          \
        .find = symbol##_find,                                                                     \
        .insert = symbol##_insert,                                                                 \
        .remove = symbol##_remove,                                                                 \
        .placed = on_placed,                                                                       \
        .reach = symbol##_reach,                                                                   \
        .alloc = symbol##_alloc,                                                                   \
        .alloc_large = symbol##_alloc_large,                                                       \
        .take_large = symbol##_take_large,                                                         \
        .free_any = symbol##_free_any,                                                             \
    };                                                                                             \
    static void *symbol##_alloc(struct heap *heap, size_t size)                                    \
    {                                                                                              \
        return blocks_alloc(heap, size, &symbol##_policy);                                         \
    }                                                                                              \
    static void *symbol##_alloc_large(struct heap *heap, size_t size)                              \
    {                                                                                              \
        return blocks_alloc_large(heap, size, &symbol##_policy);                                   \
    }                                                                                              \
    static void *symbol##_take_large(struct blocks *blocks, size_t slot, size_t size)              \
    {                                                                                              \
        return blocks_take_large(blocks, slot, size, &symbol##_policy);                            \
    }                                                                                              \
    static void symbol##_free_any(struct blocks *blocks, size_t position)                          \
    {                                                                                              \
        blocks_free_any(blocks, position, &symbol##_policy);                                       \
    }                                                                                              \
    static void symbol##_free(struct heap *heap, void *ref)                                        \
    {                                                                                              \
        blocks_free(heap, ref, &symbol##_policy);                                                  \
    }                                                                                              \
    static void *symbol##_zalloc(struct heap *heap, size_t size)                                   \
    {                                                                                              \
        return blocks_zalloc(heap, size, &symbol##_policy);                                        \
    }                                                                                              \
    static void *symbol##_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)      \
    {                                                                                              \
        (void)old_size;                                                                            \
        return blocks_realloc(heap, ref, size, &symbol##_policy);                                  \
    }                                                                                              \
    static void *symbol##_alloc_aligned(struct heap *heap, size_t align, size_t size)              \
    {                                                                                              \
        return blocks_alloc_aligned(heap, align, size, &symbol##_policy);                          \
    }                                                                                              \
    const struct allocator allocator_##symbol = {                                                  \
        .name = text_name,                                                                         \
        .summary = text_summary,                                                                   \
        .align = 16,                                                                               \
        .threads = THREADS_ONE,                                                                    \
        .scope = SCOPE_HEAP,                                                                       \
        .flags = ALLOCATOR_WALK_TILES | ALLOCATOR_FORK_SAFE,                                       \
        .create = symbol##_create,                                                                 \
        .destroy = blocks_destroy,                                                                 \
        .alloc = symbol##_alloc,                                                                   \
        .free = symbol##_free,                                                                     \
        .zalloc = symbol##_zalloc,                                                                 \
        .realloc = symbol##_realloc,                                                               \
        .alloc_aligned = symbol##_alloc_aligned,                                                   \
        .usable_size = blocks_usable,                                                              \
        .trim = blocks_trim,                                                                       \
        .stats = blocks_stats,                                                                     \
        .walk = blocks_walk,                                                                       \
        .check = blocks_check,                                                                     \
    }

#endif
