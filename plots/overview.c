/* A run over all its traces: what would help, and means. */
#include "plots/overview.h"

#include <stdlib.h>

#include "plots/summary.h"
#include "results/recommend.h"
#include "results/text.h"

static void overview_cell(FILE *out, const struct recommendation *advice, const struct offer *offer)
{
    char text[RECOMMEND_TEXT] = "-";
    if (offer)
        recommend_brief(text, advice, offer);
    fputs("<td>", out);
    text_html(out, text);
    fputs("</td>", out);
}

static void overview_row(FILE *out, const struct recommendation *advice, const char *link)
{
    fprintf(out, "<tr><th><a href=\"#%s\">", link);
    text_html(out, advice->base->row->trace);
    fputs("</a></th>", out);
    overview_cell(out, advice, advice->advised);
    overview_cell(out, advice, advice->time);
    overview_cell(out, advice, advice->memory);
    fputs("<td>", out);
    text_html(out, advice->base->row->allocator);
    fputs("</td></tr>\n", out);
}

static const char overview_head[] =
    "<div class=\"wide\"><table class=\"words\">\n<caption>What would help, and what else it "
    "changes; below is how sure that is</caption>\n<thead><tr><th>trace</th><th>at no price</th>"
    "<th>for time</th><th>for memory</th><th>against</th></tr></thead>\n<tbody>\n";

void overview_html(FILE *out, const struct store *store, const struct row *rows, size_t count,
                   unsigned run)
{
    size_t told = 0;
    for (size_t i = 0, same; i < count; i += same) {
        struct recommendation advice;
        char link[64];
        same = row_same_trace(rows + i, count - i);
        recommend_rows(&advice, store, rows + i, same);
        snprintf(link, sizeof link, "run%u-trace%zu", run, i);
        if (advice.base && same > 1 && told++ == 0)
            fputs(overview_head, out);
        if (advice.base && same > 1)
            overview_row(out, &advice, link);
        recommend_release(&advice);
    }
    if (told)
        fputs("</tbody></table></div>\n", out);
}

/* A mean over the traces on which it was measured, and on how many it is the least of all. */
static void overview_mean(FILE *out, double mean, size_t traces, size_t least)
{
    if (traces)
        fprintf(out, "<td>%.2f</td>", mean);
    else
        fputs("<td>-</td>", out);
    fprintf(out, "<td>%zu</td>", least);
}

void overview_totals_html(FILE *out, const struct row *rows, size_t rows_count)
{
    size_t count;
    struct summary_total *totals = summary_totals(rows, rows_count, &count);
    bool timed = false, sized = false;
    for (size_t i = 0; i < count; i++) {
        timed |= totals[i].timed > 0;
        sized |= totals[i].sized > 0;
    }
    fprintf(out,
            "<h2>All traces together</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>allocator"
            "</th>%s%s<th>without full result</th></tr></thead>\n<tbody>\n",
            timed ? "<th>time over the fastest</th><th>fastest on</th>" : "",
            sized ? "<th>peak RSS over live</th><th>smallest on</th>" : "");
    for (size_t i = 0; i < count; i++) {
        const struct summary_total *total = &totals[i];
        fputs("<tr><th>", out);
        text_html(out, total->allocator);
        fputs("</th>", out);
        if (timed)
            overview_mean(out, total->relative, total->timed, total->fastest);
        if (sized)
            overview_mean(out, total->over_live, total->sized, total->smallest);
        fprintf(out, "<td>%zu</td></tr>\n", total->failed);
    }
    fputs("</tbody></table></div>\n<p class=\"note\">Geometric means over the traces on which the "
          "figure was measured; those measured on the most traces first. A mean over programs says "
          "little about yours: see the trace that is most like it.</p>\n",
          out);
    free(totals);
}
