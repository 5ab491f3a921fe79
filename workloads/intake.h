/* One thread's records, read from its chunks in the order in which it wrote them. */
#ifndef WORKLOADS_INTAKE_H
#define WORKLOADS_INTAKE_H

#include <stdbool.h>

#include "workloads/array.h"
#include "workloads/spool.h"

struct intake_record {
    uint64_t pointer; /* of SPOOL_CONTROL where the words behind its stamp are until it is taken */
    uint64_t size;    /* of SPOOL_CONTROL how many these are */
    uint64_t stamp;   /* of the record, or of the last one before it that had one; 0 at first */
    enum spool_kind kind;
    uint32_t site; /* the call stack, 0: none */
    uint8_t trait; /* the alignment as a power of two or, of SPOOL_CONTROL, which one that tells
                      something */
};

static inline const uint64_t *intake_told(const struct intake_record *record)
{
    return (const uint64_t *)(uintptr_t)record->pointer;
}

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
    struct intake_record next;
    uint32_t behind; /* word behind the next record, and whether that has a stamp */
    bool has_stamp;
};

enum intake_state {
    INTAKE_RECORD, /* there is one */
    INTAKE_IDLE,   /* none so far */
    INTAKE_HOLE,   /* one is under way: its stamp may be anything above the last */
};

/* A thread's next chunk. 0 or -ENOMEM. */
int intake_add(struct intake *intake, uint32_t chunk);

/* Decodes the next record. With `ended` (nobody writes any more) holes are skipped and counted. */
enum intake_state intake_look(struct intake *intake, bool ended);

/* Takes the record that was decoded. */
static inline void intake_take(struct intake *intake)
{
    intake->at = intake->behind;
    intake->stamp = intake->next.stamp;
    intake->stamped += intake->has_stamp;
    intake->plain += !intake->has_stamp;
}

/* The oldest chunk's words, or NULL. */
static inline const _Atomic uint64_t *intake_words(const struct intake *intake)
{
    if (intake->begun == intake->count)
        return NULL;
    uint32_t number = ((uint32_t *)intake->chunks.at)[intake->begun];
    return spool_chunk_at(intake->spool->control, number)->words;
}

/* Gives all chunks back. */
void intake_release(struct intake *intake);

#endif
