/* What a stopped process has in memory. */
#include "harness/explain/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/measure/lines.h"
#include "harness/measure/proc.h"

/* Bits of an entry of pagemap (Documentation/admin-guide/mm/pagemap.rst). */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)
#define PAGEMAP_FILE (UINT64_C(1) << 61)      /* or shared and anonymous */
#define PAGEMAP_EXCLUSIVE (UINT64_C(1) << 56) /* mapped by this process alone */

/* Beyond this, address space of which nothing is resident is not looked at page by page. */
#define IMAGE_LARGEST (UINT64_C(64) << 30)

/* A mapping with what smaps says of it. */
struct image_mapping {
    uint64_t start, end;
    uint64_t rss, swap, lazyfree, huge;
    enum { IMAGE_HEAP, IMAGE_RESERVED, IMAGE_HARNESS, IMAGE_CODE, IMAGE_OTHER } kind;
};

struct image_reading {
    struct image *image;
    const struct intervals *baseline;
    const struct view_block *blocks;
    size_t block_count;
    char program[512];
    struct image_mapping *mappings; /* owned */
    size_t count, room;
    int pagemap;
};

/* ---- smaps ---- */

static bool image_has_block(const struct image_reading *reading, const struct mapping *mapping)
{
    size_t low = 0, high = reading->block_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (reading->blocks[middle].start < mapping->start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < reading->block_count && reading->blocks[low].start < mapping->end;
}

static int image_kind(const struct image_reading *reading, const struct mapping *mapping)
{
    const char *program = reading->program;
    bool own = mapping->name_length == strlen(program) && mapping_is_named(mapping, program);
    if (mapping_is_heap(mapping) || mapping_is_shared_heap(mapping) ||
        image_has_block(reading, mapping))
        return IMAGE_HEAP;
    if (memcmp(mapping->rights, "---", 3) == 0 && mapping->inode == 0)
        return IMAGE_RESERVED;
    if (mapping_is_named(mapping, "/memfd:heapbench") || mapping_is_named(mapping, "/dev/zero") ||
        mapping_is_named(mapping, "[stack]") || (own && mapping->rights[1] == 'w'))
        return IMAGE_HARNESS;
    return mapping->inode && mapping->rights[1] != 'w' ? IMAGE_CODE : IMAGE_OTHER;
}

static void image_add_mapping(struct image_reading *reading, const struct mapping *mapping)
{
    if (reading->count == reading->room) {
        reading->room = reading->room ? 2 * reading->room : 256;
        reading->mappings =
            reallocarray(reading->mappings, reading->room, sizeof *reading->mappings);
        if (!reading->mappings)
            err_no_memory("%zu mappings", reading->room);
    }
    reading->mappings[reading->count++] = (struct image_mapping){
        .start = mapping->start,
        .end = mapping->end,
        .kind = image_kind(reading, mapping),
    };
}

static bool image_field(const char *line, size_t length, const char *name, uint64_t *bytes)
{
    size_t named = strlen(name);
    if (length <= named || memcmp(line, name, named) != 0)
        return false;
    *bytes = 1024 * strtoull(line + named, NULL, 10);
    return true;
}

static int image_line(void *arg, const char *line, size_t length)
{
    struct image_reading *reading = arg;
    struct mapping mapping;
    if (mapping_parse(&mapping, line, length)) {
        image_add_mapping(reading, &mapping);
    } else if (reading->count > 0) {
        struct image_mapping *last = &reading->mappings[reading->count - 1];
        if (!image_field(line, length, "Rss:", &last->rss) &&
            !image_field(line, length, "Swap:", &last->swap) &&
            !image_field(line, length, "AnonHugePages:", &last->huge))
            image_field(line, length, "LazyFree:", &last->lazyfree);
    }
    return 0;
}

/* ---- pagemap ---- */

/* A page that counts in RSS is either of a file (or shared), or anonymous and this process's alone;
 * what is present and neither is the kernel's page of zeros, which counts nowhere. */
static uint8_t image_state(uint64_t entry)
{
    if (entry & PAGEMAP_PRESENT)
        return entry & (PAGEMAP_FILE | PAGEMAP_EXCLUSIVE) ? PAGE_RESIDENT : PAGE_ABSENT;
    return entry & PAGEMAP_SWAPPED ? PAGE_SWAPPED : PAGE_ABSENT;
}

static int image_read_states(const struct image_reading *reading, uint64_t start, size_t pages,
                             uint8_t *states, struct err *err)
{
    enum { AT_ONCE = 8192 };
    uint64_t entries[AT_ONCE];
    for (size_t done = 0; done < pages;) {
        size_t some = pages - done < AT_ONCE ? pages - done : AT_ONCE;
        off_t offset = (off_t)((start / PAGE_BYTES + done) * sizeof *entries);
        ssize_t got = pread(reading->pagemap, entries, some * sizeof *entries, offset);
        if (got < (ssize_t)sizeof *entries)
            return err_set(err, got < 0 ? errno : EIO,
                           "the worker's pagemap cannot be read (%s), so its pages cannot be told "
                           "apart: this needs a kernel that shows it to a process's owner",
                           got < 0 ? strerror(errno) : "it ends early");
        size_t whole = (size_t)got / sizeof *entries;
        for (size_t i = 0; i < whole; i++)
            states[done + i] = image_state(entries[i]);
        done += whole;
    }
    return 0;
}

/* ---- the heap ---- */

static uint64_t image_resident(const uint8_t *states, size_t pages)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < pages; i++)
        bytes += states[i] == PAGE_RESIDENT ? PAGE_BYTES : 0;
    return bytes;
}

static int image_add_stretch(struct image_reading *reading, uint64_t start, uint64_t end,
                             uint64_t lazyfree, bool heap, struct err *err)
{
    struct image *image = reading->image;
    size_t pages = (size_t)((end - start) / PAGE_BYTES);
    uint8_t *states = malloc(pages ? pages : 1);
    if (!states)
        return err_set(err, ENOMEM, "no memory to look at %zu pages", pages);
    int failed = image_read_states(reading, start, pages, states, err);
    if (!failed && heap) {
        image->stretches =
            reallocarray(image->stretches, image->count + 1, sizeof *image->stretches);
        if (!image->stretches)
            err_no_memory("%zu stretches of a heap", image->count + 1);
        image->stretches[image->count++] = (struct view_stretch){start, pages, states, lazyfree};
        return 0;
    }
    if (!failed)
        image->rest.other += image_resident(states, pages);
    free(states);
    return failed;
}

/* What of a mapping was there before the allocator is not the heap's, unless blocks lie there. */
static int image_cut_mapping(struct image_reading *reading, const struct image_mapping *mapping,
                             struct err *err)
{
    const struct intervals *baseline = reading->baseline;
    uint64_t at = mapping->start, lazyfree = mapping->lazyfree;
    int failed = 0;
    for (size_t i = 0; i < baseline->count && !failed && at < mapping->end; i++) {
        uint64_t from = baseline->at[i].start > at ? baseline->at[i].start : at;
        uint64_t to = baseline->at[i].end < mapping->end ? baseline->at[i].end : mapping->end;
        if (from >= to)
            continue;
        const struct mapping part = {.start = from, .end = to};
        if (from > at) {
            failed = image_add_stretch(reading, at, from, lazyfree, true, err);
            lazyfree = 0;
        }
        if (!failed)
            failed = image_add_stretch(reading, from, to, 0, image_has_block(reading, &part), err);
        at = to;
    }
    if (!failed && at < mapping->end)
        failed = image_add_stretch(reading, at, mapping->end, lazyfree, true, err);
    return failed;
}

/* Nothing of it is the heap's: what smaps says is enough, however large it is. */
static bool image_is_baseline(const struct image_reading *reading,
                              const struct image_mapping *mapping)
{
    const struct mapping whole = {.start = mapping->start, .end = mapping->end};
    return intervals_outside(reading->baseline, whole.start, whole.end) == 0 &&
           !image_has_block(reading, &whole);
}

static int image_take(struct image_reading *reading, const struct image_mapping *mapping,
                      struct err *err)
{
    struct image *image = reading->image;
    uint64_t size = mapping->end - mapping->start;
    switch (mapping->kind) {
    case IMAGE_HEAP:
        if (image_is_baseline(reading, mapping)) {
            image->rest.other += mapping->rss;
            return 0;
        }
        image->huge_bytes += mapping->huge;
        if (size <= IMAGE_LARGEST || mapping->rss > 0 || mapping->swap > 0)
            return image_cut_mapping(reading, mapping, err);
        image->reserved += size;
        return 0;
    case IMAGE_RESERVED:
        image->reserved += size;
        return 0;
    case IMAGE_HARNESS:
        image->rest.harness += mapping->rss;
        return 0;
    case IMAGE_CODE:
        image->rest.code += mapping->rss;
        return 0;
    default:
        image->rest.other += mapping->rss;
        return 0;
    }
}

static int image_read_mappings(struct image_reading *reading, pid_t process, struct err *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)process);
    int status = lines_read(path, image_line, reading);
    if (status < 0)
        return err_set(err, -status, "%s cannot be read (%s): this needs a kernel that shows it",
                       path, strerror(-status));
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)process);
    reading->image->rss = proc_kilobytes(path, "Rss:");
    if (reading->image->rss == UINT64_MAX)
        return err_set(err, ENOENT, "%s cannot be read: Linux 4.14 or later is needed", path);
    return 0;
}

int image_read(struct image *image, pid_t process, const struct intervals *baseline,
               const struct view_block *blocks, size_t block_count, struct err *err)
{
    char path[64];
    *image = (struct image){0};
    struct image_reading reading = {
        .image = image, .baseline = baseline, .blocks = blocks, .block_count = block_count};
    snprintf(path, sizeof path, "/proc/%d/exe", (int)process);
    ssize_t named = readlink(path, reading.program, sizeof reading.program - 1);
    reading.program[named > 0 ? named : 0] = '\0';
    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)process);
    reading.pagemap = open(path, O_RDONLY | O_CLOEXEC);
    int failed = reading.pagemap < 0
                     ? err_set(err, errno, "%s cannot be opened (%s): pages cannot be told apart",
                               path, strerror(errno))
                     : image_read_mappings(&reading, process, err);
    for (size_t i = 0; i < reading.count && !failed; i++)
        failed = image_take(&reading, &reading.mappings[i], err);
    if (reading.pagemap >= 0)
        close(reading.pagemap);
    free(reading.mappings);
    return failed;
}

void image_release(struct image *image)
{
    for (size_t i = 0; i < image->count; i++)
        free((void *)(uintptr_t)image->stretches[i].states);
    free(image->stretches);
    *image = (struct image){0};
}
