/* The call sites of a trace, by the frame that a person would name. */
#ifndef HARNESS_EXPLAIN_SITES_H
#define HARNESS_EXPLAIN_SITES_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

struct sites {
    char **stacks;    /* owned; of site i + 1: its frames as lines, the innermost first */
    uint32_t *labels; /* owned; of site i + 1: which label */
    size_t count;
    char **names; /* owned; by label, 0 is "" */
    size_t name_count;
};

/* Reads the trace to its end; none where it has no stacks. */
int sites_read(struct sites *sites, const char *trace, struct err *err);
void sites_release(struct sites *sites);

/* The label of a call site: the innermost frame whose function does not look like an allocator or a
 * wrapper of one, as "function (source.c:123)" where its source line is known. 0 where it is not
 * known. */
uint32_t sites_label(const struct sites *sites, uint32_t site);

/* Marks (a bit a site number) the sites that `text` means: a label, its function or "source.c:123", or
 * else those of a frame anywhere in the stacks. Returns how many; `bits` has room for `room` sites. */
size_t sites_match(const struct sites *sites, const char *text, uint8_t *bits, size_t room);

#endif
