/* Tables out of band. */
#include "allocators/fit_store.h"

#include <string.h>

#include "allocators/region.h"
#include "harness/base/err.h"

/* A table grows by at least this share of itself. */
enum { FIT_AHEAD_SHARE = 16 };

size_t fit_store_bytes(size_t bytes)
{
    size_t page = region_page();
    return (bytes + page - 1) / page * page;
}

char *fit_store_table(struct fit_store *store, size_t bytes)
{
    if (store->count == FIT_TABLES)
        BUG("an index of more than %d tables", FIT_TABLES);
    char *base = store->next;
    store->table[store->count++] = (struct fit_table){base, fit_store_bytes(bytes), 0};
    store->next += fit_store_bytes(bytes);
    return base;
}

static size_t fit_store_find(const struct fit_store *store, const void *base)
{
    size_t i = 0;
    while (store->table[i].base != base)
        i++;
    return i;
}

size_t fit_store_reached(const struct fit_store *store, const void *base)
{
    const struct fit_table *table = &store->table[fit_store_find(store, base)];
    return store->region ? table->committed : table->room;
}

int fit_store_reach(struct fit_store *store, const void *base, size_t bytes)
{
    if (!store->region)
        return 0;
    struct fit_table *table = &store->table[fit_store_find(store, base)];
    size_t wanted = fit_store_bytes(bytes);
    if (wanted <= table->committed)
        return 0;
    size_t ahead = fit_store_bytes(table->committed + table->committed / FIT_AHEAD_SHARE);
    wanted = wanted > ahead ? wanted : ahead < table->room ? ahead : table->room;
    size_t offset = (size_t)(table->base - store->region->base) + table->committed;
    int error = region_commit(store->region, offset, wanted - table->committed);
    if (!error)
        table->committed = wanted;
    return error;
}

void fit_store_retreat(struct fit_store *store, const void *base, size_t bytes)
{
    if (!store->region)
        return;
    struct fit_table *table = &store->table[fit_store_find(store, base)];
    size_t kept = fit_store_bytes(bytes);
    if (bytes >= table->committed)
        return;
    size_t offset = (size_t)(table->base - store->region->base) + kept;
    if (kept < table->committed)
        region_decommit(store->region, offset, table->committed - kept);
    table->committed = kept;
    memset(table->base + bytes, 0, kept - bytes);
}
