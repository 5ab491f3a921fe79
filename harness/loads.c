/* What a run replays. */
#include "harness/loads.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocators/spec.h"
#include "harness/base/nearest.h"
#include "harness/spool.h"
#include "results/store.h"
#include "workloads/generate/generate.h"

static bool loads_is_workload(const char *name)
{
    size_t length = strcspn(name, ":");
    for (size_t i = 0; generators[i]; i++)
        if (strlen(generators[i]->name) == length && memcmp(generators[i]->name, name, length) == 0)
            return access(name, F_OK) != 0;
    return false;
}

/* A name that is no file's may be a mistyped workload's. */
static int loads_unknown(const char *name, struct err *err)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(name, ":"), name);
    struct nearest nearest = nearest_to(word);
    for (size_t i = 0; generators[i]; i++)
        nearest_offer(&nearest, generators[i]->name);
    return err_set(
        err, ENOENT,
        "there is no file '%.300s', nor a workload of that name%s (bench list names all)", name,
        nearest_hint(&nearest).text);
}

/* Generated once, kept in the run's own folder; for so many threads where it can be and its options
 * do not say otherwise. The trace has the workload's name. */
static int loads_add_workload(struct plan *plan, const char *folder, const char *workload,
                              struct err *err)
{
    char name[SPEC_TEXT], slug[STORE_NAME], path[PATH_MAX];
    if (plan->threads == CELL_THREADS_AS_RECORDED || !generate_takes_threads(workload))
        snprintf(name, sizeof name, "%s", workload);
    else
        snprintf(name, sizeof name, "%s%cthreads=%u", workload, strchr(workload, ':') ? ',' : ':',
                 plan->threads);
    int failed = spool_make_folder(folder, err);
    if (failed)
        return failed;
    if (snprintf(path, sizeof path, "%s/traces/%s.trace", folder, store_slug(slug, name)) >=
        (int)sizeof path)
        return err_set(err, ENAMETOOLONG, "the folder's name is too long: %.80s...", folder);
    failed = generate(name, path, err);
    if (!failed)
        failed = plan_add_trace(plan, path, err);
    if (!failed)
        plan_name_trace(plan, name);
    return failed;
}

static int loads_add_one(struct plan *plan, const char *folder, const char *name, struct err *err)
{
    char path[PATH_MAX];
    if (spool_is_stream(name)) {
        int failed = spool_stream(name, folder, path, sizeof path, err);
        return failed ? failed : plan_add_trace(plan, path, err);
    }
    if (loads_is_workload(name))
        return loads_add_workload(plan, folder, name, err);
    bool missing = access(name, F_OK) != 0 && errno == ENOENT;
    return missing ? loads_unknown(name, err) : plan_add_trace(plan, name, err);
}

/* How many threads replay the trace added last: no more than it has. */
static unsigned loads_cap_threads(const struct plan *plan, const char *name)
{
    const json_t *profile = plan->traces[plan->trace_count - 1].profile;
    unsigned has = (unsigned)json_integer_value(json_object_get(profile, "threads"));
    if (plan->threads == CELL_THREADS_AS_RECORDED || plan->threads <= has)
        return plan->threads;
    fprintf(stderr, "bench run: %s has %u thread%s, so that no %u can replay it\n", name, has,
            has == 1 ? "" : "s", plan->threads);
    return has;
}

/* Whether the number after `count` others comes to the same as one of them, but was not asked for
 * twice. */
static bool loads_is_replayed(const struct plan *plan, const struct loads *loads, size_t count,
                              size_t first, unsigned threads)
{
    for (size_t i = 0; i < count; i++)
        if (loads->threads[i] == loads->threads[count])
            return false;
    for (size_t i = first; i + 1 < plan->trace_count; i++)
        if (plan->traces[i].threads == threads)
            return true;
    return false;
}

/* The traces of one load have one name, from the first on. */
static int loads_add_several(struct plan *plan, const struct loads *loads, const char *name,
                             struct err *err)
{
    size_t first = plan->trace_count;
    char *scaling = NULL;
    int failed = 0;
    for (size_t i = 0; !failed && i < loads->thread_counts; i++) {
        plan->threads = loads->threads[i];
        failed = loads_add_one(plan, loads->folder, name, err);
        unsigned threads = failed ? 0 : loads_cap_threads(plan, name);
        if (!failed && loads_is_replayed(plan, loads, i, first, threads)) {
            plan_drop_trace(plan);
            continue;
        }
        if (!failed && !scaling)
            scaling =
                strdup(loads_is_workload(name) ? name : plan->traces[plan->trace_count - 1].name);
        if (!failed)
            failed = plan_scale_trace(plan, threads, scaling ? scaling : name, err);
    }
    free(scaling);
    return failed;
}

int loads_add(struct plan *plan, const struct loads *loads, const char *name, struct err *err)
{
    size_t first = plan->trace_count;
    if (loads->thread_counts > 1 && spool_is_stream(name))
        return err_set(err, EINVAL, "%s is read once: --threads takes one number there",
                       strcmp(name, "-") == 0 ? "standard input" : name);
    if (loads->thread_counts > 1)
        return loads_add_several(plan, loads, name, err);
    int failed = loads_add_one(plan, loads->folder, name, err);
    if (!failed)
        plan->traces[first].threads = loads_cap_threads(plan, name);
    return failed;
}
