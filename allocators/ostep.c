/* ostep: the memory manager of the OSTEP text, with a free list in the order of freeing.
 *
 * 1. A block begins with 8 bytes: its size, and a magic number while it is live, or the place in
 *    the free list that it was given. A freed block becomes the head of the list; what is left of
 *    one that was cut keeps its place.
 * 2. first: the first block from the head that is large enough. best: the smallest, worst: the
 *    largest, of equals the first in the list. next: the first from where the last search ended,
 *    round the list. When nothing in the list is large enough, the memory behind the last block is
 *    used, which is no part of the list.
 * 3. With coalesce=1 a block is joined with its free neighbours, or with the memory behind the last
 *    block, when it is freed; what comes of it goes to the head.
 * 4. The whole pages of large free blocks go back, but for those with their headers.
 * Where blocks begin is also kept out of band (granules.h), and the list is (list_order.h), so that
 * neither neighbours nor a fit are searched for; so are most free blocks' places in the list
 * (ostep_places.h), so that headers are written but seldom read; for best, free blocks hold a tree
 * (ostep_tree.h).
 * In the classic interface the list is linked through the headers, and payloads are not aligned;
 * here they are, to 16 bytes. Text: the allocator of Arpaci-Dusseau and Arpaci-Dusseau, Operating
 * Systems: Three Easy Pieces, chapter 17.
 */
#include <limits.h>
#include <stdio.h>

#include "allocators/ostep_places.h"

#include "allocators/list_order.h"
#include "allocators/ostep_tree.h"
#include "allocators/segments.h"

enum { OSTEP_MAGIC = 1234567, OSTEP_HEADER = 8 };
enum { OSTEP_SPARE = 1024 }; /* blocks that the list has memory for when it shrinks */
enum { OSTEP_AHEAD = 8 };    /* blocks that are looked at soon when all are renumbered */
#define OSTEP_END UINT32_MAX /* a slot behind all others */

enum ostep_fit { FIT_FIRST, FIT_BEST, FIT_WORST, FIT_NEXT };
enum { OPTION_COALESCE_ROW, OPTION_FIT_ROW };

struct ostep_header {
    int32_t size;        /* bytes behind the header */
    uint32_t magic_slot; /* OSTEP_MAGIC, or the slot of a free block; not its present one where a
                            note tells it, but for best fit */
};

struct ostep {
    struct segments segments;
    enum ostep_fit fit;
    bool coalesce;
    size_t live;     /* blocks */
    size_t reserved; /* blocks that the list has memory for */
    size_t rover;    /* next fit: a slot */
    struct list_order order;
    struct ostep_tree sizes; /* best fit: free blocks by size and slot */
};

static const struct option_row ostep_options[] = {
    [OPTION_COALESCE_ROW] = {"coalesce", OPTION_FLAG, "1",
                             "join a freed block with its neighbours; 0, as the text has it: where "
                             "sizes vary, the heap grows without end",
                             NULL},
    [OPTION_FIT_ROW] = {"fit", OPTION_CHOICE, "first", "which free block is taken",
                        "first|best|worst|next"},
    {0},
};

FIT_INLINE struct ostep_header *ostep_header(const struct ostep *heap, size_t position)
{
    return (struct ostep_header *)(void *)(heap->segments.base + 16 * position);
}

/* What a header says of so many granules; of a free block of more than an int tells, the most. */
FIT_INLINE int32_t ostep_size(size_t granules)
{
    return granules <= INT_MAX / 16 ? (int32_t)(16 * granules - OSTEP_HEADER) : INT_MAX;
}

FIT_INLINE void ostep_write(struct ostep *heap, size_t position, size_t size, size_t magic_slot)
{
    *ostep_header(heap, position) = (struct ostep_header){ostep_size(size), (uint32_t)magic_slot};
}

/* ---- places in the list ---------------------------------------------------------------------- */

/* The free block, whose header tells its slot, has that one from now on. The block whose note has
 * to go for that tells itself. */
FIT_INLINE void ostep_note(struct ostep *heap, size_t position, size_t slot)
{
    uint64_t *notes = ostep_notes(&heap->segments.map, position);
    uint32_t gone = (uint32_t)(*notes >> 32);
    if (__builtin_expect(!ostep_notable(slot), 0))
        return;
    if (gone)
        ostep_header(heap, (position & ~(size_t)63) + gone % 64)->magic_slot =
            (uint32_t)ostep_note_slot(gone);
    *notes = *notes << 32 | ostep_note_of(position, slot);
}

/* Drops what is noted of the free block, and tells its slot. */
FIT_INLINE size_t ostep_forget(struct ostep *heap, size_t position)
{
    uint64_t *notes = ostep_notes(&heap->segments.map, position);
    unsigned shift = ostep_notes_shift(*notes, position);
    uint32_t note = (uint32_t)(*notes >> shift);
    if (__builtin_expect(!ostep_note_is_of(note, position), 0))
        return ostep_header(heap, position)->magic_slot;
    *notes = ostep_notes_without(*notes, shift);
    return ostep_note_slot(note);
}

static size_t ostep_slot(const struct ostep *heap, size_t position)
{
    uint64_t notes = *ostep_notes(&heap->segments.map, position);
    uint32_t note = (uint32_t)(notes >> ostep_notes_shift(notes, position));
    return ostep_note_is_of(note, position) ? ostep_note_slot(note)
                                            : ostep_header(heap, position)->magic_slot;
}

/* Its slot has changed, and nothing else. */
static void ostep_move(struct ostep *heap, size_t position, size_t slot)
{
    uint64_t *notes = ostep_notes(&heap->segments.map, position);
    unsigned shift = ostep_notes_shift(*notes, position);
    bool noted = ostep_note_is_of((uint32_t)(*notes >> shift), position);
    bool stays = noted && ostep_notable(slot);
    if (noted)
        *notes = stays ? (*notes & (uint64_t)UINT32_MAX << (32 - shift)) |
                             (uint64_t)ostep_note_of(position, slot) << shift
                       : ostep_notes_without(*notes, shift);
    if (!stays || heap->fit == FIT_BEST) /* whose tree looks at headers */
        ostep_header(heap, position)->magic_slot = (uint32_t)slot;
}

/* ---- the list -------------------------------------------------------------------------------- */

FIT_INLINE void ostep_index(struct ostep *heap, size_t position)
{
    if (__builtin_expect(heap->fit == FIT_BEST, 0))
        ostep_tree_insert(&heap->sizes, position);
}

/* While the header is that of the free block. */
FIT_INLINE void ostep_unindex(struct ostep *heap, size_t position)
{
    if (__builtin_expect(heap->fit == FIT_BEST, 0))
        ostep_tree_remove(&heap->sizes, position);
}

struct ostep_renumbering {
    struct ostep *heap;
    size_t rover; /* as it was */
};

/* The rover goes with the first block at or behind it; the last blocks are told of first. */
static void ostep_renumbered(void *arg, size_t from, size_t to)
{
    struct ostep_renumbering *renumbering = arg;
    struct ostep *heap = renumbering->heap;
    if (from >= OSTEP_AHEAD)
        __builtin_prefetch(
            ostep_notes(&heap->segments.map, heap->order.position[from - OSTEP_AHEAD]), 1);
    ostep_move(heap, heap->order.position[to], to);
    if (from >= renumbering->rover)
        heap->rover = to;
}

/* Memory for all blocks that can be free at a time, of which no two are neighbours if they are
 * joined. */
static bool ostep_grow(struct ostep *heap, size_t most)
{
    if (list_order_reserve(&heap->order, most) < 0)
        return false;
    heap->reserved = most;
    return true;
}

/* Before a block is used: whether it can be free one day. */
FIT_INLINE bool ostep_reserve(struct ostep *heap)
{
    size_t most = heap->live + 4 + (heap->coalesce ? 0 : heap->order.count);
    return __builtin_expect(most <= heap->reserved, 1) || ostep_grow(heap, most + most / 16);
}

static void ostep_make_room(struct ostep *heap)
{
    struct ostep_renumbering renumbering = {heap, heap->rover};
    heap->rover = OSTEP_END;
    list_order_renumber(&heap->order, ostep_renumbered, &renumbering);
}

/* Slots that are worth their memory. Where freed blocks are not joined nearly all blocks may be
 * free ones: then as many again, which renumbering makes room for, or each would undo the other. */
FIT_INLINE size_t ostep_worth(const struct ostep *heap)
{
    size_t free_blocks = heap->order.count;
    return heap->live + (heap->coalesce ? free_blocks : 2 * free_blocks) + OSTEP_SPARE;
}

/* Few blocks are left of those that there is memory for. */
static void ostep_shrink(struct ostep *heap)
{
    struct ostep_renumbering still = {heap, SIZE_MAX}; /* the rover moves as all do */
    size_t room = ostep_worth(heap) + heap->live / 8;
    ostep_make_room(heap);
    if (room >= heap->order.room)
        return;
    size_t down = list_order_shrink(&heap->order, room, ostep_renumbered, &still);
    heap->rover -= heap->rover == OSTEP_END ? 0 : down;
    heap->reserved = room;
}

FIT_INLINE void ostep_push(struct ostep *heap, size_t position, size_t size)
{
    if (__builtin_expect(!list_order_has_room(&heap->order), 0))
        ostep_make_room(heap);
    size_t slot = list_order_push(&heap->order, position, size);
    ostep_write(heap, position, size, slot);
    ostep_note(heap, position, slot);
    ostep_index(heap, position);
}

FIT_INLINE void ostep_unlink(struct ostep *heap, size_t position)
{
    ostep_unindex(heap, position);
    list_order_remove(&heap->order, ostep_forget(heap, position));
}

/* The front of the free block in `slot` is taken: the rest has its place in the list. */
FIT_INLINE void ostep_cut(struct ostep *heap, size_t slot, size_t position, size_t size,
                          size_t rest)
{
    ostep_unindex(heap, position);
    ostep_forget(heap, position);
    ostep_write(heap, position + size, rest, slot);
    ostep_note(heap, position + size, slot);
    ostep_index(heap, position + size);
    list_order_cut(&heap->order, slot, position + size, rest);
}

static size_t ostep_find_other(struct ostep *heap, size_t size)
{
    struct list_order *order = &heap->order;
    if (heap->fit == FIT_BEST) {
        uint32_t slot = ostep_tree_least(&heap->sizes, ostep_size(size));
        return slot == UINT32_MAX ? FIT_NONE : slot;
    }
    if (heap->fit == FIT_WORST) {
        size_t most = fit_tree_max(&order->sizes);
        return most < size ? FIT_NONE : list_order_find(order, most, order->front);
    }
    size_t from = heap->rover > order->front ? heap->rover : order->front;
    size_t slot = list_order_find(order, size, from);
    if (slot == FIT_NONE)
        slot = list_order_find(order, size, order->front);
    heap->rover = slot == FIT_NONE ? heap->rover : slot;
    return slot;
}

/* The slot of the block to take, or FIT_NONE. */
FIT_INLINE size_t ostep_find(struct ostep *heap, size_t size)
{
    if (__builtin_expect(heap->fit != FIT_FIRST, 0))
        return ostep_find_other(heap, size);
    return list_order_find(&heap->order, size, heap->order.front);
}

/* ---- the calls ------------------------------------------------------------------------------- */

static size_t ostep_place(struct segments *segments, size_t size)
{
    struct ostep *heap = (struct ostep *)segments;
    if (__builtin_expect(size > INT_MAX / 16 || !ostep_reserve(heap), 0))
        return FIT_NONE;
    size_t slot = ostep_find(heap, size), position;
    if (__builtin_expect(slot == FIT_NONE, 0)) {
        position = segments_take_top(segments, size);
        if (position == FIT_NONE)
            return FIT_NONE;
    } else {
        position = heap->order.position[slot];
        if (segments_prepare(segments, position, size))
            return FIT_NONE;
        size_t rest = segments_take(segments, position, size);
        if (rest > 0)
            ostep_cut(heap, slot, position, size, rest);
        else
            ostep_unlink(heap, position);
    }
    ostep_write(heap, position, size, OSTEP_MAGIC);
    heap->live++;
    return position;
}

static void *ostep_alloc(struct heap *heap, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = ostep_place(segments, segments_granules(segments, size));
    return position == FIT_NONE ? NULL : segments_pointer(segments, position);
}

FIT_INLINE void ostep_release(struct segments *segments, size_t position)
{
    struct ostep *heap = (struct ostep *)segments;
    /* What is written at the end, while the map is waited for. */
    __builtin_prefetch(ostep_header(heap, position), 1);
    struct segments_hole hole =
        segments_release(segments, position, heap->coalesce, heap->coalesce);
    size_t end = hole.start + hole.size;
    if (hole.before)
        ostep_unlink(heap, hole.start);
    if (hole.behind)
        ostep_unlink(heap, end - hole.behind);
    if (__builtin_expect(end == segments->top && heap->coalesce, 0)) {
        segments_fall_returning(segments, &hole);
    } else {
        segments_released(segments, &hole);
        ostep_push(heap, hole.start, hole.size);
    }
    if (__builtin_expect(2 * heap->order.room > 3 * ostep_worth(heap), 0))
        ostep_shrink(heap);
}

static void ostep_free(struct heap *heap, void *ref)
{
    struct segments *segments = (struct segments *)heap;
    ((struct ostep *)heap)->live--;
    ostep_release(segments, segments_position(segments, ref));
}

static void *ostep_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = segments_position(segments, ref),
           granules = segments_granules(segments, size);
    if (granules <= INT_MAX / 16 && ostep_reserve((struct ostep *)heap) &&
        segments_resize(segments, position, granules)) {
        ostep_write((struct ostep *)heap, position, granules, OSTEP_MAGIC);
        return ref;
    }
    void *moved = ostep_alloc(heap, size);
    if (!moved)
        return NULL;
    memcpy(moved, ref, old_size < size ? old_size : size);
    ostep_free(heap, ref);
    return moved;
}

static void *ostep_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t granules = segments_granules(segments, size);
    size_t position = segments_place_aligned(segments, align, granules);
    if (position == FIT_NONE)
        return NULL;
    ostep_write((struct ostep *)heap, position, granules, OSTEP_MAGIC);
    return segments_pointer(segments, position);
}

/* ---- for the paths that are not inlined ------------------------------------------------------ */

static size_t ostep_index_bytes(size_t count)
{
    return list_order_bytes(count);
}

static void ostep_release_any(struct segments *segments, size_t position)
{
    ostep_release(segments, position);
}

static void ostep_remove(struct segments *segments, size_t position, size_t size)
{
    struct ostep *heap = (struct ostep *)segments;
    (void)size;
    ostep_unlink(heap, position);
}

/* What realloc leaves of a block goes to the head. */
static void ostep_leave(struct segments *segments, size_t position, size_t size)
{
    ostep_push((struct ostep *)segments, position, size);
}

static bool ostep_joins(struct segments *segments, size_t position)
{
    (void)position;
    return ((struct ostep *)segments)->coalesce;
}

/* What is wrong with the header of the block at `position`, or NULL. */
static const char *ostep_flaw(const struct ostep *heap, size_t position)
{
    const struct ostep_header *header = ostep_header(heap, position);
    if (header->size != ostep_size(granules_size(&heap->segments.map, position)))
        return "its size is not that of the block";
    if (granules_is_used(&heap->segments.map, position))
        return header->magic_slot == OSTEP_MAGIC ? NULL : "it has no magic number";
    size_t slot = ostep_slot(heap, position);
    if (slot < heap->order.front || slot >= heap->order.end ||
        heap->order.position[slot] != position)
        return "its place in the list is not its own";
    if (heap->fit == FIT_BEST && !ostep_tree_has(&heap->sizes, position))
        return "the tree by size does not know of it";
    return NULL;
}

static int ostep_damaged(const struct ostep *heap, size_t position, const char *flaw, char *why,
                         size_t length)
{
    snprintf(why, length, "ostep: the header at %p is damaged: %s",
             (const void *)ostep_header(heap, position), flaw);
    return -EUCLEAN;
}

static int ostep_check(struct heap *heap, char *why, size_t length)
{
    const struct ostep *ostep = (const struct ostep *)heap;
    const struct granules *map = &ostep->segments.map;
    size_t count = 0;
    int error = segments_check(heap, why, length);
    if (error)
        return error;
    for (size_t at = 0; at < ostep->segments.top; at += granules_size(map, at)) {
        const char *flaw = ostep_flaw(ostep, at);
        if (flaw)
            return ostep_damaged(ostep, at, flaw, why, length);
        count += !granules_is_used(map, at);
    }
    if (count == ostep->order.count)
        return 0;
    snprintf(why, length, "ostep: the free list has %zu blocks and should have %zu",
             ostep->order.count, count);
    return -EUCLEAN;
}

static const struct segments_policy ostep_policy = {
    .place = ostep_place,
    .release = ostep_release_any,
    .remove = ostep_remove,
    .leave = ostep_leave,
    .joins = ostep_joins,
};

static int ostep_create(const struct heap_config *config, struct heap **out, struct err *err);

const struct allocator allocator_ostep = {
    .name = "ostep",
    .summary = "the OSTEP memory manager: headers, and a free list in the order of freeing",
    .align = 16,
    .threads = THREADS_ONE,
    .scope = SCOPE_HEAP,
    .flags = ALLOCATOR_WALK_TILES | ALLOCATOR_FORK_SAFE,
    .options = ostep_options,
    .create = ostep_create,
    .destroy = segments_destroy,
    .alloc = ostep_alloc,
    .zalloc = segments_zalloc,
    .free = ostep_free,
    .realloc = ostep_realloc,
    .alloc_aligned = ostep_alloc_aligned,
    .usable_size = segments_usable,
    .owns = segments_owns,
    .trim = segments_trim,
    .stats = segments_stats,
    .walk = segments_walk,
    .check = ostep_check,
};

/* An eighth of the region is for blocks: the order of a list of blocks of one granule takes more.
 */
static int ostep_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    struct segments *segments;
    const struct segments_layout layout = {
        .heap_bytes = sizeof(struct ostep),
        .most = config->region->reserved / 8,
        .header = OSTEP_HEADER,
        .beside = sizeof(uint64_t),
        .huge = true,
        .index_bytes = ostep_index_bytes,
    };
    int error = segments_create(config, &allocator_ostep, &layout, &segments, err);
    if (error)
        return error;
    struct ostep *heap = (struct ostep *)segments;
    heap->coalesce = config->values[OPTION_COALESCE_ROW].number;
    heap->rover = OSTEP_END;
    heap->fit = (enum ostep_fit)config->values[OPTION_FIT_ROW].number;
    segments_set_returning(segments);
    heap->sizes.base = segments->base;
    if (list_order_init(&heap->order, segments->limit, &segments->store) < 0)
        return err_set(err, ENOMEM, "ostep: no memory for its list");
    *out = &segments->heap;
    return segments_start(segments, &ostep_policy, err);
}
