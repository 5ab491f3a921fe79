/* What of a process is resident, by kind of mapping. */
#include "harness/measure/residents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/measure/lines.h"
#include "harness/measure/maps.h"
#include "harness/measure/proc.h"

/* A guard is smaller than what an arena of the C library keeps out of reach. */
enum { GUARD_MOST = 64 << 10, PAGEMAP_WORDS = 512 };

struct reading {
    struct residents *out;
    const struct ranges *own;
    int pagemap;
    uint64_t last_end;            /* of the mapping before */
    bool after_guard, after_data; /* what that was */
    uint64_t *to;                 /* where the mapping at hand is counted */
    bool mapped;                  /* it is of the heap, by mmap */
    uint64_t own_here;            /* resident in it of what is the program's own */
    bool threads;                 /* there are stacks beside the main one */
};

/* Pages of [start, end) that are in memory: bit 63 of a word a page. */
static uint64_t reading_present(const struct reading *reading, uint64_t start, uint64_t end)
{
    uint64_t words[PAGEMAP_WORDS], present = 0, page = (uint64_t)sysconf(_SC_PAGESIZE);
    for (uint64_t at = start / page, last = (end + page - 1) / page; at < last;) {
        size_t want = last - at < PAGEMAP_WORDS ? last - at : PAGEMAP_WORDS;
        ssize_t got =
            pread(reading->pagemap, words, want * sizeof *words, (off_t)(at * sizeof *words));
        if (got <= 0)
            break;
        size_t count = (size_t)got / sizeof *words;
        for (size_t i = 0; i < count; i++)
            present += words[i] >> 63;
        at += count;
    }
    return present * page;
}

/* The kernel makes one mapping of neighbours, whoever asked for them: so what is the program's own
 * is taken out page by page. */
static void reading_take_own(struct reading *reading, const struct mapping *mapping)
{
    const struct ranges *own = reading->own;
    for (size_t i = ranges_find(own, mapping->start);
         i < own->count && own->at[i].start < mapping->end; i++) {
        uint64_t start = own->at[i].start > mapping->start ? own->at[i].start : mapping->start;
        uint64_t end = own->at[i].end < mapping->end ? own->at[i].end : mapping->end;
        uint64_t present = reading_present(reading, start, end);
        reading->own_here += present;
        reading->out->absent -= reading->mapped ? end - start - present : 0;
    }
    reading->out->own += reading->own_here;
}

static bool reading_begins_own(const struct reading *reading, const struct mapping *mapping)
{
    size_t place = ranges_find(reading->own, mapping->start);
    return place < reading->own->count && reading->own->at[place].start <= mapping->start;
}

static uint64_t *reading_place(const struct reading *reading, const struct mapping *mapping)
{
    struct residents *out = reading->out;
    bool follows = mapping->start == reading->last_end && !reading_begins_own(reading, mapping);
    if (mapping_is_named(mapping, "[stack]"))
        return &out->stacks;
    if (mapping_is_shared_heap(mapping))
        return &out->heap;
    if (!mapping_is_heap(mapping))
        return &out->files;
    if (follows && reading->after_data && !mapping_is_named(mapping, "[heap]"))
        return &out->data;
    if (follows && reading->after_guard && reading->threads)
        return &out->stacks;
    return &out->heap;
}

static void reading_mapping(struct reading *reading, const struct mapping *mapping)
{
    struct residents *out = reading->out;
    reading->to = reading_place(reading, mapping);
    reading->mapped = reading->to == &out->heap && !mapping_is_named(mapping, "[heap]");
    out->absent += reading->mapped ? mapping->end - mapping->start : 0;
    reading->own_here = 0;
    if (mapping_is_heap(mapping))
        reading_take_own(reading, mapping);
    reading->after_guard = mapping->inode == 0 && memcmp(mapping->rights, "---", 3) == 0 &&
                           mapping->end - mapping->start <= GUARD_MOST;
    reading->after_data = mapping->inode != 0 && memcmp(mapping->rights, "rw-p", 4) == 0;
    reading->last_end = mapping->end;
}

static int reading_line(void *arg, const char *line, size_t length)
{
    struct reading *reading = arg;
    struct mapping mapping;
    if (mapping_parse(&mapping, line, length))
        reading_mapping(reading, &mapping);
    if (reading->to && length > 4 && memcmp(line, "Rss:", 4) == 0) {
        uint64_t resident = strtoull(line + 4, NULL, 10) * 1024;
        *reading->to += resident - (reading->own_here < resident ? reading->own_here : resident);
        reading->out->absent -= reading->mapped ? resident : 0;
    }
    return 0;
}

/* A folder has a link from each folder in it. */
static size_t reading_folders(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_nlink > 2 ? info.st_nlink - 2 : 0;
}

int residents_read(pid_t pid, const struct ranges *own, struct residents *residents)
{
    char path[64];
    static const struct ranges none;
    *residents = (struct residents){0};
    struct reading reading = {.out = residents, .own = own ? own : &none, .pagemap = -1};
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    reading.threads = reading_folders(path) > 1;
    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
    if (own && own->count)
        reading.pagemap = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
    int status = lines_read(path, reading_line, &reading);
    if (reading.pagemap >= 0)
        close(reading.pagemap);
    return status;
}
