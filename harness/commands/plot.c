/* bench plot: the figures of a stored run. */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "allocators/spec.h"
#include "harness/base/nearest.h"
#include "harness/commands/commands.h"
#include "harness/interrupt.h"
#include "harness/measure/census.h"
#include "plots/figures.h"
#include "results/asked.h"

enum {
    PLOT_ALL = -1,
    PLOT_SPECS = 64,
    OPT_FIGURE = 256,
    OPT_TERMINAL,
    OPT_TRACE,
    OPT_AGAINST,
    OPT_MOMENT
};

struct plot {
    const char *run, *output, *trace;
    int figure; /* PLOT_ALL, or which */
    enum figure_terminal terminal;
    struct figure_options options;
    char specs[PLOT_SPECS][SPEC_TEXT];
    const char *shown[PLOT_SPECS + 1]; /* of them */
    size_t drawn, empty;
};

static const struct argp_option plot_options[] = {
    {"figure", OPT_FIGURE, "NAME", 0, "Only this figure; 'bench list' names them", 0},
    {"terminal", OPT_TERMINAL, "KIND", 0,
     "svg (the default), png, pdf, or dumb: as text in the terminal", 0},
    {"trace", OPT_TRACE, "NAME", 0, "Only of this trace", 0},
    {"allocators", 'a', "SPEC[,SPEC...]", 0, "Only these; fewer panels are larger ones", 0},
    {"against", OPT_AGAINST, "WHAT", 0,
     "What figures along the trace run over: events (the default), bytes requested so far, or time",
     0},
    {"moment", OPT_MOMENT, "WHEN", 0,
     "Of which moment free space, pages and size classes are shown: 25%, 50%, 75% of the "
     "operations, peak-live (the default), or end",
     0},
    {"output", 'o', "DIR", 0, "Where the files go; RUN/plots by default", 0},
    {0},
};

static int plot_find_figure(const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < figure_count(); i++) {
        if (strcmp(figure_name(i), name) == 0)
            return (int)i;
        nearest_offer(&nearest, figure_name(i));
    }
    fprintf(stderr, "bench plot: there is no figure '%s'%s (bench list shows all)\n", name,
            nearest_hint(&nearest).text);
    exit(STATUS_USAGE);
}

static enum figure_terminal plot_find_terminal(const char *name)
{
    for (size_t i = 0; i < FIGURE_TERMINALS; i++)
        if (strcmp(figure_terminals[i], name) == 0)
            return (enum figure_terminal)i;
    fprintf(stderr, "bench plot: --terminal is svg, png, pdf or dumb, not '%s'\n", name);
    exit(STATUS_USAGE);
}

static enum figure_against plot_find_against(const char *name)
{
    for (size_t i = 0; i < AGAINST_KINDS; i++)
        if (strcmp(figure_against[i], name) == 0)
            return (enum figure_against)i;
    fprintf(stderr, "bench plot: --against is events, bytes or time, not '%s'\n", name);
    exit(STATUS_USAGE);
}

static const char *plot_find_moment(const char *name)
{
    for (size_t i = 0; i < CENSUS_MOMENTS; i++)
        if (strcmp(census_moment_names[i], name) == 0)
            return census_moment_names[i];
    fprintf(stderr, "bench plot: --moment is 25%%, 50%%, 75%%, peak-live or end, not '%s'\n", name);
    exit(STATUS_USAGE);
}

static void plot_add_specs(struct plot *plot, const char *list)
{
    size_t count = 0;
    while (plot->shown[count])
        count++;
    while (count < PLOT_SPECS && (list = spec_next(list, plot->specs[count]))) {
        plot->shown[count] = plot->specs[count];
        count++;
    }
    plot->options.allocators = plot->shown;
}

static error_t plot_option(int key, char *text, struct argp_state *state)
{
    struct plot *plot = state->input;
    switch (key) {
    case OPT_FIGURE:
        plot->figure = plot_find_figure(text);
        return 0;
    case OPT_TERMINAL:
        plot->terminal = plot_find_terminal(text);
        return 0;
    case OPT_TRACE:
        plot->trace = text;
        return 0;
    case 'a':
        plot_add_specs(plot, text);
        return 0;
    case OPT_AGAINST:
        plot->options.against = plot_find_against(text);
        return 0;
    case OPT_MOMENT:
        plot->options.moment = plot_find_moment(text);
        return 0;
    case 'o':
        plot->output = text;
        return 0;
    case ARGP_KEY_ARG:
        if (plot->run)
            argp_error(state, "one RUN at a time, and '%s' is a second", text);
        plot->run = text;
        return 0;
    case ARGP_KEY_END:
        if (!plot->run)
            argp_error(state, "name the folder of a run");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp plot_argp = {
    .options = plot_options,
    .parser = plot_option,
    .args_doc = "RUN",
    .doc = "Draws the figures of a stored run, one file a figure and trace.\v"
           "Example:\n  bench plot --figure latency --terminal png results/monday\n"
           "Files are named FIGURE.TRACE.KIND; dumb figures go to the standard output."};

static int plot_file(struct plot *plot, const struct store *store, const char *trace, size_t figure,
                     struct err *err)
{
    char *path = NULL;
    int failed =
        figure_save(figure, plot->terminal, &plot->options, store, trace, plot->output, &path, err);
    if (!failed)
        puts(path);
    free(path);
    return failed;
}

/* Which may be because a pass was not run. */
static void plot_empty(const struct store *store, size_t figure, const char *trace)
{
    static const char *const passes[] = {"throughput", "latency", "memory"};
    const char *before = "; not asked for were the passes ";
    fprintf(stderr, "bench plot: %s of %s: the run holds nothing that it could show",
            figure_name(figure), trace);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
        if (!asked_repetitions(store, passes[i])) {
            fprintf(stderr, "%s%s", before, passes[i]);
            before = ",";
        }
    fputc('\n', stderr);
}

static int plot_trace(struct plot *plot, const struct store *store, const char *trace,
                      struct err *err)
{
    for (size_t i = 0; i < figure_count(); i++) {
        if (plot->figure != PLOT_ALL && plot->figure != (int)i)
            continue;
        int failed = plot->terminal == FIGURE_DUMB
                         ? figure_draw(i, FIGURE_DUMB, &plot->options, store, trace, stdout, err)
                         : plot_file(plot, store, trace, i, err);
        if (failed < 0)
            return failed;
        plot->empty += failed == 1;
        plot->drawn += failed == 0;
        if (failed == 1)
            plot_empty(store, i, trace);
    }
    return 0;
}

static int plot_traces(struct plot *plot, const struct store *store, struct err *err)
{
    const char **traces = asked_traces(store);
    int failed = 0;
    bool found = false;
    for (const char **trace = traces; *trace && !failed; trace++)
        if (!plot->trace || strcmp(plot->trace, *trace) == 0) {
            found = true;
            failed = plot_trace(plot, store, *trace, err);
        }
    free(traces);
    if (!found)
        failed = err_set(err, EINVAL, "%s has no trace '%s'; 'bench report %s' shows those it has",
                         plot->run, plot->trace ? plot->trace : "", plot->run);
    return failed;
}

/* Of a run that has no such allocator there would be nothing to show, for no reason. */
static int plot_know_specs(const struct plot *plot, const struct store *store, struct err *err)
{
    const char *const *wanted = plot->options.allocators;
    const char **names = asked_allocators(store);
    int failed = 0;
    for (; wanted && *wanted && !failed; wanted++) {
        struct nearest nearest = nearest_to(*wanted);
        bool found = false;
        for (const char **name = names; *name; name++) {
            found = found || strcmp(*name, *wanted) == 0;
            nearest_offer(&nearest, *name);
        }
        if (!found)
            failed = err_set(err, EINVAL, "%s has no allocator '%.80s'%s", plot->run, *wanted,
                             nearest_hint(&nearest).text);
    }
    free(names);
    return failed;
}

static void plot_folder(struct plot *plot, char **owned)
{
    if (plot->terminal == FIGURE_DUMB || plot->output)
        return;
    if (asprintf(owned, "%s/plots", plot->run) < 0)
        err_no_memory("a path");
    plot->output = *owned;
}

int command_plot(int argc, char **argv)
{
    struct plot plot = {.figure = PLOT_ALL};
    struct store *store;
    struct err err = {0};
    char *owned = NULL;
    command_parse(&plot_argp, argc, argv, 0, &plot);
    if (store_open(&store, plot.run, false, &err) < 0) {
        fprintf(stderr, "bench plot: %s\n", err.text);
        return STATUS_USAGE;
    }
    plot_folder(&plot, &owned);
    plot.options.interrupted = interrupt_catch();
    int failed = plot_know_specs(&plot, store, &err);
    if (!failed)
        failed = plot_traces(&plot, store, &err);
    if (!failed && !plot.drawn && !plot.empty && plot.figure != PLOT_ALL)
        fprintf(stderr, "bench plot: nothing was measured that the figure '%s' could show: %s\n",
                figure_name((size_t)plot.figure), figure_summary((size_t)plot.figure));
    if (failed)
        fprintf(stderr, "bench plot: %s\n", err.text);
    store_close(store);
    free(owned);
    return failed == -EINVAL ? STATUS_USAGE : failed || !plot.drawn ? STATUS_FAILED : STATUS_DONE;
}
