/* Laying out and growing the map of segments. */
#include "allocators/granules.h"

#include <errno.h>

static size_t granules_words(size_t count)
{
    return ((count + GRANULES_AHEAD - 1) >> GRANULES_WORD_LOG2) + 1;
}

size_t granules_bytes(size_t count)
{
    size_t words = granules_words(count);
    return 2 * fit_store_bytes(words * sizeof(uint64_t)) +
           2 * fit_store_bytes(words * sizeof(uint32_t));
}

void granules_init(struct granules *map, size_t count, struct fit_store *store)
{
    size_t words = granules_words(count);
    map->starts = (uint64_t *)(void *)fit_store_table(store, words * sizeof(uint64_t));
    map->used = (uint64_t *)(void *)fit_store_table(store, words * sizeof(uint64_t));
    map->tail = (uint32_t *)(void *)fit_store_table(store, words * sizeof(uint32_t));
    map->lead = (uint32_t *)(void *)fit_store_table(store, words * sizeof(uint32_t));
}

int granules_reach(struct granules *map, size_t last, struct fit_store *store)
{
    size_t words = granules_words(last + 1);
    if (fit_store_reach(store, map->starts, words * sizeof(uint64_t)) ||
        fit_store_reach(store, map->used, words * sizeof(uint64_t)) ||
        fit_store_reach(store, map->tail, words * sizeof(uint32_t)))
        return -ENOMEM;
    return fit_store_reach(store, map->lead, words * sizeof(uint32_t));
}

void granules_retreat(struct granules *map, size_t last, struct fit_store *store)
{
    size_t words = granules_words(last + 1);
    fit_store_retreat(store, map->starts, words * sizeof(uint64_t));
    fit_store_retreat(store, map->used, words * sizeof(uint64_t));
    fit_store_retreat(store, map->tail, words * sizeof(uint32_t));
    fit_store_retreat(store, map->lead, words * sizeof(uint32_t));
}
