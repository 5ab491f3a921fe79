/* bump: a pointer that only moves up; free does nothing.
 *
 * 1. A block is an 8-byte header (its size in bytes, header included; bit 0: in use; on top a check
 *    of the header's address) and a payload aligned to 16.
 * 2. alloc writes a header at the top and moves the top; memory is committed in large steps.
 * 3. Blocks lie end to end, so the walk follows the sizes. A gap left by an aligned allocation is a
 *    block that is not in use. */
#include <errno.h>
#include <stdio.h>

#include "allocators/allocator.h"
#include "allocators/region.h"

enum { BUMP_ALIGN = 16, BUMP_HEADER = 8, BUMP_USED = 1, BUMP_STEP = 1 << 18 };

struct bump {
    struct heap heap;
    struct region *region;
    char *top; /* where the next header goes: 8 below a multiple of 16 */
    char *end; /* of what is committed */
};

static char *bump_first(struct bump *bump)
{
    _Static_assert(sizeof(struct bump) % BUMP_ALIGN == 0, "the first header is 8 below a multiple");
    return (char *)(bump + 1) + BUMP_ALIGN - BUMP_HEADER;
}

static uint64_t *bump_header(char *block)
{
    return (uint64_t *)(void *)block;
}

/* 16 bits on top, which the data inside of a block will hardly have. */
static uint64_t bump_check_bits(const char *block)
{
    return (uintptr_t)block * UINT64_C(0x9e3779b97f4a7c15) & UINT64_C(0xffff) << 48;
}

/* Its size in bytes and whether it is in use; nonsense for what is no header. */
static uint64_t bump_state(char *block)
{
    return *bump_header(block) ^ bump_check_bits(block);
}

static int bump_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    struct region *region = config->region;
    if (region_commit(region, 0, region_page()) < 0)
        return err_set(err, ENOMEM, "bump: no memory for its first page");
    struct bump *bump = (struct bump *)(void *)region->base;
    bump->heap.ops = &allocator_bump;
    bump->region = region;
    bump->top = bump_first(bump);
    bump->end = region->base + region_page();
    *out = &bump->heap;
    return 0;
}

static void bump_destroy(struct heap *heap)
{
    (void)heap;
}

static bool bump_commit(struct bump *bump, size_t bytes)
{
    if (region_commit(bump->region, (size_t)(bump->end - bump->region->base), bytes) < 0)
        return false;
    bump->end += bytes;
    return true;
}

/* Room for `bytes` above the top. */
static bool bump_reach(struct bump *bump, size_t bytes)
{
    size_t room = (size_t)(bump->end - bump->top);
    if (bytes <= room)
        return true;
    size_t mask = region_page() - 1;
    size_t missing = (bytes - room + mask) & ~mask;
    return (missing < BUMP_STEP && bump_commit(bump, BUMP_STEP)) || bump_commit(bump, missing);
}

/* The block's size in bytes, or 0 when it would overflow. */
static size_t bump_block_size(size_t size)
{
    if (size > SIZE_MAX / 2)
        return 0;
    return (size + BUMP_HEADER + BUMP_ALIGN - 1) & ~(size_t)(BUMP_ALIGN - 1);
}

static void *bump_take(struct bump *bump, size_t bytes, unsigned used)
{
    char *block = bump->top;
    *bump_header(block) = (bytes | used) ^ bump_check_bits(block);
    bump->top += bytes;
    return block + BUMP_HEADER;
}

static void *bump_alloc(struct heap *heap, size_t size)
{
    struct bump *bump = (struct bump *)heap;
    size_t bytes = bump_block_size(size);
    if (!bytes || !bump_reach(bump, bytes))
        return NULL;
    return bump_take(bump, bytes, BUMP_USED);
}

static void *bump_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    struct bump *bump = (struct bump *)heap;
    size_t bytes = bump_block_size(size);
    size_t gap = -(uintptr_t)(bump->top + BUMP_HEADER) & (align - 1);
    if (!bytes || align > SIZE_MAX / 4 || !bump_reach(bump, gap + bytes))
        return NULL;
    if (gap)
        bump_take(bump, gap, 0);
    return bump_take(bump, bytes, BUMP_USED);
}

static void bump_free(struct heap *heap, void *ref)
{
    (void)heap;
    (void)ref;
}

static size_t bump_usable_size(struct heap *heap, void *ref)
{
    (void)heap;
    return (bump_state((char *)ref - BUMP_HEADER) & ~(uint64_t)BUMP_USED) - BUMP_HEADER;
}

/* A block that was freed is live as any other. */
static bool bump_owns(struct heap *heap, const void *pointer)
{
    struct bump *bump = (struct bump *)heap;
    char *first = bump_first(bump);
    size_t offset = (uintptr_t)pointer - BUMP_HEADER - (uintptr_t)first;
    size_t end = (size_t)(bump->top - first);
    if (offset >= end || offset % BUMP_ALIGN)
        return false;
    uint64_t state = bump_state(first + offset);
    return state & BUMP_USED && state - BUMP_USED > 0 && state - BUMP_USED <= end - offset;
}

static int bump_walk(struct heap *heap, heap_visitor *visit, void *arg)
{
    struct bump *bump = (struct bump *)heap;
    char *base = bump->region->base, *at = bump_first(bump);
    struct span area = {SPAN_AREA, base, (size_t)(bump->end - base), NULL, 0};
    struct span meta = {SPAN_META, base, (size_t)(at - base), NULL, 0};
    if (visit(arg, &area) || visit(arg, &meta))
        return 1;
    while (at < bump->top) {
        uint64_t header = bump_state(at);
        size_t size = header & ~(uint64_t)BUMP_USED;
        struct span used = {SPAN_USED, at, size, at + BUMP_HEADER, size - BUMP_HEADER};
        struct span gap = {SPAN_FREE, at, size, NULL, 0};
        if (visit(arg, header & BUMP_USED ? &used : &gap))
            return 1;
        at += size;
    }
    struct span rest = {SPAN_FREE, at, (size_t)(bump->end - at), NULL, 0};
    return rest.size && visit(arg, &rest) ? 1 : 0;
}

static int bump_check(struct heap *heap, char *why, size_t length)
{
    struct bump *bump = (struct bump *)heap;
    for (char *at = bump_first(bump); at < bump->top;) {
        uint64_t size = bump_state(at) & ~(uint64_t)BUMP_USED;
        if (size == 0 || size % BUMP_ALIGN || size > (size_t)(bump->top - at)) {
            snprintf(why, length, "bump: the header at %p says %#llx", (void *)at,
                     (unsigned long long)size);
            return -EUCLEAN;
        }
        at += size;
    }
    return 0;
}

static void bump_stats(struct heap *heap, struct heap_stats *out)
{
    out->held_bytes = ((struct bump *)heap)->region->committed;
}

const struct allocator allocator_bump = {
    .name = "bump",
    .summary = "a pointer that only moves up; free does nothing",
    .align = BUMP_ALIGN,
    .threads = THREADS_ONE,
    .scope = SCOPE_HEAP,
    .flags = ALLOCATOR_NO_FREE | ALLOCATOR_WALK_TILES | ALLOCATOR_FORK_SAFE,
    .create = bump_create,
    .destroy = bump_destroy,
    .alloc = bump_alloc,
    .zalloc = bump_alloc, /* nobody has had it before */
    .free = bump_free,
    .alloc_aligned = bump_alloc_aligned,
    .usable_size = bump_usable_size,
    .owns = bump_owns,
    .stats = bump_stats,
    .walk = bump_walk,
    .check = bump_check,
};
