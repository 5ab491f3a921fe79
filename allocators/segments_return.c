/* Giving memory back to the region: what of a heap of segments is free.
 *
 * Giving back and taking again costs time, most of it in page faults. So there is a credit of bytes
 * that may be given back: what is freed earns a little, and what turns out to have been given back
 * too early, since it is taken again, costs a multiple. A program that frees a large block now and
 * then does not keep it; one that takes and frees large blocks in turn soon keeps them. */
#define GRANULES_STRIDE(map) ((map)->stride)
#include "allocators/segments.h"

#define RETURN_LEAST ((size_t)1 << 20)          /* bytes of a hole that goes back by itself */
#define RETURN_SLACK ((size_t)64 << 10)         /* bytes to give back or take again at once */
enum { RETURN_EARNED = 64, RETURN_REGRET = 8 }; /* a share, and a multiple */
enum { RETURN_TABLED = (1 << 20) / 16 };        /* granules that tables may reach too far */
enum { RETURN_TABLES = 20 };                    /* a share that tables may have */
enum { RETURN_HOLES = 8192 };                   /* of the 65,530 mappings that a process may have */

/* Offsets in the region, page multiples; empty when both are the same. */
struct range {
    size_t lo, hi;
    bool retired; /* what tables tell of them is gone too */
};

static size_t return_page_up(const struct segments *heap, size_t bytes)
{
    return (bytes + heap->page - 1) & ~(heap->page - 1);
}

static size_t return_offset(const struct segments *heap, size_t position)
{
    return (size_t)(heap->base - heap->region->base) + 16 * position;
}

/* What stays at the start of a hole: its header, and as much for links behind it. */
static size_t return_kept(const struct segments *heap)
{
    return 2 * heap->header;
}

/* The whole pages of a hole, what it keeps apart. */
static struct range return_pages(const struct segments *heap, size_t position, size_t size)
{
    size_t end = return_offset(heap, position + size);
    return (struct range){return_page_up(heap, return_offset(heap, position) + return_kept(heap)),
                          end & ~(heap->page - 1), false};
}

static struct segments_pages *return_entry(const struct segments *heap, size_t position)
{
    return &heap->gone[position >> SEGMENTS_UNIT_LOG2];
}

static struct range return_gone(const struct segments *heap, size_t position, size_t size)
{
    if (size < SEGMENTS_UNIT)
        return (struct range){0};
    const struct segments_pages *entry = return_entry(heap, position);
    return (struct range){entry->lo * heap->page, entry->hi * heap->page, entry->retired};
}

static void return_set(struct segments *heap, size_t position, struct range gone)
{
    *return_entry(heap, position) =
        (struct segments_pages){(uint32_t)(gone.lo / heap->page),
                                (uint32_t)(gone.hi / heap->page) & 0x7fffffff, gone.retired};
}

/* The same, and the hole at `position` is no more. */
static struct range return_take(struct segments *heap, size_t position, size_t size)
{
    struct range gone = return_gone(heap, position, size);
    if (gone.hi)
        return_set(heap, position, (struct range){0});
    return gone;
}

void segments_regret(struct segments *heap, size_t bytes)
{
    size_t cost = bytes * RETURN_REGRET;
    heap->credit -= cost < heap->credit ? cost : heap->credit;
}

static bool return_may(struct segments *heap, size_t bytes)
{
    if (bytes > heap->credit)
        return false;
    heap->credit -= bytes;
    return true;
}

/* The granules of which nothing is told. */
static struct fit_span return_span(const struct segments *heap, struct range gone)
{
    size_t base = (size_t)(heap->base - heap->region->base);
    return gone.retired ? (struct fit_span){(gone.lo - base) / 16 + 1, (gone.hi - base) / 16}
                        : (struct fit_span){0, 0};
}

static void return_give(struct segments *heap, size_t lo, size_t hi)
{
    if (lo < hi)
        region_decommit(heap->region, lo, hi - lo);
}

/* ---- holes ----------------------------------------------------------------------------------- */

int segments_fill(struct segments *heap, size_t position, size_t size)
{
    if (!heap->gone)
        return 0;
    size_t room = granules_size(&heap->map, position), end = position + size;
    struct range gone = return_gone(heap, position, room), rest = gone;
    if (!gone.hi)
        return 0;
    size_t need = return_offset(heap, end) + return_kept(heap);
    bool all = room - size < SEGMENTS_UNIT;
    if (all || need > gone.lo) {
        rest.lo = return_page_up(heap, need + RETURN_SLACK);
        if (all || rest.lo + RETURN_SLACK > gone.hi)
            rest.lo = gone.hi;
        struct fit_span told = return_span(heap, gone);
        struct fit_span untold = return_span(heap, rest.lo < rest.hi ? rest : (struct range){0});
        if (fit_store_revive(&heap->store, told, untold))
            return -ENOMEM;
        if (region_commit(heap->region, gone.lo, rest.lo - gone.lo)) {
            fit_store_retire(&heap->store, told, untold, (struct fit_span){0, 0});
            return -ENOMEM;
        }
        segments_regret(heap, rest.lo - gone.lo);
    }
    return_take(heap, position, room);
    if (rest.lo < rest.hi)
        return_set(heap, end, rest);
    else
        heap->holes--;
    return 0;
}

static bool return_same(struct range a, struct range b)
{
    return a.lo == b.lo && a.hi == b.hi && a.retired == b.retired;
}

static struct range return_unite(struct segments *heap, struct range low, struct range high)
{
    if (!low.hi || !high.hi)
        return low.hi ? low : high;
    return_give(heap, low.hi, high.lo);
    heap->holes--;
    return (struct range){low.lo, high.hi, low.retired || high.retired};
}

/* More of a hole of which pages are gone, where it is worth a call. */
static struct range return_widen(struct segments *heap, struct range gone, struct range pages)
{
    if (gone.lo - pages.lo >= RETURN_SLACK && return_may(heap, gone.lo - pages.lo)) {
        return_give(heap, pages.lo, gone.lo);
        gone.lo = pages.lo;
    }
    if (pages.hi - gone.hi >= RETURN_SLACK && return_may(heap, pages.hi - gone.hi)) {
        return_give(heap, gone.hi, pages.hi);
        gone.hi = pages.hi;
    }
    return gone;
}

/* Each table that has gone pages too costs a mapping more. */
static bool return_may_retire(const struct segments *heap)
{
    return heap->holes < RETURN_HOLES / 2;
}

/* Whether the tables are large for what is held. Else their pages are not worth the calls. */
static bool return_is_tabled(const struct segments *heap)
{
    return return_may_retire(heap) &&
           fit_store_held(&heap->store) > heap->region->committed / RETURN_TABLES;
}

void segments_settle(struct segments *heap, const struct segments_hole *hole)
{
    if (!heap->gone)
        return;
    size_t end = hole->start + hole->size;
    struct range low = return_take(heap, hole->start, hole->before);
    struct range high = return_take(heap, end - hole->behind, hole->behind);
    struct range gone = return_unite(heap, low, high);
    struct range pages = return_pages(heap, hole->start, hole->size);
    heap->credit += 16 * (hole->size - hole->before - hole->behind) / RETURN_EARNED;
    if (gone.hi) {
        gone = return_widen(heap, gone, pages);
    } else if (pages.hi >= pages.lo + RETURN_LEAST && heap->holes < RETURN_HOLES &&
               return_may(heap, pages.hi - pages.lo)) {
        return_give(heap, pages.lo, pages.hi);
        gone = pages;
        heap->holes++;
    }
    if (!gone.hi)
        return;
    gone.retired = gone.retired || return_is_tabled(heap);
    return_set(heap, hole->start, gone);
    if (return_same(gone, low) || return_same(gone, high))
        return;
    fit_store_retire(&heap->store, return_span(heap, gone), return_span(heap, low),
                     return_span(heap, high));
}

/* ---- the top --------------------------------------------------------------------------------- */

/* The tables follow, when they are much too long, or much of their end is gone already. */
static void return_tables(struct segments *heap, struct range gone)
{
    size_t last = heap->reached;
    bool cut = fit_store_abandon(&heap->store, return_span(heap, gone));
    if (!cut && heap->tabled < last + last / 2 + RETURN_TABLED)
        return;
    granules_retreat(&heap->map, last, &heap->store);
    if (heap->policy->retreat)
        heap->policy->retreat(heap, last);
    fit_store_retreat(&heap->store, heap->gone,
                      ((last >> SEGMENTS_UNIT_LOG2) + 1) * sizeof *heap->gone);
    heap->tabled = last;
}

/* What is committed ends at `end`. Of what was behind it, these pages are gone already. */
static void return_cut(struct segments *heap, size_t end, struct range gone)
{
    return_give(heap, gone.hi ? gone.hi : end, segments_bytes(heap, heap->reached));
    heap->reached = segments_granules_in(heap, end);
    heap->dirty = heap->dirty < heap->reached ? heap->dirty : heap->reached;
    return_tables(heap, gone);
}

void segments_fell(struct segments *heap, const struct segments_hole *hole)
{
    if (!heap->gone)
        return;
    struct range gone = return_take(heap, hole->start, hole->before);
    if (gone.hi) {
        heap->holes--;
        return_cut(heap, gone.lo, gone);
    }
    heap->credit += 16 * (hole->size - hole->before) / RETURN_EARNED;
    size_t keep = heap->top / 8 > SEGMENTS_KEEP ? heap->top / 8 : SEGMENTS_KEEP;
    size_t end = segments_bytes(heap, heap->top + keep);
    size_t held = segments_bytes(heap, heap->reached);
    if (held > end + 16 * keep && return_may(heap, held - end))
        return_cut(heap, end, (struct range){0});
}

/* ---- on request ------------------------------------------------------------------------------ */

/* All whole pages of a hole; the contents only where it is too small. Bytes given back. */
static size_t return_hole(struct segments *heap, size_t position, size_t size)
{
    struct range pages = return_pages(heap, position, size);
    struct range gone = return_gone(heap, position, size);
    if (pages.lo >= pages.hi)
        return 0;
    size_t bytes = pages.hi - pages.lo - (gone.hi - gone.lo);
    if (!gone.hi && (size < SEGMENTS_UNIT || heap->holes >= RETURN_HOLES)) {
        region_discard(heap->region, pages.lo, bytes);
        return bytes;
    }
    return_give(heap, pages.lo, gone.hi ? gone.lo : pages.hi);
    if (gone.hi)
        return_give(heap, gone.hi, pages.hi);
    heap->holes += !gone.hi;
    pages.retired = gone.retired || return_may_retire(heap);
    return_set(heap, position, pages);
    fit_store_retire(&heap->store, return_span(heap, pages), return_span(heap, gone),
                     (struct fit_span){0, 0});
    return bytes;
}

size_t segments_trim(struct heap *heap)
{
    struct segments *segments = (struct segments *)heap;
    if (!segments->gone)
        return 0;
    const struct granules *map = &segments->map;
    size_t bytes = 0, held = segments_bytes(segments, segments->reached);
    size_t end = segments_bytes(segments, segments->top);
    for (size_t at = 0; at < segments->top; at += granules_size(map, at))
        if (!granules_is_used(map, at))
            bytes += return_hole(segments, at, granules_size(map, at));
    if (held > end) {
        bytes += held - end;
        segments->dirty = segments->dirty > segments->top ? segments->dirty : segments->top;
        return_cut(segments, end, (struct range){0});
    }
    return bytes;
}
