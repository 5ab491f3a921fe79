/* What has to be said beside a table: what failed, what is doubtful, and what to do about it. */
#ifndef RESULTS_NOTE_H
#define RESULTS_NOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "results/record.h"

/* Whether the repetitions spread so much that differences drown: a tenth of the median, since
 * smaller differences than that are what people ask about. */
bool note_is_noisy(const struct row *row);

/* Calls `say` for each note on the rows of one trace: an allocator and a sentence on it, then one
 * sentence on all that are noisy. The texts last until `say` returns. */
void note_each(const struct row *rows, size_t count,
               void (*say)(void *arg, const char *subject, const char *text), void *arg);

#endif
