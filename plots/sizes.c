/* What the trace asks for: request sizes and lifetimes, from traces/TRACE.json.
 *
 * sizes:
 * sizes.txt: lower and upper end of the bin, per cent of the calls, per cent of the bytes
 * lifetimes.txt: lower and upper end of the bin in operations, per cent of the freed objects
 * lifetimes:
 * lives.txt: ends of the bin of sizes, of lifetimes, per cent of the freed objects, of their bytes
 */
#include <stdlib.h>

#include "plots/figure.h"

static json_t *sizes_load(const struct store *store, const char *trace)
{
    char name[STORE_NAME], *path;
    if (asprintf(&path, "%s/traces/%s.json", store_folder(store), store_slug(name, trace)) < 0)
        err_no_memory("a path");
    json_t *statistics = json_load_file(path, 0, NULL);
    free(path);
    return statistics;
}

static double sizes_number(const json_t *bin, const char *key)
{
    return json_number_value(json_object_get(bin, key));
}

static double sizes_sum(const json_t *bins, const char *key)
{
    double sum = 0;
    for (size_t i = 0; i < json_array_size(bins); i++)
        sum += sizes_number(json_array_get(bins, i), key);
    return sum;
}

/* Bins are a quarter of their power of two wide, and exact below 8. */
static double sizes_end(double low)
{
    double width = 1;
    while (8 * width <= low)
        width *= 2;
    return low + width;
}

/* Returns how many bins were written, or -code. A logarithmic axis has no place for 0. */
static int sizes_write(struct drawing *drawing, const char *name, const json_t *bins,
                       const char *key, struct err *err)
{
    double calls = sizes_sum(bins, "count"), bytes = sizes_sum(bins, "bytes");
    FILE *file = drawing_open(drawing, name, err);
    if (!file)
        return -err->code;
    int written = 0;
    for (size_t i = 0; i < json_array_size(bins); i++) {
        const json_t *bin = json_array_get(bins, i);
        double low = sizes_number(bin, key);
        fprintf(file, "%.10g\t%.10g\t%.6g\t%.6g\n", low < 1 ? 0.5 : low,
                low < 1 ? 1 : sizes_end(low), 100 * sizes_number(bin, "count") / calls,
                bytes > 0 ? 100 * sizes_number(bin, "bytes") / bytes : 0);
        written++;
    }
    int failed = drawing_close(file, err);
    return failed ? failed : written;
}

int figure_sizes(struct drawing *drawing, const struct store *store, const char *trace,
                 struct err *err)
{
    json_t *statistics = sizes_load(store, trace);
    int sizes =
        sizes_write(drawing, "sizes.txt", json_object_get(statistics, "sizes"), "size", err);
    int lifetimes = sizes < 0
                        ? sizes
                        : sizes_write(drawing, "lifetimes.txt",
                                      json_object_get(statistics, "lifetimes"), "operations", err);
    json_decref(statistics);
    drawing_set(drawing, "lifetimes", lifetimes > 0);
    drawing_set(drawing, "width", FIGURE_WIDTH);
    drawing_set(drawing, "height", FIGURE_HEIGHT);
    return sizes < 0 ? sizes : lifetimes < 0 ? lifetimes : sizes == 0;
}

/* ---- lifetimes by size ---- */

/* A power of two's bin on an axis that has no place for 0. */
static double lives_low(double low)
{
    return low < 1 ? 0.5 : low;
}

int figure_lifetimes(struct drawing *drawing, const struct store *store, const char *trace,
                     struct err *err)
{
    json_t *statistics = sizes_load(store, trace);
    const json_t *lives = json_object_get(statistics, "lifetimes_by_size");
    double count = sizes_sum(lives, "count"), bytes = sizes_sum(lives, "bytes");
    FILE *file = drawing_open(drawing, "lives.txt", err);
    int failed = file ? count == 0 : -err->code;
    for (size_t i = 0; file && i < json_array_size(lives); i++) {
        const json_t *bin = json_array_get(lives, i);
        double size = lives_low(sizes_number(bin, "size"));
        double life = lives_low(sizes_number(bin, "operations"));
        fprintf(file, "%.10g\t%.10g\t%.10g\t%.10g\t%.6g\t%.6g\n", size, 2 * size, life, 2 * life,
                100 * sizes_number(bin, "count") / count,
                bytes > 0 ? 100 * sizes_number(bin, "bytes") / bytes : 0);
    }
    int unwritten = file ? drawing_close(file, err) : 0;
    json_decref(statistics);
    drawing_set(drawing, "width", FIGURE_WIDTH);
    drawing_set(drawing, "height", 420);
    return unwritten ? unwritten : failed;
}
