/* Cells done, of how many, time left. */
#include "harness/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"

void progress_init(struct progress *progress, size_t total)
{
    *progress = (struct progress){
        .total = total, .start_ns = clock_ns(), .terminal = isatty(STDERR_FILENO)};
}

void progress_cell(struct progress *progress, const struct cell_result *cell)
{
    progress->done++;
    double spent = (double)(clock_ns() - progress->start_ns) * 1e-9;
    double left = spent / (double)progress->done * (double)(progress->total - progress->done);
    char remains[48] = "";
    /* The first cells say little: that of a pass with turns comes when all of the pass are done. */
    if (10 * progress->done >= progress->total)
        snprintf(remains, sizeof remains, "  (%.0f s left)", left);
    fprintf(stderr, "%s%zu/%zu  %s  %s  %s #%" PRIu64 "%s%s%s%s",
            progress->terminal ? "\r\033[K" : "", progress->done, progress->total, cell->trace,
            cell->allocator, cell->pass, cell->repetition, strcmp(cell->status, "ok") ? "  " : "",
            strcmp(cell->status, "ok") ? cell->status : "", remains,
            progress->terminal ? "" : "\n");
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->terminal && progress->done)
        fputs("\r\033[K", stderr);
}
