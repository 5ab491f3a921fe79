/* What of a process is resident, by kind of mapping, from the text of /proc/PID/smaps: what belongs
 * to its heap, and what is beside it. */
#ifndef HARNESS_MEASURE_RESIDENTS_H
#define HARNESS_MEASURE_RESIDENTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Address ranges in order and disjoint, as many as there are. */
struct ranges {
    size_t count, room;
    struct range {
        uint64_t start, end;
    } * at; /* owned */
};

void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end);
void ranges_remove(struct ranges *ranges, uint64_t start, uint64_t end);
void ranges_release(struct ranges *ranges);

/* Resident bytes. `heap` is what looks like an allocator's memory (mapping_is_heap, shared heaps)
 * less all that follows it here but `files`. */
struct residents {
    uint64_t heap;
    uint64_t own;    /* in the given ranges: what the program mapped itself */
    uint64_t stacks; /* of the main thread, and of the others: mappings right after a guard page */
    uint64_t data;   /* zeroed data of the program and its libraries */
    uint64_t files;  /* the rest: code, data, mapped files, shared memory */
};

/* Of the process `pid` at rest; `own` may be NULL. 0 or -errno. */
int residents_read(pid_t pid, const struct ranges *own, struct residents *residents);

#endif
