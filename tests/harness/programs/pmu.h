/* A performance monitoring unit for tests, behind the C library's calls (ld's --wrap of syscall,
 * ioctl and read); events of other kinds go through to the kernel. */
#ifndef TESTS_HARNESS_PROGRAMS_PMU_H
#define TESTS_HARNESS_PROGRAMS_PMU_H

#include "harness/measure/counters.h"

/* A stretch lies between a start and a stop; in it each counter is wanted for PMU_STRETCH. */
enum { PMU_STRETCH = 1000, PMU_STRETCHES = 64 };

struct pmu {
    bool present;
    int refusal[COUNTERS]; /* errno with which an event is refused, 0: it is there */
    int kernel_refusal;    /* the same when it is to count in the kernel too */
    unsigned on_unit;      /* so much of each PMU_STRETCH it is counted; others have it else */
    uint64_t nothing;      /* counts in the first stretch */
    uint64_t work;         /* those of event i in each later one: (i + 1) * work + nothing */
    /* what was done to it */
    size_t opened, closed, stretches;
    bool on;
};
extern struct pmu pmu;

#endif
