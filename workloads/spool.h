/* The recorder's end of the spool (record/spool.h): makes the file, keeps chunks ready, takes them
 * back. */
#ifndef WORKLOADS_SPOOL_H
#define WORKLOADS_SPOOL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "harness/base/err.h"
#include "workloads/record/spool.h"

struct spool {
    struct spool_control *control; /* NULL: not there */
    int file;
    char path[SPOOL_PATH];      /* as SPOOL_ENVIRONMENT has it; zeros behind its end */
    uint64_t (*spare)(void);    /* bytes of memory that nobody needs; NULL: none that is known of */
    _Atomic bool full;          /* the program is as far ahead as it may be */
    _Atomic uint64_t cold_list; /* chunks whose memory was given back to the system */
    uint32_t untold;  /* the drain's: chunks given back of which waiting threads do not know */
    uint32_t seen;    /* the extender's: how far that had come */
    uint64_t seen_ns; /* … when it last moved */
};

/* A memory file without a name: it goes with its last user, however that ends. `path` is where the
 * program finds it while this process lives, no thread of which may outlive the calling one. The
 * caller then sets what the control block holds for
 * the program. */
int spool_create(struct spool *spool, struct err *err);

/* Makes room ahead of the program: as long as it takes no more than a share of the spare memory.
 * Then the program waits for chunks to come back. May be called by another thread than the one that
 * drains. */
void spool_extend(struct spool *spool);

/* An emptied chunk goes back to the program, or its memory to the system where there are plenty;
 * once the spool is closed it is left as it is. Threads that wait for one are woken once there are
 * several, or by spool_wake, which ends a round of these. */
void spool_give_back(struct spool *spool, uint32_t chunk);
void spool_wake(struct spool *spool);

/* By the thread that made it. True: processes that have it mapped go on. */
bool spool_destroy(struct spool *spool);

#endif
