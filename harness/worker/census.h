/* Takes a census of the heap while the replay rests. */
#ifndef HARNESS_WORKER_CENSUS_H
#define HARNESS_WORKER_CENSUS_H

#include "harness/measure/census.h"
#include "harness/worker/replay.h"

struct census_taker {
    const struct replay *replay; /* borrowed */
    int pagemap;                 /* open, or -1 */
    struct census_block *blocks, *scratch;
};

/* Maps what it needs, before the first event: 48 bytes an object. */
int census_taker_init(struct census_taker *taker, const struct replay *replay, int pagemap,
                      struct err *err);

/* Fills `census` and, where it is not NULL, `map`; both zeroed memory of the caller. */
void census_take(const struct census_taker *taker, uint64_t event, struct census *census,
                 struct page_map *map);

#endif
