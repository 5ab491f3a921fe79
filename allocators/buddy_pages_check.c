/* What is whole in a heap of buddy pages, and what is not. */
#include "allocators/buddy_pages.h"

static const struct chunk *buddy_real_chunk(const struct chunk *chunk)
{
    int32_t size = chunk_size(chunk);
    if (size >= -CHUNK_MAX || chunk_is_large(size))
        return chunk;
    return (const struct chunk *)((const char *)chunk - (CHUNK_SHIFTED - size));
}

bool buddy_pages_owns(const struct buddy_pages *heap, const void *payload)
{
    const struct chunk *chunk = chunk_of(payload);
    size_t page = page_runs_number(&heap->runs, chunk);
    if ((uintptr_t)payload % 16 != 0 || page == 0 || page >= heap->runs.top)
        return false;
    uint8_t kind = heap->runs.page[page].kind;
    if ((kind != PAGE_SMALL && kind != PAGE_LARGE) || !chunk_is_whole(heap, chunk))
        return false;
    int32_t size = chunk_size(chunk);
    return size < 0 && (size % 8 == 0 || size <= CHUNK_SHIFTED);
}

static bool buddy_large_is_intact(const struct buddy_pages *heap, uint32_t first)
{
    return !heap->guards || chunk_is_whole(heap, buddy_pages_large_end(heap, first));
}

bool buddy_pages_intact(const struct buddy_pages *heap, const void *payload)
{
    const struct chunk *chunk = buddy_real_chunk(chunk_of(payload));
    if (!chunk_is_whole(heap, chunk))
        return false;
    int32_t size = chunk_size(chunk);
    if (chunk_is_large(size))
        return buddy_large_is_intact(heap, (uint32_t)page_runs_number(&heap->runs, chunk));
    size_t bytes = (size_t)-size & ~(size_t)7;
    return chunk_is_whole(heap, (const struct chunk *)((const char *)chunk + CHUNK_HEADER + bytes));
}

/* Whether free would take a chunk inside a page for what its header says it is. */
static bool buddy_is_placed(const struct buddy_pages *heap, const struct chunk *chunk, int32_t size)
{
    return size >= 0 || buddy_pages_order(heap, chunk) == chunk_order((size_t)-size & ~(size_t)7);
}

static const struct chunk *buddy_damaged_in_mapping(const struct buddy_pages *heap, uint32_t first)
{
    const char *at = (const char *)buddy_pages_first_chunk(heap, first);
    const char *end = at + MAPPING_PAGES * RUN_PAGE - (1 << CHUNK_MIN_LOG2);
    while (at <= end) {
        const struct chunk *chunk = (const struct chunk *)(const void *)at;
        int32_t size = chunk_size(chunk);
        if (!chunk_is_whole(heap, chunk) || size < -CHUNK_MAX - CHUNK_HOLDS_SHIFTED ||
            size > CHUNK_MAX + CHUNK_QUICK || !buddy_is_placed(heap, chunk, size))
            return chunk;
        at += (size_t)(((size < 0 ? -size : size) & ~7) + CHUNK_HEADER);
    }
    return NULL;
}

const struct chunk *buddy_pages_damaged(const struct buddy_pages *heap)
{
    const struct page_runs *runs = &heap->runs;
    for (uint32_t first = 1; first < runs->top; first += runs->page[first].pages) {
        const struct chunk *damaged = NULL;
        if (runs->page[first].kind == PAGE_SMALL)
            damaged = buddy_damaged_in_mapping(heap, first);
        else if (runs->page[first].kind == PAGE_LARGE && !buddy_large_is_intact(heap, first))
            damaged = buddy_pages_large_end(heap, first);
        if (damaged)
            return damaged;
    }
    return NULL;
}
