/* The environment a result was measured in. */
#include "harness/machine.h"

#include <gnu/libc-version.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "results/text.h"

/* The first line of a small file, or null. */
static json_t *machine_line(const char *path)
{
    char line[256];
    FILE *file = fopen(path, "re");
    json_t *text = NULL;
    if (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        text = json_string(line);
    }
    if (file)
        fclose(file);
    return text ? text : json_null();
}

static json_t *machine_cpu(void)
{
    char line[256];
    json_t *name = NULL;
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && !name && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
            line[strcspn(line, "\n")] = '\0';
            name = json_string(strchr(line, ':') + 2);
        }
    if (file)
        fclose(file);
    return name ? name : json_null();
}

/* What a user may have set to steer an allocator. Workers get none of it but what a spec says. */
static bool machine_steers(const char *variable)
{
    static const char *const begins[] = {
        "GLIBC_TUNABLES=", "MALLOC_", "LD_",         "MIMALLOC_", "TCMALLOC_",
        "JE_MALLOC_",      "_RJEM_",  "TBB_MALLOC_", "SN_",       "HEAPBENCH_",
    };
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (strncmp(variable, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

static json_t *machine_environment(void)
{
    extern char **environ;
    json_t *set = json_object();
    for (char **variable = environ; *variable; variable++) {
        char name[128], value[1024];
        const char *equals = strchr(*variable, '=');
        if (!equals || !machine_steers(*variable) || (size_t)(equals - *variable) >= sizeof name)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(equals - *variable), *variable);
        json_object_set_new(set, name, json_string(text_repair(value, sizeof value, equals + 1)));
    }
    return set;
}

json_t *machine_json(void)
{
    struct utsname kernel;
    uname(&kernel);
    json_t *machine = json_object();
    json_object_set_new(machine, "cpu", machine_cpu());
    json_object_set_new(machine, "cores", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    json_object_set_new(machine, "memory_bytes",
                        json_integer((json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)));
    json_object_set_new(machine, "page_bytes", json_integer(sysconf(_SC_PAGESIZE)));
    json_object_set_new(machine, "kernel",
                        json_sprintf("%s %s %s %s", kernel.sysname, kernel.release, kernel.version,
                                     kernel.machine));
    json_object_set_new(machine, "libc", json_sprintf("glibc %s", gnu_get_libc_version()));
    json_object_set_new(machine, "transparent_hugepage",
                        machine_line("/sys/kernel/mm/transparent_hugepage/enabled"));
    json_object_set_new(machine, "transparent_hugepage_defrag",
                        machine_line("/sys/kernel/mm/transparent_hugepage/defrag"));
    json_object_set_new(machine, "overcommit_memory",
                        machine_line("/proc/sys/vm/overcommit_memory"));
    json_object_set_new(machine, "perf_event_paranoid",
                        machine_line("/proc/sys/kernel/perf_event_paranoid"));
    json_object_set_new(machine, "governor",
                        machine_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
    json_object_set_new(machine, "load_at_start", machine_line("/proc/loadavg"));
    json_object_set_new(
        machine, "clocksource",
        machine_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
    json_object_set_new(machine, "invariant_counter", json_boolean(clock_counter_is_invariant()));
    json_object_set_new(machine, "environment", machine_environment());
    json_object_set_new(machine, "compiler", json_string(HEAPBENCH_COMPILER));
    json_object_set_new(machine, "build_flags", json_string(HEAPBENCH_FLAGS));
    return machine;
}
