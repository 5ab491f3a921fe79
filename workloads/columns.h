/* The memory that events are decoded into, a stretch at a time. */
#ifndef WORKLOADS_COLUMNS_H
#define WORKLOADS_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "workloads/codec.h"

struct columns {
    struct codec_columns at;
    void *memory; /* owned; touched as it is used */
    size_t bytes;
};

/* Room for those that the trace has by its origin's `columns`. 0 or -ENOMEM. */
int columns_map(struct columns *columns, uint32_t has);
void columns_unmap(struct columns *columns);

/* Touches all of it. */
void columns_settle(struct columns *columns);

/* Times and sites are not wanted. */
void columns_narrow(struct columns *columns);

#endif
