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
#include "harness/base/rng.h"
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
        BUG("out of memory for a plan of %zu entries", count);
    return grown;
}

static char *plan_copy(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        BUG("out of memory for '%s'", text);
    return copy;
}

static void plan_add_spec(struct plan *plan, const char *text)
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
    while ((list = spec_next(list, text))) {
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

static int plan_set_pass(struct plan *plan, const char *name, size_t length, struct err *err)
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
        int failed = plan_set_pass(plan, list, length, err);
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

static bool plan_pass_repeats(enum pass pass)
{
    return pass == PASS_THROUGHPUT || pass == PASS_LATENCY;
}

/* Fisher and Yates. */
static void plan_shuffle(struct plan_cell *cells, size_t count, struct rng *rng)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = rng_below(rng, i);
        struct plan_cell held = cells[i - 1];
        cells[i - 1] = cells[other];
        cells[other] = held;
    }
}

static size_t plan_add_block(const struct plan *plan, struct plan_cell *cells,
                             struct plan_cell like, struct rng *rng)
{
    for (uint32_t spec = 0; spec < plan->spec_count; spec++) {
        cells[spec] = like;
        cells[spec].spec = spec;
    }
    plan_shuffle(cells, plan->spec_count, rng);
    return plan->spec_count;
}

struct plan_cell *plan_cells(const struct plan *plan, size_t *count)
{
    size_t most = plan->trace_count * plan->spec_count * PASSES * (plan->repeat ? plan->repeat : 1);
    struct plan_cell *cells = calloc(most ? most : 1, sizeof *cells);
    if (!cells)
        BUG("out of memory for %zu cells", most);
    struct rng rng;
    rng_init(&rng, plan->seed);
    size_t used = 0;
    for (uint32_t trace = 0; trace < plan->trace_count; trace++) {
        for (uint32_t repetition = 0; repetition < plan->repeat; repetition++)
            for (enum pass pass = 0; pass < PASSES; pass++)
                if (plan->passes[pass] && plan_pass_repeats(pass))
                    used += plan_add_block(plan, cells + used,
                                           (struct plan_cell){0, trace, repetition, pass}, &rng);
        for (enum pass pass = 0; pass < PASSES; pass++)
            if (plan->passes[pass] && !plan_pass_repeats(pass))
                used +=
                    plan_add_block(plan, cells + used, (struct plan_cell){0, trace, 0, pass}, &rng);
    }
    *count = used;
    return cells;
}

/* ---- run.json -------------------------------------------------------------------------------- */

static unsigned plan_flags(const struct spec *spec)
{
    unsigned flags = spec->backend->flags;
    for (size_t i = 0; i < spec->layer_count; i++)
        flags |= spec->layers[i]->flags;
    return flags;
}

static json_t *plan_allocators_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->spec_count; i++) {
        struct spec spec;
        bool known = spec_parse(&spec, plan->specs[i], NULL) == 0;
        unsigned flags = known ? plan_flags(&spec) : 0;
        /* Real is what can be the fastest: it gives memory, and no layer spoils its times. */
        bool real = known && !(flags & (ALLOCATOR_NOT_REAL | ALLOCATOR_NOT_TIMED));
        bool frees = known && !(flags & ALLOCATOR_NO_FREE);
        bool refuses = flags & ALLOCATOR_REFUSES;
        json_array_append_new(list, json_pack("{s:s, s:b, s:b, s:b}", "spec", plan->specs[i],
                                              "real", real, "frees", frees, "refuses", refuses));
    }
    return list;
}

static json_t *plan_traces_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->trace_count; i++) {
        const struct plan_trace *trace = &plan->traces[i];
        char checksum[24];
        snprintf(checksum, sizeof checksum, "%016llx", (unsigned long long)trace->checksum);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:I, s:i, s:s*}", "name", trace->name, "path",
                            trace->path, "checksum", checksum, "events", (json_int_t)trace->events,
                            "threads", (int)trace->threads, "scaling", trace->scaling));
    }
    return list;
}

/* Of a run all of whose traces do not tell, what that comes to. */
static enum touch plan_touch_of_all(const struct plan *plan)
{
    for (size_t i = 0; i < plan->trace_count; i++)
        if (plan->traces[i].touched)
            return plan->touch;
    return plan->touch == TOUCH_RECORDED ? TOUCH_PAGE : plan->touch;
}

void plan_write(const struct plan *plan, json_t *run)
{
    json_t *passes = json_array();
    for (size_t i = 0; i < PASSES; i++)
        if (plan->passes[i])
            json_array_append_new(passes, json_string(pass_names[i]));
    json_object_set_new(run, "allocators", plan_allocators_json(plan));
    json_object_set_new(run, "traces", plan_traces_json(plan));
    json_object_set_new(run, "passes", passes);
    json_object_set_new(run, "repeat", json_integer((json_int_t)plan->repeat));
    json_object_set_new(run, "touch", json_string(touch_names[plan_touch_of_all(plan)]));
    json_object_set_new(run, "pace", json_string(pace_names[plan->pace]));
    json_object_set_new(run, "order", json_string(order_names[plan->order]));
    json_object_set_new(run, "threads", json_integer(plan->threads));
    json_object_set_new(run, "processes", json_integer(plan->processes));
    json_object_set_new(run, "turns", json_integer(plan->turns));
    json_object_set_new(run, "latency_sample", json_integer(plan->latency_sample));
    json_object_set_new(run, "timeout_ns", json_integer((json_int_t)plan->timeout_ns));
    json_object_set_new(run, "memory_limit_bytes", json_integer((json_int_t)plan->memory_limit));
    json_object_set_new(run, "seed", json_integer((json_int_t)plan->seed));
}

static uint64_t plan_number(const json_t *run, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(run, key));
}

static int plan_read_scaling(struct plan *plan, const json_t *item, struct err *err)
{
    const char *scaling = json_string_value(json_object_get(item, "scaling"));
    unsigned threads = (unsigned)plan_number(item, "threads");
    return scaling ? plan_scale_trace(plan, threads, scaling, err) : 0;
}

static int plan_read_traces(struct plan *plan, const json_t *list, struct err *err)
{
    size_t place;
    json_t *item;
    json_array_foreach(list, place, item)
    {
        const char *path = json_string_value(json_object_get(item, "path"));
        const char *was = json_string_value(json_object_get(item, "checksum"));
        if (!path || !was)
            return err_set(err, EINVAL, "run.json names a trace without path or checksum");
        int failed = plan_add_trace(plan, path, err);
        if (failed)
            return failed;
        struct plan_trace *trace = &plan->traces[plan->trace_count - 1];
        if (strtoull(was, NULL, 16) != trace->checksum)
            return err_set(err, EINVAL,
                           "%s has changed since the run began; restore it or start a new run",
                           path);
        const char *name = json_string_value(json_object_get(item, "name"));
        if (name)
            plan_name_trace(plan, name);
        failed = plan_read_scaling(plan, item, err);
        if (failed)
            return failed;
    }
    return 0;
}

int plan_read(struct plan *plan, const json_t *run, struct err *err)
{
    size_t place;
    json_t *item;
    memset(plan->passes, 0, sizeof plan->passes);
    json_array_foreach(json_object_get(run, "passes"), place, item)
    {
        const char *name = json_string_value(item);
        int failed = name ? plan_set_pass(plan, name, strlen(name), err) : 0;
        if (failed)
            return failed;
    }
    json_array_foreach(json_object_get(run, "allocators"), place, item)
    {
        const char *spec = json_string_value(json_object_get(item, "spec"));
        if (spec)
            plan_add_spec(plan, spec);
    }
    plan->repeat = plan_number(run, "repeat");
    plan->threads = (unsigned)plan_number(run, "threads");
    plan->processes = (unsigned)plan_number(run, "processes");
    plan->turns = (unsigned)plan_number(run, "turns");
    plan->latency_sample = (unsigned)plan_number(run, "latency_sample");
    plan->timeout_ns = plan_number(run, "timeout_ns");
    plan->memory_limit = plan_number(run, "memory_limit_bytes");
    plan->seed = plan_number(run, "seed");
    const char *touch = json_string_value(json_object_get(run, "touch"));
    const char *pace = json_string_value(json_object_get(run, "pace"));
    const char *order = json_string_value(json_object_get(run, "order"));
    int failed = plan_set_touch(plan, touch ? touch : "", err);
    if (!failed)
        failed = plan_set_pace(plan, pace ? pace : pace_names[PACE_FULL], err);
    if (!failed)
        failed = plan_set_order(plan, order ? order : order_names[ORDER_RECORDED], err);
    return failed ? failed : plan_read_traces(plan, json_object_get(run, "traces"), err);
}
