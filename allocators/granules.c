/* Laying out and growing the map of segments. */
#include "allocators/granules.h"

static size_t granules_words_bytes(size_t count, size_t stride)
{
    size_t words = ((count + GRANULES_AHEAD - 1) >> GRANULES_WORD_LOG2) + 1;
    return words * stride;
}

size_t granules_bytes(size_t count, size_t stride)
{
    return fit_store_bytes(granules_words_bytes(count, stride));
}

void granules_init(struct granules *map, size_t count, size_t stride, struct fit_store *store)
{
    char *table = fit_store_table(store, granules_words_bytes(count, stride));
    *map = (struct granules){table, stride};
    fit_store_describe(store, table, stride, GRANULES_WORD_LOG2);
}

int granules_reach(struct granules *map, size_t last, struct fit_store *store)
{
    return fit_store_reach(store, map->word, granules_words_bytes(last + 1, map->stride));
}

void granules_retreat(struct granules *map, size_t last, struct fit_store *store)
{
    fit_store_retreat(store, map->word, granules_words_bytes(last + 1, map->stride));
}
