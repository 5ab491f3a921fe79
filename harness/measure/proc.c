/* The kernel's own figures of this process. */
#include "harness/measure/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/measure/lines.h"
#include "harness/measure/maps.h"

static const char *text_number(const char *at, const char *end, uint64_t *number)
{
    *number = 0;
    while (at < end && (*at < '0' || *at > '9'))
        at++;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        *number = *number * 10 + (uint64_t)(*at - '0');
    return at;
}

int proc_sizes_again(int fd, struct proc_sizes *sizes)
{
    char text[128];
    ssize_t got = pread(fd, text, sizeof text, 0);
    if (got <= 0)
        return -EIO;
    uint64_t vsz_pages, rss_pages, shared_pages;
    const char *end = text + got, *rest = text_number(text, end, &vsz_pages);
    text_number(text_number(rest, end, &rss_pages), end, &shared_pages);
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    *sizes = (struct proc_sizes){
        .rss = rss_pages * page, .vsz = vsz_pages * page, .shared = shared_pages * page};
    return 0;
}

static int proc_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int proc_sizes_open(void)
{
    return proc_open("/proc/self/statm");
}

int proc_sizes_of(const char *statm, struct proc_sizes *sizes)
{
    int fd = proc_open(statm);
    if (fd < 0)
        return fd;
    int status = proc_sizes_again(fd, sizes);
    close(fd);
    return status;
}

int proc_sizes(struct proc_sizes *sizes)
{
    return proc_sizes_of("/proc/self/statm", sizes);
}

struct sum {
    const char *name;
    size_t name_length;
    uint64_t total; /* UINT64_MAX before the first */
    uint64_t unit;
};

static int sum_line(void *arg, const char *line, size_t length)
{
    struct sum *sum = arg;
    if (length <= sum->name_length || memcmp(line, sum->name, sum->name_length) != 0)
        return 0;
    uint64_t number;
    text_number(line + sum->name_length, line + length, &number);
    sum->total = (sum->total == UINT64_MAX ? 0 : sum->total) + number * sum->unit;
    return 0;
}

static uint64_t proc_sum(const char *path, const char *name, uint64_t unit)
{
    struct sum sum = {name, strlen(name), UINT64_MAX, unit};
    return lines_read(path, sum_line, &sum) == 0 ? sum.total : UINT64_MAX;
}

uint64_t proc_kilobytes(const char *path, const char *name)
{
    return proc_sum(path, name, 1024);
}

/* 0 where the kernel does not tell. The line is "running waiting turns", in nanoseconds. */
static uint64_t proc_taken_ns(void)
{
    char text[128];
    uint64_t running, waiting = 0;
    int fd = proc_open("/proc/self/schedstat");
    if (fd < 0)
        return 0;
    ssize_t got = pread(fd, text, sizeof text, 0);
    close(fd);
    if (got > 0)
        text_number(text_number(text, text + got, &running), text + got, &waiting);
    return waiting;
}

void proc_counts(struct proc_counts *counts)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    *counts = (struct proc_counts){
        .minor_faults = (uint64_t)usage.ru_minflt,
        .major_faults = (uint64_t)usage.ru_majflt,
        .context_switches = (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw,
        .involuntary_switches = (uint64_t)usage.ru_nivcsw,
        .taken_ns = proc_taken_ns(),
        .cpu_ns = clock_timeval_ns(&usage.ru_utime) + clock_timeval_ns(&usage.ru_stime),
    };
}

uint64_t proc_migrations(void)
{
    return proc_sum("/proc/self/sched", "se.nr_migrations", 1);
}

int proc_reset_peak(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = write(fd, "5", 1) == 1 ? 0 : -errno;
    close(fd);
    return status;
}

struct own {
    const char *program;
    size_t program_length;
    bool counted; /* the mapping that the following lines are about is ours */
    uint64_t bytes;
};

static bool own_mapping(const struct own *own, const struct mapping *mapping)
{
    if (memcmp(mapping->rights, "rw", 2) != 0)
        return false;
    if (mapping->rights[3] == 's')
        return mapping_is_named(mapping, "/dev/zero") || mapping_is_named(mapping, "/memfd:");
    return mapping_is_named(mapping, "[stack]") ||
           (mapping->name_length == own->program_length && mapping_is_named(mapping, own->program));
}

static int own_line(void *arg, const char *line, size_t length)
{
    struct own *own = arg;
    struct mapping mapping;
    if (mapping_parse(&mapping, line, length)) {
        own->counted = own_mapping(own, &mapping);
    } else if (own->counted && length > 4 && memcmp(line, "Rss:", 4) == 0) {
        uint64_t kilobytes;
        text_number(line, line + length, &kilobytes);
        own->bytes += kilobytes * 1024;
    }
    return 0;
}

int proc_own_resident(const char *path, const char *program, uint64_t *bytes)
{
    struct own own = {.program = program, .program_length = strlen(program)};
    int status = lines_read(path, own_line, &own);
    *bytes = own.bytes;
    return status;
}
