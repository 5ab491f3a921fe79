/* Heap map: live bytes by address and time, one panel an allocator.
 *
 * panels.txt: name, note, bins across, bins up
 * <i>.bin: one byte a bin, row by row from the lowest address: 0 nothing live … 255 all live */
#include <math.h>
#include <stdlib.h>

#include "harness/base/units.h"
#include "plots/figure.h"

enum { HEAPMAP_WIDE = 192, HEAPMAP_TALL = 128, HEAPMAP_NAME = 30 };

struct heapmap_grid {
    uint32_t columns, rows; /* of the file */
    float live[HEAPMAP_TALL][HEAPMAP_WIDE];
};

/* Columns are left out where there are too many, rows are averaged. */
static struct heapmap_grid *heapmap_grid(const struct cell_map_bin *bins, size_t count)
{
    struct heapmap_grid *grid = calloc(1, sizeof *grid);
    if (!grid)
        BUG("out of memory for a heap map");
    for (size_t i = 0; i < count; i++) {
        grid->columns = bins[i].column >= grid->columns ? bins[i].column + 1 : grid->columns;
        grid->rows = bins[i].row >= grid->rows ? bins[i].row + 1 : grid->rows;
    }
    uint32_t step = (grid->columns + HEAPMAP_WIDE - 1) / HEAPMAP_WIDE;
    uint32_t merged = (grid->rows + HEAPMAP_TALL - 1) / HEAPMAP_TALL;
    for (size_t i = 0; i < count; i++)
        if (bins[i].column % step == 0)
            grid->live[bins[i].row / merged][bins[i].column / step] += bins[i].live / (float)merged;
    grid->columns = (grid->columns + step - 1) / step;
    grid->rows = (grid->rows + merged - 1) / merged;
    return grid;
}

static int heapmap_write_grid(struct drawing *drawing, size_t place,
                              const struct heapmap_grid *grid, struct err *err)
{
    char name[32];
    snprintf(name, sizeof name, "%zu.bin", place);
    FILE *file = drawing_open(drawing, name, err);
    if (!file)
        return -err->code;
    for (uint32_t row = 0; row < grid->rows; row++)
        for (uint32_t column = 0; column < grid->columns; column++) {
            float live = grid->live[row][column];
            /* A bin with anything live is never shown as empty. */
            fputc(live > 0 ? (int)fminf(255, 1 + 254 * live) : 0, file);
        }
    return drawing_close(file, err);
}

/* One allocator's panel; 1 when it has no map. */
static int heapmap_write_panel(struct drawing *drawing, const struct store *store,
                               const struct figure_cell *cell, size_t place, FILE *panels,
                               struct err *err)
{
    size_t count;
    char held[UNITS_TEXT];
    struct cell_map_bin *bins = heapmap_read(store, cell->cell, &count);
    if (count == 0) {
        free(bins);
        return 1;
    }
    struct heapmap_grid *grid = heapmap_grid(bins, count);
    drawing_text(panels, cell->cell->allocator, HEAPMAP_NAME);
    if (cell->cell->peak_held_bytes == COUNT_UNKNOWN)
        fputs("\theld: not known", panels);
    else
        fprintf(panels, "\t%s held at most", units_format_size(held, cell->cell->peak_held_bytes));
    fprintf(panels, "\t%u\t%u\n", (unsigned)grid->columns, (unsigned)grid->rows);
    int failed = heapmap_write_grid(drawing, place, grid, err);
    free(grid);
    free(bins);
    return failed;
}

int figure_heapmap(struct drawing *drawing, const struct store *store, const char *trace,
                   struct err *err)
{
    struct figure_cell cells[FIGURE_ALLOCATORS];
    size_t all = figure_cells(store, trace, "memory", "peak_rss_bytes", cells), count = 0;
    FILE *panels = drawing_open(drawing, "panels.txt", err);
    if (!panels)
        return -err->code;
    int failed = 0;
    for (size_t i = 0; i < all && failed >= 0; i++) {
        failed =
            cells[i].real ? heapmap_write_panel(drawing, store, &cells[i], count, panels, err) : 1;
        count += failed == 0;
    }
    int unwritten = drawing_close(panels, err);
    if (failed >= 0 && count)
        figure_panels_set(drawing, count);
    return failed < 0 ? failed : unwritten ? unwritten : count == 0;
}
