/* A moment of a replay as its parent sees it. */
#include "harness/explain/scene.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/measure/area.h"

static const void *scene_map(int shared, uint64_t offset, uint64_t bytes, struct err *err)
{
    const void *at =
        mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_NORESERVE, shared, (off_t)offset);
    if (at != MAP_FAILED)
        return at;
    err_set(err, errno, "the worker's memory cannot be read: %s", strerror(errno));
    return NULL;
}

static void scene_unmap(const void *at, uint64_t bytes)
{
    if (at)
        munmap((void *)(uintptr_t)at, bytes);
}

static void *scene_memory(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        err_no_memory("%zu entries", count);
    return memory;
}

/* ---- blocks ---- */

static int scene_by_address(const void *a, const void *b)
{
    const struct moments_block *left = a, *right = b;
    return (left->address > right->address) - (left->address < right->address);
}

static void scene_take_blocks(struct scene *scene, const struct moments_block *table,
                              uint64_t count)
{
    scene->blocks = scene_memory(count, sizeof *scene->blocks);
    for (uint64_t i = 0; i < count; i++)
        if (table[i].address)
            scene->blocks[scene->block_count++] = table[i];
    qsort(scene->blocks, scene->block_count, sizeof *scene->blocks, scene_by_address);
    scene->view_blocks = scene_memory(scene->block_count, sizeof *scene->view_blocks);
    for (size_t i = 0; i < scene->block_count; i++) {
        const struct moments_block *block = &scene->blocks[i];
        scene->view_blocks[i] = (struct view_block){block->address, block->size, block->usable};
    }
}

static int scene_read_blocks(struct scene *scene, const struct moments_area *moments, int shared,
                             struct err *err)
{
    uint64_t bytes = (moments->blocks + 1) * sizeof *scene->blocks;
    const struct moments_block *table = scene_map(shared, moments->blocks_offset, bytes, err);
    if (!table)
        return -err->code;
    scene_take_blocks(scene, table, moments->blocks);
    scene_unmap(table, bytes);
    return 0;
}

static void scene_set_view(struct scene *scene)
{
    scene->view = (struct heap_view){
        .blocks = scene->view_blocks,
        .block_count = scene->block_count,
        .stretches = scene->image.stretches,
        .stretch_count = scene->image.count,
        .walked = scene->inside.known,
        .free = scene->free,
        .free_count = scene->free_count,
        .held = scene->held,
        .held_pages = scene->held ? 8 * MOMENTS_PAGES_BYTES : 0,
    };
}

int scene_read(struct scene *scene, pid_t process, const struct area *area, int shared,
               struct err *err)
{
    const struct moments_area *moments = &area->moments;
    *scene = (struct scene){0};
    int failed = scene_read_blocks(scene, moments, shared, err);
    if (!failed)
        failed = image_read(&scene->image, process, &moments->baseline, scene->view_blocks,
                            scene->block_count, err);
    if (!failed && moments->pages_offset)
        scene->held = scene_map(shared, moments->pages_offset, MOMENTS_PAGES_BYTES, NULL);
    scene_set_view(scene);
    return failed;
}

/* ---- the walk ---- */

static uint64_t stretch_end(const struct view_stretch *stretch)
{
    return stretch->start + PAGE_BYTES * (uint64_t)stretch->pages;
}

/* The first stretch that does not end before `address`. */
static size_t scene_stretch(const struct scene *scene, uint64_t address)
{
    size_t low = 0, high = scene->image.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stretch_end(&scene->image.stretches[middle]) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Bytes of [start, start + size) on resident pages. */
static uint64_t scene_resident(const struct scene *scene, uint64_t start, uint64_t size)
{
    uint64_t bytes = 0, end = start + size;
    const struct view_stretch *stretches = scene->image.stretches;
    for (size_t i = scene_stretch(scene, start); i < scene->image.count && stretches[i].start < end;
         i++) {
        const struct view_stretch *stretch = &stretches[i];
        uint64_t limit = stretch_end(stretch);
        uint64_t at = start > stretch->start ? start : stretch->start;
        while (at < end && at < limit) {
            uint64_t next = (at / PAGE_BYTES + 1) * PAGE_BYTES, to = next < end ? next : end;
            if (stretch->states[(at - stretch->start) / PAGE_BYTES] == PAGE_RESIDENT)
                bytes += to - at;
            at = to;
        }
    }
    return bytes;
}

static void scene_take_span(struct scene *scene, const struct moments_span *span)
{
    struct scene_inside *inside = &scene->inside;
    uint64_t resident = scene_resident(scene, span->start, span->size);
    if (span->kind == SPAN_FREE) {
        scene->free[scene->free_count++] = (struct view_free){span->start, span->size};
        inside->free += span->size;
        inside->free_resident += resident;
    } else if (span->kind == SPAN_META) {
        inside->metadata += span->size;
        inside->metadata_resident += resident;
    } else {
        inside->used_blocks++;
        inside->used += span->size;
        inside->used_resident += resident;
    }
}

static int scene_free_by_address(const void *a, const void *b)
{
    const struct view_free *left = a, *right = b;
    return (left->start > right->start) - (left->start < right->start);
}

int scene_walked(struct scene *scene, const struct area *area, int shared, struct err *err)
{
    const struct moments_area *moments = &area->moments;
    if (moments->spans == 0)
        return 0;
    uint64_t bytes = moments->spans * sizeof(struct moments_span);
    const struct moments_span *spans = scene_map(shared, moments->spans_offset, bytes, err);
    if (!spans)
        return -err->code;
    scene->free = scene_memory(moments->spans, sizeof *scene->free);
    scene->inside.known = true;
    for (uint64_t i = 0; i < moments->spans; i++)
        scene_take_span(scene, &spans[i]);
    scene_unmap(spans, bytes);
    qsort(scene->free, scene->free_count, sizeof *scene->free, scene_free_by_address);
    scene_set_view(scene);
    return 0;
}

void scene_release(struct scene *scene)
{
    scene_unmap(scene->held, MOMENTS_PAGES_BYTES);
    image_release(&scene->image);
    free(scene->blocks);
    free(scene->view_blocks);
    free(scene->free);
    *scene = (struct scene){0};
}
