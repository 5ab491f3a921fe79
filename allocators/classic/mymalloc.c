/* The classic mymalloc interface over the buddy engine, in address space of its own. */
#include "allocators/api/mymalloc.h"

#include <string.h>
#include <sys/auxv.h>

#include "allocators/buddy_pages.h"
#include "allocators/classic/export.h"

/* Address space, not memory: more than the pointers of blocks of `int` bytes could fill soon. Where
 * a limit forbids it (ulimit -v) the heap takes half, a quarter, ... of that: whatever there is. */
static const size_t most_to_reserve = REGION_DEFAULT, least_to_reserve = (size_t)1 << 16;

static struct {
    struct region region; /* base NULL: no heap */
    struct buddy_pages heap;
} mymalloc_state;

/* A number that a program does not know, for the check words. */
static uint32_t mymalloc_key(void)
{
    const void *random = (const void *)getauxval(AT_RANDOM); /* sixteen bytes, at any address */
    uint32_t key = 0x6d796d61;
    if (random)
        memcpy(&key, random, sizeof key);
    return key;
}

EXPORT void mymalloc_init(void)
{
    if (mymalloc_state.region.base) {
        classic_complain("mymalloc: mymalloc_init() again without mymalloc_destroy()");
        return;
    }
    struct region *region = &mymalloc_state.region;
    struct err err = {0};
    for (size_t size = most_to_reserve; !region->base && size >= least_to_reserve; size /= 2)
        region_init(region, size, &err);
    if (region->base &&
        buddy_pages_init(&mymalloc_state.heap, region, 0, mymalloc_key(), true) == 0)
        return;
    classic_complain("mymalloc: mymalloc_init() found no memory: %s", err.text);
    region_release(region);
}

EXPORT void mymalloc_destroy(void)
{
    if (!mymalloc_state.region.base) {
        classic_complain("mymalloc: mymalloc_destroy() without mymalloc_init()");
        return;
    }
    region_release(&mymalloc_state.region);
    mymalloc_state.heap = (struct buddy_pages){0}; /* which owns nothing and has no memory */
}

EXPORT void *mymalloc(int size)
{
    if (__builtin_expect(size <= 0 || !mymalloc_state.region.base, 0))
        return NULL;
    return buddy_pages_alloc(&mymalloc_state.heap, (size_t)size);
}

/* What the quick check does not know: large blocks, and what is wrong with a bad call. */
static void mymalloc_free_other(void *ptr)
{
    struct buddy_pages *heap = &mymalloc_state.heap;
    if (!buddy_pages_owns(heap, ptr))
        classic_complain("mymalloc: myfree(%p): no live block begins there, or something was "
                         "written before it",
                         ptr);
    else if (!buddy_pages_intact(heap, ptr))
        classic_complain("mymalloc: myfree(%p): something was written past the end of this block",
                         ptr);
    else
        buddy_pages_free(heap, ptr);
}

EXPORT void myfree(void *ptr)
{
    if (__builtin_expect(!buddy_pages_free_checked(&mymalloc_state.heap, ptr), 0))
        mymalloc_free_other(ptr);
}
