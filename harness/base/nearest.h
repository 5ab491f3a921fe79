/* The nearest known word to a mistyped one (Damerau-Levenshtein distance), for error messages. */
#ifndef HARNESS_BASE_NEAREST_H
#define HARNESS_BASE_NEAREST_H

struct nearest {
    const char *wanted; /* borrowed */
    const char *best;   /* borrowed; NULL until something was offered */
    unsigned distance;
};

/* The end of a sentence that refuses a word. */
struct nearest_hint {
    char text[96];
};

struct nearest nearest_to(const char *wanted);
void nearest_offer(struct nearest *nearest, const char *word);

/* "; the nearest is 'WORD'", or nothing where not even the best is like what was wanted: more than
 * half of its letters differ, and it does not begin with it. */
struct nearest_hint nearest_hint(const struct nearest *nearest);

#endif
