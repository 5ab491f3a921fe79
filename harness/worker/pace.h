/* The program's own pace: no operation of the replay before its time in the trace. */
#ifndef HARNESS_WORKER_PACE_H
#define HARNESS_WORKER_PACE_H

#include "harness/worker/worker.h"

struct pace_keeper {
    bool kept;         /* false: at full speed */
    uint64_t start_ns; /* the clock at time 0 of the trace, 0: not begun */
};

/* As the request says; where the trace has no times, the result says that it was full speed. */
struct pace_keeper pace_keeper(struct worker *worker);

/* Sleeps where the replay is ahead by more than a timer is fine. */
void pace_wait(struct pace_keeper *keeper, uint64_t time_ns);

static inline void pace_keep(struct pace_keeper *keeper, uint64_t time_ns)
{
    if (keeper->kept)
        pace_wait(keeper, time_ns);
}

#endif
