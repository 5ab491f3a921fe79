/* One operation after the other with the ledger kept beside: the replay of the passes in which time
 * does not count. */
#ifndef HARNESS_WORKER_REPLAY_H
#define HARNESS_WORKER_REPLAY_H

#include "harness/measure/ledger.h"
#include "harness/worker/worker.h"

/* The alignment that L rounds to: the C library's, the same for every allocator, so that all are
 * held against one L. */
enum { REPLAY_ROUNDED_TO = 16 };

/* The block of `object`, of so many requested bytes, lies at `address` from now on; or lay there
 * until now. `by` is where the operation stands in the trace. */
typedef void replay_watcher(void *arg, uint32_t object, uint64_t address, uint64_t size,
                            const struct place *by);

struct replay {
    struct worker *worker; /* borrowed */
    struct ledger ledger;
    bool usable_known;
    uint64_t resized_in_place; /* reallocs that left the block where it was */
    /* Told of every block that comes and goes, both or none set; a realloc is first gone, then
     * come. While `come` is told, the ledger holds the block. */
    replay_watcher *come, *gone;
    void *arg;
};

/* Maps the ledger. The heap is there and the window open. */
int replay_init(struct replay *replay, struct worker *worker, struct err *err);

/* Replays the operation that stands at `place` in the trace. */
void replay_step(struct replay *replay, const struct operation *operation,
                 const struct place *place);

#endif
