/* The nearest known word to a mistyped one (Damerau-Levenshtein distance), for error messages. */
#ifndef HARNESS_BASE_NEAREST_H
#define HARNESS_BASE_NEAREST_H

struct nearest {
    const char *wanted; /* borrowed */
    const char *best;   /* borrowed; NULL until something was offered */
    unsigned distance;
};

struct nearest nearest_to(const char *wanted);
void nearest_offer(struct nearest *nearest, const char *word);

#endif
