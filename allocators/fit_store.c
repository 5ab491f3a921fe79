/* Tables out of band. */
#include "allocators/fit_store.h"

#include <errno.h>
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
    store->table[store->count++] = (struct fit_table){base, fit_store_bytes(bytes), 0, 0, 0};
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

size_t fit_store_held(const struct fit_store *store)
{
    size_t bytes = 0;
    for (size_t i = 0; i < store->count; i++)
        bytes += store->table[i].committed;
    return bytes - store->retired;
}

/* ---- spans without anything to tell ---------------------------------------------------------- */

/* Whoever looks at a place looks at what is told of so many granules behind it, too. */
enum { FIT_NEAR = 1024 };

/* Offsets in a table, of whole pages. */
struct fit_pages {
    size_t lo, hi;
};

void fit_store_describe(struct fit_store *store, const void *base, size_t entry,
                        unsigned entry_log2)
{
    struct fit_table *table = &store->table[fit_store_find(store, base)];
    table->entry = entry;
    table->entry_log2 = entry_log2;
}

static struct fit_pages fit_table_pages(const struct fit_table *table, struct fit_span span)
{
    size_t first = ((span.lo + FIT_NEAR) >> table->entry_log2) + 1;
    size_t end = span.hi >> table->entry_log2;
    if (table->entry == 0 || span.hi == 0 || first >= end)
        return (struct fit_pages){0, 0};
    struct fit_pages pages = {fit_store_bytes(first * table->entry),
                              end * table->entry & ~(region_page() - 1)};
    return pages.lo < pages.hi ? pages : (struct fit_pages){0, 0};
}

static size_t fit_table_offset(const struct fit_store *store, const struct fit_table *table)
{
    return (size_t)(table->base - store->region->base);
}

static void fit_table_retire(struct fit_store *store, const struct fit_table *table, size_t lo,
                             size_t hi)
{
    if (lo >= hi)
        return;
    region_retire(store->region, fit_table_offset(store, table) + lo, hi - lo);
    store->retired += hi - lo;
}

void fit_store_retire(struct fit_store *store, struct fit_span span, struct fit_span within,
                      struct fit_span also)
{
    for (size_t i = 0; i < store->count; i++) {
        const struct fit_table *table = &store->table[i];
        struct fit_pages pages = fit_table_pages(table, span);
        struct fit_pages done[] = {fit_table_pages(table, within), fit_table_pages(table, also)};
        for (size_t j = 0; j < 2; j++) {
            if (done[j].hi == 0)
                continue;
            fit_table_retire(store, table, pages.lo, done[j].lo);
            pages.lo = done[j].hi;
        }
        fit_table_retire(store, table, pages.lo, pages.hi);
    }
}

/* The pages of a span that are not those of the rest at its end. */
static struct fit_pages fit_table_front(const struct fit_table *table, struct fit_span span,
                                        struct fit_span rest)
{
    struct fit_pages pages = fit_table_pages(table, span), kept = fit_table_pages(table, rest);
    return (struct fit_pages){pages.lo, kept.hi ? kept.lo : pages.hi};
}

int fit_store_revive(struct fit_store *store, struct fit_span span, struct fit_span rest)
{
    for (size_t i = 0; i < store->count; i++) {
        struct fit_pages front = fit_table_front(&store->table[i], span, rest);
        size_t bytes = front.hi - front.lo;
        size_t offset = fit_table_offset(store, &store->table[i]) + front.lo;
        if (bytes && region_commit(store->region, offset, bytes)) {
            while (i-- > 0) {
                front = fit_table_front(&store->table[i], span, rest);
                fit_table_retire(store, &store->table[i], front.lo, front.hi);
            }
            return -ENOMEM;
        }
        store->retired -= bytes;
    }
    return 0;
}

/* As if they were committed, which is what the retreat will take them for. */
bool fit_store_abandon(struct fit_store *store, struct fit_span span)
{
    size_t before = store->retired;
    for (size_t i = 0; i < store->count; i++) {
        struct fit_pages pages = fit_table_pages(&store->table[i], span);
        store->retired -= pages.hi - pages.lo;
        store->region->committed += pages.hi - pages.lo;
    }
    return store->retired < before;
}
