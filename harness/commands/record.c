/* bench record: the allocations of a real program as a trace. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/units.h"
#include "harness/commands/commands.h"
#include "harness/recorder.h"
#include "harness/siblings.h"
#include "workloads/output.h"

struct request {
    const char *output;
    char **command; /* NULL-ended, within argv */
    unsigned depth;
    bool follow, times, anonymous, arguments;
    enum spool_order order;
};

enum { KEY_STACKS = 1000, KEY_FOLLOW, KEY_TIMES, KEY_ORDER, KEY_ANONYMOUS, KEY_ARGUMENTS };
enum {
    RECORD_DEPTH = 16,
    RECORD_DEPTH_MOST = 64,
    RECORD_FEW = 8,
    RECORD_CALIBRATE_NS = 5000000,
    RECORD_WAIT_NS = 1000000
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0,
     "The trace to write (default: PROGRAM.trace, or PROGRAM-2.trace … where that exists)", 0},
    {"stacks", KEY_STACKS, "DEPTH", OPTION_ARG_OPTIONAL,
     "Keep where each allocation was made, the innermost DEPTH callers (default 16, at most 64)",
     0},
    {"follow", KEY_FOLLOW, NULL, 0,
     "Record child processes too, each into FILE with its process number", 0},
    {"times", KEY_TIMES, NULL, 0, "Keep the time of every operation (about one byte each)", 0},
    {"order", KEY_ORDER, "HOW", 0,
     "What orders the threads' records: a shared 'sequence' of numbers (cheaper on few "
     "processors), "
     "or the processor's time stamp 'counter' (default: counter with more than 8 processors, or "
     "--times)",
     0},
    {"arguments", KEY_ARGUMENTS, NULL, 0,
     "Keep the program's arguments in the trace (left out otherwise: they may hold secrets)", 0},
    {"anonymous", KEY_ANONYMOUS, NULL, 0, "Leave out the machine's name and the date", 0},
    {0},
};

static error_t record_parse_order(const char *text, struct request *request,
                                  struct argp_state *state)
{
    if (strcmp(text, "sequence") == 0)
        request->order = SPOOL_BY_SEQUENCE;
    else if (strcmp(text, "counter") == 0 && clock_counter_is_invariant())
        request->order = SPOOL_BY_COUNTER;
    else
        argp_failure(state, STATUS_USAGE, 0, "--order=%s: %s", text,
                     strcmp(text, "counter") ? "there are 'sequence' and 'counter'"
                                             : "this processor's counter is not invariant");
    return 0;
}

static error_t record_parse_depth(const char *text, struct request *request,
                                  struct argp_state *state)
{
    uint64_t depth = RECORD_DEPTH;
    struct err err = {0};
    if (text && units_parse_count(text, &depth, &err))
        argp_failure(state, STATUS_USAGE, 0, "--stacks: %s", err.text);
    if (depth < 1 || depth > RECORD_DEPTH_MOST)
        argp_failure(state, STATUS_USAGE, 0, "--stacks=%s: from 1 to %d callers", text,
                     RECORD_DEPTH_MOST);
    request->depth = (unsigned)depth;
    return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case 'o':
        request->output = text;
        return 0;
    case KEY_STACKS:
        return record_parse_depth(text, request, state);
    case KEY_FOLLOW:
        request->follow = true;
        return 0;
    case KEY_TIMES:
        request->times = true;
        request->order = clock_counter_is_invariant() ? SPOOL_BY_COUNTER : SPOOL_BY_SEQUENCE;
        return 0;
    case KEY_ORDER:
        return record_parse_order(text, request, state);
    case KEY_ARGUMENTS:
        request->arguments = true;
        return 0;
    case KEY_ANONYMOUS:
        request->anonymous = true;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (request->times && request->order != SPOOL_BY_COUNTER)
            argp_failure(state, STATUS_USAGE, 0,
                         "--times needs the processor's counter to be invariant, and no "
                         "--order=sequence");
        return 0;
    default:
        return command_parse_program(key, state, &request->command);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "-- COMMAND [ARGUMENT...]",
    .doc = "Runs a program and writes every allocation it makes into a trace, for bench run to "
           "replay."
           "\vThe program's output and exit status are passed through; nothing of bench goes to "
           "stdout. An existing file is never overwritten.\n\n"
           "Example:\n  bench record -o json.trace -- python3 -m json.tool big.json /dev/null",
};

/* A shared number costs 2 to 7 ns on two processors, but each further one makes it dearer; reading
 * the counter, with the fence that it needs, costs 22 to 25 ns on any number of them. */
static enum spool_order record_default_order(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN) > RECORD_FEW && clock_counter_is_invariant()
               ? SPOOL_BY_COUNTER
               : SPOOL_BY_SEQUENCE;
}

static const char *record_program(const struct request *request)
{
    const char *slash = strrchr(request->command[0], '/');
    return slash ? slash + 1 : request->command[0];
}

static int record_choose_output(const struct request *request, char **path, struct err *err)
{
    char stem[NAME_MAX];
    snprintf(stem, sizeof stem, "%.200s", record_program(request));
    *path = output_free_path(stem);
    return *path ? 0
                 : err_set(err, EEXIST,
                           "%s.trace and all names like it exist: name another file with -o", stem);
}

static int record_check_output(const char *path, bool follow, struct err *err)
{
    struct stat file, link;
    if (strcmp(path, "-") == 0)
        return err_set(err, EINVAL,
                       "standard output is the program's: name a file or a pipe with -o");
    bool is_there = lstat(path, &link) == 0;
    if (is_there && (stat(path, &file) != 0 || S_ISREG(file.st_mode)))
        return err_set(err, EEXIST,
                       "%s exists and is not overwritten: remove it, or name another file with -o",
                       path);
    if (is_there && follow && (S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode)))
        return err_set(err, EINVAL,
                       "%s is a pipe, which takes one trace only: name a file with -o, or leave "
                       "--follow out",
                       path);
    return 0;
}

static char *record_join(char **words)
{
    size_t length = 1, used = 0;
    for (char **word = words; *word; word++)
        length += strlen(*word) + 1;
    char *text = calloc(1, length);
    for (char **word = words; text && *word; word++)
        used += (size_t)snprintf(text + used, length - used, "%s%s", used ? " " : "", *word);
    return text;
}

static void record_describe(const struct request *request, struct recorder_plan *plan,
                            char host[HOST_NAME_MAX + 1], const char *arguments)
{
    host[0] = '\0';
    if (!request->anonymous)
        gethostname(host, HOST_NAME_MAX);
    plan->recording.origin = (struct trace_origin){
        .program = record_program(request),
        .arguments = arguments,
        .host = host,
        .tool = "heapbench " HEAPBENCH_VERSION,
        .source = "recorded",
        .losses = "",
        .recorded_at = request->anonymous ? 0 : (uint64_t)time(NULL),
        .columns = TRACE_HAS_THREADS | (request->times ? TRACE_HAS_TIMES : 0) |
                   (request->depth ? TRACE_HAS_SITES : 0),
    };
    if (!request->times)
        return;
    plan->recording.ns_per_tick = clock_ns_per_tick(RECORD_CALIBRATE_NS);
    plan->recording.start_stamp = clock_ticks();
}

/* --- what is told at the end --- */

#define RECORD_WITHOUT                                                                             \
    "linked statically or for another C library or word size, has set-user-id rights, or runs "    \
    "where bench is out of reach (a container with its own /proc and network)"

static void record_tell_unloaded(const char *program)
{
    fprintf(stderr,
            "bench record: %s ignored the recorder, so its trace is empty: it is " RECORD_WITHOUT
            "; record a dynamically linked program, inside of its container\n",
            program);
}

static void record_tell_unheard(const struct recorder_outcome *outcome)
{
    char others[UNITS_TEXT + 8] = "", count[UNITS_TEXT];
    if (outcome->unheard > 1)
        snprintf(others, sizeof others, " and %s more",
                 units_format_count(count, outcome->unheard - 1));
    if (outcome->unheard)
        fprintf(stderr,
                "bench record: the recorder is not in %s%s, which child processes became, and what "
                "that allocated is in no trace: it is " RECORD_WITHOUT "\n",
                outcome->unheard_name, others);
}

static void record_tell_children(const struct recorder_outcome *outcome, bool follow)
{
    if (outcome->left_alone)
        fprintf(stderr, "bench record: %u child process%s not recorded%s\n", outcome->left_alone,
                outcome->left_alone == 1 ? " was" : "es were",
                follow ? ": there were more than there is room for, or they ran in containers "
                         "that bench cannot look into, or forbid themselves system calls"
                       : "; --follow gives each a trace of its own");
    if (outcome->run_on)
        fprintf(stderr, "bench record: processes that the program started run on, unrecorded; "
                        "--follow waits for them\n");
}

/* What the program did past the recorder. */
static void record_tell_unseen(const struct recording_result *result)
{
    char count[UNITS_TEXT];
    if (!result->events && !result->own)
        fprintf(stderr, "bench record: no allocation was seen: the program made none, or by "
                        "functions of its own\n");
    if (result->inherited)
        fprintf(stderr,
                "bench record: %s frees were of blocks whose allocation was not seen: part of the "
                "program calls another malloc (the C library's by name, a static copy), "
                "and what that allocates is missing\n",
                units_format_count(count, result->inherited));
    if (result->became)
        fprintf(stderr,
                "bench record: the program became %s, which the recorder is not in: it "
                "is " RECORD_WITHOUT "; what it allocated is missing from %s\n",
                result->became, result->path);
}

/* Often a script is recorded, and the program is what it becomes. */
static void record_tell_own(const struct recording *recording)
{
    const char *name = NULL;
    char count[UNITS_TEXT];
    size_t all = recording_count(recording), own = 0;
    for (size_t i = all; i-- > 0;) {
        const char *here = recording_result(recording, i).own;
        name = here ? here : name;
        own += here != NULL;
    }
    if (!own)
        return;
    fprintf(stderr, "bench record: %s", name);
    if (all > 1)
        fprintf(stderr, " (%s of %zu processes)", units_format_count(count, own), all);
    fprintf(stderr,
            " has a malloc of its own, which the recorder does not see: what that allocated "
            "is in no trace; build the program without it to record it\n");
}

/* What the recorder does while the program runs takes system calls, unless it knows better. */
static void record_tell_forbidden(const struct recorder_outcome *outcome, const char *program)
{
    if (outcome->cost.signal == SIGSYS)
        fprintf(stderr,
                "bench record: %s was ended for a system call that it had forbidden itself "
                "(seccomp), %s\n",
                program,
                outcome->confined
                    ? "but none of the recorder's, which makes none from then on"
                    : "maybe one of the recorder's: switch its sandbox off to record it");
    else if (outcome->confined)
        fprintf(stderr,
                "bench record: %s forbade itself system calls (seccomp): what it touched of large "
                "blocks from then on is not known\n",
                program);
}

static uint64_t record_file_bytes(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? (uint64_t)file.st_size : 0;
}

static void record_tell_cost(const struct recorder_outcome *outcome)
{
    char wall[UNITS_TEXT], cpu[UNITS_TEXT], drain[UNITS_TEXT], late[UNITS_TEXT];
    fprintf(stderr,
            "bench record: the program took %s (%s of processor time); writing the trace beside it "
            "took %s of processor time and ended %s after it\n",
            units_format_time(wall, (double)outcome->cost.wall_ns),
            units_format_time(cpu, (double)outcome->cost.cpu_ns),
            units_format_time(drain, (double)outcome->drain_ns),
            units_format_time(late, (double)outcome->late_ns));
    if (outcome->wait_ns > RECORD_WAIT_NS)
        fprintf(stderr,
                "bench record: its threads waited %s, all together, for the trace to be written: "
                "free a processor for that, or expect other times than usual\n",
                units_format_time(wall, (double)outcome->wait_ns));
}

static void record_tell(const struct recorder_outcome *outcome, const struct recording *recording)
{
    char events[UNITS_TEXT], lost[UNITS_TEXT], traces[UNITS_TEXT];
    uint64_t all = 0, bytes = 0, own = 0;
    size_t count = recording_count(recording);
    snprintf(traces, sizeof traces, "all %zu traces", count);
    for (size_t i = 0; i < count; i++) {
        struct recording_result result = recording_result(recording, i);
        all += result.events;
        own += result.cost_ns;
        bytes += record_file_bytes(result.path);
        if (count > 1 || result.lost)
            fprintf(stderr, "bench record: %s: %s events, %s lost\n", result.path,
                    units_format_count(events, result.events),
                    units_format_count(lost, result.lost));
    }
    uint64_t cpu = outcome->cpu_ns;
    record_tell_cost(outcome);
    fprintf(stderr,
            "bench record: %s: %s events, %.2f bytes an event, recorder's own share of the "
            "program's time at least %.1f %%\n",
            count > 1 ? traces : recording_result(recording, 0).path,
            units_format_count(events, all), all ? (double)bytes / (double)all : 0,
            cpu ? 100.0 * (double)own / (double)cpu : 0);
}

static int record_status(const struct recorder_outcome *outcome)
{
    return WIFSIGNALED(outcome->status) ? 128 + WTERMSIG(outcome->status)
                                        : WEXITSTATUS(outcome->status);
}

static int record_run(const struct request *request, const struct recorder_plan *plan)
{
    struct recorder_outcome outcome;
    struct recording *recording = NULL;
    struct err err = {0};
    int failed = recorder_run(plan, &outcome, &recording, &err);
    if (failed) {
        fprintf(stderr, "bench record: %s\n", err.text);
        return outcome.cost.wall_ns ? STATUS_FAILED : STATUS_USAGE;
    }
    if (outcome.start_errno) {
        fprintf(stderr, "bench record: %s cannot be started: %s\n", request->command[0],
                strerror(outcome.start_errno));
        return outcome.start_errno == ENOENT ? 127 : 126;
    }
    const struct recording_result first = recording_result(recording, 0);
    if (!outcome.loaded)
        record_tell_unloaded(request->command[0]);
    else
        record_tell_unseen(&first);
    record_tell_own(recording);
    record_tell_forbidden(&outcome, request->command[0]);
    record_tell_children(&outcome, request->follow);
    record_tell_unheard(&outcome);
    record_tell(&outcome, recording);
    recording_destroy(recording);
    return record_status(&outcome);
}

int command_record(int argc, char **argv)
{
    struct request request = {.order = record_default_order()};
    struct err err = {0};
    char library[PATH_MAX], *path = NULL, host[HOST_NAME_MAX + 1];
    command_parse(&argp, argc, argv, ARGP_IN_ORDER, &request);
    int failed = request.output ? record_check_output(request.output, request.follow, &err)
                                : record_choose_output(&request, &path, &err);
    if (!failed)
        failed = sibling_path("libheapbench-record.so", library, sizeof library, &err);
    if (failed) {
        fprintf(stderr, "bench record: %s\n", err.text);
        free(path);
        return STATUS_USAGE;
    }
    char *arguments = request.arguments ? record_join(request.command + 1) : NULL;
    struct recorder_plan plan = {
        .command = request.command,
        .library = library,
        .recording.path = request.output ? request.output : path,
        .follow = request.follow,
        .times = request.times,
        .depth = request.depth,
        .order = request.order,
    };
    record_describe(&request, &plan, host, arguments ? arguments : "");
    int status = record_run(&request, &plan);
    free(arguments);
    free(path);
    return status;
}
