/* A plan carried out into a store. */
#include "harness/campaign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/machine.h"
#include "harness/plan_json.h"
#include "harness/preflight.h"
#include "harness/profile.h"
#include "harness/progress.h"
#include "harness/turns.h"

/* --- what is written down beforehand --- */

void campaign_folder(char *folder, size_t length, const char *name)
{
    char stamp[32], slug[STORE_NAME];
    time_t now = time(NULL);
    struct tm local;
    const char *slash = strrchr(name, '/');
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H-%M-%S", localtime_r(&now, &local));
    store_slug(slug, slash ? slash + 1 : name);
    slug[strcspn(slug, ".:")] = '\0';
    snprintf(folder, length, "results/%s-%s", stamp, slug);
}

json_t *campaign_describe(const struct plan *plan, int argc, char **argv)
{
    json_t *run = json_object(), *command = json_array();
    char stamp[40];
    time_t now = time(NULL);
    struct tm utc;
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    for (int i = 0; i < argc; i++)
        json_array_append_new(command, json_string(argv[i]));
    json_object_set_new(run, "heapbench", json_string(HEAPBENCH_VERSION));
    json_object_set_new(run, "command", command);
    json_object_set_new(run, "started", json_string(stamp));
    plan_write(plan, run);
    struct preflight preflight = {0};
    preflight_look(&preflight);
    preflight_warn(stderr, &preflight);
    json_object_set_new(run, "machine", machine_json());
    json_object_set_new(run, "preflight", preflight_json(&preflight));
    return run;
}

/* --- the cells --- */

struct cell campaign_cell(const struct plan *plan, const struct plan_cell *at)
{
    return (struct cell){
        .allocator = plan->specs[at->spec],
        .trace_path = plan->traces[at->trace].path,
        .trace_name = plan->traces[at->trace].name,
        .pass = at->pass,
        .repetition = at->repetition,
        .touch = plan_touch(plan, &plan->traces[at->trace]),
        .pace = plan->pace,
        .order = plan->order,
        .threads = plan->traces[at->trace].threads,
        .processes = plan->processes,
        .latency_sample = plan->latency_sample,
        .timeout_ns = plan->timeout_ns,
        .memory_limit = plan->memory_limit,
    };
}

static bool campaign_has(const struct store *store, const struct cell *cell)
{
    return store_has(store, cell->allocator, cell->trace_name, pass_names[cell->pass],
                     cell->repetition);
}

static size_t campaign_drop_done(const struct plan *plan, const struct store *store,
                                 struct plan_cell *cells, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        struct cell cell = campaign_cell(plan, &cells[i]);
        if (!campaign_has(store, &cell))
            cells[left++] = cells[i];
    }
    return left;
}

static int campaign_step(const struct plan *plan, struct store *store, const struct plan_cell *at,
                         struct cell_result *result, const volatile int *interrupted,
                         struct err *err)
{
    struct cell cell = campaign_cell(plan, at);
    return cell_measure(&cell, store, interrupted, result, err);
}

static int campaign_keep(struct store *store, const struct cell_result *result,
                         struct progress *progress, struct err *err)
{
    int failed = store_append(store, result, err);
    if (!failed)
        progress_cell(progress, result);
    return failed;
}

/* The cells of one trace, pass and repetition. */
static int campaign_block(const struct plan *plan, struct store *store,
                          const struct plan_cell *cells, size_t count, struct progress *progress,
                          const volatile int *interrupted, struct err *err)
{
    struct turns turns;
    turns_init(&turns, count,
               turns_of(cells->pass, plan->traces[cells->trace].events, plan->turns));
    int failed = 0;
    for (unsigned turn = 0; turn < turns.most; turn++)
        for (size_t place = 0; !failed && !*interrupted && place < count; place++) {
            size_t cell = turns_cell(&turns, turn, place);
            struct cell_result *result = turns_next(&turns, cell);
            if (!result)
                continue;
            failed = campaign_step(plan, store, &cells[cell], result, interrupted, err);
            const struct cell_result *chosen = failed ? NULL : turns_take(&turns, cell);
            if (chosen)
                failed = campaign_keep(store, chosen, progress, err);
        }
    turns_release(&turns);
    return failed;
}

static size_t campaign_block_length(const struct plan_cell *cells, size_t count)
{
    size_t length = 1;
    while (length < count && cells[length].trace == cells->trace &&
           cells[length].pass == cells->pass && cells[length].repetition == cells->repetition)
        length++;
    return length;
}

int campaign_measure(const struct plan *plan, struct store *store, const volatile int *interrupted,
                     struct err *err)
{
    size_t count;
    struct plan_cell *cells = plan_cells(plan, &count);
    count = campaign_drop_done(plan, store, cells, count);
    struct progress progress;
    progress_init(&progress, count);
    int failed = 0;
    for (size_t i = 0; !failed && i < plan->trace_count; i++)
        failed = profile_write(store, plan->traces[i].name, plan->traces[i].profile, err);
    for (size_t i = 0, length; !failed && !*interrupted && i < count; i += length) {
        length = campaign_block_length(cells + i, count - i);
        failed = campaign_block(plan, store, cells + i, length, &progress, interrupted, err);
    }
    progress_end(&progress);
    free(cells);
    return *interrupted ? -EINTR : failed;
}
