/* Packs the chunks of a trace and writes them into its file; blocks, where that is asked for, on a
 * thread of its own, so that the next one is encoded meanwhile. */
#ifndef WORKLOADS_PACKER_H
#define WORKLOADS_PACKER_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "workloads/array.h"
#include "workloads/codec.h"
#include "workloads/output.h"

struct packer_beside;

struct packer {
    struct output output; /* opened and finished by the owner */
    uint64_t sum;         /* over the checksums of all blocks */
    uint64_t touched_sum; /* over those of all chunks of touched pages */
    struct array stored;
    void *zstd;                   /* a ZSTD_CCtx */
    bool poor[CODEC_STREAMS];     /* did not become a third in the block before */
    struct packer_beside *beside; /* the thread's; NULL: there is none */
};

/* A block's streams; borrowed. */
struct packer_block {
    const uint8_t *begin[CODEC_STREAMS];
    uint32_t used[CODEC_STREAMS]; /* bytes */
    uint32_t count;               /* events */
};

/* 0 or -ENOMEM; release in either case. */
int packer_init(struct packer *packer);
void packer_release(struct packer *packer);

/* From here on blocks are packed on another thread. 0 or -ENOMEM, also where no thread can be
 * started: then all is as before. */
int packer_split(struct packer *packer);

/* Everything is written that was to be. 0, or what writing a block failed for. */
int packer_settle(struct packer *packer, struct err *err);

/* Any other chunk, behind all blocks so far. 0 or -errno. */
int packer_chunk(struct packer *packer, uint32_t tag, const void *from, size_t raw, uint32_t count,
                 struct err *err);

/* The streams stay as they are until the next call of any of these but the release. 0 or -errno,
 * which may be an earlier block's. */
int packer_block(struct packer *packer, const struct packer_block *block, struct err *err);

#endif
