/* The environment of a program that this one becomes. */
#include "workloads/record/carry.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "workloads/record/await.h"
#include "workloads/record/process.h"
#include "workloads/record/record.h"

#define CARRY_PRELOAD "LD_PRELOAD"

enum {
    CARRY_SPOOL = 256,
    CARRY_VARIABLES_MOST = 1000, /* a thread's stack may have but 16 KiB */
    CARRY_PRELOAD_MOST = 2000,
};

static char carry_spool[CARRY_SPOOL], carry_library[PATH_MAX];

void carry_open(const char *where)
{
    Dl_info self;
    int length = snprintf(carry_spool, sizeof carry_spool, SPOOL_ENVIRONMENT "=%s", where);
    if (length >= CARRY_SPOOL || !dladdr(&record_spool, &self) || !self.dli_fname)
        return;
    strncpy(carry_library, self.dli_fname, sizeof carry_library - 1);
}

const char *carry_where(void)
{
    return carry_spool + sizeof SPOOL_ENVIRONMENT;
}

/* The value, or NULL where the variable is another. */
static const char *carry_value(const char *variable, const char *name)
{
    size_t length = strlen(name);
    return strncmp(variable, name, length) == 0 && variable[length] == '=' ? variable + length + 1
                                                                           : NULL;
}

static const char *carry_find(char *const variables[], const char *name)
{
    const char *value = NULL;
    for (; variables && *variables && !value; variables++)
        value = carry_value(*variables, name);
    return value;
}

static bool carry_is_recorded(void)
{
    return record_spool && *carry_library &&
           (record_spool->follow || process_pid() == record_spool->root_pid);
}

/* A recorder that this one records has named its own spool. */
static bool carry_is_another(char *const variables[])
{
    const char *spool = carry_find(variables, SPOOL_ENVIRONMENT);
    return spool && strcmp(spool, carry_where()) != 0;
}

static bool carry_is_there(char *const variables[])
{
    const char *preload = carry_find(variables, CARRY_PRELOAD);
    return preload && strstr(preload, carry_library) && carry_find(variables, SPOOL_ENVIRONMENT);
}

static size_t carry_count(char *const variables[])
{
    size_t count = 0;
    while (variables && variables[count])
        count++;
    return count;
}

/* Of the text of LD_PRELOAD, its end included. */
static size_t carry_text(const char *preload)
{
    return sizeof CARRY_PRELOAD "=" + strlen(carry_library) + (preload ? strlen(preload) + 1 : 0);
}

size_t carry_bytes(char *const variables[])
{
    if (!carry_is_recorded() || carry_is_another(variables) || carry_is_there(variables))
        return 0;
    size_t count = carry_count(variables);
    size_t text = carry_text(carry_find(variables, CARRY_PRELOAD));
    bool fits = count <= CARRY_VARIABLES_MOST && text <= CARRY_PRELOAD_MOST;
    return fits ? (count + 3) * sizeof *variables + text : 0;
}

char *const *carry_fill(void *memory, char *const variables[])
{
    const char *preload = carry_find(variables, CARRY_PRELOAD);
    size_t count = carry_count(variables), at = 0;
    char **all = memory, *text = (char *)(all + count + 3);
    char *end = stpcpy(stpcpy(text, CARRY_PRELOAD "="), carry_library);
    if (preload && *preload)
        stpcpy(stpcpy(end, ":"), preload);
    for (size_t i = 0; i < count; i++)
        if (!carry_value(variables[i], CARRY_PRELOAD) &&
            !carry_value(variables[i], SPOOL_ENVIRONMENT))
            all[at++] = variables[i];
    all[at++] = text;
    all[at++] = carry_spool;
    all[at] = NULL;
    return all;
}

static void carry_note(const char *name)
{
    struct spool_image *image = process_image();
    if (!image)
        return;
    const char *slash = strrchr(name, '/');
    strncpy(image->becomes, slash ? slash + 1 : name, sizeof image->becomes - 1);
}

static bool carry_is_awaited(char *const variables[])
{
    return record_spool && record_spool->follow && !carry_is_another(variables);
}

void carry_becomes(const char *path, char *const argv[], char *const variables[])
{
    const char *name = path && *path ? path : argv && argv[0] ? argv[0] : "?";
    carry_note(name);
    if (carry_is_awaited(variables) && process_pid() != record_spool->root_pid)
        await_program(process_pid(), name);
}

void carry_stays(void)
{
    carry_note("");
    if (record_spool && record_spool->follow)
        await_over(process_pid());
}

uint32_t carry_images(void)
{
    return record_spool ? atomic_load(&record_spool->images) : 0;
}

void carry_spawned(pid_t pid, const char *file, uint32_t images, char *const variables[])
{
    if (carry_is_awaited(variables))
        await_spawned(pid, file, images);
}
