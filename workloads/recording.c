/* Sorts what lies in the spool by program image and thread, and moves it on into traces. */
#include "workloads/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "workloads/express.h"
#include "workloads/merge.h"
#include "workloads/session.h"

/* How far the time-stamp counter may be read early: an allocation reads it without waiting for the
 * call's last instructions. Microseconds would be many times what a processor looks ahead. */
enum { RECORDING_SLACK_TICKS = 20000 };

/* By how much of the order a step goes on at most: of the sequence some milliseconds' work, of the
 * counter some milliseconds. */
enum { RECORDING_STRIDE = 1 << 18, RECORDING_STRIDE_TICKS = 1 << 25 };

/* Chunks that are worth a thread of their own. */
enum { RECORDING_MUCH = 32 };

struct recording_process {
    pid_t pid;
    char *path;
    struct session session;
    uint64_t events, lost, cost_ns;
    char became[32]; /* a program without the recorder, "" none */
    bool over;       /* asked before its chunks were looked for */
};

struct recording_image {
    struct merge merge;
    uint32_t process;
    bool begun, over;
};

struct recording_stream {
    uint32_t image, number; /* in the image's merge */
    bool known;
};

struct recording {
    struct spool *spool;
    struct recording_plan plan;
    struct array streams; /* struct recording_stream, by stream number */
    struct recording_image *images;
    struct recording_process *processes;
    uint32_t image_count, process_count;
    bool splits;         /* there are processors to spare */
    bool behind;         /* the last step left some of what was there */
    uint64_t limit;      /* stamps up to here were taken before the last step */
    struct array opened; /* uint32_t: chunks found in this step */
};

static int recording_no_memory(struct err *err)
{
    return err_set(err, ENOMEM, "no memory left for recording");
}

/* --- processes and images --- */

static char *recording_path(const struct recording *recording, pid_t pid)
{
    char *path = NULL;
    const char *first = recording->plan.path;
    size_t length = strlen(first), suffix = strlen(".trace");
    bool cut = length > suffix && strcmp(first + length - suffix, ".trace") == 0;
    if (recording->process_count == 0)
        return strdup(first);
    if (asprintf(&path, "%.*s.%d.trace", (int)(cut ? length - suffix : length), first, (int)pid) <
        0)
        return NULL;
    return path;
}

static int recording_add_process(struct recording *recording, pid_t pid, const char *program,
                                 struct err *err)
{
    size_t count = recording->process_count + 1;
    struct recording_process *grown =
        realloc(recording->processes, count * sizeof *recording->processes);
    if (!grown)
        return recording_no_memory(err);
    recording->processes = grown;
    struct recording_process *process = &grown[recording->process_count];
    *process = (struct recording_process){.pid = pid, .path = recording_path(recording, pid)};
    if (!process->path)
        return recording_no_memory(err);
    struct trace_origin origin = recording->plan.origin;
    if (recording->process_count) {
        origin.program = program;
        origin.losses = "blocks that the process inherited from its parent are not in the trace";
    }
    int failed = session_init(&process->session, process->path, &origin, err);
    if (failed) {
        free(process->path);
        return failed;
    }
    process->session.start_stamp = recording->plan.start_stamp;
    process->session.ns_per_tick = recording->plan.ns_per_tick;
    recording->process_count++;
    return 0;
}

static uint32_t recording_find_process(const struct recording *recording, pid_t pid)
{
    for (uint32_t i = 0; i < recording->process_count; i++)
        if (recording->processes[i].pid == pid)
            return i;
    return recording->process_count;
}

/* A pid seen before means exec: the image before has written its last. */
static int recording_begin_image(struct recording *recording, uint32_t number, struct err *err)
{
    struct spool_image *entry = &recording->spool->control->image[number];
    struct recording_image *image = &recording->images[number];
    pid_t pid = atomic_load(&entry->pid);
    image->process = recording_find_process(recording, pid);
    if (image->process == recording->process_count) {
        int failed = recording_add_process(recording, pid, entry->program, err);
        if (failed)
            return failed;
    }
    image->begun = true;
    return 0;
}

static int recording_find_images(struct recording *recording, struct err *err)
{
    struct spool_control *control = recording->spool->control;
    uint32_t count = atomic_load(&control->images);
    count = count < SPOOL_IMAGES ? count : SPOOL_IMAGES;
    while (recording->image_count < count &&
           atomic_load(&control->image[recording->image_count].pid)) {
        int failed = recording_begin_image(recording, recording->image_count, err);
        if (failed)
            return failed;
        recording->image_count++;
    }
    return 0;
}

/* --- threads and chunks --- */

static struct recording_stream *recording_stream(struct recording *recording, uint32_t number)
{
    if (array_reserve(&recording->streams, (number + 1) * sizeof(struct recording_stream)))
        return NULL;
    return (struct recording_stream *)recording->streams.at + number;
}

static int recording_add_chunk(struct recording *recording, uint32_t number)
{
    const struct spool_chunk *chunk = spool_chunk_at(recording->spool->control, number);
    struct recording_stream *stream = recording_stream(recording, chunk->stream);
    if (!stream || chunk->image >= SPOOL_IMAGES)
        return -ENOMEM;
    struct merge *merge = &recording->images[chunk->image].merge;
    if (!stream->known) {
        *stream = (struct recording_stream){chunk->image, merge->streams, true};
        if (merge_add(merge, recording->spool))
            return -ENOMEM;
    }
    return intake_add(merge_intake(merge, stream->number), number);
}

/* The list is a stack: the chunk begun last comes first. Taken whole, so that of two chunks of a
 * thread the later one cannot be seen first. */
static int recording_find_chunks(struct recording *recording, struct err *err)
{
    struct spool_control *control = recording->spool->control;
    uint32_t count = 0, chunk = (uint32_t)atomic_exchange(&control->opened, 0);
    for (; chunk; chunk = atomic_load(&spool_chunk_at(control, chunk - 1)->next)) {
        if (array_reserve(&recording->opened, (count + 1) * sizeof chunk))
            return recording_no_memory(err);
        ((uint32_t *)recording->opened.at)[count++] = chunk - 1;
    }
    while (count)
        if (recording_add_chunk(recording, ((uint32_t *)recording->opened.at)[--count]))
            return recording_no_memory(err);
    return 0;
}

/* --- the flow --- */

static uint64_t recording_now(const struct recording *recording)
{
    struct spool_control *control = recording->spool->control;
    return control->order == SPOOL_BY_COUNTER ? clock_ticks() : atomic_load(&control->sequence);
}

static bool recording_has_successor(const struct recording *recording, uint32_t number)
{
    uint32_t process = recording->images[number].process;
    for (uint32_t i = number + 1; i < recording->image_count; i++)
        if (recording->images[i].process == process)
            return true;
    return false;
}

static int recording_run_image(struct recording *recording, uint32_t number, bool ended)
{
    struct recording_image *image = &recording->images[number];
    struct recording_process *process = &recording->processes[image->process];
    bool by_counter = recording->spool->control->order == SPOOL_BY_COUNTER;
    struct merge_visitor visitor = {session_visit, express_run, &process->session,
                                    by_counter ? RECORDING_SLACK_TICKS : 0};
    if (recording->splits && merge_waiting(&image->merge) >= RECORDING_MUCH)
        trace_writer_split(process->session.writer);
    int failed = merge_run(&image->merge, recording->limit, ended, &visitor);
    if (failed || !ended)
        return failed;
    const struct spool_image *entry = &recording->spool->control->image[number];
    struct merge_tally tally = merge_tally(&image->merge);
    process->lost += tally.lost;
    process->cost_ns += (tally.plain * entry->plain_ps + tally.stamped * entry->stamped_ps) / 1000;
    merge_release(&image->merge);
    image->over = true;
    return 0;
}

static int recording_step_image(struct recording *recording, uint32_t number, struct err *err)
{
    struct recording_image *image = &recording->images[number];
    if (!image->begun || image->over)
        return 0;
    struct recording_process *process = &recording->processes[image->process];
    process->session.err = err;
    bool replaced = recording_has_successor(recording, number);
    int failed = recording_run_image(recording, number, replaced || process->over);
    if (failed || !replaced)
        return failed;
    uint32_t next = number + 1;
    while (recording->images[next].process != image->process)
        next++;
    return session_exec(&process->session, recording->spool->control->image[next].program, true);
}

/* What a step takes in is bounded, so that it is soon over. */
static void recording_go_on(struct recording *recording, uint64_t now)
{
    bool by_counter = recording->spool->control->order == SPOOL_BY_COUNTER;
    uint64_t stride = by_counter ? RECORDING_STRIDE_TICKS : RECORDING_STRIDE;
    recording->behind = recording->limit && now - recording->limit > stride;
    recording->limit = recording->behind ? recording->limit + stride : now;
}

bool recording_is_behind(const struct recording *recording)
{
    return recording->behind;
}

void recording_split(struct recording *recording)
{
    recording->splits = true;
}

int recording_step(struct recording *recording, recording_is_over *is_over, void *arg,
                   struct err *err)
{
    uint64_t now = recording_now(recording);
    for (uint32_t i = 0; i < recording->process_count; i++)
        recording->processes[i].over = is_over(recording->processes[i].pid, arg);
    int failed = recording_find_images(recording, err);
    if (!failed)
        failed = recording_find_chunks(recording, err);
    for (uint32_t i = 0; !failed && i < recording->image_count; i++)
        failed = recording_step_image(recording, i, err);
    recording_go_on(recording, now);
    spool_wake(recording->spool);
    return failed;
}

int recording_create(struct recording **out, struct spool *spool, const struct recording_plan *plan,
                     struct err *err)
{
    struct recording *recording = calloc(1, sizeof *recording);
    if (!recording)
        return recording_no_memory(err);
    recording->spool = spool;
    recording->plan = *plan;
    recording->images = calloc(SPOOL_IMAGES, sizeof *recording->images);
    int failed = recording->images ? recording_add_process(recording, 0, plan->origin.program, err)
                                   : recording_no_memory(err);
    if (failed)
        recording_destroy(recording);
    else
        *out = recording;
    return failed;
}

void recording_set_root(struct recording *recording, pid_t pid)
{
    recording->processes[0].pid = pid;
}

/* The first process's alone is known. Whose events were lost is not: there was no room to write
 * that down. */
static void recording_charge(struct recording *recording, const struct recording_cost *cost)
{
    struct recording_process *first = &recording->processes[0];
    struct trace_summary *summary = trace_writer_summary(first->session.writer);
    first->lost += atomic_load(&recording->spool->control->lost);
    first->cost_ns += cost->slow_ns;
    summary->program_wall_ns = cost->wall_ns;
    summary->program_cpu_ns = cost->cpu_ns;
    summary->recorder_ns = first->cost_ns;
    summary->drain_ns = cost->drain_ns;
    summary->late_ns = cost->late_ns;
    summary->end_signal = (uint64_t)cost->signal;
}

/* What a process was about to become when it was heard of last. */
static int recording_end_process(struct recording *recording, uint32_t number)
{
    struct recording_process *process = &recording->processes[number];
    const char *became = "";
    for (uint32_t i = 0; i < recording->image_count; i++)
        if (recording->images[i].process == number)
            became = recording->spool->control->image[i].becomes;
    if (!*became)
        return 0;
    snprintf(process->became, sizeof process->became, "%.31s", became);
    return session_exec(&process->session, process->became, false);
}

int recording_finish(struct recording *recording, const struct recording_cost *cost,
                     struct err *err)
{
    int failed = 0;
    recording_charge(recording, cost);
    for (uint32_t i = 0; i < recording->process_count && !failed; i++) {
        struct recording_process *process = &recording->processes[i];
        process->session.err = err;
        failed = recording_end_process(recording, i);
        process->events = trace_writer_summary(process->session.writer)->events;
        if (!failed)
            failed = session_finish(&process->session, process->lost);
    }
    return failed;
}

size_t recording_count(const struct recording *recording)
{
    return recording->process_count;
}

struct recording_result recording_result(const struct recording *recording, size_t number)
{
    const struct recording_process *process = &recording->processes[number];
    return (struct recording_result){.path = process->path,
                                     .pid = process->pid,
                                     .events = process->events,
                                     .lost = process->lost,
                                     .cost_ns = process->cost_ns,
                                     .became = *process->became ? process->became : NULL,
                                     .inherited = process->session.orphan_frees};
}

void recording_destroy(struct recording *recording)
{
    if (!recording)
        return;
    for (uint32_t i = 0; i < recording->process_count; i++) {
        session_release(&recording->processes[i].session);
        free(recording->processes[i].path);
    }
    for (uint32_t i = 0; i < recording->image_count; i++)
        merge_release(&recording->images[i].merge);
    array_release(&recording->streams);
    array_release(&recording->opened);
    free(recording->processes);
    free(recording->images);
    free(recording);
}
