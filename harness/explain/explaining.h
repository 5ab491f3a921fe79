/* Explains a trace on one allocator after the other: moments are asked for, told, and kept. */
#ifndef HARNESS_EXPLAIN_EXPLAINING_H
#define HARNESS_EXPLAIN_EXPLAINING_H

#include <jansson.h>
#include <stdio.h>

#include "harness/explain/inquiry.h"
#include "harness/explain/sites.h"
#include "harness/explain/without.h"
#include "results/breakdown.h"

/* What was found at a moment, told when all of the replay's are there: in the order asked for. */
struct explaining_found {
    struct breakdown breakdown;
    bool reached;
    char *text;      /* owned */
    json_t *holders; /* owned */
};

struct explaining {
    FILE *out;                     /* for the words; NULL: none are wanted */
    struct store *store;           /* borrowed; NULL: nothing is kept */
    const struct without *without; /* borrowed */
    struct inquiry inquiry;
    struct sites sites;
    json_t *moments; /* a list to which all are added */
    bool failed;     /* an allocator did not come as far as it was asked to */
    bool leaves_out;
    struct breakdown before[MOMENTS_MAX];       /* of the allocator under way, nothing left out */
    struct explaining_found found[MOMENTS_MAX]; /* of the replay under way */
};

/* All moments of the inquiry on an allocator; then again without what `left_out` means, if it is
 * not NULL. An allocator that fails is a result too: 0. */
int explaining_allocator(struct explaining *explaining, const char *spec,
                         const struct moments_request *left_out, struct err *err);

#endif
