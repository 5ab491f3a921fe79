/* A plan carried out into a store. */
#include "harness/campaign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/machine.h"
#include "harness/preflight.h"
#include "harness/profile.h"
#include "harness/progress.h"

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
        .touch = plan->touch,
        .pace = plan->pace,
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
                         struct progress *progress, const volatile int *interrupted,
                         struct err *err)
{
    struct cell cell = campaign_cell(plan, at);
    struct cell_result result;
    int failed = cell_measure(&cell, store, interrupted, &result, err);
    if (!failed)
        failed = store_append(store, &result, err);
    if (!failed)
        progress_cell(progress, &result);
    return failed;
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
    for (size_t i = 0; !failed && !*interrupted && i < count; i++)
        failed = campaign_step(plan, store, &cells[i], &progress, interrupted, err);
    progress_end(&progress);
    free(cells);
    return *interrupted ? -EINTR : failed;
}
