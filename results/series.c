/* What stands beside cells.jsonl, read back. */
#include "results/series.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

FILE *series_open(const struct store *store, const char *kind, const struct cell_result *cell,
                  const char *ending)
{
    char name[STORE_NAME], *path;
    if (asprintf(&path, "%s/%s/%s%s", store_folder(store), kind, store_cell_name(name, cell),
                 ending) < 0)
        err_no_memory("a path");
    FILE *file = fopen(path, "re");
    free(path);
    return file;
}

/* A list that grows by one entry a line. */
struct series_list {
    char *entries;
    size_t size, count, room;
};

static void *series_next(struct series_list *list)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 256;
        list->entries = reallocarray(list->entries, list->room, list->size);
        if (!list->entries)
            err_no_memory("%zu samples", list->room);
    }
    return list->entries + list->size * list->count++;
}

static void *series_lines(FILE *file, struct series_list *list,
                          bool (*take)(const char *line, void *entry, const void *context),
                          const void *context, size_t *count)
{
    char line[1024];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (!take(line, series_next(list), context))
            list->count--;
    }
    fclose(file);
    *count = list->count;
    return list->entries;
}

#define SERIES_COLUMNS(X)                                                                          \
    X(event)                                                                                       \
    X(time_ns)                                                                                     \
    X(allocated) X(live) X(usable) X(held) X(resident) X(lazyfree) X(rss) X(vsz) X(blocks)
#define SERIES_COLUMN(name) {#name, offsetof(struct cell_sample, name)},
static const struct {
    const char *name;
    size_t offset;
} series_columns[] = {SERIES_COLUMNS(SERIES_COLUMN)};
enum { SERIES_KNOWN = sizeof series_columns / sizeof *series_columns, SERIES_MAX = 64 };

/* Which member each column of a file is, by place; SERIES_KNOWN for one we do not know. */
struct series_header {
    size_t members[SERIES_MAX];
    size_t count;
};

static size_t series_member(const char *name, size_t length)
{
    size_t member = 0;
    while (member < SERIES_KNOWN && (strlen(series_columns[member].name) != length ||
                                     memcmp(series_columns[member].name, name, length) != 0))
        member++;
    return member;
}

static void series_read_header(struct series_header *header, const char *line)
{
    header->count = 0;
    while (*line && header->count < SERIES_MAX) {
        size_t length = strcspn(line, ",\r\n");
        header->members[header->count++] = series_member(line, length);
        line += length + (line[length] == ',');
        line += strspn(line, "\r\n");
    }
}

static bool series_take(const char *line, void *entry, const void *context)
{
    const struct series_header *header = context;
    memset(entry, 0xff, sizeof(struct cell_sample));
    size_t column = 0;
    for (const char *at = line; column < header->count; column++) {
        char *end;
        uint64_t value = strtoull(at, &end, 10);
        size_t member = header->members[column];
        if (end != at && member < SERIES_KNOWN)
            memcpy((char *)entry + series_columns[member].offset, &value, sizeof value);
        at += strcspn(at, ",");
        if (*at++ != ',')
            break;
    }
    return *line != '\0';
}

struct cell_sample *series_read(const struct store *store, const struct cell_result *cell,
                                size_t *count)
{
    char line[1024];
    struct series_header header;
    struct series_list list = {.size = sizeof(struct cell_sample)};
    FILE *file = series_open(store, "series", cell, ".csv");
    *count = 0;
    if (!file || !fgets(line, sizeof line, file)) {
        if (file)
            fclose(file);
        return NULL;
    }
    series_read_header(&header, line);
    return series_lines(file, &list, series_take, &header, count);
}

static bool percentiles_take(const char *line, void *entry, const void *context)
{
    (void)context;
    struct percentile *percentile = entry;
    return sscanf(line, "%lf %lf %lf", &percentile->value_ns, &percentile->share,
                  &percentile->total) == 3;
}

struct percentile *percentiles_read(const struct store *store, const struct cell_result *cell,
                                    size_t *count)
{
    struct series_list list = {.size = sizeof(struct percentile)};
    FILE *file = series_open(store, "latency", cell, ".hgrm");
    *count = 0;
    return file ? series_lines(file, &list, percentiles_take, NULL, count) : NULL;
}
