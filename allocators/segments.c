/* Heaps with all bookkeeping out of band: layout, growth, and looking through. */
#define GRANULES_STRIDE(map) ((map)->stride)
#include "allocators/segments.h"

#include <stdio.h>

#define SEGMENTS_STEP ((size_t)32 << 10) /* bytes to grow by at least, */
enum { SEGMENTS_STEP_SHARE = 64 };       /* or this share of what there is, */
enum { SEGMENTS_STEP_MOST = 4 };         /* but at most so many steps */
#define SEGMENTS_HUGE (8 * REGION_HUGE)  /* bytes from which on huge pages are */

static size_t segments_page_up(size_t bytes)
{
    size_t mask = region_page() - 1;
    return (bytes + mask) & ~mask;
}

static size_t segments_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Of the table of pages that are given back, for positions up to `last`. */
static size_t segments_gone_bytes(size_t last)
{
    return ((last >> SEGMENTS_UNIT_LOG2) + 1) * sizeof(struct segments_pages);
}

int segments_create(const struct heap_config *config, const struct allocator *ops,
                    const struct segments_layout *layout, struct segments **out, struct err *err)
{
    struct region *region = config->region;
    size_t count =
        segments_least(segments_least(layout->most, region->reserved) / 16, UINT32_MAX - 64);
    size_t control = segments_page_up(layout->heap_bytes);
    size_t stride = sizeof(struct granules_word) + layout->beside;
    size_t apart = control + granules_bytes(count + 64, stride) + layout->index_bytes(count + 64) +
                   fit_store_bytes(segments_gone_bytes(count + 64));
    if (apart + 2 * SEGMENTS_STEP > region->reserved)
        return err_set(err, ENOMEM, "%s: a region of %zu bytes is too small, it takes at least %zu",
                       ops->name, region->reserved, apart + 2 * SEGMENTS_STEP);
    size_t room = (region->reserved - apart) / region_page() * region_page();
    if (region_commit(region, room, control) < 0)
        return err_set(err, ENOMEM, "%s: no memory for its first page", ops->name);
    struct segments *heap = (struct segments *)(void *)(region->base + room);
    heap->heap.ops = ops;
    heap->base = region->base + (layout->header ? 16 - layout->header : 0);
    heap->header = layout->header;
    heap->huge = layout->huge;
    heap->limit = segments_least(count, room / 16 - (layout->header > 0));
    heap->region = region;
    heap->store.region = region;
    heap->store.next = region->base + room + control;
    granules_init(&heap->map, count + 64, stride, &heap->store);
    *out = heap;
    return 0;
}

void segments_set_returning(struct segments *heap)
{
    size_t bytes = segments_gone_bytes(heap->limit + 64);
    heap->gone = (struct segments_pages *)(void *)fit_store_table(&heap->store, bytes);
    heap->credit = SEGMENTS_CREDIT;
    heap->page = region_page();
}

int segments_start(struct segments *heap, const struct segments_policy *policy, struct err *err)
{
    heap->policy = policy;
    if (segments_reach(heap, 1) < 0)
        return err_set(err, ENOMEM, "%s: no memory for its first pages", heap->heap.ops->name);
    granules_end(&heap->map, 0);
    return 0;
}

void segments_destroy(struct heap *heap)
{
    (void)heap;
}

size_t segments_bytes(const struct segments *heap, size_t granules)
{
    return segments_page_up(16 * granules + (heap->header ? 16 : 0));
}

size_t segments_granules_in(const struct segments *heap, size_t bytes)
{
    return (bytes - (heap->header ? 16 : 0)) / 16;
}

static int segments_reach_tables(struct segments *heap, size_t last)
{
    const struct segments_policy *policy = heap->policy;
    if (granules_reach(&heap->map, last, &heap->store) ||
        (policy->reach && policy->reach(heap, last)))
        return -ENOMEM;
    heap->tabled = heap->tabled > last ? heap->tabled : last;
    return heap->gone ? fit_store_reach(&heap->store, heap->gone, segments_gone_bytes(last)) : 0;
}

static int segments_reach_exactly(struct segments *heap, size_t end)
{
    size_t from = heap->reached ? segments_bytes(heap, heap->reached) : 0;
    size_t to = segments_bytes(heap, end);
    if (segments_reach_tables(heap, end) ||
        (to > from && region_commit(heap->region, from, to - from)))
        return -ENOMEM;
    heap->reached = end;
    if (from < heap->furthest)
        segments_regret(heap, segments_least(to, heap->furthest) - from);
    else
        heap->furthest = to;
    return 0;
}

static int segments_reach_and_fill(struct segments *heap, size_t end)
{
    size_t from = heap->reached ? segments_bytes(heap, heap->reached) : 0;
    size_t to = segments_bytes(heap, end);
    int error = segments_reach_exactly(heap, end);
    if (!error && heap->huge && to >= SEGMENTS_HUGE && to - from <= REGION_HUGE)
        region_fill_huge(heap->region, from, to - from);
    return error;
}

/* What is committed for so many granules holds so many. */
static size_t segments_whole_pages(const struct segments *heap, size_t end)
{
    return segments_least(segments_granules_in(heap, segments_bytes(heap, end)), heap->limit);
}

/* Where the heap has to end for a huge page, if it shall have one and needs no more. */
static size_t segments_to_huge(const struct segments *heap, size_t end)
{
    size_t from = segments_bytes(heap, heap->reached), to = segments_bytes(heap, end);
    if (!heap->huge || to < SEGMENTS_HUGE || to - from > REGION_HUGE / 2 ||
        !region_likes_huge(heap->region))
        return end;
    return segments_granules_in(heap, region_huge_from(heap->region, to));
}

int segments_reach(struct segments *heap, size_t end)
{
    size_t least = SEGMENTS_STEP / 16, step = heap->reached / SEGMENTS_STEP_SHARE;
    step = segments_least(step > least ? step : least, least * SEGMENTS_STEP_MOST);
    size_t ahead = heap->reached + step;
    ahead = segments_to_huge(heap, ahead > end ? ahead : end);
    if (segments_reach_and_fill(heap, segments_whole_pages(heap, ahead)) == 0)
        return 0;
    return end > heap->reached ? segments_reach_exactly(heap, end) : 0;
}

size_t segments_usable(struct heap *heap, void *ref)
{
    const struct segments *segments = (const struct segments *)heap;
    size_t position = segments_position(segments, ref);
    return 16 * granules_size(&segments->map, position) - segments->header;
}

bool segments_owns(struct heap *heap, const void *pointer)
{
    const struct segments *segments = (const struct segments *)heap;
    size_t offset = (uintptr_t)pointer - segments->header - (uintptr_t)segments->base;
    size_t position = offset / 16;
    return offset % 16 == 0 && position < segments->top &&
           granules_is_start(&segments->map, position) &&
           granules_is_used(&segments->map, position);
}

/* ---- resizing and aligning ------------------------------------------------------------------- */

/* Cuts a used segment in two. */
static void segments_split(struct segments *heap, size_t position, size_t size)
{
    size_t rest = granules_size(&heap->map, position) - size;
    granules_use(&heap->map, position + size);
    granules_put(&heap->map, position, size);
    granules_put(&heap->map, position + size, rest);
}

static void segments_shrink(struct segments *heap, size_t position, size_t size)
{
    if (granules_size(&heap->map, position) == size)
        return;
    segments_split(heap, position, size);
    heap->policy->release(heap, position + size);
}

/* Uses `size` granules of the hole or the top at `end`, where the segment before them ends. */
static bool segments_take_behind(struct segments *heap, size_t end, size_t size)
{
    const struct segments_policy *policy = heap->policy;
    if (policy->joins && !policy->joins(heap, end))
        return false;
    if (end == heap->top)
        return segments_take_top(heap, size) != FIT_NONE;
    size_t room = granules_size(&heap->map, end);
    if (granules_is_used(&heap->map, end) || room < size || segments_prepare(heap, end, size))
        return false;
    policy->remove(heap, end, room);
    if (segments_take(heap, end, size) > 0)
        policy->leave(heap, end + size, room - size);
    return true;
}

void *segments_zalloc(struct heap *heap, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t top = segments->top;
    bool clean = top >= segments->dirty;
    void *fresh = heap->ops->alloc(heap, size);
    if (fresh && !(clean && segments_position(segments, fresh) == top))
        memset(fresh, 0, size);
    return fresh;
}

bool segments_resize(struct segments *heap, size_t position, size_t size)
{
    size_t has = granules_size(&heap->map, position);
    if (size <= has) {
        segments_shrink(heap, position, size);
        return true;
    }
    if (size > heap->limit || !segments_take_behind(heap, position + has, size - has))
        return false;
    granules_join(&heap->map, position + has);
    granules_put(&heap->map, position, size);
    return true;
}

size_t segments_place_aligned(struct segments *heap, size_t align, size_t size)
{
    if (align / 16 > heap->limit || size > heap->limit)
        return FIT_NONE;
    size_t position = heap->policy->place(heap, size + align / 16 - 1);
    if (position == FIT_NONE)
        return FIT_NONE;
    size_t gap = (size_t)(-(uintptr_t)segments_pointer(heap, position) % align / 16);
    if (gap > 0) {
        segments_split(heap, position, gap);
        heap->policy->release(heap, position);
    }
    segments_shrink(heap, position + gap, size);
    return position + gap;
}

/* ---- looking through ------------------------------------------------------------------------- */

static struct span segments_span(const struct segments *heap, size_t position)
{
    const char *start = heap->base + 16 * position;
    size_t size = 16 * granules_size(&heap->map, position);
    if (!granules_is_used(&heap->map, position))
        return (struct span){SPAN_FREE, start, size, NULL, 0};
    return (struct span){SPAN_USED, start, size, start + heap->header, size - heap->header};
}

static int segments_walk_blocks(const struct segments *heap, heap_visitor *visit, void *arg)
{
    const char *start = heap->region->base, *top = heap->base + 16 * heap->top;
    size_t held = segments_bytes(heap, heap->reached);
    struct span area = {SPAN_AREA, start, held, NULL, 0};
    struct span pad = {SPAN_META, start, (size_t)(heap->base - start), NULL, 0};
    struct span rest = {SPAN_FREE, top, (size_t)(start + held - top), NULL, 0};
    if (visit(arg, &area) || (pad.size && visit(arg, &pad)))
        return 1;
    for (size_t at = 0; at < heap->top; at += granules_size(&heap->map, at)) {
        struct span span = segments_span(heap, at);
        if (visit(arg, &span))
            return 1;
    }
    return rest.size && visit(arg, &rest);
}

static int segments_walk_table(const char *start, size_t size, heap_visitor *visit, void *arg)
{
    struct span area = {SPAN_AREA, start, size, NULL, 0};
    struct span meta = {SPAN_META, start, size, NULL, 0};
    return size && (visit(arg, &area) || visit(arg, &meta));
}

int segments_walk(struct heap *heap, heap_visitor *visit, void *arg)
{
    const struct segments *segments = (const struct segments *)heap;
    const struct fit_table *table = segments->store.table;
    const char *control = (const char *)segments;
    if (segments_walk_blocks(segments, visit, arg) ||
        segments_walk_table(control, (size_t)(table->base - control), visit, arg))
        return 1;
    for (size_t i = 0; i < segments->store.count; i++)
        if (segments_walk_table(table[i].base, table[i].committed, visit, arg))
            return 1;
    return 0;
}

static int segments_count(void *arg, const struct span *span)
{
    struct heap_stats *stats = arg;
    if (span->kind == SPAN_USED) {
        stats->live_blocks++;
        stats->live_bytes += span->usable;
        stats->metadata_bytes += span->size - span->usable;
    } else if (span->kind == SPAN_FREE) {
        stats->free_bytes += span->size;
    } else if (span->kind == SPAN_META) {
        stats->metadata_bytes += span->size;
    }
    return 0;
}

void segments_stats(struct heap *heap, struct heap_stats *out)
{
    *out = (struct heap_stats){0};
    segments_walk(heap, segments_count, out);
    out->metadata_bytes -= ((struct segments *)heap)->store.retired;
    out->held_bytes = ((struct segments *)heap)->region->committed;
}

static int segments_damaged(const struct segments *heap, size_t position, const char *flaw,
                            char *why, size_t length)
{
    snprintf(why, length, "%s: the segment at %p (offset %zu): %s", heap->heap.ops->name,
             (void *)(heap->base + 16 * position), 16 * position, flaw);
    return -EUCLEAN;
}

int segments_check(struct heap *heap, char *why, size_t length)
{
    struct segments *segments = (struct segments *)heap;
    const struct granules *map = &segments->map;
    const struct segments_policy *policy = segments->policy;
    bool hole_before = false;
    size_t before = 0, size;
    for (size_t at = 0; at < segments->top; before = at, at += size) {
        bool hole = !granules_is_used(map, at);
        size = granules_size(map, at);
        if (size == 0 || size > segments->top - at || !granules_is_start(map, at + size))
            return segments_damaged(segments, at, "no other begins where it ends", why, length);
        if (at > 0 && granules_before(map, at) != before)
            return segments_damaged(segments, at, "the one before it is not found", why, length);
        if (hole && hole_before && (!policy->joins || policy->joins(segments, at)))
            return segments_damaged(segments, at, "it is free beside a free one", why, length);
        const char *flaw = hole && policy->flaw ? policy->flaw(segments, at) : NULL;
        if (flaw)
            return segments_damaged(segments, at, flaw, why, length);
        hole_before = hole;
    }
    return 0;
}
