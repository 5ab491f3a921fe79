/* A moment of a replay as a result: what split.jsonl and 'bench explain --json' hold. */
#ifndef HARNESS_EXPLAIN_RECORD_H
#define HARNESS_EXPLAIN_RECORD_H

#include <jansson.h>

#include "harness/explain/holders.h"
#include "harness/explain/inquiry.h"
#include "results/breakdown.h"

/* Takes the scene apart. */
void record_scene(struct breakdown *breakdown, const struct inquiry *inquiry,
                  const struct moment *moment, const struct scene *scene,
                  const struct moments_area *at);

/* A moment that was not reached: the result says why. */
void record_failure(struct breakdown *breakdown, const struct inquiry *inquiry,
                    const struct moment *moment, const struct cell_result *result);

/* A new list of the largest holders. */
enum { RECORD_HOLDERS = 20 };
json_t *record_holders(const struct holders *holders, const struct sites *sites, bool times);

/* New objects: a line of split.jsonl (flat), and a moment of --json (parts and others nested).
 * `holders` is borrowed and may be NULL. */
json_t *record_line(const struct breakdown *breakdown, json_t *holders);
json_t *record_moment(const struct breakdown *breakdown, json_t *holders);

#endif
