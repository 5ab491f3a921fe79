/* What the editors share. */
#include "workloads/editing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int editing_open(struct editing_source *source, const char *path, struct err *err)
{
    *source = (struct editing_source){0};
    return trace_reader_open(&source->reader, path, err);
}

void editing_close(struct editing_source *source)
{
    array_release(&source->sites);
    if (source->reader)
        trace_reader_close(source->reader);
}

/* The writer's number for the source's; a site that has no description gets an empty one. */
static int editing_site(struct editing_source *source, struct trace_writer *writer, uint32_t *site)
{
    if (array_reserve(&source->sites, ((size_t)*site + 1) * sizeof *site))
        return -ENOMEM;
    uint32_t *known = (uint32_t *)source->sites.at + *site;
    if (!*known) {
        const char *text = trace_reader_site(source->reader, *site);
        *known = trace_writer_site(writer, text ? text : "");
    }
    *site = *known;
    return *site ? 0 : -ENOMEM;
}

int editing_add(struct editing_source *source, struct trace_writer *writer,
                const struct trace_event *event, struct err *err)
{
    struct trace_event own = *event;
    if (own.kind == TRACE_MARK) {
        const char *label = trace_reader_label(source->reader, own.object);
        own.object = trace_writer_label(writer, label ? label : "");
    }
    if (own.site && editing_site(source, writer, &own.site))
        return err_set(err, ENOMEM, "no memory left for the call sites of a trace");
    return trace_writer_add(writer, &own, err);
}

const char *editing_losses(char text[EDITING_LOSSES], const char *losses, const char *more)
{
    bool said = strstr(losses, more);
    snprintf(text, EDITING_LOSSES, "%s%s%s", losses, *losses && !said ? " " : "", said ? "" : more);
    return text;
}

int editing_finish(struct trace_writer *writer, int more, bool failed, struct err *err)
{
    if (failed) {
        trace_writer_abandon(writer);
        return -err->code;
    }
    struct err own = {0};
    if (trace_writer_finish(writer, &own))
        return err_set(err, own.code, "%s", own.text);
    return more;
}

void editing_account(struct trace_summary *to, const struct trace_summary *from)
{
    if (!from)
        return;
    to->source_events += from->source_events;
    to->lost_events += from->lost_events;
    to->repairs += from->repairs;
    to->orphan_frees += from->orphan_frees;
    to->double_allocations += from->double_allocations;
    to->inversions += from->inversions;
    to->bad_records += from->bad_records;
    to->cut_tails |= from->cut_tails;
    to->backward_times += from->backward_times;
    to->touch_looks += from->touch_looks;
    to->unrecorded_exec |= from->unrecorded_exec;
    to->own_malloc |= from->own_malloc;
    to->end_signal = to->end_signal ? to->end_signal : from->end_signal;
}
