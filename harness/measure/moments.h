/* A replay that stops at moments, and what the worker lays open there: which blocks are live and
 * where. While it is stopped (SIGSTOP) its parent reads the rest from /proc. */
#ifndef HARNESS_MEASURE_MOMENTS_H
#define HARNESS_MEASURE_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/measure/maps.h"

enum {
    MOMENTS_MAX = 64,
    MOMENTS_SIZES = 16,       /* ranges of sizes that can be left out */
    MOMENTS_SITES = 1 << 20,  /* call sites that can be told apart when they are left out */
    MOMENTS_ADDRESS_BITS = 47 /* of user space */
};

/* UINT64_MAX: not by this. */
struct moments_stop {
    uint64_t event;   /* after so many events of the trace */
    uint64_t time_ns; /* after the events up to this time */
    uint64_t reached; /* the number of the rest at which it was, 0 not yet */
};

/* A moment that was found: the first event after which the figure is at its peak. */
struct moments_peak {
    uint64_t event, time_ns, bytes;
};

struct moments_request {
    size_t stops; /* 0: look for the peaks of R and RSS instead */
    struct moments_stop stop[MOMENTS_MAX];
    uint64_t stride;      /* when looking: RSS is read after so many events */
    uint64_t exact_above; /* and read exactly where it is as high as that: statm is cheap, and wrong
                             by some pages; UINT64_MAX never */
    bool leaves_out;      /* what follows is left out of the replay */
    size_t sizes;
    struct {
        uint64_t low, high;
    } size[MOMENTS_SIZES];
    uint8_t site[MOMENTS_SITES / 8]; /* a bit a call site */
};

/* A live block, or none where the address is 0. */
struct moments_block {
    uint64_t address, size, usable;
    uint64_t event, time_ns; /* of its allocation; a realloc changes neither these nor the rest */
    uint32_t thread, site;
};

/* What the heap's own walk tells. */
struct moments_span {
    uint64_t start, size;
    uint64_t usable; /* of a live block */
    uint32_t kind;   /* enum span_kind, no area */
};

/* At each moment the worker rests first as it is, for /proc to be read; then, where the heap has a
 * walk, with its spans laid open. */
enum moments_step { MOMENTS_AS_IT_IS, MOMENTS_WALKED };

struct moments_area {
    struct moments_request request;
    volatile uint32_t rest; /* raised by one before each stop, from 1 */
    enum moments_step step;
    uint64_t event, time_ns; /* events done, and the time of the last */
    uint64_t live, usable, live_blocks;
    bool usable_known;
    bool walks;                /* so there is a second rest at each moment */
    struct intervals baseline; /* mapped before any library's constructor ran */
    uint64_t base_rss; /* of the whole process, just before the first event */
    struct moments_peak peak_rss, peak_live;
    /* In the memory that is shared, bytes from its beginning; 0 where there is none. */
    uint64_t blocks_offset, blocks; /* struct moments_block, one an object number */
    uint64_t spans_offset, spans;   /* struct moments_span; of the last walk */
    uint64_t pages_offset; /* a bit a page of user space that ever held (part of) a block */
};

/* Bytes of that map. Most of it is never touched. */
#define MOMENTS_PAGES_BYTES (UINT64_C(1) << (MOMENTS_ADDRESS_BITS - 12 - 3))

#endif
