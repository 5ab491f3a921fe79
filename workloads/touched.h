/* What a program touched of its large blocks: gathered by a writer until the trace's end, and read
 * beside the blocks of events, one chunk at a time.
 *
 * It is known when a block ends, and needed when it begins: so it lies behind all events, ordered
 * by them. */
#ifndef WORKLOADS_TOUCHED_H
#define WORKLOADS_TOUCHED_H

#include <stdbool.h>

#include "workloads/chunks.h"
#include "workloads/trace.h"

/* --- writing --- */

/* A zeroed struct is empty. */
struct touched_list {
    struct array entries; /* struct trace_touched; `pages` 0: all of them */
    size_t count;
};

/* 0 or -ENOMEM. */
int touched_add(struct touched_list *list, uint64_t event, uint32_t pages);

/* Orders the entries by event; of several of one event the one with the most pages stays, and none
 * of those that were touched whole. */
void touched_settle(struct touched_list *list);

/* Packs `count` entries from `from` on into `raw`, which has room for TOUCHED_ENTRY bytes each.
 * `*before` is the event of the entry before them, 0 at first, and is moved on. Returns the bytes.
 */
enum { TOUCHED_ENTRY = 20 };
size_t touched_pack(const struct touched_list *list, size_t from, size_t count, uint64_t *before,
                    uint8_t *raw);

void touched_release(struct touched_list *list);

/* --- reading --- */

struct touched_reader {
    struct chunks chunks; /* on a descriptor of its own */
    uint64_t start;       /* offset of the first chunk */
    const uint8_t *at, *end;
    uint32_t left;             /* entries of the chunk under way */
    struct trace_touched next; /* `pages` 0: it is still to be read */
    uint64_t event;            /* of the entry read last */
    struct array taken;        /* struct trace_touched */
    bool open, ended, any;
};

/* Opens the file that `of` reads a second time, `needs` being what its chunks need, and takes ahead
 * what reading does; up to `entries` are taken at a time. 0 or -errno. */
int touched_open(struct touched_reader *reader, const struct chunks *of,
                 const struct chunk_needs *needs, size_t entries, struct err *err);

/* Those of the next events, up to `end`, into *entries, valid until the next call; their number in
 * *count. 0 or -errno. */
int touched_take(struct touched_reader *reader, uint64_t end, const struct trace_touched **entries,
                 size_t *count, struct err *err);

/* Back to the first event. */
int touched_rewind(struct touched_reader *reader, struct err *err);

void touched_close(struct touched_reader *reader);

#endif
