/* bench explain: where the footprint went, in words and in a figure. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/nearest.h"
#include "harness/base/units.h"
#include "harness/campaign.h"
#include "harness/commands/commands.h"
#include "harness/explain/explaining.h"
#include "harness/interrupt.h"
#include "harness/plan.h"
#include "harness/profile.h"
#include "plots/figures.h"
#include "results/asked.h"

enum { OPT_TRACE = 256, OPT_AT, OPT_WITHOUT, OPT_TOUCH, OPT_TIMEOUT, OPT_JSON };

static const struct argp_option options[] = {
    {"trace", OPT_TRACE, "TRACE", 0, "A trace of the run, by name or file (default: its only one)",
     0},
    {"allocators", 'a', "SPEC[,SPEC...]", 0, "What to explain (default: the run's; else system)",
     0},
    {"at", OPT_AT, "MOMENT[,MOMENT...]", 0,
     "peak-rss, peak-live, end, the number of an event, or a time such as 200ms (default: the "
     "first "
     "three)",
     0},
    {"without", OPT_WITHOUT, "SITE|SIZE", 0,
     "Replay again without the blocks of a call site, a size or a range of sizes, and say what "
     "would be gained; several are left out together",
     0},
    {"output", 'o', "DIR", 0, "Where the figure goes; without a RUN, a run folder to make", 0},
    {"touch", OPT_TOUCH, "WHAT", 0,
     "What the replay writes into each block: none, first, page, all or recorded (default: the "
     "run's, else as for bench run)",
     0},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0, "Time a replay may take (default: the run's, else 5m)",
     0},
    {"json", OPT_JSON, NULL, 0, "Print the moments as JSON", 0},
    {0},
};

struct request {
    struct plan plan;
    const char *subject; /* a run or a trace */
    const char *trace, *output;
    const char *touch, *timeout;
    struct moment moments[MOMENTS_MAX];
    size_t moment_count;
    struct without without;
    bool json;
    struct err err;
};

/* One, or several with commas between. */
static int parse_moments(struct request *request, const char *list)
{
    int failed = 0;
    for (size_t length; !failed; list += length + 1) {
        char text[sizeof request->moments->at];
        length = strcspn(list, ",");
        if (request->moment_count == MOMENTS_MAX)
            return err_set(&request->err, E2BIG, "at most %d moments at a time", MOMENTS_MAX);
        snprintf(text, sizeof text, "%.*s", (int)length, list);
        failed = moment_parse(&request->moments[request->moment_count++], text, &request->err);
        if (!list[length])
            break;
    }
    return failed;
}

static int parse_option(struct request *request, int key, const char *text)
{
    switch (key) {
    case 'a':
        return plan_add_allocators(&request->plan, text, &request->err);
    case OPT_AT:
        return parse_moments(request, text);
    case OPT_WITHOUT:
        return without_add(&request->without, text, &request->err);
    case OPT_TRACE:
        request->trace = text;
        return 0;
    case OPT_TOUCH:
        request->touch = text;
        return plan_set_touch(&request->plan, text, &request->err);
    case OPT_TIMEOUT:
        request->timeout = text;
        return units_parse_time(text, &request->plan.timeout_ns, &request->err);
    case 'o':
        request->output = text;
        return 0;
    case OPT_JSON:
        request->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (request->subject)
            return err_set(&request->err, EINVAL, "one run or trace at a time: what is '%.200s'?",
                           text);
        request->subject = text;
        return 0;
    case ARGP_KEY_END:
        return request->subject
                   ? 0
                   : err_set(&request->err, EINVAL, "name the folder of a run, or a trace");
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    int failed = parse_option(request, key, text);
    if (failed < 0)
        argp_failure(state, STATUS_USAGE, 0, "%s", request->err.text);
    return failed;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN|TRACE",
    .doc = "Says where the memory of an allocator went at chosen moments of a replay: parts that "
           "add up to its resident size, who holds its pages, and what would be gained. With a run "
           "its settings are used and what is found is kept in it."
           "\vExample:\n  bench explain out --trace sqlite -a jemalloc --at peak-rss\n"
           "  bench explain workloads/traces/redis.trace -a system --at 100000,end",
};

/* ---- the run ---- */

static uint64_t run_number(const struct store *store, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(store_run(store), key));
}

static int take_settings(struct request *request, const struct store *store, struct err *err)
{
    struct plan *plan = &request->plan;
    const char *touch = json_string_value(json_object_get(store_run(store), "touch"));
    plan->threads = (unsigned)run_number(store, "threads");
    plan->memory_limit = run_number(store, "memory_limit_bytes");
    if (!request->timeout)
        plan->timeout_ns = run_number(store, "timeout_ns");
    return touch && !request->touch ? plan_set_touch(plan, touch, err) : 0;
}

/* Those that give real memory: there is nothing to explain in the others. */
static int take_allocators(struct request *request, const struct store *store, struct err *err)
{
    if (request->plan.spec_count)
        return 0;
    if (!store)
        return plan_add_allocators(&request->plan, "system", err);
    const char **names = asked_allocators(store);
    int failed = 0;
    for (const char **name = names; *name && !failed; name++)
        if (asked_is_real(store, *name))
            failed = plan_add_allocators(&request->plan, *name, err);
    free(names);
    return failed;
}

static int choose_trace(const struct request *request, const struct store *store, const char **name,
                        struct err *err)
{
    const char **traces = asked_traces(store);
    *name = request->trace ? request->trace : traces[0];
    int failed = !*name || (!request->trace && traces[1])
                     ? err_set(err, EINVAL,
                               "%s has several traces: choose one with --trace ('bench report' "
                               "shows them)",
                               request->subject)
                     : 0;
    free(traces);
    return failed;
}

static int no_trace(const struct request *request, const struct store *store, const char *name,
                    struct err *err)
{
    const char **traces = asked_traces(store);
    struct nearest nearest = nearest_to(name);
    for (const char **trace = traces; *trace; trace++)
        nearest_offer(&nearest, *trace);
    err_set(err, EINVAL, "%.300s has no trace '%.200s', nor is there a file of that name%s",
            request->subject, name, nearest_hint(&nearest).text);
    free(traces);
    return -err->code;
}

/* A trace of the run by its name, as long as its file is what it was; else a file. */
static int take_trace(struct request *request, const struct store *store, struct err *err)
{
    const char *name = NULL;
    int failed = choose_trace(request, store, &name, err);
    const json_t *known = failed ? NULL : asked_trace(store, name);
    const char *path = known ? json_string_value(json_object_get(known, "path")) : name;
    if (!failed && !known && access(name, F_OK) != 0)
        failed = no_trace(request, store, name, err);
    if (!failed)
        failed = plan_add_trace(&request->plan, path ? path : name, err);
    if (failed || !known)
        return failed;
    struct plan_trace *trace = &request->plan.traces[0];
    const char *was = json_string_value(json_object_get(known, "checksum"));
    if (was && strtoull(was, NULL, 16) != trace->checksum)
        return err_set(err, EINVAL,
                       "%s has changed since the run was made; name another with "
                       "--trace",
                       path);
    if (json_object_get(known, "threads"))
        trace->threads = (unsigned)json_integer_value(json_object_get(known, "threads"));
    free(trace->name);
    trace->name = strdup(name);
    return trace->name ? 0 : err_set(err, ENOMEM, "no memory for a name");
}

static int open_run(struct request *request, struct store **store, struct err *err)
{
    int failed = store_open(store, request->subject, false, err);
    if (failed)
        return failed;
    failed = take_settings(request, *store, err);
    return failed ? failed : take_trace(request, *store, err);
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* The store is NULL where nothing is kept. */
static int begin(struct request *request, int argc, char **argv, struct store **store,
                 struct err *err)
{
    int failed = 0;
    if (is_folder(request->subject))
        failed = open_run(request, store, err);
    else if (request->trace)
        failed =
            err_set(err, EINVAL, "--trace goes with a run, and %.300s is none", request->subject);
    else
        failed = plan_add_trace(&request->plan, request->subject, err);
    if (!failed)
        failed = take_allocators(request, *store, err);
    if (failed || *store || !request->output)
        return failed;
    json_t *run = campaign_describe(&request->plan, argc, argv);
    failed = store_create(store, request->output, run, err);
    json_decref(run);
    if (!failed)
        failed = profile_write(*store, request->plan.traces[0].name,
                               request->plan.traces[0].profile, err);
    return failed;
}

/* ---- the moments ---- */

static void set_up(struct explaining *explaining, const struct request *request)
{
    static const char *const usual[] = {"peak-rss", "peak-live", "end"};
    const struct plan *plan = &request->plan;
    struct inquiry *inquiry = &explaining->inquiry;
    for (size_t i = 0; !request->moment_count && i < sizeof usual / sizeof *usual; i++)
        moment_parse(&inquiry->moments[inquiry->count++], usual[i], NULL);
    for (size_t i = 0; i < request->moment_count; i++)
        inquiry->moments[inquiry->count++] = request->moments[i];
    inquiry->interrupted = interrupt_catch();
    inquiry->cell = (struct cell){
        .trace_path = plan->traces[0].path,
        .trace_name = plan->traces[0].name,
        .touch = plan_touch(plan, &plan->traces[0]),
        .threads = plan->traces[0].threads,
        .processes = 1,
        .timeout_ns = plan->timeout_ns,
        .memory_limit = plan->memory_limit,
    };
}

static int explain_all(struct explaining *explaining, const struct request *request,
                       struct err *err)
{
    struct moments_request *left_out = NULL;
    int failed = inquiry_open(&explaining->inquiry, err);
    if (!failed)
        failed = sites_read(&explaining->sites, request->plan.traces[0].path, err);
    if (!failed)
        failed = without_request(&request->without, &explaining->sites,
                                 request->plan.traces[0].name, &left_out, err);
    for (size_t i = 0; i < request->plan.spec_count && !failed; i++)
        failed = explaining_allocator(explaining, request->plan.specs[i], left_out, err);
    free(left_out);
    return failed;
}

/* No figure is no reason to lose the words: a missing gnuplot is only told. */
static void draw(const struct request *request, const struct store *store)
{
    const char *trace = request->plan.traces[0].name;
    char *path = NULL, *folder = NULL;
    struct err err = {0};
    size_t figure = 0;
    while (strcmp(figure_name(figure), "split") != 0)
        figure++;
    bool elsewhere = request->output && is_folder(request->subject);
    if (asprintf(&folder, "%s%s", elsewhere ? request->output : store_folder(store),
                 elsewhere ? "" : "/plots") < 0)
        err_no_memory("a path");
    int failed = figure_save(figure, FIGURE_SVG, &(struct figure_options){0}, store, trace, folder,
                             &path, &err);
    if (failed < 0)
        fprintf(stderr, "bench explain: %s\n", err.text);
    else if (!failed)
        fprintf(stderr, "bench explain: the figure is %s\n", path);
    free(folder);
    free(path);
}

static int finish(struct explaining *explaining, int failed, const struct err *err)
{
    if (!explaining->out) {
        json_t *object = json_pack("{s:O}", "moments", explaining->moments);
        json_dumpf(object, stdout, JSON_INDENT(1));
        putchar('\n');
        json_decref(object);
    }
    if (failed)
        fprintf(stderr, "bench explain: %s\n", err->text);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "bench explain: standard output: %s\n", strerror(errno));
        return STATUS_FAILED;
    }
    if (failed)
        return failed == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
    return explaining->failed ? STATUS_FAILED : STATUS_DONE;
}

static int explain(const struct request *request, struct store *store)
{
    struct err err = {0};
    struct explaining *explaining = calloc(1, sizeof *explaining);
    if (!explaining)
        err_no_memory("a text");
    explaining->out = request->json ? NULL : stdout;
    explaining->store = store;
    explaining->without = &request->without;
    explaining->moments = json_array();
    set_up(explaining, request);
    int status = finish(explaining, explain_all(explaining, request, &err), &err);
    if (store && json_array_size(explaining->moments) > 0)
        draw(request, store);
    sites_release(&explaining->sites);
    json_decref(explaining->moments);
    free(explaining);
    return status;
}

int command_explain(int argc, char **argv)
{
    struct request *request = calloc(1, sizeof *request);
    struct store *store = NULL;
    struct err err = {0};
    if (!request)
        err_no_memory("a text");
    plan_init(&request->plan);
    command_parse(&argp, argc, argv, 0, request);
    int status = STATUS_USAGE;
    if (begin(request, argc, argv, &store, &err) < 0)
        fprintf(stderr, "bench explain: %s\n", err.text);
    else
        status = explain(request, store);
    if (store)
        store_close(store);
    plan_release(&request->plan);
    free(request);
    return status;
}
