/* buddy: binary buddies of any size from `min` up, over the whole region.
 *
 * 1. A block of order k has min * 2^k bytes and starts at a multiple of its size. alloc takes, of
 *    the smallest order that is sufficient and has a free block, the one freed last, and halves it
 *    down to the order asked for: the lower half is kept, the upper becomes free.
 * 2. free joins the block with its buddy while that is free as a whole, then puts it in front.
 * 3. When no order has a block, the heap grows at its end by one of `base` bytes, or of the order
 *    asked for if that is larger; what lies before it for its alignment is freed, lowest first.
 * 4. realloc in place frees upper halves to shrink, and grows if the block is the lower half and
 *    the upper one free, at each order up to the one needed.
 *
 * All is out of band, so that a request of 2^i bytes takes 2^i and no page is touched that the
 * program does not touch: a byte for each `min` bytes tells the order of the block that begins
 * there and whether it is free; a stack an order holds the places of its free blocks, and of some
 * that are not free any more, which are dropped when they come to the top or outnumber the others.
 *
 * Source: Knuth, The Art of Computer Programming 1, 2.5, algorithms R and S (Knowlton 1965). Bound:
 * each call O(log n) in sizes, amortised; internal fragmentation below one half. */
#include <errno.h>
#include <string.h>

#include "allocators/buddy.h"

static const struct option_row buddy_options[] = {
    {"min", OPTION_SIZE, "32", "bytes of the smallest block, a power of two from 16 on", NULL},
    {"base", OPTION_SIZE, "64k", "bytes to grow by at least, a power of two", NULL},
    {NULL, OPTION_FLAG, NULL, NULL, NULL},
};

/* ---- stacks ---------------------------------------------------------------------------------- */

void buddy_tidy(struct buddy *buddy, unsigned order)
{
    struct buddy_stack *stack = &buddy->stack[order];
    size_t kept = stack->count;
    for (size_t i = stack->count; i-- > 0;) {
        uint8_t *byte = &buddy->map[stack->place[i]];
        if (*byte == (BUDDY_FREE | order)) {
            *byte = (uint8_t)(BUDDY_SEEN | order);
            stack->place[--kept] = stack->place[i];
        }
    }
    stack->count -= kept;
    memmove(stack->place, stack->place + kept, stack->count * sizeof *stack->place);
    for (size_t i = 0; i < stack->count; i++)
        buddy->map[stack->place[i]] = (uint8_t)(BUDDY_FREE | order);
}

/* Room for one place more: that of places which are not free any more, or new. */
static __attribute__((noinline)) void buddy_widen(struct buddy *buddy, unsigned order)
{
    struct buddy_stack *stack = &buddy->stack[order];
    if (stack->count >= 2 * stack->free + BUDDY_SPARE)
        buddy_tidy(buddy, order);
    size_t bytes = (stack->count + 1) * sizeof *stack->place;
    if (stack->count == stack->room && !fit_store_reach(&buddy->store, stack->place, bytes))
        stack->room = fit_store_reached(&buddy->store, stack->place) / sizeof *stack->place;
}

/* Where no memory was to be had for a place, buddy_recall finds the block again. */
static inline void buddy_push(struct buddy *buddy, size_t place, unsigned order)
{
    struct buddy_stack *stack = &buddy->stack[order];
    buddy->map[place] = (uint8_t)(BUDDY_FREE | order);
    buddy->some |= (uint64_t)1 << order;
    stack->free++;
    if (__builtin_expect(stack->count == stack->room, 0))
        buddy_widen(buddy, order);
    if (__builtin_expect(stack->count < stack->room, 1))
        stack->place[stack->count++] = (uint32_t)place;
}

/* A free block of the order is free no more; its place may stay in the stack. */
static inline void buddy_forget(struct buddy *buddy, size_t place, unsigned order)
{
    buddy->map[place] = 0;
    buddy->some &= ~((uint64_t)(--buddy->stack[order].free == 0) << order);
}

/* The lowest free block of the order, which has one: for a stack that lacks what it had no room
 * for.
 */
static __attribute__((noinline)) size_t buddy_recall(const struct buddy *buddy, unsigned order)
{
    size_t place = 0;
    while (buddy->map[place] != (BUDDY_FREE | order))
        place += buddy_units(buddy->map[place] & BUDDY_ORDER);
    return place;
}

/* The block of the order, which has one, that was freed last. It stays in the stack. */
static inline size_t buddy_last(struct buddy *buddy, unsigned order)
{
    struct buddy_stack *stack = &buddy->stack[order];
    for (; __builtin_expect(stack->count != 0, 1); stack->count--) {
        size_t place = stack->place[stack->count - 1];
        if (__builtin_expect(buddy->map[place] == (BUDDY_FREE | order), 1))
            return place;
    }
    return buddy_recall(buddy, order);
}

/* ---- freeing --------------------------------------------------------------------------------- */

static inline void buddy_release(struct buddy *buddy, size_t place, unsigned order)
{
    for (;; order++) {
        size_t other = place ^ buddy_units(order);
        if (other >= buddy->top || buddy->map[other] != (BUDDY_FREE | order))
            break;
        buddy_forget(buddy, other, order);
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
    unsigned order = buddy->map[place] & BUDDY_ORDER;
    buddy->map[place] = 0; /* where its buddy stands for both, nothing begins here */
    buddy_release(buddy, place, order);
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
    size_t place = buddy_last(buddy, *from);
    if (__builtin_expect(*from >= buddy->chunk_order, 0) && buddy_fill(buddy, place, order))
        return SIZE_MAX;
    struct buddy_stack *stack = &buddy->stack[*from];
    stack->count -= stack->count != 0; /* it was on top, unless it was recalled */
    buddy_forget(buddy, place, *from);
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
    buddy_halve(buddy, place, from, order);
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
            buddy_forget(buddy, place + buddy_units(half), half);
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

/* Bytes of a stack: of two buddies one at most is free, so that free places are half as many. */
static size_t buddy_places(size_t units, unsigned order)
{
    return ((units >> order) + BUDDY_SPARE) * sizeof(uint32_t);
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
    for (unsigned order = 0; order < BUDDY_ORDERS && buddy->limit >> order; order++) {
        char *places = fit_store_table(&buddy->store, buddy_places(buddy->limit, order));
        buddy->stack[order].place = (uint32_t *)(void *)places;
    }
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
    size_t units = region->reserved >> min, apart = lead + control + map + gone;
    for (unsigned order = 0; order < BUDDY_ORDERS && units >> order; order++)
        apart += fit_store_bytes(buddy_places(units, order));
    if (apart + ((size_t)1 << base) > region->reserved)
        return err_set(err, ENOMEM, "buddy: a region of %zu bytes is too small", region->reserved);
    size_t offset = region->reserved + lead - apart;
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

static size_t buddy_usable_size(struct heap *heap, void *ref)
{
    const struct buddy *buddy = (const struct buddy *)heap;
    return buddy_bytes(buddy, buddy->map[buddy_place(buddy, ref)] & BUDDY_ORDER);
}

static bool buddy_owns(struct heap *heap, const void *pointer)
{
    const struct buddy *buddy = (const struct buddy *)heap;
    size_t offset = (uintptr_t)pointer - (uintptr_t)buddy->base, place = offset >> buddy->min_log2;
    return place << buddy->min_log2 == offset && place < buddy->top &&
           (buddy->map[place] & BUDDY_SEEN) == BUDDY_USED;
}

static size_t buddy_trim(struct heap *heap)
{
    struct buddy *buddy = (struct buddy *)heap;
    size_t before = buddy->region->committed;
    for (size_t place = 0; place < buddy->top;) {
        unsigned order = buddy->map[place] & BUDDY_ORDER;
        if (buddy->map[place] & BUDDY_FREE && order >= buddy->chunk_order) {
            buddy->credit += buddy_bytes(buddy, order);
            buddy_give(buddy, place, order);
        }
        place += buddy_units(order);
    }
    return before - buddy->region->committed;
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
    .owns = buddy_owns,
    .trim = buddy_trim,
    .stats = buddy_stats,
    .walk = buddy_walk,
    .check = buddy_check,
};
