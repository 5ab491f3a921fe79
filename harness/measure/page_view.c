/* The heap page by page: one sweep over pages, blocks and free spans, all in order of address. */
#include "harness/measure/page_view.h"

struct sweep {
    const struct heap_view *heap;
    size_t block; /* the first that may reach into the page */
    size_t free;
};

/* Bytes of [start, start + size) that lie in [from, to). */
static uint32_t sweep_overlap(uint64_t start, uint64_t size, uint64_t from, uint64_t to)
{
    uint64_t end = start + size;
    start = start > from ? start : from;
    end = end < to ? end : to;
    return end > start ? (uint32_t)(end - start) : 0;
}

/* No block reaches into the next: an allocator that says so is not believed. */
static uint64_t sweep_usable(const struct heap_view *heap, size_t place)
{
    const struct view_block *block = &heap->blocks[place];
    if (place + 1 < heap->block_count &&
        heap->blocks[place + 1].start - block->start < block->usable)
        return heap->blocks[place + 1].start - block->start;
    return block->usable;
}

/* A block without a byte (malloc(0)) lies where it starts all the same. */
static bool sweep_is_before(const struct heap_view *heap, size_t place, uint64_t from)
{
    const struct view_block *block = &heap->blocks[place];
    return block->start < from && block->start + sweep_usable(heap, place) <= from;
}

static void sweep_blocks(struct sweep *sweep, struct page_view *page)
{
    const struct heap_view *heap = sweep->heap;
    uint64_t from = page->address, to = from + PAGE_BYTES;
    while (sweep->block < heap->block_count && sweep_is_before(heap, sweep->block, from))
        sweep->block++;
    page->first = page->last = sweep->block;
    for (; page->last < heap->block_count && heap->blocks[page->last].start < to; page->last++) {
        const struct view_block *block = &heap->blocks[page->last];
        uint64_t usable = sweep_usable(heap, page->last);
        uint64_t size = block->size < usable ? block->size : usable;
        page->live += sweep_overlap(block->start, size, from, to);
        page->rounding += sweep_overlap(block->start + size, usable - size, from, to);
    }
}

static uint32_t sweep_free(struct sweep *sweep, uint64_t from)
{
    const struct heap_view *heap = sweep->heap;
    uint64_t to = from + PAGE_BYTES;
    uint32_t bytes = 0;
    while (sweep->free < heap->free_count &&
           heap->free[sweep->free].start + heap->free[sweep->free].size <= from)
        sweep->free++;
    for (size_t i = sweep->free; i < heap->free_count && heap->free[i].start < to; i++)
        bytes += sweep_overlap(heap->free[i].start, heap->free[i].size, from, to);
    return bytes;
}

static bool sweep_held(const struct heap_view *heap, uint64_t address)
{
    uint64_t number = address / PAGE_BYTES;
    return !heap->held ||
           (number < heap->held_pages && (heap->held[number / 64] >> number % 64 & 1));
}

static struct page_view sweep_page(struct sweep *sweep, size_t stretch, size_t place)
{
    const struct view_stretch *pages = &sweep->heap->stretches[stretch];
    struct page_view page = {
        .address = pages->start + PAGE_BYTES * (uint64_t)place,
        .state = (enum page_state)pages->states[place],
        .stretch = stretch,
    };
    sweep_blocks(sweep, &page);
    page.held = page.last > page.first || sweep_held(sweep->heap, page.address);
    page.free = PAGE_BYTES - page.live - page.rounding;
    if (sweep->heap->walked) {
        uint32_t told = sweep_free(sweep, page.address);
        page.metadata = told < page.free ? page.free - told : 0;
        page.free -= page.metadata;
    }
    return page;
}

void page_views(const struct heap_view *heap, page_visitor *visit, void *arg)
{
    struct sweep sweep = {.heap = heap};
    for (size_t stretch = 0; stretch < heap->stretch_count; stretch++)
        for (size_t place = 0; place < heap->stretches[stretch].pages; place++) {
            struct page_view page = sweep_page(&sweep, stretch, place);
            visit(arg, &page);
        }
}
