/* Where the resident bytes of a heap went. */
#include "harness/measure/parts.h"

struct parts_sum {
    const struct heap_view *heap;
    struct parts *parts;
    size_t stretch;
    /* of the stretch under way: what MADV_FREE may have been said of */
    uint64_t free_pages, unused_pages;
};

bool parts_page_is_sparse(const struct page_view *page)
{
    return page->last > page->first && page->live < PARTS_SPARSE * PAGE_BYTES;
}

/* smaps tells of a mapping how much of it is lazily freed, not which pages: those that nobody
 * needs.
 */
static void parts_end_stretch(struct parts_sum *sum)
{
    if (sum->stretch >= sum->heap->stretch_count)
        return;
    uint64_t lazy = sum->heap->stretches[sum->stretch].lazyfree;
    uint64_t of_free = lazy < sum->free_pages ? lazy : sum->free_pages;
    uint64_t left = lazy - of_free;
    uint64_t of_unused = left < sum->unused_pages ? left : sum->unused_pages;
    sum->parts->lazy_free += of_free + of_unused;
    sum->parts->free_pages += sum->free_pages - of_free;
    sum->parts->unused_pages += sum->unused_pages - of_unused;
    sum->free_pages = sum->unused_pages = 0;
}

static void parts_add_resident(struct parts_sum *sum, const struct page_view *page)
{
    struct parts *parts = sum->parts;
    parts->payload += page->live;
    parts->rounding += page->rounding;
    parts->metadata += page->metadata;
    if (page->last > page->first) {
        parts->free_in_live_pages += page->free;
        parts->live_pages++;
        parts->sparse_pages += parts_page_is_sparse(page);
    } else if (page->held) {
        sum->free_pages += page->free;
    } else {
        sum->unused_pages += page->free;
    }
}

static void parts_add_absent(struct parts *parts, const struct page_view *page)
{
    parts->touched_not_yet += page->live;
    if (page->last > page->first)
        return;
    if (page->held)
        parts->returned += PAGE_BYTES;
    else
        parts->reserved += PAGE_BYTES;
}

static void parts_visit(void *arg, const struct page_view *page)
{
    struct parts_sum *sum = arg;
    if (page->stretch != sum->stretch) {
        parts_end_stretch(sum);
        sum->stretch = page->stretch;
    }
    if (page->state == PAGE_RESIDENT)
        parts_add_resident(sum, page);
    else if (page->state == PAGE_SWAPPED)
        sum->parts->swapped += PAGE_BYTES;
    else
        parts_add_absent(sum->parts, page);
}

void parts_of(const struct heap_view *heap, struct parts *parts)
{
    *parts = (struct parts){0};
    struct parts_sum sum = {.heap = heap, .parts = parts};
    page_views(heap, parts_visit, &sum);
    parts_end_stretch(&sum);
}

uint64_t parts_resident(const struct parts *parts)
{
    return parts->payload + parts->rounding + parts->free_in_live_pages + parts->free_pages +
           parts->unused_pages + parts->lazy_free + parts->metadata;
}
