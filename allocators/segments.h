/* A heap whose bookkeeping is all out of band: segments of 16-byte granules from the start of a
 * region on, in a map (granules.h), and an index of the holes, which is the policy's.
 *
 * The memory behind the last used segment is the top; it is in no index, and the map ends where it
 * begins. It is committed in steps. Where the policy says so, what is free goes back to the region:
 * the top by itself when much of it is free, the whole pages of large holes at once, all whole
 * pages on request, and with them what of the tables tells of nothing else (segments_return.c).
 * Tables stand at the high end of the region. Everything small is inline; one thread. */
#ifndef ALLOCATORS_SEGMENTS_H
#define ALLOCATORS_SEGMENTS_H

#include <errno.h>
#include <string.h>

#include "allocators/allocator.h"
#include "allocators/granules.h"
#include "allocators/region.h"

/* Of smaller holes no pages are given back: at most one of those that have some begins in each
 * unit.
 */
enum { SEGMENTS_UNIT_LOG2 = 10, SEGMENTS_UNIT = 1 << SEGMENTS_UNIT_LOG2 };

/* The top keeps so many granules at least. */
enum { SEGMENTS_KEEP = (512 << 10) / 16 };

/* Pages of the region, from lo on, before hi; none: both are 0. */
struct segments_pages {
    uint32_t lo, hi : 31;
    uint32_t retired : 1; /* with what the tables tell of them */
};

struct segments {
    struct heap heap;
    char *base;     /* of granule 0 */
    size_t top;     /* where the top begins */
    size_t reached; /* granules that are committed, with their tables */
    size_t limit;   /* granules there can be */
    size_t header;  /* bytes at the start of each segment that are not the user's */
    struct region *region;
    struct fit_store store;
    struct granules map;
    const struct segments_policy *policy;
    bool huge; /* a large heap grows by huge pages */
    /* Only where memory is given back: */
    size_t page;                 /* bytes */
    struct segments_pages *gone; /* of the hole that begins in a unit, if any; NULL: never */
    size_t holes;                /* with pages gone: each costs the kernel a mapping */
    size_t credit;               /* bytes that may be given back */
    size_t dirty;                /* granules from this one and from the top on are zero */
    size_t tabled;               /* granules that the tables reach to */
    size_t furthest;             /* bytes that have been committed at some time */
};

/* What a policy adds for the paths that are not inlined. */
struct segments_policy {
    /* The index for positions up to `last` has memory; NULL: always. */
    int (*reach)(struct segments *heap, size_t last);
    size_t (*place)(struct segments *heap, size_t size);     /* uses `size`; FIT_NONE: no memory */
    void (*release)(struct segments *heap, size_t position); /* frees what begins there */
    void (*remove)(struct segments *heap, size_t position, size_t size);
    void (*leave)(struct segments *heap, size_t position, size_t size); /* what is left of a hole */
    bool (*joins)(struct segments *heap, size_t position); /* with what is before; NULL: always */
    /* Positions behind `last` are not used any more; only where memory is given back. */
    void (*retreat)(struct segments *heap, size_t last);
    /* What is wrong with what the index knows of a hole, or NULL; may be NULL itself. */
    const char *(*flaw)(const struct segments *heap, size_t position);
};

/* What segments_release made one hole of: lengths of the holes before and behind, 0: none. */
struct segments_hole {
    size_t start, size, before, behind;
};

/* What a policy asks for. */
struct segments_layout {
    size_t heap_bytes;                   /* of its struct */
    size_t most;                         /* bytes of blocks there can be */
    size_t header;                       /* bytes before each block */
    size_t beside;                       /* bytes of its own behind each word of the map */
    bool huge;                           /* may have up to an eighth more committed than needed, in
                                            huge pages, which take less time */
    size_t (*index_bytes)(size_t count); /* of its tables for so many granules */
};

/* Lays out a heap. The caller then lays out its index in the store, behind the map, and calls
 * segments_start. 0 and *out, or -errno with a sentence. */
int segments_create(const struct heap_config *config, const struct allocator *ops,
                    const struct segments_layout *layout, struct segments **out, struct err *err);

/* Between the two: what is free shall be given back. */
void segments_set_returning(struct segments *heap);
int segments_start(struct segments *heap, const struct segments_policy *policy, struct err *err);

/* Commits the top up to granule `end` and some more: 0 or -ENOMEM. */
int segments_reach(struct segments *heap, size_t end);

/* Of heaps that give back, for the inline functions below.
 * fill: the first `size` granules of the hole at `position`, which has SEGMENTS_UNIT at least, are
 *   about to be taken: 0, or -ENOMEM and nothing has changed.
 * settle: a hole of SEGMENTS_UNIT or more was made; it is not at the top.
 * fell: a hole has become part of the top, which now begins with it. */
int segments_fill(struct segments *heap, size_t position, size_t size);
void segments_settle(struct segments *heap, const struct segments_hole *hole);
void segments_fell(struct segments *heap, const struct segments_hole *hole);

/* As in allocator.h, of heaps that give back. */
size_t segments_trim(struct heap *heap);

/* So many bytes are committed that had been given back before: less will be from now on. */
void segments_regret(struct segments *heap, size_t bytes);

/* Bytes that may be given back to begin with. */
#define SEGMENTS_CREDIT ((size_t)256 << 20)

/* The offset in the region up to which it is committed for so many granules, and back. */
size_t segments_bytes(const struct segments *heap, size_t granules);
size_t segments_granules_in(const struct segments *heap, size_t bytes);

void segments_destroy(struct heap *heap);

/* Of heaps whose references are pointers: what comes from a top that was never used is zero, and is
 * not touched. */
void *segments_zalloc(struct heap *heap, size_t size);

size_t segments_usable(struct heap *heap, void *ref);
bool segments_owns(struct heap *heap, const void *pointer);
void segments_stats(struct heap *heap, struct heap_stats *out);
int segments_walk(struct heap *heap, heap_visitor *visit, void *arg);

/* Makes a used segment one of `size` granules where it stands; false: there is no room. */
bool segments_resize(struct segments *heap, size_t position, size_t size);

/* A used segment of `size` granules whose pointer is a multiple of `align`, or FIT_NONE: from a
 * hole that holds one wherever it lies; what is before and behind it is freed. */
size_t segments_place_aligned(struct segments *heap, size_t align, size_t size);

/* 0, or -EUCLEAN with a sentence: segments do not tile, or holes lie side by side that join. */
int segments_check(struct heap *heap, char *why, size_t length);

FIT_INLINE char *segments_pointer(const struct segments *heap, size_t position)
{
    return heap->base + 16 * position + heap->header;
}

FIT_INLINE size_t segments_position(const struct segments *heap, const void *pointer)
{
    return (size_t)((const char *)pointer - heap->header - heap->base) >> 4;
}

/* Granules for `size` bytes and the header; more than any heap has for sizes that overflow. */
FIT_INLINE size_t segments_granules(const struct segments *heap, size_t size)
{
    return size > PTRDIFF_MAX ? SIZE_MAX >> 4 : (size + heap->header + 15) >> 4;
}

/* The first `size` granules of the hole at `position` are used; returns what is left behind them,
 * which is a hole in the map and in no index. Its memory is there: segments_fill. */
FIT_INLINE size_t segments_take(struct segments *heap, size_t position, size_t size)
{
    size_t rest = granules_size(&heap->map, position) - size;
    granules_use(&heap->map, position);
    if (rest > 0) {
        granules_unuse(&heap->map, position + size);
        granules_put(&heap->map, position, size);
        granules_put(&heap->map, position + size, rest);
    }
    return rest;
}

/* Before that, where memory is given back: 0 or -ENOMEM. */
FIT_INLINE int segments_prepare(struct segments *heap, size_t position, size_t size)
{
    if (__builtin_expect(granules_size(&heap->map, position) < SEGMENTS_UNIT, 1))
        return 0;
    return segments_fill(heap, position, size);
}

/* A used segment of `size` granules at the top: its position, or FIT_NONE. */
FIT_INLINE size_t segments_take_top(struct segments *heap, size_t size)
{
    size_t position = heap->top;
    if (__builtin_expect(size > heap->reached - position, 0))
        if (size > heap->limit - position || segments_reach(heap, position + size))
            return FIT_NONE;
    heap->top = position + size;
    granules_put(&heap->map, position, size);
    granules_end(&heap->map, heap->top);
    return position;
}

/* Makes a used segment a hole, joined with the holes beside it where it may. A hole that reaches
 * the top joins it: then the size is 0. No index knows of this yet. */
FIT_INLINE struct segments_hole segments_release(struct segments *heap, size_t position,
                                                 bool join_before, bool join_behind)
{
    struct granules *map = &heap->map;
    size_t size = granules_size(map, position), end = position + size;
    struct segments_hole hole = {position, size, 0, 0};
    size_t before = granules_before(map, position);
    if (join_before && !granules_is_used(map, before)) {
        granules_join(map, position);
        hole.before = position - before;
        hole.start = before;
    }
    if (join_behind && !granules_is_used(map, end)) {
        hole.behind = granules_size(map, end);
        granules_join(map, end);
    }
    granules_unuse(map, hole.start);
    hole.size = size + hole.before + hole.behind;
    granules_put(map, hole.start, hole.size);
    return hole;
}

/* After that, where memory is given back and the hole is not at the top. */
FIT_INLINE void segments_released(struct segments *heap, const struct segments_hole *hole)
{
    if (__builtin_expect(hole->size >= SEGMENTS_UNIT, 0))
        segments_settle(heap, hole);
}

/* The hole at `start` becomes part of the top. */
FIT_INLINE void segments_fall(struct segments *heap, size_t start)
{
    granules_join(&heap->map, heap->top);
    granules_end(&heap->map, start);
    heap->dirty = heap->dirty > heap->top ? heap->dirty : heap->top;
    heap->top = start;
}

/* Where memory is given back. */
FIT_INLINE void segments_fall_returning(struct segments *heap, const struct segments_hole *hole)
{
    segments_fall(heap, hole->start);
    if (hole->before >= SEGMENTS_UNIT || heap->reached - heap->top > SEGMENTS_KEEP)
        segments_fell(heap, hole);
}

#endif
