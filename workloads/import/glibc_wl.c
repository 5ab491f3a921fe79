/* glibc's workload format: a header with the number of pointers, synchronisations and threads and
 * each thread's place in the file, then a stream of operations a thread. Numbers are big-endian in
 * base 128.
 *
 * The streams lie one after the other, so the file is held in memory, and run side by side as their
 * synchronisations allow. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/array.h"
#include "workloads/import/importer.h"

enum wl_code {
    WL_NOTHING,
    WL_END,
    WL_MALLOC,
    WL_CALLOC,
    WL_REALLOC,
    WL_FREE,
    WL_SYNC_WRITE,
    WL_SYNC_READ,
    WL_POINTERS,
    WL_SYNCS,
    WL_THREADS,
    WL_THREAD_AT,
    WL_MEMALIGN,
    WL_VALLOC,
    WL_PVALLOC
};

enum { WL_SLICE = 16, WL_MOST_THREADS = 4096, WL_MOST_SYNCS = 1 << 28 };

struct wl_thread {
    const uint8_t *at;
    bool ended;
};

struct wl {
    const uint8_t *start, *end;
    uint8_t *synced; /* a flag a synchronisation */
    uint64_t syncs;
    struct wl_thread *threads;
    uint64_t thread_count;
    bool cut;
};

static bool wl_number(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    while (*at < end) {
        uint8_t byte = *(*at)++;
        if (*value >> 57)
            return false;
        *value = *value << 7 | (byte & 127);
        if (byte < 128)
            return true;
    }
    return false;
}

static bool wl_coded(const uint8_t **at, const uint8_t *end, enum wl_code code, uint64_t *value)
{
    return *at < end && *(*at)++ == code && wl_number(at, end, value);
}

static bool wl_header(const uint8_t **at, const uint8_t *end, struct wl *wl)
{
    uint64_t pointers;
    return wl_coded(at, end, WL_POINTERS, &pointers) && wl_coded(at, end, WL_SYNCS, &wl->syncs) &&
           wl_coded(at, end, WL_THREADS, &wl->thread_count) && wl->thread_count &&
           wl->thread_count <= WL_MOST_THREADS && wl->syncs < WL_MOST_SYNCS;
}

static bool wl_recognise(const char *start, size_t length)
{
    struct wl wl;
    const uint8_t *at = (const uint8_t *)start, *end = at + length;
    return wl_header(&at, end, &wl) && at < end && *at == WL_THREAD_AT;
}

static uint32_t wl_columns(const char *start, size_t length)
{
    (void)start;
    (void)length;
    return TRACE_HAS_THREADS;
}

static bool wl_sized(const uint8_t **at, const uint8_t *end, uint8_t kind,
                     struct repair_operation *operation)
{
    operation->kind = kind;
    return wl_number(at, end, &operation->address) && wl_number(at, end, &operation->size);
}

static bool wl_aligned(const uint8_t **at, const uint8_t *end, struct repair_operation *operation)
{
    uint64_t align;
    return wl_number(at, end, &operation->address) && wl_number(at, end, &align) &&
           wl_number(at, end, &operation->size) && import_align(operation, align);
}

static bool wl_operation(enum wl_code code, const uint8_t **at, const uint8_t *end,
                         struct repair_operation *operation)
{
    switch (code) {
    case WL_MALLOC:
        return wl_sized(at, end, TRACE_MALLOC, operation);
    case WL_CALLOC:
        return wl_sized(at, end, TRACE_CALLOC, operation);
    case WL_REALLOC:
        operation->kind = TRACE_REALLOC;
        return wl_number(at, end, &operation->address) && wl_number(at, end, &operation->before) &&
               wl_number(at, end, &operation->size);
    case WL_FREE:
        operation->kind = TRACE_FREE;
        return wl_number(at, end, &operation->before);
    case WL_MEMALIGN:
        return wl_aligned(at, end, operation);
    case WL_VALLOC:
    case WL_PVALLOC:
        operation->align_log2 = 12;
        return wl_sized(at, end, TRACE_ALIGNED, operation);
    default:
        return false;
    }
}

/* Steps over a synchronisation; false where the thread has to wait, which then steps back. */
static bool wl_sync(struct wl *wl, struct wl_thread *thread, enum wl_code code)
{
    const uint8_t *before = thread->at - 1;
    uint64_t number;
    if (!wl_number(&thread->at, wl->end, &number) || number > wl->syncs) {
        thread->ended = wl->cut = true;
        return false;
    }
    if (code == WL_SYNC_WRITE)
        wl->synced[number] = 1;
    else if (!wl->synced[number])
        thread->at = before;
    return code == WL_SYNC_WRITE || wl->synced[number];
}

/* Runs a thread for a slice; `moved` tells whether it got anywhere. */
static int wl_slice(struct wl *wl, size_t number, struct import *import, bool *moved,
                    struct err *err)
{
    struct wl_thread *thread = &wl->threads[number];
    int failed = 0;
    for (int i = 0; i < WL_SLICE && !failed && !thread->ended; i++) {
        struct repair_operation operation = {.thread = number};
        enum wl_code code = thread->at < wl->end ? *thread->at++ : WL_THREAD_AT;
        if (code == WL_SYNC_READ || code == WL_SYNC_WRITE) {
            if (!wl_sync(wl, thread, code))
                return 0;
        } else if (code == WL_END)
            thread->ended = true;
        else if (code != WL_NOTHING) {
            if (wl_operation(code, &thread->at, wl->end, &operation))
                failed = import_operation(import, &operation, err);
            else
                thread->ended = wl->cut = true;
        }
        *moved = true;
    }
    return failed;
}

/* Where all wait for one another, the file is damaged: the first that waits goes on. */
static void wl_force(struct wl *wl, struct import *import)
{
    for (size_t i = 0; i < wl->thread_count; i++) {
        struct wl_thread *thread = &wl->threads[i];
        const uint8_t *at = thread->at + 1;
        uint64_t number;
        if (thread->ended)
            continue;
        if (wl_number(&at, wl->end, &number) && number <= wl->syncs)
            wl->synced[number] = 1;
        else
            thread->ended = true;
        import_bad(import, "threads that all wait", 21);
        return;
    }
}

static int wl_run(struct wl *wl, struct import *import, struct err *err)
{
    for (bool running = true; running;) {
        bool moved = false;
        running = false;
        for (size_t i = 0; i < wl->thread_count; i++) {
            int failed = wl_slice(wl, i, import, &moved, err);
            if (failed)
                return failed;
            running |= !wl->threads[i].ended;
        }
        if (running && !moved)
            wl_force(wl, import);
    }
    if (wl->cut)
        import_cut(import, "a thread's operations end in the middle");
    return 0;
}

static int wl_load(struct array *all, size_t *length, struct source *source)
{
    size_t got;
    const uint8_t *bytes;
    *length = 0;
    while ((bytes = source_bytes(source, SOURCE_LINE, &got)) && got) {
        if (array_reserve(all, *length + got))
            return -ENOMEM;
        memcpy((uint8_t *)all->at + *length, bytes, got);
        *length += got;
    }
    return 0;
}

static bool wl_places(struct wl *wl, const uint8_t *at)
{
    for (size_t i = 0; i < wl->thread_count; i++) {
        uint64_t place;
        if (!wl_coded(&at, wl->end, WL_THREAD_AT, &place) ||
            place > (uint64_t)(wl->end - wl->start))
            return false;
        wl->threads[i].at = wl->start + place;
    }
    return true;
}

static int wl_read_loaded(struct wl *wl, struct import *import, struct err *err)
{
    const uint8_t *at = wl->start;
    if (!wl_header(&at, wl->end, wl))
        return err_set(err, EINVAL, "no header of a glibc workload");
    wl->synced = calloc(wl->syncs + 1, 1);
    wl->threads = calloc(wl->thread_count, sizeof *wl->threads);
    if (!wl->synced || !wl->threads)
        return err_set(err, ENOMEM, "no memory left for a workload's threads");
    if (!wl_places(wl, at))
        return err_set(err, EINVAL, "the header of the glibc workload names places beyond its end");
    return wl_run(wl, import, err);
}

static int wl_read(struct import *import, struct source *source, struct err *err)
{
    struct array all = {0};
    struct wl wl = {0};
    size_t length;
    int failed = wl_load(&all, &length, source)
                     ? err_set(err, ENOMEM, "no memory left to hold a glibc workload")
                     : 0;
    if (!failed) {
        wl.start = all.at;
        wl.end = wl.start + length;
        failed = wl_read_loaded(&wl, import, err);
    }
    free(wl.synced);
    free(wl.threads);
    array_release(&all);
    return failed;
}

const struct importer importer_glibc_wl = {
    .name = "glibc_wl",
    .source = "glibc malloc workload",
    .losses = "The order between threads is known only as far as their synchronisations say; there "
              "is no time.",
    .in_order = true,
    .recognise = wl_recognise,
    .columns = wl_columns,
    .read = wl_read,
};
