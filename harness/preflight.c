/* What on this machine makes figures doubtful. */
#include "harness/preflight.h"

#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PREFLIGHT_LINE = 4096 };

static void preflight_add(struct preflight *preflight, const char *name, const char *remedy,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

static void preflight_add(struct preflight *preflight, const char *name, const char *remedy,
                          const char *format, ...)
{
    if (preflight->count == PREFLIGHT_MOST)
        return;
    struct doubt *doubt = &preflight->doubts[preflight->count++];
    doubt->name = name;
    doubt->remedy = remedy;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(doubt->what, sizeof doubt->what, format, arguments);
    va_end(arguments);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* The first line that begins with `prefix`; false where there is none. */
static bool preflight_line(const char *root, const char *path, const char *prefix,
                           char line[PREFLIGHT_LINE])
{
    char whole[PATH_MAX];
    bool found = false;
    snprintf(whole, sizeof whole, "%s%s", root, path);
    FILE *file = fopen(whole, "re");
    while (file && !found && fgets(line, PREFLIGHT_LINE, file))
        found = strncmp(line, prefix, strlen(prefix)) == 0;
    if (file)
        fclose(file);
    if (found)
        line[strcspn(line, "\n")] = '\0';
    return found;
}

/* Whether the file is there and says exactly that. */
static bool preflight_says(const char *root, const char *path, const char *text)
{
    char line[PREFLIGHT_LINE];
    return preflight_line(root, path, "", line) && strcmp(line, text) == 0;
}

static bool preflight_exists(const char *root, const char *path)
{
    char whole[PATH_MAX];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    return access(whole, F_OK) == 0;
}

/* ---- the machine ----------------------------------------------------------------------------- */

static void preflight_governor(struct preflight *preflight, const char *root)
{
    char line[PREFLIGHT_LINE];
    if (preflight_line(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", line) &&
        strcmp(line, "performance") != 0)
        preflight_add(preflight, "frequency scaling",
                      "run 'cpupower frequency-set -g performance' as root",
                      "the governor '%.40s' changes the clock rate with the load, so that what is "
                      "measured first may be slower",
                      line);
}

static void preflight_turbo(struct preflight *preflight, const char *root)
{
    if (preflight_says(root, "/sys/devices/system/cpu/intel_pstate/no_turbo", "0") ||
        preflight_says(root, "/sys/devices/system/cpu/cpufreq/boost", "1"))
        preflight_add(preflight, "turbo",
                      "write 1 to /sys/devices/system/cpu/intel_pstate/no_turbo, or 0 to "
                      "/sys/devices/system/cpu/cpufreq/boost, as root",
                      "the clock rate goes up as long as the chip stays cool, and falls back");
}

static void preflight_load(struct preflight *preflight, const char *root)
{
    static const double quiet = 0.5;
    char line[PREFLIGHT_LINE];
    double load;
    if (preflight_line(root, "/proc/loadavg", "", line) && sscanf(line, "%lf", &load) == 1 &&
        load >= quiet)
        preflight_add(preflight, "load",
                      "wait until 'uptime' tells less than 0.5, and leave the machine alone",
                      "over the last minute %.2f programs wanted to run at a time: they take the "
                      "core away and the caches",
                      load);
}

static void preflight_counters(struct preflight *preflight, const char *root)
{
    static const char *const units[] = {"cpu", "cpu_core", "armv8_pmuv3_0"};
    char path[128], line[PREFLIGHT_LINE];
    bool found = false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        snprintf(path, sizeof path, "/sys/bus/event_source/devices/%s", units[i]);
        found = found || preflight_exists(root, path);
    }
    if (!found && preflight_exists(root, "/sys/bus/event_source/devices"))
        preflight_add(preflight, "no hardware counters",
                      "use a machine, or ask for a virtual one, that has a performance "
                      "monitoring unit",
                      "cycles, instructions, cache and TLB misses cannot be counted here");
    else if (preflight_line(root, "/proc/sys/kernel/perf_event_paranoid", "", line) &&
             atoi(line) > 2 && geteuid() != 0)
        preflight_add(preflight, "hardware counters forbidden",
                      "run 'sysctl kernel.perf_event_paranoid=2' as root",
                      "perf_event_paranoid is %.10s: cycles, instructions, cache and TLB misses "
                      "cannot be counted",
                      line);
}

static void preflight_huge_pages(struct preflight *preflight, const char *root)
{
    char line[PREFLIGHT_LINE];
    if (preflight_line(root, "/sys/kernel/mm/transparent_hugepage/enabled", "", line) &&
        strstr(line, "[always]"))
        preflight_add(preflight, "transparent huge pages",
                      "write madvise to /sys/kernel/mm/transparent_hugepage/enabled as root, "
                      "unless the machine in question has them too",
                      "the kernel backs large mappings by 2 MiB at a time: resident memory is "
                      "more, faults are fewer, and both depend on what else the machine does");
}

static void preflight_siblings(struct preflight *preflight, const char *root)
{
    if (preflight_says(root, "/sys/devices/system/cpu/smt/active", "1"))
        preflight_add(preflight, "hyper-threads",
                      "write off to /sys/devices/system/cpu/smt/control as root",
                      "two logical cores share one: what runs on the sibling slows the replay");
}

/* Of all the time of all cores since the machine was started. */
static double preflight_stolen_share(const char *root)
{
    enum { STEAL = 7, KINDS };
    char line[PREFLIGHT_LINE];
    uint64_t ticks[KINDS] = {0}, sum = 0;
    if (!preflight_line(root, "/proc/stat", "cpu ", line))
        return 0;
    char *at = line + 4;
    for (int i = 0; i < KINDS; i++)
        sum += ticks[i] = strtoull(at, &at, 10);
    return sum ? (double)ticks[STEAL] / (double)sum : 0;
}

static void preflight_virtual(struct preflight *preflight, const char *root)
{
    char line[PREFLIGHT_LINE];
    if (!preflight_line(root, "/proc/cpuinfo", "flags", line) || !strstr(line, " hypervisor"))
        return;
    preflight_add(preflight, "virtual machine", "repeat often (-n 20), or measure on the metal",
                  "its host may take the core away unseen; so far it admits to %.2f %% of the time",
                  100 * preflight_stolen_share(root));
}

static void preflight_clock(struct preflight *preflight, const char *root)
{
    char line[PREFLIGHT_LINE];
    if (preflight_line(root, "/sys/devices/system/clocksource/clocksource0/available_clocksource",
                       "", line) &&
        !strstr(line, "tsc"))
        preflight_add(preflight, "clock",
                      "look for 'tsc' in the kernel's messages, which say why it was given up",
                      "the kernel does not trust the time-stamp counter, so that single calls are "
                      "timed with its own, slower clock");
}

static void preflight_overcommit(struct preflight *preflight, const char *root)
{
    if (preflight_says(root, "/proc/sys/vm/overcommit_memory", "2"))
        preflight_add(preflight, "strict overcommit", "run 'sysctl vm.overcommit_memory=0' as root",
                      "reserving address space counts as using memory here: allocators that "
                      "reserve much may be refused");
}

void preflight_machine(struct preflight *preflight, const char *root)
{
    static void (*const checks[])(struct preflight *, const char *) = {
        preflight_load,       preflight_governor,   preflight_turbo,
        preflight_siblings,   preflight_virtual,    preflight_counters,
        preflight_huge_pages, preflight_overcommit, preflight_clock,
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        checks[i](preflight, root);
}

/* ---- the process ----------------------------------------------------------------------------- */

/* Tried in a child, since it would hold for all that is started later. */
static bool preflight_layout_can_be_fixed(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(personality(ADDR_NO_RANDOMIZE) < 0);
    return child < 0 || waitpid(child, &status, 0) < 0 || status == 0;
}

static void preflight_limit(struct preflight *preflight, int resource, const char *name)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        preflight_add(preflight, "memory limit", "run 'ulimit -S -d unlimited -v unlimited' first",
                      "%s is limited to %" PRIu64 " bytes: allocations may fail for that alone",
                      name, (uint64_t)limit.rlim_cur);
}

static void preflight_build(struct preflight *preflight)
{
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    preflight_add(preflight, "debug build", "configure with -DCMAKE_BUILD_TYPE=Release",
                  "heapbench itself was built without optimisation or with a sanitizer");
#else
    (void)preflight;
#endif
}

static void preflight_process(struct preflight *preflight)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) == 1)
        preflight_add(preflight, "one core", "allow it two (taskset, the container's limits)",
                      "heapbench and the worker it watches share a core");
    if (!preflight_layout_can_be_fixed())
        preflight_add(preflight, "address layout",
                      "allow personality() (docker run --security-opt seccomp=unconfined)",
                      "addresses differ from one process to the next, and so do cache conflicts");
    preflight_limit(preflight, RLIMIT_AS, "the address space");
    preflight_limit(preflight, RLIMIT_DATA, "private memory");
    preflight_build(preflight);
}

void preflight_look(struct preflight *preflight)
{
    preflight_machine(preflight, "");
    preflight_process(preflight);
}

/* ---- telling --------------------------------------------------------------------------------- */

void preflight_warn(FILE *out, const struct preflight *preflight)
{
    if (preflight->count == 0)
        return;
    fputs("bench: figures may be doubtful here: ", out);
    for (size_t i = 0; i < preflight->count; i++)
        fprintf(out, "%s%s", i ? ", " : "", preflight->doubts[i].name);
    fputs(" ('bench preflight' says why and what to do)\n", out);
}

void preflight_print(FILE *out, const struct preflight *preflight)
{
    if (preflight->count == 0)
        fputs("Nothing that makes figures doubtful was found.\n", out);
    for (size_t i = 0; i < preflight->count; i++) {
        const struct doubt *doubt = &preflight->doubts[i];
        fprintf(out, "%s: %s.\n  %s.\n", doubt->name, doubt->what, doubt->remedy);
    }
}

json_t *preflight_json(const struct preflight *preflight)
{
    json_t *list = json_array();
    for (size_t i = 0; i < preflight->count; i++) {
        const struct doubt *doubt = &preflight->doubts[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", doubt->name, "what",
                                              doubt->what, "remedy", doubt->remedy));
    }
    return list;
}
