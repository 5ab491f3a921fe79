/* The classic MeMS interface: the main chain, the sub-chains, and a tree over all segments.
 *
 * A mapping is appended to the main chain and never leaves it, so that chain is an array in the
 * order of virtual addresses. Segments are linked within their mapping; besides, they are nodes of
 * one treap by virtual address (Seidel and Aragon, Randomized Search Trees, 1996) in which each
 * knows the largest hole below it: the first hole that fits, and the segment that an address lies
 * in, are found in time logarithmic in their number. */
#include "allocators/api/mems.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "allocators/classic/export.h"

struct segment {
    uintptr_t start; /* MeMS virtual address */
    size_t size;
    size_t largest;       /* hole in this subtree; 0: none */
    uint32_t left, right; /* subtrees; 0: none */
    uint32_t next, prev;  /* in the sub-chain; 0 ends; free nodes: next free one */
    uint32_t mapping;     /* its place in the main chain */
    uint32_t priority : 31;
    uint32_t hole : 1;
};
_Static_assert(sizeof(struct segment) <= 64, "what a segment may cost");

struct mapping {
    char *memory; /* MeMS physical address */
    uintptr_t start;
    size_t bytes;
    uint32_t first;  /* of its sub-chain */
    uint32_t length; /* of its sub-chain */
};

enum { TABLE_STEP = 16384 }; /* bytes */

/* A table of mmap'ed pages that grows to twice its size; entry 0 stays unused. */
struct table {
    void *entries;
    size_t bytes; /* mapped */
    uint32_t count, room;
};

static struct {
    bool running;
    size_t page_size;
    uintptr_t end; /* virtual address of the next mapping */
    size_t pages;
    uint32_t root;
    uint32_t spare, spares; /* free nodes: the first, how many */
    uint32_t random;
    struct table segments, mappings;
} mems;

static uintptr_t mems_start = 1000;

static struct segment *mems_segment(uint32_t at)
{
    return (struct segment *)mems.segments.entries + at;
}

static struct mapping *mems_mapping(uint32_t at)
{
    return (struct mapping *)mems.mappings.entries + at;
}

static bool table_resize(struct table *table, size_t bytes, size_t entry_size)
{
    if (bytes / entry_size > UINT32_MAX)
        return false;
    void *entries = table->bytes ? mremap(table->entries, table->bytes, bytes, MREMAP_MAYMOVE)
                                 : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (entries == MAP_FAILED)
        return false;
    table->entries = entries;
    table->bytes = bytes;
    table->room = (uint32_t)(bytes / entry_size);
    if (table->count == 0)
        table->count = 1;
    return true;
}

/* Room for `count` more entries; where memory is short, by the least step. */
static bool table_reserve(struct table *table, uint32_t count, size_t entry_size)
{
    while (table->room - table->count < count)
        if (!table_resize(table, table->bytes ? 2 * table->bytes : TABLE_STEP, entry_size) &&
            !table_resize(table, table->bytes + TABLE_STEP, entry_size))
            return false;
    return true;
}

static void table_release(struct table *table)
{
    if (table->bytes)
        munmap(table->entries, table->bytes);
    *table = (struct table){0};
}

/* ---- the treap ---- */

static void treap_update(uint32_t at)
{
    struct segment *segment = mems_segment(at);
    size_t left = segment->left ? mems_segment(segment->left)->largest : 0;
    size_t right = segment->right ? mems_segment(segment->right)->largest : 0;
    size_t own = segment->hole ? segment->size : 0;
    segment->largest = left > right ? left : right;
    if (own > segment->largest)
        segment->largest = own;
}

/* What lies below `start` to *left, the rest to *right. */
static void treap_split(uint32_t at, uintptr_t start, uint32_t *left, uint32_t *right)
{
    if (at == 0) {
        *left = *right = 0;
    } else if (mems_segment(at)->start < start) {
        treap_split(mems_segment(at)->right, start, &mems_segment(at)->right, right);
        *left = at;
        treap_update(at);
    } else {
        treap_split(mems_segment(at)->left, start, left, &mems_segment(at)->left);
        *right = at;
        treap_update(at);
    }
}

/* All of `left` lies below all of `right`. */
static uint32_t treap_join(uint32_t left, uint32_t right)
{
    if (left == 0 || right == 0)
        return left ? left : right;
    bool left_above = mems_segment(left)->priority > mems_segment(right)->priority;
    uint32_t top = left_above ? left : right;
    if (left_above)
        mems_segment(left)->right = treap_join(mems_segment(left)->right, right);
    else
        mems_segment(right)->left = treap_join(left, mems_segment(right)->left);
    treap_update(top);
    return top;
}

static void treap_insert(uint32_t node)
{
    uint32_t left, right;
    treap_split(mems.root, mems_segment(node)->start, &left, &right);
    treap_update(node);
    mems.root = treap_join(treap_join(left, node), right);
}

/* The tree `at` without `node`. */
static uint32_t treap_remove(uint32_t at, uint32_t node)
{
    struct segment *segment = mems_segment(at);
    if (at == node)
        return treap_join(segment->left, segment->right);
    if (mems_segment(node)->start < segment->start)
        segment->left = treap_remove(segment->left, node);
    else
        segment->right = treap_remove(segment->right, node);
    treap_update(at);
    return at;
}

/* After a change of the size or the kind of `node`. */
static void treap_refresh(uint32_t at, uint32_t node)
{
    if (at != node)
        treap_refresh(mems_segment(node)->start < mems_segment(at)->start ? mems_segment(at)->left
                                                                          : mems_segment(at)->right,
                      node);
    treap_update(at);
}

/* The segment that holds `address`; 0: none. */
static uint32_t treap_find(uintptr_t address)
{
    uint32_t at = mems.root;
    while (at) {
        const struct segment *segment = mems_segment(at);
        if (address < segment->start)
            at = segment->left;
        else if (address - segment->start < segment->size)
            return at;
        else
            at = segment->right;
    }
    return 0;
}

/* The hole with the lowest address that has `size` bytes; 0: none. */
static uint32_t treap_first_fit(size_t size)
{
    uint32_t at = mems.root;
    if (at == 0 || mems_segment(at)->largest < size)
        return 0;
    for (;;) {
        const struct segment *segment = mems_segment(at);
        if (segment->left && mems_segment(segment->left)->largest >= size)
            at = segment->left;
        else if (segment->hole && segment->size >= size)
            return at;
        else
            at = segment->right;
    }
}

/* ---- the chains ---- */

/* A new node between `prev` and what follows it in its sub-chain; there is room for it. */
static uint32_t mems_add(uint32_t mapping, uint32_t prev, uintptr_t start, size_t size)
{
    uint32_t at = mems.spare;
    if (at) {
        mems.spare = mems_segment(at)->next;
        mems.spares--;
    } else {
        at = mems.segments.count++;
    }
    mems.random = mems.random * 1664525 + 1013904223;
    uint32_t *link = prev ? &mems_segment(prev)->next : &mems_mapping(mapping)->first;
    *mems_segment(at) = (struct segment){.start = start,
                                         .size = size,
                                         .next = *link,
                                         .prev = prev,
                                         .mapping = mapping,
                                         .priority = mems.random >> 1,
                                         .hole = true};
    if (*link)
        mems_segment(*link)->prev = at;
    *link = at;
    mems_mapping(mapping)->length++;
    treap_insert(at);
    return at;
}

/* The hole `at` grows over the hole that follows it, whose node becomes spare. */
static void mems_swallow_next(uint32_t at)
{
    uint32_t gone = mems_segment(at)->next;
    mems.root = treap_remove(mems.root, gone);
    mems_segment(at)->size += mems_segment(gone)->size;
    mems_segment(at)->next = mems_segment(gone)->next;
    if (mems_segment(at)->next)
        mems_segment(mems_segment(at)->next)->prev = at;
    mems_mapping(mems_segment(at)->mapping)->length--;
    mems_segment(gone)->next = mems.spare;
    mems.spare = gone;
    mems.spares++;
}

/* Memory for `size` bytes as a new node of the main chain with one hole; 0: none. */
static uint32_t mems_map(size_t size)
{
    size_t bytes = (size - 1) / mems.page_size * mems.page_size;
    if (__builtin_add_overflow(bytes, mems.page_size, &bytes) || bytes > UINTPTR_MAX - mems.end ||
        !table_reserve(&mems.mappings, 1, sizeof(struct mapping)))
        return 0;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 0;
    uint32_t mapping = mems.mappings.count++;
    *mems_mapping(mapping) = (struct mapping){.memory = memory, .start = mems.end, .bytes = bytes};
    mems.end += bytes;
    mems.pages += bytes / mems.page_size;
    return mems_add(mapping, 0, mems_mapping(mapping)->start, bytes);
}

/* Makes the first `size` bytes of a hole a process; there is room for a node. */
static void mems_occupy(uint32_t at, size_t size)
{
    size_t rest = mems_segment(at)->size - size;
    mems_segment(at)->size = size;
    mems_segment(at)->hole = false;
    treap_refresh(mems.root, at);
    if (rest > 0)
        mems_add(mems_segment(at)->mapping, at, mems_segment(at)->start + size, rest);
}

EXPORT void mems_set_start(uintptr_t start)
{
    mems_start = start;
}

EXPORT void mems_init_paged(size_t page_size)
{
    if (mems.running || page_size == 0) {
        classic_complain(mems.running ? "mems: mems_init() again without mems_finish()"
                                      : "mems: a PAGE_SIZE of 0");
        return;
    }
    memset(&mems, 0, sizeof mems);
    mems.running = true;
    mems.page_size = page_size;
    mems.end = mems_start;
    mems.random = 2463534242u;
}

EXPORT void mems_finish(void)
{
    if (!mems.running) {
        classic_complain("mems: mems_finish() without mems_init()");
        return;
    }
    for (uint32_t at = 1; at < mems.mappings.count; at++)
        munmap(mems_mapping(at)->memory, mems_mapping(at)->bytes);
    table_release(&mems.segments);
    table_release(&mems.mappings);
    mems.running = false;
}

/* Room for `nodes` more nodes, before anything is changed. */
static bool mems_room(uint32_t nodes)
{
    return mems.spares >= nodes ||
           table_reserve(&mems.segments, nodes - mems.spares, sizeof(struct segment));
}

/* A hole of at least `size` bytes, and room for the node of what it leaves; 0: none. */
static uint32_t mems_find(size_t size)
{
    uint32_t at = treap_first_fit(size);
    if (at)
        return mems_room(mems_segment(at)->size > size) ? at : 0;
    return mems_room(2) ? mems_map(size) : 0;
}

EXPORT void *mems_malloc(size_t size)
{
    if (!mems.running || size == 0) {
        errno = EINVAL;
        return NULL;
    }
    int saved = errno;
    uint32_t at = mems_find(size);
    if (at == 0) {
        errno = ENOMEM;
        return NULL;
    }
    mems_occupy(at, size);
    errno = saved;
    return (void *)mems_segment(at)->start;
}

EXPORT void mems_free(void *v_ptr)
{
    uint32_t at = mems.running ? treap_find((uintptr_t)v_ptr) : 0;
    if (at == 0 || mems_segment(at)->hole || mems_segment(at)->start != (uintptr_t)v_ptr) {
        classic_complain("mems: mems_free(%" PRIuPTR "): no live block begins there",
                         (uintptr_t)v_ptr);
        return;
    }
    mems_segment(at)->hole = true;
    if (mems_segment(at)->next && mems_segment(mems_segment(at)->next)->hole)
        mems_swallow_next(at);
    uint32_t prev = mems_segment(at)->prev;
    if (prev && mems_segment(prev)->hole) {
        mems_swallow_next(prev);
        at = prev;
    }
    treap_refresh(mems.root, at);
}

EXPORT void *mems_get(void *v_ptr)
{
    uint32_t at = mems.running ? treap_find((uintptr_t)v_ptr) : 0;
    if (at == 0 || mems_segment(at)->hole)
        return NULL;
    const struct mapping *mapping = mems_mapping(mems_segment(at)->mapping);
    return mapping->memory + ((uintptr_t)v_ptr - mapping->start);
}

/* One line a mapping; returns the bytes of its holes. */
static size_t mems_print_mapping(const struct mapping *mapping)
{
    size_t unused = 0;
    printf("MAIN[%" PRIuPTR ":%" PRIuPTR "]-> ", mapping->start,
           mapping->start + mapping->bytes - 1);
    for (uint32_t at = mapping->first; at; at = mems_segment(at)->next) {
        const struct segment *segment = mems_segment(at);
        printf("%c[%" PRIuPTR ":%" PRIuPTR "] <-> ", segment->hole ? 'H' : 'P', segment->start,
               segment->start + segment->size - 1);
        unused += segment->hole ? segment->size : 0;
    }
    printf("NULL\n");
    return unused;
}

EXPORT void mems_print_stats(void)
{
    uint32_t end = mems.running && mems.mappings.count ? mems.mappings.count : 1;
    size_t unused = 0;
    printf("----- MeMS SYSTEM STATS -----\n");
    for (uint32_t at = 1; at < end; at++)
        unused += mems_print_mapping(mems_mapping(at));
    printf("Pages used:\t%zu\n", mems.running ? mems.pages : 0);
    printf("Space unused:\t%zu\n", unused);
    printf("Main Chain Length:\t%" PRIu32 "\n", end - 1);
    printf("Sub-chain Length array: [");
    for (uint32_t at = 1; at < end; at++)
        printf("%" PRIu32 ", ", mems_mapping(at)->length);
    printf("]\n-----------------------------\n");
}
