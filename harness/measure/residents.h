/* What of a process is resident, by kind of mapping, from the text of /proc/PID/smaps: what belongs
 * to its heap, and what is beside it. */
#ifndef HARNESS_MEASURE_RESIDENTS_H
#define HARNESS_MEASURE_RESIDENTS_H

#include <stdint.h>
#include <sys/types.h>

#include "harness/measure/ranges.h"

/* Resident bytes. `heap` is what looks like an allocator's memory (mapping_is_heap, shared heaps)
 * less all that follows it here but `files`. */
struct residents {
    uint64_t heap;
    uint64_t own;    /* in the given ranges: what the program mapped itself */
    uint64_t stacks; /* the main one; with threads, also what stands right behind a guard page */
    uint64_t data;   /* zeroed data of the program and its libraries */
    uint64_t
        absent; /* not resident: of heap-like mappings but the program break's, `own` left out */
    uint64_t files; /* the rest: code, data, mapped files, shared memory */
};

/* Of the process `pid` at rest; `own` may be NULL. 0 or -errno. */
int residents_read(pid_t pid, const struct ranges *own, struct residents *residents);

#endif
