/* A real program on several allocators, and the replay of its one recording on each. */
#include "harness/fidelity.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "harness/base/clock.h"
#include "harness/base/rng.h"
#include "harness/campaign.h"
#include "harness/program.h"
#include "harness/progress.h"
#include "harness/recorder.h"
#include "harness/siblings.h"
#include "harness/spool.h"
#include "results/fidelity.h"

enum { FIDELITY_CALIBRATE_NS = 5000000 };

static const char *fidelity_name(const struct fidelity_test *test)
{
    const char *slash = strrchr(test->command[0], '/');
    return slash ? slash + 1 : test->command[0];
}

/* "" when it ended well. */
static void fidelity_ending(char *text, size_t length, int status)
{
    text[0] = '\0';
    if (WIFSIGNALED(status))
        snprintf(text, length, "died: SIG%s",
                 sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
    else if (WEXITSTATUS(status) != 0)
        snprintf(text, length, "failed: exit status %d", WEXITSTATUS(status));
}

/* --- the recording --- */

static void fidelity_describe(const struct fidelity_test *test, struct recorder_plan *plan)
{
    bool times = clock_counter_is_invariant();
    plan->times = times;
    plan->order = times ? SPOOL_BY_COUNTER : SPOOL_BY_SEQUENCE;
    plan->recording.origin = (struct trace_origin){
        .program = fidelity_name(test),
        .arguments = "",
        .host = "",
        .tool = "heapbench " HEAPBENCH_VERSION,
        .source = "recorded",
        .losses = "",
        .recorded_at = (uint64_t)time(NULL),
        .columns = TRACE_HAS_THREADS | (times ? TRACE_HAS_TIMES : 0),
    };
    if (!times)
        return;
    plan->recording.ns_per_tick = clock_ns_per_tick(FIDELITY_CALIBRATE_NS);
    plan->recording.start_stamp = clock_ticks();
}

static int fidelity_check_recording(const struct fidelity_test *test,
                                    const struct recorder_outcome *outcome, struct err *err)
{
    char ending[96];
    const char *name = test->command[0];
    if (outcome->start_errno)
        return err_set(err, outcome->start_errno, "%s cannot be started: %s", name,
                       strerror(outcome->start_errno));
    if (!outcome->loaded)
        return err_set(err, EINVAL,
                       "%s ignored the recorder: it is linked statically, or it has set-user-id "
                       "rights; use a dynamically linked program without them",
                       name);
    fidelity_ending(ending, sizeof ending, outcome->status);
    if (*ending)
        return err_set(err, ECANCELED,
                       "%s %s while it was recorded, so there is nothing to compare; try it alone: "
                       "its standard input is empty here",
                       name, ending);
    return 0;
}

int fidelity_record(const struct fidelity_test *test, struct err *err)
{
    char library[PATH_MAX], path[PATH_MAX], slug[STORE_NAME];
    struct recorder_outcome outcome;
    struct recording *recording = NULL;
    int failed = sibling_path("libheapbench-record.so", library, sizeof library, err);
    if (!failed)
        failed = spool_make_folder(test->folder, err);
    if (failed)
        return failed;
    if (snprintf(path, sizeof path, "%s/traces/%s.trace", test->folder,
                 store_slug(slug, fidelity_name(test))) >= (int)sizeof path)
        return err_set(err, ENAMETOOLONG, "the folder's name is too long: %.80s…", test->folder);
    struct recorder_plan plan = {
        .command = test->command, .library = library, .recording.path = path, .silent = true};
    fidelity_describe(test, &plan);
    fprintf(stderr, "recording %s\n", test->command[0]);
    failed = recorder_run(&plan, &outcome, &recording, err);
    if (!failed)
        failed = fidelity_check_recording(test, &outcome, err);
    if (recording)
        recording_destroy(recording);
    return failed ? failed : plan_add_trace(test->plan, path, err);
}

/* --- the real program --- */

/* Blocks of 32 KiB and more each have a mapping of their own on this, and no page of it was another
 * block's before: what is absent of it the program has not touched. */
#define FIDELITY_APART "system:MALLOC_MMAP_THRESHOLD_=32768"

/* One run to be done. */
struct fidelity_step {
    const char *allocator;
    const char *spec; /* what it runs on */
    const char *pass;
    uint64_t repetition;
};

static bool fidelity_is_watched(const struct fidelity_step *step)
{
    return strcmp(step->pass, FIDELITY_PROGRAM) != 0;
}

static void fidelity_fill(struct cell_result *cell, const struct program_end *end)
{
    cell->wall_ns = end->wall_ns;
    cell->cpu_ns = clock_timeval_ns(&end->usage.ru_utime) + clock_timeval_ns(&end->usage.ru_stime);
    cell->peak_rss_bytes = (uint64_t)end->usage.ru_maxrss * 1024;
    cell->page_faults = (uint64_t)(end->usage.ru_minflt + end->usage.ru_majflt);
    cell->major_faults = (uint64_t)end->usage.ru_majflt;
    cell->context_switches = (uint64_t)(end->usage.ru_nvcsw + end->usage.ru_nivcsw);
}

static void fidelity_fill_watched(struct cell_result *cell, const struct watch *watch)
{
    cell->cpu_ns = COUNT_UNKNOWN; /* disturbed */
    cell->peak_rss_bytes = watch->peak_rss;
    cell->heap_bytes = watch->peak.heap;
    cell->own_bytes = watch->peak.own;
    cell->stack_bytes = watch->peak.stacks;
    cell->data_bytes = watch->peak.data;
    cell->file_bytes = watch->peak.files;
    cell->processes = watch->processes;
    cell->looks = watch->looks;
    cell->absent_bytes = watch->peak.absent;
    if (!watch->by_calls)
        strcpy(cell->detail, "no seccomp filter here: the heap was looked at every millisecond, so "
                             "its peak may have been missed");
}

static void fidelity_judge(const struct fidelity_test *test, const struct program *program,
                           const struct program_end *end, struct cell_result *cell)
{
    char text[3 * PATH_MAX];
    const char *flaw = NULL;
    strcpy(cell->status, "ok");
    if (end->start_errno)
        snprintf(cell->status, sizeof cell->status, "failed: %s", strerror(end->start_errno));
    else if (end->timed_out)
        snprintf(cell->status, sizeof cell->status, "timed out: %.3g s",
                 (double)test->plan->timeout_ns / 1e9);
    else if ((flaw = program_flaw(program, test->command[0], text, sizeof text)))
        strcpy(cell->status, "failed: the preload was ignored");
    else
        fidelity_ending(text, sizeof text, end->status);
    if (strcmp(cell->status, "ok") == 0 && *text)
        snprintf(cell->status, sizeof cell->status, "%.90s", text);
    if (strcmp(cell->status, "ok") != 0)
        snprintf(cell->detail, sizeof cell->detail, "%.500s", flaw ? flaw : end->complaint);
}

static int fidelity_run(const struct fidelity_test *test, const struct fidelity_step *step,
                        struct program *program, struct cell_result *cell, struct err *err)
{
    struct watch watch;
    struct program_end end;
    bool watched = fidelity_is_watched(step);
    struct program_run run = {.command = test->command,
                              .silent = true,
                              .watch = watched ? &watch : NULL,
                              .timeout_ns = test->plan->timeout_ns,
                              .interrupted = test->interrupted};
    int failed = watched ? watch_init(&watch, err) : 0;
    if (failed)
        return failed;
    failed = program_run(program, &run, &end, err);
    if (!failed && end.interrupted)
        failed = err_set(err, EINTR, "interrupted");
    if (!failed && !end.start_errno) {
        fidelity_fill(cell, &end);
        if (watched)
            fidelity_fill_watched(cell, &watch);
    }
    if (!failed)
        fidelity_judge(test, program, &end, cell);
    if (watched)
        watch_release(&watch);
    return failed;
}

static int fidelity_step(const struct fidelity_test *test, const struct fidelity_step *step,
                         struct store *store, struct progress *progress, struct err *err)
{
    static struct program program; /* large */
    struct cell_result cell;
    struct err why;
    cell_result_clear(&cell);
    snprintf(cell.allocator, sizeof cell.allocator, "%s", step->allocator);
    snprintf(cell.trace, sizeof cell.trace, "%s", test->plan->traces[0].name);
    strcpy(cell.pass, step->pass);
    cell.repetition = step->repetition;
    int failed = 0;
    if (program_prepare(&program, step->spec, &why)) {
        strcpy(cell.status, why.code == ENOENT ? "skipped: not installed" : "skipped");
        snprintf(cell.detail, sizeof cell.detail, "%.500s", why.text);
    } else {
        failed = fidelity_run(test, step, &program, &cell, err);
    }
    program_release(&program);
    if (!failed)
        failed = store_append(store, &cell, err);
    if (!failed)
        progress_cell(progress, &cell);
    return failed;
}

/* Each repetition: every allocator undisturbed in an order of its own, then every one watched. At
 * last what is never touched. */
static void fidelity_order(const struct plan *plan, struct fidelity_step *steps)
{
    struct rng rng;
    size_t specs = plan->spec_count;
    rng_init(&rng, plan->seed);
    for (uint64_t i = 0; i < 2 * plan->repeat; i++) {
        struct fidelity_step *block = steps + i * specs;
        for (size_t j = 0; j < specs; j++) {
            size_t other = rng_below(&rng, j + 1);
            block[j] = block[other];
            block[other] = (struct fidelity_step){plan->specs[j], plan->specs[j],
                                                  i % 2 ? FIDELITY_WATCH : FIDELITY_PROGRAM, i / 2};
        }
    }
    steps[2 * plan->repeat * specs] =
        (struct fidelity_step){plan->specs[0], FIDELITY_APART, FIDELITY_UNTOUCHED, 0};
}

int fidelity_run_program(const struct fidelity_test *test, struct store *store, struct err *err)
{
    const struct plan *plan = test->plan;
    size_t count = 2 * plan->repeat * plan->spec_count + 1;
    struct fidelity_step *steps = calloc(count, sizeof *steps);
    struct progress progress;
    if (!steps)
        err_no_memory("%zu runs", count);
    fidelity_order(plan, steps);
    progress_init(&progress, count);
    int failed = 0;
    for (size_t i = 0; !failed && !*test->interrupted && i < count; i++)
        failed = fidelity_step(test, &steps[i], store, &progress, err);
    progress_end(&progress);
    free(steps);
    return *test->interrupted ? -EINTR : failed;
}

/* --- where the replay was off --- */

/* One memory cell that differs from the plan's, filed as `pass`; its series under `repetition`. */
static int fidelity_replay_again(const struct fidelity_test *test, struct cell cell,
                                 const char *pass, struct store *store, struct err *err)
{
    struct cell_result result;
    fprintf(stderr, "replaying %s again: %s\n", cell.allocator, pass);
    int failed = cell_measure(&cell, store, test->interrupted, &result, err);
    if (failed)
        return failed;
    snprintf(result.pass, sizeof result.pass, "%s", pass);
    result.repetition = 0;
    return store_append(store, &result, err);
}

static int fidelity_diagnose_row(const struct fidelity_test *test, const struct fidelity_row *row,
                                 struct store *store, struct err *err)
{
    const struct plan *plan = test->plan;
    const json_t *duration = json_object_get(plan->traces[0].profile, "duration_ns");
    struct cell paced = campaign_cell(plan, &(struct plan_cell){.pass = PASS_MEMORY});
    paced.allocator = row->allocator;
    struct cell bare = paced;
    paced.pace = PACE_RECORDED;
    paced.repetition = 1;
    bare.touch = TOUCH_FIRST;
    bare.repetition = 2;
    int failed = 0;
    if (plan->pace == PACE_FULL && json_integer_value(duration) > 0)
        failed = fidelity_replay_again(test, paced, FIDELITY_PACED, store, err);
    if (!failed && row->error > 0 && plan->touch > TOUCH_FIRST)
        failed = fidelity_replay_again(test, bare, FIDELITY_BARE, store, err);
    return failed;
}

int fidelity_diagnose(const struct fidelity_test *test, struct store *store, struct err *err)
{
    struct fidelity fidelity = fidelity_of(store, test->plan->traces[0].name);
    int failed = 0;
    for (size_t i = 0; i < fidelity.count && !failed; i++)
        if (fidelity_is_off(&fidelity.rows[i]))
            failed = fidelity_diagnose_row(test, &fidelity.rows[i], store, err);
    fidelity_release(&fidelity);
    return failed;
}
