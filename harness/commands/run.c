/* bench run: measure and compare allocators on traces. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "allocators/spec.h"
#include "harness/base/units.h"
#include "harness/campaign.h"
#include "harness/commands/commands.h"
#include "harness/interrupt.h"
#include "harness/loads.h"
#include "harness/measure/lane.h"
#include "harness/plan.h"
#include "harness/plan_json.h"
#include "harness/turns.h"
#include "results/answer.h"
#include "results/store.h"
#include "results/table.h"
#include "results/text.h"

enum {
    OPT_THREADS = 256,
    OPT_PROCESSES,
    OPT_TOUCH,
    OPT_PACE,
    OPT_SAMPLE,
    OPT_TURNS,
    OPT_ORDER,
    OPT_TIMEOUT,
    OPT_LIMIT,
    OPT_RESUME,
    OPT_SEED,
    OPT_JSON
};

static const struct argp_option options[] = {
    {"allocators", 'a', "SPEC[,SPEC...]", 0,
     "Allocators to measure (default: every built-in and every installed external one)", 0},
    {"passes", 'p', "LIST", 0,
     "Of throughput,latency,memory,verify (default: throughput,latency,memory)", 0},
    {"repeat", 'n', "N", 0,
     "Repetitions of the timed passes (default 5); memory and verify run once", 0},
    {"turns", OPT_TURNS, "auto|N", 0,
     "Fresh processes in which the throughput pass replays for one repetition, the lower quartile "
     "of whose times counts (default auto: for 16 million operations, at most 8)",
     0},
    {"output", 'o', "DIR", 0, "The run folder (default results/<time>-<trace>)", 0},
    {"threads", OPT_THREADS, "as-recorded|N[,...]", 0,
     "Threads that replay, or that a workload is generated for (default as-recorded); several "
     "show how allocators scale",
     0},
    {"processes", OPT_PROCESSES, "N", 0,
     "Processes that replay, for process-shared allocators (default 1)", 0},
    {"touch", OPT_TOUCH, "WHAT", 0,
     "What the replay writes into each block: none, first (its first byte), page (a byte of each "
     "page), all, or recorded (of each page that the program touched: the default where the trace "
     "tells it, else page)",
     0},
    {"latency-sample", OPT_SAMPLE, "N", 0,
     "Time one call in N in the latency pass, at random distances, which leaves its throughput as "
     "it is (default 1: all)",
     0},
    {"pace", OPT_PACE, "HOW", 0,
     "How fast the memory pass replays: full (the default), or as-recorded, which lets allocators "
     "give back by the clock as the program did, and needs a trace with times",
     0},
    {"order", OPT_ORDER, "HOW", 0,
     "How the threads of a verify pass call: parallel (the default), so that a lock that does not "
     "hold is found, or as-recorded, one at a time in that order, twice the same",
     0},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0, "Time a cell may take (default 5m; 0: any)", 0},
    {"memory-limit", OPT_LIMIT, "SIZE", 0, "Writable private memory a cell may map (default: any)",
     0},
    {"seed", OPT_SEED, "N", 0,
     "Seed of the shuffled order (default: the time; recorded in the run)", 0},
    {"resume", OPT_RESUME, "DIR", 0, "Do only what is missing in the run DIR", 0},
    {"json", OPT_JSON, NULL, 0, "Print the result table as JSON", 0},
    {0},
};

enum { THREAD_COUNTS = 16 };

struct request {
    struct plan plan;
    const char *output; /* NULL: the default */
    const char *resume; /* NULL: a new run */
    const char *lists[64];
    size_t list_count;
    const char *traces[256];
    unsigned threads[THREAD_COUNTS];
    size_t thread_counts; /* 0: as recorded */
    size_t trace_count;
    const volatile int *interrupted;
    bool json, shaped; /* shaped: an option was given that a resumed run has already */
    struct err err;
};

static int parse_small(const char *option, const char *text, uint64_t least, uint64_t most,
                       uint64_t *out, struct err *err)
{
    struct err why;
    if (units_parse_count(text, out, &why) || *out < least || *out > most)
        return err_set(err, EINVAL, "%s is a whole number from %llu to %llu, not '%s'", option,
                       (unsigned long long)least, (unsigned long long)most, text);
    return 0;
}

static int parse_thread_count(struct request *request, const char *text)
{
    uint64_t threads = CELL_THREADS_AS_RECORDED;
    if (strcmp(text, "as-recorded") != 0 &&
        parse_small("--threads", text, 1, LANES_MAX, &threads, &request->err))
        return -EINVAL;
    if (request->thread_counts == THREAD_COUNTS)
        return err_set(&request->err, E2BIG, "--threads takes at most %d numbers", THREAD_COUNTS);
    request->threads[request->thread_counts++] = (unsigned)threads;
    return 0;
}

static int parse_threads(struct request *request, const char *text)
{
    int failed = 0;
    for (const char *rest = text; !failed && rest; rest = strchr(rest, ',')) {
        char part[32];
        rest += rest != text;
        snprintf(part, sizeof part, "%.*s", (int)strcspn(rest, ","), rest);
        failed = parse_thread_count(request, part);
    }
    request->plan.threads = request->threads[0];
    return failed;
}

static int parse_processes(struct request *request, const char *text)
{
    uint64_t processes;
    if (parse_small("--processes", text, 1, 256, &processes, &request->err))
        return -EINVAL;
    request->plan.processes = (unsigned)processes;
    return 0;
}

static int parse_sample(struct request *request, const char *text)
{
    uint64_t sample;
    if (parse_small("--latency-sample", text, 1, 1000000, &sample, &request->err))
        return -EINVAL;
    request->plan.latency_sample = (unsigned)sample;
    return 0;
}

static int parse_turns(struct request *request, const char *text)
{
    uint64_t turns = TURNS_AS_NEEDED;
    if (strcmp(text, "auto") != 0 && parse_small("--turns", text, 1, 1000, &turns, &request->err))
        return -EINVAL;
    request->plan.turns = (unsigned)turns;
    return 0;
}

static int keep(const char **list, size_t *count, size_t most, const char *text, struct err *err)
{
    if (*count == most)
        return err_set(err, E2BIG, "more than %zu of a kind on one command line", most);
    list[(*count)++] = text;
    return 0;
}

/* Options that shape the plan; a resumed run has them already. */
static int parse_shape(struct request *request, int key, const char *text)
{
    struct plan *plan = &request->plan;
    struct err *err = &request->err;
    request->shaped = true;
    switch (key) {
    case 'a':
        return keep(request->lists, &request->list_count, 64, text, err);
    case 'p':
        return plan_set_passes(plan, text, err);
    case 'n':
        return plan_set_repeat(plan, text, err);
    case OPT_THREADS:
        return parse_threads(request, text);
    case OPT_PROCESSES:
        return parse_processes(request, text);
    case OPT_TOUCH:
        return plan_set_touch(plan, text, err);
    case OPT_SAMPLE:
        return parse_sample(request, text);
    case OPT_TURNS:
        return parse_turns(request, text);
    case OPT_PACE:
        return plan_set_pace(plan, text, err);
    case OPT_ORDER:
        return plan_set_order(plan, text, err);
    case OPT_TIMEOUT:
        return units_parse_time(text, &plan->timeout_ns, err);
    case OPT_LIMIT:
        return units_parse_size(text, &plan->memory_limit, err);
    case OPT_SEED:
        return units_parse_count(text, &plan->seed, err);
    default:
        return keep(request->traces, &request->trace_count, 256, text, err);
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    int failed = 0;
    switch (key) {
    case 'o':
        request->output = text;
        break;
    case OPT_RESUME:
        request->resume = text;
        break;
    case OPT_JSON:
        request->json = true;
        break;
    case 'a':
    case 'p':
    case 'n':
    case OPT_THREADS:
    case OPT_PROCESSES:
    case OPT_TOUCH:
    case OPT_SAMPLE:
    case OPT_TURNS:
    case OPT_PACE:
    case OPT_ORDER:
    case OPT_TIMEOUT:
    case OPT_LIMIT:
    case OPT_SEED:
    case ARGP_KEY_ARG:
        failed = parse_shape(request, key, text);
        break;
    case ARGP_KEY_END:
        if (request->resume && (request->shaped || request->output))
            failed = err_set(&request->err, EINVAL,
                             "--resume takes everything from the run; only --json goes with it");
        else if (request->thread_counts && request->plan.processes > 1)
            failed = err_set(&request->err, EINVAL,
                             "--processes replays with one thread in each: it does not go with "
                             "--threads");
        else if (!request->resume && !request->trace_count)
            failed = err_set(&request->err, EINVAL, "no trace was named");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (failed)
        argp_failure(state, STATUS_USAGE, 0, "%s", request->err.text);
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE|WORKLOAD...\n--resume DIR",
    .doc =
        "Replays traces against allocators, each cell in a process of its own, and compares them."
        "\vA TRACE is a file (or - for standard input); a WORKLOAD is one of 'bench list'.\n\n"
        "Example:\n  bench run -a system,jemalloc -n 6 -o out workloads/traces/sqlite.trace",
};

/* ---- a new run ------------------------------------------------------------------------------- */

static int plan_allocators(struct request *request, struct err *err)
{
    int failed = 0;
    for (size_t i = 0; !failed && i < request->list_count; i++)
        failed = plan_add_allocators(&request->plan, request->lists[i], err);
    if (!request->list_count)
        plan_add_every_allocator(&request->plan);
    return failed;
}

static int begin(struct request *request, int argc, char **argv, struct store **store,
                 struct err *err)
{
    char named[512];
    const char *first = request->traces[0];
    campaign_folder(named, sizeof named, strcmp(first, "-") == 0 ? "stdin" : first);
    const char *folder = request->output ? request->output : named;
    const struct loads loads = {folder, request->threads, request->thread_counts};
    int failed = plan_allocators(request, err);
    for (size_t i = 0; !failed && i < request->trace_count; i++)
        failed = loads_add(&request->plan, &loads, request->traces[i], err);
    if (failed)
        return failed;
    json_t *run = campaign_describe(&request->plan, argc, argv);
    failed = store_create(store, folder, run, err);
    json_decref(run);
    return failed;
}

static int resume(struct request *request, struct store **store, struct err *err)
{
    int failed = store_open(store, request->resume, true, err);
    if (failed)
        return failed;
    if (*store_warning(*store))
        fprintf(stderr, "bench run: %s\n", store_warning(*store));
    failed = plan_read(&request->plan, store_run(*store), err);
    if (failed) {
        store_close(*store);
        *store = NULL;
    }
    return failed;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int print_table(struct store *store, bool json)
{
    size_t count;
    struct row *rows = table_rows(store, &count);
    if (json)
        answer_json(stdout, &store, 1);
    else
        answer_text(stdout, store, rows, count);
    int status = STATUS_DONE;
    size_t skipped = 0;
    for (size_t i = 0; i < count; i++) {
        skipped += strcmp(rows[i].status, "ok") != 0;
        if (!record_status_is_fine(rows[i].status))
            status = STATUS_FAILED;
    }
    if (count > 0 && skipped == count && status == STATUS_DONE) {
        fputs("bench run: nothing was measured: the table says why\n", stderr);
        status = STATUS_FAILED;
    }
    free(rows);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "bench run: the table could not be written: %s\n", strerror(errno));
    return STATUS_FAILED;
}

/* The folder so that it can be copied into a shell. */
static void tell(const char *before, const char *folder, const char *after)
{
    fputs(before, stderr);
    text_shell(stderr, folder);
    fputs(after, stderr);
}

static int finish(struct store *store, const struct request *request, int failed,
                  const struct err *err)
{
    int status = print_table(store, request->json);
    const char *folder = store_folder(store);
    bool stopped = failed || *request->interrupted;
    if (*request->interrupted)
        tell("bench run: interrupted; what is finished is in ", folder, "\n");
    else if (failed)
        fprintf(stderr, "bench run: %s\n", err->text);
    else
        tell("bench run: results in ", folder, "");
    if (stopped)
        tell("bench run: to do the rest: bench run --resume ", folder, "\n");
    else
        tell("; figures and all: bench report --format html -o report.html ", folder, "\n");
    return stopped ? STATUS_FAILED : status;
}

int command_run(int argc, char **argv)
{
    static struct request request; /* large */
    struct store *store = NULL;
    struct err err = {0};
    plan_init(&request.plan);
    request.plan.seed = (uint64_t)time(NULL);
    command_parse(&argp, argc, argv, 0, &request);
    request.interrupted = interrupt_catch();
    int status = STATUS_USAGE;
    int failed =
        request.resume ? resume(&request, &store, &err) : begin(&request, argc, argv, &store, &err);
    if (failed) {
        fprintf(stderr, "bench run: %s\n", err.text);
    } else {
        failed = campaign_measure(&request.plan, store, request.interrupted, &err);
        status = finish(store, &request, failed, &err);
        store_close(store);
    }
    plan_release(&request.plan);
    return status;
}
