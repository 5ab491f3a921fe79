/* One thread's records, read from its chunks in the order in which it wrote them. */
#ifndef WORKLOADS_INTAKE_H
#define WORKLOADS_INTAKE_H

#include <stdbool.h>

#include "workloads/array.h"
#include "workloads/spool.h"

/* Half a cache line, as a queue of them is read and written all the time. */
struct intake_record {
    uint64_t pointer;
    uint64_t size;
    uint64_t stamp; /* of the record, or of the last one before it that had one; 0 at first */
    uint32_t site;
    uint8_t kind; /* enum spool_kind */
    uint8_t what; /* of SPOOL_CONTROL: one that tells something. Then `pointer` is where its
                     words behind the stamp are until it is taken, `size` how many */
    uint8_t align_log2;
    uint8_t stamped; /* it had a stamp of its own */
};

static inline const uint64_t *intake_told(const struct intake_record *record)
{
    return (const uint64_t *)(uintptr_t)record->pointer;
}

enum { INTAKE_AHEAD = 64 }; /* records decoded at a time */

struct intake {
    struct spool *spool;
    struct array chunks;     /* uint32_t: chunk numbers, oldest first */
    uint32_t begun, count;   /* those before `begun` are done with */
    uint32_t at;             /* word in the oldest */
    uint32_t lost;           /* records that were never finished */
    uint64_t plain, stamped; /* records decoded without and with a stamp */
    uint64_t stamp;          /* the last one taken */
    uint32_t thread;         /* whose records these are */
    uint32_t *threads;       /* how many threads there are, another one than these included */
    uint32_t next, ready;    /* of `ahead`: the next to be taken, and the end */
    struct intake_record ahead[INTAKE_AHEAD];
};

enum intake_state {
    INTAKE_RECORD, /* there is one */
    INTAKE_IDLE,   /* none so far */
    INTAKE_HOLE,   /* one is under way: its stamp may be anything above the last */
};

/* A thread's next chunk. 0 or -ENOMEM. */
int intake_add(struct intake *intake, uint32_t chunk);

/* Once all decoded records have been taken: decodes the next ones. With `ended` (nobody writes any
 * more) holes are skipped and counted. */
enum intake_state intake_fill(struct intake *intake, bool ended);

/* The next record, which has been decoded. */
static inline const struct intake_record *intake_first(const struct intake *intake)
{
    return &intake->ahead[intake->next];
}

/* How many decoded records in a row, from the next on, have a stamp of at most `stamp`. */
static inline uint32_t intake_until(const struct intake *intake, uint64_t stamp)
{
    uint32_t at = intake->next;
    while (at < intake->ready && intake->ahead[at].stamp <= stamp)
        at++;
    return at - intake->next;
}

/* Takes the next `count` >= 1 records. */
static inline void intake_take(struct intake *intake, uint32_t count)
{
    intake->next += count;
    intake->stamp = intake->ahead[intake->next - 1].stamp;
}

/* Gives all chunks back. */
void intake_release(struct intake *intake);

#endif
