/* From operations on addresses to a trace: what recordings get wrong is mended by fixed rules, and
 * counted in the trace's summary.
 *
 * - Orphan free: a free of an address that is not live is left out; a realloc of one becomes a
 *   malloc. `orphan_frees`.
 * - Inversion: an address is allocated while live, and its release follows within REPAIR_WINDOW
 *   operations from another thread (or threads are unknown): the release was only written down
 *   late. The allocation is held until then. `inversions`.
 * - Double allocation: the same without such a release: its free was missed. The older object is
 *   freed first. `double_allocations`.
 * - A call that returned 0 is a failed call; realloc(p, 0) = 0 is a free; realloc(0, n) a malloc.
 * - A time earlier than one before it is taken for the same time. */
#ifndef WORKLOADS_REPAIR_H
#define WORKLOADS_REPAIR_H

#include <stdbool.h>

#include "workloads/writer.h"

struct repair;

enum { REPAIR_WINDOW = 4096 };

struct repair_operation {
    uint8_t kind;       /* enum trace_kind, not TRACE_MARK */
    uint8_t align_log2; /* of TRACE_ALIGNED */
    uint64_t thread;    /* any number */
    uint64_t process;   /* of an importer's operation, whose address space is its own: any number */
    uint32_t site;
    uint64_t before;  /* address given: of free and realloc */
    uint64_t address; /* address returned: of all but free */
    uint64_t size;
    uint64_t time_ns;
};

/* Adds to `writer`, which is borrowed. `threads_known`: the operations of one thread come in order.
 */
int repair_create(struct repair **out, struct trace_writer *writer, bool threads_known,
                  struct err *err);

/* The place of the next operation, zeroed, until one is added. NULL after a failure. */
struct repair_operation *repair_room(struct repair *repair, struct err *err);

/* Adds the operation at that place, or a copy of another. */
int repair_add(struct repair *repair, const struct repair_operation *operation, struct err *err);

/* Writes the operations still in the window and ends the repair, also after a failure. */
int repair_finish(struct repair *repair, struct err *err);

/* Ends it without writing. */
void repair_abandon(struct repair *repair);

#endif
