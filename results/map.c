/* A map of a heap, read back. */
#include "results/map.h"

#include <math.h>
#include <stdlib.h>

#include "results/series.h"
#include "results/strip.h"

/* A map is small; what is beyond is damage, and would be a table of that size. */
enum { MAP_ROWS_MAX = 65536, MAP_COLUMNS_MAX = 65536, MAP_CELLS_MAX = 1 << 22 };

static void *map_room(size_t count, size_t size)
{
    void *room = calloc(count + 1, size);
    if (!room)
        err_no_memory("a map of %zu", count);
    return room;
}

static void map_read_row(struct map_row *row, const json_t *json, size_t room)
{
    const char *address = json_string_value(json_object_get(json, "address"));
    const char *live = json_string_value(json_object_get(json, "live"));
    const char *resident = json_string_value(json_object_get(json, "resident"));
    row->address = address ? strtoull(address, NULL, 16) : 0;
    row->live = map_room(room, sizeof *row->live);
    row->resident = map_room(room, sizeof *row->resident);
    row->cells = strip_read(live ? live : "", row->live, room);
    size_t known = strip_read(resident ? resident : "", row->resident, row->cells);
    while (known < row->cells)
        row->resident[known++] = NAN;
}

static struct map *map_from_json(const json_t *json)
{
    const json_t *rows = json_object_get(json, "rows"), *events = json_object_get(json, "events");
    size_t height = json_array_size(rows), width = json_array_size(events);
    size_t room = events ? width : MAP_CELLS_MAX / (height + 1);
    if (height == 0 || room == 0 || height > MAP_ROWS_MAX || width > MAP_COLUMNS_MAX ||
        height * room > MAP_CELLS_MAX)
        return NULL;
    struct map *map = map_room(1, sizeof *map);
    *map = (struct map){.rows = height, .columns = width};
    map->bytes = (uint64_t)json_integer_value(json_object_get(json, "bytes"));
    map->row = map_room(height, sizeof *map->row);
    for (size_t i = 0; i < height; i++)
        map_read_row(&map->row[i], json_array_get(rows, i), room);
    for (size_t i = 0; i < height; i++)
        for (size_t *cells = &map->row[i].cells; events && *cells < width; (*cells)++)
            map->row[i].live[*cells] = map->row[i].resident[*cells] = NAN;
    return map;
}

struct map *map_read(const struct store *store, const char *kind, const struct cell_result *cell,
                     const char *ending)
{
    FILE *file = series_open(store, kind, cell, ending);
    if (!file)
        return NULL;
    json_t *json = json_loadf(file, 0, NULL);
    fclose(file);
    struct map *map = map_from_json(json);
    json_decref(json);
    return map;
}

void map_free(struct map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->rows; i++) {
        free(map->row[i].live);
        free(map->row[i].resident);
    }
    free(map->row);
    free(map);
}
