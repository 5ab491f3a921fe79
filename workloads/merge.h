/* The threads of one program image, woven into one order by their stamps. */
#ifndef WORKLOADS_MERGE_H
#define WORKLOADS_MERGE_H

#include "workloads/intake.h"

struct merge;

struct merge_visitor {
    /* Gets a thread's next record. True: it must wait for another thread's although that has a
     * stamp a little higher. `last_call`: waiting will not help it any more. Negative ends the
     * merge with that value. */
    int (*visit)(void *arg, uint32_t thread, const struct intake_record *record, bool last_call);
    /* Takes what it likes of the records with stamps up to `limit`, stream by stream as their heads
     * come first. 0, or negative as above. NULL: all are visited. */
    int (*run)(void *arg, struct merge *merge, uint64_t limit);
    void *arg;
    uint64_t slack; /* by how much a stamp may be early */
};

struct merge_head {
    uint64_t key; /* at most the head record's stamp, or later where it was put off */
    uint32_t stream;
};

struct merge {
    struct array intakes; /* struct intake, by stream of this image */
    struct array heap;    /* struct merge_head, the lowest key first */
    uint32_t streams, heads;
    uint32_t threads; /* a stream may be of several, one after the other */
};

static inline struct intake *merge_intake(const struct merge *merge, uint32_t stream)
{
    return (struct intake *)merge->intakes.at + stream;
}

static inline struct merge_head *merge_first(const struct merge *merge)
{
    return merge->heap.at;
}

/* Puts the head at `at`, whose key has risen, where it belongs. */
static inline void merge_sink(struct merge *merge, uint32_t at)
{
    struct merge_head *heap = merge_first(merge), head = heap[at];
    for (uint32_t child; (child = 2 * at + 1) < merge->heads; at = child) {
        if (child + 1 < merge->heads && heap[child + 1].key < heap[child].key)
            child++;
        if (heap[child].key >= head.key)
            break;
        heap[at] = heap[child];
    }
    heap[at] = head;
}

/* The lowest key behind the first's: the first may go on until then. */
static inline uint64_t merge_next_key(const struct merge *merge)
{
    const struct merge_head *heap = merge_first(merge);
    uint64_t key = UINT64_MAX;
    for (uint32_t i = 1; i < 3 && i < merge->heads; i++)
        key = heap[i].key < key ? heap[i].key : key;
    return key;
}

/* A new stream, of a new thread; both count from 0. The merge must stay where it is. 0 or -ENOMEM.
 */
int merge_add(struct merge *merge, struct spool *spool);

/* Hands out all records up to the stamp `limit` that are sure to be next. With `ended` nobody
 * writes any more, and all records are handed out. 0 or the visitor's negative answer. */
int merge_run(struct merge *merge, uint64_t limit, bool ended, const struct merge_visitor *visitor);

/* Chunks of records that are waiting, over all threads. */
uint64_t merge_waiting(const struct merge *merge);

/* Over all threads: records that were never finished, and those taken without and with a stamp. */
struct merge_tally {
    uint64_t lost, plain, stamped;
};
struct merge_tally merge_tally(const struct merge *merge);

void merge_release(struct merge *merge);

#endif
