/* The plan of a run: what was asked for. */
#ifndef HARNESS_PLAN_H
#define HARNESS_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/cell.h"

struct plan_trace {
    char *path; /* absolute */
    char *name; /* unique in the plan */
    uint64_t checksum;
    uint64_t events;
    bool touched;     /* it tells what the program touched of large blocks */
    unsigned threads; /* that replay it: as in struct cell */
    char *scaling;    /* what it is replayed as with several numbers of threads; NULL: with one */
    json_t *profile;  /* profile_read()'s */
};

struct plan {
    char **specs; /* in the order of the table */
    size_t spec_count;
    struct plan_trace *traces;
    size_t trace_count;
    bool passes[PASSES];
    uint64_t repeat;  /* of the timed passes; memory and verify run once */
    enum touch touch; /* TOUCH_RECORDED: page, with traces that do not tell */
    enum pace pace;
    enum order order;
    unsigned threads; /* of the traces that are added */
    unsigned processes;
    unsigned turns;          /* of a repetition, as turns_of() takes it */
    unsigned latency_sample; /* one call in so many is timed in the latency pass: 1 all */
    uint64_t timeout_ns;
    uint64_t memory_limit;
    uint64_t seed; /* of the shuffled order */
};

void plan_init(struct plan *plan);
void plan_release(struct plan *plan);

/* Every built-in allocator and every external one that is installed. */
void plan_add_every_allocator(struct plan *plan);

/* The C library's and every external one that is installed: what programs run on. */
void plan_add_process_allocators(struct plan *plan);

/* A comma-separated list of specs, each checked; a spec given twice counts once. */
int plan_add_allocators(struct plan *plan, const char *list, struct err *err);

/* One spec as it stands, which is not checked. */
void plan_add_spec(struct plan *plan, const char *text);

/* A trace file, read once to its end: a damaged one is refused before anything is measured. */
int plan_add_trace(struct plan *plan, const char *path, struct err *err);

/* Calls the trace added last so, unless another is called that or it is long for a name. */
void plan_name_trace(struct plan *plan, const char *name);

/* Takes the trace added last out again. */
void plan_drop_trace(struct plan *plan);

/* Makes the trace added last one of several that show how `scaling` does with more threads: its
 * name becomes that of a workload with so many, "sqlite:threads=4". */
int plan_scale_trace(struct plan *plan, unsigned threads, const char *scaling, struct err *err);

/* One more pass, by the `length` bytes of its name; or "throughput,memory" and no other. */
int plan_add_pass(struct plan *plan, const char *name, size_t length, struct err *err);
int plan_set_passes(struct plan *plan, const char *list, struct err *err);

/* "none", "first", "page", "all" or "recorded"; "full" or "as-recorded"; "parallel" or
 * "as-recorded"; a count of repetitions. The sentences name the option. */
int plan_set_touch(struct plan *plan, const char *name, struct err *err);
int plan_set_pace(struct plan *plan, const char *name, struct err *err);
int plan_set_order(struct plan *plan, const char *name, struct err *err);
int plan_set_repeat(struct plan *plan, const char *text, struct err *err);

/* What the replay of a trace writes into its blocks. */
enum touch plan_touch(const struct plan *plan, const struct plan_trace *trace);

#endif
