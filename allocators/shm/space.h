/* First fit over a space of units, in memory that processes share and may die in.
 *
 * Nothing here is a pointer: the space is numbered in units of 8 bytes, its bookkeeping lies beside
 * `struct space` at offsets from it, and the space itself is never touched.
 *
 * 1. The truth is two bits a unit: `start` (a block begins here) and `free` (that block is free).
 *    Blocks tile the space, so the next start ends a block; the last block is the top: free, up to
 *    the end, and not in the index. Every operation changes the truth by single-word stores of
 *    which one commits it; after each of them the bits describe the space before or after the
 *    operation, at worst with free neighbours not joined yet. That is what space_repair starts
 *    from.
 * 2. The rest is derived: a bitmap of the non-empty start words and 64-ary bitmaps above it, which
 *    find a block's neighbours; the largest free block of each group of 64 units and 16-ary maxima
 *    above them, which find the first fit (the tree of D. P. Brent, "Efficient implementation of
 *    the first-fit strategy for dynamic storage allocation", TOPLAS 11(3), 1989, made wide); hints
 *    below which no block of some size begins, which save most of the way down.
 *
 * Every call but space_repair takes O(log units). Callers serialise. */
#ifndef ALLOCATORS_SHM_SPACE_H
#define ALLOCATORS_SHM_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SPACE_UNIT = 8,
    SPACE_SUMMARIES = 5, /* 64-ary levels above the start words */
    SPACE_LEVELS = 8,    /* 16-ary levels of maxima */
    SPACE_STALE = 8,
    SPACE_PARTS = 1 + SPACE_SUMMARIES + SPACE_LEVELS,
    SPACE_HINTS_EXACT_LOG2 = 6,
    SPACE_HINTS_EXACT = 1 << SPACE_HINTS_EXACT_LOG2, /* sizes that have a hint of their own */
    SPACE_HINTS = SPACE_HINTS_EXACT + 32,
};

#define SPACE_NONE UINT64_MAX
#define SPACE_CAPACITY_MAX ((uint64_t)1 << 36) /* units: 512 GiB */

struct space {
    uint64_t units;    /* the space is [0, units) */
    uint64_t capacity; /* units that the bookkeeping has room for */
    uint64_t first;    /* where the first block begins; fixed */
    uint64_t top;      /* where the last block begins; may be `units`, then it is empty */
    uint64_t fresh;    /* no block ever reached from here on: its memory was never written */
    uint64_t live_blocks;
    uint64_t live_units;
    uint64_t part_at[SPACE_PARTS]; /* bytes from this struct */
    uint64_t head_bytes;           /* from this struct to the end of the small parts */
    int32_t stale[SPACE_STALE];    /* nodes of groups whose maximum may be too high; -1: none */
    unsigned stale_next;           /* the one to settle next */
    int32_t hint[SPACE_HINTS];
};

/* A block and its size in units. */
struct space_block {
    uint64_t at;
    uint64_t units;
};

/* Fills the places of the parts for a capacity (at most SPACE_CAPACITY_MAX); they begin `begin`
 * bytes from the struct, which will lie at the start of a page. Returns the bytes from the struct
 * to the end of the last. First come the parts of at most a page, the head; each other one begins
 * on a page. */
size_t space_layout(struct space *space, uint64_t capacity, size_t begin);

/* Bytes from its start that a space of `units` uses of a part. */
size_t space_part_bytes(unsigned part, uint64_t units);

/* `space` was laid out, its parts are zero: one free block [first, units). */
void space_init(struct space *space, uint64_t first, uint64_t units);

/* The lowest free stretch of `units` > 0; SPACE_NONE when there is none (the space may be
 * extended). */
uint64_t space_alloc(struct space *space, uint64_t units);

/* `at` is live. Joined with its free neighbours at once. */
void space_free(struct space *space, uint64_t at);

/* `at` is live and about to be freed: asks for what is looked at then, so that the caches have it
 * while the caller does something else, such as waiting for its turn. Any thread, any time. */
static inline void space_free_soon(const struct space *space, uint64_t at)
{
    enum { GROUP_LOG2 = 6, GROUP_BYTES = 16 };
    const char *base = (const char *)space;
    uint64_t group = at >> GROUP_LOG2;
    __builtin_prefetch(base + space->part_at[0] + group * GROUP_BYTES, 1);
    __builtin_prefetch(base + space->part_at[1 + SPACE_SUMMARIES] + group * sizeof(int32_t), 1);
}

/* The live block that `cut` is inside becomes two live ones, the second beginning at `cut`. */
void space_cut(struct space *space, uint64_t cut);

/* Lengthens a live block to `units` by what follows it, if that is free and enough. */
bool space_widen(struct space *space, uint64_t at, uint64_t units);

/* The space ends at `units` from now on, not below what it was nor above the capacity. */
void space_extend(struct space *space, uint64_t units);

bool space_is_live(const struct space *space, uint64_t at);
bool space_is_last(const struct space *space, uint64_t at);  /* a live block: the top follows */
uint64_t space_size(const struct space *space, uint64_t at); /* of a live block, in units */

/* After the death of a caller at any instruction: completes or drops what it had begun and derives
 * everything but the bits anew. May itself die and be called again. */
void space_repair(struct space *space);

/* The block after `block` in address order, free ones and the top included, *is_free telling; from
 * {first, 0} on. SPACE_NONE in .at: there was none (an empty top is none). */
struct space_block space_next(const struct space *space, struct space_block block, bool *is_free);

/* NULL, or what is wrong: everything derived is compared with the bits. */
const char *space_flaw(const struct space *space);

#endif
