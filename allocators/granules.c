/* Laying out and growing the map of segments. */
#include "allocators/granules.h"

static size_t granules_words_bytes(size_t count)
{
    size_t words = ((count + GRANULES_AHEAD - 1) >> GRANULES_WORD_LOG2) + 1;
    return words * sizeof(struct granules_word);
}

size_t granules_bytes(size_t count)
{
    return fit_store_bytes(granules_words_bytes(count));
}

void granules_init(struct granules *map, size_t count, struct fit_store *store)
{
    char *table = fit_store_table(store, granules_words_bytes(count));
    map->word = (struct granules_word *)(void *)table;
    fit_store_describe(store, table, sizeof *map->word, GRANULES_WORD_LOG2);
}

int granules_reach(struct granules *map, size_t last, struct fit_store *store)
{
    return fit_store_reach(store, map->word, granules_words_bytes(last + 1));
}

void granules_retreat(struct granules *map, size_t last, struct fit_store *store)
{
    fit_store_retreat(store, map->word, granules_words_bytes(last + 1));
}
