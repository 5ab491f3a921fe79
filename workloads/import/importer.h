/* What an importer is: one file a format, one line in the list.
 *
 * An importer reads operations on addresses, in the order of its source, and hands them on; repairs
 * (workloads/repair.h), numbering and writing are not its business. */
#ifndef WORKLOADS_IMPORTER_H
#define WORKLOADS_IMPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "workloads/import/scan.h"
#include "workloads/import/source.h"
#include "workloads/repair.h"

struct import; /* an import under way */

struct importer {
    const char *name;   /* as --format takes it */
    const char *source; /* as the trace's origin states it */
    const char *losses; /* one sentence: what the format cannot hold; "" nothing */
    bool by_hand;       /* written by people, whose last line may lack its end */
    bool in_order; /* as they happened; else known only within a thread, where there are threads */

    /* Whether the beginning of a file (at most SOURCE_PEEK bytes) is of this format. */
    bool (*recognise)(const char *start, size_t length);

    /* enum trace_column that this file has. */
    uint32_t (*columns)(const char *start, size_t length);

    /* Reads all of it. An error only where nothing sensible can follow: what cannot be understood
     * in the middle is import_bad. */
    int (*read)(struct import *import, struct source *source, struct err *err);
};

/* Hands an operation on, its addresses being its process's; one that no program can have done (a
 * size beyond any address space) counts as bad. `operation->thread` is any number, `time_ns` counts
 * from anywhere, and is changed. */
int import_operation(struct import *import, struct repair_operation *operation, struct err *err);

/* Makes it an aligned allocation. No power of two is rounded up to one, as memalign does; false
 * where an allocation that did not fail can have had no such alignment. */
bool import_align(struct repair_operation *operation, uint64_t align);

/* What a line is. */
enum import_verdict {
    IMPORT_OPERATION,
    IMPORT_NOTHING, /* a line of the format without an operation, or those are handed on already */
    IMPORT_BAD,
};

/* Reads lines to the end: `take` says what a line is and fills a zeroed operation. Lines that begin
 * with # are comments. A last line without an end is a cut tail where it is bad, and may be one
 * where a tool writes the format, not a person. */
int import_lines(struct import *import, struct source *source,
                 enum import_verdict (*take)(struct scan line, void *state,
                                             struct repair_operation *operation),
                 void *state, struct err *err);

/* Counts the line (or record) read last as not understood. */
void import_bad(struct import *import, const char *text, size_t length);

/* Where the trace is written, for a source that is no list of operations. Borrowed. */
struct trace_writer *import_writer(struct import *import);

/* Says that the source ends before its end. */
void import_cut(struct import *import, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says what else is odd about it, of which nothing is lost. */
void import_remark(struct import *import, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* In the order in which they are asked; the surest signs first. */
#define IMPORTERS(IMPORTER)                                                                        \
    IMPORTER(heaptrack)                                                                            \
    IMPORTER(mtrace)                                                                               \
    IMPORTER(memory_replay)                                                                        \
    IMPORTER(logalloc)                                                                             \
    IMPORTER(valgrind)                                                                             \
    IMPORTER(ltrace)                                                                               \
    IMPORTER(lttng)                                                                                \
    IMPORTER(rep)                                                                                  \
    IMPORTER(profile)                                                                              \
    IMPORTER(shmheap)                                                                              \
    IMPORTER(glibc_wl)                                                                             \
    IMPORTER(glibc_raw)

#define IMPORTER_EXTERN(name) extern const struct importer importer_##name;
IMPORTERS(IMPORTER_EXTERN)

#endif
