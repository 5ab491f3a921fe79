/* One thread's records, read from its chunks in the order in which it wrote them. */
#ifndef WORKLOADS_INTAKE_H
#define WORKLOADS_INTAKE_H

#include <stdbool.h>

#include "workloads/array.h"
#include "workloads/spool.h"

struct intake_record {
    enum spool_kind kind;
    enum spool_control_record what; /* of SPOOL_CONTROL: SPOOL_MODULE or SPOOL_STACK */
    const uint64_t *told;           /* its words behind the stamp, until it is taken */
    uint32_t site;
    uint64_t pointer, size, align;
    uint64_t stamp; /* of the record, or of the last one before it that had one; 0 at first */
    uint32_t words; /* what it takes in the chunk */
    bool stamped;   /* it had one of its own */
};

struct intake {
    struct spool *spool;
    struct array chunks;     /* uint32_t: chunk numbers, oldest first */
    uint32_t begun, count;   /* those before `begun` are done with */
    uint32_t at;             /* word in the oldest */
    uint32_t lost;           /* records that were never finished */
    uint64_t plain, stamped; /* records taken without and with a stamp */
    uint64_t stamp;          /* the last one taken */
    uint32_t thread;         /* whose records these are */
    uint32_t *threads;       /* how many threads there are, another one than these included */
};

enum intake_state {
    INTAKE_RECORD, /* there is one */
    INTAKE_IDLE,   /* none so far */
    INTAKE_HOLE,   /* one is under way: its stamp may be anything above the last */
};

/* A thread's next chunk. 0 or -ENOMEM. */
int intake_add(struct intake *intake, uint32_t chunk);

/* Reads the next record without taking it. With `ended` (nobody writes any more) holes are skipped
 * and counted. */
enum intake_state intake_peek(struct intake *intake, bool ended, struct intake_record *record);

static inline void intake_take(struct intake *intake, const struct intake_record *record)
{
    intake->at += record->words;
    intake->stamp = record->stamp;
    intake->plain += !record->stamped;
    intake->stamped += record->stamped;
}

/* Gives all chunks back. */
void intake_release(struct intake *intake);

#endif
