/* How near a generated steady state comes to its size profile.
 *
 *     bench generate profile:file=P.csv -o p.trace && profile_counts P.csv p.trace
 *
 * Tells the live blocks at the end of all sizes, and the size whose count is farthest from the
 * profile's among those that have 50 and more (of fewer, the rounding to whole blocks is above
 * 2 %). Status 1 beyond 2 %. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/array.h"
#include "workloads/reader.h"
#include "workloads/table.h"

#define FARTHEST 0.02

enum { FEW = 50 };

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

static void count_event(struct table *live, struct array *sizes, const struct trace_event *event)
{
    if (event->kind == TRACE_MARK || event->object == TRACE_NO_OBJECT)
        return;
    uint64_t *size = object_size(sizes, event->object);
    if (event->kind == TRACE_FREE) {
        table_find(live, *size + 1)->value--;
        return;
    }
    *size = event->size;
    struct table_slot *slot = table_enter(live, *size + 1);
    if (!slot)
        quit("no memory left");
    slot->value++;
}

static void count_trace(struct table *live, const char *path)
{
    struct trace_reader *reader;
    struct trace_block block;
    struct array sizes = {0};
    struct err err = {0};
    int more = trace_reader_open(&reader, path, &err);
    while (!more && (more = trace_reader_next(reader, &block, &err)) == 1) {
        for (size_t i = 0; i < block.count; i++) {
            struct trace_event event = trace_block_at(&block, i);
            count_event(live, &sizes, &event);
        }
        more = 0;
    }
    if (more < 0)
        quit(err.text);
    trace_reader_close(reader);
    array_release(&sizes);
}

int main(int argc, char **argv)
{
    struct table live = {0};
    char line[256];
    double size, rate, wanted, all = 0, has = 0, farthest = 0, farthest_size = 0;
    FILE *profile = argc == 3 ? fopen(argv[1], "r") : NULL;
    if (!profile)
        quit("name a profile and the trace that was generated from it");
    count_trace(&live, argv[2]);
    while (fgets(line, sizeof line, profile)) {
        if (sscanf(line, "%lf , %lf , %lf", &size, &rate, &wanted) != 3)
            continue;
        const struct table_slot *slot = table_find(&live, (uint64_t)size + 1);
        double count = slot ? (double)slot->value : 0, off = fabs(count - wanted) / wanted;
        all += wanted;
        has += count;
        if (wanted >= FEW && off > farthest) {
            farthest = off;
            farthest_size = size;
        }
    }
    fclose(profile);
    table_release(&live);
    printf("%-40s live blocks wanted %.0f, there %.0f (%+.3f %%); farthest off: size %.0f by %.2f "
           "%%\n",
           argv[1], all, has, 100 * (has - all) / all, farthest_size, 100 * farthest);
    return farthest > FARTHEST || fabs(has - all) > FARTHEST * all;
}
