/* Whether who turns records into a trace lets the recorded program go first: where the two of them
 * would share the processors and nobody else is there, the program has all of them, its records are
 * kept in memory, and the trace is finished after it. Otherwise both go on side by side, as then
 * waiting would make the whole later. */
#ifndef HARNESS_PACING_H
#define HARNESS_PACING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pacing {
    pid_t program;
    uint64_t cores; /* that may be used */
    bool rests;
    uint64_t since_ns;                           /* … or works */
    uint64_t busy_until_ns;                      /* after it had to work: no rest before */
    uint64_t at_ns, program_ns, own_ns, late_ns; /* the last look */
};

/* Of the calling thread, which is the one that may rest. */
void pacing_begin(struct pacing *pacing, pid_t program);

/* To be asked again and again. `pressed`: the program waits for work to be done. */
bool pacing_rests(struct pacing *pacing, bool pressed);

#endif
