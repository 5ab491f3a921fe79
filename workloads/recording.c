/* Sorts what lies in the spool by program image and thread, and moves it on into traces. */
#include "workloads/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "workloads/express.h"
#include "workloads/merge.h"
#include "workloads/output.h"
#include "workloads/recorded.h"

/* How far the time-stamp counter may be read early: an allocation reads it without waiting for the
 * call's last instructions. Microseconds would be many times what a processor looks ahead. */
enum { RECORDING_SLACK_TICKS = 20000 };

/* By how much of the order a step goes on at most: of the sequence some milliseconds' work, of the
 * counter some milliseconds. */
enum { RECORDING_STRIDE = 1 << 18, RECORDING_STRIDE_TICKS = 1 << 25 };

/* Chunks that are worth a thread of their own. */
enum { RECORDING_MUCH = 32 };

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
    struct recorded *processes;
    uint32_t image_count, process_count;
    uint32_t images_begun; /* so many of the first have */
    bool splits;           /* there are processors to spare */
    bool behind;           /* the last step left some of what was there */
    uint64_t limit;        /* stamps up to here were taken before the last step */
    struct array opened;   /* uint32_t: chunks found in this step */
};

static int recording_no_memory(struct err *err)
{
    return err_set(err, ENOMEM, "no memory left for recording");
}

/* --- processes and images --- */

static int recording_add_process(struct recording *recording, pid_t pid, struct err *err)
{
    size_t count = recording->process_count + 1;
    struct recorded *grown = realloc(recording->processes, count * sizeof *recording->processes);
    if (!grown)
        return recording_no_memory(err);
    recording->processes = grown;
    grown[recording->process_count++] = (struct recorded){.pid = pid};
    return 0;
}

static uint32_t recording_find_process(const struct recording *recording, pid_t pid)
{
    for (uint32_t i = 0; i < recording->process_count; i++)
        if (recording->processes[i].pid == pid && !recording->processes[i].gone)
            return i;
    return recording->process_count;
}

/* A pid seen before means exec: the image before has written its last. */
static int recording_begin_image(struct recording *recording, uint32_t number, struct err *err)
{
    struct recording_image *image = &recording->images[number];
    pid_t pid = atomic_load(&recording->spool->control->image[number].pid);
    image->process = recording_find_process(recording, pid);
    if (image->process == recording->process_count) {
        int failed = recording_add_process(recording, pid, err);
        if (failed)
            return failed;
    }
    image->begun = true;
    return 0;
}

/* One that was killed as it began never comes, and keeps none behind it back. */
static int recording_find_images(struct recording *recording, bool *found, struct err *err)
{
    struct spool_control *control = recording->spool->control;
    uint32_t count = atomic_load(&control->images);
    recording->image_count = count < SPOOL_IMAGES ? count : SPOOL_IMAGES;
    for (uint32_t i = recording->images_begun; i < recording->image_count; i++) {
        if (recording->images[i].begun || !atomic_load(&control->image[i].pid))
            continue;
        int failed = recording_begin_image(recording, i, err);
        if (failed)
            return failed;
        *found = true;
    }
    while (recording->images_begun < recording->image_count &&
           recording->images[recording->images_begun].begun)
        recording->images_begun++;
    return 0;
}

/* Of a process that was over before all images are known. Asked again while there are new ones, so
 * that those of a moment do not wait for the next step with their files open. */
static int recording_find_processes(struct recording *recording, recording_is_over *is_over,
                                    void *arg, struct err *err)
{
    enum { ROUNDS = 8 };
    bool found = true;
    int failed = 0;
    for (int round = 0; round < ROUNDS && found && !failed; round++) {
        found = false;
        for (uint32_t i = 0; i < recording->process_count; i++)
            if (!recording->processes[i].gone)
                recording->processes[i].over = is_over(recording->processes[i].pid, arg);
        failed = recording_find_images(recording, &found, err);
    }
    return failed;
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

/* The image that came in the place of that one, or 0: none did. */
static uint32_t recording_successor(const struct recording *recording, uint32_t number)
{
    uint32_t process = recording->images[number].process;
    for (uint32_t i = number + 1; i < recording->image_count; i++)
        if (recording->images[i].begun && recording->images[i].process == process)
            return i;
    return 0;
}

static int recording_run_image(struct recording *recording, uint32_t number, bool ended)
{
    struct recording_image *image = &recording->images[number];
    struct recorded *process = &recording->processes[image->process];
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
    if (atomic_load(&entry->own_malloc))
        recorded_owns_malloc(process, entry->program);
    merge_release(&image->merge);
    image->over = true;
    return 0;
}

static int recording_finish_process(struct recording *recording, uint32_t number, struct err *err)
{
    const char *became = "";
    for (uint32_t i = 0; i < recording->image_count; i++)
        if (recording->images[i].begun && recording->images[i].process == number)
            became = recording->spool->control->image[i].becomes;
    return recorded_finish(&recording->processes[number], became, err);
}

/* A process is over and its records are taken in. Its trace is finished at once, so that there may
 * be any number of them, but no other process waits for the disk; the first one's cost is known at
 * the end only. */
static int recording_leave(struct recording *recording, uint32_t number, struct err *err)
{
    recording->processes[number].gone = true;
    return number ? recording_finish_process(recording, number, err) : 0;
}

static int recording_step_image(struct recording *recording, uint32_t number, struct err *err)
{
    struct recording_image *image = &recording->images[number];
    if (!image->begun || image->over)
        return 0;
    struct recorded *process = &recording->processes[image->process];
    const char *program = recording->spool->control->image[number].program;
    int failed = process->path ? 0 : recorded_open_child(process, &recording->plan, program, err);
    /* Once others have ended there will be room for one more open file. */
    if (failed)
        return failed == -EMFILE || failed == -ENFILE ? 0 : failed;
    process->session.err = err;
    uint32_t next = recording_successor(recording, number);
    failed = recording_run_image(recording, number, next || process->over);
    if (failed || !image->over)
        return failed;
    if (!next)
        return recording_leave(recording, image->process, err);
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
    int failed = recording_find_processes(recording, is_over, arg, err);
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
    int failed =
        recording->images ? recording_add_process(recording, 0, err) : recording_no_memory(err);
    if (!failed)
        failed = recorded_open(recording->processes, plan, err);
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
    struct recorded *first = &recording->processes[0];
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

int recording_finish(struct recording *recording, const struct recording_cost *cost,
                     struct err *err)
{
    int failed = 0;
    recording_charge(recording, cost);
    for (uint32_t i = 0; i < recording->process_count && !failed; i++)
        if (recording->processes[i].session.writer)
            failed = recording_finish_process(recording, i, err);
        else if (!recording->processes[i].path)
            failed = err_set(err, EMFILE,
                             "too few files may be open for the trace of process %d: allow more "
                             "(ulimit -n)",
                             (int)recording->processes[i].pid);
    for (uint32_t i = 1; i < recording->process_count && !failed; i++)
        failed = output_sync(recording->processes[i].path, err);
    return failed;
}

size_t recording_count(const struct recording *recording)
{
    return recording->process_count;
}

struct recording_result recording_result(const struct recording *recording, size_t number)
{
    const struct recorded *process = &recording->processes[number];
    return (struct recording_result){.path = process->path,
                                     .pid = process->pid,
                                     .events = process->events,
                                     .lost = process->lost,
                                     .cost_ns = process->cost_ns,
                                     .became = *process->became ? process->became : NULL,
                                     .own = *process->own ? process->own : NULL,
                                     .inherited = process->session.orphan_frees};
}

void recording_destroy(struct recording *recording)
{
    if (!recording)
        return;
    for (uint32_t i = 0; i < recording->process_count; i++)
        recorded_release(&recording->processes[i]);
    for (uint32_t i = 0; i < recording->image_count; i++)
        merge_release(&recording->images[i].merge);
    array_release(&recording->streams);
    array_release(&recording->opened);
    free(recording->processes);
    free(recording->images);
    free(recording);
}
