/* Jolts: a thread is made to pause at random moments. */
#include "harness/worker/jolt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* One that nobody minds when it comes late. */
enum { JOLT_SIGNAL = SIGURG, JOLT_PAUSE_NS = 20000 };

void jolt_set(struct jolt *jolt)
{
    jolt->done = false;
    uint64_t after_ns = 1 + rng_below(&jolt->rng, 2 * jolt->every_ns);
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(after_ns / 1000000000),
                     .tv_nsec = (long)(after_ns % 1000000000)},
    };
    syscall(SYS_timer_settime, jolt->timer, 0, &when, NULL);
}

static void jolt_pause(int number, siginfo_t *info, void *context)
{
    static const struct timespec pause = {.tv_nsec = JOLT_PAUSE_NS};
    struct jolt *jolt = info->si_code == SI_TIMER ? info->si_value.sival_ptr : NULL;
    int code = errno;
    (void)number;
    (void)context;
    if (jolt && jolt->set) {
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        jolt->done = true;
    }
    errno = code;
}

void jolt_prepare(void)
{
    const struct sigaction action = {.sa_sigaction = jolt_pause,
                                     .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(JOLT_SIGNAL, &action, NULL);
}

/* The C library's own call may allocate. */
void jolt_begin(struct jolt *jolt)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = JOLT_SIGNAL};
    event.sigev_value.sival_ptr = jolt;
    event._sigev_un._tid = gettid();
    jolt->set = syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &jolt->timer) == 0;
    if (jolt->set)
        jolt_set(jolt);
}

void jolt_end(struct jolt *jolt)
{
    if (jolt->set)
        syscall(SYS_timer_delete, jolt->timer);
    jolt->set = false;
}
