/* Giving memory back to the region: what of a heap of buddies is free, chunk by chunk, and what of
 * its tables tells of nothing. */
#include "allocators/buddy.h"

#include <errno.h>

static size_t buddy_chunk_offset(const struct buddy *buddy, size_t chunk)
{
    return (size_t)(buddy->base - buddy->region->base) + chunk * BUDDY_CHUNK;
}

static size_t buddy_map_offset(const struct buddy *buddy, size_t chunk)
{
    size_t map = (size_t)((char *)buddy->map - buddy->region->base);
    return map + (chunk << buddy->chunk_order) + region_page();
}

static void buddy_give_chunk(struct buddy *buddy, size_t chunk)
{
    region_decommit(buddy->region, buddy_chunk_offset(buddy, chunk), BUDDY_CHUNK);
    buddy->gone[chunk] = BUDDY_GONE;
    buddy->gone_count++;
}

static void buddy_retire(struct buddy *buddy, size_t chunk)
{
    region_retire(buddy->region, buddy_map_offset(buddy, chunk), buddy_retired(buddy));
    buddy->gone[chunk] = BUDDY_RETIRED;
    buddy->retired_count++;
}

static void buddy_retire_all(struct buddy *buddy)
{
    for (size_t chunk = 0; buddy->retired_count < buddy->gone_count; chunk++)
        if (buddy->gone[chunk] == BUDDY_GONE)
            buddy_retire(buddy, chunk);
}

/* Whether the tables are large for what is held; else their pages are not worth the calls. */
static bool buddy_is_tabled(const struct buddy *buddy)
{
    size_t retired = buddy->retired_count * buddy_retired(buddy);
    return fit_store_held(&buddy->store) - retired > buddy->region->committed / BUDDY_TABLES;
}

/* 0 or -ENOMEM. */
static int buddy_revive(struct buddy *buddy, size_t chunk)
{
    if (buddy->gone[chunk] == BUDDY_RETIRED) {
        size_t offset = buddy_map_offset(buddy, chunk);
        if (region_commit(buddy->region, offset, buddy_retired(buddy)))
            return -ENOMEM;
        buddy->gone[chunk] = BUDDY_GONE;
        buddy->retired_count--;
    }
    return 0;
}

/* 0 or -ENOMEM. */
static int buddy_take_chunk(struct buddy *buddy, size_t chunk)
{
    if (buddy_revive(buddy, chunk) ||
        region_commit(buddy->region, buddy_chunk_offset(buddy, chunk), BUDDY_CHUNK))
        return -ENOMEM;
    buddy->gone[chunk] = BUDDY_HELD;
    buddy->gone_count--;
    return 0;
}

/* Stacks that have far more room than places, of all orders: their memory goes back. */
static void buddy_shrink_stacks(struct buddy *buddy)
{
    for (unsigned order = 0; order < BUDDY_ORDERS && buddy->stack[order].place; order++) {
        struct buddy_stack *stack = &buddy->stack[order];
        if (stack->count >= 2 * stack->free + BUDDY_SPARE)
            buddy_tidy(buddy, order);
        if (stack->room < 2 * stack->count + BUDDY_SLACK)
            continue;
        size_t places = stack->count ? stack->count + BUDDY_SPARE : 0;
        fit_store_retreat(&buddy->store, stack->place, places * sizeof *stack->place);
        stack->room = fit_store_reached(&buddy->store, stack->place) / sizeof *stack->place;
    }
}

/* Near its limit a heap keeps what it has: tables that grow might take what blocks need again. */
void buddy_give(struct buddy *buddy, size_t place, unsigned order)
{
    size_t end = buddy_chunk(buddy, place + buddy_units(order)), before = buddy->gone_count;
    for (size_t chunk = buddy_chunk(buddy, place); chunk < end; chunk++) {
        if (buddy->gone[chunk])
            continue;
        if (buddy->credit < BUDDY_CHUNK || buddy->gone_count >= BUDDY_GONE_MAX ||
            buddy->region->limit - buddy->region->committed < BUDDY_CHUNK)
            break;
        buddy->credit -= BUDDY_CHUNK;
        buddy_give_chunk(buddy, chunk);
    }
    if (buddy->gone_count == before || !buddy_is_tabled(buddy))
        return;
    buddy_shrink_stacks(buddy);
    if (buddy_retired(buddy))
        buddy_retire_all(buddy);
}

int buddy_fill(struct buddy *buddy, size_t place, unsigned order)
{
    size_t last = buddy_chunk(buddy, place + buddy_units(order) - 1);
    for (size_t chunk = buddy_chunk(buddy, place); chunk <= last; chunk++) {
        if (buddy->gone[chunk] && buddy_take_chunk(buddy, chunk))
            return -ENOMEM;
    }
    return 0;
}
