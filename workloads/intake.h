/* One thread's records, read from its chunks in the order in which it wrote them. */
#ifndef WORKLOADS_INTAKE_H
#define WORKLOADS_INTAKE_H

#include <stdbool.h>

#include "workloads/array.h"
#include "workloads/spool.h"

/* Half a cache line in four stores, as a queue of them is written and read all the time. */
struct intake_record {
    uint64_t pointer; /* of SPOOL_CONTROL where the words behind its stamp are until it is taken */
    uint64_t size;    /* of SPOOL_CONTROL how many these are */
    uint64_t stamp;   /* of the record, or of the last one before it that had one; 0 at first */
    uint64_t traits;  /* bits 0-7 enum spool_kind; 8-15 the alignment as a power of two or, of
                         SPOOL_CONTROL, which one that tells something; 32-63 the call stack */
};

enum { INTAKE_TRAIT = 8, INTAKE_SITE = 32 };

static inline enum spool_kind intake_kind(const struct intake_record *record)
{
    return (enum spool_kind)(record->traits & 255);
}

/* The alignment's binary logarithm, or what a SPOOL_CONTROL tells. */
static inline uint8_t intake_trait(const struct intake_record *record)
{
    return (uint8_t)(record->traits >> INTAKE_TRAIT);
}

static inline uint32_t intake_site(const struct intake_record *record)
{
    return (uint32_t)(record->traits >> INTAKE_SITE);
}

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
