/* The program's own pace. */
#include "harness/worker/pace.h"

#include <string.h>
#include <time.h>

#include "harness/base/clock.h"

/* Shorter sleeps would be longer than asked for. */
enum { PACE_GRAIN_NS = 200000, PACE_SECOND_NS = 1000000000 };

struct pace_keeper pace_keeper(struct worker *worker)
{
    bool asked = worker->area->request.pace == PACE_RECORDED;
    bool possible = worker_summary(worker)->duration_ns > 0;
    if (asked && !possible) {
        strcpy(worker->result->pace, "full");
        worker_note(worker, "the trace has no times, so it was replayed at full speed");
    }
    return (struct pace_keeper){.kept = asked && possible};
}

void pace_wait(struct pace_keeper *keeper, uint64_t time_ns)
{
    uint64_t now_ns = clock_ns();
    if (keeper->start_ns == 0)
        keeper->start_ns = now_ns - time_ns;
    uint64_t due_ns = keeper->start_ns + time_ns;
    if (due_ns < now_ns + PACE_GRAIN_NS)
        return;
    struct timespec due = {.tv_sec = (time_t)(due_ns / PACE_SECOND_NS),
                           .tv_nsec = (long)(due_ns % PACE_SECOND_NS)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}
