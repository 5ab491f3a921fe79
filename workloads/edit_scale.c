/* Copies of a trace side by side. */
#include <errno.h>

#include "workloads/edit.h"
#include "workloads/editing.h"
#include "workloads/format.h"

/* The copies' numbers lie between one another, so that nothing need be known of how many there are.
 */
static int scale_event(struct editing_source *source, struct trace_writer *writer, uint32_t copies,
                       const struct trace_event *event, struct err *err)
{
    bool marks = event->kind == TRACE_MARK, names = !marks && event->object != TRACE_NO_OBJECT;
    if ((names && event->object >= TRACE_NO_OBJECT / copies) ||
        event->thread >= FORMAT_THREADS_MOST / copies)
        return err_set(err, E2BIG, "%u copies have too many objects or threads", copies);
    int failed = 0;
    for (uint32_t copy = 0; copy < (marks ? 1 : copies) && !failed; copy++) {
        struct trace_event own = *event;
        own.thread = event->thread * copies + copy;
        if (names)
            own.object = event->object * copies + copy;
        failed = editing_add(source, writer, &own, err);
    }
    return failed;
}

static int scale_run(struct editing_source *source, const char *to, uint32_t copies,
                     struct err *err)
{
    char losses[EDITING_LOSSES];
    struct trace_writer *writer;
    struct trace_origin origin = *trace_reader_origin(source->reader);
    origin.columns |= TRACE_HAS_THREADS;
    origin.losses = editing_losses(losses, origin.losses,
                                   "These are several copies of one recording, in step.");
    int failed = trace_writer_create(&writer, to, &origin, err), more = 0;
    if (failed)
        return failed;
    struct trace_event event;
    while (!failed && (more = editing_next(source, &event, err)) == 1)
        failed = scale_event(source, writer, copies, &event, err);
    editing_account(trace_writer_summary(writer), trace_reader_summary(source->reader));
    return editing_finish(writer, more, failed, err);
}

int edit_scale(const char *from, const char *to, uint32_t copies, struct err *err)
{
    struct editing_source source;
    if (!copies)
        return err_set(err, EINVAL, "scaling takes at least one copy");
    int failed = editing_open(&source, from, err);
    if (!failed)
        failed = scale_run(&source, to, copies, err);
    editing_close(&source);
    return failed;
}
