/* Cells done, of how many, time left: one rewritten line on a terminal, one line a cell otherwise.
 */
#ifndef HARNESS_PROGRESS_H
#define HARNESS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/cell.h"

struct progress {
    size_t done, total;
    uint64_t start_ns;
    bool terminal;
};

void progress_init(struct progress *progress, size_t total);
void progress_cell(struct progress *progress, const struct cell_result *cell);
/* Clears the line; what is printed next starts a line of its own. */
void progress_end(struct progress *progress);

#endif
