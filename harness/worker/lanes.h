/* The worker's lanes. */
#ifndef HARNESS_WORKER_LANES_H
#define HARNESS_WORKER_LANES_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/err.h"
#include "harness/measure/player.h"

struct worker;

/* Whether the lanes of this pass play the window as it was decoded, in exactly the recorded order
 * and one at a time. Else they play freely what was split. */
bool lanes_take_turns(const struct worker *worker);

/* Whether they are processes. The memory pass, and any that looks closer, knows one process only:
 * its lanes are threads. */
bool lanes_are_processes(const struct worker *worker);

/* Maps and touches the lanes, their table of refs, and a window of up to `words`, longer where it
 * is split: one lane a recorded thread, or as many as were asked for. The trace must have its
 * footer.
 */
int lanes_prepare(struct worker *worker, size_t words, struct err *err);

/* Starts the lanes' threads, before the heap is there. */
void lanes_start(struct worker *worker);

/* All lanes enter the heap. */
int lanes_enter(struct worker *worker, struct err *err);

/* The window was filled: splits it among the lanes that play freely. */
void lanes_take_window(struct worker *worker);

/* Puts every player at the beginning of its words: what the parent counts from after a crash. */
void lanes_set_out(struct worker *worker);

/* The counts of all players together. */
struct player lanes_sums(const struct worker *worker);

/* How much the lanes waited, into the result. */
void lanes_report(const struct worker *worker);

#endif
