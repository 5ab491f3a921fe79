/* A performance monitoring unit for tests. In a worker it is as the variable PMU says: an errno
 * with which all events are refused, or how much of a stretch of 1,000 they are on the unit, from
 * 2000 on. */
#include "tests/harness/programs/pmu.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { PMU_FD = 100000 };

struct pmu pmu;

__attribute__((constructor)) static void pmu_from_environment(void)
{
    const char *text = getenv("PMU");
    int number = text ? atoi(text) : 0;
    if (number == 0)
        return;
    pmu = (struct pmu){.present = true, .nothing = 100, .work = 1000000};
    pmu.on_unit = number >= 2000 ? (unsigned)number - 2000 : PMU_STRETCH;
    for (size_t i = 0; i < COUNTERS && number < 2000; i++)
        pmu.refusal[i] = number;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __real_read(int fd, void *into, size_t size);
ssize_t __wrap_read(int fd, void *into, size_t size);

static int pmu_open(const struct perf_event_attr *attributes, int leader)
{
    size_t event = 0;
    while (event < COUNTERS && (counter_events[event].type != attributes->type ||
                                counter_events[event].config != attributes->config))
        event++;
    bool kernel = !attributes->exclude_kernel;
    errno = event == COUNTERS ? ENOENT : pmu.refusal[event];
    if (errno == 0 && kernel)
        errno = pmu.kernel_refusal;
    /* The first is stopped, and the others start and stop with it. */
    if (errno == 0 && attributes->disabled != (leader < 0))
        errno = EINVAL;
    if (errno)
        return -1;
    pmu.opened++;
    return PMU_FD + (int)event;
}

long __wrap_syscall(long number, ...)
{
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (size_t i = 0; i < 6; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);
    if (pmu.present && number == SYS_perf_event_open)
        return pmu_open((const struct perf_event_attr *)a[0], (int)a[3]);
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (fd < PMU_FD)
        return __real_ioctl(fd, request, argument);
    pmu.stretches += pmu.on && request == PERF_EVENT_IOC_DISABLE;
    pmu.on = request == PERF_EVENT_IOC_ENABLE;
    return 0;
}

/* What the unit saw is what happened while the event was on it. */
ssize_t __wrap_read(int fd, void *into, size_t size)
{
    if (fd < PMU_FD)
        return __real_read(fd, into, size);
    uint64_t later = pmu.stretches > 1 ? pmu.stretches - 1 : 0, event = (uint64_t)(fd - PMU_FD);
    uint64_t happened = pmu.nothing * pmu.stretches + later * (event + 1) * pmu.work;
    const uint64_t seen[3] = {happened * pmu.on_unit / PMU_STRETCH, PMU_STRETCH * pmu.stretches,
                              pmu.on_unit * pmu.stretches};
    memcpy(into, seen, size < sizeof seen ? size : sizeof seen);
    return (ssize_t)sizeof seen;
}
