/* The memory that the worker shares with its parent: what is asked, and what came out so far. What
 * a worker wrote before it crashed is still there. */
#ifndef HARNESS_MEASURE_AREA_H
#define HARNESS_MEASURE_AREA_H

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "allocators/spec.h"
#include "harness/base/err.h"
#include "harness/measure/census.h"
#include "harness/measure/heapmap.h"
#include "harness/measure/histogram.h"
#include "harness/measure/lane.h"
#include "harness/measure/moments.h"
#include "harness/measure/pass.h"
#include "harness/measure/worst.h"
#include "results/cell.h"

/* Where a worker is; written before each step. */
enum stage { STAGE_STARTING, STAGE_PREPARING, STAGE_REPLAYING, STAGE_CLOSING, STAGE_DONE };

/* Blocks by size for the latency table: up to 16, 64, 256, 1 Ki, 4 Ki, 32 Ki, 256 Ki bytes, above.
 */
enum { SIZE_CLASSES = 8 };
extern const uint64_t size_class_limits[SIZE_CLASSES - 1];
unsigned size_class(uint64_t size);

/* Operations in the latency table: enum op_kind without OP_LARGE. */
enum { LATENCY_KINDS = 5 };
extern const char *const latency_kind_names[LATENCY_KINDS];

enum { SAMPLES_WANTED = 2000, SAMPLES_MAX = SAMPLES_WANTED + 16 };

/* A latency worker may be asked for what is behind the slowest calls of another, instead. */
enum probe { PROBE_NONE, PROBE_TIME, PROBE_SYSTEM_CALLS };
enum { PROBE_SIGNAL = SIGUSR2 }; /* by which it marks a call to its tracer */
enum tracing { TRACING_UNDECIDED, TRACING_ON, TRACING_REFUSED };

struct request {
    char spec[SPEC_TEXT];
    char library[PATH_MAX]; /* preloaded, "" none */
    char trace[PATH_MAX];
    char shared_name[64]; /* for a heap shared between processes */
    enum pass pass;
    enum touch touch;
    enum pace pace;
    enum order order;
    unsigned threads;   /* 0: as recorded */
    unsigned processes; /* 1, or more that share a heap */
    enum probe probe;
    unsigned latency_sample; /* one call in so many is timed */
    uint64_t memory_limit;   /* 0 none */
    cpu_set_t cores;         /* that the threads may use */
};

struct memory_area {
    size_t samples;
    struct cell_sample sample[SAMPLES_MAX];
    uint64_t rounded[SAMPLES_MAX]; /* L at each sample */
    struct heapmap map;
    struct census census[CENSUS_MOMENTS];
    struct page_map pages[CENSUS_MOMENTS];
};

struct latency_area {
    struct worst worst; /* of a probe: the calls to look at, in the order of the replay */
    struct histogram histograms[LATENCY_KINDS][SIZE_CLASSES];
};

struct area {
    uint64_t layout; /* area_layout() of who asks */
    struct request request;
    struct err failure;        /* what kept us from measuring: ours or the trace's fault */
    volatile uint32_t stage;   /* enum stage */
    volatile uint32_t tracing; /* enum tracing, set by the parent */
    uint64_t operations_done;  /* before the window under way */
    uint32_t lanes;            /* 0 when there are none yet; else they lie behind the area, as */
    uint64_t lanes_size;       /* many bytes whole pages of them, and then the words they play: */
    uint64_t words_size;       /* bytes, 0 where the words are the worker's alone */
    const uint64_t *words;     /* where those begin in the worker, whose addresses the lanes hold */
    uint64_t window_words;     /* of a window whose words are the worker's alone */
    struct cell_result result;
    union {
        struct memory_area memory;
        struct latency_area latency;
        struct moments_area moments;
    };
};

/* What a worker ends with, having written nothing, if its area_layout() is another. */
enum { AREA_UNKNOWN_LAYOUT = 3 };

/* Tells how an area is laid out: bench and a worker built from other sources would take one
 * figure for another. */
uint64_t area_layout(void);

/* Bytes of the area that a pass needs: whole pages. The worker appends its lanes and words. */
size_t area_size(enum pass pass);

/* Bytes of that many lanes: whole pages. */
size_t area_lanes_size(unsigned lanes);

#endif
