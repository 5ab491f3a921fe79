/* Takes a census of the heap while the replay rests. */
#include "harness/worker/census.h"

#include <errno.h>

#include "harness/base/pages.h"
#include "harness/measure/residency.h"

int census_taker_init(struct census_taker *taker, const struct replay *replay, int pagemap,
                      struct err *err)
{
    size_t objects = replay->ledger.objects;
    struct census_block *blocks = pages_map(2 * objects * sizeof *blocks);
    if (!blocks)
        return err_set(err, errno, "no memory for a census of %zu objects", objects);
    *taker = (struct census_taker){replay, pagemap, blocks, blocks + objects};
    return 0;
}

static size_t census_collect(const struct census_taker *taker)
{
    const struct worker *worker = taker->replay->worker;
    const struct ledger *ledger = &taker->replay->ledger;
    size_t count = 0;
    for (size_t i = 0; i < ledger->objects; i++)
        if (ledger->entries[i].usable) {
            void *at = heap_resolve(worker->heap, worker->player->refs[i]);
            taker->blocks[count++] = (struct census_block){(uintptr_t)at, ledger->entries[i].size,
                                                           ledger->entries[i].usable};
        }
    census_sort(taker->blocks, taker->scratch, count);
    return count;
}

static int census_see_mapping(void *gaps, uint64_t start, uint64_t end)
{
    census_gaps_mapping(gaps, start, end);
    return 0;
}

static int census_see_resident(void *pages, uint64_t start, uint64_t end)
{
    census_pages_resident(pages, start, end);
    return 0;
}

static int census_see_span(void *arg, const struct span *span)
{
    struct census *census = arg;
    if (span->kind == SPAN_FREE)
        holes_add(&census->walk_holes, span->size);
    else if (span->kind == SPAN_META)
        census->walk_meta += span->size;
    else if (span->kind == SPAN_USED && span->usable < span->size)
        census->walk_meta += span->size - span->usable;
    return 0;
}

void census_take(const struct census_taker *taker, uint64_t event, struct census *census,
                 struct page_map *map)
{
    const struct worker *worker = taker->replay->worker;
    const struct intervals *baseline = &worker->baseline;
    size_t count = census_collect(taker);
    struct census_gaps gaps = {.census = census, .blocks = taker->blocks, .count = count};
    struct census_pages pages = {
        .census = census, .map = map, .blocks = taker->blocks, .count = count};
    census->taken = true;
    census->event = event;
    census_count(census, taker->blocks, count);
    if (held_visit(baseline, census_see_mapping, &gaps) == 0)
        census_gaps_end(&gaps);
    if (taker->pagemap >= 0 &&
        residency_visit(taker->pagemap, baseline, census_see_resident, &pages) == 0)
        census_pages_end(&pages);
    census->anonymous = proc_kilobytes("/proc/self/smaps_rollup", "Anonymous:");
    census->huge = proc_kilobytes("/proc/self/smaps_rollup", "AnonHugePages:");
    census->walked = heap_walk(worker->heap, census_see_span, census) == 0;
}
