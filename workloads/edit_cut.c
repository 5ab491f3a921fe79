/* A stretch of a trace, or some of its threads. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/base/units.h"
#include "workloads/edit.h"
#include "workloads/editing.h"

/* What is known of an object while it lives. */
struct cut_object {
    uint64_t size;
    uint64_t birth; /* the event, for the order */
    uint32_t thread, site, touched_pages;
    uint8_t kind, align_log2;
    bool live;
};

struct cut {
    const struct edit_cut *what;
    struct editing_source source;
    struct trace_writer *writer;
    struct array objects; /* struct cut_object, by number */
    uint32_t count;
    uint64_t seen; /* events of the source */
    uint64_t last_ns;
    uint32_t threads; /* of those: 0 to … - 1 */
    bool begun;
};

static bool cut_wants_thread(const struct cut *cut, uint32_t thread)
{
    for (size_t i = 0; i < cut->what->thread_count; i++)
        if (cut->what->threads[i] == thread)
            return true;
    return !cut->what->thread_count;
}

static struct cut_object *cut_object(const struct cut *cut, uint32_t number)
{
    return (struct cut_object *)cut->objects.at + number;
}

static int cut_remember(struct cut *cut, const struct trace_event *event)
{
    if (event->object >= cut->count) {
        if (array_reserve(&cut->objects, ((size_t)event->object + 1) * sizeof(struct cut_object)))
            return -ENOMEM;
        cut->count = event->object + 1;
    }
    *cut_object(cut, event->object) = (struct cut_object){.size = event->size,
                                                          .birth = cut->seen,
                                                          .thread = event->thread,
                                                          .site = event->site,
                                                          .touched_pages = event->touched_pages,
                                                          .kind = event->kind,
                                                          .align_log2 = event->align_log2,
                                                          .live = true};
    return 0;
}

/* A resized block is no longer aligned, nor zero where it grew, and it is the resizer's. */
static void cut_resize(struct cut_object *object, const struct trace_event *event)
{
    object->kind = TRACE_MALLOC;
    object->align_log2 = 0;
    object->size = event->size;
    object->site = event->site;
    object->touched_pages = event->touched_pages;
}

/* Keeps account of the objects, and tells whether the event is of a wanted thread. */
static int cut_account(struct cut *cut, const struct trace_event *event, bool *wanted)
{
    *wanted = cut_wants_thread(cut, event->thread);
    if (event->kind == TRACE_MARK) {
        *wanted = true;
        return 0;
    }
    if (event->object == TRACE_NO_OBJECT)
        return 0;
    if (event->kind != TRACE_FREE && event->kind != TRACE_REALLOC)
        return cut_remember(cut, event);
    struct cut_object *object = cut_object(cut, event->object);
    *wanted = cut_wants_thread(cut, object->thread);
    if (event->kind == TRACE_FREE)
        object->live = false;
    else if (!(event->flags & TRACE_FAILED))
        cut_resize(object, event);
    return 0;
}

static int cut_by_birth(const void *a, const void *b)
{
    const struct cut_object *const *left = a, *const *right = b;
    return ((*left)->birth > (*right)->birth) - ((*left)->birth < (*right)->birth);
}

static int cut_write_live(struct cut *cut, struct cut_object **order, size_t count,
                          uint64_t time_ns, struct err *err)
{
    int failed = 0;
    qsort(order, count, sizeof *order, cut_by_birth);
    for (size_t i = 0; i < count && !failed; i++) {
        const struct cut_object *object = order[i];
        struct trace_event event = {.kind = object->kind,
                                    .align_log2 = object->align_log2,
                                    .thread = object->thread,
                                    .object = (uint32_t)(object - cut_object(cut, 0)),
                                    .site = object->site,
                                    .touched_pages = object->touched_pages,
                                    .size = object->size,
                                    .time_ns = time_ns};
        failed = editing_add(&cut->source, cut->writer, &event, err);
    }
    return failed;
}

/* The stretch begins: what lives is allocated. */
static int cut_begin(struct cut *cut, uint64_t time_ns, struct err *err)
{
    struct cut_object **order = malloc((cut->count + (size_t)1) * sizeof *order);
    size_t count = 0;
    cut->begun = true;
    if (!order)
        return err_set(err, ENOMEM, "no memory left to order live objects");
    for (uint32_t i = 0; i < cut->count; i++) {
        struct cut_object *object = cut_object(cut, i);
        if (object->live && cut_wants_thread(cut, object->thread))
            order[count++] = object;
    }
    int failed = cut_write_live(cut, order, count, time_ns, err);
    free(order);
    return failed;
}

static bool cut_is_over(const struct cut *cut, const struct trace_event *event)
{
    return cut->seen >= cut->what->end || event->time_ns >= cut->what->before_ns;
}

static int cut_event(struct cut *cut, const struct trace_event *event, struct err *err)
{
    bool wanted, inside = cut->seen >= cut->what->first && event->time_ns >= cut->what->after_ns;
    int failed = inside && !cut->begun ? cut_begin(cut, event->time_ns, err) : 0;
    if (!failed && cut_account(cut, event, &wanted))
        failed = err_set(err, ENOMEM, "no memory left to keep account of objects");
    if (!failed && inside && wanted)
        failed = editing_add(&cut->source, cut->writer, event, err);
    cut->seen++;
    cut->last_ns = event->time_ns;
    cut->threads = event->thread >= cut->threads ? event->thread + 1 : cut->threads;
    return failed;
}

static const char *cut_name(const struct cut *cut)
{
    return trace_reader_name(cut->source.reader);
}

/* A thread that is asked for but not among `threads`. */
static int cut_check_threads(const struct cut *cut, uint64_t threads, struct err *err)
{
    for (size_t i = 0; i < cut->what->thread_count; i++) {
        uint32_t thread = cut->what->threads[i];
        if (thread >= threads && threads > 1)
            return err_set(err, EINVAL, "%s has no thread %u: its threads are 0 to %llu",
                           cut_name(cut), thread, (unsigned long long)threads - 1);
        if (thread >= threads)
            return err_set(err, EINVAL, "%s has no thread %u, only thread 0", cut_name(cut),
                           thread);
    }
    return 0;
}

/* Why a cut holds nothing: what was asked for lies behind the end or between two operations, or is
 * of threads that have nothing there. */
static int cut_empty(const struct cut *cut, bool at_end, struct err *err)
{
    const char *hint = "look for them with bench trace dump";
    char last[UNITS_TEXT], number[UNITS_TEXT], sentence[560];
    units_format_time(last, (double)cut->last_ns);
    if (!cut->seen)
        return err_set(err, EINVAL, "%s holds no operation", cut_name(cut));
    if (cut->begun)
        return err_set(err, EINVAL,
                       "the threads asked for have no blocks in that stretch of %s: %s",
                       cut_name(cut), hint);
    if (!at_end)
        return err_set(err, EINVAL, "%s has no operation in that stretch: %s", cut_name(cut), hint);
    snprintf(sentence, sizeof sentence,
             "the cut begins behind the end of %s: its operations are 0 to %s", cut_name(cut),
             units_format_count(number, cut->seen - 1));
    return trace_reader_origin(cut->source.reader)->columns & TRACE_HAS_TIMES
               ? err_set(err, EINVAL, "%s, the last %s after the start", sentence, last)
               : err_set(err, EINVAL, "%s", sentence);
}

/* How the program ended is not of a cut that ends before. */
static void cut_summarize(struct cut *cut, bool at_end)
{
    struct trace_summary *summary = trace_writer_summary(cut->writer);
    editing_account(summary, trace_reader_summary(cut->source.reader));
    if (!at_end)
        summary->unrecorded_exec = summary->end_signal = 0;
}

static int cut_run(struct cut *cut, const char *to, struct err *err)
{
    char losses[EDITING_LOSSES];
    struct trace_origin origin = *trace_reader_origin(cut->source.reader);
    origin.losses =
        editing_losses(losses, origin.losses,
                       "This is a cut: blocks that lived at its beginning are allocated "
                       "first, in the order in which they were.");
    int failed = trace_writer_create(&cut->writer, to, &origin, err), more = 1;
    if (failed)
        return failed;
    struct trace_event event;
    while (!failed && (more = editing_next(&cut->source, &event, err)) == 1 &&
           !cut_is_over(cut, &event))
        failed = cut_event(cut, &event, err);
    const struct trace_summary *written = trace_writer_summary(cut->writer);
    if (!failed && !more && cut->seen)
        failed = cut_check_threads(cut, cut->threads, err);
    if (!failed && more >= 0 && !written->events)
        failed = cut_empty(cut, !more, err);
    cut_summarize(cut, !more);
    return editing_finish(cut->writer, more == 1 ? 0 : more, failed, err);
}

/* What no trace has. */
static int cut_check_bounds(const struct edit_cut *what, struct err *err)
{
    char from[UNITS_TEXT], to[UNITS_TEXT];
    if (what->first >= what->end)
        return err_set(err, EINVAL,
                       "the cut ends before it begins: from operation %s up to and without "
                       "operation %s",
                       units_format_count(from, what->first), units_format_count(to, what->end));
    if (what->after_ns >= what->before_ns)
        return err_set(err, EINVAL, "the cut ends before it begins: after %s and before %s",
                       units_format_time(from, (double)what->after_ns),
                       units_format_time(to, (double)what->before_ns));
    return 0;
}

static int cut_check(const struct cut *cut, struct err *err)
{
    static const char by_number[] = "cut it by operations (--from, --to)";
    const struct edit_cut *what = cut->what;
    uint32_t columns = trace_reader_origin(cut->source.reader)->columns;
    bool timed = what->after_ns || what->before_ns != UINT64_MAX;
    if (timed && !(columns & TRACE_HAS_TIMES))
        return err_set(err, EINVAL, "%s has no times: %s", cut_name(cut), by_number);
    if (what->thread_count && !(columns & TRACE_HAS_THREADS))
        return err_set(err, EINVAL, "%s does not know its threads: %s", cut_name(cut), by_number);
    const struct trace_summary *summary = trace_reader_summary(cut->source.reader);
    return summary && summary->events ? cut_check_threads(cut, summary->threads, err) : 0;
}

int edit_cut(const char *from, const char *to, const struct edit_cut *what, struct err *err)
{
    struct cut cut = {.what = what};
    int failed = cut_check_bounds(what, err);
    if (!failed)
        failed = editing_open(&cut.source, from, err);
    if (!failed)
        failed = cut_check(&cut, err);
    if (!failed)
        failed = cut_run(&cut, to, err);
    array_release(&cut.objects);
    editing_close(&cut.source);
    return failed;
}
