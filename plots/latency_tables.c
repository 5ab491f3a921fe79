/* Latency in numbers: the tables of a cell as its files hold them. */
#include "plots/latency_tables.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "results/csv_line.h"
#include "results/series.h"
#include "results/slowest.h"
#include "results/text.h"

static bool table_is_time(const char *title)
{
    size_t length = strlen(title);
    return length > 3 && strcmp(title + length - 3, "_ns") == 0;
}

/* "p999_ns" is "p999", "system_call_names" "system call names". */
static void table_title(FILE *out, const char *title)
{
    char words[CSV_CELL];
    size_t length = strlen(title) - (table_is_time(title) ? 3 : 0), i;
    for (i = 0; i < length; i++)
        words[i] = title[i] == '_' ? ' ' : title[i];
    words[i] = '\0';
    text_html(out, words);
}

static void table_cell(FILE *out, const char *title, const char *text)
{
    char written[UNITS_TEXT], *end;
    double number = strtod(text, &end);
    bool is_number = *text && *end == '\0' && number >= 0;
    if (is_number && table_is_time(title))
        text_html(out, units_format_time(written, number));
    else if (is_number && (strcmp(title, "size") == 0 || strcmp(title, "up_to") == 0))
        text_html(out, units_format_size(written, (uint64_t)number));
    else
        text_html(out, *text ? text : "-");
}

/* Where the same figure less the clock's cost is: of "p50_ns" the column "p50_net_ns". The number
 * of columns where there is none. */
static size_t table_net_of(const struct csv_line *head, size_t column)
{
    char name[CSV_CELL + 8];
    const char *title = head->cells[column];
    size_t length = strlen(title);
    if (!table_is_time(title))
        return head->count;
    snprintf(name, sizeof name, "%.*s_net_ns", (int)length - 3, title);
    return csv_line_find(head, name);
}

/* What stands below another column, or above the table. */
static bool table_is_shown(const char *title)
{
    const char *net = strstr(title, "_net_ns");
    return !(net && net[7] == '\0') && strcmp(title, "clock_cost_ns") != 0;
}

/* The columns of which any of the first lines has something. */
static void table_choose(FILE *file, const struct csv_line *head, size_t most,
                         bool shown[CSV_CELLS])
{
    struct csv_line line;
    long begin = ftell(file);
    memset(shown, 0, CSV_CELLS * sizeof *shown);
    for (size_t lines = 0; lines < most && csv_line_read(file, &line); lines++)
        for (size_t i = 0; i < line.count && i < head->count; i++)
            shown[i] |= *line.cells[i] && table_is_shown(head->cells[i]);
    fseek(file, begin, SEEK_SET);
}

static void table_print_line(FILE *out, const struct csv_line *head, const struct csv_line *line,
                             const bool shown[CSV_CELLS])
{
    fputs("<tr>", out);
    for (size_t i = 0; i < line->count && i < head->count; i++) {
        if (!shown[i])
            continue;
        size_t net = table_net_of(head, i);
        fputs("<td>", out);
        table_cell(out, head->cells[i], line->cells[i]);
        if (net < line->count && *line->cells[net]) {
            fputs("<br><span class=\"net\">", out);
            table_cell(out, head->cells[net], line->cells[net]);
            fputs("</span>", out);
        }
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static void table_print(FILE *out, FILE *file, size_t most)
{
    struct csv_line head, line;
    bool shown[CSV_CELLS];
    if (!csv_line_read(file, &head))
        return;
    table_choose(file, &head, most, shown);
    fputs("<div class=\"wide\"><table>\n<thead><tr>", out);
    for (size_t i = 0; i < head.count; i++) {
        if (!shown[i])
            continue;
        fputs("<th>", out);
        table_title(out, head.cells[i]);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t lines = 0; lines < most && csv_line_read(file, &line); lines++)
        table_print_line(out, &head, &line, shown);
    fputs("</tbody></table></div>\n", out);
}

static void table_of_cell(FILE *out, const struct store *store, const struct cell_result *cell,
                          const char *ending, size_t most)
{
    FILE *file = series_open(store, "latency", cell, ending);
    if (!file)
        return;
    table_print(out, file, most);
    fclose(file);
}

static void latency_tables_cell(FILE *out, const struct store *store,
                                const struct cell_result *cell)
{
    enum { CLASSES = 64, SLOWEST = 20 };
    char cost[UNITS_TEXT];
    fputs("<h4>", out);
    text_html(out, cell->allocator);
    fprintf(out,
            "</h4>\n<p class=\"note\">Stamps by the %s clock; a call that does nothing is told "
            "as ",
            strcmp(cell->clock, "system") == 0 ? "system's" : "processor's");
    text_html(out, isnan(cell->clock_cost_ns) ? "?" : units_format_time(cost, cell->clock_cost_ns));
    fputs(", which is part of every value; below each, in grey, it is taken off.</p>\n", out);
    table_of_cell(out, store, cell, ".csv", CLASSES);
    fputs(
        "<p class=\"note\">The slowest calls, and what the same calls took and did when they were "
        "made again.</p>\n",
        out);
    table_of_cell(out, store, cell, ".worst.csv", SLOWEST);
}

/* A run whose files by cell were left out, as when it is kept for its tables, has none. */
static bool latency_tables_has(const struct store *store, const struct cell_result *cell)
{
    FILE *file = cell ? series_open(store, "latency", cell, ".csv") : NULL;
    if (file)
        fclose(file);
    return file;
}

void latency_tables(FILE *out, const struct store *store, const struct row *rows, size_t count)
{
    bool begun = false;
    for (size_t i = 0; i < count; i++) {
        const struct cell_result *cell = slowest_cell(store, rows[i].allocator, rows[i].trace);
        if (!latency_tables_has(store, cell))
            continue;
        if (!begun)
            fputs("<details>\n<summary>Latency by operation and size, and the slowest calls</"
                  "summary>\n",
                  out);
        begun = true;
        latency_tables_cell(out, store, cell);
    }
    if (begun)
        fputs("</details>\n", out);
}
