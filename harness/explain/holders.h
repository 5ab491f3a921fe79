/* Who holds the pages: the blocks on pages of which little is live, grouped by where they come
 * from, and ranked by the bytes they keep resident. */
#ifndef HARNESS_EXPLAIN_HOLDERS_H
#define HARNESS_EXPLAIN_HOLDERS_H

#include "harness/explain/scene.h"
#include "harness/explain/sites.h"

/* Blocks of one call site (where it is known), thread and bin of sizes (profile_bin). */
struct holder {
    uint32_t label, thread;
    uint64_t size_low, size_high; /* of the blocks there are */
    uint64_t blocks, live_bytes;
    uint64_t pages;          /* sparse ones that they lie on */
    uint64_t resident_bytes; /* each page's bytes in equal shares among the blocks on it */
    uint64_t alone_bytes;    /* of pages on which nothing else lies: they would go with them */
    uint64_t age_events, oldest_events; /* median and most: events since they were allocated */
    uint64_t age_ns, oldest_ns;
};

struct holders {
    struct holder *list; /* owned, the largest first */
    size_t count;
    uint64_t pages; /* sparse ones in all */
};

/* The pages are those of parts.h's sparse ones. */
void holders_find(struct holders *holders, const struct scene *scene, const struct sites *sites,
                  const struct moments_area *at);
void holders_release(struct holders *holders);

#endif
