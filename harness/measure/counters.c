/* Hardware counters, through perf_event_open(). */
#include "harness/measure/counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNTERS_CACHE(cache, operation, result) ((cache) | (operation) << 8 | (result) << 16)

const struct counter_event counter_events[COUNTERS] = {
    [COUNTER_CYCLES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    [COUNTER_INSTRUCTIONS] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    [COUNTER_CACHE_MISSES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    [COUNTER_TLB_MISSES] = {PERF_TYPE_HW_CACHE,
                            COUNTERS_CACHE(PERF_COUNT_HW_CACHE_DTLB, PERF_COUNT_HW_CACHE_OP_READ,
                                           PERF_COUNT_HW_CACHE_RESULT_MISS)},
};

static int counters_open_one(const struct counter_event *event, int leader, bool kernel)
{
    struct perf_event_attr attributes = {
        .type = event->type,
        .size = sizeof attributes,
        .config = event->config,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
        .disabled = leader < 0,
        .inherit = 1,
        .exclude_kernel = !kernel,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

/* Returns why there are none: 0 where there is at least one. */
static int counters_open_all(struct counters *counters, const struct counter_event events[COUNTERS],
                             bool kernel)
{
    int why = 0;
    counters->leader = -1;
    for (size_t i = 0; i < COUNTERS; i++) {
        counters->fds[i] = counters_open_one(&events[i], counters->leader, kernel);
        if (counters->fds[i] < 0 && why == 0)
            why = errno;
        else if (counters->leader < 0)
            counters->leader = counters->fds[i];
    }
    return counters->leader < 0 ? why : 0;
}

static const char *counters_why(int code)
{
    switch (code) {
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
        return "the machine has none; measure on one, or ask for a virtual one, that has a "
               "performance monitoring unit";
    case ENOSYS:
        return "the kernel has none; one built with CONFIG_PERF_EVENTS has";
    case EACCES:
        return "the kernel forbids it; 'sysctl kernel.perf_event_paranoid=2' as root allows it";
    case EPERM:
        return "forbidden, as a container does; give it CAP_PERFMON and a seccomp profile with "
               "perf_event_open, or measure outside";
    default:
        return strerror(code);
    }
}

void counters_open(struct counters *counters, const struct counter_event events[COUNTERS])
{
    int why = counters_open_all(counters, events, true);
    const char *state = "user and kernel";
    if (why == EACCES || why == EPERM) {
        why = counters_open_all(counters, events, false);
        state = "user only";
    }
    if (why)
        snprintf(counters->state, sizeof counters->state, "not available: %s", counters_why(why));
    else
        snprintf(counters->state, sizeof counters->state, "%s", state);
}

void counters_close(struct counters *counters)
{
    for (size_t i = 0; i < COUNTERS; i++)
        if (counters->fds[i] >= 0)
            close(counters->fds[i]);
    counters->leader = -1;
}

static void counters_switch(const struct counters *counters, unsigned long request)
{
    if (counters->leader >= 0)
        ioctl(counters->leader, request, PERF_IOC_FLAG_GROUP);
}

void counters_start(const struct counters *counters)
{
    counters_switch(counters, PERF_EVENT_IOC_ENABLE);
}

void counters_stop(const struct counters *counters)
{
    counters_switch(counters, PERF_EVENT_IOC_DISABLE);
}

static uint64_t counters_read_one(int fd)
{
    struct {
        uint64_t value, enabled, running;
    } seen;
    if (fd < 0 || read(fd, &seen, sizeof seen) != sizeof seen || seen.running == 0)
        return UINT64_MAX;
    return (uint64_t)((double)seen.value * ((double)seen.enabled / (double)seen.running));
}

void counters_read(const struct counters *counters, uint64_t counts[COUNTERS])
{
    for (size_t i = 0; i < COUNTERS; i++)
        counts[i] = counters_read_one(counters->fds[i]);
}

const char *counters_verdict(const struct counters *counters, const uint64_t counts[COUNTERS])
{
    for (size_t i = 0; i < COUNTERS; i++)
        if (counters->leader < 0 || counts[i] != UINT64_MAX)
            return counters->state;
    return "not available: others had the unit all the time; stop other profilers, and "
           "'sysctl kernel.nmi_watchdog=0' as root";
}
