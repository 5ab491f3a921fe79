/* What the editors share: a trace event by event, and events with their names to a writer. */
#ifndef WORKLOADS_EDITING_H
#define WORKLOADS_EDITING_H

#include <stdbool.h>

#include "workloads/array.h"
#include "workloads/reader.h"
#include "workloads/writer.h"

/* A trace being read, one event at a time. */
struct editing_source {
    struct trace_reader *reader;
    struct trace_block block;
    size_t at;          /* in the block */
    size_t touched;     /* among what was touched in it */
    struct array sites; /* uint32_t: the writer's number of each call site, 0 not yet */
};

int editing_open(struct editing_source *source, const char *path, struct err *err);
void editing_close(struct editing_source *source);

/* 1 and an event, 0 at the end, or -errno. */
static inline int editing_next(struct editing_source *source, struct trace_event *event,
                               struct err *err)
{
    if (source->at == source->block.count) {
        source->at = source->touched = 0;
        source->block.count = 0;
        int more = trace_reader_next(source->reader, &source->block, err);
        if (more != 1)
            return more;
    }
    *event = trace_block_at(&source->block, source->at);
    event->touched_pages = trace_block_touched(&source->block, source->at++, &source->touched);
    return 1;
}

/* Adds an event that keeps its label and call site, whatever their numbers become. */
int editing_add(struct editing_source *source, struct trace_writer *writer,
                const struct trace_event *event, struct err *err);

/* The losses of the source and a further sentence that is not said yet, into `text`, which is
 * returned. */
enum { EDITING_LOSSES = 1024 };
const char *editing_losses(char text[EDITING_LOSSES], const char *losses, const char *more);

/* Ends an edit: `more` is what reading ended with, `failed` whether writing did; both may have left
 * a sentence in err. */
int editing_finish(struct trace_writer *writer, int more, bool failed, struct err *err);

/* Carries what events do not show from one summary to another. */
void editing_account(struct trace_summary *to, const struct trace_summary *from);

#endif
