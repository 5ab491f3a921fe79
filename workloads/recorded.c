/* Opens and ends a process's trace. */
#include "workloads/recorded.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "workloads/output.h"

/* As /dev/null, which takes any number of traces. */
static bool recorded_is_device(const char *path)
{
    struct stat kind;
    return stat(path, &kind) == 0 && S_ISCHR(kind.st_mode);
}

/* FILE.PID.trace, or another where that is taken. */
static char *recorded_path(const char *first, pid_t pid)
{
    if (recorded_is_device(first))
        return strdup(first);
    char *stem = NULL;
    size_t length = strlen(first), suffix = strlen(".trace");
    bool cut = length > suffix && strcmp(first + length - suffix, ".trace") == 0;
    if (asprintf(&stem, "%.*s.%d", (int)(cut ? length - suffix : length), first, (int)pid) < 0)
        return NULL;
    char *path = output_free_path(stem);
    free(stem);
    return path;
}

static int recorded_begin(struct recorded *process, char *path, const struct recording_plan *plan,
                          const struct trace_origin *origin, struct err *err)
{
    if (!path)
        return err_set(err, ENOMEM, "no memory left for recording");
    int failed = session_init(&process->session, path, origin, err);
    if (failed) {
        session_release(&process->session);
        free(path);
        return failed;
    }
    process->path = path;
    process->session.start_stamp = plan->start_stamp;
    process->session.ns_per_tick = plan->ns_per_tick;
    return 0;
}

int recorded_open(struct recorded *process, const struct recording_plan *plan, struct err *err)
{
    return recorded_begin(process, strdup(plan->path), plan, &plan->origin, err);
}

int recorded_open_child(struct recorded *process, const struct recording_plan *plan,
                        const char *program, struct err *err)
{
    struct trace_origin origin = plan->origin;
    origin.program = program;
    origin.losses = "blocks that the process inherited from its parent are not in the trace";
    int failed =
        recorded_begin(process, recorded_path(plan->path, process->pid), plan, &origin, err);
    if (!failed)
        trace_writer_haste(process->session.writer);
    return failed;
}

void recorded_owns_malloc(struct recorded *process, const char *program)
{
    snprintf(process->own, sizeof process->own, "%.31s", program);
    trace_writer_summary(process->session.writer)->own_malloc = 1;
}

int recorded_finish(struct recorded *process, const char *became, struct err *err)
{
    int failed = 0;
    process->session.err = err;
    if (*became) {
        snprintf(process->became, sizeof process->became, "%.31s", became);
        failed = session_exec(&process->session, process->became, false);
    }
    process->events = trace_writer_summary(process->session.writer)->events;
    if (!failed)
        failed = session_finish(&process->session, process->lost);
    session_release(&process->session);
    return failed;
}

void recorded_release(struct recorded *process)
{
    session_release(&process->session);
    free(process->path);
}
