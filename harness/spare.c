/* Spare memory: of the machine, and of control groups in either of their versions. */
#include "harness/spare.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "harness/measure/lines.h"
#include "harness/measure/proc.h"

/* UINT64_MAX where the file is not there or says "max". */
static uint64_t spare_number(const char *folder, const char *name)
{
    char path[PATH_MAX + 64];
    unsigned long long number;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    bool told = file && fscanf(file, "%llu", &number) == 1;
    if (file)
        fclose(file);
    return told ? number : UINT64_MAX;
}

static uint64_t spare_in_group(const char *folder, const char *most, const char *used)
{
    uint64_t limit = spare_number(folder, most), taken = spare_number(folder, used);
    if (limit == UINT64_MAX || taken == UINT64_MAX)
        return UINT64_MAX;
    return limit > taken ? limit - taken : 0;
}

/* A group and all that it lies in. In a container the path may be one outside of it: then the root
 * that is seen here stands for it. */
static uint64_t spare_in_groups(const char *root, const char *group, const char *most,
                                const char *used)
{
    char folder[PATH_MAX];
    uint64_t least = UINT64_MAX;
    snprintf(folder, sizeof folder, "%s%s", root, group);
    for (;;) {
        uint64_t spare = spare_in_group(folder, most, used);
        least = spare < least ? spare : least;
        char *slash = strrchr(folder, '/');
        if (!slash || strlen(folder) <= strlen(root))
            return least;
        *slash = '\0';
    }
}

/* Lines of /proc/self/cgroup: "0::/path" in the second version, "4:memory:/path" in the first. */
static int spare_group(void *arg, const char *line, size_t length)
{
    uint64_t *least = arg, spare = UINT64_MAX;
    char text[PATH_MAX];
    snprintf(text, sizeof text, "%.*s", (int)length, line);
    char *names = strchr(text, ':'), *group = names ? strchr(names + 1, ':') : NULL;
    if (!group)
        return 0;
    *group++ = '\0';
    if (!names[1])
        spare = spare_in_groups("/sys/fs/cgroup", group, "memory.max", "memory.current");
    else if (strcmp(names + 1, "memory") == 0)
        spare = spare_in_groups("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes",
                                "memory.usage_in_bytes");
    *least = spare < *least ? spare : *least;
    return 0;
}

uint64_t spare_memory(void)
{
    uint64_t least = proc_kilobytes("/proc/meminfo", "MemAvailable:");
    lines_read("/proc/self/cgroup", spare_group, &least);
    return least == UINT64_MAX ? 0 : least;
}
