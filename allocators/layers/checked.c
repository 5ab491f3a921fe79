/* checked: finds overruns, underruns, double frees and foreign pointers.
 *
 * 1. A block is [front zone][what was asked for][back zone]; the zones hold a pattern that is
 *    looked at when the block is freed and by check().
 * 2. Which blocks are live stands in a hash table of the layer's own memory, out of a program's
 *    reach: what is not there is never passed on to the backend's free.
 * 3. What is wrong is remembered, the first of it as a sentence; check() reports it. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "allocators/layer.h"
#include "harness/base/pages.h"

enum {
    CHECKED_BACK = 16,       /* bytes of the back zone */
    CHECKED_FRONT_MIN = 16,  /* bytes of the front zone; more where the alignment is */
    CHECKED_ZONE = 0xA5,     /* what the zones hold */
    CHECKED_POISON = 0xDB,   /* what a freed block holds */
    CHECKED_ROWS_MIN = 4096, /* a power of two */
};

enum checked_state { CHECKED_EMPTY, CHECKED_LIVE, CHECKED_FREED };

struct checked_row {
    char *ref;
    size_t size;
    uint32_t front;
    enum checked_state state;
};

struct checked {
    struct layer_heap layer;
    pthread_mutex_t mutex; /* over everything below */
    struct checked_row *rows;
    size_t row_count;   /* a power of two */
    size_t rows_filled; /* live or freed */
    uint64_t faults;
    char first[160]; /* the first fault's sentence */
};

static struct checked *checked_of(struct heap *heap)
{
    return (struct checked *)heap;
}

/* ---- the table of blocks: open addressing, caller holds the mutex ---------------------------- */

static struct checked_row *checked_find(struct checked *checked, const char *ref)
{
    size_t mask = checked->row_count - 1;
    size_t at = (size_t)(((uintptr_t)ref * 0x9e3779b97f4a7c15u) >> 32) & mask;
    while (checked->rows[at].state != CHECKED_EMPTY && checked->rows[at].ref != ref)
        at = (at + 1) & mask;
    return &checked->rows[at];
}

/* Freed blocks are forgotten when the table is rebuilt: they only name a fault better. */
static bool checked_rebuild(struct checked *checked)
{
    struct checked_row *old = checked->rows;
    size_t count = checked->row_count, live = 0;
    for (size_t i = 0; i < count; i++)
        live += old[i].state == CHECKED_LIVE;
    size_t grown = live * 4 > count ? count * 2 : count;
    struct checked_row *rows = pages_map_private(grown * sizeof *rows);
    if (!rows)
        return false;
    checked->rows = rows;
    checked->row_count = grown;
    checked->rows_filled = live;
    for (size_t i = 0; i < count; i++)
        if (old[i].state == CHECKED_LIVE)
            *checked_find(checked, old[i].ref) = old[i];
    pages_unmap(old, count * sizeof *old);
    return true;
}

static bool checked_enter(struct checked *checked, char *ref, size_t size, size_t front)
{
    if (checked->rows_filled * 4 >= checked->row_count * 3 && !checked_rebuild(checked))
        return false;
    struct checked_row *row = checked_find(checked, ref);
    checked->rows_filled += row->state == CHECKED_EMPTY;
    *row = (struct checked_row){ref, size, (uint32_t)front, CHECKED_LIVE};
    return true;
}

/* ---- zones ------------------------------------------------------------------------------------
 */

/* The front zone begins with its own length, from which walk finds the block again. */
static void checked_paint(char *block, size_t front, size_t size)
{
    memset(block, CHECKED_ZONE, front);
    memcpy(block, &front, sizeof front);
    memset(block + front + size, CHECKED_ZONE, CHECKED_BACK);
}

static bool checked_holds(const char *zone, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)zone[i] != CHECKED_ZONE)
            return false;
    return true;
}

/* NULL, or which end of the block at `payload` was written over. */
static const char *checked_damage(const struct checked_row *row, const char *payload)
{
    size_t front = row->front;
    const char *block = payload - front;
    if (memcmp(block, &front, sizeof front) != 0 ||
        !checked_holds(block + sizeof front, front - sizeof front))
        return "underrun: the bytes before";
    return checked_holds(payload + row->size, CHECKED_BACK) ? NULL : "overrun: the bytes behind";
}

static void checked_report(struct checked *checked, const char *what, const char *ref, size_t size)
{
    if (checked->faults++ == 0)
        snprintf(checked->first, sizeof checked->first, "%s the block of %zu bytes at %p%s", what,
                 size, (const void *)ref, *what == 'o' || *what == 'u' ? " were written" : "");
}

/* ---- hooks ------------------------------------------------------------------------------------
 */

static void *checked_make(struct heap *heap, size_t front, size_t size, bool aligned)
{
    struct checked *checked = checked_of(heap);
    struct heap *inner = layer_inner(heap);
    size_t total;
    if (__builtin_add_overflow(size, front + CHECKED_BACK, &total) || front > UINT32_MAX)
        return NULL;
    char *block = aligned ? heap_alloc_aligned(inner, front, total) : heap_alloc(inner, total);
    if (!block)
        return NULL;
    checked_paint(heap_resolve(inner, block), front, size);
    pthread_mutex_lock(&checked->mutex);
    bool entered = checked_enter(checked, block + front, size, front);
    pthread_mutex_unlock(&checked->mutex);
    if (entered)
        return block + front;
    heap_free(inner, block);
    return NULL;
}

static size_t checked_front(const struct allocator *table)
{
    return table->align > CHECKED_FRONT_MIN ? table->align : CHECKED_FRONT_MIN;
}

static void *checked_alloc(struct heap *heap, size_t size)
{
    return checked_make(heap, checked_front(heap->ops), size, false);
}

static void *checked_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    size_t front = checked_front(heap->ops);
    return checked_make(heap, align > front ? align : front, size, true);
}

/* Takes the block out of the table; false, and a report, when it may not be freed. */
static bool checked_leave(struct checked *checked, char *ref, struct checked_row *left)
{
    struct checked_row *row = checked_find(checked, ref);
    *left = *row;
    if (row->state == CHECKED_LIVE) {
        row->state = CHECKED_FREED;
        return true;
    }
    if (row->state == CHECKED_FREED)
        checked_report(checked, "double free of", ref, row->size);
    else
        checked_report(checked, "free of a foreign pointer:", ref, 0);
    return false;
}

static void checked_free(struct heap *heap, void *ref)
{
    struct checked *checked = checked_of(heap);
    struct heap *inner = layer_inner(heap);
    struct checked_row row;
    pthread_mutex_lock(&checked->mutex);
    bool live = checked_leave(checked, ref, &row);
    pthread_mutex_unlock(&checked->mutex);
    if (!live)
        return;
    char *block = row.ref - row.front;
    char *payload = (char *)heap_resolve(inner, block) + row.front;
    const char *damage = checked_damage(&row, payload);
    if (damage) {
        pthread_mutex_lock(&checked->mutex);
        checked_report(checked, damage, row.ref, row.size);
        pthread_mutex_unlock(&checked->mutex);
    }
    memset(payload, CHECKED_POISON, row.size);
    heap_free(inner, block);
}

/* What was asked for and not a byte more, so that the back zone begins where the request ends. */
static size_t checked_usable_size(struct heap *heap, void *ref)
{
    struct checked *checked = checked_of(heap);
    pthread_mutex_lock(&checked->mutex);
    const struct checked_row *row = checked_find(checked, ref);
    size_t size = row->state == CHECKED_LIVE ? row->size : 0;
    pthread_mutex_unlock(&checked->mutex);
    return size;
}

static void *checked_resolve(struct heap *heap, void *ref)
{
    return heap_resolve(layer_inner(heap), ref);
}

/* Only the start of the inner block is known to the backend: the front zone says where it is. */
static void *checked_ref_of(struct heap *heap, void *pointer)
{
    struct checked *checked = checked_of(heap);
    struct heap *inner = layer_inner(heap);
    for (size_t front = checked_front(heap->ops); front <= (size_t)1 << 31; front *= 2) {
        size_t written;
        memcpy(&written, (char *)pointer - front, sizeof written);
        if (written != front)
            continue;
        char *ref = (char *)heap_ref_of(inner, (char *)pointer - front) + front;
        pthread_mutex_lock(&checked->mutex);
        const struct checked_row *row = checked_find(checked, ref);
        bool live = row->state == CHECKED_LIVE && row->front == front;
        pthread_mutex_unlock(&checked->mutex);
        if (live)
            return ref;
    }
    return pointer;
}

struct checked_visit {
    struct checked *checked;
    heap_visitor *visit;
    void *arg;
};

/* The inner block as the caller of this layer knows it. */
static int checked_visit_span(void *arg, const struct span *span)
{
    const struct checked_visit *visit = arg;
    struct span shown = *span;
    size_t front;
    if (span->kind == SPAN_USED && span->ref) {
        struct heap *inner = visit->checked->layer.inner;
        memcpy(&front, span->ref, sizeof front);
        char *ref = (char *)heap_ref_of(inner, (char *)(uintptr_t)span->ref) + front;
        const struct checked_row *row = checked_find(visit->checked, ref);
        if (row->state == CHECKED_LIVE) {
            shown.ref = span->ref + front;
            shown.usable = row->size;
        }
    }
    return visit->visit(visit->arg, &shown);
}

static int checked_walk(struct heap *heap, heap_visitor *visit, void *arg)
{
    struct checked_visit own = {checked_of(heap), visit, arg};
    return heap_walk(layer_inner(heap), checked_visit_span, &own);
}

static void checked_look(struct checked *checked)
{
    struct heap *inner = checked->layer.inner;
    for (size_t i = 0; i < checked->row_count; i++) {
        const struct checked_row *row = &checked->rows[i];
        if (row->state != CHECKED_LIVE)
            continue;
        char *payload = (char *)heap_resolve(inner, row->ref - row->front) + row->front;
        const char *damage = checked_damage(row, payload);
        if (damage)
            checked_report(checked, damage, row->ref, row->size);
    }
}

static int checked_check(struct heap *heap, char *why, size_t length)
{
    struct checked *checked = checked_of(heap);
    uint64_t faults = checked->faults;
    checked_look(checked);
    if (checked->faults) {
        snprintf(why, length, "%s (%llu faults in all)", checked->first,
                 (unsigned long long)checked->faults);
        checked->faults = faults;
        return -EUCLEAN;
    }
    int inner = heap_check(layer_inner(heap), why, length);
    return inner == -ENOTSUP ? 0 : inner;
}

static void checked_destroy(struct heap *heap)
{
    struct checked *checked = checked_of(heap);
    pthread_mutex_destroy(&checked->mutex);
    pages_unmap(checked->rows, checked->row_count * sizeof *checked->rows);
    layer_destroy(heap);
}

static void checked_lay(struct allocator *table)
{
    table->flags |= ALLOCATOR_NOT_TIMED;
    table->destroy = checked_destroy;
    table->alloc = checked_alloc;
    table->free = checked_free;
    /* Emulated over alloc and free, so that every block gets zones of its own. */
    table->zalloc = NULL;
    table->realloc = NULL;
    table->alloc_aligned = table->alloc_aligned ? checked_alloc_aligned : NULL;
    table->usable_size = checked_usable_size;
    table->resolve = table->resolve ? checked_resolve : NULL;
    table->ref_of = table->ref_of ? checked_ref_of : NULL;
    table->walk = table->walk ? checked_walk : NULL;
    table->check = checked_check;
}

static int checked_wrap(struct heap *inner, const union option_value *values, struct heap **out,
                        struct err *err)
{
    (void)values;
    if (allocator_has(inner->ops, ALLOCATOR_NOT_REAL)) {
        const char *name = inner->ops->name;
        heap_destroy(inner);
        return err_set(err, EINVAL, "%s: its blocks are not memory, so checked cannot guard them",
                       name);
    }
    struct checked *checked = layer_create(inner, sizeof *checked, "checked", err);
    if (!checked)
        return -ENOMEM;
    checked->row_count = CHECKED_ROWS_MIN;
    checked->rows = pages_map_private(CHECKED_ROWS_MIN * sizeof *checked->rows);
    if (!checked->rows) {
        layer_destroy(&checked->layer.heap);
        return err_set(err, ENOMEM, "checked: no memory for its table of blocks");
    }
    pthread_mutex_init(&checked->mutex, NULL);
    checked_lay(&checked->layer.table);
    *out = &checked->layer.heap;
    return 0;
}

const struct layer layer_checked = {
    .name = "checked",
    .summary = "red zones around every block; finds overruns, double frees, foreign pointers",
    .wrap = checked_wrap,
};
