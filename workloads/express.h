/* Records of the commonest kinds, by the row, from their chunk straight into a trace's streams:
 * frees of live blocks, and allocations that succeeded, by malloc and calloc, of sizes that fit
 * into the head. All others, and what contradicts the table of live blocks, are for session_visit.
 *
 * It is this loop's time that a program of as many threads as processors waits for. */
#ifndef WORKLOADS_EXPRESS_H
#define WORKLOADS_EXPRESS_H

#include <stdint.h>

struct merge;

/* For a struct merge_visitor; `session` is a struct session. */
int express_run(void *session, struct merge *merge, uint64_t limit);

#endif
