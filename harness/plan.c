/* The plan of a run. */
#include "harness/plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocators/registry.h"
#include "allocators/spec.h"
#include "harness/base/nearest.h"
#include "harness/base/units.h"
#include "harness/profile.h"
#include "harness/turns.h"
#include "workloads/reader.h"

void plan_init(struct plan *plan)
{
    *plan = (struct plan){
        .passes = {[PASS_THROUGHPUT] = true, [PASS_LATENCY] = true, [PASS_MEMORY] = true},
        .repeat = 5,
        .touch = TOUCH_RECORDED,
        .threads = CELL_THREADS_AS_RECORDED,
        .processes = 1,
        .turns = TURNS_AS_NEEDED,
        .latency_sample = 1,
        .timeout_ns = 300 * UINT64_C(1000000000),
    };
}

void plan_drop_trace(struct plan *plan)
{
    const struct plan_trace *trace = &plan->traces[--plan->trace_count];
    free(trace->path);
    free(trace->name);
    free(trace->scaling);
    json_decref(trace->profile);
}

void plan_release(struct plan *plan)
{
    for (size_t i = 0; i < plan->spec_count; i++)
        free(plan->specs[i]);
    while (plan->trace_count > 0)
        plan_drop_trace(plan);
    free(plan->specs);
    free(plan->traces);
}

static void *plan_grow(void *array, size_t count, size_t size)
{
    void *grown = reallocarray(array, count + 1, size);
    if (!grown)
        err_no_memory("a plan of %zu entries", count);
    return grown;
}

static char *plan_copy(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        err_no_memory("'%s'", text);
    return copy;
}

void plan_add_spec(struct plan *plan, const char *text)
{
    for (size_t i = 0; i < plan->spec_count; i++)
        if (strcmp(plan->specs[i], text) == 0)
            return;
    plan->specs = plan_grow(plan->specs, plan->spec_count, sizeof *plan->specs);
    plan->specs[plan->spec_count++] = plan_copy(text);
}

static void plan_add_installed(struct plan *plan)
{
    for (size_t i = 0; i < registry_externals(); i++) {
        struct spec spec;
        char path[PATH_MAX];
        struct err why;
        if (spec_parse(&spec, registry_external(i)->name, &why) == 0 &&
            spec_library_path(&spec, path, sizeof path, &why))
            plan_add_spec(plan, spec.text);
    }
}

void plan_add_every_allocator(struct plan *plan)
{
    for (size_t i = 0; i < registry_backends(); i++)
        plan_add_spec(plan, registry_backend(i)->name);
    plan_add_installed(plan);
}

void plan_add_process_allocators(struct plan *plan)
{
    plan_add_spec(plan, "system");
    plan_add_installed(plan);
}

int plan_add_allocators(struct plan *plan, const char *list, struct err *err)
{
    char text[SPEC_TEXT];
    if (!*list)
        return err_set(err, EINVAL, "the list of allocators is empty (bench list shows all)");
    for (const char *rest = list; (rest = spec_next(rest, text));) {
        struct spec spec;
        int failed = spec_parse(&spec, text, err);
        if (failed)
            return failed;
        plan_add_spec(plan, text);
    }
    return 0;
}

/* The file's name without its folder and ending; "-2", "-3" … where that is taken. */
static char *plan_trace_name(const struct plan *plan, const char *path)
{
    const char *slash = strrchr(path, '/');
    char base[200], name[220];
    snprintf(base, sizeof base, "%s", slash ? slash + 1 : path);
    char *ending = strstr(base, ".trace");
    if (ending && ending != base && ending[6] == '\0')
        *ending = '\0';
    snprintf(name, sizeof name, "%s", base);
    for (unsigned number = 2, i = 0; i < plan->trace_count; i++)
        if (strcmp(plan->traces[i].name, name) == 0) {
            snprintf(name, sizeof name, "%s-%u", base, number++);
            i = UINT_MAX; /* from the start again */
        }
    return plan_copy(name);
}

static int plan_identify(struct plan_trace *trace, const char *path, struct err *err)
{
    struct trace_reader *reader;
    int failed = trace_reader_open(&reader, path, err);
    if (failed)
        return failed;
    const struct trace_summary *summary = trace_reader_summary(reader);
    trace->checksum = trace_reader_checksum(reader);
    trace->touched = summary && summary->touch_looks > 0;
    trace_reader_close(reader);
    trace->path = realpath(path, NULL);
    return trace->path ? 0 : err_set(err, errno, "%s: %s", path, strerror(errno));
}

int plan_add_trace(struct plan *plan, const char *path, struct err *err)
{
    struct plan_trace trace = {0};
    int failed = profile_read(path, &trace.profile, err);
    if (failed)
        return failed;
    trace.events = (uint64_t)json_integer_value(json_object_get(trace.profile, "events"));
    if (trace.events == 0)
        failed =
            err_set(err, EINVAL, "%s holds no operation, so there is nothing to measure", path);
    else
        failed = plan_identify(&trace, path, err);
    if (failed) {
        json_decref(trace.profile);
        return failed;
    }
    trace.name = plan_trace_name(plan, path);
    trace.threads = plan->threads;
    plan->traces = plan_grow(plan->traces, plan->trace_count, sizeof *plan->traces);
    plan->traces[plan->trace_count++] = trace;
    return 0;
}

static bool plan_has_name(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i + 1 < plan->trace_count; i++)
        if (strcmp(plan->traces[i].name, name) == 0)
            return true;
    return false;
}

void plan_name_trace(struct plan *plan, const char *name)
{
    struct plan_trace *trace = &plan->traces[plan->trace_count - 1];
    enum { LONGEST = 200 };
    if (strlen(name) > LONGEST || plan_has_name(plan, name))
        return;
    free(trace->name);
    trace->name = plan_copy(name);
}

int plan_scale_trace(struct plan *plan, unsigned threads, const char *scaling, struct err *err)
{
    struct plan_trace *trace = &plan->traces[plan->trace_count - 1];
    char name[256], count[16] = "as-recorded";
    if (threads != CELL_THREADS_AS_RECORDED)
        snprintf(count, sizeof count, "%u", threads);
    snprintf(name, sizeof name, "%.200s%cthreads=%s", scaling, strchr(scaling, ':') ? ',' : ':',
             count);
    if (plan_has_name(plan, name))
        return err_set(err, EINVAL, "%s is asked for twice", name);
    free(trace->name);
    free(trace->scaling);
    trace->threads = threads;
    trace->name = plan_copy(name);
    trace->scaling = plan_copy(scaling);
    return 0;
}

int plan_add_pass(struct plan *plan, const char *name, size_t length, struct err *err)
{
    char word[32];
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    struct nearest nearest = nearest_to(word);
    for (size_t i = 0; i < PASSES; i++) {
        if (strcmp(pass_names[i], word) == 0) {
            plan->passes[i] = true;
            return 0;
        }
        nearest_offer(&nearest, pass_names[i]);
    }
    return err_set(err, EINVAL, "there is no pass '%s'%s (bench run --help names all)", word,
                   nearest_hint(&nearest).text);
}

int plan_set_passes(struct plan *plan, const char *list, struct err *err)
{
    memset(plan->passes, 0, sizeof plan->passes);
    for (;;) {
        size_t length = strcspn(list, ",");
        int failed = plan_add_pass(plan, list, length, err);
        if (failed || !list[length])
            return failed;
        list += length + 1;
    }
}

static int plan_choose(const char *const *names, size_t count, const char *name, const char *what,
                       struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return err_set(err, EINVAL, "%s, not '%s'", what, name);
}

int plan_set_touch(struct plan *plan, const char *name, struct err *err)
{
    int chosen = plan_choose(touch_names, TOUCHES, name,
                             "--touch is none, first, page, all or recorded", err);
    plan->touch = chosen < 0 ? plan->touch : (enum touch)chosen;
    return chosen < 0 ? chosen : 0;
}

enum touch plan_touch(const struct plan *plan, const struct plan_trace *trace)
{
    return plan->touch == TOUCH_RECORDED && !trace->touched ? TOUCH_PAGE : plan->touch;
}

int plan_set_pace(struct plan *plan, const char *name, struct err *err)
{
    int chosen = plan_choose(pace_names, PACES, name, "--pace is full or as-recorded", err);
    plan->pace = chosen < 0 ? plan->pace : (enum pace)chosen;
    return chosen < 0 ? chosen : 0;
}

int plan_set_order(struct plan *plan, const char *name, struct err *err)
{
    int chosen = plan_choose(order_names, ORDERS, name, "--order is parallel or as-recorded", err);
    plan->order = chosen < 0 ? plan->order : (enum order)chosen;
    return chosen < 0 ? chosen : 0;
}

int plan_set_repeat(struct plan *plan, const char *text, struct err *err)
{
    enum { MOST = 100000 };
    uint64_t repeat;
    if (units_parse_count(text, &repeat, NULL) || repeat < 1 || repeat > MOST)
        return err_set(err, EINVAL, "--repeat is a whole number from 1 to %d, not '%s'", MOST,
                       text);
    plan->repeat = repeat;
    return 0;
}
