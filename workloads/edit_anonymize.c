/* A trace that says nothing of where it was made. */
#include <errno.h>
#include <stdio.h>

#include "workloads/edit.h"
#include "workloads/editing.h"

/* Call sites and phases keep their numbers, which tell nothing; their names are left behind. */
static void anonymize_event(struct trace_event *event, const struct edit_anonymize *how,
                            struct trace_writer *writer)
{
    if (event->kind == TRACE_MARK) {
        char label[32];
        snprintf(label, sizeof label, "phase %u", event->object + 1);
        event->object = trace_writer_label(writer, label);
    }
    uint64_t over = how->size_step > 1 ? event->size % how->size_step : 0;
    if (over && event->kind <= TRACE_ALIGNED && event->size <= UINT64_MAX - how->size_step)
        event->size += how->size_step - over;
}

static int anonymize_run(struct editing_source *source, const char *to,
                         const struct edit_anonymize *how, struct err *err)
{
    struct trace_writer *writer;
    const struct trace_origin *known = trace_reader_origin(source->reader);
    const struct trace_origin origin = {.tool = known->tool,
                                        .source = known->source,
                                        .losses = known->losses,
                                        .columns = known->columns};
    int failed = trace_writer_create(&writer, to, &origin, err), more = 0;
    if (failed)
        return failed;
    struct trace_event event;
    while (!failed && (more = editing_next(source, &event, err)) == 1) {
        anonymize_event(&event, how, writer);
        if (how->time_step > 1)
            event.time_ns -= event.time_ns % how->time_step;
        failed = trace_writer_add(writer, &event, err);
    }
    editing_account(trace_writer_summary(writer), trace_reader_summary(source->reader));
    return editing_finish(writer, more, failed, err);
}

int edit_anonymize(const char *from, const char *to, const struct edit_anonymize *how,
                   struct err *err)
{
    struct editing_source source;
    int failed = editing_open(&source, from, err);
    if (!failed && how->time_step &&
        !(trace_reader_origin(source.reader)->columns & TRACE_HAS_TIMES))
        failed = err_set(err, EINVAL, "%s has no times that could be rounded",
                         trace_reader_name(source.reader));
    if (!failed)
        failed = anonymize_run(&source, to, how, err);
    editing_close(&source);
    return failed;
}
