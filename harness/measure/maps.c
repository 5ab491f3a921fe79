/* What a process has mapped, and how much of it a heap holds. */
#include "harness/measure/maps.h"

#include <string.h>

#include "harness/measure/lines.h"

/* A cursor over one line. */
struct cursor {
    const char *at, *end;
};

static bool cursor_number(struct cursor *cursor, unsigned base, uint64_t *number)
{
    const char *start = cursor->at;
    *number = 0;
    for (; cursor->at < cursor->end; cursor->at++) {
        char c = *cursor->at;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit >= base)
            break;
        *number = *number * base + digit;
    }
    return cursor->at > start;
}

static bool cursor_skip(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    while (cursor->at < cursor->end && *cursor->at == c)
        cursor->at++;
    return true;
}

static bool cursor_rights(struct cursor *cursor, char rights[5])
{
    if (cursor->end - cursor->at < 4)
        return false;
    memcpy(rights, cursor->at, 4);
    rights[4] = '\0';
    cursor->at += 4;
    return true;
}

bool mapping_parse(struct mapping *mapping, const char *line, size_t length)
{
    struct cursor cursor = {line, line + length};
    uint64_t ignored;
    if (!cursor_number(&cursor, 16, &mapping->start) || !cursor_skip(&cursor, '-') ||
        !cursor_number(&cursor, 16, &mapping->end) || !cursor_skip(&cursor, ' ') ||
        !cursor_rights(&cursor, mapping->rights) || !cursor_skip(&cursor, ' ') ||
        !cursor_number(&cursor, 16, &ignored) || !cursor_skip(&cursor, ' ') ||
        !cursor_number(&cursor, 16, &ignored) || !cursor_skip(&cursor, ':') ||
        !cursor_number(&cursor, 16, &ignored) || !cursor_skip(&cursor, ' ') ||
        !cursor_number(&cursor, 10, &mapping->inode))
        return false;
    cursor_skip(&cursor, ' ');
    mapping->name = cursor.at;
    mapping->name_length = (size_t)(cursor.end - cursor.at);
    return true;
}

bool mapping_is_named(const struct mapping *mapping, const char *prefix)
{
    size_t length = strlen(prefix);
    return mapping->name_length >= length && memcmp(mapping->name, prefix, length) == 0;
}

bool mapping_is_heap(const struct mapping *mapping)
{
    return mapping->inode == 0 && memcmp(mapping->rights, "rw", 2) == 0 &&
           mapping->rights[3] == 'p' && !mapping_is_named(mapping, "[stack]");
}

bool mapping_is_shared_heap(const struct mapping *mapping)
{
    return memcmp(mapping->rights, "rw", 2) == 0 && mapping->rights[3] == 's' &&
           mapping_is_named(mapping, "/dev/shm/");
}

struct maps_call {
    mapping_visitor *visit;
    void *arg;
};

static int maps_visit_line(void *arg, const char *line, size_t length)
{
    const struct maps_call *call = arg;
    struct mapping mapping;
    return mapping_parse(&mapping, line, length) ? call->visit(call->arg, &mapping) : 0;
}

int maps_read(const char *path, mapping_visitor *visit, void *arg)
{
    return lines_read(path, maps_visit_line, &(struct maps_call){visit, arg});
}

void intervals_add(struct intervals *intervals, uint64_t start, uint64_t end)
{
    size_t count = intervals->count;
    if (count > 0 && (intervals->at[count - 1].end == start || count == INTERVALS_MAX)) {
        intervals->at[count - 1].end = end;
        return;
    }
    intervals->at[count].start = start;
    intervals->at[count].end = end;
    intervals->count++;
}

uint64_t intervals_outside(const struct intervals *intervals, uint64_t start, uint64_t end)
{
    uint64_t outside = end - start;
    for (size_t i = 0; i < intervals->count; i++) {
        uint64_t from = intervals->at[i].start > start ? intervals->at[i].start : start;
        uint64_t to = intervals->at[i].end < end ? intervals->at[i].end : end;
        if (from < to)
            outside -= to - from;
    }
    return outside;
}

static int maps_add_to_baseline(void *arg, const struct mapping *mapping)
{
    if (mapping_is_heap(mapping))
        intervals_add(arg, mapping->start, mapping->end);
    return 0;
}

/* Reads what no object of the program is, too: nothing for the address sanitizer. */
__attribute__((no_sanitize("address"))) static int maps_touch_file(void *arg,
                                                                   const struct mapping *mapping)
{
    enum { PAGE = 4096 };
    (void)arg;
    if (mapping->rights[0] == 'r' && mapping->rights[1] == '-' && mapping_is_named(mapping, "/"))
        for (uint64_t at = mapping->start; at < mapping->end; at += PAGE)
            (void)*(const volatile char *)(uintptr_t)at;
    return 0;
}

void maps_touch_files(void)
{
    maps_read("/proc/self/maps", maps_touch_file, NULL);
}

int maps_baseline(struct intervals *baseline)
{
    baseline->count = 0;
    return maps_read("/proc/self/maps", maps_add_to_baseline, baseline);
}

struct held {
    const struct intervals *baseline;
    uint64_t bytes;
};

static int maps_add_to_held(void *arg, const struct mapping *mapping)
{
    struct held *held = arg;
    if (mapping_is_heap(mapping))
        held->bytes += intervals_outside(held->baseline, mapping->start, mapping->end);
    else if (mapping_is_shared_heap(mapping))
        held->bytes += mapping->end - mapping->start;
    return 0;
}

int maps_held(const struct intervals *baseline, uint64_t *bytes)
{
    struct held held = {.baseline = baseline};
    int status = maps_read("/proc/self/maps", maps_add_to_held, &held);
    *bytes = held.bytes;
    return status;
}
