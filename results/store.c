/* A run folder: append-only, whole after kill -9. */
#include "results/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/text.h"

/* A file begun and not yet ended. */
struct store_pending {
    FILE *file;
    char *unfinished, *final; /* owned paths */
    struct store_pending *next;
};

struct store {
    char *folder;
    json_t *run;
    int cells_fd; /* of cells.jsonl, -1 when open to read only */
    off_t end;    /* of its last whole line */
    struct cell_result *cells;
    size_t count, room;
    struct store_pending *pending;
    char warning[300];
};

static void *store_memory(void *memory)
{
    if (!memory)
        err_no_memory("the results");
    return memory;
}

static char *store_path(const struct store *store, const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s", store->folder, name) < 0)
        err_no_memory("a path");
    return path;
}

static int store_refused(const char *path, const char *remedy, struct err *err)
{
    int code = errno;
    return err_set(err, code, "%s: %s; %s", path, strerror(code), remedy);
}

static const char *const store_room_remedy = "free some space or choose another folder with -o";

/* Makes a rename or a new name in `folder` last. A file system that cannot is no reason to stop. */
static void store_sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static int store_make_folder(const char *folder, struct err *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s", folder) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return store_refused(folder, "choose a shorter one with -o", err);
    }
    for (char *at = path + 1;; at++)
        if (*at == '/' || *at == '\0') {
            char kept = *at;
            *at = '\0';
            if (mkdir(path, 0777) < 0 && errno != EEXIST)
                return store_refused(path, "the results need a folder; choose one with -o", err);
            *at = kept;
            if (kept == '\0')
                return 0;
        }
}

static struct store *store_new(const char *folder)
{
    struct store *store = store_memory(calloc(1, sizeof *store));
    store->folder = store_memory(strdup(folder));
    store->cells_fd = -1;
    size_t length = strlen(store->folder);
    while (length > 1 && store->folder[length - 1] == '/')
        store->folder[--length] = '\0';
    return store;
}

static int store_write_run(struct store *store, struct err *err)
{
    FILE *file = store_begin_file(store, ".", "run", ".json", err);
    if (!file)
        return -err->code;
    json_dumpf(store->run, file, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    fputc('\n', file);
    return store_end_file(store, file, err);
}

/* Two writers would measure twice and tear each other's lines. */
static int store_open_cells(struct store *store, struct err *err)
{
    char *path = store_path(store, "cells.jsonl");
    int failed = 0;
    store->cells_fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (store->cells_fd < 0)
        failed = store_refused(path, "the results are written there", err);
    else if (flock(store->cells_fd, LOCK_EX | LOCK_NB) < 0)
        failed = errno == EWOULDBLOCK
                     ? err_set(err, EBUSY,
                               "%s: another bench is writing to this run; wait for it, or choose "
                               "another folder with -o",
                               store->folder)
                     : store_refused(path, "it cannot be locked", err);
    free(path);
    return failed;
}

static int store_create_in(struct store *store, struct err *err)
{
    char *path = store_path(store, "run.json");
    int failed = store_make_folder(store->folder, err);
    if (!failed && access(path, F_OK) == 0)
        failed = err_set(err, EEXIST,
                         "%s holds a run already; go on with it by --resume %s, or choose another "
                         "folder with -o",
                         store->folder, store->folder);
    if (!failed)
        failed = store_open_cells(store, err);
    if (!failed)
        failed = store_write_run(store, err);
    free(path);
    return failed;
}

int store_create(struct store **out, const char *folder, json_t *run, struct err *err)
{
    struct err ignored;
    err = err ? err : &ignored;
    struct store *store = store_new(folder);
    store->run = json_incref(run);
    int failed = store_create_in(store, err);
    if (failed)
        store_close(store);
    else
        *out = store;
    return failed;
}

static void store_remember(struct store *store, const struct cell_result *cell)
{
    if (store->count == store->room) {
        store->room = store->room ? 2 * store->room : 64;
        store->cells = store_memory(reallocarray(store->cells, store->room, sizeof *store->cells));
    }
    store->cells[store->count++] = *cell;
}

static void store_take_line(struct store *store, const char *line, size_t length, size_t number)
{
    struct cell_result cell;
    struct err err = {.text = "it is not JSON"};
    json_t *object = json_loadb(line, length, 0, NULL);
    if (object && record_from_json(cell_fields, cell_field_count, object, &cell, &err) == 0)
        store_remember(store, &cell);
    else
        snprintf(store->warning, sizeof store->warning,
                 "line %zu of cells.jsonl is damaged and left out: %.150s", number, err.text);
    json_decref(object);
}

static int store_read_cells(struct store *store, struct err *err)
{
    char *path = store_path(store, "cells.jsonl");
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t length;
    int failed = 0;
    if (!file && errno != ENOENT)
        failed = store_refused(path, "it holds the run's results", err);
    while (file && (length = getline(&line, &room, file)) > 0) {
        number++;
        if (line[length - 1] != '\n') {
            snprintf(store->warning, sizeof store->warning,
                     "the last line of cells.jsonl was cut short and is left out; its cell counts "
                     "as not measured");
            break;
        }
        store_take_line(store, line, (size_t)length, number);
        store->end += length;
    }
    if (file && ferror(file))
        failed = store_refused(path, "it could not be read to its end", err);
    free(line);
    free(path);
    if (file)
        fclose(file);
    return failed;
}

static int store_read_run(struct store *store, struct err *err)
{
    char *path = store_path(store, "run.json");
    json_error_t why;
    int failed = 0;
    if (access(path, R_OK) < 0)
        failed =
            err_set(err, errno, "%s is not the folder of a run: its run.json cannot be read (%s)",
                    store->folder, strerror(errno));
    else if (!(store->run = json_load_file(path, 0, &why)))
        failed = err_set(err, EINVAL, "%s: line %d: %s", path, why.line, why.text);
    else if (!json_is_object(store->run))
        failed = err_set(err, EINVAL, "%s is not a JSON object, so not a run of heapbench", path);
    free(path);
    return failed;
}

int store_open(struct store **out, const char *folder, bool append, struct err *err)
{
    struct store *store = store_new(folder);
    int failed = store_read_run(store, err);
    /* Locked before it is read: no line may come between. */
    if (!failed && append)
        failed = store_open_cells(store, err);
    if (!failed)
        failed = store_read_cells(store, err);
    if (failed)
        store_close(store);
    else
        *out = store;
    return failed;
}

static void store_drop(struct store_pending *pending)
{
    free(pending->unfinished);
    free(pending->final);
    free(pending);
}

void store_close(struct store *store)
{
    while (store->pending) {
        struct store_pending *pending = store->pending;
        store->pending = pending->next;
        fclose(pending->file);
        unlink(pending->unfinished);
        store_drop(pending);
    }
    if (store->cells_fd >= 0)
        close(store->cells_fd);
    json_decref(store->run);
    free(store->cells);
    free(store->folder);
    free(store);
}

const char *store_folder(const struct store *store)
{
    return store->folder;
}

const json_t *store_run(const struct store *store)
{
    return store->run;
}

const char *store_warning(const struct store *store)
{
    return store->warning;
}

size_t store_cell_count(const struct store *store)
{
    return store->count;
}

const struct cell_result *store_cell(const struct store *store, size_t place)
{
    return &store->cells[place];
}

bool store_has(const struct store *store, const char *allocator, const char *trace,
               const char *pass, uint64_t repetition)
{
    /* As they come back from the file. */
    char spec[sizeof store->cells->allocator], name[sizeof store->cells->trace];
    text_repair(spec, sizeof spec, allocator);
    text_repair(name, sizeof name, trace);
    for (size_t i = 0; i < store->count; i++) {
        const struct cell_result *cell = &store->cells[i];
        if (cell->repetition == repetition && strcmp(cell->pass, pass) == 0 &&
            strcmp(cell->trace, name) == 0 && strcmp(cell->allocator, spec) == 0)
            return true;
    }
    return false;
}

/* One write at the end of the last whole line: over a cut one, and cut back if it did not fit. */
static int store_write_line(struct store *store, const char *line, size_t length)
{
    if (ftruncate(store->cells_fd, store->end) < 0)
        return -1;
    errno = ENOSPC; /* of a short write, which sets none */
    if (pwrite(store->cells_fd, line, length, store->end) == (ssize_t)length &&
        fsync(store->cells_fd) == 0) {
        store->end += (off_t)length;
        return 0;
    }
    int code = errno;
    if (ftruncate(store->cells_fd, store->end) < 0)
        code = errno;
    errno = code;
    return -1;
}

int store_append(struct store *store, const struct cell_result *cell, struct err *err)
{
    json_t *object = record_to_json(cell_fields, cell_field_count, cell);
    char *json = store_memory(json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(10))), *line;
    int length = asprintf(&line, "%s\n", json), failed = 0;
    if (length < 0)
        err_no_memory("a line");
    if (store_write_line(store, line, (size_t)length) < 0) {
        char *path = store_path(store, "cells.jsonl");
        failed = store_refused(path, store_room_remedy, err);
        free(path);
    } else {
        struct cell_result kept;
        failed = record_from_json(cell_fields, cell_field_count, object, &kept, err);
        store_remember(store, &kept);
    }
    free(line);
    free(json);
    json_decref(object);
    return failed;
}

FILE *store_begin_file(struct store *store, const char *kind, const char *name, const char *ending,
                       struct err *err)
{
    char *folder = store_path(store, kind);
    struct store_pending *pending = store_memory(calloc(1, sizeof *pending));
    if (asprintf(&pending->final, "%s/%s%s", folder, name, ending) < 0 ||
        asprintf(&pending->unfinished, "%s/.%s%s.part", folder, name, ending) < 0)
        err_no_memory("a path");
    if ((mkdir(folder, 0777) == 0 || errno == EEXIST) &&
        (pending->file = fopen(pending->unfinished, "we"))) {
        pending->next = store->pending;
        store->pending = pending;
    } else
        store_refused(pending->final, "it cannot be written there", err);
    FILE *file = pending->file;
    if (!file)
        store_drop(pending);
    free(folder);
    return file;
}

static struct store_pending *store_unlink_pending(struct store *store, FILE *file)
{
    for (struct store_pending **at = &store->pending; *at; at = &(*at)->next)
        if ((*at)->file == file) {
            struct store_pending *found = *at;
            *at = found->next;
            return found;
        }
    BUG("a file was ended that was not begun");
}

int store_end_file(struct store *store, FILE *file, struct err *err)
{
    struct store_pending *pending = store_unlink_pending(store, file);
    int failed = 0;
    errno = EIO;
    bool whole = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
    if (!whole || rename(pending->unfinished, pending->final) < 0) {
        failed = store_refused(pending->final, store_room_remedy, err);
        unlink(pending->unfinished);
    }
    fclose(file);
    store_sync_folder(store->folder);
    store_drop(pending);
    return failed;
}
