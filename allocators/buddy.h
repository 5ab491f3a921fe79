/* What is known of a heap of buddies; buddy.c says how they are placed. */
#ifndef ALLOCATORS_BUDDY_H
#define ALLOCATORS_BUDDY_H

#include "allocators/allocator.h"
#include "allocators/fit_store.h"
#include "allocators/region.h"

enum {
    BUDDY_ALIGN = 16,
    BUDDY_ORDERS = 40,
    BUDDY_USED = 0x40, /* a byte of the map: one of these, and the order */
    BUDDY_FREE = 0x80,
    BUDDY_SEEN = 0xc0, /* free, while a stack is rid of what is not */
    BUDDY_ORDER = 0x3f,
    BUDDY_SPARE = 64,        /* places that a stack may hold beside twice those that are free */
    BUDDY_SLACK = 1024,      /* places that it keeps room for besides twice those that it holds */
    BUDDY_AHEAD_SHARE = 32,  /* commit this share more than is needed */
    BUDDY_CREDIT_SHARE = 64, /* giving back is bounded by this share of what large blocks take, */
    BUDDY_TABLES = 20,       /* the tables may have that share of what is held, */
    BUDDY_GONE_MAX = 8192,   /* and by mappings: a process may have 65,530 */
};

/* BUDDY_GONE: decommitted; BUDDY_RETIRED: and what the map tells of it, but for the first page. */
enum buddy_gone { BUDDY_HELD, BUDDY_GONE, BUDDY_RETIRED };

#define BUDDY_CHUNK ((size_t)1 << 20)   /* is given back as a whole */
#define BUDDY_CREDIT ((size_t)32 << 20) /* bytes that may be given back to begin with */

/* Places of one order, the last on top. Of several that are the same only the highest counts. */
struct buddy_stack {
    uint32_t *place;
    size_t count; /* places in it */
    size_t room;  /* that are committed */
    size_t free;  /* blocks of the order that are free */
};

/* Places and sizes are counted in units of `min` bytes. */
struct buddy {
    struct heap heap;
    char *base; /* of the blocks: as aligned as any block can be */
    uint8_t *map;
    uint8_t *gone; /* a byte a chunk: enum buddy_gone */
    size_t gone_count, retired_count;
    uint64_t some; /* bit k: order k has a free block */
    size_t top;    /* the end of the heap */
    size_t limit;  /* which it never passes */
    size_t committed;
    unsigned min_log2;
    unsigned base_order; /* the least to grow by */
    unsigned chunk_order;
    size_t credit; /* bytes that may be given back before more is allocated */
    struct region *region;
    struct fit_store store;
    struct buddy_stack stack[BUDDY_ORDERS];
};

static inline size_t buddy_place(const struct buddy *buddy, const void *pointer)
{
    return (size_t)((const char *)pointer - buddy->base) >> buddy->min_log2;
}

static inline void *buddy_pointer(const struct buddy *buddy, size_t place)
{
    return buddy->base + (place << buddy->min_log2);
}

static inline size_t buddy_units(unsigned order)
{
    return (size_t)1 << order;
}

static inline size_t buddy_bytes(const struct buddy *buddy, unsigned order)
{
    return (size_t)1 << (order + buddy->min_log2);
}

/* Bytes of the map that tell of a chunk but for the first page, where a block may begin that holds
 * it as a whole: of a chunk that is gone they are zero, not held, and not to be written. */
static inline size_t buddy_retired(const struct buddy *buddy)
{
    size_t bytes = BUDDY_CHUNK >> buddy->min_log2, page = region_page();
    return bytes > page ? bytes - page : 0;
}

/* Large free blocks are given back chunk by chunk; `gone` tells which chunks are. */
static inline size_t buddy_chunk(const struct buddy *buddy, size_t place)
{
    return place >> buddy->chunk_order;
}

/* The order for `size` > 0 bytes. */
static inline unsigned buddy_order(const struct buddy *buddy, size_t size)
{
    size_t units = (size - 1) >> buddy->min_log2;
    return units ? 64 - (unsigned)__builtin_clzll(units) : 0;
}

/* Keeps of each place in a stack that is free the highest, in order. */
void buddy_tidy(struct buddy *buddy, unsigned order);

/* Gives a free block of at least a chunk back, as far as the credit goes. */
void buddy_give(struct buddy *buddy, size_t place, unsigned order);

/* A block that is about to be used has memory, or the chunk that it lies in: 0 or -ENOMEM. */
int buddy_fill(struct buddy *buddy, size_t place, unsigned order);

/* The hooks of the same names; see allocator.h. */
void buddy_stats(struct heap *heap, struct heap_stats *out);
int buddy_walk(struct heap *heap, heap_visitor *visit, void *arg);
int buddy_check(struct heap *heap, char *why, size_t length);

#endif
