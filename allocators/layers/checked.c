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

#include "allocators/block_table.h"
#include "allocators/layer.h"

enum {
    CHECKED_BACK = 16,      /* bytes of the back zone */
    CHECKED_FRONT_MIN = 16, /* bytes of the front zone; more where the alignment is */
    CHECKED_ZONE = 0xA5,    /* what the zones hold */
    CHECKED_POISON = 0xDB,  /* what a freed block holds */
};

struct checked {
    struct layer_heap layer;
    pthread_mutex_t mutex;       /* over everything below */
    struct block_table table;    /* by ref */
    struct block_table pointers; /* by what resolve gives, where that is another */
    uint64_t faults;
    char first[160]; /* the first fault's sentence */
};

static struct checked *checked_of(struct heap *heap)
{
    return (struct checked *)heap;
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
static const char *checked_damage(const struct block_row *row, const char *payload)
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

/* Enters the inner block; false, and nothing is entered, without memory for it. */
static bool checked_enter(struct checked *checked, char *block, size_t front, size_t size)
{
    struct heap *inner = checked->layer.inner;
    char *ref = block + front, *pointer = (char *)heap_resolve(inner, block) + front;
    pthread_mutex_lock(&checked->mutex);
    bool entered = block_table_enter(&checked->table, ref, block, size, front);
    if (entered && inner->ops->ref_of) {
        entered = block_table_enter(&checked->pointers, pointer, ref, size, front);
        if (!entered)
            block_table_leave(&checked->table, ref);
    }
    pthread_mutex_unlock(&checked->mutex);
    return entered;
}

static void *checked_make(struct heap *heap, size_t front, size_t size, bool aligned)
{
    struct heap *inner = layer_inner(heap);
    size_t total;
    if (__builtin_add_overflow(size, front + CHECKED_BACK, &total))
        return NULL;
    char *block = aligned ? heap_alloc_aligned(inner, front, total) : heap_alloc(inner, total);
    if (!block)
        return NULL;
    checked_paint(heap_resolve(inner, block), front, size);
    if (checked_enter(checked_of(heap), block, front, size))
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

/* What was freed, or is to be, is no live block. */
static void checked_report_no_block(struct checked *checked, const struct block_row *row,
                                    const char *ref)
{
    if (row->state == BLOCK_FREED)
        checked_report(checked, "double free of", ref, row->size);
    else
        checked_report(checked, "free of a foreign pointer:", ref, 0);
}

/* Takes the block out of the table; false, and a report, when it may not be freed. */
static bool checked_leave(struct checked *checked, char *ref, struct block_row *left)
{
    pthread_mutex_lock(&checked->mutex);
    *left = block_table_leave(&checked->table, ref);
    if (left->state != BLOCK_LIVE)
        checked_report_no_block(checked, left, ref);
    pthread_mutex_unlock(&checked->mutex);
    return left->state == BLOCK_LIVE;
}

static void checked_free(struct heap *heap, void *ref)
{
    struct checked *checked = checked_of(heap);
    struct heap *inner = layer_inner(heap);
    struct block_row row;
    if (!checked_leave(checked, ref, &row))
        return;
    char *payload = (char *)heap_resolve(inner, row.ref) + row.front;
    const char *damage = checked_damage(&row, payload);
    pthread_mutex_lock(&checked->mutex);
    if (damage)
        checked_report(checked, damage, ref, row.size);
    if (inner->ops->ref_of)
        block_table_leave(&checked->pointers, payload);
    pthread_mutex_unlock(&checked->mutex);
    memset(payload, CHECKED_POISON, row.size);
    heap_free(inner, row.ref);
}

/* What was asked for and not a byte more, so that the back zone begins where the request ends. */
static size_t checked_usable_size(struct heap *heap, void *ref)
{
    struct checked *checked = checked_of(heap);
    pthread_mutex_lock(&checked->mutex);
    const struct block_row *row = block_table_find(&checked->table, ref);
    size_t size = row->state == BLOCK_LIVE ? row->size : 0;
    pthread_mutex_unlock(&checked->mutex);
    return size;
}

static void *checked_resolve(struct heap *heap, void *ref)
{
    return heap_resolve(layer_inner(heap), ref);
}

/* Also of a block that is free by now, so that freeing it twice is told as that. */
static void *checked_ref_of(struct heap *heap, void *pointer)
{
    struct checked *checked = checked_of(heap);
    pthread_mutex_lock(&checked->mutex);
    const struct block_row *row = block_table_find(&checked->pointers, pointer);
    void *ref = row->state == BLOCK_UNKNOWN ? pointer : row->ref;
    pthread_mutex_unlock(&checked->mutex);
    return ref;
}

/* Who asks would free or use it: a no is a fault. */
static bool checked_owns(struct heap *heap, const void *pointer)
{
    struct checked *checked = checked_of(heap);
    bool named = layer_inner(heap)->ops->ref_of != NULL;
    pthread_mutex_lock(&checked->mutex);
    struct block_row row = *block_table_find(named ? &checked->pointers : &checked->table, pointer);
    if (row.state != BLOCK_LIVE)
        checked_report_no_block(checked, &row, pointer);
    pthread_mutex_unlock(&checked->mutex);
    return row.state == BLOCK_LIVE;
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
        const struct block_row *row = block_table_find(&visit->checked->table, ref);
        if (row->state == BLOCK_LIVE) {
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
    for (size_t i = 0; i < checked->table.capacity; i++) {
        const struct block_row *row = &checked->table.rows[i];
        if (row->state != BLOCK_LIVE)
            continue;
        char *payload = (char *)heap_resolve(inner, row->ref) + row->front;
        const char *damage = checked_damage(row, payload);
        if (damage)
            checked_report(checked, damage, row->key, row->size);
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
    block_table_release(&checked->table);
    block_table_release(&checked->pointers);
    layer_destroy(heap);
}

static void checked_lay(struct allocator *table)
{
    table->flags |= layer_checked.flags;
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
    table->owns = checked_owns;
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
    if (!block_table_init(&checked->table) || !block_table_init(&checked->pointers)) {
        block_table_release(&checked->table);
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
    .flags = ALLOCATOR_NOT_TIMED,
    .wrap = checked_wrap,
};
