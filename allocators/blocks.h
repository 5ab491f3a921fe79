/* The blocks of a heap with boundary tags; the placement policies differ in their index alone.
 *
 * Layout (Knuth, The Art of Computer Programming 1, 2.5, boundary tags): memory is counted in
 * granules of 16 bytes from the region's start. A block at granule g holds user memory from 16g on
 * and has an 8-byte tag before it: its size in bytes, in whole granules, at least two, with flags in
 * the low bits. A free block repeats the tag in its last 8 bytes, so that the block after it finds
 * its start. The user of a block of n granules has 16n - 8 bytes.
 *
 * The rules, the same for every policy:
 * 1. The memory after the last used block is the top. It is no free block: a policy chooses among
 *    the free blocks below it, and only a request that fits none of them is placed at the top's
 *    start. Neighbouring free blocks are one at once; one that reaches the top joins it.
 * 2. A free block is taken at its low end. What is left becomes a free block if it has two granules
 *    or more, else it stays with the used one.
 * 3. realloc shrinks in place and frees the tail if that has two granules or more. It grows in place
 *    into the top, or into the free block behind if the two suffice (rule 2 for what is left), and
 *    otherwise moves: allocate, copy, free.
 * 4. Aligned to a granules: a block of n + a + 1 granules is taken as if it were asked for; the
 *    block begins at its first aligned place with no gap before it or one of two granules or more,
 *    which is then freed, and then the tail as in 3.
 *
 * Everything is inlined into each policy; struct blocks_policy is a constant of the compiler. Hot
 * paths are written to branch on nothing that a program's behaviour makes unpredictable: an absent
 * neighbour is one of size 0. */
#ifndef ALLOCATORS_BLOCKS_H
#define ALLOCATORS_BLOCKS_H

#include <string.h>

#include "allocators/allocator.h"
#include "allocators/fit_map.h"
#include "allocators/fit_store.h"
#include "allocators/region.h"

enum {
    BLOCKS_USED = 1,        /* flags of a tag */
    BLOCKS_BEFORE_USED = 2, /* the block before is used: there is no tag at its end */
    BLOCKS_HOLE = 4,        /* free, and its pages [lo, hi) are decommitted (struct blocks_hole) */
    BLOCKS_PAIR = 1,        /* two granules at least: fit_map.h */
};

/* Stands behind the tag of a free block with BLOCKS_HOLE; offsets in the region, page multiples. */
struct blocks_hole {
    uint64_t lo, hi;
};

struct blocks {
    struct heap heap;
    char *base;       /* the region's */
    size_t top;       /* the granule where the top begins; its tag says used, size 0 */
    size_t committed; /* bytes from the base that are committed, apart from holes */
    size_t limit;     /* the granule that the top never passes */
    size_t dirty;     /* bytes from the base on that have never been written lie from here and top */
    size_t credit;    /* bytes that may yet be given back: see blocks_may_return */
    uint8_t *map;     /* the index's */
    struct region *region;
    struct fit_store store;
};

/* What a policy adds. Positions and sizes in granules; insert, remove and find as in fit_first.h
 * and fit_best.h. `leftover` is what is left of a block whose front was taken. */
struct blocks_policy {
    size_t (*find)(struct blocks *blocks, size_t size);
    void (*insert)(struct blocks *blocks, size_t position, size_t size, bool leftover);
    void (*remove)(struct blocks *blocks, size_t position, size_t size);
    void (*placed)(struct blocks *blocks, size_t end); /* alloc's block ends there; NULL: nothing */
    int (*reach)(struct blocks *blocks, size_t last);  /* positions up to `last` will be used */
    void *(*alloc_large)(struct heap *heap, size_t size); /* the paths not worth inlining */
    void (*free_large)(struct blocks *blocks, size_t position);
};

#define BLOCKS_INLINE static inline __attribute__((always_inline))

/* ---- tags ------------------------------------------------------------------------------------ */

BLOCKS_INLINE uint64_t *blocks_tag(const struct blocks *blocks, size_t position)
{
    return (uint64_t *)(void *)(blocks->base + 16 * position - 8);
}

/* The copy of its tag that a free block before `end` has at its end. */
BLOCKS_INLINE uint64_t *blocks_end_tag(const struct blocks *blocks, size_t end)
{
    return (uint64_t *)(void *)(blocks->base + 16 * end - 16);
}

BLOCKS_INLINE size_t blocks_size(uint64_t tag)
{
    return tag >> 4;
}

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
    return size <= 24 ? 2 : (size + 23) >> 4;
}

/* Requests up to this many bytes are small: fit_large(BLOCKS_PAIR) is never reached. */
#define BLOCKS_SMALL ((size_t)(FIT_LARGE + BLOCKS_PAIR - 1) * 16 - 8)

/* ---- the cold parts, in blocks.c ------------------------------------------------------------- */

/* Lays out a heap of `heap_bytes` in the region, its index in the store: index_bytes(granules, pair)
 * tells the need. 0 and *out, or -errno with a sentence. */
int blocks_create(const struct heap_config *config, const struct allocator *ops, size_t heap_bytes,
                  size_t (*index_bytes)(size_t granules, unsigned pair), struct blocks **out,
                  struct err *err);

/* After the index is initialised: the first pages. */
int blocks_start(struct blocks *blocks, const struct blocks_policy *policy, struct err *err);

/* Commits up to `end` bytes and some more: 0 or -ENOMEM. */
int blocks_reach(struct blocks *blocks, size_t end, const struct blocks_policy *policy);

/* The top has fallen to `position`; `hole` is that of the last free block that joined it, or NULL. */
void blocks_fall(struct blocks *blocks, size_t position, const struct blocks_hole *hole);

/* The free block's tags have been written but say nothing of a hole yet: joins the holes of up to
 * two free blocks that became part of it (lo == hi: none) and gives back large parts. */
void blocks_join(struct blocks *blocks, size_t position, struct blocks_hole before,
                 struct blocks_hole behind);

/* Of a free block with a hole, [position, end) is about to be used, and what follows to be free
 * (unless `end` is its end): commits what that takes. 0 or -ENOMEM; *rest is the hole that is left.
 */
int blocks_fill(struct blocks *blocks, size_t position, size_t size, size_t end,
                struct blocks_hole *rest);

size_t blocks_usable(struct heap *heap, void *ref);
size_t blocks_trim(struct heap *heap);
void blocks_stats(struct heap *heap, struct heap_stats *out);
int blocks_walk(struct heap *heap, heap_visitor *visit, void *arg);
int blocks_check(struct heap *heap, char *why, size_t length);
void blocks_destroy(struct heap *heap);

/* ---- placing --------------------------------------------------------------------------------- */

BLOCKS_INLINE void *blocks_take_top(struct blocks *blocks, size_t size,
                                    const struct blocks_policy *policy)
{
    size_t position = blocks->top;
    if (__builtin_expect((position + size) * 16 > blocks->committed, 0))
        if (size > blocks->limit - position || blocks_reach(blocks, (position + size) * 16, policy))
            return NULL;
    blocks->top = position + size;
    *blocks_tag(blocks, position) = size << 4 | BLOCKS_USED | BLOCKS_BEFORE_USED;
    *blocks_tag(blocks, position + size) = BLOCKS_USED | BLOCKS_BEFORE_USED;
    if (policy->placed)
        policy->placed(blocks, position + size);
    return blocks_pointer(blocks, position);
}

/* Takes the first `size` granules of `room` at a position that the index no longer holds, and frees
 * the rest; `flags` for the tag. Returns the block's end. */
BLOCKS_INLINE size_t blocks_cut(struct blocks *blocks, size_t position, size_t room, size_t size,
                                uint64_t flags, const struct blocks_policy *policy)
{
    size_t rest = room - size;
    rest = rest < 2 ? 0 : rest;
    size_t end = position + room - rest;
    uint64_t next = *blocks_tag(blocks, end) | BLOCKS_BEFORE_USED;
    *blocks_tag(blocks, position) = (room - rest) << 4 | flags;
    *blocks_tag(blocks, end) = rest ? rest << 4 | BLOCKS_BEFORE_USED : next;
    /* Without a rest this falls into the block's own last bytes, which nobody has used yet. */
    *blocks_end_tag(blocks, position + room) = rest << 4;
    policy->insert(blocks, end, rest, true);
    return end;
}

/* A small piece of a free block of `room` granules, small too. */
BLOCKS_INLINE void *blocks_take_small(struct blocks *blocks, size_t position, size_t room,
                                      size_t size, const struct blocks_policy *policy)
{
    policy->remove(blocks, position, room);
    size_t end =
        blocks_cut(blocks, position, room, size, BLOCKS_USED | BLOCKS_BEFORE_USED, policy);
    if (policy->placed)
        policy->placed(blocks, end);
    return blocks_pointer(blocks, position);
}
