/* Where the heap is, and which of its pages are resident. */
#include "harness/measure/residency.h"

#include <errno.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, ENTRIES_AT_ONCE = 4096 };

/* Bit of an entry of pagemap (Documentation/admin-guide/mm/pagemap.rst). */
#define PAGE_PRESENT ((uint64_t)1 << 63)

struct held_call {
    const struct intervals *baseline;
    stretch_visitor *visit;
    void *arg;
};

/* The parts of [start, end) that lie in no interval. */
static int held_outside(const struct held_call *call, uint64_t start, uint64_t end)
{
    const struct intervals *baseline = call->baseline;
    int stopped = 0;
    for (size_t i = 0; i < baseline->count && start < end && !stopped; i++) {
        if (baseline->at[i].end <= start || baseline->at[i].start >= end)
            continue;
        if (baseline->at[i].start > start)
            stopped = call->visit(call->arg, start, baseline->at[i].start);
        start = baseline->at[i].end;
    }
    return stopped || start >= end ? stopped : call->visit(call->arg, start, end);
}

static int held_mapping(void *arg, const struct mapping *mapping)
{
    const struct held_call *call = arg;
    if (mapping_is_heap(mapping))
        return held_outside(call, mapping->start, mapping->end);
    if (mapping_is_shared_heap(mapping))
        return call->visit(call->arg, mapping->start, mapping->end);
    return 0;
}

int held_visit(const struct intervals *baseline, stretch_visitor *visit, void *arg)
{
    return maps_read("/proc/self/maps", held_mapping, &(struct held_call){baseline, visit, arg});
}

/* A stretch of resident pages under way; empty where start is end. */
struct resident_run {
    uint64_t start, end;
    stretch_visitor *visit;
    void *arg;
};

static int resident_flush(struct resident_run *run)
{
    int stopped = run->start < run->end ? run->visit(run->arg, run->start, run->end) : 0;
    run->start = run->end;
    return stopped;
}

static int resident_pages(struct resident_run *run, uint64_t at, const uint64_t *entries,
                          size_t count)
{
    int stopped = 0;
    for (size_t i = 0; i < count && !stopped; i++, at += PAGE_BYTES) {
        if (!(entries[i] & PAGE_PRESENT))
            continue;
        if (run->end != at) {
            stopped = resident_flush(run);
            run->start = at;
        }
        run->end = at + PAGE_BYTES;
    }
    return stopped;
}

int resident_visit(int pagemap, uint64_t start, uint64_t end, stretch_visitor *visit, void *arg)
{
    uint64_t entries[ENTRIES_AT_ONCE];
    struct resident_run run = {start, start, visit, arg};
    while (start < end) {
        uint64_t wanted = (end - start) / PAGE_BYTES;
        ssize_t got =
            pread(pagemap, entries, (wanted < ENTRIES_AT_ONCE ? wanted : ENTRIES_AT_ONCE) * 8,
                  (off_t)(start / PAGE_BYTES * 8));
        if (got < 8)
            return got < 0 ? -errno : -EIO;
        if (resident_pages(&run, start, entries, (size_t)got / 8))
            return 1;
        start += (uint64_t)got / 8 * PAGE_BYTES;
    }
    return resident_flush(&run);
}

struct residency_call {
    int pagemap;
    stretch_visitor *visit;
    void *arg;
};

static int residency_stretch(void *arg, uint64_t start, uint64_t end)
{
    const struct residency_call *call = arg;
    return resident_visit(call->pagemap, start, end, call->visit, call->arg);
}

int residency_visit(int pagemap, const struct intervals *baseline, stretch_visitor *visit,
                    void *arg)
{
    return held_visit(baseline, residency_stretch, &(struct residency_call){pagemap, visit, arg});
}
