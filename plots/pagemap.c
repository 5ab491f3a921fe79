/* Page map: the heap cell by cell at one moment, wrapped into rows like a map of a
 * disk; one panel an allocator.
 *
 * moment.txt: the moment
 * panels.txt: name, note, cells across, cells up
 * <i>.rgb: the cells, row by row from the bottom
 * <i>.txt: height and address of some rows' first cell */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "harness/base/units.h"
#include "plots/figure.h"
#include "plots/shade.h"
#include "results/map.h"

enum {
    PAGEMAP_NAME = 30,
    PAGEMAP_PAGE = 4096,
    PAGEMAP_LABEL_PX = 14, /* height of an address, with room */
    PAGEMAP_CELL_PX = 2,   /* at least, of a cell */
};

/* A panel's place for cells, in pixels. */
struct pagemap_room {
    double wide, tall;
};

/* What is shown, in order: the map's cells, merged where there is no room for each, and one for
 * each gap between stretches. */
struct pagemap_cells {
    struct shade *shade;
    uint64_t *address;
    size_t count;
    size_t merged; /* cells of the map in one */
    size_t across, up;
};

static size_t pagemap_count(const struct map *map, size_t merged)
{
    size_t count = map->rows - 1;
    for (size_t i = 0; i < map->rows; i++)
        count += (map->row[i].cells + merged - 1) / merged;
    return count;
}

static struct shade pagemap_shade(const struct map_row *row, size_t from, size_t to)
{
    double live = 0, resident = 0;
    for (size_t i = from; i < to; i++) {
        live += row->live[i];
        resident += row->resident[i];
    }
    return shade_of(live / (double)(to - from), resident / (double)(to - from));
}

static void pagemap_put(struct pagemap_cells *cells, struct shade shade, uint64_t address)
{
    cells->shade[cells->count] = shade;
    cells->address[cells->count++] = address;
}

static void pagemap_fill(struct pagemap_cells *cells, const struct map *map)
{
    for (size_t i = 0; i < map->rows; i++) {
        const struct map_row *row = &map->row[i];
        if (i)
            pagemap_put(cells, shade_gap, row->address);
        for (size_t at = 0, to; at < row->cells; at = to) {
            to = at + cells->merged < row->cells ? at + cells->merged : row->cells;
            pagemap_put(cells, pagemap_shade(row, at, to), row->address + at * map->bytes);
        }
    }
}

/* As many cells as have room, as square as they can be. */
static struct pagemap_cells pagemap_cells(const struct map *map, const struct pagemap_room *room)
{
    struct pagemap_cells cells = {.merged = 1};
    size_t most = (size_t)(room->wide * room->tall / (PAGEMAP_CELL_PX * PAGEMAP_CELL_PX));
    while (pagemap_count(map, cells.merged) > most && cells.merged < SIZE_MAX / 2)
        cells.merged *= 2;
    size_t count = pagemap_count(map, cells.merged);
    cells.across = (size_t)ceil(sqrt((double)count * room->wide / room->tall));
    cells.up = (count + cells.across - 1) / cells.across;
    cells.shade = calloc(count, sizeof *cells.shade);
    cells.address = calloc(count, sizeof *cells.address);
    if (!cells.shade || !cells.address)
        err_no_memory("a page map of %zu cells", count);
    pagemap_fill(&cells, map);
    return cells;
}

/* The bottom row comes first, the lowest address is at the top. */
static void pagemap_write_pixels(FILE *file, const struct pagemap_cells *cells)
{
    for (size_t row = cells->up; row-- > 0;)
        for (size_t i = row * cells->across; i < (row + 1) * cells->across; i++)
            shade_write(file, i < cells->count ? cells->shade[i] : shade_of(0, 0));
}

static void pagemap_write_labels(FILE *file, const struct pagemap_cells *cells,
                                 const struct pagemap_room *room)
{
    size_t step = (size_t)ceil(PAGEMAP_LABEL_PX * (double)cells->up / room->tall);
    for (size_t row = 0; row < cells->up; row += step)
        fprintf(file, "%g\t%" PRIx64 "\n", (double)(cells->up - row) - 0.5,
                cells->address[row * cells->across]);
}

static int pagemap_write_file(struct drawing *drawing, size_t place, const char *ending,
                              const struct pagemap_cells *cells, const struct pagemap_room *room,
                              struct err *err)
{
    char name[32];
    snprintf(name, sizeof name, "%zu.%s", place, ending);
    FILE *file = drawing_open(drawing, name, err);
    if (!file)
        return -err->code;
    if (room)
        pagemap_write_labels(file, cells, room);
    else
        pagemap_write_pixels(file, cells);
    return drawing_close(file, err);
}

static void pagemap_note(FILE *panels, const struct figure_cell *cell, const struct map *map,
                         const struct pagemap_cells *cells)
{
    char bytes[UNITS_TEXT];
    uint64_t in_one = map->bytes * cells->merged;
    drawing_text(panels, cell->cell->allocator, PAGEMAP_NAME);
    if (in_one == PAGEMAP_PAGE)
        fputs("\ta cell is a page", panels);
    else
        fprintf(panels, "\ta cell is %" PRIu64 " pages, %s", in_one / PAGEMAP_PAGE,
                units_format_size(bytes, in_one));
    fprintf(panels, "\t%zu\t%zu\n", cells->across, cells->up);
}

static int pagemap_write_panel(struct drawing *drawing, FILE *panels,
                               const struct figure_cell *cell, const struct map *map, size_t place,
                               const struct pagemap_room *room, struct err *err)
{
    struct pagemap_cells cells = pagemap_cells(map, room);
    int failed = pagemap_write_file(drawing, place, "rgb", &cells, NULL, err);
    if (!failed)
        failed = pagemap_write_file(drawing, place, "txt", &cells, room, err);
    pagemap_note(panels, cell, map, &cells);
    free(cells.shade);
    free(cells.address);
    return failed;
}

static struct pagemap_room pagemap_room(struct drawing *drawing, size_t panels)
{
    size_t columns = figure_panels_set(drawing, panels);
    double wide = (double)FIGURE_WIDTH / (double)columns - FIGURE_MAP_LEFT - FIGURE_MAP_RIGHT;
    drawing_set(drawing, "left", FIGURE_MAP_LEFT);
    drawing_set(drawing, "right", FIGURE_MAP_RIGHT);
    if (panels > 3)
        return (struct pagemap_room){wide, 140};
    drawing_set(drawing, "height", 560);
    return (struct pagemap_room){wide, 450};
}

int figure_pagemap(struct drawing *drawing, const struct store *store, const char *trace,
                   struct err *err)
{
    struct figure_cell cells[FIGURE_ALLOCATORS];
    struct map *maps[FIGURE_ALLOCATORS];
    char ending[32];
    snprintf(ending, sizeof ending, ".%s.json", figure_moment(drawing));
    size_t count = figure_maps(drawing, store, trace, "pagemap", ending, cells, maps);
    if (!count)
        return 1;
    struct pagemap_room room = pagemap_room(drawing, count);
    FILE *panels = drawing_open(drawing, "panels.txt", err);
    int failed = panels ? shade_write_legend(drawing, err) : -err->code;
    if (!failed)
        failed = figure_moment_write(drawing, err);
    for (size_t i = 0; i < count; i++) {
        if (!failed)
            failed = pagemap_write_panel(drawing, panels, &cells[i], maps[i], i, &room, err);
        map_free(maps[i]);
    }
    int unwritten = panels ? drawing_close(panels, err) : 0;
    return failed ? failed : unwritten;
}
