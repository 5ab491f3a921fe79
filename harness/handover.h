/* Hands the spool to recorded processes that may not open it themselves, as they have become
 * another user: through a socket, to whoever knows the secret in their environment. */
#ifndef HARNESS_HANDOVER_H
#define HARNESS_HANDOVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "workloads/spool.h"

struct handover {
    const struct spool *spool; /* borrowed */
    int socket;                /* negative: there is none */
    pthread_t thread;
    _Atomic bool over;
};

/* Begins in a thread of its own. Where there is no socket to be had, nothing is handed over. */
void handover_begin(struct handover *handover, const struct spool *spool);
void handover_end(struct handover *handover);

#endif
