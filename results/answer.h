/* A run's whole answer: its tables, and what would help. */
#ifndef RESULTS_ANSWER_H
#define RESULTS_ANSWER_H

#include <stdio.h>

#include "results/recommend.h"
#include "results/store.h"

/* As text, as wide as table_print makes it. */
void answer_text(FILE *out, const struct store *store, const struct row *rows, size_t count);

/* {"rows": […], "recommendations": […]} of all runs behind each other; one recommendation a trace
 * on which there was something to compare. */
void answer_json(FILE *out, struct store *const *stores, size_t count);

/* The sentences of recommend_words for the rows of one trace; false: there are none. */
bool answer_advice(const struct store *store, const struct row *rows, size_t count,
                   char lines[RECOMMEND_SENTENCES][RECOMMEND_TEXT]);

#endif
