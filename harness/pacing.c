/* Whether the drain lets the program go first. */
#include "harness/pacing.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/measure/proc.h"

enum { PACING_LOOK_NS = 10000000, PACING_REST_NS = 30000000 };

static uint64_t pacing_clock(clockid_t clock)
{
    struct timespec now;
    return clock_gettime(clock, &now) ? 0
                                      : (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t pacing_program_ns(const struct pacing *pacing)
{
    clockid_t clock;
    return clock_getcpuclockid(pacing->program, &clock) ? 0 : pacing_clock(clock);
}

static uint64_t pacing_cores(void)
{
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) ? (uint64_t)sysconf(_SC_NPROCESSORS_ONLN)
                                                      : (uint64_t)CPU_COUNT(&cores);
}

static void pacing_turn(struct pacing *pacing, uint64_t now_ns)
{
    pacing->rests = !pacing->rests;
    pacing->since_ns = now_ns;
}

void pacing_begin(struct pacing *pacing, pid_t program)
{
    *pacing = (struct pacing){.program = program, .cores = pacing_cores(), .at_ns = clock_ns()};
    pacing->own_ns = pacing_clock(CLOCK_PROCESS_CPUTIME_ID);
    pacing->program_ns = pacing_program_ns(pacing);
    pacing->late_ns = proc_delayed_ns(gettid());
}

/* At rest the program has to use all processors but half of one, or others are there too. At work
 * it is in the way of the program where both together use nearly all of them, and the drain itself
 * waits for its turn. */
static bool pacing_should_rest(const struct pacing *pacing, const struct pacing *before)
{
    uint64_t window = pacing->at_ns - before->at_ns, all = window * pacing->cores;
    uint64_t program = pacing->program_ns - before->program_ns;
    if (pacing->rests)
        return program + window / 2 > all;
    uint64_t both = program + (pacing->own_ns - before->own_ns);
    return pacing->at_ns >= pacing->busy_until_ns && both + window / 4 > all &&
           pacing->late_ns - before->late_ns > window / 10;
}

bool pacing_rests(struct pacing *pacing, bool pressed)
{
    uint64_t now_ns = clock_ns();
    if (pacing->rests && pressed) {
        pacing->busy_until_ns = now_ns + (now_ns - pacing->since_ns);
        pacing_turn(pacing, now_ns);
    }
    if (now_ns - pacing->at_ns < (pacing->rests ? PACING_REST_NS : PACING_LOOK_NS))
        return pacing->rests;
    struct pacing before = *pacing;
    pacing->at_ns = now_ns;
    pacing->own_ns = pacing_clock(CLOCK_PROCESS_CPUTIME_ID);
    pacing->program_ns = pacing_program_ns(pacing);
    pacing->late_ns = proc_delayed_ns(gettid());
    if (pacing_should_rest(pacing, &before) != pacing->rests)
        pacing_turn(pacing, now_ns);
    return pacing->rests;
}
