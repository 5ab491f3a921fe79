/* mymalloc's placement by linear search. */
#include "tests/allocators/support/naive_pages.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 256, MAPPING = 4 };

/* ---- lists ----------------------------------------------------------------------------------- */

static void list_add(struct naive_list *list, size_t start, size_t size)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 256;
        list->extents = realloc(list->extents, list->room * sizeof *list->extents);
    }
    list->extents[list->count++] = (struct extent){start, size};
}

static struct extent list_take(struct naive_list *list, size_t i)
{
    struct extent taken = list->extents[i];
    memmove(list->extents + i, list->extents + i + 1, (--list->count - i) * sizeof taken);
    return taken;
}

/* The place of that extent; count: it is not there. */
static size_t list_find(const struct naive_list *list, size_t start, size_t size)
{
    for (size_t i = list->count; i-- > 0;)
        if (list->extents[i].start == start && list->extents[i].size == size)
            return i;
    return list->count;
}

/* The place of the latest one of that size; count: there is none. */
static size_t list_latest(const struct naive_list *list, size_t size)
{
    for (size_t i = list->count; i-- > 0;)
        if (list->extents[i].size == size)
            return i;
    return list->count;
}

void naive_pages_init(struct naive_pages *heap)
{
    *heap = (struct naive_pages){.credit = 32768, .top = 1, .frontier = 1};
}

void naive_pages_release(struct naive_pages *heap)
{
    free(heap->free.extents);
    free(heap->quick.extents);
    free(heap->runs[0].extents);
    free(heap->runs[1].extents);
    free(heap->shifted.extents);
    free(heap->mappings.extents);
}

/* ---- runs of pages --------------------------------------------------------------------------- */

static size_t runs_bin(size_t pages)
{
    size_t log2 = 5;
    if (pages <= 32)
        return pages - 1;
    while (pages >> log2 > 1)
        log2++;
    size_t bin = 32 + (log2 - 5) * 4 + (pages >> (log2 - 2)) % 4;
    return bin < 127 ? bin : 127;
}

/* Of the run's own bin only the latest one is looked at, of the lowest one above any will do. */
static size_t runs_find(const struct naive_list *runs, size_t pages)
{
    size_t found = runs->count, wanted = runs_bin(pages), best = 128;
    bool own = false;
    for (size_t i = runs->count; i-- > 0;) {
        size_t bin = runs_bin(runs->extents[i].size);
        bool first_of_own = bin == wanted && !own;
        own |= bin == wanted;
        if (first_of_own && runs->extents[i].size >= pages)
            return i;
        if (bin > wanted && bin < best) {
            best = bin;
            found = i;
        }
    }
    return found;
}

static size_t runs_step(const struct naive_pages *heap, size_t pages)
{
    size_t step = heap->frontier / 16 > 16 ? heap->frontier / 16 : 16;
    return pages > step ? pages : step;
}

static void runs_reach(struct naive_pages *heap, size_t least)
{
    if (least <= heap->frontier)
        return;
    size_t target = heap->frontier + runs_step(heap, least - heap->frontier);
    size_t skew = -(heap->origin * 16 - 16) / 4096 % 512;
    while (target >= 1024 && target % 512 != skew)
        target++;
    heap->frontier = target;
}

/* Takes the front of a run; the rest is the latest. */
static size_t runs_cut(struct naive_list *runs, size_t i, size_t pages)
{
    struct extent run = list_take(runs, i);
    if (run.size > pages)
        list_add(runs, run.start + pages, run.size - pages);
    return run.start;
}

/* The run that comes of it and its neighbours, the latest of its list. */
static struct extent runs_join(struct naive_list *runs, struct extent run)
{
    for (size_t i = runs->count; i-- > 0;) {
        struct extent other = runs->extents[i];
        if (other.start + other.size != run.start && run.start + run.size != other.start)
            continue;
        run.start = other.start < run.start ? other.start : run.start;
        run.size += other.size;
        list_take(runs, i);
    }
    list_add(runs, run.start, run.size);
    return run;
}

/* What was given back is taken again a step at a time, with the committed run before it if that is
 * too short by itself. */
static size_t runs_refill(struct naive_pages *heap, size_t i, size_t pages)
{
    struct extent given = heap->runs[1].extents[i], before = {given.start, 0};
    for (size_t j = 0; j < heap->runs[0].count && before.size == 0; j++) {
        struct extent held = heap->runs[0].extents[j];
        if (held.start + held.size == given.start && held.size < pages)
            before = list_take(&heap->runs[0], j);
    }
    pages -= before.size;
    size_t step = runs_step(heap, pages);
    step = step < given.size ? step : given.size;
    size_t first = runs_cut(&heap->runs[1], i, step);
    if (step > pages)
        runs_join(&heap->runs[0], (struct extent){first + pages, step - pages});
    return before.start;
}

static size_t runs_take(struct naive_pages *heap, size_t pages)
{
    size_t held = runs_find(&heap->runs[0], pages), given = runs_find(&heap->runs[1], pages);
    heap->taken += pages;
    heap->credit += pages / 8;
    if (held < heap->runs[0].count)
        return runs_cut(&heap->runs[0], held, pages);
    if (given < heap->runs[1].count)
        return runs_refill(heap, given, pages);
    runs_reach(heap, heap->top + pages);
    heap->top += pages;
    return heap->top - pages;
}

static void runs_give(struct naive_pages *heap, size_t first, size_t pages)
{
    heap->taken -= pages;
    struct extent run = runs_join(&heap->runs[0], (struct extent){first, pages});
    size_t held = 0, few = 256 + (heap->taken + pages) * 8;
    size_t keep = (few < 2048 ? few : 2048) + heap->taken / 4;
    for (size_t i = 0; i < heap->runs[0].count; i++)
        held += heap->runs[0].extents[i].size;
    if (held <= keep || run.size > heap->credit || run.size < 64 + keep / 4)
        return;
    heap->credit -= run.size;
    heap->runs[0].count--;
    runs_join(&heap->runs[1], run);
}

/* ---- chunks inside pages --------------------------------------------------------------------- */

static size_t chunk_granules(size_t bytes)
{
    size_t granules = 2;
    while (granules * 16 < bytes + 8)
        granules *= 2;
    return granules;
}

/* Chunks of that size that may still wait to be used again. */
static size_t chunk_quick_room(const struct naive_pages *heap, size_t size)
{
    size_t most = size <= 4 ? 128 : size <= 16 ? 64 : size < PAGE ? 1024 / size : 0;
    for (size_t i = 0; i < heap->quick.count; i++)
        most -= heap->quick.extents[i].size == size;
    return most;
}

/* What a mapping is made of when nothing in it is used; the last two granules never are. */
static size_t mapping_part(size_t first, size_t part, size_t *size)
{
    size_t start = (first + (part < MAPPING ? part : MAPPING - 1)) * PAGE;
    *size = PAGE;
    for (size_t i = MAPPING - 1; i <= part; i++) {
        start += i >= MAPPING ? *size : 0;
        *size /= 2;
    }
    return start;
}

enum { MAPPING_PARTS = MAPPING - 1 + 7 };

static void mapping_map(struct naive_pages *heap)
{
    size_t first = runs_take(heap, MAPPING), size;
    list_add(&heap->mappings, first, MAPPING);
    for (size_t part = MAPPING_PARTS; part-- > 0;) {
        size_t start = mapping_part(first, part, &size);
        list_add(&heap->free, start, size);
    }
    heap->free_pages += MAPPING - 1;
}

/* Gives back the mapping of a granule if it is all free. */
static void mapping_unmap(struct naive_pages *heap, size_t start)
{
    size_t i = heap->mappings.count, size;
    while (start / PAGE - heap->mappings.extents[--i].start >= MAPPING)
        continue;
    size_t first = heap->mappings.extents[i].start;
    for (size_t part = 0; part < MAPPING_PARTS; part++) {
        size_t at = mapping_part(first, part, &size);
        if (list_find(&heap->free, at, size) == heap->free.count)
            return;
    }
    for (size_t part = 0; part < MAPPING_PARTS; part++) {
        size_t at = mapping_part(first, part, &size);
        list_take(&heap->free, list_find(&heap->free, at, size));
    }
    list_take(&heap->mappings, i);
    heap->free_pages -= MAPPING - 1;
    runs_give(heap, first, MAPPING);
}

static void chunk_join(struct naive_pages *heap, struct extent chunk)
{
    for (size_t i; chunk.size < PAGE; chunk.size *= 2) {
        i = list_find(&heap->free, chunk.start ^ chunk.size, chunk.size);
        if (i == heap->free.count)
            break;
        list_take(&heap->free, i);
        chunk.start &= ~chunk.size;
    }
    list_add(&heap->free, chunk.start, chunk.size);
    heap->free_pages += chunk.size == PAGE;
    if (heap->free_pages > 32)
        mapping_unmap(heap, chunk.start);
}

/* Smallest first, and of a size the latest. False: none waits. */
static bool chunk_join_all(struct naive_pages *heap)
{
    bool any = heap->quick.count > 0;
    for (size_t size = 2, i; size < PAGE; size *= 2)
        while ((i = list_latest(&heap->quick, size)) < heap->quick.count)
            chunk_join(heap, list_take(&heap->quick, i));
    return any;
}

static void chunk_free(struct naive_pages *heap, struct extent chunk)
{
    if (chunk_quick_room(heap, chunk.size))
        list_add(&heap->quick, chunk.start, chunk.size);
    else
        chunk_join(heap, chunk);
}

/* The latest free chunk of the smallest sufficient size. */
static struct extent chunk_find(struct naive_pages *heap, size_t size)
{
    for (;;) {
        for (size_t from = size, i; from <= PAGE; from *= 2)
            if ((i = list_latest(&heap->free, from)) < heap->free.count) {
                heap->free_pages -= from == PAGE;
                return list_take(&heap->free, i);
            }
        if (!chunk_join_all(heap))
            mapping_map(heap);
    }
}

/* Up to eight chunks are made at once, of at most 1 KiB together. */
static struct extent chunk_alloc(struct naive_pages *heap, size_t size)
{
    size_t i = list_latest(&heap->quick, size);
    if (i < heap->quick.count)
        return list_take(&heap->quick, i);
    struct extent chunk = chunk_find(heap, size);
    size_t batch = size;
    while (batch < 8 * size && batch < 64 && batch < chunk.size)
        batch *= 2;
    if (chunk_quick_room(heap, size) < batch / size - 1)
        batch = size;
    for (; chunk.size > batch; chunk.size /= 2)
        list_add(&heap->free, chunk.start + chunk.size / 2, chunk.size / 2);
    for (size_t at = batch; at > size; at -= size)
        list_add(&heap->quick, chunk.start + at - size, size);
    return (struct extent){chunk.start, size};
}

/* In place: false, if it must move. */
static bool chunk_resize(struct naive_pages *heap, struct extent *chunk, size_t size)
{
    for (size_t part = chunk->size; part < size; part *= 2)
        if (chunk->start & part ||
            list_find(&heap->free, chunk->start + part, part) == heap->free.count)
            return false;
    for (; chunk->size < size; chunk->size *= 2)
        list_take(&heap->free, list_find(&heap->free, chunk->start + chunk->size, chunk->size));
    for (; chunk->size > size; chunk->size /= 2)
        list_add(&heap->free, chunk->start + chunk->size / 2, chunk->size / 2);
    return true;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

enum { SMALL = 4088 }; /* bytes */

static size_t large_pages(size_t bytes)
{
    return (bytes + 24 + 4095) / 4096;
}

/* What an aligned block was made of; other blocks are themselves. */
static struct extent block_whole(const struct naive_pages *heap, struct extent block, bool *shifted)
{
    size_t i = list_find(&heap->shifted, block.start, block.size);
    *shifted = i < heap->shifted.count;
    return *shifted ? heap->shifted.extents[i + 1] : block;
}

struct extent naive_pages_alloc(struct naive_pages *heap, size_t bytes)
{
    if (bytes <= SMALL)
        return chunk_alloc(heap, chunk_granules(bytes));
    size_t pages = large_pages(bytes);
    return (struct extent){runs_take(heap, pages) * PAGE, pages * PAGE};
}

static size_t aligned_start(const struct naive_pages *heap, size_t start, size_t align)
{
    while ((heap->origin + start) % (align / 16))
        start++;
    return start;
}

static struct extent naive_pages_shift(struct naive_pages *heap, size_t start, struct extent whole)
{
    struct extent block = {start, whole.start + whole.size - start};
    if (start != whole.start) {
        list_add(&heap->shifted, whole.start, whole.size);
        list_add(&heap->shifted, block.start, block.size);
        struct extent *pair = heap->shifted.extents + heap->shifted.count - 2;
        pair[0] = block;
        pair[1] = whole;
    }
    return block;
}

struct extent naive_pages_alloc_aligned(struct naive_pages *heap, size_t align, size_t bytes)
{
    if (align < 4096 && bytes + align - 16 <= SMALL) {
        struct extent whole = naive_pages_alloc(heap, bytes + align - 16);
        return naive_pages_shift(heap, aligned_start(heap, whole.start, align), whole);
    }
    size_t shift = align < 4096 ? align : 4096, pages = large_pages(bytes + shift);
    size_t took = pages + align / 4096, first = runs_take(heap, took);
    size_t start = aligned_start(heap, first * PAGE + (shift - 16) / 16, align);
    size_t begin = start / PAGE; /* the header is 8 bytes before the payload's page offset */
    if (begin > first)
        runs_give(heap, first, begin - first);
    if (first + took > begin + pages)
        runs_give(heap, begin + pages, first + took - begin - pages);
    return naive_pages_shift(heap, start, (struct extent){begin * PAGE, pages * PAGE});
}

void naive_pages_free(struct naive_pages *heap, struct extent block)
{
    bool shifted;
    struct extent whole = block_whole(heap, block, &shifted);
    if (shifted) {
        size_t i = list_find(&heap->shifted, block.start, block.size);
        list_take(&heap->shifted, i + 1);
        list_take(&heap->shifted, i);
    }
    if (whole.size > PAGE)
        runs_give(heap, whole.start / PAGE, whole.size / PAGE);
    else
        chunk_free(heap, whole);
}

/* Pages behind a run, if they are free. */
static bool large_extend(struct naive_pages *heap, size_t end, size_t more)
{
    if (end == heap->top) {
        runs_reach(heap, heap->top + more);
        heap->top += more;
        heap->taken += more;
        return true;
    }
    for (size_t kind = 0; kind < 2; kind++)
        for (size_t i = 0; i < heap->runs[kind].count; i++)
            if (heap->runs[kind].extents[i].start == end &&
                heap->runs[kind].extents[i].size >= more) {
                runs_cut(&heap->runs[kind], i, more);
                heap->taken += more;
                return true;
            }
    return false;
}

static bool large_resize(struct naive_pages *heap, struct extent *whole, size_t pages)
{
    size_t has = whole->size / PAGE, first = whole->start / PAGE;
    if (pages > has && !large_extend(heap, first + has, pages - has))
        return false;
    if (pages < has)
        runs_give(heap, first + pages, has - pages);
    whole->size = pages * PAGE;
    return true;
}

struct extent naive_pages_realloc(struct naive_pages *heap, struct extent block, size_t bytes)
{
    bool shifted;
    struct extent whole = block_whole(heap, block, &shifted);
    if (whole.size <= PAGE && !shifted && bytes <= SMALL &&
        chunk_resize(heap, &whole, chunk_granules(bytes)))
        return whole;
    size_t before = 16 * (block.start - whole.start);
    if (whole.size > PAGE && bytes > SMALL &&
        large_resize(heap, &whole, large_pages(before + bytes))) {
        if (shifted)
            heap->shifted.extents[list_find(&heap->shifted, block.start, block.size) + 1] = whole;
        return shifted ? block : whole;
    }
    struct extent fresh = naive_pages_alloc(heap, bytes);
    naive_pages_free(heap, block);
    return fresh;
}
