/* The files that go with a cell. */
#include "harness/artefacts.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "results/strip.h"

/* Lines of the percentile table for each halving of the distance to 100 %. */
enum { HGRM_TICKS = 5 };

typedef void artefact_writer(FILE *out, const void *what);

static int artefacts_write(struct store *store, const char *kind, const struct cell_result *result,
                           const char *ending, artefact_writer *write, const void *what,
                           struct err *err)
{
    char name[STORE_NAME];
    FILE *out = store_begin_file(store, kind, store_cell_name(name, result), ending, err);
    if (!out)
        return -err->code;
    write(out, what);
    return store_end_file(store, out, err);
}

static void artefacts_print_hgrm(FILE *out, const void *histogram)
{
    histogram_print(out, histogram, HGRM_TICKS);
}

/* Of few records a far percentile would be the maximum under another name. */
static double artefacts_percentile(const struct histogram *histogram, double percentile)
{
    return histogram_reaches(histogram, percentile)
               ? (double)histogram_percentile(histogram, percentile)
               : REAL_UNKNOWN;
}

static void artefacts_print_class(FILE *out, unsigned kind, unsigned class,
                                  const struct histogram *histogram)
{
    fprintf(out, "%s,", latency_kind_names[kind]);
    if (class < SIZE_CLASSES - 1)
        fprintf(out, "%" PRIu64, size_class_limits[class]);
    fprintf(out, ",%" PRIu64 ",%.1f", histogram->total, histogram_mean(histogram));
    static const double percentiles[] = {50, 90, 99, 99.9, 99.99, 99.999};
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++) {
        double value = artefacts_percentile(histogram, percentiles[i]);
        fputc(',', out);
        if (!isnan(value))
            fprintf(out, "%.0f", value);
    }
    fprintf(out, ",%" PRIu64 "\n", histogram->max);
}

/* `up_to` is the class's largest size, empty for the last class; so is a percentile that nothing
 * lies beyond. */
static void artefacts_print_classes(FILE *out, const void *what)
{
    const struct latency_area *area = what;
    fputs("operation,up_to,count,mean_ns,p50_ns,p90_ns,p99_ns,p999_ns,p9999_ns,p99999_ns,max_ns\n",
          out);
    for (unsigned kind = 0; kind < LATENCY_KINDS; kind++)
        for (unsigned class = 0; class < SIZE_CLASSES; class ++)
            if (area->histograms[kind][class].total)
                artefacts_print_class(out, kind, class, &area->histograms[kind][class]);
}

static void artefacts_percentiles(const struct histogram *all, struct cell_result *result)
{
    if (all->total == 0)
        return;
    result->p50_ns = artefacts_percentile(all, 50);
    result->p90_ns = artefacts_percentile(all, 90);
    result->p99_ns = artefacts_percentile(all, 99);
    result->p999_ns = artefacts_percentile(all, 99.9);
    result->p9999_ns = artefacts_percentile(all, 99.99);
    result->p99999_ns = artefacts_percentile(all, 99.999);
    result->max_ns = (double)all->max;
}

int artefacts_latency(struct store *store, const struct latency_area *area,
                      struct cell_result *result, struct err *err)
{
    struct histogram *all = calloc(1, sizeof *all);
    if (!all)
        return err_set(err, ENOMEM, "no memory for a histogram");
    for (unsigned kind = 0; kind < LATENCY_KINDS; kind++)
        for (unsigned class = 0; class < SIZE_CLASSES; class ++)
            histogram_add(all, &area->histograms[kind][class]);
    artefacts_percentiles(all, result);
    int status = artefacts_write(store, "latency", result, ".hgrm", artefacts_print_hgrm, all, err);
    if (status == 0)
        status =
            artefacts_write(store, "latency", result, ".csv", artefacts_print_classes, area, err);
    free(all);
    return status;
}

/* An unknown count is an empty field. */
static void artefacts_print_count(FILE *out, uint64_t count, char end)
{
    if (count != COUNT_UNKNOWN)
        fprintf(out, "%" PRIu64, count);
    fputc(end, out);
}

static void artefacts_print_series(FILE *out, const void *what)
{
    const struct memory_area *area = what;
    fputs("event,time_ns,allocated,live,usable,held,resident,lazyfree,rss,vsz,blocks\n", out);
    for (size_t i = 0; i < area->samples; i++) {
        const struct cell_sample *sample = &area->sample[i];
        const uint64_t counts[] = {
            sample->event, sample->time_ns,  sample->allocated, sample->live, sample->usable,
            sample->held,  sample->resident, sample->lazyfree,  sample->rss,  sample->vsz};
        for (size_t j = 0; j < sizeof counts / sizeof *counts; j++)
            artefacts_print_count(out, counts[j], ',');
        artefacts_print_count(out, sample->blocks, '\n');
    }
}

/* One row of a map: shares of `bytes` over its columns. */
static void artefacts_print_strip(FILE *out, const struct heapmap *map, uint16_t row, bool live)
{
    struct strip strip = {.out = out};
    double bytes = (double)heapmap_row_bytes(map);
    for (uint32_t column = 0; column < map->columns; column++) {
        const struct heapmap_load *load = &map->shown[column][row];
        bool known = live || map->residency_known[column];
        strip_add(&strip, known ? (double)(live ? load->live : load->resident) / bytes : NAN);
    }
    strip_end(&strip);
}

static void artefacts_print_map(FILE *out, const void *what)
{
    const struct memory_area *area = what;
    const struct heapmap *map = &area->map;
    uint16_t order[HEAPMAP_ROWS];
    heapmap_order(map, order);
    fprintf(out, "{\"bytes\": %" PRIu64 ",\n \"events\": [", heapmap_row_bytes(map));
    for (uint32_t column = 0; column < map->columns; column++)
        fprintf(out, "%s%" PRIu64, column ? "," : "", map->events[column]);
    fputs("],\n \"rows\": [", out);
    for (uint32_t i = 0; i < map->rows; i++) {
        fprintf(out, "%s\n  {\"address\": \"0x%" PRIx64 "\", \"live\": \"", i ? "," : "",
                heapmap_row_address(map, order[i]));
        artefacts_print_strip(out, map, order[i], true);
        fputs("\", \"resident\": \"", out);
        artefacts_print_strip(out, map, order[i], false);
        fputs("\"}", out);
    }
    fputs("]}\n", out);
}

int artefacts_memory(struct store *store, const struct memory_area *area,
                     const struct cell_result *result, struct err *err)
{
    int status =
        artefacts_write(store, "series", result, ".csv", artefacts_print_series, area, err);
    if (status == 0 && area->map.columns > 0)
        status = artefacts_write(store, "heapmap", result, ".json", artefacts_print_map, area, err);
    return status;
}
