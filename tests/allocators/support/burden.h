/* What a heap's bookkeeping costs, looked at again and again while blocks come and go. */
#ifndef TESTS_BURDEN_H
#define TESTS_BURDEN_H

#include "allocators/region.h"
#include "allocators/spec.h"
#include "harness/base/rng.h"

/* At one moment. */
struct burden_moment {
    uint64_t step, live_blocks, holes, held_bytes, metadata_bytes;
    double excess; /* bytes above what is promised: burden_promised */
};

struct burden {
    struct spec spec;
    struct region region;
    struct heap *heap;
    uint64_t step, every;                /* operations; every so many it is looked at */
    struct burden_moment worst, fullest; /* most excess; most bytes held, the first of equals */
    size_t room;
    struct burden_object {
        void *ref; /* NULL: not live */
        size_t size;
    } * objects;
};

/* 16 bytes a live block and 7 % of what is held; of mems, whose segments are described one
 * by one, at least 64 bytes a segment. */
double burden_promised(const struct burden *burden, const struct burden_moment *moment);

/* 0, or -errno with a sentence. */
int burden_open(struct burden *burden, const char *spec, uint64_t every, struct err *err);
void burden_close(struct burden *burden);

/* Size 0: the object is freed if it is live; else it is allocated or resized. 0, or -errno with a
 * sentence when the heap has no memory. */
int burden_set(struct burden *burden, size_t object, size_t size, struct err *err);

/* Frees what is live, the first objects first, but for one in `keep` of all. 0, or -errno. */
int burden_ebb(struct burden *burden, size_t keep, struct err *err);

/* The first `events` events of a trace, one thread after the other as recorded. */
int burden_replay(struct burden *burden, const char *path, uint64_t events, struct err *err);

#endif
