/* Who holds the pages. */
#include "harness/explain/holders.h"

#include <stdlib.h>
#include <string.h>

#include "harness/measure/parts.h"
#include "workloads/profile.h"

/* A block on a sparse page. */
struct holding {
    uint32_t label, thread, bin;
    uint32_t share; /* bytes of the page */
    bool alone;     /* all blocks on the page are of its group; told by the first of them only */
    uint64_t page;
    const struct moments_block *block;
};

struct holding_list {
    const struct scene *scene;
    const struct sites *sites;
    struct holding *at;
    size_t count, room;
    uint64_t pages;
};

static int holding_compare_group(const struct holding *a, const struct holding *b)
{
    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    return (a->bin > b->bin) - (a->bin < b->bin);
}

static int holding_compare(const void *left, const void *right)
{
    const struct holding *a = left, *b = right;
    int group = holding_compare_group(a, b);
    if (group)
        return group;
    if (a->page != b->page)
        return a->page < b->page ? -1 : 1;
    return (a->block > b->block) - (a->block < b->block);
}

static struct holding *holding_room(struct holding_list *list, size_t more)
{
    if (list->count + more > list->room) {
        list->room = 2 * (list->count + more);
        list->at = reallocarray(list->at, list->room, sizeof *list->at);
        if (!list->at)
            err_no_memory("%zu blocks", list->room);
    }
    return list->at + list->count;
}

static void holding_visit(void *arg, const struct page_view *page)
{
    struct holding_list *list = arg;
    if (page->state != PAGE_RESIDENT || !parts_page_is_sparse(page))
        return;
    size_t blocks = page->last - page->first;
    struct holding *on_page = holding_room(list, blocks);
    bool alone = true;
    for (size_t i = 0; i < blocks; i++) {
        const struct moments_block *block = &list->scene->blocks[page->first + i];
        on_page[i] = (struct holding){
            .label = sites_label(list->sites, block->site),
            .thread = block->thread,
            .bin = (uint32_t)profile_bin(block->size),
            .share = (uint32_t)(PAGE_BYTES / blocks + (i < PAGE_BYTES % blocks)),
            .page = page->address,
            .block = block,
        };
        alone &= holding_compare_group(on_page, on_page + i) == 0;
    }
    on_page->alone = alone;
    list->count += blocks;
    list->pages++;
}

/* ---- groups ---- */

static int holders_compare_number(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void holders_age(uint64_t *ages, size_t count, uint64_t *median, uint64_t *most)
{
    qsort(ages, count, sizeof *ages, holders_compare_number);
    *median = ages[(count - 1) / 2];
    *most = ages[count - 1];
}

/* A block on two pages is there twice, one behind the other: it is the last on the one and the
 * first on the other. */
static void holder_add(struct holder *holder, const struct holding *holding, uint64_t *last_page,
                       const struct moments_block **last_block)
{
    holder->resident_bytes += holding->share;
    holder->alone_bytes += holding->alone ? PAGE_BYTES : 0;
    holder->pages += *last_page != holding->page;
    *last_page = holding->page;
    if (*last_block == holding->block)
        return;
    *last_block = holding->block;
    holder->blocks++;
    holder->live_bytes += holding->block->size;
    if (holding->block->size < holder->size_low)
        holder->size_low = holding->block->size;
    if (holding->block->size > holder->size_high)
        holder->size_high = holding->block->size;
}

/* `ages` has room for two numbers a holding. */
static struct holder holder_of(const struct holding *holdings, size_t count, uint64_t *ages,
                               const struct moments_area *at)
{
    struct holder holder = {
        .label = holdings->label, .thread = holdings->thread, .size_low = UINT64_MAX};
    const struct moments_block *last_block = NULL;
    uint64_t last_page = 0, *times = ages + count;
    for (size_t i = 0; i < count; i++) {
        const struct moments_block *block = holdings[i].block;
        holder_add(&holder, &holdings[i], &last_page, &last_block);
        ages[i] = at->event > block->event ? at->event - block->event - 1 : 0;
        times[i] = at->time_ns > block->time_ns ? at->time_ns - block->time_ns : 0;
    }
    holders_age(ages, count, &holder.age_events, &holder.oldest_events);
    holders_age(times, count, &holder.age_ns, &holder.oldest_ns);
    return holder;
}

static int holders_compare(const void *left, const void *right)
{
    const struct holder *a = left, *b = right;
    return (a->resident_bytes < b->resident_bytes) - (a->resident_bytes > b->resident_bytes);
}

static void *holders_memory(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        err_no_memory("%zu holders of pages", count);
    return memory;
}

void holders_find(struct holders *holders, const struct scene *scene, const struct sites *sites,
                  const struct moments_area *at)
{
    struct holding_list list = {.scene = scene, .sites = sites};
    page_views(&scene->view, holding_visit, &list);
    if (list.count)
        qsort(list.at, list.count, sizeof *list.at, holding_compare);
    *holders = (struct holders){.pages = list.pages};
    holders->list = holders_memory(list.count, sizeof *holders->list);
    uint64_t *ages = holders_memory(2 * list.count, sizeof *ages);
    for (size_t first = 0, end; first < list.count; first = end) {
        for (end = first + 1;
             end < list.count && holding_compare_group(&list.at[first], &list.at[end]) == 0;)
            end++;
        holders->list[holders->count++] = holder_of(list.at + first, end - first, ages, at);
    }
    qsort(holders->list, holders->count, sizeof *holders->list, holders_compare);
    free(ages);
    free(list.at);
}

void holders_release(struct holders *holders)
{
    free(holders->list);
    *holders = (struct holders){0};
}
