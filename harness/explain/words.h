/* A moment in words and a table, for people. */
#ifndef HARNESS_EXPLAIN_WORDS_H
#define HARNESS_EXPLAIN_WORDS_H

#include <stdio.h>

#include "harness/explain/holders.h"
#include "results/breakdown.h"

/* Where the footprint went and why, then who holds the pages; a moment that was not reached says
 * what happened. */
void words_of_moment(FILE *out, const struct breakdown *breakdown, const struct holders *holders,
                     const struct sites *sites, uint64_t events);

/* What leaving something out has changed at the same moment. */
void words_of_gain(FILE *out, const struct breakdown *with, const struct breakdown *without);

#endif
