/* The memory that events are decoded into. */
#include "workloads/columns.h"

#include <errno.h>
#include <string.h>

#include "harness/base/pages.h"

/* The columns of a stretch in one mapping, the wide ones first; those that the trace does not have
 * take no room. */
int columns_map(struct columns *columns, uint32_t has)
{
    enum { ALWAYS = 8 + 2 * 4 + 3 };
    struct codec_columns *to = &columns->at;
    size_t times = has & TRACE_HAS_TIMES ? 8 : 0;
    size_t sites = has & TRACE_HAS_SITES ? 4 : 0;
    columns->bytes = CODEC_STRETCH * (ALWAYS + times + sites);
    uint8_t *at = columns->memory = pages_map_lazy(columns->bytes);
    if (!at)
        return -ENOMEM;
    to->size = (uint64_t *)at;
    to->time_ns = times ? (uint64_t *)(at += 8 * CODEC_STRETCH) : NULL;
    to->thread = (uint32_t *)(at += 8 * CODEC_STRETCH);
    to->object = (uint32_t *)(at += 4 * CODEC_STRETCH);
    to->site = sites ? (uint32_t *)(at += 4 * CODEC_STRETCH) : NULL;
    to->kind = at += 4 * CODEC_STRETCH;
    to->flags = at += CODEC_STRETCH;
    to->align_log2 = at + CODEC_STRETCH;
    return 0;
}

void columns_unmap(struct columns *columns)
{
    pages_unmap(columns->memory, columns->bytes);
}

void columns_settle(struct columns *columns)
{
    memset(columns->memory, 0, columns->bytes);
}

void columns_narrow(struct columns *columns)
{
    columns->at.time_ns = NULL;
    columns->at.site = NULL;
}
