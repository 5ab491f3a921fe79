/* How near a generated steady state comes to its size profile.
 *
 *     bench generate profile:file=P.csv -o p.trace && profile_counts P.csv p.trace
 *
 * Tells the live blocks and bytes at the end of all sizes, and the size whose count is farthest
 * from the profile's: among those of which a whole number is within 2 %, at the end; among the
 * others that were drawn 1,000 times and more after the ramp, on the average since then. Status 1
 * beyond 2 % (the averages are of random numbers, and not judged). */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/array.h"
#include "workloads/reader.h"
#include "workloads/table.h"

#define FARTHEST 0.02

enum { OFTEN = 1000 };

/* What is seen of a size: one table each, by the size + 1. */
struct seen {
    struct table live;  /* blocks */
    struct table since; /* operation of the last change */
    struct table sum;   /* of live blocks over the operations of the steady state */
    struct table draws; /* allocations of the steady state */
    struct array sizes; /* uint64_t, by object */
    uint64_t events;    /* of the steady state; 0 in the ramp */
};

static void quit(const char *why)
{
    fprintf(stderr, "profile_counts: %s\n", why);
    exit(2);
}

static uint64_t *object_size(struct array *sizes, uint32_t object)
{
    if (array_reserve(sizes, ((size_t)object + 1) * sizeof(uint64_t)))
        quit("no memory left");
    return (uint64_t *)sizes->at + object;
}

static uint64_t *seen_at(struct table *table, uint64_t size)
{
    struct table_slot *slot = table_enter(table, size + 1);
    if (!slot)
        quit("no memory left");
    return &slot->value;
}

static void seen_change(struct seen *seen, uint64_t size, uint64_t by)
{
    uint64_t *live = seen_at(&seen->live, size), *since = seen_at(&seen->since, size);
    *seen_at(&seen->sum, size) += *live * (seen->events - *since);
    *since = seen->events;
    *live += by;
}

static void count_event(struct seen *seen, const struct trace_event *event)
{
    if (event->kind == TRACE_MARK)
        seen->events = event->object > 0;
    if (event->kind == TRACE_MARK || event->object == TRACE_NO_OBJECT)
        return;
    uint64_t *size = object_size(&seen->sizes, event->object);
    bool frees = event->kind == TRACE_FREE;
    if (!frees)
        *size = event->size;
    seen_change(seen, *size, frees ? UINT64_MAX : 1);
    seen->events += seen->events > 0;
    *seen_at(&seen->draws, *size) += seen->events && !frees;
}

static void count_trace(struct seen *seen, const char *path)
{
    struct trace_reader *reader;
    struct trace_block block;
    struct err err = {0};
    int more = trace_reader_open(&reader, path, &err);
    while (!more && (more = trace_reader_next(reader, &block, &err)) == 1) {
        for (size_t i = 0; i < block.count; i++) {
            struct trace_event event = trace_block_at(&block, i);
            count_event(seen, &event);
        }
        more = 0;
    }
    if (more < 0)
        quit(err.text);
    trace_reader_close(reader);
}

static void seen_release(struct seen *seen)
{
    table_release(&seen->live);
    table_release(&seen->since);
    table_release(&seen->sum);
    table_release(&seen->draws);
    array_release(&seen->sizes);
}

struct far {
    double off, size;
    unsigned sizes;
};

static void far_offer(struct far *far, double size, double off)
{
    far->sizes++;
    if (off > far->off)
        *far = (struct far){off, size, far->sizes};
}

int main(int argc, char **argv)
{
    struct seen seen = {0};
    struct far whole = {0}, average = {0};
    char line[256];
    double size, rate, wanted, all = 0, has = 0, bytes = 0, has_bytes = 0;
    FILE *profile = argc == 3 ? fopen(argv[1], "r") : NULL;
    if (!profile)
        quit("name a profile and the trace that was generated from it");
    count_trace(&seen, argv[2]);
    while (fgets(line, sizeof line, profile)) {
        if (sscanf(line, "%lf , %lf , %lf", &size, &rate, &wanted) != 3)
            continue;
        seen_change(&seen, (uint64_t)size, 0);
        double count = (double)*seen_at(&seen.live, (uint64_t)size);
        double mean =
            (double)*seen_at(&seen.sum, (uint64_t)size) / (double)(seen.events ? seen.events : 1);
        all += wanted;
        has += count;
        bytes += wanted * size;
        has_bytes += count * size;
        if (fabs(round(wanted) - wanted) <= FARTHEST * wanted)
            far_offer(&whole, size, fabs(count - wanted) / wanted);
        else if (*seen_at(&seen.draws, (uint64_t)size) >= OFTEN)
            far_offer(&average, size, fabs(mean - wanted) / wanted);
    }
    fclose(profile);
    seen_release(&seen);
    printf("%s: live blocks wanted %.0f, there %.0f (%+.3f %%); bytes %.0f, there %.0f (%+.2f %%)\n"
           "  farthest of %u sizes at the end: %.0f by %.2f %%; of %u on the average: %.0f by %.2f "
           "%%\n",
           argv[1], all, has, 100 * (has - all) / all, bytes, has_bytes,
           100 * (has_bytes - bytes) / bytes, whole.sizes, whole.size, 100 * whole.off,
           average.sizes, average.size, 100 * average.off);
    return whole.off > FARTHEST || fabs(has - all) > FARTHEST * all;
}
