/* bench fidelity: does the replay foretell the real program on these allocators? */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "allocators/registry.h"
#include "harness/base/units.h"
#include "harness/campaign.h"
#include "harness/commands/commands.h"
#include "harness/fidelity.h"
#include "harness/interrupt.h"
#include "results/fidelity.h"

enum { OPT_TOUCH = 256, OPT_PACE, OPT_TIMEOUT, OPT_SEED, OPT_JSON, FIDELITY_REPEAT = 5 };

static const struct argp_option options[] = {
    {"allocators", 'a', "SPEC[,SPEC...]", 0,
     "Allocators to run on (default: system and every installed external one)", 0},
    {"repeat", 'n', "N", 0,
     "Runs of the program on each allocator, undisturbed and again watched (default 5)", 0},
    {"output", 'o', "DIR", 0, "The run folder (default results/<time>-<program>)", 0},
    {"touch", OPT_TOUCH, "WHAT", 0,
     "What the replay writes into each block: none, first (its first byte), page (a byte of each "
     "page), all, or recorded (of each page that the program touched: the default where the trace "
     "tells it, else page)",
     0},
    {"pace", OPT_PACE, "HOW", 0,
     "How fast the memory pass replays: full (the default), or as-recorded, which lets allocators "
     "give back by the clock as the program did, and needs a trace with times",
     0},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0, "Time a run or cell may take (default 5m; 0: any)", 0},
    {"seed", OPT_SEED, "N", 0, "Seed of the shuffled order (default: the time)", 0},
    {"json", OPT_JSON, NULL, 0, "Print the result as JSON", 0},
    {0},
};

struct request {
    struct plan plan;
    const char *output; /* NULL: the default */
    char **command;     /* NULL-ended, within argv */
    bool json;
    struct err err;
};

static int parse_option(struct request *request, int key, const char *text)
{
    struct plan *plan = &request->plan;
    struct err *err = &request->err;
    switch (key) {
    case 'a':
        return plan_add_allocators(plan, text, err);
    case 'n':
        return plan_set_repeat(plan, text, err);
    case OPT_TOUCH:
        return plan_set_touch(plan, text, err);
    case OPT_PACE:
        return plan_set_pace(plan, text, err);
    case OPT_TIMEOUT:
        return units_parse_time(text, &plan->timeout_ns, err);
    default:
        return units_parse_count(text, &plan->seed, err);
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case 'o':
        request->output = text;
        return 0;
    case OPT_JSON:
        request->json = true;
        return 0;
    case 'a':
    case 'n':
    case OPT_TOUCH:
    case OPT_PACE:
    case OPT_TIMEOUT:
    case OPT_SEED:
        if (parse_option(request, key, text))
            argp_failure(state, STATUS_USAGE, 0, "%s", request->err.text);
        return 0;
    default:
        return command_parse_program(key, state, &request->command);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "-- COMMAND [ARGUMENT...]",
    .doc = "Runs a real program on each allocator, records it once, replays the recording on each, "
           "and says how well the replay foretold the program: peak memory and order of the "
           "allocators."
           "\vThe program's standard input is empty and its output is dropped. Name a command that "
           "does the same every time.\n\n"
           "Example:\n  bench fidelity -a system,jemalloc -- sqlite3 :memory: '.read load.sql'",
};

static int begin(const struct fidelity_test *test, int argc, char **argv, struct store **store,
                 struct err *err)
{
    int failed = fidelity_record(test, err);
    if (failed)
        return failed;
    json_t *run = campaign_describe(test->plan, argc, argv);
    failed = store_create(store, test->folder, run, err);
    json_decref(run);
    return failed;
}

static int write_json(const struct fidelity *fidelity, struct store *store, struct err *err)
{
    FILE *file = store_begin_file(store, ".", "fidelity", ".json", err);
    if (!file)
        return -err->code;
    json_t *object = fidelity_json(fidelity);
    json_dumpf(object, file, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    fputc('\n', file);
    json_decref(object);
    return store_end_file(store, file, err);
}

static int print(const struct fidelity *fidelity, bool json)
{
    int status = STATUS_DONE;
    for (size_t i = 0; i < fidelity->count; i++)
        if (strcmp(fidelity->rows[i].status, "ok") != 0)
            status = STATUS_FAILED;
    if (json) {
        json_t *object = fidelity_json(fidelity);
        json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
        putchar('\n');
        json_decref(object);
    } else {
        fidelity_print(stdout, fidelity);
    }
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "bench fidelity: the table could not be written: %s\n", strerror(errno));
    return STATUS_FAILED;
}

static int finish(const struct request *request, const struct fidelity_test *test,
                  struct store *store, int failed, struct err *err)
{
    struct fidelity fidelity = fidelity_of(store, test->plan->traces[0].name);
    int unwritten = write_json(&fidelity, store, failed ? NULL : err);
    int status = print(&fidelity, request->json);
    fidelity_release(&fidelity);
    if (failed || unwritten)
        fprintf(stderr, "bench fidelity: %s\n", *test->interrupted ? "interrupted" : err->text);
    fprintf(stderr, "bench fidelity: results in %s\n", test->folder);
    return failed || unwritten ? STATUS_FAILED : status;
}

static int measure(const struct fidelity_test *test, struct store *store, struct err *err)
{
    int failed = fidelity_run_program(test, store, err);
    if (!failed)
        failed = campaign_measure(test->plan, store, test->interrupted, err);
    return failed ? failed : fidelity_diagnose(test, store, err);
}

int command_fidelity(int argc, char **argv)
{
    static struct request request; /* large */
    struct plan *plan = &request.plan;
    struct store *store = NULL;
    struct err err = {0};
    char folder[512];
    plan_init(plan);
    plan->repeat = FIDELITY_REPEAT;
    plan->passes[PASS_LATENCY] = false;
    plan->seed = (uint64_t)time(NULL);
    command_parse(&argp, argc, argv, ARGP_IN_ORDER, &request);
    if (plan->spec_count == 0)
        plan_add_process_allocators(plan);
    campaign_folder(folder, sizeof folder, request.command[0]);
    struct fidelity_test test = {.plan = plan,
                                 .command = request.command,
                                 .folder = request.output ? request.output : folder};
    test.interrupted = interrupt_catch();
    int status = STATUS_USAGE;
    int failed = begin(&test, argc, argv, &store, &err);
    if (failed) {
        fprintf(stderr, "bench fidelity: %s\n", err.text);
        status = failed == -ECANCELED ? STATUS_FAILED : STATUS_USAGE;
    } else {
        failed = measure(&test, store, &err);
        status = finish(&request, &test, store, failed, &err);
        store_close(store);
    }
    plan_release(plan);
    return status;
}
