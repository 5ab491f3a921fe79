/* Tables of rows: text, Markdown, CSV, JSON. */
#include "results/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "results/column.h"
#include "results/note.h"
#include "results/text.h"

enum {
    TABLE_NAME_MIN = 9,  /* "allocator" */
    TABLE_NAME_MAX = 32, /* a longer spec gets a line of its own */
    TABLE_GAP = 2,
};

/* The columns one table shows, and their widths. */
struct table_layout {
    const struct column *columns[COLUMNS_MOST];
    size_t widths[COLUMNS_MOST];
    size_t count;
    size_t name; /* width of the allocators' */
    size_t total;
};

static size_t table_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t table_column_width(const struct column *column, const struct row *rows, size_t count)
{
    char text[COLUMN_TEXT];
    size_t width = strlen(column->title);
    for (size_t i = 0; i < count; i++) {
        column->write(text, &rows[i]);
        width = table_max(width, text_columns(text));
    }
    return width;
}

static void table_lay_out(struct table_layout *layout, const struct row *rows, size_t count,
                          unsigned groups)
{
    *layout = (struct table_layout){.name = TABLE_NAME_MIN};
    for (size_t i = 0; i < count; i++) {
        size_t name = text_columns(rows[i].allocator);
        if (name <= TABLE_NAME_MAX)
            layout->name = table_max(layout->name, name);
    }
    layout->total = layout->name;
    const struct columns_shown shown = columns_shown(rows, count, groups, true);
    for (size_t i = 0; i < shown.count; i++) {
        size_t width = table_column_width(shown.at[i], rows, count);
        layout->columns[layout->count] = shown.at[i];
        layout->widths[layout->count++] = width;
        layout->total += TABLE_GAP + width;
    }
}

static void table_head(FILE *out, const struct table_layout *layout)
{
    fprintf(out, "  %-*s", (int)layout->name, "allocator");
    for (size_t i = 0; i < layout->count; i++)
        fprintf(out, "  %*s", (int)layout->widths[i], layout->columns[i]->title);
    fputc('\n', out);
}

/* The name, and whatever spaces bring the line to the first column. */
static void table_name(FILE *out, const struct table_layout *layout, const struct row *row)
{
    size_t width = text_columns(row->allocator);
    fputs("  ", out);
    text_plain(out, row->allocator);
    if (width > layout->name) {
        fputs("\n  ", out);
        width = 0;
    }
    text_spaces(out, layout->name - width);
}

static void table_line(FILE *out, const struct table_layout *layout, const struct row *row)
{
    char text[COLUMN_TEXT];
    table_name(out, layout, row);
    if (!column_any(row)) {
        text_spaces(out, TABLE_GAP);
        text_plain(out, row->status);
        fputc('\n', out);
        return;
    }
    for (size_t i = 0; i < layout->count; i++) {
        layout->columns[i]->write(text, row);
        text_spaces(out, TABLE_GAP + layout->widths[i] - text_columns(text));
        fputs(text, out);
    }
    fputc('\n', out);
}

/* Where notes go. */
struct table_page {
    FILE *out;
    size_t width;
    size_t notes; /* so far */
};

static void table_note(void *arg, const char *subject, const char *text)
{
    struct table_page *page = arg;
    char note[5000];
    if (page->notes++ == 0)
        fputc('\n', page->out);
    snprintf(note, sizeof note, "%s: %s", subject, text);
    fputs("  ! ", page->out);
    text_wrap(page->out, note, 4, 4, page->width);
}

static void table_part(FILE *out, const struct table_layout *layout, const struct row *rows,
                       size_t count)
{
    table_head(out, layout);
    for (size_t i = 0; i < count; i++)
        table_line(out, layout, &rows[i]);
}

/* Whether any of the columns says anything of any row. */
static bool table_tells(const struct table_layout *layout, const struct row *rows, size_t count)
{
    char text[COLUMN_TEXT];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < layout->count; j++) {
            layout->columns[j]->write(text, &rows[i]);
            if (strcmp(text, "-") != 0)
                return true;
        }
    return false;
}

/* "perl: 1,234,567 operations, at most 2.00 MiB live" as it is known. */
static void table_title(char out[600], const struct row *row)
{
    char operations[UNITS_TEXT], live[UNITS_TEXT];
    size_t at = (size_t)snprintf(out, 600, "%s", row->trace);
    if (row->operations != COUNT_UNKNOWN)
        at += (size_t)snprintf(out + at, 600 - at, ": %s operations",
                               units_format_count(operations, row->operations));
    if (row->peak_live_bytes != COUNT_UNKNOWN)
        snprintf(out + at, 600 - at, ", at most %s live",
                 units_format_size(live, row->peak_live_bytes));
}

/* The row that knows most of its trace. */
static const struct row *table_best_known(const struct row *rows, size_t count)
{
    const struct row *best = rows;
    for (size_t i = 0; i < count; i++)
        if (rows[i].operations != COUNT_UNKNOWN &&
            (best->operations == COUNT_UNKNOWN || best->peak_live_bytes == COUNT_UNKNOWN))
            best = &rows[i];
    return best;
}

/* Time and memory one below the other; of a run that measured one of them, only that. */
static void table_halves(FILE *out, const struct row *rows, size_t count)
{
    struct table_layout time, memory;
    table_lay_out(&time, rows, count, COLUMN_TIME);
    table_lay_out(&memory, rows, count, COLUMN_MEMORY);
    bool timed = table_tells(&time, rows, count), held = table_tells(&memory, rows, count);
    if (timed || !held)
        table_part(out, &time, rows, count);
    if (timed && held)
        fputc('\n', out);
    if (held)
        table_part(out, &memory, rows, count);
}

static void table_trace(FILE *out, const struct row *rows, size_t count, size_t width)
{
    struct table_layout layout;
    char title[600];
    table_title(title, table_best_known(rows, count));
    text_plain(out, title);
    fputs("\n\n", out);
    table_lay_out(&layout, rows, count, COLUMN_TIME | COLUMN_MEMORY);
    if (width == 0 || layout.total + 2 <= width)
        table_part(out, &layout, rows, count);
    else
        table_halves(out, rows, count);
    note_each(rows, count, table_note, &(struct table_page){out, width ? width : SIZE_MAX, 0});
}

static void table_say(FILE *out, const char *text)
{
    fputs("\n  ", out);
    text_wrap(out, text, 2, 2, text_width(out));
}

void table_print_details(FILE *out, const struct row *rows, size_t count)
{
    static const struct {
        unsigned group;
        const char *title;
    } parts[] = {
        {COLUMN_NET, ": latency of a call less what the clock itself costs"},
        {COLUMN_KERNEL, ": what the kernel did to the threads meanwhile"},
        {COLUMN_FLOOR, ": what is held above what is live"},
        {COLUMN_HOLES, ": holes and pages where most is live"},
    };
    struct table_layout layout;
    for (size_t i = 0, same; i < count; i += same) {
        same = row_same_trace(rows + i, count - i);
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++) {
            table_lay_out(&layout, rows + i, same, parts[j].group);
            if (layout.count == 0)
                continue;
            fputc('\n', out);
            text_plain(out, rows[i].trace);
            fputs(parts[j].title, out);
            fputs("\n\n", out);
            table_part(out, &layout, rows + i, same);
            if (parts[j].group == COLUMN_FLOOR && column_any_unladen(rows + i, same))
                table_say(out, COLUMN_NO_LOAD);
        }
    }
}

void table_print_text(FILE *out, const struct row *rows, size_t count, size_t width)
{
    for (size_t i = 0, same; i < count; i += same) {
        same = row_same_trace(rows + i, count - i);
        table_trace(out, rows + i, same, width);
        fputc('\n', out);
    }
    const char *legend = column_legend(rows, count);
    if (legend)
        text_wrap(out, legend, 0, 0, width ? width : SIZE_MAX);
}

static void table_markdown_cell(FILE *out, const char *text)
{
    fputs("| ", out);
    text_markdown(out, text);
    fputc(' ', out);
}

static void table_markdown_line(FILE *out, const struct row *row, const struct columns_shown *shown)
{
    char text[COLUMN_TEXT];
    bool any = column_any(row);
    table_markdown_cell(out, row->allocator);
    if (!any)
        table_markdown_cell(out, row->status);
    for (size_t i = any ? 0 : 1; i < shown->count; i++) {
        shown->at[i]->write(text, row);
        table_markdown_cell(out, any ? text : "");
    }
    fputs("|\n", out);
}

static void table_markdown_part(FILE *out, const struct row *rows, size_t count, unsigned groups)
{
    const struct columns_shown shown = columns_shown(rows, count, groups, true);
    if (shown.count == 0 && !(groups & COLUMN_TIME))
        return;
    fputs("| allocator", out);
    for (size_t i = 0; i < shown.count; i++)
        fprintf(out, " | %s", shown.at[i]->title);
    fputs(shown.count ? " |\n| ---" : " | status |\n| --- | ---", out);
    for (size_t i = 0; i < shown.count; i++)
        fputs(" | ---:", out);
    fputs(" |\n", out);
    for (size_t i = 0; i < count; i++)
        table_markdown_line(out, &rows[i], &shown);
    fputc('\n', out);
}

static void table_markdown_note(void *arg, const char *subject, const char *text)
{
    struct table_page *page = arg;
    page->notes++;
    fputs("* **", page->out);
    text_markdown(page->out, subject);
    fputs("**: ", page->out);
    text_markdown(page->out, text);
    fputc('\n', page->out);
}

static void table_markdown(FILE *out, const struct row *rows, size_t count)
{
    char title[600];
    for (size_t i = 0, same; i < count; i += same) {
        same = row_same_trace(rows + i, count - i);
        table_title(title, table_best_known(rows + i, same));
        fputs("## ", out);
        text_markdown(out, title);
        fputs("\n\n", out);
        table_markdown_part(out, rows + i, same, COLUMN_TIME | COLUMN_MEMORY);
        table_markdown_part(out, rows + i, same, COLUMN_NET);
        table_markdown_part(out, rows + i, same, COLUMN_KERNEL);
        table_markdown_part(out, rows + i, same, COLUMN_FLOOR | COLUMN_HOLES);
        note_each(rows + i, same, table_markdown_note, &(struct table_page){out, 0, 0});
        if (column_any_unladen(rows + i, same))
            fputs("* " COLUMN_NO_LOAD ".\n", out);
        fputc('\n', out);
    }
    const char *legend = column_legend(rows, count);
    if (legend)
        fprintf(out, "%s.\n", legend);
}

static void table_csv_figure(FILE *out, const struct field *field, const struct row *row)
{
    const char *at = (const char *)row + field->offset;
    uint64_t count;
    double real = field_number(field, row);
    switch (field->type) {
    case FIELD_IS_TEXT:
        text_csv(out, at);
        break;
    case FIELD_IS_COUNT:
        memcpy(&count, at, sizeof count);
        if (count != COUNT_UNKNOWN)
            fprintf(out, "%" PRIu64, count);
        break;
    case FIELD_IS_REAL:
        if (isfinite(real))
            fprintf(out, "%.10g", real);
        break;
    }
}

static void table_csv(FILE *out, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < row_field_count; i++)
        fprintf(out, "%s%s", i ? "," : "", row_fields[i].name);
    fputc('\n', out);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < row_field_count; j++) {
            fputs(j ? "," : "", out);
            table_csv_figure(out, &row_fields[j], &rows[i]);
        }
        fputc('\n', out);
    }
}

void table_print(FILE *out, const struct row *rows, size_t count, enum table_format format)
{
    switch (format) {
    case TABLE_TEXT:
        table_print_text(out, rows, count, text_width(out));
        break;
    case TABLE_MARKDOWN:
        table_markdown(out, rows, count);
        break;
    case TABLE_CSV:
        table_csv(out, rows, count);
        break;
    }
}
