/* Heap map: what was live and resident by address and time, one panel an allocator.
 *
 * panels.txt: name, note, pixels across, pixels up
 * <i>.rgb: the pixels, row by row from the lowest address
 * <i>.txt: where a stretch of addresses begins, in pixels, and its address */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "harness/base/units.h"
#include "plots/figure.h"
#include "plots/shade.h"
#include "results/map.h"

enum {
    HEAPMAP_NAME = 30,
    HEAPMAP_FEW = 4,      /* panels that are large enough for every pixel */
    HEAPMAP_GAP = 2,      /* rows that show a break in the address space */
    HEAPMAP_LABEL_PX = 12 /* height of an address */
};

/* How a map is brought onto its panel. */
struct heapmap_scale {
    size_t wide;  /* columns at most */
    size_t tall;  /* rows at most, about */
    double panel; /* pixels up */
};

static struct heapmap_scale heapmap_scale(struct drawing *drawing, size_t panels)
{
    figure_panels_set(drawing, panels);
    drawing_set(drawing, "left", FIGURE_MAP_LEFT);
    drawing_set(drawing, "right", FIGURE_MAP_RIGHT);
    bool few = panels <= HEAPMAP_FEW;
    if (panels <= 3) {
        drawing_set(drawing, "height", 520);
        return (struct heapmap_scale){256, 256, 404};
    }
    return (struct heapmap_scale){few ? 256 : 128, few ? 256 : 128, 120};
}

static bool heapmap_begins(const struct map *map, size_t row)
{
    return row == 0 || map->row[row].address != map->row[row - 1].address + map->bytes;
}

/* Rows of one stretch from `row` on, at most `merged`. */
static size_t heapmap_together(const struct map *map, size_t row, size_t merged)
{
    size_t count = 1;
    while (count < merged && row + count < map->rows && !heapmap_begins(map, row + count))
        count++;
    return count;
}

/* Residency is not read in every column of a large heap: the last one stands for those. */
static double heapmap_resident(const struct map_row *row, size_t column)
{
    size_t known = column;
    while (known > 0 && isnan(row->resident[known]))
        known--;
    return known == column ? row->resident[column] : fmax(row->resident[known], row->live[column]);
}

static struct shade heapmap_pixel(const struct map *map, size_t row, size_t rows, size_t column)
{
    double live = 0, resident = 0;
    for (size_t i = row; i < row + rows; i++) {
        live += map->row[i].live[column];
        resident += heapmap_resident(&map->row[i], column);
    }
    return shade_of(live / (double)rows, resident / (double)rows);
}

/* A panel's pixels under way. */
struct heapmap_panel {
    FILE *pixels, *labels;
    const struct map *map;
    size_t merged, step; /* rows and columns of the map in one pixel */
    size_t width, height;
    double label_gap, next_label; /* in pixels of the map */
};

static void heapmap_break(struct heapmap_panel *panel, uint64_t address)
{
    for (size_t i = 0; panel->height > 0 && i < HEAPMAP_GAP; i++, panel->height++)
        for (size_t column = 0; column < panel->width; column++)
            shade_write(panel->pixels, shade_gap);
    if ((double)panel->height < panel->next_label)
        return;
    fprintf(panel->labels, "%zu\t%" PRIx64 "\n", panel->height, address);
    panel->next_label = (double)panel->height + panel->label_gap;
}

static void heapmap_rows(struct heapmap_panel *panel)
{
    const struct map *map = panel->map;
    for (size_t row = 0, rows; row < map->rows; row += rows) {
        if (heapmap_begins(map, row))
            heapmap_break(panel, map->row[row].address);
        rows = heapmap_together(map, row, panel->merged);
        for (size_t column = 0; column < map->columns; column += panel->step)
            shade_write(panel->pixels, heapmap_pixel(map, row, rows, column));
        panel->height++;
    }
    /* The end of the last stretch, where there is room. */
    if ((double)panel->height >= panel->next_label)
        fprintf(panel->labels, "%zu\t%" PRIx64 "\n", panel->height,
                map->row[map->rows - 1].address + map->bytes);
}

static int heapmap_draw(struct drawing *drawing, size_t place, const struct map *map,
                        const struct heapmap_scale *scale, struct heapmap_panel *panel,
                        struct err *err)
{
    char name[32];
    *panel = (struct heapmap_panel){
        .map = map,
        .merged = (map->rows + scale->tall - 1) / scale->tall,
        .step = (map->columns + scale->wide - 1) / scale->wide,
    };
    panel->width = (map->columns + panel->step - 1) / panel->step;
    panel->label_gap = HEAPMAP_LABEL_PX / scale->panel * (double)map->rows / (double)panel->merged;
    snprintf(name, sizeof name, "%zu.rgb", place);
    panel->pixels = drawing_open(drawing, name, err);
    snprintf(name, sizeof name, "%zu.txt", place);
    panel->labels = panel->pixels ? drawing_open(drawing, name, err) : NULL;
    if (panel->labels)
        heapmap_rows(panel);
    int failed = panel->pixels ? drawing_close(panel->pixels, err) : -err->code;
    int unlabelled = panel->labels ? drawing_close(panel->labels, err) : -err->code;
    return failed ? failed : unlabelled;
}

static void heapmap_note(FILE *panels, const struct figure_cell *cell, const struct map *map)
{
    char held[UNITS_TEXT], row[UNITS_TEXT];
    drawing_text(panels, cell->cell->allocator, HEAPMAP_NAME);
    if (cell->cell->peak_held_bytes == COUNT_UNKNOWN)
        fputs("\theld: not known", panels);
    else
        fprintf(panels, "\t%s held", units_format_size(held, cell->cell->peak_held_bytes));
    fprintf(panels, ", row %s", units_format_size(row, map->bytes));
}

static int heapmap_write(struct drawing *drawing, const struct figure_cell *cells,
                         struct map *const *maps, size_t count, struct err *err)
{
    struct heapmap_scale scale = heapmap_scale(drawing, count);
    FILE *panels = drawing_open(drawing, "panels.txt", err);
    int failed = panels ? shade_write_legend(drawing, err) : -err->code;
    for (size_t i = 0; i < count && !failed; i++) {
        struct heapmap_panel panel;
        failed = heapmap_draw(drawing, i, maps[i], &scale, &panel, err);
        heapmap_note(panels, &cells[i], maps[i]);
        fprintf(panels, "\t%zu\t%zu\n", panel.width, panel.height);
    }
    int unwritten = panels ? drawing_close(panels, err) : 0;
    return failed ? failed : unwritten;
}

int figure_heapmap(struct drawing *drawing, const struct store *store, const char *trace,
                   struct err *err)
{
    struct figure_cell cells[FIGURE_ALLOCATORS];
    struct map *maps[FIGURE_ALLOCATORS];
    size_t count = figure_maps(drawing, store, trace, "heapmap", ".json", cells, maps);
    int failed = count ? heapmap_write(drawing, cells, maps, count, err) : 1;
    for (size_t i = 0; i < count; i++)
        map_free(maps[i]);
    return failed;
}
