/* A heap of segments (segments.h) under a placement policy; the policies differ in their index of
 * holes and in what they choose from it.
 *
 * The rules, the same for every policy:
 * 1. The memory after the last used block is the top. It is no hole: a policy chooses among the
 *    holes below it, and only a request that fits none of them is placed at the top's start.
 *    Neighbouring holes are one at once; one that reaches the top joins it.
 * 2. Sizes are rounded up to 16 bytes. A hole is taken at its low end, exactly; what is left is a
 *    hole.
 * 3. realloc shrinks in place and frees the tail. It grows in place into the top, or into the hole
 *    behind if that suffices (rule 2 for what is left), and otherwise moves: allocate, copy, free.
 * 4. Aligned to a bytes: a block that is larger by a - 16 is taken as if it were asked for; the
 *    part before the first aligned place is freed, then the tail as in 3.
 *
 * Everything is known out of band, so that neither call touches the heap's memory. The inline
 * functions are inlined into each policy; struct fit_policy is a constant of the compiler. */
#ifndef ALLOCATORS_FITS_H
#define ALLOCATORS_FITS_H

#include "allocators/segments.h"

/* Positions and sizes in granules. `leftover` is what is left of a hole whose front was taken. */
struct fit_policy {
    size_t (*find)(struct segments *heap, size_t size); /* a hole, or FIT_NONE */
    void (*insert)(struct segments *heap, size_t position, size_t size, bool leftover);
    void (*remove)(struct segments *heap, size_t position, size_t size); /* size 0: nothing */
    void (*placed)(struct segments *heap, size_t end); /* alloc's block ends there; NULL: nothing */
};

/* At least `size` granules are used from there on, or FIT_NONE. */
FIT_INLINE size_t fits_place(struct segments *heap, size_t size, const struct fit_policy *policy)
{
    size_t position = size > heap->limit ? FIT_NONE : policy->find(heap, size);
    if (__builtin_expect(position == FIT_NONE, 0)) {
        position = segments_take_top(heap, size);
        if (position == FIT_NONE)
            return FIT_NONE;
    } else {
        if (segments_prepare(heap, position, size))
            return FIT_NONE;
        size_t rest = segments_take(heap, position, size);
        policy->remove(heap, position, size + rest);
        if (rest > 0)
            policy->insert(heap, position + size, rest, true);
    }
    if (policy->placed)
        policy->placed(heap, position + size);
    return position;
}

FIT_INLINE void fits_release(struct segments *heap, size_t position,
                             const struct fit_policy *policy)
{
    struct segments_hole hole = segments_release(heap, position, true, true);
    size_t end = hole.start + hole.size;
    policy->remove(heap, hole.start, hole.before);
    if (__builtin_expect(end == heap->top, 0)) {
        segments_fall_returning(heap, &hole);
        return;
    }
    policy->remove(heap, end - hole.behind, hole.behind);
    segments_released(heap, &hole);
    policy->insert(heap, hole.start, hole.size, false);
}

FIT_INLINE void *fits_alloc(struct heap *heap, size_t size, const struct fit_policy *policy)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = fits_place(segments, segments_granules(segments, size), policy);
    return position == FIT_NONE ? NULL : segments_pointer(segments, position);
}

void *fits_realloc(struct heap *heap, void *ref, size_t old_size, size_t size);
void *fits_alloc_aligned(struct heap *heap, size_t align, size_t size);

/* Lays out a heap of `heap_bytes` that gives memory back, its index in the store:
 * index_bytes(count) tells the need. The caller then initialises the index and calls
 * segments_start. 0 and *out, or -errno with a sentence. */
int fits_create(const struct heap_config *config, const struct allocator *ops, size_t heap_bytes,
                size_t (*index_bytes)(size_t count), struct segments **out, struct err *err);

/* The options of the table; a policy that has any defines this before it includes fits.h. */
#ifndef FITS_OPTIONS
#define FITS_OPTIONS NULL
#endif

/* Defines `allocator_<symbol>` and `symbol_segments`, its policy for segments_start, from
 * symbol_policy, symbol_create and the functions of struct segments_policy. */
#define FITS_ALLOCATOR(symbol, text_name, text_summary, index_reach, index_retreat, index_flaw)    \
    static size_t symbol##_place(struct segments *heap, size_t size)                               \
    {                                                                                              \
        return fits_place(heap, size, &symbol##_policy);                                           \
    }                                                                                              \
    static void symbol##_release(struct segments *heap, size_t position)                           \
    {                                                                                              \
        fits_release(heap, position, &symbol##_policy);                                            \
    }                                                                                              \
    static void symbol##_remove_any(struct segments *heap, size_t position, size_t size)           \
    {                                                                                              \
        symbol##_policy.remove(heap, position, size);                                              \
    }                                                                                              \
    static void symbol##_leave(struct segments *heap, size_t position, size_t size)                \
    {                                                                                              \
        symbol##_policy.insert(heap, position, size, true);                                        \
    }                                                                                              \
    static const struct segments_policy symbol##_segments = {                                      \
        .reach = index_reach,                                                                      \
        .place = symbol##_place,                                                                   \
        .release = symbol##_release,                                                               \
        .remove = symbol##_remove_any,                                                             \
        .leave = symbol##_leave,                                                                   \
        .retreat = index_retreat,                                                                  \
        .flaw = index_flaw,                                                                        \
    };                                                                                             \
    static void *symbol##_alloc(struct heap *heap, size_t size)                                    \
    {                                                                                              \
        return fits_alloc(heap, size, &symbol##_policy);                                           \
    }                                                                                              \
    static void symbol##_free(struct heap *heap, void *ref)                                        \
    {                                                                                              \
        struct segments *segments = (struct segments *)heap;                                       \
        fits_release(segments, segments_position(segments, ref), &symbol##_policy);                \
    }                                                                                              \
    const struct allocator allocator_##symbol = {                                                  \
        .name = text_name,                                                                         \
        .summary = text_summary,                                                                   \
        .align = 16,                                                                               \
        .threads = THREADS_ONE,                                                                    \
        .scope = SCOPE_HEAP,                                                                       \
        .flags = ALLOCATOR_WALK_TILES | ALLOCATOR_FORK_SAFE,                                       \
        .options = FITS_OPTIONS,                                                                   \
        .create = symbol##_create,                                                                 \
        .destroy = segments_destroy,                                                               \
        .alloc = symbol##_alloc,                                                                   \
        .free = symbol##_free,                                                                     \
        .zalloc = segments_zalloc,                                                                 \
        .realloc = fits_realloc,                                                                   \
        .alloc_aligned = fits_alloc_aligned,                                                       \
        .usable_size = segments_usable,                                                            \
        .owns = segments_owns,                                                                     \
        .trim = segments_trim,                                                                     \
        .stats = segments_stats,                                                                   \
        .walk = segments_walk,                                                                     \
        .check = segments_check,                                                                   \
    }

#endif
