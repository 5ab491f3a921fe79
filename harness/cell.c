/* Measures one cell in a worker process and says what came of it. */
#include "harness/cell.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocators/spec.h"
#include "harness/artefacts.h"
#include "harness/base/clause.h"
#include "harness/base/pages.h"
#include "harness/base/units.h"
#include "harness/launch.h"
#include "harness/measure/area.h"
#include "harness/measure/window.h"
#include "harness/tracer.h"

const char *const pass_names[PASS_KINDS] = {"throughput", "latency", "memory", "verify", "moments"};
const char *const pace_names[PACES] = {"full", "as-recorded"};
const char *const touch_names[TOUCHES] = {"none", "first", "page", "all", "recorded"};
const char *const order_names[ORDERS] = {"parallel", "as-recorded"};

static void cell_copy(char *to, size_t length, const char *from)
{
    size_t whole = strlen(from), taken = whole < length ? whole : length - 1;
    memcpy(to, from, taken);
    to[taken] = '\0';
}

/* Printable text of one line: an allocator may print anything. */
static void cell_clean(char *text)
{
    size_t to = 0;
    for (size_t i = 0; text[i] && text[i] != '\n'; i++)
        if ((unsigned char)text[i] >= ' ' && (unsigned char)text[i] < 0x7f)
            text[to++] = text[i];
    text[to] = '\0';
}

static void cell_describe(const struct cell *cell, struct cell_result *result)
{
    cell_result_clear(result);
    cell_copy(result->allocator, sizeof result->allocator, cell->allocator);
    cell_copy(result->trace, sizeof result->trace, cell->trace_name);
    cell_copy(result->pass, sizeof result->pass, pass_names[cell->pass]);
    cell_copy(result->touch, sizeof result->touch, touch_names[cell->touch]);
    if (cell->pass == PASS_MEMORY)
        cell_copy(result->pace, sizeof result->pace, pace_names[cell->pace]);
    if (cell->pass == PASS_VERIFY)
        cell_copy(result->order, sizeof result->order, order_names[cell->order]);
    result->repetition = cell->repetition;
}

static int cell_area(const struct cell *cell, int *fd, struct area **out, struct err *err)
{
    size_t size = area_size(cell->pass);
    *fd = memfd_create("heapbench", MFD_CLOEXEC);
    if (*fd < 0 || ftruncate(*fd, (off_t)size) < 0)
        return err_set(err, errno, "no memory to share with a worker: %s", strerror(errno));
    *out = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (*out == MAP_FAILED) {
        *out = NULL;
        return err_set(err, errno, "no memory to share with a worker: %s", strerror(errno));
    }
    return 0;
}

static void cell_close(const struct cell *cell, int fd, struct area *area)
{
    if (area)
        munmap(area, area_size(cell->pass));
    if (fd >= 0)
        close(fd);
}

static int cell_ask(const struct cell *cell, struct area *area, struct err *err)
{
    static unsigned numbered;
    struct request *request = &area->request;
    area->layout = area_layout();
    if (strlen(cell->allocator) >= sizeof request->spec ||
        strlen(cell->trace_path) >= sizeof request->trace)
        return err_set(err, ENAMETOOLONG, "the name %.200s… is too long",
                       strlen(cell->allocator) >= sizeof request->spec ? cell->allocator
                                                                       : cell->trace_path);
    cell_copy(request->spec, sizeof request->spec, cell->allocator);
    cell_copy(request->trace, sizeof request->trace, cell->trace_path);
    if (cell->processes > 1)
        snprintf(request->shared_name, sizeof request->shared_name, "/heapbench-%d-%u",
                 (int)getpid(), __atomic_add_fetch(&numbered, 1, __ATOMIC_RELAXED));
    request->pass = cell->pass;
    request->touch = cell->touch;
    request->pace = cell->pace;
    request->order = cell->order;
    request->threads = cell->threads;
    request->latency_sample = cell->latency_sample;
    request->processes = cell->processes;
    sched_getaffinity(0, sizeof request->cores, &request->cores);
    request->memory_limit = cell->memory_limit;
    if (cell->pass == PASS_MOMENTS)
        area->moments.request = *cell->moments->request;
    cell_describe(cell, &area->result);
    return 0;
}

/* Whole operations from `op` on before `at`. */
static uint64_t cell_operations(const uint64_t *op, const uint64_t *at)
{
    uint64_t count = 0;
    for (struct operation operation; op < at; count += operation.kind < OP_LARGE)
        op = op_read(op, &operation);
    return count;
}

/* Decodes the window again that the worker was in, whose first operation is number `done`. */
static int cell_decode_again(const struct area *area, struct window *window, uint64_t *words,
                             struct trace_reader *reader)
{
    int status = window_init(window, reader, words, area->window_words, false, NULL);
    uint64_t done = 0;
    for (; status >= 0; done += window->operations) {
        status = window_fill(window, NULL);
        if (status <= 0 || done == area->operations_done)
            break;
    }
    return status;
}

/* The whole operations of a window that only the worker saw, up to the player's. */
static uint64_t cell_replayed_alone(const struct area *area, const uint64_t *at)
{
    struct trace_reader *reader;
    struct window window = {0};
    uint64_t count = 0, *words = pages_map(area->window_words * sizeof *words);
    if (!words || trace_reader_open(&reader, area->request.trace, NULL) < 0)
        return 0;
    if (trace_reader_summary(reader) && cell_decode_again(area, &window, words, reader) > 0)
        count = cell_operations(words, words + (at - area->words));
    window_release(&window);
    trace_reader_close(reader);
    pages_unmap(words, area->window_words * sizeof *words);
    return count;
}

/* The operations that were done when the worker ended, the ones under way left out. */
static uint64_t cell_progress(const struct area *area, int fd)
{
    uint64_t done = area->operations_done;
    size_t size = area->lanes_size + area->words_size;
    if (area->lanes == 0)
        return done;
    char *shared =
        mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)area_size(area->request.pass));
    if (shared == MAP_FAILED)
        return done;
    const struct lane *lanes = (const struct lane *)(void *)shared;
    const uint64_t *words = (const uint64_t *)(void *)(shared + area->lanes_size);
    for (uint32_t i = 0; i < area->lanes; i++)
        if (lanes[i].player.at && area->window_words)
            done += cell_replayed_alone(area, lanes[i].player.at);
        else if (lanes[i].player.at)
            done += cell_operations(words + (lanes[i].begin - area->words),
                                    words + (lanes[i].player.at - area->words));
    munmap(shared, size);
    return done;
}

static void cell_set_status(struct cell_result *result, const char *what, const struct area *area,
                            int fd)
{
    char count[UNITS_TEXT];
    uint64_t done = cell_progress(area, fd);
    if (area->stage < STAGE_REPLAYING)
        snprintf(result->status, sizeof result->status, "%s before the replay", what);
    else if (area->stage > STAGE_REPLAYING)
        snprintf(result->status, sizeof result->status, "%s after the replay", what);
    else
        snprintf(result->status, sizeof result->status, "%s after %s operations", what,
                 units_format_count(count, done));
}

static void cell_crashed(struct cell_result *result, const struct area *area, int fd,
                         const struct ending *ending)
{
    char what[48];
    int signal = WTERMSIG(ending->status);
    if (signal == SIGKILL)
        snprintf(what, sizeof what, "killed: SIGKILL (out of memory?)");
    else
        snprintf(what, sizeof what, "crashed: SIG%s",
                 sigabbrev_np(signal) ? sigabbrev_np(signal) : "?");
    cell_set_status(result, what, area, fd);
}

static void cell_timed_out(struct cell_result *result, const struct area *area, int fd,
                           const struct cell *cell)
{
    char what[48];
    snprintf(what, sizeof what, "timed out: %.3g s", (double)cell->timeout_ns / 1e9);
    cell_set_status(result, what, area, fd);
}

/* A library may end a process with the same status as it is loaded: of a cell that loads none it
 * can only be the worker's. */
static bool cell_is_foreign(const struct area *area, const struct ending *ending)
{
    return WIFEXITED(ending->status) && WEXITSTATUS(ending->status) == AREA_UNKNOWN_LAYOUT &&
           area->stage == STAGE_STARTING && !*area->request.library;
}

static void cell_ended(struct cell_result *result, const struct area *area, int fd,
                       const struct ending *ending)
{
    char what[64];
    snprintf(what, sizeof what, "failed: the worker ended by itself, status %d",
             WEXITSTATUS(ending->status));
    cell_set_status(result, what, area, fd);
}

/* Of a worker that ended before it was ours: a library's constructor may do that. */
static void cell_name_library(const struct area *area, const struct ending *ending,
                              struct cell_result *result)
{
    if (!WIFEXITED(ending->status) || area->stage != STAGE_STARTING || !*area->request.library)
        return;
    clause_add(result->detail, sizeof result->detail,
               "the library ended the process as it was loaded");
    if (WEXITSTATUS(ending->status) == AREA_UNKNOWN_LAYOUT)
        clause_add(result->detail, sizeof result->detail,
                   "if others do so too, bench-worker was built from other sources than bench");
}

/* Allocators die of memory that they do not get: the limit is named where one was set, before what
 * they said themselves, which may be long. */
static void cell_name_limit(const struct cell *cell, struct cell_result *result)
{
    char limit[UNITS_TEXT], said[sizeof result->detail];
    if (!cell->memory_limit)
        return;
    cell_copy(said, sizeof said, result->detail);
    snprintf(result->detail, sizeof result->detail,
             "it may map %s, which may be why: a larger --memory-limit gives it room",
             units_format_size(limit, cell->memory_limit));
    if (*said)
        clause_add(result->detail, sizeof result->detail, "%s", said);
}

/* What an ended worker says: its result, and, where it did not come to its end, why. */
static int cell_judge(const struct cell *cell, const struct area *area, int fd,
                      struct ending *ending, struct cell_result *result, struct err *err)
{
    *result = area->result;
    result->wall_ns = ending->wall_ns;
    if (ending->interrupted)
        return err_set(err, EINTR, "interrupted");
    if (cell_is_foreign(area, ending))
        return err_set(err, EINVAL,
                       "the bench-worker beside this program was built from other sources: build "
                       "both (cmake --build build)");
    if (area->failure.code) {
        *err = area->failure;
        return -err->code;
    }
    if (ending->timed_out)
        cell_timed_out(result, area, fd, cell);
    else if (WIFSIGNALED(ending->status))
        cell_crashed(result, area, fd, ending);
    else if (area->stage != STAGE_DONE)
        cell_ended(result, area, fd, ending);
    if (strcmp(result->status, "ok") != 0 && result->detail[0] == '\0') {
        cell_clean(ending->output);
        cell_copy(result->detail, sizeof result->detail, ending->output);
    }
    if (!ending->timed_out)
        cell_name_library(area, ending, result);
    if (!ending->timed_out && area->stage != STAGE_DONE)
        cell_name_limit(cell, result);
    return 0;
}

static void cell_keep_moments(const struct cell *cell, const struct area *area)
{
    if (cell->pass == PASS_MOMENTS && cell->moments->found)
        *cell->moments->found = area->moments;
}

/* Half a series or histogram of a crashed worker is worth keeping too. */
static int cell_keep(struct store *store, const struct cell *cell, const struct area *area,
                     struct cell_result *result, struct err *err)
{
    if (cell->pass == PASS_LATENCY && result->operations != COUNT_UNKNOWN)
        return artefacts_latency(store, &area->latency, result, err);
    if (cell->pass == PASS_MEMORY && area->memory.samples > 0)
        return artefacts_memory(store, &area->memory, result, err);
    return 0;
}

struct cell_attendance {
    const struct cell_moments *moments;
    const struct area *area;
    int fd;
};

static int cell_attend(void *arg, pid_t worker, struct err *err)
{
    const struct cell_attendance *attendance = arg;
    return attendance->moments->attend(attendance->moments->arg, worker, attendance->area,
                                       attendance->fd, err);
}

static int cell_launch(const struct cell *cell, const struct spec *spec, int fd, struct area *area,
                       struct tracer *tracer, const volatile int *interrupted,
                       struct ending *ending, struct err *err)
{
    struct cell_attendance attendance = {cell->moments, area, fd};
    const struct launch launch = {
        .library = spec->library ? area->request.library : NULL,
        .variables = spec->variables,
        .variable_count = spec->variable_count,
        .memory_limit = cell->memory_limit,
        .timeout_ns = cell->timeout_ns,
        .area = fd,
        .attend = cell->moments && cell->moments->attend ? cell_attend : NULL,
        .arg = &attendance,
        .follow = tracer ? tracer_follow : NULL,
        .follow_arg = tracer,
        .interrupted = interrupted,
    };
    int status = launch_run(&launch, ending, err);
    /* A shared heap outlives a worker that crashed. */
    if (area->request.shared_name[0])
        shm_unlink(area->request.shared_name);
    return status;
}

/* Has the slowest calls done again in a fresh process, and *timed told what was seen. What goes
 * wrong leaves it unknown. */
static void cell_probe(const struct cell *cell, const struct spec *spec, struct area *timed,
                       enum probe probe, const volatile int *interrupted)
{
    struct area *area = NULL;
    struct tracer tracer = {0};
    struct ending ending;
    struct err err;
    int fd = -1, status = cell_area(cell, &fd, &area, &err);
    if (status == 0)
        status = cell_ask(cell, area, &err);
    if (status == 0) {
        tracer.area = area;
        area->request.probe = probe;
        area->latency.worst = timed->latency.worst;
        memcpy(area->request.library, timed->request.library, sizeof area->request.library);
        cell_launch(cell, spec, fd, area, probe == PROBE_SYSTEM_CALLS ? &tracer : NULL, interrupted,
                    &ending, &err);
        timed->latency.worst = area->latency.worst;
    }
    cell_close(cell, fd, area);
}

static void cell_find_causes(const struct cell *cell, const struct spec *spec, struct area *area,
                             const struct cell_result *result, const volatile int *interrupted)
{
    if (cell->pass != PASS_LATENCY || strcmp(result->status, "ok") != 0)
        return;
    worst_order_by_operation(&area->latency.worst);
    cell_probe(cell, spec, area, PROBE_TIME, interrupted);
    cell_probe(cell, spec, area, PROBE_SYSTEM_CALLS, interrupted);
}

static int cell_run(const struct cell *cell, const struct spec *spec, struct store *store,
                    const volatile int *interrupted, struct cell_result *result, struct err *err)
{
    struct area *area = NULL;
    struct ending ending;
    int fd = -1, status = cell_area(cell, &fd, &area, err);
    if (status == 0)
        status = cell_ask(cell, area, err);
    if (status == 0 && spec->library &&
        !spec_library_path(spec, area->request.library, sizeof area->request.library, err)) {
        cell_copy(result->status, sizeof result->status, "skipped: not installed");
        cell_copy(result->detail, sizeof result->detail, err->text);
    } else if (status == 0) {
        status = cell_launch(cell, spec, fd, area, NULL, interrupted, &ending, err);
        if (status == 0)
            status = cell_judge(cell, area, fd, &ending, result, err);
        cell_keep_moments(cell, area);
        if (status == 0)
            cell_find_causes(cell, spec, area, result, interrupted);
        if (status == 0)
            status = cell_keep(store, cell, area, result, err);
    }
    cell_close(cell, fd, area);
    return status;
}

int cell_measure(const struct cell *cell, struct store *store, const volatile int *interrupted,
                 struct cell_result *result, struct err *err)
{
    struct spec *spec = malloc(sizeof *spec);
    if (!spec)
        return err_set(err, ENOMEM, "no memory for an allocator spec");
    cell_describe(cell, result);
    int status = spec_parse(spec, cell->allocator, err);
    if (status == 0)
        status = cell_run(cell, spec, store, interrupted, result, err);
    free(spec);
    return status;
}
