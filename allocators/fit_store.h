/* Where the tables of an index live: page-aligned tables out of band, committed as they are
 * reached.
 *
 * A table is an array that starts zeroed and only grows. With a region, tables stand at the high
 * end of it; without one (`region` NULL), in any zeroed memory the caller gives, such as a sparse
 * shared mapping, and nothing needs committing. */
#ifndef ALLOCATORS_FIT_STORE_H
#define ALLOCATORS_FIT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIT_INLINE static inline __attribute__((always_inline))

/* No place. */
#define FIT_NONE SIZE_MAX

struct region;

enum { FIT_TABLES = 48 };

struct fit_table {
    char *base;
    size_t room;         /* bytes it may have */
    size_t committed;    /* of them; 0 throughout without a region */
    size_t entry;        /* bytes of an entry, if entries tell of granules in their order; else 0 */
    unsigned entry_log2; /* of the granules that one tells of */
};

/* Granules from lo on, before hi; none: both are 0. */
struct fit_span {
    size_t lo, hi;
};

struct fit_store {
    struct region *region; /* borrowed; NULL: all memory is there already */
    char *next;            /* where the next table begins; a multiple of 64 */
    size_t count;
    size_t retired; /* bytes of tables within what they reach */
    struct fit_table table[FIT_TABLES];
};

/* Bytes that a table of `bytes` takes in the store. */
size_t fit_store_bytes(size_t bytes);

/* A new table of at most `bytes` bytes, none of them committed yet. */
char *fit_store_table(struct fit_store *store, size_t bytes);

/* Makes the first `bytes` bytes of the table at `base` usable: 0 or -ENOMEM. */
int fit_store_reach(struct fit_store *store, const void *base, size_t bytes);

/* Only the first `bytes` bytes of the table at `base` are used from now on: pages behind them go
 * back, and what is behind them reads as zero when it is reached again. */
void fit_store_retreat(struct fit_store *store, const void *base, size_t bytes);

/* Entry i of the table at `base` tells of granules i << entry_log2 and on: while nothing is told of
 * them it is zero, or may become so. */
void fit_store_describe(struct fit_store *store, const void *base, size_t entry,
                        unsigned entry_log2);

/* Nothing is told of the granules of a span any more: the whole pages of described tables that tell
 * of nothing else, and of nothing near its start, go back; they are zero, and not to be written.
 * For `within` and `also`, which lie in it in this order, that was done before. */
void fit_store_retire(struct fit_store *store, struct fit_span span, struct fit_span within,
                      struct fit_span also);

/* Of a span that was retired only `rest` at its end stays so: 0, or -ENOMEM and nothing changed. */
int fit_store_revive(struct fit_store *store, struct fit_span span, struct fit_span rest);

/* Of a retired span: false when no page was. Else the described tables must retreat to where it
 * begins now. */
bool fit_store_abandon(struct fit_store *store, struct fit_span span);

/* Bytes that all tables hold. */
size_t fit_store_held(const struct fit_store *store);

/* Bytes of the table at `base` that are usable; all of it without a region. */
size_t fit_store_reached(const struct fit_store *store, const void *base);

#endif
