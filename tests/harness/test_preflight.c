/* What is doubtful, on machines made of files. */
#include "harness/preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit.h"

static char root[64];

static void put(const char *path, const char *text)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(whole, 0755);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int start_machine(void **state)
{
    (void)state;
    strcpy(root, "/tmp/heapbench-machine-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    put("/proc/loadavg", "0.04 0.30 0.90 1/97 1234\n");
    put("/proc/stat", "cpu  900 0 50 9000 50 0 0 0 0 0\ncpu0 1 2 3\n");
    put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some\nflags\t\t: fpu vme tsc\n");
    put("/proc/sys/vm/overcommit_memory", "0\n");
    put("/proc/sys/kernel/perf_event_paranoid", "2\n");
    put("/sys/bus/event_source/devices/cpu/type", "4\n");
    put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
    put("/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
    put("/sys/devices/system/cpu/smt/active", "0\n");
    put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    put("/sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet\n");
    return 0;
}

static int end_machine(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command);
}

static void a_quiet_machine_is_not_doubted(void **state)
{
    (void)state;
    struct preflight preflight = {0};
    preflight_machine(&preflight, root);
    assert_int_equal(preflight.count, 0);
}

static void what_cannot_be_read_is_no_doubt(void **state)
{
    (void)state;
    struct preflight preflight = {0};
    preflight_machine(&preflight, "/nowhere");
    assert_int_equal(preflight.count, 0);
}

/* One file of the machine changed, and the one doubt that follows. */
static void each_trouble_is_one_doubt(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text, *name, *said;
    } rows[] = {
        {"/proc/loadavg", "5.15 1.80 1.72 2/97 11420\n", "load", "5.15"},
        {"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n",
         "frequency scaling", "powersave"},
        {"/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n", "turbo", "clock rate"},
        {"/sys/devices/system/cpu/smt/active", "1\n", "hyper-threads", "sibling"},
        {"/proc/cpuinfo", "flags\t\t: fpu hypervisor tsc\n", "virtual machine", "0.00 %"},
        {"/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n",
         "transparent huge pages", "2 MiB"},
        {"/proc/sys/vm/overcommit_memory", "2\n", "strict overcommit", "refused"},
        {"/sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet acpi_pm\n",
         "clock", "time-stamp counter"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct preflight preflight = {0};
        start_machine(NULL);
        put(rows[i].path, rows[i].text);
        preflight_machine(&preflight, root);
        assert_int_equal(preflight.count, 1);
        assert_string_equal(preflight.doubts[0].name, rows[i].name);
        assert_non_null(strstr(preflight.doubts[0].what, rows[i].said));
        assert_true(strlen(preflight.doubts[0].remedy) > 0);
        end_machine(NULL);
    }
}

static void stolen_time_is_told(void **state)
{
    (void)state;
    struct preflight preflight = {0};
    put("/proc/cpuinfo", "flags\t\t: fpu hypervisor\n");
    put("/proc/stat", "cpu  500 0 0 400 0 0 0 100 0 0\n");
    preflight_machine(&preflight, root);
    assert_non_null(strstr(preflight.doubts[0].what, "10.00 %"));
}

static void missing_counters_are_told(void **state)
{
    (void)state;
    struct preflight preflight = {0};
    char from[128], to[128];
    snprintf(from, sizeof from, "%s/sys/bus/event_source/devices/cpu", root);
    snprintf(to, sizeof to, "%s/sys/bus/event_source/devices/software", root);
    assert_int_equal(rename(from, to), 0);
    preflight_machine(&preflight, root);
    assert_int_equal(preflight.count, 1);
    assert_string_equal(preflight.doubts[0].name, "no hardware counters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_quiet_machine_is_not_doubted, start_machine, end_machine),
        cmocka_unit_test(what_cannot_be_read_is_no_doubt),
        cmocka_unit_test(each_trouble_is_one_doubt),
        cmocka_unit_test_setup_teardown(stolen_time_is_told, start_machine, end_machine),
        cmocka_unit_test_setup_teardown(missing_counters_are_told, start_machine, end_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
