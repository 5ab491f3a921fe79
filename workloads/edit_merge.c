/* Several traces as one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/edit.h"
#include "workloads/editing.h"
#include "workloads/format.h"

struct merge_source {
    struct editing_source trace;
    struct trace_event event; /* the next one */
    uint64_t taken, events;   /* of how many; 0: not needed, or none */
    bool ended;
};

struct merge {
    struct merge_source *sources;
    size_t count;
    bool timed; /* all have times */
    struct trace_writer *writer;
    int damage; /* the first source that is damaged ends, the others go on */
};

/* Damage in one source must not take the others with it. */
static void merge_advance(struct merge *merge, struct merge_source *source, struct err *err)
{
    struct err *keep = merge->damage ? NULL : err;
    int more = editing_next(&source->trace, &source->event, keep);
    source->ended = more != 1;
    source->taken += more == 1;
    if (more < 0 && !merge->damage)
        merge->damage = more;
}

/* How much of it is done, in parts of 2 to the 24th. */
static uint64_t merge_share(const struct merge_source *source)
{
    return source->events ? (source->taken << 24) / source->events : 0;
}

/* Whether a's next event comes before b's: by time, or by the share of its trace that is done. */
static bool merge_before(const struct merge *merge, const struct merge_source *a,
                         const struct merge_source *b)
{
    if (merge->timed)
        return a->event.time_ns < b->event.time_ns;
    return merge_share(a) < merge_share(b);
}

static struct merge_source *merge_first(const struct merge *merge)
{
    struct merge_source *first = NULL;
    for (size_t i = 0; i < merge->count; i++) {
        struct merge_source *source = &merge->sources[i];
        if (!source->ended && (!first || merge_before(merge, source, first)))
            first = source;
    }
    return first;
}

static int merge_add(struct merge *merge, struct merge_source *source, struct err *err)
{
    struct trace_event own = source->event;
    uint32_t place = (uint32_t)(source - merge->sources), count = (uint32_t)merge->count;
    bool names = own.kind != TRACE_MARK && own.object != TRACE_NO_OBJECT;
    if ((names && own.object >= TRACE_NO_OBJECT / count) ||
        own.thread >= FORMAT_THREADS_MOST / count)
        return err_set(err, E2BIG, "the traces have too many objects or threads together");
    own.thread = own.thread * count + place;
    if (names)
        own.object = own.object * count + place;
    return editing_add(&source->trace, merge->writer, &own, err);
}

/* Of a trace without a footer nothing but reading it tells how long it is. */
static int merge_count(struct merge_source *source, struct err *err)
{
    struct trace_reader *reader = source->trace.reader;
    struct trace_block block;
    struct err damage; /* is told when it is met again */
    while (trace_reader_next(reader, &block, &damage) == 1)
        source->events += block.count;
    return trace_reader_rewind(reader, NULL)
               ? err_set(err, ESPIPE,
                         "%s cannot be read twice, as an even pace beside traces without times "
                         "needs: write it to a file first",
                         trace_reader_name(reader))
               : 0;
}

static int merge_count_all(struct merge *merge, struct err *err)
{
    int failed = 0;
    for (size_t i = 0; i < merge->count && !merge->timed && !failed; i++)
        if (!trace_reader_summary(merge->sources[i].trace.reader))
            failed = merge_count(&merge->sources[i], err);
    return failed;
}

static int merge_open(struct merge *merge, const char *const *from, uint32_t *columns,
                      struct err *err)
{
    uint32_t all = UINT32_MAX, any = 0;
    for (size_t i = 0; i < merge->count; i++) {
        struct merge_source *source = &merge->sources[i];
        int failed = editing_open(&source->trace, from[i], err);
        if (failed)
            return failed;
        const struct trace_summary *summary = trace_reader_summary(source->trace.reader);
        source->events = summary ? summary->events : 0;
        all &= trace_reader_origin(source->trace.reader)->columns;
        any |= trace_reader_origin(source->trace.reader)->columns;
    }
    merge->timed = all & TRACE_HAS_TIMES;
    *columns = (all & TRACE_HAS_TIMES) | (any & TRACE_HAS_SITES) | TRACE_HAS_THREADS;
    return merge_count_all(merge, err);
}

/* What each source lacks, said once, and that they are several. */
static void merge_losses(const struct merge *merge, char losses[EDITING_LOSSES])
{
    const char *several = merge->timed
                              ? "Several recordings as one, by their own times."
                              : "Several recordings as one, each at an even pace: not all have "
                                "times.";
    for (size_t i = 0; i <= merge->count; i++) {
        char before[EDITING_LOSSES];
        const char *more = i < merge->count
                               ? trace_reader_origin(merge->sources[i].trace.reader)->losses
                               : several;
        memcpy(before, losses, sizeof before);
        if (*more)
            editing_losses(losses, before, more);
    }
}

static int merge_run(struct merge *merge, const char *to, uint32_t columns, struct err *err)
{
    const struct trace_origin *first = trace_reader_origin(merge->sources[0].trace.reader);
    char losses[EDITING_LOSSES] = "";
    merge_losses(merge, losses);
    const struct trace_origin origin = {
        .tool = first->tool, .source = "merged", .columns = columns, .losses = losses};
    int failed = trace_writer_create(&merge->writer, to, &origin, err);
    if (failed)
        return failed;
    for (size_t i = 0; i < merge->count; i++)
        merge_advance(merge, &merge->sources[i], err);
    for (struct merge_source *next; !failed && (next = merge_first(merge));) {
        failed = merge_add(merge, next, err);
        if (!failed)
            merge_advance(merge, next, err);
    }
    for (size_t i = 0; i < merge->count; i++)
        editing_account(trace_writer_summary(merge->writer),
                        trace_reader_summary(merge->sources[i].trace.reader));
    return editing_finish(merge->writer, merge->damage, failed, err);
}

int edit_merge(const char *const *from, size_t count, const char *to, struct err *err)
{
    struct merge merge = {.count = count, .sources = calloc(count, sizeof *merge.sources)};
    uint32_t columns;
    if (!merge.sources)
        return err_set(err, ENOMEM, "no memory left to merge so many traces");
    int failed = merge_open(&merge, from, &columns, err);
    if (!failed)
        failed = merge_run(&merge, to, columns, err);
    for (size_t i = 0; i < count; i++)
        editing_close(&merge.sources[i].trace);
    free(merge.sources);
    return failed;
}
