/* What a stopped process has in memory: its mappings from smaps, the pages of its heap from
 * pagemap. Read from another process, so nothing of it is disturbed. */
#ifndef HARNESS_EXPLAIN_IMAGE_H
#define HARNESS_EXPLAIN_IMAGE_H

#include <sys/types.h>

#include "harness/base/err.h"
#include "harness/measure/maps.h"
#include "harness/measure/page_view.h"

/* What the rest of the process is made of: resident bytes. */
struct image_rest {
    uint64_t harness; /* the replay's tables, its stack and the program's own data */
    uint64_t code;    /* programs and libraries, as far as they are not written */
    uint64_t other;   /* what libraries keep in data of their own, an allocator's too; the loader */
};

struct image {
    struct view_stretch *stretches; /* owned, with their states; the heap's, by address */
    size_t count;
    uint64_t rss; /* of the whole process, by smaps_rollup */
    struct image_rest rest;
    uint64_t reserved;   /* address space without access rights */
    uint64_t huge_bytes; /* of the heap, in huge pages */
};

/* `baseline` was mapped before the allocator did anything; a mapping in which a block of `blocks`
 * (by address) starts is the heap's even so. The sentence of a failure says what the kernel does
 * not show. */
int image_read(struct image *image, pid_t process, const struct intervals *baseline,
               const struct view_block *blocks, size_t block_count, struct err *err);
void image_release(struct image *image);

#endif
