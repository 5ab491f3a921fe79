/* The passes: what disturbs one figure is measured in another process. */
#ifndef HARNESS_MEASURE_PASS_H
#define HARNESS_MEASURE_PASS_H

enum pass {
    PASS_THROUGHPUT,
    PASS_LATENCY,
    PASS_MEMORY,
    PASS_VERIFY,
    PASSES,                /* those that a run measures */
    PASS_MOMENTS = PASSES, /* stops where it is asked to (moments.h) */
    PASS_KINDS
};

/* What the replay writes into each block. */
enum touch {
    TOUCH_NONE,
    TOUCH_FIRST,    /* its first byte */
    TOUCH_PAGE,     /* one byte a page */
    TOUCH_ALL,      /* every byte */
    TOUCH_RECORDED, /* one byte of each page that the program touched; of all where the trace does
                       not tell */
    TOUCHES
};

/* How the lanes of a verify pass call. */
enum order {
    ORDER_PARALLEL, /* at once, as in the timed passes */
    ORDER_RECORDED, /* one at a time, in the recorded order */
    ORDERS
};

/* How fast the memory pass replays. What an allocator gives back by the clock depends on it. */
enum pace {
    PACE_FULL,     /* one operation after the other */
    PACE_RECORDED, /* none before its time */
    PACES
};

#endif
