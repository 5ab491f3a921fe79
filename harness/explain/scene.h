/* A moment of a replay as its parent sees it: the live blocks, the process's memory, and what the
 * heap's walk tells. */
#ifndef HARNESS_EXPLAIN_SCENE_H
#define HARNESS_EXPLAIN_SCENE_H

#include "harness/explain/image.h"
#include "harness/measure/moments.h"

struct area;

/* What the heap says of itself. Bytes; resident ones by the pages they lie on. */
struct scene_inside {
    bool known;
    uint64_t used_blocks, used, free, metadata;
    uint64_t used_resident, free_resident, metadata_resident;
};

struct scene {
    struct moments_block *blocks;   /* owned, the live ones by address */
    struct view_block *view_blocks; /* owned, the same */
    size_t block_count;
    struct view_free *free; /* owned, by address */
    size_t free_count;
    const uint64_t *held; /* mapped; NULL: not known */
    struct image image;
    struct scene_inside inside;
    struct heap_view view; /* of all this */
};

/* Reads the process that rests as it is (`shared` is its memory); the scene is the caller's, to be
 * released whether or not this failed. */
int scene_read(struct scene *scene, pid_t process, const struct area *area, int shared,
               struct err *err);

/* Adds what the walk has laid open. */
int scene_walked(struct scene *scene, const struct area *area, int shared, struct err *err);

void scene_release(struct scene *scene);

#endif
