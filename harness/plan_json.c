/* The plan of a run as run.json holds it. */
#include "harness/plan_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocators/spec.h"

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
        int failed = name ? plan_add_pass(plan, name, strlen(name), err) : 0;
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
