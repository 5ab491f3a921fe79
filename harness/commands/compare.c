/* bench compare: two runs, or two allocators of one; also as a gate. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/commands/commands.h"
#include "results/compare.h"

enum { OPT_FAIL_ABOVE = 256 };

struct compare {
    const char *sides[2];
    size_t count;
    double threshold; /* 0.05: 5 %; negative: no gate */
};

static const struct argp_option compare_options[] = {
    {"fail-above", OPT_FAIL_ABOVE, "PERCENT", 0,
     "Status 1 when a figure grew by more than this and its interval excludes 1", 0},
    {0},
};

static double compare_percent(const char *text, struct argp_state *state)
{
    char *end;
    double percent = strtod(text, &end);
    if (end == text || (strcmp(end, "") != 0 && strcmp(end, "%") != 0) || !(percent >= 0) ||
        isinf(percent))
        argp_error(state, "--fail-above takes per cent, like 5 or 5%%, not '%s'", text);
    return percent / 100;
}

static error_t compare_option(int key, char *text, struct argp_state *state)
{
    struct compare *compare = state->input;
    switch (key) {
    case OPT_FAIL_ABOVE:
        compare->threshold = compare_percent(text, state);
        return 0;
    case ARGP_KEY_ARG:
        if (compare->count == 2)
            argp_error(state, "two sides at a time, and '%s' is a third", text);
        compare->sides[compare->count++] = text;
        return 0;
    case ARGP_KEY_END:
        if (compare->count < 2)
            argp_error(state, "name a BASE and a NEW run");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp compare_argp = {
    .options = compare_options,
    .parser = compare_option,
    .args_doc = "BASE NEW",
    .doc = "Compares two runs, allocator by allocator, or two allocators as RUN:SPEC.\v"
           "Examples:\n"
           "  bench compare --fail-above 5% results/before results/after\n"
           "  bench compare results/monday:system results/monday:buddy:min=32\n\n"
           "A gate fails only on a difference that is both above the threshold and outside the "
           "interval, so a figure that was measured once cannot fail it. It looks at time and "
           "memory; latencies are shown. An allocator that was sound in BASE and is not in NEW "
           "is a failure by itself."};

static bool compare_is_run(const char *folder)
{
    char *path;
    if (asprintf(&path, "%s/run.json", folder) < 0)
        err_no_memory("a path");
    bool is = access(path, F_OK) == 0;
    free(path);
    return is;
}

/* Cuts RUN:SPEC at the colon after the longest prefix that is a run. Returns the spec, NULL: none.
 */
static const char *compare_cut(char *side)
{
    if (compare_is_run(side))
        return NULL;
    for (char *at = side + strlen(side); at > side; at--)
        if (*at == ':') {
            *at = '\0';
            if (compare_is_run(side))
                return at + 1;
            *at = ':';
        }
    return NULL;
}

static bool compare_same_folder(const char *a, const char *b)
{
    struct stat one, two;
    return stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

static int compare_judge(const struct compare *compare, struct compare_side base,
                         struct compare_side new, struct err *err)
{
    struct comparisons comparisons;
    int failed = compare_sides(&comparisons, base, new, err);
    if (failed)
        return failed;
    compare_print(stdout, &comparisons, compare->threshold);
    size_t failures = compare_failures(&comparisons, compare->threshold);
    if (compare->threshold >= 0)
        printf("gate: %zu figures grew by more than %g %%\n", failures, 100 * compare->threshold);
    if (compare->threshold >= 0 && !compare_can_fail(&comparisons))
        fputs("bench compare: everything was measured once, so the gate could not fail; repeat "
              "both runs with -n 6\n",
              stderr);
    int status = failures || comparisons.lost_count ? STATUS_FAILED : STATUS_DONE;
    compare_release(&comparisons);
    return status;
}

/* Two allocators of one run are paired only if both sides are the same store. */
static int compare_open(const struct compare *compare, char *base, char *new, struct err *err)
{
    const char *base_spec = compare_cut(base), *new_spec = compare_cut(new);
    struct store *base_store, *new_store;
    if (!base_spec != !new_spec)
        return err_set(err, EINVAL,
                       "either both sides name an allocator (RUN:SPEC), or neither does");
    int status = store_open(&base_store, base, false, err);
    if (status)
        return status;
    bool same = compare_same_folder(base, new);
    if (same)
        new_store = base_store;
    else
        status = store_open(&new_store, new, false, err);
    if (!status) {
        status = compare_judge(compare, (struct compare_side){base_store, base_spec},
                               (struct compare_side){new_store, new_spec}, err);
        if (!same)
            store_close(new_store);
    }
    store_close(base_store);
    return status;
}

int command_compare(int argc, char **argv)
{
    struct compare compare = {.threshold = -1};
    struct err err = {0};
    command_parse(&compare_argp, argc, argv, 0, &compare);
    char *base = strdup(compare.sides[0]), *new = strdup(compare.sides[1]);
    if (!base || !new)
        err_no_memory("two paths");
    int status = compare_open(&compare, base, new, &err);
    if (status < 0) {
        fprintf(stderr, "bench compare: %s\n", err.text);
        status = STATUS_USAGE;
    }
    free(base);
    free(new);
    return status;
}
