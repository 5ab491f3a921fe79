/* The nearest known word to a mistyped one. */
#include "harness/base/nearest.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { NEAREST_LENGTH = 64 }; /* longer words are compared by their beginning */

static unsigned nearest_min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the usual table, transpositions included. */
static unsigned nearest_distance(const char *a, const char *b)
{
    size_t m = strnlen(a, NEAREST_LENGTH), n = strnlen(b, NEAREST_LENGTH);
    unsigned rows[3][NEAREST_LENGTH + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= m; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned cost = last[j - 1] + (a[i - 1] != b[j - 1]);
            cost = nearest_min(cost, nearest_min(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost = nearest_min(cost, before[j - 2] + 1);
            row[j] = cost;
        }
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[n];
}

struct nearest nearest_to(const char *wanted)
{
    return (struct nearest){.wanted = wanted, .best = NULL, .distance = UINT_MAX};
}

void nearest_offer(struct nearest *nearest, const char *word)
{
    unsigned distance = nearest_distance(nearest->wanted, word);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = word;
    }
}

static bool nearest_is_near(const struct nearest *nearest)
{
    size_t wanted = strnlen(nearest->wanted, NEAREST_LENGTH);
    size_t best = strnlen(nearest->best, NEAREST_LENGTH);
    return nearest->distance * 2 <= (wanted > best ? wanted : best) ||
           (wanted > 0 && strncmp(nearest->wanted, nearest->best, wanted) == 0);
}

struct nearest_hint nearest_hint(const struct nearest *nearest)
{
    struct nearest_hint hint = {""};
    if (nearest->best && nearest_is_near(nearest))
        snprintf(hint.text, sizeof hint.text, "; the nearest is '%s'", nearest->best);
    return hint;
}
