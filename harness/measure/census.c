/* A census of the heap at one moment. */
#include "harness/measure/census.h"

#include <string.h>

const char *const census_moment_names[CENSUS_MOMENTS] = {"25%", "50%", "75%", "peak-live",
                                                         "end"};

/* ---- blocks ---- */

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS, ADDRESS_BITS = 64 };

static size_t census_digit(const struct census_block *block, unsigned shift)
{
    return (block->address >> shift) & (DIGITS - 1);
}

/* One digit of a radix sort; false when all blocks have the same, and nothing was moved. */
static bool census_sort_digit(const struct census_block *from, struct census_block *to,
                              size_t count, unsigned shift)
{
    size_t place[DIGITS + 1] = {0};
    for (size_t i = 0; i < count; i++)
        place[census_digit(&from[i], shift) + 1]++;
    if (place[census_digit(from, shift) + 1] == count)
        return false;
    for (size_t digit = 0; digit < DIGITS; digit++)
        place[digit + 1] += place[digit];
    for (size_t i = 0; i < count; i++)
        to[place[census_digit(&from[i], shift)]++] = from[i];
    return true;
}

/* Not qsort: it allocates. */
void census_sort(struct census_block *blocks, struct census_block *scratch, size_t count)
{
    struct census_block *from = blocks, *to = scratch;
    for (unsigned shift = 0; count > 1 && shift < ADDRESS_BITS; shift += DIGIT_BITS)
        if (census_sort_digit(from, to, count, shift)) {
            struct census_block *sorted = to;
            to = from;
            from = sorted;
        }
    if (from != blocks)
        memcpy(blocks, from, count * sizeof *blocks);
}

static void census_class_add(struct census_class *class, const struct census_block *block)
{
    if (class->blocks == 0 || block->usable < class->smallest)
        class->smallest = block->usable;
    if (block->usable > class->largest)
        class->largest = block->usable;
    class->blocks++;
    class->requested += block->size;
    class->usable += block->usable;
}

void census_count(struct census *census, const struct census_block *blocks, size_t count)
{
    census->blocks = count;
    for (size_t i = 0; i < count; i++) {
        census->live += blocks[i].size;
        census->usable += blocks[i].usable;
        census_class_add(&census->classes[profile_bin(blocks[i].usable)], &blocks[i]);
    }
}

/* ---- gaps ---- */

static void census_gap(struct census *census, uint64_t bytes)
{
    if (bytes >= CENSUS_HOLE)
        holes_add(&census->holes, bytes);
    else
        census->seam_bytes += bytes;
}

/* The mapping under way is whole. */
static void census_gaps_flush(struct census_gaps *gaps)
{
    uint64_t at = gaps->start;
    if (gaps->next == gaps->count || gaps->blocks[gaps->next].address >= gaps->end) {
        gaps->census->empty_bytes += gaps->end - gaps->start;
        return;
    }
    for (; gaps->next < gaps->count && gaps->blocks[gaps->next].address < gaps->end; gaps->next++) {
        const struct census_block *block = &gaps->blocks[gaps->next];
        uint64_t end = block->address + block->usable;
        if (block->address > at)
            census_gap(gaps->census, block->address - at);
        at = end > at ? end : at;
    }
    if (at < gaps->end)
        census_gap(gaps->census, gaps->end - at);
}

void census_gaps_mapping(struct census_gaps *gaps, uint64_t start, uint64_t end)
{
    if (start != gaps->end) {
        census_gaps_flush(gaps);
        gaps->start = start;
    }
    gaps->end = end;
    gaps->census->held += end - start;
}

void census_gaps_end(struct census_gaps *gaps)
{
    census_gaps_flush(gaps);
    gaps->start = gaps->end;
    gaps->census->held_known = true;
}

/* ---- pages ---- */

/* Doubles the cells' length. */
static void page_map_coarsen(struct page_map *map)
{
    uint32_t cells = map->cells;
    map->cells = 0;
    map->cell_log2++;
    for (uint32_t old = 0; old < cells; old++) {
        uint64_t address = map->address[old] >> 1, live = map->live[old],
                 resident = map->resident[old];
        bool same = map->cells > 0 && map->address[map->cells - 1] == address;
        uint32_t at = same ? map->cells - 1 : map->cells++;
        map->address[at] = address;
        map->live[at] = live + (same ? map->live[at] : 0);
        map->resident[at] = resident + (same ? map->resident[at] : 0);
    }
}

/* `page` is its number. */
static void page_map_add(struct page_map *map, uint64_t page, uint64_t live, uint64_t resident)
{
    uint64_t address = page >> map->cell_log2;
    while (map->cells == CENSUS_CELLS && map->address[map->cells - 1] != address) {
        page_map_coarsen(map);
        address = page >> map->cell_log2;
    }
    if (map->cells == 0 || map->address[map->cells - 1] != address) {
        map->address[map->cells] = address;
        map->live[map->cells] = map->resident[map->cells] = 0;
        map->cells++;
    }
    map->live[map->cells - 1] += live;
    map->resident[map->cells - 1] += resident;
}

static unsigned census_share(uint64_t live)
{
    if (live >= CENSUS_PAGE)
        return CENSUS_SHARES - 1;
    return live ? 1 + (unsigned)((live * 10 - 1) / CENSUS_PAGE) : 0;
}

/* Live bytes on a page; blocks that end on it are done with. */
static uint64_t census_live_on(struct census_pages *pages, uint64_t page)
{
    uint64_t live = 0, page_end = page + CENSUS_PAGE;
    for (; pages->next < pages->count; pages->next++) {
        const struct census_block *block = &pages->blocks[pages->next];
        uint64_t end = block->address + block->size;
        uint64_t from = block->address > page ? block->address : page;
        uint64_t to = end < page_end ? end : page_end;
        live += to > from ? to - from : 0;
        if (end > page_end || block->address >= page_end)
            break;
    }
    return live;
}

static void census_page(struct census_pages *pages, uint64_t page, bool resident)
{
    uint64_t live = census_live_on(pages, page);
    if (resident) {
        pages->census->resident_pages++;
        pages->census->resident_live += live;
        pages->census->pages[census_share(live)]++;
    }
    if (pages->map && (resident || live))
        page_map_add(pages->map, page / CENSUS_PAGE, live, resident ? CENSUS_PAGE : 0);
}

/* The pages below `end` that hold blocks but are not resident. */
static void census_pages_absent(struct census_pages *pages, uint64_t from, uint64_t end)
{
    while (pages->next < pages->count) {
        uint64_t page = pages->blocks[pages->next].address / CENSUS_PAGE * CENSUS_PAGE;
        page = page > from ? page : from;
        if (page >= end)
            return;
        census_page(pages, page, false);
        from = page + CENSUS_PAGE;
    }
}

void census_pages_resident(struct census_pages *pages, uint64_t start, uint64_t end)
{
    census_pages_absent(pages, pages->done, start);
    for (uint64_t page = start; page < end; page += CENSUS_PAGE)
        census_page(pages, page, true);
    pages->done = end;
}

void census_pages_end(struct census_pages *pages)
{
    census_pages_absent(pages, pages->done, UINT64_MAX - CENSUS_PAGE);
    pages->census->pages_known = true;
}
