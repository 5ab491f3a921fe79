/* Where the footprint went: one bar an allocator and moment, its parts end to end. All places are
 * pixels of the canvas from its upper left.
 *
 * bars.txt: from, to, middle, colour; names.txt, notes.txt, moments.txt: x, y, text;
 * legend.txt: x, y, text, colour; ticks.txt: x, top, bottom, size */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "plots/figure.h"
#include "results/breakdown.h"

enum {
    SPLIT_NAME = 24, /* characters */
    SPLIT_ROWS = 80,
    SPLIT_ROW_PX = 20,
    SPLIT_HEAD_PX = 84,
    SPLIT_FOOT_PX = 44,
    SPLIT_LEFT_PX = 190,
    SPLIT_RIGHT_PX = 180,
    SPLIT_LEGEND_PX = 230, /* from one entry to the next */
};

/* The rest of the process is the replay's: no part of the picture. */
static const struct {
    const char *name;
    unsigned colour;
    size_t offset;
} split_parts[] = {
    {"live payload", 0x0072b2, offsetof(struct breakdown, payload)},
    {"rounding", 0x56b4e9, offsetof(struct breakdown, rounding)},
    {"metadata, where told", 0x009e73, offsetof(struct breakdown, metadata)},
    {"free on pages with live blocks", 0xe69f00, offsetof(struct breakdown, free_in_live_pages)},
    {"pages without a live block", 0xd55e00, offsetof(struct breakdown, free_pages)},
    {"never used for a block", 0xcc79a7, offsetof(struct breakdown, unused_pages)},
    {"lazily freed", 0xb0a000, offsetof(struct breakdown, lazy_free)},
};
enum { SPLIT_PARTS = sizeof split_parts / sizeof *split_parts };

enum split_file { SPLIT_BARS, SPLIT_NAMES, SPLIT_NOTES, SPLIT_MOMENTS, SPLIT_TICKS, SPLIT_FILES };
static const char *const split_file_names[SPLIT_FILES] = {"bars.txt", "names.txt", "notes.txt",
                                                          "moments.txt", "ticks.txt"};

struct split_page {
    FILE *file[SPLIT_FILES];
    double byte_px; /* pixels a byte */
    unsigned row;
};

static double split_y(const struct split_page *page)
{
    return SPLIT_HEAD_PX + SPLIT_ROW_PX * (page->row + 0.5);
}

static void split_bar(const struct split_page *page, const struct breakdown *breakdown)
{
    double from = SPLIT_LEFT_PX;
    for (size_t i = 0; i < SPLIT_PARTS; i++) {
        uint64_t bytes;
        memcpy(&bytes, (const char *)breakdown + split_parts[i].offset, sizeof bytes);
        double to = from + (double)bytes * page->byte_px;
        if (bytes)
            fprintf(page->file[SPLIT_BARS], "%.2f\t%.2f\t%.1f\t%u\n", from, to, split_y(page),
                    split_parts[i].colour);
        from = to;
    }
}

static void split_texts(const struct split_page *page, const struct breakdown *breakdown)
{
    char heap[UNITS_TEXT], live[UNITS_TEXT];
    fprintf(page->file[SPLIT_NAMES], "%d\t%.1f\t", SPLIT_LEFT_PX - 8, split_y(page));
    drawing_text(page->file[SPLIT_NAMES], breakdown->allocator, SPLIT_NAME);
    fputc('\n', page->file[SPLIT_NAMES]);
    fprintf(page->file[SPLIT_NOTES], "%d\t%.1f\t%s, %s live\n", FIGURE_WIDTH - SPLIT_RIGHT_PX + 8,
            split_y(page), units_format_size(heap, breakdown_heap(breakdown)),
            units_format_size(live, breakdown->live_bytes));
}

/* The bars of one moment under its name. */
static void split_moment(struct split_page *page, const struct breakdown *list, size_t count,
                         const char *at)
{
    fprintf(page->file[SPLIT_MOMENTS], "%d\t%.1f\t", SPLIT_LEFT_PX, split_y(page));
    drawing_text(page->file[SPLIT_MOMENTS], at, SPLIT_NAME);
    fputc('\n', page->file[SPLIT_MOMENTS]);
    page->row++;
    for (size_t i = 0; i < count && page->row < SPLIT_ROWS; i++)
        if (strcmp(list[i].at, at) == 0) {
            split_bar(page, &list[i]);
            split_texts(page, &list[i]);
            page->row++;
        }
}

static bool split_is_first(const struct breakdown *list, size_t place)
{
    for (size_t i = 0; i < place; i++)
        if (strcmp(list[i].at, list[place].at) == 0)
            return false;
    return true;
}

static void split_moments(struct split_page *page, const struct breakdown *list, size_t count)
{
    for (size_t i = 0; i < count && page->row + 1 < SPLIT_ROWS; i++)
        if (split_is_first(list, i))
            split_moment(page, list, count, list[i].at);
}

/* At most ten of them, at multiples of 1, 2 or 5 times a power of ten of the unit. */
static void split_ticks(const struct split_page *page, double largest, double unit)
{
    static const double steps[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(largest / unit / 4)));
    size_t step = 0;
    while (step < 3 && steps[step] * power * 9 < largest / unit)
        step++;
    for (double at = 0; at <= largest / unit; at += steps[step] * power)
        fprintf(page->file[SPLIT_TICKS], "%.2f\t%d\t%.1f\t%g\n",
                SPLIT_LEFT_PX + at * unit * page->byte_px, SPLIT_HEAD_PX,
                SPLIT_HEAD_PX + SPLIT_ROW_PX * (double)page->row, at);
}

static int split_open(struct split_page *page, struct drawing *drawing, struct err *err)
{
    for (size_t i = 0; i < SPLIT_FILES; i++)
        if (!(page->file[i] = drawing_open(drawing, split_file_names[i], err)))
            return -err->code;
    return 0;
}

static int split_close(struct split_page *page, int failed, struct err *err)
{
    for (size_t i = 0; i < SPLIT_FILES; i++)
        if (page->file[i] && drawing_close(page->file[i], failed ? NULL : err) < 0 && !failed)
            failed = -err->code;
    return failed;
}

static int split_write_legend(struct drawing *drawing, struct err *err)
{
    enum { A_LINE = 4 };
    FILE *legend = drawing_open(drawing, "legend.txt", err);
    if (!legend)
        return -err->code;
    for (int i = 0; i < SPLIT_PARTS; i++)
        fprintf(legend, "%d\t%d\t%s\t%u\n", 30 + SPLIT_LEGEND_PX * (i % A_LINE),
                42 + 18 * (i / A_LINE), split_parts[i].name, split_parts[i].colour);
    return drawing_close(legend, err);
}

/* All there are of the trace, and first of them those that are to be shown. */
static struct breakdown *split_read(const struct drawing *drawing, const struct store *store,
                                    const char *trace, size_t *asked, size_t *count)
{
    struct breakdown *list = breakdown_read(store, trace, asked);
    *count = 0;
    for (size_t i = 0; i < *asked; i++)
        if (figure_shows(drawing, list[i].allocator))
            list[(*count)++] = list[i];
    return list;
}

static double split_largest(const struct breakdown *list, size_t count)
{
    double largest = 1;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, (double)breakdown_heap(&list[i]));
    return largest;
}

static int split_draw(struct drawing *drawing, const struct breakdown *list, size_t count,
                      struct err *err)
{
    double largest = split_largest(list, count), unit = figure_unit_set(drawing, largest);
    struct split_page page = {.byte_px = (FIGURE_WIDTH - SPLIT_LEFT_PX - SPLIT_RIGHT_PX) / largest};
    int failed = split_open(&page, drawing, err);
    if (!failed) {
        split_moments(&page, list, count);
        split_ticks(&page, largest, unit);
    }
    failed = split_close(&page, failed, err);
    if (!failed)
        failed = split_write_legend(drawing, err);
    drawing_set(drawing, "width", FIGURE_WIDTH);
    drawing_set(drawing, "height", SPLIT_HEAD_PX + SPLIT_FOOT_PX + SPLIT_ROW_PX * (double)page.row);
    return failed;
}

/* Nobody misses it in a run of which 'bench explain' was not asked. */
int figure_split(struct drawing *drawing, const struct store *store, const char *trace,
                 struct err *err)
{
    size_t asked, count;
    struct breakdown *list = split_read(drawing, store, trace, &asked, &count);
    int status = asked ? 1 : FIGURE_ELSEWHERE;
    if (count)
        status = split_draw(drawing, list, count, err);
    free(list);
    return status;
}
