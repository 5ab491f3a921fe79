/* bench report: stored runs as text, HTML, Markdown, CSV or JSON. */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/commands/commands.h"
#include "harness/commands/text_output.h"
#include "harness/interrupt.h"
#include "plots/report.h"
#include "results/answer.h"
#include "results/slowest.h"
#include "results/table.h"

enum { OPT_FORMAT = 256, REPORT_RUNS = 64 };

enum report_format { REPORT_TEXT, REPORT_HTML, REPORT_MARKDOWN, REPORT_CSV, REPORT_JSON };

static const char *const report_formats[] = {"text", "html", "md", "csv", "json"};

struct report {
    const char *runs[REPORT_RUNS];
    size_t count;
    enum report_format format;
    const char *output;
    struct store *stores[REPORT_RUNS]; /* owned */
    const volatile int *interrupted;
    int status;
};

static const struct argp_option report_options[] = {
    {"format", OPT_FORMAT, "KIND", 0, "text (the default), html, md, csv or json", 0},
    {"output", 'o', "OUT", 0, "Write to this file, not to the standard output", 0},
    {0},
};

static enum report_format report_find_format(const char *name, struct argp_state *state)
{
    for (size_t i = 0; i < sizeof report_formats / sizeof *report_formats; i++)
        if (strcmp(report_formats[i], name) == 0)
            return (enum report_format)i;
    argp_error(state, "--format is text, html, md, csv or json, not '%s'", name);
    return REPORT_TEXT;
}

static error_t report_option(int key, char *text, struct argp_state *state)
{
    struct report *report = state->input;
    switch (key) {
    case OPT_FORMAT:
        report->format = report_find_format(text, state);
        return 0;
    case 'o':
        report->output = text;
        return 0;
    case ARGP_KEY_ARG:
        if (report->count == REPORT_RUNS)
            argp_error(state, "at most %d runs at a time", REPORT_RUNS);
        report->runs[report->count++] = text;
        return 0;
    case ARGP_KEY_END:
        if (!report->count)
            argp_error(state, "name the folder of a run");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp report_argp = {
    .options = report_options,
    .parser = report_option,
    .args_doc = "RUN...",
    .doc = "Shows what stored runs measured: the tables, and as HTML the figures too, in one file "
           "that needs nothing else.\v"
           "Example:\n  bench report --format html -o monday.html results/monday"};

/* The rows of all runs behind each other. */
static struct row *report_rows(const struct report *report, size_t *count)
{
    struct row *all = NULL;
    *count = 0;
    for (size_t i = 0; i < report->count; i++) {
        size_t more;
        struct row *rows = table_rows(report->stores[i], &more);
        all = reallocarray(all, *count + more + 1, sizeof *all);
        if (!all)
            err_no_memory("%zu rows", *count + more);
        memcpy(all + *count, rows, more * sizeof *all);
        *count += more;
        free(rows);
    }
    return all;
}

static void report_csv(const struct report *report, FILE *out)
{
    size_t count;
    struct row *rows = report_rows(report, &count);
    table_print(out, rows, count, TABLE_CSV);
    free(rows);
}

static void report_text(const struct report *report, FILE *out)
{
    for (size_t i = 0; i < report->count; i++) {
        size_t count;
        struct row *rows = table_rows(report->stores[i], &count);
        if (report->count > 1)
            fprintf(out, "%s== %s ==\n\n", i ? "\n" : "", report->runs[i]);
        answer_text(out, report->stores[i], rows, count);
        table_print_details(out, rows, count);
        slowest_print(out, report->stores[i]);
        free(rows);
    }
}

static void report_html(struct report *report, FILE *out)
{
    struct err err = {0};
    report_html_begin(out);
    for (size_t i = 0; i < report->count && !*report->interrupted; i++)
        if (report_html_run(out, report->stores[i], (unsigned)i, report->interrupted, &err) < 0) {
            fprintf(stderr, "bench report: %s\n", err.text);
            report->status = STATUS_FAILED;
        }
    report_html_end(out);
}

static void report_write(struct report *report, FILE *out)
{
    switch (report->format) {
    case REPORT_TEXT:
        report_text(report, out);
        break;
    case REPORT_HTML:
        report_html(report, out);
        break;
    case REPORT_MARKDOWN:
        for (size_t i = 0; i < report->count; i++)
            report_markdown_run(out, report->stores[i]);
        break;
    case REPORT_CSV:
        report_csv(report, out);
        break;
    case REPORT_JSON:
        answer_json(out, report->stores, report->count);
        break;
    }
}

/* A file has its name only when it is whole, so that an older report is not lost to a full disk or
 * to Ctrl-C. */
static int report_to_file(struct report *report)
{
    struct text_output text;
    struct err err = {0};
    int failed = text_output_open(&text, report->output, &err);
    if (!failed) {
        report_write(report, text.file);
        if (*report->interrupted) {
            text_output_abandon(&text);
            return STATUS_FAILED;
        }
        failed = text_output_close(&text, &err);
    }
    if (failed)
        fprintf(stderr, "bench report: %s\n", err.text);
    return failed ? STATUS_FAILED : STATUS_DONE;
}

static int report_to_output(struct report *report)
{
    report_write(report, stdout);
    /* Why an earlier write failed is forgotten by now: a closed stream tells it again. */
    if (write(STDOUT_FILENO, "", 0) == 0)
        errno = ENOSPC;
    if (!ferror(stdout) && !fflush(stdout))
        return STATUS_DONE;
    fprintf(stderr, "bench report: standard output: %s; nothing was lost in the run\n",
            strerror(errno));
    return STATUS_FAILED;
}

static bool report_open(struct report *report)
{
    struct err err = {0};
    for (size_t i = 0; i < report->count; i++) {
        if (store_open(&report->stores[i], report->runs[i], false, &err) < 0) {
            fprintf(stderr, "bench report: %s\n", err.text);
            return false;
        }
        if (*store_warning(report->stores[i]))
            fprintf(stderr, "bench report: %s: %s\n", report->runs[i],
                    store_warning(report->stores[i]));
    }
    return true;
}

int command_report(int argc, char **argv)
{
    struct report report = {0};
    command_parse(&report_argp, argc, argv, 0, &report);
    report.interrupted = interrupt_catch();
    int status = STATUS_USAGE;
    if (report_open(&report))
        status = report.output && strcmp(report.output, "-") != 0 ? report_to_file(&report)
                                                                  : report_to_output(&report);
    for (size_t i = 0; i < report.count && report.stores[i]; i++)
        store_close(report.stores[i]);
    return status == STATUS_DONE ? report.status : status;
}
