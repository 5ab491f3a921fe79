/* What a program says of the memory that it maps itself, beside its allocator: records in the file
 * that HEAPBENCH_MAPPINGS names, appended by every process of the program. */
#ifndef ALLOCATORS_PRELOAD_MAPPINGS_H
#define ALLOCATORS_PRELOAD_MAPPINGS_H

#include <stdint.h>

#define MAPPINGS_ENVIRONMENT "HEAPBENCH_MAPPINGS"

enum mappings_kind {
    MAPPINGS_START,   /* the process has become this program */
    MAPPINGS_MAPPED,  /* anonymous private memory, by other code than the allocator's */
    MAPPINGS_UNMAPPED /* of any kind */
};

struct mappings_record {
    uint32_t kind;
    int32_t pid;
    uint64_t start, length;
};

#endif
