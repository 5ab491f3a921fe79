/* buddy: binary buddies of any size from `min` up, over the whole region.
 *
 * 1. A block of order k has min * 2^k bytes and starts at a multiple of its size. alloc takes, of
 *    the smallest order that is sufficient and has a free block, the one freed last, and halves it
 *    down to the order asked for: the lower half is kept, the upper becomes free.
 * 2. free joins the block with its buddy while that is free as a whole, then puts it in front.
 * 3. When no order has a block, the heap grows at its end by one of `base` bytes, or of the order
 *    asked for if that is larger; what lies before it for its alignment is freed, lowest first.
 * 4. realloc in place frees upper halves to shrink, and grows if the block is the lower half and
 * the upper one free, at each order up to the one needed. There are no headers: a byte for each
 * `min` bytes, out of band, tells the order of the block that begins there and whether it is free,
 * so that a request of 2^i bytes takes 2^i. The lists' links stand in the free blocks. Source:
 * Knuth, The Art of Computer Programming 1, 2.5, algorithms R and S (Knowlton 1965). Bound: each
 * call O(log n) in sizes; internal fragmentation below one half. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "allocators/allocator.h"
#include "allocators/fit_store.h"
#include "allocators/region.h"

enum {
    BUDDY_ALIGN = 16,
    BUDDY_ORDERS = 40,
    BUDDY_USED = 0x40, /* a byte of the map: one of these, and the order */
    BUDDY_FREE = 0x80,
    BUDDY_ORDER = 0x3f,
    BUDDY_AHEAD_SHARE = 32, /* commit this share more than is needed */
    BUDDY_CREDIT_SHARE = 64, /* giving back is bounded by this share of what large blocks take, */
    BUDDY_GONE_MAX = 8192,  /* and by mappings: a process may have 65,530 */
};

#define BUDDY_CHUNK ((size_t)1 << 20)   /* is given back as a whole */
#define BUDDY_CREDIT ((size_t)32 << 20) /* bytes that may be given back to begin with */

struct buddy_link {
    struct buddy_link *prev, *next;
};

/* Places and sizes are counted in units of `min` bytes. */
struct buddy {
    struct heap heap;
    char *base; /* of the blocks: as aligned as any block can be */
    uint8_t *map;
    uint8_t *gone; /* a byte a chunk: 1 when its pages but the first are decommitted */
    size_t gone_count;
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
    struct buddy_link list[BUDDY_ORDERS];
};

static const struct option_row buddy_options[] = {
    {"min", OPTION_SIZE, "16", "bytes of the smallest block, a power of two from 16 on", NULL},
    {"base", OPTION_SIZE, "64k", "bytes to grow by at least, a power of two", NULL},
    {NULL, OPTION_FLAG, NULL, NULL, NULL},
};

/* ---- places ---------------------------------------------------------------------------------- */

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

static size_t buddy_bytes(const struct buddy *buddy, unsigned order)
{
    return (size_t)1 << (order + buddy->min_log2);
}

/* The order for `size` > 0 bytes. */
static inline unsigned buddy_order(const struct buddy *buddy, size_t size)
{
    size_t units = (size - 1) >> buddy->min_log2;
    return units ? 64 - (unsigned)__builtin_clzll(units) : 0;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static inline void buddy_push(struct buddy *buddy, size_t place, unsigned order)
{
    struct buddy_link *link = buddy_pointer(buddy, place), *list = &buddy->list[order];
    link->prev = list;
    link->next = list->next;
    list->next->prev = link;
    list->next = link;
    buddy->some |= (uint64_t)1 << order;
    buddy->map[place] = (uint8_t)(BUDDY_FREE | order);
}

static inline void buddy_unlink(struct buddy *buddy, size_t place, unsigned order)
{
    struct buddy_link *link = buddy_pointer(buddy, place), *list = &buddy->list[order];
    link->prev->next = link->next;
    link->next->prev = link->prev;
    buddy->some &= ~((uint64_t)(list->next == list) << order);
}

/* ---- giving back ----------------------------------------------------------------------------- */

/* Large free blocks are given back chunk by chunk, each but for its first page, where links may
 * stand; `gone` tells which chunks are. */
static size_t buddy_chunk(const struct buddy *buddy, size_t place)
{
    return place >> buddy->chunk_order;
}

static size_t buddy_chunk_offset(const struct buddy *buddy, size_t chunk)
{
    return (size_t)(buddy->base - buddy->region->base) + chunk * BUDDY_CHUNK + region_page();
}

/* A free block of at least a chunk, as far as the credit goes. */
static void buddy_give(struct buddy *buddy, size_t place, unsigned order)
{
    size_t end = buddy_chunk(buddy, place + buddy_units(order));
    for (size_t chunk = buddy_chunk(buddy, place); chunk < end; chunk++) {
        if (buddy->gone[chunk])
            continue;
        if (buddy->credit < BUDDY_CHUNK || buddy->gone_count >= BUDDY_GONE_MAX)
            return;
        buddy->credit -= BUDDY_CHUNK;
        region_decommit(buddy->region, buddy_chunk_offset(buddy, chunk),
                        BUDDY_CHUNK - region_page());
        buddy->gone[chunk] = 1;
        buddy->gone_count++;
    }
}

/* A block that is about to be used, or the chunk that it lies in: 0 or -ENOMEM. */
static int buddy_fill(struct buddy *buddy, size_t place, unsigned order)
{
    size_t last = buddy_chunk(buddy, place + buddy_units(order) - 1);
    for (size_t chunk = buddy_chunk(buddy, place); chunk <= last; chunk++) {
        if (!buddy->gone[chunk])
            continue;
        if (region_commit(buddy->region, buddy_chunk_offset(buddy, chunk),
                          BUDDY_CHUNK - region_page()))
            return -ENOMEM;
        buddy->gone[chunk] = 0;
        buddy->gone_count--;
    }
    return 0;
}

/* ---- freeing --------------------------------------------------------------------------------- */

static inline void buddy_release(struct buddy *buddy, size_t place, unsigned order)
{
    for (;; order++) {
        size_t other = place ^ buddy_units(order);
        if (other >= buddy->top || buddy->map[other] != (BUDDY_FREE | order))
            break;
        buddy_unlink(buddy, other, order);
        place &= ~buddy_units(order);
    }
    buddy_push(buddy, place, order);
    if (__builtin_expect(order >= buddy->chunk_order, 0))
        buddy_give(buddy, place, order);
}

static void buddy_free(struct heap *heap, void *ref)
{
    struct buddy *buddy = (struct buddy *)heap;
    size_t place = buddy_place(buddy, ref);
    buddy_release(buddy, place, buddy->map[place] & BUDDY_ORDER);
}

/* ---- allocating ------------------------------------------------------------------------------ */

/* Frees upper halves of a used block until it is of `order`. */
static inline void buddy_halve(struct buddy *buddy, size_t place, unsigned from, unsigned order)
{
    while (from > order) {
        from--;
        buddy_push(buddy, place + buddy_units(from), from);
    }
    buddy->map[place] = (uint8_t)(BUDDY_USED | order);
}

/* The same for a block of `from` while the lists of the orders from `order` on to it are empty. */
static inline void buddy_split(struct buddy *buddy, size_t place, unsigned from, unsigned order)
{
    buddy->some |= buddy_units(from) - buddy_units(order);
    buddy->map[place] = (uint8_t)(BUDDY_USED | order);
    while (from > order) {
        from--;
        size_t upper = place + buddy_units(from);
        struct buddy_link *link = buddy_pointer(buddy, upper), *list = &buddy->list[from];
        *link = (struct buddy_link){list, list};
        *list = (struct buddy_link){link, link};
        buddy->map[upper] = (uint8_t)(BUDDY_FREE | from);
    }
}

static int buddy_commit_exactly(struct buddy *buddy, size_t to)
{
    size_t offset = (size_t)((char *)buddy_pointer(buddy, buddy->committed) - buddy->region->base);
    if (fit_store_reach(&buddy->store, buddy->map, to) ||
        fit_store_reach(&buddy->store, buddy->gone, buddy_chunk(buddy, to) + 1) ||
        region_commit(buddy->region, offset, (to - buddy->committed) << buddy->min_log2))
        return -ENOMEM;
    buddy->committed = to;
    return 0;
}

/* Up to `to`, and some more where that is little. */
static int buddy_commit(struct buddy *buddy, size_t to)
{
    if (to <= buddy->committed)
        return 0;
    size_t base = buddy_units(buddy->base_order), from = buddy->committed;
    size_t ahead = from + (from / BUDDY_AHEAD_SHARE & ~(base - 1)) + base;
    if (to > ahead || ahead > buddy->limit || buddy_commit_exactly(buddy, ahead))
        return buddy_commit_exactly(buddy, to);
    region_populate(buddy->region,
                    (size_t)((char *)buddy_pointer(buddy, from) - buddy->region->base),
                    (ahead - from) << buddy->min_log2);
    return 0;
}

/* A block of at least `order` at the heap's end: its place, or SIZE_MAX; *from is its order. */
static size_t buddy_grow(struct buddy *buddy, unsigned order, unsigned *from)
{
    unsigned grown = order > buddy->base_order ? order : buddy->base_order;
    size_t mask = buddy_units(grown) - 1, place = (buddy->top + mask) & ~mask;
    if (place >= buddy->limit || mask >= buddy->limit - place ||
        buddy_commit(buddy, place + mask + 1))
        return SIZE_MAX;
    while (buddy->top < place) {
        size_t gap = buddy->top;
        unsigned part = (unsigned)__builtin_ctzll(gap);
        buddy->top += buddy_units(part);
        buddy_release(buddy, gap, part);
    }
    buddy->top = place + mask + 1;
    *from = grown;
    return place;
}

static size_t buddy_take(struct buddy *buddy, unsigned order, unsigned *from)
{
    uint64_t some = buddy->some >> order;
    if (__builtin_expect(!some, 0))
        return buddy_grow(buddy, order, from);
    *from = order + (unsigned)__builtin_ctzll(some);
    size_t place = buddy_place(buddy, buddy->list[*from].next);
    if (__builtin_expect(*from >= buddy->chunk_order, 0) && buddy_fill(buddy, place, order))
        return SIZE_MAX;
    buddy_unlink(buddy, place, *from);
    return place;
}

static void *buddy_alloc_order(struct buddy *buddy, unsigned order)
{
    unsigned from;
    size_t place = buddy_take(buddy, order, &from);
    if (place == SIZE_MAX)
        return NULL;
    if (order >= buddy->chunk_order)
        buddy->credit += buddy_bytes(buddy, order) / BUDDY_CREDIT_SHARE;
    buddy_split(buddy, place, from, order);
    return buddy_pointer(buddy, place);
}

static void *buddy_alloc(struct heap *heap, size_t size)
{
    struct buddy *buddy = (struct buddy *)heap;
    unsigned order = buddy_order(buddy, size);
    return order < BUDDY_ORDERS ? buddy_alloc_order(buddy, order) : NULL;
}

/* What the heap has just grown by is zero already. */
static void *buddy_zalloc(struct heap *heap, size_t size)
{
    struct buddy *buddy = (struct buddy *)heap;
    size_t top = buddy->top;
    void *fresh = buddy_alloc(heap, size);
    if (fresh && buddy_place(buddy, fresh) < top)
        memset(fresh, 0, size);
    return fresh;
}

static void *buddy_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    struct buddy *buddy = (struct buddy *)heap;
    if ((uintptr_t)buddy->base & (align - 1))
        return NULL;
    return buddy_alloc(heap, size > align ? size : align);
}

/* Whether the upper halves of all orders from `from` to below `to` are free and can be used. */
static bool buddy_can_grow(struct buddy *buddy, size_t place, unsigned from, unsigned to)
{
    for (unsigned order = from; order < to; order++) {
        size_t upper = place + buddy_units(order);
        if (place & buddy_units(order) || upper >= buddy->top ||
            buddy->map[upper] != (BUDDY_FREE | order))
            return false;
    }
    return to <= buddy->chunk_order || !buddy_fill(buddy, place, to);
}

static void *buddy_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    struct buddy *buddy = (struct buddy *)heap;
    size_t place = buddy_place(buddy, ref);
    unsigned from = buddy->map[place] & BUDDY_ORDER, order = buddy_order(buddy, size);
    (void)old_size;
    if (order <= from) {
        buddy_halve(buddy, place, from, order);
        return ref;
    }
    if (buddy_can_grow(buddy, place, from, order)) {
        for (unsigned half = from; half < order; half++)
            buddy_unlink(buddy, place + buddy_units(half), half);
        buddy->map[place] = (uint8_t)(BUDDY_USED | order);
        return ref;
    }
    void *fresh = buddy_alloc(heap, size);
    if (fresh) {
        memcpy(fresh, ref, buddy_bytes(buddy, from));
        buddy_release(buddy, place, from);
    }
    return fresh;
}

/* ---- creating -------------------------------------------------------------------------------- */

static int buddy_log2(uint64_t bytes, uint64_t least, const char *option, struct err *err)
{
    if (bytes & (bytes - 1) || bytes < least || bytes > BUDDY_CHUNK)
        return err_set(err, EINVAL, "buddy: %s=%llu: take a power of two from %llu to %llu bytes",
                       option, (unsigned long long)bytes, (unsigned long long)least,
                       (unsigned long long)BUDDY_CHUNK);
    return __builtin_ctzll(bytes);
}

/* Where the blocks begin in the region: aligned to at most an eighth of it. */
static size_t buddy_lead(const struct region *region)
{
    size_t align = region_page();
    while (align < region->reserved / 16)
        align *= 2;
    return -(uintptr_t)region->base & (align - 1);
}

static void buddy_init(struct buddy *buddy, struct region *region, size_t lead, size_t control)
{
    size_t room = (size_t)((char *)buddy - region->base) - lead;
    buddy->heap.ops = &allocator_buddy;
    buddy->base = region->base + lead;
    buddy->region = region;
    buddy->limit = room >> buddy->min_log2;
    buddy->chunk_order = (unsigned)__builtin_ctzll(BUDDY_CHUNK) - buddy->min_log2;
    buddy->credit = BUDDY_CREDIT;
    buddy->store.region = region;
    buddy->store.next = (char *)buddy + control;
    buddy->map = (uint8_t *)fit_store_table(&buddy->store, buddy->limit);
    buddy->gone = (uint8_t *)fit_store_table(&buddy->store, buddy_chunk(buddy, buddy->limit) + 1);
    for (int i = 0; i < BUDDY_ORDERS; i++)
        buddy->list[i] = (struct buddy_link){&buddy->list[i], &buddy->list[i]};
}

static int buddy_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    struct region *region = config->region;
    int min = buddy_log2(config->values[0].number, BUDDY_ALIGN, "min", err);
    if (min < 0)
        return min;
    uint64_t least = config->values[0].number;
    int base = buddy_log2(config->values[1].number, least > region_page() ? least : region_page(),
                          "base", err);
    if (base < 0)
        return base;
    size_t lead = buddy_lead(region), control = fit_store_bytes(sizeof(struct buddy));
    size_t map = fit_store_bytes(region->reserved >> min);
    size_t gone = fit_store_bytes(region->reserved / BUDDY_CHUNK + 1);
    size_t apart = lead + control + map + gone;
    if (apart + ((size_t)1 << base) > region->reserved)
        return err_set(err, ENOMEM, "buddy: a region of %zu bytes is too small", region->reserved);
    size_t offset = region->reserved - control - map - gone;
    if (region_commit(region, offset, control))
        return err_set(err, ENOMEM, "buddy: no memory for its first page");
    struct buddy *buddy = (struct buddy *)(void *)(region->base + offset);
    buddy->min_log2 = (unsigned)min;
    buddy->base_order = (unsigned)(base - min);
    buddy_init(buddy, region, lead, control);
    *out = &buddy->heap;
    return 0;
}

static void buddy_destroy(struct heap *heap)
{
    (void)heap;
}

/* ---- looking through ------------------------------------------------------------------------- */

static size_t buddy_usable_size(struct heap *heap, void *ref)
{
    const struct buddy *buddy = (const struct buddy *)heap;
    return buddy_bytes(buddy, buddy->map[buddy_place(buddy, ref)] & BUDDY_ORDER);
}

static size_t buddy_trim(struct heap *heap)
{
    struct buddy *buddy = (struct buddy *)heap;
    size_t before = buddy->region->committed;
    for (unsigned order = buddy->chunk_order; order < BUDDY_ORDERS; order++)
        for (struct buddy_link *link = buddy->list[order].next; link != &buddy->list[order];
             link = link->next) {
            buddy->credit += buddy_bytes(buddy, order);
            buddy_give(buddy, buddy_place(buddy, link), order);
        }
    return before - buddy->region->committed;
}

static size_t buddy_metadata(const struct buddy *buddy)
{
    const struct fit_table *table = buddy->store.table;
    return (size_t)(table[0].base - (const char *)buddy) + table[0].committed + table[1].committed;
}

static void buddy_stats(struct heap *heap, struct heap_stats *out)
{
    const struct buddy *buddy = (const struct buddy *)heap;
    *out = (struct heap_stats){
        .held_bytes = buddy->region->committed,
        .metadata_bytes = buddy_metadata(buddy),
    };
    for (size_t place = 0; place < buddy->top;) {
        unsigned order = buddy->map[place] & BUDDY_ORDER;
        bool used = (buddy->map[place] & BUDDY_USED) != 0;
        out->live_blocks += used;
        *(used ? &out->live_bytes : &out->free_bytes) += buddy_bytes(buddy, order);
        place += buddy_units(order);
    }
}

static int buddy_walk_meta(const char *start, size_t size, heap_visitor *visit, void *arg)
{
    struct span area = {SPAN_AREA, start, size, NULL, 0};
    struct span meta = {SPAN_META, start, size, NULL, 0};
    return size && (visit(arg, &area) || visit(arg, &meta));
}

static int buddy_walk(struct heap *heap, heap_visitor *visit, void *arg)
{
    const struct buddy *buddy = (const struct buddy *)heap;
    size_t end = buddy->top << buddy->min_log2, committed = buddy->committed << buddy->min_log2;
    struct span area = {SPAN_AREA, buddy->base, committed, NULL, 0};
    struct span rest = {SPAN_FREE, buddy->base + end, committed - end, NULL, 0};
    if (area.size && visit(arg, &area))
        return 1;
    for (size_t place = 0; place < buddy->top;) {
        unsigned order = buddy->map[place] & BUDDY_ORDER;
        char *start = buddy_pointer(buddy, place);
        size_t bytes = buddy_bytes(buddy, order);
        struct span span = {SPAN_FREE, start, bytes, NULL, 0};
        if (buddy->map[place] & BUDDY_USED)
            span = (struct span){SPAN_USED, start, bytes, start, bytes};
        if (visit(arg, &span))
            return 1;
        place += buddy_units(order);
    }
    if (rest.size && visit(arg, &rest))
        return 1;
    const struct fit_table *table = buddy->store.table;
    const char *control = (const char *)buddy;
    return buddy_walk_meta(control, (size_t)(table[0].base - control), visit, arg) ||
           buddy_walk_meta(table[0].base, table[0].committed, visit, arg) ||
           buddy_walk_meta(table[1].base, table[1].committed, visit, arg);
}

/* Whether a link of a free block of `order` at `place` leads where one can. */
static bool buddy_link_is_sound(const struct buddy *buddy, const struct buddy_link *link,
                                unsigned order)
{
    if (link == &buddy->list[order])
        return true;
    size_t offset = (size_t)((const char *)link - buddy->base);
    return offset < buddy->top << buddy->min_log2 && offset % buddy_bytes(buddy, order) == 0 &&
           buddy->map[buddy_place(buddy, link)] == (BUDDY_FREE | order);
}

/* NULL, or what is wrong with the block at `place`. */
static const char *buddy_flaw(const struct buddy *buddy, size_t place)
{
    uint8_t byte = buddy->map[place];
    unsigned order = byte & BUDDY_ORDER;
    if (!(byte & BUDDY_USED) == !(byte & BUDDY_FREE) || order >= BUDDY_ORDERS ||
        place & (buddy_units(order) - 1) || buddy_units(order) > buddy->top - place)
        return "its order is impossible";
    if (byte & BUDDY_USED)
        return NULL;
    size_t other = place ^ buddy_units(order);
    if (other < buddy->top && buddy->map[other] == byte)
        return "it and its buddy are both free";
    const struct buddy_link *link = buddy_pointer(buddy, place);
    if (!buddy_link_is_sound(buddy, link->prev, order) ||
        !buddy_link_is_sound(buddy, link->next, order) || link->prev->next != link ||
        link->next->prev != link)
        return "its links are damaged";
    return NULL;
}

static int buddy_check(struct heap *heap, char *why, size_t length)
{
    const struct buddy *buddy = (const struct buddy *)heap;
    for (size_t place = 0; place < buddy->top;
         place += buddy_units(buddy->map[place] & BUDDY_ORDER)) {
        const char *flaw = buddy_flaw(buddy, place);
        if (flaw) {
            snprintf(why, length, "buddy: the block at %p is damaged: %s",
                     buddy_pointer(buddy, place), flaw);
            return -EUCLEAN;
        }
    }
    return 0;
}

const struct allocator allocator_buddy = {
    .name = "buddy",
    .summary = "binary buddies, powers of two from min= up, the block freed last first",
    .align = BUDDY_ALIGN,
    .threads = THREADS_ONE,
    .scope = SCOPE_HEAP,
    .flags = ALLOCATOR_WALK_TILES | ALLOCATOR_FORK_SAFE,
    .options = buddy_options,
    .create = buddy_create,
    .destroy = buddy_destroy,
    .alloc = buddy_alloc,
    .free = buddy_free,
    .zalloc = buddy_zalloc,
    .realloc = buddy_realloc,
    .alloc_aligned = buddy_alloc_aligned,
    .usable_size = buddy_usable_size,
    .trim = buddy_trim,
    .stats = buddy_stats,
    .walk = buddy_walk,
    .check = buddy_check,
};
