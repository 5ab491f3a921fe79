/* Where the footprint went: split.jsonl of a run folder. */
#include "results/breakdown.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELD_RECORD struct breakdown
const struct field breakdown_fields[] = {
    BREAKDOWN_FIELDS(FIELD_TEXT_ROW, FIELD_COUNT_ROW, FIELD_REAL_ROW)};
const size_t breakdown_field_count = sizeof breakdown_fields / sizeof *breakdown_fields;
const struct field breakdown_part_fields[] = {BREAKDOWN_PARTS(FIELD_COUNT_ROW)};
const size_t breakdown_part_count = sizeof breakdown_part_fields / sizeof *breakdown_part_fields;
const struct field breakdown_beside_fields[] = {BREAKDOWN_BESIDE(FIELD_COUNT_ROW)};
const size_t breakdown_beside_count =
    sizeof breakdown_beside_fields / sizeof *breakdown_beside_fields;
const struct field breakdown_rest_fields[] = {BREAKDOWN_REST(FIELD_COUNT_ROW)};
const size_t breakdown_rest_count = sizeof breakdown_rest_fields / sizeof *breakdown_rest_fields;
const struct field breakdown_inside_fields[] = {BREAKDOWN_INSIDE(FIELD_COUNT_ROW)};
const size_t breakdown_inside_count =
    sizeof breakdown_inside_fields / sizeof *breakdown_inside_fields;

void breakdown_clear(struct breakdown *breakdown)
{
    struct breakdown *result = breakdown;
    BREAKDOWN_FIELDS(FIELD_CLEAR_TEXT, FIELD_CLEAR_COUNT, FIELD_CLEAR_REAL)
}

uint64_t breakdown_sum(const struct breakdown *breakdown)
{
    uint64_t sum = 0;
#define BREAKDOWN_ADD(name, unit, help) sum += breakdown->name;
    BREAKDOWN_PARTS(BREAKDOWN_ADD)
    return sum;
}

uint64_t breakdown_heap(const struct breakdown *breakdown)
{
    return breakdown_sum(breakdown) - breakdown->rest_of_process;
}

static char *breakdown_path(const struct store *store)
{
    char *path;
    if (asprintf(&path, "%s/split.jsonl", store_folder(store)) < 0)
        err_no_memory("a path");
    return path;
}

/* One write, and only behind a whole line: a line that a crash cut off is ended first. */
static int breakdown_write(int fd, const char *line, size_t length)
{
    char last = '\n';
    off_t end = lseek(fd, 0, SEEK_END);
    if (end > 0 && pread(fd, &last, 1, end - 1) != 1)
        return -1;
    if (last != '\n' && write(fd, "\n", 1) != 1)
        return -1;
    errno = ENOSPC; /* of a short write, which sets none */
    return write(fd, line, length) == (ssize_t)length && fsync(fd) == 0 ? 0 : -1;
}

int breakdown_append(const struct store *store, const json_t *line, struct err *err)
{
    char *path = breakdown_path(store), *json = json_dumps(line, JSON_COMPACT), *text;
    int length = json ? asprintf(&text, "%s\n", json) : -1;
    if (length < 0)
        err_no_memory("a line");
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666), failed = 0;
    if (fd < 0 || breakdown_write(fd, text, (size_t)length) < 0)
        failed = err_set(err, errno, "%s: %s; free some space, or choose another folder with -o",
                         path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(text);
    free(json);
    free(path);
    return failed;
}

/* A list in which a later split of the same allocator and moment takes the earlier one's place. */
struct breakdown_list {
    struct breakdown *breakdowns;
    size_t count;
};

static void breakdown_keep(struct breakdown_list *list, const struct breakdown *breakdown)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->breakdowns[i].allocator, breakdown->allocator) == 0 &&
            strcmp(list->breakdowns[i].at, breakdown->at) == 0) {
            list->breakdowns[i] = *breakdown;
            return;
        }
    list->breakdowns = reallocarray(list->breakdowns, list->count + 1, sizeof *list->breakdowns);
    if (!list->breakdowns)
        err_no_memory("%zu breakdowns", list->count + 1);
    list->breakdowns[list->count++] = *breakdown;
}

static void breakdown_take_line(struct breakdown_list *list, const char *line, const char *trace)
{
    struct breakdown breakdown;
    json_t *object = json_loads(line, 0, NULL);
    if (object &&
        record_from_json(breakdown_fields, breakdown_field_count, object, &breakdown, NULL) == 0 &&
        strcmp(breakdown.trace, trace) == 0 && strcmp(breakdown.status, "ok") == 0 &&
        !*breakdown.without)
        breakdown_keep(list, &breakdown);
    json_decref(object);
}

struct breakdown *breakdown_read(const struct store *store, const char *trace, size_t *count)
{
    struct breakdown_list list = {0};
    char *path = breakdown_path(store), *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "re");
    while (file && getline(&line, &room, file) > 0)
        breakdown_take_line(&list, line, trace);
    if (file)
        fclose(file);
    free(line);
    free(path);
    *count = list.count;
    return list.breakdowns;
}
