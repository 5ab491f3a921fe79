/* What has to be said beside a table: what failed, what is doubtful, and what to do about it. */
#ifndef RESULTS_NOTE_H
#define RESULTS_NOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "results/record.h"

/* Whether the repetitions spread so much that differences drown: a tenth of the median, since
 * smaller differences than that are what people ask about. */
bool note_is_noisy(const struct row *row);

/* Of whom, and a sentence on it, which lasts until it returns. */
typedef void note_say(void *arg, const char *subject, const char *text);

/* Says each note on the rows of one trace: what is of an allocator alone, what holds for several,
 * then one sentence each on threads, the clock, and all that are noisy. */
void note_each(const struct row *rows, size_t count, note_say *say, void *arg);

#endif
