/* The throughput pass: the whole loop between two readings of the clock, nothing else in between.
 */
#include "harness/worker/worker.h"

int throughput_pass(struct worker *worker, struct err *err)
{
    struct meter meter = {0};
    int status;
    while ((status = worker_next_window(worker, err)) > 0) {
        meter_start(&meter);
        crew_play(&worker->crew);
        meter_stop(&meter);
        worker_window_done(worker);
    }
    if (status < 0)
        return status;
    meter_report(&meter, worker->result);
    lanes_report(worker);
    if (worker->result->operations != COUNT_UNKNOWN)
        worker->result->ns_per_op = (double)meter.elapsed_ns / (double)worker->result->operations;
    return 0;
}
