/* The file a trace is read from, as a row of checksummed chunks; all memory is mapped. */
#ifndef WORKLOADS_CHUNKS_H
#define WORKLOADS_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/err.h"
#include "workloads/array.h"

struct chunks {
    int fd;
    char path[400];           /* for sentences */
    uint64_t offset;          /* of the next byte to be read */
    uint64_t chunk_at;        /* offset of the chunk under way */
    uint64_t events;          /* handed out so far, for sentences: the user counts them */
    struct array stored;      /* the chunk under way as it is in the file */
    struct array raw;         /* and unpacked */
    struct ZSTD_DCtx_s *zstd; /* in zstd_memory */
    void *zstd_memory;
    size_t zstd_bytes;
};

struct chunk {
    uint32_t tag, stored, raw, count;
    uint64_t sum;
};

/* Into a zeroed struct; "-" is standard input. Closed also after a failure. */
int chunks_open(struct chunks *chunks, const char *path, struct err *err);
void chunks_close(struct chunks *chunks);

/* Sentences: -ENOMEM; -EBADMSG with the chunk's offset. */
int chunks_no_memory(const struct chunks *chunks, struct err *err);
int chunks_damaged(const struct chunks *chunks, const char *why, struct err *err);

/* The bytes read, fewer than `length` only at the file's end, or -errno. */
ssize_t chunks_read(struct chunks *chunks, void *to, size_t length);

/* All of them, or the file ends too early. */
int chunks_exactly(struct chunks *chunks, void *to, size_t length, struct err *err);

/* Reads a chunk's head, and its body into `stored`, and checks its sum. */
int chunks_next(struct chunks *chunks, struct chunk *chunk, struct err *err);

/* What the chunks will need, as their heads from `offset` on tell in a file that can be sought; 0
 * where they cannot be read. */
struct chunk_texts {
    uint64_t count, bytes;
};
struct chunk_needs {
    uint32_t stored, raw; /* bytes of the largest, as stored and unpacked */
    struct chunk_texts labels, sites;
    uint64_t touched; /* offset of the first that holds what was touched; 0: there is none */
};
struct chunk_needs chunks_needs(const struct chunks *chunks, uint64_t offset);

/* Unpacks `stored` bytes into the `raw` that they must give. */
bool chunks_unpack(struct chunks *chunks, void *to, size_t raw, const void *from, size_t stored);

/* A chunk that is one frame, from `stored` into `raw`. */
int chunks_unpack_whole(struct chunks *chunks, const struct chunk *chunk, struct err *err);

#endif
