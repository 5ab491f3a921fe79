/* The report of a run. */
#include "plots/report.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "plots/assets.h"
#include "plots/figures.h"
#include "plots/latency_tables.h"
#include "plots/overview.h"
#include "plots/summary.h"
#include "plots/svg.h"
#include "results/answer.h"
#include "results/column.h"
#include "results/note.h"
#include "results/table.h"
#include "results/text.h"

/* A run under way. */
struct report {
    FILE *out;
    const struct store *store;
    struct row *rows; /* owned */
    size_t count;
    unsigned number;  /* of the run in the file */
    unsigned figures; /* drawn so far */
    struct figure_options options;
    struct err *err;
    int failed;
};

static const char *report_string(const struct report *report, const char *key)
{
    const char *text = json_string_value(json_object_get(store_run(report->store), key));
    return text ? text : "";
}

void report_html_begin(FILE *out)
{
    /* The policy makes sure of what is meant anyway: no script runs, nothing is fetched. */
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
            "'unsafe-inline'; img-src data:\">\n"
            "<title>heapbench report</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n",
            asset_report_css);
}

void report_html_end(FILE *out)
{
    fputs("</main>\n</body>\n</html>\n", out);
}

/* ---- summary ---- */

enum { REPORT_LABEL = 24 };

/* What stands before a colon at the beginning of a line says what the line is of; one further
 * on, or without a blank behind it, is a name's. */
static size_t report_label(const char *line)
{
    const char *colon = strstr(line, ": ");
    return colon && colon - line <= REPORT_LABEL ? (size_t)(colon - line) : 0;
}

/* A point of a list, in HTML or Markdown. "" is none. */
static void report_point(FILE *out, const char *line, bool html, bool note)
{
    char label[REPORT_LABEL + 1];
    void (*const text)(FILE *, const char *) = html ? text_html : text_markdown;
    if (!*line)
        return;
    snprintf(label, sizeof label, "%.*s", (int)report_label(line), line);
    fputs(html ? note ? "<li class=\"note\">" : "<li>" : "* ", out);
    if (*label) {
        fputs(html ? "<b>" : "**", out);
        text(out, label);
        fputs(html ? "</b>" : "**", out);
    }
    text(out, line + strlen(label));
    fputs(html ? "</li>\n" : "\n", out);
}

/* First what to do, then who won at what, then under which conditions. */
static void report_short(FILE *out, const struct store *store, const struct row *rows, size_t count,
                         bool html)
{
    char advice[RECOMMEND_SENTENCES][RECOMMEND_TEXT], lines[SUMMARY_LINES][SUMMARY_TEXT];
    answer_advice(store, rows, count, advice);
    summary_of_trace(rows, count, lines);
    for (size_t i = 0; i < RECOMMEND_NOTES; i++)
        report_point(out, advice[i], html, false);
    for (size_t i = 0; i < SUMMARY_LINES; i++)
        report_point(out, lines[i], html, false);
    for (size_t i = RECOMMEND_NOTES; i < RECOMMEND_SENTENCES; i++)
        report_point(out, advice[i], html, true);
}

static void report_summary(const struct report *report)
{
    bool several = row_same_trace(report->rows, report->count) < report->count;
    fputs("<h2>In short</h2>\n", report->out);
    if (several)
        overview_html(report->out, report->store, report->rows, report->count, report->number);
    for (size_t i = 0, same; i < report->count; i += same) {
        same = row_same_trace(report->rows + i, report->count - i);
        fprintf(report->out, "<h3><a href=\"#run%u-trace%zu\">", report->number, i);
        text_html(report->out, report->rows[i].trace);
        fputs("</a></h3>\n<ul>\n", report->out);
        report_short(report->out, report->store, report->rows + i, same, true);
        fputs("</ul>\n", report->out);
    }
    if (several)
        overview_totals_html(report->out, report->rows, report->count);
}

/* ---- one trace ---- */

static void report_row(FILE *out, const struct row *row, const struct columns_shown *shown)
{
    char text[COLUMN_TEXT];
    fprintf(out, "<tr%s><th>", row->real ? "" : " class=\"floor\"");
    text_html(out, row->allocator);
    fputs("</th>", out);
    if (!column_any(row)) {
        fprintf(out, "<td class=\"%s\" colspan=\"%zu\">",
                strcmp(row->status, "ok") == 0 ? "" : "status", shown->count ? shown->count : 1);
        text_html(out, row->status);
        fputs("</td></tr>\n", out);
        return;
    }
    for (size_t i = 0; i < shown->count; i++) {
        shown->at[i]->write(text, row);
        fputs("<td>", out);
        text_html(out, text);
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static void report_note(void *out, const char *subject, const char *text)
{
    fputs("<li><b>", out);
    text_html(out, subject);
    fputs("</b>: ", out);
    text_html(out, text);
    fputs("</li>\n", out);
}

static void report_part(FILE *out, const struct row *rows, size_t count, unsigned groups,
                        const char *title)
{
    const struct columns_shown shown = columns_shown(rows, count, groups, false);
    if (shown.count == 0 && !(groups & COLUMN_TIME))
        return;
    fprintf(out, "<div class=\"wide\"><table>\n<caption>%s</caption>\n",
            shown.count ? title : "What became of each");
    fputs("<thead><tr><th>allocator</th>", out);
    for (size_t i = 0; i < shown.count; i++) {
        fputs("<th title=\"", out);
        text_html(out, shown.at[i]->help);
        fprintf(out, "\">%s</th>", shown.at[i]->title);
    }
    if (shown.count == 0)
        fputs("<th>status</th>", out);
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < count; i++)
        report_row(out, &rows[i], &shown);
    fputs("</tbody></table></div>\n", out);
}

static void report_table(FILE *out, const struct row *rows, size_t count)
{
    report_part(out, rows, count, COLUMN_TIME | COLUMN_MEMORY, "Time and memory");
    report_part(out, rows, count, COLUMN_NET, "Latency of a call less what the clock itself costs");
    report_part(out, rows, count, COLUMN_KERNEL, "What the kernel did to the threads meanwhile");
    report_part(out, rows, count, COLUMN_FLOOR | COLUMN_HOLES,
                "What is held above what is live, and holes and pages where most is live");
    fputs("<ul class=\"note\">\n", out);
    note_each(rows, count, report_note, out);
    if (column_any_unladen(rows, count))
        fputs("<li>" COLUMN_NO_LOAD ".</li>\n", out);
    const char *legend = column_legend(rows, count);
    if (legend)
        fprintf(out, "<li>%s.</li>\n", legend);
    fputs("</ul>\n", out);
}

static void report_figure(struct report *report, size_t figure, const char *trace)
{
    char *svg = NULL;
    size_t length;
    FILE *memory = open_memstream(&svg, &length);
    if (!memory)
        err_no_memory("a figure");
    int failed = figure_draw(figure, FIGURE_SVG, &report->options, report->store, trace, memory,
                             report->err);
    fclose(memory);
    if (failed == 0) {
        fputs("<figure>\n<div class=\"wide\">", report->out);
        char prefix[32];
        snprintf(prefix, sizeof prefix, "run%u-figure%u-", report->number, ++report->figures);
        svg_inline(report->out, svg, prefix);
        fputs("</div>\n<figcaption><b>", report->out);
        text_html(report->out, figure_summary(figure));
        fputs("</b>. ", report->out);
        text_html(report->out, figure_reading(figure));
        fputs("</figcaption>\n</figure>\n", report->out);
    }
    if (failed < 0)
        report->failed = failed;
    free(svg);
}

static void report_trace(struct report *report, const struct row *rows, size_t count)
{
    fprintf(report->out, "<section id=\"run%u-trace%zu\">\n<h2>", report->number,
            (size_t)(rows - report->rows));
    text_html(report->out, rows->trace);
    fputs("</h2>\n", report->out);
    report_table(report->out, rows, count);
    fputs("<div class=\"figures\">\n", report->out);
    for (size_t i = 0; i < figure_count() && !report->failed; i++)
        report_figure(report, i, rows->trace);
    fputs("</div>\n", report->out);
    latency_tables(report->out, report->store, rows, count);
    fputs("</section>\n", report->out);
}

/* ---- how, and on what ---- */

static void report_method(const struct report *report)
{
    FILE *out = report->out;
    fputs("<h2>How it was measured</h2>\n<dl>\n", out);
    const struct columns_shown shown = columns_shown(report->rows, report->count, ~0u, false);
    for (size_t i = 0; i < shown.count; i++) {
        fprintf(out, "<dt>%s</dt><dd>", shown.at[i]->title);
        text_html(out, shown.at[i]->help);
        fputs("</dd>\n", out);
    }
    fputs(
        "</dl>\n<p>Each figure comes from a pass that nothing else disturbs, each cell from fresh "
        "processes with a fixed address layout. Throughput: no clock inside the loop; of the "
        "turns that a repetition takes, the one at the lower quartile stands for it. "
        "Latency: a time stamp ends each call and begins the next; what stamps cost is part of "
        "the value. "
        "Memory: blocks are touched as a program would, and read from the system, not from the "
        "allocator. Repetitions are interleaved in a shuffled order; figures are medians; "
        "intervals are 95 % bootstrap intervals (10,000 resamples) of the median of the ratios "
        "within each repetition. The <b>null</b> row does nothing and shows what the replay "
        "itself costs: it is a floor, not a competitor, and it is not subtracted.</p>\n",
        out);
}

static void report_value(FILE *out, const json_t *value)
{
    if (json_is_string(value)) {
        text_html(out, json_string_value(value));
        return;
    }
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    text_html(out, text ? text : "?");
    free(text);
}

static void report_pairs(FILE *out, const json_t *object)
{
    /* jansson's iterators take the object unqualified, though they only read it. */
    json_t *copy = json_copy((json_t *)(uintptr_t)object);
    const char *key;
    json_t *value;
    fputs("<div class=\"wide\"><table class=\"pairs\">\n", out);
    json_object_foreach(copy, key, value)
    {
        fputs("<tr><th>", out);
        text_html(out, key);
        fputs("</th><td>", out);
        report_value(out, value);
        fputs("</td></tr>\n", out);
    }
    fputs("</table></div>\n", out);
    json_decref(copy);
}

/* What made figures doubtful when the run began. */
static void report_doubts(const struct report *report)
{
    static const char *const parts[] = {"name", "what", "remedy"};
    static const char *const between[] = {"<li><b>", "</b>: ", ". "};
    const json_t *doubts = json_object_get(store_run(report->store), "preflight");
    if (json_array_size(doubts))
        fputs("<p>What makes figures doubtful there, and what to do:</p>\n", report->out);
    fputs("<ul>\n", report->out);
    for (size_t i = 0; i < json_array_size(doubts); i++) {
        for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) {
            const json_t *text = json_object_get(json_array_get(doubts, i), parts[part]);
            fputs(between[part], report->out);
            text_html(report->out, json_is_string(text) ? json_string_value(text) : "?");
        }
        fputs(".</li>\n", report->out);
    }
    fputs("</ul>\n", report->out);
}

static void report_machine(const struct report *report)
{
    const json_t *command = json_object_get(store_run(report->store), "command");
    fputs("<h2>The machine and the run</h2>\n", report->out);
    report_pairs(report->out, json_object_get(store_run(report->store), "machine"));
    report_doubts(report);
    fputs("<p>Command:</p>\n<pre>", report->out);
    for (size_t i = 0; i < json_array_size(command); i++) {
        const char *word = json_string_value(json_array_get(command, i));
        fputs(i ? " " : "", report->out);
        text_html(report->out, word ? word : "");
    }
    fputs("</pre>\n<p>All of it, of ", report->out);
    fprintf(report->out, "%zu cells, is in ", store_cell_count(report->store));
    text_html(report->out, store_folder(report->store));
    fputs(".</p>\n", report->out);
}

int report_html_run(FILE *out, const struct store *store, unsigned number,
                    const volatile int *interrupted, struct err *err)
{
    struct report report = {.out = out, .store = store, .number = number, .err = err};
    report.options.interrupted = interrupted;
    report.rows = table_rows(store, &report.count);
    fputs("<header><h1>Which allocator?</h1>\n<p>heapbench ", out);
    text_html(out, report_string(&report, "heapbench"));
    fputs(", run folder ", out);
    text_html(out, report.count ? report.rows->run : store_folder(store));
    fputs(", started ", out);
    text_html(out, report_string(&report, "started"));
    fputs("</p></header>\n", out);
    report_summary(&report);
    for (size_t i = 0, same; i < report.count; i += same) {
        same = row_same_trace(report.rows + i, report.count - i);
        report_trace(&report, report.rows + i, same);
    }
    if (report.failed) {
        fputs("<p class=\"trouble\">", out);
        text_html(out, err->text);
        fputs("</p>\n", out);
    }
    report_method(&report);
    report_machine(&report);
    free(report.rows);
    return report.failed;
}

void report_markdown_run(FILE *out, const struct store *store)
{
    size_t count;
    struct row *rows = table_rows(store, &count);
    struct report report = {.out = out, .store = store};
    fputs("# Which allocator?\n\nheapbench ", out);
    text_markdown(out, report_string(&report, "heapbench"));
    fputs(", run folder ", out);
    text_markdown(out, count ? rows->run : store_folder(store));
    fputs(", started ", out);
    text_markdown(out, report_string(&report, "started"));
    fputs("\n\n", out);
    for (size_t i = 0, same; i < count; i += same) {
        same = row_same_trace(rows + i, count - i);
        fputs("**", out);
        text_markdown(out, rows[i].trace);
        fputs("**\n\n", out);
        report_short(out, store, rows + i, same, false);
        fputc('\n', out);
    }
    table_print(out, rows, count, TABLE_MARKDOWN);
    free(rows);
}
