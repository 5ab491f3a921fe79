/* The kernel's own figures of this process. */
#include "harness/measure/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

static void proc_path(char path[64], pid_t of, const char *file)
{
    snprintf(path, 64, "/proc/%d/%s", (int)of, file);
}

/* The numbers of a file of one line in the order in which they stand, from its last ')' on where it
 * has one: names may hold anything. 0 those that are not there. Signs are no matter. */
static void proc_numbers_again(int fd, uint64_t *numbers, size_t count)
{
    char text[1024];
    ssize_t got = fd < 0 ? 0 : pread(fd, text, sizeof text, 0);
    const char *end = text + (got > 0 ? got : 0);
    const char *name = memrchr(text, ')', (size_t)(end - text)), *at = name ? name : text;
    for (size_t i = 0; i < count; i++)
        at = text_number(at, end, &numbers[i]);
}

static void proc_numbers(pid_t of, const char *file, uint64_t *numbers, size_t count)
{
    char path[64];
    proc_path(path, of, file);
    int fd = proc_open(path);
    proc_numbers_again(fd, numbers, count);
    if (fd >= 0)
        close(fd);
}

/* The line is "running waiting turns", in nanoseconds. */
enum { SCHEDSTAT_RUNNING, SCHEDSTAT_WAITING, SCHEDSTAT_NUMBERS };

uint64_t proc_delayed_ns(pid_t thread)
{
    uint64_t times[SCHEDSTAT_NUMBERS];
    proc_numbers(thread, "schedstat", times, SCHEDSTAT_NUMBERS);
    return times[SCHEDSTAT_WAITING];
}

int proc_delays_open(void)
{
    return proc_open("/proc/self/schedstat");
}

void proc_counts(int delays, struct proc_counts *counts)
{
    struct rusage usage;
    uint64_t times[SCHEDSTAT_NUMBERS];
    getrusage(RUSAGE_SELF, &usage);
    proc_numbers_again(delays, times, SCHEDSTAT_NUMBERS);
    *counts = (struct proc_counts){
        .minor_faults = (uint64_t)usage.ru_minflt,
        .major_faults = (uint64_t)usage.ru_majflt,
        .context_switches = (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw,
        .involuntary_switches = (uint64_t)usage.ru_nivcsw,
        .delayed_ns = times[SCHEDSTAT_WAITING],
        .cpu_ns = clock_timeval_ns(&usage.ru_utime) + clock_timeval_ns(&usage.ru_stime),
    };
}

static uint64_t proc_told(pid_t process, const char *name)
{
    char path[64];
    proc_path(path, process, "status");
    uint64_t told = proc_sum(path, name, 1);
    return told == UINT64_MAX ? 0 : told;
}

void proc_counts_of(pid_t process, struct proc_counts *counts)
{
    /* Behind the name and the state's letter: parent, group, session, terminal, its group, flags */
    enum { STAT_MINOR = 6, STAT_MAJOR = 8, STAT_NUMBERS };
    uint64_t stat[STAT_NUMBERS], times[SCHEDSTAT_NUMBERS];
    proc_numbers(process, "stat", stat, STAT_NUMBERS);
    proc_numbers(process, "schedstat", times, SCHEDSTAT_NUMBERS);
    uint64_t involuntary = proc_told(process, "nonvoluntary_ctxt_switches:");
    *counts = (struct proc_counts){
        .minor_faults = stat[STAT_MINOR],
        .major_faults = stat[STAT_MAJOR],
        .context_switches = proc_told(process, "voluntary_ctxt_switches:") + involuntary,
        .involuntary_switches = involuntary,
        .delayed_ns = times[SCHEDSTAT_WAITING],
        .cpu_ns = times[SCHEDSTAT_RUNNING],
    };
}

uint64_t proc_migrations(pid_t thread)
{
    char path[64];
    proc_path(path, thread, "sched");
    return proc_sum(path, "se.nr_migrations", 1);
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
