/* What is left out of a replay to see what would be gained: --without SITE|SIZE. */
#ifndef HARNESS_EXPLAIN_WITHOUT_H
#define HARNESS_EXPLAIN_WITHOUT_H

#include "harness/explain/sites.h"
#include "harness/measure/moments.h"

enum { WITHOUT_MAX = 32 };

struct without {
    const char *texts[WITHOUT_MAX]; /* borrowed: sizes, ranges of sizes, call sites */
    size_t count;
};

int without_add(struct without *without, const char *text, struct err *err);

/* The texts in one line. */
const char *without_describe(const struct without *without, char *out, size_t length);

/* A new request with what is meant, owned by the caller (free); NULL where nothing is to be left
 * out. -EINVAL where a text is no size, and no call site of the trace has its name. */
int without_request(const struct without *without, const struct sites *sites, const char *trace,
                    struct moments_request **out, struct err *err);

#endif
