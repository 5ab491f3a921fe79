/* Looking through a heap of buddies: figures, every block, damage. */
#include "allocators/buddy.h"

#include <errno.h>
#include <stdio.h>

static size_t buddy_metadata(const struct buddy *buddy)
{
    size_t bytes = (size_t)(buddy->store.table[0].base - (const char *)buddy);
    for (size_t i = 0; i < buddy->store.count; i++)
        bytes += buddy->store.table[i].committed;
    return bytes - buddy->retired_count * buddy_retired(buddy);
}

void buddy_stats(struct heap *heap, struct heap_stats *out)
{
    const struct buddy *buddy = (const struct buddy *)heap;
    *out = (struct heap_stats){
        .held_bytes = buddy->region->committed,
        .metadata_bytes = buddy_metadata(buddy),
    };
    for (size_t place = 0; place < buddy->top;) {
        unsigned order = buddy->map[place] & BUDDY_ORDER;
        bool used = (buddy->map[place] & BUDDY_USED) != 0;
        out->live_blocks += used;
        *(used ? &out->live_bytes : &out->free_bytes) += buddy_bytes(buddy, order);
        place += buddy_units(order);
    }
}

static int buddy_walk_meta(const char *start, size_t size, heap_visitor *visit, void *arg)
{
    struct span area = {SPAN_AREA, start, size, NULL, 0};
    struct span meta = {SPAN_META, start, size, NULL, 0};
    return size && (visit(arg, &area) || visit(arg, &meta));
}

int buddy_walk(struct heap *heap, heap_visitor *visit, void *arg)
{
    const struct buddy *buddy = (const struct buddy *)heap;
    size_t end = buddy->top << buddy->min_log2, committed = buddy->committed << buddy->min_log2;
    struct span area = {SPAN_AREA, buddy->base, committed, NULL, 0};
    struct span rest = {SPAN_FREE, buddy->base + end, committed - end, NULL, 0};
    if (area.size && visit(arg, &area))
        return 1;
    for (size_t place = 0; place < buddy->top;) {
        unsigned order = buddy->map[place] & BUDDY_ORDER;
        char *start = buddy_pointer(buddy, place);
        size_t bytes = buddy_bytes(buddy, order);
        struct span span = {SPAN_FREE, start, bytes, NULL, 0};
        if (buddy->map[place] & BUDDY_USED)
            span = (struct span){SPAN_USED, start, bytes, start, bytes};
        if (visit(arg, &span))
            return 1;
        place += buddy_units(order);
    }
    if (rest.size && visit(arg, &rest))
        return 1;
    const struct fit_table *table = buddy->store.table;
    const char *control = (const char *)buddy;
    if (buddy_walk_meta(control, (size_t)(table->base - control), visit, arg))
        return 1;
    for (size_t i = 0; i < buddy->store.count; i++)
        if (buddy_walk_meta(table[i].base, table[i].committed, visit, arg))
            return 1;
    return 0;
}

/* NULL, or what is wrong with the block at `place`. */
static const char *buddy_flaw(const struct buddy *buddy, size_t place)
{
    uint8_t byte = buddy->map[place];
    unsigned order = byte & BUDDY_ORDER;
    if (!(byte & BUDDY_USED) == !(byte & BUDDY_FREE) || order >= BUDDY_ORDERS ||
        place & (buddy_units(order) - 1) || buddy_units(order) > buddy->top - place)
        return "its order is impossible";
    if (byte & BUDDY_USED)
        return NULL;
    size_t other = place ^ buddy_units(order);
    if (other < buddy->top && buddy->map[other] == byte)
        return "it and its buddy are both free";
    return NULL;
}

int buddy_check(struct heap *heap, char *why, size_t length)
{
    const struct buddy *buddy = (const struct buddy *)heap;
    size_t free[BUDDY_ORDERS] = {0};
    for (size_t place = 0; place < buddy->top;) {
        const char *flaw = buddy_flaw(buddy, place);
        unsigned order = buddy->map[place] & BUDDY_ORDER;
        if (flaw) {
            snprintf(why, length, "buddy: what is known of the block at %p is damaged: %s",
                     buddy_pointer(buddy, place), flaw);
            return -EUCLEAN;
        }
        free[order] += (buddy->map[place] & BUDDY_FREE) != 0;
        place += buddy_units(order);
    }
    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        if (free[order] != buddy->stack[order].free) {
            snprintf(why, length, "buddy: %zu blocks of order %u are free, but %zu are known",
                     free[order], order, buddy->stack[order].free);
            return -EUCLEAN;
        }
    return 0;
}
